// The panel's tabs: one view is shown at a time; arrows, Home and End go from one to the next.
import { element } from "./story.js";

/** @returns {{views: Object<string, Element>, show: function(string, boolean=), body: Element}} */
export function tabs(panel, names) {
	const body = panel.querySelector(".panel-body");
	const list = element("div", { className: "tabs", role: "tablist" });
	list.setAttribute("aria-label", "Linux");
	const views = {}, buttons = {};
	const show = (name, focus = false) => {
		for (const other of names) {
			views[other].hidden = other !== name;
			buttons[other].setAttribute("aria-selected", String(other === name));
			buttons[other].tabIndex = other === name ? 0 : -1;
		}
		if (focus) buttons[name].focus();
		views[name].dispatchEvent(new Event("unboxed:shown"));
	};
	names.forEach((name, at) => {
		const id = `panel-${name.toLowerCase()}`;
		buttons[name] = element("button", { type: "button", role: "tab", id: `${id}-tab` }, name);
		buttons[name].setAttribute("aria-controls", id);
		buttons[name].addEventListener("click", () => show(name));
		buttons[name].addEventListener("keydown", ({ key }) => {
			const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[key];
			if (to !== undefined) show(names[(to + names.length) % names.length], true);
		});
		views[name] = element("div", { className: `view view-${name.toLowerCase()}`, role: "tabpanel", id, hidden: true, tabIndex: 0 });
		views[name].setAttribute("aria-labelledby", `${id}-tab`);
		list.append(buttons[name]);
	});
	body.replaceChildren(list, ...Object.values(views));
	return { views, show, body };
}
