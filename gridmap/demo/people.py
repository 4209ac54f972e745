"""Who holds what: organisations, people, responsibilities with dates, and the few gaps an audit must find."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.demo.names import DISTRICT, person_names, phones
from gridmap.people.models import OrganisationKind as Kind
from gridmap.people.permissions import Role
from gridmap.places.models import ResponsibilityRole as Held

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

    from gridmap.demo.plan import Plan
    from gridmap.demo.sites import Sites

__all__ = ["DEPARTMENTS", "DemoLogin", "Gaps", "People", "staff"]

DEPARTMENTS = {
    "urban_management": "城市管理局",
    "sanitation": "环境卫生管理中心",
    "municipal": "市政设施管理所",
    "traffic": "交警大队",
    "market": "市场监督管理局",
    "construction": "住房和建设局",
    "fire": "消防救援大队",
    "health": "卫生健康局",
    "education": "教育局",
}
"""Departments of the district by what they look after."""

_OWNER_DUTY = {
    "school": "学校创文专干",
    "hospital": "医院后勤科长",
    "market": "市场管理负责人",
    "public_service": "大厅值班主任",
    "station": "客运站站长",
    "park": "公园管理员",
    "construction": "项目安全员",
    "mall": "商场现场经理",
    "shop_street": "商业街管理员",
}


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """A login to make: whose, in which role and within which limits (rows; -1: none)."""

    username: str
    role: Role
    person: int
    area: int = -1
    organisation: int = -1


@dataclass(frozen=True, slots=True)
class Gaps:
    """What was left out on purpose, by row: an audit of the demo finds exactly this."""

    cells: tuple[int, ...]
    points: tuple[int, ...]
    roads: tuple[int, ...]
    persons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class People:
    """Tables whose rows refer to one another, to the plan's areas and cells and to the sites by position."""

    organisations: pd.DataFrame
    """name, kind, area (row or -1), parent (row or -1)."""
    persons: pd.DataFrame
    """name, phone, duty, organisation (row), valid_from, valid_to."""
    responsibilities: pd.DataFrame
    """role, person, organisation, area, cell, point, road (rows or -1), valid_from, valid_to, pledge."""
    logins: tuple[DemoLogin, ...]
    departments: dict[str, int]
    """Key of `DEPARTMENTS` -> row of the organisation."""
    gaps: Gaps


@dataclass(slots=True)
class _Roll:
    """Collects people and what they hold."""

    today: date
    random: Generator
    persons: list[pd.DataFrame] = field(default_factory=list)
    held: list[pd.DataFrame] = field(default_factory=list)
    count: int = 0

    def hire(self, duty: ArrayLike, organisation: ArrayLike) -> NDArray[np.int64]:
        """Add people, one for each element; return their rows."""
        duties, organisations = np.broadcast_arrays(
            np.atleast_1d(np.asarray(duty, dtype=object)), organisation
        )
        since = self._days_ago(90, 900, len(duties))
        self.persons.append(
            pd.DataFrame(
                {"duty": duties, "organisation": organisations, "valid_from": since, "valid_to": None}
            )
        )
        rows = np.arange(self.count, self.count + len(duties))
        self.count += len(duties)
        return rows

    def hold(self, role: Held, *, pledge: bool = False, **columns: ArrayLike) -> None:
        """Add responsibilities; columns are rows of person, organisation, area, cell, point or road."""
        arrays = np.broadcast_arrays(*(np.atleast_1d(values) for values in columns.values()))
        table = pd.DataFrame(dict(zip(columns, arrays, strict=True)))
        if len(table) == 0:
            return
        table["role"] = role.value
        table["valid_from"] = self._days_ago(60, 400, len(table))
        table["valid_to"] = None
        table["pledge"] = self._days_ago(5, 58, len(table)) if pledge else None
        self.held.append(table)

    def _days_ago(self, least: int, most: int, count: int) -> NDArray[np.object_]:
        days = self.random.integers(least, most, count).tolist()
        return np.array([self.today - timedelta(days=day) for day in days], dtype=object)


def staff(plan: Plan, sites: Sites, *, today: date, seed: int) -> People:
    """Give the district its people.

    Parameters
    ----------
    plan, sites
        The ground.
    today
        Responsibilities run from before this day.
    seed
        The same seed gives the same people.
    """
    random = np.random.default_rng([seed, 2])
    roll = _Roll(today, random)
    organisations, of = _organisations(plan, random)
    logins = _district_level(roll, of)
    logins += _area_level(plan, roll, of)
    gaps = _cell_level(plan, sites, roll, of, logins)
    _hand_over(roll, gaps)
    persons = pd.concat(roll.persons, ignore_index=True)
    held = pd.concat(roll.held, ignore_index=True)
    for column in ("person", "organisation", "area", "cell", "point", "road"):
        held[column] = held[column].fillna(-1).astype(np.int64) if column in held else -1
    persons.insert(0, "name", person_names(random, len(persons)))
    persons.insert(1, "phone", phones(random, len(persons)))
    return People(organisations, persons, held, tuple(logins), of.departments, gaps)


@dataclass(frozen=True, slots=True)
class _Offices:
    """Rows of the organisations."""

    headquarters: int
    assessors: int
    departments: dict[str, int]
    offices: NDArray[np.int64]
    squads: NDArray[np.int64]
    stations: NDArray[np.int64]
    communities: NDArray[np.int64]
    property: NDArray[np.int64]


def _organisations(plan: Plan, random: Generator) -> tuple[pd.DataFrame, _Offices]:
    areas = plan.areas
    subdistricts = np.flatnonzero(areas["level"] == "subdistrict")
    communities = np.flatnonzero(areas["level"] == "community")
    rows: list[tuple[str, Kind, int, int]] = [(f"{DISTRICT}创文指挥部办公室", Kind.HEADQUARTERS, 0, -1)]

    def add(more: list[tuple[str, Kind, int, int]]) -> NDArray[np.int64]:
        rows.extend(more)
        return np.arange(len(rows) - len(more), len(rows))

    departments = add([(f"{DISTRICT}{name}", Kind.DEPARTMENT, 0, 0) for name in DEPARTMENTS.values()])
    assessors = add([("第三方测评组（演示）", Kind.CONTRACTOR, -1, -1)])
    titles = areas["name"].to_numpy()
    offices = add([(f"{titles[a]}办事处", Kind.SUBDISTRICT_OFFICE, int(a), 0) for a in subdistricts])
    management = int(departments[0])
    squads = add(
        [(f"{titles[a].removesuffix('街道')}执法中队", Kind.SQUAD, int(a), management) for a in subdistricts]
    )
    stations = add(
        [(f"{titles[a].removesuffix('街道')}派出所", Kind.OTHER, int(a), -1) for a in subdistricts]
    )
    parents = areas["parent"].to_numpy()[communities]
    neighbours = add(
        [
            (
                f"{titles[p].removesuffix('街道')}{titles[a]}居委会",
                Kind.COMMUNITY,
                int(a),
                int(offices[p - 1]),
            )
            for a, p in zip(communities, parents, strict=True)
        ]
    )
    count = max(2, len(plan.cells) // 25)
    firms = random.permutation([a + b for a in "安嘉恒润悦和瑞诚翠景" for b in "居邻庭园舍宜佳宁泰和"])
    property_firms = add(
        [
            (
                f"{firms[k % len(firms)]}物业服务公司{'' if k < len(firms) else k // len(firms) + 1}",
                Kind.PROPERTY,
                -1,
                -1,
            )
            for k in range(count)
        ]
    )
    table = pd.DataFrame(rows, columns=["name", "kind", "area", "parent"])
    names = dict(zip(DEPARTMENTS, departments.tolist(), strict=True))
    return table, _Offices(0, int(assessors[0]), names, offices, squads, stations, neighbours, property_firms)


def _district_level(roll: _Roll, of: _Offices) -> list[DemoLogin]:
    duties = ["创文办主任", "督导组组长", "督导员", "督导员", "综合科档案员"]
    office = roll.hire(duties, of.headquarters)
    roll.hold(Held.LEADER_IN_CHARGE, person=office, area=0, organisation=of.headquarters)
    logins = [
        DemoLogin("hq", Role.HEADQUARTERS, int(office[0])),
        DemoLogin("supervision", Role.SUPERVISION, int(office[1])),
        DemoLogin("viewer", Role.READ_ONLY, int(office[4])),
    ]
    for key, organisation in of.departments.items():
        members = roll.hire(["创文工作分管领导", "业务科长", "联络员"], organisation)
        role = Held.CLEANING if key == "sanitation" else Held.ENFORCEMENT
        roll.hold(role, person=members, area=0, organisation=organisation)
        if key == "sanitation":
            logins.append(
                DemoLogin("lead", Role.ORGANISATION_LEAD, int(members[0]), organisation=organisation)
            )
    return logins


def _area_level(plan: Plan, roll: _Roll, of: _Offices) -> list[DemoLogin]:
    levels = plan.areas["level"].to_numpy()
    subdistricts, communities = np.flatnonzero(levels == "subdistrict"), np.flatnonzero(levels == "community")
    leaders = roll.hire(np.full(len(subdistricts), "街道党工委书记"), of.offices)
    deputies = roll.hire(np.full(len(subdistricts), "创文专班负责人"), of.offices)
    roll.hold(Held.LEADER_IN_CHARGE, person=leaders, area=subdistricts, organisation=of.offices)
    roll.hold(Held.GRID_LEADER, person=deputies, area=subdistricts, organisation=of.offices)
    captains = roll.hire(np.full(len(subdistricts), "中队长"), of.squads)
    roll.hold(Held.ENFORCEMENT, person=captains, area=subdistricts, organisation=of.squads)
    secretaries = roll.hire(np.full(len(communities), "社区党委书记、网格长"), of.communities)
    parents = plan.areas["parent"].to_numpy()[communities]
    officers = roll.hire(np.full(len(communities), "社区民警"), of.stations[parents - 1])
    cadres = roll.hire(np.full(len(communities), "包挂领导"), of.offices[parents - 1])
    roll.hold(Held.GRID_LEADER, person=secretaries, area=communities, organisation=of.communities)
    roll.hold(Held.POLICE, person=officers, area=communities)
    roll.hold(Held.LEADER_IN_CHARGE, person=cadres, area=communities)
    return [DemoLogin("manager", Role.AREA_MANAGER, int(deputies[0]), area=int(subdistricts[0]))]


def _cell_level(plan: Plan, sites: Sites, roll: _Roll, of: _Offices, logins: list[DemoLogin]) -> Gaps:
    random = roll.random
    first = int(np.flatnonzero(plan.areas["level"] == "community")[0])
    cells, community = np.arange(len(plan.cells)), plan.cells["area"].to_numpy()
    empty = np.sort(random.choice(len(cells), min(3, len(cells) // 10), replace=False))
    kept = np.setdiff1d(cells, empty)
    offices = of.communities[community - first]
    workers = np.full(len(cells), -1)
    workers[kept] = roll.hire(np.full(len(kept), "专职网格员"), offices[kept])
    roll.hold(Held.GRID_WORKER, person=workers[kept], cell=kept, organisation=offices[kept])
    unheld_points = _hold_points(plan, sites, roll, of, workers)
    unheld_roads = _hold_roads(sites, roll, of, logins)
    newcomers = roll.hire(
        ["新到岗网格员（待分配网格）", "借调队员（待分工）"], [int(of.communities[0]), int(of.squads[0])]
    )
    assessor = roll.hire("测评员", of.assessors)
    own = int(kept[0])
    logins += [
        DemoLogin("worker", Role.GRID_WORKER, int(workers[own]), area=int(community[own])),
        DemoLogin("assessor", Role.ASSESSOR, int(assessor[0])),
    ]
    persons = tuple(int(row) for row in newcomers)
    return Gaps(tuple(int(row) for row in empty), unheld_points, unheld_roads, persons)


def _hold_points(
    plan: Plan, sites: Sites, roll: _Roll, of: _Offices, workers: NDArray[np.int64]
) -> tuple[int, ...]:
    """One owner for each point, who signed a pledge; one point is forgotten."""
    points = sites.points
    kind, cell = points["site_type"].to_numpy(), points["cell"].to_numpy()
    forgotten = int(roll.random.integers(len(points))) if len(points) > 5 else -1
    wanted = np.arange(len(points)) != forgotten
    estates = np.flatnonzero((kind == "estate") & wanted)
    firm = of.property[plan.cells["area"].to_numpy()[cell[estates]] % len(of.property)]
    managers = roll.hire(np.full(len(estates), "小区物业经理"), firm)
    roll.hold(Held.POINT_OWNER, pledge=True, person=managers, point=estates, organisation=firm)
    own = np.flatnonzero(np.isin(kind, list(_OWNER_DUTY)) & wanted)
    departments = {
        "school": "education",
        "hospital": "health",
        "market": "market",
        "construction": "construction",
    }
    organisation = np.array(
        [of.departments[departments[k]] if k in departments else of.headquarters for k in kind[own]],
        dtype=int,
    )
    owners = roll.hire([_OWNER_DUTY[k] for k in kind[own]], organisation) if len(own) else own
    roll.hold(Held.POINT_OWNER, pledge=True, person=owners, point=own, organisation=organisation)
    # Streets are signed for by the cell's worker, or by the office where the cell has none.
    streets = np.flatnonzero(np.isin(kind, ["back_street", "main_road"]) & wanted)
    worker = workers[cell[streets]]
    lone = streets[worker < 0]
    roll.hold(Held.POINT_OWNER, pledge=True, person=worker[worker >= 0], point=streets[worker >= 0])
    roll.hold(Held.POINT_OWNER, organisation=np.full(len(lone), of.headquarters), point=lone)
    return (forgotten,) if forgotten >= 0 else ()


def _hold_roads(sites: Sites, roll: _Roll, of: _Offices, logins: list[DemoLogin]) -> tuple[int, ...]:
    """Two officers and the cleaners on each road; one road is forgotten."""
    roads = np.arange(len(sites.roads))
    if len(roads) == 0:
        return ()
    forgotten = int(roll.random.integers(len(roads))) if len(roads) > 3 else -1
    kept = roads[roads != forgotten]
    area = sites.roads["area"].to_numpy()[kept]
    squad = of.squads[area - 1]
    owners = roll.hire(np.full(len(kept), "执法队员"), squad)
    partners = roll.hire(np.full(len(kept), "协管员"), squad)
    roll.hold(Held.ROAD_OWNER, pledge=True, person=owners, road=kept, organisation=squad)
    roll.hold(Held.ENFORCEMENT, person=partners, road=kept, organisation=squad)
    roll.hold(Held.CLEANING, organisation=np.full(len(kept), of.departments["sanitation"]), road=kept)
    logins.append(DemoLogin("patrol", Role.PATROL_MEMBER, int(owners[0]), area=int(area[0])))
    return (forgotten,) if forgotten >= 0 else ()


def _hand_over(roll: _Roll, gaps: Gaps) -> None:
    """Give one cell in ten a former worker, and one of the empty cells a worker who has just left."""
    held = next(table for table in roll.held if table["role"].iloc[0] == Held.GRID_WORKER.value)
    former = held.iloc[np.sort(roll.random.choice(len(held), len(held) // 10, replace=False))].copy()
    former["valid_to"] = former["valid_from"]
    if gaps.cells:
        left = held.iloc[:1].copy()
        left["cell"], left["valid_to"] = gaps.cells[0], roll.today - timedelta(days=12)
        former = pd.concat([former, left], ignore_index=True)
    former["person"] = roll.hire(np.full(len(former), "专职网格员（已离岗）"), former["organisation"])
    former["valid_from"] = [day - timedelta(days=300) for day in former["valid_to"]]
    roll.persons[-1][["valid_from", "valid_to"]] = former[["valid_from", "valid_to"]].to_numpy()
    roll.held.append(former)
