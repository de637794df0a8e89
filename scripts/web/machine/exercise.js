// An exercise: an editor with its holes, compiled in the machine and checked by the same judge as on the command line.
// What is written stays in this browser.
import { cpp } from "@codemirror/lang-cpp";
import { basicSetup, EditorView } from "codemirror";
import { keymap } from "@codemirror/view";
import { indentWithTab } from "@codemirror/commands";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { saved } from "./saved.js";
import { element } from "./story.js";

// The colors of the page's sources, in light and dark.
const colors = HighlightStyle.define([
	{ tag: [tags.keyword, tags.processingInstruction, tags.modifier], color: "var(--keyword)" },
	{ tag: [tags.typeName, tags.standard(tags.typeName)], color: "var(--type)" },
	{ tag: [tags.string, tags.character], color: "var(--string)" },
	{ tag: tags.number, color: "var(--number)" },
	{ tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
	{ tag: tags.function(tags.variableName), color: "var(--ink)", fontWeight: "600" },
]);

export class Exercise {
	// task: {id, title, task, look, because, source, solution, hints}
	constructor(into, machine, port) {
		this.machine = machine;
		this.port = port;
		this.into = into;
	}

	open(task) {
		if (this.task?.id === task.id) return;
		this.keep();
		this.task = task;
		this.given = 0;
		const before = saved.read(task.id);
		const button = (words, act, properties = {}) => {
			const made = element("button", { type: "button", ...properties }, words);
			made.addEventListener("click", act);
			return made;
		};
		this.check_ = button("Compile and check", () => this.check(), { className: "primary" });
		this.results = element("ol", { className: "checks" });
		this.words = element("div", { className: "words", role: "status" });
		this.help = element("div", { className: "words", role: "status" });
		this.when = element("p", { className: "small", role: "status" });
		const editor = element("div", { className: "editor" });
		this.into.replaceChildren(
			element("h3", {}, `Exercise ${task.id}`), element("p", {}, task.task), editor,
			element("p", { className: "tools" }, this.check_, button("Hint", () => this.hint()), button("Worked example", () => this.solution()), button("Start over", () => this.startOver()), button("Save my work", () => this.save()), button("Load saved work", () => this.choose())),
			this.when, this.results, this.words, this.help,
			element("p", { className: "tools" }, button("Erase everything in this browser", () => this.erase())));
		this.view = new EditorView({
			doc: before?.text ?? task.source,
			parent: editor,
			extensions: [syntaxHighlighting(colors), basicSetup, cpp(), indentUnit.of("\t"), keymap.of([indentWithTab]), EditorView.lineWrapping,
				EditorView.contentAttributes.of({ tabindex: "0", "aria-label": `Your program for exercise ${task.id}. Escape and then Tab leaves the editor.` }),
				EditorView.updateListener.of(({ docChanged }) => docChanged && this.later())],
		});
		this.tellSaved(before?.time);
	}

	get text() {
		return this.view.state.doc.toString();
	}

	set text(text) {
		this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } });
	}

	later() {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.keep(), 500);
	}

	// What is as it was handed out is nothing to keep, and what was kept before does not come back.
	keep() {
		if (!this.view) return;
		clearTimeout(this.timer);
		const { id, source } = this.task;
		if (this.text === source) saved.remove(id);
		this.tellSaved(this.text === source ? undefined : saved.write(id, this.text, this.passed));
	}

	tellSaved(time) {
		if (!saved.works) this.when.textContent = "This page cannot keep what you write: use Save my work before you close it.";
		else this.when.textContent = time ? `Saved in this browser at ${new Date(time).toLocaleTimeString()}.` : "";
	}

	say(...nodes) {
		this.words.replaceChildren(...nodes);
		this.show(this.words);
	}

	// A hint and the result stand beside each other.
	tell(...nodes) {
		this.help.replaceChildren(...nodes);
		this.show(this.help);
	}

	// What is new is seen, also where the editor fills the panel.
	show(box) {
		const { bottom } = box.getBoundingClientRect(), view = this.into.getBoundingClientRect();
		if (bottom > view.bottom) this.into.scrollTop += bottom - view.bottom + 16;
	}

	async check() {
		if (this.busy) return;
		this.busy = true;
		this.check_.disabled = true;
		this.results.replaceChildren();
		this.passed = false;
		try {
			await this.judge();
		} finally {
			this.busy = false;
			this.check_.disabled = false;
			this.keep();
		}
	}

	async judge() {
		const { id } = this.task, source = `/tmp/${id}.c`, program = `/tmp/${id}`;
		this.say("Compiling …");
		await this.machine.call(this.port, ["sh", "-c", 'cat >"$1"', "sh", source], { input: this.text });
		const compiled = await this.machine.call(this.port, ["timeout", "60", "cc", source, program]);
		const said = compiled.stderr.replaceAll(source, `${id}.c`).trim();
		if (compiled.status !== 0) {
			const line = Number(/\.c:(\d+): error/.exec(said)?.[1]);
			this.say(element("p", {}, "It does not compile. The compiler says:"), element("pre", {}, said));
			if (line) this.mark(line);
			return;
		}
		this.say("Checking …");
		const seed = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1000000000);
		const command = this.machine.run(this.port, ["timeout", "120", "/lab/scripts/learn/box", `/usr/share/unboxed/labs/${id}`, program, seed]);
		const decoder = new TextDecoder(), printed = [];
		let rest = "", ended = false, failed, complaint = "";
		command.onstderr = (bytes) => { complaint += new TextDecoder().decode(bytes); };
		command.onstdout = (bytes) => {
			const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
			rest = lines.pop();
			for (const line of lines) {
				const [verdict, what, expected, observed, why] = line.split("\t");
				if (verdict === "end") ended = true;
				else if (verdict === "said") printed.push(what);
				else if (verdict === "pass" || verdict === "fail") {
					if (verdict === "fail") failed = { what, expected, observed, why };
					this.results.append(element("li", { className: verdict }, element("b", { className: `verdict ${verdict}` }, verdict), ` ${what}: `, verdict === "pass" ? observed : `expected ${expected}, observed ${observed}`));
				}
			}
		};
		command.close();
		await command.ended;
		if (failed) this.say(element("p", {}, element("b", {}, "Why: "), failed.why), ...(printed.length ? [element("p", {}, "Your program printed:"), element("pre", {}, printed.join("\n"))] : []));
		else if (!ended) this.say(element("p", {}, "The check did not reach its end. Your program did not end in time, or it ended the machine that it ran in."), element("pre", {}, complaint));
		else {
			this.passed = true;
			this.say(element("p", {}, element("b", { className: "verdict pass" }, "pass"), " The kernel agrees with all of it."), element("p", {}, element("b", {}, "Why the worked example is written as it is: "), this.task.because));
		}
	}

	mark(line) {
		const at = this.view.state.doc.line(Math.min(line, this.view.state.doc.lines));
		this.view.dispatch({ selection: { anchor: at.from, head: at.to }, scrollIntoView: true });
	}

	hint() {
		const { hints } = this.task, hint = hints[Math.min(this.given, hints.length - 1)];
		this.given += 1;
		this.tell(element("p", {}, this.given > hints.length ? "Those were all hints. The last one again:" : `Hint ${this.given} of ${hints.length}.`), element("pre", {}, hint));
	}

	solution() {
		if (!confirm("Show the worked example? Your program stays as it is.")) return;
		this.tell(element("p", {}, "The worked example:"), element("pre", {}, this.task.solution), element("p", {}, this.task.because));
	}

	save() {
		this.keep();
		saved.download();
		this.tell("unboxed-work.tar is in your downloads. It holds the folder work, which make grade takes.");
	}

	choose() {
		const field = element("input", { type: "file", accept: ".tar,application/x-tar" });
		field.addEventListener("change", () => field.files[0] && this.load(field.files[0]));
		field.click();
	}

	async load(file) {
		this.keep();
		try {
			const loaded = await saved.load(file, (id) => !confirm(`Replace what you wrote in exercise ${id} by what is in the file?`));
			const mine = loaded.includes(this.task.id) && saved.read(this.task.id);
			if (mine) {
				this.text = mine.text;
				this.tellSaved(mine.time);
			}
			this.tell(loaded.length ? `Loaded: ${loaded.join(", ")}.` : "Nothing was loaded: what you wrote stays.");
		} catch ({ message }) {
			this.tell(`${file.name} was not loaded: ${message}.`);
		}
	}

	startOver() {
		if (!confirm("Throw away what you wrote in this exercise?")) return;
		this.text = this.task.source;
		saved.remove(this.task.id);
		this.results.replaceChildren();
		this.say();
		this.tellSaved();
	}

	erase() {
		if (!confirm("Erase everything that you wrote on this site, in this browser?")) return;
		saved.erase();
		this.text = this.task.source;
		this.tellSaved();
		this.say("Everything that you wrote is gone from this browser.");
	}
}
