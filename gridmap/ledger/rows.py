"""The lines of the ledger: problems by case number, a slice at a time, as a reader may see them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gridmap.labels import label
from gridmap.language import gettext
from gridmap.ledger.columns import COLUMNS, Kind
from gridmap.ledger.models import LedgerNote
from gridmap.places.models import AreaLevel
from gridmap.problems.models import Event, Problem, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Scope
    from gridmap.places.cards import Faces

__all__ = ["BACK", "HIDDEN", "REST", "SEEN", "LedgerRow", "clean", "fingerprint", "plain", "read_ledger"]

_SLICE = 1000
_TIMES = ("found_at", "dispatched_at", "fix_due_at", "fixed_at", "closed_at")
_AT_WORK = {State.DISPATCHED, State.ACCEPTED, State.SENT_BACK}
HIDDEN = ("gridmap:uid", "gridmap:version", "gridmap:check")
"""Headings of the hidden columns that a ledger needs to come back."""
BACK = tuple(column.name for column in COLUMNS.values() if column.back)
"""Columns that are read back."""
REST = tuple(column.name for column in COLUMNS.values() if not column.back and column.kind is not Kind.PHOTO)
"""Columns that are not; a change in them is told, not lost."""
SEEN = ("person", "phone", "overdue")
"""Those of them that depend on who looks and when: another reader sees something else without any edit."""
MOST_TEXT = 32_767
"""Characters that a cell takes."""
_UNHEARD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no workbook holds."""
_ESCAPED_RETURN = re.compile("_x000D_", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One line.

    Attributes
    ----------
    id, uid, version
        Which problem it is, and which version of it; see `gridmap.workflow.queries.version_of`.
    state
        Where it stands.
    values
        By the names in `COLUMNS`: text, number, local time without an offset, or None. Photos are not here.
    """

    id: int
    uid: str
    version: str
    state: State
    values: dict[str, Any]


def read_ledger(
    session: Session, numbers: list[int], *, faces: Faces, scope: Scope, zone: ZoneInfo, moment: datetime
) -> Iterator[LedgerRow]:
    """Read lines in the order of the numbers; what has gone, or lies outside the scope, is left out.

    Parameters
    ----------
    numbers
        Case numbers.
    faces
        How people appear to the reader.
    scope
        Where the reader may export problems.
    zone
        Of the times in the ledger.
    moment
        At which overdue is judged.
    """
    for start in range(0, len(numbers), _SLICE):
        part = numbers[start : start + _SLICE]
        last = select(Event.problem_id, func.max(Event.id)).where(Event.problem_id.in_(part))
        lines = {row[0]: row[1] for row in session.execute(last.group_by(Event.problem_id))}
        query = (
            select(Problem, LedgerNote)
            .outerjoin(LedgerNote, LedgerNote.problem_id == Problem.id)
            .where(Problem.id.in_(part))
        )
        found = {problem.id: (problem, note) for problem, note in session.execute(query)}
        for number in part:
            if number not in found:
                continue
            problem, note = found[number]
            if scope.covers(problem.area_id, problem.organisation_id):
                yield LedgerRow(
                    problem.id,
                    str(problem.uid),
                    f"{problem.change}-{lines.get(number, 0)}",
                    problem.state,
                    _values(problem, note, faces, zone, moment),
                )
        session.expunge_all()


def _values(
    problem: Problem, note: LedgerNote | None, faces: Faces, zone: ZoneInfo, moment: datetime
) -> dict[str, Any]:
    names = faces.directory
    category = names.categories.get(problem.category_id)
    major = names.categories.get(category.parent) if category and category.parent else category
    levels = {area.level: area.name for area in names.above(problem.area_id)}
    person = faces.person(problem.person_id)
    late = problem.fix_due_at is not None and problem.fix_due_at < moment and problem.state in _AT_WORK

    def name(entry: Any) -> str:
        return (entry.name or getattr(entry, "code", "")) if entry else ""

    values = {
        "number": problem.id,
        "category": category.label if category else "",
        "major": major.label if major else "",
        "description": problem.description,
        "address": problem.address,
        "district": levels.get(AreaLevel.DISTRICT, ""),
        "subdistrict": levels.get(AreaLevel.SUBDISTRICT, ""),
        "community": levels.get(AreaLevel.COMMUNITY, ""),
        "cell": name(names.cells.get(problem.cell_id)),
        "road": name(names.roads.get(problem.road_id)),
        "organisation": name(names.organisations.get(problem.organisation_id)),
        "person": person["name"] if person else "",
        "phone": faces.phone(problem.person_id) or "",
        "source": label(problem.source),
        "state": label(problem.state),
        "opinion": "",
        "on_time": "" if problem.on_time is None else _yes(said=problem.on_time),
        "overdue": _yes(said=late),
        "rework": problem.rework,
        "recurring": _yes(said=problem.recurrence),
        "remark": note.remark if note else "",
        "funding": note.funding if note else None,
        "lon": round(problem.lon, 6),
        "lat": round(problem.lat, 6),
    }
    for column in _TIMES:
        at = getattr(problem, column)
        values[column] = at and at.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    return values


def _yes(*, said: bool) -> str:
    return gettext("yes") if said else gettext("no")


def fingerprint(values: Mapping[str, Any], names: Iterable[str]) -> str:
    """Digits of what stands in a line, that tell what was changed in a file.

    Sixteen for what is read back, sixteen for the rest, and four for each of `SEEN`.
    """
    wanted = set(names)
    back = [name for name in BACK if name in wanted]
    rest = [name for name in REST if name in wanted]
    apart = "".join(_digits(values, [name])[:4] for name in SEEN)
    return _digits(values, back) + _digits(values, rest) + apart


def _digits(values: Mapping[str, Any], names: list[str]) -> str:
    said = "\x1f".join(plain(name, values.get(name)) for name in names)
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def clean(text: str) -> str:
    """Return what of a text a workbook can hold."""
    return _UNHEARD.sub("", text)[:MOST_TEXT]


def plain(name: str, value: Any) -> str:
    """A value as text, so that what a spreadsheet makes of it compares equal."""
    if value is None or value == "":
        return ""
    kind = COLUMNS[name].kind
    if kind in {Kind.MONEY, Kind.NUMBER}:
        try:
            return f"{float(value):.2f}" if kind is Kind.MONEY else f"{float(value):.12g}"
        except (TypeError, ValueError):
            pass
    # Spreadsheets write line ends as they like.
    text = clean(str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPED_RETURN.sub("", text).strip()
