// The page of licenses: each part of the site with its version, the text of its license, and the way to its source.
// The parts are in licenses.json; what is said of them is read from the packages themselves.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { escape, run } from "./html.mjs";

/**
 * A part of licenses.json is one of
 *   {"npm": "minisearch", "what": "…"}                 a package of build/web/node_modules
 *   {"debian": "seabios", "what": "…"}                 an installed package
 *   {"debian": "tcc", "root": "build/web/i386", "versions": "build/web/i386/versions", "what": "…"}
 *       one that is unpacked below a folder; versions has a line "PACKAGE VERSION" for each
 *   {"file": "LICENSE", "name": "Unboxed", "version": "", "what": "…"}
 */
export function readParts(root) {
	const parts = JSON.parse(readFileSync(join(root, "scripts/web/licenses.json"), "utf8"));
	return parts.map((part) => {
		if (part.npm) return npm(root, part);
		if (part.debian) return debian(root, part);
		if (part.file) return { ...part, text: readFileSync(join(root, part.file), "utf8"), source: part.source ?? "this repository" };
		throw new Error(`scripts/web/licenses.json: expected npm, debian or file, found ${JSON.stringify(part)}`);
	});
}

function npm(root, part) {
	const folder = join(root, "build/web/node_modules", part.npm);
	const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
	const file = readdirSync(folder).find((name) => /^licen[sc]e/i.test(name));
	if (!file) throw new Error(`${part.npm}: expected a file with its license, found none`);
	return {
		...part,
		name: about.name,
		version: about.version,
		license: about.license,
		text: readFileSync(join(folder, file), "utf8"),
		source: `npm pack ${about.name}@${about.version}`,
	};
}

function debian(root, part) {
	const [name] = part.debian.split(":");
	const base = part.root ? join(root, part.root) : "/";
	const copyright = join(base, "usr/share/doc", name, "copyright");
	if (!existsSync(copyright)) throw new Error(`${part.debian}: expected its license in ${copyright}, found none`);
	const version = part.versions
		? readFileSync(join(root, part.versions), "utf8").match(new RegExp(`^${name.replace(/[.+]/g, "\\$&")} (\\S+)$`, "m"))?.[1]
		: run("dpkg-query", ["-W", "-f=${source:Version}", part.debian]);
	if (!version) throw new Error(`${part.debian}: expected its version in ${part.versions}, found none`);
	const source = part.source ?? `apt-get source ${part.sourceName ?? name}=${version}`;
	return { ...part, name: part.debian, version, text: readFileSync(copyright, "utf8"), source };
}

export function licensesBody(root) {
	const parts = readParts(root);
	const id = ({ name }) => `part-${name.replace(/[^a-z0-9]+/gi, "-").toLowerCase()}`;
	const rows = parts.map(
		(part) =>
			`<tr><th scope="row"><a href="#${id(part)}">${escape(part.name)}</a></th><td>${escape(part.version)}</td><td>${escape(part.what)}</td><td><code>${escape(part.source)}</code></td></tr>`,
	);
	const texts = parts.map(
		(part) =>
			`<section aria-labelledby="${id(part)}"><h2 id="${id(part)}">${escape(part.name)} ${escape(part.version)}</h2><pre class="drawing" tabindex="0" role="region" aria-label="License of ${escape(part.name)}"><code>${escape(part.text.trim())}</code></pre></section>`,
	);
	return `<article><p class="eyebrow">What this site is made of</p>
<h1 id="licenses-of-all">Licenses</h1>
<p>Each part of this site, its version, and the command that fetches its source package.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Table"><table><thead><tr><th scope="col">Part</th><th scope="col">Version</th><th scope="col">What for</th><th scope="col">Source</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>
${texts.join("\n")}</article>`;
}
