// The bodies of the pages: a chapter, the first page, a source, all of it to print.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { escape, plain, readMarkdown, run, textOf, writeHtml } from "./html.mjs";
import { explained } from "./explained.js";
import { sourceName } from "./labs.mjs";
import { question, sourceLink } from "./pieces.mjs";

/** Headings one level deeper, for a page with several chapters. */
export const deeper = (html) => html.replace(/<(\/?)h([1-5])\b/g, (_, slash, level) => `<${slash}h${Number(level) + 1}`);

export function chapterBody(chapter, labs) {
	const { lab } = chapter;
	const about = lab?.programs.get(lab.id);
	const after = (about?.after ?? []).map((id) => `<a href="page:${id}">${escape(id)}</a>`).join(", ");
	const built = after ? ` · builds on ${after}` : "";
	return `<article${lab ? ` data-lab="${lab.id}"` : ""}>
${lab ? `<p class="eyebrow">Lab <code>${escape(lab.id)}</code>${built}</p>` : ""}
<h1 class="chapter-title" id="${chapter.id}">${escape(chapter.title)}</h1>
${about ? `<p class="lede">${escape(about.goal)}</p>` : ""}
${chapter.html}
</article>`;
}

// ---- The first page ---------------------------------------------------------------

/** README.md has the order of the course with a line for each lab, and the two commands. */
function readme(root) {
	const { blocks } = readMarkdown(readFileSync(join(root, "README.md"), "utf8"));
	const lines = new Map();
	let section = "";
	let commands = "";
	for (const block of blocks) {
		if (block.t === "Header") section = block.c[1][0];
		if (section === "two-commands" && block.t === "CodeBlock") commands ||= block.c[1];
		if (section === "the-labs" && block.t === "Table")
			for (const [, [first, second]] of block.c[4].flatMap((body) => body[3])) {
				const id = textOf(first[4][0].c).split(" ")[0];
				lines.set(id, second[4]);
			}
	}
	const html = writeHtml([...lines.values()]);
	return { lines: new Map([...lines.keys()].map((id, at) => [id, html[at].replace(/^<p>|<\/p>$/g, "")])), commands };
}

const manifest = `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: nginx
    resources:
      requests:
        cpu: 100m
      limits:
        memory: 32Mi
`;

/** What lab 17 says of that manifest, line by line. */
function explainedManifest(root, program) {
	const folder = mkdtempSync(join(tmpdir(), "unboxed-"));
	try {
		writeFileSync(join(folder, "web.yaml"), manifest);
		const words = run(join(root, "build/labs", program), ["--explain", join(folder, "web.yaml")]);
		return explained(words);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

const capital = (html) => html.replace(/^[a-z]/, (letter) => letter.toUpperCase());

export function indexBody(root, guide, labs, { repository = "" } = {}) {
	const { lines, commands } = readme(root);
	const [memory, pod] = ["10", "17"].map((number) => [...labs.keys()].find((id) => id.startsWith(`${number}-`)));
	const asks = labs.get(memory).programs.get(memory).questions.find(({ name }) => name === "asks");
	const item = ({ name, title, lab }) =>
		`<li><a href="page:${name}"><span class="number">${lab.number}</span><span class="title">${escape(title)}</span></a> <span class="line">${capital(lines.get(name) ?? "") || escape(lab.programs.get(name).goal)}</span></li>`;
	const typed = repository ? commands.replace("<this repository>", repository) : commands;
	const further = guide.chapters.filter(({ lab }) => !lab);
	return `<div class="hero">
<h1>What is a container, to the kernel?</h1>
<p class="lede">${escape(plain(guide.description))} Predict what each call does, then let a kernel answer.</p>
</div>
<section class="card" aria-labelledby="first-question">
<h2 id="first-question">64 MiB wanted, 32 allowed: what does <code>mmap()</code> return?</h2>
${question("first", asks)}
<div class="after">
<p>And what happens when the program uses that memory? Lab 10 lets a kernel answer: how much memory there is at each moment, how the program ends, and who counted it.</p>
<p class="tools"><button type="button" class="run-lab primary" hidden data-lab="${memory}">Ask a real kernel</button> <a href="page:${memory}">Read the chapter: Exit 137</a></p>
</div>
</section>
<section class="explain" aria-labelledby="explain">
<h2 id="explain">A Pod manifest, as the kernel sees it</h2>
<p>Each line of a manifest becomes a system call, a file of a cgroup, or nothing.</p>
<form class="explain-form" hidden>
<label for="manifest">A Pod manifest</label>
<textarea id="manifest" rows="13" spellcheck="false" autocapitalize="off" autocomplete="off">${escape(manifest.trimEnd())}</textarea>
<p class="tools"><button type="submit" class="explain-run" hidden>Explain this manifest</button></p>
</form>
<p id="explained-words">What lab 17 says of it, by <code>--explain</code>:</p>
<dl class="explained" id="explained" aria-labelledby="explained-words">
${explainedManifest(root, pod)}
</dl>
<p><a href="page:${pod}">Read the chapter: a Pod, from its manifest to the kernel</a></p>
</section>
<section aria-labelledby="course">
<h2 id="course">The course</h2>
<ol class="course">${guide.chapters.filter(({ lab }) => lab).map(item).join("\n")}</ol>
<h2 id="further">Between the labs, and to look things up</h2>
<ul class="further">${further.map(({ name, title }) => `<li><a href="page:${name}">${escape(title)}</a></li>`).join("\n")}</ul>
</section>
<section aria-labelledby="own-machine">
<h2 id="own-machine">On your own machine</h2>
<p>On Debian 12 or 13 with <code>git</code> and <code>make</code>. It needs no root, no cgroup v2 and no Docker: what your kernel cannot do runs in a small virtual machine.</p>
<pre class="drawing" tabindex="0" role="region" aria-label="Commands"><code>${escape(typed)}</code></pre>
</section>`;
}

// ---- Sources ----------------------------------------------------------------------

/** A page for each source file of the labs, with a number and an address for each line. */
export function sourcePages(labs) {
	const files = [...labs.values()].flatMap((lab) => [...lab.sources].map(([path, lines]) => ({ lab, path, lines })));
	const html = writeHtml(
		files.map(({ path, lines }, at) => [
			{ t: "CodeBlock", c: [[`s${at}`, [path.endsWith(".yaml") ? "yaml" : "c"], []], lines.join("\n").replace(/\n$/, "")] },
		]),
	);
	return files.map(({ lab, path }, at) => {
		const code = html[at]
			.replace(/^.*?<code[^>]*>|<\/code>.*$/gs, "")
			.replace(/<span id="s\d+-(\d+)"><a [^>]*><\/a>/g, '<span class="l" id="L$1"><a href="#L$1">$1</a>')
			// The line's end belongs to the line, which is a block of its own.
			.replace(/<\/span>\n(?=<span class="l")/g, "\n</span>");
		const siblings = [...lab.sources.keys()].map((other) =>
			other === path
				? `<li><code aria-current="page">${escape(other.replace(/.*\//, ""))}</code></li>`
				: `<li>${sourceLink({ path: other }, `<code>${escape(other.replace(/.*\//, ""))}</code>`)}</li>`,
		);
		return {
			name: sourceName(path),
			lab,
			path,
			body: `<article class="source-file">
<p class="eyebrow">Source of lab <a href="page:${lab.id}"><code>${lab.id}</code></a></p>
<h1 id="top-${sourceName(path)}"><code>${escape(path)}</code></h1>
<nav aria-label="Files of this lab"><ul class="files">${siblings.join("")}</ul></nav>
<pre class="listing" tabindex="0" role="region" aria-label="Source"><code>${code}</code></pre>
</article>`,
		};
	});
}

// ---- All of it ----------------------------------------------------------------------

export function printBody(guide, labs) {
	const open = (html) => html.replace(/<details/g, "<details open");
	const list = guide.chapters.map(({ name, id, title, lab }) => `<li><a href="#${id}">${lab ? `${lab.number} ` : ""}${escape(title)}</a></li>`);
	const chapters = guide.chapters.map((chapter) => `<section class="chapter">${deeper(open(chapterBody(chapter, labs)))}</section>`);
	return `<h1>${escape(guide.title)}</h1>
${guide.intro}
<nav aria-label="Chapters"><ul class="print-contents">${list.join("\n")}</ul></nav>
${chapters.join("\n")}`;
}

/** GUIDE.md without its contents, which a book makes itself. */
export function bookMarkdown(root) {
	const text = readFileSync(join(root, "GUIDE.md"), "utf8");
	return text.replace(/^# .*\n/, "").replace(/^## Contents\n[^]*?(?=^## )/m, "");
}

export const hasDiagram = (root, lab) => existsSync(join(root, "labs", lab.id, "diagram.svg"));
