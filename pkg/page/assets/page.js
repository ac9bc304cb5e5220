// Keeps the page up to date while it is looked at. Without this script, the page is the same but for that.
"use strict";

const interval = 2000;
const live = document.getElementById("live");
let on = true;
let shown = document.getElementById("content").innerHTML;

// What is open stays open, and what has the focus keeps it: people read while rows come in.
function replace(html) {
  const content = document.getElementById("content");
  const open = [...content.querySelectorAll("details[open][id]")].map((d) => d.id);
  const focused = content.contains(document.activeElement) ? document.activeElement.closest("[id]") : null;
  const wasSummary = document.activeElement.tagName === "SUMMARY";
  content.innerHTML = html;
  for (const id of open) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
  const again = focused && focused !== content && document.getElementById(focused.id);
  if (again) (wasSummary ? again.querySelector("summary") : again).focus({ preventScroll: true });
}

async function update() {
  if (!on || document.hidden) return;
  // Somebody is marking text: leave it there.
  if (!document.getSelection().isCollapsed) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const html = page.getElementById("content").innerHTML;
    if (html !== shown) replace((shown = html));
    live.textContent = "Live updates: on";
  } catch {
    live.textContent = "Live updates: no connection";
  }
}

live.hidden = false;
live.addEventListener("click", () => {
  on = !on;
  live.textContent = on ? "Live updates: on" : "Live updates: off";
  update();
});

async function loop() {
  await update();
  setTimeout(loop, interval);
}
setTimeout(loop, interval);
