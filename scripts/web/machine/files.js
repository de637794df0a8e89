// Where the machine's files come from: a folder beside the page, or the page itself, as text that stands for bytes.
const FOLDER = process.env.FOLDER;
const LOADED = Number(process.env.LOADED);
import { decode } from "./bytes.js";

// A server may have unpacked it already.
async function unpack(bytes) {
	if (new Uint8Array(bytes)[0] !== 0x1f) return bytes;
	return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

const wasmOf = async (packed) => ({ wasm_path: URL.createObjectURL(new Blob([await unpack(packed)], { type: "application/wasm" })) });

export function files(base, progress) {
	const inside = (name) => document.getElementById(`machine-${name}`);
	if (inside("state.zst")) {
		const get = async (name) => decode(inside(name).textContent).buffer;
		const size = Number(process.env.DISK_SIZE);
		return {
			get,
			partSize: size,
			wasm: async () => wasmOf(await get("v86.wasm.gz")),
			part: async (number, decompress) => new Uint8Array(await decompress(new Uint8Array(await get("disk")))),
		};
	}
	let loaded = 0;
	const get = async (name) => {
		const answer = await fetch(`${base}${FOLDER}/${name}`);
		if (!answer.ok) throw new Error(`${name}: the server says ${answer.status}`);
		const reader = answer.body.getReader(), pieces = [];
		for (let piece; !(piece = await reader.read()).done;) {
			pieces.push(piece.value);
			loaded += piece.value.length;
			progress(Math.min(loaded / LOADED, 1));
		}
		return new Blob(pieces).arrayBuffer();
	};
	return {
		get,
		partSize: Number(process.env.PART),
		wasm: async () => wasmOf(await get("v86.wasm.gz")),
		async part(number, decompress) {
			const answer = await fetch(`${base}${FOLDER}/disk/${number}.zst`);
			if (!answer.ok) throw new Error(`disk/${number}.zst: the server says ${answer.status}`);
			return new Uint8Array(await decompress(new Uint8Array(await answer.arrayBuffer())));
		},
	};
}
