// Squares in which problems are to be expected, violet where the heat of what is open is red.

import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { gettext } from "gridmap/language.js";
import { publicMap } from "gridmap/public_base.js";

const COLOURS = ["#d9c6ec", "#b994db", "#9159c0", "#6a2fa0", "#3f0f6b"];
const STEPS = [0.5, 0.75, 0.9, 0.97];

const map = publicMap();
const marks = L.layerGroup().addTo(map);

function bounds(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return [...new Set(STEPS.map((share) => sorted[Math.floor(share * (sorted.length - 1))]))];
}

function level(value, limits) { return limits.filter((limit) => value > limit).length; }

function popup({ rank, expected, chance, past, near, category, cell, person }) {
  return h("div", { class: "popup" },
    h("b", {}, `${gettext("No.")} ${rank} ${cell?.name ?? ""}`),
    h("p", {}, gettext("Expected {n}; chance of any {percent} %", { n: expected.toFixed(2), percent: Math.round(chance * 100) })),
    h("p", {}, gettext("{past} in these hours of the last four weeks, {near} next to it", { past, near })),
    category ? h("p", {}, category.name) : "",
    person ? h("p", {}, `${gettext("Responsible person")}: ${person.name}`) : "");
}

function legend(limits, most) {
  const edges = [0, ...limits, most];
  const items = edges.slice(1).map((edge, i) => {
    const item = h("span", {}, `${edges[i].toFixed(2)} – ${edge.toFixed(2)}`);
    item.style.setProperty("--colour", COLOURS[COLOURS.length - edges.length + 1 + i]);
    return item;
  });
  byId("legend").replaceChildren(gettext("Problems to be expected per square:"), ...items);
}

async function load() {
  byId("legend").textContent = gettext("Loading…");
  const answer = await fetch(begin.source, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) {
    byId("legend").textContent = gettext("The server cannot be reached. Check the connection and try again.");
    return;
  }
  const squares = await answer.json();
  const values = squares.features.map(({ properties }) => properties.expected);
  if (!values.length) {
    byId("legend").textContent = gettext("Nothing is to be expected.");
    return;
  }
  const limits = bounds(values);
  const lightest = COLOURS.length - limits.length - 1;
  const layer = L.geoJSON(squares, {
    renderer: L.canvas({ padding: 0.3 }),
    style: ({ properties }) => {
      const at = level(properties.expected, limits);
      return { stroke: at > 1, color: "#3f0f6b", weight: 0.6, fillColor: COLOURS[lightest + at], fillOpacity: 0.35 + 0.1 * at };
    },
    onEachFeature: (feature, square) => square.bindPopup(() => popup(feature.properties)),
  }).addTo(map);
  legend(limits, Math.max(...values));
  const worst = L.featureGroup(layer.getLayers().slice(0, 100));
  map.fitBounds(worst.getBounds().pad(0.03), { animate: false });
}

document.addEventListener("click", ({ target }) => {
  const { lon, lat } = target.dataset ?? {};
  if (!lon) return;
  const at = [Number(lat), Number(lon)];
  map.setView(at, 17);
  marks.clearLayers();
  L.circleMarker(at, { radius: 26, color: "#b3261e", weight: 3, fill: false, interactive: false }).addTo(marks);
  byId("map").scrollIntoView({ block: "center" });
});

await load();
document.body.dataset.ready = "yes";
