"""Streets with their rules, buildings, surfaces, areas and inspection points from an OpenStreetMap file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geodata.tables import Table
from gridmap.imports.faults import Faults
from gridmap.imports.plan import Counts, Kind, Note, Plan, Reading
from gridmap.imports.steps import Draft, Matched, match
from gridmap.people.permissions import Permission
from gridmap.places.models import Area, AreaLevel, Building, InspectionPoint, RoadRule, Street, Surface
from gridmap.trail.words import table_name

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas
    from numpy.typing import NDArray

    from gridmap.imports.plan import Writer

__all__ = ["OSM", "plan_osm"]

_LEVELS = {
    4: AreaLevel.CITY,
    5: AreaLevel.CITY,
    6: AreaLevel.DISTRICT,
    8: AreaLevel.SUBDISTRICT,
    10: AreaLevel.COMMUNITY,
}


def _words(frame: pd.DataFrame, column: str, longest: int = 200) -> NDArray[np.object_]:
    words = frame[column].astype(object).where(frame[column].notna(), "").astype(str).str.slice(0, longest)
    return np.asarray(words, dtype=np.object_)


def _multipolygons(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    shapes = frame.geometry.to_numpy()
    single = shapely.get_type_id(shapes) == 3
    multi = np.asarray(shapes, dtype=object).copy()
    if single.any():
        multi[single] = shapely.multipolygons(shapes[single], indices=np.arange(int(single.sum())))
    return multi


def plan_osm(file: Path, writer: Writer) -> Plan:
    """Say what an OpenStreetMap file would bring; its coordinates are WGS-84 by definition."""
    from geodata.osm import read_osm

    writer.progress(0, 1, "Reading the map file")
    extract = read_osm(file)
    drafts = _drafts(extract)
    on = writer.now.date()
    steps: list[Matched] = []
    for done, draft in enumerate(drafts):
        writer.progress(done, len(drafts), "Comparing with the store")
        steps.append(match(writer.session, draft, on=on))
    created, changed = (
        sum(int(getattr(step, what).sum()) for step in steps) for what in ("created", "changed")
    )
    total = sum(len(draft) for draft in drafts)
    lost = sum(extract.dropped.values())
    empty = pd.DataFrame(index=range(0))
    reading = Reading(
        Table(frame=empty, geometry=None, row_numbers=np.zeros(0, dtype=np.int64)),
        {},
        {},
        None,
        Faults(0),
        [Note("{n} × {reason}", {"n": count, "reason": reason}) for reason, count in extract.dropped.items()],
    )
    counts = Counts(total + lost, created, changed, total - created - changed, lost)
    table = pd.DataFrame(
        {"layer": [table_name(d.model.__tablename__) for d in drafts], "rows": [len(d) for d in drafts]}
    )
    return Plan("osm", reading, counts, steps, sample=table)


def _drafts(extract: Any) -> list[Draft]:
    areas, sites = extract.areas, extract.sites
    levels = areas["admin_level"].map(_LEVELS)
    areas = areas[levels.notna() & areas["name"].notna()]
    sites = sites[sites["name"].notna()]
    drafts = [
        Draft(
            Area,
            key=("code",),
            columns={
                "code": _refs(areas),
                "name": _words(areas, "name"),
                "level": levels.loc[areas.index].to_numpy(dtype=object),
            },
            geometry=_multipolygons(areas),
            lasting=True,
        ),
        Draft(
            Street,
            key=("source_ref",),
            columns={
                "source_ref": _refs(extract.streets),
                "name": _words(extract.streets, "name"),
                "road_class": _words(extract.streets, "road_class"),
                "oneway": extract.streets["oneway"].to_numpy(dtype=object),
                "tags": _tags(extract.streets),
            },
            geometry=extract.streets.geometry.to_numpy(),
        ),
        Draft(
            RoadRule,
            key=("source_ref",),
            columns={
                "source_ref": _refs(extract.rules),
                **{name: _words(extract.rules, name) for name in ("kind", "profiles")},
                **{name: _streets_of(extract.rules, name) for name in ("from_ref", "to_ref", "via_refs")},
                **{name: extract.rules[name].to_numpy(dtype=object) for name in ("lon", "lat")},
            },
        ),
        Draft(
            Building,
            key=("source_ref",),
            columns={
                "source_ref": _refs(extract.buildings),
                "name": _words(extract.buildings, "name"),
                "levels": _levels(extract.buildings),
            },
            geometry=_multipolygons(extract.buildings),
        ),
        Draft(
            InspectionPoint,
            key=("code",),
            columns={
                "code": _refs(sites),
                "name": _words(sites, "name"),
                "site_type": _words(sites, "site_type"),
                "address": _words(sites, "address", 300),
            },
            geometry=sites.geometry.to_numpy(),
            lasting=True,
        ),
    ]
    for kind, frame in (("water", extract.water), ("green", extract.green)):
        polygons = frame[np.isin(shapely.get_type_id(frame.geometry.to_numpy()), [3, 6])]
        drafts.append(
            Draft(
                Surface,
                key=("source_ref",),
                columns={
                    "source_ref": _refs(polygons),
                    "name": _words(polygons, "name"),
                    "kind": np.full(len(polygons), kind, dtype=object),
                },
                geometry=_multipolygons(polygons),
            )
        )
    return [draft for draft in drafts if len(draft)]


def _refs(frame: pd.DataFrame) -> NDArray[np.object_]:
    return np.array([f"osm:{ref}" for ref in frame["osm_id"]], dtype=object)


def _tags(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    return np.array(
        [json.dumps(tags, ensure_ascii=False) if tags else "" for tags in frame["tags"]], dtype=object
    )


def _streets_of(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    return np.array([" ".join(f"osm:{r}" for r in text.split()) for text in frame[column]], dtype=object)


def _levels(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    levels = pd.to_numeric(frame["levels"], errors="coerce")
    return np.array([int(n) if 0 <= n < 1000 else None for n in levels], dtype=object)


OSM = Kind("osm", "OpenStreetMap file", Permission.PLACE_IMPORT, lambda _zone: (), frozenset(), None)
