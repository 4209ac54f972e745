"""Joint operations: planned, joined by problems, counted, ended."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from flask import Blueprint, redirect, render_template, request, url_for

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.joint.queries import history_of, read_operation, read_operations, tally
from gridmap.joint.revising import Revision, drop_problems, drop_result, revise_operation
from gridmap.joint.service import Draft, add_problems, add_result, end_operation, plan_operation
from gridmap.language import N_, gettext, listed
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.records import read_records
from gridmap.store.engine import writing
from web.access import needs
from web.api.answering import directory, now
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from werkzeug.wrappers import Response

    from gridmap.joint.queries import Line, Operation

__all__ = ["pages"]

pages = Blueprint("joint", __name__, url_prefix="/joint")


@pages.get("")
@needs(Permission.PROBLEM_READ)
def index() -> str:
    """List the operations and what they have counted together."""
    return _index()


_WHATS = {
    "planned": N_("planned"),
    "edited": N_("edited"),
    "problems_in": N_("problems taken in"),
    "problems_out": N_("problems taken out"),
    "counted": N_("counted"),
    "uncounted": N_("count taken back"),
    "ended": N_("ended"),
}
_FIELDS = {
    "name": N_("Name of the operation"),
    "leader": N_("Organisation that leads"),
    "participants": N_("Organisations that take part"),
    "starts_at": N_("Begins"),
    "place": N_("Place"),
    "remark": N_("Remark"),
    "problems": N_("Problems"),
    "result": N_("Counted"),
}


def _index(fault: str = "") -> str:
    scope = actor().scope(Permission.PROBLEM_READ)
    names = directory()
    form = request.form
    manager = actor().may(Permission.JOINT_MANAGE)
    managed = actor().scope(Permission.JOINT_MANAGE).areas if manager else frozenset()
    return render_template(
        "joint.html",
        operations=[_told(one) for one in read_operations(db(), scope)],
        tally=tally(db(), scope),
        manager=manager,
        areas=sorted(
            (one for one in names.areas if managed is None or one.id in managed), key=lambda one: one.code
        )
        if manager
        else [],
        organisations=sorted(names.organisations, key=lambda one: one.name) if manager else [],
        form=form,
        chosen=form.getlist("participants"),
        uid=form.get("uid") or uuid4(),
        fault=fault,
    )


def _told(operation: Operation) -> dict[str, Any]:
    names, row = directory(), operation.row

    def name(entry: Any) -> str:
        return "–" if entry is None else entry.name

    return {
        "row": row,
        "area": name(names.areas.get(row.area_id)),
        "leader": name(names.organisations.get(row.organisation_id)),
        "others": [
            name(names.organisations.get(one.organisation_id))
            for one in operation.participants
            if one.organisation_id != row.organisation_id
        ],
        "bodies": [
            {
                "uid": entry.uid,
                "name": entry.name,
                "people": one.people,
                "leads": one.organisation_id == row.organisation_id,
            }
            for one in operation.participants
            if (entry := names.organisations.get(one.organisation_id)) is not None
        ],
        "people": operation.people,
        "results": operation.results,
        "problems": operation.problems,
    }


def _starts_at() -> datetime:
    """When the operation begins, as the form says; ValueError if it does not."""
    local = datetime.fromisoformat(request.form.get("starts_at", ""))
    return (local if local.tzinfo else local.replace(tzinfo=installation().settings.zone)).astimezone(UTC)


def _whole(text: str) -> int:
    """A whole number that a form holds; -1 where it holds none."""
    return int(text) if text.isdecimal() and len(text) < 12 else -1


@pages.post("")
@needs(Permission.JOINT_MANAGE)
def plan() -> Response | str:
    """Plan an operation."""
    form, here = request.form, installation()
    try:
        uid, starts_at = UUID(form.get("uid", "")), _starts_at()
    except ValueError:
        return _index(gettext("Say when the operation begins."))
    draft = Draft(
        uid=uid,
        name=form.get("name", ""),
        area=form.get("area", ""),
        leader=form.get("leader", ""),
        participants=tuple(form.getlist("participants")),
        starts_at=starts_at,
        place=form.get("place", ""),
        remark=form.get("remark", ""),
    )
    try:
        with writing(here.engine) as session:
            plan_operation(session, actor(), draft, now=now())
    except InvalidValueError as error:
        return _index(gettext(error.message, **error.params))
    return redirect(url_for("joint.show", uid=uid))


@pages.get("/<uuid:uid>")
@needs(Permission.PROBLEM_READ)
def show(uid: UUID) -> str:
    """Show one operation."""
    return _show(uid)


def _show(uid: UUID, fault: str = "") -> str:
    scope = actor().scope(Permission.PROBLEM_READ)
    operation = read_operation(db(), scope, uid)
    if operation is None:
        raise NotFoundError("There is no such joint operation, or it lies outside what you may see.")
    faces = Faces(directory(), actor())
    records = read_records(db(), operation.problems, faces=faces, scope=scope, moment=now())
    lines, seen = history_of(db(), scope, operation.row)
    return render_template(
        "joint_operation.html",
        one=_told(operation),
        lines=[_line(line) for line in lines],
        seen=seen,
        organisations=sorted(directory().organisations, key=lambda one: one.name),
        problems=records.rows,
        manager=actor().may(Permission.JOINT_MANAGE),
        begun=operation.row.starts_at <= now(),
        fault=fault,
    )


def _line(line: Line) -> dict[str, Any]:
    """A line of the history as it is read."""
    zone = installation().settings.zone

    def read(name: str, value: Any) -> str:
        if name == "starts_at":
            return datetime.fromisoformat(value).astimezone(zone).strftime("%Y-%m-%d %H:%M")
        return listed(value) if isinstance(value, list) else str(value)

    return {
        "what": gettext(_WHATS[line.what]),
        "changes": [
            (gettext(_FIELDS[name]), read(name, before), read(name, after))
            for name, (before, after) in line.changes.items()
        ],
        "actor": line.actor,
        "at": line.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
    }


@pages.post("/<uuid:uid>")
@needs(Permission.JOINT_MANAGE)
def change(uid: UUID) -> Response | str:
    """Edit the plan, take problems in or out, count a result or take one back, or end the operation."""
    try:
        with writing(installation().engine) as session:
            _CHANGES.get(request.form.get("do", ""), _none)(session, uid)
    except InvalidValueError as error:
        return _show(uid, gettext(error.message, **error.params))
    return redirect(url_for("joint.show", uid=uid))


def _none(session: Session, uid: UUID) -> None:  # noqa: ARG001 - one signature for all
    raise InvalidValueError(
        "Expected one of {expected}; found {found!r}.",
        parameter="do",
        expected=", ".join(_CHANGES),
        found=request.form.get("do", "")[:40],
    )


def _end(session: Session, uid: UUID) -> None:
    end_operation(session, actor(), uid, now=now())


def _edit(session: Session, uid: UUID) -> None:
    form = request.form
    try:
        starts_at = _starts_at()
    except ValueError as error:
        raise InvalidValueError("Say when the operation begins.", parameter="starts_at") from error
    stay = [*form.getlist("stays"), *form.getlist("participants")]
    wish = Revision(
        name=form.get("name", ""),
        leader=form.get("leader", ""),
        people={body: _whole(form.get(f"people-{body}", "0").strip() or "0") for body in stay},
        starts_at=starts_at,
        place=form.get("place", ""),
        remark=form.get("remark", ""),
        seen=_whole(form.get("seen", "")),
    )
    revise_operation(session, actor(), uid, wish, now=now())


def _take_in(session: Session, uid: UUID) -> None:
    numbers = [int(text) for text in re.findall(r"\d{1,18}", request.form.get("numbers", ""))]
    add_problems(session, actor(), uid, numbers, now=now())


def _take_out(session: Session, uid: UUID) -> None:
    drop_problems(session, actor(), uid, [_whole(request.form.get("number", ""))], now=now())


def _count(session: Session, uid: UUID) -> None:
    form = request.form
    what, unit, count = form.get("what", ""), form.get("unit", ""), _whole(form.get("count", "").strip())
    add_result(session, actor(), uid, what=what, count=count, unit=unit, now=now())


def _uncount(session: Session, uid: UUID) -> None:
    try:
        result = UUID(request.form.get("result", ""))
    except ValueError as error:
        raise NotFoundError("The operation has not counted that.") from error
    drop_result(session, actor(), uid, result, now=now())


_CHANGES = {
    "edit": _edit,
    "problems": _take_in,
    "out": _take_out,
    "result": _count,
    "uncount": _uncount,
    "end": _end,
}
