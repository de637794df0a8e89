// What `make record-NN` has recorded, for the chapters to play. What is no such recording is left out, by name.
import { existsSync, lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode } from "./machine/bytes.js";

const LARGEST = 1 << 20;
/** What a story prints besides words: colors, and a curve that is drawn again. Nothing else reaches a page. */
const sequence = /\x1b\[(?:[0-9;]*m|K|(\d*)A)/g;

/** The text that stands in the end: what is drawn again stands once. */
function plain(printed) {
	let text = "";
	let from = 0;
	for (const { 0: whole, 1: up, index } of printed.matchAll(sequence)) {
		text += printed.slice(from, index);
		from = index + whole.length;
		if (up !== undefined) text = text.split("\n").slice(0, -1 - Number(up || 1)).join("\n") + "\n";
	}
	return (text + printed.slice(from)).replace(/\r/g, "");
}

/**
 * A recording of asciinema's version 2, strictly read.
 * @returns {{cols: number, rows: number, events: Array, steps: Array, text: string, seconds: number}}
 */
export function readRecording(file) {
	const about = lstatSync(file);
	if (!about.isFile()) throw new Error("expected a file, found something else");
	if (about.size > LARGEST) throw new Error(`expected at most ${LARGEST} bytes, found ${about.size}`);
	const read = (line, number) => {
		try {
			return JSON.parse(line);
		} catch {
			throw new Error(`line ${number}: expected JSON`);
		}
	};
	const [head, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
	const { version, width: cols, height: rows } = read(head, 1) ?? {};
	if (version !== 2) throw new Error(`expected version 2 of asciinema's format, found ${JSON.stringify(version)}`);
	for (const size of [cols, rows]) if (!Number.isInteger(size) || size < 1 || size > 200) throw new Error(`expected a terminal of at most 200 x 200, found ${JSON.stringify(cols)} x ${JSON.stringify(rows)}`);
	let last = 0;
	const written = lines.map((line, at) => {
		const event = read(line, at + 2);
		const [time, kind, printed] = Array.isArray(event) ? event : [];
		if (!(time >= last && time <= 3600) || kind !== "o" || typeof printed !== "string") throw new Error(`line ${at + 2}: expected [SECONDS, "o", TEXT], not before the line above and within an hour`);
		last = time;
		return [time, printed];
	});
	const all = written.map(([, printed]) => printed).join("");
	const [strange] = all.replace(sequence, "").match(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/) ?? [];
	if (strange !== undefined) throw new Error(`expected words, colors and lines drawn again, found the control character ${JSON.stringify(strange)}`);
	// A step is whole where the title of the next one begins. There what is written at once is cut in two.
	const titles = [...all.matchAll(/(?<=^|\n)(?:\x1b\[[0-9;]*m)*\d+\. ([^\r\n\x1b]+)/g)].map(({ index, 1: title }) => ({ index, title }));
	const events = [];
	const steps = [];
	let start = 0;
	const write = (time, printed) => {
		events.push([Math.max(time, events.at(-1)?.[0] ?? 0), "o", printed]);
		start += printed.length;
	};
	for (let [time, printed] of written) {
		for (let next; (next = titles[steps.length + 1]?.index - start) < printed.length; printed = printed.slice(next)) {
			write(time, printed.slice(0, next));
			steps.push([events.at(-1)[0], titles[steps.length].title]);
			time += 0.001;
		}
		write(time, printed);
	}
	if (titles.length) steps.push([last, titles.at(-1).title]);
	return { cols, rows, events, steps, text: plain(all), seconds: Math.ceil(last) };
}

/**
 * The recordings in build/recordings, and the player that make setup-class fetches.
 * @returns {{seconds: Map<string, number>, files: Map<string, string>}} of each program, and scripts by name, first the player
 */
export function readRecordings(root, labs, { folder = join(root, "build/recordings"), say = console.error } = {}) {
	const seconds = new Map();
	const files = new Map();
	const casts = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".cast")).sort() : [];
	if (!casts.length) return { seconds, files };
	const bundle = join(root, "build/class-npm/node_modules/asciinema-player/dist/bundle");
	if (!existsSync(bundle)) {
		say("site: asciinema-player is missing, so the recordings are left out; type: make setup-class");
		return { seconds, files };
	}
	const style = JSON.stringify(readFileSync(join(bundle, "asciinema-player.css"), "utf8"));
	files.set("player", `${readFileSync(join(bundle, "asciinema-player.min.js"), "utf8")}\ndocument.head.append(Object.assign(document.createElement("style"), { textContent: ${style} }));\n`);
	const programs = new Set([...labs.values()].flatMap((lab) => [...lab.programs.keys()]));
	for (const cast of casts)
		try {
			const name = cast.replace(/\.cast$/, "");
			if (!programs.has(name)) throw new Error("expected the name of a lab");
			const recording = readRecording(join(folder, cast));
			seconds.set(name, recording.seconds);
			files.set(name, `(window.unboxedRecordings ||= {})[${JSON.stringify(name)}] = ${JSON.stringify(recording)};\n`);
		} catch (error) {
			say(`site: build/recordings/${cast} is left out: ${error.message}`);
		}
	return seconds.size ? { seconds, files } : { seconds, files: new Map() };
}

/** For the one file: as many as there is room for, packed, as bytes (bytes.js). Returned as latin1. */
export function embedded({ files }, room, say = console.error) {
	const out = [];
	for (const [name, script] of files) {
		const element = `<script type="text/plain" id="recording-${name}">${Buffer.from(encode(gzipSync(script, { level: 9 }))).toString("latin1")}</script>\n`;
		if (element.length <= room) {
			room -= element.length;
			out.push(element);
			continue;
		}
		say(`site: build/unboxed.html has no room for ${name === "player" ? "recordings" : `the recording of ${name}`}; build/site has it`);
		if (name === "player") break;
	}
	return out.join("");
}
