"""Tables of what residents report, of who they are, and of what is published."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, Identified, text_enum

__all__ = [
    "ApiKey",
    "Moderation",
    "PublicPhoto",
    "Publication",
    "Reporter",
    "ResidentNote",
    "ResidentReport",
    "Said",
]


class Moderation(StrEnum):
    """Whether something is shown to everybody."""

    HELD = "held"
    """Nobody has looked yet."""
    PUBLISHED = "published"
    HIDDEN = "hidden"


class Said(StrEnum):
    """What somebody says about a problem after it was reported."""

    REMARK = "remark"
    SOLVED = "solved"
    NOT_SOLVED = "not_solved"


class ApiKey(Base, Identified):
    """A key of another system that reports through Open311; only its hash is kept."""

    __tablename__ = "api_key"

    name: Mapped[str] = mapped_column(String(200))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    trusted: Mapped[bool] = mapped_column(default=False)
    """Whether what comes with it is published without being looked at."""
    made_by: Mapped[str] = mapped_column(String(100))
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Publication(Base, Identified):
    """What everybody may read of a problem, and whether they may."""

    __tablename__ = "publication"

    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), unique=True)
    state: Mapped[Moderation] = mapped_column(text_enum(Moderation), default=Moderation.HELD, index=True)
    text: Mapped[str] = mapped_column(Text, default="")
    """Instead of the description, which may name people."""
    address: Mapped[str] = mapped_column(String(300), default="")
    """Instead of the problem's, which the office may change."""
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    media_urls: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Those of the report's answers and of its pictures elsewhere that everybody may know."""
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    """Since when everybody may; None: they may not."""


class ResidentReport(Base, Identified):
    """A problem that came from outside: from the public page or from another system."""

    __tablename__ = "resident_report"

    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the code with which the reporter follows it."""
    sender_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    """Of the address it was sent from, keyed, to limit how much comes from one."""
    sent_at: Mapped[datetime] = mapped_column(index=True)
    api_key_id: Mapped[int | None] = mapped_column(ForeignKey("api_key.id"), index=True)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Answers to what the category asks beyond place and text, by code."""
    media_urls: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Addresses of pictures elsewhere, as text: nothing is fetched from them."""
    last_said: Mapped[Said | None] = mapped_column(text_enum(Said))
    """Whether it was last called solved or not; see `gridmap.residents.unsolved`."""


class Reporter(Base, Identified):
    """Who reported: removed after a while, and read only by those whose role needs it."""

    __tablename__ = "reporter"

    report_id: Mapped[int] = mapped_column(ForeignKey("resident_report.id"), unique=True)
    name: Mapped[str] = mapped_column(String(100), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    email: Mapped[str] = mapped_column(String(200), default="")
    consented_at: Mapped[datetime]
    """When they agreed that this is kept."""


class ResidentNote(Base, Identified):
    """What a reporter or another system adds to a problem later."""

    __tablename__ = "resident_note"

    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    said: Mapped[Said] = mapped_column(text_enum(Said))
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[Moderation] = mapped_column(text_enum(Moderation), default=Moderation.HELD, index=True)
    public_text: Mapped[str] = mapped_column(Text, default="")
    api_key_id: Mapped[int | None] = mapped_column(ForeignKey("api_key.id"), index=True)
    external_id: Mapped[str | None] = mapped_column(String(100))
    """How the other system calls it: the same one sent twice is one."""
    media_urls: Mapped[list[str]] = mapped_column(JSON, default=list)
    public_urls: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Those of them that everybody may know."""
    photos: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Uids of the attachments that came with it."""
    published_at: Mapped[datetime | None]
    """Since when everybody may read it; None: they may not."""


class PublicPhoto(Base, Identified):
    """A photo that everybody may see."""

    __tablename__ = "public_photo"

    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id"), unique=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    published_by: Mapped[str] = mapped_column(String(100))
    published_at: Mapped[datetime]
