// What a page can do besides being read: answer questions, search, copy, and say to the machine what to run.
// Everything here is an addition: without it all of the text is there.
import { readyRecording } from "./recording.js";

const $ = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const root = () => document.body.dataset.root ?? "";
const single = document.body.classList.contains("single");
const ownScript = document.currentScript?.src ?? "";

document.documentElement.classList.add("js");

/** A key is the page's only where nothing else has use for it. */
const takesKeys = "input, textarea, select, [contenteditable], dialog, pre, .scroll, .recording, #panel, .xterm, .cm-editor";
const pageMayTake = (event) =>
	!event.defaultPrevented &&
	!event.ctrlKey &&
	!event.altKey &&
	!event.metaKey &&
	!event.target.closest?.(takesKeys) &&
	!$("dialog[open]") &&
	!document.documentElement.classList.contains("drawer");

// ---- Questions ------------------------------------------------------------------

function readyQuestion(form) {
	const button = $("button", form);
	const answer = $("details.answer", form);
	const verdict = $(".verdict", form);
	const happens = $("p", answer).textContent;
	button.hidden = false;
	answer.hidden = true;
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		const picked = $("input:checked", form);
		verdict.replaceChildren();
		const say = (text, mark = "") => {
			const line = document.createElement("p");
			if (mark) line.className = mark;
			line.textContent = text;
			verdict.append(line);
		};
		const words = picked?.parentElement.textContent.trim();
		if (!picked) say("Choose one first; a guess is fine.");
		else if (!picked.dataset.why) say(`You predicted it: ${words}.`, "right");
		else {
			say(`You said: ${words}.`, "other");
			say(happens);
			say(`Why: ${picked.dataset.why}`);
		}
		form.classList.toggle("answered", Boolean(picked));
	});
}

/** An address #predict-03-copy=empty fills in a choice; it never checks or runs anything. */
function followFragment() {
	const [, id, value] = /^#(predict-[\w-]+)=(.+)$/.exec(decodeURIComponent(location.hash)) ?? [];
	const form = id && document.getElementById(id);
	if (!form) return;
	const choice = all("input", form).find((input) => input.value === value);
	if (choice) choice.checked = true;
	form.scrollIntoView();
}

// ---- Copy, and what the machine is asked ------------------------------------------

const copied = document.createElement("p");
copied.className = "unseen";
copied.setAttribute("role", "status");
document.body.append(copied);
function readyCopy(button) {
	const commands = JSON.parse(button.closest("[data-commands]").dataset.commands);
	button.hidden = !navigator.clipboard;
	button.addEventListener("click", async () => {
		const said = await navigator.clipboard.writeText(`${commands.join("\n")}\n`).then(
			() => "Copied",
			() => "Not copied: the browser does not allow it",
		);
		copied.textContent = said;
		button.textContent = said;
		setTimeout(() => (button.textContent = "Copy"), 2000);
	});
}

const ask = (element, name, detail) => element.dispatchEvent(new CustomEvent(`unboxed:${name}`, { bubbles: true, detail }));
document.addEventListener("click", ({ target }) => {
	const button = target.closest?.("button.run, button.run-lab, button.run-exercise");
	if (!button) return;
	if (button.matches(".run")) {
		const { commands, where } = button.closest("[data-commands]").dataset;
		ask(button, "run", { commands: JSON.parse(commands), where });
	} else if (button.matches(".run-lab")) ask(button, "lab", { program: button.dataset.lab });
	else ask(button, "exercise", { program: button.dataset.exercise });
});
document.addEventListener("submit", (event) => {
	if (!event.target.matches(".explain-form")) return;
	event.preventDefault();
	ask(event.target, "explain", { manifest: $("#manifest").value });
});

// ---- Blocks that scroll --------------------------------------------------------------

/** A stop for the Tab key only where there is something to scroll. */
let scrollers = [];
const measure = () => {
	for (const block of scrollers)
		if (block.scrollWidth > block.clientWidth || block.scrollHeight > block.clientHeight) block.tabIndex = 0;
		else block.removeAttribute("tabindex");
};

/** What a text needs before it can be used: of this page, or of one that has taken its place. */
function ready(main) {
	for (const form of all("form.question", main)) readyQuestion(form);
	for (const button of all("button.copy", main)) readyCopy(button);
	for (const block of all("details.recording", main)) readyRecording(block, single ? "" : ownScript.replace(/assets\/page\.js.*$/, "recordings/"));
	scrollers = all("pre[tabindex], .scroll[tabindex]", main);
	measure();
}

// ---- Contents ---------------------------------------------------------------------------

const contents = $("#contents");
const opener = $("#contents-open");
function drawer(open) {
	document.documentElement.classList.toggle("drawer", open);
	opener.setAttribute("aria-expanded", String(open));
	if (open) ($("[aria-current]", contents) ?? $("a", contents)).focus();
	else opener.focus();
}
opener.setAttribute("role", "button");
opener.setAttribute("aria-expanded", "false");
opener.setAttribute("aria-controls", "contents");
opener.addEventListener("click", (event) => {
	event.preventDefault();
	drawer(!document.documentElement.classList.contains("drawer"));
});
opener.addEventListener("keydown", (event) => {
	if (event.key !== " ") return;
	event.preventDefault();
	opener.click();
});
document.addEventListener("click", ({ target }) => {
	if (!document.documentElement.classList.contains("drawer") || target.closest("#contents-open")) return;
	if (target.closest("#contents a")) document.documentElement.classList.remove("drawer");
	else if (!target.closest("#contents")) drawer(false);
});
contents.addEventListener("focusout", ({ relatedTarget }) => {
	if (document.documentElement.classList.contains("drawer") && relatedTarget && !contents.contains(relatedTarget) && relatedTarget !== opener)
		document.documentElement.classList.remove("drawer");
});

// ---- Search --------------------------------------------------------------------------------

let loading;
/** As a script and not by fetch(), so that it works by file:// too. */
const loadSearch = () =>
	(loading ??= window.unboxedSearch
		? Promise.resolve()
		: new Promise((done, failed) => {
				const script = document.createElement("script");
				script.src = ownScript.replace(/page\.js.*$/, "search.js");
				script.onload = done;
				script.onerror = failed;
				document.head.append(script);
			}));

let dialog;
function searchDialog() {
	if (dialog) return dialog;
	dialog = document.createElement("dialog");
	dialog.id = "search";
	dialog.setAttribute("aria-label", "Search the course");
	dialog.innerHTML = `<form method="dialog"><label for="search-words">Search the course</label>
<div class="tools"><input id="search-words" type="text" inputmode="search" autocomplete="off" spellcheck="false"> <button value="">Close</button></div></form>
<p role="status" class="found"></p><ul class="results"></ul>`;
	document.body.append(dialog);
	const input = $("input", dialog);
	const results = $(".results", dialog);
	const found = $(".found", dialog);
	let last = "";
	const search = async () => {
		const words = input.value.trim();
		if (words === last) return;
		last = words;
		try {
			await loadSearch();
		} catch {
			found.textContent = "The search could not be loaded.";
			return;
		}
		const hits = words ? window.unboxedSearch(words) : [];
		results.replaceChildren(
			...hits.map(({ id, title, chapter, excerpt }) => {
				const item = document.createElement("li");
				const link = document.createElement("a");
				const [page, hash = ""] = id.split("#");
				link.href = single ? `#${hash || page}` : `${root()}${page}.html${hash && `#${hash}`}`;
				for (const [name, text] of [["title", title], ["chapter", chapter], ["excerpt", excerpt]]) {
					const span = document.createElement("span");
					span.className = name;
					span.textContent = text;
					link.append(span, " ");
				}
				link.addEventListener("click", () => dialog.close());
				item.append(link);
				return item;
			}),
		);
		found.textContent = !words ? "" : hits.length === 1 ? "1 place" : `${hits.length === 20 ? "The best 20" : hits.length || "No"} places`;
	};
	input.addEventListener("input", search);
	$("form", dialog).addEventListener("submit", (event) => {
		// Enter in the field goes to the first place.
		if (event.submitter?.textContent === "Close" && document.activeElement === event.submitter) return;
		event.preventDefault();
		search().then(() => $("a", results)?.click());
	});
	dialog.addEventListener("keydown", (event) => {
		if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
		const stops = [input, ...all("a", results)];
		const at = stops.indexOf(document.activeElement);
		if (at < 0) return;
		event.preventDefault();
		stops[Math.min(stops.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)))].focus();
	});
	dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
	return dialog;
}
function openSearch() {
	searchDialog().showModal();
	$("input", dialog).select();
	loadSearch().catch(() => {});
}
const searchButton = $("#search-open");
searchButton.hidden = false;
searchButton.addEventListener("click", openSearch);

// ---- Keys -----------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
	if (event.key === "Escape" && document.documentElement.classList.contains("drawer")) {
		drawer(false);
		return;
	}
	if (!pageMayTake(event)) return;
	if (event.key === "/" || event.key === "s") {
		event.preventDefault();
		openSearch();
	} else if (!event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
		const shown = single ? $("section.chapter.shown") : document;
		$(`.neighbours a[rel=${event.key === "ArrowLeft" ? "prev" : "next"}]`, shown ?? document)?.click();
	}
});

// ---- From page to page while Linux runs: the text changes, the machine stays ---------------------

async function turnTo(href) {
	const answer = await fetch(href);
	const next = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : undefined;
	if (!next?.querySelector("main")) {
		location.href = href;
		return;
	}
	for (const selector of ["main", "#contents"]) $(selector).replaceChildren(...$(selector, next).childNodes);
	document.title = next.title;
	document.body.className = `${next.body.className} with-panel`;
	document.body.dataset.root = next.body.dataset.root ?? "";
	for (const button of all("button.run, button.run-lab, button.run-exercise, .explain-form, .explain-run")) button.hidden = false;
	ready($("main"));
	const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
	if (target) target.scrollIntoView();
	else scrollTo(0, 0);
	followFragment();
	$("main").focus({ preventScroll: true });
}
document.addEventListener("click", (event) => {
	const link = event.target.closest?.("a[href]");
	if (!window.unboxed || single || !link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
	const to = new URL(link.href);
	if (to.origin !== location.origin || !/(\.html|\/)$/.test(to.pathname) || to.pathname === location.pathname || link.target || link.download) return;
	event.preventDefault();
	// What is relative to this page's address would be relative to the next one's.
	for (const loaded of all("link[href]")) loaded.setAttribute("href", loaded.href);
	const { hash } = to;
	to.hash = "";
	history.pushState(null, "", to);
	turnTo(to.href).then(() => hash && location.replace(hash)); // so that it is the target
});
addEventListener("popstate", () => {
	if (window.unboxed && !single) turnTo(location.href);
});

// ---- The one file: a chapter at a time --------------------------------------------------------

function showChapter() {
	const wanted = decodeURIComponent(location.hash.slice(1)).replace(/=.*$/, "");
	const target = (wanted && document.getElementById(wanted)) || $("section.chapter");
	const chapter = target.closest("section.chapter");
	if (!chapter) return;
	for (const section of all("section.chapter")) section.classList.toggle("shown", section === chapter);
	for (const link of all("a", contents)) {
		const here = link.hash === `#${chapter.id}`;
		link.toggleAttribute("aria-current", here);
		if (here) link.setAttribute("aria-current", "page");
	}
	document.title = chapter.dataset.title;
	if (target === chapter) scrollTo(0, 0);
	else target.scrollIntoView();
	measure();
}
if (single) {
	addEventListener("hashchange", showChapter);
	showChapter();
}
addEventListener("hashchange", followFragment);
ready(document);
followFragment();
// The text is as wide as the window and the panel leave it.
new ResizeObserver(measure).observe($("main"));
