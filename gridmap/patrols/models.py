"""Tables of patrol plans: who walks where, when, past what.

A plan is never changed: whoever changes it makes its next version.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from geodata.travel import Profile
from gridmap.store.base import Base, Identified, text_enum

__all__ = ["PatrolPlan", "PatrolRoute", "PatrolVisit", "RemovedRound", "VisitKind"]


class VisitKind(StrEnum):
    """What a visit of a patrol is for."""

    POINT = "point"
    PROBLEM = "problem"
    ROAD = "road"
    CORNER = "corner"
    """Where problems are to be expected; it has no row of its own."""


class PatrolPlan(Base, Identified):
    """Rounds in an area, as they were planned together: one version of a plan."""

    __tablename__ = "patrol_plan"
    __table_args__ = (Index("uq_patrol_plan_first_id_version", "first_id", "version", unique=True),)

    first_id: Mapped[int | None] = mapped_column(
        ForeignKey("patrol_plan.id", name="fk_patrol_plan_first_id"), index=True
    )
    """The first version; None for that itself."""
    version: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    """From 1. No two are the second of one first: who is later is told."""
    wish: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What was asked for; see `gridmap.patrols.wishes`. None in plans that cannot be changed."""
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What was set by hand and what that broke: `pins`, `banned`, `faults`, `how`; `notes` of each day;
    `early`, see `gridmap.patrols.going_home`."""
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
    unit: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """Which of those who are sent, counted as in the wish."""
    partner_id: Mapped[int | None] = mapped_column(
        ForeignKey("person.id", name="fk_patrol_route_partner_id"), index=True
    )
    """Who walks it too."""
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
    key: Mapped[str] = mapped_column(String(80), default="", server_default="")
    """Which task it is, however often the question is posed again; see `gridmap.patrols.posing`."""
    mode: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """Which way a stretch is walked."""
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


class RemovedRound(Base, Identified):
    """A round of a plan that was removed: calendars that took it in are told that it is cancelled."""

    __tablename__ = "removed_round"

    first_uid: Mapped[uuid.UUID] = mapped_column(index=True)
    """Of the plan's first version, by which calendars know it."""
    plan_uid: Mapped[uuid.UUID]
    route_uid: Mapped[uuid.UUID] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(SmallInteger)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    lead_uid: Mapped[uuid.UUID]
    """Whose round it was as the wish named them."""
    day: Mapped[date]
    leaves_at: Mapped[datetime]
    returns_at: Mapped[datetime]
    removed_at: Mapped[datetime]
