// Heat of problems, drawn by the server; one colour scale per zoom.

import { address, get } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { view } from "gridmap/view.js";

const HeatTiles = L.TileLayer.extend({
  getTileUrl(coords) {
    const path = `heat/${coords.z}/${coords.x}/${coords.y}.png`;
    return begin.embedded?.images?.[path] ?? address(path, parameters());
  },
});

const parameters = () => view.query({ weight: view.state.weight, per: view.state.per, scale: devicePixelRatio > 1 ? 2 : 1 });

export class Heat extends EventTarget {
  constructor(map) {
    super();
    this.map = map;
    map.createPane("heat").style.zIndex = 440;
    map.getPane("heat").style.pointerEvents = "none";
    this.layer = new HeatTiles("", { pane: "heat", maxNativeZoom: 18, maxZoom: 20, opacity: 0.85, updateWhenZooming: false, alt: "" });
    this.takeOver(map);
    view.on(["layers"], () => this.show());
    view.on(["filter", "heat"], () => { if (this.shown) { this.layer.redraw(); this.legend(); } });
    map.on("zoomend", () => { if (this.shown) this.legend(); });
  }

  // The page may show the heat already; its place is taken when the same tiles are here.
  takeOver(map) {
    const first = document.getElementById("first-picture");
    if (!first) return;
    const pane = map.getPane("heat");
    pane.style.visibility = "hidden";
    const end = () => {
      first.remove();
      pane.style.visibility = "";
    };
    map.once("movestart zoomstart resize", end);
    this.layer.once("load", end);
    view.on(["layers", "filter", "heat"], end);
  }

  get shown() { return this.map.hasLayer(this.layer); }

  show() {
    if (begin.may.read && view.shows("heat")) {
      if (!this.shown) { this.layer.addTo(this.map); this.legend(); }
    } else this.layer.remove();
    this.dispatchEvent(new Event("legend"));
  }

  async legend() {
    const { scale: _, ...query } = parameters();
    this.scale = await get("heat legend", "heat/legend", { ...query, z: Math.round(this.map.getZoom()) });
    this.dispatchEvent(new Event("legend"));
  }
}
