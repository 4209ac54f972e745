"""Millions of dated, classified places as columns in Morton order, and the question which of them count.

A tile is one slice of the columns, so its cost does not grow with what lies outside. The small classes
(category, state, severity, source, flags) are stored as one number per place, its kind: whatever a filter
asks of them becomes one table look-up per place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geodata import morton
from geodata.compiled import compiled, in_slices
from geodata.errors import GeometryError
from geodata.point_kinds import CLASSES, NEVER, kinds_of, positions_of, seconds_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from geodata.compiled import Array

__all__ = ["NEVER", "PointColumns", "PointFilter", "PointWeights", "Sieve", "weigh_rows"]

_PLACES = ("area", "cell", "organisation")
_TIMES = ("opened", "closed", "due")
_WORTH_A_THREAD = 200_000


@dataclass(frozen=True, slots=True)
class PointFilter:
    """Which places count. A plain value: equal filters are equal, and hash alike.

    Parameters
    ----------
    categories, states, severities, sources
        Numbers of the classes that count; None for all.
    areas, cells, organisations
        Positions that count; None for all. A place in none of them (-1) counts only where this is None.
    allowed_areas
        What the reader may see, on top of `areas`; None for everything.
    excluded_flags
        Bits; a place with any of them does not count. By default every flagged place is left out.
    opened_from, opened_until
        Half-open interval of the opening time, seconds since 1970 UTC.
    open_at
        Only places opened at or before this time and not closed by then.
    overdue_at
        Only places whose due time has passed by then.
    """

    categories: frozenset[int] | None = None
    states: frozenset[int] | None = None
    severities: frozenset[int] | None = None
    sources: frozenset[int] | None = None
    areas: frozenset[int] | None = None
    allowed_areas: frozenset[int] | None = None
    cells: frozenset[int] | None = None
    organisations: frozenset[int] | None = None
    excluded_flags: int = 0xFF
    opened_from: int | None = None
    opened_until: int | None = None
    open_at: int | None = None
    overdue_at: int | None = None


@dataclass(frozen=True, slots=True)
class PointWeights:
    """How much a place counts: the weight of its severity times a factor that grows with its age.

    Parameters
    ----------
    by_severity
        Weight of severity 0, 1, 2, ...; the last holds for all above. Empty: every place weighs 1.
    growth_per_day
        The age factor is ``1 + growth_per_day * days since opening``; 0 for none.
    largest_factor
        Where the age factor stops growing.
    now
        Seconds since 1970 UTC; needed where `growth_per_day` is not 0.
    """

    by_severity: tuple[float, ...] = ()
    growth_per_day: float = 0.0
    largest_factor: float = 10.0
    now: int = 0


class Rows(NamedTuple):
    """The columns as kernels see them; one that is empty is never asked."""

    code: Array
    kind: Array
    area: Array
    cell: Array
    organisation: Array
    opened: Array
    closed: Array
    due: Array
    mass: Array


class Sieve(NamedTuple):
    """A filter and its weights as tables and bounds; tables of places start with position -1."""

    by_kind: Array
    by_area: Array
    by_cell: Array
    by_organisation: Array
    opened_from: int
    opened_until: int
    open_at: int
    overdue_at: int
    now: int
    growth: float
    largest_factor: float
    has_mass: bool


@compiled
def weigh_rows(rows: Rows, sieve: Sieve, start: int, stop: int, weights: Array) -> None:  # noqa: C901, PLR0912 - one branch per criterion
    """Write the weights of rows ``[start, stop)`` to the front of `weights`, 0 where a row does not count.

    One loop per criterion: each is short enough for the compiler to vectorise. Columns are named outside the
    loops, because each naming counts references.
    """
    n = stop - start
    kind, by_kind = rows.kind, sieve.by_kind
    for i in range(n):
        weights[i] = by_kind[kind[start + i]]
    if len(sieve.by_area) > 0:
        area, by_area = rows.area, sieve.by_area
        for i in range(n):
            weights[i] *= by_area[area[start + i] + 1]
    if len(sieve.by_cell) > 0:
        cell, by_cell = rows.cell, sieve.by_cell
        for i in range(n):
            weights[i] *= by_cell[cell[start + i] + 1]
    if len(sieve.by_organisation) > 0:
        organisation, by_organisation = rows.organisation, sieve.by_organisation
        for i in range(n):
            weights[i] *= by_organisation[organisation[start + i] + 1]
    opened = rows.opened
    if sieve.opened_from > 0 or sieve.opened_until < NEVER:
        first, last = np.uint32(sieve.opened_from), np.uint32(sieve.opened_until)
        for i in range(n):
            weights[i] *= np.float32((opened[start + i] >= first) & (opened[start + i] < last))
    if sieve.open_at >= 0:
        moment, closed = np.uint32(sieve.open_at), rows.closed
        for i in range(n):
            weights[i] *= np.float32((opened[start + i] <= moment) & (closed[start + i] > moment))
    if sieve.overdue_at >= 0:
        moment, due = np.uint32(sieve.overdue_at), rows.due
        for i in range(n):
            weights[i] *= np.float32(due[start + i] < moment)
    if sieve.growth != 0.0:
        growth, largest = np.float32(sieve.growth / 86400.0), np.float32(sieve.largest_factor)
        for i in range(n):
            age = max(sieve.now - int(opened[start + i]), 0)
            weights[i] *= np.minimum(np.float32(1.0) + growth * np.float32(age), largest)
    if sieve.has_mass:
        mass = rows.mass
        for i in range(n):
            weights[i] *= mass[start + i]


class PointColumns:
    """Columns of n places in Morton order. Read-only once made.

    Attributes
    ----------
    rows
        Columns, each of shape (n,) or empty: `code` uint64; `kind`, row of `kinds`; `area`, `cell` and
        `organisation` int32, -1 for none; `opened`, `closed`, `due` uint32, seconds since 1970 UTC or
        `NEVER`; `mass` float32, a weight of its own per place.
    kinds
        Table of the kinds that occur: ``kinds["category"]`` and so on, each of shape (k,).
    """

    def __init__(self, rows: Rows, kinds: dict[str, NDArray[Any]]) -> None:
        self.rows = rows
        self.kinds = kinds
        self._table_size = {
            name: int(getattr(rows, name).max(initial=-1)) + 2 if len(getattr(rows, name)) else 0
            for name in _PLACES
        }

    def __len__(self) -> int:
        return len(self.rows.code)

    @classmethod
    def build(
        cls,
        lon: ArrayLike,
        lat: ArrayLike,
        *,
        mass: ArrayLike | None = None,
        **columns: ArrayLike,
    ) -> tuple[PointColumns, NDArray[np.int64]]:
        """Sort places into columns.

        Parameters
        ----------
        lon, lat
            Decimal degrees, EPSG:4326, shape (n,).
        mass
            Weight of each place, shape (n,), e.g. the metres of street it stands for; 1 if None.
        **columns
            Any of `category`, `state`, `severity`, `source`, `flags` (small numbers from 0; 0 if missing),
            `area`, `cell`, `organisation` (positions, -1 for none), `opened`, `closed`, `due`
            (``datetime64`` in UTC or seconds since 1970; NaT or a negative number: not happened), shape (n,).

        Returns
        -------
        tuple
            The columns, and where each of their rows stood in the input, int64 (n,): ``order``, so that
            ``other[order]`` brings further columns into the same order.

        Raises
        ------
        GeometryError
            If a place or a value is out of range, or a column of another length or name.
        """
        code = morton.encode(lon, lat)
        known = (*CLASSES, *_PLACES, *_TIMES)
        given: dict[str, NDArray[Any]] = {name: np.asarray(values) for name, values in columns.items()}
        if mass is not None:
            given["mass"] = np.asarray(mass, dtype=np.float32)
        for name, values in given.items():
            if name not in (*known, "mass"):
                raise GeometryError(
                    "Expected one of the columns {known}; found {name}.", known=known, name=name
                )
            if values.shape != code.shape:
                raise GeometryError(
                    "Expected a column {name} of shape {expected}; found {found}.",
                    name=name,
                    expected=code.shape,
                    found=values.shape,
                )
        order = np.argsort(code, kind="stable")
        kind, kinds = kinds_of({name: given[name] for name in CLASSES if name in given}, code.size)
        placed = {name: positions_of(name, given[name])[order] for name in _PLACES if name in given}
        timed = {name: seconds_of(name, given[name])[order] for name in _TIMES if name in given}
        nothing = {
            **{name: np.empty(0, dtype=np.int32) for name in _PLACES},
            **{name: np.empty(0, dtype=np.uint32) for name in _TIMES},
        }
        massive = given["mass"][order] if "mass" in given else np.empty(0, dtype=np.float32)
        rows = Rows(code=code[order], kind=kind[order], mass=massive, **{**nothing, **placed, **timed})
        return cls(rows, kinds), order

    def save(self, folder: Path) -> None:
        """Write every column as one ``.npy`` file into `folder`, which must exist."""
        for name, values in (*self.rows._asdict().items(), *self.kinds.items()):
            np.save(folder / f"{name}.npy", values)

    @classmethod
    def load(cls, folder: Path) -> PointColumns:
        """Map columns that `save` wrote; processes that load the same folder share the memory."""

        def column(name: str) -> NDArray[Any]:
            # Copy on write: kernels are compiled for writable arrays, and nobody writes.
            file = folder / f"{name}.npy"
            values: NDArray[Any] = np.load(file, mmap_mode="c")
            return values if values.size else np.load(file)

        return cls(
            Rows(*map(column, Rows._fields)), {name: np.load(folder / f"{name}.npy") for name in CLASSES}
        )

    def sieve(self, chosen: PointFilter, weights: PointWeights | None = None) -> Sieve:
        """Tables and bounds of a filter, for `weigh_rows`.

        Raises
        ------
        GeometryError
            If the filter asks for a column that these places lack.
        """
        weights = weights or PointWeights()
        for needs, column in (
            (chosen.areas is not None or chosen.allowed_areas is not None, "area"),
            (chosen.cells is not None, "cell"),
            (chosen.organisations is not None, "organisation"),
            (chosen.opened_from is not None or chosen.opened_until is not None, "opened"),
            (chosen.open_at is not None, "closed"),
            (chosen.open_at is not None or weights.growth_per_day != 0, "opened"),
            (chosen.overdue_at is not None, "due"),
        ):
            if needs and len(self) and not len(getattr(self.rows, column)):
                raise GeometryError("Expected a column {name} for this filter; found none.", name=column)
        by_area = _table(chosen.areas, self._table_size["area"])
        allowed = _table(chosen.allowed_areas, self._table_size["area"])
        if by_area.size and allowed.size:
            by_area = by_area * allowed
        return Sieve(
            by_kind=self._kind_weights(chosen, weights),
            by_area=by_area if by_area.size else allowed,
            by_cell=_table(chosen.cells, self._table_size["cell"]),
            by_organisation=_table(chosen.organisations, self._table_size["organisation"]),
            opened_from=0 if chosen.opened_from is None else max(int(chosen.opened_from), 0),
            opened_until=NEVER if chosen.opened_until is None else int(chosen.opened_until),
            open_at=-1 if chosen.open_at is None else int(chosen.open_at),
            overdue_at=-1 if chosen.overdue_at is None else int(chosen.overdue_at),
            now=int(weights.now),
            growth=float(weights.growth_per_day),
            largest_factor=float(weights.largest_factor),
            has_mass=bool(len(self.rows.mass)),
        )

    def _kind_weights(self, chosen: PointFilter, weights: PointWeights) -> NDArray[np.float32]:
        counts = (self.kinds["flags"] & chosen.excluded_flags) == 0
        for name, wanted in (
            ("category", chosen.categories),
            ("state", chosen.states),
            ("severity", chosen.severities),
            ("source", chosen.sources),
        ):
            if wanted is not None:
                counts &= np.isin(self.kinds[name], list(wanted))
        by_severity = np.asarray(weights.by_severity or (1.0,), dtype=np.float32)
        severity = np.minimum(self.kinds["severity"], len(by_severity) - 1)
        return np.where(counts, by_severity[severity], np.float32(0)).astype(np.float32)

    def span(self, lo: int, hi: int) -> tuple[int, int]:
        """Rows whose code lies in ``[lo, hi)``: first, and one past the last."""
        start, stop = np.searchsorted(self.rows.code, np.array([lo, hi], dtype=np.uint64))
        return int(start), int(stop)

    def weigh(
        self,
        chosen: PointFilter,
        weights: PointWeights | None = None,
        *,
        start: int = 0,
        stop: int | None = None,
    ) -> NDArray[np.float32]:
        """Weights of the rows ``[start, stop)``, shape (stop - start,), 0 where a row does not count."""
        stop = len(self) if stop is None else stop
        result = np.empty(max(stop - start, 0), dtype=np.float32)
        sieve = self.sieve(chosen, weights)

        def work(first: int, last: int) -> None:
            weigh_rows(self.rows, sieve, start + first, start + last, result[first:last])

        in_slices(work, result.size, at_least=_WORTH_A_THREAD)
        return result


def _table(wanted: frozenset[int] | None, size: int) -> NDArray[np.float32]:
    """Weight 1 for wanted positions, shifted by one so that -1 has a place; empty where all count."""
    if wanted is None or size == 0:
        return np.empty(0, dtype=np.float32)
    table = np.zeros(size, dtype=np.float32)
    positions = np.fromiter(wanted, dtype=np.int64, count=len(wanted)) + 1
    table[positions[(positions > 0) & (positions < size)]] = 1.0
    return table
