"""What waits to be looked at before the public may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gridmap.evidence.models import Attachment, AttachmentState, MediaKind
from gridmap.language import listed
from gridmap.people.permissions import Permission
from gridmap.problems.models import Category, Problem
from gridmap.residents.models import (
    Moderation,
    Publication,
    PublicPhoto,
    Reporter,
    ResidentNote,
    ResidentReport,
)
from gridmap.residents.rules import attributes_of
from gridmap.residents.unsolved import unsettled
from gridmap.shops.queries import within

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor

__all__ = ["Held", "moderation_tray", "reporter_of"]


@dataclass(frozen=True, slots=True)
class Held:
    """A report in the moderation tray."""

    problem: Problem
    category: Category
    publication: Publication
    report: ResidentReport | None
    photos: list[Attachment]
    """Those that came with no remark."""
    public: set[int]
    """Ids of the photos that are public."""
    notes: list[ResidentNote]
    photos_of: dict[int, list[Attachment]]
    """Photos that came with a remark, by its id."""

    @property
    def answers(self) -> list[tuple[str, str, str]]:
        """What the report answers to what its category asks: code, question and answer in words."""
        if self.report is None:
            return []
        asked = {one.code: one for one in attributes_of(self.category.code)}
        found = []
        for code, values in self.report.attributes.items():
            names = dict(asked[code].values) if code in asked else {}
            question = asked[code].description if code in asked else code
            found.append((code, question, listed(names.get(value, value) for value in values)))
        return found


def moderation_tray(
    session: Session, actor: Actor, show: str, *, limit: int = 50, offset: int = 0
) -> tuple[list[Held], dict[str, int]]:
    """Return what somebody must look at, and how many there are of each sort.

    Parameters
    ----------
    show
        ``held``: reports nobody has looked at; ``notes``: with such remarks; ``not_solved``: said to be not
        solved, and not looked at again since; ``published`` and ``hidden``.
    limit, offset
        At most so many, after so many.
    """
    inside = within(actor.scope(Permission.RESIDENT_MODERATE), Problem)
    waiting = select(ResidentNote.problem_id).where(ResidentNote.state == Moderation.HELD)
    unhappy = select(ResidentNote.problem_id).where(*unsettled())
    sorts: dict[str, ColumnElement[bool]] = {
        "held": Publication.state == Moderation.HELD,
        "notes": Problem.id.in_(waiting),
        "not_solved": Problem.id.in_(unhappy),
        "published": Publication.state == Moderation.PUBLISHED,
        "hidden": Publication.state == Moderation.HIDDEN,
    }
    joined = Publication.problem_id == Problem.id
    query = select(func.count(Problem.id)).join(Publication, joined).where(inside)
    counts = {name: session.scalar(query.where(condition)) or 0 for name, condition in sorts.items()}
    rows = session.execute(
        select(Problem, Category, Publication, ResidentReport)
        .join(Publication, joined)
        .join(Category, Category.id == Problem.category_id)
        .outerjoin(ResidentReport, ResidentReport.problem_id == Problem.id)
        .where(inside, sorts.get(show, sorts["held"]))
        .order_by(Problem.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    numbers = [problem.id for problem, *_ in rows]
    photos = session.scalars(
        select(Attachment)
        .where(
            Attachment.problem_id.in_(numbers),
            Attachment.kind == MediaKind.PHOTO,
            Attachment.state == AttachmentState.READY,
        )
        .order_by(Attachment.id)
    ).all()
    public = set(
        session.scalars(select(PublicPhoto.attachment_id).where(PublicPhoto.problem_id.in_(numbers)))
    )
    notes = session.scalars(
        select(ResidentNote).where(ResidentNote.problem_id.in_(numbers)).order_by(ResidentNote.at)
    ).all()
    said = {uid for note in notes for uid in note.photos}
    found = [
        Held(
            problem,
            category,
            publication,
            report,
            [one for one in photos if one.problem_id == problem.id and str(one.uid) not in said],
            public,
            [note for note in notes if note.problem_id == problem.id],
            {
                note.id: [one for one in photos if str(one.uid) in note.photos]
                for note in notes
                if note.problem_id == problem.id
            },
        )
        for problem, category, publication, report in rows
    ]
    return found, counts


def reporter_of(session: Session, actor: Actor, reports: Iterable[ResidentReport]) -> dict[int, Reporter]:
    """Who reported, by the report's id: for those whose role needs it; the reports were read as they may."""
    if not actor.may(Permission.RESIDENT_CONTACT):
        return {}
    scope = actor.scope(Permission.RESIDENT_CONTACT)
    ids = [one.id for one in reports]
    rows = session.execute(
        select(Reporter, Problem.area_id, Problem.organisation_id)
        .join(ResidentReport, ResidentReport.id == Reporter.report_id)
        .join(Problem, Problem.id == ResidentReport.problem_id)
        .where(Reporter.report_id.in_(ids))
    )
    return {one.report_id: one for one, area, organisation in rows if scope.covers(area, organisation)}
