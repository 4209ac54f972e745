// The first look: how much, how late, where worst, who holds it, and where nobody does.

import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { gettext, number, percent } from "gridmap/language.js";
import { view } from "gridmap/view.js";

const WORST = 8;

function figure(label, value, { detail = "", kind = "", action = null } = {}) {
  const inside = [h("span", { className: "label" }, label), h("strong", {}, value), h("small", {}, detail)];
  return action
    ? h("button", { type: "button", className: `figure ${kind}`, onclick: action }, inside)
    : h("div", { className: `figure ${kind}` }, inside);
}

export class Overview {
  constructor(map, cells) {
    this.map = map;
    this.cells = cells;
    cells.addEventListener("load", () => this.draw());
    cells.addEventListener("ready", () => this.draw());
    view.on(["open"], () => this.draw());
  }

  draw() {
    const { load } = this.cells;
    const total = load.total ?? 0;
    const overdue = load.overdue ?? Object.values(load.cells).reduce((sum, [, late]) => sum + late, 0);
    const unheld = this.cells.unheld();
    // Who may not see problems is told of none, not that there are none.
    const ofProblems = (...made) => (begin.may.read ? made : []);
    byId("figures").replaceChildren(
      ...ofProblems(figure(view.filter.state ? gettext("Problems that match") : gettext("Unresolved"), number(total)),
      figure(gettext("Overdue"), number(overdue), {
        detail: total ? percent(overdue / total) : "", kind: overdue ? "bad" : "",
        action: () => view.setFilter({ overdue: !view.filter.overdue }),
      })),
      figure(gettext("Cells nobody holds"), number(unheld.length), {
        kind: unheld.length ? "warn" : "", action: unheld.length ? () => this.list("unheld") : null,
      }),
      ...ofProblems(figure(gettext("Outside every cell"), number(load.outside ?? 0), { kind: load.outside ? "warn" : "" })),
    );
    this.list(this.kind ?? "worst");
  }

  list(kind) {
    this.kind = kind;
    const unheld = kind === "unheld";
    const cells = unheld
      ? this.cells.unheld().map((cell) => ({ ...cell, open: this.cells.load.cells[cell.uid]?.[0] ?? 0, overdue: this.cells.load.cells[cell.uid]?.[1] ?? 0 })).sort((a, b) => b.open - a.open)
      : this.cells.worst(WORST);
    const most = Math.max(...cells.map(({ open }) => open), 1);
    const tab = (name, text) => h("button", { type: "button", className: "tab", "aria-pressed": String(kind === name), onclick: () => this.list(name) }, text);
    byId("ranking").replaceChildren(
      h("div", { className: "tabs", role: "group", "aria-label": gettext("Which cells to list") }, tab("worst", gettext("Worst cells")), tab("unheld", gettext("Held by nobody"))),
      cells.length
        ? h("ol", { className: "ranking" }, cells.map((cell) => this.row(cell, most)))
        : h("p", { className: "empty" }, this.cells.none ? gettext("There are no grid cells yet.") : unheld ? gettext("Every cell is held by somebody.") : gettext("No problem matches the filters.")),
    );
  }

  row(cell, most) {
    const chosen = view.state.open === `cell/${cell.uid}`;
    const bar = h("span", { className: "stack-bar", "aria-hidden": "true", style: { width: `${(100 * cell.open) / most}%` } },
      h("span", { style: { width: `${(100 * cell.overdue) / Math.max(cell.open, 1)}%` } }));
    return h("li", {}, h(
      "button",
      { type: "button", "aria-current": chosen ? "true" : null, onclick: () => { if (cell.bounds) this.map.fitBounds(cell.bounds.pad(0.6), { maxZoom: 16 }); view.set("open", `cell/${cell.uid}`); } },
      h("span", { className: "name" }, cell.name || cell.code),
      h("span", { className: "holder" }, cell.held === false ? h("em", { className: "bad" }, gettext("nobody")) : (cell.holder ?? cell.area?.name ?? "")),
      h("span", { className: "counts" }, h("b", {}, number(cell.open)), cell.overdue ? h("span", { className: "bad" }, " ", gettext("{n} late", { n: number(cell.overdue) })) : null),
      bar,
    ));
  }
}
