// Runs the tests of the pages: node tests/web/run.mjs [NAME…], such as `use`; without a name all of them.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const all = readdirSync(here)
	.filter((name) => name.endsWith(".test.mjs"))
	.sort();
const wanted = process.argv.slice(2);
const unknown = wanted.find((word) => !all.includes(`${word}.test.mjs`));
if (unknown !== undefined) {
	console.error(`tests/web/run.mjs: expected one of ${all.map((name) => name.replace(".test.mjs", "")).join(", ")}, got '${unknown}'`);
	process.exit(2);
}
const files = wanted.length ? wanted.map((word) => `${word}.test.mjs`) : all;
const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=spec", `--test-concurrency=${availableParallelism()}`, ...files.map((name) => join(here, name))], { stdio: "inherit" });
process.exit(status ?? 1);
