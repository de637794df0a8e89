// A machine in v86: its ports, and what is done to it from outside. For the page and for node.
import {Port} from "./wire.js";

export const PORTS = 4;
export const MEMORY = 320;

// What a state was saved with, it has to be restored with.
export const DEVICES = {
	memory_size: MEMORY << 20,
	vga_memory_size: 2 << 20,
	virtio_console: true,
	disable_speaker: true,
	disable_keyboard: true,
	disable_mouse: true,
	acpi: false,
	net_device: {type: "none"},
};

export const ENVIRONMENT = {
	PATH: "/lab/build/labs:/lab/build/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	HOME: "/root", USER: "root", TERM: "xterm-256color", LANG: "C.UTF-8", LAB_WHERE: "vm",
};

export class Machine {
	// V86: its constructor. options: what differs from one place to the next (files, initial_state, autostart).
	constructor(V86, options) {
		this.v86 = new V86({...options, ...DEVICES});
		this.ports = Array.from({length: PORTS}, (_, i) => {
			const port = new Port(bytes => this.v86.bus.send(`virtio-console${i}-input-bytes`, bytes));
			this.v86.add_listener(`virtio-console${i}-output-bytes`, bytes => port.take(bytes));
			return port;
		});
		this.turn = Promise.resolve();
		this.freshFrom = Infinity;
		this.loaded = new Promise(resolve => this.v86.add_listener("emulator-loaded", resolve)).then(() => this.clearLittle());
	}

	// Before it unpacks a state v86 clears all memory of the guest. A page of it that nobody has written to costs the
	// browser nothing until then: such pages stay as they are. freshFrom: from there on WebAssembly's memory had grown
	// when the machine was made, and what has grown is zero. What v86 has unpacked is given back at once.
	clearLittle() {
		const PAGE = 4096, {cpu} = this.v86.v86, {zero_memory: clear, is_memory_zeroed: isClear, unpack_memory: unpack} = cpu;
		if ([clear, isClear, unpack].some(each => typeof each !== "function"))
			throw new Error("this version of v86 restores the guest's memory in another way");
		let ran = false;
		cpu.zero_memory = (start, size) => {
			const end = ran ? start + size : Math.min(start + size, Math.max(start, this.freshFrom - cpu.mem8.byteOffset));
			ran = true;
			for (let at = start; at < end; at += PAGE)
				if (!isClear(at, PAGE))
					clear(at, PAGE);
		};
		cpu.unpack_memory = (bitmap, packed) => {
			unpack.call(cpu, bitmap, packed);
			if (packed.length === packed.buffer.byteLength)
				packed.buffer.transfer?.(0);
		};
	}

	// Before the boot: v86 calls each port a console, and the kernel then gives it no device for programs.
	plainPorts() {
		const CONSOLE_PORT = 4, device = this.v86.v86.cpu.devices.virtio_console, send = device.SendEvent;
		device.SendEvent = function (port, event, value) {
			if (event !== CONSOLE_PORT)
				send.call(this, port, event, value);
		};
	}

	// The guest's TSC, from which its kernel takes all times.
	get tsc() {
		const {cpu} = this.v86.v86;
		cpu.store_current_tsc();
		return [...cpu.current_tsc];
	}

	// Before set_tsc(), which a restore calls too. It reckons from the guest's TSC instead of from v86's own clock, and
	// is right only while they are the same. With a TSC that has gone back a kernel charges no CPU time for minutes.
	alignTsc() {
		this.v86.v86.cpu.set_tsc(...this.tsc);
	}

	// The guest is as it was when the state was saved, but for the date and the random numbers.
	async restore(state) {
		await this.pause();
		for (const port of this.ports)
			port.reset();
		this.alignTsc();
		await this.v86.restore_state(state);
		this.stood = undefined;
		this.v86.run();
		await this.begin();
	}

	// Until it is resumed no time passes for the guest.
	pause() {
		this.turn = this.turn.then(async () => {
			await this.v86.stop();
			this.stood ??= this.tsc;
		});
		return this.turn;
	}

	// The guest goes on where it stood, with today's date.
	async resume() {
		this.turn = this.turn.then(() => {
			if (!this.stood)
				return;
			this.alignTsc();
			this.v86.v86.cpu.set_tsc(...this.stood);
			this.stood = undefined;
			this.v86.run();
		});
		await this.turn;
		await this.ports[0].begin();
	}

	// After a restore, before anything else: the clock, the random numbers, then all ports.
	async begin() {
		await this.ports[0].sync();
		await this.ports[0].begin();
		await Promise.all(this.ports.slice(1).map(port => port.sync()));
	}

	run(port, argv, options = {}) {
		return this.ports[port].run(argv, {...options, env: {...ENVIRONMENT, ...options.env}});
	}

	// Runs a command to its end. Returns its status and what it wrote, as text.
	async call(port, argv, {input, ...options} = {}) {
		const command = this.run(port, argv, options), decoders = [new TextDecoder(), new TextDecoder()];
		let stdout = "", stderr = "";
		command.onstdout = bytes => { stdout += decoders[0].decode(bytes, {stream: true}); };
		command.onstderr = bytes => { stderr += decoders[1].decode(bytes, {stream: true}); };
		if (input !== undefined)
			command.write(input);
		command.close();
		return {status: await command.ended, stdout, stderr};
	}
}
