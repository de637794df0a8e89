// The machine in the page: it is started by the button, and what a reader sees is what its kernel did.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chromiumOnly, elsewhere, notPacked, open, reset, start, started, story, withMachine as test } from "./helper.mjs";

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
