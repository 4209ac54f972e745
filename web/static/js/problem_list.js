// The list of problems: filtered as the map is, with steps on many at once.

import { ask, get } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { Filters } from "gridmap/filters.js";
import { ago, gettext, number, time } from "gridmap/language.js";
import { actions, takeMany } from "gridmap/steps.js";
import { NARROWER, view } from "gridmap/view.js";

const PAGE = 50;
const rows = byId("rows");
const more = byId("more");
const sort = byId("sort");
const chosen = new Map();
let everything = false;
let total = 0;
let cursor;

const nameOf = (one) => one?.name ?? "";

function line(problem) {
  const { uid, number: quoted, category, state, state_name, overdue, address, cell, area, person, organisation, found_at, due_at } = problem;
  const box = h("input", { type: "checkbox", checked: everything || chosen.has(uid), disabled: everything, "aria-label": gettext("Choose No. {number}", { number: quoted }), onchange: () => {
    if (box.checked) chosen.set(uid, problem); else chosen.delete(uid);
    showBulk();
  } });
  return h("tr", {},
    h("td", { className: "pick" }, box),
    h("td", { className: "number" }, h("a", { href: `/problems/${uid}` }, String(quoted))),
    h("td", {}, nameOf(category)),
    h("td", {}, h("span", { className: `badge state-${state}` }, state_name)),
    h("td", {}, address || nameOf(cell) || nameOf(area), address && nameOf(cell) ? h("small", {}, nameOf(cell)) : null),
    h("td", {}, nameOf(organisation) || "–", nameOf(person) ? h("small", {}, nameOf(person)) : null),
    h("td", { className: "when" }, time(found_at)),
    h("td", { className: "when" }, due_at ? time(due_at) : "–", overdue ? h("small", { className: "bad" }, gettext("{time} overdue", { time: ago(due_at) })) : null));
}

async function load({ fresh = false } = {}) {
  if (fresh) cursor = undefined;
  const page = await get("list", "problems", view.query({ limit: PAGE, sort: sort.value, ...(cursor ? { cursor } : {}) }));
  if (!page) return;
  const lines = page.features.map(({ properties }) => line(properties));
  if (fresh) rows.replaceChildren(...lines); else rows.append(...lines);
  cursor = page.next;
  total = page.total;
  more.hidden = !cursor;
  byId("nothing").hidden = total > 0;
  byId("total").textContent = gettext("{n} problems", { n: number(total) });
  showBulk();
  document.body.dataset.ready = "yes";
}

function forget() {
  everything = false;
  chosen.clear();
  byId("pick-all").checked = false;
}

function refresh() {
  forget();
  load({ fresh: true });
  loadCounts();
}

function showBulk() {
  const count = everything ? total : chosen.size;
  const bar = byId("bulk");
  bar.hidden = !count;
  if (!count) return;
  const states = everything ? null : new Set([...chosen.values()].map(({ state }) => state));
  const possible = actions.filter(({ from }) => !states || from.some((state) => states.has(state)));
  const which = everything ? { filter: view.query() } : { uids: [...chosen.keys()] };
  bar.replaceChildren(...[
    h("strong", {}, gettext("{n} problems are chosen.", { n: number(count) })),
    !everything && byId("pick-all").checked && total > chosen.size
      ? h("button", { type: "button", className: "link", onclick: () => { everything = true; mark(); } }, gettext("Choose all {n} that match", { n: number(total) })) : null,
    h("button", { type: "button", className: "link", onclick: () => { forget(); mark(); } }, gettext("Choose none")),
    h("span", { className: "bulk-steps" }, possible.map((step) => h("button", { type: "button", onclick: () => takeMany(step, which, count, refresh) }, step.name)),
      begin.may.supervise ? h("a", { className: "button", href: supervision() }, gettext("Supervision notice")) : null),
  ].filter(Boolean));
}

// Where a supervision notice about what is chosen is written.
function supervision() {
  const which = everything ? { of: "filter", ...view.query() } : { of: "numbers", numbers: [...chosen.values()].map(({ number: quoted }) => quoted).join(",") };
  return `/notices/new?${new URLSearchParams({ kind: "supervision", ...which })}`;
}

function mark() {
  for (const box of rows.querySelectorAll("input")) {
    box.disabled = everything;
    const uid = box.closest("tr").querySelector("a").pathname.split("/").pop();
    box.checked = everything || chosen.has(uid);
  }
  showBulk();
}

byId("pick-all").addEventListener("change", ({ target }) => {
  everything = false;
  for (const box of rows.querySelectorAll("input")) {
    box.disabled = false;
    if (box.checked !== target.checked) box.click();
  }
});
more.addEventListener("click", () => load());

function keepSort() {
  const address = new URL(location.href);
  if (sort.value === "-overdue") address.searchParams.delete("sort"); else address.searchParams.set("sort", sort.value);
  history.replaceState(null, "", address);
}

let filters;
async function loadCounts() {
  // Nobody has counted in one cell or for one person beforehand.
  const narrowed = NARROWER.some((name) => view.filter[name]);
  const summary = narrowed ? {} : await get("summary", "summary", view.query());
  if (summary) filters?.count(summary);
}

async function start() {
  sort.value = new URLSearchParams(location.search).get("sort") ?? "-overdue";
  if (!sort.value) sort.value = "-overdue";
  const toggle = byId("panel-toggle");
  const narrow = matchMedia("(max-width: 900px)");
  const fold = (folded) => {
    document.body.classList.toggle("panel-folded", folded);
    toggle.setAttribute("aria-expanded", String(!folded));
  };
  toggle.addEventListener("click", () => fold(!document.body.classList.contains("panel-folded")));
  fold(narrow.matches);
  narrow.addEventListener("change", () => fold(narrow.matches));
  const options = await ask("filters");
  filters = new Filters(options);
  const ledger = document.getElementById("to-ledger");
  const link = () => {
    const { search, searchParams } = new URL(location.href);
    for (const name of NARROWER) searchParams.delete(name);
    byId("on-map").href = `/?${searchParams}`;
    if (ledger) ledger.href = `/ledger${search}`;
  };
  link();
  view.on(["filter"], () => { link(); keepSort(); refresh(); });
  sort.addEventListener("change", () => { keepSort(); load({ fresh: true }); });
  await load({ fresh: true });
  loadCounts();
}

start();
