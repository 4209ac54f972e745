// What the colours on the map mean; only what is shown.

import { begin } from "gridmap/begin.js";
import { titles } from "gridmap/colours.js";
import { byId, h, icon } from "gridmap/dom.js";
import { gettext, number } from "gridmap/language.js";
import { heatTitle } from "gridmap/layers.js";
import { siteColour, siteIcon } from "gridmap/places.js";
import { view } from "gridmap/view.js";

const swatch = (colour, extra = "") => h("span", { className: `swatch ${extra}`, style: { backgroundColor: colour } });
const line = (sign, text) => h("li", {}, sign, h("span", {}, text));

function cellsPart(cells) {
  const classes = cells.scale?.labels() ?? [];
  return [
    h("h3", {}, titles[view.state.colour]()),
    h("div", { className: "ramp" }, classes.map(({ colour, text }) => h("span", {}, swatch(colour), h("small", {}, text)))),
    cells.unheld().length ? h("ul", {}, line(h("span", { className: "swatch hatched" }), gettext("held by nobody"))) : null,
  ];
}

function heatPart(heat) {
  const stops = heat.scale?.stops ?? [];
  const colours = stops.map(({ color }) => color).join(", ");
  return [
    h("h3", {}, gettext("Heat"), h("small", {}, ` ${heatTitle()}`)),
    stops.length
      ? h("div", { className: "heat-ramp" },
        h("span", { className: "gradient", style: { backgroundImage: `linear-gradient(to right, ${colours})` } }),
        h("span", { className: "ends" }, h("small", {}, number(Number(stops[0].value.toPrecision(2)))), h("small", {}, `${number(Number(stops.at(-1).value.toPrecision(2)))} ${heat.scale.unit ?? ""}`)))
      : h("small", { className: "muted" }, gettext("nothing to show")),
  ];
}

export function addLegend(cells, heat, points, categories) {
  // On a screen of usual width the signs would cover a fifth of the map.
  let open = matchMedia("(min-width: 1600px)").matches;
  const rest = (sections) => h("details", { className: "signs", open, ontoggle: (event) => { open = event.target.open; } }, h("summary", {}, gettext("Signs")), sections);
  const draw = () => {
    const parts = [], signs = [];
    if (view.shows("cells")) parts.push(h("section", {}, cellsPart(cells)));
    if (heat.shown) parts.push(h("section", {}, heatPart(heat)));
    if (view.shows("problems") && begin.may.read) {
      signs.push(h("section", {}, h("h3", {}, gettext("Problems")), h("ul", {},
        categories.slice(0, begin.look.categories.length).map(({ name }, index) => line(swatch(begin.look.categories[index], "round"), name)),
        line(h("span", { className: "swatch round overdue" }), gettext("overdue")))));
    }
    if (view.shows("roads")) {
      const roads = begin.look.roads;
      signs.push(h("section", {}, h("h3", {}, gettext("Priority roads")), h("ul", {}, line(swatch(roads[1][0], "thick"), gettext("key road")), line(swatch(roads[2][0], "thin"), gettext("ordinary")))));
    }
    if (view.shows("points") && points.types.size) {
      signs.push(h("section", {}, h("h3", {}, gettext("Inspection points")), h("ul", { className: "sites" },
        [...points.types].map(([type, name]) => line(h("span", { className: "swatch site", style: { backgroundColor: siteColour(type) } }, icon(siteIcon(type))), name)))));
    }
    if (signs.length) parts.push(rest(signs));
    byId("legend-body").replaceChildren(...parts);
    byId("legend").hidden = !parts.length;
  };
  view.on(["layers", "colour", "heat"], draw);
  cells.addEventListener("scale", draw);
  cells.addEventListener("ready", draw);
  heat.addEventListener("legend", draw);
  draw();
  return draw;
}
