"""The ledger over HTTP: out as Excel, edited, back with every change shown, taken over, taken back."""

from __future__ import annotations

import io
import re
import time
import uuid
from datetime import UTC, datetime
from html import unescape

import pytest
from openpyxl import load_workbook
from pictures import photo
from sqlalchemy import func, select

from gridmap.ledger.models import LedgerNote
from gridmap.ledger.rows import read_ledger
from gridmap.people.permissions import Role
from gridmap.problems.models import Event, EventKind, Problem, State
from gridmap.store.clock import next_change
from gridmap.store.engine import reading, writing

ALL = "state=all&doubtful=1"
COLUMNS = (
    "number category description address organisation person phone found_at state opinion remark funding"
)


def export(client, query=ALL, columns=COLUMNS):
    answer = client.post(f"/ledger/export?{query}", data={"column": columns.split()})
    assert answer.status_code == 200, answer.text
    return load_workbook(io.BytesIO(answer.data))


def table(book):
    rows = list(book.worksheets[0].values)
    return rows[2], rows[3:]


def send(client, book):
    content = io.BytesIO()
    book.save(content)
    content.seek(0)
    return client.post("/ledger/back", data={"file": (content, "台账.xlsx")})


def back(client, book):
    answer = send(client, book)
    assert answer.status_code == 302, answer.text
    return answer.location.split("?")[0]


def cell(book, number, title):
    sheet = book.worksheets[0]
    heads = [c.value for c in sheet[3]]
    row = next(r for r in sheet.iter_rows(min_row=4) if r[0].value == number)
    return row[heads.index(title)]


def some(engine, **values):
    """Make one problem stand as given; return its case number."""
    with writing(engine) as session:
        problem = session.scalars(select(Problem).where(Problem.flags == 0).order_by(Problem.id)).first()
        for name, value in values.items():
            setattr(problem, name, value)
        session.flush()
        problem.change = next_change(session)
        return problem.id


def problem_of(engine, number):
    with reading(engine) as session:
        problem = session.get_one(Problem, number)
        note = session.scalar(select(LedgerNote).where(LedgerNote.problem_id == number))
        return problem, note


@pytest.fixture
def engine(app):
    return app.extensions["gridmap"].engine


def test_the_ledger_holds_what_the_office_keeps_and_remembers_its_columns(sign_in, town, engine):
    client = sign_in()
    book = export(client)
    heads, rows = table(book)
    assert heads[:4] == ("问题编号", "问题类别", "问题描述", "地点")
    assert heads[-3:] == ("gridmap:uid", "gridmap:version", "gridmap:check")
    assert {row[0] for row in rows} == set(town.frame["number"])
    by_number = town.frame.set_index("number")
    found = heads.index("发现时间")
    for row in rows[:50]:
        known = by_number.loc[row[0]]
        assert row[3] == known["address"]
        local = known["found"].tz_convert("Asia/Shanghai").replace(second=0, tzinfo=None)
        assert row[found] == local
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "B4"
    hidden = [name for name, width in sheet.column_dimensions.items() if width.hidden]
    assert len(hidden) in {1, 3}  # openpyxl joins neighbours
    page = client.get("/ledger").text
    assert set(re.findall(r'value="(\w+)" checked', page)) == set(COLUMNS.split())


def test_a_text_that_looks_like_a_formula_stays_a_text(sign_in, town, engine):
    evil = ['=HYPERLINK("http://x","y")', "+1+1", "-2", "@SUM(A1)", "甲\x07乙"]
    with writing(engine) as session:
        problems = session.scalars(select(Problem).order_by(Problem.id).limit(len(evil))).all()
        for problem, text in zip(problems, evil, strict=True):
            problem.description = text
        numbers = [problem.id for problem in problems]
        for problem in problems:
            problem.change = next_change(session)
    book = export(sign_in())
    for number, text in zip(numbers, evil, strict=True):
        found = cell(book, number, "问题描述")
        assert found.value == text.replace("\x07", "")
        assert found.data_type == "s"
        assert found.quotePrefix or text[0] == "甲"


def test_only_what_one_may_export_is_in_it_and_phones_are_masked(sign_in, town, engine):
    mine = town.squads[0]
    client = sign_in(Role.ORGANISATION_LEAD, organisation_id=mine.id)
    _, rows = table(export(client))
    assert {row[0] for row in rows} == set(town.frame[town.frame["organisation"] == mine.id]["number"])
    reader = sign_in(Role.READ_ONLY)
    for path in ("/ledger", "/ledger/negative", "/ledger/handover", "/ledger/handover.xlsx"):
        assert reader.get(path).status_code == 403
    assert sign_in(Role.GRID_WORKER).post("/ledger/export").status_code == 403
    other = town.squads[1].name
    assert other not in client.get("/ledger/negative?first=2020-01-01").text
    listed = load_workbook(io.BytesIO(client.get("/ledger/handover.xlsx").data))["未结问题"]
    assert {row[6] for row in list(listed.values)[1:]} == {mine.name}


def test_an_untouched_ledger_changes_nothing(sign_in, town, engine, monkeypatch):
    client = sign_in()
    some(engine, description="红\x08灯\x1f\ufffe\r坏了_x000d_", address=" =1\x0b ")
    page = client.get(back(client, export(client))).text
    assert "台账中没有任何修改" in page
    assert page.count(f"<b>{len(town.frame)}</b>") == 2  # read, and unchanged
    monkeypatch.setattr("web.pages.ledger.MOST_ROWS", 5)
    assert "一个文件最多可回传5行" in client.get(f"/ledger?{ALL}").text


def test_an_edited_ledger_is_shown_taken_over_and_taken_back(sign_in, town, engine):
    client = sign_in()
    number = some(engine, state=State.RECORDED, address="旧址", description="旧")
    book = export(client)
    cell(book, number, "地点").value = "新址1号"
    cell(book, number, "备注").value = "等待产权单位"
    cell(book, number, "资金需求（万元）").value = 12.5
    cell(book, number, "办理状态").value = "已核实"
    place = back(client, book)
    page = client.get(place).text
    for said in ("<del>旧址</del>", "<ins>新址1号</ins>", "<ins>等待产权单位</ins>", "<ins>12.5</ins>"):
        assert said in page
    problem, note = problem_of(engine, number)
    assert (problem.address, problem.state, note) == ("旧址", State.RECORDED, None)

    taken = client.post(f"{place}/apply", data={"name": "台账.xlsx"})
    assert taken.status_code == 302, taken.text
    problem, note = problem_of(engine, number)
    assert (problem.address, problem.state, problem.description) == ("新址1号", State.CHECKED, "旧")
    assert (note.remark, float(note.funding)) == ("等待产权单位", 12.5)
    assert problem.checked_at is not None
    assert client.get(place).status_code == 404

    with writing(engine) as session:
        # A photo that comes later changes nothing of what is taken back.
        now = datetime.now(UTC)
        session.add(
            Event(problem_id=number, kind=EventKind.EVIDENCE, at=now, recorded_at=now, actor="甲", details={})
        )
    revision = taken.location.split("#r-")[1]
    undone = client.post(f"/ledger/revisions/{revision}/undo")
    assert undone.status_code == 302, undone.text
    problem, note = problem_of(engine, number)
    assert (problem.address, problem.state, problem.checked_at) == ("旧址", State.RECORDED, None)
    assert (note.remark, note.funding) == ("", None)
    assert client.post(f"/ledger/revisions/{revision}/undo").status_code == 409


def test_edits_that_are_not_read_back_are_told_with_where_to_make_them(sign_in, town, engine):
    hq = sign_in()
    number = some(engine, state=State.DISPATCHED, organisation_id=town.squads[0].id, rework=2)
    book = export(hq, columns=f"{COLUMNS} community on_time overdue rework lon")
    edits = {
        "责任单位": ("派遣", town.squads[1].name),
        "社区": ("位置", "别的社区"),
        "是否按期": ("流转", "否"),
        "返工次数": ("流转", 0),
        "经度": ("位置", 121.5),
        "联系电话": ("人员", "13900000000"),
    }
    for title, (_, value) in edits.items():
        cell(book, number, title).value = value
    book.worksheets[0].cell(3, 30).value = "领导批示"
    row = cell(book, number, "返工次数").row
    place = back(hq, book)
    # What another one sees of people and phones is no edit.
    for reader in (hq, sign_in(Role.ORGANISATION_LEAD, organisation_id=town.squads[0].id)):
        page = reader.get(place if reader is hq else back(reader, book)).text
        told = page.split('id="left"')[1].split("</table>")[0]
        lines = [re.findall(r"<td[^>]*>(.*?)</td>", part) for part in told.split("<tr>")[2:]]
        assert {line[2] for line in lines} == set(edits)
        for line in lines:
            where, value = edits[line[2]]
            assert line[0] == str(row)
            assert line[4] == str(value)
            assert where in line[5]
        assert "领导批示" in page
    assert dict(zip(*[[line[i] for line in lines] for i in (2, 3)], strict=True))["返工次数"] == "2"
    assert "台账中没有任何修改" not in page
    assert hq.post(f"{place}/apply").status_code == 409


def test_what_changed_meanwhile_is_a_conflict_and_an_untouched_line_is_none(sign_in, town, engine):
    client = sign_in()
    number = some(engine, state=State.RECORDED, address="旧址")
    book, untouched = export(client), export(client)
    some(engine, address="别人改过")
    assert "台账中没有任何修改" in client.get(back(client, untouched)).text
    cell(book, number, "地点").value = "新址"
    place = back(client, book)
    assert "请重新导出" in client.get(place).text
    assert client.post(f"{place}/apply").status_code == 409
    assert problem_of(engine, number)[0].address == "别人改过"


def test_one_refused_line_stops_all(sign_in, town, engine):
    client = sign_in()
    good = some(engine, state=State.RECORDED, address="旧址")
    with reading(engine) as session:
        closed = session.scalars(select(Problem.id).where(Problem.state == State.CLOSED)).first()
        lines = session.scalar(select(func.count(Event.id)))
    book = export(client)
    cell(book, good, "地点").value = "新址"
    cell(book, closed, "办理状态").value = "已派遣"
    place = back(client, book)
    page = client.get(place).text
    assert "台账中不能将" in page
    assert client.post(f"{place}/apply").status_code == 409
    assert problem_of(engine, good)[0].address == "旧址"
    with reading(engine) as session:
        assert session.scalar(select(func.count(Event.id))) == lines


def test_refusals_say_why(sign_in, town, engine):
    client = sign_in()
    number = some(engine, state=State.RECORDED, address="旧址")

    def refused(title, value):
        book = export(client)
        cell(book, number, title).value = value
        return client.get(back(client, book)).text

    assert "此列不能回传修改" in refused("问题类别", "别的")
    assert "应为不小于0的金额" in refused("资金需求（万元）", "很多")
    assert "应为办理状态" in refused("办理状态", "飞走了")
    assert "办理意见须随办理步骤填写" in refused("办理意见", "好")
    assert "应不超过300个字符" in refused("地点", "长" * 301)
    book = export(client)
    heads = [c.value for c in book.worksheets[0][3]]
    at = heads.index("gridmap:uid") + 1
    book.worksheets[0].cell(4, at).value = str(uuid.uuid4())
    book.worksheets[0].cell(5, at).value = book.worksheets[0].cell(6, at).value
    page = client.get(back(client, book)).text
    assert "没有这个问题，或不在您可以查看的范围内。" in page
    assert "同一问题出现在多行" in page


def test_nobody_moves_what_is_not_theirs(sign_in, town, engine):
    hq, lead = sign_in(), sign_in(Role.ORGANISATION_LEAD, organisation_id=town.squads[0].id)
    number = some(engine, state=State.DISPATCHED, organisation_id=town.squads[0].id, address="旧址")
    foreign = int(town.frame[town.frame["organisation"] == town.squads[1].id]["number"].iloc[0])
    book = export(hq)
    cell(book, foreign, "备注").value = "越权"
    page = lead.get(back(lead, book)).text
    assert "没有这个问题，或不在您可以查看的范围内。" in page
    assert "越权" not in page
    own = export(lead)
    cell(own, number, "地点").value = "新址"
    assert "您无权在此修改" in lead.get(back(lead, own)).text
    own = export(lead)
    cell(own, number, "备注").value = "已联系"
    cell(own, number, "办理状态").value = "处置中"
    place = back(lead, own)
    assert lead.post(f"{place}/apply").status_code == 302
    problem, note = problem_of(engine, number)
    assert (problem.state, note.remark) == (State.ACCEPTED, "已联系")
    assert hq.get(place).status_code == 404


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"number,address\n1,x\n"])
def test_what_is_no_workbook_is_refused(sign_in, town, content):
    answer = sign_in().post("/ledger/back", data={"file": (io.BytesIO(content), "x.xlsx")})
    assert answer.status_code == 422
    assert "应为Excel工作簿" in answer.text


def test_the_negative_list_shows_the_rules_that_are_broken(sign_in, town, engine):
    late = datetime(2026, 1, 1, tzinfo=UTC)
    with writing(engine) as session:
        problems = session.scalars(
            select(Problem).where(Problem.organisation_id == town.squads[0].id, Problem.flags == 0).limit(6)
        ).all()
        for problem in problems:
            problem.state, problem.fix_due_at = State.ACCEPTED, late
        session.flush()
        change = next_change(session)
        for problem in problems:
            problem.change = change
    asked = "first=2020-01-01&last=2029-01-01&by=organisation"
    hq, supervision = sign_in(), sign_in(Role.SUPERVISION)

    def entry(text):
        page = hq.get(f"/ledger/negative?{text}").text
        return next((part for part in page.split("<tr>") if f">{town.squads[0].name}<" in part), "")

    row = entry(asked)
    assert 'class="number broken"' in row
    behind = re.compile(r'href="(/ledger/negative/list[^"]*figure=(\w+)[^"]*)"[^>]*>(\d+)<')
    for narrowed in ("", "&source=patrol", f"&organisation={town.squads[0].uid}", "&category=A1"):
        links = behind.findall(entry(asked + narrowed))
        assert links or narrowed in {"&source=patrol", "&category=A1"}, narrowed
        for link, name, count in links:
            shown = supervision.get(unescape(link)).text
            assert f"({count})" in shown, (name, link)
    link = unescape(next(link for link, name, _ in behind.findall(row) if name == "overdue"))
    assert sign_in(Role.READ_ONLY).get(link).status_code == 403
    assert "(0)" in sign_in(Role.ORGANISATION_LEAD, organisation_id=town.squads[1].id).get(link).text


def test_the_handover_has_what_is_open_what_recurs_and_what_it_costs(sign_in, town, engine):
    client = sign_in()
    with writing(engine) as session:
        problems = session.scalars(select(Problem).where(Problem.flags == 0).limit(4)).all()
        for problem in problems:
            problem.lon, problem.lat, problem.address = 121.4055, 31.2055, "老地方"
            problem.category_id, problem.state = problems[0].category_id, State.ACCEPTED
        session.add(
            LedgerNote(problem_id=problems[0].id, remark="缺钱", funding=3.25, actor="x", changed_at=town.now)
        )
        session.flush()
        change = next_change(session)
        for problem in problems:
            problem.change = change
    book = load_workbook(io.BytesIO(client.get("/ledger/handover.xlsx").data))
    assert book.sheetnames == ["概况", "未结问题", "反复发生点位", "资金需求"]
    spots = list(book["反复发生点位"].values)
    assert spots[0][1:] == ("地址", "次数", "未解决", "首次发现", "最近发现")
    assert spots[1][1:4] == ("老地方", 4, 4)
    money = list(book["资金需求"].values)
    assert (money[1][-1], money[-1][-1]) == (3.25, 3.25)
    page = client.get("/ledger/handover").text
    assert "老地方" in page
    assert "缺钱" in page


def made_as_job(client, columns):
    """Export what is made as a job; return its record, its page and the workbook."""
    started = client.post(f"/ledger/export?{ALL}", data={"column": columns.split()})
    assert started.status_code == 302, started.text
    page = client.get(started.location).text
    uid = started.location.rsplit("/", 1)[1]
    for _ in range(300):
        job = client.get(f"/jobs/{uid}").json
        if job["state"] != "running":
            break
        time.sleep(0.1)
    with client.get(f"/ledger/file/{uid}") as file:
        return uid, job, page, load_workbook(io.BytesIO(file.get_data()))


def test_a_large_ledger_is_made_as_a_job_with_its_progress(sign_in, town, monkeypatch):
    client = sign_in()
    at_once = export(client)
    monkeypatch.setattr("web.pages.ledger.AT_ONCE", 10)
    uid, job, page, book = made_as_job(client, COLUMNS)
    count = len(town.frame)
    assert (job["state"], job["done"], job["total"]) == ("done", count, count)
    assert job["what"] == "正在生成台账"
    assert uid in page or uid.replace("-", "") in page, "its progress, or already the file"
    assert table(book) == table(at_once), "as a job it is the same file"
    stranger = sign_in(Role.SUPERVISION)
    assert stranger.get(f"/ledger/file/{uid}").status_code == 404
    assert stranger.get(f"/jobs/{uid}").status_code == 404


def test_the_photo_columns_hold_the_first_before_and_the_last_after(sign_in, town, engine):
    client = sign_in()
    number = some(engine)
    uid = str(problem_of(engine, number)[0].uid)
    sizes = {"found": (400, 300), "after": (300, 400)}
    for stage, size in [*sizes.items(), ("after", (200, 400))]:
        said = {"uid": str(uuid.uuid4()), "problem": uid, "stage": stage}
        said["file"] = (io.BytesIO(photo(size=size)), "a.jpg")
        assert client.post("/api/v1/attachments", data=said).status_code == 201
    _, job, _, book = made_as_job(client, f"{COLUMNS} photo_before photo_after")
    assert job["state"] == "done", job
    sheet = book.worksheets[0]
    heads = [one.value for one in sheet[3]]
    row = next(row[0].row for row in sheet.iter_rows(min_row=4) if row[0].value == number)
    placed = {
        (one.anchor._from.row + 1, heads[one.anchor._from.col]): one.width / one.height
        for one in sheet._images
    }
    assert placed == {
        (row, "整改前照片"): pytest.approx(4 / 3, rel=0.05),
        (row, "整改后照片"): pytest.approx(1 / 2, rel=0.05),
    }


def test_the_negative_list_is_given_as_excel(sign_in, town, engine):
    with writing(engine) as session:
        problems = session.scalars(
            select(Problem).where(Problem.organisation_id == town.squads[0].id, Problem.flags == 0).limit(6)
        ).all()
        for problem in problems:
            problem.state, problem.fix_due_at = State.ACCEPTED, datetime(2026, 1, 1, tzinfo=UTC)
        session.flush()
        change = next_change(session)
        for problem in problems:
            problem.change = change
    client, asked = sign_in(), "first=2020-01-01&last=2029-01-01&by=organisation"
    page = client.get(f"/ledger/negative?{asked}").text
    assert f"/ledger/negative.xlsx?{asked}".replace("&", "&amp;") in page
    answer = client.get(f"/ledger/negative.xlsx?{asked}")
    sheet = load_workbook(io.BytesIO(answer.data))["负面清单"]
    heads = [one.value for one in sheet[3]]
    found = {row[1].value: row for row in sheet.iter_rows(min_row=4)}
    row = found[town.squads[0].name]
    overdue = row[heads.index("超期数")] if "超期数" in heads else row[3]
    assert overdue.value == 6
    assert overdue.fill.fgColor.rgb.endswith("FBE3E1")
    assert f'scope="row">{town.squads[0].name}<' in page
    lead = sign_in(Role.ORGANISATION_LEAD, organisation_id=town.squads[1].id)
    mine = load_workbook(io.BytesIO(lead.get(f"/ledger/negative.xlsx?{asked}").data)).worksheets[0]
    assert town.squads[0].name not in [one.value for one in mine["B"]]
    assert sign_in(Role.READ_ONLY).get("/ledger/negative.xlsx").status_code == 403


def test_the_handover_page_reads_only_what_it_shows(sign_in, town, engine, monkeypatch):
    client = sign_in()
    whole = client.get("/ledger/handover").text
    total = int(re.search(r"<b>(\d+)</b> 未结问题", whole)[1])
    read = []

    def counting(session, numbers, **more):
        read.append(len(numbers))
        return read_ledger(session, numbers, **more)

    monkeypatch.setattr("web.pages.ledger_lists._SHOWN", 5)
    monkeypatch.setattr("web.pages.ledger_lists.read_ledger", counting)
    short = client.get("/ledger/handover").text
    assert max(read) == 5
    assert f"<b>{total}</b> 未结问题" in short, "the summary tells of all"
    assert f"另有{total - 5}个" in short
