"""Tables of recorded tracks and of the streets they went along."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, BigId, Identified, index_of_present

__all__ = ["Track", "TrackVisit"]


class Track(Base, Identified):
    """One recording (轨迹) of somebody's round."""

    __tablename__ = "track"
    __table_args__ = (Index("ix_track_began_at", "began_at"), index_of_present("track", "person_id"))

    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor: Mapped[str] = mapped_column(String(100))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    """The person's, when it was sent."""
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    """Where most of it was walked."""
    profile: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    """``gpx`` or ``phone``."""
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    received_at: Mapped[datetime]
    fixes: Mapped[int]
    unused: Mapped[int] = mapped_column(default=0)
    """Fixes left out because their accuracy was too poor."""
    astray: Mapped[int] = mapped_column(default=0)
    """Fixes with no street near them."""
    gaps: Mapped[int] = mapped_column(default=0)
    recorded_m: Mapped[float]
    """Length of the line through the fixes, without gaps."""
    walked_m: Mapped[float] = mapped_column(default=0.0)
    """Length along streets."""
    points: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """The fixes as they came, see `gridmap.patrols.tracks.fixes.Fixes.pack`."""
    points_sha256: Mapped[str] = mapped_column(String(64))


class TrackVisit(Base):
    """A stretch of a street that a track went along; more than one fix speaks for it."""

    __tablename__ = "track_visit"
    __table_args__ = (Index("ix_track_visit_at", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("track.id", ondelete="CASCADE"), index=True)
    street_ref: Mapped[str] = mapped_column(String(60))
    """What the street's source calls it: streets may be imported again."""
    begin_m: Mapped[float]
    end_m: Mapped[float]
    """From where to where along the street's line, metres."""
    side: Mapped[int] = mapped_column(SmallInteger, default=0)
    """1 walked right of the street's line, -1 left of it, 0 not known."""
    at: Mapped[datetime]
