"""How one problem stands in its life, and which steps somebody can take with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from gridmap.labels import label
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.problems.models import Event, LinkKind, Problem, ProblemLink, Request, RequestState
from gridmap.problems.recurrence import times_come_back
from gridmap.workflow.lives import read_lives
from gridmap.workflow.rules import REFUSALS, STATES, Verdict, judge
from gridmap.workflow.service import lacks_photo
from gridmap.workflow.transitions import TRANSITIONS, Action, actions_from

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor, Scope
    from gridmap.workflow.lives import Lives

__all__ = [
    "after_photo_lacking",
    "course_of",
    "last_line",
    "links_of",
    "request_of",
    "steps_of",
    "version_of",
]

_MOST_DIGITS = 18
"""Of a number that every store can hold."""


def version_of(session: Session, number: int) -> str:
    """Name the version of a problem: another one after every change of it or of its history."""
    change = session.scalar(select(Problem.change).where(Problem.id == number))
    return f"{change}-{session.scalar(select(func.max(Event.id)).where(Event.problem_id == number)) or 0}"


def last_line(version: str) -> int:
    """Id of the last line of history that a version had; 0 if it is none of `version_of`."""
    _, _, line = version.partition("-")
    return int(line) if line.isdecimal() and len(line) <= _MOST_DIGITS else 0


def course_of(session: Session, actor: Actor, number: int) -> dict[str, Any]:
    """Tell a problem's version, the steps that lead on, its links, and what its organisation asks for."""
    lives, scope = read_lives(session, [number]), actor.scope(Permission.PROBLEM_READ)
    return {
        "version": version_of(session, number),
        "steps": steps_of(session, actor, lives),
        "after_photo_lacking": after_photo_lacking(session, lives),
        "links": links_of(session, number, scope=scope),
        "request": request_of(session, number),
        **_figures(session, number, scope),
    }


def _figures(session: Session, number: int, scope: Scope) -> dict[str, Any]:
    names = (
        "dispatched_at",
        "fixed_at",
        "fix_due_at",
        "on_time",
        "rework",
        "returns",
        "suspensions",
        "extensions",
        "look_backs",
        "reopened",
        "recurrence",
        "time_allowed",
        "time_unit",
        "clock_since",
    )
    row = session.execute(
        select(*(getattr(Problem, name) for name in names)).where(Problem.id == number)
    ).one()
    told = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    running = told.pop("clock_since") is not None
    unit = told.pop("time_unit")
    return {
        **{name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in told.items()},
        "time_unit": unit and unit.value,
        "time_unit_name": unit and label(unit),
        "clock_runs": running,
        "came_back": times_come_back(session, number, scope),
    }


def after_photo_lacking(session: Session, lives: Lives) -> bool:
    """Say of one problem whether a photo after fixing is still to come before it can be closed."""
    if not len(lives) or not lives["needs_photo"][0]:
        return False
    state = STATES[int(lives["state"][0])]
    if state in TRANSITIONS[Action.SEND_BACK].sources:
        return bool(lacks_photo(session, lives, Action.CLOSE)[0])
    # What is not fixed has none: one that was sent before shows something else.
    return not state.resolved


def steps_of(session: Session, actor: Actor, lives: Lives) -> list[dict[str, Any]]:
    """Steps that follow from where one problem stands and that the actor's roles know, with what they need.

    A step that something else stands in the way of is there with the reason.
    """
    if not len(lives):
        return []
    told = []
    for action in actions_from(STATES[int(lives["state"][0])]):
        line = TRANSITIONS[action]
        if not actor.may(line.permission):
            continue
        where = lives["area_id"], lives["organisation_id"]
        fixed_by_actor = (lives["fixed_by_id"] == actor.person_id) & (lives["fixed_by_id"] >= 0)
        lacking = lacks_photo(session, lives, action)
        if actor.may(Permission.EVIDENCE_ADD):
            # Who did not fix it brings the photo along.
            lacking &= fixed_by_actor
        verdict = Verdict(
            judge(
                action,
                lives["state"],
                seen=actor.scope(Permission.PROBLEM_READ).covers_each(*where),
                in_scope=actor.scope(line.permission).covers_each(*where),
                fixed_by_actor=fixed_by_actor,
                lacks_photo=lacking,
                requested=lives["asked"] > 0,
            )[0]
        )
        if verdict is Verdict.OUT_OF_SCOPE or (action is Action.DECLINE and verdict is Verdict.NO_REQUEST):
            continue
        told.append(
            {
                "action": action.value,
                "name": label(action),
                "needs": sorted(need.value for need in line.needs),
                "refusal": gettext(REFUSALS[verdict]) if verdict is not Verdict.ALLOWED else None,
            }
        )
    return told


def links_of(session: Session, number: int, *, scope: Scope) -> list[dict[str, Any]]:
    """Problems that this one doubles or that double it, and those it came back after; only those in scope."""
    other = aliased(Problem)
    rows = session.execute(
        select(
            ProblemLink.kind,
            ProblemLink.problem_id,
            ProblemLink.made_at,
            other.uid,
            other.id,
            other.state,
            other.area_id,
            other.organisation_id,
        )
        .join(
            other,
            or_(
                (ProblemLink.problem_id == number) & (other.id == ProblemLink.other_id),
                (ProblemLink.other_id == number) & (other.id == ProblemLink.problem_id),
            ),
        )
        .where(
            or_(ProblemLink.problem_id == number, ProblemLink.other_id == number),
            ProblemLink.ended_at.is_(None),
        )
        .order_by(ProblemLink.id)
    ).all()
    return [
        {
            "kind": kind.value,
            "title": gettext(_TITLES[kind][0 if owner == number else 1]),
            "uid": str(uid),
            "number": linked,
            "state": state.value,
            "state_name": label(state),
            "made_at": made_at.isoformat(),
        }
        for kind, owner, made_at, uid, linked, state, area, organisation in rows
        if scope.covers(area, organisation)
    ]


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when it is shown."""
    return text


_TITLES = {
    LinkKind.MERGED: (_("merged with"), _("merged into this")),
    LinkKind.RECURRENCE: (_("came back after"), _("came back as")),
}


def request_of(session: Session, number: int) -> dict[str, Any] | None:
    """Return what the organisation asks for and nobody has decided yet."""
    found = session.scalar(
        select(Request).where(Request.problem_id == number, Request.state == RequestState.OPEN)
    )
    if found is None:
        return None
    return {
        "action": found.action,
        "name": label(Action(found.action)),
        "reason": found.reason,
        "until": found.until and found.until.isoformat(),
        "more": found.more,
        "asked_by": found.asked_by,
        "asked_at": found.asked_at.isoformat(),
    }
