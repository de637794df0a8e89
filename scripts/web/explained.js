// What `17-pod --explain` prints, as the items of a <dl>. For the build and for the page.
const escape = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** "memory: 32Mi  -> memory.max <- 33554432", a line each; a line without an arrow goes on. */
export function explained(words) {
	const rows = [];
	for (const line of words.split("\n\n")[0].trimEnd().split("\n")) {
		const [left, right = ""] = line.split(/\s+-> /);
		if (right || !/^ {30}/.test(line)) rows.push([left, right]);
		else rows.at(-1)[1] += ` ${line.trim()}`;
	}
	const row = ([left, right]) =>
		`<div><dt><code>${escape(left)}</code></dt>${right ? `<dd${right.startsWith("nothing") ? ' class="nothing"' : ""}><code>${escape(right.replace(" <- ", " ← "))}</code></dd>` : "<dd hidden></dd>"}</div>`;
	return rows.map(row).join("\n");
}
