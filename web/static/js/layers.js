// Switches of the layers and how each is drawn.

import { begin } from "gridmap/begin.js";
import { bases } from "gridmap/basemap.js";
import { titles } from "gridmap/colours.js";
import { byId, h } from "gridmap/dom.js";
import { gettext } from "gridmap/language.js";
import { view } from "gridmap/view.js";

const WEIGHTS = {
  count: () => gettext("Number of problems"),
  severity: () => gettext("By severity"),
  age: () => gettext("By age"),
  severity_age: () => gettext("By severity and age"),
};
const PER = {
  ground: () => gettext("per square kilometre"),
  street_km: () => gettext("per kilometre of street"),
  patrol: () => gettext("per patrol visit"),
};

function choose(name, options, label) {
  const select = h("select", { "aria-label": label, onchange: () => view.set(name, select.value) }, Object.entries(options).map(([value, text]) => h("option", { value }, typeof text === "function" ? text() : text)));
  const read = () => { select.value = view.state[name]; };
  view.on([name, "heat"], read);
  read();
  return select;
}

function layer(name, text, hint, ...options) {
  const box = h("input", { type: "checkbox", role: "switch", className: "switch", onchange: () => view.toggle(name, box.checked) });
  const read = () => { box.checked = view.shows(name); };
  view.on(["layers"], read);
  read();
  return h("div", { className: "layer" }, h("label", {}, box, h("span", {}, text)), hint ? h("small", {}, hint) : null, options);
}

export function addLayerSwitches() {
  byId("layers").replaceChildren(...[
    layer("cells", gettext("Grid cells"), null, choose("colour", titles, gettext("Colour of the cells"))),
    begin.may.read ? layer("problems", gettext("Problems"), gettext("Single ones from street level while cells are coloured")) : null,
    begin.may.read ? layer("heat", gettext("Heat of problems"), null, choose("weight", WEIGHTS, gettext("Weight of the heat")), choose("per", PER, gettext("Heat relative to"))) : null,
    layer("points", gettext("Inspection points")),
    layer("roads", gettext("Priority roads")),
    begin.may.shops ? layer("shops", gettext("Shops"), gettext("From street level; red: repeat offender, amber: no pledge")) : null,
    h("div", { className: "layer" }, h("label", { htmlFor: "base-choice" }, gettext("Base map")), Object.assign(choose("base", Object.fromEntries(bases().map(({ key, name }) => [key, name])), gettext("Base map")), { id: "base-choice" })),
  ].filter(Boolean));
}

export const heatTitle = () => `${WEIGHTS[view.state.weight]()}, ${PER[view.state.per]()}`;
