// Grid cells, coloured by what is wrong in them; the ones nobody holds are hatched.

import { get } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { Scale } from "gridmap/colours.js";
import { gettext, number, percent } from "gridmap/language.js";
import { h } from "gridmap/dom.js";
import { view } from "gridmap/view.js";
import { TileCanvas, TileStore, contains, trace } from "gridmap/tiles.js";

const MOST_SHAPES = 2000;
const LABELS_FROM = 15;
// Of a label, in pixels: a letter, a line, and how far it gives way to names of the base map.
const LETTER = 11.5;
const LINE = 15;
const SHIFTS = [0, -8, 8, -14, 14, -20, 20, -26, 26, -34, 34, -42, 42];
// Of a label, that may lie on the edge of its cell.
const OVER = 4;
const LABEL_ROOM = { x: 56, y: 40, wide: 150 };

function hatching() {
  const canvas = h("canvas", { width: 8, height: 8 });
  const context = canvas.getContext("2d");
  context.strokeStyle = "rgba(40, 44, 60, .62)";
  context.lineWidth = 1.4;
  for (const shift of [-8, 0, 8]) {
    context.beginPath();
    context.moveTo(shift - 1, 9);
    context.lineTo(shift + 9, -1);
    context.stroke();
  }
  return canvas;
}

// Leaflet's canvas with a second fill for shapes that ask for hatching.
export const HatchedCanvas = L.Canvas.extend({
  _fillStroke(context, layer) {
    L.Canvas.prototype._fillStroke.call(this, context, layer);
    if (!layer.options.hatched) return;
    this.hatch ??= context.createPattern(hatching(), "repeat");
    context.globalAlpha = 1;
    context.fillStyle = this.hatch;
    context.fill("evenodd");
  },
});

export class Cells extends EventTarget {
  // `taken` says whether a name of the base map lies in a box of the world's pixels.
  constructor(map, renderer, taken = () => false) {
    super();
    this.taken = taken;
    this.map = map;
    this.renderer = renderer;
    this.load = { cells: {}, days_since_patrol: {} };
    this.byUid = new Map();
    // Known once they were asked for: this city has not drawn any.
    this.none = false;
    this.labels = L.layerGroup().addTo(map);
    if (begin.may.read) view.on(["filter"], () => this.refresh());
    view.on(["colour"], () => this.recolour());
    view.on(["layers"], () => this.show());
    map.on("moveend named", () => this.label());
  }

  // Cells and their load, asked for before there is anything that shows them.
  ask() {
    return Promise.all([get("cells", "cells", { limit: MOST_SHAPES }), begin.may.read ? get("load", "cells/load", view.query()) : null]);
  }

  async start(asked) {
    const [shapes, load] = await asked;
    if (load) this.take(load);
    if (!shapes) return;
    if (shapes.next) this.useTiles();
    else this.useShapes(shapes);
    this.recolour();
    this.show();
    this.dispatchEvent(new Event("ready"));
  }

  useShapes(collection) {
    this.none = !collection.features.length;
    for (const feature of collection.features) this.byUid.set(feature.properties.uid, feature.properties);
    this.layer = L.geoJSON(collection, {
      renderer: this.renderer,
      style: (feature) => this.style(feature.properties),
      onEachFeature: (feature, shape) => {
        feature.properties.bounds = shape.getBounds();
        shape.bindTooltip(() => this.tooltip(feature.properties), { sticky: true, direction: "top", offset: [0, -6], className: "cell-tip" });
        shape.on("mouseover", () => shape.setStyle({ weight: 2.5, color: "#17211f" }));
        shape.on("mouseout", () => shape.setStyle(this.style(feature.properties)));
        shape.on("click", (event) => { event.originalEvent.found ??= { kind: "cell", uid: feature.properties.uid }; });
      },
    });
  }

  useTiles() {
    this.layer = new TileCanvas({
      pane: "overlayPane",
      store: new TileStore("tiles/cells/{z}/{x}/{y}.mvt"),
      layer: "cells",
      draw: (context, features) => {
        const hatch = context.createPattern(hatching(), "repeat");
        for (const { props, geom } of features) {
          const style = this.style(props);
          trace(context, geom, true);
          context.globalAlpha = style.fillOpacity;
          context.fillStyle = style.fillColor;
          context.fill("evenodd");
          context.globalAlpha = 1;
          if (style.hatched) { context.fillStyle = hatch; context.fill("evenodd"); }
          context.strokeStyle = style.color;
          context.lineWidth = style.weight;
          context.stroke();
        }
      },
    });
    this.map.on("click", (event) => {
      if (!this.map.hasLayer(this.layer)) return;
      const { features, x, y } = this.layer.at(event.latlng);
      const hit = features.find(({ geom }) => contains(geom, x, y));
      if (hit) event.originalEvent.found ??= { kind: "cell", uid: hit.props.uid };
    });
  }

  async refresh() {
    const load = await get("load", "cells/load", view.query());
    if (load) this.take(load);
  }

  take(load) {
    this.load = load;
    this.recolour();
    this.dispatchEvent(new Event("load"));
  }

  value(uid) {
    const [open = 0, overdue = 0] = this.load.cells[uid] ?? [];
    if (view.state.colour === "patrol") return this.load.days_since_patrol?.[uid];
    if (view.state.colour === "overdue") return open ? overdue / open : 0;
    return open;
  }

  style({ uid, held }) {
    const chosen = view.state.open === `cell/${uid}`;
    return {
      fillColor: this.scale?.of(this.value(uid)) ?? "#eee",
      fillOpacity: 0.62,
      color: chosen ? "#07423d" : "#6d7673",
      weight: chosen ? 3.5 : 0.9,
      hatched: held === false,
    };
  }

  recolour() {
    this.scale = new Scale(view.state.colour, Object.values(this.load.cells).map(([open]) => open));
    if (this.layer?.setStyle) this.layer.setStyle(({ properties }) => this.style(properties));
    else this.layer?.repaint();
    this.dispatchEvent(new Event("scale"));
  }

  show() {
    if (!this.layer) return;
    if (view.shows("cells")) {
      this.layer.addTo(this.map);
      this.layer.bringToBack();
    } else this.layer.remove();
    this.label();
  }

  // Code and holder inside each cell, when there is room to read them.
  label() {
    this.labels.clearLayers();
    if (!view.shows("cells") || this.map.getZoom() < LABELS_FROM) return;
    const seen = this.map.getBounds();
    for (const { code, name, holder, bounds } of this.byUid.values()) {
      if (!bounds || !seen.intersects(bounds)) continue;
      const room = this.map.latLngToLayerPoint(bounds.getSouthEast()).subtract(this.map.latLngToLayerPoint(bounds.getNorthWest()));
      if (room.x < LABEL_ROOM.x || room.y < LABEL_ROOM.y) continue;
      // The number within the community is enough where names would run into each other.
      const text = name && room.x < LABEL_ROOM.wide ? name.replace(/^.*(?=第)/, "") : name;
      const title = text || code.slice(-5);
      const middle = bounds.getCenter();
      const whole = this.clear(middle, room, title, holder);
      const bare = whole || !holder ? null : this.clear(middle, room, title);
      const said = bare ? null : holder;
      const icon = L.divIcon({ className: "cell-label", html: h("div", { "aria-hidden": "true" }, h("b", {}, title), said ? h("span", {}, said) : null), iconSize: null });
      L.marker(whole ?? bare ?? middle, { icon, interactive: false, keyboard: false, pane: "names" }).addTo(this.labels);
    }
  }

  // The middle of a cell, or a place above or below it where no name of the base map is covered; null: none.
  clear(middle, room, text, holder) {
    const zoom = this.map.getZoom();
    const at = this.map.project(middle, zoom);
    const half = L.point((Math.max(text.length, holder?.length ?? 0) * LETTER) / 2, holder ? LINE : LINE / 2);
    const free = SHIFTS.find((shift) => {
      if (Math.abs(shift) + half.y > room.y / 2 + OVER) return false;
      const [x, y] = [at.x, at.y + shift];
      return !this.taken({ minX: x - half.x, maxX: x + half.x, minY: y - half.y, maxY: y + half.y });
    });
    if (free === undefined) return null;
    return free ? this.map.unproject(at.add([0, free]), zoom) : middle;
  }

  tooltip(properties) {
    const { uid, code, name, holder, held } = properties;
    const [open = 0, overdue = 0] = this.load.cells[uid] ?? [];
    const days = this.load.days_since_patrol?.[uid];
    return h(
      "div", {},
      h("b", {}, name || code), name ? h("small", {}, ` ${code}`) : null, h("br"),
      held === false ? h("span", { className: "bad" }, gettext("Nobody holds this cell")) : (holder ?? ""), h("br"),
      gettext("{open} unresolved, {overdue} overdue ({share})", { open: number(open), overdue: number(overdue), share: percent(open ? overdue / open : 0) }),
      days === undefined || days === null ? null : [h("br"), gettext("last patrol {days} days ago", { days: number(Math.round(days)) })],
    );
  }

  bounds() { return this.layer?.getBounds?.(); }

  // Cells by how much is unresolved, the worst first.
  worst(count) {
    return Object.entries(this.load.cells)
      .filter(([uid]) => this.byUid.has(uid))
      .map(([uid, [open, overdue]]) => ({ ...this.byUid.get(uid), open, overdue }))
      .filter(({ open }) => open > 0)
      .sort((a, b) => b.open - a.open || b.overdue - a.overdue)
      .slice(0, count);
  }

  unheld() { return [...this.byUid.values()].filter(({ held }) => held === false); }
}

