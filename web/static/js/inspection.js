// An assessors' route on a map: its line, its stops in order, and what would be seen from it.

import { get } from "gridmap/api.js";
import { addBase } from "gridmap/basemap.js";
import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { time } from "gridmap/language.js";
import { said, together } from "gridmap/signs.js";

const map = L.map(byId("rounds"), { attributionControl: false, scrollWheelZoom: false, maxZoom: 20 });
L.control.attribution({ position: "bottomright" }).setPrefix(false).addTo(map);
const line = L.polyline(begin.line.map(([lon, lat]) => [lat, lon]), { color: "#1a5fb4", weight: 5, opacity: 0.75 }).addTo(map);
begin.seen.forEach(([name, lon, lat, hidden]) => L.circleMarker([lat, lon], { radius: 5, color: hidden ? "#6b7280" : "#b3261e", weight: 2, fillOpacity: hidden ? 0.1 : 0.7 }).bindTooltip(h("span", {}, name)).addTo(map));
map.fitBounds(line.getBounds(), { padding: [30, 30] });
const stops = L.layerGroup().addTo(map);
const paint = () => {
  stops.clearLayers();
  for (const { lat, lon, numbers } of together(map, begin.stops.map(([, , lon, lat]) => [lon, lat]), 20)) {
    const title = numbers.map((number) => `${number}. ${begin.stops[number - 1][0]} ${time(begin.stops[number - 1][1])}`).join("\n");
    L.marker([lat, lon], { icon: L.divIcon({ className: "stop-number", html: said(numbers), iconSize: [numbers.length > 1 ? 14 + 8 * said(numbers).length : 24, 24] }), title, keyboard: false }).addTo(stops);
  }
};
paint();
map.on("zoomend", paint);
get("base", "filters").then((options) => addBase(map, options?.base ?? {}));
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
for (const form of document.querySelectorAll("form[data-ask]")) form.addEventListener("submit", (event) => { if (!confirm(form.dataset.ask)) event.preventDefault(); });
document.body.dataset.ready = "yes";
