"""Tables of shopfronts, their pledges and their offences."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, Identified, Valid, text_enum

__all__ = ["AppealState", "Offence", "OffencePhoto", "Pledge", "Shopfront", "Step"]


class Step(StrEnum):
    """What an officer does about an offence, from mild to severe; see `gridmap.shops.rules.LADDER`."""

    TOLD = "told"
    TAUGHT = "taught"
    ORDERED = "ordered"
    GOODS_HELD = "goods_held"
    BANNED = "banned"


class AppealState(StrEnum):
    """What became of an appeal."""

    OPEN = "open"
    UPHELD = "upheld"
    """The offence does not count."""
    DISMISSED = "dismissed"


class Shopfront(Base, Identified, Valid):
    """A shop bound by the pledge of three responsibilities before the door (沿街商铺, 门前三包)."""

    __tablename__ = "shopfront"

    code: Mapped[str] = mapped_column(String(60), index=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    licence: Mapped[str] = mapped_column(String(40), default="", index=True)
    """Number of the business licence (统一社会信用代码)."""
    trade: Mapped[str] = mapped_column(String(100), default="")
    """What it trades in."""
    owner: Mapped[str] = mapped_column(String(100), default="")
    """Who runs it; for those who may see persons."""
    phone: Mapped[str | None] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(300), default="")
    geometry: Mapped[Any] = mapped_column(Geometry("GEOMETRY", srid=4326, spatial_index=True, nullable=False))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("grid_cell.id"), index=True)
    road_id: Mapped[int | None] = mapped_column(ForeignKey("priority_road.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    """Who enforces there; see `gridmap.shops.locating`."""
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class Pledge(Base, Identified):
    """A signed pledge of a shop (门前三包责任书)."""

    __tablename__ = "pledge"

    shop_id: Mapped[int] = mapped_column(ForeignKey("shopfront.id"), index=True)
    signed_on: Mapped[date]
    signed_by: Mapped[str] = mapped_column(String(100))
    """Who signed for the shop."""
    note: Mapped[str] = mapped_column(Text, default="")
    ended_on: Mapped[date | None]
    """Since when it binds no more, because the shop changed hands or a new one was signed."""
    attachment_id: Mapped[int | None] = mapped_column(ForeignKey("attachment.id"))
    """The scan."""
    actor: Mapped[str] = mapped_column(String(100))
    """Who took it in."""
    recorded_at: Mapped[datetime]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class Offence(Base, Identified):
    """One violation of a shop and the step of the ladder that was taken (违规记录)."""

    __tablename__ = "offence"
    __table_args__ = (Index("ix_offence_shop_id_at", "shop_id", "at"),)

    shop_id: Mapped[int] = mapped_column(ForeignKey("shopfront.id"))
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    problem_id: Mapped[int | None] = mapped_column(ForeignKey("problem.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    recorded_at: Mapped[datetime]
    step: Mapped[Step] = mapped_column(text_enum(Step))
    expected: Mapped[Step] = mapped_column(text_enum(Step))
    """The step that the ladder asked for when it was recorded."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why another step than the expected one was taken."""
    note: Mapped[str] = mapped_column(Text, default="")
    goods: Mapped[str] = mapped_column(Text, default="")
    """What was held, where goods were."""
    address: Mapped[str] = mapped_column(String(300), default="")
    lon: Mapped[float]
    lat: Mapped[float]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """The officer."""
    actor: Mapped[str] = mapped_column(String(100))
    appeal: Mapped[str | None] = mapped_column(Text)
    """What the shop says against it."""
    appealed_at: Mapped[datetime | None]
    appeal_state: Mapped[AppealState | None] = mapped_column(text_enum(AppealState))
    decision: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class OffencePhoto(Base, Identified):
    """A photo or video that proves an offence (违规证据)."""

    __tablename__ = "offence_photo"

    offence_id: Mapped[int] = mapped_column(ForeignKey("offence.id"), index=True)
    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id"), unique=True)
