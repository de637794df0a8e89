// Runs a lab in the machine: its lines become the story, and at each step the map is drawn anew.
import { LabMap } from "./map.js";
import { element, Story } from "./story.js";

export class Runner {
	// commands, service: the ports for the lab and for the map. say: shows a line beside the machine's name.
	constructor({ views, machine, commands, service, say }) {
		Object.assign(this, { views, machine, commands, service, say });
		this.map = new LabMap(views.Map);
		this.none = element("p", { className: "small" }, "Press “Run it here, step by step” beside a lab.");
		this.clear();
	}

	clear() {
		this.lab = this.story = undefined;
		this.map.clear();
		this.views.Story.replaceChildren(this.none);
	}

	// One look at a time. Who goes on while it takes place has another one after it, at the step that is then the last.
	async look(pid, at, step) {
		if (!pid) return;
		const looking = this.wanted;
		this.wanted = { pid, at, step };
		if (looking) return;
		for (let seen; this.wanted !== seen; ) {
			seen = this.wanted;
			if (this.machine.ports[this.service].command) break;
			const { status, stdout } = await this.machine.call(this.service, ["map", String(seen.pid)]);
			if (status === 0 && this.wanted === seen) this.map.draw(stdout, { lab: seen.pid, at: seen.at, step: seen.step });
		}
		this.wanted = undefined;
	}

	async end() {
		const before = this.lab;
		if (!before) return;
		before.signal(2);
		before.close();
		await before.ended;
	}

	/** @returns {Promise<number>} the lab's status, once it has ended */
	async run(program, words) {
		await this.end();
		this.map.clear();
		let pid = 0, rest = "", complaint = "", ended = false;
		const decoder = new TextDecoder();
		const story = (this.story = new Story(this.views.Story, {
			next: (key) => { this.lab?.write(`${key}\n`); },
			map: ({ pid: at, step }) => this.look(pid, at, step),
		}));
		const command = (this.lab = this.machine.run(this.commands, [`/lab/build/labs/${program}`, "--format=jsonl", ...words]));
		this.say(`${program} runs`);
		const tell = (line) => {
			let event;
			try {
				event = JSON.parse(line);
			} catch {
				complaint += `${line}\n`; // cut off, or a program's own
				return;
			}
			if (event.event === "call") {
				pid ||= event.pid;
				this.map.call(event);
			}
			if (event.event === "end") ended = true;
			story.event(event);
		};
		command.onstderr = (bytes) => { complaint += new TextDecoder().decode(bytes); };
		command.onstdout = (bytes) => {
			const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
			rest = lines.pop();
			lines.forEach(tell);
		};
		const status = await command.ended;
		if (!ended) story.broken(status, complaint.trim());
		if (this.lab === command) {
			this.lab = undefined;
			this.say();
		}
		return status;
	}
}
