#!/usr/bin/env python3
"""How the quality of a week's plan keeps up with its places, in time that grows as n log n.

scripts/bench_growth.py FILE.osm.pbf [--places 100 --places 1000 --places 5000] [--pace 6] [--days 2] [--cpu]

A week decomposes into its days, as in the service: each place has its day, and each day is a search of its
own, of `--pace` milliseconds per n log n of its places. The gap is to the best of a search `--longer` times
as long. The time for the same gap grows no worse than n log n if the gap does not grow.
"""

from __future__ import annotations

import argparse
import time
from math import log
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from bench_district import BEGINS, SHIFT, STAY, district, matrix

from gridmap.patrols.planning import Problem, Stop, Task, Travel, Window, Worker, faults, prepare, solve

if TYPE_CHECKING:
    from collections.abc import Callable

WEEK = 7
A_DAY = 25
"""Places that one person visits in a shift."""


def cost(problem: Problem, seconds: float, seed: int, clock: Callable[[], float]) -> int:
    """What the plan found in so many seconds costs; one that is wrong or lacks anything ends the bench."""
    plan = solve(problem, Stop(seconds=seconds, clock=clock), seed, reasons=False).plan
    if plan.lacking or faults(problem, plan):
        raise SystemExit(f"{plan.lacking} places lacking, {faults(problem, plan)}")
    return plan.cost


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--places", type=int, action="append")
    parser.add_argument("--pace", type=float, default=6, help="milliseconds of a search per n log n")
    parser.add_argument(
        "--longer", type=float, default=5, help="times as long searches what it is compared with"
    )
    parser.add_argument("--days", type=int, default=2, help="of the seven, to be measured")
    parser.add_argument(
        "--cpu", action="store_true", help="count processor time: for a machine that is shared"
    )
    chosen = parser.parse_args()
    clock = time.process_time if chosen.cpu else time.perf_counter
    prepare()
    print("".join(f"{title:>12}" for title in ("places", "a day", "a day's s", "a week's s", "gap %")))
    for places in chosen.places or [100, 1000, 5000]:
        asked = district(chosen.file, places=places, kilometres=60, people=0, seed=1)
        far = matrix(asked.router, asked.places, asked.places)
        days = np.random.default_rng(1).permutation(np.arange(places) % WEEK)
        gaps, seconds, size = [], 0.0, 0
        for day in range(chosen.days):
            mine = np.flatnonzero(days == day)
            size = len(mine)
            nodes = np.r_[0, mine + 1]
            worker = Worker(start=0, end=0, shift=Window(BEGINS, BEGINS + SHIFT))
            problem = Problem(
                travel=(Travel(seconds=far[np.ix_(nodes, nodes)], metres=far[np.ix_(nodes, nodes)]),),
                tasks=tuple(Task.place(n + 1, STAY, windows=asked.windows[at]) for n, at in enumerate(mine)),
                workers=(worker,) * (size // A_DAY + 2),
            )
            seconds = chosen.pace * size * log(size) / 1000
            here = cost(problem, seconds, day, clock)
            gaps.append(100 * (here / cost(problem, chosen.longer * seconds, day, clock) - 1))
        row = (f"{places}", f"{size}", f"{seconds:.1f}", f"{WEEK * seconds:.1f}", f"{fmean(gaps):.2f}")
        print("".join(f"{cell:>12}" for cell in row), flush=True)


if __name__ == "__main__":
    main()
