"""A city from an OpenStreetMap file.

Data (c) OpenStreetMap contributors, ODbL 1.0: whoever shows what this reads says so.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import osmium
import pandas as pd
import shapely

from geodata.errors import FormatError
from geodata.osm_attributes import polygon_attributes, site_attributes, street_attributes
from geodata.osm_bounds import core_bounds, near
from geodata.osm_rules import RULE_KEYS, OsmRules
from geodata.osm_tags import RoadClass, SiteType, road_class

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    Attributes = dict[str, Any]

__all__ = ["OsmExtract", "RoadClass", "SiteType", "read_osm"]

_COLUMNS = {
    "streets": ("osm_id", "name", "road_class", "oneway", "link", "layer", "bridge", "tunnel", "tags"),
    "sites": ("osm_id", "name", "site_type", "address"),
    "buildings": ("osm_id", "name", "levels"),
    "areas": ("osm_id", "name", "admin_level"),
    "water": ("osm_id", "name", "kind"),
    "green": ("osm_id", "name", "kind"),
}
_KEYS = [
    "highway",
    "building",
    "boundary",
    "amenity",
    "shop",
    "healthcare",
    "office",
    "railway",
    "public_transport",
    "aeroway",
    "place",
    "leisure",
    "tourism",
    "landuse",
    "residential",
    "natural",
    "waterway",
]
_LINES = frozenset(("river", "stream", "canal", "drain", "ditch"))
_REPORT_EVERY = 20_000
_FEWEST_CORNERS = 4


@dataclass(frozen=True, slots=True)
class OsmExtract:
    """What an OpenStreetMap file holds for a city; every frame is in EPSG:4326.

    Attributes
    ----------
    streets
        ``osm_id`` ("way/123"), ``name``, ``road_class`` (`RoadClass`), ``oneway`` (1 along the line, -1
        against it, 0 both), ``link`` (a ramp), ``layer`` (0 on the ground), ``bridge``, ``tunnel``, ``tags``
        (those of `geodata.travel.TRAVEL_TAGS`, a dictionary); LineString.
    rules
        Barriers and turn restrictions, see `geodata.osm_rules.OsmRules.frame`.
    sites
        ``osm_id``, ``name``, ``site_type`` (`SiteType`), ``address``; Point, Polygon or MultiPolygon.
    buildings
        ``osm_id``, ``name``, ``levels`` (NaN where unknown); Polygon or MultiPolygon.
    areas
        Administrative: ``osm_id``, ``name``, ``admin_level`` (6 district, 8 subdistrict in China; 0 where not
        tagged); Polygon or MultiPolygon. Not cut off at the core.
    water, green
        ``osm_id``, ``name``, ``kind``; polygons, for flowing water lines too.
    core_bounds
        West, south, east, north of the place the extract is about, degrees: the file's own box, else from its
        streets. Members of relations may lie far outside of it.
    dropped
        How many objects of which layer were left out and why, such as ``{"streets.not_a_street": 3}``:
        ``not_a_street`` (platforms, planned roads), ``area`` (the outline of a square, see sites),
        ``nodes_missing``, ``not_closed``, ``too_few_corners``, ``no_ground`` (an outline without an
        inside), ``incomplete`` (a relation whose members are not all in the file, or make no polygon),
        ``far_outside``.
    repaired
        How many were kept after a repair: ``shortened`` (a street with nodes missing), ``made_valid`` (an
        outline that crossed itself).
    """

    streets: geopandas.GeoDataFrame
    rules: pd.DataFrame
    sites: geopandas.GeoDataFrame
    buildings: geopandas.GeoDataFrame
    areas: geopandas.GeoDataFrame
    water: geopandas.GeoDataFrame
    green: geopandas.GeoDataFrame
    core_bounds: tuple[float, float, float, float]
    dropped: dict[str, int]
    repaired: dict[str, int]


def read_osm(
    path: str | os.PathLike[str],
    *,
    clip: bool = True,
    progress: Callable[[str, int], None] | None = None,
) -> OsmExtract:
    """Read a city from ``.osm.pbf``, ``.osm.gz``, ``.osm.bz2`` or ``.osm``.

    Parameters
    ----------
    path
        The file. Its ending tells its format.
    clip
        Leave out what lies wholly outside of the core, extended on each side by its own size and at
        least by 0.005 degrees.
    progress
        Called with the stage ("reading", then each layer's name) and the number of objects done in it.

    Raises
    ------
    FormatError
        The file is missing, not OpenStreetMap, cut off, or without any object.
    """
    source = Path(path)
    if not source.is_file():
        raise FormatError("Expected an OpenStreetMap file; found none at {path}.", path=str(source))
    tell = progress or (lambda _stage, _count: None)
    try:
        collected = _collect(source, tell)
    except RuntimeError as error:
        raise FormatError(
            "Expected a whole OpenStreetMap file (.osm.pbf, .osm.gz, .osm.bz2, .osm); {path} cannot be read: "
            "{problem}.",
            path=source.name,
            problem=str(error).rstrip("."),
        ) from error
    if not collected.layers:
        raise FormatError(
            "Expected OpenStreetMap streets, sites, buildings or areas; found none in {path}.",
            path=source.name,
        )
    frames = {}
    for layer in _COLUMNS:
        frames[layer] = collected.frame(layer)
        tell(layer, len(frames[layer]))
    core = core_bounds(collected.box, frames)
    if clip:
        for layer in ("streets", "sites", "buildings", "water", "green"):
            kept = near(frames[layer].geometry.to_numpy(), core)
            collected.lose(layer, "far_outside", int((~kept).sum()))
            frames[layer] = frames[layer][kept].reset_index(drop=True)
    return OsmExtract(
        **frames,
        rules=collected.rules.frame(),
        core_bounds=core,
        dropped=dict(sorted(collected.dropped.items())),
        repaired=dict(sorted(collected.repaired.items())),
    )


def _collect(source: Path, tell: Callable[[str, int], None]) -> _Collected:
    """Read once if the file is in the usual order (nodes, ways, relations, by number), else after sorting."""
    collected = _Collected()
    try:
        collected.read(source, tell)
        if collected.complete:
            return collected
    except RuntimeError as error:
        if "out of order" not in str(error):
            raise
    with tempfile.TemporaryDirectory() as folder:
        ordered = Path(folder) / "ordered.osm.pbf"
        unordered = osmium.MergeInputReader()
        unordered.add_file(str(source))
        with osmium.SimpleWriter(str(ordered)) as writer:
            unordered.apply(writer)
        again = _Collected()
        again.read(ordered, tell)
        # Sorting loses the file's own box.
        again.box = collected.box
        return again


@dataclass(slots=True)
class _Shapes:
    """One layer under way: attributes and WKB, and whether a closed line means its inside."""

    attributes: list[Attributes] = field(default_factory=list)
    wkb: list[str] = field(default_factory=list)
    outline: list[bool] = field(default_factory=list)

    def add(self, attributes: Attributes, wkb: str, *, outline: bool) -> None:
        self.attributes.append(attributes)
        self.wkb.append(wkb)
        self.outline.append(outline)


class _Collected:
    """Objects picked from a file, layer by layer, and what was lost on the way."""

    def __init__(self) -> None:
        self.objects = 0
        self.complete = True
        self.box: Any = None
        self.layers: defaultdict[str, _Shapes] = defaultdict(_Shapes)
        self.dropped: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self._wanted_relations: dict[int, list[str]] = {}
        self._assembled: set[int] = set()
        self.rules = OsmRules()
        self._wkb = osmium.geom.WKBFactory()

    def lose(self, layer: str, reason: str, count: int = 1) -> None:
        if count:
            self.dropped[f"{layer}.{reason}"] += count

    def read(self, source: Path, tell: Callable[[str, int], None]) -> None:
        processor = (
            osmium.FileProcessor(source)
            .with_areas(osmium.filter.KeyFilter(*_KEYS))
            .with_filter(osmium.filter.KeyFilter(*_KEYS, *RULE_KEYS))
        )
        self.box = processor.header.box()
        take = {"n": self._node, "w": self._way, "r": self._relation, "a": self._area}
        for item in processor:
            take[item.type_str()](item)
            self.objects += 1
            if self.objects % _REPORT_EVERY == 0:
                tell("reading", self.objects)
        tell("reading", self.objects)
        # An area comes out with the last of its ways, before its relation: only the end shows what lacks.
        for layers in (v for k, v in self._wanted_relations.items() if k not in self._assembled):
            for layer in layers:
                self.lose(layer, "incomplete")

    def _node(self, node: Any) -> None:
        tags = dict(node.tags)
        if "barrier" in tags:
            self.rules.bar(node, tags)
        if (site := site_attributes(tags)) is None:
            return
        if node.location.valid():
            self.layers["sites"].add(
                {"osm_id": f"node/{node.id}", **site}, self._wkb.create_point(node), outline=False
            )
        else:
            self.lose("sites", "nodes_missing")

    def _way(self, way: Any) -> None:
        tags = dict(way.tags)
        street = "highway" in tags and self._is_street(tags, closed=way.is_closed())
        wanted = list(polygon_attributes(tags))
        if not (street or wanted):
            return
        osm_id = f"way/{way.id}"
        wkb, shortened = self._line(way)
        if street:
            if wkb is None:
                self.lose("streets", "nodes_missing")
            else:
                if shortened:
                    self.repaired["streets.shortened"] += 1
                self.layers["streets"].add({"osm_id": osm_id, **street_attributes(tags)}, wkb, outline=False)
                self.rules.note(way)
        for layer, attributes in wanted:
            # A river is a line unless it is drawn as the ground it covers.
            line = layer == "water" and attributes["kind"] in _LINES
            if wkb is None or (shortened and not line):
                self.lose(layer, "nodes_missing")
            elif line or way.is_closed():
                self.layers[layer].add({"osm_id": osm_id, **attributes}, wkb, outline=not line)
            elif layer != "areas":  # an open border is a piece of a relation's
                self.lose(layer, "not_closed")

    def _is_street(self, tags: dict[str, str], *, closed: bool) -> bool:
        if tags.get("area") == "yes" and closed:
            self.lose("streets", "area")
        elif road_class(tags) is None:
            self.lose("streets", "not_a_street")
        else:
            return True
        return False

    def _line(self, way: Any) -> tuple[str | None, bool]:
        """WKB of a way; where nodes are missing, of its longest part without a gap."""
        try:
            return self._wkb.create_linestring(way), False
        except (osmium.InvalidLocationError, RuntimeError):  # the latter for a way of one place
            self.complete = False
            located = np.array(
                [(n.lon, n.lat) if n.location.valid() else (np.nan, np.nan) for n in way.nodes], ndmin=2
            )
        gaps = np.flatnonzero(np.isnan(located[:, 0]))
        runs = np.split(located, gaps)
        longest = max((run[~np.isnan(run[:, 0])] for run in runs), key=len)
        if len(np.unique(longest, axis=0)) < 2:
            return None, False
        return shapely.to_wkb(shapely.linestrings(longest), hex=True), True

    def _relation(self, relation: Any) -> None:
        if relation.tags.get("type", "").startswith("restriction"):
            self.lose("rules", "incomplete", self.rules.restrict(relation))
        if relation.tags.get("type") in ("multipolygon", "boundary"):
            layers = [layer for layer, _ in polygon_attributes(dict(relation.tags))]
            if layers:
                self._wanted_relations[relation.id] = layers

    def _area(self, area: Any) -> None:
        # Closed ways were taken as ways: the assembler gives up on outlines that can be repaired.
        if area.from_way():
            return
        self._assembled.add(area.orig_id())
        wkb = self._wkb.create_multipolygon(area)
        for layer, attributes in polygon_attributes(dict(area.tags)):
            self.layers[layer].add({"osm_id": f"relation/{area.orig_id()}", **attributes}, wkb, outline=False)

    def frame(self, layer: str) -> geopandas.GeoDataFrame:
        shapes = self.layers[layer]
        geometry = np.asarray(shapely.from_wkb(np.array(shapes.wkb, dtype=object)), dtype=object)
        outline = np.array(shapes.outline, dtype=bool)
        geometry[outline] = self._polygons_of(layer, geometry[outline])
        if layer != "streets":
            geometry = self._valid(layer, geometry)
        table = pd.DataFrame.from_records(shapes.attributes, columns=list(_COLUMNS[layer]))
        kept = ~shapely.is_missing(geometry)
        frame = geopandas.GeoDataFrame(table[kept], geometry=geometry[kept], crs="EPSG:4326")
        return frame.reset_index(drop=True)

    def _polygons_of(self, layer: str, lines: NDArray[np.object_]) -> NDArray[np.object_]:
        polygons = np.full(len(lines), None, dtype=object)
        enough = shapely.get_num_coordinates(lines) >= _FEWEST_CORNERS
        self.lose(layer, "too_few_corners", int((~enough).sum()))
        coordinates, index = shapely.get_coordinates(lines[enough], return_index=True)
        if len(coordinates):
            polygons[enough] = shapely.polygons(shapely.linearrings(coordinates, indices=index))
        return polygons

    def _valid(self, layer: str, geometry: NDArray[np.object_]) -> NDArray[np.object_]:
        crooked = ~shapely.is_valid(geometry) & ~shapely.is_missing(geometry)
        repaired = shapely.make_valid(geometry[crooked], method="structure", keep_collapsed=False)
        lost = shapely.is_empty(repaired)
        self.lose(layer, "no_ground", int(lost.sum()))
        if (~lost).any():
            self.repaired[f"{layer}.made_valid"] += int((~lost).sum())
        repaired[lost] = None
        geometry[crooked] = repaired
        return geometry
