// The service worker: what was loaded once is there without a network. The pages are kept from the first visit on, and
// the machine from its first start on. `process.env` is filled in by assets.mjs.
const VERSION = process.env.VERSION, FOLDER = process.env.FOLDER;
const PAGES = `unboxed-pages-${VERSION}`, MACHINE = "unboxed-machine";
const pages = JSON.parse(process.env.PAGES);

self.addEventListener("install", (event) => {
	event.waitUntil((async () => {
		const cache = await caches.open(PAGES);
		await cache.addAll(pages.map((name) => new Request(name, { cache: "no-cache" })));
		await self.skipWaiting();
	})());
});

self.addEventListener("activate", (event) => {
	event.waitUntil((async () => {
		for (const name of await caches.keys()) if (name.startsWith("unboxed-pages-") && name !== PAGES) await caches.delete(name);
		const machine = await caches.open(MACHINE);
		for (const { url } of await machine.keys()) if (!url.includes(`/machine/${FOLDER}/`)) await machine.delete(url);
		await self.clients.claim();
	})());
});

// What is missing of the machine, one after the other, so that the guest's own reads come first.
self.addEventListener("message", (event) => {
	const { parts } = event.data;
	event.waitUntil((async () => {
		const cache = await caches.open(MACHINE);
		for (const name of parts) {
			const url = new URL(name, self.registration.scope).href;
			if (!(await cache.match(url))) await cache.add(url);
		}
		event.source.postMessage({ kept: true });
	})());
});

self.addEventListener("fetch", (event) => {
	const { request } = event, url = new URL(request.url);
	if (request.method !== "GET" || !url.href.startsWith(self.registration.scope)) return;
	const machine = url.pathname.includes(`/machine/${FOLDER}/`);
	event.respondWith((async () => {
		const cache = await caches.open(machine ? MACHINE : PAGES);
		const kept = await cache.match(request, { ignoreSearch: true }) ?? (url.pathname.endsWith("/") ? await cache.match(new URL("index.html", url)) : undefined);
		if (kept) return kept;
		const answer = await fetch(request);
		if (answer.ok && machine) await cache.put(request, answer.clone());
		return answer;
	})());
});
