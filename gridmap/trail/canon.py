"""The canonical form of a row, the same on every store, and its digest.

A row is its columns in the order of their names, each ``name=length:bytes``. A column that is NULL or holds
the model's own default is left out, so that a column added later changes no digest of older rows.

=============  ==========================================
column         bytes
=============  ==========================================
integer        decimal digits
float          IEEE 754, 8 bytes, big-endian
boolean        ``1`` or ``0``
time           microseconds since 1970 UTC, digits
date           days since 1970, digits
UUID           32 hexadecimal digits
text, enum     UTF-8
JSON           its text as stored, UTF-8
geometry       ISO WKB, little-endian
=============  ==========================================

The digest is BLAKE2b of 16 bytes, personalised with the table's name.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Uuid,
    literal_column,
)

from gridmap.store.base import Base, UTCDateTime
from gridmap.trail.decisions import LEFT_OUT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Column, ColumnElement
    from sqlalchemy.types import TypeEngine

__all__ = ["Field", "Form", "digest_of", "encode", "form_of"]

_KINDS: Sequence[tuple[type[TypeEngine[Any]], str]] = (
    (Geometry, "geometry"),
    (Uuid, "uuid"),
    (UTCDateTime, "time"),
    (DateTime, "time"),
    (Date, "date"),
    (Boolean, "bool"),
    (Integer, "integer"),
    (Float, "float"),
    (JSON, "json"),
    (String, "text"),
    (LargeBinary, "bytes"),
)
_RAW = {
    "postgresql": {
        "geometry": "ST_AsBinary({0}, 'NDR')",
        "uuid": "encode(uuid_send({0}), 'hex')",
        "time": "(extract(epoch FROM {0}) * 1000000)::bigint",
        "date": "({0} - DATE '1970-01-01')",
        "json": "{0}::text",
    },
    "sqlite": {"geometry": "AsBinary({0})"},
}
"""How a value is asked for, so that the driver's own types say all there is."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Field:
    """One audited column; `blank` are the bytes of its default, which are left out."""

    name: str
    kind: str
    blank: bytes | None


@dataclass(frozen=True, slots=True)
class Form:
    """Which columns of a table count, in the order of their names."""

    table: str
    fields: tuple[Field, ...]

    def raw(self, dialect: str, only: frozenset[str] | None = None) -> list[ColumnElement[Any]]:
        """Columns to select: the id, then every field; one that the database does not have yet is NULL."""
        how = _RAW[dialect]
        shown = [
            how.get(field.kind, "{0}").format(f'"{self.table}"."{field.name}"')
            if only is None or field.name in only
            else "NULL"
            for field in self.fields
        ]
        identity: ColumnElement[Any] = literal_column(f'"{self.table}"."id"').label("id")
        return [identity, *(literal_column(text).label(f"f{n}") for n, text in enumerate(shown))]

    def canonical(self, values: Sequence[Any]) -> bytes:
        """Canonical bytes of a row, of its values as `raw` selects them, without the id."""
        parts = []
        for field, value in zip(self.fields, values, strict=True):
            if value is None:
                continue
            content = encode(field.kind, value)
            if content != field.blank:
                parts.append(b"%s=%d:%s" % (field.name.encode(), len(content), content))
        return b"".join(parts)

    def digest(self, values: Sequence[Any]) -> bytes:
        """Digest of a row, of its values as `raw` selects them."""
        return digest_of(self.table, self.canonical(values))


def digest_of(table: str, canonical: bytes) -> bytes:
    """Digest of a row's canonical bytes."""
    return hashlib.blake2b(canonical, digest_size=16, person=person_of(table)).digest()


def person_of(table: str) -> bytes:
    """What tells digests of one table from another's."""
    return table.encode()[:16]


def encode(kind: str, value: Any) -> bytes:
    """Canonical bytes of one value; one that is not of its column's kind, as SQLite allows, as it is."""
    try:
        return _ENCODE[kind](value)
    except (TypeError, ValueError, AttributeError, struct.error, OverflowError):
        return b"!%s" % repr(value).encode()


def _digits(value: Any) -> bytes:
    if type(value) is not int:
        raise TypeError
    return b"%d" % value


def _microseconds(value: Any) -> bytes:
    if isinstance(value, str):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    if isinstance(value, datetime):
        since = value - _EPOCH
        return b"%d" % ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
    return _digits(value)


def _days(value: Any) -> bytes:
    if isinstance(value, str):
        value = date.fromisoformat(value)
    return b"%d" % (value - _DAY).days if isinstance(value, date) else _digits(value)


def _truth(value: Any) -> bytes:
    if value not in (0, 1):
        raise ValueError
    return b"1" if value else b"0"


_ENCODE: Mapping[str, Callable[[Any], bytes]] = {
    "geometry": bytes,
    "bytes": bytes,
    "uuid": lambda value: value.encode("ascii"),
    "time": _microseconds,
    "date": _days,
    "bool": _truth,
    "integer": _digits,
    # Minus zero is zero: SQLite keeps no sign of it.
    "float": lambda value: struct.pack(">d", value + 0.0),
    "json": str.encode,
    "text": str.encode,
}


@cache
def form_of(table: str) -> Form:
    """Return the canonical form of a table."""
    columns = Base.metadata.tables[table].columns
    fields = [
        Field(column.name, kind := _kind(column), _blank(column, kind))
        for column in columns
        if column.name != "id" and (table, column.name) not in LEFT_OUT_COLUMNS
    ]
    return Form(table, tuple(sorted(fields, key=lambda field: field.name)))


def _kind(column: Column[Any]) -> str:
    for sql, kind in _KINDS:
        if isinstance(column.type, sql):
            return kind
    message = f"Expected a type of which the canonical form is known; found {column.type!r} of {column}."
    raise TypeError(message)


def _blank(column: Column[Any], kind: str) -> bytes | None:
    given: Any = column.default
    if given is None or not hasattr(given, "arg"):
        return None
    if given.is_callable:
        return json.dumps(given.arg(None)).encode() if kind == "json" else None
    return encode(kind, getattr(given.arg, "value", given.arg))
