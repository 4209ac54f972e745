"""The ledger: out to Excel with chosen columns, and back with a preview of every change."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.hotspots.listing import page_of
from gridmap.jobs import JobState, silent
from gridmap.labels import label
from gridmap.language import gettext
from gridmap.ledger.columns import COLUMNS, Kind, chosen
from gridmap.ledger.photos import photos_of
from gridmap.ledger.reading import MOST_ROWS, open_ledger
from gridmap.ledger.revision import plan_revision
from gridmap.ledger.rows import read_ledger
from gridmap.ledger.service import choose_columns, columns_of
from gridmap.ledger.taking import revisions_of, take_over, undo_revision
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.models import Source, State
from gridmap.store.engine import reading, writing
from web.access import needs
from web.api.answering import directory, now, view_of
from web.api.options import known_organisations
from web.api.parameters import ProblemsQuery
from web.api.problems import rows_of
from web.background import begin_job, swept
from web.export_scene import filters_in_words
from web.installation import actor, db, installation
from web.pages.asking import asked

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.wrappers import Response as AnyResponse

    from gridmap.jobs import Progress
    from gridmap.ledger.columns import Column
    from gridmap.people.permissions import Scope
    from web.installation import Installation

pages = Blueprint("ledger", __name__, url_prefix="/ledger")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AT_ONCE = 1000
"""Lines up to which the file comes with the answer; above it is made as a job."""
MOST = 200_000
MOST_WITH_PHOTOS = 2000


def _numbers(query: ProblemsQuery) -> list[int]:
    view = view_of(query, permission=Permission.PROBLEM_EXPORT)
    rows = rows_of(view, query)
    numbers: list[int] = page_of(view, rows, sort=query.sort, limit=max(len(rows), 1)).numbers.tolist()
    return numbers


@pages.get("")
@needs(Permission.PROBLEM_EXPORT)
def index() -> str:
    """Show which problems match, which columns stand in the ledger, and what came back so far."""
    query = asked(ProblemsQuery, blank=False)
    names = directory()
    seen = actor().scope(Permission.PROBLEM_EXPORT).areas
    paths = {area.id: [up.code for up in reversed(names.above(area.id))] for area in names.areas}
    areas = sorted((a for a in names.areas if seen is None or a.id in seen), key=lambda a: paths[a.id])
    return render_template(
        "ledger.html",
        query=query,
        state=",".join(sorted(query.state)) if query.state else "",
        total=len(_numbers(query)),
        most_back=MOST_ROWS,
        filters=filters_in_words(query),
        columns=COLUMNS.values(),
        wanted=set(columns_of(db(), actor())),
        areas=[(area.uid, area.name, len(paths[area.id]) - 1) for area in areas],
        organisations=[(one.uid, one.name) for one in known_organisations(Permission.PROBLEM_EXPORT)],
        categories=[c for c in names.categories if c.parent is None],
        states=[(state.value, label(state)) for state in State],
        sources=[(source.value, label(source)) for source in Source],
        text=request.query_string.decode(),
        revisions=revisions_of(db(), actor()),
        local=_local,
    )


def _local(moment: datetime) -> str:
    return moment.astimezone(installation().settings.zone).strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class _Export:
    """Everything that making a file needs once the request is over."""

    here: Installation
    numbers: list[int]
    columns: list[Column]
    faces: Faces
    scope: Scope
    about: str
    moment: datetime

    def write(self, progress: Progress) -> bytes:
        """Make the workbook."""
        from gridmap.ledger.workbook import LedgerBook, write_rows

        with reading(self.here.engine) as session, reading(self.here.engine) as other:
            lines = read_ledger(
                session,
                self.numbers,
                faces=self.faces,
                scope=self.scope,
                zone=self.here.settings.zone,
                moment=self.moment,
            )
            book = LedgerBook(
                gettext("Ledger of problems"),
                self.about,
                self.columns,
                lambda part: photos_of(other, part, self.here.settings.data_dir),
            )
            what = gettext("Writing the ledger")
            return write_rows(book, lines, step=lambda done: progress(done, len(self.numbers), what))


@pages.post("/export")
@needs(Permission.PROBLEM_EXPORT)
def export() -> AnyResponse:
    """Make the file: at once, or as a job where it is large; the columns are remembered."""
    query, here, who = asked(ProblemsQuery, blank=False), installation(), actor()
    names = request.form.getlist("column")
    with writing(here.engine) as session:
        choose_columns(session, who, names)
    columns = chosen(names or columns_of(db(), who))
    numbers = _numbers(query)
    photos = any(column.kind is Kind.PHOTO for column in columns)
    most = MOST_WITH_PHOTOS if photos else MOST
    if len(numbers) > most:
        raise InvalidValueError(
            "Expected at most {most} problems at once; found {found}. Narrow the filter.",
            parameter="filter",
            most=most,
            found=len(numbers),
        )
    made = _Export(
        here,
        numbers,
        columns,
        Faces(directory(), who),
        who.scope(Permission.PROBLEM_EXPORT),
        gettext(
            "{count} problems · {filters} · {moment} · {name}",
            count=len(numbers),
            filters=filters_in_words(query),
            moment=_local(now()),
            name=who.name,
        ),
        now(),
    )
    if len(numbers) <= AT_ONCE and not photos:
        return _file(made.write(silent))
    folder = swept(here.settings.data_dir / "ledger")

    def work(progress: Progress) -> dict[str, Any]:
        file = folder / f"{uuid.uuid4().hex}.xlsx"
        file.write_bytes(made.write(progress))
        return {"file": file.name, "count": len(numbers)}

    return redirect(begin_job("ledger", work, title=filters_in_words(query), page=_page_of).page)


def _page_of(job: str) -> str:
    return url_for("ledger.made", job=uuid.UUID(job))


def _file(content: bytes) -> Response:
    name = f"ledger-{now().astimezone(installation().settings.zone):%Y%m%d-%H%M}.xlsx"
    return Response(
        content, content_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@pages.get("/made/<uuid:job>")
@needs(Permission.PROBLEM_EXPORT)
def made(job: uuid.UUID) -> str:
    """Show how far a large file is, and give it."""
    found = installation().jobs.find(job.hex, owner=actor().login_id)
    return render_template("ledger_made.html", uid=job, job=found, ready=found.state is JobState.DONE)


@pages.get("/file/<uuid:job>")
@needs(Permission.PROBLEM_EXPORT)
def file_of(job: uuid.UUID) -> Response:
    """A file that a job has made for this login."""
    found = installation().jobs.find(job.hex, owner=actor().login_id)
    file = installation().settings.data_dir.resolve() / "ledger" / str(found.result.get("file", ""))
    if found.kind != "ledger" or found.state is not JobState.DONE or not file.is_file():
        raise NotFoundError("This file is no longer there; export it again.")
    name = f"ledger-{found.started_at[:10]}.xlsx"
    return send_file(file, mimetype=XLSX, as_attachment=True, download_name=name)


@pages.post("/back")
@needs(Permission.PROBLEM_EXPORT)
def upload() -> AnyResponse:
    """Take an edited ledger in to look at what it would change."""
    given = request.files.get("file")
    if given is None or not given.filename:
        raise InvalidValueError("Choose a file.", parameter="file")
    folder = swept(installation().settings.data_dir / "ledger" / "back")
    uid = uuid.uuid4()
    given.save(_back(folder, uid))
    try:
        open_ledger(_back(folder, uid))
    except InvalidValueError:
        _back(folder, uid).unlink()
        raise
    return redirect(url_for("ledger.preview", uid=uid, name=given.filename[-100:]))


def _back(folder: Path, uid: uuid.UUID) -> Path:
    # The login is in the name: nobody opens what another one sent.
    return folder / f"{actor().login_id}-{uid.hex}.xlsx"


def _sent(uid: uuid.UUID) -> Path:
    file = _back(installation().settings.data_dir / "ledger" / "back", uid)
    if not file.is_file():
        raise NotFoundError("There is no upload {uid}.", uid=str(uid))
    return file


@pages.get("/back/<uuid:uid>")
@needs(Permission.PROBLEM_EXPORT)
def preview(uid: uuid.UUID) -> str:
    """Show line by line what an edited ledger would change, and what is refused and why."""
    sent = open_ledger(_sent(uid))
    plan = plan_revision(
        db(),
        actor(),
        sent,
        faces=Faces(directory(), actor()),
        settings=installation().settings,
        now=now(),
    )
    return render_template(
        "ledger_back.html",
        uid=uid,
        name=request.args.get("name", "")[:100],
        plan=plan,
        columns=COLUMNS,
        strange=sent.strange,
    )


@pages.post("/back/<uuid:uid>/apply")
@needs(Permission.PROBLEM_EXPORT)
def apply(uid: uuid.UUID) -> AnyResponse:
    """Take an edited ledger over: every line or none."""
    file = _sent(uid)
    with writing(installation().engine) as session:
        record, _ = take_over(
            session,
            actor(),
            open_ledger(file),
            title=request.form.get("name", "") or file.name,
            digest=hashlib.sha256(file.read_bytes()).hexdigest(),
            faces=Faces(directory(), actor()),
            settings=installation().settings,
            now=datetime.now(UTC),
        )
        made = record.uid
    file.unlink()
    return redirect(url_for("ledger.index") + f"#r-{made}")


@pages.post("/revisions/<uuid:uid>/undo")
@needs(Permission.PROBLEM_EXPORT)
def undo(uid: uuid.UUID) -> AnyResponse:
    """Take an edited ledger back."""
    with writing(installation().engine) as session:
        undo_revision(session, actor(), uid, now=datetime.now(UTC))
    return redirect(url_for("ledger.index") + f"#r-{uid}")
