// The rounds of a plan on a map, each in its colour, with its stops in order.

import { get } from "gridmap/api.js";
import { addBase } from "gridmap/basemap.js";
import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { Editor } from "gridmap/patrol_edit.js";
import { said, together } from "gridmap/signs.js";

const place = byId("rounds");
let draw = () => {};
if (place) {
  const map = L.map(place, { attributionControl: false, scrollWheelZoom: false, maxZoom: 20 });
  L.control.attribution({ position: "bottomright" }).setPrefix(false).addTo(map);
  const all = L.featureGroup().addTo(map);
  let shown = [];
  const paint = () => {
    all.clearLayers();
    shown.forEach(({ name, colour, line, stops }) => {
      L.polyline(line.map(([lon, lat]) => [lat, lon]), { color: colour, weight: 4, opacity: 0.8 }).bindTooltip(h("span", {}, name), { sticky: true }).addTo(all);
      together(map, stops, 22).forEach(({ lat, lon, numbers }) => {
        const titles = numbers.map((number) => `${number}. ${stops[number - 1][2]}`);
        const kind = stops[numbers[0] - 1][3];
        const several = numbers.length > 1;
        const text = said(numbers);
        const dot = h("span", { className: `${kind}${several ? " several" : ""}`, style: { borderColor: colour, background: kind === "point" ? "#fff" : colour, color: kind === "point" ? colour : "#fff" } }, text);
        const icon = L.divIcon({ className: "round-stop", html: dot, iconSize: [several ? 10 + 8 * text.length : 20, 20] });
        L.marker([lat, lon], { icon, keyboard: false, alt: titles.join(", ") }).bindTooltip(h("span", {}, titles.map((text) => h("span", { className: "round-line" }, text)), name)).addTo(all);
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
