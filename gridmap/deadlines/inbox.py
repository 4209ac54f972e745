"""What somebody who signs in has been told: reminders, and notices that await an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, false, func, or_, select, update

from gridmap.deadlines.models import Escalation, Notice, Reminder
from gridmap.deadlines.notices import visible
from gridmap.people.models import Person
from gridmap.people.permissions import Permission
from gridmap.people.within import within
from gridmap.problems.models import Category, Problem

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Letter", "count_unread", "mark_read", "read_inbox"]

_SHOWN, _PROBLEMS_SHOWN = 50, 200


@dataclass(frozen=True, slots=True)
class Letter:
    """A reminder with the problems that it names and the reader may see, first due first."""

    reminder: Reminder
    problems: list[Any]
    """Rows with `uid`, `id`, `address`, `due_at`, `state` and the category's names."""


def count_unread(session: Session, actor: Actor) -> int:
    """How many reminders are unread, and notices of one's organisation unanswered."""
    unread = session.scalar(
        select(func.count()).select_from(Reminder).where(_mine(actor), Reminder.read_at.is_(None))
    )
    return (unread or 0) + len(_unanswered(session, actor))


def read_inbox(session: Session, actor: Actor) -> tuple[list[Letter], list[Notice]]:
    """Return the latest reminders, unread first, and the notices that await an answer, oldest first."""
    reminders = session.scalars(
        select(Reminder)
        .where(_mine(actor))
        .order_by(Reminder.read_at.is_not(None), Reminder.sent_at.desc(), Reminder.id.desc())
        .limit(_SHOWN)
    ).all()
    return [Letter(one, _problems(session, actor, one)) for one in reminders], _unanswered(session, actor)


def mark_read(session: Session, actor: Actor, *, now: datetime) -> int:
    """Mark every reminder of the reader as read, and return how many there were."""
    done = session.scalars(
        update(Reminder)
        .where(_mine(actor), Reminder.read_at.is_(None))
        .values(read_at=now)
        .returning(Reminder.id)
    )
    return len(done.all())


def _mine(actor: Actor) -> Any:
    """SQL condition: sent to this person, or to everybody of their organisation."""
    if actor.person_id is None:
        return false()
    own = select(Person.organisation_id).where(Person.id == actor.person_id).scalar_subquery()
    return or_(
        Reminder.person_id == actor.person_id,
        and_(Reminder.person_id.is_(None), Reminder.organisation_id == own),
    )


def _unanswered(session: Session, actor: Actor) -> list[Notice]:
    """Notices to the organisations that the reader answers for, not to everybody the reader oversees."""
    answering = frozenset[int]().union(
        *(
            holding.organisations or frozenset()
            for holding in (actor.scope(Permission.NOTICE_ANSWER).holdings if _answers(actor) else ())
        )
    )
    if not answering:
        return []
    return list(
        session.scalars(
            select(Notice)
            .where(
                Notice.answered_at.is_(None),
                Notice.organisation_id.in_(sorted(answering)),
                visible(actor, Permission.NOTICE_ANSWER),
            )
            .order_by(Notice.issued_at, Notice.id)
            .limit(_SHOWN)
        )
    )


def _answers(actor: Actor) -> bool:
    return actor.may(Permission.NOTICE_ANSWER)


def _problems(session: Session, actor: Actor, reminder: Reminder) -> list[Any]:
    if not actor.may(Permission.PROBLEM_READ):
        return []
    scope = actor.scope(Permission.PROBLEM_READ)
    return list(
        session.execute(
            select(
                Problem.uid,
                Problem.id,
                Problem.address,
                Escalation.due_at,
                Problem.state,
                Category.name,
                Category.name_en,
            )
            .join(Escalation, Escalation.problem_id == Problem.id)
            .join(Category, Category.id == Problem.category_id)
            .where(
                Escalation.reminder_id == reminder.id,
                within(scope, Problem.area_id, Problem.organisation_id),
            )
            .order_by(Escalation.due_at, Problem.id)
            .limit(_PROBLEMS_SHOWN)
        )
    )
