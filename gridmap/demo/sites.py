"""What is inspected: points that assessors may sample, and roads that must be patrolled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.demo.ground import CENTRE, STEP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridmap.demo.addresses import AddressBook
    from gridmap.demo.blocks import Block
    from gridmap.demo.plan import Parcel, Plan

__all__ = ["NIGHT", "Sites", "choose_sites"]

_Stretch = tuple[str, int, str, int, list[int]]
"""Name, level, hours, patrols a day and rows of the streets."""

_SITE_OF = {
    "school": ("school", 1, "XX"),
    "hospital": ("hospital", 1, "YY"),
    "market": ("market", 1, "NM"),
    "hall": ("public_service", 1, "ZW"),
    "station": ("station", 1, "CZ"),
    "park": ("park", 2, "GY"),
    "construction": ("construction", 2, "GD"),
    "mall": ("mall", 2, "SC"),
    "slabs": ("estate", 2, "XQ"),
    "towers": ("estate", 3, "XQ"),
}
"""Kind of parcel -> site type, priority, letters of its code."""
_SIDES = ("south", "west", "north", "east")
_RANK = {"primary": 5, "secondary": 4, "tertiary": 3, "residential": 2, "living_street": 1}
_PEAK = "07:00-09:00,17:00-19:00"
NIGHT = "夜市"
"""How the name of a street of stalls ends."""
_SCHOOL_HOURS = "07:20-08:10,16:30-17:30"
_NIGHT_HOURS = "19:00-23:00"
_MARKET_HOURS = "06:00-09:30"
_EVENING_HOURS = "18:30-21:30"
_VISIT_HOURS = {"school": _SCHOOL_HOURS}
_VISIT_RHYTHM = {"school": "1/1", "market": "1/1", "park": "1/3"}
"""Of a patrol, by type of site."""


@dataclass(frozen=True, slots=True)
class Sites:
    """Inspection points and priority roads; rows refer to tables of the plan by position."""

    points: pd.DataFrame
    """code, name, site_type, priority, address, visit_hours, visit_rhythm, area (row), cell (row), street
    (row nearest to it), x, y (metres about `CENTRE`), geometry."""
    roads: pd.DataFrame
    """code, name, level, hours, patrols_per_day, area (row), streets (list of rows), geometry."""


def choose_sites(plan: Plan, book: AddressBook, random: np.random.Generator) -> Sites:
    """Choose points and roads on a plan."""
    rows = [*_parcel_sites(plan), *_street_sites(plan, random)]
    points = pd.DataFrame(
        rows, columns=["letters", "name", "site_type", "priority", "cell", "x", "y", "geometry"]
    )
    serial = points.groupby("letters").cumcount() + 1
    points.insert(0, "code", points.pop("letters") + serial.map("{:04d}".format))
    x, y = points["x"].to_numpy(), points["y"].to_numpy()
    points["address"] = book.addresses(x, y)
    points["street"] = book.rows[book.nearest(x, y)]
    points["area"] = plan.cells["area"].to_numpy()[points["cell"]]
    for name, own in (("visit_hours", _VISIT_HOURS), ("visit_rhythm", _VISIT_RHYTHM)):
        points[name] = points["site_type"].map(own).fillna("")
    bare = points["geometry"].isna().to_numpy()
    spots = np.asarray(shapely.points(np.round(np.column_stack(CENTRE.inverse_xy(x, y)), 7)))
    points["geometry"] = np.where(bare, spots, points["geometry"].to_numpy())
    return Sites(points, _roads(plan, points, random))


def _gate(plan: Plan, block: Block) -> tuple[float, float]:
    """Place in metres just inside the side with the greatest street, a third along it."""
    west, south, east, north = block.inset(STEP)
    ranks = [_RANK.get(side, 0) for side in block.sides]
    side = int(np.argmax(ranks))
    inside = 4 / STEP
    i, j = (
        (west + inside, south + (north - south) * 0.4),
        (west + (east - west) * 0.4, south + inside),
        (east - inside, south + (north - south) * 0.6),
        (west + (east - west) * 0.6, north - inside),
    )[side]
    x, y = plan.ground.metres(i, j)
    return float(x), float(y)


def _parcel_sites(plan: Plan) -> Iterator[tuple[Any, ...]]:
    named: dict[tuple[int, str], Parcel] = {}
    for parcel in plan.parcels:
        if parcel.kind in _SITE_OF:
            # A cell has one estate and one shop street at most; the first parcel is the largest.
            named.setdefault((parcel.cell, _SITE_OF[parcel.kind][0]), parcel)
    for (cell, kind), parcel in named.items():
        _, priority, letters = _SITE_OF[parcel.kind]
        x, y = _gate(plan, parcel.block)
        shape = plan.ground.outline(parcel.block.inset(STEP)) if kind == "park" else None
        yield letters, parcel.name, kind, priority, cell, x, y, shape


def _street_sites(plan: Plan, random: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    """Back streets of the old town and stretches of main road, each on a point beside the street."""
    streets = plan.streets
    lanes = streets[streets["road_class"].eq("living_street") & streets["cell"].ge(0)]
    for street in lanes.groupby("cell").head(2).itertuples():
        middle = shapely.get_coordinates(
            CENTRE.forward([street.geometry])[0].interpolate(0.5, normalized=True)
        )
        yield "BX", street.name, "back_street", 2, street.cell, *middle[0], None
    main = streets[streets["road_class"].isin(["primary", "secondary"]) & streets["start"].ge(0)]
    main = main[main["cell"].lt(0) & ~main["name"].str.endswith("大桥")]
    chosen = main.sample(min(len(main), max(1, len(plan.cells) // 12)), random_state=random)
    lines = CENTRE.forward(chosen["geometry"].to_numpy())
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    cells = CENTRE.forward(plan.cells["geometry"].to_numpy())
    tree = shapely.STRtree(shapely.buffer(cells, -6.0))
    nearest = tree.query_nearest(middles, all_matches=False)[1]
    for middle, cell, name in zip(middles, nearest, chosen["name"], strict=True):
        # Six metres into the cell: a point on the border would belong to two.
        spot = shapely.shortest_line(middle, tree.geometries[cell])
        end = shapely.get_coordinates(spot)[-1]
        yield "ZG", name, "main_road", 1, int(cell), *end, None


def _roads(plan: Plan, points: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Streets before schools and around markets, streets of stalls, main roads and the river's banks."""
    streets = plan.streets
    names = streets["name"].to_numpy(dtype=object)
    taken: set[int] = set()
    stretches: list[_Stretch] = []
    for kind, label, hours in (("school", "门前", _SCHOOL_HOURS), ("market", "周边", _MARKET_HOURS)):
        chosen = points[points["site_type"] == kind]
        for street, site in zip(chosen["street"].tolist(), chosen["name"], strict=True):
            if street not in taken:
                taken.add(street)
                stretches.append((f"{names[street]}（{site}{label}）", 1, hours, 3, [street]))
    stretches += [
        (f"{names[street]}{NIGHT}", 1, _NIGHT_HOURS, 4, [street])
        for street in _night_streets(plan, taken, random)
    ]
    bridge = streets["name"].str.endswith("大桥")
    main = streets[(streets["cell"] < 0) & (streets["road_class"] == "primary") & ~bridge]
    bank = streets[streets["name"].str.startswith("临江")]
    stretches += [*_pieces(main, 1, _PEAK, 4), *_pieces(bank, 2, _EVENING_HOURS, 2)]
    return _road_table(plan, stretches)


def _pieces(ways: pd.DataFrame, level: int, hours: str, per_day: int) -> Iterator[_Stretch]:
    """Cut each named street into stretches of three ways."""
    for name, group in ways.sort_values("start", kind="stable").groupby("name", sort=False):
        members = group.index.tolist()
        parts = [members[at : at + 3] for at in range(0, len(members), 3)]
        for number, part in enumerate(parts, 1):
            yield f"{name}第{number}段" if len(parts) > 1 else str(name), level, hours, per_day, part


def _road_table(plan: Plan, stretches: list[_Stretch]) -> pd.DataFrame:
    table = pd.DataFrame(stretches, columns=["name", "level", "hours", "patrols_per_day", "streets"])
    table.insert(0, "code", [f"ZD{number:04d}" for number in range(1, len(table) + 1)])
    members = [stretch[-1] for stretch in stretches]
    first = np.array([rows[0] for rows in members], dtype=np.int64)
    cell = plan.streets["cell"].to_numpy()[first]
    community = np.where(
        cell >= 0, plan.cells["area"].to_numpy()[cell], plan.streets["community"].to_numpy()[first]
    )
    table["area"] = plan.areas["parent"].to_numpy()[community]
    lines = plan.streets["geometry"].to_numpy(dtype=object)
    shapes = np.array([shapely.MultiLineString(list(lines[rows])) for rows in members], dtype=object)
    return table.assign(geometry=shapes)


def _night_streets(plan: Plan, taken: set[int], random: np.random.Generator) -> list[int]:
    """One street of stalls for about fifty cells: a smaller street beside commerce or an old town."""
    streets = plan.streets
    small = streets["road_class"].isin(["tertiary", "residential"]).to_numpy() & (streets["cell"] < 0)
    free = np.array([row for row in np.flatnonzero(small) if row not in taken], dtype=np.int64)
    if len(free) == 0:
        return []
    lively = np.where(plan.cells["kind"].isin(["commerce", "market"]), 1.0, 0.7 * plan.cells["age"])
    middles = shapely.get_coordinates(shapely.centroid(streets["geometry"].to_numpy()[free]))
    x, y = CENTRE.forward_xy(middles[:, 0], middles[:, 1])
    cx, cy = CENTRE.forward_xy(plan.cells["lon"].to_numpy(), plan.cells["lat"].to_numpy())
    tree = shapely.STRtree(np.asarray(shapely.points(cx, cy)))
    near, cell = tree.query(shapely.points(x, y), predicate="dwithin", distance=220.0)
    score = np.bincount(near, weights=lively[cell], minlength=len(free)) + 0.5 * random.random(len(free))
    count = max(1, round(len(plan.cells) / 50))
    chosen: list[int] = []
    for at in np.argsort(-score, kind="stable").tolist():
        if all(np.hypot(x[at] - x[other], y[at] - y[other]) > 700 for other in chosen):
            chosen.append(at)
        if len(chosen) == count:
            break
    return [int(free[at]) for at in chosen]
