"""The papers of the offices, cell by cell and line by line, against copies that somebody has read.

After a change that is meant, `GRIDMAP_WRITE_DOCUMENTS=1` writes the copies anew; read them before they are
kept. Days stand in them as counted from the first finding, D+0, as what is kept of the last year depends on
today.
"""

from __future__ import annotations

import hashlib
import html
import io
import os
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pictures import photo

from gridmap.deadlines.models import NoticeKind
from gridmap.deadlines.notices import issue_notices
from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment, AttachmentState, MediaKind, Stage
from gridmap.ledger.columns import COLUMNS
from gridmap.ledger.models import LedgerNote
from gridmap.people.permissions import Actor
from gridmap.problems.models import Event, EventKind, Problem, Source, State, TimeUnit
from gridmap.store.clock import next_change
from gridmap.store.engine import writing

from .conftest import SIDE, SOUTH, WEST, make_ground

COPIES = Path(__file__).with_name("documents")
ZONE = timezone(timedelta(hours=8))
FIRST = datetime.now(ZONE).replace(hour=9, minute=30, second=0, microsecond=0) - timedelta(days=60)
FOUND = FIRST.astimezone(UTC)
PERIOD = f"first={FIRST.date() - timedelta(days=5)}&last={FIRST.date() + timedelta(days=30)}"


@pytest.fixture
def store_url(spatialite_url):
    """Return one store: what is read from it is the same on both, as other tests show."""
    return spatialite_url


@pytest.fixture
def office(app):
    """Eight problems of known times: six overdue at one corner, one closed late, one rejected."""
    here = app.extensions["gridmap"]
    vault = Vault(here.settings.data_dir)
    with writing(here.engine) as session:
        ground = make_ground(session)
        change = next_change(session)
        states = [State.ACCEPTED] * 5 + [State.SENT_BACK, State.CLOSED, State.REJECTED]
        made = []
        for i, state in enumerate(states):
            found = FOUND + timedelta(days=i)
            closed = found + timedelta(days=4) if state.resolved else None
            lon, lat = (WEST + SIDE / 2, SOUTH + SIDE / 2) if i < 6 else (WEST + 3 * SIDE, SOUTH + SIDE * 2.5)
            made.append(
                Problem(
                    category_id=ground.categories[0].id,
                    state=state,
                    source=Source.PATROL if i % 2 else Source.RESIDENT,
                    severity=2,
                    found_at=found,
                    checked_at=found + timedelta(hours=1),
                    dispatched_at=found + timedelta(hours=2),
                    due_at=found + timedelta(days=1),
                    fix_due_at=found + timedelta(days=1),
                    fixed_at=found + timedelta(days=3) if state is State.CLOSED else None,
                    on_time=False if state is State.CLOSED else None,
                    closed_at=closed,
                    time_allowed=8,
                    time_unit=TimeUnit.WORKING_HOUR,
                    rework=int(state is State.SENT_BACK),
                    recurrence=i == 5,
                    description=f"第{i + 1}处占道经营" + ("，=SUM(1)" if i == 0 else ""),
                    address="人民路8号" if i < 6 else "西园路1号",
                    lon=lon,
                    lat=lat,
                    geometry=f"SRID=4326;POINT({lon} {lat})",
                    area_id=ground.communities[int(i > 5)].id,
                    cell_id=ground.cells[0 if i < 6 else 13].id,
                    road_id=ground.road.id if i < 3 else None,
                    person_id=ground.workers[0 if i < 6 else 13].id,
                    organisation_id=ground.squads[int(i > 5)].id,
                    change=change,
                )
            )
        session.add_all(made)
        session.flush()
        for one in made:
            line = {"problem_id": one.id, "at": one.found_at, "recorded_at": one.found_at, "details": {}}
            session.add(Event(kind=EventKind.RECORDED, actor="巡查员", state=State.RECORDED, **line))
        session.add(
            LedgerNote(
                problem_id=made[0].id, remark="需另行立项", funding=3.25, actor="巡查员", changed_at=FOUND
            )
        )
        for stage in (Stage.FOUND, Stage.AFTER):
            session.add(picture(vault, made[0].id, stage))
        issue_notices(
            session,
            Actor.owner(),
            [one.id for one in made[:6]],
            settings=here.settings,
            now=FOUND + timedelta(days=18),
            kind=NoticeKind.SUPERVISION,
            demand="立即整改，并举一反三。",
            answer_by=FOUND + timedelta(days=21),
        )
    return ground


def picture(vault, problem_id, stage):
    content = photo((48, 36), seed=len(stage.value))
    sha256 = hashlib.sha256(content).hexdigest()
    file = vault.path(sha256)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return Attachment(
        problem_id=problem_id,
        stage=stage,
        kind=MediaKind.PHOTO,
        state=AttachmentState.READY,
        media_type="image/jpeg",
        size=len(content),
        sha256=sha256,
        shown_type="image/jpeg",
        shown_sha256=sha256,
        thumbnail_sha256=sha256,
        uploaded_by="巡查员",
        created_at=FOUND,
    )


def lines_of(page):
    """What somebody reads on a page: a line for each paragraph and each row of a table."""
    text = re.search(r"<main.*?</main>", page, re.DOTALL)[0]
    text = re.sub(r"<(script|style|svg|form|nav)\b.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"</t[dh]>\s*(?=<t[dh])", " | ", text)
    text = re.sub(r"</(p|h\d|tr|li|dt|dd|div|section|caption|option|label)>|<br>", "\n", text)
    text = html.unescape(re.sub(r"<[^>]+>", "", text))
    return "\n".join(line for part in text.splitlines() if (line := re.sub(r"\s+", " ", part).strip()))


def cells_of(content):
    """What stands in a workbook: each sheet with its heads, cells, formats of numbers, and pictures."""
    said = []
    for sheet in load_workbook(io.BytesIO(content)).worksheets:
        said.append(f"# {sheet.title} · {sheet.dimensions} · {sheet.freeze_panes}")
        said += [f"merged {part}" for part in sheet.merged_cells.ranges]
        for row in sheet.iter_rows():
            said.append(
                " | ".join("" if cell.value is None else str(cell.value) for cell in row).rstrip(" |")
            )
        formats = sorted({cell.number_format for row in sheet.iter_rows() for cell in row})
        said.append("formats " + ", ".join(formats))
        said += [
            f"picture {one.anchor._from.row + 1}:{one.anchor._from.col + 1} {one.width}×{one.height}"
            for one in sheet._images
        ]
    return "\n".join(said)


def is_as_kept(name, text):
    """Compare with the copy."""
    for day in range(-10, 64):
        one = FIRST + timedelta(days=day)
        for said in (f"{one:%Y-%m-%d}", f"{one.year}年{one.month}月{one.day}日"):
            text = re.sub(rf"{said}(?!\d)", "D+今" if day > 58 else f"D{day:+}", text)
    # What this very moment, this year and this run have put there.
    text = re.sub(r"D\+今[ T]\d\d:\d\d", "〈此刻〉", text).replace(
        f"〔{FIRST + timedelta(days=18):%Y}〕", "〔年〕"
    )
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "〈uid〉", text)
    text = re.sub(r"\b[0-9a-f]{16,}\b", "〈check〉", text)
    copy = COPIES / f"{name}.txt"
    if os.environ.get("GRIDMAP_WRITE_DOCUMENTS"):
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == copy.read_text(encoding="utf-8"), f"{copy} is not what is made now"


def file_of(client, made):
    """The workbook that a job has made."""
    for _ in range(400):
        page = client.get(made.headers["Location"]).text
        ready = re.search(r'href="(/ledger/file/[^"]+)"', page)
        if ready:
            with client.get(ready[1]) as answer:
                assert answer.status_code == 200
                return answer.data
        assert "data-job" in page, page
        time.sleep(0.05)
    pytest.fail("The job did not end.")


def test_documents_read_as_they_were_agreed(office, sign_in):
    client = sign_in()
    found = client.get("/notices").text
    notice = re.search(r'href="(/notices/[0-9a-f-]{36})"', found)[1]
    is_as_kept("supervision-notice", lines_of(client.get(notice).text))
    ledger = client.post("/ledger/export?state=all", data={"column": list(COLUMNS)})
    is_as_kept("ledger", cells_of(file_of(client, ledger)))
    negative = client.get(f"/ledger/negative?by=organisation&{PERIOD}").text
    is_as_kept("negative-list", lines_of(negative))
    is_as_kept("handover", lines_of(client.get("/ledger/handover").text))
    is_as_kept("handover-workbook", cells_of(client.get("/ledger/handover.xlsx").data))
