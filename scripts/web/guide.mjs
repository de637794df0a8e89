// GUIDE.md, the one source of the text, becomes chapters: a heading of depth two each. What the page has more
// than the text (questions to click, folded answers, links into the source) is put in here, as pandoc's blocks.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findInSource, taughtCalls } from "./labs.mjs";
import { address, consoleFigure, drawing, figure, calls, labButton, question, recordingBlock, sourceLink } from "./pieces.mjs";
import { escape, mapInlines, mapLists, para, plain, raw, rawInline, readMarkdown, slug, textOf, writeHtml } from "./html.mjs";

/**
 * @typedef {object} Chapter
 * @property {string} name of its page, and of its section in the one file: NN-name, glossary
 * @property {string} id of its heading in GUIDE.md
 * @property {string} title
 * @property {import("./labs.mjs").Lab} [lab]
 * @property {{id: string, title: string}[]} parts its headings, in order
 * @property {string} html
 * @property {string} description one or two sentences
 */

const opening = (html) => raw(html);
const isStrong = (block) => block.t === "Para" && block.c[0]?.t === "Strong";

/** What a bold beginning is called as a heading; the others keep their own words. */
const headings = new Map([
	["The idea", "idea"],
	["Predict", "predict"],
	["Run it", "run"],
	["By hand", "hand"],
	["Your own command", "own"],
	["What goes wrong in practice", "wrong"],
	["The exercise", "exercise"],
	["Three questions", "questions"],
	["Change something", "change"],
	["In Docker", "docker"],
	["In Kubernetes", "docker"],
	["Man pages", "man"],
]);

/** @returns {{title: string, intro: string, chapters: Chapter[], ids: Map<string, string>}} */
export function readGuide(root, labs, recorded) {
	const markdown = readFileSync(join(root, "GUIDE.md"), "utf8");
	// Of an info string "console elsewhere=docker" pandoc keeps one word.
	const { blocks } = readMarkdown(markdown.replace(/^```console elsewhere=/gm, "```console-elsewhere-"));
	const sections = [];
	let title = "";
	const intro = [];
	for (const block of blocks) {
		if (block.t === "Header" && block.c[0] === 1) title = textOf(block.c[2]);
		else if (block.t === "Header" && block.c[0] === 2) sections.push({ head: block, blocks: [] });
		else (sections.at(-1)?.blocks ?? intro).push(block);
	}
	const chapters = sections
		.filter(({ head }) => head.c[1][0] !== "contents")
		.map(({ head, blocks: body }) => {
			const text = textOf(head.c[2]);
			const [name, rest] = text.includes(": ") ? text.split(/: (.*)/) : [slug(text), text];
			const lab = labs.get(name);
			const chapter = { name: lab ? name : slug(text), id: head.c[1][0], title: lab ? rest : text, lab, parts: [], body, recorded };
			chapter.blocks = labLinks((lab ? labBlocks : otherBlocks)(chapter), labs, chapter);
			return chapter;
		});
	const html = writeHtml([intro, ...chapters.map(({ blocks: ready }) => ready)]);
	for (const [at, chapter] of chapters.entries()) {
		chapter.html = tables(html[at + 1]);
		const first = chapter.body.find((block) => block.t === "Para");
		chapter.description = sentences(textOf(isStrong(first) ? first.c.slice(1) : first.c));
		delete chapter.blocks;
		delete chapter.body;
	}
	// Each id of a heading in GUIDE.md, and the chapter in which it stands.
	const ids = new Map();
	for (const chapter of chapters) {
		for (const [, id] of chapter.html.matchAll(/ id="([^"]+)"/g)) ids.set(id, chapter.name);
		ids.set(chapter.id, chapter.name);
	}
	return { title, intro: html[0], description: sentences(plain(html[0])), chapters, ids };
}

/** "lab 05", "labs 01 and 11", and in the symptom index "06, 17" at the end of an item, lead to the chapters. */
function labLinks(blocks, labs, chapter) {
	const named = new Map([...labs.values()].map(({ id, number }) => [number, id]));
	const numbers = /^(\(?)(\d\d)(?=$|[^\d/-])/;
	const link = (text) => {
		const [, before, number] = numbers.exec(text) ?? [];
		const id = named.get(number);
		if (!id || id === chapter.name) return undefined;
		const rest = text.slice(before.length + 2);
		return { t: "Span", c: [["", [], []], [{ t: "Str", c: before }, { t: "Link", c: [["", [], []], [{ t: "Str", c: number }], [`page:${id}`, ""]] }, { t: "Str", c: rest }]] };
	};
	const space = (node) => node?.t === "Space" || node?.t === "SoftBreak";
	return mapLists(blocks, (inlines) => {
		let after = false; // a number that comes now is a lab's
		const out = inlines.map((inline) => {
			if (space(inline)) return inline;
			if (inline.t !== "Str") {
				after = false;
				return inline;
			}
			const changed = after ? link(inline.c) : undefined;
			if (/^\(?[Ll]abs?$/.test(inline.c)) after = true;
			else if (after) after = /^(and|or|to)$/.test(inline.c) || /^\d\d,?$/.test(inline.c);
			return changed ?? inline;
		});
		if (chapter.name === "symptom-index") for (let at = out.length - 1; at > 0 && out[at].t !== "Code"; at--) if (out[at].t === "Str" && /^\d\d,?$/.test(out[at].c)) out[at] = link(out[at].c) ?? out[at];
		return out;
	});
}

/** The first sentences, 160 characters at most where they end there. */
function sentences(text) {
	const parts = text.trim().split(/(?<=[.!?])\s+(?=[A-Z])/);
	let some = parts[0];
	for (const part of parts.slice(1)) {
		if (some.length + part.length > 160) break;
		some += ` ${part}`;
	}
	return some;
}

const tables = (html) =>
	html
		.replace(/<table/g, '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table')
		.replace(/<\/table>/g, "</table></div>")
		.replace(/<th([^>]*)><\/th>/g, "<td$1></td>");

// ---- Chapters that are no lab's ---------------------------------------------------

function otherBlocks(chapter) {
	const out = [];
	for (const block of chapter.body) {
		if (block.t === "Header") {
			chapter.parts.push({ id: block.c[1][0], title: textOf(block.c[2]) });
			out.push({ t: "Header", c: [block.c[0] - 1, block.c[1], [...block.c[2], rawInline(address(block.c[1][0]))]] });
		} else if (block.t === "CodeBlock") out.push(...codeBlock(chapter, block));
		else if (isStrong(block)) {
			// A sentence that is named, or an exercise, has an address.
			const id = `${chapter.name}-${slug(textOf(block.c[0].c)).slice(0, 40).replace(/-$/, "")}`;
			out.push(para([rawInline(`<span id="${id}"></span>`), ...block.c, rawInline(address(id))]));
		} else if (block.t === "BulletList" && chapter.name === "symptom-index") out.push(symptoms(block));
		else out.push(chapter.name === "plans-for-teaching" ? lines(block) : block);
	}
	return checks(out);
}

/** In a lecture's plan, what to ask, what they see and what to say stand on lines of their own. */
const lines = (block) =>
	mapLists(block, (inlines) =>
		inlines.map((inline, at) =>
			inline.t === "SoftBreak" && /^(Ask|They see|Say|If it goes wrong): /.test(textOf(inlines.slice(at + 1, at + 10))) ? { t: "LineBreak" } : inline,
		),
	);

/** `03: outside: the names` is a check of lab 03: a link to its chapter, where the lab prints it. */
const checks = (blocks) =>
	mapInlines(blocks, (inline) => {
		const [, number, more = ""] = (inline.t === "Code" && /^(\d\d)(\/more[\w-]*)?: /.exec(inline.c[1])) || [];
		return number ? rawInline(`<a class="source" href="#${more ? `idea-${number}` : `run-${number}`}"><code>${escape(inline.c[1])}</code></a>`) : undefined;
	});

function symptoms(list) {
	const seen = new Map();
	const items = list.c.map(([first, ...rest]) => {
		const code = first.c.find((inline) => inline.t === "Code")?.c[1] ?? textOf(first.c).slice(0, 30);
		const name = `symptom-${slug(code)}`;
		seen.set(name, (seen.get(name) ?? 0) + 1);
		const id = seen.get(name) > 1 ? `${name}-${seen.get(name)}` : name;
		return [{ t: "Plain", c: [rawInline(`<span id="${id}"></span>`), ...first.c, rawInline(address(id))] }, ...rest];
	});
	return { t: "BulletList", c: items };
}

function codeBlock(chapter, block, part = "") {
	const [[, classes], text] = block.c;
	const info = /^console(?:-elsewhere-([a-z]+))?$/.exec(classes[0]);
	if (info) {
		const about = chapter.lab?.programs.get(chapter.lab.id);
		const where = info[1] ?? (about?.place === "host" ? "host" : "vm");
		return [raw(consoleFigure(text, { where, story: part === "run" ? chapter.lab?.number : "" }))];
	}
	return [raw(drawing(text, classes[0] === "sh" ? "Commands" : "Drawing"))];
}

// ---- Chapters of labs -------------------------------------------------------------

function labBlocks(chapter) {
	const { lab } = chapter;
	const out = [];
	const linked = new Set();
	let part = "";
	const close = () => part && out.push(opening("</section>"));
	let diagram;
	for (const block of chapter.body) {
		if (isStrong(block)) {
			const start = beginning(block.c);
			if (!(start.kind === "docker" && part === "docker")) {
				close();
				part = start.kind || "more";
				const id = `${start.kind || slug(start.title)}-${lab.number}`;
				chapter.parts.push({ id, title: start.title });
				out.push(...partStart(chapter, start, id));
			} else out.push(para(start.whole));
			diagram = undefined;
		} else if (block.t === "Header") {
			close();
			part = "more";
			chapter.parts.push({ id: block.c[1][0], title: textOf(block.c[2]) });
			out.push(opening(`<section class="part" aria-labelledby="${block.c[1][0]}">`), { t: "Header", c: [2, block.c[1], [...block.c[2], rawInline(address(block.c[1][0]))]] });
		} else if (block.t === "Para" && block.c.length === 1 && block.c[0].t === "Image") {
			const [, alt, [path]] = block.c[0].c;
			diagram = { path, alt: textOf(alt) };
			out.push(diagram);
		} else if (block.t === "CodeBlock" && diagram && block.c[0][1][0] === "text") {
			diagram.text = block.c[1];
			diagram = undefined;
		} else if (block.t === "CodeBlock") {
			out.push(...codeBlock(chapter, block, part));
			if (part === "run" && block.c[1].startsWith("$ scripts/lab")) out.push(raw(calls(lab, taughtCalls(lab, block.c[1]))));
		} else if (block.t === "OrderedList" && part === "questions") out.push(folded(block));
		else out.push(block);
	}
	close();
	const drawn = out.map((block) => (block.path ? raw(figure(block)) : block));
	return mapInlines(drawn, (inline) => {
		if (inline.t !== "Code" || linked.has(inline.c[1])) return undefined;
		const place = findInSource(lab, inline.c[1]);
		if (!place) return undefined;
		linked.add(inline.c[1]);
		return rawInline(sourceLink(place, `<code>${escape(inline.c[1])}</code>`));
	});
}

/**
 * What stands at the beginning of a part: "**Run it**: `make lab-03`. Text" has a title, a command and a text.
 * @returns {{title: string, kind: string, command?: string, rest: object[], whole: object[]}}
 */
function beginning(inlines) {
	const strong = textOf(inlines[0].c);
	const title = strong.replace(/[.:]$/, "");
	const kind = headings.get(title) ?? "";
	const start = { title: kind === "docker" ? "In Docker and Kubernetes" : title, kind, whole: inlines, rest: inlines };
	if (kind === "docker") return start;
	const words = inlines.slice(1);
	const next = words[0]?.t === "Str" ? words[0].c : words[0]?.t ?? "";
	if (/[.?!]$/.test(strong) || words.length === 0) start.rest = trim(words);
	else if (next.startsWith(":")) start.rest = trim([{ t: "Str", c: next.slice(1) }, ...words.slice(1)]);
	else if (next === "Space" && words[1]?.t === "Str" && words[1].c === "(" && words[2]?.t === "Code" && words[3]?.t === "Str") {
		start.command = words[2].c[1];
		start.rest = trim([{ t: "Str", c: words[3].c.replace(/^\)[.:]?/, "") }, ...words.slice(4)]);
	} else if (next === "," && kind) start.rest = trim(words.slice(1));
	else start.rest = [...inlines[0].c, ...words];
	if (!start.command && kind === "run" && start.rest[0]?.t === "Code") {
		start.command = start.rest[0].c[1];
		const [after, ...others] = start.rest.slice(1);
		start.rest = after?.t === "Str" ? trim([{ t: "Str", c: after.c.replace(/^[.:]/, "") }, ...others]) : trim(start.rest.slice(1));
	}
	return start;
}

/** Without space before it, and with a capital. */
function trim(inlines) {
	const rest = [...inlines];
	while (rest[0] && (rest[0].t === "Space" || rest[0].t === "SoftBreak" || (rest[0].t === "Str" && rest[0].c === ""))) rest.shift();
	if (rest[0]?.t === "Str") rest[0] = { t: "Str", c: rest[0].c[0].toUpperCase() + rest[0].c.slice(1) };
	return rest;
}

function partStart(chapter, start, id) {
	const { lab } = chapter;
	const data = start.kind === "exercise" ? ` data-exercise="${lab.id}"` : "";
	const out = [
		opening(`<section class="part ${start.kind || "more"}${data ? " exercise" : ""}"${data} aria-labelledby="${id}">`),
		raw(`<h2 id="${id}">${escape(start.title)}${address(id)}</h2>`),
	];
	const program = start.kind === "run" ? lab.id : moreProgram(lab, start.command);
	if (start.command || data) out.push(raw(labButton(start.command ?? `make exercise-${lab.number}`, { program, exercise: data ? lab.id : "" })));
	if (start.rest.length) out.push(para(start.rest));
	if (chapter.recorded.has(program)) out.push(raw(recordingBlock(program, start.command ?? `make lab-${lab.number}`, chapter.recorded.get(program))));
	const asked = start.kind === "predict" ? lab.id : program !== lab.id ? program : undefined;
	for (const each of (asked && lab.programs.get(asked)?.questions) || []) out.push(raw(question(asked.replace(/^(\d\d)-.*?(-more(-\w+)?)?$/, (_, nn, more = "") => nn + more), each)));
	return out;
}

/** make more-10-reclaim -> the program NN-name-more-reclaim */
function moreProgram(lab, command = "") {
	const [, word] = /^make more-\d\d(-\w+)?$/.exec(command) ?? [];
	const name = /^make more-/.test(command) ? `${lab.id}-more${word ?? ""}` : undefined;
	return lab.programs.has(name) ? name : undefined;
}

/** Questions whose answers are folded: the question stands in italics, the answer behind it. */
function folded(list) {
	const items = list.c[1].map(([first, ...rest]) => {
		if (first.c[0].t !== "Emph") return [first, ...rest];
		return [
			para([{ t: "Strong", c: first.c[0].c }]),
			raw('<details class="answer"><summary>Answer</summary>'),
			para(trim(first.c.slice(1))),
			...rest,
			raw("</details>"),
		];
	});
	return { t: "OrderedList", c: [list.c[0], items] };
}
