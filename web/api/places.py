"""Areas, cells, points and roads: lists and cards."""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from flask import request

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.hotspots.place_counts import counts_at
from gridmap.labels import label, site_label
from gridmap.patrols.visiting import rhythm_name
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces, named
from gridmap.places.models import AreaLevel
from gridmap.places.queries import VISITS, Places, find_place, read_places
from gridmap.places.responsibilities import Holder, holders_of
from gridmap.problems.shares import shared_into
from web.access import needs
from web.api.answering import GEOJSON, Body, answers, as_json, directory, feature_collection, today, view_of
from web.api.blueprint import PLACES, api
from web.api.models import Card, Fault, FeatureCollection
from web.api.parameters import FilterQuery, PlacesQuery, UidPath
from web.installation import actor, db

if TYPE_CHECKING:
    from gridmap.places.directory import Directory

_KIND = {"areas": "area", "cells": "cell", "points": "point", "roads": "road"}
_LIST: dict[str, Any] = {"tags": [PLACES], "responses": {"200": FeatureCollection}}
_CARD: dict[str, Any] = {"tags": [PLACES], "responses": {"200": Card, "404": Fault}}


def _page(plural: str, query: PlacesQuery) -> Body:
    kind = _KIND[plural]
    found = read_places(
        db(),
        kind,
        scope=actor().scope(Permission.PLACE_READ),
        day=today(),
        box=query.bbox,
        after=open_cursor(plural, query.cursor),
        limit=query.limit,
    )
    names = directory()
    faces = Faces(names, actor())
    holders = holders_of(db(), kind, [row["id"] for row in found.rows], today())
    following = close_cursor(plural, found.rows[-1]["id"]) if found.more else None
    rows = [_properties(kind, row, holders.get(row["id"], []), names, faces) for row in found.rows]
    return feature_collection(FeatureCollection, rows, _simpler(kind, found, query.simplify), next=following)


def _properties(
    kind: str, row: dict[str, Any], holders: list[Holder], names: Directory, faces: Faces
) -> dict[str, Any]:
    area = names.areas.get(row["parent_id"] if kind == "area" else row["area_id"])
    said: dict[str, Any] = {
        "uid": row["uid"],
        "code": row["code"],
        "name": row["name"],
        "area": named(area),
        "held": bool(holders),
        "holder": faces.first_name(holders),
    }
    if kind == "area":
        level = AreaLevel(row["level"])
        said |= {"level": level.value, "level_name": label(level)}
    if kind == "point":
        said |= {"site_type": row["site_type"], "site_type_name": site_label(row["site_type"])}
        said |= {"priority": row["priority"], "address": row["address"]}
        said |= {name: row[name] or None for name in VISITS}
        said["visit_rhythm_name"] = rhythm_name(row["visit_rhythm"]) or None
        said["cell"] = named(names.cells.get(row["cell_id"]))
    if kind == "road":
        said |= {name: row[name] for name in ("level", "hours", "patrols_per_day")}
    if kind in {"cell", "road"}:
        said["last_patrol_at"] = row["last_patrol_at"] and row["last_patrol_at"].isoformat()
    return said


def _simpler(kind: str, found: Places, zoom: int | None) -> Any:
    """Shapes with detail left out; neighbouring polygons keep their common border."""
    if zoom is None or not len(found.geometry) or kind == "point":
        return found.geometry
    pixel = 360 / (256 * 2**zoom)
    if kind == "road":
        return shapely.simplify(found.geometry, pixel)
    return shapely.coverage_simplify(found.geometry, pixel)


def close_cursor(plural: str, last: int) -> str:
    """Return the cursor of the page after an id."""
    return base64.urlsafe_b64encode(f"{plural}:{last}".encode()).decode()


def open_cursor(plural: str, cursor: str | None) -> int:
    """Return the id after which a page begins.

    Raises
    ------
    InvalidValueError
        If the cursor is of no page of this list.
    """
    if cursor is None:
        return 0
    try:
        made_for, _, last = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
        if made_for == plural and 0 <= int(last) < 2**63:
            return int(last)
    except (binascii.Error, ValueError):
        pass
    raise InvalidValueError(
        "Expected a cursor from an earlier page of the same list; found {found}.",
        parameter="cursor",
        found=cursor[:80],
    )


def _card(plural: str, uid: str, query: FilterQuery) -> Body:
    kind = _KIND[plural]
    found = find_place(db(), kind, uid, scope=actor().scope(Permission.PLACE_READ), day=today())
    if not found.rows:
        raise NotFoundError("There is no such place, or it lies outside what you may see.")
    row, shape = found.rows[0], found.geometry[0]
    names = directory()
    faces = Faces(names, actor())
    holders = holders_of(db(), kind, [row["id"]], today()).get(row["id"], [])
    counts = url = None
    if actor().may(Permission.PROBLEM_READ):
        view = view_of(query)
        shared = shared_into(db(), row["id"]) if kind == "cell" else {}
        counts = asdict(counts_at(view, kind, row["id"], names, shape=shape, shared=shared))
        rest = request.query_string.decode()
        url = f"/api/v1/problems?{kind}={uid}" + (f"&{rest}" if rest else "")
    return as_json(
        Card,
        {
            **_properties(kind, row, holders, names, faces),
            "id": row["uid"],
            "geometry": shapely.geometry.mapping(shape),
            "bounds": np.round(shape.bounds, 7).tolist(),
            "responsibilities": [faces.holder(holder) for holder in holders],
            "counts": counts,
            "problems_url": url,
        },
    )


@api.get("/areas", **_LIST)
@needs(Permission.PLACE_READ)
@answers(of="ground", media=GEOJSON)
def areas(query: PlacesQuery) -> Body:
    """List administrative areas."""
    return _page("areas", query)


@api.get("/cells", **_LIST)
@needs(Permission.PLACE_READ)
@answers(of="ground", media=GEOJSON)
def cells(query: PlacesQuery) -> Body:
    """List grid cells."""
    return _page("cells", query)


@api.get("/points", **_LIST)
@needs(Permission.PLACE_READ)
@answers(of="ground", media=GEOJSON)
def points(query: PlacesQuery) -> Body:
    """List inspection points."""
    return _page("points", query)


@api.get("/roads", **_LIST)
@needs(Permission.PLACE_READ)
@answers(of="ground", media=GEOJSON)
def roads(query: PlacesQuery) -> Body:
    """List priority roads."""
    return _page("roads", query)


@api.get("/areas/<uid>", **_CARD)
@needs(Permission.PLACE_READ)
@answers(of="problems", seconds=60)
def area(path: UidPath, query: FilterQuery) -> Body:
    """Show one area: who holds it and how many problems it has."""
    return _card("areas", path.uid, query)


@api.get("/cells/<uid>", **_CARD)
@needs(Permission.PLACE_READ)
@answers(of="problems", seconds=60)
def cell(path: UidPath, query: FilterQuery) -> Body:
    """Show one grid cell: who holds it and how many problems it has."""
    return _card("cells", path.uid, query)


@api.get("/points/<uid>", **_CARD)
@needs(Permission.PLACE_READ)
@answers(of="problems", seconds=60)
def point(path: UidPath, query: FilterQuery) -> Body:
    """Show one inspection point: who holds it and how many problems there are within 50 m."""
    return _card("points", path.uid, query)


@api.get("/roads/<uid>", **_CARD)
@needs(Permission.PLACE_READ)
@answers(of="problems", seconds=60)
def road(path: UidPath, query: FilterQuery) -> Body:
    """Show one priority road: who holds it and how many problems it has."""
    return _card("roads", path.uid, query)
