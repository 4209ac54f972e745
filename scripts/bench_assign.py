#!/usr/bin/env python3
"""Assign points to bordering cells: the service's index beside geopandas.sjoin, each in a process of its own.

scripts/bench_assign.py [--points 1000000] [--cells 5000]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from bench_city import cells as make_cells
from bench_city import places


def run(what: str, points: int, cells: int) -> dict[str, float]:
    """Time one way in this process: index building included, data making not."""
    shapes = make_cells(cells)
    lon, lat = places(points)
    if what == "gridmap":
        from geodata.cell_index import CellIndex  # noqa: PLC0415 - each way loads only what it needs

        CellIndex(shapes[:50]).assign(lon[:1000], lat[:1000])  # loads the compiled kernels
        start = time.perf_counter()
        found = CellIndex(shapes).assign(lon, lat)
    else:
        import geopandas  # noqa: PLC0415 - as above

        start = time.perf_counter()
        left = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat, crs=4326))
        right = geopandas.GeoDataFrame(geometry=shapes, crs=4326)
        joined = geopandas.sjoin(left, right, predicate="covered_by")
        found = np.full(points, -1, dtype=np.int32)
        lowest = joined["index_right"].groupby(level=0).min()
        found[lowest.index] = lowest
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": seconds,
        "peak_gb": memory / 2**20,
        "sum": int(np.bitwise_xor.reduce((found.astype(np.int64) + 2) * (np.arange(points) % 1_000_003 + 1))),
        "outside": int((found < 0).sum()),
    }


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--cells", type=int, default=5_000)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    if chosen.only:
        print(json.dumps(run(chosen.only, chosen.points, chosen.cells)))
        return
    results = {}
    for what in ("gridmap", "geopandas"):
        command = [
            sys.executable,
            __file__,
            "--only",
            what,
            "--points",
            str(chosen.points),
            "--cells",
            str(chosen.cells),
        ]
        results[what] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        one = results[what]
        print(
            f"{what:<10} {one['seconds']:8.2f} s  peak {one['peak_gb']:5.2f} GB with the data  "
            f"outside {one['outside']}"
        )
    ours, theirs = results["gridmap"], results["geopandas"]
    print(f"same answer: {ours['sum'] == theirs['sum']}")
    print(f"speed  {theirs['seconds'] / ours['seconds']:6.1f} x  (goal 3 at 10 M)")
    print(f"memory {ours['peak_gb'] / theirs['peak_gb']:6.2f}    (goal 0.5)")


if __name__ == "__main__":
    main()
