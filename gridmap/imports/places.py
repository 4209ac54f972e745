"""Areas, grid cells, inspection points and priority roads from tables and GIS files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import select

from gridmap.errors import InvalidValueError
from gridmap.imports.fields import Field, choice, hours, integer, rhythm, text
from gridmap.imports.numbered import keep_numbers
from gridmap.imports.plan import Counts, Kind, Plan
from gridmap.imports.reading import LINES, POINTS_OR_POLYGONS, POLYGONS
from gridmap.imports.steps import Draft, match
from gridmap.language import N_
from gridmap.people.permissions import Permission
from gridmap.places.models import Area, AreaLevel, GridCell, InspectionPoint, PriorityRoad
from gridmap.places.queries import VISITS
from gridmap.places.sites import SITE_WORDS, SiteType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.imports.plan import Reading, Writer
    from gridmap.store.base import Base

__all__ = [
    "AREAS",
    "CELLS",
    "CODE_WORDS",
    "NAME_WORDS",
    "POINTS",
    "ROADS",
    "codes_of",
    "or_blank",
    "planned",
    "refuse_doubles",
]

NAME_WORDS = ("名称", "name", "标题", "中文名")
CODE_WORDS = ("编码", "编号", "代码", "code", "id")
"""Not 序号: the number of a line stands for another place as soon as a table is sorted anew."""

LEVEL_WORDS: Mapping[str, AreaLevel] = {
    "市": AreaLevel.CITY,
    "city": AreaLevel.CITY,
    "区": AreaLevel.DISTRICT,
    "县": AreaLevel.DISTRICT,
    "区县": AreaLevel.DISTRICT,
    "district": AreaLevel.DISTRICT,
    "街道": AreaLevel.SUBDISTRICT,
    "镇": AreaLevel.SUBDISTRICT,
    "乡": AreaLevel.SUBDISTRICT,
    "subdistrict": AreaLevel.SUBDISTRICT,
    "社区": AreaLevel.COMMUNITY,
    "村": AreaLevel.COMMUNITY,
    "community": AreaLevel.COMMUNITY,
}


def codes_of(values: Mapping[str, NDArray[np.object_]]) -> NDArray[np.object_]:
    """Return the file's codes; where there is none, the name, with a running number where names repeat."""
    codes, names = pd.Series(values["code"], dtype=object), pd.Series(values["name"], dtype=object)
    derived = names.astype(str)
    repeat = derived.groupby(derived).cumcount() + 1
    derived = derived.where(repeat == 1, derived + "#" + repeat.astype(str))
    return np.asarray(codes.where(codes.notna(), derived), dtype=object)


def refuse_doubles(reading: Reading, keys: NDArray[np.object_], name: str) -> None:
    """Refuse rows whose key stands in an earlier row of the file; `name` is the key's field."""
    series = pd.Series(keys, dtype=object)
    doubled = series.duplicated(keep="first").to_numpy() & series.notna().to_numpy()
    reading.faults.add(
        doubled, "{column}: “{found}” stands in an earlier row too.", column=reading.heading(name), found=keys
    )


def planned(kind: str, reading: Reading, writer: Writer, drafts: Sequence[Draft], *, main: int = 0) -> Plan:
    """Hold drafts without mutual references against the store and count."""
    steps = [match(writer.session, draft, on=writer.now.date()) for draft in drafts]
    about = steps[main]
    counts = Counts(
        read=len(reading.table.frame),
        created=int(about.created.sum()),
        changed=int(about.changed.sum()),
        unchanged=int((~about.created & ~about.changed).sum()),
        refused=len(reading.faults),
    )
    return Plan(
        kind=kind, reading=reading, counts=counts, steps=steps, main=main, sample=about.draft.frame().head(10)
    )


def _named(session: Session, model: Any, words: NDArray[np.object_]) -> NDArray[np.object_]:
    """UUIDs of the rows whose code or name is the word; None where there is none or more than one."""
    rows = session.execute(select(model.code, model.name, model.uid).where(model.valid_to.is_(None))).all()
    known: dict[str, Any] = {}
    for code, name, uid in rows:
        for word in {code, name} - {""}:
            known[word] = uid if known.get(word, uid) == uid else None
    return np.array([None if w is None else known.get(w) for w in words], dtype=object)


def _referred(
    reading: Reading, session: Session, name: str, model: type[Base], expected: str
) -> NDArray[np.object_]:
    words = reading.fields[name]
    uids = _named(session, model, words)
    reading.faults.add(
        pd.isna(uids) & ~pd.isna(words),
        "{column}: expected the code or the unmistakable name of {expected}; found “{found}”.",
        column=reading.heading(name),
        found=words,
        expected=expected,
    )
    return uids


def _plan_areas(reading: Reading, writer: Writer) -> Plan:
    level = AreaLevel(writer.options.more.get("level") or AreaLevel.COMMUNITY)
    values = reading.fields
    values["code"] = codes_of(values)
    values["level"] = np.array([given or level for given in values["level"]], dtype=object)
    refuse_doubles(reading, values["code"], "code")
    parents = _area_parents(reading, writer.session)
    good = reading.good
    draft = Draft(
        Area,
        key=("code", "level"),
        columns={name: values[name][good] for name in ("code", "name", "level")},
        references={"parent_id": (Area, parents[good])},
        geometry=_multi(reading, good),
        keep=frozenset() if reading.headings["parent"] else frozenset({"parent_id"}),
        # Its cells, people and their limits hang on it.
        lasting=True,
    )
    return planned("areas", reading, writer, [draft])


def _area_parents(reading: Reading, session: Session) -> NDArray[np.object_]:
    return _referred(reading, session, "parent", Area, "an area of the level above")


def _plan_cells(reading: Reading, writer: Writer) -> Plan:
    values = reading.fields
    values["code"] = codes_of({"code": values["code"], "name": values["name"]})
    reading.faults.add(
        values["code"] == "None",
        "Row without {column}.",
        column=reading.heading("code"),
        found=values["code"],
    )
    refuse_doubles(reading, values["code"], "code")
    areas = _referred(reading, writer.session, "area", Area, "an area")
    good = reading.good
    draft = Draft(
        GridCell,
        key=("code",),
        columns={"code": values["code"][good], "name": or_blank(values["name"][good])},
        references={"area_id": (Area, areas[good])},
        geometry=_multi(reading, good),
        keep=frozenset() if reading.headings["area"] else frozenset({"area_id"}),
    )
    return planned("cells", reading, writer, [draft])


def _codes(reading: Reading, writer: Writer, model: type[Base], *alike: str) -> NDArray[np.object_]:
    """As `codes_of`; a place that is here under the number of a line, and is alike, keeps that."""
    codes = codes_of(reading.fields)
    return keep_numbers(reading, writer.session, model, codes, alike=alike, on=writer.now.date())


def _plan_points(reading: Reading, writer: Writer) -> Plan:
    values = reading.fields
    values["code"] = _codes(reading, writer, InspectionPoint, "name", "site_type")
    refuse_doubles(reading, values["code"], "code")
    good = reading.good
    geometry = None if reading.geometry is None else reading.geometry[good]
    draft = Draft(
        InspectionPoint,
        key=("code",),
        columns={
            "code": values["code"][good],
            "name": values["name"][good],
            "site_type": values["site_type"][good],
            "priority": values["priority"][good],
            "address": or_blank(values["address"][good]),
            "visit_hours": or_blank(values["visit_hours"][good]),
            "visit_rhythm": or_blank(values["visit_rhythm"][good]),
            "visit_minutes": values["visit_minutes"][good],
        },
        geometry=geometry,
        # What a file does not speak of stays as it was set here.
        keep=frozenset(name for name in VISITS if not reading.headings[name]),
        # Visits, stops of routes, problems and those who hold it hang on it.
        lasting=True,
    )
    return planned("points", reading, writer, [draft])


def _plan_roads(reading: Reading, writer: Writer) -> Plan:
    values = reading.fields
    values["code"] = _codes(reading, writer, PriorityRoad, "name")
    refuse_doubles(reading, values["code"], "code")
    good = reading.good
    draft = Draft(
        PriorityRoad,
        key=("code",),
        columns={
            "code": values["code"][good],
            "name": values["name"][good],
            "level": values["level"][good],
            "hours": or_blank(values["hours"][good]),
            "patrols_per_day": values["patrols_per_day"][good],
        },
        geometry=_multi(reading, good),
        # As points.
        lasting=True,
        located=("area_id",),
    )
    return planned("roads", reading, writer, [draft])


def or_blank(words: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return words with blank text where there is none."""
    return np.array(["" if w is None else w for w in words], dtype=object)


def _multi(reading: Reading, good: NDArray[np.intp]) -> NDArray[np.object_]:
    """Shapes as multi-shapes, which is what the tables hold."""
    if reading.geometry is None:
        raise InvalidValueError("Expected a file with shapes; found none.", parameter="file")
    shapes = reading.geometry[good]
    kinds = shapely.get_type_id(shapes)
    multi = np.empty(len(shapes), dtype=object)
    for single, build in ((1, shapely.multilinestrings), (3, shapely.multipolygons)):
        rows = np.flatnonzero(kinds == single)
        if len(rows):
            multi[rows] = build(shapes[rows], indices=np.arange(len(rows)))
    rest = np.isin(kinds, [5, 6])
    multi[rest] = shapes[rest]
    return multi


AREAS = Kind(
    "areas",
    N_("Areas"),
    Permission.PLACE_IMPORT,
    lambda _zone: (
        Field("code", CODE_WORDS, text(40)),
        Field("name", (*NAME_WORDS, "辖区", "社区", "街道", "neighborhood", "town"), text(), required=True),
        Field("level", ("级别", "层级", "level"), choice(LEVEL_WORDS, expected="区县, 街道, 社区")),
        Field("parent", ("上级", "所属", "所属街道", "parent"), text()),
    ),
    POLYGONS,
    _plan_areas,
)
CELLS = Kind(
    "cells",
    N_("Grid cells"),
    Permission.PLACE_IMPORT,
    lambda _zone: (
        Field(
            "code", ("网格编码", "网格编号", "网格代码", "单元网格编码", *CODE_WORDS, "codebase"), text(40)
        ),
        Field("name", ("网格名称", *NAME_WORDS), text()),
        Field("area", ("所属社区", "社区", "辖区", "area", "community"), text()),
    ),
    POLYGONS,
    _plan_cells,
)
POINTS = Kind(
    "points",
    N_("Inspection points"),
    Permission.PLACE_IMPORT,
    lambda _zone: (
        Field("code", ("点位编号", "点位编码", *CODE_WORDS), text(60)),
        Field("name", ("点位名称", "点位", "测评点", *NAME_WORDS), text(), required=True),
        Field(
            "site_type",
            ("点位类型", "场所类型", "类型", "类别", "type", "site_type"),
            choice(SITE_WORDS, expected="农贸市场, 学校, 医院, 公园, 小区, …"),
            default=SiteType.OTHER.value,
        ),
        Field("priority", ("优先级", "重要程度", "priority"), integer(1, 3), default=2),
        Field("address", ("地址", "详细地址", "位置", "address"), text(300)),
        Field("visit_hours", ("巡查时段", "重点时段", "时段", "visit_hours", "hours"), hours()),
        Field("visit_rhythm", ("巡查频次", "频次", "visit_rhythm", "frequency"), rhythm()),
        Field("visit_minutes", ("停留分钟", "停留时间", "每次分钟", "visit_minutes"), integer(1, 240)),
    ),
    POINTS_OR_POLYGONS,
    _plan_points,
)
ROADS = Kind(
    "roads",
    N_("Priority roads"),
    Permission.PLACE_IMPORT,
    lambda _zone: (
        Field("code", ("路段编号", "路段编码", *CODE_WORDS), text(60)),
        Field("name", ("路名", "道路名称", "路段名称", "路段", "street", *NAME_WORDS), text(), required=True),
        Field("level", ("等级", "级别", "level"), integer(1, 3), default=2),
        Field("hours", ("重点时段", "时段", "hours"), hours()),
        Field("patrols_per_day", ("每日巡查次数", "巡查频次", "patrols"), integer(0, 48), default=2),
    ),
    LINES,
    _plan_roads,
)
