"""Every problem in memory, as columns in Morton order, true up to one change.

A snapshot never changes: bringing it up to date makes another one, so that whoever counts on the old one goes
on undisturbed. It is derived from the database and can be thrown away at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.heat import Heat
from geodata.point_columns import NEVER, PointColumns, PointFilter, Rows
from gridmap.hotspots.loading import UNRESOLVED
from gridmap.problems.models import Flag

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gridmap.people.permissions import Scope

__all__ = ["DOUBTFUL", "Pairs", "Snapshot"]

DOUBTFUL = int(Flag.DEFAULT_COORDINATE | Flag.IMPOSSIBLE_TIMES)
"""Flags of problems that are left out unless asked for."""

_LARGEST_TABLE = 1 << 24
_STEPS = ("checked", "dispatched", "fixed", "fix_due")
_PLAIN = ("number", "lon", "lat", "road", "person", "life", *_STEPS)
_OF_POINTS = ("category", "state", "severity", "source", "flags", "cell", "opened", "due", "closed")


@dataclass(frozen=True, slots=True)
class Pairs:
    """The combinations of area and organisation that occur: what may be seen is decided once per pair.

    Attributes
    ----------
    areas, organisations
        Database ids, int64, shape (p,), -1 for none.
    """

    areas: NDArray[np.int64]
    organisations: NDArray[np.int64]

    @classmethod
    def of(cls, area: NDArray[np.int64], organisation: NDArray[np.int64]) -> tuple[Pairs, NDArray[np.int32]]:
        """Return the pairs of some rows, and each row's position among them, int32, shape (n,)."""
        width = int(organisation.max(initial=-1)) + 2
        key = (area + 1) * width + organisation + 1
        possible = (int(area.max(initial=-1)) + 2) * width
        if possible <= _LARGEST_TABLE:
            present = np.zeros(possible, dtype=bool)
            present[key] = True
            found = np.flatnonzero(present)
            position = (np.cumsum(present, dtype=np.int32) - np.int32(1))[key]
        else:
            found, position = np.unique(key, return_inverse=True)
        return cls(found // width - 1, found % width - 1), position.astype(np.int32)

    def joined(self, other: Pairs) -> tuple[Pairs, NDArray[np.int32]]:
        """Append what is new in `other`; return all, and the position of each of `other`'s among them."""
        known = {
            pair: i
            for i, pair in enumerate(zip(self.areas.tolist(), self.organisations.tolist(), strict=True))
        }
        theirs = list(zip(other.areas.tolist(), other.organisations.tolist(), strict=True))
        for pair in theirs:
            known.setdefault(pair, len(known))
        areas, organisations = np.array(list(known), dtype=np.int64).reshape(-1, 2).T
        at = np.array([known[pair] for pair in theirs], dtype=np.int32)
        return Pairs(areas, organisations), at

    def within(
        self, *, areas: frozenset[int] | None = None, organisations: frozenset[int] | None = None
    ) -> NDArray[np.bool_]:
        """Which pairs lie in given areas and organisations; None: no limit. Shape (p,)."""
        inside = np.ones(self.areas.shape, dtype=bool)
        if areas is not None:
            inside &= np.isin(self.areas, list(areas))
        if organisations is not None:
            inside &= np.isin(self.organisations, list(organisations))
        return inside

    def seen_by(self, scope: Scope) -> NDArray[np.bool_]:
        """Which pairs a scope covers, shape (p,); the same answer as ``scope.covers`` for each."""
        seen = np.zeros(self.areas.shape, dtype=bool)
        for holding in scope.holdings:
            seen |= self.within(areas=holding.areas, organisations=holding.organisations)
        return seen


@dataclass(frozen=True)
class Snapshot:
    """Problems as they were at `change`.

    Attributes
    ----------
    change, rebuild
        The clock when it was read.
    points
        Columns for counting. Their `area` is a position in `pairs`; `category` and `cell` are database ids.
    pairs
        Areas and organisations.
    number, road, person
        Case numbers and database ids, int64, shape (n,), -1 for none, in the order of `points`.
    lon, lat
        Degrees, EPSG:4326, float64, shape (n,).
    life
        What happened how often, int64, shape (n,); see `gridmap.hotspots.life`.
    checked, dispatched, fixed, fix_due
        When it was filed, given to an organisation and handed back, and when that had to be; uint32, shape
        (n,), seconds since 1970 UTC or `NEVER`.
    """

    change: int
    rebuild: int
    points: PointColumns
    pairs: Pairs
    number: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    road: NDArray[np.int64]
    person: NDArray[np.int64]
    life: NDArray[np.int64]
    checked: NDArray[np.uint32]
    dispatched: NDArray[np.uint32]
    fixed: NDArray[np.uint32]
    fix_due: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.number)

    @classmethod
    def build(cls, columns: dict[str, NDArray[Any]], *, change: int, rebuild: int) -> Snapshot:
        """Sort columns from `gridmap.hotspots.loading.read_problems` into a snapshot."""
        pairs, pair = Pairs.of(columns["area"], columns["organisation"])
        points, order = PointColumns.build(
            columns["lon"], columns["lat"], area=pair, **{name: columns[name] for name in _OF_POINTS}
        )
        steps = {name: np.where(columns[name] < 0, NEVER, columns[name]).astype(np.uint32) for name in _STEPS}
        plain = {name: np.ascontiguousarray((columns | steps)[name][order]) for name in _PLAIN}
        return cls(change=change, rebuild=rebuild, points=points, pairs=pairs, **plain)

    def advanced(self, columns: dict[str, NDArray[Any]], *, change: int, rebuild: int) -> Snapshot:
        """Return this snapshot with some rows added or replaced, by case number, as of a later change."""
        new = Snapshot.build(columns, change=change, rebuild=rebuild)
        pairs, pair_at = self.pairs.joined(new.pairs)
        kinds, kind_at = _joined_kinds(self.points.kinds, new.points.kinds)
        kept = ~np.isin(self.number, new.number)
        at = np.searchsorted(self.points.rows.code[kept], new.points.rows.code, side="right")
        number_type = np.uint16 if len(kinds["category"]) <= 1 << 16 else np.uint32

        def spliced(old: NDArray[Any], added: NDArray[Any]) -> NDArray[Any]:
            return np.insert(old[kept], at, added) if old.size or added.size else old

        ours, theirs = self.points.rows._asdict(), new.points.rows._asdict()
        ours["kind"] = ours["kind"].astype(number_type, copy=False)
        theirs["kind"] = kind_at[theirs["kind"]].astype(number_type)
        theirs["area"] = pair_at[theirs["area"]] if len(new) else theirs["area"]
        # A column of no rows has no length to tell it from one that is not kept at all; organisation is not.
        rows = Rows(
            **{
                name: ours[name] if name in {"organisation", "mass"} else spliced(ours[name], theirs[name])
                for name in Rows._fields
            }
        )
        plain = {name: spliced(getattr(self, name), getattr(new, name)) for name in _PLAIN}
        return Snapshot(
            change=change, rebuild=rebuild, points=PointColumns(rows, kinds), pairs=pairs, **plain
        )

    def save(self, folder: Path) -> None:
        """Write every column as one file into `folder`, which must exist."""
        self.points.save(folder)
        np.save(folder / "pairs.npy", np.stack([self.pairs.areas, self.pairs.organisations]))
        for name in _PLAIN:
            np.save(folder / f"plain_{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path, *, change: int, rebuild: int) -> Snapshot:
        """Map what `save` wrote; processes that load the same folder share the memory."""
        pairs = Pairs(*np.load(folder / "pairs.npy"))
        points = PointColumns.load(folder)

        def plain(name: str) -> NDArray[Any]:
            values: NDArray[Any] = np.load(
                folder / f"plain_{name}.npy", mmap_mode="c" if len(points) else None
            )
            return values

        return cls(
            change=change,
            rebuild=rebuild,
            points=points,
            pairs=pairs,
            **{name: plain(name) for name in _PLAIN},
        )

    @cached_property
    def resting(self) -> PointFilter:
        """The filter of a map that nobody touched: unresolved, nothing doubtful."""
        return PointFilter(states=UNRESOLVED, excluded_flags=DOUBTFUL)

    @cached_property
    def heat(self) -> Heat:
        """Heat of these problems, with what it remembers between tiles."""
        return Heat(self.points, resting=self.resting)

    def values(self, name: str, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[Any]:
        """Return a column of some rows: one of the attributes, or of the columns for counting.

        `area` and `organisation` are database ids; times are int64 seconds since 1970 UTC, `NEVER` where it
        has not happened.
        """
        if name in _STEPS:
            return np.asarray(getattr(self, name)[rows], dtype=np.int64)
        if name in _PLAIN:
            return np.asarray(getattr(self, name)[rows])
        if name in self.points.kinds:
            return np.asarray(self.points.kinds[name][self.points.rows.kind[rows]])
        if name in {"area", "organisation"}:
            table = self.pairs.areas if name == "area" else self.pairs.organisations
            return np.asarray(table[self.points.rows.area[rows]])
        return np.asarray(getattr(self.points.rows, name)[rows], dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Memory of the columns, in bytes."""
        columns = [*self.points.rows, *(getattr(self, name) for name in _PLAIN)]
        return sum(int(column.nbytes) for column in columns)


def _joined_kinds(
    ours: dict[str, NDArray[Any]], theirs: dict[str, NDArray[Any]]
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Append the kinds that are new; return all, and the position of each of `theirs` among them."""
    names = list(ours)
    known: dict[tuple[int, ...], int] = {}
    for row in zip(*(ours[name].tolist() for name in names), strict=True):
        # An empty table has one made-up kind; a real one may equal it.
        known.setdefault(row, len(known))
    added = list(zip(*(theirs[name].tolist() for name in names), strict=True))
    for row in added:
        known.setdefault(row, len(known))
    table = np.array(list(known), dtype=np.int64).reshape(len(known), len(names))
    kinds = {name: table[:, i].astype(ours[name].dtype) for i, name in enumerate(names)}
    return kinds, np.array([known[row] for row in added], dtype=np.int64)
