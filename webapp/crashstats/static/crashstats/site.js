/* This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
   of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/. */

/* Conveniences: every page works without them. */

"use strict";

const SAID_FOR_MS = 2000;

/* The text of a stack: one line a frame, as people paste it into a bug report. */
function stackText(table) {
  const rows = [...table.tBodies[0].rows];
  return rows.map((row) => {
    const [frame, name, source, module] = [...row.cells].map((cell) => cell.innerText.trim());
    return [frame, module, name, source].filter(Boolean).join("  ");
  }).join("\n");
}

function textFor(button) {
  const { copy, copyStack } = button.dataset;
  const source = document.querySelector(copy || copyStack);
  return copy ? source.textContent : stackText(source);
}

async function copyFor(button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(textFor(button));
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow it";
  }
  setTimeout(() => { button.textContent = label; }, SAID_FOR_MS);
}

/* The clipboard exists on secure addresses only: https, and this machine. */
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copyFor(button));
  }
}

/* A link to a thread or a module opens what it is folded into. */
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  target?.closest?.("details")?.setAttribute("open", "");
}
window.addEventListener("hashchange", openTarget);
openTarget();

/* Parts of a page that are fetched when somebody opens them; without this, a link leads there. */
async function loadPart(box) {
  const loading = box.querySelector(".part-loading");
  const failed = box.querySelector(".part-failed");
  if (box.dataset.state) return;
  box.dataset.state = "loading";
  loading.hidden = false;
  failed.hidden = true;
  try {
    const response = await fetch(box.dataset.part);
    /* Whoever is led elsewhere gets a whole page, which has no place here. */
    if (!response.ok || response.redirected) throw new Error(response.statusText);
    box.querySelector(".part").innerHTML = await response.text();
    box.dataset.state = "loaded";
  } catch {
    failed.hidden = false;
    delete box.dataset.state;
  }
  loading.hidden = true;
}
for (const box of document.querySelectorAll("details[data-part]")) {
  box.hidden = false;
  document.querySelector(box.dataset.insteadOf).hidden = true;
  box.addEventListener("toggle", () => { if (box.open) loadPart(box); });
}

/* "/" goes to the search box, as on many sites. */
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    document.getElementById("quick-search").focus();
  }
});
