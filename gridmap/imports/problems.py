"""Problems from a table, with place, category, times and state; a million rows in one pass."""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import select

from gridmap.imports.fields import Field, choice, integer, moment, text
from gridmap.imports.kept import Kept
from gridmap.imports.plan import Counts, Kind, Note, Plan
from gridmap.imports.problem_changes import (
    COMPARED,
    LIFE,
    change_problems,
    differ,
    existing_of,
    unlimited,
)
from gridmap.language import N_
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.assignment import areas_of
from gridmap.problems.bulk import insert_problems, within
from gridmap.problems.models import Category, Source, State
from gridmap.problems.rules import impossible_times
from gridmap.problems.shares import stand_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.imports.plan import Reading, Writer
    from gridmap.people.permissions import Scope

__all__ = ["PROBLEMS", "problem_fields"]

STATE_WORDS: Mapping[str, State] = {
    **{state.value: state for state in State},
    "已上报": State.RECORDED,
    "待处理": State.RECORDED,
    "新建": State.RECORDED,
    "open": State.RECORDED,
    "已核实": State.CHECKED,
    "已立案": State.CHECKED,
    "立案": State.CHECKED,
    "已派遣": State.DISPATCHED,
    "已派发": State.DISPATCHED,
    "待处置": State.DISPATCHED,
    "处置中": State.ACCEPTED,
    "处理中": State.ACCEPTED,
    "整改中": State.ACCEPTED,
    "in progress": State.ACCEPTED,
    "已处置": State.FIXED,
    "已整改": State.FIXED,
    "待核查": State.FIXED,
    "已核查": State.VERIFIED,
    "已结案": State.CLOSED,
    "结案": State.CLOSED,
    "已办结": State.CLOSED,
    "办结": State.CLOSED,
    "已完成": State.CLOSED,
    "返工": State.SENT_BACK,
    "退回": State.RETURNED,
    "挂账": State.SUSPENDED,
    "延期": State.SUSPENDED,
    "作废": State.REJECTED,
    "不予立案": State.REJECTED,
    "重复": State.MERGED,
}
SOURCE_WORDS: Mapping[str, Source] = {
    **{source.value: source for source in Source},
    "巡查": Source.PATROL,
    "巡查上报": Source.PATROL,
    "网格员上报": Source.PATROL,
    "测评": Source.ASSESSOR,
    "实地测评": Source.ASSESSOR,
    "群众举报": Source.RESIDENT,
    "居民": Source.RESIDENT,
    "意见箱": Source.RESIDENT,
    "市民投诉": Source.RESIDENT,
    "热线": Source.HOTLINE,
    "12345": Source.HOTLINE,
    "部门": Source.DEPARTMENT,
    "部门转办": Source.DEPARTMENT,
    "视频监控": Source.CAMERA,
    "监控": Source.CAMERA,
    "其他": Source.OTHER,
    "Citizens Connect App": Source.RESIDENT,
    "Constituent Call": Source.HOTLINE,
    "City Worker App": Source.PATROL,
    "Self Service": Source.RESIDENT,
    "Employee Generated": Source.DEPARTMENT,
    "Twitter": Source.RESIDENT,
    "Maximo Integration": Source.DEPARTMENT,
}
_IDENTITY = uuid.UUID("6f3a1b7e-52f2-5d0c-9a44-0d9a3a7c8330")


def problem_fields(zone: tzinfo) -> Sequence[Field]:
    """What a table of problems can tell; times without an offset are local to `zone`."""
    return (
        Field(
            "number",
            (
                "案件编号",
                "问题编号",
                "案卷号",
                "工单号",
                "编号",
                "case_enquiry_id",
                "case id",
                "number",
                "id",
            ),
            text(100),
        ),
        Field(
            "category", ("问题类别", "小类", "类别", "问题类型", "type", "category"), text(), required=True
        ),
        Field(
            "found_at",
            ("发现时间", "上报时间", "受理时间", "open_dt", "opened", "found_at", "created"),
            moment(zone),
            required=True,
        ),
        Field("due_at", ("处置时限", "截止时间", "整改期限", "target_dt", "due_at", "due"), moment(zone)),
        Field(
            "closed_at",
            ("结案时间", "办结时间", "完成时间", "closed_dt", "closed_at", "closed"),
            moment(zone),
        ),
        Field(
            "state",
            ("状态", "案件状态", "处置状态", "case_status", "state", "status"),
            choice(STATE_WORDS, expected="已上报, 处置中, 已结案, …"),
        ),
        Field("source", ("问题来源", "来源", "上报来源", "source"), text(100)),
        Field("severity", ("严重程度", "severity"), integer(1, 5)),
        Field("description", ("问题描述", "描述", "内容", "description"), text(5000), default=""),
        Field(
            "address",
            ("地址", "位置描述", "事发地点", "地点", "location_street_name", "address", "location"),
            text(300),
            default="",
        ),
    )


def _plan(reading: Reading, writer: Writer) -> Plan:
    session, fields, more = writer.session, reading.fields, writer.options.more
    for name in ("due_at", "closed_at"):  # all blank, and so no times yet, where the file has no such column
        fields[name] = fields[name].astype("datetime64[us]")
    fields["source"] = _sources(fields["source"])
    fields["state"] = _states(fields["state"], fields["closed_at"])
    scope = writer.actor.scope(Permission.PROBLEM_IMPORT)
    # Categories are the whole city's.
    create = bool(more.get("create_categories")) and scope.everywhere
    category_ids, new_categories = _categories(reading, session, create=create)
    source_name = str(more.get("source_name") or "import")
    fields["external_id"] = _identities(reading)
    existing = existing_of(session, source_name)
    if not scope.everywhere:
        _refuse_outside(reading, writer, scope, existing)
    good = reading.good
    found = pd.Index(existing["external_id"]).get_indexer(pd.Index(fields["external_id"][good]))
    created, changed = found < 0, np.zeros(len(good), dtype=bool)
    known = np.flatnonzero(~created)
    stepped, other = existing["stepped"][found[known]], np.zeros(len(known), dtype=bool)
    told = fields["state"][good[known]]
    for name in COMPARED:
        mine, theirs = fields[name][good[known]], existing[name][found[known]]
        # What the file does not tell stays as it is; a blank limit is the one that follows from the category.
        silent = np.full(len(known), not _stated(reading, name))
        if name == "due_at":
            silent |= pd.isna(mine) | unlimited(fields["state"][good[known]])
        if name in LIFE:
            other |= stepped & ~silent & differ(mine, theirs)
            silent |= stepped
        fields[name] = fields[name].copy()
        fields[name][good[known[silent]]] = theirs[silent]
        changed[known] |= differ(fields[name][good[known]], existing[name][found[known]])
    at = found[known[other]]
    kept = Kept(good[known[other]], existing["state"][at], told[other], existing["stepped_at"][at])
    if new_categories:
        names = ", ".join(new_categories[:8]) + (" …" if len(new_categories) > 8 else "")
        reading.notes.append(
            Note(
                "{n} categories are new and will be created: {names}.",
                {"n": len(new_categories), "names": names},
            )
        )
    moment = np.datetime64(writer.now.astimezone(UTC).replace(tzinfo=None), "us")
    odd = int(impossible_times(fields["found_at"][good], fields["closed_at"][good], moment).sum())
    if odd:
        reading.notes.append(
            Note(
                "{n} rows have times that cannot be: closed before found, or still to come. "
                "They are marked and stay out of the heat.",
                {"n": odd},
            )
        )
    counts = Counts(
        len(reading.table.frame),
        int(created.sum()),
        int(changed.sum()),
        int((~created & ~changed).sum()),
        len(reading.faults),
    )

    def apply(again: Writer, import_id: int) -> None:
        ids = category_ids | _create_categories(again.session, new_categories, import_id)
        insert_problems(
            again.session,
            again.actor,
            _columns(reading, good[created], ids, source_name),
            settings=again.settings,
            now=again.now,
            progress=again.progress,
            import_id=import_id,
        )
        before = {name: column[found[changed]] for name, column in existing.items()}
        change_problems(again, reading, good[changed], before, import_id)

    first = good[:10]
    shown = ("external_id", "category", "found_at", "description", "address")
    sample = pd.DataFrame({name: fields[name][first] for name in shown})
    if reading.geometry is not None:
        middle = shapely.centroid(reading.geometry[first])
        sample["lon"], sample["lat"] = shapely.get_x(middle).round(6), shapely.get_y(middle).round(6)
    return Plan("problems", reading, counts, (), apply=apply, sample=sample, kept=kept)


def _refuse_outside(
    reading: Reading, writer: Writer, scope: Scope, existing: Mapping[str, NDArray[Any]]
) -> None:
    """Refuse what lies outside somebody's areas: by its place, and by where the problem that is there lies.

    Both are told alike, and nothing else is told of what lies there.
    """
    good, settings = reading.good, writer.settings
    ground = ground_on(
        writer.session,
        writer.now.astimezone(settings.zone).date(),
        reach_metres=settings.road_reach_metres,
    )
    standing = stand_for(ground.cells.cells, cast("NDArray[np.object_]", reading.geometry)[good])
    inside = within(scope, areas_of(ground, standing.lon, standing.lat, leading=standing.cell))
    at = pd.Index(existing["external_id"]).get_indexer(pd.Index(reading.fields["external_id"][good]))
    inside &= (at < 0) | np.append(within(scope, existing["area_id"]), True)[at]
    outside = np.zeros(reading.faults.size, dtype=bool)
    outside[good[~inside]] = True
    reading.faults.add(
        outside,
        "lies outside the areas in which you may import",
        column="",
        found=reading.fields["number"],
    )


def _stated(reading: Reading, name: str) -> bool:
    """Whether the file tells a field."""
    told = reading.headings
    return told[name] is not None or (name == "state" and told["closed_at"] is not None)


def _states(given: NDArray[np.object_], closed_at: NDArray[np.datetime64]) -> NDArray[np.int16]:
    """Positions in `State`; what has no state is closed if it has a time of closing, else recorded."""
    position = {state: number for number, state in enumerate(State)}
    usual = np.where(np.isnat(closed_at), position[State.RECORDED], position[State.CLOSED])
    stated = pd.Series(given, dtype=object).map(position).fillna(-1).to_numpy(dtype=np.int16)
    return np.where(stated >= 0, stated, usual).astype(np.int16)


def _sources(words: NDArray[np.object_]) -> NDArray[np.int16]:
    """Positions in `Source`; an unknown word is another source."""
    position = {source: number for number, source in enumerate(Source)}
    known = {word.casefold(): position[source] for word, source in SOURCE_WORDS.items()}
    found = pd.Series(words, dtype=object).astype("str").str.casefold().map(known)
    return np.asarray(found.fillna(position[Source.OTHER]), dtype=np.int16)


def _categories(reading: Reading, session: Session, *, create: bool) -> tuple[dict[str, int], list[str]]:
    """Category word to id, and the words for which categories must be made."""
    ids: dict[str, int] = {}
    for one in session.scalars(select(Category).where(Category.valid_to.is_(None))):
        for word in (one.name_en, one.name, one.code):
            if word:
                ids[word] = one.id
    words = pd.Series(reading.fields["category"], dtype=object)
    distinct = [w for w in words[~reading.faults.refused].dropna().unique() if w not in ids]
    if not create:
        reading.faults.add(
            words.isin(distinct).to_numpy(dtype=bool),
            "{column}: expected the code or name of a category; found “{found}”.",
            column=reading.heading("category"),
            found=words,
        )
        return ids, []
    return ids, sorted(distinct)


def _create_categories(session: Session, words: list[str], import_id: int) -> dict[str, int]:
    made = [
        Category(code=f"X{import_id}-{number:03d}", name=word, name_en=word, import_id=import_id)
        for number, word in enumerate(words, 1)
    ]
    session.add_all(made)
    session.flush()
    return {category.name: category.id for category in made}


def _identities(reading: Reading) -> NDArray[np.object_]:
    """The file's own numbers; where there is none, a name made from the row's content and its repetition."""
    values = reading.fields
    numbers = pd.Series(values["number"], dtype=object)
    doubled = numbers.duplicated(keep="first") & numbers.notna()
    reading.faults.add(
        doubled.to_numpy(dtype=bool),
        "{column}: “{found}” stands in an earlier row too.",
        column=reading.heading("number"),
        found=numbers,
    )
    if numbers.notna().all():
        return numbers.to_numpy(dtype=object)
    places = shapely.to_wkb(reading.geometry, hex=True)
    parts: list[Any] = [
        pd.Series(values[n], dtype=object).astype(str)
        for n in ("category", "found_at", "description", "address")
    ]
    content = parts[0].str.cat([*parts[1:], pd.Series(places, dtype=object).astype(str)], sep="\x1f")
    content = content + "\x1f" + content.groupby(content).cumcount().astype(str)
    named = content.map(lambda c: str(uuid.uuid5(_IDENTITY, c))).astype(object)
    return numbers.where(numbers.notna(), named).to_numpy(dtype=object)


def _columns(
    reading: Reading, rows: NDArray[np.intp], category_ids: Mapping[str, int], source_name: str
) -> dict[str, Any]:
    fields = reading.fields
    names = ("found_at", "due_at", "closed_at", "state", "source", "description", "address", "external_id")
    columns: dict[str, Any] = {name: fields[name][rows] for name in names}
    category = pd.Series(fields["category"][rows], dtype=object)
    columns["category_id"] = category.map(category_ids).to_numpy(dtype=np.int64)
    severity = pd.Series(fields["severity"][rows], dtype=object)
    columns["severity"] = severity.where(severity.notna(), -1).to_numpy(dtype=np.int16)
    columns["external_source"] = source_name
    columns["geometry"] = cast("NDArray[np.object_]", reading.geometry)[rows]
    return columns


PROBLEMS = Kind(
    "problems",
    N_("Problems"),
    Permission.PROBLEM_IMPORT,
    problem_fields,
    frozenset({0, 1, 3, 5, 6}),
    _plan,
    limited=True,
)
