"""What happens outside somebody's limits changes no answer: not a count, a median, a list, a choice, a tag.

Everything is asked, then much is added out of sight, also what is tied to something in sight; then all is
asked again. It must not say a letter more.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytest
from flask.json import dumps
from sqlalchemy import select

from geodata.travel import Profile
from gridmap.deadlines.models import Accountability, NoticeItem
from gridmap.dispatch.models import DispatchRule
from gridmap.evidence.models import Attachment
from gridmap.imports.models import Import
from gridmap.joint.models import JointProblem
from gridmap.ledger.columns import COLUMNS
from gridmap.look_back.models import CheckTask, LookBackSample
from gridmap.patrols.models import PatrolPlan, PatrolRoute
from gridmap.patrols.tracks.models import Track
from gridmap.people.models import Grant, Login, Organisation, Person
from gridmap.people.permissions import Role
from gridmap.places.models import Area, GridCell, InspectionPoint, PriorityRoad, Responsibility
from gridmap.places.models import ResponsibilityRole as Holds
from gridmap.problems.models import Batch, Event, EventKind, LinkKind, Problem, ProblemLink
from gridmap.residents.models import Moderation, Publication, ResidentNote, ResidentReport, Said
from gridmap.shops.models import Offence, Pledge, Shopfront
from gridmap.store.clock import next_change
from gridmap.store.engine import writing

from .two_sides import READERS, asked, grant_of, texts


@pytest.fixture
def store_url(spatialite_url):
    """Return one store: what differs between the two is in `test_limits`, which runs on both."""
    return spatialite_url


def another(thing, **changes):
    """One more row like a row."""
    values = {
        column.key: getattr(thing, column.key)
        for column in type(thing).__mapper__.column_attrs
        if column.key not in {"id", "uid"}
    }
    return type(thing)(**values | changes)


class Beyond:
    """Adds what the reader of one side does not see, though half of it is theirs.

    To who is limited to an area: things of their own people in the other one. To who is limited to an
    organisation: things of the other one in their own streets.
    """

    def __init__(self, session, sides, where):
        self.session, self.own, self.foreign = session, sides.own, sides.foreign
        self.by_area = "area" in where
        place, body = (sides.foreign, sides.own) if self.by_area else (sides.own, sides.foreign)
        self.place = {"area_id": place.area.id, "cell_id": place.cell.id, "road_id": place.road.id}
        self.body = {"organisation_id": body.body.id}
        self.holder = {**self.body, "person_id": body.person.id}
        self.at = {"lon": place.middle[0], "lat": place.middle[1], "geometry": place.at_middle}
        self.change, self.now = next_change(session), sides.own.now

    def like(self, model, thing, **changes):
        return self.keep(another(self.session.get_one(model, thing.id), **changes))

    def keep(self, *things):
        self.session.add_all(things)
        self.session.flush()
        return things[0]

    def problem(self, of):
        fields = {**self.place, **self.holder, **self.at, "change": self.change}
        made = self.like(Problem, of, **fields, found_at=self.now - timedelta(days=1), rework=2)
        event = {"kind": EventKind.RECORDED, "actor": "别人", "note": "界外"}
        self.keep(Event(problem_id=made.id, at=self.now, recorded_at=self.now, **event))
        return made

    def add(self):
        open_ones = [self.problem(self.own.problem) for _ in range(3)]
        for one in (*open_ones, self.problem(self.own.checked), self.problem(self.own.closed)):
            self.tie(one)
        self.session.get_one(LookBackSample, self.own.sample.id).candidates += 40
        since = {"valid_from": date(2026, 1, 1)}
        self.keep(
            DispatchRule(position=1, name="界外规则", person_id=self.own.person.id, **since),
            DispatchRule(position=2, name="界外规则", organisation_id=self.own.body.id, **since),
            Batch(action="check", actor="别人", at=self.now, problems=9),
            Import(
                kind="problems",
                file_name="界外.csv",
                sha256="0" * 64,
                options={},
                counts={"new": 9},
                actor="别人",
                login_id=999,
                applied_at=self.now,
            ),
        )
        self.shops()
        self.people()
        self.walked()
        if self.by_area:
            self.ground()

    def tie(self, one):
        """Tie a problem to what the reader sees."""
        own, now = self.own, self.now
        recurs = {"kind": LinkKind.RECURRENCE, "made_at": now}
        merged = {"kind": LinkKind.MERGED, "made_at": now}
        self.keep(
            ProblemLink(problem_id=own.problem.id, other_id=one.id, **recurs),
            ProblemLink(problem_id=one.id, other_id=own.closed.id, **recurs),
            ProblemLink(problem_id=one.id, other_id=own.problem.id, **merged),
            JointProblem(operation_id=own.operation.id, problem_id=one.id),
            Accountability(problem_id=one.id, due_at=now, entered_at=now, **self.holder),
            Publication(problem_id=one.id, state=Moderation.HELD),
            ResidentReport(problem_id=one.id, code_hash=f"{one.id:064}", sent_at=now),
            ResidentNote(problem_id=one.id, said=Said.NOT_SOLVED, text="还在", at=now),
            CheckTask(
                sample_id=own.sample.id,
                problem_id=one.id,
                person_id=own.other.id,
                due_at=now - timedelta(days=1),
            ),
        )
        self.like(Attachment, own.attachment, problem_id=one.id)
        if self.by_area:
            # What stands on a paper is its organisation's, whoever has the problem by now.
            self.keep(NoticeItem(notice_id=own.notice.id, problem_id=one.id))

    def shops(self):
        own = self.own
        shop = self.like(
            Shopfront, own.shop, code="s-beyond", geometry=self.at["geometry"], **self.place, **self.body
        )
        self.like(Pledge, own.pledge, shop_id=shop.id, attachment_id=None)
        for _ in range(3):
            self.like(Offence, own.offence, shop_id=shop.id, problem_id=None)

    def people(self):
        """A person of the other organisation, and a role abroad for one of the reader's own."""
        self.keep(Person(name="界外人", phone="13900009999", organisation_id=self.foreign.body.id))
        role = {"role": Role.GRID_WORKER, "organisation_id": self.foreign.body.id}
        for login in self.session.scalars(select(Login).where(Login.person_id == self.own.other.id)):
            self.keep(Grant(login_id=login.id, **role))
        self.keep(Organisation(name="界外单位", kind="squad", area_id=self.foreign.area.id))

    def walked(self):
        self.keep(
            Track(
                **self.holder,
                area_id=self.place["area_id"],
                actor="别人",
                profile="foot",
                source="gpx",
                began_at=self.now - timedelta(hours=2),
                ended_at=self.now - timedelta(hours=1),
                received_at=self.now,
                fixes=2,
                recorded_m=900.0,
                walked_m=800.0,
                points=b"",
                points_sha256="0" * 64,
            )
        )

    def ground(self):
        """More places in the other area, some held by the reader's own people."""
        own, foreign, since = self.own, self.foreign, {"valid_from": date(2026, 1, 1)}
        self.like(Area, foreign.area, code="310101999", name="界外社区")
        cell = self.like(GridCell, foreign.cell, code="c-beyond", name="界外网格")
        self.like(InspectionPoint, foreign.point, code="p-beyond", name="界外菜场")
        self.like(PriorityRoad, foreign.road, code="r-beyond", name="界外大街")
        holder = {"role": Holds.GRID_WORKER, "person_id": own.person.id}
        times = {"opens_at": self.now, "closes_at": self.now, "at": self.now, "day": self.now.date()}
        plan = self.keep(
            PatrolPlan(
                area_id=foreign.area.id,
                profile=Profile.FOOT,
                seed=1,
                searched_s=1,
                unfitted=[],
                actor="别人",
                **times,
            )
        )
        self.keep(
            PatrolRoute(
                plan_id=plan.id,
                person_id=own.person.id,
                leaves_at=self.now,
                returns_at=self.now,
                metres=900,
                geometry="SRID=4326;LINESTRING(121.411 31.201, 121.412 31.202)",
            )
        )
        self.keep(Responsibility(cell_id=cell.id, **holder, **since))
        self.keep(Responsibility(point_id=foreign.point.id, **holder, **since))


MADE_ANEW = re.compile(
    r"""nonce(-|=")[\w-]+ | csrf[-_]token"[^>]+ | "csrf":\ "[^"]+" | \w{3},\ \d\d\ \w{3}\ \d{4}\ [\d:]{8}\ GMT
    | name="(seed|uid)"[^>]*\ value="[^"]+" | /shops/[\w-]{36}/edit | <dcterms:\w+[^>]*>[^<]+ | ^\d+$""",
    re.VERBOSE | re.MULTILINE,
)
"""What stands in an answer by chance: nonces, tokens, new uids and seeds, when a file was made, lengths."""
CHOICE = re.compile(r"<option value=\"[\w-]+\" ?>界外单位</option>")
"""Any organisation of the city can be asked to a joint operation."""


def said_to(client, side):
    """Ask everything about one side; what each answer says, but for what is made anew each time."""
    said = {question: MADE_ANEW.sub("", texts(answer)) for question, answer in asked(client, side)}
    joint = {question: CHOICE.sub("", text) for question, text in said.items() if "/joint" in question}
    return said | joint


@pytest.mark.parametrize("reader", ["manager", "lead"])
def test_what_happens_out_of_sight_changes_no_answer(reader, app, sign_in, sides, monkeypatch):
    role, where = READERS[reader]
    client = sign_in(role, **grant_of(sides.own, where))
    moment = sides.own.now + timedelta(seconds=30)
    still = type("still", (datetime,), {"now": classmethod(lambda cls, zone=None: moment.astimezone(zone))})
    monkeypatch.setattr("web.installation.datetime", still)
    columns = {"column": [name for name in COLUMNS if not name.startswith("photo")]}
    client.get("/sign-in")
    client.post("/ledger/export", data=columns).close()  # the choice of columns is remembered
    before = said_to(client, sides.own)
    with writing(app.extensions["gridmap"].engine) as session:
        Beyond(session, sides, where).add()
    after = said_to(client, sides.own)
    assert len(before) > 100
    differs = {}
    for question in before:
        lines = zip(before[question].splitlines(), after[question].splitlines(), strict=False)
        if before[question] != after[question]:
            differs[question] = [pair for pair in lines if pair[0] != pair[1]][:3]
    assert not differs, dumps(differs, ensure_ascii=False, indent=1)
