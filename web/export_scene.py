"""What a view shows, gathered once for a picture or a file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, field_validator
from sqlalchemy import select

from gridmap.hotspots.counts import cell_loads, tally
from gridmap.hotspots.heat import Per, Weight
from gridmap.hotspots.listing import in_box as rows_in_box
from gridmap.labels import label, site_label
from gridmap.language import gettext, listed
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.places.models import Building, Street, Surface
from gridmap.places.queries import read_places
from gridmap.places.responsibilities import holders_of
from gridmap.problems.models import State
from gridmap.store.extract import read_columns
from gridmap.store.spatial import in_box
from web.api.answering import directory, today, view_of
from web.api.parameters import FilterQuery
from web.installation import actor, db, installation
from web.validation import expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridmap.hotspots.view import View
    from gridmap.store.spatial import Box

__all__ = ["MOST_PROBLEMS", "ExportQuery", "Frame", "Scene", "filters_in_words", "gather"]

MOST_PROBLEMS = 5000
"""Single problems in an exported file; the counts are of all."""
_LAYERS = {"cells", "roads", "points", "problems", "heat"}
_BUILDINGS_FROM = 14


class ExportQuery(FilterQuery):
    """A view of the map, as its address holds it."""

    layers: str = Field("cells,roads,points,problems", description="Layers with commas between")
    colour: str = Field("load", pattern="^(load|overdue|patrol)$")
    weight: Weight = Weight.COUNT
    per: Per = Per.GROUND
    base: str = ""
    open: str = ""
    view: str = Field(
        pattern=r"^\d{1,2}(\.\d+)?/-?\d{1,2}(\.\d+)?/-?\d{1,3}(\.\d+)?$", description="zoom/lat/lon"
    )
    size: str = Field(
        "1400x900", pattern=r"^\d{3,4}x\d{3,4}$", description="Width and height of the map in pixels"
    )

    @field_validator("layers")
    @classmethod
    def _known(cls, text: str) -> str:
        if set(filter(None, text.split(","))) - _LAYERS:
            raise expected("Expected one or several of {expected}.", expected=", ".join(sorted(_LAYERS)))
        return text

    @property
    def shown(self) -> set[str]:
        """Layers that are on."""
        return set(self.layers.split(","))

    def frame(self) -> Frame:
        """Return where the picture lies."""
        zoom, lat, lon = (float(part) for part in self.view.split("/"))
        width, height = (int(part) for part in self.size.split("x"))
        return Frame(
            lon, max(min(lat, 85.0), -85.0), round(min(zoom, 20)), min(width, 3000), min(height, 2400)
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture's place: middle in degrees, zoom, size in pixels."""

    lon: float
    lat: float
    zoom: int
    width: int
    height: int

    @property
    def world(self) -> float:
        """Pixels around the earth."""
        return float(256 << self.zoom)

    @property
    def corner(self) -> tuple[float, float]:
        """World pixel of the upper left corner."""
        x, y = self._world_pixel(self.lon, self.lat)
        return float(x - self.width / 2), float(y - self.height / 2)

    def pixels(self, degrees: Any) -> Any:
        """Longitudes and latitudes, shape (n, 2), to pixels of the picture, shape (n, 2)."""
        x, y = self._world_pixel(degrees[:, 0], degrees[:, 1])
        left, top = self.corner
        return np.column_stack((x - left, y - top))

    def _world_pixel(self, lon: Any, lat: Any) -> Any:
        sine = np.sin(np.radians(lat))
        return (lon + 180) / 360 * self.world, (0.5 - np.arctanh(sine) / (2 * math.pi)) * self.world

    @property
    def box(self) -> Box:
        """West, south, east, north, degrees."""
        left, top = self.corner
        west, east = (edge / self.world * 360 - 180 for edge in (left, left + self.width))
        north, south = (
            math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * edge / self.world))))
            for edge in (top, top + self.height)
        )
        return west, south, east, north

    @property
    def metres_per_pixel(self) -> float:
        """On the ground, in the middle."""
        return 40_075_016.7 / self.world * math.cos(math.radians(self.lat))

    def tiles(self) -> Iterator[tuple[int, int, int]]:
        """Tiles that the picture touches, as column, row and zoom."""
        left, top = self.corner
        for x in range(int(left // 256), int((left + self.width) // 256) + 1):
            for y in range(int(top // 256), int((top + self.height) // 256) + 1):
                if 0 <= x < 2**self.zoom and 0 <= y < 2**self.zoom:
                    yield x, y, self.zoom


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a view shows to its reader; geometry in EPSG:4326."""

    query: ExportQuery
    frame: Frame
    view: View | None
    cells: list[dict[str, Any]]
    roads: list[dict[str, Any]]
    points: list[dict[str, Any]]
    problems: list[tuple[float, float, str, bool]]
    """Longitude, latitude, category and whether overdue."""
    total: int
    overdue: int


def gather(query: ExportQuery) -> Scene:
    """Read what the actor may see of a view.

    Raises
    ------
    PermissionDeniedError
        If the actor may not read places.
    """
    frame = query.frame()
    view = view_of(query) if actor().may(Permission.PROBLEM_READ) else None
    loads, whole = (cell_loads(view)[0], tally(view)) if view is not None else ({}, None)
    kinds = {
        kind: list(_places(kind, frame)) for kind in ("cell", "road", "point") if f"{kind}s" in query.shown
    }
    for cell in kinds.get("cell", []):
        load = loads.get(cell["id"])
        cell["open"], cell["overdue"] = (load.matching, load.overdue) if load else (0, 0)
    return Scene(
        query,
        frame,
        view,
        kinds.get("cell", []),
        kinds.get("road", []),
        kinds.get("point", []),
        _problems(view, frame) if view is not None and "problems" in query.shown else [],
        whole.matching if whole else 0,
        whole.overdue if whole else 0,
    )


def _places(kind: str, frame: Frame) -> Iterator[dict[str, Any]]:
    scope = actor().scope(Permission.PLACE_READ)
    found = read_places(db(), kind, scope=scope, day=today(), box=frame.box)
    holders = holders_of(db(), kind, [row["id"] for row in found.rows], today())
    faces = Faces(directory(), actor())
    for row, geometry in zip(found.rows, found.geometry, strict=True):
        mine = holders.get(row["id"], [])
        more = {"type_name": site_label(row["site_type"])} if kind == "point" else {}
        yield {**row, **more, "geometry": geometry, "held": bool(mine), "holder": faces.first_name(mine)}


def _problems(view: View, frame: Frame) -> list[tuple[float, float, str, bool]]:
    rows = rows_in_box(view, view.rows, frame.box)[:MOST_PROBLEMS]
    late = view.overdue(rows)
    names = directory()
    snapshot, points = view.snapshot, view.snapshot.points
    categories = points.kinds["category"][points.rows.kind[rows]]
    return [
        (
            float(lon),
            float(lat),
            entry.label if (entry := names.categories.get(int(category))) else "",
            bool(overdue),
        )
        for lon, lat, category, overdue in zip(
            snapshot.lon[rows], snapshot.lat[rows], categories, late, strict=True
        )
    ]


def base_features(frame: Frame) -> dict[str, dict[str, Any]]:
    """Surfaces, buildings and streets in the picture, by columns."""
    session = db()
    wanted: dict[str, tuple[Any, tuple[Any, ...]]] = {"surface": (Surface, (Surface.kind,))}
    if frame.zoom >= _BUILDINGS_FROM:
        wanted["building"] = (Building, ())
    wanted["street"] = (Street, (Street.road_class, Street.name))
    return {
        name: read_columns(session, select(*columns, model.geometry).where(in_box(session, model, frame.box)))
        for name, (model, columns) in wanted.items()
    }


def filters_in_words(query: FilterQuery) -> str:
    """The filter in the reader's language."""
    names = directory()
    said = []
    if query.state:
        said.append(
            listed(gettext("unresolved") if s == "unresolved" else _state(s) for s in sorted(query.state))
        )
    else:
        said.append(gettext("unresolved"))
    if query.overdue:
        said.append(gettext("Overdue only"))
    if query.category:
        known = {entry.code: entry.label for entry in names.categories}
        said.append(listed(known.get(code, code) for code in sorted(query.category)))
    if query.area and (area := names.areas.find(query.area)):
        said.append(area.name)
    if query.organisation and (organisation := names.organisations.find(query.organisation)):
        said.append(organisation.name)
    zone = installation().settings.zone
    for template, moment in (("since {day}", query.since), ("as of {day}", query.at)):
        if moment is not None:
            said.append(gettext(template, day=moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")))
    return " · ".join(said)


def _state(name: str) -> str:
    return label(State(name)) if name in set(State) else gettext("All")
