// The frame around a text: one page of the site, or one section of the one file. Links are written by scheme
// (page:, source:, diagram:, asset:, #id) and resolved here, since only here is known where a page lies.
import { escape } from "./html.mjs";

export const siteName = "Unboxed";

/**
 * @typedef {object} Page
 * @property {string} name 03-uts-ns, index, source/03-uts-ns-main
 * @property {string} title
 * @property {string} description
 * @property {string} body
 * @property {string} [kind] a class of the body
 * @property {{name: string, title: string}} [previous]
 * @property {{name: string, title: string}} [next]
 */

/** The site's context: its chapters, its ids, and the files that every page has. */
export class Site {
	/**
	 * @param {{chapters: object[], ids: Map<string, string>}} guide
	 * @param {{url?: string, styles: string[], scripts: string[], machine?: boolean}} about
	 */
	constructor(guide, about) {
		Object.assign(this, { guide, ...about });
	}

	/** Where a link leads, from a page of that name. */
	resolve(html, from) {
		const up = "../".repeat(from.split("/").length - 1);
		return html.replace(/(href|src)="(page|source|diagram|asset|):?([^"#:]*)(#[^"]*)?"/g, (all, attribute, scheme, name, hash = "") => {
			if (scheme === "page") return `${attribute}="${up}${name}.html${hash}"`;
			if (scheme === "source") return `${attribute}="${up}source/${name}.html${hash}"`;
			if (scheme === "diagram") return `${attribute}="${up}diagrams/${diagramName(name)}"`;
			if (scheme === "asset") return `${attribute}="${up}${name}"`;
			if (name || !hash) return all;
			const page = this.guide.ids.get(hash.slice(1));
			return page && page !== from ? `${attribute}="${up}${page}.html${hash}"` : all;
		});
	}

	/** @param {Page} page */
	page(page) {
		const { name, title, description, kind = "", previous, next } = page;
		const canonical = this.url ? `<link rel="canonical" href="${escape(this.address(name))}">` : "";
		const links = [
			...this.styles.map((file) => `<link rel="stylesheet" href="asset:${file}">`),
			...this.scripts.map((file) => `<script defer src="asset:${file}"></script>`),
			previous ? `<link rel="prev" href="page:${previous.name}">` : "",
			next ? `<link rel="next" href="page:${next.name}">` : "",
		];
		const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escape(title === siteName ? title : `${title} · ${siteName}`)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="${escape(description)}">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta property="og:title" content="${escape(title)}">
<meta property="og:description" content="${escape(description)}">
${canonical}
<link rel="icon" href="asset:assets/icon.svg" type="image/svg+xml">
${links.filter(Boolean).join("\n")}
</head>
<body class="${kind}" data-root="${"../".repeat(name.split("/").length - 1)}">
${frame(this.guide, { ...page, contents: contents(this.guide, name) })}
</body>
</html>
`;
		return this.resolve(html.replace(/\n{2,}(?=<)/g, "\n"), name);
	}

	address(name) {
		return `${this.url.replace(/\/?$/, "/")}${name === "index" ? "" : `${name}.html`}`;
	}
}

/** Nothing comes from another origin, whatever a page says. Wasm and blob: are for the machine. */
const policy =
	"default-src 'self' data: blob:; script-src 'self' blob: 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** labs/03-uts-ns/diagram.svg -> 03-uts-ns.svg */
export const diagramName = (path) => path.replace(/^labs\/([^/]+)\/.*/, "$1.svg");

/** What a page and the one file have in common: head, contents, text, panel, foot. */
export const frame = (guide, { body, kind, contents: list, previous, next, home = "page:index" }) => `<a class="skip" href="#text">Skip to the text</a>
<a class="skip" href="#panel" hidden>Skip to Linux</a>
<header class="top">
<a class="brand" href="${home}"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 9.5 12 14l9-4.5M12 14v8M3 9.5V18l9 4 9-4V9.5M7 3.5 3 9.5l9 4.5 9-4.5-4-6"/></svg>${siteName}</a>
<div class="top-tools">
<button type="button" id="search-open" hidden aria-keyshortcuts="/ s">Search <kbd>/</kbd></button>
<a id="contents-open" href="#contents">Contents</a>
</div>
</header>
<div class="layout">
<nav class="contents" id="contents" aria-label="Contents">${list}</nav>
<main id="text" tabindex="-1">
${body}
${neighbours(previous, next)}
</main>
<aside id="panel" hidden tabindex="-1" aria-label="Linux"></aside>
</div>
<footer class="foot">
<p><a href="page:print">All chapters on one page, to print</a> · <a href="asset:unboxed.epub">EPUB</a> · <a href="page:licenses">Licenses</a></p>
<p class="keys">Keys: <kbd>/</kbd> or <kbd>s</kbd> search, <kbd>←</kbd> <kbd>→</kbd> chapters</p>
</footer>`;

const neighbours = (previous, next) =>
	previous || next
		? `<nav class="neighbours" aria-label="Neighbors">${previous ? `<a rel="prev" href="page:${previous.name}"><span>Previous</span> ${escape(previous.title)}</a>` : ""}${next ? `<a rel="next" href="page:${next.name}"><span>Next</span> ${escape(next.title)}</a>` : ""}</nav>`
		: "";

/** The chapters in the order of the course; below the one that is open, or below `all`, the parts. */
export function contents(guide, current, all = false) {
	const items = guide.chapters.map(({ name, title, lab, parts }) => {
		const here = name === current;
		const below = (here || all) && parts.length ? `<ul>${parts.map((part) => `<li><a href="#${part.id}">${escape(part.title)}</a></li>`).join("")}</ul>` : "";
		const number = lab ? `<span class="number">${lab.number}</span>` : '<span class="number" aria-hidden="true">·</span>';
		return `<li><a href="page:${name}"${here ? ' aria-current="page"' : ""}>${number}<span>${escape(title)}</span></a>${below}</li>`;
	});
	return `<ol>${items.join("\n")}</ol>`;
}
