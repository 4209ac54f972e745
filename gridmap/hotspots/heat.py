"""Heat pictures of a view, and the legend that says what their colours mean."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from geodata.heat import Heat
from geodata.heat_picture import heat_png, ramp_legend
from geodata.point_columns import PointColumns, PointWeights
from geodata.projection import LocalProjection
from gridmap.language import gettext
from gridmap.places.models import PriorityRoad, Street
from gridmap.store.bulk import read_columns

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from gridmap.hotspots.view import View
    from gridmap.store.clock import Clocks

__all__ = ["Denominators", "HeatLegend", "Per", "Weight", "heat_legend", "heat_tile"]

_HOUR = 3600
_PIECE_METRES = 20.0
_BY_SEVERITY = (1.0, 1.0, 2.0, 3.0, 4.0, 5.0)
_GROWTH_PER_DAY = 0.1
_EARTH_PIXEL_KM = 40_075.017 / 256
"""Width of a pixel of the single tile of zoom 0, at the equator."""


class Weight(StrEnum):
    """How much a problem counts."""

    COUNT = "count"
    SEVERITY = "severity"
    """1 to 5, as its category or its finder says."""
    AGE = "age"
    """1, and a tenth more for every day since it was found, up to 10."""
    SEVERITY_AGE = "severity_age"
    """The product of both."""


class Per(StrEnum):
    """What the heat is divided by."""

    GROUND = "ground"
    STREET_KM = "street_km"
    PATROL = "patrol"
    """Kilometres of priority road times the patrols planned there per day; walked ones are not known yet."""


@dataclass(frozen=True, slots=True)
class HeatLegend:
    """Colours from low to high: values in `unit`, CSS colours."""

    stops: list[tuple[float, str]]
    unit: str


class Denominators:
    """Kilometres of street and of planned patrol, kept until the ground changes; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Per, tuple[object, Heat]] = {}

    def get(self, session: Session, clocks: Clocks, per: Per, day: date) -> Heat | None:
        """Return what heat is divided by; None for ground, which needs nothing."""
        if per is Per.GROUND:
            return None
        state = clocks.base if per is Per.STREET_KM else (clocks.ground, day)
        with self._lock:
            known = self._kept.get(per)
            if known is None or known[0] != state:
                read = _street_km if per is Per.STREET_KM else _patrol_km
                known = self._kept[per] = (state, read(session, day))
            return known[1]


def _street_km(session: Session, _day: date) -> Heat:
    rows = read_columns(session, select(Street.geometry))
    return _lengths(rows["geometry"], np.ones(len(rows["geometry"])))


def _patrol_km(session: Session, day: date) -> Heat:
    rows = read_columns(
        session,
        select(PriorityRoad.geometry, PriorityRoad.patrols_per_day).where(PriorityRoad.in_force(day)),
    )
    return _lengths(rows["geometry"], rows["patrols_per_day"])


def _lengths(lines: NDArray[np.object_], factor: ArrayLike) -> Heat:
    """Heat of lines (EPSG:4326) cut into pieces of at most 20 m: kilometres times a factor (n,)."""
    if not len(lines):
        return Heat(PointColumns.build([], [], mass=[])[0])
    projection = LocalProjection.around(lines)
    pieces = shapely.segmentize(projection.forward(lines), _PIECE_METRES)
    points, line = shapely.get_coordinates(pieces, return_index=True)
    _, part = shapely.get_coordinates(shapely.get_parts(pieces), return_index=True)
    inside = np.diff(part) == 0
    middle = ((points[1:] + points[:-1]) / 2)[inside]
    km = np.hypot(*np.diff(points, axis=0)[inside].T) / 1000 * np.asarray(factor)[line[1:][inside]]
    lon, lat = projection.inverse_xy(*middle.T)
    return Heat(PointColumns.build(lon, lat, mass=km)[0])


def _weights(weight: Weight, moment: int) -> PointWeights:
    # Whole hours, so that pictures can be kept that long.
    ages = weight in {Weight.AGE, Weight.SEVERITY_AGE}
    return PointWeights(
        by_severity=_BY_SEVERITY if weight in {Weight.SEVERITY, Weight.SEVERITY_AGE} else (),
        growth_per_day=_GROWTH_PER_DAY if ages else 0.0,
        now=moment // _HOUR * _HOUR if ages else 0,
    )


def heat_tile(
    view: View, tile: tuple[int, int, int], *, weight: Weight, per: Heat | None = None, pixels: int = 256
) -> bytes:
    """PNG of the heat of a view.

    The colours are scaled by what this view holds, at one scale for all tiles of a zoom: nothing that the
    reader may not see changes a pixel.

    Parameters
    ----------
    tile
        Zoom, column, row.
    per
        From `Denominators`.
    pixels
        Along the tile.

    Raises
    ------
    GeometryError
        If there is no such tile.
    """
    heat, weights = view.snapshot.heat, _weights(weight, view.moment)
    surface = heat.surface(*tile, view.chosen, weights, per=per, pixels=pixels)
    return heat_png(surface, heat.scale(tile[0], view.chosen, weights, per=per))


def heat_legend(
    view: View, z: int, *, weight: Weight, per: Per, divisor: Heat | None = None, lat: float | None = None
) -> HeatLegend:
    """Say what the colours of `heat_tile` mean at a zoom.

    Parameters
    ----------
    per, divisor
        What is divided by, and its heat.
    lat
        Latitude at which square kilometres are measured; the middle of what the view shows if None.
    """
    heat, weights = view.snapshot.heat, _weights(weight, view.moment)
    full = heat.scale(z, view.chosen, weights, per=divisor)
    if per is Per.GROUND:
        if lat is None:
            lat = float(view.snapshot.lat[view.rows].mean()) if len(view.rows) else 0.0
        side = _EARTH_PIXEL_KM / 2**z * math.cos(math.radians(lat))
        full /= side * side
    if not len(view.rows):
        return HeatLegend([], _unit(weight, per))
    return HeatLegend([(share * full, colour) for share, colour in ramp_legend()], _unit(weight, per))


def _unit(weight: Weight, per: Per) -> str:
    counted = weight is Weight.COUNT
    return {
        Per.GROUND: gettext("problems per km²") if counted else gettext("points per km²"),
        Per.STREET_KM: gettext("problems per km of street")
        if counted
        else gettext("points per km of street"),
        Per.PATROL: gettext("problems per km patrolled daily (as planned)")
        if counted
        else gettext("points per km patrolled daily (as planned)"),
    }[per]
