"""Taking tracks in: checked, matched to the streets, remembered with what was walked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import insert, select, update

from geodata.map_matching import Matching, match_track
from geodata.travel import Profile
from gridmap.errors import ConflictError, InvalidValueError
from gridmap.patrols.tracks.fixes import Fixes, check_fixes, check_place
from gridmap.patrols.tracks.models import Track, TrackVisit
from gridmap.people.models import Person
from gridmap.people.permissions import Permission
from gridmap.places.models import GridCell, PriorityRoad
from gridmap.store.claim import claim

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.patrols.network import Network
    from gridmap.patrols.tracks.ground import Ground
    from gridmap.people.permissions import Actor

__all__ = ["DATUMS", "NewTrack", "Walked", "record_track", "sent_before", "walk"]

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")

_WHEELS = Matching(reach_m=40.0, gap_m=1000.0, gap_seconds=120.0)
_HOW = {Profile.FOOT: Matching(), Profile.BICYCLE: _WHEELS, Profile.CAR: _WHEELS}
_PATROLLED_SHARE, _PATROLLED_M = 0.3, 200.0
"""A cell was patrolled where so much of its streets was walked, or so many metres."""
_ROAD_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class NewTrack:
    """A track as somebody sends it.

    Parameters
    ----------
    uid
        Made by whoever sends it: sending it twice records it once.
    fixes
        As they came.
    profile
        How it was walked.
    source
        ``gpx`` or ``phone``.
    datum
        What the numbers are, one of `DATUMS`.
    """

    uid: uuid.UUID
    fixes: Fixes
    profile: Profile
    source: str
    datum: str = "wgs84"


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """A track with the stretches of streets it went along.

    Attributes
    ----------
    fixes
        EPSG:4326.
    street
        Rows of the network's streets, shape (k,).
    begin_m, end_m
        Along the street's line, shape (k,).
    side
        1 right, -1 left, 0 not known, shape (k,).
    at
        Seconds since 1970 UTC, shape (k,).
    recorded_m, gaps, unused, astray
        See `Track`.
    """

    fixes: Fixes
    street: NDArray[np.int64]
    begin_m: NDArray[np.float64]
    end_m: NDArray[np.float64]
    side: NDArray[np.int8]
    at: NDArray[np.float64]
    recorded_m: float
    gaps: int
    unused: int
    astray: int


def walk(network: Network, ground: Ground, new: NewTrack, *, now: datetime) -> Walked:
    """Check a track and match it to the streets; nothing is written.

    Raises
    ------
    InvalidValueError
        If it cannot be a track, or not one of this place, saying what was expected and found.
    """
    if new.datum not in DATUMS:
        raise InvalidValueError(
            "Expected one of {expected}; found {found!r}.",
            parameter="datum",
            expected=", ".join(DATUMS),
            found=new.datum,
        )
    check_fixes(new.fixes, now=now)
    fixes = new.fixes.read_as(new.datum)
    check_place(fixes, network.router(new.profile), datum=new.datum)
    how = _HOW[new.profile]
    found = match_track(
        network.measure(new.profile),
        fixes.lon,
        fixes.lat,
        seconds=fixes.seconds,
        accuracy_m=fixes.accuracy_m,
        matching=how,
    )
    sure = np.flatnonzero(found.sure & (found.end > found.begin))
    edge = found.edge[sure]
    length = network.graph.length_m[edge]
    begins = ground.begins_m[edge]
    x, y = network.graph.projection.forward_xy(fixes.lon, fixes.lat)
    step = np.hypot(np.diff(x), np.diff(y))
    together = (step <= how.gap_m) & (np.diff(fixes.seconds) <= how.gap_seconds)
    return Walked(
        fixes,
        network.graph.street[edge],
        begins + found.begin[sure] * length,
        begins + found.end[sure] * length,
        found.side[sure],
        fixes.seconds[found.at[sure]],
        float(step[together].sum()),
        len(found.gaps),
        len(found.unused),
        len(found.astray),
    )


def sent_before(session: Session, actor: Actor, uid: uuid.UUID) -> Track | None:
    """Return the actor's track that was sent under a uid, if there is one.

    Raises
    ------
    ConflictError
        If somebody else's has it.
    """
    known = session.scalar(select(Track).where(Track.uid == uid))
    if known is not None and (known.person_id, known.actor) != (actor.person_id, actor.name):
        raise ConflictError("Another track has this uid already.")
    return known


def record_track(
    session: Session, actor: Actor, new: NewTrack, walked: Walked, ground: Ground, *, now: datetime
) -> tuple[Track, bool]:
    """Remember a track as the actor's own; return it, and whether it is new.

    Raises
    ------
    ConflictError
        If somebody else's track has the same uid.
    """
    actor.scope(Permission.TRACK_RECORD)
    packed = walked.fixes.pack()
    claim(session, new.uid)
    if (known := sent_before(session, actor, new.uid)) is not None:
        return known, False
    rows, sample = ground.rows(walked.street, walked.begin_m, walked.end_m)
    seen = np.unique(sample)
    person = session.get(Person, actor.person_id) if actor.person_id is not None else None
    track = Track(
        uid=new.uid,
        person_id=actor.person_id,
        actor=actor.name,
        organisation_id=person.organisation_id if person else None,
        area_id=_area(ground, seen),
        profile=new.profile.value,
        source=new.source,
        began_at=walked.fixes.time(0),
        ended_at=walked.fixes.time(-1),
        received_at=now,
        fixes=len(walked.fixes),
        unused=walked.unused,
        astray=walked.astray,
        gaps=walked.gaps,
        recorded_m=walked.recorded_m,
        walked_m=float((walked.end_m - walked.begin_m).sum()),
        points=packed,
        points_sha256=hashlib.sha256(packed).hexdigest(),
    )
    session.add(track)
    session.flush()
    if len(walked.street):
        visits = [
            {
                "track_id": track.id,
                "street_ref": str(ground.network.graph.ref[street]),
                "begin_m": begin,
                "end_m": end,
                "side": side,
                "at": Fixes.moment(at),
            }
            for street, begin, end, side, at in zip(
                walked.street.tolist(),
                walked.begin_m.tolist(),
                walked.end_m.tolist(),
                walked.side.tolist(),
                walked.at.tolist(),
                strict=True,
            )
        ]
        session.execute(insert(TrackVisit), visits)
        last = np.zeros(len(ground))
        np.maximum.at(last, sample, walked.at[rows])
        _mark_patrolled(session, ground, seen, last)
    return track, True


def _area(ground: Ground, seen: NDArray[np.int64]) -> int | None:
    """Area of the cell in which most was walked."""
    cells = ground.cell[seen]
    inside = cells >= 0
    if not inside.any():
        return None
    ids, row = np.unique(cells[inside], return_inverse=True)
    most = np.bincount(row, weights=ground.metres[seen][inside]).argmax()
    return ground.cell_area.get(int(ids[most]))


def _mark_patrolled(
    session: Session, ground: Ground, seen: NDArray[np.int64], last: NDArray[np.float64]
) -> None:
    """Note at cells and priority roads when they were last patrolled."""
    walked = np.zeros(len(ground), dtype=bool)
    walked[seen] = True
    for cell in np.unique(ground.cell[seen]).tolist():
        here = ground.cell == cell
        metres = ground.metres[here & walked].sum()
        if cell >= 0 and metres >= min(_PATROLLED_M, _PATROLLED_SHARE * ground.metres[here].sum()):
            _patrolled(session, GridCell, cell, float(last[here].max()))
    for road, samples in ground.roads.items():
        if len(samples) and walked[samples].mean() >= _ROAD_SHARE:
            _patrolled(session, PriorityRoad, road, float(last[samples].max()))


def _patrolled(session: Session, model: type[GridCell | PriorityRoad], row: int, seconds: float) -> None:
    at = Fixes.moment(seconds)
    earlier = model.last_patrol_at.is_(None) | (model.last_patrol_at < at)
    session.execute(update(model).where(model.id == row, earlier).values(last_patrol_at=at))
