"""Tables of patrol plans: who walks where, when, past what."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from geodata.travel import Profile
from gridmap.store.base import Base, Identified, text_enum

__all__ = ["PatrolPlan", "PatrolRoute", "PatrolVisit", "VisitKind"]


class VisitKind(StrEnum):
    """What a visit of a patrol is for."""

    POINT = "point"
    PROBLEM = "problem"
    ROAD = "road"


class PatrolPlan(Base, Identified):
    """Rounds of one shift in an area, as they were planned together."""

    __tablename__ = "patrol_plan"

    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), index=True)
    day: Mapped[date] = mapped_column(index=True)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    profile: Mapped[Profile] = mapped_column(text_enum(Profile))
    seed: Mapped[int] = mapped_column(BigInteger)
    searched_s: Mapped[int] = mapped_column(Integer)
    """How long the search took, seconds."""
    unfitted: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """What is in no round: kind, uid, and why."""
    actor: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]


class PatrolRoute(Base, Identified):
    """The round of one person in a plan."""

    __tablename__ = "patrol_route"

    plan_id: Mapped[int] = mapped_column(ForeignKey("patrol_plan.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    leaves_at: Mapped[datetime]
    returns_at: Mapped[datetime]
    rests_at: Mapped[datetime | None]
    rests_until: Mapped[datetime | None]
    metres: Mapped[int] = mapped_column(Integer)
    geometry: Mapped[Any] = mapped_column(Geometry("LINESTRING", srid=4326, spatial_index=False))


class PatrolVisit(Base, Identified):
    """A stop at a point or a problem, or a stretch of a priority road, in the order of a round."""

    __tablename__ = "patrol_visit"

    route_id: Mapped[int] = mapped_column(ForeignKey("patrol_route.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[VisitKind] = mapped_column(text_enum(VisitKind))
    point_id: Mapped[int | None] = mapped_column(ForeignKey("inspection_point.id"), index=True)
    problem_id: Mapped[int | None] = mapped_column(ForeignKey("problem.id"), index=True)
    road_id: Mapped[int | None] = mapped_column(ForeignKey("priority_road.id"), index=True)
    arrives_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    finishes_at: Mapped[datetime]
    metres: Mapped[int] = mapped_column(Integer)
    """Walked along a road; 0 at a place."""
    lon: Mapped[float]
    lat: Mapped[float]
