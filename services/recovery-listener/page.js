// SPDX-License-Identifier: ISC
// The status page: reads /status once, then what /events tells. Puts text
// only, never markup, into the document.
"use strict";

const byId = (id) => document.getElementById(id);
const services = new Map();	// name -> as the supervisor tells
const rows = new Map();		// name -> elements of its row
const INCIDENTS = 100;
const LOG_MS = 2000;
const DAY_MS = 60000;		// between two looks at the last day
const SVG = "http://www.w3.org/2000/svg";
const latencies = new Map();	// name -> of the last day
let trusted = false;		// the address bears the token
let wantsToken = false;

function make(tag, text, className) {
	const e = document.createElement(tag);
	if (text)
		e.textContent = text;
	if (className)
		e.className = className;
	return e;
}

// ---- words

function span(seconds) {
	const s = Math.abs(seconds);
	if (s < 10)
		return s.toFixed(0) + " s";
	for (const [limit, unit, name] of [[120, 1, "s"], [7200, 60, "min"],
	    [172800, 3600, "h"], [Infinity, 86400, "d"]])
		if (s < limit)
			return Math.round(s / unit) + " " + name;
}

function ago(time) {
	return time ? span((Date.now() - Date.parse(time)) / 1000) : "";
}

// The reader's own time zone, in an order that sorts.
function stamp(time) {
	return new Date(time).toLocaleString("sv-SE");
}

const GOOD = "good", WORK = "work", WARN = "warn", BAD = "bad", REST = "rest";
const LOOKS = {
	UP: ["\u25cf", GOOD], DOWN: ["\u25cb", BAD],
	WAITING: ["\u25cc", WORK], STARTING: ["\u25d0", WORK],
	STOPPING: ["\u25d1", WORK], FINISHING: ["\u25d1", WORK],
	BACKOFF: ["\u21bb", WARN], TRIPPED: ["\u2717", BAD],
	UNKNOWN: ["?", BAD],
};
const HEALTHS = { unknown: REST, ok: GOOD, busy: WORK, degraded: WARN,
	failing: BAD };

function isWanted(sv) {
	return sv.enabled && sv.type !== "oneshot" && sv.want === "up";
}

function isFit(sv) {
	return sv.state === "UP" && sv.health !== "failing";
}

function look(sv) {
	const known = LOOKS[sv.state] || LOOKS.UNKNOWN;
	if (sv.state === "DOWN" && !isWanted(sv))
		return [known[0], REST];
	return known;
}

function why(sv) {
	if (sv.state === "UP")
		return sv.health !== "ok" && sv.health_text ?
		    sv.health_text : sv.text || "";
	return sv.reason || "";
}

function next(sv) {
	if (!sv.next_at || sv.state === "UP" || sv.state === "DOWN")
		return "";
	const s = (Date.parse(sv.next_at) - Date.now()) / 1000;
	return s > 0 ? "next step in " + span(s) : "next step is due";
}

function lastExit(e) {
	if (!e)
		return "";
	const how = e.kind === "exit" ? "code " + e.code :
	    e.signal ? e.signal : "status unknown";
	return how + (e.oom ? ", out of memory" : "") + ", " + ago(e.at) +
	    " ago";
}

// ---- the table

// Each below the first thing that it needs; [service, level].
function tree() {
	const all = [...services.values()].sort((a, b) =>
	    a.name < b.name ? -1 : 1);
	const out = [], seen = new Set();
	const parent = (sv) => (sv.needs[0] || "").split(":")[0];
	const put = (sv, level) => {
		if (seen.has(sv.name))
			return;
		seen.add(sv.name);
		out.push([sv, Math.min(level, 3)]);
		for (const child of all)
			if (parent(child) === sv.name)
				put(child, level + 1);
	};
	for (const sv of all)
		if (!services.has(parent(sv)))
			put(sv, 0);
	for (const sv of all)		// a ring
		put(sv, 0);
	return out;
}

function cell(label, className) {
	const td = make("td", "", className);
	td.dataset.label = label;
	return td;
}

function makeRow(name) {
	const row = { line: make("tr"), details: make("tr", "", "details") };
	const head = make("th");
	head.scope = "row";
	row.button = make("button", name, "name");
	row.button.type = "button";
	row.button.setAttribute("aria-expanded", "false");
	row.details.id = "details-" + name;
	row.details.hidden = true;
	row.button.setAttribute("aria-controls", row.details.id);
	row.button.addEventListener("click", () => toggle(name));
	row.about = make("small");
	head.append(row.button, row.about);
	row.state = cell("State");
	row.health = cell("Health");
	row.since = cell("Since", "since");
	row.restarts = cell("Restarts", "number");
	row.latency = cell("Latency", "latency empty");
	row.spark = document.createElementNS(SVG, "svg");
	row.spark.setAttribute("class", "spark");
	row.spark.setAttribute("role", "img");
	row.spark.setAttribute("preserveAspectRatio", "none");
	row.line0 = document.createElementNS(SVG, "path");
	row.spark.append(row.line0);
	row.latest = make("small");
	row.latency.append(row.spark, row.latest);
	row.day = cell("Last day", "day empty");
	row.strip = make("span", "", "strip");
	row.strip.setAttribute("role", "img");
	row.share = make("small");
	row.day.append(row.strip, row.share);
	row.why = cell("Why", "why");
	row.act = make("td", "", "act");
	row.restart = make("button", "Restart");
	row.restart.type = "button";
	row.restart.addEventListener("click", () => act("restart/" +
	    encodeURIComponent(name), "restart of " + name));
	row.act.append(row.restart);
	row.line.append(head, row.state, row.health, row.since, row.restarts,
	    row.latency, row.day, row.why, row.act);
	row.box = make("td");
	row.box.colSpan = 9;
	row.facts = make("dl");
	row.log = make("pre");
	row.log.tabIndex = 0;
	row.log.setAttribute("aria-label", "Last lines of the log of " + name);
	row.box.append(row.facts, row.log);
	row.details.append(row.box);
	rows.set(name, row);
	return row;
}

function setText(e, text) {
	if (e.textContent !== text)
		e.textContent = text;
}

function setWord(td, glyph, word, more, className) {
	const text = glyph + (glyph ? "\u00a0" : "") + word;
	if (td.className !== className || td.textContent !== text + more) {
		td.className = className;
		td.replaceChildren(make("span", text, "word"));
		if (more)
			td.append(make("small", more));
	}
}

function wish(sv) {
	if (!sv.enabled)
		return "disabled";
	return sv.type === "oneshot" ? "runs when asked" : "wanted " + sv.want;
}

function updateTimes(sv, row) {
	const more = next(sv), text = why(sv);
	setText(row.since, ago(sv.since));
	if (row.why.dataset.text !== text + "\n" + more) {
		row.why.dataset.text = text + "\n" + more;
		row.why.replaceChildren(text, make("small", more));
		row.why.classList.toggle("empty", !text && !more);
	}
}

function facts(sv) {
	return [["Wanted", sv.enabled ? sv.want : "disabled"],
	    ["Reason", sv.reason], ["Says", sv.text],
	    ["Health", sv.health + (sv.health_text ? ": " + sv.health_text :
	    "")], ["Process", sv.pid ? String(sv.pid) : ""],
	    ["User", sv.user], ["Port", sv.port ? String(sv.port) : ""],
	    ["Latency", latencies.has(sv.name) ?
	    latencyWords(latencies.get(sv.name)) : ""],
	    ["Needs", sv.needs.join(", ")], ["Last exit",
	    lastExit(sv.last_exit)], ["Definition", sv.stale ?
	    "changed: a restart takes the new one" : ""]];
}

function updateDetails(sv, row) {
	const list = [];
	if (row.details.hidden)
		return;
	for (const [label, text] of facts(sv))
		if (text)
			list.push(make("dt", label), make("dd", text));
	row.facts.replaceChildren(...list);
}

function updateRow(sv, level) {
	const row = rows.get(sv.name) || makeRow(sv.name);
	const [glyph, colour] = look(sv);
	row.line.className = "level-" + level;
	setText(row.about, sv.description || "");
	setWord(row.state, glyph, sv.state, wish(sv), colour);
	setWord(row.health, "", sv.health === "unknown" ? "\u2013" : sv.health,
	    "", HEALTHS[sv.health] || REST);
	setText(row.restarts, String(sv.restarts));
	row.restart.textContent = sv.state === "DOWN" ? "Start" : "Restart";
	row.restart.setAttribute("aria-label", row.restart.textContent + " " +
	    sv.name);
	row.restart.hidden = !canAct() || !sv.enabled ||
	    sv.type === "oneshot";
	updateTimes(sv, row);
	updateDetails(sv, row);
	return row;
}

function render() {
	const body = byId("rows"), wanted = [];
	let at = 0;
	for (const [sv, level] of tree()) {
		const row = updateRow(sv, level);
		for (const tr of [row.line, row.details])
			if (body.children[at++] !== tr)
				body.insertBefore(tr,
				    body.children[at - 1] || null);
		if (isWanted(sv))
			wanted.push(sv);
	}
	while (body.children.length > at)
		body.lastChild.remove();
	for (const name of [...rows.keys()])
		if (!services.has(name))
			rows.delete(name);
	verdict(wanted);
	byId("recover").hidden = !canAct();
}

function verdict(wanted) {
	const ill = wanted.filter((sv) => !isFit(sv)).map((sv) => sv.name);
	const text = ill.length === 0 ? "All " + wanted.length +
	    " wanted services are well" : ill.length + " of " + wanted.length +
	    " wanted services not well: " + ill.join(", ");
	setText(byId("verdict"), text);
	byId("verdict").className = ill.length === 0 ? GOOD : BAD;
	document.title = (ill.length === 0 ? "" : "\u2717 ") + "svtree " +
	    location.hostname;
}

// ---- the last day

const WAS = { w: "well", i: "ill", p: "partly ill", s: "stopped",
	"-": "not known" };

// Neighbours of one kind are one piece; its width is its time.
function pieces(slots) {
	const out = [];
	for (const letter of slots) {
		const last = out[out.length - 1];
		if (last && last[0] === letter)
			last[1]++;
		else
			out.push([letter, 1]);
	}
	return out;
}

function percent(ratio) {
	const p = ratio * 100;
	return (p === 100 ? "100" : p > 99 ? Math.min(p, 99.99).toFixed(2) :
	    p.toFixed(1)) + " %";
}

function updateDay(row, day) {
	const isKnown = day && day.ratio !== null;
	row.day.classList.toggle("empty", !isKnown);
	row.strip.hidden = row.share.hidden = !isKnown;
	if (!isKnown || row.strip.dataset.slots === day.slots + day.ratio)
		return;
	row.strip.dataset.slots = day.slots + day.ratio;
	row.strip.replaceChildren(...pieces(day.slots).map(([letter, n]) => {
		const piece = make("i", "", WAS[letter].replace(" ", "-"));
		piece.style.flexGrow = n;
		return piece;
	}));
	setText(row.share, percent(day.ratio) + " well");
	const ill = [...day.slots].filter((c) => c === "i" || c === "p").length;
	row.strip.setAttribute("aria-label", "The last 24 hours: well " +
	    percent(day.ratio) + " of the time wanted" + (ill === 0 ? "" :
	    ", ill in " + ill + " quarters of an hour"));
}

// ---- how long the answers to probes took

function millis(ms) {
	return ms < 1 ? "< 1 ms" : ms < 10 ? +ms.toFixed(1) + " ms" : ms < 1000 ?
	    ms.toFixed(0) + " ms" : (ms / 1000).toFixed(1) + " s";
}

function latencyWords(l) {
	const parts = [l.last_ms === undefined ? "no answer to the last probe" :
	    "last " + millis(l.last_ms)];
	if (l.mean_ms !== null)
		parts.push("mean " + millis(l.mean_ms), "at most " +
		    millis(l.max_ms));
	if (l.failed > 0)
		parts.push(l.failed + (l.failed === 1 ? " probe" : " probes") +
		    " without an answer");
	return parts.join(", ") + " in 24 h";
}

// A step for each quarter of an hour; a gap where nothing answered. The
// newest stand at the right; as long as the day is young, they fill all.
function drawSpark(row, slots) {
	const first = slots.findIndex((ms) => ms !== null);
	const shown = first < 0 ? [] : slots.slice(Math.min(first,
	    slots.length - 8));
	const top = Math.max(...shown, 1);
	let path = "", isOn = false;
	shown.forEach((ms, x) => {
		if (ms === null) {
			isOn = false;
			return;
		}
		const y = (19 - 18 * ms / top).toFixed(2);
		path += (isOn ? "V" : "M" + x + " ") + y + "H" + (x + 1);
		isOn = true;
	});
	row.spark.setAttribute("viewBox", "0 0 " + (shown.length || 1) +
	    " 20");
	row.line0.setAttribute("d", path);
}

function updateLatency(sv, row, l) {
	row.latency.classList.toggle("empty", !l);
	row.spark.toggleAttribute("hidden", !l);
	row.latest.hidden = !l;
	if (!l)
		return;
	drawSpark(row, l.slots);
	setText(row.latest, sv.state !== "UP" ? "" : l.last_ms === undefined ?
	    "no answer" : millis(l.last_ms));
	row.spark.setAttribute("aria-label", "Latency: " + latencyWords(l));
}

async function loadLatencies() {
	try {
		const answer = await fetch("latency", { headers: headers() });
		if (!answer.ok)
			return;
		latencies.clear();
		for (const [name, l] of Object.entries(
		    (await answer.json()).services))
			latencies.set(name, l);
		for (const [name, row] of rows) {
			updateLatency(services.get(name), row,
			    latencies.get(name));
			updateDetails(services.get(name), row);
		}
	} catch (e) {
		// the stream's own error tells
	}
}

async function loadDays() {
	loadLatencies();
	try {
		const answer = await fetch("availability", {
			headers: headers() });
		if (!answer.ok)
			return;
		const days = (await answer.json()).services;
		for (const [name, row] of rows)
			updateDay(row, services.get(name).type === "oneshot" ?
			    null : days[name]);
	} catch (e) {
		// the stream's own error tells
	}
}

// ---- details and logs

async function readLog(name) {
	const row = rows.get(name);
	if (!row || row.details.hidden)
		return;
	try {
		const answer = await fetch("log/" + encodeURIComponent(name) +
		    "?n=100", { headers: headers() });
		const text = await answer.text();
		const low = row.log.scrollTop + row.log.clientHeight >=
		    row.log.scrollHeight - 4;
		if (row.log.textContent !== text) {
			row.log.textContent = answer.ok ? text ||
			    "(no line yet)" : JSON.parse(text).reason;
			if (low)
				row.log.scrollTop = row.log.scrollHeight;
		}
	} catch (e) {
		row.log.textContent = "The log cannot be read now.";
	}
}

function toggle(name) {
	const row = rows.get(name);
	row.details.hidden = !row.details.hidden;
	row.button.setAttribute("aria-expanded", String(!row.details.hidden));
	if (row.details.hidden)
		return;
	updateDetails(services.get(name), row);
	readLog(name);
}

// ---- what happened

// The end of a run, when the state that follows says the same and more.
function forgetEnd(list, e) {
	for (const item of [...list.children].slice(0, 9))
		if (e.event === "state" && item.dataset.ended === e.service &&
		    (e.reason || "").startsWith(item.lastChild.textContent)) {
			item.remove();
			return;
		}
}

function addIncident(e) {
	const list = byId("incidents"), item = make("li");
	const time = make("time", stamp(e.at));
	const what = e.event === "incident" || e.event === "exit" ? e.reason :
	    (e.event === "verb" ? "asked for" : e.event) + (e.reason ?
	    ": " + e.reason : "");
	time.dateTime = e.at;
	item.append(time, make("strong", e.service || "tree"),
	    make("span", e.event === "state" ? e.state + (e.reason ? ": " +
	    e.reason : "") : what));
	forgetEnd(list, e);
	if (e.event === "exit")
		item.dataset.ended = e.service;
	list.prepend(item);
	while (list.children.length > INCIDENTS)
		list.lastChild.remove();
	byId("no-incidents").hidden = true;
}

// ---- actions

function canAct() {
	return wantsToken && (trusted || byId("token").value !== "");
}

function headers() {
	const token = byId("token").value;
	return token ? { Authorization: "Bearer " + token } : {};
}

let sayTimer = 0;
function say(text) {
	byId("said").textContent = text;
	clearTimeout(sayTimer);
	sayTimer = setTimeout(() => { byId("said").textContent = ""; }, 6000);
}

async function act(path, what) {
	try {
		const answer = await fetch(path, { method: "POST",
			headers: { ...headers(),
			    "Content-Type": "application/json" }, body: "{}" });
		const said = await answer.json();
		if (answer.ok && said.recovery_triggered !== false)
			say("Asked for: " + what);
		else
			say("Not done: " + (said.reason || answer.status));
	} catch (e) {
		say("Not done: nobody answers");
	}
}

// ---- the supervisor's word

function setLink(text, isLive) {
	setText(byId("link"), text);
	document.body.dataset.live = isLive ? "yes" : "no";
}

function takeStatus(status) {
	const s = status.supervisor;
	services.clear();
	for (const sv of status.services)
		services.set(sv.name, sv);
	setText(byId("supervisor"), s ? "svtree " + s.version + ", pid " +
	    s.pid + ", since " + stamp(s.since) :
	    "No supervisor: this is what its records say.");
	render();
	if (!s) {
		setText(byId("verdict"), "No supervisor is running");
		byId("verdict").className = BAD;
	}
}

async function load() {
	try {
		const answer = await fetch("status", { headers: headers() });
		if (answer.ok) {
			takeStatus(await answer.json());
			loadDays();
		}
		else
			setText(byId("verdict"), (await answer.json()).reason);
	} catch (e) {
		setLink("Nobody answers; trying again \u2026", false);
	}
}

async function loadIncidents() {
	try {
		const answer = await fetch("incidents", {
			headers: headers() });
		if (!answer.ok)
			return;
		byId("incidents").replaceChildren();
		for (const e of await answer.json())
			addIncident(e);
	} catch (e) {
		// the stream's own error tells
	}
}

function takeService(sv) {
	const before = services.get(sv.name);
	services.set(sv.name, sv);
	render();
	if (before && (before.state !== sv.state ||
	    before.health !== sv.health))
		loadDays();
	if (before && before.state !== sv.state) {
		const line = rows.get(sv.name).line;
		line.classList.remove("changed");
		void line.offsetWidth;	// starts the animation again
		line.classList.add("changed");
		say(sv.name + " is " + sv.state + (why(sv) ? ": " + why(sv) :
		    ""));
	}
}

function takeHello(hello) {
	wantsToken = hello.actions === "token";
	trusted = hello.trusted;
	byId("actions").hidden = !wantsToken || trusted;
	byId("no-actions").hidden = wantsToken;
	setLink(hello.supervisor ? "live" : "no supervisor answers",
	    hello.supervisor);
	load();
	loadIncidents();
}

function listen() {
	const stream = new EventSource("events");
	const on = (name, take) => stream.addEventListener(name, (m) =>
	    take(JSON.parse(m.data)));
	on("hello", takeHello);
	on("service", takeService);
	on("incident", addIncident);
	on("reload", () => { setLink("live", true); load(); });
	on("gone", () => { setLink("no supervisor answers", false); load(); });
	stream.addEventListener("error", () => {
		setLink("connection lost; trying again \u2026", false);
		if (stream.readyState === EventSource.CLOSED)
			setTimeout(listen, 3000);
	});
}

byId("host").textContent = location.host;
byId("token").value = sessionStorage.getItem("token") || "";
byId("token").addEventListener("input", () => {
	sessionStorage.setItem("token", byId("token").value);
	render();
});
byId("actions").addEventListener("submit", (e) => e.preventDefault());
byId("recover").addEventListener("click", () => act("recover", "recovery"));
setInterval(() => {
	for (const sv of services.values())
		if (rows.has(sv.name))
			updateTimes(sv, rows.get(sv.name));
}, 1000);
setInterval(() => {
	if (!document.hidden)
		for (const name of rows.keys())
			readLog(name);
}, LOG_MS);
setInterval(() => {
	if (!document.hidden)
		loadDays();
}, DAY_MS);
listen();
