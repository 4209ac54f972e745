"""Notices: numbered papers that order an organisation to fix named problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from gridmap.deadlines.calendar import UNITS, as_stamp, as_time, load_calendar
from gridmap.deadlines.models import Escalation, Notice, NoticeItem, NoticeKind, StepKind
from gridmap.deadlines.step_table import lock_steps
from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.people.within import within
from gridmap.problems.models import Event, EventKind, Problem, State, TimeUnit
from gridmap.store.bulk import insert_rows
from gridmap.store.clock import next_change
from gridmap.store.selection import among
from gridmap.workflow.transitions import AT_WORK

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection
    from datetime import datetime, tzinfo

    from numpy.typing import ArrayLike
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.deadlines.models import EscalationStep
    from gridmap.people.permissions import Actor

__all__ = [
    "answer_notice",
    "answer_time",
    "issue_notices",
    "make_notice",
    "nameable",
    "notice_title",
    "problems_for_notices",
    "visible",
]

_LONGEST = 2000
_MOST = 2000


def notice_title(notice: Notice) -> str:
    """Name by which people quote a notice, such as 整改〔2026〕12号."""
    marks = {
        NoticeKind.RECTIFICATION: gettext("Rectification [{year}] No. {number}", **_numbered(notice)),
        NoticeKind.SUPERVISION: gettext("Supervision [{year}] No. {number}", **_numbered(notice)),
    }
    return marks[notice.kind]


def _numbered(notice: Notice) -> dict[str, int]:
    return {"year": notice.year, "number": notice.number}


def make_notice(
    session: Session,
    kind: NoticeKind,
    organisation: int,
    *,
    problems: ArrayLike,
    due_at: Any,
    states: ArrayLike,
    issued_by: str,
    answer_by: datetime | None,
    zone: tzinfo,
    now: datetime,
    demand: str = "",
) -> Notice:
    """Write a notice under the next number of its kind in this year.

    Parameters
    ----------
    session
        Of a writing transaction; no other gets a number of this kind until it ends.
    kind, organisation
        What is sent to whom.
    problems, due_at, states
        Case numbers, their limits (datetime64, UTC, NaT: none) and positions in `State`, shape (n,).
    issued_by, answer_by, demand
        By whom, until when an answer is wanted, and what is demanded beyond fixing.
    zone
        In which the year is meant.
    now
        Time of issue.
    """
    year = now.astimezone(zone).year
    lock_steps(session)
    last = session.scalar(select(func.max(Notice.number)).where(Notice.kind == kind, Notice.year == year))
    notice = Notice(
        kind=kind,
        year=year,
        number=(last or 0) + 1,
        organisation_id=organisation,
        text=demand,
        issued_at=now,
        issued_by=issued_by,
        answer_by=answer_by,
    )
    session.add(notice)
    session.flush()
    insert_rows(
        session,
        NoticeItem,
        {
            "notice_id": notice.id,
            "problem_id": np.asarray(problems),
            "due_at": np.asarray(due_at),
            "state": np.asarray(states),
        },
    )
    return notice


def problems_for_notices(
    session: Session,
    actor: Actor,
    numbers: Collection[int],
    *,
    kind: NoticeKind = NoticeKind.RECTIFICATION,
    hold: bool = False,
) -> list[Problem]:
    """Return the problems that notices of this actor may name, by organisation and limit.

    Parameters
    ----------
    session, actor
        Who wants to issue them.
    numbers
        Case numbers.
    kind
        Supervision is of what an organisation has in hand.
    hold
        Whether nobody else may change them until the transaction ends.

    Raises
    ------
    PermissionDeniedError
        If the actor may issue no notice.
    InvalidValueError
        If there are none or too many.
    NotFoundError
        Naming the first that there is not, or that lies outside the actor's limits.
    ConflictError
        Naming the first that is resolved or has no organisation, or that none has in hand.
    """
    scope = actor.scope(Permission.NOTICE_ISSUE)
    wanted = sorted(set(numbers))
    if not 0 < len(wanted) <= _MOST:
        raise InvalidValueError(
            "Expected 1 to {most} case numbers; found {found}.",
            parameter="problems",
            most=_MOST,
            found=len(wanted),
        )
    if hold:
        session.execute(
            select(Problem.id).where(Problem.id.in_(wanted)).order_by(Problem.id).with_for_update()
        ).all()
    found = session.scalars(
        select(Problem)
        .where(Problem.id.in_(wanted), within(scope, Problem.area_id, Problem.organisation_id))
        .order_by(Problem.organisation_id, Problem.due_at, Problem.id)
    ).all()
    missing = set(wanted) - {problem.id for problem in found}
    if missing:
        raise NotFoundError(
            "There is no problem {number}, or it lies outside your limits.", number=min(missing)
        )
    for problem in found:
        if problem.state.resolved or problem.organisation_id is None:
            raise ConflictError(
                "Problem {number} is resolved or has no organisation; a notice cannot name it.",
                number=problem.id,
            )
        if kind is NoticeKind.SUPERVISION and problem.state not in AT_WORK:
            raise ConflictError(
                "No organisation has problem {number} in hand; a supervision notice cannot name it.",
                number=problem.id,
            )
    return list(found)


def nameable(session: Session, actor: Actor, numbers: ArrayLike) -> list[int]:
    """Return those of these case numbers that an organisation has in hand and this actor may name, ascending.

    Raises
    ------
    PermissionDeniedError
        If the actor may issue no notice.
    """
    scope = actor.scope(Permission.NOTICE_ISSUE)
    found = session.scalars(
        select(Problem.id)
        .where(
            among(session, Problem.id, np.asarray(numbers, dtype=np.int64)),
            within(scope, Problem.area_id, Problem.organisation_id),
            Problem.organisation_id.is_not(None),
            Problem.state.in_(AT_WORK),
        )
        .order_by(Problem.id)
    )
    return list(found)


def issue_notices(
    session: Session,
    actor: Actor,
    numbers: Collection[int],
    *,
    settings: Settings,
    now: datetime,
    kind: NoticeKind = NoticeKind.RECTIFICATION,
    demand: str = "",
    answer_by: datetime | None = None,
) -> list[Notice]:
    """Send a notice to every organisation that has one of these problems.

    A supervision notice (督办) that names an overdue problem is the table's step for it: the leader in charge
    is told as long after it as after one that was sent by itself.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor
        Who issues them.
    numbers
        Case numbers.
    settings, now
        Of the installation; time of issue.
    kind
        Rectification notice (整改通知单) or supervision notice (督查通知书).
    demand
        What is demanded beyond fixing.
    answer_by
        Until when an answer in writing is wanted; of supervision by the setting if not given.

    Raises
    ------
    PermissionDeniedError, NotFoundError, ConflictError
        As for `problems_for_notices`.
    InvalidValueError
        If the text is too long or the time has passed.
    """
    actor.scope(Permission.NOTICE_ISSUE)
    # Before the problems, as whoever escalates does: neither then waits for the other.
    steps = lock_steps(session)
    problems = problems_for_notices(session, actor, numbers, kind=kind, hold=True)
    _check_text(demand, "text")
    if kind is NoticeKind.SUPERVISION and answer_by is None:
        answer_by = answer_time(settings, now)
    if answer_by is not None and answer_by <= now:
        raise InvalidValueError(
            "Expected a time in the future; found {found}.", parameter="answer_by", found=answer_by
        )
    by_organisation: dict[int, list[Problem]] = {}
    for problem in problems:
        by_organisation.setdefault(problem.organisation_id or 0, []).append(problem)
    notices = []
    for organisation, named in by_organisation.items():
        notice = make_notice(
            session,
            kind,
            organisation,
            problems=[problem.id for problem in named],
            due_at=[problem.due_at and problem.due_at.replace(tzinfo=None) for problem in named],
            states=[list(State).index(problem.state) for problem in named],
            issued_by=actor.name,
            answer_by=answer_by,
            zone=settings.zone,
            now=now,
            demand=demand.strip(),
        )
        notices.append(notice)
        session.add_all(_line(problem, notice, actor, now) for problem in named)
        if kind is NoticeKind.SUPERVISION:
            _count_as_step(session, steps, named, notice, now)
    session.flush()
    change = next_change(session)
    for problem in problems:
        problem.change = change
    session.flush()
    return notices


def answer_time(settings: Settings, now: datetime) -> datetime:
    """Until when an answer to a notice that is issued now is wanted, by the setting."""
    calendar = load_calendar(settings)
    return as_time(calendar.due(as_stamp(now), settings.answer_days, UNITS[TimeUnit.WORKING_DAY]))


def _count_as_step(
    session: Session, steps: list[EscalationStep], problems: list[Problem], notice: Notice, now: datetime
) -> None:
    """Keep that the step of notifying was taken for the limits that have passed, where it was not before."""
    step = next((step for step in steps if step.kind is StepKind.NOTICE), None)
    if step is None:
        return
    late = [one for one in problems if one.state in AT_WORK and one.due_at is not None and one.due_at < now]
    taken = session.execute(
        select(Escalation.problem_id, Escalation.due_at).where(
            Escalation.step_id == step.id, Escalation.problem_id.in_([one.id for one in late])
        )
    )
    done = {(number, due) for number, due in taken}
    session.add_all(
        Escalation(problem_id=one.id, step_id=step.id, due_at=one.due_at, taken_at=now, notice_id=notice.id)
        for one in late
        if (one.id, one.due_at) not in done
    )


def answer_notice(session: Session, actor: Actor, uid: uuid.UUID, answer: str, *, now: datetime) -> Notice:
    """Write down what an organisation answers to a notice; it can answer once.

    Raises
    ------
    PermissionDeniedError
        If the actor may answer nowhere.
    NotFoundError
        If there is no such notice within the actor's limits.
    ConflictError
        If it has been answered.
    InvalidValueError
        If the text is blank or too long.
    """
    notice = session.scalar(
        select(Notice)
        .where(Notice.uid == uid, visible(actor, Permission.NOTICE_ANSWER))
        .with_for_update(of=Notice)
    )
    if notice is None:
        raise NotFoundError("There is no such notice, or it lies outside your limits.")
    if notice.answered_at is not None:
        raise ConflictError("This notice has been answered by {name}.", name=notice.answered_by or "")
    _check_text(answer, "answer")
    if not answer.strip():
        raise InvalidValueError("Expected a text; found nothing.", parameter="answer")
    notice.answer, notice.answered_at, notice.answered_by = answer.strip(), now, actor.name
    session.flush()
    return notice


def visible(actor: Actor, permission: Permission) -> Any:
    """SQL condition: a notice that names at least one problem within the actor's limits.

    The organisation is the notice's own: a problem that has gone to another since is still on it.

    Raises
    ------
    PermissionDeniedError
        If the actor holds the permission nowhere.
    """
    scope = actor.scope(permission)
    named = select(NoticeItem.notice_id).join(Problem, Problem.id == NoticeItem.problem_id)
    return (
        named.where(NoticeItem.notice_id == Notice.id, within(scope, Problem.area_id, Notice.organisation_id))
        .correlate(Notice)
        .exists()
    )


def _line(problem: Problem, notice: Notice, actor: Actor, now: datetime) -> Event:
    return Event(
        problem_id=problem.id,
        kind=EventKind.ESCALATED,
        at=now,
        recorded_at=now,
        actor=actor.name,
        person_id=actor.person_id,
        state=problem.state,
        details={"step": notice.kind.value, "notice": notice.uid.hex},
    )


def _check_text(given: str, parameter: str) -> None:
    if len(given) > _LONGEST:
        raise InvalidValueError(
            "Expected at most {longest} characters; found {found}.",
            parameter=parameter,
            longest=_LONGEST,
            found=len(given),
        )
