// Where the machine's files come from: a folder beside the page, or the page itself, as text that stands for bytes.
import { decode } from "./bytes.js";

const FOLDER = process.env.FOLDER;
const LOADED = Number(process.env.LOADED), DISK = Number(process.env.DISK_SIZE), STATE = Number(process.env.STATE_SIZE);

// A server may have unpacked it already.
async function unpack(bytes) {
	if (new Uint8Array(bytes)[0] !== 0x1f) return bytes;
	return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function inPage() {
	const element = (name) => document.getElementById(`machine-${name}`), read = (name) => decode(element(name).textContent).buffer;
	// The state, and behind it the disk: v86 reads a state to its end and no further.
	const both = read("both.zst"), wasm = read("v86.wasm.gz");
	let disk;
	return {
		partSize: DISK,
		state: async () => both,
		wasm: () => unpack(wasm),
		part(number, v86) {
			disk ??= v86.zstd_decompress_worker(STATE + DISK, new Uint8Array(both.slice(0))).then((whole) => {
				// It has unpacked all that it ever will, and holds twice of that.
				v86.zstd_worker.terminate();
				return new Uint8Array(whole.slice(STATE));
			});
			return disk;
		},
		// What has been read is taken out of the page, in which it is as text.
		done() { element("both.zst").remove(); },
	};
}

export function files(base, progress) {
	if (!base) return inPage();
	let loaded = 0;
	const get = async (name) => {
		const answer = await fetch(`${base}${FOLDER}/${name}`);
		if (!answer.ok) throw new Error(`${name}: the server says ${answer.status}`);
		return answer;
	};
	const counted = async (name) => {
		const reader = (await get(name)).body.getReader(), pieces = [];
		let size = 0;
		for (let piece; !(piece = await reader.read()).done;) {
			pieces.push(piece.value);
			size += piece.value.length;
			loaded += piece.value.length;
			progress(Math.min(loaded / LOADED, 1));
		}
		const whole = new Uint8Array(size);
		let at = 0;
		for (const piece of pieces) {
			whole.set(piece, at);
			at += piece.length;
		}
		return whole.buffer;
	};
	const state = counted("state.zst"), wasm = counted("v86.wasm.gz").then(unpack);
	return {
		partSize: Number(process.env.PART),
		state: () => state,
		wasm: () => wasm,
		async part(number, v86) {
			const answer = await get(`disk/${number}.zst`);
			return new Uint8Array(await v86.zstd_decompress_worker(Number(process.env.PART), new Uint8Array(await answer.arrayBuffer())));
		},
		done() {},
	};
}
