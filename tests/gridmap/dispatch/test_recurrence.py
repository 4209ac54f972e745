"""What comes back at the same place after closing is linked and counted; one by one and in bulk alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import select

from gridmap.jobs import silent
from gridmap.people.permissions import Actor, Permission
from gridmap.problems.bulk import insert_problems
from gridmap.problems.models import Event, LinkKind, Problem, ProblemLink, State
from gridmap.problems.recurrence import times_come_back
from gridmap.store.engine import reading, writing

WEST, SOUTH, SIDE = 121.0, 31.0, 0.01
NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
EVERYWHERE = Actor.owner().scope(Permission.PROBLEM_READ)
METRE = 1 / 954
"""Eastwards, in sides of a cell, at this latitude."""


@pytest.fixture
def close(engine):
    def _close(problem, *, days=1, state=State.CLOSED):
        with writing(engine) as session:
            kept = session.get(Problem, problem.id)
            kept.state, kept.closed_at = state, NOW - timedelta(days=days)

    return _close


def links(engine):
    with reading(engine) as session:
        return [
            (link.problem_id, link.other_id, link.kind)
            for link in session.scalars(select(ProblemLink).order_by(ProblemLink.problem_id))
        ]


def recurred(engine, *problems):
    with reading(engine) as session:
        return [session.get(Problem, problem.id).recurrence for problem in problems]


def test_back_at_the_same_place(engine, record, close):
    first = record(0.5, found_at=NOW - timedelta(days=9))
    close(first)
    second = record(0.5 + 20 * METRE)
    assert links(engine) == [(second.id, first.id, LinkKind.RECURRENCE)]
    assert recurred(engine, first, second) == [False, True]
    with reading(engine) as session:
        line = session.scalars(select(Event).where(Event.problem_id == second.id).order_by(Event.id)).first()
        assert line.details == {"came_back_after": str(first.uid)}


@pytest.mark.parametrize(
    "case",
    [
        (0.5 + 40 * METRE, "0101", 1, State.CLOSED),
        (0.5, "0102", 1, State.CLOSED),
        (0.5, "0101", 91, State.CLOSED),
        (0.5, "0101", 1, State.REJECTED),
        (0.5, "0101", 1, State.FIXED),
    ],
    ids=["too far", "another kind", "too long ago", "rejected", "still open"],
)
def test_what_has_not_come_back(engine, record, close, case):
    place, category, days, state = case
    close(record(0.5, found_at=NOW - timedelta(days=99)), days=days, state=state)
    again = record(place, category=category)
    assert links(engine) == []
    assert recurred(engine, again) == [False]


def test_the_third_time_is_told(engine, record, close):
    chain = []
    for day in (30, 20, 10):
        chain.append(record(0.5, found_at=NOW - timedelta(days=day)))
        close(chain[-1], days=day - 5)
    chain.append(record(0.5))
    assert [other for _, other, _ in links(engine)] == [one.id for one in chain[:-1]]
    with reading(engine) as session:
        assert [times_come_back(session, one.id, EVERYWHERE) for one in chain] == [0, 1, 2, 3]


def test_in_bulk_after_what_is_there_and_after_each_other(engine, settings, city, record, close):
    known = record(1.5, found_at=NOW - timedelta(days=60))
    close(known, days=50)
    day = np.timedelta64(1, "D")
    moment = np.datetime64("2026-05-09T04:00", "us")
    nat = np.datetime64("NaT", "us")
    #         place, found, closed, state
    rows = [
        (1.5, moment - 40 * day, moment - 30 * day, State.CLOSED),  # after the one that is there
        (1.5, moment - 20 * day, nat, State.RECORDED),  # after the row before
        (0.5, moment - 20 * day, moment - 10 * day, State.CLOSED),  # a first one
        (0.5, moment - 15 * day, nat, State.RECORDED),  # the other is not closed yet
        (0.5, moment - 5 * day, nat, State.RECORDED),  # after the third row
        (0.5, moment - 5 * day, moment - 6 * day, State.CLOSED),  # impossible times count for nothing
    ]
    places = [shapely.Point(WEST + x * SIDE, SOUTH + SIDE / 2) for x, *_ in rows]
    with writing(engine) as session:
        ids = insert_problems(
            session,
            Actor.owner(),
            {
                "geometry": np.array(places, dtype=object),
                "category_id": np.full(len(rows), city.categories["0101"].id),
                "found_at": np.array([row[1] for row in rows]),
                "closed_at": np.array([row[2] for row in rows]),
                "state": np.array([list(State).index(row[3]) for row in rows]),
            },
            settings=settings,
            now=NOW,
            progress=silent,
        ).tolist()
    assert links(engine) == [
        (ids[0], known.id, LinkKind.RECURRENCE),
        (ids[1], ids[0], LinkKind.RECURRENCE),
        (ids[4], ids[2], LinkKind.RECURRENCE),
    ]
    with reading(engine) as session:
        assert [session.get(Problem, one).recurrence for one in ids] == [
            True,
            True,
            False,
            False,
            True,
            False,
        ]
