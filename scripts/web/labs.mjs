// What the labs say of themselves (--about), and where a call stands in their source.
import { readdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./html.mjs";

/**
 * @typedef {object} Lab
 * @property {string} id of the folder: 03-uts-ns
 * @property {string} number 03
 * @property {Map<string, object>} programs by the name of the program, such as 03-uts-ns-more: its --about
 * @property {Map<string, string[]>} sources by path, such as labs/03-uts-ns/main.c: the lines
 */

/** @returns {Map<string, Lab>} by id */
export function readLabs(root) {
	const labs = new Map();
	for (const id of readdirSync(join(root, "labs")).sort()) {
		if (!existsSync(join(root, "labs", id, "main.c"))) continue;
		const files = readdirSync(join(root, "labs", id)).sort();
		const programs = new Map();
		for (const file of files) {
			const [, more] = /^(?:main|(more(?:-\w+)?))\.c$/.exec(file) ?? [null, null];
			if (more === null) continue;
			const name = more ? `${id}-${more}` : id;
			if (!existsSync(join(root, "build/labs", name))) throw new Error(`build/labs/${name} is not built; type: make all`);
			programs.set(name, JSON.parse(run(join(root, "build/labs", name), ["--about"])));
		}
		const sources = new Map();
		// A solution is for who has asked for it.
		for (const file of files.filter((name) => /\.(c|h|yaml)$/.test(name) && name !== "solution.c"))
			sources.set(`labs/${id}/${file}`, readFileSync(join(root, "labs", id, file), "utf8").split("\n"));
		labs.set(id, { id, number: id.slice(0, 2), programs, sources });
	}
	return labs;
}

/** labs/03-uts-ns/main.c -> 03-uts-ns-main, more.h -> …-more-h */
export const sourceName = (path) =>
	path
		.replace(/^labs\//, "")
		.replace(/\.c$/, "")
		.replace(/[/.]/g, "-");

const rank = (path) => {
	const order = ["main.c", "life.c", "sandbox.c", "kubelet.c"];
	const file = path.replace(/.*\//, "");
	const at = order.indexOf(file);
	return at >= 0 ? at : file.endsWith(".c") ? order.length : order.length + 1;
};

/** Whether a program of the lab says that it teaches that call. */
const isTaught = (lab, name) => [...lab.programs.values()].some(({ teaches = [] }) => teaches.some((word) => word.split(":")[0] === name));

/**
 * Where a piece of code of the text stands in the lab's source: the name of a file, the definition of a
 * function, or a call that the lab teaches, with the flags that the text gives it.
 * @returns {{path: string, line?: number} | undefined}
 */
export function findInSource(lab, code) {
	const paths = [...lab.sources.keys()].sort((a, b) => rank(a) - rank(b));
	const file = paths.find((path) => path === code || path === `labs/${lab.id}/${code}`);
	if (file) return { path: file };
	const call = /^([a-z_][a-z0-9_]*)\((.*)\)$/.exec(code);
	if (!call) return undefined;
	const [, name, args] = call;
	const flags = args.match(/[A-Z][A-Z0-9_]{3,}/g) ?? [];
	const definition = new RegExp(`^[a-z].*\\b${name}\\([^;]*$`);
	const use = name === "fork" ? /\bFORK\(/ : new RegExp(`\\b${name}\\(`);
	const uses = isTaught(lab, name) ? [use] : [];
	for (const wanted of flags.length ? uses : [definition, ...uses])
		for (const path of paths) {
			const lines = lab.sources.get(path).map(withoutWords);
			const at = lines.findIndex(
				(text, n) => wanted.test(text) && flags.every((flag) => lines.slice(n, n + 3).join(" ").includes(flag)),
			);
			if (at >= 0) return { path, line: at + 1 };
		}
	return undefined;
}

const withoutWords = (line) => line.replace(/"(\\.|[^"\\])*"/g, '""').replace(/\/\*.*?(\*\/|$)|^\s*\*.*/g, "");

/** Places in the source that a story has shown: {path, line, call}. */
export function shownCalls(text) {
	return [...text.matchAll(/^\s*(labs\/[\w./-]+):(\d+)\s+(.+)$/gm)].map(([, path, line, call]) => ({
		path,
		line: Number(line),
		call,
	}));
}

/** The calls that a lab says it teaches, each with the place where the story makes it. */
export function taughtCalls(lab, transcript) {
	const shown = shownCalls(transcript);
	const calls = [];
	for (const teach of lab.programs.get(lab.id).teaches ?? []) {
		const [name, flag = ""] = teach.split(":");
		const code = name === "file" ? `write(${flag})` : `${name}(${flag})`;
		const place =
			shown.find(({ call }) => name === "file" && call.startsWith(`write(${flag},`)) ??
			shown.find(({ call }) => call.startsWith(`${name}(`) && call.includes(flag)) ??
			(/^[a-z0-9_]+$/.test(name) ? findInSource(lab, code) : undefined);
		if (place) calls.push({ code, path: place.path, line: place.line });
	}
	return calls;
}
