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

async function restored(base, progress) {
	const source = files(base, progress);
	const [wasm, state] = await Promise.all([source.wasm(), source.get("state.zst")]);
	let v86;
	const disk = new Disk(size, source.partSize, (number) => source.part(number, (bytes) => v86.zstd_decompress_worker(source.partSize, bytes)));
	const machine = new Machine(V86, { ...wasm, hda: disk, autostart: false });
	v86 = machine.v86;
	await machine.loaded;
	machine.renew = () => machine.restore(state.slice(0));
	await machine.renew();
	return machine;
}

window.unboxedMachine = async ({ panel, base, progress }) => {
	const begun = performance.now();
	const state = panel.querySelector(".panel-state"), reset = panel.querySelector(".panel-reset");
	const machine = await restored(base, progress);
	const { views, show } = tabs(panel, ["Story", "Terminal", "Map", "Editor"]);
	const kernel = (await machine.call(COMMANDS, ["uname", "-r"])).stdout.trim();
	const say = (words = `Linux ${kernel}, in an emulator`) => { state.textContent = words; };
	say();
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
	document.addEventListener("visibilitychange", () => hide(document.hidden));

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
