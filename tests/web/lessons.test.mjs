// Lessons in the page's machine: labs, by steps and to their end, and what a manifest means.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { named, noMachine, open, reset, root, started, story, withMachine as test } from "./helper.mjs";

// With MORE=1 the further lessons are run as well.
const labs = (noMachine ? [] : readdirSync(join(root, "build/i386-shared/labs")))
	.filter((name) => /^\d\d-[\w-]+$/.test(name) && (process.env.MORE || !/-more(-|$)/.test(name)) && (!named || named.some((number) => name.startsWith(number))))
	.sort();

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
