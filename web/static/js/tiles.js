// Vector tiles drawn on canvas by a function, and what lies under a pixel.

import { BASE } from "gridmap/api.js";

const { ZxySource } = protomapsL;

// Tiles of one address, kept while they may be needed again.
export class TileStore {
  constructor(path, maxZoom = 16) {
    this.kept = new Map();
    this.maxZoom = maxZoom;
    this.point(path);
  }

  point(path) {
    this.source = new ZxySource(BASE + path, false);
    this.kept.clear();
  }

  get(c, tileSize) {
    const key = `${c.z}/${c.x}/${c.y}/${tileSize}`;
    if (!this.kept.has(key)) {
      if (this.kept.size > 300) this.kept.delete(this.kept.keys().next().value);
      const answer = this.source.get(c, tileSize);
      answer.catch(() => this.kept.delete(key));
      this.kept.set(key, answer);
    }
    return this.kept.get(key);
  }
}

export const TileCanvas = L.GridLayer.extend({
  options: { updateWhenZooming: false, keepBuffer: 1, maxDataZoom: 16 },

  // options: store, layer (name in the tile), under (layers drawn beneath it), draw(context, features, zoom)
  initialize(options) {
    L.GridLayer.prototype.initialize.call(this, options);
    this.features = new Map();
  },

  createTile(coords, done) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const canvas = L.DomUtil.create("canvas", "");
    canvas.width = canvas.height = 256 * ratio;
    this.read(coords).then(
      (features) => {
        this.features.set(this._tileCoordsToKey(coords), features);
        this.paint(canvas, features, coords.z, ratio);
        done(null, canvas);
      },
      (error) => done(error, canvas),
    );
    return canvas;
  },

  // Features of a tile in its own pixels; beyond the deepest data the parent is enlarged.
  async read(coords) {
    const up = Math.max(coords.z - this.options.maxDataZoom, 0);
    const scale = 2 ** up;
    const parent = { z: coords.z - up, x: coords.x >> up, y: coords.y >> up };
    const layers = await this.options.store.get(parent, 256 * scale);
    const features = [...(this.options.under ?? []), this.options.layer].flatMap((name) => layers.get(name) ?? []);
    if (!up) return features;
    const [left, top] = [(coords.x % scale) * 256, (coords.y % scale) * 256];
    return features
      .filter(({ bbox }) => bbox.maxX > left - 32 && bbox.minX < left + 288 && bbox.maxY > top - 32 && bbox.minY < top + 288)
      .map((feature) => ({ ...feature, geom: feature.geom.map((ring) => ring.map(({ x, y }) => ({ x: x - left, y: y - top }))) }));
  },

  paint(canvas, features, zoom, ratio) {
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, 256, 256);
    this.options.draw(context, features, zoom);
  },

  // Draw what is there again with other colours; nothing is fetched.
  repaint() {
    for (const [key, tile] of Object.entries(this._tiles ?? {})) {
      const features = this.features.get(key);
      if (features) this.paint(tile.el, features, tile.coords.z, tile.el.width / 256);
    }
  },

  refetch(path) {
    this.options.store.point(path);
    this.features.clear();
    if (this._map) this.redraw();
  },

  // The tile's features and the pixel inside it.
  at(latlng) {
    const zoom = Math.round(this._map.getZoom());
    const pixel = this._map.project(latlng, zoom);
    const coords = pixel.divideBy(256).floor();
    coords.z = zoom;
    const features = this.features.get(this._tileCoordsToKey(coords)) ?? [];
    return { features, x: pixel.x - coords.x * 256, y: pixel.y - coords.y * 256 };
  },
});

export function trace(context, geom, close) {
  context.beginPath();
  for (const ring of geom) {
    ring.forEach(({ x, y }, index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
    if (close) context.closePath();
  }
}

export function contains(geom, x, y) {
  let within = false;
  for (const ring of geom) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [a, b] = [ring[i], ring[j]];
      if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) within = !within;
    }
  }
  return within;
}
