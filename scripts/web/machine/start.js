// What every page has of the machine: the panel's frame, the button that starts Linux, and the requests of the page's
// own buttons. Nothing else is loaded before somebody presses one.
import { decode } from "./bytes.js";

const MEGABYTES = Number(process.env.MEGABYTES);

const panel = document.getElementById("panel");
const phone = matchMedia("(max-width: 799px)");
const root = document.body.dataset.root ?? "";
const ownScript = document.currentScript?.src ?? "";
/** Where the files of the machine lie; in the one file they are in the page. */
const base = ownScript ? new URL("../machine/", ownScript).href : "";

const HEIGHTS = ["low", "half", "full"];
const HEIGHT_WORDS = { low: "Open", half: "Taller", full: "Close" };

panel.innerHTML = `<div class="panel-head">
<p class="panel-state" role="status">Linux is not running</p>
<div class="panel-tools"><button type="button" class="panel-reset" hidden>Reset</button><button type="button" class="panel-height">Open</button></div>
</div>
<div class="panel-start">
<h2>Linux, in this tab</h2>
<p>A kernel of its own, on your processor. You cannot damage anything there. Nothing leaves this tab.</p>
<p class="start-line"><button type="button" class="primary panel-go">Start Linux, ${MEGABYTES} MB</button></p>
<progress max="1" value="0" hidden aria-label="Loading Linux"></progress>
<p class="small">One CPU, 32 bits. What it measures in seconds is an emulator's, not your computer's.</p>
</div>
<div class="panel-body"></div>`;
const $ = (selector) => panel.querySelector(selector);

function height(to) {
	panel.dataset.height = to;
	$(".panel-height").textContent = HEIGHT_WORDS[to];
	panel.dispatchEvent(new Event("unboxed:height"));
}
$(".panel-height").addEventListener("click", () => height(HEIGHTS[(HEIGHTS.indexOf(panel.dataset.height) + 1) % HEIGHTS.length]));
height("low");

// From the top of a page to Linux, for who goes by keys.
const skip = document.querySelector('.skip[href="#panel"]');
skip.addEventListener("click", (event) => {
	event.preventDefault();
	show();
	panel.focus();
});
function appear() {
	panel.hidden = skip.hidden = false;
	document.body.classList.add("with-panel");
}
function show() {
	appear();
	if (phone.matches && panel.dataset.height === "low") height("half");
}
// A chapter of a lab has its panel from the beginning. On other pages it comes when somebody asks.
if (document.body.classList.contains("chapter") || document.body.classList.contains("single")) appear();

/** The machine's own script: a file beside this one, or text in the one file. */
async function loadScript() {
	const inside = document.getElementById("machine-script.gz");
	let packed;
	if (inside) packed = new Blob([decode(inside.textContent)]);
	else {
		for (const name of JSON.parse(process.env.FILES)) {
			const link = document.createElement("link");
			Object.assign(link, { rel: "preload", as: "fetch", crossOrigin: "anonymous", href: new URL(`../${name}`, base).href });
			document.head.append(link);
		}
		const style = document.createElement("link");
		style.rel = "stylesheet";
		style.href = `${base}${process.env.SCRIPT}.css`;
		document.head.append(style);
		const answer = await fetch(`${base}${process.env.SCRIPT}.js.gz`);
		if (!answer.ok) throw new Error(`its script: the server says ${answer.status}`);
		packed = await answer.blob();
	}
	// A server may have unpacked it already, and say so.
	const [first] = new Uint8Array(await packed.slice(0, 1).arrayBuffer());
	const text = await new Response(first === 0x1f ? packed.stream().pipeThrough(new DecompressionStream("gzip")) : packed).text();
	await new Promise((done, failed) => {
		const script = document.createElement("script");
		script.src = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
		script.onload = done;
		script.onerror = () => failed(new Error("its script could not be loaded"));
		document.head.append(script);
	});
}

let running;
function start() {
	show();
	running ??= (async () => {
		$(".panel-go").disabled = true;
		const bar = $("progress"), state = $(".panel-state");
		bar.hidden = false;
		state.textContent = "Loading Linux";
		await loadScript();
		const machine = await window.unboxedMachine({ panel, base, progress: (part) => { bar.value = part; } });
		$(".panel-start").hidden = true;
		$(".panel-reset").hidden = false;
		keepMachine();
		return machine;
	})().catch((error) => {
		running = undefined;
		$(".panel-go").disabled = false;
		$("progress").hidden = true;
		$(".panel-state").textContent = `Linux did not start: ${error.message}`;
		throw error;
	});
	return running;
}
$(".panel-go").addEventListener("click", () => start().catch(() => {}));

// What was loaded is kept for a day without a network: the pages now, the machine once it has been started.
const worker = base && window.isSecureContext && navigator.serviceWorker;
if (worker) worker.register(new URL("../sw.js", ownScript)).catch(() => {});
async function keepMachine() {
	if (!worker || navigator.connection?.saveData) return;
	const { active } = await worker.ready;
	worker.addEventListener("message", ({ data }) => { window.unboxedKept = data.kept; });
	const parts = Array.from({ length: Number(process.env.PARTS) }, (_, number) => `machine/${process.env.FOLDER}/disk/${number}.zst`);
	active.postMessage({ parts: [...JSON.parse(process.env.FILES), ...parts] });
}

// The buttons of the page. A request that comes while Linux starts waits for it.
for (const kind of ["run", "lab", "exercise", "explain"])
	document.addEventListener(`unboxed:${kind}`, async ({ detail }) => {
		try {
			const machine = await start();
			machine[kind](detail);
		} catch (error) {
			console.error(error);
		}
	});
for (const button of document.querySelectorAll("button.run, button.run-lab, button.run-exercise, .explain-form, .explain-run"))
	button.hidden = false;
