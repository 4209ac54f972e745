"""Tables of joint operations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.base import Base, Identified

__all__ = ["JointChange", "JointOperation", "JointParticipant", "JointProblem", "JointResult"]


class JointOperation(Base, Identified):
    """Several organisations at one time on one or many problems, led by one of them."""

    __tablename__ = "joint_operation"

    name: Mapped[str] = mapped_column(String(200))
    place: Mapped[str] = mapped_column(String(300), default="")
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    """Who leads."""
    starts_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was over and its results were complete."""
    remark: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]


class JointParticipant(Base, Identified):
    """An organisation that takes part; the one that leads is one of them."""

    __tablename__ = "joint_participant"
    __table_args__ = (UniqueConstraint("operation_id", "organisation_id", name="uq_joint_participant"),)

    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    people: Mapped[int] = mapped_column(Integer, default=0)
    """How many of theirs came."""


class JointProblem(Base, Identified):
    """A problem that an operation is about."""

    __tablename__ = "joint_problem"
    __table_args__ = (UniqueConstraint("operation_id", "problem_id", name="uq_joint_problem"),)

    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"), index=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)


class JointResult(Base, Identified):
    """Something that was counted: 5 carts of rubbish, 50 pools, 320 structures."""

    __tablename__ = "joint_result"

    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"), index=True)
    what: Mapped[str] = mapped_column(String(100))
    count: Mapped[int] = mapped_column(Integer)
    unit: Mapped[str] = mapped_column(String(20), default="")
    actor: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]


class JointChange(Base, Identified):
    """One immutable line of an operation's history."""

    __tablename__ = "joint_change"

    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"), index=True)
    what: Mapped[str] = mapped_column(String(24))
    """``planned``, ``edited``, ``problems_in``, ``problems_out``, ``counted``, ``uncounted``, ``ended``."""
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Before and after by field, as they read then."""
    actor: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]
