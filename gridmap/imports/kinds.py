"""Every kind of import by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.imports.osm import OSM
from gridmap.imports.places import AREAS, CELLS, POINTS, ROADS
from gridmap.imports.problems import PROBLEMS
from gridmap.imports.roster import ROSTER
from gridmap.imports.shops import SHOPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.imports.plan import Kind

__all__ = ["KINDS"]

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (OSM, AREAS, CELLS, POINTS, ROADS, SHOPS, ROSTER, PROBLEMS)
}
