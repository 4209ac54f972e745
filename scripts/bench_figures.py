#!/usr/bin/env python3
"""Ask for figures and lists at a million problems, beside plain SQL on the same store, on both stores.

scripts/bench_figures.py [--problems 1000000] [--cells 2000] [--runs 30] [--no-postgis]

The page is asked for as a browser does, without the network: sign-in, scope, counting, HTML. Every request
differs from the one before, so that no remembered answer is measured. The SQL counts six of the figures that
the page counts eighteen of, per organisation; the bare query reads a hundred rows through an index.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gridmap.config import Settings
from gridmap.demo.build import build_demo
from gridmap.demo.presence import PASSWORD
from gridmap.hotspots.live import LiveSnapshot
from gridmap.installation import open_store
from gridmap.jobs import silent
from gridmap.people.permissions import Actor
from gridmap.store.clock import read_clock
from gridmap.store.engine import open_engine, reading, writing
from gridmap.store.schema import migrate
from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

TALLY = """
SELECT organisation_id, count(*), sum(CASE WHEN checked_at IS NOT NULL THEN 1 ELSE 0 END),
  sum(CASE WHEN dispatched_at IS NOT NULL THEN 1 ELSE 0 END),
  sum(CASE WHEN state = 'closed' THEN 1 ELSE 0 END),
  sum(CASE WHEN state = 'closed' AND on_time THEN 1 ELSE 0 END),
  sum(CASE WHEN rework > 0 THEN 1 ELSE 0 END)
FROM problem WHERE found_at >= :first AND found_at < :last AND flags & 3 = 0 GROUP BY organisation_id
"""
BARE = (
    "SELECT id, uid, category_id, state, found_at, due_at, closed_at, address, organisation_id "
    "FROM problem WHERE state = 'accepted' ORDER BY due_at LIMIT 100"
)


def measured(work: Callable[[int], Any], runs: int) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds, after two runs that do not count."""
    times = []
    for number in range(-2, runs):
        start = time.perf_counter()
        work(number)
        if number >= 0:
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def bench(url: str, folder: Path, *, problems: int, cells: int, runs: int) -> None:
    """Build, and print one line for each question."""
    settings = Settings(data_dir=folder, database_url=url, secret_key="bench")  # noqa: S106 - of no use elsewhere
    migrate(open_engine(settings.store_url))
    engine = open_store(settings)
    now = datetime.now(UTC)
    with writing(engine) as session:
        build_demo(
            session,
            Actor.owner(),
            cells=cells,
            problems=problems,
            seed=1,
            now=now,
            settings=settings,
            progress=silent,
        )
    with reading(engine) as session:
        change = read_clock(session).change
    start = time.perf_counter()
    snapshot = LiveSnapshot(engine, folder / "snapshot").at(change)
    read = time.perf_counter() - start
    start = time.perf_counter()
    LiveSnapshot(engine, folder / "snapshot").at(change)
    mapped = time.perf_counter() - start
    print(
        f"  snapshot of {len(snapshot):,}: {snapshot.nbytes / 1e6:.0f} MB; from the database {read:.2f} s, "
        f"from its copy {mapped:.3f} s"
    )
    client = create_app(settings).test_client()
    page = client.get("/sign-in")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/sign-in", data={"username": "hq", "password": PASSWORD, "csrf_token": token})

    def get(address: str) -> None:
        answer = client.get(address)
        if answer.status_code != 200:
            sys.exit(f"{address}: {answer.status_code} {answer.text}")

    def first(number: int) -> date:
        return now.date() - timedelta(days=365 - number % 30)

    def sql(statement: str) -> Callable[[int], Any]:
        def work(number: int) -> None:
            with engine.connect() as connection:
                given = {"first": f"{first(number)} 00:00:00", "last": f"{now.date()} 23:59:59"}
                connection.execute(text(statement), given if ":first" in statement else {}).all()

        return work

    tally = measured(sql(TALLY), max(runs // 5, 3))
    print(f"  plain SQL, six figures per organisation       {tally[0]:8.1f} ms, p95 {tally[1]:8.1f}")
    for by in ("organisation", "cell", "person", "day"):
        found = measured(
            lambda number, by=by: get(f"/figures?by={by}&first={first(number)}&columns=standard"), runs
        )
        print(
            f"  figures page by {by:<13} 18 counts          {found[0]:8.1f} ms, p95 {found[1]:8.1f}, "
            f"{found[0] / tally[0]:.2f} times the SQL"
        )
    bare = measured(sql(BARE), runs)
    print(f"  bare indexed query, 100 rows                  {bare[0]:8.1f} ms, p95 {bare[1]:8.1f}")
    for name, address in (
        ("API list by state, due first", "/api/v1/problems?state=accepted&sort=due_at&limit={n}"),
        ("API list, three filters", "/api/v1/problems?state=accepted&source=patrol&overdue=1&limit={n}"),
        ("list page behind a number", "/figures/list?figure=overdue&by=day&first={first}&limit={n}"),
    ):
        found = measured(
            lambda number, address=address: get(address.format(n=100 + number % 30, first=first(number))),
            runs,
        )
        print(
            f"  {name:<45} {found[0]:8.1f} ms, p95 {found[1]:8.1f}, "
            f"{found[0] / bare[0]:.1f} times the bare query"
        )
    engine.dispose()


def main() -> None:
    """Run on the embedded store, and on PostGIS where its server is installed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", type=int, default=1_000_000)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--no-postgis", action="store_true")
    asked = parser.parse_args()
    how = {"problems": asked.problems, "cells": asked.cells, "runs": asked.runs}
    folder = Path(tempfile.mkdtemp(prefix="gridmap-bench-"))
    try:
        print("SpatiaLite")
        bench("", folder, **how)
        if not asked.no_postgis:
            from postgis_server import PostgisServer, find_binaries  # noqa: PLC0415 - a peer of the bench only

            server = PostgisServer(find_binaries())
            try:
                import psycopg  # noqa: PLC0415 - as above

                plain = server.url("postgres").replace("+psycopg", "")
                with psycopg.connect(plain, autocommit=True) as connection:
                    connection.execute("CREATE DATABASE bench")
                print("PostGIS")
                bench(server.url("bench"), folder / "postgis", **how)
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
