#!/usr/bin/env python3
"""Gap to the best known value of public instances, beside PyVRP alone: one core, the same seconds for each.

scripts/bench_plans.py DIR [--only egl-e1] [--seconds 10] [--seeds 3] [--cpu] [--without PyVRP]

A search ends early where it has met the best known value: there is nothing left to find. A value below the
best known one is checked like any other plan, and marked.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import pyvrp
from plan_instances import instances

from gridmap.patrols.planning import Stop, faults, solve
from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Callable

    from plan_instances import Instance

    from gridmap.patrols.planning import Plan, Progress

Clock = "Callable[[], float]"


def ours(one: Instance, seconds: float, seed: int, clock: Callable[[], float]) -> Plan:
    """Plan as the service does."""

    def met(progress: Progress) -> bool:
        return progress.cost == one.best

    return solve(one.problem, Stop(seconds=seconds, clock=clock, watch=met), seed).plan


def alone(one: Instance, seconds: float, seed: int, clock: Callable[[], float]) -> Plan:
    """Plan with PyVRP alone, as it is delivered."""
    clients = Clients(one.problem, range(len(one.problem.tasks)), complete=True)
    began = clock()

    def ended(cost: float) -> bool:
        return cost == one.best or clock() - began >= seconds

    result = pyvrp.solve(clients.data, ended, seed=seed, collect_stats=False)
    return assemble(one.problem, clients.orders(result.best), {})


def gap(plan: Plan, instance: Instance) -> float:
    """Per cent above the best known cost; a plan that is wrong or lacks anything ends the bench."""
    if plan.lacking or faults(instance.problem, plan):
        raise SystemExit(f"{instance.name}: {plan.lacking} tasks lacking, {faults(instance.problem, plan)}")
    return 100 * (plan.cost / instance.best - 1)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--only", action="append", default=[], help="start of the names to take; may be repeated"
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--cpu", action="store_true", help="count processor time: for a machine that is shared"
    )
    parser.add_argument("--without", action="append", default=[], choices=["gridmap", "PyVRP"])
    chosen = parser.parse_args()
    clock = time.process_time if chosen.cpu else time.perf_counter
    ways = {"gridmap": ours, "PyVRP": alone}
    ways = {name: way for name, way in ways.items() if name not in chosen.without}
    for peer, module in (("OR-Tools", "ortools"), ("VROOM", "vroom")):
        if importlib.util.find_spec(module) is None:
            print(f"{peer} is not installed, and not compared")
    taken = list(instances(chosen.folder, tuple(chosen.only or [""])))
    if not taken:
        raise SystemExit(f"no instances below {chosen.folder}")
    ours(taken[0], 1, 0, clock)  # loads the compiled kernels
    gaps: dict[str, list[float]] = {way: [] for way in ways}
    print(f"{'':12}{'tasks':>7}{'best':>10}" + "".join(f"{way:>10}" for way in ways))
    for one in taken:
        line = f"{one.name:12}{len(one.problem.tasks):7}{one.best:10}"
        for way, plan in ways.items():
            found = [gap(plan(one, chosen.seconds, seed, clock), one) for seed in range(chosen.seeds)]
            gaps[way] += found
            line += f"{fmean(found):9.2f}%" + ("  below the best known" if min(found) < 0 else "")
        print(line, flush=True)
    print(f"{'mean':29}" + "".join(f"{fmean(found):9.2f}%" for found in gaps.values()))


if __name__ == "__main__":
    main()
