"""Coverage audit, mending the tiling, and drawing new cells."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import shapely
from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import func, select

from geodata.projection import LocalProjection
from gridmap.coverage.audit import FindingKind, audit_coverage
from gridmap.coverage.drawing import Wish, apply_drawing, cells_drawn, propose_cells, told
from gridmap.coverage.repair import apply_repair, offer_repair
from gridmap.errors import InvalidValueError
from gridmap.imports.plan import ImportOptions, Writer
from gridmap.jobs import JobState, silent
from gridmap.labels import label
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.places.models import Area, GridCell, Street
from gridmap.store.engine import reading, writing
from gridmap.store.spatial import in_box
from web.access import needs
from web.background import begin_job
from web.installation import actor, db, installation
from web.pages.foreseen import foreseen

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from werkzeug.wrappers import Response

    from gridmap.jobs import Progress
    from gridmap.people.permissions import Actor
    from web.installation import Installation

pages = Blueprint("coverage", __name__, url_prefix="/coverage")

_SHOWN = 200
_PICTURE_WIDTH = 900


def _today() -> Any:
    return datetime.now(installation().settings.zone).date()


def _writer(here: Installation, who: Actor, session: Session, progress: Progress) -> Writer:
    return Writer(
        session=session,
        actor=who,
        now=datetime.now(UTC),
        options=ImportOptions(zone=here.settings.zone),
        progress=progress,
        settings=here.settings,
    )


@pages.get("")
@needs(Permission.PLACE_AUDIT)
def audit() -> str:
    """Show what nobody holds, and what is wrong between cells."""
    found = audit_coverage(db(), actor(), on=_today(), progress=silent)
    groups = [
        (kind, label(kind), [finding for finding in found.findings if finding.kind is kind])
        for kind in FindingKind
    ]
    mendable = any(finding.geometry is not None for finding in found.findings)
    may_mend = actor().may_everywhere(Permission.PLACE_DRAW)
    return render_template(
        "coverage.html", audit=found, groups=groups, shown=_SHOWN, mendable=mendable and may_mend
    )


@pages.get("/repair")
@needs(Permission.PLACE_DRAW)
def show_repair() -> str:
    """Show which cells would change to mend the tiling."""
    actor().scope_everywhere(Permission.PLACE_DRAW)
    return render_template("repair.html", offer=offer_repair(db(), actor(), on=_today()))


@pages.post("/repair")
@needs(Permission.PLACE_DRAW)
def mend() -> Response:
    """Mend the tiling."""
    here = installation()
    with writing(here.engine) as session:
        record = apply_repair(_writer(here, actor(), session, silent))
        uid = record.uid
    return redirect(url_for("imports.index") + f"#i-{uid}")


@pages.get("/draw")
@needs(Permission.PLACE_DRAW)
def drawing() -> str:
    """Show the form, and a proposal if there is one."""
    actor().scope_everywhere(Permission.PLACE_DRAW)
    areas = (
        db()
        .execute(
            select(Area.uid, Area.name, Area.code, func.count(GridCell.id))
            .outerjoin(GridCell, (GridCell.area_id == Area.id) & GridCell.in_force(_today()))
            .where(Area.in_force(_today()))
            .group_by(Area.id, Area.uid, Area.name, Area.code)
            .order_by(Area.code)
        )
        .all()
    )
    job = None
    if request.args.get("job"):
        job = installation().jobs.find(request.args["job"], owner=actor().login_id)
        if job.kind == "draw" and job.state is JobState.DONE:
            return render_template("draw_done.html", result=job.result)
    return render_template("draw.html", areas=areas, job=job, wish=job.result.get("wish", {}) if job else {})


def _wish() -> Wish:
    form = request.form
    numbers: dict[str, Any] = {}
    for name, kind in (
        ("count", int),
        ("work_per_cell", float),
        ("seed", int),
        ("per_km", float),
        ("per_point", float),
        ("per_problem", float),
    ):
        if text := form.get(name, "").strip():
            try:
                numbers[name] = kind(text)
            except ValueError as error:
                raise InvalidValueError(
                    "Expected a number; found “{found}”.", parameter=name, found=text
                ) from error
    try:
        area = uuid.UUID(form.get("area", ""))
    except ValueError as error:
        raise InvalidValueError("Choose an area.", parameter="area") from error
    return Wish(area_uid=area, prefix=form.get("prefix", "").strip(), **numbers)


@pages.post("/draw")
@needs(Permission.PLACE_DRAW)
def propose() -> Response:
    """Begin to draw a proposal, or to put one in force."""
    actor().scope_everywhere(Permission.PLACE_DRAW)
    wish, here, who = _wish(), installation(), actor()
    stated = {
        name: str(getattr(wish, name)) for name in Wish.__slots__ if getattr(wish, name) not in (None, "")
    }
    stated["area"] = stated.pop("area_uid")

    def proposal(progress: Progress) -> dict[str, Any]:
        with reading(here.engine) as session:
            drawn = propose_cells(_writer(here, who, session, progress), wish)
            picture = _picture(session, drawn.drawn.cells, drawn.drawn.work)
            cells = cells_drawn(session, drawn, datetime.now(here.settings.zone).date())
            moves = foreseen(session, who, cells, here.settings)
        result = {"wish": stated, "picture": picture, "replaced": drawn.replaced, "moves": moves}
        return result | _told(drawn)

    def put_in_force(progress: Progress) -> dict[str, Any]:
        with writing(here.engine) as session:
            record, drawn = apply_drawing(_writer(here, who, session, progress), wish)
            return {"uid": str(record.uid), "area": drawn.area_name, **_told(drawn)}

    apply = bool(request.form.get("apply"))
    job = begin_job(
        "draw" if apply else "propose",
        put_in_force if apply else proposal,
        title=db().scalar(select(Area.name).where(Area.uid == wish.area_uid)) or "",
        page=lambda uid: url_for("coverage.drawing", job=uid),
    )
    return redirect(job.page)


def _told(proposal: Any) -> dict[str, Any]:
    drawn = proposal.drawn
    return {
        "count": len(proposal.codes),
        "codes": [proposal.codes[0], proposal.codes[-1]],
        "told": told(proposal),
        "remarks": [gettext(remark.message, **remark.params) for remark in drawn.remarks],
    }


def _picture(session: Session, cells: Any, work: Any) -> dict[str, Any]:
    """Cells and streets as paths of a drawing 900 units wide, north up."""
    projection = LocalProjection.around(cells)
    metric = projection.forward(cells)
    west, south, east, north = shapely.total_bounds(metric)
    scale = _PICTURE_WIDTH / (east - west)
    box = in_box(session, Street, shapely.geometrycollections(cells).bounds)
    rows = session.execute(select(func.ST_AsBinary(Street.geometry), Street.road_class).where(box)).all()
    lines: Any = projection.forward(shapely.from_wkb([row[0] for row in rows])) if rows else []

    def path(line: Any) -> str:
        points = shapely.get_coordinates(line)
        flat = ((points[:, 0] - west) * scale, (north - points[:, 1]) * scale)
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(*flat, strict=True))

    mean = float(work.mean()) or 1.0
    return {
        "height": round((north - south) * scale),
        "cells": [
            {
                "d": "".join(
                    path(ring) + "Z" for part in shapely.get_parts(cell) for ring in shapely.get_rings(part)
                ),
                "share": round(float(w) / mean, 2),
            }
            for cell, w in zip(metric, work, strict=True)
        ],
        "streets": [
            {"d": path(line), "main": row[1] in {"motorway", "trunk", "primary", "secondary"}}
            for line, row in zip(lines, rows, strict=True)
        ],
    }
