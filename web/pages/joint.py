"""Joint operations: planned, joined by problems, counted, ended."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from flask import Blueprint, redirect, render_template, request, url_for

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.joint.queries import Operation, read_operation, read_operations, tally
from gridmap.joint.service import Draft, add_problems, add_result, end_operation, plan_operation
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.records import read_records
from gridmap.store.engine import writing
from web.access import needs
from web.api.answering import directory, now
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

__all__ = ["pages"]

pages = Blueprint("joint", __name__, url_prefix="/joint")


@pages.get("")
@needs(Permission.PROBLEM_READ)
def index() -> str:
    """List the operations and what they have counted together."""
    return _index()


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
        zone=installation().settings.zone,
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
        "results": operation.results,
        "problems": operation.problems,
    }


@pages.post("")
@needs(Permission.JOINT_MANAGE)
def plan() -> Response | str:
    """Plan an operation."""
    form, here = request.form, installation()
    try:
        local = datetime.fromisoformat(form.get("starts_at", ""))
        uid = UUID(form.get("uid", ""))
    except ValueError:
        return _index(gettext("Say when the operation begins."))
    draft = Draft(
        uid=uid,
        name=form.get("name", ""),
        area=form.get("area", ""),
        leader=form.get("leader", ""),
        participants=tuple(form.getlist("participants")),
        starts_at=(local if local.tzinfo else local.replace(tzinfo=here.settings.zone)).astimezone(UTC),
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
    return render_template(
        "joint_operation.html",
        one=_told(operation),
        problems=records.rows,
        manager=actor().may(Permission.JOINT_MANAGE),
        begun=operation.row.starts_at <= now(),
        fault=fault,
        zone=installation().settings.zone,
    )


@pages.post("/<uuid:uid>")
@needs(Permission.JOINT_MANAGE)
def change(uid: UUID) -> Response | str:
    """Take problems in, count a result, or end the operation."""
    form = request.form
    try:
        with writing(installation().engine) as session:
            if form.get("do") == "problems":
                numbers = [int(text) for text in re.findall(r"\d{1,18}", form.get("numbers", ""))]
                add_problems(session, actor(), uid, numbers, now=now())
            elif form.get("do") == "result":
                count = form.get("count", "").strip()
                add_result(
                    session,
                    actor(),
                    uid,
                    what=form.get("what", ""),
                    count=int(count) if count.isdecimal() and len(count) < 12 else 0,
                    unit=form.get("unit", ""),
                    now=now(),
                )
            else:
                end_operation(session, actor(), uid, now=now())
    except InvalidValueError as error:
        return _show(uid, gettext(error.message, **error.params))
    return redirect(url_for("joint.show", uid=uid))
