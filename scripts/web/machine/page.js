// The machine in a page: restores it, and fills the panel with the story, the terminals, the map and the editor.
import xtermStyle from "@xterm/xterm/css/xterm.css";
import { V86 } from "v86/build/libv86.mjs";
import { Disk } from "./disk.js";
import { Exercise } from "./exercise.js";
import { Machine } from "./machine.js";
import { explained } from "../explained.js";
import { files } from "./files.js";
import { Runner } from "./runner.js";
import { Shells } from "./shells.js";
import { element } from "./story.js";
import { tabs } from "./tabs.js";

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

window.unboxedMachine = async ({ panel, base, progress }) => {
	const begun = performance.now();
	const state = panel.querySelector(".panel-state"), reset = panel.querySelector(".panel-reset");
	const machine = restored(base, progress);
	// A first terminal takes its time, so it is made while the state comes.
	const { views, show, body } = tabs(panel, ["Story", "Terminal", "Map", "Editor"]);
	const say = (words = `Linux ${process.env.KERNEL}, in an emulator`) => { state.textContent = words; };
	const shells = new Shells(views.Terminal, machine, TERMINALS, say);
	const labs = new Runner({ views, machine, commands: COMMANDS, service: SERVICE, say });
	const lab = (program, words) => {
		show("Story");
		return labs.run(program, words);
	};
	const exercise = new Exercise(views.Editor, machine, SERVICE);
	views.Editor.append(element("p", { className: "small" }, "Press “Write it here” beside an exercise."));

	// A hidden tab stands still, and gets its clock back.
	async function hide(hidden) {
		await (hidden ? machine.pause() : machine.resume());
	}

	async function startAnew() {
		reset.disabled = true;
		say("Linux starts anew");
		await machine.renew();
		shells.restart();
		labs.clear();
		say();
		reset.disabled = false;
	}
	reset.addEventListener("click", () => {
		if (confirm("Start Linux anew? A lab that runs, and files in the terminals, are gone. What stands in the editor stays.")) startAnew();
	});

	show("Terminal");
	body.inert = true;
	await machine.begun.catch((error) => {
		body.replaceChildren();
		throw error;
	});
	body.inert = false;
	say();
	document.addEventListener("visibilitychange", () => hide(document.hidden));
	console.info(`unboxed: Linux answered ${Math.round(performance.now() - begun)} ms after its script had been loaded`);
	return (window.unboxed = {
		machine, shells: shells.all, show, tasks, hide, reset: startAnew, editor: exercise,
		get story() { return labs.story; },
		run({ commands }) {
			show("Terminal");
			shells.run(commands);
		},
		lab: ({ program }) => lab(program, ["--step"]),
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
		all: (program, words = []) => lab(program, words),
	});
};
