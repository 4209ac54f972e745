"""Two communities beside each other with one of everything, and every question that can be asked of them."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import uuid
import zipfile
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

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
