// Builds build/site/, and with --single build/unboxed.html, from GUIDE.md, the labs and their sources.
//
//   node scripts/web/build.mjs [--url=https://host/path/] [--repository=URL] [--machine=no]
//
// scripts/web/machine/assets.mjs, where it is there, adds the machine: see README.md.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readGuide } from "./guide.mjs";
import { run } from "./html.mjs";
import { readLabs } from "./labs.mjs";
import { contents, Site, siteName } from "./layout.mjs";
import { licenses, readParts } from "./licenses.mjs";
import { bookMarkdown, chapterBody, hasDiagram, indexBody, printBody, sourcePages } from "./pages.mjs";
import { readRecordings } from "./recordings.mjs";
import { searchDocuments } from "./search.mjs";
import { singleFile } from "./single.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const out = join(root, "build/site.new");
const { buildSync } = createRequire(join(root, "build/web/package.json"))("esbuild");

process.on("uncaughtException", (error) => {
	console.error(process.env.DEBUG ? error : `scripts/web/build.mjs: ${error.message}`);
	process.exit(1);
});
const options = {};
for (const word of process.argv.slice(2)) {
	const [, name, value] = /^--(url|repository|machine)=(.*)$/.exec(word) ?? [];
	if (!name) {
		console.error(`scripts/web/build.mjs: expected --url=URL, --repository=URL or --machine=no, got '${word}'`);
		process.exit(2);
	}
	options[name] = value;
}
if (options.url && !/^https?:\/\/[^\s"<>]+$/.test(options.url)) {
	console.error(`scripts/web/build.mjs: --url: expected an address like https://host/path/, got '${options.url}'`);
	process.exit(2);
}

const bundle = (entry, define = {}) =>
	buildSync({
		entryPoints: [join(here, "page", entry)],
		bundle: true,
		minify: true,
		write: false,
		format: "iife",
		target: "es2020",
		define,
		nodePaths: [join(root, "build/web/node_modules")],
		logLevel: "error",
	}).outputFiles[0].text;

rmSync(out, { recursive: true, force: true });
function write(name, content) {
	mkdirSync(dirname(join(out, name)), { recursive: true });
	writeFileSync(join(out, name), content);
}

const labs = readLabs(root);
const recordings = readRecordings(root, labs);
const guide = readGuide(root, labs, recordings.seconds);
const sources = sourcePages(labs);

// What every page has. The machine adds its own: {styles, scripts} of {name, text}, written and inlined as these are.
const assets = {
	styles: [{ name: "assets/style.css", text: readFileSync(join(here, "page/style.css"), "utf8") }],
	scripts: [{ name: "assets/page.js", text: bundle("page.js") }],
};
const machine = options.machine !== "no" && existsSync(join(here, "machine/assets.mjs")) ? await import("./machine/assets.mjs") : undefined;
if (machine) {
	const more = await machine.assets({ root, out });
	assets.styles.push(...(more.styles ?? []));
	assets.scripts.push(...(more.scripts ?? []));
}

const site = new Site(guide, {
	url: options.url,
	styles: assets.styles.map(({ name }) => name),
	scripts: assets.scripts.map(({ name }) => name),
});
const names = [];
function page(about) {
	names.push(about.name);
	write(`${about.name}.html`, site.page(about));
}

for (const { name, text } of [...assets.styles, ...assets.scripts]) write(name, text);
write("assets/icon.svg", readFileSync(join(here, "page/icon.svg")));
const found = searchDocuments(guide);
const search = bundle("search.js", { DOCUMENTS: JSON.stringify(found) });
write("assets/search.js", search);
for (const [name, script] of recordings.files) write(`recordings/${name}.js`, script);

const diagrams = [...labs.values()].filter((lab) => hasDiagram(root, lab));
for (const { id } of diagrams) write(`diagrams/${id}.svg`, readFileSync(join(root, "labs", id, "diagram.svg")));

page({ name: "index", title: siteName, description: guide.description, kind: "index", body: indexBody(root, guide, labs, options) });
for (const [at, chapter] of guide.chapters.entries()) {
	const { lab, name, title, description } = chapter;
	page({
		name,
		title: lab ? `${name}: ${title}` : title,
		description,
		kind: "chapter",
		body: chapterBody(chapter, labs),
		previous: guide.chapters[at - 1] ?? { name: "index", title: siteName },
		next: guide.chapters[at + 1],
	});
}
for (const { name, path, lab, body } of sources)
	page({ name: `source/${name}`, title: path, description: `The source ${path} of lab ${lab.id}, with numbered lines.`, kind: "source", body });
page({ name: "print", title: guide.title, description: `All chapters on one page. ${guide.description}`, kind: "print", body: printBody(guide, labs) });
const parts = readParts(root, { machine: Boolean(machine), recordings: recordings.files.size > 0 });
const named = licenses(parts);
for (const [name, text] of named.files) write(name, text);
page({ name: "licenses", title: "Licenses", description: "What this site is made of, under which licenses, and where the sources are.", kind: "text", body: named.body });

writeFileSync(
	join(out, "unboxed.epub"),
	(() => {
		const file = join(out, "book.epub");
		const words = ["-f", "gfm+smart", "-t", "epub3", "--toc", "--toc-depth=1", "--shift-heading-level-by=-1", "--epub-chapter-level=1", "--metadata=lang:en", `--metadata=title:${siteName}: ${guide.title.toLowerCase()}`];
		run("pandoc", [...words, `--css=${join(here, "page/book.css")}`, `--resource-path=${root}`, "-o", file], bookMarkdown(root));
		const book = readFileSync(file);
		rmSync(file);
		return book;
	})(),
);

if (options.url)
	write(
		"sitemap.xml",
		`<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${names.map((name) => `<url><loc>${site.address(name)}</loc></url>`).join("\n")}
</urlset>
`,
	);

if (machine) {
	const all = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
	write("sw.js", machine.worker({ root, out, files: all.map(({ parentPath, path, name }) => relative(out, join(parentPath ?? path, name))).sort() }));
}

const single = singleFile({ root, guide, labs, sources, assets, search, diagrams, recordings, licenses: licenses(parts, { inline: true }).body, options, contents, index: indexBody(root, guide, labs, options), machine });
writeFileSync(join(root, "build/unboxed.html.new"), await single);
renameSync(join(root, "build/unboxed.html.new"), join(root, "build/unboxed.html"));

// The old site stays until the new one is whole.
rmSync(join(root, "build/site"), { recursive: true, force: true });
renameSync(out, join(root, "build/site"));
const largest = guide.chapters.map(({ name, html }) => [html.length, name]).sort((a, b) => b[0] - a[0])[0];
console.log(`build/site: ${names.length} pages; the largest chapter is ${largest[1]}, ${Math.round(largest[0] / 1024)} KB (${found.length} places to search)`);
