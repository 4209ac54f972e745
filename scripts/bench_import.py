#!/usr/bin/env python3
"""Bring in problems with all checks, beside the barest way to write the same rows, on both stores.

scripts/bench_import.py [--rows 1000000] [--cells 5000]
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from bench_city import cells as make_cells
from bench_city import places
from sqlalchemy import select

from gridmap.config import Settings
from gridmap.jobs import silent
from gridmap.people.permissions import Actor
from gridmap.places.models import GridCell
from gridmap.problems.bulk import insert_problems
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Category
from gridmap.store.bulk import insert_rows
from gridmap.store.engine import open_engine, writing
from gridmap.store.schema import migrate
from gridmap.trail.keeper import TrailKeeper

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

NOW = datetime(2026, 5, 9, tzinfo=UTC)


def problems(count: int, categories: list[int]) -> dict[str, Any]:
    """Columns of made-up problems."""
    random = np.random.default_rng(3)
    lon, lat = places(count)
    found_at = np.datetime64("2026-02-01", "us") + (random.random(count) * 95 * 86400e6).astype(
        "timedelta64[us]"
    )
    return {
        "geometry": shapely.points(lon, lat),
        "category_id": random.choice(categories, count),
        "found_at": found_at,
        "state": random.integers(0, 7, count).astype(np.int16),
        "description": "占道经营",
        "address": "临江北路1号",
        "external_source": "bench",
        "external_id": np.arange(count).astype(str).astype(object),
    }


def prepare(url: str, cells: int) -> tuple[Any, list[int]]:
    """An empty store with cells and categories; the engine and the categories' ids."""
    engine = open_engine(url, keeper=TrailKeeper("bench", Path(tempfile.mkdtemp(prefix="gridmap-bench-"))))
    migrate(engine)
    with writing(engine) as session:
        ensure_categories(session)
        shapes = make_cells(cells)
        multi = shapely.multipolygons(shapes, indices=np.arange(len(shapes)))
        insert_rows(session, GridCell, {"code": [f"C{n:05d}" for n in range(len(shapes))], "geometry": multi})
        found = list(session.scalars(select(Category.id).where(Category.parent_id.is_not(None))))
    return engine, found


def ours(engine: Any, columns: dict[str, Any], settings: Settings) -> float:
    """Seconds for everything: checks, assignment, rows, history, indices, commit."""
    start = time.perf_counter()
    with writing(engine) as session:
        insert_problems(session, Actor.owner(), columns, settings=settings, now=NOW, progress=silent)
    return time.perf_counter() - start


def rows_of(columns: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The same problems as plain rows."""
    wkb = shapely.to_wkb(columns["geometry"])
    times = columns["found_at"].astype("datetime64[us]").tolist()
    return [
        (
            uuid.uuid4().hex,
            int(c),
            "recorded",
            "other",
            t.isoformat(" "),
            "占道经营",
            "临江北路1号",
            g,
            "bench",
            e,
        )
        for c, t, g, e in zip(columns["category_id"], times, wkb, columns["external_id"], strict=True)
    ]


def bare_sqlite(engine: Any, rows: list[tuple[Any, ...]]) -> float:
    """One executemany in one transaction into a table without an index."""
    writer = engine.execution_options(gridmap_write=True)
    with writer.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE bare (id INTEGER PRIMARY KEY, uid TEXT, category INTEGER, state TEXT, source TEXT,"
            " found_at TEXT, description TEXT, address TEXT, wkb BLOB, external_source TEXT,"
            " external_id TEXT)"
        )
    start = time.perf_counter()
    with writer.begin() as connection:
        driver = connection.connection.driver_connection
        driver.executemany("INSERT INTO bare VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return time.perf_counter() - start


def bare_postgis(engine: Any, rows: list[tuple[Any, ...]]) -> float:
    """Row-wise binary COPY into a table with a spatial index."""
    kinds = ["text", "int8", "text", "text", "text", "text", "text", "bytea", "text", "text"]
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        cursor = driver.cursor()
        cursor.execute(
            "CREATE TABLE bare (id bigserial PRIMARY KEY, uid text, category int8, state text, source text,"
            " found_at text, description text, address text, wkb bytea, external_source text,"
            " external_id text)"
        )
        start = time.perf_counter()
        names = (
            "uid, category, state, source, found_at, description, address, wkb, external_source, external_id"
        )
        with cursor.copy(f"COPY bare ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(kinds)
            for row in rows:
                copy.write_row(row)
        driver.commit()
        return time.perf_counter() - start


def main() -> None:
    """Compare and print."""
    from postgis_server import PostgisServer, find_binaries  # noqa: PLC0415 - the path is set above

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cells", type=int, default=5_000)
    chosen = parser.parse_args()
    server = PostgisServer(find_binaries())
    try:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(data_dir=Path(folder))
            stores = (
                ("SpatiaLite", settings.store_url, bare_sqlite),
                ("PostGIS", server.url("postgres"), bare_postgis),
            )
            for name, url, bare in stores:
                engine, categories = prepare(url, chosen.cells)
                columns = problems(chosen.rows, categories)
                mine = ours(engine, columns, settings)
                theirs = bare(engine, rows_of(columns))
                print(
                    f"{name:<11} gridmap {chosen.rows / mine:>9,.0f} rows/s ({mine:.1f} s)   bare "
                    f"{chosen.rows / theirs:>9,.0f} rows/s ({theirs:.1f} s)   "
                    f"ratio {theirs / mine:.2f} (goal 0.3)"
                )
                engine.dispose()
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
