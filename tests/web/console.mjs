// What the page's terminal showed, beside what stands in GUIDE.md. scripts/check/transcripts puts marks for what differs
// from run to run; the rules here name what has to differ in the page.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./helper.mjs";

/** Of a terminal's bytes, what each command printed: readline ends bracketed paste behind a line and begins it at a prompt. */
export const printed = (bytes) =>
	bytes.split("\x1b[?2004l\r").slice(1).map((piece) =>
		piece.split("\x1b[?2004h")[0]
			.replace(/\x1b\][^\x07]*\x07|\x1b\[[0-9;?]*[A-Za-z]/g, "")
			.replace(/\r\n/g, "\n"));

/** Where both sides have a table: a column is as wide as its rows. */
const narrow = (text) => text.replace(/^ {2}.* \| .*$/gm, (row) => row.replace(/ +/g, " ")).replace(/^ {2}-{10,}$/gm, "  ---");

/** Each: why, and the two sides made alike. */
const RULES = [
	["an interactive shell names its jobs", (want, have) => [want, have.replace(/^\[\d+\][+-]? .*(\n|$)/gm, "").trimEnd()]],
	["a shell that reads a script names its line", (want, have) => [want.replace(/^bash: line \d+: +P\d+ (?=[A-Z])/gm, "").replace(/^bash: line \d+: /gm, "bash: "), have]],
	["a request beside this machine's memory", (want, have) => [want, have].map((text) => text.replace(/(oom_score_adj, its class +expected) (\d+), observed \2$/gm, "$1 N, observed N").replace(/(-> oom_score_adj <-) \d+$/gm, "$1 N"))],
	["the page's scripts/lab names the place before the lab reads a file", (want, have) => [want, have.replace(/^\S+ runs on this machine .*\n(?=\S+:\d+:\d+: )/gm, "")]],
	["the page's scripts/lab names the place before the lab refuses an option", (want, have) => [want, have.replace(/^\S+ runs on this machine .*\n(?=\S+: --)/gm, "")]],
	["a file's tabs", (want, have) => [want, have].map((text) => text.replace(/^(\d+(?:\.\d+){3})[ \t]+/gm, "$1 "))],
	["a shell that reads a script names what was killed", (want, have) => [want.replace(/^Killed +sh -c .*$/gm, "Killed"), have]],
	["one CPU: what is counted", (want, have) => [want.replace(/( CPUs +expected) 2, observed 2$/gm, "$1 1, observed 1"), have]],
	["one CPU: a check that wants two is skipped, and says so", (want, have) => {
		const skipped = [...have.matchAll(/^ {3}skip {2}(.+?)(?:\n *| {2,})there is one CPU; .*\n/gm)];
		if (!skipped.length) return [want, have];
		for (const [lines, what] of skipped) {
			have = have.replace(lines, "");
			want = want.split("\n").filter((line) => !line.startsWith(`   pass  ${what} `)).join("\n");
		}
		want = want.replace(/^ {2}[^|]*two CPUs *\|.*\n/gm, "").replace(/: pass, (\d+) checks$/m, (_, count) => `: pass, ${count - skipped.length} checks, ${skipped.length} parts skipped`);
		return [narrow(want), narrow(have)];
	}],
];

/**
 * @param {string} want the block as it stands in GUIDE.md
 * @param {string} raw what was typed and printed, in the form of such a block
 * @returns {{difference: string, used: string[]}} a diff, and why something was made alike
 */
export function beside(want, raw) {
	const marked = spawnSync(join(root, "scripts/check/transcripts"), ["--mark"], { input: `=== \n${raw}`, encoding: "utf8" });
	if (marked.status !== 0) throw new Error(`scripts/check/transcripts --mark: ${marked.stderr}`);
	let have = marked.stdout.replace(/^=== \n/, "").trimEnd();
	want = want.trimEnd();
	const used = [];
	for (const [why, rule] of RULES) {
		const alike = rule(want, have);
		if (alike[0] !== want || alike[1] !== have) used.push(why);
		[want, have] = alike;
	}
	if (want === have) return { difference: "", used };
	// What diff(1) says is easier to read than two long texts.
	const { stdout } = spawnSync("bash", ["-c", 'diff -U2 --label GUIDE.md --label here <(printf "%s\\n" "$0") <(printf "%s\\n" "$1")', want, have], { encoding: "utf8" });
	return { difference: stdout, used };
}
