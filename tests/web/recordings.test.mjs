// A recording plays in its chapter, of the site and of the one file; what is no such recording is named and left out.
// The pages are built here, without a machine, from a tree with recordings of its own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { embedded } from "../../scripts/web/recordings.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const tree = mkdtempSync(join(tmpdir(), "unboxed-recordings-"));
process.env.SITE = join(tree, "build/site");
process.env.SINGLE = join(tree, "build/unboxed.html");
const options = { skip: !existsSync(join(root, "build/class-npm/fetched")) && "asciinema-player is missing (make setup-class)" };
const html = '<img src="https://example.org/x.png"><script>window.bad = true</script>';
const lines = [
	{ version: 2, width: 100, height: 30, title: html },
	[0.1, "o", "$ make lab-03\r\n\x1b[1m1. The first act.\r\n\x1b[0m  ▁▁\x1b[K\r\n  0\x1b[K\r\n"],
	[0.4, "o", "\x1b[2A  ▁█\x1b[K\r\n  1\x1b[K\r\n\x1b[32mpass\x1b[0m\r\n\x1b[1m2. The second act.\r\n\x1b[0mB\r\n"],
	[0.8, "o", "\x1b[1m3. The third act.\r\n\x1b[0m"],
	[1.2, "o", `${html}</script>\r\nthe end\r\n`],
];
const write = (path, ...content) => writeFileSync(path, content.map((line) => `${JSON.stringify(line)}\n`).join(""));
/** Each stands under the name of another lab. */
const hostile = [
	["line 1: expected JSON", (path) => writeFileSync(path, "\0\x7fELF")],
	["line 3: expected JSON", (path) => writeFileSync(path, `${JSON.stringify(lines[0])}\n${JSON.stringify(lines[1])}\n[0.5, "o`)],
	["expected version 2 of asciinema's format, found 3", (path) => write(path, { version: 3, term: { cols: 80, rows: 24 } })],
	["expected at most 1048576 bytes, found 104857600", (path) => { write(path); truncateSync(path, 100 << 20); }],
	['found the control character "\\u001b"', (path) => write(path, lines[0], [0, "o", "\x1b]"], [1, "o", "0;a title\x1b\\"])],
	['found the control character "\\u001b"', (path) => write(path, lines[0], [0, "o", "\x1b]52;c;cm0gLXJm\x07"])],
	["found the control character", (path) => write(path, lines[0], [0, "o", "\x9d0;a title\x9c"])],
	['line 2: expected [SECONDS, "o", TEXT]', (path) => write(path, lines[0], [0, "o", { toString: 1 }])],
	["line 3: expected [SECONDS", (path) => write(path, lines[0], [2, "o", "a"], [1, "o", "b"])],
	["expected a terminal of at most 200 x 200, found 1000000 x 30", (path) => write(path, { ...lines[0], width: 1e6 })],
	["expected a file, found something else", (path) => symlinkSync("/etc/passwd", path)],
].map(([words, make], at) => ({ name: `${readdirSync(join(root, "labs")).filter((id) => id !== "03-uts-ns")[at]}.cast`, words, make }));
hostile.push({ name: "nosuch.cast", words: "expected the name of a lab", make: (path) => write(path, ...lines) });
let said, helper;
if (!options.skip) {
	mkdirSync(join(tree, "build/recordings"), { recursive: true });
	cpSync(join(root, "scripts/web"), join(tree, "scripts/web"), { recursive: true });
	for (const path of ["GUIDE.md", "README.md", "LICENSE", "labs", "build/labs", "build/web", "build/class-npm"]) symlinkSync(join(root, path), join(tree, path));
	write(join(tree, "build/recordings/03-uts-ns.cast"), ...lines);
	for (const { name, make } of hostile) make(join(tree, "build/recordings", name));
	const built = spawnSync(process.execPath, [join(tree, "scripts/web/build.mjs"), "--machine=no"], { encoding: "utf8", timeout: 300_000 });
	assert.equal(built.status, 0, built.stderr);
	said = built.stderr;
	// Its hook, which ends the browser, belongs to the file and to no test.
	helper = await import("./helper.mjs");
}
after(() => rmSync(tree, { recursive: true, force: true }));

const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
async function opened(name, size) {
	const page = await helper.open(name, size);
	const block = `${name.startsWith("file:") ? "section.shown " : ""}.recording`;
	await page.focus(`${block} summary`);
	await page.keyboard.press("Enter");
	await page.waitForSelector(`${block} .ap-line`);
	return { page, block };
}

for (const name of ["03-uts-ns.html", "file:#03-uts-ns"])
	test(`${name}: by keys it steps, goes back, plays to its end, and again`, options, async () => {
		const { page, block } = await opened(name);
		const press = async (words) => {
			await page.evaluate((of, wanted) => [...document.querySelectorAll(`${of} button`)].find((button) => button.textContent === wanted).focus(), block, words);
			await page.keyboard.press("Enter");
		};
		const says = (wanted) => page.waitForFunction((of, words) => document.querySelector(`${of} [role=status]`).textContent === words, { timeout: 10_000 }, block, wanted);
		const screen = () => text(page, `${block} .ap-terminal`);
		/** A screen is drawn a moment after the words beside it. */
		const shows = async (wanted, not) => {
			const until = Date.now() + 10_000;
			while (!(wanted.test(await screen()) && !not?.test(await screen())) && Date.now() < until) await new Promise((done) => setTimeout(done, 50));
			assert.match(await screen(), wanted);
			if (not) assert.doesNotMatch(await screen(), not);
		};
		await says("The beginning");
		await press("Next step");
		await says("Step 1 of 3: The first act.");
		await shows(/  1 .*pass/s, /second/);
		await press("Next step");
		await says("Step 2 of 3: The second act.");
		await shows(/2\. The second act\.\s*B/, /third/);
		await press("Previous step");
		await says("Step 1 of 3: The first act.");
		await shows(/pass/, /second/);
		for (const word of ["Play", "Play again"]) {
			await press(word);
			await page.waitForFunction((of) => document.querySelector(`${of} button`).textContent === "Pause", { timeout: 10_000 }, block);
			await page.waitForFunction((of) => document.querySelector(`${of} button`).textContent === "Play again", { timeout: 10_000 }, block);
			await says("Step 3 of 3: The third act.");
			await shows(/the end/);
		}
		assert.ok((await screen()).includes(`${html}</script>`), "HTML is words");
		assert.equal(await page.evaluate(() => window.bad), undefined);
		assert.deepEqual([page.wrong, helper.elsewhere(page)], [[], []]);
		await page.close();
	});

for (const name of ["03-uts-ns.html", "file:#03-uts-ns"])
	for (const [width, dark] of [[360, true], [1440, false]])
		test(`${name}: at ${width} pixels it has its text, is no wider, and axe-core finds nothing serious`, options, async () => {
			const { page, block } = await opened(name, { width, dark });
			await page.click(`${block} details summary`);
			assert.equal(await text(page, `${block} pre.drawing`), `$ make lab-03\n1. The first act.\n  ▁█\n  1\npass\n2. The second act.\nB\n3. The third act.\n${html}</script>\nthe end\n`);
			assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width);
			assert.ok((await page.$eval(`${block} .ap-line`, (line) => parseFloat(getComputedStyle(line).fontSize))) >= 9, "letters that can be read");
			assert.deepEqual(await helper.axe(page), []);
			await page.close();
		});

test("what is no such recording is left out by its name, and its chapter is as it was", options, () => {
	for (const { name, words } of hostile) {
		const line = said.split("\n").find((each) => each.startsWith(`site: build/recordings/${name} is left out: `));
		assert.ok(line?.includes(words), `${name}: ${line}`);
	}
	assert.deepEqual(readdirSync(join(tree, "build/site/recordings")), ["03-uts-ns.js", "player.js"]);
	const having = helper.pages.filter((page) => readFileSync(join(helper.site, page), "utf8").includes('class="recording"'));
	assert.deepEqual(having, ["03-uts-ns.html", "print.html"]);
	assert.match(readFileSync(join(helper.site, "licenses.html"), "utf8"), /asciinema-player.*solid-js/s);
});

test("in the one file what has no room is left to the folder, and has no button", options, async () => {
	const files = new Map([["player", "p".repeat(1000)], ["03-uts-ns", "x"], ["another", "y"]]);
	const heard = [];
	const say = (line) => heard.push(line);
	const whole = embedded({ files }, 1e6, say);
	assert.deepEqual(heard, []);
	assert.equal(embedded({ files }, whole.length, say), whole);
	assert.doesNotMatch(embedded({ files }, whole.length - 1, say), /another/);
	assert.deepEqual(heard.splice(0), ["site: build/unboxed.html has no room for the recording of another; build/site has it"]);
	assert.equal(embedded({ files }, 10, say), "");
	assert.deepEqual(heard, ["site: build/unboxed.html has no room for recordings; build/site has it"]);
	writeFileSync(helper.single, readFileSync(helper.single, "latin1").replace('id="recording-03-uts-ns"', 'id="nothing"'), "latin1");
	const page = await helper.open("file:#03-uts-ns");
	assert.deepEqual(await page.$$eval(".recording", (list) => list.map(({ hidden }) => hidden)), [true]);
	await page.close();
});
