// Plays what `make record-NN` recorded, where a chapter has such a recording. Nothing is loaded before it is opened.
import { decode } from "../machine/bytes.js";

const inPage = (name) => document.getElementById(`recording-${name}`);
const element = (kind, about, ...inside) => {
	const made = Object.assign(document.createElement(kind), about);
	made.append(...inside);
	return made;
};
const region = (kind, className, label, ...inside) => {
	const made = element(kind, { className, tabIndex: 0 }, ...inside);
	made.setAttribute("role", "region");
	made.setAttribute("aria-label", label);
	return made;
};

/** As a script and not by fetch(), so that it works by file:// too. In the one file it is packed. */
async function load(name, base) {
	let src = `${base}${name}.js`;
	if (inPage(name)) {
		const stream = new Blob([decode(inPage(name).textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
		src = URL.createObjectURL(await new Response(stream, { headers: { "content-type": "text/javascript; charset=utf-8" } }).blob());
	}
	await new Promise((onload, onerror) => document.head.append(element("script", { src, onload, onerror })));
}
const loaded = new Map();
const once = (name, base) => loaded.get(name) ?? loaded.set(name, load(name, base)).get(name);

async function open(block, name, base) {
	const said = element("p", { className: "said" }, "Loading the recording");
	said.setAttribute("role", "status");
	block.append(said);
	try {
		await Promise.all([once("player", base), once(name, base)]);
	} catch {
		said.textContent = "The recording could not be loaded.";
		return;
	}
	const { cols, rows, events, steps, text } = window.unboxedRecordings[name];
	const button = (words, onclick) => element("button", { type: "button", onclick }, words);
	const play = button("Play", () => (play.textContent === "Pause" ? player.pause() : player.play()));
	const seek = async (to) => {
		await player.pause();
		await player.seek({ marker: to });
		tell();
	};
	const tools = element("p", { className: "tools" }, play, button("Previous step", () => seek("prev")), button("Next step", () => seek("next")));
	const screen = element("div", { className: "player" });
	const words = region("pre", "drawing", "The recording as text", text);
	block.append(tools, said, region("div", "scroll", "Recording of a terminal", screen), element("details", {}, element("summary", {}, "The recording as text"), words));
	const player = window.AsciinemaPlayer.create(
		{ data: { cols, rows, events }, parser: (data) => data, minFrameTime: 0 },
		screen,
		{ cols, rows, markers: steps, controls: false, fit: "width", poster: "npt:1", preload: true, theme: "unboxed", terminalFontFamily: "var(--mono)" },
	);
	async function tell() {
		const now = await player.getCurrentTime();
		const at = steps.filter(([time]) => time <= now).length;
		said.textContent = at ? `Step ${at} of ${steps.length}: ${steps[at - 1][1]}` : "The beginning";
	}
	said.textContent = "The beginning";
	for (const [event, word] of [["play", "Pause"], ["pause", "Play"], ["ended", "Play again"]]) player.addEventListener(event, () => { play.textContent = word; });
	for (const event of ["marker", "ended"]) player.addEventListener(event, tell);
}

/** `base` is the folder of the recordings; in the one file a recording may have found no room. */
export function readyRecording(block, base) {
	const { recording: name } = block.dataset;
	block.hidden = !base && !inPage(name);
	block.addEventListener("toggle", () => open(block, name, base), { once: true });
}
