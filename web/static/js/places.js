// Inspection points with an icon per type of site, and priority roads by level.

import { get } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { h, icon } from "gridmap/dom.js";
import { view } from "gridmap/view.js";

const ICONS_FROM = 16;
const { sites, icons, roads: roadLooks } = begin.look;
export const siteColour = (type) => sites[type] ?? sites[""];
export const siteIcon = (type) => icons[type] ?? icons[""];

async function all(kind, path) {
  const features = [];
  let page = await get(kind, path, { limit: 5000 });
  while (page) {
    features.push(...page.features);
    page = page.next && features.length < 20000 ? await get(kind, path, { limit: 5000, cursor: page.next }) : null;
  }
  return { type: "FeatureCollection", features };
}

const centre = (geometry) => (geometry.type === "Point" ? L.latLng(geometry.coordinates[1], geometry.coordinates[0]) : L.geoJSON(geometry).getBounds().getCenter());

export class Points {
  constructor(map, renderer) {
    this.map = map;
    this.renderer = renderer;
    this.group = L.layerGroup();
    this.types = new Map();
    map.on("moveend", () => this.draw());
    view.on(["layers"], () => this.show());
  }

  async start() {
    const { features } = await all("points", "points");
    this.points = features.map(({ geometry, properties }) => ({ ...properties, at: centre(geometry) }));
    for (const { site_type, site_type_name } of this.points) this.types.set(site_type, site_type_name ?? site_type);
    this.show();
  }

  show() {
    if (view.shows("points")) this.group.addTo(this.map);
    else this.group.remove();
    this.draw();
  }

  draw() {
    this.group.clearLayers();
    if (!this.points || !view.shows("points")) return;
    const seen = this.map.getBounds().pad(0.1);
    const zoom = this.map.getZoom();
    for (const point of this.points) {
      if (!seen.contains(point.at) || (zoom < 13 && point.priority > 2)) continue;
      this.group.addLayer(zoom >= ICONS_FROM ? this.marker(point) : this.dot(point, zoom));
    }
  }

  dot(point, zoom) {
    const dot = L.circleMarker(point.at, {
      renderer: this.renderer, radius: zoom < 13 ? 2.2 : 3.2 + (point.priority === 1), color: "#fff", weight: 1,
      fillColor: siteColour(point.site_type), fillOpacity: 0.95,
    });
    dot.bindTooltip(point.name, { direction: "top" });
    return dot.on("click", (event) => { event.originalEvent.found = { kind: "point", uid: point.uid }; });
  }

  marker(point) {
    const label = `${point.name} (${point.site_type_name ?? point.site_type})`;
    const html = h("div", { className: `site priority-${point.priority}`, style: { backgroundColor: siteColour(point.site_type) } }, icon(siteIcon(point.site_type)));
    const marker = L.marker(point.at, { icon: L.divIcon({ className: "site-place", html, iconSize: [24, 24] }), title: label, alt: label, riseOnHover: true, bubblingMouseEvents: true });
    marker.on("add", () => marker.getElement().setAttribute("aria-label", label));
    const open = () => view.set("open", `point/${point.uid}`);
    // The map takes the click: while somebody draws, it is a corner.
    marker.on("click", ({ originalEvent }) => { originalEvent.found = { kind: "point", uid: point.uid }; }).on("keypress", ({ originalEvent }) => { if (originalEvent.key === "Enter") open(); });
    return marker;
  }
}

export class Roads {
  constructor(map, renderer) {
    this.map = map;
    this.renderer = renderer;
    view.on(["layers"], () => this.show());
    view.on(["open"], () => this.layer?.setStyle(this.style));
  }

  style = ({ properties: { uid, level } }) => {
    const [color, weight] = roadLooks[level] ?? roadLooks[2];
    const chosen = view.state.open === `road/${uid}`;
    return { color: chosen ? "#07423d" : color, weight: chosen ? weight + 3 : weight, opacity: 0.85, lineCap: "round" };
  };

  async start() {
    this.layer = L.geoJSON(await all("roads", "roads"), {
      renderer: this.renderer,
      style: this.style,
      onEachFeature: ({ properties }, line) => {
        line.bindTooltip(properties.hours ? `${properties.name} · ${properties.hours}` : properties.name, { sticky: true });
        line.on("click", (event) => { event.originalEvent.found = { kind: "road", uid: properties.uid }; });
      },
    });
    this.show();
  }

  show() {
    if (!this.layer) return;
    if (view.shows("roads")) this.layer.addTo(this.map).bringToFront();
    else this.layer.remove();
  }
}
