"""What an edited ledger would change, line by line; nothing is written here.

A line counts as edited where its hidden digits no longer fit what stands in it. What was edited is only
taken over if the problem is still as it was when the ledger was exported; a line that nobody touched never
stands in the way, whatever has become of its problem.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.config import LANGUAGES
from gridmap.errors import GridmapError
from gridmap.labels import label
from gridmap.language import explain, speak
from gridmap.ledger.columns import COLUMNS
from gridmap.ledger.rows import BACK, REST, SEEN, fingerprint, plain, read_ledger
from gridmap.people.permissions import Permission
from gridmap.problems.models import Problem, State
from gridmap.workflow.rules import REFUSALS, Verdict
from gridmap.workflow.service import preview
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import TRANSITIONS, Action, Need

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.ledger.reading import FileRow, LedgerFile
    from gridmap.ledger.rows import LedgerRow
    from gridmap.people.permissions import Actor
    from gridmap.places.cards import Faces

__all__ = ["Change", "Left", "Refusal", "Revision", "plan_revision", "step_to"]

_FIXED = ("number", "category", "found_at", "fix_due_at", "fixed_at", "closed_at", "source")
"""Columns that are looked at although they are not read back: a change in them is refused, not lost."""
_TEXTS = ("description", "address")
_NOTES = ("remark", "funding")
_MOST_FUNDING = 1_000_000_000
_LONGEST = {"description": 5000, "address": 300, "remark": 2000, "state": 100}
_SLICE = 500
_DIGITS = 16
_MOST_SHOWN = 80
_UNSAID = frozenset({Need.UNTIL, Need.TIME, Need.OTHER, Need.REQUEST})
"""What a step may need that no column of the ledger can say."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one line changes.

    Attributes
    ----------
    row
        Row in the file.
    problem, uid
        Case number and uid.
    fields
        By column, what is there and what is to be.
    step
        The step that leads to the new state; None where the state stays.
    """

    row: int
    problem: int
    uid: str
    fields: dict[str, tuple[Any, Any]]
    step: Step | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line cannot be taken over. `conflict`: because the problem has changed since the export."""

    row: int
    reason: str
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """An edit that is not taken over, since its column is not read back.

    Attributes
    ----------
    row, problem, uid
        As of a change.
    column
        Name in `COLUMNS`.
    now, found
        What is there, and what stands in the file.
    """

    row: int
    problem: int
    uid: str
    column: str
    now: str
    found: str


@dataclass(frozen=True, slots=True)
class Revision:
    """What an edited ledger would do, and what it would not although somebody edited it."""

    read: int
    unchanged: int
    changes: list[Change]
    refusals: list[Refusal]
    left: list[Left]


class LineRefusedError(GridmapError):
    """A line that cannot be taken over."""


class StaleLineError(LineRefusedError):
    """The problem has changed since the ledger was exported."""


def plan_revision(
    session: Session, actor: Actor, file: LedgerFile, *, faces: Faces, settings: Settings, now: datetime
) -> Revision:
    """Hold an edited ledger against the store.

    Parameters
    ----------
    actor
        Who brings it back; a line outside what they may export is refused as if there were no such problem.
    file
        The lines.
    faces, now
        As for `gridmap.ledger.rows.read_ledger`.
    settings
        Of the installation.

    Raises
    ------
    PermissionDeniedError
        If the actor may export nowhere.
    """
    scope = actor.scope(Permission.PROBLEM_EXPORT)
    numbers = _numbers(session, [row.uid for row in file.rows])
    with speak(file.language):
        lines = read_ledger(session, numbers, faces=faces, scope=scope, zone=settings.zone, moment=now)
        current = {line.uid: line for line in lines}
    times = Counter(row.uid for row in file.rows)
    found = Revision(len(file.rows), 0, [], [], [])
    unchanged = 0
    for row in file.rows:
        try:
            if times[row.uid] > 1:
                raise LineRefusedError("The problem stands in several lines.")
            line = current.get(row.uid)
            if line is None:
                raise LineRefusedError(REFUSALS[Verdict.NOT_THERE])
            change = _change(session, actor, row, line, file.names, settings=settings, now=now)
        except GridmapError as error:
            found.refusals.append(
                Refusal(row.number, explain(error), conflict=isinstance(error, StaleLineError))
            )
            continue
        left = _left(row, line, file.names)
        found.left.extend(left)
        if change is not None:
            found.changes.append(change)
        elif not left:
            unchanged += 1
    return replace(found, unchanged=unchanged)


def _numbers(session: Session, uids: list[str]) -> list[int]:
    wanted = []
    for uid in uids:
        try:
            wanted.append(uuid.UUID(uid))
        except ValueError:
            continue
    found: list[int] = []
    for start in range(0, len(wanted), _SLICE):
        part = wanted[start : start + _SLICE]
        found += session.scalars(select(Problem.id).where(Problem.uid.in_(part)))
    return found


def _change(
    session: Session,
    actor: Actor,
    row: FileRow,
    line: LedgerRow,
    names: tuple[str, ...],
    *,
    settings: Settings,
    now: datetime,
) -> Change | None:
    """Return what a line changes; None where nobody touched it."""
    same = row.version == line.version
    if fingerprint(row.values, names)[:_DIGITS] == row.check[:_DIGITS]:
        # Nothing that is read back was touched; the rest is compared while that still means something.
        if same:
            _refuse_fixed(row, line, names)
        return None
    if not same:
        raise StaleLineError(
            "The problem has changed since the ledger was exported: it is now “{state}”. Export it again.",
            state=label(line.state),
        )
    _refuse_fixed(row, line, names)
    edited = [name for name in BACK if name in names and name != "opinion" and _differs(row, line, name)]
    opinion = plain("opinion", row.values.get("opinion"))
    if opinion and "state" not in edited:
        raise LineRefusedError("A reason or remark belongs to a step: choose the state that it leads to.")
    problem = session.get_one(Problem, line.id)
    fields = {name: (line.values[name], _checked(name, row.values.get(name))) for name in edited}
    _refuse_without_right(actor, problem, edited)
    step = None
    if "state" in edited:
        said = plain("state", row.values["state"])
        step = _step(session, actor, line, said, opinion, settings=settings, now=now)
    return Change(row.number, line.id, line.uid, fields, step) if fields else None


def _left(row: FileRow, line: LedgerRow, names: tuple[str, ...]) -> list[Left]:
    """Return what was edited in columns that are not read back: what the file's own digits give away."""
    digits, known = fingerprint(row.values, names)[_DIGITS:], row.check[_DIGITS:]
    if digits == known:
        return []
    at = {name: slice(_DIGITS + 4 * i, _DIGITS + 4 * i + 4) for i, name in enumerate(SEEN)}
    untouched = {name for name in SEEN if digits[at[name]] == known[at[name]]}
    return [
        Left(
            row.number,
            line.id,
            line.uid,
            name,
            plain(name, line.values.get(name)),
            plain(name, row.values.get(name))[:_MOST_SHOWN],
        )
        for name in REST
        if name in names and name not in untouched and _differs(row, line, name)
    ]


def _differs(row: FileRow, line: LedgerRow, name: str) -> bool:
    return plain(name, row.values.get(name)) != plain(name, line.values.get(name))


def _refuse_fixed(row: FileRow, line: LedgerRow, names: tuple[str, ...]) -> None:
    for name in _FIXED:
        if name in names and _differs(row, line, name):
            raise LineRefusedError(
                "{column}: this column is not read back; it is “{expected}”, found “{found}”.",
                column=COLUMNS[name].title,
                expected=plain(name, line.values.get(name)),
                found=plain(name, row.values.get(name))[:_MOST_SHOWN],
            )


def _checked(name: str, value: Any) -> Any:
    text = plain(name, value)
    if name == "funding":
        if not text:
            return None
        try:
            money = float(text.replace(",", "").replace("，", ""))
        except ValueError:
            money = math.nan
        if not 0 <= money <= _MOST_FUNDING:
            raise LineRefusedError(
                "{column}: expected an amount of 0 or more; found “{found}”.",
                column=COLUMNS[name].title,
                found=text[:80],
            )
        return round(money, 2)
    longest = _LONGEST[name]
    if len(text) > longest:
        raise LineRefusedError(
            "{column}: expected at most {longest} characters; found {found}.",
            column=COLUMNS[name].title,
            longest=longest,
            found=len(text),
        )
    return text


def _refuse_without_right(actor: Actor, problem: Problem, edited: list[str]) -> None:
    """Texts are for those who check problems; notes for whoever checks or fixes them."""

    def may(*permissions: Permission) -> bool:
        return any(
            actor.may(one) and actor.scope(one).covers(problem.area_id, problem.organisation_id)
            for one in permissions
        )

    for name in edited:
        allowed = (
            may(Permission.PROBLEM_CHECK)
            if name in _TEXTS
            else may(Permission.PROBLEM_CHECK, Permission.PROBLEM_FIX)
        )
        if name in (*_TEXTS, *_NOTES) and not allowed:
            raise LineRefusedError("{column}: this is not yours to change here.", column=COLUMNS[name].title)
        if name in _TEXTS and problem.state.resolved:
            raise LineRefusedError("The problem is resolved; reopen it first.")


def step_to(state: State, wanted: State) -> Action | None:
    """Return the step that leads from one state to another and needs nothing that a ledger cannot say."""
    for action, line in TRANSITIONS.items():
        if state in line.sources and line.to is wanted and not _UNSAID & line.needs:
            return action
    return None


def _step(
    session: Session,
    actor: Actor,
    line: LedgerRow,
    said: str,
    opinion: str,
    *,
    settings: Settings,
    now: datetime,
) -> Step:
    wanted = _WORDS.get(said)
    if wanted is None:
        raise LineRefusedError(
            "{column}: expected a state; found “{found}”.", column=COLUMNS["state"].title, found=said[:80]
        )
    action = step_to(line.state, wanted)
    if action is None:
        raise LineRefusedError(
            "No step that a ledger can take leads from “{before}” to “{after}”.",
            before=label(line.state),
            after=label(wanted),
        )
    step = Step(action=action, note=opinion)
    verdict = Verdict(preview(session, actor, [line.id], step, settings=settings, now=now).verdicts[0])
    if verdict is not Verdict.ALLOWED:
        raise LineRefusedError(REFUSALS[verdict])
    return step


def _words() -> dict[str, State]:
    """Every name of a state, in each language."""
    words: dict[str, State] = {}
    for language in LANGUAGES:
        with speak(language):
            words |= {label(state): state for state in State}
    return words


_WORDS = _words()
