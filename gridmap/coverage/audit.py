"""Coverage audit: ground nobody holds or two hold; places, roads and people left over (不留空白)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import func, or_, select

from geodata.tiling import DefectKind, TilingReport, check_tiling
from gridmap.language import N_
from gridmap.people.models import Login, Organisation, Person
from gridmap.people.permissions import Actor, Permission
from gridmap.places.models import Area, AreaLevel, GridCell, InspectionPoint, PriorityRoad, Responsibility

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from gridmap.jobs import Progress

__all__ = ["Audit", "Finding", "FindingKind", "Ground", "audit_coverage", "ground_of"]


class FindingKind(StrEnum):
    """What an audit can find."""

    GAP = "gap"
    OVERLAP = "overlap"
    DUPLICATE = "duplicate"
    NESTED = "nested"
    INVALID = "invalid"
    EMPTY = "empty"
    DETACHED = "detached"
    OUTSIDE = "outside"
    AREA_WITHOUT_CELLS = "area_without_cells"
    CELL_WITHOUT_HOLDER = "cell_without_holder"
    POINT_WITHOUT_HOLDER = "point_without_holder"
    ROAD_WITHOUT_HOLDER = "road_without_holder"
    PERSON_WITHOUT_DUTY = "person_without_duty"
    POINT_OUTSIDE_CELLS = "point_outside_cells"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an audit found.

    Parameters
    ----------
    kind
        What is wrong.
    names
        Codes and names of what is concerned, for people.
    uids
        Their UUIDs, in the same order.
    lon, lat
        Where to look, EPSG:4326; None for a person or an empty cell.
    area_m2, width_m
        Size and greatest width of ground concerned; 0 where there is none.
    geometry
        The ground concerned, for a defect of the tiling.
    """

    kind: FindingKind
    names: tuple[str, ...]
    uids: tuple[uuid.UUID, ...]
    lon: float | None = None
    lat: float | None = None
    area_m2: float = 0.0
    width_m: float = 0.0
    geometry: Any = None


@dataclass(frozen=True, slots=True)
class Audit:
    """Answer of `audit_coverage`."""

    on: date
    findings: tuple[Finding, ...]
    looked_at: dict[str, int]
    """How many cells, points, roads, areas and persons were looked at."""

    @property
    def counts(self) -> Counter[FindingKind]:
        """Findings by kind."""
        return Counter(finding.kind for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Ground:
    """The cells in force, in the order of their codes, and the ground they should cover."""

    cells: pd.DataFrame
    """``id``, ``uid``, ``code``, ``name``, ``area_id``, ``geometry``."""
    area: Any
    """Union of the areas that have cells, EPSG:4326; None where no cell belongs to an area."""
    report: TilingReport


def ground_of(session: Session, actor: Actor, *, on: date) -> Ground:
    """Check the tiling of the cells an actor may audit.

    Raises
    ------
    PermissionDeniedError
        If the actor may audit nothing.
    """
    areas_in_scope = actor.scope(Permission.PLACE_AUDIT).areas
    cells = _frame(
        session,
        GridCell,
        on,
        areas_in_scope,
        GridCell.code,
        GridCell.name,
        GridCell.area_id,
        shape=GridCell.geometry,
    )
    owners = [int(i) for i in cells["area_id"].dropna().unique()]
    area = None
    if owners:
        shapes = session.scalars(select(func.ST_AsBinary(Area.geometry)).where(Area.id.in_(owners))).all()
        area = shapely.make_valid(shapely.union_all(shapely.from_wkb(np.array(shapes, dtype=object))))
    return Ground(cells, area, check_tiling(cells["geometry"].to_numpy(), area))


def audit_coverage(session: Session, actor: Actor, *, on: date, progress: Progress) -> Audit:
    """Find every cell, point, road and person left over on a day, and every fault of the tiling.

    A place is held when somebody in force, a person or an organisation, holds it directly in any role. People
    with a login are at work in the service itself and need no place; everybody else does.

    Raises
    ------
    PermissionDeniedError
        If the actor may audit nothing.
    """
    scope = actor.scope(Permission.PLACE_AUDIT).areas
    progress(0, 5, "Checking the ground")
    ground = ground_of(session, actor, on=on)
    findings = list(_of_tiling(ground))
    progress(2, 5, "Looking for places nobody holds")
    points = _frame(
        session,
        InspectionPoint,
        on,
        scope,
        InspectionPoint.code,
        InspectionPoint.name,
        InspectionPoint.cell_id,
        shape=InspectionPoint.geometry,
    )
    roads = _frame(
        session, PriorityRoad, on, scope, PriorityRoad.code, PriorityRoad.name, shape=PriorityRoad.geometry
    )
    for kind, frame, place in (
        (FindingKind.CELL_WITHOUT_HOLDER, ground.cells, Responsibility.cell_id),
        (FindingKind.POINT_WITHOUT_HOLDER, points, Responsibility.point_id),
        (FindingKind.ROAD_WITHOUT_HOLDER, roads, Responsibility.road_id),
    ):
        held = set(session.scalars(select(place).where(place.is_not(None), _held_by_somebody(on))))
        findings += _placed(kind, frame[~frame["id"].isin(held)])
    if len(ground.cells):
        findings += _placed(FindingKind.POINT_OUTSIDE_CELLS, points[points["cell_id"].isna()])
    progress(3, 5, "Looking for areas without cells")
    areas = _frame(session, Area, on, scope, Area.code, Area.name, Area.level, shape=Area.geometry, own=True)
    communities = areas[areas["level"] == AreaLevel.COMMUNITY]
    if len(ground.cells):
        bare = communities[~communities["id"].isin(ground.cells["area_id"].dropna())]
        findings += _placed(FindingKind.AREA_WITHOUT_CELLS, bare)
    progress(4, 5, "Looking for people without a duty")
    people = _people(session, on, scope)
    findings += [
        Finding(FindingKind.PERSON_WITHOUT_DUTY, (name,), (uid,))
        for name, uid in _idle(session, on, people)[["name", "uid"]].itertuples(index=False)
    ]
    progress(5, 5, "Done")
    looked_at = {
        N_("cells"): len(ground.cells),
        N_("points"): len(points),
        N_("roads"): len(roads),
        N_("areas"): len(areas),
        N_("people"): len(people),
    }
    return Audit(on, tuple(findings), looked_at)


def _frame(
    session: Session,
    model: Any,
    on: date,
    areas: frozenset[int] | None,
    *columns: Any,
    shape: Any,
    own: bool = False,
) -> pd.DataFrame:
    query = select(model.id, model.uid, *columns, func.ST_AsBinary(shape)).where(model.in_force(on))
    if areas is not None:
        query = query.where((model.id if own else model.area_id).in_(areas))
    rows = session.execute(query.order_by(model.code)).all()
    frame = pd.DataFrame(rows, columns=["id", "uid", *(c.key for c in columns), "geometry"], dtype=object)
    frame["geometry"] = np.asarray(shapely.from_wkb(frame["geometry"].to_numpy()), dtype=object)
    return frame


def _held_by_somebody(on: date) -> ColumnElement[bool]:
    working = select(Person.id).where(Person.in_force(on))
    in_force: ColumnElement[bool] = Responsibility.in_force(on)
    return in_force & or_(Responsibility.organisation_id.is_not(None), Responsibility.person_id.in_(working))


def _of_tiling(ground: Ground) -> Iterator[Finding]:
    codes, uids = ground.cells["code"].to_numpy(), ground.cells["uid"].to_numpy()
    for defect in ground.report.defects:
        cells = list(defect.cells)
        yield Finding(
            FindingKind(DefectKind(defect.kind).value),
            tuple(codes[cells]),
            tuple(uids[cells]),
            None if defect.point is None else defect.point.x,
            None if defect.point is None else defect.point.y,
            defect.area_m2,
            defect.width_m,
            defect.geometry,
        )


def _placed(kind: FindingKind, frame: pd.DataFrame) -> list[Finding]:
    inside: NDArray[Any] = shapely.point_on_surface(frame["geometry"].to_numpy())
    names = frame["code"].astype(str) + frame["name"].map(lambda n: f" {n}" if n else "")
    return [
        Finding(kind, (name,), (uid,), None if x != x else x, None if y != y else y)  # noqa: PLR0124 - an empty shape's place is not a number
        for name, uid, x, y in zip(
            names, frame["uid"], shapely.get_x(inside), shapely.get_y(inside), strict=True
        )
    ]


def _people(session: Session, on: date, areas: frozenset[int] | None) -> pd.DataFrame:
    query = select(Person.id, Person.uid, Person.name).where(Person.in_force(on)).order_by(Person.name)
    if areas is not None:
        query = query.join(Organisation, Person.organisation_id == Organisation.id).where(
            Organisation.area_id.in_(areas)
        )
    return pd.DataFrame(session.execute(query).all(), columns=["id", "uid", "name"], dtype=object)


def _idle(session: Session, on: date, people: pd.DataFrame) -> pd.DataFrame:
    busy = set(session.scalars(select(Responsibility.person_id).where(Responsibility.in_force(on))))
    busy |= set(session.scalars(select(Login.person_id).where(Login.disabled.is_(False))))
    return people[~people["id"].isin(busy)]
