// The page's end of the lab VM's protocol. scripts/labvm/wire.h describes it: frames of a type, a length and
// bytes, one command at a time on each port.

const HEAD = 8;
// The guest gives virtio_console buffers of a page, and v86 drops what finds no buffer.
const FRAME = 4096;
const DATA = FRAME - HEAD;
// So many frames of stdin may be on their way: fewer than the guest has buffers.
const IN_FLIGHT = 4;
const CREDIT_START = 128 * 1024;
const NONCE = 16;

const SYNC = 1, REQUEST = 2, START = 3, STDIN = 4, STDIN_END = 5, WINSIZE = 6, SIGNAL = 7, BEGIN = 10;
const SYNCED = 64, CREDIT = 65, STDOUT = 66, STDERR = 67, TTY = 68, EXIT = 69, BEGUN = 70, UNFIT = 71;

const encoder = new TextEncoder(), decoder = new TextDecoder();

function frame(type, data) {
	const bytes = new Uint8Array(HEAD + data.length), view = new DataView(bytes.buffer);
	view.setUint32(0, type, true);
	view.setUint32(4, data.length, true);
	bytes.set(data, HEAD);
	return bytes;
}

function join(a, b) {
	const both = new Uint8Array(a.length + b.length);
	both.set(a);
	both.set(b, a.length);
	return both;
}

// A command in the guest. onstdout, onstderr and ontty take bytes; ended is a promise of its exit status.
class Command {
	constructor(port) {
		this.port = port;
		this.onstdout = this.onstderr = this.ontty = () => {};
		this.ended = new Promise((resolve, reject) => Object.assign(this, {resolve, reject}));
		this.waiting = new Uint8Array(0);
		this.credit = CREDIT_START;
		this.closing = false;
	}

	// Bytes or text for its stdin, or for its terminal.
	write(data) {
		this.waiting = join(this.waiting, typeof data === "string" ? encoder.encode(data) : data);
		this.flush();
	}

	// Its stdin ends behind what was written.
	close() {
		this.closing = true;
		this.flush();
	}

	resize(rows, columns) {
		this.port.send(WINSIZE, new Uint8Array(new Uint16Array([rows, columns]).buffer));
	}

	// To the foreground process group.
	signal(number) {
		this.port.send(SIGNAL, new Uint8Array([number]));
	}

	flush() {
		const least = CREDIT_START - IN_FLIGHT * DATA;
		while (this.waiting.length && this.credit > least) {
			const now = this.waiting.subarray(0, Math.min(DATA, this.credit - least));
			this.credit -= now.length;
			this.port.send(STDIN, now);
			this.waiting = this.waiting.slice(now.length);
		}
		if (this.closing && !this.waiting.length) {
			this.closing = false;
			this.port.send(STDIN_END, new Uint8Array(0));
		}
	}
}

// One port of the machine. write(bytes) passes a frame to the guest; take(bytes) is called with what comes from it.
export class Port {
	constructor(write) {
		this.write = write;
		this.come = new Uint8Array(0);
		this.command = null;
		this.answers = new Map();
	}

	send(type, data) {
		this.write(frame(type, data));
	}

	// The machine was restored: whatever ran here is gone.
	reset() {
		const {command} = this;
		this.come = new Uint8Array(0);
		this.command = null;
		this.answers.clear();
		command?.resolve(129);
	}

	// A promise of the data of the next frame of one of these types.
	answer(...types) {
		return new Promise(resolve => types.forEach(type => this.answers.set(type, data => {
			types.forEach(other => this.answers.delete(other));
			resolve({type, data});
		})));
	}

	take(bytes) {
		this.come = this.come.length ? join(this.come, bytes) : bytes;
		while (this.come.length >= HEAD) {
			const view = new DataView(this.come.buffer, this.come.byteOffset);
			const whole = HEAD + view.getUint32(4, true);
			if (this.come.length < whole)
				return;
			const type = view.getUint32(0, true), data = this.come.slice(HEAD, whole);
			this.come = this.come.slice(whole);
			this.obey(type, data);
		}
	}

	obey(type, data) {
		const command = this.command;
		this.answers.get(type)?.(data);
		if (type === STDOUT)
			command?.onstdout(data);
		else if (type === STDERR)
			command?.onstderr(data);
		else if (type === TTY)
			command?.ontty(data);
		else if (type === CREDIT && command) {
			command.credit += new DataView(data.buffer).getUint32(0, true);
			command.flush();
		} else if (type === EXIT && command) {
			this.command = null;
			command.resolve(Number(decoder.decode(data)));
		}
	}

	// Nothing that an earlier owner of the port left half said is taken for an answer. A guest that still boots hears
	// nothing, so it is asked again.
	async sync() {
		const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
		const again = setInterval(() => this.send(SYNC, nonce), 1000);
		let synced;
		this.send(SYNC, nonce);
		do
			synced = await this.answer(SYNCED);
		while (synced.data.some((byte, i) => byte !== nonce[i]));
		clearInterval(again);
	}

	// What only the host knows: the time and random bytes. Throws when the guest could not take them.
	async begin() {
		const facts = new Uint8Array(24 + 64), view = new DataView(facts.buffer), now = Date.now();
		view.setBigInt64(8, BigInt(Math.floor(now / 1000)), true);
		view.setBigInt64(16, BigInt(now % 1000) * 1000000n, true);
		crypto.getRandomValues(facts.subarray(24));
		const begun = this.answer(BEGUN, UNFIT);
		this.send(BEGIN, facts);
		const {type, data} = await begun;
		if (type === UNFIT || data.length)
			throw new Error(`the machine lacks ${decoder.decode(data) || "the time or random bytes"}`);
	}

	// Starts a command. argv empty: a login shell. terminal: {rows, columns}, or none for pipes.
	run(argv, {cwd = "/lab", env = {}, terminal} = {}) {
		if (this.command)
			throw new Error("a command runs on this port");
		const words = [terminal ? "ttt" : "ppp", terminal ? "1" : "0", terminal?.rows ?? 24, terminal?.columns ?? 80,
			cwd, argv.length, ...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
		const request = encoder.encode(words.map(word => `${word}\0`).join(""));
		const command = this.command = new Command(this);
		for (let at = 0; at < request.length; at += DATA)
			this.send(REQUEST, request.subarray(at, at + DATA));
		this.send(START, new Uint8Array(0));
		return command;
	}
}
