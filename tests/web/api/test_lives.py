"""Lives that the workflow itself has led, counted by the service and again from the event log with pandas."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import select

from gridmap.figures.formulas import COUNTS, RATES
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import Area, GridCell, Responsibility, ResponsibilityRole
from gridmap.problems.models import Category, Event, Problem, State, TimeUnit
from gridmap.problems.service import Report, record_problem
from gridmap.store.engine import reading, writing
from gridmap.workflow.service import take
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import Action

ALLOWED = 30
"""Hours, without a break: what is paused and gone on with is then plain subtraction."""
ROUNDS, EACH, STEPS = 28, 3, 6
WEIGHTS = {
    Action.CHECK: 6,
    Action.DISPATCH: 6,
    Action.FIX: 8,
    Action.VERIFY: 8,
    Action.CLOSE: 8,
    Action.SEND_BACK: 4,
    Action.RETURN: 2,
    Action.ACCEPT: 2,
    Action.REDISPATCH: 2,
    Action.SUSPEND: 2,
    Action.RESUME: 5,
    Action.EXTEND: 2,
    Action.LOOK_BACK: 2,
    Action.REOPEN: 2,
    Action.REJECT: 3,
    Action.MERGE: 1,
    Action.RESTORE: 1,
}


@pytest.fixture
def store_url(spatialite_url):
    """Return one store: both hold the same rows, as other tests show."""
    return spatialite_url


@pytest.fixture
def city(app):
    """Two cells of two organisations, with one category."""
    with writing(app.extensions["gridmap"].engine) as session:
        major = Category(code="A", name="市容环境")
        session.add(major)
        session.flush()
        session.add(
            Category(
                code="A1",
                name="占道经营",
                parent_id=major.id,
                time_allowed=ALLOWED,
                time_unit=TimeUnit.URGENT_HOUR,
            )
        )
        people = []
        for i, name in enumerate(("东", "西")):
            west = 121 + 0.1 * i
            ring = f"{west} 31,{west + 0.1} 31,{west + 0.1} 31.1,{west} 31.1,{west} 31"
            shape = f"SRID=4326;MULTIPOLYGON((({ring})))"
            area = Area(code=f"A{i}", name=f"{name}社区", level="community", geometry=shape)
            session.add(area)
            session.flush()
            person = Person(name=f"{name}工", organisation=Organisation(name=f"{name}中队", area_id=area.id))
            cell = GridCell(code=f"C{i}", name=f"{name}网格", area_id=area.id, geometry=shape)
            session.add_all([person, cell])
            session.flush()
            session.add(
                Responsibility(role=ResponsibilityRole.GRID_WORKER, person_id=person.id, cell_id=cell.id)
            )
            people.append((person.id, str(person.organisation.uid)))
    return people


def live(app, people, now):
    """Lead the lives, up to a bit before `now`; chance and its seed decide who does what when."""
    chance = random.Random(20)  # noqa: S311 - lives, not secrets
    here = app.extensions["gridmap"]
    holds = (Holding(Role.HEADQUARTERS),)
    worker, other = (Actor(name=f"人{i}", holdings=holds, person_id=one) for i, (one, _) in enumerate(people))
    clock = now - timedelta(days=45)
    places = []
    for _ in range(ROUNDS):
        clock += timedelta(minutes=chance.randint(10, 600))
        with writing(here.engine) as session:
            for _ in range(EACH):
                # Some come up where there was one before, which is a recurrence if that one is closed.
                again = places and chance.random() < 0.4
                place = [121 + chance.random() * 0.2, 31 + chance.random() * 0.1]
                places.append(chance.choice(places) if again else place)
                report = Report(
                    uid=uuid.UUID(int=chance.getrandbits(128), version=4),
                    category="A1",
                    geometry={"type": "Point", "coordinates": places[-1]},
                    found_at=clock,
                )
                record_problem(session, other, report, settings=here.settings, now=clock)
        for action in chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS):
            clock += timedelta(minutes=chance.randint(1, 120))
            with writing(here.engine) as session:
                rows = session.execute(select(Problem.id, Problem.uid, Problem.state)).all()
                kept = [row.uid for row in rows if row.state not in {State.MERGED, State.REJECTED}]
                step = Step(
                    action=action,
                    note="说明",
                    until=clock + timedelta(days=2),
                    more=chance.randint(1, 20),
                    other=chance.choice(kept),
                )
                # One doubles another; everything else is done to many.
                size = 1 if action is Action.MERGE else max(1, len(rows) // 2)
                some = chance.sample([row.id for row in rows], k=size)
                who = worker if action is Action.FIX else other
                take(session, who, some, step, settings=here.settings, now=clock)
    assert clock < now - timedelta(minutes=2)


def log_of(app):
    """Return the event log as a data frame, and where each problem lies."""
    with reading(app.extensions["gridmap"].engine) as session:
        lines = session.execute(
            select(
                Event.id, Event.problem_id, Event.kind, Event.at, Event.action, Event.state, Event.details
            ).order_by(Event.id)
        ).all()
        places = {row[0]: row[1:] for row in session.execute(select(Problem.id, Problem.lon, Problem.lat))}
    log = pd.DataFrame(
        [
            (line.problem_id, str(line.kind), line.at, line.action or "", line.state and line.state.value)
            for line in lines
        ],
        columns=["problem", "kind", "at", "action", "state"],
    )
    log["to"] = [(line.details or {}).get("organisation") for line in lines]
    log["more"] = [(line.details or {}).get("more") for line in lines]
    return log, places


def clock_of(steps, now):
    """Walk along one problem's steps: until when it had to be fixed, and whether it was in time."""
    since, used, allowed, due, in_time, at_work = None, timedelta(0), None, None, None, None
    for step in steps.itertuples():
        moved = isinstance(step.to, str) and step.to != at_work
        at_work = step.to if moved else at_work
        if step.action == "dispatch" or (step.action == "redispatch" and moved):
            since, used, allowed, in_time = step.at, timedelta(0), timedelta(hours=ALLOWED), None
        elif step.action == "extend":
            allowed += timedelta(hours=step.more)
        elif step.action in {"send_back", "resume"}:
            since = step.at
        if since is not None:
            due = since + (allowed - used)
        if step.action in {"fix", "return", "suspend", "close", "reject", "merge"} and since is not None:
            used, since = used + (step.at - since), None
        if step.action == "fix":
            in_time = step.at <= due
        elif step.action in {"send_back", "reopen", "restore"}:
            in_time = None
    return pd.Series({"past": due is not None and due < now, "late": in_time is False})


def recounted(log, places, now):
    """Every count of `COUNTS`, one row per problem, from nothing but the log."""
    steps = log[log["action"] != ""]
    times = pd.crosstab(steps["problem"], steps["action"])
    each = pd.DataFrame(index=log["problem"].unique()).join(times).fillna(0)
    each = each.reindex(columns=sorted({*each.columns, *(action.value for action in Action)}), fill_value=0)
    state = log.dropna(subset="state").groupby("problem")["state"].last()
    clocks = log.groupby("problem")[["at", "action", "more", "to"]].apply(clock_of, now)
    real = ~state.isin(["rejected", "merged"])
    work = state.isin(["dispatched", "accepted", "sent_back"])
    handed_back = state.isin(["fixed", "verified"])
    filed = real & (each["check"] > 0)
    counts = {
        "found": real | ~real,
        "void": ~real,
        "filed": filed,
        "dispatched": filed & (each["dispatch"] > 0),
        "fixed": handed_back | (state == "closed"),
        "due": (state == "closed") | (clocks["past"] & (work | handed_back)),
        "closed": state == "closed",
        "overdue": clocks["past"] & work,
        "open": ~state.isin(["closed", "rejected", "merged"]),
        "rework": real & (each["send_back"] > 0),
        "extended": real & (each["extend"] > 0),
        "suspended": real & (each["suspend"] > 0),
        "returned": real & (each["return"] > 0),
        "looked_back": real & (each["look_back"] + each["reopen"] > 0),
        "reopened": real & (each["reopen"] > 0),
        "recurring": real & recurring(log, places),
    }
    counts |= {
        "fixed_on_time": counts["fixed"] & ~clocks["late"],
        "on_time": counts["closed"] & ~clocks["late"],
    }
    return pd.DataFrame(counts)


def recurring(log, places):
    """Whether another one at the same place was closed when it was recorded."""
    recorded = log[log["kind"] == "recorded"].set_index("problem")["at"]
    found = {}
    for problem, at in recorded.items():
        before = log[(log["at"] < at) & (log["problem"] != problem)].dropna(subset="state")
        last = before.groupby("problem")["state"].last()
        found[problem] = any(
            state == "closed" and places[other] == places[problem] for other, state in last.items()
        )
    return pd.Series(found)


def test_figures_of_lives_are_what_the_event_log_says(app, sign_in, city):
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    live(app, city, now)
    log, places = log_of(app)
    taken = Counter(log["action"])
    assert {action.value for action in WEIGHTS} <= taken.keys(), "a step was never taken"
    each = recounted(log, places, now)
    assert all(0 < each[name].sum() < len(each) for name in COUNTS if name != "found")

    client = sign_in()
    month = {"first": (now - timedelta(days=60)).date().isoformat(), "by": "organisation", "doubtful": "1"}
    told = client.get("/api/v1/figures", query_string=month).json
    # Until it is given to somebody it is whose cell it lies in.
    at_first = pd.Series({one: city[int(lon >= 121.1)][1] for one, (lon, _) in places.items()})
    holder = log.dropna(subset="to").groupby("problem")["to"].last().reindex(each.index)
    holder = holder.fillna(at_first)
    groups = {"": each, **dict(iter(each.groupby(holder)))}
    lines = {"": told["total"], **{line["key"]: line for line in told["lines"]}}
    assert lines.keys() == groups.keys()
    for name, line in lines.items():
        counts = {count: int(value) for count, value in groups[name].sum().items()}
        assert line["counts"] == counts, name
        for rate in RATES.values():
            below = counts[rate.denominator]
            share = counts[rate.numerator] / below if below else None
            assert line["rates"][rate.name] == (share if share is None else pytest.approx(share, abs=1e-6))

    steps = log.set_index("problem")
    first = steps[steps["action"] == "dispatch"].groupby("problem")["at"].min()
    last = steps[steps["action"] == "fix"].groupby("problem")["at"].max()
    # What was sent back is not fixed, whatever it once was.
    fixed = each.index[each["fixed"].astype(bool)]
    hours = (last - first).dropna().reindex(fixed).dropna().dt.total_seconds() / 3600
    assert told["total"]["hours"]["to_fix"] == pytest.approx(hours.median(), abs=0.01)
    for figure in ("overdue", "rework", "due", "fixed_on_time"):
        listed = client.get(
            "/api/v1/figures/problems", query_string=month | {"figure": figure, "limit": 1000}
        ).json["features"]
        assert {one["properties"]["number"] for one in listed} == set(each.index[each[figure]])
