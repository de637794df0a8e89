// A disk for v86 whose parts are loaded when the guest reads them. What the guest writes stays here.

// load(number) is a promise of the bytes of a part.
export class Disk {
	constructor(size, partSize, load) {
		this.byteLength = size;
		this.partSize = partSize;
		this.part = load;
		this.parts = new Map();
		this.written = new Set();
	}

	// As v86 asks for a disk: onload is called when it is ready.
	load() {
		this.onload?.({});
	}

	async whole(number) {
		let part = this.parts.get(number);
		if (!part) {
			part = this.part(number);
			this.parts.set(number, part);
			part.catch(() => this.parts.delete(number));
		}
		return part;
	}

	async each(start, length, act) {
		for (let at = 0; at < length;) {
			const number = Math.floor((start + at) / this.partSize), from = (start + at) % this.partSize;
			const size = Math.min(length - at, this.partSize - from);
			const part = await this.whole(number);
			act(part.subarray(from, from + size), at, number);
			at += size;
		}
	}

	async get(start, length, done) {
		const bytes = new Uint8Array(length);
		await this.each(start, length, (part, at) => bytes.set(part, at));
		done(bytes);
	}

	// What v86 guesses a disk's geometry from: a boot sector, which this disk does not have.
	get_from_cache() {
		return undefined;
	}

	get_and_cache(start, length, done) {
		done();
	}

	async set(start, data, done) {
		await this.each(start, data.length, (part, at, number) => {
			part.set(data.subarray(at, at + part.length));
			this.written.add(number);
		});
		done();
	}

	get_buffer(done) {
		done();
	}

	// The guest mounts it read-only: a state holds nothing of it.
	get_state() {
		return [];
	}

	set_state() {
		for (const number of this.written)
			this.parts.delete(number);
		this.written.clear();
	}
}
