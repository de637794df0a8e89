// build/unboxed.html: all of the course in one file, for file://. Nothing is loaded; a chapter is shown at a time
// when scripts run, and all of them one below the other when they do not.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { escape } from "./html.mjs";
import { diagramName, frame, siteName } from "./layout.mjs";
import { chapterBody, deeper } from "./pages.mjs";
import { embedded } from "./recordings.mjs";

/** So many bytes a reader will load at once. */
const LIMIT = 20_000_000;

/** Only what is in the file. Wasm and blob: are for the machine. */
const policy = "default-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline' blob: 'wasm-unsafe-eval'; base-uri 'none'; form-action 'none'";

export async function singleFile({ root, guide, labs, sources, assets, search, diagrams, recordings, licenses, contents, index, machine }) {
	const image = new Map(
		diagrams.map((lab) => {
			const svg = readFileSync(join(root, "labs", lab.id, "diagram.svg"));
			return [`${lab.id}.svg`, `data:image/svg+xml;base64,${svg.toString("base64")}`];
		}),
	);
	/** Links by scheme become fragments; `own` is the chapter in which they stand. */
	const resolve = (html, own = "") =>
		html
			.replace(/(href|src)="(page|source|diagram):([^"#]*)(#[^"]*)?"/g, (all, attribute, scheme, name, hash = "") => {
				if (scheme === "diagram") return `${attribute}="${image.get(diagramName(name)) ?? ""}"`;
				if (scheme === "source") return `href="#${name}${hash.replace("#", "-")}"`;
				return `href="${hash || `#${name}`}"`;
			})
			.replace(/(id|href)="(#?)(L\d+)"/g, `$1="$2${own}-$3"`);
	/** A heading's id that is the section's too stands there once. */
	const section = (name, title, body, neighbours = "") =>
		`<section class="chapter" id="${name}" data-title="${escape(title)} · ${siteName}">
${resolve(deeper(body.replace(` id="${name}"`, "")), name)}
${resolve(neighbours)}
</section>`;
	const ends = (at) => {
		const link = (chapter, rel, word) => (chapter ? `<a rel="${rel}" href="page:${chapter.name}"><span>${word}</span> ${escape(chapter.title)}</a>` : "");
		return `<nav class="neighbours" aria-label="Neighbors of ${escape(guide.chapters[at].title)}">${link(guide.chapters[at - 1] ?? { name: "index", title: siteName }, "prev", "Previous")}${link(guide.chapters[at + 1], "next", "Next")}</nav>`;
	};
	// Of the sources those that a chapter leads to, without colors: the file has to carry a machine too.
	const chapters = guide.chapters.map((chapter, at) => section(chapter.name, chapter.title, chapterBody(chapter, labs), ends(at)));
	const led = new Set([...chapters.join("").matchAll(/href="#(\d\d-[\w-]+?)(?:-L\d+)?"/g)].map(([, name]) => name));
	const plainSource = (html) => html.replace(/<li><a class="source" href="source:([^"]*)">(.*?)<\/a><\/li>/g, (item, name) => (led.has(name) ? item : "")).replace(/<span class="(?!l")[a-z]+">([^<]*)<\/span>/g, "$1");
	const body = [
		section("index", siteName, index),
		...chapters,
		...sources.filter(({ name }) => led.has(name)).map(({ name, path, body: text }) => section(name, path, plainSource(text))),
		section("licenses", "Licenses", licenses),
	];
	const inFile = frame(guide, { body: `<h1 class="unseen">${siteName}: ${escape(guide.title)}</h1>\n${body.join("\n")}`, contents: contents(guide, "", true), home: "page:index" })
		.replace(/<p><a href="page:print">.*?<\/p>/, '<p><a href="page:licenses">Licenses</a></p>');
	// The one place where assets are put into the file: styles, then scripts, then what the machine adds (its data).
	const styles = assets.styles.map(({ text }) => `<style>${text}</style>`);
	const scripts = [{ text: search }, ...assets.scripts].map(({ text }) => `<script>${text.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--")}</script>`);
	const data = (await machine?.embedded?.({ root })) ?? "";
	// The machine's data are bytes, of which each is a character in windows-1252. All else is ASCII.
	const ascii = (html) =>
		html
			.replace(/(<style>)([^]*?)(<\/style>)/g, (all, open, css, close) => open + css.replace(/[^\x00-\x7f]/gu, (letter) => `\\${letter.codePointAt(0).toString(16)} `) + close)
			.replace(/[^\x00-\x7f]/gu, (letter) => `&#${letter.codePointAt(0)};`);
	const [before, after] = ascii(`<!doctype html>
<html lang="en">
<head>
<meta charset="windows-1252">
<title>${siteName}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="${escape(guide.description)}">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:image/svg+xml;base64,${readFileSync(join(root, "scripts/web/page/icon.svg")).toString("base64")}">
${styles.join("\n")}
</head>
<body class="single">
${resolve(inFile)}
\0
${scripts.join("\n")}
</body>
</html>
`).split("\0");
	// A machine that was packed fast (ZSTD_LEVEL) is over the limit without them.
	const room = LIMIT - (before + data + after).length;
	return Buffer.from(before + data + embedded(recordings, room > 0 ? room : LIMIT) + after, "latin1");
}
