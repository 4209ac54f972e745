"""People and who holds which cell, from the Excel roster a community keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from gridmap.imports.fields import Field, choice, phone, text
from gridmap.imports.plan import Counts, Kind, Plan
from gridmap.imports.steps import Draft, Matched, match
from gridmap.language import N_
from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.people.permissions import Permission
from gridmap.places.models import (
    Area,
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
)
from gridmap.shops.models import Shopfront

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.imports.plan import Reading, Writer

__all__ = ["ROSTER"]

ROLE_WORDS: Mapping[str, ResponsibilityRole] = {
    "网格员": ResponsibilityRole.GRID_WORKER,
    "专职网格员": ResponsibilityRole.GRID_WORKER,
    "兼职网格员": ResponsibilityRole.GRID_WORKER,
    "grid worker": ResponsibilityRole.GRID_WORKER,
    "网格长": ResponsibilityRole.GRID_LEADER,
    "grid leader": ResponsibilityRole.GRID_LEADER,
    "包挂领导": ResponsibilityRole.LEADER_IN_CHARGE,
    "包联领导": ResponsibilityRole.LEADER_IN_CHARGE,
    "leader in charge": ResponsibilityRole.LEADER_IN_CHARGE,
    "片警": ResponsibilityRole.POLICE,
    "社区民警": ResponsibilityRole.POLICE,
    "民警": ResponsibilityRole.POLICE,
    "police": ResponsibilityRole.POLICE,
    "点位责任人": ResponsibilityRole.POINT_OWNER,
    "点长": ResponsibilityRole.POINT_OWNER,
    "point owner": ResponsibilityRole.POINT_OWNER,
    "路长": ResponsibilityRole.ROAD_OWNER,
    "路段责任人": ResponsibilityRole.ROAD_OWNER,
    "road owner": ResponsibilityRole.ROAD_OWNER,
    "保洁员": ResponsibilityRole.CLEANING,
    "保洁": ResponsibilityRole.CLEANING,
    "cleaning": ResponsibilityRole.CLEANING,
    "执法队员": ResponsibilityRole.ENFORCEMENT,
    "执法": ResponsibilityRole.ENFORCEMENT,
    "enforcement": ResponsibilityRole.ENFORCEMENT,
}
_KIND_WORDS = (
    ("社区", OrganisationKind.COMMUNITY),
    ("村委", OrganisationKind.COMMUNITY),
    ("街道", OrganisationKind.SUBDISTRICT_OFFICE),
    ("镇政府", OrganisationKind.SUBDISTRICT_OFFICE),
    ("中队", OrganisationKind.SQUAD),
    ("大队", OrganisationKind.SQUAD),
    ("物业", OrganisationKind.PROPERTY),
    ("创文办", OrganisationKind.HEADQUARTERS),
    ("指挥部", OrganisationKind.HEADQUARTERS),
    ("公司", OrganisationKind.CONTRACTOR),
    ("局", OrganisationKind.DEPARTMENT),
    ("科", OrganisationKind.DEPARTMENT),
    ("所", OrganisationKind.DEPARTMENT),
)
_PLACES: tuple[tuple[str, Any], ...] = (
    ("cell_id", GridCell),
    ("point_id", InspectionPoint),
    ("road_id", PriorityRoad),
    ("area_id", Area),
    ("shop_id", Shopfront),
)
_EVERY_PLACE_SEPARATOR = r"[、,，;；/\n]+"


def _kind_of(name: str) -> OrganisationKind:
    return next((kind for word, kind in _KIND_WORDS if word in name), OrganisationKind.OTHER)


def _plan(reading: Reading, writer: Writer) -> Plan:
    values, faults = reading.fields, reading.faults
    links = _links(reading, writer.session)
    good = reading.good
    links = links[links["row"].isin(good)]
    on = writer.now.date()

    organisations = pd.unique(pd.Series(values["organisation"][good], dtype=object).dropna())
    of_organisations = match(
        writer.session,
        Draft(
            Organisation,
            key=("name",),
            keep=frozenset({"kind"}),
            columns={
                "name": np.asarray(organisations, dtype=object),
                "kind": np.array([_kind_of(name) for name in organisations], dtype=object),
            },
        ),
        on=on,
    )
    organisation_uid = dict(zip(organisations, of_organisations.uids, strict=True))

    people = pd.DataFrame(
        {name: values[name][good] for name in ("name", "phone", "organisation", "duty")}, index=good
    )
    people["key"] = list(zip(people["name"], people["phone"].fillna(people["organisation"]), strict=True))
    first = people.drop_duplicates("key")
    of_people = match(
        writer.session,
        Draft(
            Person,
            key=("name", "phone") if first["phone"].notna().all() else ("name", "phone", "organisation_id"),
            columns={
                "name": first["name"].to_numpy(dtype=object),
                "phone": first["phone"].to_numpy(dtype=object),
                "duty": np.array(
                    [d or "" for d in first["duty"].where(first["duty"].notna(), "")], dtype=object
                ),
            },
            references={
                "organisation_id": (
                    Organisation,
                    np.array([organisation_uid.get(o) for o in first["organisation"]], dtype=object),
                )
            },
        ),
        on=on,
    )
    person_uid = dict(zip(first["key"], of_people.uids, strict=True))

    held = _held(links, people, person_uid, writer)
    drafts: list[Matched] = [of_organisations, of_people, *held]
    new_people = pd.Series(of_people.created, index=first["key"])
    changed_people = pd.Series(of_people.changed, index=first["key"])
    row_created = people["key"].map(new_people).to_numpy(dtype=bool) | _rows_with(
        held, links, good, "created"
    )
    row_changed = people["key"].map(changed_people).to_numpy(dtype=bool) & ~row_created
    counts = Counts(
        read=len(reading.table.frame),
        created=int(row_created.sum()),
        changed=int(row_changed.sum()),
        unchanged=int((~row_created & ~row_changed).sum()),
        refused=len(faults),
    )
    return Plan("roster", reading, counts, drafts, main=1, sample=people.drop(columns="key").head(10))


def _rows_with(
    held: list[Matched], links: pd.DataFrame, good: NDArray[np.intp], what: str
) -> NDArray[np.bool_]:
    """Whether each good row of the file makes a responsibility that is `what`."""
    flags = np.zeros(len(good), dtype=bool)
    parts = [group for _, group in links.groupby("column", sort=False)]
    for matched, part in zip(held, parts, strict=True):
        rows = part.drop_duplicates(["key", "uid", "role"])["row"] if "key" in part else part["row"]
        flags |= np.isin(good, rows.to_numpy()[getattr(matched, what)])
    return flags


def _links(reading: Reading, session: Session) -> pd.DataFrame:
    """One line per person and place: ``row``, ``column`` of the place, its ``uid``, and the ``role``."""
    words = pd.Series(reading.fields["place"], dtype=object)
    each = words.dropna().str.split(_EVERY_PLACE_SEPARATOR, regex=True).explode().str.strip()
    each = each[each.notna() & (each != "")]
    found = pd.DataFrame({"row": each.index, "word": each.to_numpy(), "column": None, "uid": None})
    for column, model in _PLACES:
        known: dict[str, Any] = {}
        for code, name, uid in session.execute(
            select(model.code, model.name, model.uid).where(model.valid_to.is_(None))
        ):
            known.setdefault(code, uid)
            known.setdefault(name, uid)
        hit = found["uid"].isna() & found["word"].isin(known.keys() - {""})
        found.loc[hit, "uid"] = found.loc[hit, "word"].map(known)
        found.loc[hit, "column"] = column
    lost = np.zeros(reading.faults.size, dtype=bool)
    lost[found.loc[found["uid"].isna(), "row"].to_numpy(dtype=int)] = True
    reading.faults.add(
        lost,
        "{column}: expected codes or names of cells, points, roads, areas or shops; found “{found}”.",
        column=reading.heading("place"),
        found=reading.fields["place"],
    )
    stated = [
        r or ROLE_WORDS.get(str(d))
        for r, d in zip(reading.fields["role"], reading.fields["duty"], strict=True)
    ]
    found["role"] = [
        _role(stated[row], column) for row, column in zip(found["row"], found["column"], strict=True)
    ]
    return found[found["uid"].notna()]


def _role(stated: ResponsibilityRole | None, column: str | None) -> ResponsibilityRole:
    usual = {
        "point_id": ResponsibilityRole.POINT_OWNER,
        "road_id": ResponsibilityRole.ROAD_OWNER,
        "area_id": ResponsibilityRole.LEADER_IN_CHARGE,
        "shop_id": ResponsibilityRole.ENFORCEMENT,
    }
    return stated or usual.get(column or "", ResponsibilityRole.GRID_WORKER)


def _held(
    links: pd.DataFrame, people: pd.DataFrame, person_uid: Mapping[Any, Any], writer: Writer
) -> list[Matched]:
    held = []
    links["key"] = people["key"].reindex(links["row"]).to_numpy()
    for column in map(str, links["column"].unique()):
        part = links[links["column"] == column].drop_duplicates(["key", "uid", "role"])
        model = dict(_PLACES)[column]
        draft = Draft(
            Responsibility,
            key=("role", "person_id", column),
            columns={
                "role": part["role"].to_numpy(dtype=object),
                "valid_from": np.full(len(part), writer.now.date(), dtype=object),
            },
            references={
                "person_id": (Person, np.array([person_uid[k] for k in part["key"]], dtype=object)),
                column: (model, part["uid"].to_numpy(dtype=object)),
            },
            keep=frozenset({"valid_from"}),
        )
        held.append(match(writer.session, draft, on=writer.now.date()))
    return held


ROSTER = Kind(
    "roster",
    N_("People and responsibilities"),
    Permission.PERSON_IMPORT,
    lambda _zone: (
        Field("name", ("姓名", "人员", "名字", "name"), text(100), required=True),
        Field("phone", ("电话", "手机", "手机号", "联系电话", "联系方式", "phone", "mobile"), phone()),
        Field("organisation", ("单位", "所属单位", "部门", "科室", "organisation", "organization"), text()),
        Field(
            "place",
            ("网格", "责任网格", "负责网格", "网格编号", "点位", "责任区域", "责任路段", "cell", "place"),
            text(2000),
        ),
        Field(
            "role",
            ("角色", "责任类型", "身份", "role"),
            choice(ROLE_WORDS, expected="网格员, 网格长, 包挂领导, 片警, …"),
        ),
        Field("duty", ("职责", "职务", "岗位", "duty"), text()),
    ),
    frozenset(),
    _plan,
)
