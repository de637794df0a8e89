// What a lab has made, live: its processes with the namespaces that are not the machine's, and its groups with limit and
// use. A table, because that is what it is: for a screen reader too. The guest's `map` prints what it is made from:
//   process PID PPID NAME      namespace PID KIND NUMBER      group PATH FILE VALUE
import { element } from "./story.js";

const KINDS = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

export function read(text) {
	const map = { processes: new Map(), groups: new Map() };
	for (const line of text.split("\n")) {
		const [word, first, second, ...rest] = line.split(" ");
		if (word === "process") map.processes.set(first, { pid: first, parent: second, name: rest.join(" "), namespaces: {} });
		else if (word === "namespace" && map.processes.has(first)) map.processes.get(first).namespaces[second] = rest[0];
		else if (word === "group") {
			if (!map.groups.has(first)) map.groups.set(first, {});
			map.groups.get(first)[second] = rest.join(" ");
		}
	}
	return map;
}

const mebi = (bytes) => `${(Number(bytes) / 1048576).toFixed(1)} MiB`;
const uses = [
	["memory", "memory.current", "memory.max", mebi],
	["processes", "pids.current", "pids.max", String],
];

export class LabMap {
	constructor(into) {
		this.into = into;
		this.known = new Set();
		this.clear();
	}

	clear() {
		this.letters = {};
		this.known = new Set();
		this.into.replaceChildren(element("p", { className: "small" }, "Run a lab step by step. At each step this shows what it has made: processes, their namespaces, and groups with their limits."));
	}

	letter(kind, number, machine) {
		if (!number || number === machine) return "";
		const given = (this.letters[kind] ??= {});
		return (given[number] ??= LETTERS[Object.keys(given).length % 26]);
	}

	draw(text, { lab, at }) {
		const map = read(text), machine = map.processes.get("1")?.namespaces ?? {}, fresh = new Set();
		const news = (key) => {
			fresh.add(key);
			return this.known.size > 0 && !this.known.has(key);
		};
		const cell = (process, kind) => {
			const letter = this.letter(kind, process.namespaces[kind], machine[kind]);
			if (!letter) return element("td", { className: "same" }, "·");
			const mark = news(`${process.pid} ${kind} ${letter}`) ? element("span", { className: "new" }, " new") : "";
			return element("td", {}, element("span", { className: `letter letter-${(letter.charCodeAt(0) - 65) % 4}`, title: `${kind} namespace ${process.namespaces[kind]}` }, letter), mark);
		};
		const rows = [...map.processes.values()].filter(({ pid }) => pid !== "1").map((process) => {
			const words = [process.pid === String(lab) ? "the lab" : process.name, process.pid === String(at) ? " (what this step made)" : ""].join("");
			const mark = news(process.pid) ? element("span", { className: "new" }, " new") : "";
			return element("tr", {}, element("th", { scope: "row" }, words, element("span", { className: "pid" }, ` PID ${process.pid}`), mark), ...KINDS.map((kind) => cell(process, kind)));
		});
		const groups = [...map.groups].map(([path, files]) => {
			const parts = uses.filter(([, use, limit]) => use in files && limit in files && files[limit] !== "max").map(([word, use, limit, words]) => {
				const meter = element("meter", { min: 0, max: Number(files[limit]), value: Number(files[use]) });
				meter.setAttribute("aria-label", `${word} of ${path}`);
				return element("p", {}, `${word}: ${words(files[use])} of ${words(files[limit])} `, meter);
			});
			if (files["memory.peak"] && files["memory.max"] !== "max") parts.push(element("p", {}, `memory.peak: ${mebi(files["memory.peak"])}`));
			for (const name of ["cpu.max", "io.max"]) if (files[name] && !files[name].startsWith("max")) parts.push(element("p", {}, `${name}: ${files[name]}`));
			const mark = news(`group ${path}`) ? element("span", { className: "new" }, " new") : "";
			return element("li", {}, element("code", {}, path), mark, ...parts);
		});
		this.known = fresh;
		this.into.replaceChildren(
			element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Processes and their namespaces" }, element("table", { className: "map" },
				element("caption", {}, "Processes and their namespaces. The same letter in a column is the same namespace; a dot is the one that process 1 has."),
				element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "process"), ...KINDS.map((kind) => element("th", { scope: "col" }, kind)))),
				element("tbody", {}, ...rows))),
			element("h3", {}, "Groups"),
			groups.length ? element("ul", { className: "groups" }, ...groups) : element("p", { className: "small" }, "The lab has made none."));
	}
}
