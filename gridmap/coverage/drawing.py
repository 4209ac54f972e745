"""Drawing new cells for an area: along its streets, balanced by work, first as a proposal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import bindparam, func, insert, select, update

from geodata.block_work import Work
from geodata.unit_grid_code import number_cells
from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.imports.models import ImportChange
from gridmap.imports.plan import Counts
from gridmap.imports.service import record_change
from gridmap.imports.steps import Draft, match
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.places.ground import cells_on
from gridmap.places.models import Area, AreaLevel, GridCell, InspectionPoint, Street
from gridmap.problems.models import Problem
from gridmap.store.spatial import in_box

if TYPE_CHECKING:
    import uuid
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.drawing import DrawnCells
    from gridmap.imports.models import Import
    from gridmap.imports.plan import Writer

__all__ = ["Proposal", "Wish", "apply_drawing", "area_from_bounds", "cells_drawn", "propose_cells", "told"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the planner asks for.

    Parameters
    ----------
    area_uid
        Area to cut.
    count, work_per_cell
        How many cells, or how much work in each: exactly one of the two.
    per_km, per_point, per_problem
        Work for a kilometre of street, an inspection point and a past problem.
    prefix
        First 12 digits of the cells' codes; empty: the area's code.
    seed
        The same seed gives the same cells.
    """

    area_uid: uuid.UUID
    count: int | None = None
    work_per_cell: float | None = None
    per_km: float = 1.0
    per_point: float = 1.0
    per_problem: float = 0.1
    prefix: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """Cells drawn for an area, with the codes they would have."""

    area_id: int
    area_name: str
    drawn: DrawnCells
    codes: tuple[str, ...]
    replaced: int
    """How many cells of the area would end."""


def area_from_bounds(
    session: Session, bounds: tuple[float, float, float, float], *, code: str, name: str
) -> Area:
    """Make a community of a rectangle (west, south, east, north), for ground without official boundaries.

    Raises
    ------
    InvalidValueError
        If the rectangle has no surface.
    ConflictError
        If the code is taken.
    """
    west, south, east, north = bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InvalidValueError(
            "Expected west, south, east, north in degrees; found {found}.", parameter="bounds", found=bounds
        )
    if session.scalar(select(Area.id).where(Area.code == code, Area.valid_to.is_(None))):
        raise ConflictError("There is an area with the code {code} already.", code=code)
    shape = shapely.multipolygons([shapely.box(west, south, east, north)])
    area = Area(code=code, name=name, level=AreaLevel.COMMUNITY, geometry=f"SRID=4326;{shape.wkt}")
    session.add(area)
    session.flush()
    return area


def propose_cells(writer: Writer, wish: Wish) -> Proposal:
    """Draw cells for an area; nothing is written.

    Raises
    ------
    NotFoundError
        If there is no such area.
    PermissionDeniedError
        If the actor may not draw cells.
    geodata.errors.GeometryError
        If the wish cannot be met: no streets, or a number of cells that makes no sense.
    """
    writer.actor.scope_everywhere(Permission.PLACE_DRAW)
    session, on = writer.session, writer.now.date()
    found = session.execute(
        select(Area.id, Area.code, Area.name, func.ST_AsBinary(Area.geometry)).where(
            Area.uid == wish.area_uid, Area.in_force(on)
        )
    ).one_or_none()
    if found is None:
        raise NotFoundError("There is no area {uid}.", uid=str(wish.area_uid))
    area_id, code, name, shape = found
    area = shapely.from_wkb(shape)
    writer.progress(0, 1, "Reading the streets")
    streets, classes = _streets(session, area)
    # A quarter of a second to read, which no start should wait for.
    from geodata.drawing import draw_cells

    drawn = draw_cells(
        area,
        streets,
        classes,
        work=_work(session, area, wish),
        count=wish.count,
        work_per_cell=wish.work_per_cell,
        seed=wish.seed,
        progress=lambda share: writer.progress(share, 1, "Drawing the cells"),
    )
    mine = session.scalars(
        select(GridCell.code).where(GridCell.area_id == area_id, GridCell.in_force(on))
    ).all()
    others = session.scalars(
        select(GridCell.code).where(GridCell.in_force(on), GridCell.area_id.is_distinct_from(area_id))
    ).all()
    codes = number_cells(
        drawn.cells, wish.prefix or code, digits=writer.settings.cell_code_digits, taken=others
    )
    return Proposal(area_id, name, drawn, tuple(codes), len(mine))


def told(proposal: Proposal) -> str:
    """What a planner should know of a proposal before it is put in force, in the reader's language."""
    drawn, count = proposal.drawn, len(proposal.codes)
    said = gettext(
        "{count} cells; the busiest has {share} of the mean work; {spans} have a main road inside.",
        count=count,
        share=f"{drawn.imbalance:.0%}",
        spans=len(drawn.spans),
    )
    if not drawn.spans:
        return said
    inside = sum(span.length_m for span in drawn.spans)
    said += " " + gettext(
        "{inside} km of {total} km of main road lie inside.",
        inside=f"{inside / 1000:.1f}",
        total=f"{drawn.main_road_m / 1000:.1f}",
    )
    if not drawn.least_spans:
        return said
    unavoidable = gettext(
        "For at least {least} of them this cannot be avoided, however they are drawn: main roads cut the "
        "ground into {fields} pieces, and {count} cells with no more work than the busiest cannot hold it "
        "if each keeps to one piece.",
        least=drawn.least_spans,
        fields=drawn.fields,
        count=count,
    )
    return f"{said} {unavoidable}"


def cells_drawn(session: Session, proposal: Proposal, on: date) -> dict[str, NDArray[Any]]:
    """Cells in force once a proposal is, as `cells_on` has them; new ones from -2 down."""
    now = cells_on(session, on)
    count, stays = len(proposal.codes), now["area_id"] != proposal.area_id
    new = {
        "id": -2 - np.arange(count),
        "area_id": np.full(count, proposal.area_id),
        "code": np.array(proposal.codes, dtype=object),
        "geometry": np.asarray(proposal.drawn.cells, dtype=object),
    }
    return {name: np.concatenate([now[name][stays], new[name]]) for name in now}


def _streets(session: Session, area: Any) -> tuple[Any, Any]:
    rows = session.execute(
        select(func.ST_AsBinary(Street.geometry), Street.road_class).where(
            in_box(session, Street, area.bounds)
        )
    ).all()
    lines = shapely.from_wkb(np.array([row[0] for row in rows], dtype=object))
    return lines, np.array([row[1] for row in rows], dtype=object)


def _work(session: Session, area: Any, wish: Wish) -> Work:
    west, south, east, north = area.bounds
    points = shapely.from_wkb(
        np.array(
            session.scalars(
                select(func.ST_AsBinary(InspectionPoint.geometry)).where(
                    in_box(session, InspectionPoint, area.bounds)
                )
            ).all(),
            dtype=object,
        )
    )
    points = shapely.point_on_surface(points)
    places = session.execute(
        select(Problem.lon, Problem.lat).where(
            Problem.lon.between(west, east), Problem.lat.between(south, north), Problem.flags == 0
        )
    ).all()
    problems = np.array(places, dtype=float).reshape(-1, 2)
    return Work(
        lon=np.concatenate([shapely.get_x(points), problems[:, 0]]),
        lat=np.concatenate([shapely.get_y(points), problems[:, 1]]),
        weight=np.concatenate(
            [np.full(len(points), wish.per_point), np.full(len(problems), wish.per_problem)]
        ),
        per_km=wish.per_km,
    )


def apply_drawing(writer: Writer, wish: Wish) -> tuple[Import, Proposal]:
    """Put the cells proposed for a wish in force from today, as one change that can be undone.

    The area's cells so far end today; old problems keep them. Nobody holds the new cells until somebody is
    named, which the coverage audit shows.
    """
    proposal = propose_cells(writer, wish)
    session, on = writer.session, writer.now.date()
    shapes = np.empty(len(proposal.codes), dtype=object)
    shapes[:] = [shapely.multipolygons(shapely.get_parts(cell)) for cell in proposal.drawn.cells]
    uid = session.scalars(select(Area.uid).where(Area.id == proposal.area_id)).one()

    draft = Draft(
        GridCell,
        key=("code", "area_id", "valid_from"),
        columns={
            "code": np.array(proposal.codes, dtype=object),
            "name": np.full(len(shapes), "", dtype=object),
            "valid_from": np.full(len(shapes), on, dtype=object),
        },
        references={"area_id": (Area, np.full(len(shapes), uid, dtype=object))},
        geometry=shapes,
    )
    step = match(session, draft, on=on)
    record = record_change(
        writer,
        "drawing",
        proposal.area_name,
        [step],
        Counts(len(shapes), len(shapes), proposal.replaced, 0, 0),
        more=lambda import_id: _end_old(session, proposal.area_id, list(step.uids), import_id, on),
    )
    return record, proposal


def _end_old(session: Session, area_id: int, keep: list[Any], import_id: int, on: date) -> None:
    """End the area's other cells today, and remember that they were in force."""
    rows = session.execute(
        select(GridCell.id, GridCell.uid).where(
            GridCell.area_id == area_id, GridCell.in_force(on), GridCell.uid.not_in(keep)
        )
    ).all()
    if not rows:
        return
    session.execute(
        insert(ImportChange),
        [
            {"import_id": import_id, "table_name": "grid_cell", "row_uid": uid, "before": {"valid_to": None}}
            for _, uid in rows
        ],
    )
    table: Any = GridCell.__table__
    session.execute(
        update(table).where(table.c.id == bindparam("_id")).values(valid_to=on), [{"_id": i} for i, _ in rows]
    )
