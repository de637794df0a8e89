// Every page in a browser: what it asks for, what axe-core finds, that it fits, and that it can be read without a script.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { axe, chromiumOnly, elsewhere, open, root, texts } from "./helper.mjs";

const shots = join(root, "build/shots");
mkdirSync(shots, { recursive: true });

for (const [width, dark] of [[1440, false], [360, true], [800, true]])
	test(`at ${width} pixels, ${dark ? "dark" : "light"}: nothing serious, nothing from elsewhere, nothing wider than the page`, async () => {
		const wrong = [];
		for (const name of texts) {
			const page = await open(name, { width, dark, height: 900 });
			wrong.push(...(await axe(page)).map((text) => `${name}: ${text}`));
			wrong.push(...page.wrong.map((text) => `${name}: ${text}`));
			wrong.push(...elsewhere(page).map((url) => `${name}: asked for ${url}`));
			const wide = await page.evaluate(() => document.documentElement.scrollWidth);
			if (wide > width) wrong.push(`${name}: is ${wide} wide`);
			wrong.push(...(await levels(page)).map((text) => `${name}: ${text}`));
			await page.close();
		}
		assert.deepEqual(wrong, []);
	});

/** Headings that skip a level: a screen reader's list of them has a hole there. */
const levels = (page) =>
	page.$$eval("h1, h2, h3, h4, h5", (list) =>
		list
			.filter((heading, at) => at > 0 && Number(heading.tagName[1]) > Number(list[at - 1].tagName[1]) + 1)
			.map((heading) => `${heading.tagName} ${heading.textContent} skips a level`),
	);

test("at 320 pixels, which is a page of 1280 at four times its size, no page is wider", async () => {
	const wrong = [];
	for (const name of texts) {
		const page = await open(name, { width: 320 });
		const wide = await page.evaluate(() => document.documentElement.scrollWidth);
		if (wide > 320) wrong.push(`${name}: is ${wide} wide`);
		await page.close();
	}
	assert.deepEqual(wrong, []);
});

test("with the search open, the contents open, or a question answered there is nothing serious either", async () => {
	const states = {
		search: async (page) => {
			await page.keyboard.press("/");
			await page.keyboard.type("memory");
			await page.waitForSelector("#search .results a");
		},
		contents: (page) => page.click("#contents-open"),
		answer: async (page) => {
			await page.$eval(".question input[data-why]:not([data-why=''])", (input) => input.click());
			await page.$eval(".question button", (button) => button.click());
			await page.$$eval("details", (list) => list.forEach((details) => (details.open = true)));
		},
		buttons: (page) => page.$$eval("button", (list) => list.forEach((button) => (button.hidden = false))),
	};
	const wrong = [];
	for (const [state, reach] of Object.entries(states))
		for (const dark of [false, true]) {
			const page = await open("10-oom-demo.html", { width: 360, dark });
			await reach(page);
			wrong.push(...(await axe(page)).map((text) => `${state}, ${dark ? "dark" : "light"}: ${text}`));
			await page.close();
		}
	assert.deepEqual(wrong, []);
});

test("without scripts the text is there, no button is, and the contents can be reached", chromiumOnly, async () => {
	const wrong = [];
	for (const name of ["index.html", "03-uts-ns.html", "10-oom-demo.html", "symptom-index.html"]) {
		const page = await open(name, { width: 360, scripts: false });
		const seen = await page.evaluate(() => ({
			words: document.querySelector("main").innerText.split(/\s+/).length,
			buttons: [...document.querySelectorAll("button")].filter((button) => button.checkVisibility()).map((button) => button.textContent),
			answers: [...document.querySelectorAll("details.answer")].filter((details) => !details.checkVisibility()).length,
			contents: document.body.className.includes("index") || document.querySelector("#contents").checkVisibility(),
		}));
		if (seen.words < 200) wrong.push(`${name}: ${seen.words} words`);
		if (seen.buttons.length) wrong.push(`${name}: buttons ${seen.buttons}`);
		if (seen.answers) wrong.push(`${name}: ${seen.answers} answers that nobody can open`);
		if (!seen.contents) wrong.push(`${name}: no contents`);
		await page.close();
	}
	assert.deepEqual(wrong, []);
});

test("the page to print has every chapter, its answers open, and what is only for a screen is left out", chromiumOnly, async () => {
	const page = await open("print.html");
	await page.emulateMediaType("print");
	const seen = await page.evaluate(() => ({
		chapters: document.querySelectorAll("section.chapter").length,
		closed: document.querySelectorAll("details:not([open])").length,
		buttons: [...document.querySelectorAll("button, .top, .foot")].filter((part) => part.checkVisibility()).length,
	}));
	const { chapters } = await import("./helper.mjs");
	assert.deepEqual(seen, { chapters: chapters.length, closed: 0, buttons: 0 });
	const pdf = await page.pdf({ format: "A4" });
	const sheets = (Buffer.from(pdf).toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
	assert.ok(sheets > 60 && sheets < 300, `${sheets} sheets`);
	await page.close();
});

test("screenshots at 360, 800 and 1440 pixels, light and dark", chromiumOnly, async () => {
	let count = 0;
	for (const name of ["index.html", "03-uts-ns.html", "10-oom-demo.html", "symptom-index.html", "licenses.html", "source/03-uts-ns-main.html"])
		for (const width of [360, 800, 1440])
			for (const dark of [false, true]) {
				const page = await open(name, { width, dark, height: width === 360 ? 740 : 900 });
				const file = join(shots, `${name.replace(/\.html$/, "").replace("/", "-")}-${width}-${dark ? "dark" : "light"}.png`);
				const picture = await page.screenshot({ path: file });
				const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
				const bright = Number(/\d+/.exec(paper)[0]) > 128;
				assert.equal(bright, !dark, `${file}: ${paper}`);
				if (picture.length > 5000) count++;
				await page.close();
			}
	assert.equal(count, 36);
});
