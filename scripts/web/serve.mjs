// Serves build/site on loopback, below any path: node scripts/web/serve.mjs [--port=N] [--base=/PATH/] [FOLDER]
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const types = {
	".html": "text/html; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8",
	".json": "application/json",
	".svg": "image/svg+xml",
	".png": "image/png",
	".wasm": "application/wasm",
	".xml": "application/xml",
	".txt": "text/plain; charset=utf-8",
	".epub": "application/epub+zip",
	".webmanifest": "application/manifest+json",
};

/** @returns {Promise<{address: string, close: () => void}>} */
export function serve({ folder, port = 0, base = "/" }) {
	const server = createServer((request, response) => {
		const refuse = (status, text) => response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
		if (request.method !== "GET" && request.method !== "HEAD") return refuse(405, "expected GET or HEAD");
		let path;
		try {
			path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
		} catch {
			return refuse(400, "this address cannot be read");
		}
		if (path === base.slice(0, -1)) return response.writeHead(301, { location: base }).end();
		if (!path.startsWith(base) || path.includes("\0")) return refuse(404, `expected a path below ${base}`);
		// normalize() takes out each .. before the folder is joined, so that nothing above it is served.
		let file = join(folder, normalize(`/${path.slice(base.length)}`));
		if (existsSync(file) && statSync(file).isDirectory()) {
			if (!path.endsWith("/")) return response.writeHead(301, { location: `${path}/` }).end();
			file = join(file, "index.html");
		}
		if (!existsSync(file)) return refuse(404, `there is no ${path}`);
		response.writeHead(200, {
			"content-type": types[extname(file)] ?? "application/octet-stream",
			"content-length": statSync(file).size,
			"cache-control": "no-cache",
		});
		if (request.method === "HEAD") return response.end();
		return createReadStream(file).pipe(response);
	});
	return new Promise((done, failed) => {
		server.on("error", failed);
		server.listen(port, "127.0.0.1", () =>
			done({ address: `http://127.0.0.1:${server.address().port}${base}`, close: () => server.close() && server.closeAllConnections?.() }),
		);
	});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const about = { folder: join(fileURLToPath(import.meta.url), "../../../build/site"), port: 8000 };
	for (const word of process.argv.slice(2)) {
		const port = /^--port=(\d{1,5})$/.exec(word);
		const base = /^--base=(\/(?:[\w.~-]+\/)*)$/.exec(word);
		if (port) about.port = Number(port[1]);
		else if (base) about.base = base[1];
		else if (!word.startsWith("-")) about.folder = word;
		else {
			console.error(`scripts/web/serve.mjs: expected [--port=N] [--base=/PATH/] [FOLDER], got '${word}'`);
			process.exit(2);
		}
	}
	if (about.port > 65535) {
		console.error(`scripts/web/serve.mjs: expected a port up to 65535, got ${about.port}`);
		process.exit(2);
	}
	if (!existsSync(join(about.folder, "index.html"))) {
		console.error(`scripts/web/serve.mjs: there is no ${join(about.folder, "index.html")}; type: make site`);
		process.exit(1);
	}
	serve(about).then(
		({ address }) => console.log(`serving ${about.folder} on ${address} (Ctrl-C ends)`),
		(error) => {
			console.error(`scripts/web/serve.mjs: ${error.message}; --port=N takes another port`);
			process.exit(1);
		},
	);
}
