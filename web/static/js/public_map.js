// What is published, on a map and as a list.

import { BASE } from "gridmap/api.js";
import { byId, debounce, h } from "gridmap/dom.js";
import { gettext, number } from "gridmap/language.js";
import { publicMap } from "gridmap/public_base.js";

const map = publicMap();
const group = L.layerGroup().addTo(map);
const words = ({ category, text, address, status, day, photos }) => [
  h("b", {}, category), h("p", { className: "muted" }, [day, address].filter(Boolean).join(" · ")),
  text ? h("p", {}, text) : null, h("p", {}, status),
  photos.length ? h("p", { className: "previews" }, photos.map((src, index) => h("img", { src, alt: gettext("Photo {n}", { n: index + 1 }), loading: "lazy" }))) : null,
].filter(Boolean);

async function load() {
  const seen = map.getBounds();
  const bbox = [seen.getWest(), seen.getSouth(), seen.getEast(), seen.getNorth()].map((degrees) => Math.max(-180, Math.min(180, degrees)).toFixed(6)).join(",");
  const answer = await fetch(`${BASE}problems.json?bbox=${bbox}`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) {
    byId("count").textContent = gettext("The server cannot be reached. Check the connection and try again.");
    return;
  }
  const { problems, more } = await answer.json();
  group.clearLayers();
  const n = number(problems.length);
  const counted = more ? gettext("The newest {n} here; zoom in for the others.", { n }) : gettext("{n} here.", { n });
  byId("count").textContent = problems.length ? counted : gettext("Nothing is published here yet.");
  const marks = new Map(problems.map((one) => [one, L.circleMarker([one.lat, one.lon], {
    radius: 7, color: "#fff", weight: 1.5, fillColor: one.open ? "#b45309" : "#1b6e3c", fillOpacity: 0.95,
  }).bindPopup(() => h("div", {}, words(one))).addTo(group)]));
  byId("list").replaceChildren(...problems.slice(0, 100).map((one) => h("li", {}, h("button", { type: "button", onclick: () => { map.setView([one.lat, one.lon], Math.max(map.getZoom(), 17)); marks.get(one)?.openPopup(); } }, words(one)))));
}
map.on("moveend", debounce(load, 200));
await load();
document.body.dataset.ready = "yes";
