"""Barriers and turn restrictions of an OpenStreetMap file, as its streets are named there."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from geodata.travel import barred_at, bound_by

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULE_KEYS", "OsmRules"]

RULE_KEYS = ("barrier", "restriction", "restriction:motorcar", "restriction:motor_vehicle")
"""Keys by which the objects that `OsmRules` wants are known."""

_COLUMNS = ("osm_id", "kind", "profiles", "from_ref", "to_ref", "via_refs", "lon", "lat")


class OsmRules:
    """Collects rules while a file is read, in its usual order: nodes, streets, relations."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._ends: dict[int, tuple[int, int]] = {}
        self._places: dict[int, tuple[float, float]] = {}

    def bar(self, node: Any, tags: Mapping[str, str]) -> None:
        """Take a barrier, if it bars anybody."""
        if node.location.valid() and (barred := barred_at(tags)):
            profiles = " ".join(sorted(barred))
            self._rows.append((f"node/{node.id}", "barrier", profiles, "", "", "", node.lon, node.lat))

    def note(self, way: Any) -> None:
        """Remember where a street ends, for the restrictions that begin there."""
        first, last = way.nodes[0], way.nodes[-1]
        self._ends[way.id] = (first.ref, last.ref)
        for node in (first, last):
            if node.location.valid():
                self._places[node.ref] = (node.lon, node.lat)

    def restrict(self, relation: Any) -> int:
        """Take a turn restriction, and return how many of its turns are about what is not in the file."""
        kind, bound = bound_by(dict(relation.tags))
        members: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for member in relation.members:
            members[member.role].append((member.type, member.ref))
        ways = [ref for of, ref in members["via"] if of == "w"]
        nodes = {ref for of, ref in members["via"] if of == "n"}
        if not kind:
            return 0
        lost = 0
        for _, start in members["from"]:
            if ways:
                nodes = set(self._ends.get(start, ())) & set(self._ends.get(ways[0], ()))
            node = min(nodes & self._places.keys(), default=None)
            for _, end in members["to"]:
                if node is None or not {start, end, *ways} <= self._ends.keys():
                    lost += 1
                    continue
                streets = (f"way/{start}", f"way/{end}", " ".join(f"way/{ref}" for ref in ways))
                osm_id = f"relation/{relation.id}/{start}/{end}"
                self._rows.append((osm_id, kind, " ".join(sorted(bound)), *streets, *self._places[node]))
        return lost

    def frame(self) -> pd.DataFrame:
        """Return what was collected.

        Columns are ``osm_id``, ``kind``, ``profiles`` (names with blanks between), ``from_ref``, ``to_ref``,
        ``via_refs`` (``osm_id`` of streets, with blanks between), ``lon``, ``lat``; see
        `geodata.turns.TurnRule`.
        """
        return pd.DataFrame(self._rows, columns=list(_COLUMNS)).drop_duplicates("osm_id")
