"""By what figures are told apart: which group each problem is in, and what the groups are called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.hotspots.counts import day_positions
from gridmap.hotspots.loading import SOURCES
from gridmap.labels import label
from gridmap.language import gettext
from gridmap.places.models import AreaLevel
from gridmap.problems.models import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from gridmap.hotspots.snapshot import Snapshot
    from gridmap.places.cards import Faces
    from gridmap.places.directory import Directory, Table

__all__ = ["By", "Groups", "group_cells", "group_rows", "name_of"]

_NONE, _UNSEEN = -1, -2
"""Ids of what belongs to nothing of the kind, and to somebody whom the reader may not know."""


class By(StrEnum):
    """What makes a group."""

    DISTRICT = "district"
    SUBDISTRICT = "subdistrict"
    COMMUNITY = "community"
    CELL = "cell"
    ROAD = "road"
    MAJOR = "major"
    CATEGORY = "category"
    ORGANISATION = "organisation"
    PERSON = "person"
    SOURCE = "source"
    DAY = "day"


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The groups that occur.

    Attributes
    ----------
    keys
        What names each in an address: a uid, a code, a date; empty for what belongs to none.
    names
        What each is called.
    of
        Group of each row, int64, shape (n,).
    """

    keys: list[str]
    names: list[str]
    of: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.keys)


def group_rows(
    snapshot: Snapshot,
    rows: NDArray[np.int64],
    by: By,
    *,
    faces: Faces,
    times: NDArray[np.uint32],
    bounds: NDArray[np.int64],
    first: date,
) -> Groups:
    """Group rows of a snapshot.

    A problem that touches several cells is in the one that leads it; see `gridmap.figures.sharing`.

    Parameters
    ----------
    faces
        How people appear to the reader: those whom they may not know are one group together.
    times, bounds, first
        By which time each row belongs to the period, the midnights of its days, and its first day.
    """
    if by is By.DAY:
        of = day_positions(times.astype(np.int64), bounds)
        days = [(first + timedelta(days=i)).isoformat() for i in range(len(bounds) - 1)]
        return Groups(days, days, of)
    if by is By.SOURCE:
        ids = snapshot.values("source", rows).astype(np.int64)
        return _compressed(ids, lambda i: (SOURCES[i], label(Source(SOURCES[i]))))
    return _compressed(_ids(snapshot, rows, by, faces), lambda i: _called(i, by, faces))


def group_cells(cells: NDArray[np.int64], faces: Faces) -> Groups:
    """Group by ids of cells, -1: none."""
    return _compressed(cells, lambda i: _called(i, By.CELL, faces))


def _ids(snapshot: Snapshot, rows: NDArray[np.int64], by: By, faces: Faces) -> NDArray[np.int64]:
    directory = faces.directory
    if by in {By.DISTRICT, By.SUBDISTRICT, By.COMMUNITY}:
        level = AreaLevel(by.value)
        at = np.array(
            [
                next((up.id for up in directory.above(int(area)) if up.level is level), _NONE)
                for area in snapshot.pairs.areas
            ],
            dtype=np.int64,
        )
        return np.asarray(at[snapshot.points.rows.area[rows]] if len(at) else rows)
    if by in {By.CATEGORY, By.MAJOR}:
        category = snapshot.points.kinds["category"].astype(np.int64)
        if by is By.MAJOR:
            entries = (directory.categories.get(int(one)) for one in category)
            category = np.array([(e.parent or e.id) if e else _NONE for e in entries], dtype=np.int64)
        return np.asarray(category[snapshot.points.rows.kind[rows]])
    ids = snapshot.values(by.value, rows).astype(np.int64)
    if by is By.PERSON:
        persons = directory.persons
        hidden = [entry.id for entry in persons if not faces.sees(entry)]
        if hidden:
            table = np.arange(max(int(ids.max(initial=0)), *hidden) + 1)
            table[hidden] = _UNSEEN
            ids = np.where(ids >= 0, table[ids], ids)
    return ids


def _called(row_id: int, by: By, faces: Faces) -> tuple[str, str]:
    directory = faces.directory
    if row_id == _UNSEEN:
        return "unseen", gettext("people whom you may not know")
    table = _table(by, directory)
    entry = table.get(row_id)
    if entry is None:
        return "", gettext("none")
    if table is directory.categories:
        return entry.code, entry.label
    return entry.uid, entry.name or entry.code


def name_of(by: By, key: str, faces: Faces, *, occurs: bool) -> str:
    """What the group with a key is called; as for a problem that belongs to none where there is no such.

    Where none of the problems in sight is in it (`occurs`), it has no name for those who do not see it.
    """
    directory = faces.directory
    if by is By.DAY:
        return key
    if by is By.SOURCE:
        return label(Source(key)) if key in SOURCES else gettext("none")
    if key == "unseen":
        return _called(_UNSEEN, by, faces)[1]
    if by in {By.CATEGORY, By.MAJOR}:
        category = directory.category(key)
        return category.label if category else gettext("none")
    entry = _table(by, directory).find(key)
    seen = entry is not None and (faces.sees(entry) if by is By.PERSON else occurs or faces.knows(entry))
    return _called(entry.id, by, faces)[1] if entry is not None and seen else gettext("none")


def _table(by: By, directory: Directory) -> Table[Any]:
    tables: dict[By, Table[Any]] = {
        By.CELL: directory.cells,
        By.ROAD: directory.roads,
        By.MAJOR: directory.categories,
        By.CATEGORY: directory.categories,
        By.ORGANISATION: directory.organisations,
        By.PERSON: directory.persons,
    }
    return tables.get(by, directory.areas)


def _compressed(ids: NDArray[np.int64], called: Callable[[int], tuple[str, str]]) -> Groups:
    """Groups of the ids >= -2 that occur, in the order of the ids."""
    low = -_UNSEEN
    present = np.zeros(int(ids.max(initial=0)) + low + 1, dtype=bool)
    present[ids + low] = True
    position = np.cumsum(present) - 1
    named = [called(int(at) - low) for at in np.flatnonzero(present)]
    return Groups([key for key, _ in named], [name for _, name in named], position[ids + low])
