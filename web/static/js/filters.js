// Filters: each change is in the address at once and acts on every layer.

import { begin } from "gridmap/begin.js";
import { byId, debounce, h } from "gridmap/dom.js";
import { day, gettext, localDay, number } from "gridmap/language.js";
import { NARROWER, view } from "gridmap/view.js";

const UNRESOLVED = ["recorded", "checked", "dispatched", "accepted", "fixed", "verified", "sent_back", "returned", "suspended"];
let numbers = 0;
const newId = () => `field-${(numbers += 1)}`;

function field(label, control) {
  control.id ||= newId();
  return h("div", { className: "field" }, h("label", { htmlFor: control.id }, label), control);
}

function indented(areas, depth = 0) {
  return areas.flatMap((area) => [{ ...area, depth }, ...indented(area.children ?? [], depth + 1)]);
}

function choice(options, name, everything) {
  const select = h("select", { onchange: () => view.setFilter({ [name]: select.value }) },
    h("option", { value: "" }, everything),
    options.map(({ uid, name: text, depth = 0 }) => h("option", { value: uid }, `${"　".repeat(depth)}${text}`)));
  return select;
}

export class Filters {
  constructor(options) {
    this.options = options;
    this.names = new Map();
    this.counts = {};
    for (const major of options.categories) {
      this.names.set(`category ${major.code}`, major.name);
      for (const minor of major.children ?? []) this.names.set(`category ${minor.code}`, minor.name);
    }
    for (const { code, name } of options.states) this.names.set(`state ${code}`, name);
    for (const { code, name } of options.sources) this.names.set(`source ${code}`, name);
    this.areas = indented(options.areas);
    for (const { uid, name } of this.areas) this.names.set(`area ${uid}`, name);
    for (const { uid, name } of options.organisations) this.names.set(`organisation ${uid}`, name);
    this.build();
    view.on(["filter"], () => this.read());
    this.read();
  }

  build() {
    const { organisations, sources } = this.options;
    this.area = choice(this.areas, "area", gettext("All areas"));
    this.organisation = choice(organisations, "organisation", gettext("All organisations"));
    this.overdue = h("input", { type: "checkbox", onchange: () => view.setFilter({ overdue: this.overdue.checked }) });
    this.doubtful = h("input", { type: "checkbox", onchange: () => view.setFilter({ doubtful: this.doubtful.checked }) });
    const state = (value, text) => h("label", { className: "segment" }, h("input", { type: "radio", name: "state", value, onchange: () => view.setFilter({ state: { unresolved: [], all: ["all"], other: ["closed", "rejected", "merged"] }[value] }) }), h("span", {}, text));
    this.state = h("div", { className: "segments", role: "radiogroup", "aria-label": gettext("State") }, state("unresolved", gettext("Unresolved")), state("other", gettext("Resolved")), state("all", gettext("All")));
    const date = (name) => h("input", { type: "date", onchange: (event) => view.setFilter({ [name]: event.target.value }) });
    this.since = date("since");
    this.until = date("until");
    const age = (name, label) => h("input", { type: "number", min: 0, step: 1, inputMode: "numeric", "aria-label": label, oninput: debounce((event) => view.setFilter({ [name]: event.target.value }), 400) });
    this.ageMin = age("age_min", gettext("Older than, days"));
    this.ageMax = age("age_max", gettext("Younger than, days"));
    byId("filters").replaceChildren(
      h("div", { className: "field" }, h("span", { className: "label" }, gettext("State")), this.state),
      h("label", { className: "check strong" }, this.overdue, gettext("Overdue only")),
      field(gettext("Area"), this.area),
      field(gettext("Organisation"), this.organisation),
      h("fieldset", { className: "field" }, h("legend", {}, gettext("Category")), this.categories()),
      h("fieldset", { className: "field" }, h("legend", {}, gettext("Source")), h("div", { className: "columns" }, sources.map(({ code, name }) => this.check("source", code, name)))),
      h("fieldset", { className: "field pair" }, h("legend", {}, gettext("Found")), field(gettext("from"), this.since), field(gettext("to"), this.until)),
      h("fieldset", { className: "field pair" }, h("legend", {}, gettext("Age in days")), field(gettext("at least"), this.ageMin), field(gettext("at most"), this.ageMax)),
      h("label", { className: "check" }, this.doubtful, gettext("With doubtful records (unknown place, impossible times)")),
      h("button", { type: "button", onclick: () => this.clear() }, gettext("Clear all filters")),
    );
  }

  check(kind, code, name) {
    const box = h("input", { type: "checkbox", value: code, "data-kind": kind, onchange: () => this.collect(kind) });
    return h("label", { className: "check" }, box, h("span", {}, name), h("span", { className: "count", "data-count": `${kind} ${code}` }));
  }

  categories() {
    return h("div", { className: "tree" }, this.options.categories.map((major) => {
      const children = major.children ?? [];
      if (!children.length) return this.check("category", major.code, major.name);
      // What folds stands beside the box, not around it: each is reached and named on its own.
      return h("div", { className: "major" }, this.check("category", major.code, major.name),
        h("details", {}, h("summary", { "aria-label": major.name }),
          h("div", { className: "children" }, children.map(({ code, name }) => this.check("category", code, name)))));
    }));
  }

  collect(kind) {
    const codes = [...byId("filters").querySelectorAll(`input[data-kind=${kind}]:checked`)].map(({ value }) => value);
    view.setFilter({ [kind]: codes });
  }

  clear() { view.setFilter(Object.fromEntries(Object.keys(view.filter).map((name) => [name, undefined]))); }

  read() {
    const { filter } = view;
    for (const box of byId("filters").querySelectorAll("input[data-kind]")) box.checked = (filter[box.dataset.kind] ?? []).includes(box.value);
    const states = filter.state ?? [];
    const kind = !states.length ? "unresolved" : states.includes("all") ? "all" : states.some((code) => UNRESOLVED.includes(code)) ? "" : "other";
    for (const radio of this.state.querySelectorAll("input")) radio.checked = radio.value === kind;
    this.area.value = filter.area ?? "";
    this.organisation.value = filter.organisation ?? "";
    this.overdue.checked = Boolean(filter.overdue);
    this.doubtful.checked = Boolean(filter.doubtful);
    this.since.value = filter.since ? localDay(new Date(filter.since)) : "";
    this.until.value = filter.until ? localDay(new Date(filter.until)) : "";
    if (document.activeElement !== this.ageMin) this.ageMin.value = filter.age_min ?? "";
    if (document.activeElement !== this.ageMax) this.ageMax.value = filter.age_max ?? "";
    this.chips();
  }

  // Counts beside each choice, from the summary.
  count(summary) {
    for (const place of byId("filters").querySelectorAll("[data-count]")) {
      const [kind, code] = place.dataset.count.split(" ");
      const counted = summary?.[kind]?.[code];
      place.textContent = counted === undefined ? "" : number(counted);
    }
  }

  describe() {
    const { filter } = view;
    const chips = [];
    const add = (text, without) => chips.push({ text, without });
    for (const kind of ["state", "category", "source"]) {
      for (const code of filter[kind] ?? []) {
        const text = code === "all" ? gettext("All states") : code === "unresolved" ? gettext("Unresolved") : (this.names.get(`${kind} ${code}`) ?? code);
        add(text, { [kind]: filter[kind].filter((other) => other !== code) });
      }
    }
    for (const kind of ["area", "organisation"]) if (filter[kind]) add(this.names.get(`${kind} ${filter[kind]}`) ?? filter[kind], { [kind]: undefined });
    const titles = { cell: gettext("Cell"), road: gettext("Road"), point: gettext("Point"), person: gettext("Person") };
    for (const kind of NARROWER) if (filter[kind]) add(`${titles[kind]} ${begin.narrower[kind] ?? filter[kind]}`, { [kind]: undefined });
    if (filter.overdue) add(gettext("Overdue only"), { overdue: false });
    if (filter.doubtful) add(gettext("With doubtful records"), { doubtful: false });
    if (filter.since) add(gettext("found from {day}", { day: day(filter.since) }), { since: undefined });
    if (filter.until) add(gettext("found before {day}", { day: day(filter.until) }), { until: undefined });
    if (filter.age_min) add(gettext("older than {n} days", { n: filter.age_min }), { age_min: undefined });
    if (filter.age_max) add(gettext("younger than {n} days", { n: filter.age_max }), { age_max: undefined });
    if (filter.at) add(gettext("as of {day}", { day: day(filter.at) }), { at: undefined });
    return chips;
  }

  chips() {
    const chips = this.describe();
    byId("chips").replaceChildren(...chips.map(({ text, without }) => h("button", { type: "button", className: "chip", "aria-label": gettext("Remove the filter {name}", { name: text }), onclick: () => view.setFilter(without) }, text, h("span", { "aria-hidden": "true" }, "×"))));
    byId("filter-count").textContent = chips.length ? String(chips.length) : "";
    byId("print-filters").textContent = chips.map(({ text }) => text).join(" · ") || gettext("Unresolved problems, no other filter");
  }
}
