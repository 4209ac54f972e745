#!/usr/bin/env python3
"""First paint of the heat in Chromium: the running service beside folium's own HeatMap on as many points.

scripts/bench_paint.py ADDRESS [--points 1000000]

ADDRESS is a running demo, for example one built by `gridmap demo --cells 5000 --problems 1000000`. Both
pages come from loopback; the heat counts as painted when its first coloured pixels are there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import folium
import numpy as np
from bench_city import places
from folium.plugins import HeatMap
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
]
PAINTED = """() => {
  const coloured = (canvas) => {
    if (!canvas.width || !canvas.height) return false;
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 3; i < data.length; i += 4) if (data[i]) return true;
    return false;
  };
  const pictures = [...document.querySelectorAll('img[src*="/heat/"]')];
  if (pictures.some((i) => i.complete && i.naturalWidth)) return true;
  return [...document.querySelectorAll('canvas.leaflet-heatmap-layer')].some(coloured);
}"""


def folium_page(points: int) -> Path:
    """A page of folium's HeatMap on a file of this machine."""
    lon, lat = places(points)
    page = folium.Map((float(np.median(lat)), float(np.median(lon))), zoom_start=11, tiles=None)
    HeatMap(np.column_stack((lat, lon)).tolist()).add_to(page)
    file = Path(tempfile.mkdtemp()) / "folium.html"
    page.save(file)
    return file


def local(route: Any) -> None:
    """Answer folium's links to other hosts from what is here; the rest is nothing."""
    url = route.request.url
    name = url.rsplit("/", 1)[-1]
    found = {"leaflet.js": "leaflet/leaflet.js", "leaflet.css": "leaflet/leaflet.css"}.get(name)
    if found:
        route.fulfill(path=ROOT / "web" / "static" / "vendor" / found)
    elif url.startswith(("file:", "http://127.0.0.1")):
        route.continue_()
    elif "heat" in name:
        source = next(Path(folium.__file__).parent.rglob("leaflet_heat*.js"))
        route.fulfill(path=source)
    else:
        route.fulfill(body="")


def measure(page: Any, address: str) -> float:
    """Seconds from asking for a page to its first coloured pixels of heat."""
    start = time.perf_counter()
    page.goto(address, wait_until="commit", timeout=120_000)
    page.wait_for_function(PAINTED, polling=30, timeout=120_000)
    return time.perf_counter() - start


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--points", type=int, default=1_000_000)
    chosen = parser.parse_args()
    base = chosen.address.rstrip("/")
    file = folium_page(chosen.points)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto(f"{base}/sign-in")
        page.fill("[name=username]", "hq")
        page.fill("[name=password]", "gridmap-demo")
        page.click("main button")
        ours = [measure(page, f"{base}/?layers=heat") for _ in range(4)][1:]
        size = len(page.request.get(f"{base}/?layers=heat").body())
        other = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        other.route("**/*", local)
        theirs = [measure(other, file.as_uri()) for _ in range(3)]
        browser.close()
    mine, peer = statistics.median(ours), statistics.median(theirs)
    print(f"gridmap {mine:.2f} s, page {size / 1000:.0f} kB")
    print(f"folium HeatMap {peer:.2f} s, page {file.stat().st_size / 1e6:.1f} MB")
    print(f"ratio {peer / mine:.1f} (goal 8), page at most 100 kB: {size <= 100_000}")


if __name__ == "__main__":
    main()
