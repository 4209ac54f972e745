"""The city plan: areas, cells, streets, buildings and surfaces of a district, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.demo.blocks import Block, Cut, Layout, cut_block, lay_out, share_cells
from gridmap.demo.fabric import PARCELS, Fabric, build_on, plan_parcels
from gridmap.demo.ground import STEP, Ground, box_polygons
from gridmap.demo.names import DISTRICT, DISTRICT_CODE, place_names
from gridmap.demo.network import Ways, name_streets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["Parcel", "Plan", "draw_plan"]

_QUOTAS = (
    ("park", 0.045),
    ("hall", 0.012),
    ("station", 0.015),
    ("hospital", 0.025),
    ("commerce", 0.07),
    ("school", 0.07),
    ("market", 0.05),
    ("construction", 0.04),
    ("industry", 0.06),
)
_GATHERING = {"commerce", "industry"}
"""Kinds that stand together; one of the others keeps the next of its kind at a distance."""
_CELL_CLASSES = ("secondary", "tertiary", "residential")
_RIVER = "澜溪江"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One plot of a cell: what stands there and what it is called."""

    cell: int
    kind: str
    name: str
    block: Block


@dataclass(frozen=True, slots=True)
class Plan:
    """A district as tables; rows refer to one another by position. Geometry is EPSG:4326."""

    ground: Ground
    areas: pd.DataFrame
    """code, name, level, parent (row, -1 for the district), geometry."""
    cells: pd.DataFrame
    """code, name, area (row), kind (`PARCELS`), age (0 to 1), lon, lat (middle of the land), geometry."""
    streets: pd.DataFrame
    """name, road_class, start (metres along the named street), cell (row, -1 for main roads), community
    (row of areas), geometry."""
    buildings: pd.DataFrame
    """name, levels, geometry."""
    surfaces: pd.DataFrame
    """name, kind (water or green), geometry."""
    parcels: list[Parcel]


def draw_plan(cells: int, seed: int) -> Plan:
    """Draw a district of exactly `cells` grid cells; the same seed draws the same district.

    Parameters
    ----------
    cells
        At least 1.
    seed
        Any integer from 0.
    """
    random = np.random.default_rng([seed, 1])
    layout = lay_out(cells, random)
    ground = _bend(layout, random)
    places = [block for _, _, block in layout.superblocks()]
    counts = share_cells(places, cells, ground)
    pieces = [
        cut_block(block, int(count), _CELL_CLASSES, random)
        for block, count in zip(places, counts, strict=True)
    ]
    blocks, community, cuts = [], [], []
    for number, (parts, streets) in enumerate(pieces):
        blocks += parts
        community += [number] * len(parts)
        cuts += [(number, cut) for cut in streets]
    while len(blocks) < cells:
        # A superblock that was too narrow for its share: the largest cell of all is halved instead.
        largest = max(range(len(blocks)), key=lambda at: _size(blocks[at]))
        parts, streets = cut_block(blocks[largest], 2, _CELL_CLASSES[-1:], random)
        blocks[largest : largest + 1] = parts
        community[largest : largest + 1] = [community[largest]] * 2
        cuts += [(community[largest], cut) for cut in streets]
    kinds = _kinds(blocks, layout, ground, random)
    names = iter(place_names(random, 2 * cells + 400))
    parcels, lanes = _parcels(blocks, kinds, ground, random)
    nodes = ground.nodes()
    subdistrict = _group(layout)
    areas = _areas(nodes, places, subdistrict, names)
    ways = name_streets(layout, cuts, lanes, names, random)
    fabric = Fabric()
    for parcel in parcels:
        build_on(parcel.kind, parcel.block, parcel.name, fabric, random)
    return Plan(
        ground=ground,
        areas=areas,
        cells=_cells(blocks, community, kinds, areas=areas, ground=ground, nodes=nodes),
        streets=_streets(ways, nodes, len(areas) - len(places)),
        buildings=_buildings(fabric, ground),
        surfaces=_surfaces(fabric, layout, ground, random),
        parcels=parcels,
    )


def _size(block: Block) -> int:
    return (block.land[2] - block.land[0]) * (block.land[3] - block.land[1])


def _bend(layout: Layout, random: Generator) -> Ground:
    """Put old towns on the river, at the middle first, and choose the curves."""
    columns, rows = int(layout.columns[-1]), int(layout.rows[-1])
    river = None if layout.river is None else int(layout.rows[layout.river])
    count = max(1, round(columns * rows * (STEP / 1000) ** 2 / 7))
    at = np.column_stack(
        [
            random.uniform(0.15, 0.85, count) * columns,
            random.uniform(0.2, 0.9, count) * rows,
            random.uniform(450, 800, count),
        ]
    )
    at[0] = columns * random.uniform(0.4, 0.6), (rows * 0.4 if river is None else river + 14), 520
    return Ground(columns, rows, river, at, random.uniform(0, 2 * np.pi, 8))


def _kinds(blocks: list[Block], layout: Layout, ground: Ground, random: Generator) -> NDArray[np.object_]:
    """What each cell is mostly: quotas of each kind, placed where such things stand in a city."""
    box = np.array([block.land for block in blocks], dtype=float)
    i, j = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    age = ground.oldness(i, j)
    middle = np.hypot(i / layout.columns[-1] - 0.5, j / layout.rows[-1] - 0.5)
    size = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    narrow = np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]) < 6
    bank = np.zeros(len(blocks)) if ground.river is None else np.abs(j - ground.river) < 9
    chance = random.random((len(_QUOTAS), len(blocks)))
    towards = {
        "park": size / size.max() + 0.5 * bank - age,
        "commerce": -3 * middle + 0.6 * age,
        "industry": 3 * middle - 2 * age - 0.5 * bank,
        "construction": middle - age,
        "hospital": size / size.max() - 0.3 * age,
        "school": size / size.max() * 0.5,
        "market": 0.3 * age,
        "hall": -middle + size / size.max(),
        "station": -0.5 * middle,
    }
    kinds = np.full(len(blocks), "", dtype=object)
    for row, (kind, share) in enumerate(_QUOTAS):
        count = round(share * len(blocks)) if len(blocks) < 30 else max(1, round(share * len(blocks)))
        score = towards[kind] + 0.8 * chance[row] - 2.0 * narrow * (kind != "market")
        score[kinds != ""] = -np.inf
        for _ in range(count):
            best = int(np.argmax(score))
            kinds[best] = kind
            score[best] = -np.inf
            if kind not in _GATHERING:
                score -= np.exp(-((i - i[best]) ** 2 + (j - j[best]) ** 2) * (STEP / 500) ** 2)
    rest = kinds == ""
    modern = np.where(random.random(len(blocks)) < 0.45 + 0.5 * middle, "towers", "estate")
    kinds[rest] = np.where(age > 0.42, "old", modern)[rest]
    return kinds


def _parcels(
    blocks: list[Block], kinds: NDArray[np.object_], ground: Ground, random: Generator
) -> tuple[list[Parcel], list[tuple[int, Cut]]]:
    names = iter(place_names(random, 6 * len(blocks) + 40))
    titles = {
        "slabs": ("小区", "花园", "新村", "苑"),
        "towers": ("家园", "花园", "府", "名苑"),
        "mall": ("广场", "商业中心"),
        "offices": ("大厦", "商务中心"),
        "school": ("小学", "中学", "实验学校"),
        "hospital": ("医院",),
        "market": ("农贸市场",),
        "hall": ("政务服务大厅",),
        "station": ("客运站",),
        "construction": ("项目工地",),
        "sheds": ("产业园",),
        "park": ("公园",),
    }
    parcels: list[Parcel] = []
    lanes = []
    for cell, (block, kind) in enumerate(zip(blocks, kinds, strict=True)):
        count, classes, smallest = plan_parcels(kind, block)
        parts, cuts = cut_block(block, count, classes, random, smallest=smallest)
        lanes += [(cell, cut) for cut in cuts]
        wanted = PARCELS[kind]
        order = sorted(range(len(parts)), key=lambda at: -_size(parts[at]))
        if kind == "market":
            order = order[-1:] + order[:-1]
        for turn, at in enumerate(order):
            use = wanted[min(turn, len(wanted) - 1)]
            middle = (parts[at].land[0] + parts[at].land[2]) / 2, (parts[at].land[1] + parts[at].land[3]) / 2
            if use == "slabs" and ground.oldness(*middle) > 0.5:
                use = "houses"
            if use == "houses" and turn == len(order) - 1 and random.random() < 0.3 and kind == "old":
                use = "park"
            title = "" if use == "houses" else f"{next(names)}{random.choice(titles[use])}"
            if use == "park" and kind == "old":
                title = title.removesuffix("公园") + "口袋公园"
            parcels.append(Parcel(cell, use, title, parts[at]))
    return parcels, lanes


def _group(layout: Layout) -> NDArray[np.int64]:
    """Subdistrict of each superblock: neighbours on one bank, 3 to 14 together."""
    at = np.argwhere(layout.kept)
    bank = np.zeros(len(at), dtype=bool) if layout.river is None else at[:, 0] >= layout.river
    most = int(np.clip(np.sqrt(len(at)) + 1, 4, 14))
    group = np.zeros(len(at), dtype=np.int64)
    waiting = [np.flatnonzero(~bank), np.flatnonzero(bank)]
    number = 0
    while waiting:
        members = waiting.pop(0)
        if len(members) == 0:
            continue
        if len(members) <= most:
            group[members] = number
            number += 1
            continue
        axis = int(np.argmax(np.ptp(at[members], axis=0)))
        order = members[np.lexsort((at[members, 1 - axis], at[members, axis]))]
        waiting += [order[: len(order) // 2], order[len(order) // 2 :]]
    return group


def _areas(
    nodes: NDArray[np.float64], places: list[Block], group: NDArray[np.int64], names: Iterator[str]
) -> pd.DataFrame:
    """Return district, subdistricts, then communities in the order of the superblocks."""
    shapes = box_polygons(nodes, [block.box for block in places])
    groups = range(int(group.max()) + 1)
    unions = [shapely.coverage_union_all(shapes[group == number]) for number in groups]
    serial = np.empty(len(places), dtype=np.int64)
    for number in groups:
        serial[group == number] = np.arange(1, int((group == number).sum()) + 1)
    subdistrict = [f"{DISTRICT_CODE}{number + 1:03d}" for number in groups]
    community = [f"{subdistrict[g]}{s:03d}" for g, s in zip(group, serial, strict=True)]
    return pd.DataFrame(
        {
            "code": [DISTRICT_CODE, *subdistrict, *community],
            "name": [
                DISTRICT,
                *[f"{next(names)}街道" for _ in groups],
                *[f"{next(names)}社区" for _ in places],
            ],
            "level": ["district"] + ["subdistrict"] * len(groups) + ["community"] * len(places),
            "parent": [-1] + [0] * len(groups) + [1 + int(g) for g in group],
            "geometry": [shapely.coverage_union_all(shapes), *unions, *shapes],
        }
    )


def _cells(
    blocks: list[Block],
    community: list[int],
    kinds: NDArray[np.object_],
    *,
    areas: pd.DataFrame,
    ground: Ground,
    nodes: NDArray[np.float64],
) -> pd.DataFrame:
    area = np.asarray(community) + int((areas["level"] != "community").sum())
    serial = pd.Series(area).groupby(area).cumcount().to_numpy() + 1
    codes, names = (areas[name].to_numpy(dtype=object)[area] for name in ("code", "name"))
    land = np.array([block.land for block in blocks], dtype=float)
    middle = (land[:, 0] + land[:, 2]) / 2, (land[:, 1] + land[:, 3]) / 2
    place = ground.places(*middle)
    return pd.DataFrame(
        {
            "code": [f"{code}{s:03d}" for code, s in zip(codes, serial, strict=True)],
            "name": [f"{name}第{s}网格" for name, s in zip(names, serial, strict=True)],
            "area": area,
            "kind": kinds,
            "age": ground.oldness(*middle),
            "lon": place[:, 0],
            "lat": place[:, 1],
            "geometry": box_polygons(nodes, [block.box for block in blocks]),
        }
    )


def _streets(ways: Ways, nodes: NDArray[np.float64], first_community: int) -> pd.DataFrame:
    lines = [
        shapely.LineString(nodes[_span(j0, j1, i0, i1), _span(i0, i1, j0, j1)])
        for (i0, j0), (i1, j1) in zip(ways.starts, ways.ends, strict=True)
    ]
    return pd.DataFrame(
        {
            "name": ways.names,
            "road_class": ways.classes,
            "start": np.asarray(ways.offsets, dtype=float) * STEP,
            "cell": ways.cells,
            "community": np.asarray(ways.communities) + first_community,
            "geometry": lines,
        }
    )


def _span(start: int, end: int, other_start: int, other_end: int) -> NDArray[np.int64]:
    """Nodes along one axis of a straight way; a fixed axis repeats."""
    count = max(abs(end - start), abs(other_end - other_start)) + 1
    return np.linspace(start, end, count).round().astype(np.int64)


def _buildings(fabric: Fabric, ground: Ground) -> pd.DataFrame:
    boxes = np.concatenate(fabric.buildings) if fabric.buildings else np.empty((0, 4))
    levels = np.concatenate(fabric.levels) if fabric.levels else np.empty(0, dtype=np.int64)
    return pd.DataFrame({"name": fabric.names, "levels": levels, "geometry": ground.quads(boxes / STEP)})


def _surfaces(fabric: Fabric, layout: Layout, ground: Ground, random: Generator) -> pd.DataFrame:
    rows: list[tuple[str, str, Any]] = []
    if ground.river is not None:
        beyond = 20
        i = np.arange(-beyond, ground.columns + beyond + 1, dtype=float)
        both = np.concatenate([i, i[::-1]])
        half = 1.5
        j = ground.river + np.where(np.arange(len(both)) < len(i), -half, half)
        rows.append((_RIVER, "water", shapely.Polygon(ground.places(both, j))))
        for row, column in np.argwhere(layout.kept).tolist():
            side = {layout.river: 1, (layout.river or 0) - 1: -1}.get(row)
            if side is None:
                continue
            i = np.arange(layout.columns[column], layout.columns[column + 1] + 1, dtype=float)
            edges = np.repeat(ground.river + side * np.array([half, 1.72]), len(i))
            rows.append(("", "green", shapely.Polygon(ground.places(np.concatenate([i, i[::-1]]), edges))))
    for box, name in fabric.lawns:
        rows.append((name, "green", ground.outline(np.array(box) / STEP)))
    rows += [("", "green", _blob(box, ground, random, 0.04)) for box in fabric.greens]
    rows += [(name, "water", _blob(box, ground, random, 0.16)) for box, name in fabric.ponds]
    return pd.DataFrame(rows, columns=["name", "kind", "geometry"])


def _blob(
    box: tuple[float, float, float, float], ground: Ground, random: Generator, rough: float
) -> shapely.Polygon:
    """Round something inside a box."""
    west, south, east, north = (edge / STEP for edge in box)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = (
        1 + rough * np.sin(2 * turn + random.uniform(0, 6)) + rough * np.sin(3 * turn + random.uniform(0, 6))
    )
    square = (np.abs(np.cos(turn)) ** 4 + np.abs(np.sin(turn)) ** 4) ** -0.25
    i = (west + east) / 2 + (east - west) / 2 * np.cos(turn) * square * reach / (1 + 2 * rough)
    j = (south + north) / 2 + (north - south) / 2 * np.sin(turn) * square * reach / (1 + 2 * rough)
    return shapely.Polygon(ground.places(i, j))
