// What the tests of the pages share: the site behind a server below a sub-path, and a browser that sees every request.
// SITE=FOLDER and SINGLE=FILE name others than those of the build, so that a check can be seen to fail.
// BROWSER=firefox takes Debian's firefox-esr.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { after, test as each } from "node:test";
import { serve } from "../../scripts/web/serve.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const site = process.env.SITE ?? join(root, "build/site");
export const single = process.env.SINGLE ?? join(root, "build/unboxed.html");
const require = createRequire(join(root, "build/web/package.json"));
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds that is serious or critical. */
export async function axe(page) {
	await page.evaluate(axeSource);
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
	return found.violations
		.filter(({ impact }) => impact === "serious" || impact === "critical")
		.map(({ id, nodes }) => `${id}: ${nodes.length} times, first ${nodes[0].target} ${nodes[0].failureSummary}`);
}

export const firefox = process.env.BROWSER === "firefox";
/** What Firefox cannot be told to do by its protocol. */
export const chromiumOnly = { skip: firefox && "Firefox has no command for it" };

/** Why what needs the machine is not tried, or false: the site may have been built without it. */
export const noMachine = !existsSync(join(site, "sw.js")) && "the site was built without its machine";
/** Why the machine's size is not what is published, or false: ZSTD_LEVEL= builds faster. */
const level = join(root, "build/web/machine/level");
export const notPacked = noMachine || (Number(existsSync(level) && readFileSync(level, "utf8")) < 19 && "the machine was packed with a lower ZSTD_LEVEL");

/** The files of the site, relative to it. */
export const files = readdirSync(site, { recursive: true, withFileTypes: false })
	.map(String)
	.sort();
export const pages = files.filter((name) => name.endsWith(".html"));
/** Without the sources, of which one stands for all. */
export const texts = pages.filter((name) => !name.startsWith("source/") || name === "source/03-uts-ns-main.html");
export const chapters = pages.filter((name) => readFileSync(join(site, name), "utf8").includes('<body class="chapter"'));

/** A lab takes minutes where the computer is busy. */
const PATIENCE = 600000;

let running;
/** One server and one browser a test file, ended with it. */
export function start() {
	running ??= (async () => {
		const puppeteer = require("puppeteer-core");
		const server = await serve({ folder: site, base: "/some/where/" });
		const browser = await puppeteer.launch(
			firefox
				? { browser: "firefox", executablePath: "/usr/bin/firefox-esr", protocolTimeout: PATIENCE }
				: // Chromium's sandbox does not work as root.
					{ executablePath: "/usr/bin/chromium", protocolTimeout: PATIENCE, args: process.getuid() === 0 ? ["--no-sandbox"] : [] },
		);
		return { server, browser };
	})();
	return running;
}
after(async () => {
	if (!running) return;
	const { server, browser } = await running;
	await browser.close();
	server.close();
});

/**
 * A page that is open. What it asked for and what went wrong is kept in page.asked and page.wrong.
 * @param {string} name of the page, with a fragment, or file:// for the one file
 */
export async function open(name, { width = 1440, height = 900, dark = false, scripts = true } = {}) {
	const { server, browser } = await start();
	const page = await browser.newPage();
	page.asked = [];
	page.wrong = [];
	page.on("request", (request) => page.asked.push(request.url()));
	page.on("requestfailed", (request) => page.wrong.push(`${request.url()}: ${request.failure()?.errorText}`));
	page.on("response", (response) => response.status() >= 400 && page.wrong.push(`${response.url()}: status ${response.status()}`));
	page.on("pageerror", (error) => page.wrong.push(error.message));
	page.on("console", (message) => message.type() === "error" && page.wrong.push(message.text()));
	if (!scripts) await page.setJavaScriptEnabled(false);
	if (!firefox) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
	await page.setViewport({ width, height });
	page.home = name.startsWith("file:") ? pathToFileURL(single).href : server.address;
	await page.goto(name.startsWith("file:") ? page.home + name.slice(5) : server.address + name, { waitUntil: "load" });
	// Keys go to the page, and the focus is seen, once its window has the focus.
	if (firefox) await page.bringToFront().then(() => page.waitForFunction(() => document.hasFocus()));
	return page;
}

/** A page whose machine runs. */
export async function started(name = "03-uts-ns.html", size = {}) {
	const page = await open(name, size);
	page.setDefaultTimeout(180000);
	page.begun = performance.now();
	await page.click(".panel-go");
	await page.waitForFunction(() => window.unboxed);
	return page;
}
/** A test that is left out, with the reason, where the site has no machine. */
export const withMachine = (name, ...rest) => each(name, { skip: noMachine, ...(rest.length > 1 && rest[0]) }, rest.at(-1));
/** In the page: its machine as at the beginning. */
export const reset = (page) =>
	page.evaluate(async () => {
		await window.unboxed.reset();
	});
/** In the page: its lab to the end without a wait. The verdict, and the checks that did not pass. */
export const story = (page, program, words = []) =>
	page.evaluate(
		async (lab, options) => {
			const status = await window.unboxed.all(lab, options);
			const not = [...document.querySelectorAll(".view-story .story-check:not(.pass), .view-story pre")].map((line) => line.textContent);
			return { status, end: document.querySelector(".story-end")?.textContent ?? "", not, checks: document.querySelectorAll(".story-check.pass").length };
		},
		program,
		words,
	);

/** LABS="03 10" names the labs and the chapters that are tried; without it all of them. */
export const named = process.env.LABS?.split(/\s+/).filter(Boolean);

/** Requests of the page that do not stay with it. */
export const elsewhere = (page) => page.asked.filter((url) => !url.startsWith(page.home) && !/^(data|blob):/.test(url));

export const shortName = (path) => relative(root, path);
