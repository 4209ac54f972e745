// The map of the public pages: streets, and where this installation is.

import { addBase } from "gridmap/basemap.js";
import { begin } from "gridmap/begin.js";
import { gettext } from "gridmap/language.js";

export function publicMap(zoom) {
  const map = L.map("map", { zoomControl: false, attributionControl: false, minZoom: 3, maxZoom: 20 });
  L.control.zoom({ position: "topright", zoomInTitle: gettext("Zoom in"), zoomOutTitle: gettext("Zoom out") }).addTo(map);
  L.control.attribution({ position: "bottomright" }).setPrefix(false).addTo(map);
  const [west, south, east, north] = begin.extent ?? [73, 18, 135, 53];
  map.fitBounds([[south, west], [north, east]], { animate: false });
  if (zoom && begin.extent) map.setView([(south + north) / 2, (west + east) / 2], zoom, { animate: false });
  addBase(map, { path: "tiles/base/{z}/{x}/{y}.mvt", attribution: begin.attribution });
  return map;
}
