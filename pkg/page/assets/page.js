// Shows what data.json says, and keeps it up to date while it is looked at. What comes from outside becomes text, never
// markup.
"use strict";

const interval = 2000;
const live = document.getElementById("live");
const problem = document.getElementById("problem");
let on = true;
let shown = "";

// el makes an element. Attributes and children that are false, "" or undefined are left out.
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child || child === 0));
  return element;
}

// time shows the clock of a time in UTC.
function time(at) {
  return el("time", { datetime: at }, at.slice(11, 19));
}

// duration is written as Go does: 80µs, 30ms, 1.5s, 1m30s.
function duration(milliseconds) {
  if (milliseconds > 0 && milliseconds < 1) return `${Math.round(milliseconds * 1000)}µs`;
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds}s`;
  const hours = Math.floor(seconds / 3600);
  return `${hours ? `${hours}h` : ""}${Math.floor(seconds / 60) % 60}m${Math.floor(seconds % 60)}s`;
}

function isBad(d) {
  return d.result === "failed" || d.result === "dropped";
}

function delivery(d) {
  const mark = isBad(d) ? "✗" : d.result === "sent" ? "✓" : "…";
  const reason = d.reason && d.result !== "sent" ? `: ${d.reason}` : "";
  const type = d.type && ` (${d.type})`;
  const end = d.tookMilliseconds ? `, ${duration(d.tookMilliseconds)} from the event to the end` : "";
  return el("li", { class: isBad(d) && "bad" },
    el("details", { id: `d-${d.id}` },
      el("summary", {},
        time(d.at), " ",
        el("strong", { class: "result" }, `${mark} ${d.result}${reason}`), " ",
        el("span", { class: "object" }, d.object), " ",
        el("span", { class: "to" }, `by Alert ${d.alert} to Provider ${d.provider}${type}`)),
      d.error && el("p", { class: "error" }, d.error),
      d.attempts.length > 0 && el("ol", { class: d.count > d.attempts.length && "last" }, d.attempts.map(attempt)),
      el("p", {}, `${d.count} ${d.count === 1 ? "attempt" : "attempts"}${end}.`)));
}

function attempt(a) {
  return el("li", {}, time(a.at), `, ${duration(a.tookMilliseconds)}: ${a.error || "taken"}`);
}

function event(e) {
  const accepted = e.result === "accepted";
  return el("li", {},
    el("details", { id: e.id && `e-${e.id}` },
      el("summary", {},
        time(e.at), " ",
        el("strong", { class: "result" }, e.result, accepted && `: ${e.matches} of ${e.asked} Alerts match`), " ",
        el("span", { class: "object" }, e.object), " ",
        el("span", { class: "to" }, `${e.severity} ${e.reason}`)),
      e.error && el("p", { class: "error" }, e.error),
      e.message && el("p", { class: "message" }, e.message),
      e.result === "repeated" && el("p", {}, "The same event was accepted before, within --rate-limit-interval."),
      e.verdicts.length > 0 && el("ul", {}, e.verdicts.map(verdict), e.unlisted > 0 && el("li", {}, `and ${e.unlisted} more`)),
      accepted && e.asked === 0 && el("p", {},
        "No Alert names this object in its spec.eventSources. Kind, namespace and name have to be spelled alike.")));
}

function verdict(v) {
  return el("li", {}, `${v.verdict === "matched" ? "✓" : "✗"} Alert ${v.alert}: ${v.verdict}`);
}

function backlog(b) {
  const oldest = b.oldestSeconds ? duration(b.oldestSeconds * 1000) : "–";
  const paused = b.pausedSeconds ? `${duration(b.pausedSeconds * 1000)} more` : "–";
  return [b.provider, b.waiting, b.running, oldest, paused];
}

function receiver(r) {
  const state = r.detail ? `${r.state}: ${r.detail}` : r.state;
  return [r.name, r.type, state, r.calls.length > 0 ? r.calls.map(call) : "–"];
}

function call(c) {
  const reason = c.reason === c.outcome ? "" : `: ${c.reason}`;
  return el("div", {}, time(c.at), ` ${c.outcome}${reason} (${duration(c.tookMilliseconds)})`);
}

// table has a row for each array of cells, the first of which is its header.
function table(columns, rows) {
  return el("table", {},
    el("thead", {}, el("tr", {}, columns.map((column) => el("th", { scope: "col" }, column)))),
    el("tbody", {}, rows.map(([first, ...others]) => el("tr", {},
      el("th", { scope: "row" }, first),
      others.map((cell, i) => el("td", { "data-label": columns[i + 1] }, cell))))));
}

// fill puts what is made of the rows below the heading with the id, or a word if there are none.
function fill(id, rows, make, none) {
  document.getElementById(id).nextElementSibling.replaceChildren(rows.length > 0 ? make(rows) : el("p", {}, none));
}

function render(data) {
  const list = (item) => (rows) => el("ul", { class: "rows" }, rows.map(item));
  fill("deliveries", data.deliveries, list(delivery), "None.");
  fill("events", data.events, list(event), "None.");
  fill("queues", data.backlogs,
    (rows) => table(["Provider", "Waiting", "Being sent", "Oldest", "Asked to wait"], rows.map(backlog)), "Nothing waits.");
  fill("receivers", data.receivers,
    (rows) => table(["Receiver", "Type", "State", "Last calls"], rows.map(receiver)), "None.");
}

// What is open stays open, and what has the focus keeps it: people read while rows come in.
function replace(data) {
  const content = document.getElementById("content");
  const open = [...content.querySelectorAll("details[open][id]")].map((d) => d.id);
  const focused = content.contains(document.activeElement) ? document.activeElement.closest("[id]") : null;
  const wasSummary = document.activeElement.tagName === "SUMMARY";
  render(data);
  for (const id of open) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
  const again = focused && focused !== content && document.getElementById(focused.id);
  if (again) (wasSummary ? again.querySelector("summary") : again).focus({ preventScroll: true });
}

function say(state, error) {
  live.textContent = `Live updates: ${state}`;
  problem.textContent = error;
  problem.hidden = !error;
}

// Where somebody is marking text, it is left alone.
function paused() {
  return !on || document.hidden || !document.getSelection().isCollapsed;
}

async function update() {
  if (paused()) return;
  try {
    const answer = await fetch(`/status/data.json${location.search}`, { cache: "no-store" });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    if (paused()) return;
    if (text !== shown) replace(JSON.parse(text));
    shown = text;
    say("on", "");
  } catch (error) {
    if (on) say("no connection", error.message);
  }
}

function fillForm() {
  const query = new URLSearchParams(location.search);
  document.getElementById("object").value = query.get("object") ?? "";
  document.getElementById("failed").checked = Boolean(query.get("failed"));
  document.getElementById("all").hidden = !query.get("object") && !query.get("failed");
}

live.addEventListener("click", () => {
  on = !on;
  say(on ? "on" : "off", "");
  update();
});

async function loop() {
  await update();
  live.hidden = false;
  setTimeout(loop, interval);
}
fillForm();
loop();
