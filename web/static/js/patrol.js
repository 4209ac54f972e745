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
  draw = (rounds) => {
    all.clearLayers();
    rounds.forEach(({ name, colour, line, stops }) => {
      L.polyline(line.map(([lon, lat]) => [lat, lon]), { color: colour, weight: 4, opacity: 0.8 }).bindTooltip(h("span", {}, name), { sticky: true }).addTo(all);
      stops.forEach(([lon, lat, title, kind], index) => {
        const dot = h("span", { className: kind, style: { borderColor: colour, background: kind === "point" ? "#fff" : colour, color: kind === "point" ? colour : "#fff" } }, String(index + 1));
        const icon = L.divIcon({ className: "round-stop", html: dot, iconSize: [20, 20] });
        L.marker([lat, lon], { icon, keyboard: false, alt: `${index + 1}. ${title}` }).bindTooltip(h("span", {}, `${index + 1}. ${title} · ${name}`)).addTo(all);
      });
    });
  };
  draw(begin.rounds);
  if (all.getBounds().isValid()) map.fitBounds(all.getBounds(), { padding: [20, 20] });
  get("base", "filters").then((options) => addBase(map, options?.base ?? {}));
}
if (byId("editor")) new Editor(byId("editor"), begin.plan, (rounds) => draw(rounds));
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
for (const form of document.querySelectorAll("form[data-ask]")) form.addEventListener("submit", (event) => { if (!confirm(form.dataset.ask)) event.preventDefault(); });
document.body.dataset.ready = "yes";
