// A lab's story, drawn from its JSON lines (README.md of common/story names the events). One polite live region says
// what is new; the rest is headings and lists.
import { curve } from "./curve.js";

const element = (name, properties = {}, ...children) => {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(properties))
		if (key in made && key !== "list") made[key] = value;
		else made.setAttribute(key, value);
	made.append(...children);
	return made;
};

// "labs/03-uts-ns/main.c:20": the line's page and its words.
function place(text) {
	const [, path, line] = /^labs\/(.+)\.c:(\d+)$/.exec(text) ?? [];
	if (!path)
		return element("span", { className: "place" }, text);
	const name = path.replace("/", "-"), single = document.body.classList.contains("single");
	// Whole, because the page below may become another one.
	const href = single ? `#${name}-L${line}` : new URL(`${document.body.dataset.root ?? ""}source/${name}.html#L${line}`, document.baseURI).href;
	return element("a", { className: "place", href }, `${text.replace(/.*\//, "")}`);
}

function result({ value, errno }) {
	return errno ? `${value} ${errno}` : value > 0xffff ? `0x${value.toString(16)}` : String(value);
}

const EVENTS = ["lab", "step", "call", "check", "sample", "wait", "end"];

export class Story {
	// into: where it is drawn. told: called with each event, after it is drawn.
	constructor(into, { next, map }) {
		this.into = into;
		this.live = element("p", { className: "unseen", role: "status" });
		this.next = next;
		this.map = map;
		this.into.replaceChildren(this.live);
	}

	say(text) {
		this.live.textContent = text;
	}

	add(...nodes) {
		const at = this.section ?? this.into;
		at.append(...nodes);
		const box = this.into.closest(".view") ?? this.into;
		box.scrollTop = box.scrollHeight;
	}

	// Only what a lab writes: a program's line does not choose another method.
	event(event) {
		if (EVENTS.includes(event.event)) this[event.event](event);
	}

	lab({ id, title, goal }) {
		this.add(element("h3", { className: "story-title" }, `${id}: ${title}`), element("p", { className: "story-goal" }, goal));
	}

	step({ number, text, expect }) {
		this.finish();
		this.section = null;
		const section = element("section", { className: "story-step" }, element("h4", {}, element("span", { className: "number" }, `${number}`), ` ${text}`));
		if (expect) section.append(element("p", { className: "story-expect" }, element("b", {}, "Expect: "), `${expect}.`));
		this.into.append(section);
		this.section = section;
		this.say(`Step ${number}. ${text}${expect ? ` Expect: ${expect}.` : ""}`);
	}

	call({ place: where, call, pid, ...rest }) {
		this.add(element("p", { className: "story-call" }, place(where), " ", element("code", {}, `${call} = ${result(rest)}`), " ", element("span", { className: "pid" }, `PID ${pid}`)));
	}

	check({ what, expected, observed, verdict }) {
		const mark = element("b", { className: `verdict ${verdict}` }, verdict);
		const same = expected === observed;
		this.add(element("p", { className: `story-check ${verdict}` }, mark, " ", element("span", { className: "what" }, what),
			element("span", { className: "found" }, same ? observed : `expected ${expected}, observed ${observed}`)));
		if (verdict !== "pass") this.say(`${verdict}: ${what}. Expected ${expected}, observed ${observed}.`);
	}

	sample(sample) {
		if (this.drawing?.series !== sample.series) {
			this.finish();
			this.drawing = curve(sample.series);
			this.add(this.drawing.figure);
		}
		this.drawing.add(sample);
	}

	finish() {
		this.drawing?.end();
		this.drawing = undefined;
	}

	wait({ step, pid, look }) {
		this.finish();
		const list = (look ?? "").split("\n").filter(Boolean);
		if (list.length)
			this.add(element("div", { className: "story-look" }, element("p", {}, "To look at while this step waits:"), element("ul", {}, ...list.map((line) => {
				const run = element("button", { type: "button", className: "small-button" }, "Run");
				run.setAttribute("aria-label", `Run in the terminal: ${line.trim()}`);
				run.addEventListener("click", () => run.dispatchEvent(new CustomEvent("unboxed:run", { bubbles: true, detail: { commands: [line.trim()], where: "vm" } })));
				return element("li", {}, element("code", {}, line.trim()), " ", run);
			}))));
		const button = element("button", { type: "button", className: "primary" }, "Next");
		const all = element("button", { type: "button" }, "All the rest");
		const line = element("p", { className: "tools story-next" }, button, all);
		const go = (key) => {
			this.following = true;
			line.remove();
			this.next(key);
		};
		button.addEventListener("click", () => go(""));
		all.addEventListener("click", () => go("a"));
		this.add(line);
		// What happened is read from its beginning.
		const view = this.into.closest(".view"), height = this.section?.offsetHeight ?? 0;
		if (view && height > view.clientHeight) view.scrollTop += this.section.getBoundingClientRect().top - view.getBoundingClientRect().top - 8;
		// Who pressed Next goes on from there.
		if (this.following) button.focus({ preventScroll: true });
		this.map({ pid, step });
	}

	end({ verdict, checks, passed, failed, skipped, table = [] }) {
		this.finish();
		this.section = null;
		const words = `${verdict}: ${passed} of ${checks} checks${failed ? `, ${failed} failed` : ""}${skipped ? `, ${skipped} skipped` : ""}`;
		if (table.length)
			this.into.append(element("table", {},
				element("thead", {}, element("tr", {}, ...["what", "without", "with", "who decided"].map((name) => element("th", { scope: "col" }, name)))),
				element("tbody", {}, ...table.map(([first, ...others]) => element("tr", {}, element("th", { scope: "row" }, first), ...others.map((cell) => element("td", {}, cell)))))));
		this.into.append(element("p", { className: `story-end ${verdict}` }, element("b", { className: `verdict ${verdict}` }, verdict), words.slice(verdict.length)));
		this.say(words);
		const view = this.into.closest(".view"), last = this.into.lastElementChild;
		if (view) view.scrollTop = view.scrollHeight;
		last.tabIndex = -1;
		if (this.following) last.focus({ preventScroll: true });
	}

	// The program ended without its last word.
	broken(status, words) {
		this.finish();
		this.section = null;
		const kind = status === 77 ? "skip" : "broken";
		const line = element("p", { className: `story-end ${kind}` }, element("b", { className: `verdict ${kind}` }, kind), ` status ${status}`);
		this.into.append(line, ...(words ? [element("pre", {}, words)] : []));
		this.say(`${kind}: status ${status}. ${words}`);
	}
}

export { element };
