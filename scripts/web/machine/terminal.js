// A terminal with a shell of the machine, on a port of its own.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";

// A prompt says where it ends, by the mark that many terminals understand: OSC 133 ; B. The time tells a new prompt from
// one that is drawn anew because the terminal's size has changed. Behind it is the current folder.
const PROMPT = "\\w # \\[\\e]133;B;$EPOCHREALTIME;$PWD\\a\\]";

// Where a block of the guide begins.
const FOLDER = "/lab", HOME = `cd ${FOLDER}`;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const theme = () => ({
	background: color("raised"), foreground: color("ink"), cursor: color("accent"), cursorAccent: color("raised"),
	selectionBackground: color("accent-soft"), selectionForeground: color("ink"),
	red: color("red"), yellow: color("amber"), green: color("string"), blue: color("type"), magenta: color("keyword"), cyan: color("accent"),
	brightRed: color("red"), brightYellow: color("amber"), brightGreen: color("string"), brightBlue: color("type"), brightMagenta: color("keyword"), brightCyan: color("accent"),
	black: color("ink"), white: color("soft"), brightBlack: color("soft"), brightWhite: color("ink"),
});

export class Shell {
	constructor(machine, port, into, name) {
		this.machine = machine;
		this.port = port;
		this.queue = [];
		this.terminal = new Terminal({ theme: theme(), fontSize: 14, lineHeight: 1.2, fontFamily: color("mono"), scrollback: 5000, screenReaderMode: true, minimumContrastRatio: 4.5 });
		this.fit = new FitAddon();
		this.terminal.loadAddon(this.fit);
		this.terminal.open(into);
		into.querySelector("textarea").setAttribute("aria-label", `${name}: type here; Ctrl and ] leaves it`);
		this.terminal.parser.registerOscHandler(133, (words) => {
			const [, time, ...folder] = words.split(";");
			if (time === this.prompt) return true;
			this.prompt = time;
			this.folder = folder.join(";");
			this.ready = true;
			this.next();
			return true;
		});
		// Tab is the shell's. So somebody who has no mouse needs a way out.
		this.terminal.attachCustomKeyEventHandler((event) => {
			if (event.type !== "keydown" || !event.ctrlKey || event.key !== "]") return true;
			into.closest(".view").querySelector("button, a")?.focus();
			return false;
		});
		this.control = false;
		this.terminal.onData((data) => this.type(data));
		this.terminal.onResize(({ rows, cols }) => this.command?.resize(rows, cols));
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.terminal.options.theme = theme(); });
		this.start();
	}

	async start() {
		if (!await this.machine.begun.then(() => true, () => false)) return;
		this.refit();
		const { rows, cols } = this.terminal;
		const command = this.machine.run(this.port, ["bash", "--noprofile", "--norc", "-i"], { terminal: { rows, columns: cols }, env: { PS1: PROMPT, STEP: "0" } });
		this.command = command;
		command.ontty = (bytes) => this.terminal.write(bytes);
		await command.ended;
		if (this.command !== command) return;
		this.command = undefined;
		this.ready = false;
		this.terminal.write("\r\nThe shell has ended. Press Enter for another one.\r\n");
	}

	// Keys, as a person types them.
	type(data) {
		if (this.control) {
			this.control = false;
			this.oncontrol?.();
			if (/^[a-z@[\\\]^_]$/i.test(data)) data = String.fromCharCode(data.toUpperCase().charCodeAt(0) & 31);
		}
		if (!this.command) {
			if (data === "\r") this.start();
			return;
		}
		if (data.includes("\r")) this.ready = false;
		this.command.write(data);
	}

	// Lines that are typed one after the other, each when the prompt is there again. They begin where the guide's do.
	run(lines) {
		this.queue.push(HOME, ...lines);
		if (!this.command) this.start();
		if (this.ready) this.next();
	}

	next() {
		if (this.queue[0] === HOME && this.folder === FOLDER) this.queue.shift();
		const line = this.queue.shift();
		if (line === undefined) return;
		this.ready = false;
		this.command.write(`\x15${line}\r`); // a line that somebody has begun is taken back
	}

	refit() {
		if (this.terminal.element?.offsetParent) this.fit.fit();
	}

	// The machine was restored: the shell of before is gone.
	restart() {
		this.queue = [];
		this.ready = false;
		this.command = undefined;
		this.terminal.reset();
		this.start();
	}

	get text() {
		const buffer = this.terminal.buffer.active, lines = [];
		for (let at = 0; at < buffer.length; at++) {
			const line = buffer.getLine(at), words = line.translateToString(true);
			if (line.isWrapped) lines[lines.length - 1] += words;
			else lines.push(words);
		}
		return lines.join("\n").trimEnd();
	}
}

// The keys that a phone's keyboard does not have.
export function keyRow(shell) {
	const row = document.createElement("div");
	row.className = "key-row";
	row.setAttribute("role", "toolbar");
	row.setAttribute("aria-label", "Keys");
	const keys = { Tab: "\t", Esc: "\x1b", "←": "\x1b[D", "↑": "\x1b[A", "↓": "\x1b[B", "→": "\x1b[C" };
	const names = { "←": "Left", "↑": "Up", "↓": "Down", "→": "Right" };
	const add = (word, act) => {
		const button = document.createElement("button");
		button.type = "button";
		button.textContent = word;
		button.setAttribute("aria-label", names[word] ?? word);
		// The keyboard of the phone stays.
		button.addEventListener("pointerdown", (event) => event.preventDefault());
		button.addEventListener("click", () => act(button));
		row.append(button);
	};
	add("Ctrl", (button) => {
		const of = shell();
		of.control = !of.control;
		const tell = () => button.setAttribute("aria-pressed", String(of.control));
		of.oncontrol = tell;
		tell();
	});
	for (const [word, data] of Object.entries(keys)) add(word, () => shell().type(data));
	return row;
}
