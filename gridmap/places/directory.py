"""Who and what there is, by id and by uid, remembered between requests.

A few thousand rows of names that every answer needs, read once per change of the ground (see
`gridmap.store.clock`) instead of joined into every query.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import select

from gridmap.language import current_language
from gridmap.people.models import Organisation, Person
from gridmap.places.models import Area, AreaLevel, GridCell, InspectionPoint, PriorityRoad
from gridmap.problems.models import Category

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from gridmap.people.models import OrganisationKind

__all__ = [
    "AreaEntry",
    "CategoryEntry",
    "Directory",
    "DirectoryKeeper",
    "Entry",
    "OrganisationEntry",
    "PersonEntry",
    "PlaceEntry",
    "Table",
    "everything_below",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row that has a name."""

    id: int
    uid: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaEntry(Entry):
    """An area and the one above it."""

    code: str
    level: AreaLevel
    parent: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceEntry(Entry):
    """A cell, a point or a road. `kind` is a point's site type."""

    code: str
    area: int | None
    valid_from: date
    valid_to: date | None
    last_patrol_at: datetime | None = None
    kind: str = ""

    def in_force(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationEntry(Entry):
    """An organisation."""

    kind: OrganisationKind
    area: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEntry(Entry):
    """A person; `phone` is for those who may see it."""

    phone: str | None
    organisation: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryEntry(Entry):
    """A category; a major has no parent."""

    code: str
    name_en: str
    parent: int | None
    severity: int

    @property
    def label(self) -> str:
        """Name in the language in force."""
        return self.name_en if self.name_en and current_language() == "en" else self.name


E = TypeVar("E", bound=Entry)


class Table(Generic[E]):
    """Entries by id, and by uid."""

    def __init__(self, entries: Iterable[E]) -> None:
        self._by_id = {entry.id: entry for entry in entries}
        self._by_uid = {entry.uid: entry for entry in self._by_id.values()}

    def __iter__(self) -> Iterator[E]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, row_id: int | None) -> E | None:
        """Return the entry of an id, if there is one."""
        return None if row_id is None else self._by_id.get(row_id)

    def find(self, uid: str) -> E | None:
        """Return the entry of a uid, if there is one."""
        return self._by_uid.get(uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everything with a name, as it was at change `ground`."""

    ground: int
    areas: Table[AreaEntry]
    cells: Table[PlaceEntry]
    points: Table[PlaceEntry]
    roads: Table[PlaceEntry]
    organisations: Table[OrganisationEntry]
    persons: Table[PersonEntry]
    categories: Table[CategoryEntry]
    _below: dict[int, frozenset[int]] = field(default_factory=dict)
    _codes: dict[str, CategoryEntry] = field(default_factory=dict)

    @classmethod
    def read(cls, session: Session, ground: int) -> Directory:
        """Read every table; `ground` is the clock as `session` sees it."""
        areas = Table(
            AreaEntry(**row) for row in _rows(session, Area, "code", "name", "level", parent=Area.parent_id)
        )
        categories = Table(
            CategoryEntry(**row)
            for row in _rows(
                session, Category, "code", "name", "name_en", "severity", parent=Category.parent_id
            )
        )
        place = ("code", "name", "valid_from", "valid_to")
        return cls(
            ground=ground,
            areas=areas,
            cells=Table(
                PlaceEntry(**row)
                for row in _rows(session, GridCell, *place, "last_patrol_at", area=GridCell.area_id)
            ),
            points=Table(
                PlaceEntry(**row)
                for row in _rows(
                    session,
                    InspectionPoint,
                    *place,
                    kind=InspectionPoint.site_type,
                    area=InspectionPoint.area_id,
                )
            ),
            roads=Table(
                PlaceEntry(**row)
                for row in _rows(session, PriorityRoad, *place, "last_patrol_at", area=PriorityRoad.area_id)
            ),
            organisations=Table(
                OrganisationEntry(**row)
                for row in _rows(session, Organisation, "name", "kind", area=Organisation.area_id)
            ),
            persons=Table(
                PersonEntry(**row)
                for row in _rows(session, Person, "name", "phone", organisation=Person.organisation_id)
            ),
            categories=categories,
            _below=everything_below({area.id: area.parent for area in areas}),
            _codes={category.code: category for category in categories},
        )

    def below(self, area_id: int) -> frozenset[int]:
        """Ids of an area and of every area below it."""
        return self._below[area_id]

    def above(self, area_id: int | None) -> list[AreaEntry]:
        """Return an area and those above it, from small to large."""
        found: list[AreaEntry] = []
        area = self.areas.get(area_id)
        while area is not None and area not in found:
            found.append(area)
            area = self.areas.get(area.parent)
        return found

    def category(self, code: str) -> CategoryEntry | None:
        """Return the category of a code, if there is one."""
        return self._codes.get(code)


def _rows(session: Session, model: Any, *names: str, **renamed: Any) -> Iterator[dict[str, Any]]:
    columns = [model.id, model.uid, *(getattr(model, name) for name in names)]
    columns += [column.label(name) for name, column in renamed.items()]
    for row in session.execute(select(*columns).order_by(model.id)).mappings():
        yield {**row, "uid": str(row["uid"])}


def everything_below(parents: dict[int, int | None]) -> dict[int, frozenset[int]]:
    """Return for each id of a tree, given as the parent of each, itself with everything below it."""
    found: dict[int, set[int]] = defaultdict(set)
    for area in parents:
        upper: int | None = area
        while upper is not None and area not in found[upper]:
            found[upper].add(area)
            upper = parents.get(upper)
    return {area: frozenset(below) for area, below in found.items()}


class DirectoryKeeper:
    """Keeps the latest directory; safe to ask from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Directory | None = None

    def at(self, session: Session, ground: int) -> Directory:
        """Return the directory at change `ground`, the clock as `session` sees it."""
        latest = self._latest
        if latest is not None and latest.ground == ground:
            return latest
        with self._lock:
            latest = self._latest
            if latest is None or latest.ground != ground:
                latest = self._latest = Directory.read(session, ground)
            return latest
