#!/usr/bin/env python3
"""First sight of the heat in Chromium: the running service beside folium's own HeatMap on as many points.

scripts/bench_paint.py ADDRESS [--points 1000000] [--repeat 3]

ADDRESS is a running demo, for example one built by `gridmap demo --cells 5000 --problems 1000000`. The peer
is a page as `folium.Map.save` writes it, its points to six decimals, from a plain server on loopback that has
everything it links to; ours needs a login, and asks a database.

What counts is the first frame on the screen in which the map's place has the colours of heat (1 in 500
pixels at least), from the beginning of the navigation. Frames and their times come from the browser's own
screencast, so that neither page is asked anything while it works. Per line of the answer:

- "cold": a new profile, nothing in the cache; "warm": the page was open before.
- "loopback": as fast as the machine is; "10 Mbit/s": a line as an office has it, with 40 ms to the server and
  back, by the browser's own throttling.

On a new profile the login is in the cookies and nothing else is there.
"""

from __future__ import annotations

import argparse
import base64
import io
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import folium
import numpy as np
import requests
from bench_city import places
from folium.plugins import HeatMap
from PIL import Image
from playwright.sync_api import Error, sync_playwright

VENDOR = Path(__file__).resolve().parents[1] / "web" / "static" / "vendor"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
]
SIZE = {"width": 1280, "height": 800}
SEEN = 1 / 500
LINE = {"offline": False, "latency": 40, "downloadThroughput": 1_250_000, "uploadThroughput": 1_250_000}
PATIENCE = 300


def folium_page(points: int, folder: Path) -> int:
    """A page of folium's HeatMap with all that it links to; its bytes."""
    lon, lat = places(points)
    page = folium.Map((float(np.median(lat)), float(np.median(lon))), zoom_start=11, tiles=None)
    HeatMap(np.column_stack((lat, lon)).round(6).tolist()).add_to(page)
    text = page.get_root().render()
    for child in page.get_root().header._children.values():  # noqa: SLF001 - folium offers no other way
        if not hasattr(child, "url"):
            continue
        name = child.url.rsplit("/", 1)[-1]
        found = next(VENDOR.rglob(name), None) if name.startswith("leaflet.") else None
        if "heat" in name:
            found = next(Path(folium.__file__).parent.rglob("leaflet_heat*.js"))
        if found is None:
            (folder / name).write_text("", encoding="utf-8")
        else:
            shutil.copy(found, folder / name)
        text = text.replace(child.url, name)
    (folder / "index.html").write_text(text, encoding="utf-8")
    return len(text.encode())


def hot(frame: str) -> bool:
    """Whether a frame of the screencast has the colours of heat where the map is."""
    picture = Image.open(io.BytesIO(base64.b64decode(frame))).convert("RGB")
    pixels = np.asarray(picture).astype(np.int16)[60:640, 310:1200]
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    # Ours goes from yellow to dark red over a pale map, folium's from blue to red over nothing.
    return bool((spread > 60).mean() >= SEEN)


def first_sight(page: Any, address: str) -> float:
    """Seconds from the beginning of a navigation to the first frame with heat in it."""
    session = page.context.new_cdp_session(page)
    frames: list[tuple[float, str]] = []

    def keep(event: dict[str, Any]) -> None:
        frames.append((event["metadata"]["timestamp"], event["data"]))
        with suppress(Error):  # of a page that is closed meanwhile
            session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    session.on("Page.screencastFrame", keep)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 80})
    try:
        page.goto(address, wait_until="commit", timeout=PATIENCE * 1000)
        looked, until = 0, time.monotonic() + PATIENCE
        while time.monotonic() < until:
            page.wait_for_timeout(20)
            for shown, frame in frames[looked:]:
                looked += 1
                if hot(frame):
                    began: float = page.evaluate("performance.timeOrigin") / 1000
                    return shown - began
        message = f"No heat was seen at {address} within {PATIENCE} s."
        raise SystemExit(message)
    finally:
        session.send("Page.stopScreencast")
        session.detach()


def measure(browser: Any, address: str, state: Any, line: str, repeat: int) -> tuple[float, float]:
    """Median seconds on a new profile and on a warm one."""
    cold, warm = [], []
    for _ in range(repeat):
        context = browser.new_context(viewport=SIZE, storage_state=state)
        page = context.new_page()
        if line != "loopback":
            throttle = context.new_cdp_session(page)
            throttle.send("Network.enable")
            throttle.send("Network.emulateNetworkConditions", LINE)
        cold.append(first_sight(page, address))
        page.wait_for_load_state("networkidle", timeout=PATIENCE * 1000)
        page.goto("about:blank")
        warm.append(first_sight(page, address))
        context.close()
    return statistics.median(cold), statistics.median(warm)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--port", type=int, default=8419, help="of the peer's server")
    chosen = parser.parse_args()
    base = chosen.address.rstrip("/")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        weight = folium_page(chosen.points, Path(folder))
        served = [sys.executable, "-m", "http.server", str(chosen.port), "--bind", "127.0.0.1", "-d", folder]
        peer = subprocess.Popen(served, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{base}/sign-in")
            page.fill("[name=username]", "hq")
            page.fill("[name=password]", "gridmap-demo")
            page.click("main button")
            size = len(page.request.get(f"{base}/?layers=heat").body())
            state = context.storage_state()
            print(f"page: gridmap {size / 1000:.0f} kB (at most 100 kB), folium {weight / 1e6:.1f} MB")
            requests.get(f"http://127.0.0.1:{chosen.port}/leaflet.js", timeout=10).raise_for_status()
            for line in ("loopback", "10 Mbit/s"):
                ours = measure(browser, f"{base}/?layers=heat", state, line, chosen.repeat)
                theirs = measure(browser, f"http://127.0.0.1:{chosen.port}/", None, line, chosen.repeat)
                for name, mine, other in zip(("cold", "warm"), ours, theirs, strict=True):
                    print(
                        f"{line:<10} {name}: gridmap {mine:6.2f} s   folium HeatMap {other:6.2f} s"
                        f"   ratio {other / mine:.1f} (goal 8)"
                    )
        finally:
            browser.close()
            peer.terminate()
            peer.wait(10)


if __name__ == "__main__":
    main()
