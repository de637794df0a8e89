// The service worker: what was opened once opens again without a network. The text and what every page needs are
// kept at the first visit. FILES and VERSION are put in at build time.
/* global FILES, VERSION */
const kept = `unboxed-${VERSION}`;

self.addEventListener("install", (event) => {
	event.waitUntil(
		caches
			.open(kept)
			.then((cache) => cache.addAll(FILES))
			.then(() => self.skipWaiting()),
	);
});

self.addEventListener("activate", (event) => {
	event.waitUntil(
		caches
			.keys()
			.then((names) => Promise.all(names.filter((name) => name.startsWith("unboxed-") && name !== kept).map((name) => caches.delete(name))))
			.then(() => self.clients.claim()),
	);
});

/** What has its checksum in its name never changes. */
const isFixed = (url) => /[.-][0-9a-f]{8,}\b/.test(url.pathname.slice(url.pathname.lastIndexOf("/")));

async function answer(event) {
	const { request } = event;
	const cache = await caches.open(kept);
	// A folder's page is kept under the name of its file.
	const { pathname } = new URL(request.url);
	const known = () => cache.match(pathname.endsWith("/") ? `${pathname}index.html` : request, { ignoreSearch: true });
	const fixed = isFixed(new URL(request.url)) && (await known());
	if (fixed) return fixed;
	try {
		const response = await fetch(request);
		// Kept beside the answer and not before it: a large file is shown as it comes.
		if (response.status === 200) event.waitUntil(cache.put(request, response.clone()));
		return response;
	} catch (error) {
		const old = await known();
		if (old) return old;
		throw error;
	}
}

self.addEventListener("fetch", (event) => {
	const { method, url, headers } = event.request;
	if (method === "GET" && new URL(url).origin === location.origin && !headers.has("range")) event.respondWith(answer(event));
});
