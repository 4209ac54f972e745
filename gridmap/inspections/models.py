"""Tables of assessors' routes and their stops."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, ForeignKey, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from geodata.travel import Profile
from gridmap.inspections.posts import Emptiness
from gridmap.store.base import Base, Identified, text_enum

__all__ = ["InspectionPost", "InspectionRoute", "InspectionStop"]


class InspectionRoute(Base, Identified):
    """The tour that assessors are expected to take through chosen points (迎检线路)."""

    __tablename__ = "inspection_route"

    name: Mapped[str] = mapped_column(String(200))
    profile: Mapped[Profile] = mapped_column(text_enum(Profile))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    minutes_at_stop: Mapped[int] = mapped_column(SmallInteger)
    drawn_from: Mapped[int | None] = mapped_column(Integer)
    """How many points the stops were drawn from; None if they were named."""
    seed: Mapped[int | None] = mapped_column(BigInteger)
    """With which the same points are drawn again."""
    metres: Mapped[int] = mapped_column(Integer)
    geometry: Mapped[Any] = mapped_column(Geometry("LINESTRING", srid=4326, spatial_index=False))
    actor: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]


class InspectionStop(Base, Identified):
    """A point at which the assessors stop, in the order of the tour."""

    __tablename__ = "inspection_stop"

    route_id: Mapped[int] = mapped_column(ForeignKey("inspection_route.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(SmallInteger)
    point_id: Mapped[int] = mapped_column(ForeignKey("inspection_point.id"), index=True)
    arrives_at: Mapped[datetime]
    leaves_at: Mapped[datetime]
    along_m: Mapped[int] = mapped_column(Integer)
    """Where on the route it lies, metres from the start."""


class InspectionPost(Base, Identified):
    """Somebody stands at a stop while the assessors are there (蹲点), or ought to."""

    __tablename__ = "inspection_post"

    route_id: Mapped[int] = mapped_column(ForeignKey("inspection_route.id", ondelete="CASCADE"), index=True)
    stop_id: Mapped[int] = mapped_column(ForeignKey("inspection_stop.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    empty: Mapped[Emptiness | None] = mapped_column(text_enum(Emptiness))
    """Why nobody stands there; none where somebody does."""
    picked: Mapped[bool] = mapped_column(default=False)
    """Whether who stands there was changed by hand."""
