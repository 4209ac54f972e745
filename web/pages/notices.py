"""Notices to organisations, and the accountability list."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select

from gridmap.deadlines.accountability import decide
from gridmap.deadlines.models import AccountabilityState, NoticeKind
from gridmap.deadlines.notices import (
    answer_notice,
    answer_time,
    issue_notices,
    nameable,
    notice_title,
    problems_for_notices,
)
from gridmap.deadlines.queries import list_accountability, list_notices, read_notice
from gridmap.deadlines.stages import STAGES
from gridmap.errors import InvalidValueError
from gridmap.labels import label
from gridmap.language import current_language
from gridmap.people.models import Organisation, OrganisationKind
from gridmap.people.permissions import Permission
from gridmap.problems.models import Category
from gridmap.store.engine import writing
from web.access import needs
from web.api.answering import view_of
from web.api.parameters import ProblemsQuery
from web.api.problems import rows_of
from web.installation import actor, db, installation
from web.pages.asking import asked

if TYPE_CHECKING:
    import uuid
    from enum import StrEnum

    from werkzeug.wrappers import Response

pages = Blueprint("notices", __name__)


def shown() -> dict[str, Any]:
    """Return what templates about notices need to show times and names."""
    zone = installation().settings.zone

    def when(moment: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
        return moment.astimezone(zone).strftime(form) if moment else "—"

    def named(chinese: str, english: str) -> str:
        return english if english and current_language() == "en" else chinese

    return {"when": when, "named": named, "label": label, "title_of": notice_title}


def _page() -> int:
    text = request.args.get("page", "1")
    return max(int(text), 1) if text.isdecimal() and len(text) < 6 else 1


def _member(kind: type[StrEnum], text: str | None) -> Any:
    """Return the member of an enumeration; None if blank.

    Raises
    ------
    InvalidValueError
        If it is none.
    """
    if not text:
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidValueError(
            "Expected one of {expected}; found {found!r}.", expected=", ".join(kind), found=text
        ) from error


def _numbers(text: str) -> list[int]:
    parts = re.split(r"[\s,，、;；#]+", text.strip())
    wrong = [part for part in parts if part and not (part.isdecimal() and len(part) < 16)]
    if wrong:
        raise InvalidValueError(
            "Expected case numbers; found {found!r}.", parameter="problems", found=wrong[0][:40]
        )
    return [int(part) for part in parts if part]


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=installation().settings.zone)
    except ValueError as error:
        raise InvalidValueError(
            "Expected a date and a time; found {found!r}.", parameter="answer_by", found=text[:40]
        ) from error


@pages.get("/notices")
@needs(Permission.NOTICE_READ)
def index() -> str:
    """List the notices."""
    kind = _member(NoticeKind, request.args.get("kind"))
    unanswered = request.args.get("answered") == "no"
    found, more = list_notices(db(), actor(), kind=kind, unanswered=unanswered, page=_page())
    return render_template(
        "notices.html",
        notices=found,
        more=more,
        page=_page(),
        kind=kind,
        kinds=list(NoticeKind),
        unanswered=unanswered,
        now=datetime.now(UTC),
        may_issue=actor().may(Permission.NOTICE_ISSUE),
        **shown(),
    )


def _of_the_list() -> tuple[str, int]:
    """Case numbers that a notice may name among those of a list, and how many of it are left out."""
    if request.args["of"] == "numbers":
        matching = np.array(_numbers(request.args.get("numbers", "")), dtype=np.int64)
    else:
        query = asked(ProblemsQuery, but=("kind", "of"))
        view = view_of(query)
        matching = view.snapshot.number[rows_of(view, query)]
    numbers = nameable(db(), actor(), matching)
    return " ".join(map(str, numbers)), len(matching) - len(numbers)


@pages.get("/notices/new")
@needs(Permission.NOTICE_ISSUE)
def compose() -> str:
    """Show which organisations would get a notice, and which problems it would name.

    With ``of`` the problems come from the list, by their ``numbers`` or by its filter; those that cannot be
    named are left out.
    """
    kind = _member(NoticeKind, request.args.get("kind")) or NoticeKind.RECTIFICATION
    text, left_out = request.args.get("problems", ""), 0
    if request.args.get("of"):
        text, left_out = _of_the_list()
    groups: dict[str, list[Any]] = {}
    if text.strip():
        found = problems_for_notices(db(), actor(), _numbers(text), kind=kind)
        for problem in found:
            organisation = db().get_one(Organisation, problem.organisation_id)
            groups.setdefault(organisation.name, []).append(problem)
    here = installation().settings
    return render_template(
        "notice_new.html",
        problems=text,
        left_out=left_out,
        kind=kind,
        kinds=list(NoticeKind),
        groups=groups,
        categories={one.id: one for one in db().scalars(select(Category))} if groups else {},
        suggested=answer_time(here, datetime.now(UTC)).astimezone(here.zone).strftime("%Y-%m-%dT%H:%M"),
        now=datetime.now(UTC),
        **shown(),
    )


@pages.post("/notices")
@needs(Permission.NOTICE_ISSUE)
def issue() -> Response:
    """Issue notices, of the kind that the form says."""
    here = installation()
    kind = _member(NoticeKind, request.form.get("kind")) or NoticeKind.RECTIFICATION
    with writing(here.engine) as session:
        made = issue_notices(
            session,
            actor(),
            _numbers(request.form.get("problems", "")),
            settings=here.settings,
            now=datetime.now(UTC),
            kind=kind,
            demand=request.form.get("text", ""),
            answer_by=_moment(request.form.get("answer_by", "")),
        )
        uids = [notice.uid for notice in made]
    if len(uids) == 1:
        return redirect(url_for("notices.show", uid=uids[0]))
    return redirect(url_for("notices.index", kind=kind.value))


@pages.get("/notices/<uuid:uid>")
@needs(Permission.NOTICE_READ)
def show(uid: uuid.UUID) -> str:
    """Show one notice as the paper it is."""
    document = read_notice(db(), actor(), uid)
    office = db().scalar(
        select(Organisation.name)
        .where(Organisation.kind == OrganisationKind.HEADQUARTERS)
        .order_by(Organisation.id)
        .limit(1)
    )
    return render_template(
        "notice.html",
        document=document,
        notice=document.notice,
        waiting=bool(document.problems) and all(one.named_in in STAGES for one in document.problems),
        early=any(one.due_at is None or one.due_at >= document.notice.issued_at for one in document.problems),
        office=office,
        kinds=NoticeKind,
        may_answer=actor().may(Permission.NOTICE_ANSWER),
        **shown(),
    )


@pages.post("/notices/<uuid:uid>/answer")
@needs(Permission.NOTICE_ANSWER)
def answer(uid: uuid.UUID) -> Response:
    """Answer a notice for the organisation."""
    with writing(installation().engine) as session:
        answer_notice(session, actor(), uid, request.form.get("answer", ""), now=datetime.now(UTC))
    return redirect(url_for("notices.show", uid=uid))


@pages.get("/accountability")
@needs(Permission.NOTICE_READ)
def accountability() -> str:
    """Show the accountability list."""
    state = _member(AccountabilityState, request.args.get("state"))
    found, more = list_accountability(db(), actor(), state=state, page=_page())
    return render_template(
        "accountability.html",
        entries=found,
        more=more,
        page=_page(),
        state=state,
        states=list(AccountabilityState),
        decisions=[one for one in AccountabilityState if one is not AccountabilityState.OPEN],
        may_decide=actor().may(Permission.ACCOUNTABILITY_DECIDE),
        **shown(),
    )


@pages.post("/accountability/<uuid:uid>")
@needs(Permission.ACCOUNTABILITY_DECIDE)
def settle(uid: uuid.UUID) -> Response:
    """Say what becomes of an entry."""
    state = _member(AccountabilityState, request.form.get("state"))
    with writing(installation().engine) as session:
        decide(
            session,
            actor(),
            uid,
            state or AccountabilityState.OPEN,
            note=request.form.get("note", ""),
            now=datetime.now(UTC),
        )
    return redirect(url_for("notices.accountability") + f"#a-{uid}")
