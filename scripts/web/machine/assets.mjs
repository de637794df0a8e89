// What the machine adds to the site: its files in machine/, its own script, and the script that every page has.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { encode } from "./bytes.js";

const here = dirname(fileURLToPath(import.meta.url));
const LOADED_FIRST = ["state.zst", "v86.wasm.gz"];

function bundle(root, entry, define) {
	const { buildSync } = createRequire(join(root, "build/web/package.json"))("esbuild");
	const { outputFiles } = buildSync({
		entryPoints: [join(here, entry)],
		bundle: true,
		minify: true,
		write: false,
		outdir: "out",
		format: "iife",
		target: "es2022",
		define: Object.fromEntries(Object.entries(define).map(([name, value]) => [`process.env.${name}`, JSON.stringify(String(value))])),
		external: ["node:*", "perf_hooks", "crypto", "fs"],
		nodePaths: [join(root, "build/web/node_modules")],
		logLevel: "error",
	});
	const text = (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
	return { script: text(".js"), style: text(".css") };
}

let built;
function build(root) {
	if (built) return built;
	execFileSync(join(here, "pack"), { stdio: "inherit" });
	const pack = join(root, "build/web/machine/pack");
	const read = (name) => readFileSync(join(pack, name));
	const hash = createHash("sha256");
	for (const name of [...LOADED_FIRST, ...readdirSync(join(pack, "disk")).map((part) => `disk/${part}`)]) hash.update(read(name));
	const folder = hash.digest("hex").slice(0, 12);
	const tasks = `[${execFileSync(join(here, "tasks"), { encoding: "utf8", maxBuffer: 1 << 26 }).trim().split("\n").join(",")}]`;
	const sizeOf = (name) => statSync(join(root, "build/web/machine", name)).size;
	const loaded = LOADED_FIRST.reduce((sum, name) => sum + statSync(join(pack, name)).size, 0);
	const machine = bundle(root, "page.js", {
		FOLDER: folder, TASKS: tasks, LOADED: loaded, PART: 128 << 10,
		DISK_SIZE: sizeOf("disk.img"), STATE_SIZE: sizeOf("state"), KERNEL: readFileSync(join(root, "build/web/machine/version"), "utf8").trim(),
	});
	machine.packed = gzipSync(machine.script, { level: 9 });
	machine.name = createHash("sha256").update(machine.script).update(machine.style).digest("hex").slice(0, 12);
	const parts = readdirSync(join(pack, "disk")).length;
	const start = bundle(root, "start.js", {
		FILES: JSON.stringify(LOADED_FIRST.map((name) => `machine/${folder}/${name}`)), PARTS: parts, FOLDER: folder, SCRIPT: machine.name, MEGABYTES: Math.ceil((loaded + machine.packed.length) / 1e6),
	});
	built = { pack, folder, machine, start, style: readFileSync(join(here, "panel.css"), "utf8") };
	return built;
}

export async function assets({ root, out }) {
	const { pack, folder, machine, start, style } = build(root);
	mkdirSync(join(out, "machine"), { recursive: true });
	cpSync(pack, join(out, "machine", folder), { recursive: true });
	writeFileSync(join(out, "machine", `${machine.name}.js.gz`), machine.packed);
	writeFileSync(join(out, "machine", `${machine.name}.css`), machine.style);
	return { styles: [{ name: "assets/panel.css", text: style }], scripts: [{ name: "assets/start.js", text: start.script }] };
}

/** When all of the site is written: the service worker, which names its files. */
export function worker({ root, out, files }) {
	const { folder } = build(root);
	const pages = files.filter((name) => !name.startsWith(`machine/${folder}/`) && !/\.(epub|xml)$/.test(name));
	const hash = createHash("sha256");
	for (const name of pages) hash.update(name).update(readFileSync(join(out, name)));
	return bundle(root, "worker.js", { VERSION: hash.digest("hex").slice(0, 12), FOLDER: folder, PAGES: JSON.stringify(pages) }).script;
}

/** For the one file: the machine's script, and its data as bytes (bytes.js). Returned as latin1: a character a byte. */
export async function embedded({ root }) {
	const { machine } = build(root);
	const element = (id, text) => `<script type="text/plain" id="${id}">${text}</script>`;
	const data = (name, bytes) => element(`machine-${name}`, Buffer.from(encode(bytes)).toString("latin1"));
	const read = (name) => readFileSync(join(root, "build/web/machine", name));
	return [
		`<style>${machine.style}</style>`,
		data("script.gz", machine.packed),
		data("v86.wasm.gz", read("pack/v86.wasm.gz")),
		data("both.zst", read("both.zst")),
	].join("\n");
}
