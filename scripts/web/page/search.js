// The search: loaded when somebody first asks for it. DOCUMENTS is put in at build time.
import MiniSearch from "minisearch";

/* global DOCUMENTS */
const index = new MiniSearch({
	fields: ["title", "chapter", "text"],
	storeFields: ["title", "chapter", "text"],
	tokenize: (text) => text.toLowerCase().match(/[\p{L}\p{N}_.]*[\p{L}\p{N}_]/gu) ?? [],
	searchOptions: { boost: { title: 4, chapter: 2 }, prefix: true, fuzzy: (term) => (term.length > 4 ? 0.2 : 0), combineWith: "AND" },
});
index.addAll(DOCUMENTS);

/** A piece of the text around the first of the words. */
function excerpt(text, terms) {
	const lower = text.toLowerCase();
	const at = Math.max(0, Math.min(...terms.map((term) => lower.indexOf(term)).filter((place) => place >= 0), text.length) - 50);
	return (at > 0 ? "…" : "") + text.slice(at === text.length ? 0 : at, at + 150) + "…";
}

window.unboxedSearch = (words) =>
	index.search(words).slice(0, 20).map(({ id, title, chapter, text, terms }) => ({ id, title, chapter, excerpt: excerpt(text, terms) }));
