"""Samples and checks as the pages show them, limited to what their reader may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from gridmap.look_back.models import CheckResult, CheckTask, LookBackSample
from gridmap.people.permissions import Permission
from gridmap.problems.limits import inside
from gridmap.problems.models import Problem, State
from gridmap.residents.models import ResidentNote
from gridmap.residents.unsolved import unsettled

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor, Scope

__all__ = ["Progress", "Unsolved", "read_checks", "read_samples", "read_unsolved"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A sample, and how far its checks have come; only those in the reader's scope are counted.

    `candidates`, how many it was drawn from, is for who sees the whole city, and for who drew it: None for
    others, as it counts what lies outside their scope.
    """

    sample: LookBackSample
    total: int
    good: int
    failed: int
    overdue: int
    candidates: int | None

    @property
    def open(self) -> int:
        """Checks that nobody has answered yet."""
        return self.total - self.good - self.failed

    @property
    def failed_share(self) -> float | None:
        """Share of the answered ones that were bad again; None before the first answer."""
        answered = self.good + self.failed
        return self.failed / answered if answered else None


def read_samples(session: Session, actor: Actor, *, now: datetime, limit: int = 50) -> list[Progress]:
    """Return the newest samples of which the reader, who may plan them, may see a problem."""
    scope = actor.scope(Permission.LOOK_BACK_PLAN)

    def count(condition: Any) -> Any:
        return func.sum(case((condition, 1), else_=0))

    query = (
        select(
            LookBackSample,
            func.count(CheckTask.id),
            count(CheckTask.result == CheckResult.GOOD),
            count(CheckTask.result == CheckResult.FAILED),
            count(CheckTask.done_at.is_(None) & (CheckTask.due_at < now)),
        )
        .join(CheckTask, CheckTask.sample_id == LookBackSample.id)
        .join(Problem, Problem.id == CheckTask.problem_id)
        .where(inside(scope))
        .group_by(LookBackSample.id)
        .order_by(LookBackSample.id.desc())
        .limit(limit)
    )

    def drawn_from(sample: LookBackSample) -> int | None:
        own = sample.login_id is not None and sample.login_id == actor.login_id
        return sample.candidates if scope.everywhere or own else None

    return [
        Progress(sample, total, good, failed, overdue, drawn_from(sample))
        for sample, total, good, failed, overdue in session.execute(query)
    ]


def read_checks(
    session: Session,
    scope: Scope,
    *,
    sample_uid: Any = None,
    person_id: int | None = None,
    unanswered: bool = False,
    limit: int = 500,
) -> list[CheckTask]:
    """Return checks of problems in scope, what is due first before the others.

    Parameters
    ----------
    sample_uid
        Only those of this sample.
    person_id
        Only those that this person is to do.
    unanswered
        Only those without an answer.
    limit
        At most so many.
    """
    query = select(CheckTask).join(Problem, Problem.id == CheckTask.problem_id).where(inside(scope))
    if sample_uid is not None:
        query = query.join(LookBackSample, LookBackSample.id == CheckTask.sample_id).where(
            LookBackSample.uid == sample_uid
        )
    if person_id is not None:
        query = query.where(CheckTask.person_id == person_id)
    if unanswered:
        query = query.where(CheckTask.done_at.is_(None))
    order = (CheckTask.done_at.is_not(None), CheckTask.due_at, CheckTask.id)
    return list(session.scalars(query.order_by(*order).limit(limit)))


@dataclass(frozen=True, slots=True)
class Unsolved:
    """A closed problem of which a resident says that it is not solved."""

    problem_id: int
    said_at: datetime
    text: str


def read_unsolved(session: Session, scope: Scope, *, limit: int = 200) -> list[Unsolved]:
    """Return closed problems in scope of which residents said last that they are not solved, oldest first.

    It stays until somebody has looked again since, or a resident says that it is solved; see
    `gridmap.residents.unsolved`.

    Parameters
    ----------
    limit
        At most so many.
    """
    note = ResidentNote
    query = (
        select(note.problem_id, note.at, note.text)
        .join(Problem, Problem.id == note.problem_id)
        .where(*unsettled(), Problem.state == State.CLOSED, inside(scope))
        .order_by(note.at, note.id)
        .limit(limit)
    )
    return [Unsolved(*row) for row in session.execute(query)]
