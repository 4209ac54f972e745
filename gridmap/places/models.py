"""Tables of the ground and of who holds it.

All geometry is longitude and latitude, EPSG:4326.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, Identified, Valid, text_enum

__all__ = [
    "Area",
    "AreaLevel",
    "Building",
    "GridCell",
    "InspectionPoint",
    "PriorityRoad",
    "Responsibility",
    "ResponsibilityRole",
    "RoadRule",
    "Street",
    "Surface",
]


class AreaLevel(StrEnum):
    """Levels of administration, from large to small."""

    CITY = "city"
    DISTRICT = "district"
    SUBDISTRICT = "subdistrict"
    COMMUNITY = "community"


class ResponsibilityRole(StrEnum):
    """In which role somebody holds a place."""

    GRID_WORKER = "grid_worker"
    GRID_LEADER = "grid_leader"
    LEADER_IN_CHARGE = "leader_in_charge"
    POLICE = "police"
    POINT_OWNER = "point_owner"
    ROAD_OWNER = "road_owner"
    CLEANING = "cleaning"
    ENFORCEMENT = "enforcement"


def _shape(kind: str) -> Geometry:
    return Geometry(kind, srid=4326, spatial_index=True, nullable=False)


class Area(Base, Identified, Valid):
    """Administrative area (辖区) with its parent."""

    __tablename__ = "area"

    code: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    level: Mapped[AreaLevel] = mapped_column(text_enum(AreaLevel))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    geometry: Mapped[Any] = mapped_column(_shape("MULTIPOLYGON"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class GridCell(Base, Identified, Valid):
    """Smallest unit of responsibility (网格); the cells of a community tile it."""

    __tablename__ = "grid_cell"

    code: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    last_patrol_at: Mapped[datetime | None]
    geometry: Mapped[Any] = mapped_column(_shape("MULTIPOLYGON"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class InspectionPoint(Base, Identified, Valid):
    """A place that assessors may sample (点位), a point or a polygon."""

    __tablename__ = "inspection_point"

    code: Mapped[str] = mapped_column(String(60), index=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    site_type: Mapped[str] = mapped_column(String(40), index=True)
    priority: Mapped[int] = mapped_column(SmallInteger, default=2)
    """1 key, 2 ordinary, 3 low."""
    address: Mapped[str] = mapped_column(String(300), default="")
    visit_hours: Mapped[str] = mapped_column(String(100), default="", server_default="")
    """Hours in which patrols go there, such as ``07:20-08:10,16:30-17:30``; empty: any."""
    visit_rhythm: Mapped[str] = mapped_column(String(8), default="", server_default="")
    """How often, such as ``2/1`` (see `gridmap.patrols.rhythm.Rhythm`); empty: as the plan says."""
    visit_minutes: Mapped[int | None] = mapped_column(SmallInteger)
    """How long they stay; None: as the plan says."""
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("grid_cell.id"), index=True)
    geometry: Mapped[Any] = mapped_column(_shape("GEOMETRY"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class PriorityRoad(Base, Identified, Valid):
    """A stretch of road that must be patrolled (重点路段)."""

    __tablename__ = "priority_road"

    code: Mapped[str] = mapped_column(String(60), index=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    level: Mapped[int] = mapped_column(SmallInteger, default=2)
    """1 key, 2 ordinary."""
    hours: Mapped[str] = mapped_column(String(100), default="")
    """Hours that matter (重点时段), such as ``07:20-08:10,19:00-23:00``."""
    patrols_per_day: Mapped[int] = mapped_column(SmallInteger, default=2)
    last_patrol_at: Mapped[datetime | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    geometry: Mapped[Any] = mapped_column(_shape("MULTILINESTRING"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class Street(Base, Identified):
    """One way of the street network, as surveyed."""

    __tablename__ = "street"

    source_ref: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="", index=True)
    road_class: Mapped[str] = mapped_column(String(24))
    oneway: Mapped[int] = mapped_column(SmallInteger, default=0)
    """1 along the line, -1 against it, 0 both."""
    tags: Mapped[str] = mapped_column(Text, default="")
    """What its source says of who may go along it, as JSON; see `geodata.travel.TRAVEL_TAGS`."""
    geometry: Mapped[Any] = mapped_column(_shape("LINESTRING"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class RoadRule(Base, Identified):
    """A barrier or a turn restriction of the street network; see `geodata.turns.TurnRule`."""

    __tablename__ = "road_rule"

    source_ref: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    profiles: Mapped[str] = mapped_column(String(60))
    """Whom it binds, with blanks between."""
    from_ref: Mapped[str] = mapped_column(String(60), default="")
    to_ref: Mapped[str] = mapped_column(String(60), default="")
    via_refs: Mapped[str] = mapped_column(Text, default="")
    """Streets between, by `Street.source_ref`, with blanks between."""
    lon: Mapped[float]
    lat: Mapped[float]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class Building(Base, Identified):
    """A building, for the base map and for what can be seen from the street."""

    __tablename__ = "building"

    source_ref: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    levels: Mapped[int | None] = mapped_column(SmallInteger)
    geometry: Mapped[Any] = mapped_column(_shape("MULTIPOLYGON"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class Surface(Base, Identified):
    """Water or green, for the base map."""

    __tablename__ = "surface"

    source_ref: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(16))
    geometry: Mapped[Any] = mapped_column(_shape("MULTIPOLYGON"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


_HELD = ("area_id", "cell_id", "point_id", "road_id", "shop_id")


class Responsibility(Base, Identified, Valid):
    """A person or an organisation holds one place in a role, from a date to a date (责任)."""

    __tablename__ = "responsibility"
    __table_args__ = (
        CheckConstraint(
            " + ".join(f"CASE WHEN {place} IS NULL THEN 0 ELSE 1 END" for place in _HELD) + " = 1",
            name="one_place",
        ),
        CheckConstraint("person_id IS NOT NULL OR organisation_id IS NOT NULL", name="held_by_somebody"),
    )

    role: Mapped[ResponsibilityRole] = mapped_column(text_enum(ResponsibilityRole))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("grid_cell.id"), index=True)
    point_id: Mapped[int | None] = mapped_column(ForeignKey("inspection_point.id"), index=True)
    road_id: Mapped[int | None] = mapped_column(ForeignKey("priority_road.id"), index=True)
    shop_id: Mapped[int | None] = mapped_column(ForeignKey("shopfront.id"), index=True)
    pledge_signed_on: Mapped[date | None]
    """Day the pledge (责任书) was signed."""
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)
