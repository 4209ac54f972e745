"""Reads of tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import or_, select

from gridmap.patrols.tracks.models import Track, TrackVisit
from gridmap.people.permissions import Permission
from gridmap.store.bulk import read_columns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from gridmap.patrols.tracks.ground import Ground
    from gridmap.people.permissions import Actor

__all__ = ["Stretches", "read_tracks", "stretches_of", "walkers"]

_MOST = 500


def read_tracks(session: Session, actor: Actor, *, begin: datetime, end: datetime) -> list[Track]:
    """Tracks begun within a time: the actor's own, and those of their areas and organisations."""
    query = _visible(actor).where(Track.began_at >= begin, Track.began_at < end)
    return list(session.scalars(query.order_by(Track.began_at.desc()).limit(_MOST)))


def walkers(session: Session, actor: Actor, tracks: Iterable[int]) -> dict[int, tuple[int | None, str]]:
    """Who walked tracks, by their ids: person and login name, of those that the actor may see."""
    found = session.scalars(_visible(actor).where(Track.id.in_(list(tracks))))
    return {track.id: (track.person_id, track.actor) for track in found}


def _visible(actor: Actor) -> Select[Track]:
    query = select(Track)
    own = Track.person_id == actor.person_id if actor.person_id is not None else Track.actor == actor.name
    if not actor.may(Permission.TRACK_READ):
        query = query.where(own)
    elif not (scope := actor.scope(Permission.TRACK_READ)).everywhere:
        held: list[Any] = []
        for holding in scope.holdings:
            limits: list[Any] = []
            if holding.areas is not None:
                limits.append(Track.area_id.in_(holding.areas))
            if holding.organisations is not None:
                limits.append(Track.organisation_id.in_(holding.organisations))
            held.append(limits[0] if len(limits) == 1 else limits[0] & limits[1])
        query = query.where(or_(own, *held))
    return query


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Streets that tracks went along.

    Attributes
    ----------
    track
        Database id, int64, shape (k,).
    lines
        EPSG:4326, shape (k,).
    """

    track: NDArray[np.int64]
    lines: NDArray[np.object_]


def stretches_of(session: Session, ground: Ground, tracks: list[Track]) -> Stretches:
    """Draw what tracks went along; streets that are gone are left out."""
    visits = read_columns(
        session,
        select(TrackVisit.track_id, TrackVisit.street_ref, TrackVisit.begin_m, TrackVisit.end_m)
        .where(TrackVisit.track_id.in_([track.id for track in tracks]))
        .order_by(TrackVisit.id),
    )
    street = ground.streets(visits["street_ref"].tolist())
    begin, end = (np.asarray(visits[name], dtype=float) for name in ("begin_m", "end_m"))
    stretch, sample = ground.rows(street, begin, end)
    kept = street[stretch] >= 0
    stretch, sample = stretch[kept], sample[kept]
    count = np.bincount(stretch, minlength=len(street))
    long = np.flatnonzero(count >= 2)
    chosen = np.isin(stretch, long)
    order = np.searchsorted(long, stretch[chosen])
    xy = np.column_stack([ground.lon[sample[chosen]], ground.lat[sample[chosen]]])
    lines = shapely.linestrings(xy, indices=order) if len(order) else np.empty(0, dtype=object)
    return Stretches(np.asarray(visits["track_id"], dtype=np.int64)[long], np.asarray(lines, dtype=object))
