// Tracks of a day over the streets, coloured by days since they were seen last.

import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { gettext } from "gridmap/language.js";
import { publicMap } from "gridmap/public_base.js";

const COLOURS = ["#1b7f5c", "#7fb56b", "#e2b93b", "#dd7a2f", "#b3261e"];
const TRACK = "#1f4fbf";

const map = publicMap();
const streets = L.layerGroup().addTo(map);
const walked = [];

function legend(ages) {
  const texts = ages.map((days, i) => (days === 0 ? gettext("today") : i === 1 ? gettext("up to {n} days ago", { n: days }) : gettext("up to {n} days", { n: days })));
  const items = [...texts, gettext("longer ago or never")].map((text, i) => {
    const item = h("span", {}, text);
    item.style.setProperty("--colour", COLOURS[i]);
    return item;
  });
  const own = h("span", {}, gettext("track"));
  own.style.setProperty("--colour", TRACK);
  byId("legend").replaceChildren(...items, own);
}

async function load() {
  const answer = await fetch(begin.source, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) {
    byId("legend").textContent = gettext("The server cannot be reached. Check the connection and try again.");
    return;
  }
  const { tracks, streets: seen, ages } = await answer.json();
  const renderer = L.canvas({ padding: 0.3 });
  seen.forEach((lines, i) => L.polyline(lines, { renderer, color: COLOURS[i], weight: 4, opacity: 0.85, interactive: false }).addTo(streets));
  for (const track of tracks) {
    const line = L.polyline(track.lines, { renderer, color: TRACK, weight: 2.5, opacity: 0.95 });
    line.bindPopup(() => h("div", {}, h("b", {}, track.who), h("p", {}, `${track.began} – ${track.ended} · ${track.walked_km} km`)));
    walked.push(line.addTo(map));
  }
  legend(seen.length ? ages : []);
  const all = L.featureGroup(walked).getBounds();
  if (all.isValid()) map.fitBounds(all.pad(0.15), { animate: false });
}

document.addEventListener("click", ({ target }) => {
  const { track, lon, lat } = target.dataset ?? {};
  if (track !== undefined && walked[track]?.getBounds().isValid()) {
    map.fitBounds(walked[track].getBounds().pad(0.2));
    walked[track].setStyle({ weight: 5 });
  } else if (lon) {
    map.setView([Number(lat), Number(lon)], 17);
    L.circleMarker([Number(lat), Number(lon)], { radius: 10, color: "#b3261e", weight: 3, fill: false }).addTo(streets);
  } else return;
  byId("map").scrollIntoView({ block: "center" });
});

await load();
document.body.dataset.ready = "yes";
