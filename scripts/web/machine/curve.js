// The samples of a story as a drawing: how much of its limit a series takes, one sample after the other.
const WIDTH = 400, HEIGHT = 130, LEFT = 8, TOP = 24;
const svg = (name, attributes = {}, ...children) => {
	const made = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
	made.append(...children);
	return made;
};

const units = {
	bytes: (value) => `${(value / 1048576).toFixed(1)} MiB`,
	usec: (value) => `${Math.round(value / 1000)} ms`,
};
const amount = (value, unit) => (units[unit] ?? ((number) => `${number} ${unit}`))(value);

export function curve(series) {
	const values = [];
	let limit = 1, unit = "", due = false;
	const area = svg("path", { class: "area" }), line = svg("path", { class: "line" });
	const top = svg("text", { x: LEFT, y: 16 }), now = svg("text", { x: WIDTH - LEFT, y: 16, "text-anchor": "end" });
	const title = svg("title");
	const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "curve" }, title,
		svg("line", { x1: 0, x2: WIDTH, y1: TOP, y2: TOP, class: "limit" }), area, line, top, now);
	const caption = document.createElement("figcaption");
	const figure = document.createElement("figure");
	figure.className = "story-curve";
	figure.append(picture, caption);

	function draw() {
		due = false;
		const step = WIDTH / Math.max(values.length - 1, 1), y = (value) => HEIGHT - (Math.min(value / limit, 1.05) * (HEIGHT - TOP));
		const points = values.map((value, at) => `${(at * step).toFixed(1)},${y(value).toFixed(1)}`).join(" L");
		line.setAttribute("d", `M${points}`);
		area.setAttribute("d", `M0,${HEIGHT} L${points} L${WIDTH},${HEIGHT} Z`);
		top.textContent = `limit ${amount(limit, unit)}`;
		now.textContent = amount(values.at(-1), unit);
	}
	return {
		series,
		figure,
		add(sample) {
			values.push(sample.value);
			({ limit, unit } = sample);
			// At most four drawings a second.
			if (!due) {
				due = true;
				setTimeout(draw, 250);
			}
		},
		end() {
			draw();
			const most = Math.max(...values);
			title.textContent = caption.textContent = `${series}: from ${amount(values[0], unit)} to ${amount(values.at(-1), unit)}, at most ${amount(most, unit)} of ${amount(limit, unit)} (${Math.round((most * 100) / limit)} %), in ${values.length} samples`;
		},
	};
}
