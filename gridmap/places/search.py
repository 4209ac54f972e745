"""Search over everything with a name, a code, an address or a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import case, func, or_, select

from gridmap.labels import label, site_label
from gridmap.people.models import Person
from gridmap.people.permissions import Permission
from gridmap.people.within import within
from gridmap.places.cards import Faces, named
from gridmap.places.models import (
    Area,
    AreaLevel,
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    Street,
)
from gridmap.problems.limits import inside
from gridmap.problems.models import Problem
from gridmap.shops.models import Shopfront

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor, Scope
    from gridmap.places.directory import Directory

__all__ = ["Hit", "search"]


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found; `bounds` are west, south, east, north, degrees, EPSG:4326."""

    kind: str
    uid: str
    name: str
    detail: str
    lon: float | None
    lat: float | None
    bounds: tuple[float, float, float, float] | None


def search(
    session: Session, text: str, *, actor: Actor, directory: Directory, day: date, limit: int = 20
) -> list[Hit]:
    """Find places, shops, streets, people and problems by name, code, address, person or case number.

    Parameters
    ----------
    text
        What to look for, anywhere in a name; at the beginning of it counts more.
    actor
        Who looks: each kind is limited to where the actor may read it.
    day
        On which things must be in force.
    limit
        At most so many of each kind, and four times as many in all.
    """
    text = text.strip()
    if not text:
        return []
    places = actor.scope(Permission.PLACE_READ)
    faces = Faces(directory, actor)
    hits = list(_problems_by_number(session, text, actor, directory))
    for kind in _PLACES:
        hits += _places(session, text, directory, kind=kind, scope=places, day=day, limit=limit)
    hits += _shops(session, text, actor, directory, day=day, limit=limit)
    hits += _people(session, text, faces, day, limit)
    hits += _streets(session, text, limit)
    hits += _addresses(session, text, actor, directory, limit)
    return hits[: 4 * limit]


def _like(*columns: Any, text: str) -> ColumnElement[bool]:
    """Text somewhere in a column, its wildcards taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(*(column.ilike(f"%{escaped}%", escape="\\") for column in columns))


def _best_first(column: Any, text: str) -> list[Any]:
    """Exact, then at the beginning, then short names first."""
    begins = func.substr(column, 1, len(text)) == text
    return [case((column == text, 0), (begins, 1), else_=2), func.length(column), column]


def _shape(wkb: Any) -> tuple[float, float, tuple[float, float, float, float]]:
    shape = shapely.from_wkb(bytes(wkb))
    middle = shapely.point_on_surface(shape)
    west, south, east, north = (round(value, 7) for value in shape.bounds)
    return round(middle.x, 7), round(middle.y, 7), (west, south, east, north)


def _area_detail(row: Any, directory: Directory) -> str:
    above = directory.areas.get(row["up"])
    return " · ".join(filter(None, (label(AreaLevel(row["extra"])), above.name if above else "")))


def _cell_detail(row: Any, directory: Directory) -> str:
    area = directory.areas.get(row["up"])
    return " · ".join(filter(None, (row["code"], area.name if area else "")))


def _point_detail(row: Any, directory: Directory) -> str:
    area = directory.areas.get(row["up"])
    return " · ".join(filter(None, (site_label(row["extra"]), area.name if area else "")))


_PLACES: dict[str, tuple[Any, Any]] = {
    "area": (Area, _area_detail),
    "cell": (GridCell, _cell_detail),
    "point": (InspectionPoint, _point_detail),
    "road": (PriorityRoad, _cell_detail),
}


def _places(
    session: Session, text: str, directory: Directory, *, kind: str, scope: Scope, day: date, limit: int
) -> Iterator[Hit]:
    model, detail = _PLACES[kind]
    up = model.parent_id if kind == "area" else model.area_id
    extra = {"area": Area.level, "point": InspectionPoint.site_type}.get(kind, model.code)
    columns = [model.name, model.code, *([model.address] if kind == "point" else [])]
    query = (
        select(
            model.uid,
            model.name,
            model.code,
            up.label("up"),
            extra.label("extra"),
            func.ST_AsBinary(model.geometry).label("wkb"),
        )
        .where(model.in_force(day), _like(*columns, text=text))
        .order_by(*_best_first(model.name, text))
        .limit(limit)
    )
    if scope.areas is not None:
        query = query.where((model.id if kind == "area" else model.area_id).in_(scope.areas))
    for row in session.execute(query).mappings():
        yield Hit(
            kind, str(row["uid"]), row["name"] or row["code"], detail(row, directory), *_shape(row["wkb"])
        )


def _shops(
    session: Session, text: str, actor: Actor, directory: Directory, *, day: date, limit: int
) -> Iterator[Hit]:
    if not actor.may(Permission.SHOP_READ):
        return
    query = (
        select(
            Shopfront.uid,
            Shopfront.name,
            Shopfront.trade,
            Shopfront.address,
            Shopfront.area_id,
            func.ST_AsBinary(Shopfront.geometry),
        )
        .where(
            Shopfront.in_force(day),
            _like(Shopfront.name, Shopfront.code, Shopfront.licence, Shopfront.address, text=text),
            within(actor.scope(Permission.SHOP_READ), Shopfront.area_id, Shopfront.organisation_id),
        )
        .order_by(*_best_first(Shopfront.name, text))
        .limit(limit)
    )
    for uid, name, trade, address, area_id, wkb in session.execute(query):
        area = directory.areas.get(area_id)
        detail = " · ".join(filter(None, (trade, address, area.name if area else "")))
        yield Hit("shop", str(uid), name, detail, *_shape(wkb))


def _people(session: Session, text: str, faces: Faces, day: date, limit: int) -> Iterator[Hit]:
    if not faces.actor.may(Permission.PERSON_READ):
        return
    fields: list[Any] = [Person.name]
    if faces.actor.may(Permission.PERSON_PHONE):
        fields.append(Person.phone)
    query = (
        select(Person.id, Person.uid, Person.name)
        .where(Person.in_force(day), _like(*fields, text=text))
        .order_by(*_best_first(Person.name, text))
    )
    found = 0
    for person_id, uid, name in session.execute(query):
        entry = faces.directory.persons.get(person_id)
        # A phone that is not shown must not be found either.
        if entry is None or not faces.sees(entry):
            continue
        if text not in name and text.lower() not in name.lower() and faces.phone(person_id) != entry.phone:
            continue
        body = named(faces.directory.organisations.get(entry.organisation))
        where, place = _first_place(session, person_id, day, faces)
        detail = " · ".join(filter(None, (body["name"] if body else "", place)))
        yield Hit("person", str(uid), name, detail, *where)
        found += 1
        if found >= limit:
            return


def _first_place(session: Session, person_id: int, day: date, faces: Faces) -> tuple[Any, str]:
    """Where to look for somebody: a cell or road they hold, if the reader may see its area."""
    nowhere: tuple[None, None, None] = (None, None, None)
    areas = faces.actor.scope(Permission.PLACE_READ).areas
    for model, column in ((GridCell, Responsibility.cell_id), (PriorityRoad, Responsibility.road_id)):
        row = session.execute(
            select(model.name, model.code, model.area_id, func.ST_AsBinary(model.geometry))
            .join(Responsibility, column == model.id)
            .where(Responsibility.person_id == person_id, Responsibility.in_force(day), model.in_force(day))
            .order_by(model.id)
            .limit(1)
        ).first()
        if row is not None and (areas is None or row[2] in areas):
            return _shape(row[3]), row[0] or row[1]
    return nowhere, ""


def _streets(session: Session, text: str, limit: int) -> Iterator[Hit]:
    """Streets by name; the ways of one name are one street."""
    names = session.scalars(
        select(Street.name)
        .where(_like(Street.name, text=text))
        .group_by(Street.name)
        .order_by(*_best_first(Street.name, text))
        .limit(limit)
    ).all()
    for name in names:
        ways = session.execute(
            select(Street.uid, func.ST_AsBinary(Street.geometry))
            .where(Street.name == name)
            .order_by(Street.id)
        ).all()
        shapes = shapely.from_wkb(np.array([bytes(wkb) for _, wkb in ways], dtype=object))
        yield Hit("street", str(ways[0][0]), name, "", *_shape(shapely.to_wkb(shapely.union_all(shapes))))


def _problems_by_number(session: Session, text: str, actor: Actor, directory: Directory) -> Iterator[Hit]:
    number = text.lstrip("#№ ")
    if actor.may(Permission.PROBLEM_READ) and number.isascii() and number.isdigit() and len(number) < 16:
        yield from _problem_hits(
            session, Problem.id == int(number), actor, directory, kind="problem", limit=1
        )


def _addresses(session: Session, text: str, actor: Actor, directory: Directory, limit: int) -> Iterator[Hit]:
    if actor.may(Permission.PROBLEM_READ):
        matches = _like(Problem.address, text=text)
        yield from _problem_hits(session, matches, actor, directory, kind="address", limit=limit)


def _problem_hits(
    session: Session, condition: Any, actor: Actor, directory: Directory, *, kind: str, limit: int
) -> Iterator[Hit]:
    query = (
        select(Problem.uid, Problem.id, Problem.category_id, Problem.address, Problem.lon, Problem.lat)
        .where(condition, inside(actor.scope(Permission.PROBLEM_READ)))
        .order_by(Problem.id.desc())
        .limit(limit)
    )
    seen = set()
    for uid, number, category_id, address, lon, lat in session.execute(query):
        category = directory.categories.get(category_id)
        said = category.label if category else ""
        if kind == "address":
            if address in seen:
                continue
            seen.add(address)
            yield Hit(kind, str(uid), address, said, lon, lat, None)
        else:
            yield Hit(kind, str(uid), f"#{number}", " · ".join(filter(None, (said, address))), lon, lat, None)
