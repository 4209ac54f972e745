"""Rounds of the demo: walked on its streets, matched like every other track, and nowhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gridmap.config import Settings
from gridmap.demo.build import build_demo
from gridmap.demo.walks import RECORDED_DAYS
from gridmap.jobs import silent
from gridmap.patrols.tracks.models import Track, TrackVisit
from gridmap.people.models import Login
from gridmap.people.permissions import Actor
from gridmap.places.models import GridCell
from gridmap.store.engine import reading, writing


@pytest.fixture
def tracks(engine, tmp_path, now):
    with writing(engine) as session:
        demo = build_demo(
            session,
            Actor.owner(),
            cells=30,
            problems=50,
            seed=7,
            now=now,
            settings=Settings(data_dir=tmp_path),
            progress=silent,
        )
    with reading(engine) as session:
        found = session.scalars(select(Track).order_by(Track.id)).all()
        assert len(found) == demo.counts["tracks"] > 3
        yield session, found


def test_rounds_are_recorded_with_noise_and_gaps_and_matched(tracks, now):
    session, found = tracks
    assert all(now - timedelta(days=RECORDED_DAYS + 2) < one.began_at < one.ended_at < now for one in found)
    walked = sum(one.walked_m for one in found)
    recorded = sum(one.recorded_m for one in found)
    assert walked > 0.75 * recorded > 5000
    assert sum(one.gaps for one in found) > 0
    assert sum(one.unused for one in found) > 0
    assert len({one.person_id for one in found}) > 3
    visits = select(func.count(TrackVisit.id)).group_by(TrackVisit.track_id)
    assert len(session.scalars(visits).all()) == len(found)


def test_a_cell_is_lately_patrolled_only_where_somebody_walked(tracks, now):
    session, found = tracks
    since = now - timedelta(days=RECORDED_DAYS + 2)
    times = session.scalars(select(GridCell.last_patrol_at)).all()
    lately = [at for at in times if at is not None and at > since]
    assert 0 < len(lately) < len(times)
    assert all(any(one.began_at <= at <= one.ended_at for one in found) for at in lately)
    # Those who can sign in see rounds of their own.
    logins = set(session.scalars(select(Login.person_id)))
    assert logins & {one.person_id for one in found}
