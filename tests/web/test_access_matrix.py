"""Every route of the application as every role, from inside and from outside its limits."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from geodata.travel import Profile
from gridmap.deadlines.models import (
    Accountability,
    EscalationStep,
    Notice,
    NoticeItem,
    NoticeKind,
    StepKind,
    TimeLimit,
)
from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment, AttachmentState, MediaKind, Stage
from gridmap.imports.models import Import
from gridmap.joint.models import JointOperation, JointParticipant, JointProblem
from gridmap.look_back.models import CheckTask, LookBackSample
from gridmap.patrols.models import PatrolPlan, PatrolRoute
from gridmap.people.logins import create_login
from gridmap.people.models import Credential, CredentialKind, Person
from gridmap.people.permissions import ROLE_PERMISSIONS, Permission, Role
from gridmap.problems.models import State, TimeUnit
from gridmap.residents.models import ApiKey, ResidentNote, Said
from gridmap.shops.models import Offence, OffencePhoto, Pledge, Shopfront, Step
from gridmap.store.clock import next_change
from gridmap.store.engine import writing
from web.access import needs_of

from .access_table import OPEN, ROUTES, SIGNED_IN, WHERE
from .api.conftest import make_problem, make_town
from .conftest import PASSWORD

UNDECIDED = {"static"}
OUT_OF_SIGHT = {"other area": {"place", "problem"}, "other organisation": {"problem"}}
"""From where which sort of thing cannot be seen: the ground is everybody's, as far as the area goes; what
belongs to an organisation is not."""
SORT = {
    "area": "place",
    "cell": "place",
    "point": "place",
    "road": "place",
    "shop": "problem",
    "attachment": "problem",
    "operation": "problem",
    "notice": "problem",
    "person": "problem",
    "sample": "problem",
    "closed": "problem",
    "accountability": "problem",
    "note": "problem",
    "plan": "place",
    "plan to go": "place",
    "place": "place",
    "problem": "problem",
    "number": "problem",
}
TAKEN_FOR_GRANTED = {"HEAD", "OPTIONS"}


# Whether a store lets somebody in does not depend on the role: two of them, limited to an area and to an
# organisation, walk PostGIS as well.
WALKS = [
    *(("spatialite", role) for role in Role),
    *(
        pytest.param("postgis", role, marks=pytest.mark.postgis)
        for role in (Role.AREA_MANAGER, Role.ORGANISATION_LEAD)
    ),
]


@pytest.fixture
def town(app):
    """Prepare a town of few problems: what lists show of many is looked at elsewhere."""
    return make_town(app, 12)


def methods_of(app):
    return {
        f"{method} {rule.rule}": rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in UNDECIDED
        for method in rule.methods - TAKEN_FOR_GRANTED
    }


def test_every_route_has_a_line_that_says_what_the_route_declares(app):
    found = methods_of(app)
    assert sorted(set(found) - set(ROUTES)) == [], "new routes: give each a line in tests/web/access_table.py"
    assert sorted(set(ROUTES) - set(found)) == [], "these routes are gone"
    declared = {name: needs_of(app.view_functions[rule.endpoint]) for name, rule in found.items()}
    assert {name: line.needs for name, line in ROUTES.items()} == declared


def make_plan(session, town):
    """A patrol plan of the first community, with a round of one of its workers."""
    plan = PatrolPlan(
        area_id=town.communities[0].id,
        day=town.now.date(),
        opens_at=town.now,
        closes_at=town.now,
        profile=Profile.FOOT,
        seed=1,
        searched_s=1,
        unfitted=[],
        actor="测试",
        at=town.now,
    )
    session.add(plan)
    session.flush()
    session.add(
        PatrolRoute(
            plan_id=plan.id,
            person_id=town.workers[0].id,
            leaves_at=town.now,
            returns_at=town.now,
            metres=900,
            geometry="SRID=4326;LINESTRING(121.401 31.201, 121.402 31.202)",
        )
    )
    session.flush()
    return plan


def make_things(app, town):
    """One thing of every kind, of the first community and of its squad; by what stands in an address."""
    with writing(app.extensions["gridmap"].engine) as session:
        made, closed = (
            make_problem(session, town, town.rng, next_change(session), now=town.now) for _ in range(2)
        )
        made.state, closed.state = State.RECORDED, State.CLOSED
        for one in (made, closed):
            one.area_id, one.cell_id = town.communities[0].id, town.cells[0].id
            one.organisation_id, one.person_id = town.squads[0].id, town.workers[0].id
        shop = Shopfront(
            code=str(made.id),
            name="便民超市",
            area_id=town.communities[0].id,
            organisation_id=town.squads[0].id,
            geometry="SRID=4326;POINT(121.401 31.201)",
        )
        session.add(shop)
        photo = b"not a picture, but a file"
        sha256 = hashlib.sha256(photo).hexdigest()
        attachment = Attachment(
            problem_id=made.id,
            stage=Stage.FOUND,
            kind=MediaKind.PHOTO,
            state=AttachmentState.READY,
            media_type="image/jpeg",
            size=len(photo),
            sha256=sha256,
            shown_type="image/jpeg",
            shown_sha256=sha256,
            thumbnail_sha256=sha256,
            uploaded_by="测试",
            created_at=town.now,
        )
        operation = JointOperation(
            name="联合整治",
            area_id=town.communities[0].id,
            organisation_id=town.squads[0].id,
            starts_at=town.now,
            actor="测试",
            at=town.now,
        )
        notice = Notice(
            kind=NoticeKind.RECTIFICATION,
            year=2026,
            number=made.id,
            organisation_id=town.squads[0].id,
            issued_at=town.now,
            issued_by="测试",
        )
        session.add_all([attachment, operation, notice])
        sample = LookBackSample(
            seed=1,
            size=1,
            closed_from=town.now,
            closed_until=town.now,
            candidates=1,
            due_at=town.now,
            actor="测试",
            at=town.now,
        )
        scan = Attachment(
            stage=Stage.PLEDGE,
            kind=MediaKind.PHOTO,
            media_type="image/jpeg",
            size=len(photo),
            sha256=sha256,
            shown_type="image/jpeg",
            shown_sha256=sha256,
            uploaded_by="测试",
            created_at=town.now,
        )
        proof = Attachment(
            stage=Stage.OFFENCE,
            kind=MediaKind.PHOTO,
            media_type="image/jpeg",
            size=len(photo),
            sha256=sha256,
            shown_type="image/jpeg",
            shown_sha256=sha256,
            uploaded_by="测试",
            created_at=town.now,
        )
        offence = Offence(
            category_id=made.category_id,
            at=town.now,
            recorded_at=town.now,
            step=Step.TOLD,
            expected=Step.TOLD,
            lon=121.401,
            lat=31.201,
            actor="测试",
        )
        entry = Accountability(
            problem_id=made.id,
            organisation_id=town.squads[0].id,
            due_at=town.now,
            entered_at=town.now,
        )
        note = ResidentNote(problem_id=made.id, said=Said.REMARK, text="还在", at=town.now)
        key = ApiKey(name="12345", key_hash=f"{made.id:064}", made_by="测试", made_at=town.now)
        step = EscalationStep(
            position=made.id, kind=StepKind.REMIND, wait=1, unit=TimeUnit.WORKING_HOUR, enabled=False
        )
        limit = TimeLimit(
            position=made.id,
            category_id=made.category_id,
            time_allowed=4,
            time_unit=TimeUnit.WORKING_HOUR,
        )
        session.add_all([sample, scan, proof, entry, note, key, step, limit])
        session.flush()
        offence.shop_id = shop.id
        pledge = Pledge(
            shop_id=shop.id,
            signed_on=town.now.date(),
            signed_by="店主",
            attachment_id=scan.id,
            actor="测试",
            recorded_at=town.now,
        )
        check = CheckTask(sample_id=sample.id, problem_id=closed.id, due_at=town.now)
        session.add_all([offence, pledge, check])
        session.flush()
        session.add_all(
            [
                JointParticipant(operation_id=operation.id, organisation_id=town.squads[0].id),
                JointProblem(operation_id=operation.id, problem_id=made.id),
                NoticeItem(notice_id=notice.id, problem_id=made.id),
                OffencePhoto(offence_id=offence.id, attachment_id=proof.id),
            ]
        )
        file = Vault(app.extensions["gridmap"].settings.data_dir).path(sha256)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo)
        login = create_login(
            session,
            person=session.get_one(Person, town.workers[0].id),
            username=f"worker {made.id}",
            password=PASSWORD,
            role=Role.GRID_WORKER,
            area_id=town.communities[0].id,
            organisation_id=town.squads[0].id,
        )
        session.flush()
        owner, plans = login.id, [make_plan(session, town) for _ in range(2)]
        credential = Credential(
            login_id=owner,
            kind=CredentialKind.SESSION,
            secret_hash=hashlib.sha256(str(made.id).encode()).digest(),
            renewed_at=town.now,
            session_epoch=0,
            rights_epoch=0,
            begun_at=town.now,
            expires_at=town.now + timedelta(days=1),
        )
        brought = Import(
            kind="problems",
            file_name="别人.csv",
            sha256="0" * 64,
            options={},
            counts={},
            actor="测试",
            login_id=owner,
            applied_at=town.now,
        )
        session.add_all([credential, brought])
        session.flush()
        route = session.scalars(select(PatrolRoute.uid).where(PatrolRoute.plan_id == plans[0].id)).one()
    return {
        "plan": plans[0].uid,
        "plan to go": plans[1].uid,
        "route": str(route),
        "another's session": credential.uid,
        "another's import": brought.uid,
        "another's job": uuid.UUID(
            app.extensions["gridmap"].jobs.start("test", lambda _: {}, owner=owner).uid
        ),
        "area": town.communities[0].uid,
        "cell": town.cells[0].uid,
        "point": town.point.uid,
        "road": town.road.uid,
        "problem": made.uid,
        "number": made.id,
        "shop": shop.uid,
        "attachment": attachment.uid,
        "operation": operation.uid,
        "notice": notice.uid,
        "entry": 1,
        "no number": 987_654_321,
        "person": town.workers[0].uid,
        "login": str(login.uid),
        "offence": str(offence.uid),
        "pledge": str(pledge.uid),
        "photo": str(proof.uid),
        "sample": sample.uid,
        "closed": closed.uid,
        "accountability": entry.uid,
        "note": note.uid,
        "key": key.uid,
        "step": step.uid,
        "limit": limit.uid,
        "action": "release",
        "nothing": uuid.uuid4(),
        "another": uuid.uuid4(),
    }


def address(name, line, things):
    path = name.partition(" ")[2].replace("<any(xml, json):suffix>", "json")
    path = path.replace("<int(max=15):z>", "<z>").replace("<int:x>", "<x>").replace("<int:y>", "<y>")
    for part, value in {"<z>": "13", "<x>": "6858", "<y>": "3350"}.items():
        path = path.replace(part, value)
    for part in ("login", "action", "offence", "pledge", "photo", "route"):
        path = re.sub(rf"<(\w+:)?{part}>", things[part], path)
    return re.sub(r"<[^>]+>", str(things.get(line.of)), path)


def ask(client, name, line, things):
    body = line.json
    if isinstance(body, dict) and "uid" in body:
        body = body | {"uid": str(uuid.uuid4())}
    elif (
        body is None
        and line.form is None
        and line.headers is None
        and name.startswith(("POST /api/", "PUT /api/", "PATCH /api/"))
    ):
        body = {}
    answer = client.open(
        address(name, line, things),
        method=name.partition(" ")[0],
        query_string=line.query,
        json=body,
        data=line.form,
        headers=line.headers,
    )
    # A file that is answered with stays open until then.
    answer.close()
    return kind_of(answer)


def kind_of(answer):
    if answer.status_code == 401 or answer.headers.get("Location", "").startswith("/sign-in?next="):
        return "sign in"
    if answer.status_code in {403, 404}:
        return {403: "refused", 404: "hidden"}[answer.status_code]
    assert answer.status_code < 500, answer.text
    return "allowed"


def expected(line, role, where):
    if line.needs not in {OPEN, SIGNED_IN}:
        if line.needs not in ROLE_PERMISSIONS[role]:
            return "refused"
        if line.everywhere and where != "everywhere":
            return "refused"
    if where in line.but:
        return line.but[where]
    status = 200
    if line.of in {"nothing", "no number"} or (line.of or "").startswith("another's"):
        status = 404
    elif SORT.get(line.of) in OUT_OF_SIGHT.get(where, set()):
        status = line.outside
    elif line.then is not None and line.then not in ROLE_PERMISSIONS[role]:
        status = line.lacking
    return {200: "allowed", 403: "refused", 404: "hidden"}[status]


def limits(town, where):
    east, west = town.communities
    return {
        "everywhere": {},
        "own area": {"area_id": east.id},
        "other area": {"area_id": west.id},
        "own organisation": {"organisation_id": town.squads[0].id},
        "other organisation": {"organisation_id": town.squads[1].id},
    }[where]


# What ends the session, or a sign-in that fails on purpose, is looked at elsewhere.
APART = {"POST /sign-out", "POST /sign-in"}


@pytest.mark.parametrize(("store_url", "role"), WALKS, indirect=["store_url"])
def test_every_route_as(role, app, sign_in, town):
    wrong = []
    for where in WHERE:
        # Others may have closed or changed the earlier ones.
        things = make_things(app, town)
        client = sign_in(role, **limits(town, where))
        for name, line in ROUTES.items():
            if name in APART:
                continue
            found, due = ask(client, name, line, things), expected(line, role, where)
            if found != due:
                wrong.append(f"{name}, {role.value}, {where}: expected {due}, found {found}")
    assert not wrong, "\n".join(wrong)


def test_every_route_without_a_login(app, town):
    things, client, wrong = make_things(app, town), app.test_client(), []
    for name, line in ROUTES.items():
        found = ask(client, name, line, things)
        due = expected(line, Role.PUBLIC, "everywhere") if line.needs == OPEN else "sign in"
        if name in APART:
            due = found  # nothing to protect: it is how one comes in and goes out
        if found != due:
            wrong.append(f"{name}: expected {due}, found {found}")
    assert not wrong, "\n".join(wrong)


def test_the_table_uses_every_permission_that_a_route_names(app):
    named = {needs_of(app.view_functions[rule.endpoint]) for rule in methods_of(app).values()}
    assert {one for one in named if isinstance(one, Permission)} == {
        line.needs for line in ROUTES.values() if isinstance(line.needs, Permission)
    }
