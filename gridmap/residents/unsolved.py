"""Whether a problem is solved, as residents say it, and what settles that they say it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import aliased

from gridmap.problems.models import Event, EventKind, LinkKind, ProblemLink
from gridmap.residents.models import Moderation, ResidentNote, ResidentReport, Said
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

__all__ = ["keep_last_said", "unsettled"]

_SETTLING = [action.value for action in (Action.LOOK_BACK, Action.REOPEN, Action.RESTORE)]


def _answers(note: Any) -> tuple[ColumnElement[bool], ...]:
    """Whether a note says that it is solved or not, and counts.

    The reporter's own word does at once; what another system sends does once it is published.
    """
    own = and_(note.api_key_id.is_(None), note.state != Moderation.HIDDEN)
    return note.said != Said.REMARK, or_(note.state == Moderation.PUBLISHED, own)


def unsettled() -> tuple[ColumnElement[bool], ...]:
    """Conditions on `ResidentNote`: it says that a problem is not solved, and nothing has settled that since.

    Somebody who looks again or opens the problem again does, or the one it was merged into; so does a
    resident who says that it is solved.
    """
    note, later = ResidentNote, aliased(ResidentNote)
    after = or_(later.at > note.at, and_(later.at == note.at, later.id > note.id))
    kept = select(ProblemLink.other_id).where(
        ProblemLink.problem_id == note.problem_id,
        ProblemLink.kind == LinkKind.MERGED,
        ProblemLink.ended_at.is_(None),
    )
    looked = exists().where(
        or_(Event.problem_id == note.problem_id, Event.problem_id.in_(kept)),
        Event.kind == EventKind.STATE,
        Event.action.in_(_SETTLING),
        Event.recorded_at > note.at,
    )
    return (
        note.said == Said.NOT_SOLVED,
        *_answers(note),
        ~exists().where(later.problem_id == note.problem_id, *_answers(later), after),
        ~looked,
    )


def keep_last_said(session: Session, problem_id: int) -> None:
    """Keep with a report whether it was last called solved or not."""
    report = session.scalar(select(ResidentReport).where(ResidentReport.problem_id == problem_id))
    if report is None:
        return
    session.flush()
    report.last_said = session.scalar(
        select(ResidentNote.said)
        .where(ResidentNote.problem_id == problem_id, *_answers(ResidentNote))
        .order_by(ResidentNote.at.desc(), ResidentNote.id.desc())
        .limit(1)
    )
