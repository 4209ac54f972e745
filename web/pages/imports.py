"""Bringing data in: upload, look at what would happen, do it, take it back."""

from __future__ import annotations

import csv
import io
import json
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.utils import secure_filename

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.imports.foreseen import foresee_import
from gridmap.imports.kinds import KINDS
from gridmap.imports.plan import ImportOptions, Kind, Plan, Writer
from gridmap.imports.service import apply_import, kinds_for, list_imports, plan_import
from gridmap.imports.undoing import undo_import
from gridmap.jobs import JobState
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.store.engine import reading, writing
from gridmap.trail.names import COLUMNS
from web.access import needs
from web.installation import actor, db, installation
from web.pages.foreseen import as_shown

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from gridmap.jobs import Progress
    from gridmap.people.permissions import Actor
    from web.installation import Installation

pages = Blueprint("imports", __name__, url_prefix="/imports")

_REASONS_SHOWN = 200
DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09", "cgcs2000-gk3-39", "cgcs2000-gk3-40")


def datum_name(datum: str) -> str:
    """Name of a coordinate system in the reader's language."""
    names = {
        "wgs84": gettext("WGS-84 (GPS)"),
        "cgcs2000": gettext("CGCS2000 (longitude and latitude)"),
        "gcj02": gettext("GCJ-02 (Amap, Tencent)"),
        "bd09": gettext("BD-09 (Baidu)"),
        "cgcs2000-gk3-39": gettext("CGCS2000, 3-degree Gauss-Krüger, zone {zone}", zone=39),
        "cgcs2000-gk3-40": gettext("CGCS2000, 3-degree Gauss-Krüger, zone {zone}", zone=40),
    }
    return names.get(datum, datum)


def kind_title(name: str) -> str:
    """Title of a kind of import in the reader's language."""
    others = {"drawing": gettext("Draw cells"), "repair": gettext("Mend the cells")}
    return gettext(KINDS[name].title) if name in KINDS else others.get(name, name)


def _folder(uid: uuid.UUID) -> Path:
    folder = installation().settings.data_dir / "uploads" / uid.hex
    if not (folder / "draft.json").is_file():
        raise NotFoundError("There is no upload {uid}.", uid=str(uid))
    return folder


def _load(uid: uuid.UUID) -> tuple[Path, dict[str, Any]]:
    folder = _folder(uid)
    draft: dict[str, Any] = json.loads((folder / "draft.json").read_text())
    if draft["owner"] != actor().login_id:
        raise NotFoundError("There is no upload {uid}.", uid=str(uid))
    return folder / draft["file"], draft


def _save(folder: Path, draft: dict[str, Any]) -> None:
    new = folder / "draft.json.new"
    new.write_text(json.dumps(draft, ensure_ascii=False))
    new.replace(folder / "draft.json")


def _options(draft: dict[str, Any]) -> ImportOptions:
    try:
        zone = ZoneInfo(draft["timezone"])
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidValueError(
            "Expected a time zone such as Asia/Shanghai; found {found!r}.",
            parameter="timezone",
            found=draft["timezone"],
        ) from error
    return ImportOptions(
        datum=draft["datum"] or None,
        mapping=draft["mapping"],
        layer=draft["layer"] or None,
        encoding=draft["encoding"] or None,
        skip_refused=draft["skip_refused"],
        zone=zone,
        more=draft["more"],
    )


@pages.get("")
@needs(Permission.PROBLEM_IMPORT)
def index() -> str:
    """Show the form and what was imported so far."""
    return render_template(
        "imports.html",
        kinds=kinds_for(actor()),
        datums=DATUMS,
        imports=list_imports(db(), actor()),
        timezone=installation().settings.timezone,
    )


@pages.post("")
@needs(Permission.PROBLEM_IMPORT)
def upload() -> AnyResponse:
    """Keep the file, and begin to look at it."""
    given = request.files.get("file")
    if given is None or not given.filename:
        raise InvalidValueError("Choose a file to import.", parameter="file")
    kind = request.form.get("kind", "")
    allowed = {one.name for one in kinds_for(actor())}
    if kind not in allowed:
        raise InvalidValueError(
            "Expected a kind of import among {expected}; found {found!r}.",
            parameter="kind",
            expected=", ".join(sorted(allowed)),
            found=kind,
        )
    uid = uuid.uuid4()
    folder = installation().settings.data_dir / "uploads" / uid.hex
    folder.mkdir(parents=True)
    # The name keeps its ending, which says the format; the rest is ours.
    name = "upload" + "".join(Path(given.filename).suffixes[-2:]).lower()
    given.save(folder / secure_filename(name))
    draft: dict[str, Any] = {
        "kind": kind,
        "file": secure_filename(name),
        "name": given.filename,
        "owner": actor().login_id,
        "mapping": {},
        "layer": "",
        "encoding": "",
        "skip_refused": False,
        "more": {},
        "job": None,
        "datum": request.form.get("datum_other", "").strip() or request.form.get("datum", ""),
        "timezone": request.form.get("timezone") or installation().settings.timezone,
    }
    _save(folder, draft)
    _start_plan(folder, draft)
    return redirect(url_for("imports.show_draft", uid=uid))


def _start_plan(folder: Path, draft: dict[str, Any]) -> None:
    here, who = installation(), actor()
    options, file = _options(draft), folder / draft["file"]
    job = here.jobs.start(
        "plan",
        lambda progress: _planned(here, who, file, draft["kind"], options=options, progress=progress),
        owner=who.login_id,
    )
    _save(folder, draft | {"job": job.uid})


def _planned(
    here: Installation, who: Actor, file: Path, kind: str, *, options: ImportOptions, progress: Progress
) -> dict[str, Any]:
    with reading(here.engine) as session:
        writer = Writer(
            session=session,
            actor=who,
            now=datetime.now(UTC),
            options=options,
            progress=progress,
            settings=here.settings,
        )
        plan = plan_import(file, kind, writer)
    may = who.may_everywhere(Permission.DISPATCH_RULES)
    moves = as_shown(foresee_import(here.engine, file, plan, writer)) if may else []
    _write_refused(file.parent / "refused.csv", plan)
    return _summary(plan, here.settings.zone) | {"moves": moves}


def _write_refused(file: Path, plan: Plan) -> None:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow([gettext("Row"), gettext("Reason")])
    rows.writerows(plan.reading.faults.explained(plan.reading.table.row_numbers))
    # Excel reads UTF-8 only with the mark at its beginning.
    file.write_text(text.getvalue(), encoding="utf-8-sig")


def _summary(plan: Plan, zone: ZoneInfo) -> dict[str, Any]:
    table = plan.reading.table
    sample = plan.sample if plan.sample is not None else pd.DataFrame()
    titles = _titles(KINDS[plan.kind])
    return {
        "counts": asdict(plan.counts),
        "headings": dict(plan.reading.headings),
        "columns": [str(column) for column in table.frame.columns],
        "layers": list(table.layers),
        "encoding": table.encoding,
        "crs": table.crs,
        "notes": [gettext(note.message, **note.params) for note in plan.reading.notes],
        "refused": list(plan.reading.faults.explained(table.row_numbers, _REASONS_SHOWN)),
        "kept": list(plan.kept.explained(table.row_numbers, zone, _REASONS_SHOWN)) if plan.kept else [],
        "kept_count": len(plan.kept) if plan.kept else 0,
        "sample": {
            "columns": [titles.get(str(column), str(column)) for column in sample.columns],
            "rows": [[_shown(value, zone) for value in row] for row in sample.itertuples(index=False)],
        },
    }


def _titles(kind: Kind) -> dict[str, str]:
    """Names of what a table of this kind tells, and of the columns that come of it."""
    columns = {name: gettext(title) for name, title in COLUMNS.items()}
    columns |= {"layer": gettext("Layer"), "rows": gettext("Rows")}
    return columns | {field.name: field.title for field in kind.fields(installation().settings.zone)}


def _shown(value: Any, zone: ZoneInfo) -> str:
    """A value of the first rows; times are stored in UTC and shown as the clocks here."""
    if pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        known = value.tz_localize(UTC) if value.tzinfo is None else value
        return known.tz_convert(zone).strftime("%Y-%m-%d %H:%M")
    return str(value)[:80]


@pages.get("/draft/<uuid:uid>")
@needs(Permission.PROBLEM_IMPORT)
def show_draft(uid: uuid.UUID) -> str | AnyResponse:
    """Show how far the work is, what an import would do, or that it is done."""
    _, draft = _load(uid)
    job = installation().jobs.find(draft["job"], owner=actor().login_id)
    if job.kind == "apply" and job.state is JobState.DONE:
        return redirect(url_for("imports.index") + f"#i-{job.result['uid']}")
    return render_template(
        "import_draft.html",
        uid=uid,
        draft=draft,
        job=job,
        kind=KINDS[draft["kind"]],
        datums=DATUMS,
        titles=_titles(KINDS[draft["kind"]]),
        may_create=actor().may_everywhere(Permission.PROBLEM_IMPORT),
    )


@pages.post("/draft/<uuid:uid>/plan")
@needs(Permission.PROBLEM_IMPORT)
def plan_again(uid: uuid.UUID) -> AnyResponse:
    """Look at the file again with other statements about it."""
    file, draft = _load(uid)
    form = request.form
    draft["mapping"] = {
        name.removeprefix("map-"): heading
        for name, heading in form.items()
        if name.startswith("map-") and heading
    }
    draft["more"] = {
        name.removeprefix("set-"): value for name, value in form.items() if name.startswith("set-") and value
    }
    draft |= {name: form.get(name, draft[name]) for name in ("datum", "layer", "encoding", "timezone")}
    _start_plan(file.parent, draft)
    return redirect(url_for("imports.show_draft", uid=uid))


@pages.get("/draft/<uuid:uid>/refused.csv")
@needs(Permission.PROBLEM_IMPORT)
def refused(uid: uuid.UUID) -> Response:
    """Every refused row with its reason, for Excel."""
    file, _ = _load(uid)
    return Response(
        (file.parent / "refused.csv").read_bytes(),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=refused.csv"},
    )


@pages.post("/draft/<uuid:uid>/apply")
@needs(Permission.PROBLEM_IMPORT)
def apply(uid: uuid.UUID) -> AnyResponse:
    """Do it."""
    file, draft = _load(uid)
    draft["skip_refused"] = bool(request.form.get("skip_refused"))
    here, who, options = installation(), actor(), _options(draft)

    def work(progress: Progress) -> dict[str, Any]:
        with writing(here.engine) as session:
            writer = Writer(
                session=session,
                actor=who,
                now=datetime.now(UTC),
                options=options,
                progress=progress,
                settings=here.settings,
            )
            record, plan = apply_import(file, draft["kind"], writer, file_name=draft["name"])
            result = {"uid": str(record.uid), "counts": asdict(plan.counts)}
        file.unlink()
        return result

    job = here.jobs.start("apply", work, owner=who.login_id)
    _save(file.parent, draft | {"job": job.uid})
    return redirect(url_for("imports.show_draft", uid=uid))


@pages.post("/<uuid:uid>/undo")
@needs(Permission.PROBLEM_IMPORT)
def undo(uid: uuid.UUID) -> AnyResponse:
    """Take an import back."""
    with writing(installation().engine) as session:
        undo_import(session, actor(), uid, settings=installation().settings, now=datetime.now(UTC))
    return redirect(url_for("imports.index") + f"#i-{uid}")
