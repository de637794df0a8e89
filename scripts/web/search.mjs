// What the search looks through: a document for each part of a chapter, and for each symptom.
import { plain } from "./html.mjs";

/** @returns {{id: string, title: string, chapter: string, text: string}[]} */
export function searchDocuments(guide) {
	return guide.chapters.flatMap(({ name, title, lab, parts, html }) => {
		const chapter = lab ? `${name}: ${title}` : title;
		// A part begins where its heading stands.
		const starts = parts.map(({ id, title: words }) => ({ id, words, at: html.indexOf(` id="${id}"`) })).sort((a, b) => a.at - b.at);
		const first = { id: "", words: title, at: 0 };
		const places = starts[0]?.at > 200 || starts.length === 0 ? [first, ...starts] : starts;
		const documents = places.map(({ id, words, at }, n) => ({
			id: `${name}#${id}`.replace(/#$/, ""),
			title: words,
			chapter,
			text: plain(html.slice(at, places[n + 1]?.at ?? html.length).replace(/^[^<]*>/, "").replace(/<[^>]*$/, "")),
		}));
		for (const [, id, text] of html.matchAll(/<li>\s*<span id="(symptom-[^"]+)"><\/span>(.*?)<\/li>/gs)) {
			const words = plain(text);
			documents.push({ id: `${name}#${id}`, title: words.split(/: /)[0], chapter, text: words });
		}
		return documents;
	});
}
