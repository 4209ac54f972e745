"""The street network as edges between junctions, with who may go along them and where one may not turn.

An edge is a piece of a street between two junctions. It has two arcs: ``2 * edge`` along its line and
``2 * edge + 1`` against it, so that ``arc ^ 1`` is the other direction. Coordinates are EPSG:4326, lengths
in metres.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import shapely

from geodata.errors import FormatError, GeometryError
from geodata.projection import LocalProjection
from geodata.travel import Profile, speeds
from geodata.turns import TurnRule, forbidden_turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["StreetGraph", "build_street_graph"]

_FORMAT = 1
_DEGREE = 1e7  # OpenStreetMap's own grid: about a centimetre


@dataclass(frozen=True, slots=True, eq=False)
class StreetGraph:
    """Streets as a graph; see `build_street_graph`.

    Attributes
    ----------
    node_lon, node_lat
        Junctions and ends, degrees, shape (n,).
    first_node, last_node
        Of each edge, in the order of its street's line, int64, shape (m,).
    length_m
        Of each edge, float64, shape (m,).
    street
        Row of each edge's street among the streets given, int64, shape (m,).
    lon, lat
        Corners of all edges, one edge after the other, degrees, shape (c,).
    corner
        Where the corners of each edge begin, and where the last ones end, int64, shape (m + 1,).
    speed
        For each `Profile` km/h along each arc, 0 where it may not be used, float64, shape (2m,).
    turns
        For each `Profile` sequences of two and more arcs that may not be used one after the other.
    ref, name, road_class
        Of each street given, shape (s,).
    """

    node_lon: NDArray[np.float64]
    node_lat: NDArray[np.float64]
    first_node: NDArray[np.int64]
    last_node: NDArray[np.int64]
    length_m: NDArray[np.float64]
    street: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    corner: NDArray[np.int64]
    speed: dict[Profile, NDArray[np.float64]]
    turns: dict[Profile, tuple[tuple[int, ...], ...]]
    ref: NDArray[np.str_]
    name: NDArray[np.str_]
    road_class: NDArray[np.str_]

    def __len__(self) -> int:
        """Count the edges."""
        return len(self.length_m)

    @property
    def projection(self) -> LocalProjection:
        """Metres about the middle of the network."""
        corners = (self.node_lon, self.node_lat)
        return LocalProjection(*(round(float(v.min() + v.max()) / 2, 2) for v in corners))

    def tail(self, arcs: Any) -> NDArray[np.int64]:
        """Node at which each arc begins."""
        arcs = np.asarray(arcs, dtype=np.int64)
        tail: NDArray[np.int64] = np.where(arcs & 1, self.last_node[arcs >> 1], self.first_node[arcs >> 1])
        return tail

    def head(self, arcs: Any) -> NDArray[np.int64]:
        """Node at which each arc ends."""
        return self.tail(np.asarray(arcs, dtype=np.int64) ^ 1)

    def lines(self, edges: Any = None) -> NDArray[np.object_]:
        """LineStrings of edges, along their streets, EPSG:4326; all of them by default."""
        chosen = np.arange(len(self)) if edges is None else np.asarray(edges, dtype=np.int64)
        count = self.corner[chosen + 1] - self.corner[chosen]
        row = np.repeat(np.arange(len(chosen)), count)
        at = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        at += np.repeat(self.corner[chosen], count)
        xy = np.column_stack([self.lon[at], self.lat[at]])
        return np.asarray(shapely.linestrings(xy, indices=row), dtype=object).reshape(-1)

    def arcs_of_street(self, street: int) -> NDArray[np.int64]:
        """Arcs along a street's line, in order, whatever may be driven there."""
        return np.flatnonzero(self.street == street) * 2

    def save(self, path: Path) -> None:
        """Write to a file, whole or not at all."""
        arrays: dict[str, Any] = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("speed", "turns")
        }
        for profile in Profile:
            arrays[f"speed_{profile}"] = self.speed[profile]
            arrays[f"turns_{profile}"] = np.array(json.dumps(self.turns[profile]))
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        try:
            with draft.open("wb") as file:
                np.savez(file, format=np.array(_FORMAT), **arrays)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> StreetGraph:
        """Read what `save` wrote.

        Raises
        ------
        FormatError
            If it is not there, damaged, or of another version.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                values = {name: stored[name] for name in stored.files}
            speed = {profile: values.pop(f"speed_{profile}") for profile in Profile}
            turns = {
                profile: tuple(tuple(turn) for turn in json.loads(str(values.pop(f"turns_{profile}"))))
                for profile in Profile
            }
            current = int(values.pop("format")) == _FORMAT
            graph = cls(**values, speed=speed, turns=turns)
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise FormatError(
                "Expected a street network of this version; {path} holds none.", path=path.name
            ) from error
        if not current:
            raise FormatError("Expected a street network of this version; {path} holds none.", path=path.name)
        return graph


def build_street_graph(
    lines: Any,
    *,
    road_class: Sequence[str] | NDArray[Any],
    oneway: Sequence[int] | NDArray[Any],
    ref: Sequence[str] | NDArray[Any] | None = None,
    name: Sequence[str] | NDArray[Any] | None = None,
    tags: Sequence[dict[str, str]] | None = None,
    rules: Sequence[TurnRule] = (),
) -> StreetGraph:
    """Build the network of streets that meet where they have a corner in common.

    Parameters
    ----------
    lines
        LineStrings in EPSG:4326, shape (s,).
    road_class, oneway
        Of each street: a `geodata.osm_tags.RoadClass`; 1 along the line, -1 against it, 0 both.
    ref, name
        What each street is called by its source (by number by default), and on its sign.
    tags
        What OpenStreetMap says of each, see `geodata.travel.TRAVEL_TAGS`.
    rules
        Barriers and turn restrictions; streets are named by `ref`.

    Raises
    ------
    GeometryError
        If there is no street.
    """
    shapes = np.asarray(lines, dtype=object)
    if not len(shapes):
        raise GeometryError("Expected at least one street; found none.")
    refs = np.array([str(i) for i in range(len(shapes))] if ref is None else ref, dtype=np.str_)
    corners, row = shapely.get_coordinates(shapes, return_index=True)
    grid = np.rint(corners * _DEGREE).astype(np.int64)
    fresh = np.ones(len(row), dtype=bool)
    fresh[1:] = (row[1:] != row[:-1]) | (grid[1:] != grid[:-1]).any(axis=1)
    corners, row, grid = corners[fresh], row[fresh], grid[fresh]
    key = (grid[:, 0] << 32) + grid[:, 1]
    known, vertex = np.unique(key, return_inverse=True)

    junction = np.bincount(vertex, minlength=len(known)) > 1
    new_row = np.flatnonzero(np.diff(row, prepend=-1))
    ends = np.concatenate([new_row, np.append(new_row[1:], len(row)) - 1])
    junction[vertex[ends]] = True
    at = [_key(rule.lon, rule.lat) for rule in rules]
    found = np.clip(np.searchsorted(known, at), 0, len(known) - 1)
    standing = known[found] == at
    junction[found[standing]] = True
    cut = junction[vertex]
    cut[_middles_of_loops(vertex, row, cut)] = True

    stops = np.flatnonzero(cut)
    within = row[stops[:-1]] == row[stops[1:]]
    begin, end = stops[:-1][within], stops[1:][within]
    count = end - begin + 1
    corner = np.concatenate([[0], np.cumsum(count)])
    place = np.arange(corner[-1]) - np.repeat(corner[:-1], count) + np.repeat(begin, count)
    lon, lat = corners[place, 0], corners[place, 1]
    nodes, ends_of = np.unique(vertex[np.concatenate([begin, end])], return_inverse=True)
    first_node, last_node = ends_of[: len(begin)], ends_of[len(begin) :]
    where = np.zeros(len(known), dtype=np.int64)
    where[vertex] = np.arange(len(vertex))
    node_lon, node_lat = corners[where[nodes]].T

    centre = (round(float(v.min() + v.max()) / 2, 2) for v in (node_lon, node_lat))
    x, y = LocalProjection(*centre).forward_xy(lon, lat)
    step = np.append(np.hypot(np.diff(x), np.diff(y)), 0.0)
    step[corner[1:] - 1] = 0.0
    length_m = np.add.reduceat(step, corner[:-1])
    street = row[begin].astype(np.int64)

    of_node = np.full(len(known), -1, dtype=np.int64)
    of_node[nodes] = np.arange(len(nodes))
    speed = _speeds(np.asarray(road_class), np.asarray(oneway), tags, street)
    placed = [(rule, int(of_node[v])) for rule, v, ok in zip(rules, found, standing, strict=True) if ok]
    turns = forbidden_turns(placed, first_node=first_node, last_node=last_node, ref=refs[street], speed=speed)
    return StreetGraph(
        node_lon=np.ascontiguousarray(node_lon),
        node_lat=np.ascontiguousarray(node_lat),
        first_node=first_node.astype(np.int64),
        last_node=last_node.astype(np.int64),
        length_m=length_m,
        street=street,
        lon=lon,
        lat=lat,
        corner=corner.astype(np.int64),
        speed=speed,
        turns=turns,
        ref=refs,
        name=np.array([""] * len(shapes) if name is None else name, dtype=np.str_),
        road_class=np.array(road_class, dtype=np.str_),
    )


def _key(lon: float, lat: float) -> int:
    return (round(lon * _DEGREE) << 32) + round(lat * _DEGREE)


def _middles_of_loops(
    vertex: NDArray[np.int64], row: NDArray[np.int64], cut: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Middle corners of what comes back to its own beginning: an arc has two ends."""
    stops = np.flatnonzero(cut)
    begin, end = stops[:-1], stops[1:]
    loop = (row[begin] == row[end]) & (vertex[begin] == vertex[end])
    middle: NDArray[np.int64] = (begin[loop] + end[loop]) // 2
    return middle


def _speeds(
    road_class: NDArray[Any],
    oneway: NDArray[Any],
    tags: Sequence[dict[str, str]] | None,
    street: NDArray[np.int64],
) -> dict[Profile, NDArray[np.float64]]:
    """Km/h along each arc, worked out once for streets of which the same is said."""
    said = [""] * len(road_class) if tags is None else [json.dumps(t, sort_keys=True) for t in tags]
    kinds, first = pd.factorize(pd.MultiIndex.from_arrays([road_class, oneway, said]))
    speed = {}
    for profile in Profile:
        each = [
            speeds(profile, str(kind), int(way), json.loads(text) if text else {})
            for kind, way, text in first
        ]
        speed[profile] = np.array(each, dtype=np.float64).reshape(-1, 2)[kinds[street]].reshape(-1)
    return speed
