// What is made beside the pages: addresses for search engines, the book, the server; and what wrong words get.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer, request } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Site } from "../../scripts/web/layout.mjs";
import { licenses, readParts } from "../../scripts/web/licenses.mjs";
import { serve } from "../../scripts/web/serve.mjs";
import { chapters, root, site } from "./helper.mjs";

const get = (address, path) =>
	new Promise((done, failed) => {
		const { hostname, port } = new URL(address);
		// The path goes as it stands: fetch() would take the dots out.
		request({ hostname, port, path }, (response) => {
			let text = "";
			response.on("data", (piece) => (text += piece));
			response.on("end", () => done({ status: response.statusCode, type: response.headers["content-type"], to: response.headers.location, text }));
		})
			.on("error", failed)
			.end();
	});

test("with an address each page says it; without one no page does", () => {
	const guide = { chapters: [], ids: new Map() };
	const about = { name: "03-uts-ns", title: "x", description: "y", body: "" };
	const shown = new Site(guide, { url: "https://example.org/unboxed", styles: [], scripts: [] });
	assert.match(shown.page(about), /<link rel="canonical" href="https:\/\/example\.org\/unboxed\/03-uts-ns\.html">/);
	assert.equal(shown.address("index"), "https://example.org/unboxed/");
	assert.doesNotMatch(new Site(guide, { styles: [], scripts: [] }).page(about), /canonical/);
});

test("the book has every chapter and every diagram", () => {
	const { stdout, status } = spawnSync("pandoc", ["-f", "epub", "-t", "json", join(process.env.SITE ?? site, "unboxed.epub")], { encoding: "utf8", maxBuffer: 1 << 28 });
	assert.equal(status, 0);
	const { blocks } = JSON.parse(stdout);
	const heads = JSON.stringify(blocks).match(/"t":"Header","c":\[1,/g) ?? [];
	assert.ok(heads.length >= chapters.length, `${heads.length} chapters`);
	const images = new Set(stdout.match(/media\/[\w-]+\.svg/g));
	const diagrams = readFileSync(join(root, "GUIDE.md"), "utf8").match(/\]\(labs\/[\w-]+\/diagram\.svg\)/g);
	assert.equal(images.size, diagrams.length);
});

test("each part has a version, a license text and a way to its source", { skip: !existsSync(join(root, "build/i386/sysroot")) && "the machine is not built here" }, () => {
	const parts = readParts(root, { machine: true });
	for (const { name, version, what, source, text } of parts) {
		assert.ok(text.length > 200, name);
		assert.ok(what && source, name);
		assert.ok(version || name === "Unboxed", name);
	}
	const names = parts.map(({ name }) => name);
	for (const name of ["v86", "@xterm/xterm", "minisearch", "@lezer/common", "seabios", "linux-image-6.1.0-50-686", "busybox-static", "bash-static", "tcc", "musl"]) assert.ok(names.includes(name), name);
	// The source is that of the source package, and of the version before a rebuild.
	assert.equal(parts.find(({ name }) => name === "libblkid1").source.replace(/=.*/, ""), "apt-get source util-linux");
	assert.doesNotMatch(parts.map(({ source }) => source).join(" "), /\+b\d/);
	const { body, files } = licenses(parts);
	assert.ok(files.has("licenses/license-gpl-2.txt"), "the GPL, which the texts name, is there");
	for (const [, file] of body.matchAll(/href="asset:([^"]+)"/g)) assert.ok(files.has(file), file);
	// In the one file each text stands once.
	const inline = licenses(parts, { inline: true }).body;
	const ids = [...inline.matchAll(/<details id="([^"]+)"/g)].map(([, id]) => id);
	assert.equal(new Set(ids).size, ids.length);
	assert.equal(ids.length, files.size);
});

test("each text of a license that the site links to is a file of it", () => {
	const body = readFileSync(join(site, "licenses.html"), "utf8");
	const linked = [...body.matchAll(/href="(licenses\/[^"]+\.txt)"/g)].map(([, name]) => name);
	assert.ok(linked.length >= 2, `${linked.length} texts`);
	for (const name of linked) assert.ok(readFileSync(join(site, name), "utf8").length > 200, name);
});

test("the server gives each kind of file its type, knows its path, and serves nothing above its folder", async () => {
	const { address, close } = await serve({ folder: site, base: "/a/b/" });
	try {
		for (const [path, type] of [["", "text/html; charset=utf-8"], ["assets/page.js", "text/javascript; charset=utf-8"], ["assets/style.css", "text/css; charset=utf-8"], ["assets/icon.svg", "image/svg+xml"], ["unboxed.epub", "application/epub+zip"]]) {
			const answer = await get(address, `/a/b/${path}`);
			assert.deepEqual([answer.status, answer.type], [200, type], path);
		}
		assert.deepEqual([(await get(address, "/a/b")).status, (await get(address, "/a/b")).to], [301, "/a/b/"]);
		assert.equal((await get(address, "/a/b/source")).to, "/a/b/source/");
		for (const path of ["/", "/a/b/nosuch.html", "/a/b/../../../Makefile", "/a/b/%2e%2e/%2e%2e/Makefile", "/a/b/..%2f..%2fMakefile", "/a/b/%00"]) assert.equal((await get(address, path)).status, 404, path);
		assert.equal((await get(address, "/a/b/%zz")).status, 400);
	} finally {
		close();
	}
});

test("a wrong word is refused with what was expected and what was found", async () => {
	const run = (...words) => spawnSync(process.execPath, words, { cwd: root, encoding: "utf8", timeout: 20_000 });
	for (const [words, said] of [
		[["scripts/web/build.mjs", "--url=nowhere"], /expected an address like https:\/\/host\/path\/, got 'nowhere'/],
		[["scripts/web/build.mjs", "x"], /expected --url=URL, --repository=URL or --machine=no, got 'x'/],
		[["scripts/web/serve.mjs", "--port=x"], /expected \[--port=N\].*got '--port=x'/],
		[["scripts/web/serve.mjs", "--port=70000"], /expected a port up to 65535, got 70000/],
		[["scripts/web/serve.mjs", "--base=x"], /got '--base=x'/],
		[["tests/web/run.mjs", "nosuch"], /expected one of .*use, got 'nosuch'/],
	]) {
		const { status, stderr } = run(...words);
		assert.equal(status, 2, words.join(" "));
		assert.match(stderr, said);
	}
	const blocker = createServer().listen(0, "127.0.0.1");
	await new Promise((done) => blocker.on("listening", done));
	const taken = run("scripts/web/serve.mjs", `--port=${blocker.address().port}`);
	blocker.close();
	assert.equal(taken.status, 1);
	assert.match(taken.stderr, /EADDRINUSE.*--port=N takes another port/);
});
