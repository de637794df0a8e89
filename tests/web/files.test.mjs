// The files themselves, without a browser: links, fragments, ids, sizes, and that no page names what it would load
// from elsewhere.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { chapters, files, notPacked, pages, root, single, site } from "./helper.mjs";

const read = (name) => readFileSync(join(site, name), "utf8");
const withoutScripts = (html) => html.replace(/<(script|style)\b[^>]*>[^]*?<\/\1>/g, "");
const ids = (html) => [...withoutScripts(html).matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, "&");
const guideText = readFileSync(join(root, "GUIDE.md"), "utf8");
const links = (html) => [...withoutScripts(html).matchAll(/<(\w+)\b[^>]*?\s(href|src)="([^"]*)"/g)].map(([, element, , link]) => ({ element, link: unescaped(link) }));

const idsOf = new Map(pages.map((name) => [name, new Set(ids(read(name)))]));

test("every link leads to a file that is there, and to a place in it", () => {
	const wrong = [];
	for (const name of pages)
		for (const { link } of links(read(name))) {
			if (/^(https?:|data:)/.test(link)) continue;
			const [path, hash] = link.split("#");
			const target = path ? normalize(join(dirname(name), path)) : name;
			if (link.startsWith("/") || target.startsWith("..")) wrong.push(`${name}: ${link} leaves the site`);
			else if (!existsSync(join(site, target))) wrong.push(`${name}: ${link}: no such file`);
			else if (hash && !idsOf.get(target)?.has(decodeURIComponent(hash))) wrong.push(`${name}: ${link}: no such place`);
		}
	assert.deepEqual(wrong, []);
	assert.ok(pages.length > 100, `expected over 100 pages, found ${pages.length}`);
});

test("an id stands once on its page", () => {
	const wrong = pages.filter((name) => ids(read(name)).length !== idsOf.get(name).size);
	assert.deepEqual(wrong, []);
});

test("what GUIDE.md runs elsewhere says where, and has no button that runs it here", () => {
	const wanted = [...guideText.matchAll(/^```console elsewhere=(\w+)$/gm)].map(([, where]) => where).sort();
	const figures = chapters.flatMap((name) => [...read(name).matchAll(/<figure class="console[^"]*" data-where="(\w+)"[^]*?<\/figure>/g)].filter(([, where]) => !["vm", "host"].includes(where)));
	assert.deepEqual(figures.map(([, where]) => where).sort(), wanted);
	assert.ok(wanted.length > 3 && figures.every(([html]) => !html.includes('class="run"')));
});

test("no page loads anything from another origin", () => {
	const wrong = [];
	for (const name of pages)
		for (const { element, link } of links(read(name)))
			if (/^(https?:)?\/\//.test(link) && element !== "a") wrong.push(`${name}: <${element}> ${link}`);
	for (const name of files.filter((file) => file.endsWith(".css")))
		for (const [, url] of read(name).matchAll(/url\(([^)]*)\)|@import/g)) wrong.push(`${name}: ${url}`);
	assert.deepEqual(wrong, []);
});

test("every page has a title, a description and one heading of depth one", () => {
	const wrong = [];
	const titles = new Map();
	for (const name of pages) {
		const html = read(name);
		const title = /<title>([^<]+)<\/title>/.exec(html)?.[1] ?? "";
		const description = /<meta name="description" content="([^"]+)"/.exec(html)?.[1] ?? "";
		if (titles.has(title)) wrong.push(`${name}: the title of ${titles.get(title)}: ${title}`);
		titles.set(title, name);
		if (description.length < 20 || description.length > 400) wrong.push(`${name}: description: ${description}`);
		if ((html.match(/<h1\b/g) ?? []).length !== 1) wrong.push(`${name}: ${(html.match(/<h1\b/g) ?? []).length} headings of depth one`);
	}
	assert.deepEqual(wrong, []);
});

test("a chapter is at most 300 KB, and no other page but the one to print is more", () => {
	const wrong = pages.filter((name) => name !== "print.html" && statSync(join(site, name)).size > 300_000);
	assert.deepEqual(wrong, []);
});

test("each chapter of GUIDE.md has its page, in that order", () => {
	const guide = guideText.replace(/^```[^]*?^```$/gm, "");
	const headings = [...guide.matchAll(/^## (.*)$/gm)].map(([, text]) => text).filter((text) => text !== "Contents");
	const list = /<nav class="contents"[^]*?<\/nav>/.exec(read("03-uts-ns.html"))[0];
	const shown = [...list.matchAll(/<a href="([^"#]*)\.html"[^>]*><span[^>]*>[^<]*<\/span><span>([^<]*)/g)].map(([, name, title]) =>
		/^\d\d-/.test(name) ? `${name}: ${title}` : title,
	);
	assert.deepEqual(shown, headings);
	assert.equal(chapters.length, headings.length);
});

test("all that GUIDE.md says stands on the pages", () => {
	// Each word of it of six letters or more, on the page of its chapter; an alternative text is text.
	const wrong = [];
	for (const section of guideText.split(/^## /m).slice(2)) {
		const [, id, rest] = /^(?:(\d\d-[a-z0-9-]+): )?(.*)/.exec(section);
		const name = id ?? rest.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/-$/, "");
		const html = unescaped(read(`${name}.html`).replace(/ alt="([^"]*)"/g, ">$1<").replace(/<[^>]+>/g, " "));
		const words = new Set(html.toLowerCase().match(/[a-z_]{6,}/g));
		const text = section.replace(/^```console.*/gm, "").replace(/\]\([^)]*\)/g, "]").toLowerCase();
		for (const word of new Set(text.match(/[a-z_]{6,}/g))) if (!words.has(word)) wrong.push(`${name}: ${word}`);
	}
	assert.deepEqual(wrong, []);
});

test("each console block has its commands as data", () => {
	const expected = [...guideText.matchAll(/^```console.*\n([^]*?)^```$/gm)].map(([, text]) => text.split("\n").filter((line) => line.startsWith("$ ")).map((line) => line.slice(2)));
	const observed = [];
	for (const [, name] of read("03-uts-ns.html").matchAll(/<li><a href="([^"#]+\.html)"/g))
		for (const [, data] of read(name).matchAll(/data-commands="([^"]*)"/g)) observed.push(JSON.parse(unescaped(data)));
	assert.deepEqual(observed, expected);
});

test("each question that a lab asks has an address in its chapter", () => {
	const wrong = [];
	let count = 0;
	for (const program of readdirSync(join(root, "build/labs")).filter((name) => /^\d\d-[\w-]+$/.test(name))) {
		const about = JSON.parse(execFileSync(join(root, "build/labs", program), ["--about"]));
		const [lab, more = ""] = about.id.split("/");
		for (const { name } of about.questions) {
			count++;
			if (!idsOf.get(`${lab}.html`).has(`predict-${lab.slice(0, 2)}${more && `-${more}`}-${name}`)) wrong.push(`${about.id}: ${name}`);
		}
	}
	assert.deepEqual(wrong, []);
	assert.ok(count > 40, `expected over 40 questions, found ${count}`);
});

test("each place in a source that GUIDE.md shows is a link to that line", () => {
	const wrong = [];
	let count = 0;
	for (const section of guideText.split(/^## (?=\d\d-)/m).slice(1)) {
		const html = read(`${section.split(":")[0]}.html`);
		for (const [, path, line] of section.matchAll(/^ +(labs\/\d\d-[\w-]+\/[\w.-]+\.c):(\d+)/gm)) {
			const name = `source/${path.replace(/^labs\//, "").replace(/\.c$/, "").replace("/", "-")}.html`;
			count++;
			if (!html.includes(`href="${name}#L${line}">${path}:${line}</a>`) || !idsOf.get(name)?.has(`L${line}`)) wrong.push(`${path}:${line}`);
		}
	}
	assert.ok(count > 200, `expected over 200 places, found ${count}`);
	assert.deepEqual(wrong, []);
});

test("the one file: ids stand once, and every link leads to one of them", () => {
	const html = readFileSync(single, "utf8");
	const list = ids(html);
	const set = new Set(list);
	assert.equal(list.length, set.size, `twice: ${list.filter((id, at) => list.indexOf(id) !== at).slice(0, 5)}`);
	const wrong = links(html)
		.map(({ link }) => link)
		.filter((link) => !link.startsWith("data:") && !/^https?:/.test(link) && !(link.startsWith("#") && set.has(decodeURIComponent(link.slice(1)))));
	assert.deepEqual([...new Set(wrong)], []);
	assert.ok(notPacked || statSync(single).size < 20_000_000, `${statSync(single).size} bytes`);
});
