"""What an import is asked to do, and what it would do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, tzinfo

    import pandas as pd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.tables import Table
    from gridmap.config import Settings
    from gridmap.imports.faults import Faults
    from gridmap.imports.fields import Field
    from gridmap.imports.kept import Kept
    from gridmap.imports.steps import Matched
    from gridmap.jobs import Progress
    from gridmap.people.permissions import Actor, Permission

__all__ = ["Counts", "ImportOptions", "Kind", "Note", "Plan", "Reading", "Writer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What the user states about a file.

    Parameters
    ----------
    datum
        Coordinate system of the file; needed wherever there are coordinates, and never guessed.
    mapping
        Field name to the heading in the file; what is not stated is guessed and shown.
    layer, encoding
        Layer or sheet, and encoding, where the file leaves a choice.
    skip_refused
        Whether good rows are taken although others are refused.
    zone
        Time zone of times without an offset.
    more
        Options of one kind of import, such as the level of areas.
    """

    datum: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    layer: str | None = None
    encoding: str | None = None
    skip_refused: bool = False
    zone: tzinfo
    more: Mapping[str, Any] = field(default_factory=dict)

    def stated(self) -> dict[str, Any]:
        """As JSON, for the record of the import."""
        return {
            "datum": self.datum,
            "mapping": dict(self.mapping),
            "layer": self.layer,
            "encoding": self.encoding,
            "skip_refused": self.skip_refused,
            "zone": str(self.zone),
            **self.more,
        }


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know before saying yes; `message` is a translatable template."""

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a file by what happens to them."""

    read: int
    created: int
    changed: int
    unchanged: int
    refused: int


@dataclass(slots=True)
class Reading:
    """A file's columns as values, before they are held against the store."""

    table: Table
    headings: Mapping[str, str | None]
    """Field name to heading; None where the file has no such column."""
    fields: dict[str, NDArray[Any]]
    geometry: NDArray[np.object_] | None
    faults: Faults
    notes: list[Note] = field(default_factory=list)

    @property
    def good(self) -> NDArray[np.intp]:
        """Positions of the rows that are not refused."""
        return np.flatnonzero(~self.faults.refused)

    def heading(self, name: str) -> str:
        """Heading of a field in the file, or the field's name."""
        return self.headings.get(name) or name


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Where and when an import is planned and applied."""

    session: Session
    actor: Actor
    now: datetime
    options: ImportOptions
    progress: Progress
    settings: Settings


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of import.

    Parameters
    ----------
    name
        Name in commands and addresses.
    title
        Translatable title.
    permission
        What it needs.
    fields
        What a table of this kind can tell, given the time zone of times without an offset.
    shapes
        Geometry types taken, as shapely type ids; empty: a table without coordinates.
    plan
        Turns a reading into what would be written; None where the file is no table.
    limited
        Whether somebody whose permission is limited to areas may bring in what lies in them. Other kinds
        rewrite the ground of the whole city.
    """

    name: str
    title: str
    permission: Permission
    fields: Callable[[tzinfo], Sequence[Field]]
    shapes: frozenset[int]
    plan: Callable[[Reading, Writer], Plan] | None
    limited: bool = False


@dataclass(slots=True)
class Plan:
    """What an import would do; `apply` does it."""

    kind: str
    reading: Reading
    counts: Counts
    steps: Sequence[Matched]
    main: int = 0
    """Position in `steps` of the table the file is about."""
    apply: Callable[[Writer, int], None] | None = None
    """Writes what is not in `steps`; called with the import's id."""
    sample: pd.DataFrame | None = None
    kept: Kept | None = None
    """Rows of problems that have moved on here, and keep their state."""
