// The machine in the page: it is started by the button, and what a reader sees is what its kernel did.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test as each } from "node:test";
import { axe, chromiumOnly, elsewhere, named, noMachine, notPacked, open, root, start, started } from "./helper.mjs";

const test = (name, ...rest) => each(name, { skip: noMachine, ...(rest.length > 1 && rest[0]) }, rest.at(-1));
// With MORE=1 the further lessons are run as well.
const labs = (noMachine ? [] : readdirSync(join(root, "build/i386-shared/labs")))
	.filter((name) => /^\d\d-[\w-]+$/.test(name) && (process.env.MORE || !/-more(-|$)/.test(name)) && (!named || named.some((number) => name.startsWith(number))))
	.sort();
const exercises = readdirSync(join(root, "labs")).filter((name) => /^\d\d-/.test(name) && readdirSync(join(root, "labs", name)).includes("exercise.sh") && (!named || named.some((number) => name.startsWith(number))));

const reset = (page) =>
	page.evaluate(async () => {
		await window.unboxed.reset();
	});
/** In the page: its lab to the end without a wait. The verdict, and the checks that did not pass. */
const story = (page, program, words = []) =>
	page.evaluate(
		async (lab, options) => {
			const status = await window.unboxed.all(lab, options);
			const not = [...document.querySelectorAll(".view-story .story-check:not(.pass), .view-story pre")].map((line) => line.textContent);
			return { status, end: document.querySelector(".story-end")?.textContent ?? "", not, checks: document.querySelectorAll(".story-check.pass").length };
		},
		program,
		words,
	);

test("a click starts Linux, and a person who types is answered", async () => {
	const page = await started();
	await page.waitForFunction(() => window.unboxed.shells[0]?.ready);
	const prompt = performance.now() - page.begun;
	await page.focus(".view-terminal textarea");
	await page.keyboard.type("echo $((6 * 7))\n");
	await page.waitForFunction(() => /\n42\n/.test(window.unboxed.shells[0].text));
	const bytes = await page.evaluate(() => performance.getEntriesByType("resource").reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0));
	console.log(`a prompt after ${(prompt / 1000).toFixed(1)} s, ${(bytes / 1e6).toFixed(1)} MB`);
	assert.ok(notPacked || bytes < 12e6, `${bytes} bytes`);
	assert.deepEqual(elsewhere(page), []);
	assert.deepEqual(page.wrong, []);
	await page.close();
});

test("at the prompt the page's process has at most 400 MB", chromiumOnly, async () => {
	// Of the one file all text stays in memory until the browser collects garbage, which it does when it likes.
	for (const [name, collect] of [["03-uts-ns.html", false], ["file:#03-uts-ns", true]]) {
		const page = await started(name);
		await page.waitForFunction(() => window.unboxed.shells[0]?.ready);
		const { browser } = await start();
		if (collect) {
			await (await page.createCDPSession()).send("HeapProfiler.collectGarbage");
			await new Promise((resolve) => setTimeout(resolve, 2000)); // what is freed goes back a little later
		}
		const system = await browser.target().createCDPSession();
		const { processInfo } = await system.send("SystemInfo.getProcessInfo");
		// The browser keeps a process in reserve, which is small.
		const megabytes = processInfo
			.filter(({ type }) => type === "renderer")
			.map(({ id }) => Number(/^Rss:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))[1]) / 1024);
		console.log(`${name}: ${Math.max(...megabytes).toFixed(0)} MB`);
		assert.ok(Math.max(...megabytes) <= 400, `${name}: ${megabytes} MB`);
		await page.close();
	}
});

test("a line waits for the end of the one before, also when the terminal's size changes", async () => {
	const page = await started();
	await page.waitForFunction(() => window.unboxed.shells[0]?.ready);
	await page.evaluate(() => {
		const { shells, run } = window.unboxed;
		shells[0].refit = () => {};
		shells[0].terminal.resize(71, 20);
		run({ commands: ["cd /; read -t 2 line; echo got=$line", "true | false; echo ${PIPESTATUS[*]}"] });
	});
	await page.waitForFunction(() => window.unboxed.shells[0].ready && !window.unboxed.shells[0].queue.length);
	assert.match(await page.evaluate(() => window.unboxed.shells[0].text), /\ngot=\n.*\n0 1\n/);
	// A block begins where the guide's do.
	await page.evaluate(() => window.unboxed.run({ commands: ["echo in $PWD"] }));
	await page.waitForFunction(() => /\nin \/lab\n/.test(window.unboxed.shells[0].text));
	await page.close();
});

test("reading starts nothing, and a link fills in and runs nothing", async () => {
	for (const name of ["index.html", "03-uts-ns.html", "10-oom-demo.html#predict-10-asks=error"]) {
		const page = await open(name);
		await new Promise((resolve) => setTimeout(resolve, 500));
		assert.equal(await page.evaluate(() => Boolean(window.unboxed)), false);
		assert.deepEqual(page.asked.filter((url) => /\/machine\//.test(url)), []);
		await page.close();
	}
});

test("three machines have three random numbers and boot ids, the right date, and an account of CPU time", async () => {
	const page = await started();
	const seen = new Set();
	const times = Number(process.env.RESTORES ?? 3);
	for (let i = 0; i < times; i++) {
		if (i) await reset(page);
		const { stdout } = await page.evaluate(() => window.unboxed.machine.call(3, ["cat", "/proc/sys/kernel/random/uuid", "/proc/sys/kernel/random/boot_id"]));
		for (const line of stdout.trim().split("\n")) seen.add(line);
		const date = await page.evaluate(() => window.unboxed.machine.call(3, ["date", "+%s"]));
		assert.ok(Math.abs(Number(date.stdout) - Date.now() / 1000) < 3, `${date.stdout} beside ${Date.now() / 1000}`);
		// schedstat(5): the CPU time of this very shell, in ns. It is none when the TSC is behind what the kernel has seen.
		const busy = await page.evaluate(() => window.unboxed.machine.call(3, ["sh", "-c", "i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); done; read ran rest </proc/$$/schedstat; echo $ran"]));
		assert.ok(Number(busy.stdout) > 10e6, `machine ${i + 1}: a busy shell was charged ${busy.stdout} ns`);
	}
	assert.equal(seen.size, 2 * times);
	await page.close();
});

test("a hidden tab stands still, and gets its clock back", async () => {
	const page = await started();
	const instructions = () => page.evaluate(() => window.unboxed.machine.v86.get_instruction_counter());
	const monotonic = async () => Number((await page.evaluate(() => window.unboxed.machine.call(3, ["cat", "/proc/uptime"]))).stdout.split(" ")[0]);
	const from = [await monotonic(), performance.now()];
	await page.evaluate(() => window.unboxed.hide(true));
	const before = await instructions();
	await new Promise((resolve) => setTimeout(resolve, 10000));
	assert.equal(await instructions(), before);
	await page.evaluate(() => window.unboxed.hide(false));
	const date = await page.evaluate(() => window.unboxed.machine.call(3, ["date", "+%s"]));
	assert.ok(Math.abs(Number(date.stdout) - Date.now() / 1000) < 3);
	// What a program waits for has not come meanwhile: the guest's own clock stood.
	const passed = (await monotonic()) - from[0], here = (performance.now() - from[1]) / 1000;
	assert.ok(passed >= 0 && passed < here - 8, `${passed} s for the guest, ${here} s here`);
	await page.close();
});

test("a lab by steps: its checks, its curve, and the map of what it has made", async () => {
	const page = await started("10-oom-demo.html");
	await page.click('button.run-lab[data-lab="10-oom-demo"]');
	for (let step = 0; step < 2; step++) {
		await page.waitForSelector(".story-next button.primary");
		if (step === 0) await page.click(".story-next button.primary");
	}
	await page.screenshot({ path: join(root, "build/web/screenshot.png") }); // README's, when it is copied to scripts/web
	assert.match(await page.$eval(".story-curve figcaption", (words) => words.textContent), /memory\.current: from .* of 32\.0 MiB/);
	await page.evaluate(() => window.unboxed.show("Map"));
	// Who went on while the map was looked at sees the step that came after it.
	await page.waitForFunction(() => /at step 2.*lab10-\d+\/limited/.test(document.querySelector(".view-map").textContent));
	assert.match(await page.$eval(".view-map", (view) => view.textContent), /memory: [\d.]+ MiB of 32\.0 MiB/);
	await page.evaluate(() => window.unboxed.show("Story"));
	await page.click(".story-next button:last-child");
	await page.waitForSelector(".story-end");
	assert.match(await page.$eval(".story-end", (line) => line.textContent), /^pass/);
	assert.deepEqual(page.wrong, []);
	await page.close();
});

for (const [width, dark] of [[1440, false], [360, true]])
	test(`at ${width} pixels, ${dark ? "dark" : "light"}: with each tab of the panel open there is nothing serious`, async () => {
		const page = await started("10-oom-demo.html", { width, dark });
		// Each tab has something to show: what the compiler says, a shell, a lab that waits, and its map.
		await page.evaluate(async () => {
			const { unboxed } = window;
			unboxed.exercise({ program: "10-oom-demo" });
			unboxed.editor.text = "int main(";
			await unboxed.editor.check();
			unboxed.run({ commands: ["ls --color=always /"] });
			unboxed.lab({ program: "10-oom-demo" });
		});
		await page.waitForSelector(".story-next button.primary");
		await page.$eval(".story-next button.primary", (button) => button.click());
		await page.waitForFunction(() => document.querySelector(".view-map svg, .view-map table") && document.querySelector(".story-curve"));
		const wrong = [];
		const names = await page.$$eval("[role=tab]", (tabs) => tabs.map((tab) => tab.textContent));
		assert.deepEqual(names, ["Story", "Terminal", "Map", "Editor"]);
		for (const name of names) {
			await page.evaluate((word) => window.unboxed.show(word), name);
			wrong.push(...(await axe(page)).map((text) => `${name}: ${text}`));
		}
		assert.deepEqual(wrong, []);
		assert.deepEqual(page.wrong, []);
		await page.close();
	});

test("what stands in a manifest is explained", async () => {
	const page = await open("index.html");
	page.setDefaultTimeout(180000);
	await page.$eval("#manifest", (field) => (field.value = field.value.replace("32Mi", "48Mi")));
	await page.click(".explain-run");
	await page.waitForFunction(() => document.getElementById("explained").textContent.includes(String(48 * 1048576)));
	await page.close();
});

test("each lab passes, from its first step to its last", async (t) => {
	const page = await started();
	for (const lab of labs)
		await t.test(lab, async () => {
			await reset(page);
			const began = performance.now();
			const { status, end, not, checks } = await story(page, lab);
			console.log(`${lab}: status ${status}, ${end}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
			assert.ok(status === 0 && checks > 0, `${end}\n${not.join("\n")}`);
		});
	await page.close();
});

test("each exercise: its worked example passes, and a wrong one is refused", async (t) => {
	const page = await started();
	for (const id of exercises)
		await t.test(id, async () => {
			await reset(page);
			const judge = (text) =>
				page.evaluate(
					async (program, source) => {
						window.unboxed.exercise({ program });
						const { editor } = window.unboxed;
						editor.text = source;
						await editor.check();
						return { passed: editor.passed, words: editor.words.textContent, checks: [...editor.results.children].map((line) => line.textContent) };
					},
					id,
					text,
				);
			const solution = await page.evaluate((program) => window.unboxed.tasks.get(program).solution, id);
			const right = await judge(solution);
			assert.ok(right.passed, JSON.stringify(right));
			const source = await page.evaluate((program) => window.unboxed.tasks.get(program).source, id);
			const wrong = await judge(source);
			assert.ok(!wrong.passed && /Why:|does not compile/.test(wrong.words), JSON.stringify(wrong));
		});
	await page.close();
});

test("an exercise that is typed, key by key, passes, and is there again after a reload", { skip: noMachine }, async (t) => {
	for (const id of ["03-uts-ns", "05-user-ns", "11-time-ns"].filter((name) => exercises.includes(name)))
		await t.test(id, async () => {
			const page = await started(`${id}.html`);
			await page.$eval(".run-exercise", (button) => button.click());
			await page.waitForSelector(".cm-content");
			const { source, solution } = await page.evaluate((program) => window.unboxed.tasks.get(program), id);
			// The lines that the hole lacks, typed below its YOUR TURN. Indentation is the editor's.
			const old = source.split("\n"), now = solution.split("\n"), at = old.findIndex((line) => line.includes("YOUR TURN"));
			const lines = now.slice(at + 1, now.length - (old.length - at - 1));
			await page.evaluate((line) => {
				const { view } = window.unboxed.editor;
				view.dispatch({ selection: { anchor: view.state.doc.line(line).to }, scrollIntoView: true });
				view.focus();
			}, at + 1);
			for (const line of lines) await page.keyboard.type(`\n${line.trim()}`);
			await page.keyboard.press("Escape");
			await page.evaluate(() => window.unboxed.editor.check());
			const words = await page.$eval(".words", (element) => element.textContent);
			assert.match(words, /^pass/, `${words}\n${await page.evaluate(() => window.unboxed.editor.text)}`);
			await page.reload();
			await page.$eval(".run-exercise", (button) => button.click());
			await page.waitForFunction((line) => window.unboxed?.editor.text.includes(line), {}, lines[0].trim());
			await page.close();
		});
});

test("it works with the network cut after it has been loaded, and after a reload", async () => {
	const page = await started();
	await page.waitForFunction(() => window.unboxedKept);
	await page.setOfflineMode(true);
	assert.equal((await story(page, "03-uts-ns")).status, 0);
	await page.reload();
	await page.click(".panel-go");
	await page.waitForFunction(() => window.unboxed);
	assert.equal((await story(page, "03-uts-ns")).status, 0);
	await page.close();
});

test("in the one file, by file://, Linux starts and a lab passes", async () => {
	const page = await started("file:#03-uts-ns");
	assert.equal((await story(page, "03-uts-ns")).status, 0);
	assert.deepEqual(page.wrong, []);
	assert.deepEqual(elsewhere(page), []);
	await page.close();
});
