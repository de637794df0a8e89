// The machine in a page: restores it, and fills the panel with the story, the terminals, the map and the editor.
import xtermStyle from "@xterm/xterm/css/xterm.css";
import { V86 } from "v86/build/libv86.mjs";
import { Disk } from "./disk.js";
import { Exercise } from "./exercise.js";
import { Machine } from "./machine.js";
import { LabMap } from "./map.js";
import { explained } from "../explained.js";
import { element, Story } from "./story.js";
import { Shell, keyRow } from "./terminal.js";
import { files } from "./files.js";

void xtermStyle;
const COMMANDS = 0, TERMINALS = [1, 2], SERVICE = 3;
const tasks = new Map(JSON.parse(process.env.TASKS).map((task) => [task.id, task]));
const size = Number(process.env.DISK_SIZE);

// The machine at once, and as machine.begun the promise of what it says first.
function restored(base, progress) {
	const source = files(base, progress);
	let v86;
	const disk = new Disk(size, source.partSize, (number) => source.part(number, v86));
	// It is compiled while the state comes. v86 unpacks parts of the disk in a worker, which compiles it once more.
	const wasm_fn = async (imports) => {
		const wasm = await source.wasm(), { instance } = await WebAssembly.instantiate(wasm, imports);
		v86.wasm_source = wasm;
		machine.freshFrom = instance.exports.memory.buffer.byteLength;
		return instance.exports;
	};
	const machine = new Machine(V86, { wasm_fn, hda: disk, autostart: false });
	v86 = machine.v86;
	machine.begun = (async () => {
		const [state] = await Promise.all([source.state(), machine.loaded]);
		machine.renew = () => machine.restore(state);
		await machine.renew();
		source.done();
	})();
	return machine;
}

function tabs(panel, names) {
	const body = panel.querySelector(".panel-body");
	const list = element("div", { className: "tabs", role: "tablist" });
	list.setAttribute("aria-label", "Linux");
	const views = {}, buttons = {};
	const show = (name, focus = false) => {
		for (const other of names) {
			views[other].hidden = other !== name;
			buttons[other].setAttribute("aria-selected", String(other === name));
			buttons[other].tabIndex = other === name ? 0 : -1;
		}
		if (focus) buttons[name].focus();
		views[name].dispatchEvent(new Event("unboxed:shown"));
	};
	names.forEach((name, at) => {
		const id = `panel-${name.toLowerCase()}`;
		buttons[name] = element("button", { type: "button", role: "tab", id: `${id}-tab` }, name);
		buttons[name].setAttribute("aria-controls", id);
		buttons[name].addEventListener("click", () => show(name));
		buttons[name].addEventListener("keydown", ({ key }) => {
			const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[key];
			if (to !== undefined) show(names[(to + names.length) % names.length], true);
		});
		views[name] = element("div", { className: `view view-${name.toLowerCase()}`, role: "tabpanel", id, hidden: true, tabIndex: 0 });
		views[name].setAttribute("aria-labelledby", `${id}-tab`);
		list.append(buttons[name]);
	});
	body.replaceChildren(list, ...Object.values(views));
	return { views, show, body };
}

window.unboxedMachine = async ({ panel, base, progress }) => {
	const begun = performance.now();
	const state = panel.querySelector(".panel-state"), reset = panel.querySelector(".panel-reset");
	const machine = restored(base, progress);
	// A first terminal takes its time, so it is made while the state comes.
	const { views, show, body } = tabs(panel, ["Story", "Terminal", "Map", "Editor"]);
	const told = () => { state.textContent = `Linux ${process.env.KERNEL}, in an emulator`; };

	// ---- Terminals ----
	const shells = [];
	const bar = element("div", { className: "tools terminal-tools" });
	let front = 0;
	const boxes = TERMINALS.map((_, at) => element("div", { className: "terminal", hidden: at !== 0 }));
	const pick = (at) => {
		front = at;
		boxes.forEach((box, other) => { box.hidden = other !== at; });
		[...bar.querySelectorAll("button")].forEach((button, other) => button.setAttribute("aria-pressed", String(other === at)));
		shells[at] ??= new Shell(machine, TERMINALS[at], boxes[at], `Terminal ${at + 1}`);
		shells[at].refit();
		return shells[at];
	};
	TERMINALS.forEach((_, at) => {
		const button = element("button", { type: "button" }, `Terminal ${at + 1}`);
		button.addEventListener("click", () => pick(at).terminal.focus());
		bar.append(button);
	});
	views.Terminal.append(bar, ...boxes, keyRow(() => pick(front)));
	views.Terminal.addEventListener("unboxed:shown", () => pick(front));
	new ResizeObserver(() => shells[front]?.refit()).observe(panel);

	// ---- A lab's story, and its map ----
	const map = new LabMap(views.Map);
	const storyTop = element("p", { className: "small" }, "Press “Run it here, step by step” beside a lab.");
	views.Story.append(storyTop);
	let story, lab;
	const look = async (pid, at) => {
		if (!pid || machine.ports[SERVICE].command) return;
		const { status, stdout } = await machine.call(SERVICE, ["map", String(pid)]);
		if (status === 0) map.draw(stdout, { lab: pid, at });
	};
	async function run(program, words = ["--step"]) {
		show("Story");
		if (lab) {
			const before = lab;
			before.signal(2);
			before.close();
			await before.ended;
		}
		map.clear();
		let pid = 0, rest = "", complaint = "", ended = false;
		const decoder = new TextDecoder();
		story = new Story(views.Story, {
			next: (key) => { lab?.write(`${key}\n`); },
			map: ({ pid: at }) => look(pid, at),
		});
		const command = (lab = machine.run(COMMANDS, [`/lab/build/labs/${program}`, "--format=jsonl", ...words]));
		const drawn = story;
		state.textContent = `${program} runs`;
		command.onstderr = (bytes) => { complaint += new TextDecoder().decode(bytes); };
		command.onstdout = (bytes) => {
			const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
			rest = lines.pop();
			for (const line of lines) {
				const event = JSON.parse(line);
				if (event.event === "call") pid ||= event.pid;
				if (event.event === "end") ended = true;
				drawn.event(event);
			}
		};
		const status = await command.ended;
		if (!ended) drawn.broken(status, complaint.trim());
		if (lab === command) {
			lab = undefined;
			told();
		}
		return status;
	}

	// ---- Exercises ----
	const exercise = new Exercise(views.Editor, machine, SERVICE);
	views.Editor.append(element("p", { className: "small" }, "Press “Write it here” beside an exercise."));

	// ---- A hidden tab stands still, and gets its clock back ----
	async function hide(hidden) {
		await (hidden ? machine.pause() : machine.resume());
	}

	async function startAnew() {
		reset.disabled = true;
		state.textContent = "Linux starts anew";
		lab = undefined;
		await machine.renew();
		for (const shell of shells) shell?.restart();
		map.clear();
		views.Story.replaceChildren(storyTop);
		told();
		reset.disabled = false;
	}
	reset.addEventListener("click", startAnew);

	show("Terminal");
	body.inert = true;
	await machine.begun.catch((error) => {
		body.replaceChildren();
		throw error;
	});
	body.inert = false;
	told();
	document.addEventListener("visibilitychange", () => hide(document.hidden));
	console.info(`unboxed: Linux answered ${Math.round(performance.now() - begun)} ms after its script had been loaded`);
	return (window.unboxed = {
		machine, shells, show, tasks, hide, reset: startAnew, editor: exercise,
		get story() { return story; },
		run({ commands }) {
			show("Terminal");
			// Not into a program that waits for something else.
			const busy = (at) => shells[at]?.command && !shells[at].ready;
			if (busy(front) && !busy(1 - front)) pick(1 - front);
			else if (busy(front)) state.textContent = "Both terminals are busy: the commands come when one of them is at its prompt";
			pick(front).run(commands);
		},
		lab: ({ program }) => run(program),
		exercise({ program }) {
			show("Editor");
			exercise.open(tasks.get(program));
		},
		async explain({ manifest }) {
			await machine.call(SERVICE, ["sh", "-c", "cat >/tmp/manifest.yaml"], { input: manifest });
			const { status, stdout, stderr } = await machine.call(SERVICE, ["17-pod", "--explain", "/tmp/manifest.yaml"]);
			document.getElementById("explained-words").textContent = status === 0 ? "What lab 17 says of it, by --explain:" : "Lab 17 does not take it:";
			document.getElementById("explained").innerHTML = explained(status === 0 ? stdout : stderr);
		},
		all: (program, words = []) => run(program, words),
	});
};
