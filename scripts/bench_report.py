"""Reports per second, each durable before the next begins, beside a bare INSERT and COMMIT on the same store.

scripts/bench_report.py [--seconds 10] [--cells 200] [--problems 10000] [--profile]

A report is all of `record_problem`: permission, category, whose it is, the row, two lines of history, clock
and trail. The bare loop inserts one row of six columns into a table of its own, as durably. PostGIS is
measured where its server is installed.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from postgis_server import PostgisServer, find_binaries

from gridmap.config import Settings
from gridmap.demo.build import build_demo
from gridmap.jobs import silent
from gridmap.people.permissions import Actor
from gridmap.places.models import GridCell
from gridmap.problems.service import Report, record_problem
from gridmap.store.bulk import read_columns
from gridmap.store.engine import open_engine, reading, writing
from gridmap.store.schema import migrate
from gridmap.trail.keeper import TrailKeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine

_BARE = (
    "CREATE TABLE bare (id INTEGER PRIMARY KEY, uid TEXT, found_at TEXT, lon DOUBLE PRECISION,"
    " lat DOUBLE PRECISION, description TEXT)"
)


def per_second(once: Callable[[int], None], seconds: float) -> float:
    """How often something is done per second, after a tenth of the time to get going."""
    number, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds / 10:
        once(number)
        number += 1
    first, start = number, time.perf_counter()
    while time.perf_counter() - start < seconds:
        once(number)
        number += 1
    return (number - first) / (time.perf_counter() - start)


def bare(engine: Engine) -> Callable[[int], None]:
    """One INSERT and one COMMIT on the driver's own connection."""
    with engine.execution_options(gridmap_write=True).begin() as connection:
        connection.execute(text(_BARE))
    connection = engine.raw_connection().driver_connection
    assert connection is not None  # noqa: S101 - it was just opened
    on_postgis = engine.dialect.name == "postgresql"
    mark = "%s" if on_postgis else "?"
    statement = f"INSERT INTO bare VALUES ({', '.join([mark] * 6)})"  # noqa: S608 - fixed
    begin = "BEGIN" if on_postgis else "BEGIN IMMEDIATE"

    def once(number: int) -> None:
        if not on_postgis:
            connection.execute(begin)
        connection.execute(
            statement, (number, uuid.uuid4().hex, "2026-05-09 12:00:00", 121.5, 31.2, "占道经营")
        )
        connection.commit()

    return once


def reports(engine: Engine, settings: Settings) -> Callable[[int], None]:
    """One report per transaction, each at another place."""
    with reading(engine) as session:
        shapes = read_columns(session, GridCell.__table__.select())["geometry"]
    points = [shape.representative_point() for shape in shapes]
    chance = np.random.default_rng(3).permutation(len(points))
    actor = Actor.owner()

    def once(number: int) -> None:
        point = points[chance[number % len(points)]]
        report = Report(
            uid=uuid.uuid4(),
            category="0401",
            geometry={"type": "Point", "coordinates": [point.x, point.y]},
            description="店外堆放杂物",
            address="人民路1号",
        )
        with writing(engine) as session:
            record_problem(session, actor, report, settings=settings, now=datetime.now(UTC))

    return once


@contextmanager
def stores(folder: Path) -> Iterator[dict[str, str]]:
    """Addresses of both stores, by name."""
    found = {"SpatiaLite": f"sqlite:///{folder / 'bench.sqlite'}"}
    binaries = find_binaries()
    server = None if binaries is None else PostgisServer(binaries, durable=True)
    try:
        if server is not None:
            found["PostGIS"] = server.url("postgres")
        yield found
    finally:
        if server is not None:
            server.stop()


def main() -> None:
    """Print a line per store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--profile", action="store_true", help="Say where the time goes.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as name, stores(Path(name)) as addresses:
        settings = Settings(data_dir=Path(name))
        for store, url in addresses.items():
            engine = open_engine(url, keeper=TrailKeeper.of(settings))
            migrate(engine)
            with writing(engine) as session:
                build_demo(
                    session,
                    Actor.owner(),
                    cells=options.cells,
                    problems=options.problems,
                    seed=1,
                    now=datetime.now(UTC),
                    settings=settings,
                    progress=silent,
                )
            ours, profile = reports(engine, settings), cProfile.Profile()
            if options.profile:
                profile.enable()
            rate = per_second(ours, options.seconds)
            profile.disable()
            least = per_second(bare(engine), options.seconds)
            print(f"{store}: {rate:.0f} reports/s, bare {least:.0f} rows/s, ratio {rate / least:.2f}")
            if options.profile:
                pstats.Stats(profile).sort_stats("cumulative").print_stats(35)
            engine.dispose()


if __name__ == "__main__":
    main()
