#!/usr/bin/env python3
"""Bring in problems with all checks, beside the row-wise way to write the same rows, on both stores.

scripts/bench_import.py [--rows 1000000] [--cells 5000] [--repeat 1] [--skip indexed]

Timed for gridmap: `insert_problems` from prepared columns (what the reading of a file leaves: points,
categories, times, states, texts) to the end of the commit. That is finding area, cell, priority road, person,
organisation and limit of every problem, the marks on default points and impossible times, the rows of
`problem`, a line of history each in `event`, every index, key and trigger of the two tables, and the digest
of every row in the trail.

Timed for a peer: one transaction to the end of its commit, `executemany` on SpatiaLite and psycopg's
`write_row` into a binary COPY on PostGIS, no check of any kind. Its rows are those that gridmap wrote, read
back and kept ready in memory as the driver's own values: the peer has nothing to work out. It leaves out what
is empty or the table's default in every row.

=========  ===================================================================================================
peer       writes
=========  ===================================================================================================
indexed    the same information into the same empty tables, with their indices, keys and triggers
bare       the same information into tables of the same columns without a single index, key or trigger
thin       ten columns of the problems alone into one such table, without any history
=========  ===================================================================================================

"indexed" is the fair one: at its end there is what there is at the end of ours, a store in which maps, lists
and imports find their rows and a wrong reference is refused; the others leave a heap that nobody can use yet.
They show what ours costs beside the fastest that Python can do.
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from bench_city import EAST, NORTH, SOUTH, WEST, places
from bench_city import cells as make_cells
from sqlalchemy import delete, select

from gridmap.config import Settings
from gridmap.imports.models import Import, ImportState
from gridmap.jobs import silent
from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.people.permissions import Actor
from gridmap.places.models import (
    Area,
    AreaLevel,
    GridCell,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
)
from gridmap.problems.bulk import insert_problems
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Category, Event, Problem
from gridmap.store.bulk import insert_rows, reserve_ids
from gridmap.store.engine import open_engine, writing
from gridmap.store.schema import migrate
from gridmap.trail.keeper import TrailKeeper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

NOW = datetime(2026, 5, 9, tzinfo=UTC)
AREAS, PEOPLE, ROADS = 20, 600, 300
THIN = ("uid", "category_id", "state", "source", "found_at", "description", "address", "geometry")
THIN += ("external_source", "external_id")
BY_DEFAULT = ("clock_used", "rework", "returns", "suspensions", "extensions", "look_backs", "reopened")
BY_DEFAULT += ("recurrence",)
"""Columns that the database fills."""


def problems(count: int, categories: list[int]) -> dict[str, Any]:
    """Columns of made-up problems."""
    random = np.random.default_rng(3)
    lon, lat = places(count)
    spread = (random.random(count) * 95 * 86400e6).astype("timedelta64[us]")
    streets = np.array([f"临江北路{n}号" for n in range(900)], dtype=object)
    return {
        "geometry": shapely.points(lon, lat),
        "category_id": random.choice(categories, count),
        "found_at": np.datetime64("2026-02-01", "us") + spread,
        "state": random.integers(0, 7, count).astype(np.int16),
        "description": np.array(["占道经营", "乱堆物料", "暴露垃圾"], dtype=object)[
            random.integers(0, 3, count)
        ],
        "address": streets[random.integers(0, len(streets), count)],
        "external_source": "bench",
        "external_id": np.arange(count).astype(str).astype(object),
    }


def prepare(url: str, cells: int, folder: Path) -> tuple[Engine, list[int], int]:
    """A store with areas, cells, roads, people who hold them; its categories' ids and an import's."""
    engine = open_engine(url, keeper=TrailKeeper("bench", folder))
    migrate(engine)
    random = np.random.default_rng(9)
    with writing(engine) as session:
        ensure_categories(session)
        offices = [
            Organisation(name=f"街道办{n}", kind=OrganisationKind.SUBDISTRICT_OFFICE) for n in range(30)
        ]
        people = [Person(name=f"网格员{n}", organisation=offices[n % 30]) for n in range(PEOPLE)]
        started = Import(
            kind="problems",
            file_name="bench",
            sha256="",
            options={},
            counts={},
            actor="bench",
            applied_at=NOW,
        )
        started.state = ImportState.APPLIED
        session.add_all([*offices, *people, started])
        session.flush()
        districts, shapes = make_cells(AREAS, seed=5), make_cells(cells)
        areas = reserve_ids(session, Area, AREAS)
        codes = [f"3101150{n:02d}" for n in range(AREAS)]
        shape = shapely.multipolygons(districts, indices=np.arange(AREAS))
        columns = {"id": areas, "code": codes, "name": codes, "level": AreaLevel.COMMUNITY, "geometry": shape}
        insert_rows(session, Area, columns)
        of = shapely.STRtree(districts).nearest(shapely.point_on_surface(shapes))
        held = reserve_ids(session, GridCell, len(shapes))
        columns = {"id": held, "code": [f"C{n:05d}" for n in range(len(shapes))], "area_id": areas[of]}
        columns["geometry"] = shapely.multipolygons(shapes, indices=np.arange(len(shapes)))
        insert_rows(session, GridCell, columns)
        whose = random.choice([person.id for person in people], len(shapes))
        duty = {"role": ResponsibilityRole.GRID_WORKER, "cell_id": held, "person_id": whose}
        insert_rows(session, Responsibility, duty)
        ends = random.uniform((WEST, SOUTH), (EAST, NORTH), (ROADS, 1, 2)) + np.array([[0, 0], [0.02, 0.01]])
        lines = shapely.multilinestrings(shapely.linestrings(ends), indices=np.arange(ROADS))
        names = [f"R{n:03d}" for n in range(ROADS)]
        insert_rows(session, PriorityRoad, {"code": names, "name": names, "geometry": lines})
        found = list(session.scalars(select(Category.id).where(Category.parent_id.is_not(None))))
        return engine, found, started.id


def empty(engine: Engine) -> None:
    """Remove problems and history."""
    with engine.execution_options(gridmap_write=True).begin() as connection:
        connection.execute(delete(Event))
        connection.execute(delete(Problem))
    kind = engine.dialect.name
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        names = ("event", "problem")
        for statement in ["VACUUM"] if kind == "sqlite" else [f"VACUUM FULL {name}" for name in names]:
            connection.connection.driver_connection.execute(statement)


@contextmanager
def clock(taken: list[float]) -> Iterator[None]:
    """Add the seconds of the block."""
    gc.collect()
    start = time.perf_counter()
    yield
    taken.append(time.perf_counter() - start)


class Rows:
    """One table's rows as the driver takes them, of the columns that a writer must name."""

    def __init__(self, engine: Engine, model: Any, names: tuple[str, ...] = ()) -> None:
        self.engine, self.table = engine, str(model.__tablename__)
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            self.columns = [
                column.name
                for column in model.__table__.columns
                if (not names or column.name in names) and self._told(driver, column)
            ]
            shown = ", ".join(map(self._shown, self.columns))
            self.rows = driver.execute(f"SELECT {shown} FROM {self.table} ORDER BY id").fetchall()  # noqa: S608 - names of ours

    def _told(self, driver: Any, column: Any) -> bool:
        if column.name in BY_DEFAULT or not column.nullable:
            return column.name not in BY_DEFAULT
        some = f"SELECT 1 FROM {self.table} WHERE {column.name} IS NOT NULL LIMIT 1"  # noqa: S608 - names of ours
        return driver.execute(some).fetchone() is not None

    def _shown(self, name: str) -> str:
        if self.engine.dialect.name == "sqlite":
            return name
        return {"geometry": "ST_AsEWKB(geometry)", "details": "CAST(details AS text)"}.get(name, name)

    def bare(self) -> str:
        """Make an empty table of these columns with nothing on it; its name."""
        with self.engine.execution_options(gridmap_write=True).begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS bare_" + self.table)
            names = ", ".join(self.columns)
            connection.exec_driver_sql(
                f"CREATE TABLE bare_{self.table} AS SELECT {names} FROM {self.table} LIMIT 0"  # noqa: S608 - names of ours
            )
        return "bare_" + self.table

    def write(self, driver: Any, table: str) -> None:
        """Write the rows one by one."""
        names = ", ".join(self.columns)
        if self.engine.dialect.name == "sqlite":
            marks = ", ".join("?" * len(self.columns))
            driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", self.rows)  # noqa: S608 - names of ours
            return
        with driver.cursor() as cursor:
            query = (
                "SELECT attname, typname FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid"
                " WHERE attrelid = CAST(%s AS regclass)"
            )
            known = dict(cursor.execute(query, (table,)).fetchall())
            sent = {"geometry": "bytea", "varchar": "text", "json": "text"}
            kinds = [sent.get(known[name], known[name]) for name in self.columns]
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(kinds)
                for row in self.rows:
                    copy.write_row(row)


def peer(tables: list[tuple[Rows, str]]) -> float:
    """Seconds for writing tables in one transaction, row by row."""
    taken: list[float] = []
    writer = tables[0][0].engine.execution_options(gridmap_write=True)
    with clock(taken), writer.begin() as connection:
        for rows, table in tables:
            rows.write(connection.connection.driver_connection, table)
    return taken[0]


def ours(engine: Engine, columns: dict[str, Any], settings: Settings, import_id: int) -> float:
    """Seconds for everything: checks, assignment, rows, history, indices, commit."""
    taken: list[float] = []
    with clock(taken), writing(engine) as session:
        insert_problems(
            session,
            Actor.owner(),
            columns,
            settings=settings,
            now=NOW,
            progress=silent,
            import_id=import_id,
        )
    return taken[0]


def compare(name: str, url: str, settings: Settings, chosen: argparse.Namespace) -> None:
    """Measure one store and print."""
    engine, categories, import_id = prepare(url, chosen.cells, settings.data_dir)
    plain = open_engine(url)
    columns = problems(chosen.rows, categories)
    taken: dict[str, list[float]] = {"gridmap": [], "indexed": [], "bare": [], "thin": []}
    for _ in range(chosen.repeat):
        empty(plain)
        taken["gridmap"].append(ours(engine, columns, settings, import_id))
        whole, history, thin = Rows(plain, Problem), Rows(plain, Event), Rows(plain, Problem, THIN)
        taken["thin"].append(peer([(thin, thin.bare())]))
        taken["bare"].append(peer([(whole, whole.bare()), (history, history.bare())]))
        if "indexed" not in chosen.skip:
            empty(plain)
            taken["indexed"].append(peer([(whole, whole.table), (history, history.table)]))
        del whole, history, thin
    middle = {key: statistics.median(seconds) for key, seconds in taken.items() if seconds}
    mine = middle.pop("gridmap")
    print(f"{name:<11} gridmap {chosen.rows / mine:>9,.0f} rows/s ({mine:.1f} s)")
    for key, seconds in middle.items():
        print(
            f"{'':<11} {key:<7} {chosen.rows / seconds:>9,.0f} rows/s ({seconds:.1f} s)"
            f"   ratio {seconds / mine:.2f} (goal 0.3)"
        )
    engine.dispose()
    plain.dispose()


def main() -> None:
    """Compare and print."""
    from postgis_server import PostgisServer, find_binaries  # noqa: PLC0415 - the path is set above

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cells", type=int, default=5_000)
    parser.add_argument("--repeat", type=int, default=1, help="how often; the median counts")
    parser.add_argument("--skip", action="append", default=[], choices=["indexed", "SpatiaLite", "PostGIS"])
    chosen = parser.parse_args()
    server = PostgisServer(find_binaries())
    try:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(data_dir=Path(folder))
            stores = {"SpatiaLite": settings.store_url, "PostGIS": server.url("postgres")}
            for name in [name for name in stores if name not in chosen.skip]:
                compare(name, stores[name], settings, chosen)
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
