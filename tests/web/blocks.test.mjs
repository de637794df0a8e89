// Each `console` block of GUIDE.md that can run in the page prints there what stands there. A block is typed into the
// terminal, as its button does it; a lab's story, which the page draws, is printed into a pipe.
import assert from "node:assert/strict";
import { test } from "node:test";
import { beside, printed } from "./console.mjs";
import { chapters, named, noMachine, started } from "./helper.mjs";

/** Commands into the first terminal; what it showed of each. */
async function typed(page, commands) {
	const bytes = await page.evaluate(async (lines) => {
		const [shell] = window.unboxed.shells, { command } = shell, show = command.ontty, decoder = new TextDecoder();
		let text = "";
		command.ontty = (more) => {
			text += decoder.decode(more, { stream: true });
			show(more);
		};
		window.unboxed.run({ commands: lines });
		while (!shell.ready || shell.queue.length) await new Promise((resolve) => setTimeout(resolve, 100));
		command.ontty = show;
		return text;
	}, commands);
	return printed(bytes).slice(-commands.length); // without the cd that leads to where a block begins
}

const piped = async (page, command) => {
	const { stdout, stderr } = await page.evaluate((line) => window.unboxed.machine.call(3, ["sh", "-c", `exec 2>&1; ${line}`], { env: { COLUMNS: "80" } }), command);
	return stdout + stderr;
};

const wanted = chapters.filter((file) => !named || named.some((number) => file.startsWith(number)));
for (const name of wanted)
	test(`${name}: each console block prints what stands there`, { skip: noMachine }, async (t) => {
		const page = await started(name);
		await page.waitForFunction(() => window.unboxed.shells[0]?.ready);
		// As wide as what stands there.
		await page.evaluate(() => {
			const [shell] = window.unboxed.shells;
			shell.refit = () => shell.terminal.resize(80, 24);
			shell.refit();
		});
		const blocks = await page.$$eval("figure.console[data-where=vm]", (list) =>
			list.map(({ dataset, classList, lastElementChild }) => {
				for (const link of lastElementChild.querySelectorAll(".address")) link.remove();
				return { commands: JSON.parse(dataset.commands), story: classList.contains("story"), text: lastElementChild.textContent };
			}));
		for (const [at, { commands, story, text }] of blocks.entries())
			await t.test(`${at + 1}: ${commands[0]}`, async (block) => {
				// What spins is tried again: another program may have had the CPU.
				const tries = commands.some((line) => /\bspin \d/.test(line)) ? 3 : 1;
				let difference, raw;
				for (let attempt = 0; attempt < tries && difference !== ""; attempt++) {
					await page.evaluate(() => window.unboxed.machine.call(3, ["sh", "-c", "echo 4000 >/proc/sys/kernel/ns_last_pid"]));
					const texts = story ? [await piped(page, commands[0])] : await typed(page, commands);
					raw = commands.map((line, i) => `$ ${line}\n${texts[i]}`).join("");
					({ difference } = beside(text, raw));
				}
				if (difference && /machine too busy/.test(raw) && !/^ {3}(fail|broken) /m.test(raw)) return block.skip("the machine was too busy for a measurement");
				assert.equal(difference, "");
			});
		assert.deepEqual(page.wrong, []);
		await page.close();
	});
