// What a reader does: Tab through a page, answer, search, turn the page with arrows, press what starts a machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { elsewhere, open } from "./helper.mjs";

const tabbable = "a[href], button, input, textarea, summary, [tabindex='0']";

/** Presses Tab through the page; returns what should have been reached and was not, and what had no visible focus. */
async function walk(page) {
	const expected = await page.evaluate((selector) => {
		const groups = new Set();
		let number = 0;
		for (const element of document.querySelectorAll(selector)) {
			if (!element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) || element.tabIndex < 0 || element.disabled) continue;
			// Of radio buttons with one name the Tab key reaches one; arrows reach the others.
			if (element.type === "radio" && groups.has(element.name)) continue;
			if (element.type === "radio") groups.add(element.name);
			element.dataset.stop = String(number++);
		}
		return number;
	}, tabbable);
	const reached = new Set();
	const blind = [];
	for (let presses = 0; presses < expected + 10; presses++) {
		await page.keyboard.press("Tab");
		const at = await page.evaluate(() => {
			const element = document.activeElement;
			const style = getComputedStyle(element);
			return { stop: element.dataset?.stop, name: element.outerHTML.slice(0, 80), seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, body: element === document.body };
		});
		if (at.body) continue;
		// From the last stop the key leaves the page, and comes back to what was judged before.
		const key = at.stop === undefined ? at.name : Number(at.stop);
		if (reached.has(key)) continue;
		reached.add(key);
		if (!at.seen) blind.push(at.name);
	}
	const missed = [];
	for (let stop = 0; stop < expected; stop++)
		if (!reached.has(stop)) missed.push(await page.evaluate((n) => document.querySelector(`[data-stop="${n}"]`).outerHTML.slice(0, 90), stop));
	return { expected, missed, blind };
}

for (const [name, width] of [["index.html", 1440], ["03-uts-ns.html", 1440], ["10-oom-demo.html", 360], ["symptom-index.html", 800], ["licenses.html", 360]])
	test(`the Tab key reaches everything on ${name} at ${width} pixels, and its place is seen`, async () => {
		const page = await open(name, { width });
		const { expected, missed, blind } = await walk(page);
		assert.ok(expected > 8, `expected some stops, found ${expected}`);
		assert.deepEqual(missed, []);
		assert.deepEqual(blind, []);
		await page.close();
	});

test("a block that scrolls only beside the panel is a stop of the Tab key then", async () => {
	const page = await open("04-ipc-ns.html");
	const panel = async (shown) => {
		await page.evaluate((yes) => {
			document.querySelector("#panel").hidden = !yes;
			document.body.classList.toggle("with-panel", yes);
		}, shown);
		// Each block that scrolls is a stop, and no other.
		await page.waitForFunction(
			() => [...document.querySelectorAll("main pre")].every((block) => (block.tabIndex === 0) === (block.scrollWidth > block.clientWidth || block.scrollHeight > block.clientHeight)),
			{ timeout: 5000 },
		);
		return page.$$eval("main pre[tabindex='0']", (list) => list.length);
	};
	const alone = await panel(false);
	assert.ok((await panel(true)) > alone, "the text is narrower beside the panel");
	await page.close();
});

test("the first stop is the link that skips to the text", async () => {
	const page = await open("03-uts-ns.html");
	await page.keyboard.press("Tab");
	assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the text");
	await page.keyboard.press("Enter");
	assert.equal(await page.evaluate(() => document.activeElement.id), "text");
	await page.close();
});

test("a question is answered by keys, and told in words", async () => {
	const page = await open("10-oom-demo.html");
	const form = "#predict-10-asks";
	const verdict = () => page.$eval(`${form} .verdict`, (element) => [...element.children].map((line) => line.textContent));
	assert.equal(await page.$eval(`${form} .verdict`, (element) => element.getAttribute("role")), "status");
	await page.focus(`${form} button`);
	await page.keyboard.press("Enter");
	assert.deepEqual(await verdict(), ["Choose one first; a guess is fine."]);
	await page.focus(`${form} input`);
	await page.keyboard.press(" ");
	await page.keyboard.press("Enter");
	const [said, happens, why] = await verdict();
	assert.match(said, /^You said: ENOMEM: that is more than the limit\.$/);
	assert.match(happens, /^What happens: an address, as without a limit\.$/);
	assert.match(why, /^Why: mmap\(\) hands out addresses only\. /);
	await page.focus(`${form} input`);
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	assert.deepEqual(await verdict(), ["You predicted it: an address, as without a limit."]);
	await page.close();
});

test("the address of a question fills in an answer, and checks nothing", async () => {
	const page = await open("10-oom-demo.html#predict-10-view=limit");
	assert.equal(await page.$eval("#predict-10-view input:checked", (input) => input.value), "limit");
	assert.equal(await page.$eval("#predict-10-view .verdict", (element) => element.textContent), "");
	await page.close();
});

test("the search finds a symptom, a part and a call, by keys alone", async () => {
	for (const [words, wanted] of [
		["address already in use", /symptom-index\.html#symptom-address-already-in-use$/],
		["copy-up", /14-overlay-fs\.html/],
		["memory.events", /10-oom-demo\.html/],
		["hostnam", /03-uts-ns\.html/],
	]) {
		const page = await open("05-user-ns.html");
		await page.keyboard.press("/");
		await page.keyboard.type(words);
		await page.waitForSelector("#search .results a");
		await new Promise((done) => setTimeout(done, 150));
		const links = await page.$$eval("#search .results a", (list) => list.slice(0, 5).map((link) => link.href));
		assert.ok(links.some((link) => wanted.test(link)), `${words}: ${links.join(" ")}`);
		await page.keyboard.press("ArrowDown");
		const [href] = await Promise.all([page.evaluate(() => document.activeElement.href), page.waitForNavigation(), page.keyboard.press("Enter")]);
		assert.equal(page.url(), href);
		assert.deepEqual(page.wrong, []);
		assert.deepEqual(elsewhere(page), []);
		await page.close();
	}
});

test("what is not there is not found", async () => {
	const page = await open("05-user-ns.html");
	await page.keyboard.press("s");
	await page.keyboard.type("xylophone");
	await page.waitForFunction(() => document.querySelector("#search .found").textContent !== "");
	assert.equal(await page.$eval("#search .found", (line) => line.textContent), "No places");
	await page.keyboard.press("Escape");
	assert.equal(await page.$eval("#search", (dialog) => dialog.open), false);
	await page.close();
});

test("the arrows turn the page, and do not where a field, a block or the panel has the focus", async () => {
	const page = await open("01-pid-ns.html");
	await Promise.all([page.waitForNavigation(), page.keyboard.press("ArrowRight")]);
	assert.match(page.url(), /02-mnt-ns\.html$/);
	await Promise.all([page.waitForNavigation(), page.keyboard.press("ArrowLeft")]);
	assert.match(page.url(), /01-pid-ns\.html$/);
	const here = page.url();
	await page.evaluate(() => {
		const panel = document.querySelector("#panel");
		panel.hidden = false;
		panel.innerHTML = '<div class="xterm"><textarea id="typed"></textarea><button id="pressed">x</button></div>';
	});
	for (const [selector, keys] of [["#typed", ["ArrowRight", "s", "/"]], ["#pressed", ["ArrowRight", "s", "/"]], [".question input", ["ArrowRight", "ArrowLeft", "s", "/"]]]) {
		await page.focus(selector);
		for (const key of keys) await page.keyboard.press(key);
		await new Promise((done) => setTimeout(done, 200));
		assert.equal(page.url(), here, selector);
		assert.equal(await page.$("#search"), null, `${selector}: the search opened`);
	}
	assert.equal(await page.$eval("#typed", (field) => field.value), "s/");
	for (const modifier of ["Control", "Alt", "Meta"]) {
		await page.evaluate(() => document.activeElement.blur());
		await page.evaluate((name) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, [{ Control: "ctrlKey", Alt: "altKey", Meta: "metaKey" }[name]]: true })), modifier);
	}
	assert.equal(page.url(), here);
	await page.close();
});

test("the contents open as a drawer on a phone, and Escape gives the focus back", async () => {
	const page = await open("03-uts-ns.html", { width: 360 });
	const seen = () => page.$eval("#contents", (nav) => nav.checkVisibility());
	assert.equal(await seen(), false);
	await page.focus("#contents-open");
	await page.keyboard.press("Enter");
	assert.equal(await seen(), true);
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-current")), "page");
	await page.keyboard.press("Escape");
	assert.equal(await seen(), false);
	assert.equal(await page.evaluate(() => document.activeElement.id), "contents-open");
	await page.close();
});

test("a button that starts a machine says what to run when it is pressed", async () => {
	const page = await open("03-uts-ns.html");
	const heard = await page.evaluate(() => {
		const events = [];
		// Heard on the way to the machine, which does not start.
		for (const name of ["run", "lab", "exercise"])
			window.addEventListener(`unboxed:${name}`, (event) => { event.stopImmediatePropagation(); events.push([name, event.detail]); }, true);
		for (const button of document.querySelectorAll("button.run, button.run-lab, button.run-exercise")) button.hidden = false;
		document.querySelector('.part.hand [data-commands] button.run, [aria-labelledby="hand-03"] button.run').click();
		document.querySelector("button.run-lab").click();
		document.querySelector(".exercise button").click();
		return { events, section: document.querySelector("section.exercise").dataset.exercise };
	});
	assert.equal(heard.section, "03-uts-ns");
	assert.deepEqual(heard.events[0][1].where, "vm");
	assert.deepEqual(heard.events[0][1].commands.slice(0, 2), ["hostname", "unshare --uts sh -c 'hostname inside; hostname'"]);
	assert.deepEqual(heard.events.slice(1), [["lab", { program: "03-uts-ns" }], ["exercise", { program: "03-uts-ns" }]]);
	await page.close();
	const first = await open("index.html");
	const manifest = await first.evaluate(
		() =>
			new Promise((done) => {
				window.addEventListener("unboxed:explain", (event) => { event.stopImmediatePropagation(); done(event.detail.manifest); }, true);
				const form = document.querySelector(".explain-form");
				form.hidden = form.querySelector("button").hidden = false;
				form.querySelector("textarea").value = "kind: Pod";
				form.querySelector("button").click();
			}),
	);
	assert.equal(manifest, "kind: Pod");
	await first.close();
});

test("a link never runs anything: no event comes from opening a page", async () => {
	const page = await open("03-uts-ns.html");
	const { browser } = await (await import("./helper.mjs")).start();
	const fresh = await browser.newPage();
	await fresh.evaluateOnNewDocument(() => {
		window.heard = [];
		for (const name of ["run", "lab", "exercise", "explain"]) document.addEventListener(`unboxed:${name}`, () => window.heard.push(name));
	});
	for (const hash of ["#predict-03-copy=empty", "#exercise-03", "#run-03", "#step-03-2"]) {
		await fresh.goto(page.url() + hash);
		assert.deepEqual(await fresh.evaluate(() => window.heard), [], hash);
	}
	await fresh.close();
	await page.close();
});
