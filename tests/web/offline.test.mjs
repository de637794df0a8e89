// With the server gone after the first visit.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { serve } from "../../scripts/web/serve.mjs";
import { site, start } from "./helper.mjs";

test("after one visit the course opens again without a network: pages, diagrams, the search", { skip: !existsSync(join(site, "sw.js")) && "the site was built without the machine, which brings the service worker" }, async () => {
	const { browser } = await start();
	const { address, close } = await serve({ folder: site, base: "/some/where/" });
	const context = await browser.createBrowserContext();
	const page = await context.newPage();
	const wrong = [];
	page.on("pageerror", (error) => wrong.push(error.message));
	await page.goto(address);
	await page.evaluate(async () => {
		const { active } = await navigator.serviceWorker.ready;
		if (active.state !== "activated") await new Promise((done) => active.addEventListener("statechange", () => active.state === "activated" && done()));
	});
	close();
	await assert.rejects(fetch(address), "the server is gone");
	await page.reload();
	assert.match(await page.title(), /Unboxed/);
	await page.goto(`${address}14-overlay-fs.html`);
	assert.match(await page.title(), /14-overlay-fs: Layers/);
	assert.equal(await page.$eval(".diagram img", (image) => image.complete && image.naturalWidth > 0), true);
	await page.keyboard.press("/");
	await page.keyboard.type("whiteout");
	await page.waitForSelector("#search .results a");
	await page.goto(address);
	assert.match(await page.$eval("h1", (heading) => heading.textContent), /What is a container/);
	assert.deepEqual(wrong, []);
	await context.close();
});
