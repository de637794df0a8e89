// node keys.mjs SLIDES RECORDING: what a browser of 1280 x 800 makes of these two pages; prints what is wrong.
// Either may be missing (-).
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const puppeteer = createRequire(new URL("../../build/web/package.json", import.meta.url))("puppeteer-core");
const browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
const [slides, recording] = process.argv.slice(2);
const page = await browser.newPage();
await page.setViewport({ width: 1280, height: 800 });
if (slides !== "-") {
	await page.goto(String(pathToFileURL(slides)));
	await page.waitForFunction("window.Reveal && Reveal.isReady()");
	const state = () =>
		page.evaluate(() => {
			const { h, v } = Reveal.getIndices();
			return `dark ${document.documentElement.classList.contains("dark")}, paused ${Reveal.isPaused()}, slide ${h}.${v}`;
		});
	for (const [key, want] of [
		["l", "dark false, paused false, slide 0.0"],
		["b", "dark true, paused false, slide 0.0"],
		["b", "dark true, paused false, slide 0.0"],
		["l", "dark false, paused false, slide 0.0"],
		["ArrowRight", "dark false, paused false, slide 1.0"],
	]) {
		await page.keyboard.press(key);
		const found = await state();
		if (found !== want) console.log(`key ${key}: expected ${want}, found ${found}`);
	}
	await page.screenshot({ path: `${slides}.png` });
}
if (recording !== "-") {
	await page.goto(String(pathToFileURL(recording)));
	const bar = await page.waitForSelector(".ap-control-bar");
	await page.waitForFunction('document.querySelector(".ap-term, .ap-terminal")?.clientHeight > 100');
	await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
	const { y, height } = await bar.boundingBox();
	if (y + height > 800) console.log(`the controls end ${Math.round(y + height)} pixels below the upper edge: expected at most 800`);
	await page.screenshot({ path: `${recording}.png` });
}
await browser.close();
