// What is saved as a file is loaded again from it, and a file that is something else says what was expected.
import assert from "node:assert/strict";
import test from "node:test";

class Store {
	setItem(key, value) { this[key] = value; }
	getItem(key) { return this[key] ?? null; }
	removeItem(key) { delete this[key]; }
}
globalThis.localStorage = new Store();
globalThis.navigator ??= {};
let blob;
globalThis.document = { createElement: () => ({ click() {} }) };
URL.createObjectURL = (made) => ((blob = made), "blob:");
URL.revokeObjectURL = () => {};
const { saved } = await import("../../scripts/web/machine/saved.js");
const texts = () => Object.fromEntries(saved.all().map(({ id, text }) => [id, text]));
const never = () => assert.fail("asked although nothing differs");

test("a saved file gives back what was written", async () => {
	const written = { "03-uts-ns": "int main(void) { return 0; } // ü\n", "10-oom-demo": "", "12-io-max": "x".repeat(5000) };
	for (const [id, text] of Object.entries(written)) saved.write(id, text);
	saved.download();
	saved.erase();
	assert.deepEqual(texts(), {});
	assert.deepEqual((await saved.load(blob, never)).sort(), Object.keys(written));
	assert.deepEqual(texts(), written);
	await saved.load(blob, never);
});

test("what differs is asked about, and stays when it shall stay", async () => {
	saved.write("03-uts-ns", "another");
	assert.deepEqual(await saved.load(blob, (id) => id === "03-uts-ns"), ["10-oom-demo", "12-io-max"]);
	assert.equal(saved.read("03-uts-ns").text, "another");
	await saved.load(blob, () => false);
	assert.notEqual(saved.read("03-uts-ns").text, "another");
});

test("what is no such file is refused by name, and nothing is loaded", async () => {
	const whole = new Uint8Array(await blob.arrayBuffer());
	const renamed = whole.slice(0, 1024);
	renamed.set(new TextEncoder().encode("work/../../03-uts-ns.c\0"));
	saved.erase();
	for (const [bytes, words] of [
		[new Uint8Array(), /found none/], [new TextEncoder().encode("int main(void)".repeat(99)), /expected a tar archive/],
		[whole.slice(0, 530), /the archive ends before/], [renamed, /found none/],
	])
		await assert.rejects(saved.load(new Blob([bytes]), never), words);
	assert.deepEqual(texts(), {});
});
