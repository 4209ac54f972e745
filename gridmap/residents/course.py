"""The course of problems as everybody or their reporter may follow it: changes of state, what was said."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, literal, or_, select, union_all

from gridmap.errors import NotFoundError
from gridmap.evidence.models import Attachment
from gridmap.problems.models import Event, LinkKind, Problem, ProblemLink, State
from gridmap.residents.models import Moderation, Publication, PublicPhoto, ResidentNote, ResidentReport
from gridmap.residents.rules import code_hash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Subquery
    from sqlalchemy.orm import Session

__all__ = ["Followed", "Step", "Update", "find_report", "updates_between"]


@dataclass(frozen=True, slots=True)
class Update:
    """One step of the public course, or something said that was published.

    Attributes
    ----------
    at
        When it became public.
    state
        The problem's at that moment, not today's.
    text
        Blank: the state says it all.
    """

    uid: uuid.UUID
    problem: uuid.UUID
    at: datetime
    state: State
    text: str
    photos: list[uuid.UUID]
    media_urls: list[str]


def _steps(problems: Any) -> Subquery:
    """Lines of the history of problems that changed the state."""
    lines = (
        select(
            Event.id,
            Event.uid,
            Event.problem_id,
            Event.recorded_at,
            Event.state,
            func.lag(Event.state).over(partition_by=Event.problem_id, order_by=Event.id).label("before"),
        )
        .where(Event.state.is_not(None), Event.problem_id.in_(problems))
        .subquery()
    )
    changed = or_(lines.c.before.is_(None), lines.c.before != lines.c.state)
    return select(lines).where(changed).subquery()


def _later(one: Any, other: Any) -> ColumnElement[Any]:
    return case((one > other, one), else_=other)


def updates_between(
    session: Session,
    start: datetime | None,
    end: datetime | None,
    *,
    limit: int = 1000,
    offset: int = 0,
) -> list[Update]:
    """Return what became public, in that order: changes of state, and published remarks.

    What happened before its problem was published, or was said before somebody had looked at it, became
    public only then; so whoever asks again and again for the time since they last asked misses nothing.

    Parameters
    ----------
    start, end
        When it became public; None: no limit.
    limit, offset
        At most so many, after so many.
    """
    shown = Publication.state == Moderation.PUBLISHED
    step = _steps(select(Publication.problem_id).where(shown)).c
    lines = (
        select(
            literal(0).label("note"),
            step.id.label("number"),
            step.uid.label("uid"),
            Problem.uid.label("problem"),
            _later(step.recorded_at, Publication.published_at).label("at"),
            step.state.label("state"),
        )
        .join(Publication, Publication.problem_id == step.problem_id)
        .join(Problem, Problem.id == step.problem_id)
    )
    at = _later(ResidentNote.published_at, Publication.published_at)
    notes = (
        select(
            literal(1),
            ResidentNote.id,
            ResidentNote.uid,
            Problem.uid,
            at,
            func.coalesce(_state_at(at), Problem.state),
        )
        .join(Publication, Publication.problem_id == ResidentNote.problem_id)
        .join(Problem, Problem.id == ResidentNote.problem_id)
        .where(shown, ResidentNote.state == Moderation.PUBLISHED)
    )
    both = union_all(lines, notes).subquery().c
    limits = [both.at >= start] if start is not None else []
    limits += [both.at <= end] if end is not None else []
    rows = session.execute(
        select(both.note, both.number, both.uid, both.problem, both.at, both.state)
        .where(*limits)
        .order_by(both.at, both.note, both.number)
        .limit(limit)
        .offset(offset)
    ).all()
    said = _said(session, [row.number for row in rows if row.note])
    nothing: tuple[str, list[uuid.UUID], list[str]] = ("", [], [])
    return [
        Update(row.uid, row.problem, row.at, row.state, *(said[row.number] if row.note else nothing))
        for row in rows
    ]


def _state_at(at: ColumnElement[Any]) -> Any:
    """State of a note's problem at a moment."""
    return (
        select(Event.state)
        .where(Event.problem_id == ResidentNote.problem_id, Event.state.is_not(None), Event.recorded_at <= at)
        .order_by(Event.id.desc())
        .limit(1)
        .correlate(ResidentNote, Publication)
        .scalar_subquery()
    )


def _said(session: Session, numbers: Sequence[int]) -> dict[int, tuple[str, list[uuid.UUID], list[str]]]:
    """Text, photos and addresses of pictures of published notes, by their id."""
    notes = session.scalars(select(ResidentNote).where(ResidentNote.id.in_(numbers))).all()
    public = set(
        session.scalars(
            select(Attachment.uid)
            .join(PublicPhoto, PublicPhoto.attachment_id == Attachment.id)
            .where(PublicPhoto.problem_id.in_({note.problem_id for note in notes}))
        )
    )
    return {
        note.id: (
            note.public_text,
            [uid for uid in map(uuid.UUID, note.photos) if uid in public],
            note.public_urls,
        )
        for note in notes
    }


@dataclass(frozen=True, slots=True)
class Step:
    """A change of state, and when the store learnt of it."""

    at: datetime
    state: State


@dataclass(frozen=True, slots=True)
class Followed:
    """A report as whoever holds its code may see it.

    Attributes
    ----------
    goes_on
        Course of the problem that it was merged into, in the public's words; blank where it was not.
    state
        Of that one, or its own.
    """

    report: ResidentReport
    problem: Problem
    publication: Publication
    notes: list[ResidentNote]
    course: list[Step]
    goes_on: list[Step]
    state: State


def find_report(session: Session, code: str) -> Followed:
    """Return the report that a code belongs to.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = session.execute(
        select(ResidentReport, Problem, Publication)
        .join(Problem, Problem.id == ResidentReport.problem_id)
        .join(Publication, Publication.problem_id == Problem.id)
        .where(ResidentReport.code_hash == code_hash(code))
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no report with this code.")
    report, problem, publication = row
    notes = session.scalars(
        select(ResidentNote)
        .where(ResidentNote.problem_id == problem.id)
        .order_by(ResidentNote.at, ResidentNote.id)
    ).all()
    kept = _kept(session, problem)
    return Followed(
        report,
        problem,
        publication,
        list(notes),
        _course(session, problem),
        [] if kept is problem else _course(session, kept),
        kept.state,
    )


def _course(session: Session, problem: Problem) -> list[Step]:
    step = _steps([problem.id]).c
    return [Step(*row) for row in session.execute(select(step.recorded_at, step.state).order_by(step.id))]


def _kept(session: Session, problem: Problem) -> Problem:
    """Return the problem that one was merged into, which may have been merged in its turn."""
    passed = {problem.id}
    while problem.state is State.MERGED:
        other = session.scalar(
            select(Problem)
            .join(ProblemLink, ProblemLink.other_id == Problem.id)
            .where(
                ProblemLink.problem_id == problem.id,
                ProblemLink.kind == LinkKind.MERGED,
                ProblemLink.ended_at.is_(None),
            )
        )
        if other is None or other.id in passed:
            break
        problem = other
        passed.add(problem.id)
    return problem
