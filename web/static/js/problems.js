// Problems: clusters from afar, single ones near by; drawn from vector tiles.

import { address } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { compact, gettext, number } from "gridmap/language.js";
import { view } from "gridmap/view.js";
import { contains, TileCanvas, TileStore, trace } from "gridmap/tiles.js";

// While the cells' colours already say how many there are, single problems begin here.
const BESIDE_CELLS_FROM = 16;
const { categories: COLOURS } = begin.look;
const BAD = "#b3261e";
// Kinds of geometry in a vector tile.
const [POINT, , AREA] = [1, 2, 3];

const path = () => `tiles/problems/{z}/{x}/{y}.mvt${new URL(address("x", view.query())).search}`;
const radius = (n) => 8 + 3.2 * Math.log2(n) ** 0.8;

export class Problems {
  constructor(map, majors, cells) {
    this.map = map;
    this.cells = cells;
    cells.addEventListener("ready", () => this.show());
    this.majors = majors;
    map.createPane("problems").style.zIndex = 460;
    map.getPane("problems").style.pointerEvents = "none";
    this.layer = new TileCanvas({
      pane: "problems",
      store: new TileStore(path()),
      layer: "problems",
      under: ["problem_areas", "problem_lines"],
      maxDataZoom: 18,
      draw: (context, features) => this.draw(context, features),
    });
    view.on(["filter"], () => this.layer.refetch(path()));
    view.on(["layers"], () => this.show());
    view.on(["open"], () => this.layer.repaint());
    map.on("zoomend", () => this.show());
    map.on("mousemove", (event) => this.hover(event));
    this.tip = L.tooltip({ direction: "top", offset: [0, -8] });
  }

  show() {
    const counted = view.shows("cells") && !this.cells.none;
    const wanted = begin.may.read && view.shows("problems") && (!counted || this.map.getZoom() >= BESIDE_CELLS_FROM);
    if (wanted) this.layer.addTo(this.map);
    else this.layer.remove();
  }

  colour(category) { return COLOURS[(this.majors.get(category) ?? COLOURS.length - 1) % COLOURS.length]; }

  draw(context, features) {
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { props, geom, geomType } of features) {
      const [{ x, y }] = geom[0];
      if (geomType !== POINT) this.outline(context, geom, geomType, props);
      else if (props.n > 1) this.cluster(context, x, y, props);
      else this.single(context, x, y, props);
    }
  }

  cluster(context, x, y, { n, overdue }) {
    const size = radius(n);
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fillStyle = "rgba(255, 255, 255, .94)";
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = "#d9a441";
    context.stroke();
    if (overdue) {
      context.beginPath();
      context.arc(x, y, size, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * (overdue / n));
      context.strokeStyle = BAD;
      context.stroke();
    }
    context.fillStyle = "#17211f";
    context.font = `600 ${n > 999 ? 10 : 11}px system-ui, sans-serif`;
    context.fillText(compact(n), x, y + 0.5);
  }

  outline(context, geom, geomType, { overdue, category }) {
    const colour = overdue ? BAD : this.colour(category);
    trace(context, geom, geomType === AREA);
    context.lineJoin = context.lineCap = "round";
    if (geomType === AREA) {
      context.globalAlpha = 0.25;
      context.fillStyle = colour;
      context.fill("evenodd");
      context.globalAlpha = 1;
    } else {
      context.lineWidth = 7;
      context.strokeStyle = "#fff";
      context.stroke();
    }
    context.lineWidth = geomType === AREA ? 2 : 4;
    context.strokeStyle = colour;
    context.stroke();
  }

  single(context, x, y, { overdue, category, severity, uid }) {
    const size = 4.5 + 0.5 * Math.min(severity ?? 2, 5);
    const chosen = view.state.open === `problem/${uid}`;
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fillStyle = this.colour(category);
    context.fill();
    context.lineWidth = 1.3;
    context.strokeStyle = "#fff";
    context.stroke();
    if (overdue || chosen) {
      context.beginPath();
      context.arc(x, y, size + 2, 0, 2 * Math.PI);
      context.lineWidth = chosen ? 4 : 2.2;
      context.strokeStyle = chosen ? "#07423d" : BAD;
      context.stroke();
    }
  }

  // The feature under a place, the nearest first.
  pick(latlng) {
    if (!this.map.hasLayer(this.layer)) return null;
    const { features, x, y } = this.layer.at(latlng);
    let best = null;
    let nearest = Infinity;
    for (const { props, geom, geomType } of features) {
      if (geomType === AREA && !best && contains(geom, x, y)) best = props;
      if (geomType !== POINT) continue;
      const distance = Math.hypot(geom[0][0].x - x, geom[0][0].y - y);
      if (distance < (props.n > 1 ? radius(props.n) : 10) && distance < nearest) [best, nearest] = [props, distance];
    }
    return best;
  }

  hover({ latlng }) {
    const hit = this.pick(latlng);
    this.map.getContainer().classList.toggle("over-problem", Boolean(hit));
    if (!hit) {
      this.tip.remove();
      return;
    }
    const text = hit.n > 1
      ? gettext("{n} problems, {overdue} overdue", { n: number(hit.n), overdue: number(hit.overdue) })
      : [gettext("No. {number}", { number: hit.number }), hit.category_name, hit.overdue ? gettext("overdue") : ""].filter(Boolean).join(" · ");
    this.tip.setLatLng(latlng).setContent(text).addTo(this.map);
  }

  // True when the click was on a problem or a cluster.
  click(event) {
    const hit = this.pick(event.latlng);
    if (!hit) return false;
    if (hit.n > 1) this.map.flyTo(event.latlng, Math.min(this.map.getZoom() + 2, 19));
    else view.set("open", `problem/${hit.uid ?? hit.number}`);
    return true;
  }
}
