// The offset of GCJ-02 from WGS-84, as geodata/datum has it, and a tile layer that allows for it.

const A = 6378245;
const E2 = 0.00669342162296594323;
const rad = Math.PI / 180;

const inside = (lat, lon) => lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271;

function wave(x) { return ((20 * Math.sin(6 * x * Math.PI) + 20 * Math.sin(2 * x * Math.PI)) * 2) / 3; }

export function toGcj02({ lat, lng }) {
  if (!inside(lat, lng)) return L.latLng(lat, lng);
  const x = lng - 105;
  const y = lat - 35;
  const root = 0.1 * Math.sqrt(Math.abs(x));
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 2 * root + wave(x);
  north += ((20 * Math.sin(y * Math.PI) + 40 * Math.sin((y / 3) * Math.PI)) * 2) / 3;
  north += ((160 * Math.sin((y / 12) * Math.PI) + 320 * Math.sin((y * Math.PI) / 30)) * 2) / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + root + wave(x);
  east += ((20 * Math.sin(x * Math.PI) + 40 * Math.sin((x / 3) * Math.PI)) * 2) / 3;
  east += ((150 * Math.sin((x / 12) * Math.PI) + 300 * Math.sin((x / 30) * Math.PI)) * 2) / 3;
  const magic = 1 - E2 * Math.sin(lat * rad) ** 2;
  return L.latLng(
    lat + (north * 180) / (((A * (1 - E2)) / (magic * Math.sqrt(magic))) * Math.PI),
    lng + (east * 180) / ((A / Math.sqrt(magic)) * Math.cos(lat * rad) * Math.PI),
  );
}

const proto = L.TileLayer.prototype;

export const Gcj02TileLayer = L.TileLayer.extend({
  _getTiledPixelBounds(center) { return proto._getTiledPixelBounds.call(this, toGcj02(center)); },
  _setZoomTransform(level, center, zoom) { proto._setZoomTransform.call(this, level, toGcj02(center), zoom); },
  // The offset varies over the country: a level that was placed for one centre is placed again for the next.
  _onMoveEnd() {
    proto._onMoveEnd.call(this);
    if (this._level && this._map) this._setZoomTransform(this._level, this._map.getCenter(), this._map.getZoom());
  },
});
