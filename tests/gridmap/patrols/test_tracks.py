from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from sqlalchemy import func, select

from geodata.coordinate_system import CoordinateSystem
from geodata.datum import from_wgs84
from geodata.travel import Profile
from gridmap.errors import ConflictError, InvalidValueError, PermissionDeniedError
from gridmap.patrols.network import Network, read_network
from gridmap.patrols.tracks.coverage import read_coverage
from gridmap.patrols.tracks.fixes import MOST_FIXES, Fixes, check_fixes
from gridmap.patrols.tracks.gpx import read_gpx
from gridmap.patrols.tracks.ground import GroundKeeper
from gridmap.patrols.tracks.models import Track, TrackVisit
from gridmap.patrols.tracks.queries import read_tracks, walkers
from gridmap.patrols.tracks.service import NewTrack, record_track, walk
from gridmap.people.models import Organisation, Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import Area, AreaLevel, GridCell, InspectionPoint, PriorityRoad, Street
from gridmap.store.bulk import insert_rows
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

NOW = datetime(2026, 5, 9, 9, 0, tzinfo=UTC)
STEP = 1e-3


def fixes(*corners: tuple[float, float], begun: datetime = NOW - timedelta(hours=2)) -> Fixes:
    """Every ten metres or so along straight lines between places of the net, a fix every eight seconds."""
    line = shapely.linestrings(np.array(corners) * STEP + (121.4, 31.2))
    count = int(line.length / STEP * 10) + 1
    points = shapely.line_interpolate_point(line, np.linspace(0, 1, count), normalized=True)
    lon, lat = shapely.get_coordinates(points).T
    return Fixes(lon, lat, begun.timestamp() + np.arange(count) * 8.0, np.full(count, 5.0))


class Town:
    """A net of five by five crossings in two cells of two communities, and two who walk there."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.keeper = GroundKeeper()
        lines, names = [], []
        for i in range(5):
            for along, name in (([(i, j) for j in range(5)], f"n{i}"), ([(j, i) for j in range(5)], f"e{i}")):
                lines.append(shapely.linestrings(np.array(along) * STEP + (121.4, 31.2)))
                names.append(name)
        with writing(engine) as session:
            insert_rows(
                session,
                Street,
                {
                    "source_ref": [f"made:{n}" for n in names],
                    "name": names,
                    "road_class": "residential",
                    "oneway": 0,
                    "geometry": lines,
                },
            )
            self.areas, self.cells, self.actors, self.people = [], [], [], []
            for number, west in enumerate((121.3995, 121.4025)):
                shape = shapely.multipolygons([shapely.box(west, 31.1995, west + 0.003, 31.2045)]).wkt
                area = Area(code=f"A{number}", name=f"社区{number}", level=AreaLevel.COMMUNITY)
                area.geometry = f"SRID=4326;{shape}"
                squad = Organisation(name=f"中队{number}")
                session.add_all([area, squad])
                session.flush()
                cell = GridCell(code=f"C{number}", name=f"网格{number}", area_id=area.id)
                cell.geometry = area.geometry
                person = Person(name=f"甲{number}", organisation_id=squad.id)
                session.add_all([cell, person])
                session.flush()
                self.areas.append(area.id)
                self.cells.append(cell.id)
                self.people.append(person.id)
                holding = Holding(Role.PATROL_MEMBER, frozenset({area.id}), frozenset({squad.id}))
                self.actors.append(Actor(f"甲{number}", (holding,), person_id=person.id))
            road = PriorityRoad(code="R", name="e0", area_id=self.areas[0])
            road.geometry = "SRID=4326;MULTILINESTRING((121.4 31.2, 121.404 31.2))"
            point = InspectionPoint(code="P", name="市场", site_type="market", area_id=self.areas[0])
            point.geometry = "SRID=4326;POINT(121.4002 31.2015)"
            session.add_all([road, point])
            session.flush()
            self.road, self.point = road.id, point.id
        with reading(engine) as session:
            self.network: Network = read_network(session)

    def send(self, who: int, track: Fixes, **more: Any) -> tuple[Track, bool]:
        new = NewTrack(
            **({"uid": uuid.uuid4(), "fixes": track, "profile": Profile.FOOT, "source": "phone"} | more)
        )
        with reading(self.engine) as session:
            ground = self.keeper.get(session, self.network, NOW.date())
        walked = walk(self.network, ground, new, now=NOW)
        with writing(self.engine) as session:
            return record_track(session, self.actors[who], new, walked, ground, now=NOW)

    def coverage(self, actor: Actor) -> Any:
        with reading(self.engine) as session:
            ground = self.keeper.get(session, self.network, NOW.date())
            return read_coverage(session, actor, ground, since=NOW - timedelta(days=90), until=NOW)


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def manager(area: int) -> Actor:
    return Actor("长", (Holding(Role.AREA_MANAGER, frozenset({area})),))


def test_a_walk_is_covered_by_street_cell_point_and_road(town: Town) -> None:
    begun = NOW - timedelta(hours=2)
    track, fresh = town.send(0, fixes((0, 0), (0, 3), (1, 3)))
    assert fresh
    assert (track.area_id, track.person_id, track.gaps) == (town.areas[0], town.people[0], 0)
    assert track.walked_m == pytest.approx(3 * 110.9 + 95.3, rel=0.06)
    seen = town.coverage(Actor.owner())
    since = (NOW - timedelta(days=1)).timestamp()
    cells = {cell.cell: cell for cell in seen.cells(since)}
    assert cells[town.cells[0]].seen_m == pytest.approx(track.walked_m, rel=0.06)
    assert cells[town.cells[1]].seen_m == 0
    assert sum(c.metres for c in cells.values()) == pytest.approx(20 * (95.3 + 110.9), rel=0.02)
    assert seen.points(since) == []
    assert [p for p, _ in seen.points(NOW.timestamp())] == [town.point]
    dead = {(one.street, one.cell) for one in seen.corners(since)}
    assert ("n1", town.cells[0]) in dead
    assert ("n0", town.cells[0]) in dead  # its northern end
    assert ("e3", town.cells[1]) in dead
    lengths = [one.metres for one in seen.corners(since)]
    assert lengths == sorted(lengths, reverse=True)
    with reading(town.engine) as session:
        patrolled = session.get_one(GridCell, town.cells[0]).last_patrol_at
        assert begun < patrolled < NOW
        assert session.get_one(GridCell, town.cells[1]).last_patrol_at is None
        assert session.get_one(PriorityRoad, town.road).last_patrol_at is None
    town.send(0, fixes((0, 0), (4, 0)))
    with reading(town.engine) as session:
        assert session.get_one(PriorityRoad, town.road).last_patrol_at is not None


def test_a_walk_leaves_the_samples_alone_and_a_new_border_does_not(town: Town) -> None:
    def ground():
        with reading(town.engine) as session:
            return town.keeper.get(session, town.network, NOW.date())

    before = ground()
    town.send(0, fixes((0, 0), (4, 0)))
    assert ground() is before
    with writing(town.engine) as session:
        session.get_one(
            GridCell, town.cells[1]
        ).geometry = "SRID=4326;MULTIPOLYGON(((121.41 31.2, 121.42 31.2, 121.42 31.21, 121.41 31.2)))"
    assert ground() is not before


def test_the_latest_walk_says_when_a_street_was_seen(town: Town) -> None:
    town.send(0, fixes((0, 2), (4, 2), begun=NOW - timedelta(days=20)))
    town.send(1, fixes((2, 2), (4, 2), begun=NOW - timedelta(days=2)))
    town.send(0, fixes((3, 2), (4, 2), begun=NOW - timedelta(days=40)))
    seen = town.coverage(Actor.owner())
    ages = seen.age(NOW.timestamp())
    graph = town.network.graph
    along = graph.name[seen.ground.street] == "e2"
    east = along & (seen.ground.lon > 121.4023)
    west = along & (seen.ground.lon > 121.4003) & (seen.ground.lon < 121.4017)
    assert set(ages[east & (seen.ground.lon < 121.4037)].tolist()) == {1}
    assert set(ages[west].tolist()) == {19}
    assert set(ages[graph.name[seen.ground.street] == "n0"][5:].tolist()) == {-1}
    # An edge is as stale as its stalest part.
    edges = (NOW.timestamp() - seen.edges()) // 86_400
    e2 = np.flatnonzero(graph.name[graph.street] == "e2")
    assert edges[e2].tolist() == [19.0, 19.0, 1.0, 1.0]


def test_a_track_sent_twice_is_one_and_nobody_takes_anothers_place(town: Town) -> None:
    uid = uuid.uuid4()
    first, fresh = town.send(0, fixes((0, 0), (0, 3)), uid=uid)
    again, doubled = town.send(0, fixes((0, 0), (0, 3)), uid=uid)
    assert (fresh, doubled, again.id) == (True, False, first.id)
    with pytest.raises(ConflictError):
        town.send(1, fixes((0, 0), (0, 3)), uid=uid)
    with reading(town.engine) as session:
        assert session.scalar(select(func.count()).select_from(Track)) == 1
        visits = session.scalar(select(func.count()).select_from(TrackVisit))
        stored = Fixes.unpack(session.scalars(select(Track.points)).one())
    assert visits
    assert len(stored) == first.fixes


def test_one_sees_ones_own_tracks_and_those_of_ones_areas(town: Town) -> None:
    town.send(0, fixes((0, 0), (0, 3)))
    town.send(1, fixes((4, 0), (4, 3)))
    day = {"begin": NOW - timedelta(days=1), "end": NOW}

    def seen(actor: Actor) -> list[str]:
        with reading(town.engine) as session:
            return sorted(track.actor for track in read_tracks(session, actor, **day))

    assert seen(Actor.owner()) == ["甲0", "甲1"]
    assert seen(town.actors[0]) == ["甲0"]
    assert seen(manager(town.areas[1])) == ["甲1"]
    squad = Actor("队长", (Holding(Role.ORGANISATION_LEAD, None, frozenset({-5})),))
    assert seen(squad) == []
    with reading(town.engine) as session:
        ids = session.scalars(select(Track.id)).all()
        assert {name for _, name in walkers(session, manager(town.areas[0]), ids).values()} == {"甲0"}
    mine = town.coverage(manager(town.areas[0]))
    assert [cell.cell for cell in mine.cells(0.0)] == [town.cells[0]]
    assert {one.cell for one in mine.corners(NOW.timestamp())} == {town.cells[0]}
    assert town.coverage(manager(town.areas[1])).points(NOW.timestamp()) == []
    for actor in (town.actors[0], Actor("看", (Holding(Role.READ_ONLY),))):
        with pytest.raises(PermissionDeniedError):
            town.coverage(actor)


def changed(track: Fixes, **columns: Any) -> Fixes:
    return Fixes(**({n: getattr(track, n) for n in ("lon", "lat", "seconds", "accuracy_m")} | columns))


WALK = fixes((0, 0), (0, 3))


@pytest.mark.parametrize(
    ("track", "said"),
    [
        (changed(WALK, seconds=WALK.seconds[::-1]), "Times run backwards in 30 places: point 1"),
        (changed(WALK, seconds=WALK.seconds + 1e6), "Expected times that have passed"),
        (changed(WALK, seconds=WALK.seconds * 1000), "Expected seconds since 1970"),
        (changed(WALK, lon=WALK.lat * 10), "Expected longitude and latitude in degrees"),
        (changed(WALK, seconds=WALK.seconds - np.linspace(1e6, 0, len(WALK))), "of 3 days at most"),
        (Fixes(*(np.zeros(1),) * 4), "found 1"),
        (Fixes(*(np.zeros(10**6),) * 4), f"from 2 to {MOST_FIXES} points in a track; found 1000000"),
    ],
)
def test_what_cannot_be_a_track_is_refused_with_what_was_found(track: Fixes, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        check_fixes(track, now=NOW)


def test_a_track_of_another_place_or_datum_is_refused_and_nothing_written(town: Town) -> None:
    lon, lat = from_wgs84(WALK.lon, WALK.lat, CoordinateSystem.parse("gcj02"))
    shifted = changed(WALK, lon=np.asarray(lon), lat=np.asarray(lat))
    with pytest.raises(InvalidValueError, match="m as GCJ02: state the datum"):
        town.send(0, shifted)
    with pytest.raises(InvalidValueError, match=r"lies .* km from the streets"):
        town.send(0, changed(WALK, lat=WALK.lat - 3))
    with pytest.raises(InvalidValueError, match="Expected one of wgs84"):
        town.send(0, WALK, datum="mars")
    with reading(town.engine) as session:
        assert session.scalar(select(func.count()).select_from(Track)) == 0
    track, _ = town.send(0, shifted, datum="gcj02")
    assert track.walked_m == pytest.approx(3 * 110.9, rel=0.06)


def gpx(points: str) -> bytes:
    head = '<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">'
    return f"{head}<trk><trkseg>{points}</trkseg></trk></gpx>".encode()


def test_gpx_files_are_read_with_times_and_accuracy() -> None:
    read = read_gpx(
        gpx(
            '<trkpt lat="31.2" lon="121.4"><time>2026-05-09T01:00:00Z</time><hdop>2.5</hdop></trkpt>'
            '<trkpt lat="31.201" lon="121.4"><time>2026-05-09T09:00:10+08:00</time></trkpt>'
        )
    )
    assert read.lat.tolist() == [31.2, 31.201]
    assert np.diff(read.seconds).tolist() == [10.0]
    assert read.time(0) == datetime(2026, 5, 9, 1, tzinfo=UTC)
    assert read.accuracy_m[0] == 10.0
    assert np.isnan(read.accuracy_m[1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no xml", "found something else"),
        (gpx(""), "found none"),
        (gpx('<trkpt lat="31.2" lon="121.4"/>'), "point 1 has none"),
        (gpx('<trkpt lat="31.2" lon="121.4"/>' * (MOST_FIXES + 1)), f"found {MOST_FIXES + 1}"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + gpx(""), "document type"),
    ],
)
def test_what_is_no_gpx_track_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        read_gpx(content)
