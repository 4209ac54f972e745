"""Problems: lists, single ones, and how many there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from flask import Response
from sqlalchemy import select

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.evidence.queries import attachments_of
from gridmap.hotspots.counts import cell_loads, summarise
from gridmap.hotspots.listing import in_box, page_of
from gridmap.hotspots.place_counts import rows_at
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.places.ground import ground_on
from gridmap.places.queries import find_place
from gridmap.problems.assignment import areas_of
from gridmap.problems.editing import correctable
from gridmap.problems.models import Category
from gridmap.problems.records import find_number, history_of, read_records
from gridmap.problems.service import checked_shape, may_record_in, record_problem
from gridmap.problems.shares import shared_into, shares_of, stand_for
from gridmap.problems.similar import find_similar
from gridmap.store.engine import writing
from gridmap.workflow.queries import course_of
from gridmap.workflow.undo import undoable
from web.access import needs
from web.api.answering import (
    GEOJSON,
    Body,
    answers,
    as_json,
    change_told,
    directory,
    feature_collection,
    now,
    today,
    view_of,
)
from web.api.attachments import described, first_thumbnail
from web.api.blueprint import PROBLEMS, api
from web.api.models import CellsLoad, Fault
from web.api.option_models import SummaryAnswer
from web.api.parameters import (
    DrawnShape,
    FilterQuery,
    NewProblem,
    NoQuery,
    NumberPath,
    ProblemsQuery,
    SimilarQuery,
    UidPath,
)
from web.api.problem_models import CellsTouched, ProblemDetail, ProblemPage, RecordedProblem, SimilarAnswer
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.hotspots.view import View

_MINUTE = 60


@api.get("/problems", tags=[PROBLEMS], responses={"200": ProblemPage})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE, media=GEOJSON)
def problems(query: ProblemsQuery) -> Body:
    """List problems that match, page by page; problems that come in meanwhile double nothing."""
    view = view_of(query)
    rows = rows_of(view, query)
    page = page_of(view, rows, sort=query.sort, limit=query.limit, cursor=query.cursor)
    found = read_records(
        db(),
        page.numbers.tolist(),
        faces=Faces(directory(), actor()),
        scope=actor().scope(Permission.PROBLEM_READ),
        moment=datetime.fromtimestamp(view.moment, UTC),
        as_of=query.at is not None,
    )
    shares = shares_in(query)
    listed = [
        row | {"share": shares[row["number"]]} if row["number"] in shares else row for row in found.rows
    ]
    return feature_collection(ProblemPage, listed, found.geometry, next=page.next, total=page.total)


def shares_in(query: ProblemsQuery) -> dict[int, float]:
    """Return what other cells lead of the cell that a request names: case number -> share."""
    names = directory()
    entry = None if query.cell is None else names.cells.find(query.cell)
    # Of a cell out of sight nothing is told, not even by what lies partly in it.
    if entry is None or not Faces(names, actor()).knows(entry):
        return {}
    return shared_into(db(), entry.id)


def rows_of(view: View, query: ProblemsQuery) -> NDArray[Any]:
    """Rows of the view that belong to the place and the box that the request names."""
    rows = view.rows
    names = directory()
    faces = Faces(names, actor())
    if query.bbox is not None:
        rows = in_box(view, rows, query.bbox)
    for kind, table in (("cell", names.cells), ("road", names.roads), ("person", names.persons)):
        uid = getattr(query, kind)
        if uid is not None:
            entry = table.find(uid)
            if entry is None or (kind == "person" and not faces.knows(entry)):
                raise _unknown(kind, uid)
            shared = shares_in(query) if kind == "cell" else ()
            found = rows_at(view, rows, kind, entry.id, names, shared=shared)
            # A road that ends next door is named by problems in sight; without them it says nothing.
            if not len(found) and not faces.knows(entry):
                raise _unknown(kind, uid)
            rows = found
    if query.point is not None:
        scope = actor().scope(Permission.PLACE_READ) if actor().may(Permission.PLACE_READ) else None
        place = find_place(db(), "point", query.point, scope=scope, day=today()) if scope else None
        if place is None or not place.rows:
            raise _unknown("point", query.point)
        rows = rows_at(view, rows, "point", place.rows[0]["id"], names, shape=place.geometry[0])
    return rows


def _unknown(parameter: str, uid: str) -> InvalidValueError:
    return InvalidValueError("There is nothing with the uid {found}.", parameter=parameter, found=uid)


@api.post("/problems", tags=[PROBLEMS], responses={"200": RecordedProblem, "201": RecordedProblem})
@needs(Permission.PROBLEM_CREATE)
def record(body: NewProblem) -> Response:
    """Record a problem and find whose it is; 201, or 200 where the same uid was sent before."""
    settings = installation().settings
    with writing(installation().engine) as session:
        made, fresh = record_problem(
            session, actor(), body.report(settings.zone), settings=settings, now=now()
        )
        found = read_records(
            session,
            [made.id],
            faces=Faces(directory(), actor()),
            # Their own report: the answer must come even where it belongs to somebody else's organisation.
            scope=None,
            moment=now(),
        )
    row = found.rows[0]
    answer = as_json(
        RecordedProblem,
        {**row, "id": row["uid"], "geometry": shapely.geometry.mapping(found.geometry[0])},
    )
    return Response(answer.content, status=201 if fresh else 200, content_type=answer.kind)


@api.post("/problems/cells", tags=[PROBLEMS], responses={"200": CellsTouched})
@needs(Permission.PROBLEM_CREATE)
def cells_touched(body: DrawnShape) -> Response:
    """Say in which cell a point lies, or how much of a line or polygon in which, before it is recorded."""
    shapes = np.array([checked_shape(body.geometry)], dtype=object)
    ground = ground_on(db(), today(), reach_metres=installation().settings.road_reach_metres)
    standing = stand_for(ground.cells.cells, shapes)
    area = int(areas_of(ground, standing.lon, standing.lat, leading=standing.cell)[0])
    recordable = may_record_in(actor().scope(Permission.PROBLEM_CREATE), area)
    if len(standing.extended):
        parts = standing.shares
        found = _told(ground.cell_ids[parts.cell], parts.share, parts.leads) | {"outside": parts.outside[0]}
    elif recordable:
        cells = ground.cells.assign(standing.lon, standing.lat)
        inside = cells[cells >= 0]
        whole = np.ones(len(inside))
        found = _told(ground.cell_ids[inside], whole, whole > 0) | {"outside": 1 - len(inside)}
    else:
        # Not even whether there is a cell at the place.
        found = {"cells": [], "elsewhere": 1, "outside": 0}
    answer = as_json(CellsTouched, found | {"recordable": recordable})
    return Response(answer.content, content_type=answer.kind)


def _told(cells: NDArray[np.int64], shares: NDArray[np.float64], leads: NDArray[np.bool_]) -> dict[str, Any]:
    """Say which cells of a shape the reader may see, the largest share first, and how much lies in others."""
    names, areas = directory(), _areas_in_sight()
    told, elsewhere = [], 0.0
    for row in np.argsort(-shares, kind="stable"):
        entry = names.cells.get(int(cells[row]))
        share = float(shares[row])
        if entry is None or not (areas is None or entry.area in areas):
            elsewhere += share
        else:
            named = {"uid": entry.uid, "name": entry.name or entry.code}
            told.append(named | {"share": share, "leads": bool(leads[row])})
    return {"cells": told, "elsewhere": elsewhere}


def _areas_in_sight() -> frozenset[int] | None:
    """Areas whose places the reader may see; None: all."""
    return actor().scope(Permission.PLACE_READ).areas if actor().may(Permission.PLACE_READ) else frozenset()


@api.get("/problems/similar", tags=[PROBLEMS], responses={"200": SimilarAnswer})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE)
def similar(query: SimilarQuery) -> Body:
    """Offer open problems near a place that may be the same thing as one that is about to be recorded."""
    kind = None
    if query.category is not None:
        kind = db().scalar(select(Category).where(Category.code == query.category))
        if kind is None:
            raise InvalidValueError("There is no category {code}.", parameter="category", code=query.category)
    found = find_similar(
        db(),
        actor(),
        query.lon,
        query.lat,
        category=kind,
        settings=installation().settings,
        now=now(),
        limit=query.limit,
    )
    records = read_records(
        db(),
        [one.number for one in found],
        faces=Faces(directory(), actor()),
        scope=actor().scope(Permission.PROBLEM_READ),
        moment=now(),
    )
    photos = attachments_of(db(), [one.number for one in found])
    likeness = {
        one.number: {
            "metres": one.metres,
            "score": one.score,
            "photo": first_thumbnail(photos.get(one.number)),
        }
        for one in found
    }
    return as_json(SimilarAnswer, {"problems": [{**row, **likeness[row["number"]]} for row in records.rows]})


@api.get("/problems/<uid>", tags=[PROBLEMS], responses={"200": ProblemDetail, "404": Fault})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE, own=True)
def problem(path: UidPath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """Show one problem with its history."""
    return _problem(find_number(db(), path.uid))


@api.get("/problems/by-number/<number>", tags=[PROBLEMS], responses={"200": ProblemDetail, "404": Fault})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE, own=True)
def problem_by_number(path: NumberPath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """Show the problem with a case number."""
    return _problem(path.number)


def _problem(number: int | None) -> Body:
    found = None if number is None else told(db(), number)
    if found is None:
        raise NotFoundError("There is no such problem, or it lies outside what you may see.")
    return replace(as_json(ProblemDetail, found), version=found["version"])


def told(session: Session, number: int) -> dict[str, Any] | None:
    """Tell everything of one problem that this request's reader may know; None if that is nothing."""
    faces = Faces(directory(), actor())
    found = read_records(
        session, [number], faces=faces, scope=actor().scope(Permission.PROBLEM_READ), moment=now()
    )
    if not found.rows:
        return None
    row = found.rows[0]
    undoing = undoable(session, actor(), number, now=now())
    return {
        **row,
        "id": row["uid"],
        "geometry": shapely.geometry.mapping(found.geometry[0]),
        "cells": _cells(session, number, row["cell"]),
        "history": history_of(session, number, faces=faces),
        "attachments": described(session, attachments_of(session, [number]).get(number, [])),
        **course_of(session, actor(), number),
        "undo": undoing and str(undoing),
        "corrections": list(correctable(session, actor(), number)),
    }


def _cells(session: Session, number: int, own: dict[str, str] | None) -> list[dict[str, Any]]:
    """Cells that a problem lies in and that the reader may see, each with its share."""
    names = directory()
    areas = _areas_in_sight()
    cell = None if own is None else names.cells.find(own["uid"])
    found = []
    for cell_id, share, leads in shares_of(session, number, cell.id if cell else None):
        entry = names.cells.get(cell_id)
        if entry is not None and (leads or areas is None or entry.area in areas):
            found.append({"uid": entry.uid, "name": entry.name or entry.code, "share": share, "leads": leads})
    return found


@api.get("/cells/load", tags=[PROBLEMS], responses={"200": CellsLoad})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE)
def cells_load(query: FilterQuery) -> Body:
    """Count problems per cell: one request recolours every cell."""
    view = view_of(query)
    names = directory()
    loads, outside = cell_loads(view)
    uids = {cell_id: entry.uid for cell_id in loads if (entry := names.cells.get(cell_id)) is not None}
    whole = [*loads.values(), outside]
    return as_json(
        CellsLoad,
        {
            "change": change_told(),
            "cells": {
                uids[cell_id]: (load.matching, load.overdue, load.doubtful)
                for cell_id, load in loads.items()
                if cell_id in uids
            },
            "outside": outside.matching,
            "total": sum(load.matching for load in whole),
            "overdue": sum(load.overdue for load in whole),
            "doubtful": sum(load.doubtful for load in whole),
            "days_since_patrol": _patrol_days(),
        },
    )


def _patrol_days() -> dict[str, float | None]:
    """Days since the last patrol of each cell that the reader may see; None where none is on record."""
    if not actor().may(Permission.PLACE_READ):
        return {}
    areas = actor().scope(Permission.PLACE_READ).areas
    return {
        cell.uid: None
        if cell.last_patrol_at is None
        else round((now() - cell.last_patrol_at).total_seconds() / 86_400, 2)
        for cell in directory().cells
        if (areas is None or cell.area in areas) and cell.in_force(today())
    }


@api.get("/summary", tags=[PROBLEMS], responses={"200": SummaryAnswer})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE)
def summary(query: FilterQuery) -> Body:
    """Count problems by every part of the filter, and per day for the time slider."""
    view = view_of(query)
    names = directory()
    counted = summarise(view, names, installation().settings.zone)

    def by(key: str, counts: Any, table: Any) -> dict[str, int]:
        return {
            "" if row_id is None else getattr(entry, key): count
            for row_id, count in counts.items()
            if row_id is None or (entry := table.get(row_id)) is not None
        }

    days = counted.days
    return as_json(
        SummaryAnswer,
        {
            "change": change_told(),
            "total": counted.total,
            "overdue": counted.overdue,
            "doubtful": counted.doubtful,
            "category": by("code", counted.categories, names.categories),
            "state": dict(counted.states),
            "source": dict(counted.sources),
            "area": by("uid", counted.areas, names.areas),
            "organisation": by("uid", counted.organisations, names.organisations),
            "days": []
            if days is None
            else [
                {"day": (days.first + timedelta(days=i)).isoformat(), "found": found, "closed": closed}
                for i, (found, closed) in enumerate(
                    zip(days.found.tolist(), days.closed.tolist(), strict=True)
                )
                if found or closed
            ],
        },
    )
