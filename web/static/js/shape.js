// A point, line or area that is drawn and moved on a map: with taps, by dragging, or with the keyboard.

import { h } from "gridmap/dom.js";
import { gettext, number } from "gridmap/language.js";

// What can be drawn.
export const KINDS = { point: () => gettext("Point (pin)"), line: () => gettext("Line"), area: () => gettext("Area (polygon)") };
const OF_TYPE = { Point: "point", LineString: "line", Polygon: "area" };
const LEAST = { point: 1, line: 2, area: 3 };
// So far an arrow key moves a corner, in pixels.
const NUDGE = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] };

const round = (value) => Number(value.toFixed(7));
const pair = ({ lng, lat }) => [round(lng), round(lat)];

// Kind and corners of a GeoJSON object; null where it has several parts or holes, which stay as they are.
function cornersOf(geometry) {
  const kind = OF_TYPE[geometry?.type];
  if (!kind || (kind === "area" && geometry.coordinates.length > 1)) return null;
  const corners = kind === "point" ? [geometry.coordinates] : kind === "line" ? geometry.coordinates : geometry.coordinates[0].slice(0, -1);
  return { kind, corners: corners.map(([lng, lat]) => L.latLng(lat, lng)) };
}

function metres(corners) {
  return corners.slice(1).reduce((sum, corner, index) => sum + corner.distanceTo(corners[index]), 0);
}

// Of a small area, on a plane that touches the earth in its first corner.
function squareMetres(corners) {
  const [{ lat: lat0, lng: lng0 }] = corners;
  const east = 111_320 * Math.cos((lat0 * Math.PI) / 180);
  const flat = corners.map(({ lat, lng }) => [(lng - lng0) * east, (lat - lat0) * 110_574]);
  return Math.abs(flat.reduce((sum, [x, y], index) => { const [u, v] = flat[(index + 1) % flat.length]; return sum + x * v - u * y; }, 0)) / 2;
}

export class Shape {
  // `geometry` is what is there already; `onchange` is told of every change.
  constructor(map, { geometry, at, onchange = () => {} } = {}) {
    this.map = map;
    this.onchange = onchange;
    const known = cornersOf(geometry);
    this.fixed = geometry && !known ? geometry : null;
    this.kind = known?.kind ?? "point";
    this.corners = known?.corners ?? (at ? [L.latLng(at)] : []);
    this.layer = L.layerGroup().addTo(map);
    this.done = true;
    this.show();
  }

  remove() { this.layer.remove(); }

  // Another kind begins with nothing drawn; a point begins where the last corner was, or in the middle of the map.
  choose(kind) {
    if (kind === this.kind && !this.fixed) return;
    this.fixed = null;
    this.kind = kind;
    this.corners = kind === "point" ? [this.corners.at(-1) ?? this.map.getCenter()] : [];
    this.done = kind === "point";
    this.changed();
  }

  // Adds a corner, or puts the point there; false when nothing is being drawn.
  add(latlng) {
    if (this.kind === "point" && !this.fixed) this.corners = [latlng];
    else if (!this.done) this.corners.push(latlng);
    else return false;
    this.changed();
    return true;
  }

  undo() { this.corners.pop(); this.done = false; this.changed(); }
  finish() { if (this.whole) { this.done = true; this.changed(); } }
  resume() { this.done = false; this.changed(); }
  get whole() { return Boolean(this.fixed) || this.corners.length >= LEAST[this.kind]; }

  // As GeoJSON; null while corners are missing.
  get geometry() {
    if (this.fixed) return this.fixed;
    if (!this.whole) return null;
    const corners = this.corners.map(pair);
    if (this.kind === "point") return { type: "Point", coordinates: corners[0] };
    return this.kind === "line" ? { type: "LineString", coordinates: corners } : { type: "Polygon", coordinates: [[...corners, corners[0]]] };
  }

  get place() { return this.kind === "point" ? this.corners[0] : this.bounds.getCenter(); }
  get bounds() { return this.fixed ? L.geoJSON(this.fixed).getBounds() : L.latLngBounds(this.corners); }

  get size() {
    if (this.fixed || this.kind === "point" || this.corners.length < 2) return "";
    if (this.kind === "line" || this.corners.length < 3) return gettext("{n} m", { n: number(Math.round(metres(this.corners))) });
    return gettext("{n} m²", { n: number(Math.round(squareMetres(this.corners))) });
  }

  changed() { this.show(); this.onchange(this); }

  show() {
    this.layer.clearLayers();
    this.outline = null;
    const style = { color: "#b3261e", weight: 4, interactive: false };
    if (this.fixed) { L.geoJSON(this.fixed, { style, interactive: false }).addTo(this.layer); return; }
    if (this.kind === "line") this.outline = L.polyline(this.corners, style).addTo(this.layer);
    if (this.kind === "area") this.outline = L.polygon(this.corners, { ...style, weight: 3, fillOpacity: 0.2 }).addTo(this.layer);
    this.corners.forEach((corner, index) => this.handle(corner, index));
  }

  handle(corner, index) {
    const point = this.kind === "point";
    const title = point ? gettext("Place of the problem") : gettext("Corner {n}", { n: index + 1 });
    const icon = point
      ? L.divIcon({ className: "pin-place", html: h("div", { className: "pin" }), iconSize: [28, 36], iconAnchor: [14, 34] })
      : L.divIcon({ className: "corner-place", html: h("div", { className: "corner" }, index + 1), iconSize: [24, 24], iconAnchor: [12, 12] });
    const marker = L.marker(corner, { draggable: true, icon, title, zIndexOffset: 5000 }).addTo(this.layer);
    const place = marker.getElement();
    place.setAttribute("aria-label", title);
    const move = (latlng) => { this.corners[index] = latlng; this.outline?.setLatLngs(this.corners); };
    marker.on("drag", () => move(marker.getLatLng()));
    marker.on("dragend", () => { move(marker.getLatLng()); this.onchange(this); });
    place.addEventListener("keydown", (event) => {
      const by = NUDGE[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      marker.setLatLng(this.map.layerPointToLatLng(this.map.latLngToLayerPoint(marker.getLatLng()).add(by)));
      move(marker.getLatLng());
      this.onchange(this);
    });
  }
}

// The buttons that go with drawing: corners by the keyboard, one back, finished. Calls `shape.onchange` like any change.
export function drawBar(shape) {
  const { kind, corners, done, whole, fixed } = shape;
  if (kind === "point" || fixed) return null;
  const said = gettext("{n} corners", { n: corners.length });
  const missing = LEAST[kind] - corners.length;
  return h("div", { className: "draw-bar" },
    h("p", { role: "status" }, [missing > 0 ? gettext("Tap the map to add corners; {n} more are needed.", { n: missing }) : said, shape.size].filter(Boolean).join(" · ")),
    h("div", { className: "row" },
      done ? null : h("button", { type: "button", className: "add-corner", onclick: () => shape.add(shape.map.getCenter()) }, gettext("Corner in the middle of the map")),
      h("button", { type: "button", disabled: !corners.length, onclick: () => shape.undo() }, gettext("Take the last corner back")),
      done ? h("button", { type: "button", onclick: () => shape.resume() }, gettext("Draw on")) : h("button", { type: "button", className: "primary", disabled: !whole, onclick: () => shape.finish() }, gettext("Finish drawing"))));
}
