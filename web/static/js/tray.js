// The headquarters' tray: what lies there is checked, given to somebody or refused from its rows.

import { byId, h } from "gridmap/dom.js";
import { gettext, number } from "gridmap/language.js";
import { actions, takeMany } from "gridmap/steps.js";

const boxes = () => [...document.querySelectorAll("#tray tbody input[type=checkbox]")];
const rowOf = (box) => box.closest("tr");

function showSteps() {
  const bar = byId("bulk");
  if (!bar) return;
  const chosen = boxes().filter(({ checked }) => checked).map(rowOf);
  bar.hidden = !chosen.length;
  const states = new Set(chosen.map(({ dataset }) => dataset.state));
  const which = { uids: chosen.map(({ dataset }) => dataset.uid) };
  bar.replaceChildren(
    h("strong", {}, gettext("{n} problems are chosen.", { n: number(chosen.length) })),
    h("span", { className: "bulk-steps" }, actions.filter(({ from }) => from.some((state) => states.has(state))).map((step) =>
      h("button", { type: "button", className: step.action === "dispatch" ? "primary" : "", onclick: () => takeMany(step, which, chosen.length, refresh) }, step.name))));
}

// The page as it stands by now, without losing the message that takes the step back.
async function refresh() {
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("tray");
  if (!fresh) return location.reload();
  byId("tray").replaceWith(fresh);
  return begin();
}

function begin() {
  byId("tray").addEventListener("change", ({ target }) => {
    if (target.id === "pick-all") for (const box of boxes()) box.checked = target.checked;
    showSteps();
  });
  document.body.dataset.ready = "yes";
}

begin();
