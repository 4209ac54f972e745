// The rounds of a plan on a map, each in its colour, with its stops in order.

import { get } from "gridmap/api.js";
import { addBase } from "gridmap/basemap.js";
import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { Editor } from "gridmap/patrol_edit.js";

const place = byId("rounds");
let draw = () => {};
if (place) {
  const map = L.map(place, { attributionControl: false, scrollWheelZoom: false, maxZoom: 20 });
  L.control.attribution({ position: "bottomright" }).setPrefix(false).addTo(map);
  const all = L.featureGroup().addTo(map);
  let shown = [];
  // Stops that would cover each other are one sign with their numbers, until the map is near enough.
  const together = (stops) => {
    const groups = [];
    stops.forEach(([lon, lat, title, kind], index) => {
      const at = map.latLngToLayerPoint([lat, lon]);
      const near = groups.find((group) => group.at.distanceTo(at) < 15);
      if (near) near.stops.push([index + 1, title]);
      else groups.push({ at, lat, lon, kind, stops: [[index + 1, title]] });
    });
    return groups;
  };
  const numbers = (stops) => {
    const [first, last] = [stops[0][0], stops.at(-1)[0]];
    if (stops.length === 1) return String(first);
    return last - first === stops.length - 1 ? `${first}–${last}` : `${first}+${stops.length - 1}`;
  };
  const paint = () => {
    all.clearLayers();
    shown.forEach(({ name, colour, line, stops }) => {
      L.polyline(line.map(([lon, lat]) => [lat, lon]), { color: colour, weight: 4, opacity: 0.8 }).bindTooltip(h("span", {}, name), { sticky: true }).addTo(all);
      together(stops).forEach((group) => {
        const said = group.stops.map(([number, title]) => `${number}. ${title}`);
        const width = group.stops.length > 1 ? 36 : 20;
        const dot = h("span", { className: `${group.kind}${group.stops.length > 1 ? " several" : ""}`, style: { borderColor: colour, background: group.kind === "point" ? "#fff" : colour, color: group.kind === "point" ? colour : "#fff" } }, numbers(group.stops));
        const icon = L.divIcon({ className: "round-stop", html: dot, iconSize: [width, 20] });
        L.marker([group.lat, group.lon], { icon, keyboard: false, alt: said.join(", ") }).bindTooltip(h("span", {}, said.map((text) => h("span", { className: "round-line" }, text)), name)).addTo(all);
      });
    });
  };
  draw = (rounds, anew = false) => {
    shown = rounds;
    if (anew) map.invalidateSize();
    // Without a view there are no pixels to tell what covers what.
    const ends = L.latLngBounds(shown.flatMap(({ line, stops }) => [...line, ...stops].map(([lon, lat]) => [lat, lon])));
    if (anew && ends.isValid()) map.fitBounds(ends, { padding: [20, 20], animate: false });
    paint();
  };
  map.setView([0, 0], 2);
  map.on("zoomend", paint);
  draw(begin.rounds, true);
  get("base", "filters").then((options) => addBase(map, options?.base ?? {}));
}
if (byId("editor")) new Editor(byId("editor"), begin.plan, (rounds, anew) => draw(rounds, anew));
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
for (const form of document.querySelectorAll("form[data-ask]")) form.addEventListener("submit", (event) => { if (!confirm(form.dataset.ask)) event.preventDefault(); });
document.body.dataset.ready = "yes";
