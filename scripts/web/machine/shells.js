// The terminals of the panel, one in front, each with a shell on a port of its own.
import { element } from "./story.js";
import { keyRow, Shell } from "./terminal.js";

export class Shells {
	// say: shows a line beside the machine's name.
	constructor(into, machine, ports, say) {
		this.machine = machine;
		this.ports = ports;
		this.say = say;
		this.all = [];
		this.front = 0;
		this.bar = element("div", { className: "tools terminal-tools" });
		this.boxes = ports.map((_, at) => element("div", { className: "terminal", hidden: at !== 0 }));
		ports.forEach((_, at) => {
			const button = element("button", { type: "button" }, `Terminal ${at + 1}`);
			button.addEventListener("click", () => this.pick(at).terminal.focus());
			this.bar.append(button);
		});
		into.append(this.bar, ...this.boxes, keyRow(() => this.pick(this.front)));
		into.addEventListener("unboxed:shown", () => this.pick(this.front));
		new ResizeObserver(() => this.all[this.front]?.refit()).observe(into);
	}

	pick(at) {
		this.front = at;
		this.boxes.forEach((box, other) => { box.hidden = other !== at; });
		[...this.bar.children].forEach((button, other) => button.setAttribute("aria-pressed", String(other === at)));
		this.all[at] ??= new Shell(this.machine, this.ports[at], this.boxes[at], `Terminal ${at + 1}`);
		this.all[at].refit();
		return this.all[at];
	}

	// Not into a program that waits for something else.
	run(commands) {
		const busy = (at) => this.all[at]?.command && !this.all[at].ready;
		const free = [this.front, ...this.ports.keys()].find((at) => !busy(at));
		if (free === undefined) this.say("Both terminals are busy: the commands come when one of them is at its prompt");
		this.pick(free ?? this.front).run(commands);
	}

	restart() {
		for (const shell of this.all) shell?.restart();
	}
}
