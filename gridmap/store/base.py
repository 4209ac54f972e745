"""What every table shares."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Date, DateTime, Enum, Index, Integer, MetaData, Uuid, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy.engine import Dialect

__all__ = ["Base", "BigId", "Identified", "UTCDateTime", "Valid", "index_of_present", "text_enum"]

BigId = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both stores; SQLite's own row number is called INTEGER."""


class UTCDateTime(TypeDecorator[datetime]):
    """Aware times in, stored in UTC, aware times out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite's text has no offset, so it is dropped there."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"Expected a time with an offset; found {value!r}."
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the framework's signature
        """Give the time its offset back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, date: Date, uuid.UUID: Uuid}  # noqa: RUF012 - read by the framework


class Identified:
    """A row with an integer for joins and a UUID, made by whoever made the thing, for everybody else."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(unique=True, default=uuid.uuid4)


class Valid:
    """A row in force from a date (inclusive) to a date (exclusive; none: until further notice)."""

    valid_from: Mapped[date] = mapped_column(default=date(2000, 1, 1))
    valid_to: Mapped[date | None]

    @classmethod
    def in_force(cls, on: date) -> Any:
        """SQL condition: in force on a day."""
        return (cls.valid_from <= on) & (cls.valid_to.is_(None) | (cls.valid_to > on))


def text_enum(kind: type[StrEnum], length: int = 24) -> Enum:
    """Column type that stores a StrEnum's values as text; the code, not the database, holds the list."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )


def index_of_present(table: str, column: str) -> Index:
    """Index of a reference that most rows do not have: it holds those that have it."""
    present = text(f"{column} IS NOT NULL")
    return Index(f"ix_{table}_{column}", column, postgresql_where=present, sqlite_where=present)
