#!/usr/bin/env python3
"""Count problems per pixel of a tile: the service's columns beside PostGIS and datashader on the same data.

scripts/bench_heat.py [--points 1000000] [--no-postgis]

Every way counts unresolved problems, all of them or those of three categories, in 256 x 256 pixels, for a
tile that holds the whole city and for one of street size. Sums are compared. Loading is not timed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bench_city import EAST, NORTH, SOUTH, WEST, places

from geodata.heat import Heat
from geodata.point_columns import PointColumns, PointFilter

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

OPEN, CATEGORIES = 0, (3, 7, 11)
RADIUS = 20037508.342789244


def mercator(lon: Any, lat: Any) -> tuple[Any, Any]:
    """Web mercator metres."""
    return lon * RADIUS / 180, np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)) * RADIUS / np.pi


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Tile around a place."""
    x, y = mercator(lon, lat)
    side = 2 * RADIUS / 2**z
    return int((x + RADIUS) / side), int((RADIUS - y) / side)


def bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """Web mercator bounds of a tile: west, south, east, north."""
    side = 2 * RADIUS / 2**z
    return x * side - RADIUS, RADIUS - (y + 1) * side, (x + 1) * side - RADIUS, RADIUS - y * side


def median(work: Callable[[], float], seconds: float = 2.0) -> tuple[float, float]:
    """Median time in milliseconds of at least three runs, and the last answer."""
    answer, times = work(), []
    until = time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < until and len(times) < 200):
        start = time.perf_counter()
        answer = work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), answer


def ours(data: pd.DataFrame, z: int, x: int, y: int, *, filtered: bool) -> Callable[[], float]:
    """The service's columns."""
    if not hasattr(ours, "heat"):
        columns, _ = PointColumns.build(
            data["lon"].to_numpy(), data["lat"].to_numpy(), category=data["category"], state=data["state"]
        )
        ours.heat = Heat(columns, resting=PointFilter(states=frozenset({OPEN})))
    chosen = PointFilter(states=frozenset({OPEN}), categories=frozenset(CATEGORIES) if filtered else None)
    return lambda: float(ours.heat.bins(z, x, y, chosen).sum())


def datashader(data: pd.DataFrame, z: int, x: int, y: int, *, filtered: bool) -> Callable[[], float]:
    """Datashader, filtering at run time."""
    import datashader as ds  # noqa: PLC0415 - a peer of the bench only

    west, south, east, north = bounds(z, x, y)

    def work() -> float:
        keep = data["state"] == OPEN
        if filtered:
            keep &= data["category"].isin(CATEGORIES)
        canvas = ds.Canvas(256, 256, x_range=(west, east), y_range=(south, north))
        return float(canvas.points(data[keep], "x", "y", ds.count()).sum())

    return work


def postgis(cursor: Any, z: int, x: int, y: int, *, filtered: bool) -> Callable[[], float]:
    """PostGIS, grouping by the snapped grid, with a spatial index."""
    west, south, east, north = bounds(z, x, y)
    size = (east - west) / 256
    more = f"AND category IN {CATEGORIES}" if filtered else ""

    def work() -> float:
        cursor.execute(
            f"SELECT sum(n) FROM (SELECT count(*) n FROM p WHERE state = {OPEN} {more} "  # noqa: S608 - numbers
            f"AND g && ST_MakeEnvelope({west}, {south}, {east}, {north}, 3857) "
            f"GROUP BY ST_SnapToGrid(g, {size})) q"
        )
        return float(cursor.fetchone()[0] or 0)

    return work


def load_postgis(data: pd.DataFrame) -> tuple[Any, Any]:
    """A temporary server with the same points."""
    import psycopg  # noqa: PLC0415 - a peer of the bench only
    from postgis_server import PostgisServer, find_binaries  # noqa: PLC0415 - as above

    server = PostgisServer(find_binaries())
    connection = psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE EXTENSION postgis; SET jit = off; SET work_mem = '512MB'")
    cursor.execute("CREATE TABLE r (x float8, y float8, category int2, state int2)")
    with cursor.copy("COPY r FROM STDIN (FORMAT csv)") as copy:
        for start in range(0, len(data), 500_000):
            part = data.iloc[start : start + 500_000][["x", "y", "category", "state"]]
            copy.write(part.to_csv(header=False, index=False))
    cursor.execute("CREATE TABLE p AS SELECT category, state, ST_SetSRID(ST_MakePoint(x, y), 3857) g FROM r")
    cursor.execute("CREATE INDEX ON p USING gist (g)")
    cursor.execute("ANALYZE p")
    return server, cursor


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--no-postgis", action="store_true")
    chosen = parser.parse_args()
    lon, lat = places(chosen.points)
    random = np.random.default_rng(5)
    data = pd.DataFrame({"lon": lon, "lat": lat})
    data["x"], data["y"] = mercator(lon, lat)
    data["category"] = random.choice(40, chosen.points, p=np.arange(40, 0, -1) / 820).astype(np.int16)
    data["state"] = np.zeros(chosen.points, dtype=np.int16)  # all unresolved: the goal speaks of so many
    middle = (WEST + EAST) / 2, (SOUTH + NORTH) / 2
    city_tile = (9, *tile_of(*middle, 9))
    busiest = data.iloc[:200_000].round(2).value_counts(["lon", "lat"]).index[0]
    street_tile = (15, *tile_of(*busiest, 15))
    server = None
    if not chosen.no_postgis:
        server, cursor = load_postgis(data)
    try:
        # PostGIS compares boxes in single precision, so that its edge differs by a metre.
        print(f"{chosen.points:,} unresolved problems; median milliseconds a tile")
        print(
            f"{'tile':<28}{'gridmap':>10}{'datashader':>12}{'ratio':>8}"
            f"{'postgis':>10}{'ratio':>8}  same count"
        )
        for name, tile in (("whole city", city_tile), ("street", street_tile)):
            for filtered in (False, True):
                mine, count = median(ours(data, *tile, filtered=filtered))
                shaded, count_d = median(datashader(data, *tile, filtered=filtered))
                base, count_p = (
                    median(postgis(cursor, *tile, filtered=filtered)) if server else (float("nan"), count)
                )
                same = abs(count - count_d) <= 1e-4 * count + 2 and abs(count - count_p) <= 0.01 * count + 2
                label = f"{name}, {'3 categories' if filtered else 'all'}"
                print(
                    f"{label:<28}{mine:>10.2f}{shaded:>12.1f}{shaded / mine:>8.1f}"
                    f"{base:>10.1f}{base / mine:>8.1f}"
                    f"  {same} ({count:.0f} {count_d:.0f} {count_p:.0f})"
                )
        print("goals: 5 x datashader, 30 x PostGIS")
    finally:
        if server:
            server.stop()


if __name__ == "__main__":
    main()
