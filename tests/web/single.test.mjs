// The one file, opened by file://.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, chapters, chromiumOnly, elsewhere, open } from "./helper.mjs";

const shown = (page) => page.$$eval("section.chapter", (list) => list.filter((section) => section.checkVisibility()).map((section) => section.id));

test("it shows a chapter at a time, by its address, and asks for nothing", async () => {
	const page = await open("file:");
	assert.deepEqual(await shown(page), ["index"]);
	await page.evaluate(() => (location.hash = "#predict-10-asks"));
	await page.waitForFunction(() => document.title.startsWith("Exit 137"));
	assert.deepEqual(await shown(page), ["10-oom-demo"]);
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press("ArrowRight");
	await page.waitForFunction(() => location.hash === "#three-meanings-of-quota");
	assert.deepEqual(await shown(page), ["three-meanings-of-quota"]);
	assert.deepEqual(page.asked.filter((url) => !url.startsWith("data:") && url !== page.home), []);
	assert.deepEqual(page.wrong, []);
	assert.deepEqual(elsewhere(page), []);
	await page.close();
});

test("a place in a transcript leads to its line of the source", async () => {
	const page = await open("file:#step-03-1");
	const link = await page.$("#03-uts-ns figure.story a.source".replace("#0", "#\\30 "));
	const hash = await link.evaluate((element) => element.hash);
	await link.evaluate((element) => element.click());
	await page.waitForFunction((wanted) => location.hash === wanted, {}, hash);
	assert.deepEqual(await shown(page), ["03-uts-ns-main"]);
	assert.match(await page.$eval(":target", (line) => line.textContent), /unshare\(CLONE_NEWUTS\)/);
	await page.close();
});

test("the search finds without a file beside it", async () => {
	const page = await open("file:");
	await page.keyboard.press("/");
	await page.keyboard.type("copy-up");
	await page.waitForSelector("#search .results a");
	await page.keyboard.press("Enter");
	await page.waitForFunction(() => location.hash !== "");
	const [id] = await shown(page);
	assert.ok(id, "a chapter is shown");
	assert.equal(await page.$eval("#search", (dialog) => dialog.open), false);
	await page.close();
});

test("without scripts every chapter is there to read", chromiumOnly, async () => {
	const page = await open("file:", { scripts: false, width: 800 });
	const list = await shown(page);
	for (const name of chapters) assert.ok(list.includes(name.replace(".html", "")), name);
	await page.close();
});

test("axe-core finds nothing serious in it, and at 360 pixels it is no wider", async () => {
	for (const hash of ["#index", "#03-uts-ns", "#17-pod"]) {
		const page = await open(`file:${hash}`, { width: 360, dark: true });
		assert.deepEqual(await axe(page), [], hash);
		assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, hash);
		await page.close();
	}
});
