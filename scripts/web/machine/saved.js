// What somebody wrote, in this browser: an exercise's text, when, and whether it has passed. As a file it is the folder
// that `make grade` takes: work/NN-name.c, and such a file can be loaded again.
const PREFIX = "unboxed:work:";

function storage() {
	try {
		localStorage.setItem("unboxed:try", "1");
		localStorage.removeItem("unboxed:try");
		return localStorage;
	} catch {
		return undefined;
	}
}
const store = storage();

// A tar archive of text files, as POSIX.1-1988 has it.
function tar(files) {
	const encoder = new TextEncoder(), parts = [];
	for (const { name, text, time } of files) {
		const data = encoder.encode(text), head = new Uint8Array(512);
		const put = (at, words) => head.set(encoder.encode(words), at);
		const octal = (number, digits) => number.toString(8).padStart(digits, "0");
		put(0, name);
		put(100, `${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(data.length, 11)}\0${octal(Math.floor(time / 1000), 11)}\0        0`);
		put(257, "ustar\x0000");
		put(148, `${octal(head.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
		parts.push(head, data, new Uint8Array(-data.length & 511));
	}
	return new Blob([...parts, new Uint8Array(1024)], { type: "application/x-tar" });
}

// The files of such an archive. Anything else in it is an error that says what was expected.
function untar(bytes) {
	const decoder = new TextDecoder("utf-8", { fatal: true }), files = [];
	const field = (at, length) => decoder.decode(bytes.subarray(at, at + length)).replace(/\0[^]*$/, "");
	for (let at = 0; at + 512 <= bytes.length && bytes[at]; ) {
		if (field(at + 257, 5) !== "ustar") throw new Error("expected a tar archive, as Save my work writes it");
		const name = field(at, 100), size = parseInt(field(at + 124, 12), 8), kind = field(at + 156, 1);
		if (!(size >= 0 && at + 512 + size <= bytes.length)) throw new Error(`${name}: expected ${size} bytes, and the archive ends before`);
		const [, id] = /^(?:\.\/)?work\/(\d\d-[a-z0-9-]+)\.c$/.exec(name) ?? [];
		if (id && /^0?$/.test(kind)) {
			if (size > 1e6) throw new Error(`${name}: expected at most 1 MB`);
			files.push({ id, text: decoder.decode(bytes.subarray(at + 512, at + 512 + size)) });
		}
		at += 512 + ((size + 511) & ~511);
	}
	if (!files.length) throw new Error("expected files work/NN-name.c in a tar archive, and found none");
	return files;
}

export const saved = {
	works: Boolean(store),

	read(id) {
		try {
			return JSON.parse(store?.getItem(PREFIX + id) ?? "null") ?? undefined;
		} catch {
			return undefined;
		}
	},

	// Returns the time at which it was written, or undefined where nothing can be kept.
	write(id, text, passed = false) {
		const time = Date.now();
		try {
			store.setItem(PREFIX + id, JSON.stringify({ text, time, passed: passed || (this.read(id)?.passed ?? false) }));
			navigator.storage?.persist?.();
			return time;
		} catch {
			this.works = false;
			return undefined;
		}
	},

	remove(id) {
		store?.removeItem(PREFIX + id);
	},

	all() {
		return Object.keys(store ?? {}).filter((key) => key.startsWith(PREFIX)).sort().map((key) => ({ id: key.slice(PREFIX.length), ...this.read(key.slice(PREFIX.length)) }));
	},

	erase() {
		for (const { id } of this.all()) this.remove(id);
	},

	// Takes back what download() has written. What is kept already and differs is told first: keep(id) says whether it stays.
	async load(file, keep) {
		const loaded = [];
		for (const { id, text } of untar(new Uint8Array(await file.arrayBuffer()))) {
			const before = this.read(id);
			if (before && before.text !== text && keep(id)) continue;
			if (!this.write(id, text)) throw new Error("this browser keeps nothing from this page");
			loaded.push(id);
		}
		return loaded;
	},

	download() {
		const files = this.all().map(({ id, text, time }) => ({ name: `work/${id}.c`, text, time }));
		const link = document.createElement("a");
		link.href = URL.createObjectURL(tar(files));
		link.download = "unboxed-work.tar";
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 1000);
	},
};
