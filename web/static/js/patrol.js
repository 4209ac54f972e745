// The rounds of a plan on a map, each in its colour, with its stops in order.

import { get } from "gridmap/api.js";
import { addBase } from "gridmap/basemap.js";
import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";

const place = byId("rounds");
if (place) {
  const map = L.map(place, { attributionControl: false, scrollWheelZoom: false, maxZoom: 20 });
  L.control.attribution({ position: "bottomright" }).setPrefix(false).addTo(map);
  const all = L.featureGroup().addTo(map);
  begin.rounds.forEach(({ name, colour, line, stops }) => {
    L.polyline(line.map(([lon, lat]) => [lat, lon]), { color: colour, weight: 4, opacity: 0.8 }).bindTooltip(h("span", {}, name), { sticky: true }).addTo(all);
    stops.forEach(([lon, lat, title, kind], index) => {
      if (kind === "road") return;
      L.circleMarker([lat, lon], { radius: 5, color: colour, weight: 2, fillColor: kind === "problem" ? colour : "#fff", fillOpacity: 1 }).bindTooltip(h("span", {}, `${index + 1}. ${title} · ${name}`)).addTo(all);
    });
  });
  if (all.getBounds().isValid()) map.fitBounds(all.getBounds(), { padding: [20, 20] });
  get("base", "filters").then((options) => addBase(map, options?.base ?? {}));
}
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
for (const form of document.querySelectorAll("form[data-ask]")) form.addEventListener("submit", (event) => { if (!confirm(form.dataset.ask)) event.preventDefault(); });
document.body.dataset.ready = "yes";
