"""Reading notices and the accountability list, limited to their reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gridmap.deadlines.models import Accountability, AccountabilityState, Notice, NoticeItem, NoticeKind
from gridmap.deadlines.notices import visible
from gridmap.errors import NotFoundError
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Permission
from gridmap.people.within import readable, within
from gridmap.problems.models import Category, Problem, State

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Document", "Summary", "list_accountability", "list_notices", "read_notice"]

_RESOLVED = tuple(state for state in State if state.resolved)
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Summary:
    """A notice in a list, with what the reader may see of it."""

    notice: Notice
    organisation: str
    problems: int
    resolved: int


@dataclass(frozen=True, slots=True)
class Document:
    """A notice with its problems that the reader may see, first due first."""

    notice: Notice
    organisation: str
    problems: Sequence[Any]
    """Rows with `uid`, `id`, `address`, `description`, `due_at`, `state`, `named_in` (its state in the
    notice; None on old ones), `category`, `category_en`, and `readable`: whether the reader may open the
    problem itself."""


def list_notices(
    session: Session,
    actor: Actor,
    *,
    kind: NoticeKind | None = None,
    unanswered: bool = False,
    page: int = 1,
) -> tuple[list[Summary], bool]:
    """Return one page of notices, latest first, and whether there is another.

    Raises
    ------
    PermissionDeniedError
        If the actor may read notices nowhere.
    """
    scope = actor.scope(Permission.NOTICE_READ)
    query = (
        select(Notice, Organisation.name)
        .join(Organisation, Organisation.id == Notice.organisation_id)
        .where(visible(actor, Permission.NOTICE_READ))
    )
    if kind is not None:
        query = query.where(Notice.kind == kind)
    if unanswered:
        query = query.where(Notice.answered_at.is_(None))
    query = query.order_by(Notice.issued_at.desc(), Notice.id.desc())
    found = session.execute(query.offset((page - 1) * _PAGE).limit(_PAGE + 1)).all()
    counts = {
        number: (every, done)
        for number, every, done in session.execute(
            select(NoticeItem.notice_id, func.count(), func.count().filter(Problem.state.in_(_RESOLVED)))
            .join(Problem, Problem.id == NoticeItem.problem_id)
            .join(Notice, Notice.id == NoticeItem.notice_id)
            .where(
                Notice.id.in_([notice.id for notice, _ in found]),
                within(scope, Problem.area_id, Notice.organisation_id),
            )
            .group_by(NoticeItem.notice_id)
        )
    }
    summaries = [Summary(notice, name, *counts[notice.id]) for notice, name in found[:_PAGE]]
    return summaries, len(found) > _PAGE


def read_notice(session: Session, actor: Actor, uid: uuid.UUID) -> Document:
    """Return one notice.

    Raises
    ------
    PermissionDeniedError
        If the actor may read notices nowhere.
    NotFoundError
        If there is none within the actor's limits.
    """
    scope = actor.scope(Permission.NOTICE_READ)
    found = session.execute(
        select(Notice, Organisation.name)
        .join(Organisation, Organisation.id == Notice.organisation_id)
        .where(Notice.uid == uid, visible(actor, Permission.NOTICE_READ))
    ).one_or_none()
    if found is None:
        raise NotFoundError("There is no such notice, or it lies outside your limits.")
    notice, organisation = found
    problems = session.execute(
        select(
            Problem.uid,
            Problem.id,
            Problem.address,
            Problem.description,
            Problem.state,
            NoticeItem.due_at,
            NoticeItem.state.label("named_in"),
            Category.name.label("category"),
            Category.name_en.label("category_en"),
            readable(actor, Problem.area_id, Problem.organisation_id).label("readable"),
        )
        .join(NoticeItem, NoticeItem.problem_id == Problem.id)
        .join(Notice, Notice.id == NoticeItem.notice_id)
        .join(Category, Category.id == Problem.category_id)
        .where(Notice.id == notice.id, within(scope, Problem.area_id, Notice.organisation_id))
        .order_by(NoticeItem.due_at, Problem.id)
    ).all()
    return Document(notice, organisation, problems)


def list_accountability(
    session: Session, actor: Actor, *, state: AccountabilityState | None = None, page: int = 1
) -> tuple[Sequence[Any], bool]:
    """Return one page of the accountability list, latest first, and whether there is another.

    Raises
    ------
    PermissionDeniedError
        If the actor may read it nowhere.
    """
    scope = actor.scope(Permission.NOTICE_READ)
    query = (
        select(
            Accountability,
            Problem.uid,
            Problem.id.label("number"),
            Problem.address,
            Problem.state.label("problem_state"),
            Category.name.label("category"),
            Category.name_en.label("category_en"),
            Organisation.name.label("organisation"),
            Person.name.label("person"),
            readable(actor, Problem.area_id, Problem.organisation_id).label("readable"),
        )
        .join(Problem, Problem.id == Accountability.problem_id)
        .join(Category, Category.id == Problem.category_id)
        .outerjoin(Organisation, Organisation.id == Accountability.organisation_id)
        .outerjoin(Person, Person.id == Accountability.person_id)
        .where(within(scope, Problem.area_id, Accountability.organisation_id))
    )
    if state is not None:
        query = query.where(Accountability.state == state)
    query = query.order_by(Accountability.entered_at.desc(), Accountability.id.desc())
    found = session.execute(query.offset((page - 1) * _PAGE).limit(_PAGE + 1)).all()
    return found[:_PAGE], len(found) > _PAGE
