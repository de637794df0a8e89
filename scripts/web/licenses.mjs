// The page of licenses: each part of the site with its version, the text of its license, and the way to its source.
// licenses.json says where the parts are listed; what is said of each is read from the part itself.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { escape, run } from "./html.mjs";

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} version
 * @property {string} what it is
 * @property {string} source a command that fetches its source, or a word
 * @property {string} text of its license
 *
 * An entry of licenses.json is one of these; "machine" or "recordings": true or false is for a site
 * with or without them.
 *   {"file": "LICENSE", "name": "Unboxed", "what": "…"}        a text of this repository
 *   {"npm": ["minisearch"], "below": "build/web"}              packages of its node_modules; build/web where none is named
 *   {"lock": "scripts/web/package-lock.json"}                  all that this lock file has for more than development
 *   {"packages": "scripts/make/packages/i386", "below": "build/i386", "without": ["bats"]}
 *       Debian's packages, a line "NAME VERSION CHECKSUM" each: below that folder are packages/*.deb, and sysroot/
 *       with what was in them
 */

/** @returns {Part[]} */
export function readParts(root, { machine = false, recordings = false } = {}) {
	const kinds = { file, npm, lock, packages };
	return JSON.parse(readFileSync(join(root, "scripts/web/licenses.json"), "utf8"))
		.filter((entry) => (entry.machine ?? machine) === machine && (entry.recordings ?? recordings) === recordings)
		.flatMap((entry) => {
			const kind = Object.keys(kinds).find((name) => name in entry);
			if (!kind) throw new Error(`scripts/web/licenses.json: expected one of ${Object.keys(kinds).join(", ")}, found ${JSON.stringify(entry)}`);
			return kinds[kind](root, entry);
		});
}

const file = (root, { file: path, name, what }) => [{ name, version: "", what, source: "this repository", text: readFileSync(join(root, path), "utf8") }];

const npm = (root, { npm: names, below = "build/web" }) =>
	names.map((name) => {
		const folder = join(root, below, "node_modules", name);
		const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
		const found = readdirSync(folder).find((each) => /^licen[sc]e/i.test(each));
		if (!found) throw new Error(`${name}: expected a file with its license, found none`);
		const { version, description = "" } = about;
		return { name, version, what: description || "a package of npm", source: `npm pack ${name}@${version}`, text: readFileSync(join(folder, found), "utf8") };
	});

function lock(root, { lock: path }) {
	const { packages: all } = JSON.parse(readFileSync(join(root, path), "utf8"));
	const names = Object.entries(all).filter(([folder, { dev }]) => folder && !dev);
	return npm(root, { npm: names.map(([folder]) => folder.replace("node_modules/", "")) });
}

function packages(root, { packages: path, below, without = [] }) {
	const debs = readdirSync(join(root, below, "packages")).filter((name) => name.endsWith(".deb"));
	const lines = readFileSync(join(root, path), "utf8").match(/^[a-z0-9][^ ]* \S+/gm) ?? [];
	return lines
		.map((line) => line.split(" "))
		.filter(([name]) => !without.includes(name))
		.map(([name, version]) => {
			const deb = debs.find((each) => each.startsWith(`${name}_${version.replace(":", "%3a")}_`));
			if (!deb) throw new Error(`${path}: ${name} ${version} is not in ${below}/packages; type: make ARCH=${basename(below)} all`);
			const fields = run("dpkg-deb", ["-f", join(root, below, "packages", deb), "Source", "Description"]);
			// "Source: linux (6.1.176-1)" where its name or its version is not the package's, as after a rebuild.
			const [, source = name, of = version] = /^Source: (\S+)(?: \((.*)\))?$/m.exec(fields) ?? [];
			const copyright = join(root, below, "sysroot/usr/share/doc", name, "copyright");
			// The folder may be a link to that of a package which all of one source share: on this Debian machine it is too.
			const shared = join("/usr/share/doc", name, "copyright");
			const text = [copyright, shared].find((path) => existsSync(path));
			if (!text) throw new Error(`${name}: expected its license in ${copyright} or ${shared}, found none`);
			return {
				name,
				version,
				what: /^Description: (.*)$/m.exec(fields)?.[1] ?? "",
				source: `apt-get source ${source}=${of}`,
				text: readFileSync(text, "utf8"),
			};
		});
}

/** Debian's texts name the long licenses by their path on a Debian machine: those that are named there. */
function commonTexts(parts) {
	const folder = "/usr/share/common-licenses";
	const named = new Set(parts.flatMap(({ text }) => [...text.matchAll(/\/usr\/share\/common-licenses\/([A-Z][A-Za-z0-9.-]*[A-Za-z0-9])/g)].map(([, name]) => name)));
	return [...named].sort().map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}

const idOf = (name) => `license-${name.replace(/[^a-z0-9.]+/gi, "-").replace(/^-/, "").toLowerCase()}`;

/**
 * The texts, each once, and the page. Where texts are files the page links to them; in the one file they are folded
 * below the table.
 * @param {Part[]} parts
 * @returns {{body: string, files: Map<string, string>}}
 */
export function licenses(parts, { inline = false } = {}) {
	const texts = [];
	/** A text that another part has word by word is that part's. */
	const idFor = ({ name, text }) => {
		const same = texts.find((known) => known.text === text.trim());
		if (same) return same.id;
		texts.push({ id: idOf(name), name, text: text.trim() });
		return texts.at(-1).id;
	};
	const link = (part, words) => (inline ? `<a href="#${idFor(part)}">${escape(words)}</a>` : `<a href="asset:licenses/${idFor(part)}.txt">${escape(words)}</a>`);
	const rows = parts.map(
		(part) =>
			`<tr><th scope="row">${escape(part.name)}</th><td>${escape(part.version)}</td><td>${escape(part.what)}</td><td>${link(part, "text")}</td><td><code>${escape(part.source)}</code></td></tr>`,
	);
	const common = commonTexts(parts).map((text) => `<li>${link(text, text.name)}</li>`);
	const folded = inline
		? texts.map(({ id, name, text }) => `<details id="${id}"><summary>${escape(name)}</summary><pre class="drawing" tabindex="0" role="region" aria-label="License of ${escape(name)}"><code>${escape(text)}</code></pre></details>`)
		: [];
	const named = common.length ? `<h2 id="long-licenses">Licenses that these texts name</h2>\n<ul>${common.join("")}</ul>` : "";
	const body = `<article><p class="eyebrow">What this site is made of</p>
<h1 id="licenses-of-all">Licenses</h1>
<p>Each part of this site: its version, the text of its license, and the command that fetches its source. The commands that begin with <code>apt-get</code> need Debian 12 with its source packages enabled.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Parts"><table><thead><tr><th scope="col">Part</th><th scope="col">Version</th><th scope="col">What it is</th><th scope="col">License</th><th scope="col">Source</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>
${named}
${folded.join("\n")}</article>`;
	return { body, files: new Map(inline ? [] : texts.map(({ id, text }) => [`licenses/${id}.txt`, `${text}\n`])) };
}
