// Pieces of a page that GUIDE.md has no word for: what can be run, answered, unfolded, or looked up.
// The buttons that need a machine are hidden; the script of the machine shows them.
import { escape } from "./html.mjs";
import { sourceName } from "./labs.mjs";

/** The address of a place, to be copied. The Tab key passes it by: the contents lead to the same places. */
export const address = (id) => `<a class="address" href="#${id}" tabindex="-1" aria-hidden="true">#</a>`;

/** A link to a line of a source; PAGES: a page of the site links to it relative to its own folder. */
export const sourceLink = ({ path, line }, html) =>
	`<a class="source" href="source:${sourceName(path)}${line ? `#L${line}` : ""}">${html}</a>`;

const places = /(labs\/\d\d-[\w-]+\/[\w.-]+\.c):(\d+)/g;
const verdict = /^(\s*)(pass|fail|skip|broken)(?=  )/;

/** One line of what a command printed. */
function outputLine(line, story) {
	let html = escape(line).replace(places, (text, path, number) => sourceLink({ path, line: number }, text));
	html = html.replace(verdict, '$1<b class="verdict $2">$2</b>');
	const step = story && /^(\d+)\. /.exec(line);
	if (step) html = `<b class="step" id="step-${story}-${step[1]}">${html}${address(`step-${story}-${step[1]}`)}</b>`;
	return html;
}

const whereWords = {
	vm: "as root, in the lab VM",
	host: "on your machine",
	docker: "where Docker is",
	kubectl: "where a cluster is",
	systemd: "where systemd runs",
	libcgroup: "where libcgroup is",
};

/** A `console` block: commands, and what they print. */
export function consoleFigure(text, { where, story = "" }) {
	const commands = [];
	const lines = text.split("\n").map((line) => {
		if (!line.startsWith("$ ")) return `<span class="out">${outputLine(line, story)}</span>`;
		commands.push(line.slice(2));
		return `<span class="command"><span class="prompt" aria-hidden="true">$ </span>${escape(line.slice(2))}</span>`;
	});
	const runs = where === "vm" || where === "host";
	const run = runs ? '<button type="button" class="run" hidden>Run</button>' : "";
	return `<figure class="console${story ? " story" : ""}" data-where="${escape(where)}" data-commands="${escape(JSON.stringify(commands))}">
<figcaption><span class="where">${story ? "What the lab prints, " : "Type this "}${escape(whereWords[where] ?? where)}</span> <span class="tools">${run}<button type="button" class="copy" hidden>Copy</button></span></figcaption>
<pre tabindex="0" role="region" aria-label="Commands, and what they print"><code>${lines.join("\n")}</code></pre>
</figure>`;
}

/** A drawing of characters. */
export const drawing = (text, label) =>
	`<pre class="drawing" tabindex="0" role="region" aria-label="${label}"><code>${escape(text)}</code></pre>`;

/** A diagram, and the same as text. */
export function figure({ path, alt, text }) {
	const same = text ? `<details><summary>The same as text</summary>${drawing(text, "Drawing of characters")}</details>` : "";
	return `<figure class="diagram"><img src="diagram:${escape(path)}" alt="${escape(alt)}">${same}</figure>`;
}

/** The command of a part, and the button that does the same here. */
export function labButton(command, { program, exercise }) {
	const button = exercise
		? `<button type="button" class="run-exercise" hidden data-exercise="${escape(exercise)}">Write it here</button>`
		: program
			? `<button type="button" class="run-lab" hidden data-lab="${escape(program)}">Run it here, step by step</button>`
			: "";
	return `<p class="command-line"><code>${escape(command)}</code> ${button}</p>`;
}

/** What was recorded of a command; page/recording.js fills it when it is opened. */
export const recordingBlock = (program, command, seconds) =>
	`<details class="recording" hidden data-recording="${escape(program)}"><summary>A recording of <code>${escape(command)}</code>, ${seconds} seconds</summary></details>`;

/** The calls that a lab teaches, each a link to its line. */
export function calls(lab, taught) {
	const items = taught.map(
		(call) => `<li>${sourceLink(call, `<code>${escape(call.code)}</code> <span>${escape(call.path.replace(/.*\//, ""))}:${call.line}</span>`)}</li>`,
	);
	const main = sourceLink({ path: `labs/${lab.id}/main.c` }, "<code>main.c</code>");
	return `<nav class="calls" aria-label="The calls in the source"><p>Read the code: ${main}, from <code>main()</code> on. The calls of this lab:</p><ul>${items.join("")}</ul></nav>`;
}

/** A question of a lab's, with its choices; without a script the answer is unfolded. */
export function question(name, { name: word, text, choices }) {
	const id = `predict-${name}-${word}`;
	const right = choices.filter(({ misconception }) => !misconception);
	if (right.length !== 1) throw new Error(`${id}: expected one right choice, found ${right.length}`);
	const options = choices.map(
		({ value, text: words, misconception }) =>
			`<label><input type="radio" name="${id}" value="${escape(value)}" data-why="${escape(misconception)}"> <span>${escape(words)}</span></label>`,
	);
	const reasons = choices
		.filter(({ misconception }) => misconception)
		.map(({ text: words, misconception }) => `<p>If you said “${escape(words)}”: ${escape(misconception)}</p>`);
	return `<form class="question" id="${id}"><fieldset><legend>${escape(text)}${address(id)}</legend>
${options.join("\n")}</fieldset>
<p class="tools"><button type="submit" hidden>Check my answer</button></p>
<div class="verdict" role="status"></div>
<details class="answer"><summary>Answer</summary><p>What happens: ${escape(right[0].text)}.</p>${reasons.join("")}</details></form>`;
}
