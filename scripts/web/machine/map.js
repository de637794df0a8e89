// What a lab has made, live: a picture of boxes, one for all processes that are in the same namespaces, beside the
// machine's own; below it the groups with limit and use; and the same as a table. The guest's `map` prints what it is
// made from:
//   process PID PPID NAME      inside PID PID_INSIDE      member PID GROUP      namespace PID KIND NUMBER
//   hostname UTS_NUMBER NAME   group PATH FILE VALUE
import { element } from "./story.js";

const KINDS = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];
const FLAGS = { NEWUSER: "user", NEWNS: "mnt", NEWPID: "pid", NEWNET: "net", NEWUTS: "uts", NEWIPC: "ipc", NEWCGROUP: "cgroup", NEWTIME: "time" };
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** @param {string} text what the guest's map has printed */
export function read(text) {
	const map = { processes: new Map(), groups: new Map(), hostnames: new Map() };
	for (const line of text.split("\n")) {
		const [word, first, second, ...rest] = line.split(" "), process = map.processes.get(first);
		if (word === "process") map.processes.set(first, { pid: first, parent: second, name: rest.join(" "), inside: first, group: "", namespaces: {} });
		else if (word === "hostname") map.hostnames.set(first, [second, ...rest].join(" "));
		else if (word === "group") {
			if (!map.groups.has(first)) map.groups.set(first, {});
			map.groups.get(first)[second] = rest.join(" ");
		} else if (!process) continue;
		else if (word === "namespace") process.namespaces[second] = rest[0];
		else if (word === "inside") process.inside = second;
		else if (word === "member") process.group = second;
	}
	return map;
}

/** The kinds of namespaces that a call names: unshare(CLONE_NEWUTS | CLONE_NEWPID) -> ["pid", "uts"]. */
export const kindsOf = (call) => KINDS.filter((kind) => Object.entries(FLAGS).some(([flag, of]) => of === kind && new RegExp(`CLONE_${flag}\\b`).test(call)));

const mebi = (bytes) => `${(Number(bytes) / 1048576).toFixed(1)} MiB`;
const uses = [
	["memory", "memory.current", "memory.max", mebi],
	["processes", "pids.current", "pids.max", String],
];
const isLimit = (value) => value !== undefined && !value.startsWith("max");
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : word.endsWith("x") || word.endsWith("s") ? "es" : "s"}`;

/** What one lab has made so far, from step to step. */
export class Made {
	constructor() {
		this.letters = {};
		this.known = undefined;
		this.processes = new Map(); // those of the last look
		this.born = new Map(); // since then, by the calls that were told: PID -> kinds
	}

	/** A call of the story, in between two looks. A process that lives for one step only is known by these alone. */
	call({ call, pid, value }) {
		const kinds = kindsOf(call), caller = String(pid);
		if (/^(fork|vfork|clone3?)\(/.test(call) && value > 0) this.born.set(String(value), new Set(kinds));
		else if (/^unshare\(/.test(call) && value === 0) {
			if (!this.born.has(caller)) this.born.set(caller, new Set());
			for (const kind of kinds) this.born.get(caller).add(kind);
		}
	}

	letter(kind, number) {
		const given = (this.letters[kind] ??= {});
		return (given[number] ??= LETTERS[Object.keys(given).length % 26]);
	}

	/**
	 * What is there now.
	 * @returns {{boxes, groups, ended}} boxes: [{name, letters: {KIND: LETTER}, processes, mark}], the machine's first;
	 * groups: [{path, lines, mark}]; ended: [{name, pid, kinds}]. A mark is "", "new" or "changed".
	 */
	look(map, { lab, at } = {}) {
		const machine = map.processes.get("1")?.namespaces ?? {}, seen = new Map();
		const mark = (key, value = "") => {
			seen.set(key, value);
			if (!this.known) return "";
			return !this.known.has(key) ? "new" : this.known.get(key) !== value ? "changed" : "";
		};
		// What has ended while the guest looked has no namespaces any more.
		const living = [...map.processes.values()].filter(({ namespaces }) => Object.keys(namespaces).length), pids = new Set(living.map(({ pid }) => pid));
		const boxes = new Map([["", { name: "this machine", letters: {}, processes: [], mark: "" }]]);
		for (const process of living) {
			const own = KINDS.filter((kind) => process.namespaces[kind] && process.namespaces[kind] !== machine[kind]);
			const letters = Object.fromEntries(own.map((kind) => [kind, this.letter(kind, process.namespaces[kind])]));
			const key = own.map((kind) => `${kind} ${letters[kind]}`).join(", ");
			if (!boxes.has(key)) {
				const name = own.includes("uts") && map.hostnames.get(process.namespaces.uts);
				boxes.set(key, { name: name || `box ${LETTERS[(boxes.size - 1) % 26]}`, letters, processes: [], mark: "" });
			}
			const word = process.pid === "1" ? "init" : process.pid === String(lab) ? "the lab" : process.name;
			boxes.get(key).processes.push({ ...process, word, made: process.pid === String(at) && process.pid !== String(lab), mark: mark(`process ${process.pid}`, key) });
		}
		for (const [key, box] of boxes) if (key) box.mark = mark(`box ${key}`, box.name);
		const groups = [...map.groups].map(([path, files]) => ({ path, files, mark: mark(`group ${path}`, ["memory.max", "pids.max", "cpu.max", "io.max"].map((name) => files[name]).join(" ")) }));
		const ended = [...new Set([...this.processes.keys(), ...this.born.keys()])]
			.filter((pid) => !pids.has(pid))
			.map((pid) => ({ pid, name: this.processes.get(pid) ?? "a child", kinds: KINDS.filter((kind) => this.born.get(pid)?.has(kind)) }));
		this.known = seen;
		this.processes = new Map(living.map(({ pid, name }) => [pid, name]));
		this.born = new Map();
		return { boxes: [...boxes.values()], groups, ended };
	}
}

const marked = (word) => (word ? element("span", { className: "new" }, ` ${word}`) : "");
const letterOf = (kind, letter, words = letter) => element("span", { className: `letter letter-${(letter.charCodeAt(0) - 65) % 4}`, title: `${kind} namespace ${letter}` }, words);

function meters({ path, files }) {
	const lines = uses.filter(([, use, limit]) => use in files && isLimit(files[limit])).map(([word, use, limit, words]) => {
		const meter = element("meter", { min: 0, max: Number(files[limit]), value: Number(files[use]) });
		meter.setAttribute("aria-label", `${word} of ${path}`);
		return element("p", {}, `${word}: ${words(files[use])} of ${words(files[limit])} `, meter);
	});
	if (files["memory.peak"] && isLimit(files["memory.max"])) lines.push(element("p", {}, `memory.peak: ${mebi(files["memory.peak"])}`));
	for (const name of ["cpu.max", "io.max"]) if (files[name] && isLimit(files[name])) lines.push(element("p", {}, `${name}: ${files[name]}`));
	return lines;
}

function picture({ boxes, ended }, step) {
	const process = ({ word, pid, inside, group, made, mark }) => element("li", { className: made ? "made" : "" }, element("b", {}, word), element("span", { className: "pid" }, ` PID ${pid}${inside === pid ? "" : `, inside ${inside}`}`), marked(mark),
		group && word !== "the lab" ? element("span", { className: "pid member", title: group }, `in ${group.split("/").at(-1)}`) : "");
	const drawn = boxes.map(({ name, letters, processes, mark }, at) => element("div", { className: at ? "box" : "box host" },
		element("p", { className: "box-name" }, element("b", {}, name), marked(mark)),
		element("p", { className: "box-kinds" }, ...(at ? Object.entries(letters).map(([kind, letter]) => letterOf(kind, letter, `${kind} ${letter}`)) : ["the namespaces that it has booted with"])),
		element("ul", {}, ...processes.map(process))));
	const gone = ended.length ? [element("div", { className: "box gone" }, element("p", { className: "box-name" }, element("b", {}, "ended in this step")),
		element("ul", {}, ...ended.map(({ name, pid, kinds }) => element("li", {}, element("s", {}, name), element("span", { className: "pid" }, ` PID ${pid}${kinds.length ? `, had its own ${kinds.join(", ")}` : ""}`)))))] : [];
	const figure = element("figure", { className: "picture", role: "img" }, element("p", { className: "kernel" }, `One kernel, at step ${step}`), element("div", { className: "boxes" }, ...drawn, ...gone));
	const count = boxes.reduce((sum, { processes }) => sum + processes.length, 0);
	figure.setAttribute("aria-label", `${plural(count, "process")} on one kernel, ${plural(boxes.length - 1, "box")} beside the machine's own namespaces${ended.length ? `, ${ended.length} ended in this step` : ""}. The table below says the same.`);
	return figure;
}

function table({ boxes, ended }) {
	const row = ({ word, pid, inside, made, mark }, letters) => element("tr", {},
		element("th", { scope: "row" }, word, made ? " (what this step made)" : "", element("span", { className: "pid" }, ` PID ${pid}${inside === pid ? "" : `, inside ${inside}`}`), marked(mark)),
		...KINDS.map((kind) => (letters[kind] ? element("td", {}, letterOf(kind, letters[kind])) : element("td", { className: "same" }, "·"))));
	return element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Processes and their namespaces" }, element("table", { className: "map" },
		element("caption", {}, "Processes and their namespaces. The same letter in a column is the same namespace; a dot is the one that process 1 has."),
		element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "process"), ...KINDS.map((kind) => element("th", { scope: "col" }, kind)))),
		element("tbody", {}, ...boxes.flatMap(({ processes, letters }) => processes.map((process) => row(process, letters))),
			...ended.map(({ name, pid }) => element("tr", {}, element("th", { scope: "row" }, name, element("span", { className: "pid" }, ` PID ${pid}`)), element("td", { colSpan: KINDS.length }, "ended in this step"))))));
}

export class LabMap {
	constructor(into) {
		this.into = into;
		this.clear();
	}

	clear() {
		this.made = new Made();
		this.into.replaceChildren(element("p", { className: "small" }, "Run a lab step by step. At each step this shows what it has made: processes, their namespaces, and groups with their limits."));
	}

	call(event) {
		this.made.call(event);
	}

	// where: the PIDs of the lab and of what this step made, and the step's number
	draw(text, where) {
		const now = this.made.look(read(text), where);
		const groups = now.groups.map((group) => element("li", {}, element("code", {}, group.path), marked(group.mark), ...meters(group)));
		this.into.replaceChildren(picture(now, where.step), element("h3", {}, "Groups"),
			groups.length ? element("ul", { className: "groups" }, ...groups) : element("p", { className: "small" }, "The lab has made none."),
			element("h3", {}, "As a table"), table(now));
	}
}
