// Exercises in the page's machine, and the panel with its editor and all else open.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { axe, named, reset, root, started, withMachine as test } from "./helper.mjs";

const exercises = readdirSync(join(root, "labs")).filter((name) => /^\d\d-/.test(name) && readdirSync(join(root, "labs", name)).includes("exercise.sh") && (!named || named.some((number) => name.startsWith(number))));

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

test("an exercise that is typed, key by key, passes, and is there again after a reload", async (t) => {
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
