// Puts the page together.

import { get } from "gridmap/api.js";
import { addBase } from "gridmap/basemap.js";
import { begin } from "gridmap/begin.js";
import { Cards } from "gridmap/cards.js";
import { Cells, HatchedCanvas } from "gridmap/cells.js";
import { byId, debounce } from "gridmap/dom.js";
import { Filters } from "gridmap/filters.js";
import { Heat } from "gridmap/heat.js";
import { gettext } from "gridmap/language.js";
import { addLayerSwitches } from "gridmap/layers.js";
import { addLegend } from "gridmap/legend.js";
import { Overview } from "gridmap/overview.js";
import { Points, Roads } from "gridmap/places.js";
import { Problems } from "gridmap/problems.js";
import { Recorder } from "gridmap/record.js";
import { addSearch } from "gridmap/search.js";
import { addSharing } from "gridmap/share.js";
import { Shops } from "gridmap/shops.js";
import { Timeline } from "gridmap/timeline.js";
import { toast } from "gridmap/toast.js";
import { view } from "gridmap/view.js";

const map = window.gridmapHost;

function addControls() {
  L.control.zoom({ position: "topright", zoomInTitle: gettext("Zoom in"), zoomOutTitle: gettext("Zoom out") }).addTo(map);
  L.control.scale({ position: "bottomright", imperial: false, maxWidth: 140 }).addTo(map);
  L.control.attribution({ position: "bottomright" }).setPrefix(false).addTo(map);
}

function addPanels() {
  const tabs = [...document.querySelectorAll("#panel [role=tab]")];
  const open = (tab) => {
    for (const other of tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      byId(other.getAttribute("aria-controls")).hidden = other !== tab;
    }
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => open(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      open(next);
      next.focus();
    });
  });
  const toggle = byId("panel-toggle");
  const narrow = matchMedia("(max-width: 760px)");
  const fold = (folded) => {
    document.body.classList.toggle("panel-folded", folded);
    toggle.setAttribute("aria-expanded", String(!folded));
    map.invalidateSize({ animate: false });
  };
  toggle.addEventListener("click", () => fold(!document.body.classList.contains("panel-folded")));
  fold(narrow.matches);
  narrow.addEventListener("change", () => fold(narrow.matches));
  if (narrow.matches) byId("legend").open = false;
}

function startPlace(extent) {
  const place = view.place();
  if (place) map.setView([place.lat, place.lng], place.zoom);
  else if (extent) map.fitBounds([[extent[1], extent[0]], [extent[3], extent[2]]], { animate: false, padding: [8, 8] });
}

async function start() {
  const asked = new URLSearchParams(location.search);
  if (asked.has("language") && !begin.embedded) {
    asked.delete("language");
    history.replaceState(null, "", `${location.pathname}${asked.size ? `?${asked}` : ""}${location.hash}`);
  }
  addControls();
  addPanels();
  startPlace(null);
  const asking = get("filters", "filters");
  let known = begin.start;
  if (!known?.bounds) {
    const options = await asking;
    if (!options) return;
    known = { bounds: (options.extent ?? options).bounds, ...options.base };
  }
  startPlace(known.bounds);
  const heat = new Heat(map);
  heat.show();
  const taken = addBase(map, known);
  const renderer = new HatchedCanvas({ padding: 0.3 });
  const cells = new Cells(map, renderer, taken);
  const shapes = cells.ask();
  const options = await asking;
  if (!options) return;
  const majors = new Map(options.categories.flatMap((major, index) => [[major.code, index], ...(major.children ?? []).map(({ code }) => [code, index])]));
  const roads = new Roads(map, renderer);
  const points = new Points(map, renderer);
  const problems = new Problems(map, majors, cells);
  if (begin.may.shops) new Shops(map, renderer).show();
  new Overview(map, cells);
  const filters = new Filters(options);
  addLayerSwitches();
  const drawLegend = addLegend(cells, heat, points, options.categories);
  const timeline = new Timeline();
  timeline.addEventListener("summary", ({ detail }) => filters.count(detail));
  const refresh = () => view.tell(new Set(["filter"]));
  const recorder = new Recorder(map, options, refresh);
  addSearch(map);
  addSharing(map);
  new Cards(map);

  map.on("click", (event) => {
    if (recorder.click(event) || problems.click(event)) return;
    const { found } = event.originalEvent;
    if (found) view.set("open", `${found.kind}/${found.uid}`);
    else if (view.state.open) view.set("open", "");
  });
  map.on("moveend", debounce(() => view.writePlace(map.getZoom(), map.getCenter()), 150));
  view.on(["open"], () => { cells.recolour(); });
  view.on(["place"], () => { const place = view.place(); if (place) map.setView([place.lat, place.lng], place.zoom); });

  problems.show();
  await Promise.all([cells.start(shapes).then(() => roads.start()).then(() => points.start()), begin.may.read ? timeline.refresh() : null]);
  drawLegend();
  if (cells.none) toast(gettext("There are no grid cells yet."));
  document.body.dataset.ready = "yes";
}

start();
