"""Which cells a line or a polygon belongs to, each by how much of it lies there; one leads.

A ribbon of parked cars is measured by its length, the footprint of a shed by its area, in metres. Shares sum
to 1 over what lies in cells; what lies outside every cell is told apart. The cell with the largest share
leads, and of equally large ones the cell with the lowest code. A point lies in one cell and has no shares:
its cell is all there is to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import delete, select

from geodata.projection import LocalProjection
from gridmap.places.models import GridCell
from gridmap.problems.models import ProblemCell
from gridmap.store.bulk import insert_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.places.ground import Ground

__all__ = [
    "Shares",
    "Standing",
    "keep_shares",
    "restore_shares",
    "share_out",
    "shared_into",
    "shares_of",
    "stand_for",
]

_NOTHING = 1e-9
"""A smaller part of a shape is none."""
_EQUAL = 1e-6
"""Shares that differ by less count as equal: no projection is truer."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Pairs of a shape and a cell, arrays of shape (m,), by shape and then by cell.

    Positions count from 0 in the order of the shapes and of the cells.
    """

    shape: NDArray[np.int64]
    cell: NDArray[np.int64]
    share: NDArray[np.float64]
    leads: NDArray[np.bool_]
    inside: NDArray[Any]
    """The part of the shape within the cell, shapely, EPSG:4326."""
    outside: NDArray[np.float64]
    """For each shape, shape (n,): the part of it in no cell, 0 to 1."""


def share_out(cells: NDArray[Any], shapes: NDArray[Any]) -> Shares:
    """Measure how much of each shape lies in each cell.

    Parameters
    ----------
    cells
        Polygons and MultiPolygons, EPSG:4326, shape (k,), by code. Where they overlap, each counts.
    shapes
        Lines and polygons, EPSG:4326, shape (n,).
    """
    shape, cell = _meetings(cells, shapes)
    parts = shapely.intersection(shapes[shape], cells[cell]) if len(shape) else np.zeros(0, dtype=object)
    # One projection for every shape, so that a shape has the same shares whatever it comes with.
    around = cells if len(cells) else shapes
    projection = LocalProjection.around(around) if len(shapes) else LocalProjection(0.0, 0.0)
    size, whole = _sizes(projection, parts, shapes[shape]), _sizes(projection, shapes, shapes)
    # What only touches a cell is no part of it.
    real = size > _NOTHING * whole[shape]
    shape, cell, parts, size = shape[real], cell[real], parts[real], size[real]
    total = np.bincount(shape, weights=size, minlength=len(shapes))
    share = size / total[shape]
    largest = np.zeros(len(shapes))
    np.maximum.at(largest, shape, share)
    rows = np.flatnonzero(share >= largest[shape] - _EQUAL)
    leads = np.zeros(len(shape), dtype=bool)
    # Rows are by cell, and cells by code: the first of the largest has the lowest code.
    leads[rows[np.unique(shape[rows], return_index=True)[1]]] = True
    with np.errstate(invalid="ignore", divide="ignore"):
        outside = np.where(whole > 0, 1.0 - total / whole, 0.0)
    outside = np.where(outside > _NOTHING, np.minimum(outside, 1.0), 0.0)
    return Shares(shape, cell, share, leads, parts, outside)


def _meetings(cells: NDArray[Any], shapes: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs that meet, by shape and then by cell."""
    if not len(shapes) or not len(cells):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    shape, cell = shapely.STRtree(cells).query(shapes, predicate="intersects")
    order = np.lexsort((cell, shape))
    return shape[order], cell[order]


def _sizes(projection: LocalProjection, parts: NDArray[Any], of: NDArray[Any]) -> NDArray[np.float64]:
    """Metres of what belongs to lines, square metres of what belongs to polygons, shape (n,)."""
    metric = projection.forward(parts)
    return np.where(shapely.get_dimensions(of) == 2, shapely.area(metric), shapely.length(metric))


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The points that stand for shapes, and the shares of those that are no points.

    Parameters
    ----------
    lon, lat
        Degrees, shape (n,); of a line or polygon a place in the part that leads, or on it where it lies
        outside every cell.
    cell
        Position of the cell that leads, shape (n,); -1 for a point, and for what lies in no cell.
    extended
        Positions of the shapes that are no points, shape (e,).
    shares
        Of those, in their order.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    cell: NDArray[np.int64]
    extended: NDArray[np.intp]
    shares: Shares


def stand_for(cells: NDArray[Any], geometry: NDArray[Any]) -> Standing:
    """Find the points that stand for shapes of any kind, EPSG:4326, shape (n,); cells as in `share_out`."""
    lon, lat = shapely.get_x(geometry), shapely.get_y(geometry)
    extended = np.flatnonzero(np.isnan(lon))
    whole = geometry[extended]
    shares = share_out(cells, whole)
    leading = np.flatnonzero(shares.leads)
    shown = whole.copy()
    shown[shares.shape[leading]] = shares.inside[leading]
    inside = _points_on(shown)
    lon[extended], lat[extended] = shapely.get_x(inside), shapely.get_y(inside)
    cell = np.full(len(geometry), -1, dtype=np.int64)
    cell[extended[shares.shape[leading]]] = shares.cell[leading]
    return Standing(lon, lat, cell, extended, shares)


def _points_on(shapes: NDArray[Any]) -> NDArray[Any]:
    """A point well inside each polygon, in the middle of the longest part of each line."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    order = np.lexsort((-shapely.length(parts), of))
    longest = np.full(len(shapes), None, dtype=object)
    first = order[np.unique(of[order], return_index=True)[1]]
    longest[of[first]] = parts[first]
    lines = shapely.get_dimensions(shapes) == 1
    found = shapely.point_on_surface(shapes)
    found[lines] = shapely.line_interpolate_point(longest[lines], 0.5, normalized=True)
    return np.asarray(found, dtype=object)


def keep_shares(session: Session, ground: Ground, problems: NDArray[np.int64], standing: Standing) -> None:
    """Write the shares of problems that have none yet.

    Parameters
    ----------
    session
        Of a writing transaction.
    ground
        Whose cells were asked.
    problems
        Ids, in the order of the shapes that `standing` is of, shape (n,).
    standing
        From `stand_for`.
    """
    shares = standing.shares
    insert_rows(
        session,
        ProblemCell,
        {
            "problem_id": problems[standing.extended[shares.shape]],
            "cell_id": ground.cell_ids[shares.cell],
            "share": shares.share,
            "leads": shares.leads,
        },
    )


def restore_shares(session: Session, before: Mapping[int, list[list[Any]]]) -> None:
    """Put shares back as they stood.

    Parameters
    ----------
    session
        Of a writing transaction.
    before
        By case number, one list for each cell: its id, the share as text, and whether it led. A cell that has
        gone meanwhile is left out.
    """
    if not before:
        return
    session.execute(delete(ProblemCell).where(ProblemCell.problem_id.in_(list(before))))
    cells = {line[0] for lines in before.values() for line in lines}
    present = set(session.scalars(select(GridCell.id).where(GridCell.id.in_(cells))))
    session.add_all(
        ProblemCell(problem_id=number, cell_id=cell, share=float(share), leads=leads)
        for number, lines in before.items()
        for cell, share, leads in lines
        if cell in present
    )
    session.flush()


def shares_of(session: Session, number: int, cell_id: int | None) -> list[tuple[int, float, bool]]:
    """Return the cells of a problem, the leading one first: id, share, and whether it leads.

    Parameters
    ----------
    number
        Case number.
    cell_id
        The problem's own cell: of a point the only one.
    """
    query = select(ProblemCell.cell_id, ProblemCell.share, ProblemCell.leads)
    query = query.where(ProblemCell.problem_id == number)
    order = (ProblemCell.leads.desc(), ProblemCell.share.desc(), ProblemCell.cell_id)
    found = [(row.cell_id, row.share, row.leads) for row in session.execute(query.order_by(*order))]
    return found or ([] if cell_id is None else [(cell_id, 1.0, True)])


def shared_into(session: Session, cell_id: int) -> dict[int, float]:
    """Return the problems that another cell leads and that have a share in a cell: case number -> share."""
    query = select(ProblemCell.problem_id, ProblemCell.share)
    rows = session.execute(query.where(ProblemCell.cell_id == cell_id, ~ProblemCell.leads))
    return {row.problem_id: row.share for row in rows}
