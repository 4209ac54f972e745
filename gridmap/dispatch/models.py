"""Table of the rules of dispatch."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.problems.models import Source
from gridmap.store.base import Base, Identified, Valid, text_enum

__all__ = ["DispatchRule"]


class DispatchRule(Base, Identified, Valid):
    """What a problem must be for an organisation or a person to get it; empty conditions hold always.

    Rules are asked in ascending order of `position`; the first that fits decides.
    """

    __tablename__ = "dispatch_rule"
    __table_args__ = (
        CheckConstraint("organisation_id IS NOT NULL OR person_id IS NOT NULL", name="to_somebody"),
    )

    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    """This category or one below it."""
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    """Inside this area or one below it."""
    road_id: Mapped[int | None] = mapped_column(ForeignKey("priority_road.id"), index=True)
    site_type: Mapped[str | None] = mapped_column(String(40))
    """Near an inspection point of this type."""
    hours: Mapped[str] = mapped_column(String(100), default="")
    """Found within these hours of the day, such as ``19:00-23:00``; may pass midnight."""
    source: Mapped[Source | None] = mapped_column(text_enum(Source))
    least_severity: Mapped[int] = mapped_column(SmallInteger, default=0)
    """At least as grave as this, 1 to 5; 0: however slight."""
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    remark: Mapped[str] = mapped_column(Text, default="")
