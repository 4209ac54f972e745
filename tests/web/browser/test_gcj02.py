"""Base maps in GCJ-02 lie where they belong, shifted as `geodata.datum` says, also once the map has moved."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.coordinate_system import CoordinateSystem
from geodata.datum import from_wgs84

pytestmark = pytest.mark.browser

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
PLACES = [(121.4737, 31.2304), (102.2, 40.1), (114.06, 22.54), (87.62, 43.83), (2.35, 48.86)]

LAY = """async pixel => {
  const { Gcj02TileLayer } = await import("gridmap/gcj02.js");
  window.shifted = new Gcj02TileLayer(pixel, { maxZoom: 20 }).addTo(gridmapHost);
}"""
OFF = """([lon, lat, z]) => {
  // How far each tile is drawn from where its corner belongs, when the centre shows what GCJ-02 calls so.
  const size = gridmapHost.getSize().divideBy(2);
  const box = gridmapHost.getContainer().getBoundingClientRect();
  const middle = L.CRS.EPSG3857.latLngToPoint(L.latLng(lat, lon), z);
  return Object.values(shifted._tiles).map(({ el, coords }) => {
    const { x, y } = el.getBoundingClientRect();
    const due = [size.x + coords.x * 256 - middle.x, size.y + coords.y * 256 - middle.y];
    return [x - box.x - due[0], y - box.y - due[1]];
  });
}"""

MIDDLE = """() => {
  const { lng, lat } = gridmapHost.getCenter();
  return [lng, lat, gridmapHost.getZoom()];
}"""


def gcj02(lon, lat):
    x, y = from_wgs84([lon], [lat], CoordinateSystem.parse("gcj02"))
    return float(x[0]), float(y[0])


def test_the_offset_is_that_of_the_imports(open_as):
    page = open_as()
    told = page.evaluate(
        """async places => {
          const { toGcj02 } = await import("gridmap/gcj02.js");
          return places.map(([lng, lat]) => { const to = toGcj02({ lat, lng }); return [to.lng, to.lat]; });
        }""",
        PLACES,
    )
    np.testing.assert_allclose(told[:4], [gcj02(*place) for place in PLACES[:4]], rtol=0, atol=1e-9)
    assert told[4] == list(PLACES[4]), "outside of China nothing is shifted"


def test_tiles_lie_where_the_offset_puts_them(open_as):
    page = open_as("/?layers=#15/40.1/102.2")
    page.evaluate(LAY, PIXEL)
    page.wait_for_timeout(300)
    for _ in range(2):
        where = page.evaluate(MIDDLE)
        off = np.array(page.evaluate(OFF, [*gcj02(*where[:2]), where[2]]))
        assert len(off) >= 12
        # Leaflet places tiles on whole pixels.
        assert np.abs(off).max() <= 1.5
        unshifted = np.array(page.evaluate(OFF, where))
        assert np.abs(unshifted).max() > 40
        page.evaluate("gridmapHost.setView([40.13, 102.26], 16, { animate: false })")
        page.wait_for_timeout(300)
