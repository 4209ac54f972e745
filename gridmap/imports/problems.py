"""Problems from a table, with place, category, times and state; a million rows in one pass."""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import bindparam, case, insert, select, update

from gridmap.imports.fields import Field, choice, integer, moment, text
from gridmap.imports.models import ImportChange
from gridmap.imports.plan import Counts, Kind, Note, Plan
from gridmap.imports.steps import encode
from gridmap.people.permissions import Permission
from gridmap.problems.bulk import insert_problems
from gridmap.problems.models import Category, Event, EventKind, Problem, Source, State
from gridmap.problems.rules import steps_behind
from gridmap.store.bulk import insert_rows
from gridmap.store.clock import next_change
from gridmap.store.extract import read_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.imports.plan import Reading, Writer

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
_COMPARED = ("state", "closed_at", "due_at", "description", "address")
_STEPS = ("checked_at", "dispatched_at", "fixed_at", "fix_due_at", "clock_since", "on_time")
"""What follows from state and times, unless it is known better."""
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
    category_ids, new_categories = _categories(reading, session, create=bool(more.get("create_categories")))
    source_name = str(more.get("source_name") or "import")
    fields["external_id"] = _identities(reading)
    good = reading.good
    existing = _existing(session, source_name)
    found = pd.Index(existing["external_id"]).get_indexer(pd.Index(fields["external_id"][good]))
    created, changed = found < 0, np.zeros(len(good), dtype=bool)
    known = np.flatnonzero(~created)
    for name in _COMPARED:
        mine, theirs = fields[name][good[known]], existing[name][found[known]]
        # What the file does not tell stays as it is; a blank limit is the one that follows from the category.
        silent = np.full(len(known), not _stated(reading, name)) | ((name == "due_at") & pd.isna(mine))
        fields[name] = fields[name].copy()
        fields[name][good[known[silent]]] = theirs[silent]
        changed[known] |= _differ(fields[name][good[known]], existing[name][found[known]])
    if new_categories:
        names = ", ".join(new_categories[:8]) + (" …" if len(new_categories) > 8 else "")
        reading.notes.append(
            Note(
                "{n} categories are new and will be created: {names}.",
                {"n": len(new_categories), "names": names},
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
        _change(again, reading, good[changed], before, import_id)

    first = good[:10]
    sample = pd.DataFrame({n: fields[n][first] for n in ("external_id", "category", "found_at", "address")})
    return Plan("problems", reading, counts, (), apply=apply, sample=sample)


def _stated(reading: Reading, name: str) -> bool:
    """Whether the file tells a field."""
    told = reading.headings
    return told[name] is not None or (name == "state" and told["closed_at"] is not None)


def _differ(mine: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.bool_]:
    if mine.dtype.kind == "M":
        return np.asarray((mine != theirs) & ~(np.isnat(mine) & np.isnat(theirs)))
    return np.asarray(mine != theirs)


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


def _existing(session: Session, source_name: str) -> dict[str, NDArray[Any]]:
    """Problems of this source, by columns."""
    columns = [getattr(Problem, name) for name in (*_COMPARED, "found_at", *_STEPS[:-1])]
    known: Any = case((Problem.on_time.is_(None), -1), (Problem.on_time.is_(True), 1), else_=0)
    query = select(Problem.external_id, Problem.id, Problem.uid, *columns, known.label("on_time"))
    return read_columns(session, query.where(Problem.external_source == source_name))


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


def _change(
    writer: Writer,
    reading: Reading,
    rows: NDArray[np.intp],
    before: Mapping[str, NDArray[Any]],
    import_id: int,
) -> None:
    """Write what differs, keep what was, and add the change of state to the history."""
    if not len(rows):
        return
    session: Session = writer.session
    table: Any = Problem.__table__
    now_is = {name: reading.fields[name][rows] for name in _COMPARED}
    now_is |= _steps_after(now_is, before)
    names = (*_COMPARED, *_STEPS)
    after = {name: _values(name, now_is[name]) for name in names}
    old = {name: _values(name, before[name]) for name in names}
    session.execute(
        update(table)
        .where(table.c.id == bindparam("_id"))
        .values(
            {name: bindparam(f"_{name}") for name in names} | {"change": next_change(session, rebuild=True)}
        ),
        [
            {"_id": int(number), **{f"_{name}": after[name][k] for name in names}}
            for k, number in enumerate(before["id"])
        ],
    )
    session.execute(
        insert(ImportChange),
        [
            {
                "import_id": import_id,
                "table_name": "problem",
                "row_uid": uuid.UUID(bytes=bytes(uid)),
                "before": {name: encode(old[name][k]) for name in names},
            }
            for k, uid in enumerate(before["uid"])
        ],
    )
    moved = np.flatnonzero(reading.fields["state"][rows] != before["state"])
    now = np.datetime64(writer.now.astimezone(UTC).replace(tzinfo=None), "us")
    closed_at = reading.fields["closed_at"][rows][moved]
    insert_rows(
        session,
        Event,
        {
            "problem_id": before["id"][moved],
            "kind": EventKind.STATE,
            "at": np.where(np.isnat(closed_at), now, closed_at),
            "recorded_at": writer.now,
            "actor": writer.actor.name,
            "state": reading.fields["state"][rows][moved],
            "import_id": import_id,
        },
    )


def _steps_after(after: Mapping[str, NDArray[Any]], before: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Steps that lie behind a changed record; what was known stays, save the limit if it was moved."""
    implied = steps_behind(after["state"], before["found_at"], after["closed_at"], after["due_at"])
    steps = {
        name: np.where(np.isnat(before[name]), implied[name], before[name])
        for name in ("checked_at", "dispatched_at", "fixed_at")
    }
    moved = _differ(after["due_at"], before["due_at"]) | np.isnat(before["fix_due_at"])
    steps["fix_due_at"] = np.where(moved, implied["fix_due_at"], before["fix_due_at"])
    runs = ~np.isnat(implied["clock_since"])
    steps["clock_since"] = np.where(
        runs & ~np.isnat(before["clock_since"]), before["clock_since"], implied["clock_since"]
    )
    judged = ~(np.isnat(steps["fixed_at"]) | np.isnat(steps["fix_due_at"]))
    steps["on_time"] = np.where(judged, steps["fixed_at"] <= steps["fix_due_at"], -1)
    return steps


def _values(name: str, column: NDArray[Any]) -> list[Any]:
    """Values as the table's columns take them: states by name, times with their offset."""
    if name == "state":
        return [list(State)[position] for position in column]
    if name == "on_time":
        return [None if known < 0 else bool(known) for known in column.tolist()]
    if column.dtype.kind == "M":
        return [
            None if np.isnat(t) else t.item().replace(tzinfo=UTC) for t in column.astype("datetime64[us]")
        ]
    return list(column)


PROBLEMS = Kind(
    "problems", "Problems", Permission.PROBLEM_IMPORT, problem_fields, frozenset({0, 1, 3, 5, 6}), _plan
)
