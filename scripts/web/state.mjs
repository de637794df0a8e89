// Boots the machine of the course's page from build/web/machine/{vmlinuz,initrd,disk.img}, and saves its state there.
//
//   node scripts/web/state.mjs
//
// The state is of that moment in which the lab VM waits for WIRE_BEGIN: no command has run, so that it can be restored
// any number of times.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Disk } from "./machine/disk.js";
import { Machine } from "./machine/machine.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const out = join(root, "build/web/machine");
const modules = createRequire(join(root, "build/web/package.json"));
const bios = join(root, "build/i386/sysroot/usr/share/seabios");
/** Before that, jiffies have not wrapped yet, and io.max makes a kernel of 32 bits panic: throtl_trim_slice(). */
const UPTIME = 310;

// v86 takes its time from here. While the guest is idle, its time can pass faster.
const real = performance.now.bind(performance);
let speed = 1;
let since = real();
let before = since;
performance.now = () => before + (real() - since) * speed;
function pass(faster) {
	before = performance.now();
	since = real();
	speed = faster;
}

const { V86 } = await import(pathToFileURL(modules.resolve("v86/build/libv86.mjs")));
const file = (name) => {
	const { buffer, byteOffset, length } = readFileSync(name);
	return { buffer: buffer.slice(byteOffset, byteOffset + length) };
};
const image = readFileSync(join(out, "disk.img"));
const PART = 1 << 20;
const disk = new Disk(image.length, PART, async (number) => {
	const part = new Uint8Array(PART);
	part.set(image.subarray(number * PART, (number + 1) * PART));
	return part;
});
const machine = new Machine(V86, {
	wasm_path: modules.resolve("v86/build/v86.wasm"),
	bios: file(join(bios, "bios.bin")),
	vga_bios: file(join(bios, "vgabios-stdvga.bin")),
	bzimage: file(join(out, "vmlinuz")),
	initrd: file(join(out, "initrd")),
	hda: disk,
	// Freed pages are zeroed, and weigh nothing in the state.
	cmdline: `console=ttyS0 quiet tsc=reliable mitigations=off nokaslr pnpbios=off panic=-1 init_on_free=1 lab.ports=4 lab.provide=swap,block`,
	autostart: false,
});
let said = "";
machine.v86.add_listener("serial0-output-byte", (byte) => {
	said += String.fromCharCode(byte);
});
await machine.loaded;
machine.plainPorts();
const begun = real();
const limit = setTimeout(() => {
	console.error(`scripts/web/state.mjs: the machine has not booted in 10 minutes. Its console:\n${said}`);
	process.exit(1);
}, 600000);
machine.v86.run();
await machine.ports[0].sync();
const booted = (real() - begun) / 1000;
pass(10);
await new Promise((resolve) => setTimeout(resolve, (UPTIME * 1000) / speed));
pass(1);
await machine.v86.stop();
const state = Buffer.from(await machine.v86.save_state());
writeFileSync(join(out, "state"), state);
clearTimeout(limit);
console.log(`web: the machine booted in ${booted.toFixed(0)} s; its state has ${(state.length / 1048576).toFixed(1)} MB`);
process.exit(0);
