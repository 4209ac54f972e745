"""Values for a table's columns as Arrow columns."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from geoalchemy2 import Geometry
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    SmallInteger,
    String,
    Uuid,
)

from gridmap.store.base import UTCDateTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.types import TypeEngine

__all__ = ["arrow_type", "as_arrow", "is_single", "random_uids"]

_TIME = pa.timestamp("us", tz="UTC")
_EWKB = np.dtype([("order", "u1"), ("kind", "<u4"), ("srid", "<i4"), ("at", "<f8", 2)])
"""Bytes of a point that names its coordinate system, as PostGIS writes it."""
_EWKB_HEAD = (1, 0x20000001, 0)
_BLOB = np.dtype(
    [
        ("start", "u1"),
        ("order", "u1"),
        ("srid", "<i4"),
        ("box", "<f8", 4),
        ("mark", "u1"),
        ("kind", "<u4"),
        ("at", "<f8", 2),
        ("end", "u1"),
    ]
)
"""Bytes of a point in SpatiaLite, https://www.gaia-gis.it/gaia-sins/BLOB-Geometry.html."""
_BLOB_HEAD = (1, 1, 0)
_BLOB_MARKS = (0x7C, 0xFE)
_TYPES: Sequence[tuple[type[TypeEngine[Any]], pa.DataType]] = (
    (Geometry, pa.binary()),
    (Uuid, pa.binary(16)),
    (UTCDateTime, _TIME),
    (DateTime, _TIME),
    (Date, pa.date32()),
    (Boolean, pa.bool_()),
    (SmallInteger, pa.int16()),
    (BigInteger, pa.int64()),
    (Integer, pa.int32()),
    (Float, pa.float64()),
    (String, pa.string()),
    (JSON, pa.string()),
)


def arrow_type(kind: TypeEngine[Any]) -> pa.DataType:
    """Arrow's type for a column's; a geometry is WKB, JSON its text, an enum its value."""
    return next(arrow for sql, arrow in _TYPES if isinstance(kind, sql))


def is_single(values: Any) -> bool:
    """Whether one value is meant, which then stands in every row."""
    return values is None or isinstance(values, (str, bytes, dict)) or not hasattr(values, "__len__")


def as_arrow(values: Any, column: ColumnElement[Any], rows: slice, *, postgis: bool) -> pa.Array:
    """Some rows of a column, in the type that the table needs.

    Parameters
    ----------
    values
        One value for all rows, or an array-like with an element per row: numpy, pandas, Arrow or a list.
        Geometry is an array of shapely geometries, or of shape (n, 2) with longitude and latitude of points.
        Times without an offset are UTC. In a foreign key a negative number is NULL. An enum may be given as
        positions in its list, JSON as objects or as text that is JSON already.
    column
        The table's column.
    rows
        Which rows, with start and stop.
    postgis
        Whether geometry is to be EWKB, as PostGIS wants it; else points are what SpatiaLite keeps, binary of
        a fixed size, and other shapes WKB.
    """
    kind = column.type
    target = arrow_type(kind)
    if is_single(values):
        return pa.repeat(pa.scalar(_plain(values, kind, ewkb=postgis), type=target), rows.stop - rows.start)
    part = _cut(values, rows)
    if isinstance(kind, Geometry):
        return _shapes(part, kind.srid, postgis=postgis)
    if isinstance(kind, Uuid):
        return _uids(part)
    if isinstance(kind, JSON) and not isinstance(part, pa.Array):
        part = [value if isinstance(value, str) else json.dumps(value) for value in part]
    if isinstance(kind, Enum) and getattr(getattr(part, "dtype", None), "kind", "") in {"i", "u"}:
        codes = pa.array(part, type=pa.int32(), mask=np.asarray(part) < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(kind.enums, type=target)).cast(target)
    array = _array(part, below_zero_is_null=bool(getattr(column, "foreign_keys", None)))
    return array.cast(target, safe=not pa.types.is_timestamp(target))


def _shapes(part: Any, srid: int, *, postgis: bool) -> pa.Array:
    """Geometry as a store wants it; points, given as such or as coordinates, without touching each."""
    shapes = None if np.ndim(part) == 2 else np.asarray(part, dtype=object)
    if shapes is None:
        points = np.asarray(part, dtype=np.float64)
    elif (shapely.get_type_id(shapes) == 0).all() and not (
        shapely.is_empty(shapes) | shapely.has_z(shapes)
    ).any():
        points = shapely.get_coordinates(shapes)
    else:
        wkb = shapely.to_wkb(shapely.set_srid(shapes, srid), include_srid=postgis)
        return pa.array(wkb, type=pa.binary(), from_pandas=True)
    made = np.zeros(len(points), dtype=_EWKB if postgis else _BLOB)
    made[["order", "kind", "srid"]] = _EWKB_HEAD if postgis else _BLOB_HEAD
    made["srid"] = srid
    made["at"] = points
    if postgis:
        ends = np.arange(len(made) + 1, dtype=np.int32) * _EWKB.itemsize
        return pa.Array.from_buffers(pa.binary(), len(made), [None, pa.py_buffer(ends), pa.py_buffer(made)])
    made["box"] = points[:, [0, 1, 0, 1]]
    made["mark"], made["end"] = _BLOB_MARKS
    return pa.Array.from_buffers(pa.binary(_BLOB.itemsize), len(made), [None, pa.py_buffer(made)])


def _array(part: Any, *, below_zero_is_null: bool) -> pa.Array:
    if isinstance(part, pa.ChunkedArray):
        part = part.combine_chunks()
    if not isinstance(part, pa.Array):
        mask = None
        if isinstance(part, np.ma.MaskedArray):
            part, mask = part.data, np.ma.getmaskarray(part)
        elif below_zero_is_null and isinstance(part, np.ndarray) and part.dtype.kind == "i":
            mask = part < 0
        part = pa.array(part, mask=mask, from_pandas=True)
    if pa.types.is_timestamp(part.type) and part.type.tz is None:
        part = part.cast(pa.timestamp("us"), safe=False).cast(_TIME)
    return part


def _cut(values: Any, rows: slice) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.slice(rows.start, rows.stop - rows.start)
    return values.iloc[rows].array if isinstance(values, pd.Series) else values[rows]


def _plain(value: Any, kind: TypeEngine[Any], *, ewkb: bool) -> Any:
    if isinstance(kind, JSON):
        return value if isinstance(value, str) or value is None else json.dumps(value)
    if isinstance(kind, Geometry):
        return shapely.to_wkb(shapely.set_srid(value, kind.srid), include_srid=ewkb)
    if isinstance(value, uuid.UUID):
        return value.bytes
    return value.value if isinstance(value, (str, int)) and hasattr(value, "value") else value


def _uids(part: Any) -> pa.Array:
    if isinstance(part, pa.Array):
        return part.cast(pa.binary(16))
    if isinstance(part, np.ndarray) and part.dtype == np.dtype("V16"):
        return _from_bytes(part.tobytes())
    return pa.array([uuid.UUID(str(value)).bytes for value in part], type=pa.binary(16))


def _from_bytes(raw: bytes) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(16), len(raw) // 16, [None, pa.py_buffer(raw)])


def random_uids(count: int) -> pa.Array:
    """Random UUIDs (version 4) in ascending order, fixed-size binary of shape (count,).

    In order, as an index takes sorted keys several times faster; which row gets which makes no difference.
    Source: RFC 9562, section 5.4.
    """
    raw = np.frombuffer(bytearray(os.urandom(16 * count)), dtype=np.uint8).reshape(count, 16)
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    order = np.argsort(np.ascontiguousarray(raw).view(">u8")[:, 0], kind="stable")
    return _from_bytes(raw[order].tobytes())
