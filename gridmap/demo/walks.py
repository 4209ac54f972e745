"""What was walked: some of the rounds of the last days, as phones would have recorded them.

The ways are along the district's own streets; a receiver's errors drift, some fixes are poor and some minutes
are missing. What they cover is for the matcher to say, as with every other track.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from geodata.travel import Profile
from gridmap.patrols.network import read_network
from gridmap.patrols.tracks.fixes import Fixes
from gridmap.patrols.tracks.ground import GroundKeeper
from gridmap.patrols.tracks.service import NewTrack, record_track, walk
from gridmap.people.models import Login, Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.places.models import GridCell, Responsibility, ResponsibilityRole
from gridmap.store.extract import read_sorted

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from numpy.random import Generator
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.street_router import Router

__all__ = ["RECORDED_DAYS", "walk_rounds"]

RECORDED_DAYS = 10
"""For so long tracks have been recorded."""
_MOST, _CELLS_FOR_ONE = 18, 3
_STOPS, _REACH_M = 7, 450.0
_SPEED_M, _EVERY_S = 1.15, 12
_DRIFT, _ERROR_M = 0.9, 4.0
_POOR, _GAP = 0.02, 0.6
_SHIFTS = (time(8, 10), time(14, 20), time(19, 5))


@dataclass(frozen=True, slots=True, eq=False)
class _Beat:
    """Where rounds begin: cells with who walks them."""

    person: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]


def walk_rounds(session: Session, *, now: datetime, seed: int, zone: ZoneInfo) -> int:
    """Record rounds of the last days in the demo district, and return how many.

    Parameters
    ----------
    session
        Of the writing transaction in which the district was built.
    now
        All of them end before.
    seed
        The same seed walks the same rounds.
    zone
        In which the shifts are meant.
    """
    beat = _beat(session)
    if not len(beat.person):
        return 0
    random = np.random.default_rng([seed, 17])
    network = read_network(session)
    ground = GroundKeeper().get(session, network, now.astimezone(zone).date())
    count = min(_MOST, max(2, len(beat.person) // _CELLS_FOR_ONE))
    # Those who can sign in have walked too, and see it.
    own = np.flatnonzero(np.isin(beat.person, session.scalars(select(Login.person_id)).all()))
    starts = np.r_[own[:2], random.permutation(len(beat.person))][:count]
    names = dict(session.execute(select(Person.id, Person.name)).all())
    recorded = 0
    for n, start in enumerate(starts.tolist()):
        began = _begin(now, zone, n, count, random)
        fixes = _recorded(network.router(Profile.FOOT), beat, start, began, random)
        if fixes is None:
            continue
        new = NewTrack(uuid.UUID(bytes=random.bytes(16), version=4), fixes, Profile.FOOT, "phone")
        person = int(beat.person[start])
        actor = Actor(name=names[person], holdings=(Holding(Role.GRID_WORKER, None, None),), person_id=person)
        walked = walk(network, ground, new, now=now)
        record_track(session, actor, new, walked, ground, now=fixes.time(-1) + timedelta(minutes=3))
        recorded += 1
    return recorded


def _beat(session: Session) -> _Beat:
    cells = read_sorted(session, select(GridCell.id, GridCell.geometry), GridCell.id)
    holders = dict(
        session.execute(
            select(Responsibility.cell_id, Responsibility.person_id).where(
                Responsibility.role == ResponsibilityRole.GRID_WORKER,
                Responsibility.cell_id.is_not(None),
                Responsibility.person_id.is_not(None),
            )
        ).all()
    )
    person = np.array([holders.get(cell) or 0 for cell in cells["id"].tolist()], dtype=np.int64)
    middle = shapely.get_coordinates(shapely.point_on_surface(cells["geometry"])).reshape(-1, 2)
    held = np.flatnonzero(person)
    return _Beat(person[held], middle[held, 0], middle[held, 1])


def _begin(now: datetime, zone: ZoneInfo, n: int, count: int, random: Generator) -> datetime:
    """When a round begins: each on one of the days, in one of the shifts, long enough before now."""
    day = (now - timedelta(hours=14) - timedelta(days=RECORDED_DAYS * n / count)).astimezone(zone).date()
    shift = _SHIFTS[int(random.integers(len(_SHIFTS)))]
    begins = datetime.combine(day, shift, zone) + timedelta(minutes=int(random.integers(0, 25)))
    while begins > now - timedelta(hours=4):
        begins -= timedelta(days=1)
    return begins.astimezone(UTC)


def _recorded(router: Router, beat: _Beat, start: int, began: datetime, random: Generator) -> Fixes | None:
    """Fixes of a round from a cell to places around it; None where no street is near."""
    project = router.graph.projection
    x, y = project.forward_xy(beat.lon[start], beat.lat[start])
    around = np.array([float(x), float(y)]) + random.uniform(-_REACH_M, _REACH_M, (_STOPS, 2))
    # Round about, as somebody walks a beat.
    around = around[np.argsort(np.arctan2(around[:, 1] - y, around[:, 0] - x))]
    lon, lat = project.inverse_xy(*np.vstack([[[float(x), float(y)]], around]).T)
    snapped = router.snap(lon, lat)
    good = [n for n in range(len(lon)) if n not in snapped.faults()]
    legs = [router.path(snapped, snapped, a, b) for a, b in pairwise(good)]
    line = np.concatenate([shapely.get_coordinates(leg.line) for leg in legs] or [np.zeros((0, 2))])
    if len(line) < 2:
        return None
    way = np.column_stack(project.forward_xy(*line.T))
    along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(way, axis=0).T))]
    seconds = np.arange(0.0, along[-1] / _SPEED_M, _EVERY_S)
    # Nobody walks evenly: they look, talk and note something.
    pace = np.cumsum(random.gamma(2.0, 0.5, len(seconds)))
    metres = along[-1] * pace / pace[-1]
    at = np.column_stack([np.interp(metres, along, way[:, 0]), np.interp(metres, along, way[:, 1])])
    accuracy = np.clip(random.normal(7.0, 2.5, len(at)), 3.0, 25.0)
    poor = random.random(len(at)) < _POOR
    accuracy[poor] = random.uniform(60.0, 140.0, int(poor.sum()))
    noise = random.normal(0.0, _ERROR_M, at.shape)
    for n in range(1, len(noise)):
        noise[n] = _DRIFT * noise[n - 1] + np.sqrt(1 - _DRIFT**2) * noise[n]
    noise[poor] *= 8.0
    kept = np.ones(len(at), dtype=bool)
    if random.random() < _GAP and len(at) > 60:
        first = int(random.integers(20, len(at) - 30))
        kept[first : first + int(random.integers(12, 28))] = False
    lon, lat = project.inverse_xy(*(at + noise)[kept].T)
    moments = began.timestamp() + seconds[kept]
    return Fixes(np.round(lon, 6), np.round(lat, 6), moments, accuracy[kept])
