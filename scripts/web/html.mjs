// Small things about HTML, and pandoc.
import { spawnSync } from "node:child_process";

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escape = (text) => String(text).replace(/[&<>"']/g, (c) => entities[c]);

export const slug = (text) =>
	text
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, "-")
		.replace(/^-|-$/g, "");

/** The text of a piece of HTML, for the search and for descriptions. */
export function plain(html) {
	return html
		.replace(/<a class="address"[^>]*>#<\/a>/g, "")
		.replace(/<\/?(?:code|a|b|em|strong|span|kbd|img|button)\b[^>]*>/g, "")
		.replace(/<[^>]*>/g, " ")
		.replace(/&lt;/g, "<")
		.replace(/&gt;/g, ">")
		.replace(/&quot;/g, '"')
		.replace(/&#39;/g, "'")
		.replace(/&amp;/g, "&")
		.replace(/\s+/g, " ")
		.trim();
}

/** Runs a program and returns what it prints; its failure is ours. */
export function run(program, args, input = "") {
	const result = spawnSync(program, args, { input, encoding: "utf8", maxBuffer: 1 << 28 });
	if (result.error || result.status !== 0)
		throw new Error(`${program} ${args.join(" ")}: ${result.error?.message ?? result.stderr}`);
	return result.stdout;
}

export const readMarkdown = (text) => JSON.parse(run("pandoc", ["-f", "gfm+smart", "-t", "json"], text));

/**
 * Turns lists of pandoc's blocks into HTML, by one run of pandoc.
 * @param {object[][]} documents
 * @returns {string[]} a piece of HTML for each
 */
export function writeHtml(documents) {
	const mark = "<!-- the next document -->";
	const blocks = documents.flatMap((document) => [...document, raw(mark)]);
	const ast = { "pandoc-api-version": apiVersion(), meta: {}, blocks };
	const html = run("pandoc", ["-f", "json", "-t", "html5", "--wrap=none"], JSON.stringify(ast));
	return html.split(mark).slice(0, -1).map((piece) => piece.trim());
}

let version;
function apiVersion() {
	version ??= readMarkdown("")["pandoc-api-version"];
	return version;
}

export const raw = (html) => ({ t: "RawBlock", c: ["html", html] });
export const rawInline = (html) => ({ t: "RawInline", c: ["html", html] });
export const para = (inlines) => ({ t: "Para", c: inlines });

/** The text of pandoc's inlines. */
export function textOf(inlines) {
	return inlines
		.map((inline) => {
			if (inline.t === "Str") return inline.c;
			if (inline.t === "Space" || inline.t === "SoftBreak" || inline.t === "LineBreak") return " ";
			if (inline.t === "Code") return inline.c[1];
			if (inline.t === "Quoted")
				return inline.c[0].t === "SingleQuote" ? `‘${textOf(inline.c[1])}’` : `“${textOf(inline.c[1])}”`;
			if (inline.t === "Link" || inline.t === "Span" || inline.t === "Image") return textOf(inline.c[1]);
			return Array.isArray(inline.c) ? textOf(inline.c) : "";
		})
		.join("");
}

/** Calls change(inlines) for each list of inlines below the blocks, after those inside of it. */
export function mapLists(node, change) {
	if (Array.isArray(node)) {
		const inside = node.map((item) => mapLists(item, change));
		return inside.length && inlineKinds.has(inside[0]?.t) ? change(inside) : inside;
	}
	return node?.t && "c" in node ? { ...node, c: mapLists(node.c, change) } : node;
}
const inlineKinds = new Set(["Str", "Emph", "Strong", "Code", "Link", "Quoted", "Span", "RawInline", "Space", "SoftBreak"]);

/** Calls change(node) for each inline below the blocks; what it returns stands in the node's place. */
export function mapInlines(node, change) {
	if (Array.isArray(node)) return node.map((item) => mapInlines(item, change));
	if (node === null || typeof node !== "object") return node;
	if (!node.t) return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, mapInlines(value, change)]));
	const inside = "c" in node ? { ...node, c: mapInlines(node.c, change) } : node;
	return change(inside) ?? inside;
}
