"""Table of photos, videos and scans."""

from __future__ import annotations

from datetime import datetime
from enum import IntFlag, StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, Identified, text_enum

__all__ = ["Attachment", "AttachmentState", "Doubt", "MediaKind", "Stage"]


class Stage(StrEnum):
    """What a picture is evidence of."""

    FOUND = "found"
    BEFORE = "before"
    AFTER = "after"
    LOOK_BACK = "look_back"
    PLEDGE = "pledge"
    OFFENCE = "offence"
    OTHER = "other"


class MediaKind(StrEnum):
    """What sort of thing it is."""

    PHOTO = "photo"
    VIDEO = "video"
    SCAN = "scan"


class AttachmentState(StrEnum):
    """How far the copies for showing are."""

    PROCESSING = "processing"
    """The original is kept; the copy for showing is being made."""
    READY = "ready"
    REFUSED = "refused"
    """No copy could be made of it; the original is kept."""


class Doubt(IntFlag):
    """What speaks against a picture showing what it is said to show."""

    NONE = 0
    PLACE = 1
    """Taken farther from the stated place than the installation allows."""
    TIME = 2
    """Taken at another time than stated."""
    REUSED = 4
    """The same file proves another problem already, or this one at another stage."""


class Attachment(Base, Identified):
    """A photo, a short video or a scan (附件) and where its files lie.

    The original is kept as it came, with everything the camera wrote into it; the copy for showing and the
    thumbnail carry nothing but the picture. Files are named by the SHA-256 of their content.
    """

    __tablename__ = "attachment"
    __table_args__ = (Index("ix_attachment_login_id_created_at", "login_id", "created_at"),)

    problem_id: Mapped[int | None] = mapped_column(ForeignKey("problem.id"), index=True)
    """None: not yet tied to what it proves."""
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"), index=True)
    stage: Mapped[Stage] = mapped_column(text_enum(Stage))
    kind: Mapped[MediaKind] = mapped_column(text_enum(MediaKind))
    state: Mapped[AttachmentState] = mapped_column(text_enum(AttachmentState), default=AttachmentState.READY)
    reason: Mapped[str | None] = mapped_column(String(300))
    """Why it was refused."""
    media_type: Mapped[str] = mapped_column(String(60))
    """By content, of the original."""
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    """Of the original."""
    shown_type: Mapped[str | None] = mapped_column(String(60))
    shown_size: Mapped[int | None] = mapped_column(BigInteger)
    shown_sha256: Mapped[str | None] = mapped_column(String(64))
    """Of the copy for showing."""
    thumbnail_size: Mapped[int | None] = mapped_column(Integer)
    thumbnail_sha256: Mapped[str | None] = mapped_column(String(64))
    width: Mapped[int | None] = mapped_column(Integer)
    """Of the original as it is held upright, pixels."""
    height: Mapped[int | None] = mapped_column(Integer)
    duration: Mapped[float | None]
    """Seconds; of videos only."""
    taken_at: Mapped[datetime | None]
    """As the camera wrote it."""
    lon: Mapped[float | None]
    """As the camera wrote it, degrees, EPSG:4326."""
    lat: Mapped[float | None]
    stated_at: Mapped[datetime | None]
    """When it was taken, as said by whoever sent it, or when the problem was found."""
    metres_off: Mapped[float | None]
    """Between where the camera and where the sender say it was taken."""
    minutes_off: Mapped[float | None]
    """From the stated time to the camera's; below zero: taken before."""
    doubts: Mapped[int] = mapped_column(SmallInteger, default=0)
    """Of `Doubt`."""
    file_name: Mapped[str] = mapped_column(String(200), default="")
    """As the sender's device called it; never the name of a file here."""
    uploaded_by: Mapped[str] = mapped_column(String(100))
    login_id: Mapped[int | None] = mapped_column(ForeignKey("login.id"))
    created_at: Mapped[datetime]
