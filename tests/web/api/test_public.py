"""What residents do without a login, and that nothing leaks from it."""

from __future__ import annotations

import io
import re
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from open311_reader import picture
from sqlalchemy import func, select, update

from gridmap.people.models import Attempts
from gridmap.people.permissions import Actor, Role
from gridmap.people.throttle import FOLLOW
from gridmap.problems.catalogue import ensure_categories
from gridmap.problems.models import Category, Event, EventKind, LinkKind, Problem, ProblemLink, State
from gridmap.residents.following import NewNote, say
from gridmap.residents.models import (
    ApiKey,
    Moderation,
    Publication,
    Reporter,
    ResidentNote,
    ResidentReport,
    Said,
)
from gridmap.residents.moderation import create_key, forget_reporters
from gridmap.residents.rules import code_hash, make_code
from gridmap.store.engine import reading, writing
from gridmap.trail.models import TrailEntry, TrailLine

CODE = re.compile(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){3}")
PRIVATE = ("张三丰", "13812345678", "zhang@example.org", "我家楼下")


@pytest.fixture
def engine_of(app):
    engine = app.extensions["gridmap"].engine
    with writing(engine) as session:
        session.add(Category(code="0404", name="机动车乱停放"))
    return engine


def form(**more):
    return {
        "uid": str(uuid.uuid4()), "category": "0404", "lon": "121.4051234", "lat": "31.2051234",
        "description": "我家楼下堵住了", "name": "张三丰", "phone": "13812345678",
        "email": "zhang@example.org", "consent": "1", **more,
    }  # fmt: skip


def send(client, **more):
    """Report, and return the code and the problem's uid."""
    sent = form(**more)
    answer = client.post("/report", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 302, answer.text
    page = client.get(answer.headers["Location"]).text
    return CODE.search(page)[0], sent["uid"]


def rows(engine, model):
    with reading(engine) as session:
        return list(session.scalars(select(model)))


def test_who_has_to_mend_the_form_is_told_to_choose_the_photos_again(app, engine_of):
    client = app.test_client()
    with_photo = form(phone="abc") | {"photo": (io.BytesIO(picture()), "a.jpg")}
    answer = client.post("/report", data=with_photo, content_type="multipart/form-data")
    assert (answer.status_code, "请重新选择照片" in answer.text) == (422, True)
    assert "请重新选择照片" not in client.post("/report", data=form(phone="abc")).text
    assert rows(engine_of, Problem) == []


def test_anybody_can_report_and_it_is_held(app, engine_of):
    client = app.test_client()
    assert client.get("/report").status_code == 200
    code, uid = send(client, photo=(io.BytesIO(picture()), "a.jpg", "image/jpeg"))
    (report,) = rows(engine_of, ResidentReport)
    assert report.code_hash == code_hash(code)
    assert code not in str(vars(report))
    (problem,) = rows(engine_of, Problem)
    assert (str(problem.uid), problem.state, problem.source.value) == (uid, State.RECORDED, "resident")
    assert rows(engine_of, Publication)[0].state is Moderation.HELD


def answers_of(page, code):
    """What a browser would send of the questions that the page asks of a category, each one answered."""
    found = re.search(rf'<fieldset[^>]* data-of="{code}"[^>]*>(.*?)</fieldset>', page, re.DOTALL)
    asked = re.findall(r'name="([^"]+)"', found[1]) if found else []
    options = re.findall(r'<option value="([^"]+)"', found[1]) if found else []
    return dict.fromkeys(asked, options[0] if options else "12")


def test_whatever_the_page_offers_can_be_reported(app):
    engine = app.extensions["gridmap"].engine
    object.__setattr__(app.extensions["gridmap"].settings, "resident_reports_per_hour", 1000)
    with writing(engine) as session:
        ensure_categories(session)
        session.execute(update(Category).where(Category.code == "0103").values(valid_to=date(2026, 1, 1)))
    client = app.test_client()
    page = client.get("/report").text
    offered = re.findall(r'<option value="(\d+)"', page)
    assert len(offered) > 20
    assert "0103" not in offered, "it was retired"
    asked = {code: answers_of(page, code) for code in offered}
    assert {code for code, answers in asked.items() if answers} == {"0102", "0404", "0501", "0602", "0801"}
    for code in offered:
        answer = client.post("/report", data=form(category=code, **asked[code]))
        assert answer.status_code == 302, (code, answer.text)
    kept = [one.attributes for one in rows(engine, ResidentReport) if one.attributes]
    assert kept == [{"AMOUNT": ["bag"]}, *({code: ["12"]} for code in ("PLATE", "LEVELS", "POLE", "MINUTES"))]
    lacking = client.post("/report", data=form(category="0801"))
    assert lacking.status_code == 422
    assert "排队时间" in re.search(r'id="fault">([^<]+)<', lacking.text)[1]


def everything_public(app, uid):
    client = app.test_client()
    texts = [client.get(path).text for path in ("/public", "/report", "/follow", "/public/problems.json")]
    near = {"at": "121.4051234,31.2051234", "category": "0404"}
    texts.append(client.get("/public/near.json", query_string=near).text)
    for path in ("requests", f"requests/{uid}", "servicerequestupdates", f"tokens/{uid}", "services"):
        texts += [client.get(f"/open311/v2/{path}.{suffix}").text for suffix in ("xml", "json")]
    return texts


def test_what_is_held_or_hidden_is_in_no_public_answer(app, engine_of, sign_in):
    client = app.test_client()
    code, uid = send(client, photo=(io.BytesIO(picture()), "a.jpg", "image/jpeg"))
    staff = sign_in()

    def leaks(*allowed):
        text = "".join(everything_public(app, "0")) + "".join(everything_public(app, uid))
        text = text.replace(f"service_request_id {uid}", "").replace(f"token {uid}", "")
        return {one for one in (*PRIVATE, uid, code, "停在路口") if one in text} - set(allowed)

    photo = re.search(r'name="photos" value="([^"]+)"', staff.get("/residents").text)[1]
    assert leaks() == set()
    assert client.get(f"/public/photos/{photo}").status_code == 404
    decide = f"/residents/problems/{uid}"
    assert staff.post(decide, data={"decision": "publish", "text": "停在路口"}).status_code == 302
    assert leaks() == {uid, "停在路口"}
    assert client.get(f"/public/photos/{photo}").status_code == 404
    staff.post(decide, data={"decision": "publish", "text": "停在路口", "photos": photo})
    with client.get(f"/public/photos/{photo}") as shown:
        assert (shown.status_code, shown.content_type) == (200, "image/jpeg")
    (listed,) = client.get("/public/problems.json").json["problems"]
    assert (listed["lon"], listed["lat"], len(listed["photos"])) == (121.4051, 31.2051, 1)
    assert leaks() == {uid, "停在路口"}
    staff.post(decide, data={"decision": "hide", "text": "停在路口", "photos": photo})
    assert leaks() == set()
    assert client.get(f"/public/photos/{photo}").status_code == 404


def test_whoever_guesses_codes_waits_and_others_do_not(app, engine_of):
    client = app.test_client()
    code, _ = send(client)
    here, there = ({"REMOTE_ADDR": address} for address in ("10.1.1.1", "10.1.1.2"))
    for _ in range(FOLLOW.free):
        assert client.get(f"/follow/{code}", environ_base=here).status_code == 200, (
            "the right one costs nothing"
        )
        assert client.get(f"/follow/{make_code()}", environ_base=here).status_code == 404
    refused = client.get(f"/follow/{make_code()}", environ_base=here)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get(f"/follow/{code}", environ_base=here).status_code == 429, (
        "a hit would tell what a miss hides"
    )
    assert client.post(f"/follow/{code}", data={"text": "x"}, environ_base=here).status_code == 429
    assert client.get(f"/follow/{code}", environ_base=there).status_code == 200
    with writing(engine_of) as session:
        session.execute(update(Attempts).values(blocked_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert client.get(f"/follow/{code}", environ_base=here).status_code == 200


def test_a_reporter_follows_and_adds(app, engine_of, sign_in):
    client = app.test_client()
    code, uid = send(client)
    page = client.get(f"/follow/{code.lower().replace('-', ' ')}")
    assert page.status_code == 200
    assert "已收到，待核实" in page.text
    for wrong in (make_code(), code[:-1] + ("2" if code[-1] != "2" else "3"), uid, "1"):
        assert client.get(f"/follow/{wrong}").status_code == 404
        assert client.post(f"/follow/{wrong}", data={"text": "x"}).status_code == 404
    note = {"uid": str(uuid.uuid4()), "said": "remark", "text": "第二天还在"}
    assert client.post(f"/follow/{code}", data=note).status_code == 302
    assert client.post(f"/follow/{code}", data=note).status_code == 302
    assert len(rows(engine_of, ResidentNote)) == 1
    with writing(engine_of) as session:
        session.execute(update(Problem).values(state=State.CLOSED))
    unhappy = {"uid": str(uuid.uuid4()), "said": "not_solved", "text": ""}
    assert client.post(f"/follow/{code}", data=unhappy).status_code == 302
    lines = [event for event in rows(engine_of, Event) if event.kind.value == "resident"]
    assert [(event.details["said"], event.state) for event in lines] == [
        ("remark", State.RECORDED),
        ("not_solved", State.CLOSED),
    ]
    staff = sign_in(Role.SUPERVISION)
    tray = staff.get("/residents?show=not_solved").text
    assert uid in tray
    assert "第二天还在" in tray
    empty = {"uid": str(uuid.uuid4()), "said": "remark", "text": " "}
    assert client.post(f"/follow/{code}", data=empty).status_code == 422


def test_a_published_remark_is_in_the_updates_and_a_held_one_is_not(app, engine_of, sign_in):
    client = app.test_client()
    code, uid = send(client)
    client.post(f"/follow/{code}", data={"uid": str(uuid.uuid4()), "said": "remark", "text": "张三丰说还在"})
    staff = sign_in()
    staff.post(f"/residents/problems/{uid}", data={"decision": "publish", "text": "路口"})
    updates = "/open311/v2/servicerequestupdates.xml"
    assert "还在" not in client.get(updates).text
    (note,) = rows(engine_of, ResidentNote)
    assert note.published_at is None
    staff.post(f"/residents/notes/{note.uid}", data={"decision": "publish", "text": "居民说还在"})
    text = client.get(updates).text
    assert "居民说还在" in text
    assert "张三丰" not in text


def test_a_merged_report_shows_how_it_goes_on(app, engine_of):
    client = app.test_client()
    (code, uid), (_, kept) = send(client), send(client)
    now = datetime.now(UTC)
    with writing(engine_of) as session:
        merged, other = (
            session.scalars(select(Problem).where(Problem.uid == uuid.UUID(one))).one() for one in (uid, kept)
        )
        merged.state, other.state = State.MERGED, State.ACCEPTED
        session.add(ProblemLink(problem_id=merged.id, other_id=other.id, kind=LinkKind.MERGED, made_at=now))
        for problem in (merged, other):
            line = {"kind": EventKind.STATE, "at": now, "recorded_at": now, "actor": "李科长", "note": "内部"}
            session.add(Event(problem_id=problem.id, state=problem.state, **line))
    page = client.get(f"/follow/{code}").text
    own, goes_on = re.findall(r'<ol class="course">(.*?)</ol>', page)
    assert "此前已有人上报" in own
    assert "责任单位正在处置" in goes_on
    assert 'class="now"' not in own
    assert 'class="badge "' in page, "the one that goes on is open"
    assert not any(one in page for one in ("李科长", "内部", kept))
    with writing(engine_of) as session:
        session.execute(update(ProblemLink).values(ended_at=now))
    assert page.count("<ol") == client.get(f"/follow/{code}").text.count("<ol") + 1


def test_what_is_said_to_be_not_solved_is_settled_by_looking_again(app, engine_of, sign_in):
    client, staff = app.test_client(), sign_in(Role.SUPERVISION)
    code, uid = send(client)
    with writing(engine_of) as session:
        session.execute(update(Problem).values(state=State.CLOSED))
        problem_id = session.scalars(select(Problem.id)).one()
        create_key(session, Actor.owner(), "别的系统", trusted=False, now=datetime.now(UTC))
        key_id = session.scalars(select(ApiKey.id)).one()

    def waits():
        return uid in staff.get("/residents?show=not_solved").text, "还堵着" in staff.get("/look-back").text

    def says(said, text="还堵着"):
        client.post(f"/follow/{code}", data={"uid": str(uuid.uuid4()), "said": said, "text": text})

    says("not_solved")
    assert waits() == (True, True)
    # Another system's word changes nothing before somebody has looked at it.
    with writing(engine_of) as session:
        note = NewNote(uid=uuid.uuid4(), said=Said.SOLVED, text="好了")
        settings = app.extensions["gridmap"].settings
        say(
            session,
            problem_id,
            note,
            key=session.get(ApiKey, key_id),
            settings=settings,
            now=datetime.now(UTC),
        )
    assert waits() == (True, True)
    assert rows(engine_of, ResidentReport)[0].last_said is Said.NOT_SOLVED
    staff.post(f"/residents/notes/{note.uid}", data={"decision": "publish", "text": "好了"})
    assert waits() == (False, False)
    assert rows(engine_of, ResidentReport)[0].last_said is Said.SOLVED
    for action in ("look_back", "reopen"):
        says("not_solved")
        assert waits() == (True, True)
        with writing(engine_of) as session:
            line = {"kind": EventKind.STATE, "actor": "x", "state": State.CLOSED, "action": action}
            now = datetime.now(UTC)
            session.add(Event(problem_id=problem_id, at=now, recorded_at=now, **line))
        assert waits() == (False, False), action


def test_programs_that_fill_in_everything_leave_nothing(app, engine_of):
    client = app.test_client()
    answer = client.post("/report", data=form(website="http://spam.example"))
    assert answer.status_code == 302
    assert rows(engine_of, Problem) == []
    assert rows(engine_of, ResidentReport) == []


def test_sent_twice_it_is_there_once(app, engine_of):
    client = app.test_client()
    sent = form()
    for _ in range(2):
        assert client.post("/report", data=sent).status_code == 302
    assert len(rows(engine_of, Problem)) == 1
    code = CODE.search(client.get("/report/thanks").text)[0]
    assert client.get(f"/follow/{code}").status_code == 200


def test_one_address_sends_so_many_an_hour(app, engine_of):
    object.__setattr__(app.extensions["gridmap"].settings, "resident_reports_per_hour", 2)
    client = app.test_client()
    for _ in range(2):
        send(client)
    # No photo is looked at that is not taken: this one is none.
    refused = client.post("/report", data=form(photo=(io.BytesIO(b"<html>"), "a.jpg", "image/jpeg")))
    assert refused.status_code == 429
    assert len(rows(engine_of, Problem)) == 2
    other = app.test_client()
    elsewhere = other.post("/report", data=form(), environ_base={"REMOTE_ADDR": "10.1.2.3"})
    assert elsewhere.status_code == 302
    assert "127.0.0.1" not in str([vars(row) for row in rows(engine_of, ResidentReport)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"consent": ""}, "同意"),
        ({"lon": ""}, "位置"),
        ({"lon": "721"}, "经度"),
        ({"category": "none"}, "none"),
        ({"description": "", "name": "", "phone": "", "email": ""}, "描述"),
        ({"phone": "call me"}, "电话"),
        ({"email": "me"}, "邮箱"),
        ({"uid": "1"}, "UUID"),
        ({"description": "长" * 4001}, "4001"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(app, engine_of, change, said):
    answer = app.test_client().post("/report", data=form(address="人民路1号", **change))
    assert answer.status_code in {404, 422}
    assert said in re.search(r'id="fault">([^<]+)<', answer.text)[1]
    assert "人民路1号" in answer.text
    assert rows(engine_of, Problem) == []


def test_too_much_at_once_is_refused(app, engine_of):
    object.__setattr__(app.extensions["gridmap"].settings, "photo_megabytes", 1)
    client = app.test_client()
    code, _ = send(client)
    for path in ("/report", f"/follow/{code}"):
        big = client.post(path, data=b"0" * (5 * 2**20), content_type="multipart/form-data; boundary=0")
        assert big.status_code == 413
    many = [(io.BytesIO(picture()), f"{n}.jpg", "image/jpeg") for n in range(4)]
    sent = form(photo=many)
    assert client.post("/report", data=sent, content_type="multipart/form-data").status_code == 422
    no_photo = form(photo=(io.BytesIO(b"<html>"), "a.jpg", "image/jpeg"))
    assert client.post("/report", data=no_photo, content_type="multipart/form-data").status_code == 422
    assert len(rows(engine_of, Problem)) == 1


def test_only_those_who_need_it_see_who_reported(app, sign_in, town):
    engine = app.extensions["gridmap"].engine
    client = app.test_client()
    _, uid = send(client, category="A1", lon="121.405", lat="31.205")
    east, west = (area.id for area in town.communities)
    assert "张三丰" in sign_in().get("/residents").text
    manager = sign_in(Role.AREA_MANAGER, area_id=east)
    assert "13812345678" in manager.get("/residents").text
    supervision = sign_in(Role.SUPERVISION).get("/residents").text
    assert uid in supervision
    assert not any(one in supervision for one in PRIVATE[:3])
    stranger = sign_in(Role.AREA_MANAGER, area_id=west)
    page = stranger.get("/residents").text
    assert uid not in page
    assert "<b>0</b>" in page
    data = {"decision": "publish", "text": "x"}
    assert stranger.post(f"/residents/problems/{uid}", data=data).status_code == 404
    assert sign_in(Role.GRID_WORKER).get("/residents").status_code == 403
    assert rows(engine, Publication)[0].state is Moderation.HELD
    assert app.test_client().get("/residents").status_code == 302


def test_people_are_forgotten_after_a_time_and_their_report_stays(app, engine_of):
    client = app.test_client()
    code, _ = send(client)
    settings = app.extensions["gridmap"].settings
    with writing(engine_of) as session:
        assert forget_reporters(session, settings=settings, now=datetime.now(UTC)) == 0
    later = datetime.now(UTC) + timedelta(days=settings.resident_data_days + 1)
    with writing(engine_of) as session:
        assert forget_reporters(session, settings=settings, now=later) == 1
        assert session.scalar(select(func.count(Reporter.id))) == 0
    assert rows(engine_of, ResidentReport)[0].sender_hash is None
    assert client.get(f"/follow/{code}").status_code == 200


def test_duplicates_close_by_are_offered_from_published_ones_only(app, engine_of, sign_in):
    client = app.test_client()
    _, uid = send(client)
    near = {"at": "121.4052,31.2052", "category": "0404"}
    assert client.get("/public/near.json", query_string=near).json["problems"] == []
    sign_in().post(f"/residents/problems/{uid}", data={"decision": "publish", "text": "路口"})
    assert len(client.get("/public/near.json", query_string=near).json["problems"]) == 1
    far = {"at": "121.5,31.2052", "category": "0404"}
    assert client.get("/public/near.json", query_string=far).json["problems"] == []
    for wrong in ("", "1", "a,b", "1,nan", "999,1"):
        assert client.get("/public/near.json", query_string={"at": wrong}).status_code == 422


def test_codes_are_beyond_guessing():
    codes = {make_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(CODE.fullmatch(code) for code in codes)
    letters = set("".join(codes)) - {"-"}
    assert len(letters) ** 16 > 2**78


def test_keys_are_made_by_headquarters_and_shown_once(app, sign_in, engine_of):
    client = sign_in()
    made = client.post("/residents/keys", data={"name": "随手拍", "trusted": "1"})
    key = re.search(r"<code>([^<]+)</code>", made.text)[1]
    assert key not in client.get("/residents/keys").text
    sent = {"api_key": key, "service_code": "0404", "lat": "1", "long": "2", "description": "x"}
    assert app.test_client().post("/open311/v2/requests.xml", data=sent).status_code == 201
    uid = re.search(r"keys/([0-9a-f-]{36})/revoke", client.get("/residents/keys").text)[1]
    assert client.post(f"/residents/keys/{uid}/revoke").status_code == 302
    assert app.test_client().post("/open311/v2/requests.xml", data=sent).status_code == 403
    assert sign_in(Role.AREA_MANAGER).get("/residents/keys").status_code == 403


def test_the_trail_keeps_neither_code_nor_address_nor_name(app, engine_of):
    client = app.test_client()
    sent = form()
    client.post("/report", data=sent, environ_base={"REMOTE_ADDR": "10.9.8.7"})
    code = CODE.search(client.get("/report/thanks").text)[0]
    note = {"uid": str(uuid.uuid4()), "said": "solved", "text": ""}
    client.post(f"/follow/{code}", data=note, environ_base={"REMOTE_ADDR": "10.9.8.7"})
    kept = str([vars(row) for model in (TrailEntry, TrailLine) for row in rows(engine_of, model)])
    assert "/follow/<code>" in kept
    for private in (code, "10.9.8.7", *PRIVATE[:3]):
        assert private not in kept
