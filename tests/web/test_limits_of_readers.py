"""What lies outside somebody's limits shows in no answer: every word and uid of it is looked for in all."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import time
import uuid
import zipfile
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from pictures import photo

from gridmap.deadlines.models import (
    Accountability,
    Escalation,
    EscalationStep,
    Notice,
    NoticeItem,
    NoticeKind,
    Reminder,
    StepKind,
)
from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment, AttachmentState, MediaKind, Stage
from gridmap.joint.models import JointOperation, JointParticipant, JointProblem, JointResult
from gridmap.ledger.columns import COLUMNS
from gridmap.ledger.models import LedgerNote
from gridmap.look_back.models import CheckTask, LookBackSample
from gridmap.people.models import Organisation, OrganisationKind, Person
from gridmap.people.permissions import Role
from gridmap.places.models import (
    Area,
    AreaLevel,
    GridCell,
    InspectionPoint,
    PriorityRoad,
    Responsibility,
    ResponsibilityRole,
)
from gridmap.problems.models import (
    Category,
    Event,
    EventKind,
    LinkKind,
    Problem,
    ProblemLink,
    Request,
    Source,
    State,
    TimeUnit,
)
from gridmap.residents.models import Moderation, Publication, Reporter, ResidentNote, ResidentReport, Said
from gridmap.shops.models import Offence, OffencePhoto, Pledge, Shopfront, Step
from gridmap.store.clock import next_change
from gridmap.store.engine import writing

from .access_table import ROUTES

WEST, SOUTH, SIDE = 121.40, 31.20, 0.01
PHONES = ("13900001111", "13900002222", "13900003333", "13900004444")
TILE = {"z": "12", "x": "3429", "y": "1675"}
"""Holds all of the ground."""


@pytest.fixture
def store_url(spatialite_url):
    """Return one store: what differs between the two is in `test_limits`, which runs on both."""
    return spatialite_url


def box(west, east):
    ring = f"{west} {SOUTH},{east} {SOUTH},{east} {SOUTH + SIDE},{west} {SOUTH + SIDE},{west} {SOUTH}"
    return f"SRID=4326;MULTIPOLYGON((({ring})))"


class Side:
    """One of the two communities, with one of everything; `word` begins each text of it."""

    def __init__(self, shared, word, west, phones):
        self.word, self.shared = word, shared
        self.session, self.vault = shared.session, shared.vault
        self.words: set[str] = set(phones)
        self.phones = phones
        self.now = shared.now
        self.middle = (west + SIDE / 2, SOUTH + SIDE / 2)
        self.at_middle = f"SRID=4326;POINT({self.middle[0]} {self.middle[1]})"
        self.ground(west)
        self.people(*phones[:2])
        self.problems()
        self.papers()
        self.resident(phones[2])
        self.shops(phones[3])
        self.uids = {name: str(thing.uid) for name, thing in vars(self).items() if hasattr(thing, "uid")}
        self.number = self.problem.id

    def text(self, what):
        """Make a text that nothing else holds."""
        self.words.add(self.word + what)
        return self.word + what

    def keep(self, *things):
        self.session.add_all(things)
        self.session.flush()
        return things[0]

    def ground(self, west):
        self.area = self.keep(
            Area(
                code=f"3101010{len(self.word)}{west:.2f}",
                name=self.text("社区"),
                level=AreaLevel.COMMUNITY,
                parent_id=self.shared.district.id,
                geometry=box(west, west + SIDE),
            )
        )
        self.body = self.keep(
            Organisation(name=self.text("中队"), kind=OrganisationKind.SQUAD, area_id=self.area.id)
        )
        of_area = {"area_id": self.area.id}
        self.cell = self.keep(
            GridCell(code=f"c{west:.2f}", name=self.text("网格"), geometry=box(west, west + SIDE), **of_area)
        )
        self.point = self.keep(
            InspectionPoint(
                code=f"p{west:.2f}",
                name=self.text("菜场"),
                site_type="market",
                cell_id=self.cell.id,
                geometry=self.at_middle,
                **of_area,
            )
        )
        line = f"SRID=4326;MULTILINESTRING(({west} {SOUTH + 0.002},{west + SIDE} {SOUTH + 0.002}))"
        self.road = self.keep(
            PriorityRoad(code=f"r{west:.2f}", name=self.text("大街"), level=1, geometry=line, **of_area)
        )

    def people(self, *phones):
        self.person, self.other = (
            Person(
                name=self.text(name), phone=phone, duty=self.text(f"{name}职责"), organisation_id=self.body.id
            )
            for name, phone in zip(("工甲", "工乙"), phones, strict=True)
        )
        self.keep(self.person, self.other)
        self.keep(
            *(
                Responsibility(
                    role=ResponsibilityRole.GRID_WORKER,
                    person_id=self.person.id,
                    valid_from=date(2026, 1, 1),
                    **{place: getattr(self, place.removesuffix("_id")).id},
                )
                for place in ("cell_id", "point_id", "road_id")
            )
        )

    def new_problem(self, name, state, **more):
        """A problem here whose every text is told by `name`."""
        fields = {
            "category_id": self.shared.category.id,
            "state": state,
            "source": Source.RESIDENT,
            "found_at": self.now - timedelta(days=3),
            "due_at": self.now - timedelta(days=1),
            "fix_due_at": self.now - timedelta(days=1),
            "time_allowed": 8,
            "time_unit": TimeUnit.WORKING_HOUR,
            "description": self.text(f"{name}描述"),
            "address": self.text(f"{name}地址"),
            "lon": self.middle[0],
            "lat": self.middle[1],
            "geometry": self.at_middle,
            "area_id": self.area.id,
            "cell_id": self.cell.id,
            "road_id": self.road.id,
            "person_id": self.person.id,
            "organisation_id": self.body.id,
            "change": self.shared.change,
        }
        made = self.keep(Problem(**fields | more))
        self.keep(
            Event(
                problem_id=made.id,
                kind=EventKind.RECORDED,
                at=made.found_at,
                recorded_at=made.found_at,
                actor=self.text(f"{name}记录员"),
                state=State.RECORDED,
                note=self.text(f"{name}备注"),
                details={"organisation": self.body.name, "person": self.person.name},
            )
        )
        return made

    def problems(self):
        self.problem = self.new_problem("甲", State.DISPATCHED)
        self.checked = self.new_problem("乙", State.CHECKED)
        self.closed = self.new_problem(
            "丙", State.CLOSED, closed_at=self.now, fixed_at=self.now, on_time=True
        )
        self.keep(
            ProblemLink(
                problem_id=self.problem.id,
                other_id=self.closed.id,
                kind=LinkKind.RECURRENCE,
                made_at=self.now,
            ),
            Request(
                problem_id=self.problem.id,
                action="extend",
                reason=self.text("延期理由"),
                asked_by=self.text("申请人"),
                asked_at=self.now,
                more=4,
            ),
            LedgerNote(
                problem_id=self.problem.id,
                remark=self.text("台账备注"),
                funding=3.0,
                actor="测试",
                changed_at=self.now,
            ),
        )
        self.attachment = self.picture(Stage.FOUND, self.problem.id)

    def picture(self, stage, problem_id):
        content = photo((24, 16), seed=len(self.words))
        sha256 = hashlib.sha256(content).hexdigest()
        file = self.vault.path(sha256)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return self.keep(
            Attachment(
                problem_id=problem_id,
                stage=stage,
                kind=MediaKind.PHOTO,
                state=AttachmentState.READY,
                media_type="image/jpeg",
                size=len(content),
                sha256=sha256,
                shown_type="image/jpeg",
                shown_sha256=sha256,
                shown_size=len(content),
                thumbnail_sha256=sha256,
                file_name=self.text(f"{stage.value}.jpg"),
                uploaded_by=self.text(f"{stage.value}上传人"),
                created_at=self.now,
            )
        )

    def papers(self):
        self.notice = self.keep(
            Notice(
                kind=NoticeKind.SUPERVISION,
                year=2026,
                number=self.problem.id,
                organisation_id=self.body.id,
                issued_at=self.now,
                issued_by=self.text("签发人"),
                text=self.text("督办要求"),
                answer=self.text("答复"),
                answered_at=self.now,
                answered_by=self.text("答复人"),
            )
        )
        self.operation = self.keep(
            JointOperation(
                name=self.text("联合行动"),
                place=self.text("行动地点"),
                remark=self.text("行动说明"),
                area_id=self.area.id,
                organisation_id=self.body.id,
                starts_at=self.now,
                actor=self.text("组织人"),
                at=self.now,
            )
        )
        self.sample = self.keep(
            LookBackSample(
                seed=1,
                size=1,
                closed_from=self.now - timedelta(days=9),
                closed_until=self.now,
                candidates=1,
                due_at=self.now + timedelta(days=3),
                actor=self.text("抽查人"),
                at=self.now,
            )
        )
        self.reminder = self.keep(
            Reminder(kind=StepKind.REMIND, organisation_id=self.body.id, sent_at=self.now)
        )
        self.accountability = Accountability(
            problem_id=self.problem.id,
            organisation_id=self.body.id,
            person_id=self.person.id,
            due_at=self.now,
            entered_at=self.now,
            note=self.text("问责说明"),
            decided_by=self.text("问责人"),
            decided_at=self.now,
        )
        self.keep(
            self.accountability,
            NoticeItem(notice_id=self.notice.id, problem_id=self.problem.id),
            JointParticipant(operation_id=self.operation.id, organisation_id=self.body.id, people=5),
            JointProblem(operation_id=self.operation.id, problem_id=self.problem.id),
            JointResult(
                operation_id=self.operation.id,
                what=self.text("成果"),
                count=3,
                unit="车",
                actor=self.text("统计人"),
                at=self.now,
            ),
            CheckTask(
                sample_id=self.sample.id,
                problem_id=self.closed.id,
                person_id=self.other.id,
                due_at=self.now + timedelta(days=3),
            ),
            Escalation(
                problem_id=self.problem.id,
                step_id=self.shared.step.id,
                due_at=self.now,
                taken_at=self.now,
                reminder_id=self.reminder.id,
            ),
        )

    def resident(self, phone):
        made = self.keep(
            ResidentReport(
                problem_id=self.problem.id,
                code_hash=hashlib.sha256(self.word.encode()).hexdigest(),
                sent_at=self.now,
            )
        )
        self.note = self.keep(
            ResidentNote(
                problem_id=self.problem.id, said=Said.REMARK, text=self.text("居民补充"), at=self.now
            )
        )
        self.keep(
            Publication(problem_id=self.problem.id, state=Moderation.HELD),
            Reporter(
                report_id=made.id,
                name=self.text("居民"),
                phone=phone,
                email=f"{len(self.word)}@resident.example",
                consented_at=self.now,
            ),
        )

    def shops(self, phone):
        self.shop = self.keep(
            Shopfront(
                code=f"s{self.middle[0]:.3f}",
                name=self.text("面馆"),
                owner=self.text("店主"),
                licence=self.text("执照"),
                trade=self.text("行业"),
                address=self.text("店址"),
                phone=phone,
                area_id=self.area.id,
                cell_id=self.cell.id,
                road_id=self.road.id,
                organisation_id=self.body.id,
                geometry=self.at_middle,
            )
        )
        self.scan = self.picture(Stage.PLEDGE, None)
        self.pledge = Pledge(
            shop_id=self.shop.id,
            signed_on=date(2026, 1, 1),
            signed_by=self.text("签约人"),
            note=self.text("承诺备注"),
            attachment_id=self.scan.id,
            actor=self.text("登记人"),
            recorded_at=self.now,
        )
        self.proof = self.picture(Stage.OFFENCE, None)
        self.offence = self.keep(
            Offence(
                shop_id=self.shop.id,
                category_id=self.shared.category.id,
                problem_id=self.problem.id,
                at=self.now,
                recorded_at=self.now,
                step=Step.TOLD,
                expected=Step.TOLD,
                note=self.text("违规备注"),
                address=self.text("违规地址"),
                lon=self.middle[0],
                lat=self.middle[1],
                person_id=self.person.id,
                actor=self.text("执法人"),
            )
        )
        self.keep(self.pledge, OffencePhoto(offence_id=self.offence.id, attachment_id=self.proof.id))


@pytest.fixture
def sides(app, settings):
    """Two communities beside each other, each with one of everything; the second one's words are secret."""
    with writing(app.extensions["gridmap"].engine) as session:
        district = Area(
            code="310101", name="示范区", level=AreaLevel.DISTRICT, geometry=box(WEST, WEST + 0.02)
        )
        major = Category(code="A", name="市容环境")
        session.add_all([district, major])
        session.flush()
        category = Category(code="A1", name="占道经营", parent_id=major.id)
        session.add(category)
        session.flush()
        shared = SimpleNamespace(
            session=session,
            vault=Vault(settings.data_dir),
            now=datetime.now(UTC).replace(microsecond=0),
            district=district,
            category=category,
            change=next_change(session),
            step=EscalationStep(position=1, kind=StepKind.REMIND, wait=0, unit=TimeUnit.WORKING_HOUR),
        )
        session.add(shared.step)
        session.flush()
        own = Side(shared, "东风", WEST, ["13711110001", *(f"1371111000{n}" for n in (2, 3, 4))])
        foreign = Side(shared, "暗号", WEST + SIDE, PHONES)
    return SimpleNamespace(own=own, foreign=foreign, district=district)


def lists(side):
    """Addresses that list, count or look for things, asked about one side; none names all of a text."""
    month = {"first": "2026-01-01", "last": "2030-12-31"}
    west, east = side.middle[0] - 0.004, side.middle[0] + 0.004
    around = f"{west},{SOUTH + 0.001},{east},{SOUTH + 0.009}"
    all_of_them = {"state": "all", "doubtful": "1", "limit": "1000"}
    area, organisation, *narrower = [
        {name: side.uids[thing]}
        for name, thing in {
            "area": "area",
            "organisation": "body",
            "cell": "cell",
            "road": "road",
            "point": "point",
            "person": "person",
        }.items()
    ]
    for more in ({}, area, organisation, *narrower):
        yield "/api/v1/problems", {**all_of_them, **more}
    for more in (area, organisation):
        yield "/api/v1/events", {"limit": "1000"}
        for path in ("/api/v1/cells/load", "/api/v1/summary", "/ledger", "/figures", "/api/v1/figures"):
            yield path, more
        yield "/export.html", {"bbox": around, **more}
    for path in ("/forecast", "/api/v1/forecast"):
        yield path, area
    for path in ("/ledger/handover", "/ledger/handover.xlsx", "/ledger/negative", "/api/v1/shops", "/shops"):
        yield path, area
    for path in ("/api/v1/areas", "/api/v1/cells", "/api/v1/points", "/api/v1/roads", "/api/v1/shops"):
        yield path, {"bbox": around, "limit": "1000"}
    for by, of in (("community", "area"), ("cell", "cell"), ("organisation", "body"), ("person", "person")):
        yield "/api/v1/figures", {"by": by, **month}
        yield "/figures/figures.xlsx", {"by": by, **month}
        yield "/figures/list", {"by": by, "key": side.uids[of], **month}
        yield "/api/v1/figures/problems", {"by": by, "key": side.uids[of], **month}
    yield "/figures", {"by": "road", "columns": "all", **month}
    for text in (side.word, *(phone[:9] for phone in side.phones), str(side.number)):
        for path in ("/api/v1/search", "/api/v1/shops", "/shops", "/people"):
            yield path, {"q": text}
    for path in ("/export.html", "/export.png"):
        yield path, {"bbox": around}
    place = {"lon": str(side.middle[0]), "lat": str(side.middle[1])}
    yield "/api/v1/problems/similar", {**place, "category": "A1"}
    yield "/public/near.json", place


OF = {
    "GET /jobs/<uid>": None,
    "GET /look-back/<uuid:uid>": "sample",
    "GET /shops/<uuid:uid>/pledges/<uuid:pledge>/scan": "shop",
    "GET /shops/<uuid:uid>/offences/<uuid:offence>/evidence/<uuid:photo>": "shop",
}


def single(side):
    """Addresses of every route that is read, with the uids of one side where it has any."""
    for name, line in ROUTES.items():
        method, path = name.split(" ", 1)
        if method != "GET":
            continue
        path = path.replace("<any(xml, json):suffix>", "json").replace("<uuid:pledge>", side.uids["pledge"])
        path = path.replace("<uuid:offence>", side.uids["offence"]).replace(
            "<uuid:photo>", side.uids["proof"]
        )
        path = re.sub(r"<(?:int(?:\([^)]*\))?:)?([zxy])>", lambda found: TILE[found[1]], path)
        of = OF.get(name, line.of)
        thing = str(side.number) if of == "number" else side.uids.get(of, str(uuid.UUID(int=7)))
        yield re.sub(r"<[^>]+>", thing if of != "entry" else "1", path), line.query or {}


def texts(answer):
    """All that an answer says, as it may be written; of an Excel workbook what its files hold."""
    body = answer.data
    if body[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in book.namelist())
    text = body.decode("utf-8", "replace") + "\n" + "\n".join(map(str, answer.headers.values()))
    if "\\u" in text:
        text += json.dumps(text).replace("\\\\u", "\\u").encode().decode("unicode_escape", "replace")
    return html.unescape(text)


def asked(client, side):
    """Ask everything about one side; yield each question, its words, and what was answered."""
    for path, query in (*single(side), *lists(side)):
        with client.get(path, query_string=query) as answer:
            yield f"{path} {query}", answer
    columns = {"column": [name for name in COLUMNS if not name.startswith("photo")]}
    for query in ("state=all&doubtful=1", f"state=all&area={side.uids['area']}"):
        with client.post(f"/ledger/export?{query}", data=columns) as answer:
            yield f"/ledger/export {query}", answer


def shown(client, side, *, but=lambda word, question: False):
    """What of a side is shown, each with the first question that brought it out."""
    found = {}
    wanted = side.words | set(side.uids.values())
    for question, answer in asked(client, side):
        assert answer.status_code < 500, question
        said = texts(answer)
        for word in wanted - found.keys():
            # What was asked with may come back; nothing else.
            if word not in question and (word in said or quote(word) in said) and not but(word, question):
                found[word] = question
    return found


GROUND = ("area", "cell", "point", "road")
"""Everybody with a login and no limit of area sees these everywhere."""
HOLDERS = re.compile(r"/api/v1/(cells|points|roads|areas)/|/export.html ")


def decided(side, where):
    """Say what is shown on purpose."""
    ground = {text for name in GROUND for text in (getattr(side, name).name, side.uids[name])}
    body = {side.body.name, side.uids["body"]}

    def shown_on_purpose(word, question):
        if "area" not in where and word in ground:
            return True
        # Whoever sees a place sees which organisation holds it, and asks any of them to join in.
        holds = "area" not in where and HOLDERS.match(question)
        return word in body and bool(holds or question == "/joint {}")

    return shown_on_purpose


READERS = {
    "manager": (Role.AREA_MANAGER, "area"),
    "supervision": (Role.SUPERVISION, "area"),
    "lead": (Role.ORGANISATION_LEAD, "body"),
    "worker": (Role.GRID_WORKER, "area and body"),
    "assessor": (Role.ASSESSOR, "area"),
}


def grant_of(side, where):
    return {
        "area_id": side.area.id if "area" in where else None,
        "organisation_id": side.body.id if "body" in where else None,
    }


@pytest.mark.parametrize("reader", READERS)
def test_nothing_of_the_other_side_is_shown(reader, sign_in, sides):
    role, where = READERS[reader]
    client = sign_in(role, **grant_of(sides.own, where))
    assert shown(client, sides.foreign, but=decided(sides.foreign, where)) == {}


def test_all_of_it_is_shown_to_those_who_may(sign_in, sides):
    """Without this the test above would find nothing in answers that say nothing."""
    found = shown(sign_in(), sides.foreign)
    assert sides.foreign.words - found.keys() == set()


def changed(client, method, path, line, **headers):
    body = line.json
    if isinstance(body, dict) and "uid" in body:
        body = body | {"uid": str(uuid.uuid4())}
    with client.open(
        path,
        method=method,
        query_string=line.query,
        json=body,
        data=line.form,
        headers=(line.headers or {}) | headers,
    ) as answer:
        # What is made anew for each page tells nothing.
        said = re.sub(
            r"nonce(-|=\")[\w-]+|csrf[-_]token\"[^>]+",
            "",
            html.unescape(answer.data.decode("utf-8", "replace")),
        )
        return answer.status_code, said, answer.headers.get("ETag")


ABOUT = {"problem", "number", "shop", "attachment", "operation", "notice", "person", *GROUND}


@pytest.mark.parametrize("reader", ["manager", "lead"])
def test_what_lies_outside_is_answered_as_what_is_not_there(reader, sign_in, sides):
    """Not a word, a status or a tag tells a uid of somebody else's thing from one that was made up."""
    role, where = READERS[reader]
    client, everything = sign_in(role, **grant_of(sides.own, where)), sign_in()
    compared = 0
    for name, line in ROUTES.items():
        in_sight = "area" not in where and line.of in GROUND
        if line.of not in ABOUT or in_sight or line.outside != 404 or name.startswith("GET /public"):
            continue
        method, rule = name.split(" ", 1)
        rule = re.sub(
            r"<(uuid:login|action)>",
            lambda found: {"action": "release"}.get(found[1], str(uuid.UUID(int=8))),
            rule,
        )
        foreign = str(sides.foreign.number) if line.of == "number" else sides.foreign.uids[line.of]
        nothing = "987654321" if line.of == "number" else str(uuid.UUID(int=9))
        addresses = [re.sub(r"<[^>]+>", thing, rule) for thing in (foreign, nothing)]
        tag = changed(everything, "GET", addresses[0], line)[2] if method in {"GET", "PATCH"} else None
        for more in ({}, {"If-None-Match": tag}, {"If-Match": tag}) if tag else ({},):
            (status, said, _), (other, expected, _) = (
                changed(client, method, address, line, **more) for address in addresses
            )
            assert (name, status) == (name, other)
            assert status in {403, 404}, name
            assert (said if line.of == "number" else said.replace(foreign, nothing)) == expected, name
            compared += 1
    assert compared > 20


def test_a_job_a_file_and_an_upload_are_their_owners(sign_in, sides):
    owner = sign_in(Role.SUPERVISION, **grant_of(sides.foreign, "area"))
    others = [sign_in(Role.SUPERVISION, **grant_of(sides.own, "area")), sign_in()]
    made = owner.post("/ledger/export?state=all", data={"column": ["number", "photo_before"]})
    assert owner.get(made.headers["Location"]).status_code == 200
    job = made.headers["Location"].rpartition("/")[2]
    for _ in range(200):
        state = owner.get(f"/jobs/{job}").json
        if state["state"] != "running":
            break
        time.sleep(0.05)
    assert state["state"] == "done", state
    assert f"/ledger/file/{job}" in owner.get(made.headers["Location"]).text
    with owner.get(f"/ledger/file/{job}") as file:
        assert file.status_code == 200
        content = file.data
    sent = owner.post("/ledger/back", data={"file": (io.BytesIO(content), "a.xlsx")})
    preview = sent.headers["Location"]
    assert owner.get(preview).status_code == 200
    for address in (f"/jobs/{job}", f"/ledger/made/{job}", f"/ledger/file/{job}", preview):
        nothing = re.sub(r"[0-9a-f-]{32,36}", str(uuid.UUID(int=9)), address)
        for other in others:
            assert other.get(address).status_code == other.get(nothing).status_code == 404
    assert others[0].post(f"/jobs/{job}/stop").status_code == 404
    assert others[0].post(preview.split("?")[0] + "/apply").status_code == 404


def test_what_a_form_names_outside_is_answered_as_what_is_not_there(sign_in, sides):
    """Numbers and uids in what is sent: of steps on many, merging, notices, offences, uploads, dispatch."""
    client = sign_in(Role.AREA_MANAGER, **grant_of(sides.own, "area"))
    own, foreign = sides.own.uids, sides.foreign.uids
    nothing, none = str(uuid.UUID(int=9, version=4)), 987654321

    def said(answer):
        text = html.unescape(answer.data.decode("utf-8", "replace"))
        text = re.sub(r"nonce(-|=\")[\w-]+|csrf[-_]token\"[^>]+", "", text)
        for known, made_up in ((foreign["problem"], nothing), (foreign["body"], nothing)):
            text = text.replace(known, made_up)
        return answer.status_code, re.sub(rf"(?<!\d){sides.foreign.number}(?!\d)", str(none), text)

    def dispatch(organisation):
        step = {"action": "dispatch", "organisation": organisation}
        return client.post(f"/api/v1/problems/{own['checked']}/steps", json=step)

    asked = {
        "many": lambda uid, number: client.post(
            "/api/v1/problems/steps", json={"step": {"action": "check"}, "uids": [uid], "preview": True}
        ),
        "merge": lambda uid, number: client.post(
            f"/api/v1/problems/{own['problem']}/steps", json={"action": "merge", "other": uid}
        ),
        "notice": lambda uid, number: client.get("/notices/new", query_string={"problems": number}),
        "issue": lambda uid, number: client.post(
            "/notices", data={"problems": number, "kind": "supervision"}
        ),
        "offence": lambda uid, number: client.post(
            f"/api/v1/shops/{own['shop']}/offences",
            json={"uid": str(uuid.uuid4()), "category": "A1", "problem": uid},
        ),
    }
    for name, ask in asked.items():
        told, expected = said(ask(foreign["problem"], sides.foreign.number)), said(ask(nothing, none))
        assert told == expected, name
    assert said(dispatch(foreign["body"]))[0] in {200, 404, 409, 422}
