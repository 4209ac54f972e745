// Base maps: our own from the imported streets and buildings, and what the installation has configured.

import { begin } from "gridmap/begin.js";
import { BASE } from "gridmap/api.js";
import { gettext } from "gridmap/language.js";
import { view } from "gridmap/view.js";
import { TileStore } from "gridmap/tiles.js";
import { Gcj02TileLayer } from "gridmap/gcj02.js";

const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif';
const OSM = '© <a href="https://www.openstreetmap.org/copyright" rel="noopener">OpenStreetMap</a> contributors';
export const PAPER = "#f6f5f1";

// Class of street -> from which zoom, widths at zooms 11, 14, 17, colour, casing.
const STREETS = [
  { classes: ["footway", "path", "steps", "cycleway", "track", "pedestrian", "other"], from: 16, width: [0, 0.6, 2.5], colour: "#efece4", casing: "#e0dccf" },
  { classes: ["service", "living_street"], from: 15, width: [0, 0.8, 5], colour: "#ffffff", casing: "#dedad0" },
  { classes: ["residential", "unclassified"], from: 13, width: [0.2, 1.5, 8], colour: "#ffffff", casing: "#d9d5ca" },
  { classes: ["tertiary"], from: 12, width: [0.6, 2.4, 10], colour: "#ffffff", casing: "#d2cdc0" },
  { classes: ["secondary"], from: 11, width: [1, 3.4, 13], colour: "#fffdf6", casing: "#ccc5b3" },
  { classes: ["primary", "trunk", "motorway"], from: 0, width: [1.4, 4.2, 16], colour: "#fdf6e3", casing: "#c6bb9f" },
];

function width([low, middle, high], extra = 0) {
  return (zoom) => extra + (zoom <= 14 ? low + ((middle - low) * Math.max(zoom - 11, 0)) / 3 : middle * (high / middle) ** ((zoom - 14) / 3));
}

function paintRules() {
  const { PolygonSymbolizer, LineSymbolizer } = protomapsL;
  const surface = (kinds, fill) => ({
    dataLayer: "surface",
    symbolizer: new PolygonSymbolizer({ fill }),
    filter: (_zoom, feature) => kinds.includes(feature.props.kind),
  });
  const rules = [
    surface(["green", "park", "grass", "wood", "forest"], "#e6eddc"),
    surface(["water"], "#d3e2ea"),
    { dataLayer: "building", minzoom: 14, symbolizer: new PolygonSymbolizer({ fill: "#eae7df", stroke: "#dcd8cd", width: (zoom) => (zoom >= 16 ? 0.7 : 0) }) },
  ];
  for (const pass of ["casing", "colour"]) {
    for (const street of STREETS) {
      rules.push({
        dataLayer: "street",
        minzoom: street.from,
        symbolizer: new LineSymbolizer({ color: street[pass], width: width(street.width, pass === "casing" ? 1.2 : 0), lineCap: "round", lineJoin: "round" }),
        filter: (_zoom, feature) => street.classes.includes(feature.props.class),
      });
    }
  }
  return rules;
}

function labelRules() {
  const { LineLabelSymbolizer, CenteredTextSymbolizer, LineLabelPlacement } = protomapsL;
  const along = (classes, from, size) => ({
    dataLayer: "street",
    minzoom: from,
    symbolizer: new LineLabelSymbolizer({
      font: (zoom) => `500 ${size + (zoom >= 16 ? 1 : 0)}px ${FONT}`,
      fill: "#5b5a52", stroke: "rgba(255,255,255,.9)", width: 3, position: LineLabelPlacement.Center, repeatDistance: 500,
    }),
    filter: (_zoom, feature) => classes.includes(feature.props.class),
  });
  const named = (kinds, fill, from) => ({
    dataLayer: "surface",
    minzoom: from,
    symbolizer: new CenteredTextSymbolizer({ font: `500 11px ${FONT}`, fill, stroke: "rgba(255,255,255,.85)", width: 2 }),
    filter: (_zoom, feature) => kinds.includes(feature.props.kind),
  });
  return [
    along(["primary", "trunk", "motorway"], 12, 11.5),
    along(["secondary"], 13, 11),
    along(["tertiary"], 14, 11),
    named(["water"], "#4b7387", 14),
    named(["green", "park", "grass", "wood", "forest"], "#4d6b3a", 15),
    along(["residential", "unclassified", "living_street", "pedestrian"], 15, 10.5),
    along(["service", "footway", "path"], 17, 10),
    {
      dataLayer: "building",
      minzoom: 17,
      symbolizer: new CenteredTextSymbolizer({ font: `400 10.5px ${FONT}`, fill: "#77746a", stroke: "rgba(255,255,255,.85)", width: 2 }),
    },
  ];
}

// Two layers over one store of tiles: what lies under the cells, and the names above them.
function ownLayers(path, attribution, named) {
  const store = new TileStore(path);
  const make = (options) => {
    const layer = protomapsL.leafletLayer({ url: BASE + path, maxDataZoom: 15, attribution, lang: "zh", updateWhenZooming: false, ...options });
    layer.views.get("").tileCache.source = store;
    return layer;
  };
  return [
    make({ pane: "base", paintRules: paintRules(), backgroundColor: PAPER }),
    make({ pane: "names", labelRules: labelRules() }).on("load", named),
  ];
}

function tianditu() {
  const address = (layer) =>
    `https://t{s}.tianditu.gov.cn/${layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${layer}&STYLE=default` +
    `&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=${begin.tianditu}`;
  const options = { subdomains: "01234567", maxNativeZoom: 18, maxZoom: 20, attribution: gettext("Tianditu") };
  return [
    L.tileLayer(address("vec"), { ...options, pane: "base" }),
    L.tileLayer(address("cva"), { ...options, pane: "names" }),
  ];
}

export const bases = () => [
  { key: "own", name: gettext("Streets of this installation") },
  ...(begin.tianditu && !begin.embedded ? [{ key: "tianditu", name: gettext("Tianditu") }] : []),
  ...(begin.gcj02 && !begin.embedded ? [{ key: "gcj02", name: gettext("Online base map (GCJ-02)") }] : []),
  { key: "none", name: gettext("No base map") },
];

// Shows the base map. What it returns says whether a name of our own base map lies in a box of the map's pixels
// (of the world, at its zoom); the map fires `named` when names have come.
export function addBase(map, about) {
  map.createPane("base").style.zIndex = 200;
  const names = map.createPane("names");
  Object.assign(names.style, { zIndex: 470, pointerEvents: "none" });
  let shown = [];
  const show = () => {
    shown.forEach((layer) => layer.remove());
    const kind = bases().some(({ key }) => key === view.state.base) ? view.state.base : "own";
    const make = {
      own: () => ownLayers(about.path ?? "tiles/base/{z}/{x}/{y}.mvt", about.attribution === "osm" ? OSM : "", () => map.fire("named")),
      tianditu,
      gcj02: () => [new Gcj02TileLayer(begin.gcj02, { pane: "base", maxNativeZoom: 18, maxZoom: 20, attribution: gettext("Online base map") })],
      none: () => [],
    };
    shown = make[kind]().map((layer) => layer.addTo(map));
  };
  view.on(["base"], show);
  show();
  return (box) => shown.some((layer) => layer.labelers?.getIndex(map.getZoom())?.bboxCollides(box, Infinity));
}
