"""Recorded tracks, as phones send them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

import numpy as np
from flask import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from geodata.travel import Profile
from gridmap.patrols.tracks.fixes import MOST_FIXES, Fixes
from gridmap.patrols.tracks.models import Track
from gridmap.patrols.tracks.service import NewTrack, record_track, sent_before, walk
from gridmap.people.permissions import Permission
from gridmap.store.engine import writing
from web.access import needs
from web.api.answering import as_json, now, today
from web.api.blueprint import TRACKS, api
from web.api.models import Answer
from web.installation import actor, db, installation
from web.validation import expected

__all__ = ["take"]


class TrackBody(BaseModel):
    """A track. The uid is made by whoever sends it: sending it twice records it once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uid: uuid.UUID
    profile: Profile = Profile.FOOT
    datum: Literal["wgs84", "cgcs2000", "gcj02", "bd09"] = Field(
        "wgs84",
        description="What the receiver's numbers are; phones' own location services in China may give GCJ-02",
    )
    points: list[list[float | None]] = Field(
        min_length=2,
        max_length=MOST_FIXES,
        description="In the order recorded: longitude, latitude, seconds since 1970 UTC, and where known the "
        "accuracy in metres (standard deviation)",
        json_schema_extra={"example": [[121.47, 31.23, 1762387200, 5], [121.4702, 31.2301, 1762387210, 6]]},
    )

    @field_validator("points")
    @classmethod
    def _whole(cls, points: list[list[float | None]]) -> list[list[float | None]]:
        for number, point in enumerate(points, start=1):
            needed = [v for v in point[:3] if v is not None and np.isfinite(v)]
            if len(needed) < 3 or len(point) > 4:
                raise expected(
                    "Expected longitude, latitude, seconds and perhaps accuracy; point {number} is {found}.",
                    found=str(point)[:80],
                    number=number,
                )
        return points

    def track(self) -> NewTrack:
        """Return the track as a value."""
        table = np.full((len(self.points), 4), np.nan)
        for row, point in zip(table, self.points, strict=True):
            row[: len(point)] = [np.nan if v is None else v for v in point]
        return NewTrack(self.uid, Fixes(*table.T.copy()), self.profile, "phone", self.datum)


class TrackAnswer(Answer):
    """What became of a track."""

    uid: str
    began_at: datetime
    ended_at: datetime
    fixes: int
    unused: int = Field(description="Fixes left out because their accuracy was too poor")
    astray: int = Field(description="Fixes with no street near them")
    gaps: int = Field(description="Gaps in the recording; they do not count as covered")
    recorded_m: float
    walked_m: float = Field(description="Metres along streets")


@api.post("/tracks", tags=[TRACKS], responses={"200": TrackAnswer, "201": TrackAnswer})
@needs(Permission.TRACK_RECORD)
def record_walk(body: TrackBody) -> Response:
    """Record a track as one's own; 201, or 200 where the same uid was sent before."""
    track, fresh = take(body.track())
    answer = as_json(
        TrackAnswer,
        {
            "uid": str(track.uid),
            **{name: getattr(track, name) for name in TrackAnswer.model_fields if name != "uid"},
        },
    )
    return Response(answer.content, status=201 if fresh else 200, content_type=answer.kind)


def take(new: NewTrack) -> tuple[Track, bool]:
    """Match a track before the store is locked, then record it."""
    here = installation()
    if (known := sent_before(db(), actor(), new.uid)) is not None:
        return known, False
    network = here.network.open(db())
    ground = here.walkable.get(db(), network, today())
    walked = walk(network, ground, new, now=now())
    with writing(here.engine) as session:
        return record_track(session, actor(), new, walked, ground, now=now())
