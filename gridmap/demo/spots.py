"""Where problems happen: spots on both sides of every named street, and how likely each is for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.demo.addresses import house_numbers
from gridmap.demo.blocks import HALF_WIDTH
from gridmap.demo.ground import CENTRE
from gridmap.demo.sites import NIGHT

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from gridmap.demo.plan import Plan
    from gridmap.demo.sites import Sites

__all__ = ["Spots", "find_spots"]


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Arrays of shape (n,), one element for each spot."""

    x: NDArray[np.float64]
    """Metres about `CENTRE`."""
    y: NDArray[np.float64]
    along_x: NDArray[np.float64]
    """Direction of the street, of length 1."""
    along_y: NDArray[np.float64]
    address: NDArray[np.object_]
    lax: NDArray[np.float64]
    """How slow the community is at closing; mean 0."""
    weights: dict[str, NDArray[np.float64]]
    """Chance of each spot by the kind of place, each adding up to 1."""


def find_spots(plan: Plan, sites: Sites, random: Generator) -> Spots:
    """Put spots every 25 m on both sides of each named street and weigh them."""
    streets = plan.streets
    named = np.flatnonzero((streets["name"] != "") & ~streets["name"].str.endswith("大桥"))
    lines = CENTRE.forward(streets["geometry"].to_numpy()[named])
    xy, way = shapely.get_coordinates(lines, return_index=True)
    ends = np.flatnonzero(np.diff(way, append=-1))
    step = np.diff(xy, axis=0, append=xy[-1:])
    step[ends] = step[ends - 1]
    length = np.hypot(step[:, 0], step[:, 1])
    unit = step / length[:, None]
    travelled = np.cumsum(length) - length
    first = np.concatenate([[0], ends[:-1] + 1])
    travelled -= travelled[first][way]
    row = named[way]
    half = streets["road_class"].map(HALF_WIDTH).to_numpy()[row] * 0.8
    sides = []
    for right in (False, True):
        turn = -1.0 if right else 1.0
        x = xy[:, 0] - turn * unit[:, 1] * half
        y = xy[:, 1] + turn * unit[:, 0] * half
        numbers = house_numbers(streets["start"].to_numpy()[row] + travelled, np.full(len(row), right))
        sides.append((x, y, numbers))
    x, y, numbers = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    row, unit = np.tile(row, 2), np.tile(unit, (2, 1))
    # Streets on the district's edge have one side that is somebody else's.
    inside = CENTRE.forward(plan.areas["geometry"].to_numpy()[:1])[0].buffer(-8.0)
    shapely.prepare(inside)
    kept = np.flatnonzero(shapely.contains_xy(inside, x, y))
    x, y, row, unit, numbers = x[kept], y[kept], row[kept], unit[kept], numbers[kept]
    cell = _cells(plan, x, y)
    names = streets["name"].to_numpy(dtype=object)[row]
    communities = random.normal(0, 0.8, len(plan.areas))
    return Spots(
        x=x,
        y=y,
        along_x=unit[:, 0],
        along_y=unit[:, 1],
        address=names + numbers.astype(str).astype(object) + "号",
        lax=communities[plan.cells["area"].to_numpy()[cell]],
        weights=_weights(plan, sites, x=x, y=y, row=row, cell=cell, random=random),
    )


def _cells(plan: Plan, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Row of the cell that covers each spot."""
    cells = CENTRE.forward(plan.cells["geometry"].to_numpy())
    spot, cell = shapely.STRtree(cells).query(shapely.points(x, y), predicate="covered_by")
    found = np.zeros(len(x), dtype=np.int64)
    found[spot] = cell
    return found


def _weights(
    plan: Plan,
    sites: Sites,
    *,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    row: NDArray[np.int64],
    cell: NDArray[np.int64],
    random: Generator,
) -> dict[str, NDArray[np.float64]]:
    kind = plan.cells["kind"].to_numpy()[cell]
    age = plan.cells["age"].to_numpy()[cell]
    road = plan.streets["road_class"].to_numpy()[row]
    points = sites.points
    roads = sites.roads
    stalls = roads.loc[roads["name"].str.endswith(NIGHT), "streets"].explode().to_numpy(dtype=np.int64)

    def near(types: list[str], metres: float) -> NDArray[np.float64]:
        """Falls off with the distance from the nearest point of these types."""
        chosen = points[points["site_type"].isin(types)]
        if len(chosen) == 0:
            return np.zeros(len(x))
        tree = shapely.STRtree(np.asarray(shapely.points(chosen["x"].to_numpy(), chosen["y"].to_numpy())))
        found, away = tree.query_nearest(
            shapely.points(x, y), max_distance=3 * metres, return_distance=True, all_matches=False
        )
        weight = np.zeros(len(x))
        weight[found[0]] = np.exp(-((away / metres) ** 2))
        return weight

    uneven = random.lognormal(0.0, 0.9, len(x))
    lively = np.isin(road, ["primary", "secondary", "tertiary"])
    lane = np.isin(road, ["living_street", "residential"])
    corners = np.zeros(len(x))
    chosen = random.choice(len(x), min(len(x), max(4, len(plan.cells) // 5)), replace=False)
    corners[chosen] = random.pareto(1.2, len(chosen)) + 1
    middle = np.hypot(x - x.mean(), y - y.mean())
    weights = {
        "any": uneven * np.where(road == "living_street", 0.5, 1.0),
        "shops": uneven * lively * (0.4 + 3.0 * np.isin(kind, ["commerce", "market", "station"]) + age),
        "night": uneven * np.isin(row, stalls),
        "school": near(["school"], 55.0),
        "market": near(["market"], 70.0),
        "transport": uneven * near(["station", "hospital", "mall"], 110.0),
        "service": near(["public_service", "hospital"], 40.0),
        "site": uneven * near(["construction"], 110.0),
        "old": uneven * ((kind == "old") + 0.02 * age),
        "lanes": uneven * (0.15 + lane) * (0.3 + age),
        "estate": uneven * np.isin(kind, ["estate", "towers"]),
        "corner": corners,
        "fringe": uneven * (middle / middle.max()) ** 3,
    }
    for name, weight in weights.items():
        total = weight.sum()
        weights[name] = weight / total if total > 0 else weights["any"] / weights["any"].sum()
    return weights
