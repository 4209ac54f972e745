"""Digests of many rows at once, from Arrow columns; what `gridmap.trail.canon` says, column by column."""

from __future__ import annotations

import hashlib
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridmap.trail.canon import encode, form_of, person_of
from gridmap.trail.packing import DIGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gridmap.trail.canon import Field, Form

__all__ = ["array_of", "digests_of_arrays", "digests_of_batch"]

_NOTHING = pa.scalar(b"")
_EWKB_HEAD = 9
"""Bytes of order, type and coordinate system before the shape itself."""


def digests_of_batch(table: str, batch: pa.RecordBatch) -> NDArray[np.void]:
    """Digests of rows as `gridmap.store.columns.as_arrow` makes them, shape (n,); WKB or EWKB."""
    form = form_of(table)
    arrays = {
        field.name: _of_arrow(batch.column(field.name), field.kind)
        for field in form.fields
        if field.name in batch.schema.names
    }
    return digests_of_arrays(form, arrays, batch.num_rows)


def digests_of_arrays(form: Form, arrays: Mapping[str, pa.Array], count: int) -> NDArray[np.void]:
    """Digests of rows whose columns are canonical bytes already, Arrow binary with NULLs, shape (n,)."""
    parts: list[Any] = []
    for field in form.fields:
        if field.name in arrays:
            parts += _framed(field, arrays[field.name])
    joined = pc.binary_join_element_wise(*_merged(parts), pa.repeat(_NOTHING, count), _NOTHING)
    data = memoryview(joined.buffers()[2] or b"")
    ends = np.frombuffer(joined.buffers()[1], dtype=np.int32)[: count + 1].tolist()
    person, blake = person_of(form.table), hashlib.blake2b
    digests = [
        blake(data[start:end], digest_size=16, person=person).digest() for start, end in pairwise(ends)
    ]
    return np.frombuffer(b"".join(digests), dtype=DIGEST)


def _framed(field: Field, values: pa.Array) -> list[Any]:
    """``name=length:bytes`` per row in parts to be joined; nothing where the value is none or the default."""
    if not len(values) or values.null_count == len(values):
        return []
    if _is_same(values):
        value = values[0].as_py()
        return (
            []
            if value == field.blank
            else [pa.scalar(b"%s=%d:%s" % (field.name.encode(), len(value), value))]
        )
    name, colon = pa.scalar(f"{field.name}=".encode()), pa.scalar(b":")
    sizes = pc.binary_length(values)
    least = pc.min_max(sizes)
    if least["min"] == least["max"]:
        lengths: Any = pa.scalar(str(least["min"].as_py()).encode())
    else:
        lengths = sizes.cast(pa.string()).cast(pa.binary())
    some = pc.is_valid(values) if values.null_count else None
    if field.blank is not None:
        stated = pc.not_equal(values, pa.scalar(field.blank))
        if values.null_count or not pc.all(stated).as_py():
            some = pc.fill_null(stated, fill_value=False)
    if some is None:
        return [name, lengths, colon, values]
    framed = pc.binary_join_element_wise(name, lengths, colon, values, _NOTHING)
    return [pc.fill_null(pc.if_else(some, framed, _NOTHING), _NOTHING)]


def _is_same(values: pa.Array) -> bool:
    """Whether all rows have the same value; the first and the last tell most of those apart that differ."""
    return (
        not values.null_count and values[0].equals(values[-1]) and pc.all(pc.equal(values, values[0])).as_py()
    )


def _merged(parts: list[Any]) -> Iterator[Any]:
    """Put neighbouring texts that are the same in all rows together: each part costs a pass over the rows."""
    for single, group in groupby(parts, key=lambda part: isinstance(part, pa.Scalar)):
        members = list(group)
        yield from [pa.scalar(b"".join(part.as_py() for part in members))] if single else members


def _of_arrow(values: pa.Array, kind: str) -> pa.Array:
    return _ENCODE.get(kind, _as_text)(values)


def _as_text(values: pa.Array) -> pa.Array:
    return values.cast(pa.string()).cast(pa.binary())


def _times(values: pa.Array) -> pa.Array:
    return _as_text(values.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64()))


def _doubles(values: pa.Array) -> pa.Array:
    plain = values.cast(pa.float64())
    raw = (pc.fill_null(plain, 0.0).to_numpy(zero_copy_only=False) + 0.0).astype(">f8").tobytes()
    return _fixed(raw, 8, plain)


def _uids(values: pa.Array) -> pa.Array:
    flat = (
        b"".join(value or bytes(16) for value in values.to_pylist()) if values.null_count else _bytes(values)
    )
    return _fixed(flat.hex().encode(), 32, values)


def _bytes(values: pa.Array) -> bytes:
    whole: bytes = values.buffers()[1].to_pybytes()
    return whole[values.offset * 16 : (values.offset + len(values)) * 16]


def _fixed(raw: bytes, width: int, like: pa.Array) -> pa.Array:
    """Values of one width out of one buffer, none where `like` has none."""
    plain = pa.Array.from_buffers(pa.binary(width), len(like), [None, pa.py_buffer(raw)]).cast(pa.binary())
    return pc.if_else(pc.is_valid(like), plain, pa.scalar(None, pa.binary())) if like.null_count else plain


def _shapes(values: pa.Array) -> pa.Array:
    """WKB of whatever a store takes: WKB itself, EWKB, or SpatiaLite's own form of a point.

    In EWKB, bit 29 of the type says that four bytes of coordinate system follow. SpatiaLite's form of a point
    has type and coordinates, as WKB has them, from byte 39 to the last but one.
    """
    if pa.types.is_fixed_size_binary(values.type):
        order, blob = pa.scalar(b"\1"), values.cast(pa.binary())
        return pc.binary_join_element_wise(order, pc.binary_slice(blob, 39, 59), pa.scalar(b""))
    first = next((value for value in values if value.is_valid), None)
    if first is None or not first.as_buffer()[4:5].to_pybytes()[0] & 0x20:
        return values
    head, tail = pc.binary_slice(values, 0, 4), pc.binary_slice(values, _EWKB_HEAD, 2**31 - 1)
    return pc.binary_join_element_wise(head, pa.scalar(b"\0"), tail, pa.scalar(b""))


_ENCODE: dict[str, Callable[[pa.Array], pa.Array]] = {
    "geometry": _shapes,
    "bytes": lambda values: values.cast(pa.binary()),
    "uuid": _uids,
    "time": _times,
    "date": lambda values: _as_text(values.cast(pa.int32())),
    "bool": lambda values: _as_text(values.cast(pa.int8())),
    "float": _doubles,
}


def array_of(kind: str, values: Sequence[Any], dialect: str) -> pa.Array:
    """Canonical bytes of one column of rows as `gridmap.trail.canon.Form.raw` selects them."""
    try:
        if kind in {"time", "date"} and dialect == "sqlite":
            text = pa.array(values, type=pa.string())
            return _of_arrow(text.cast(pa.timestamp("us") if kind == "time" else pa.date32()), kind)
        plain = pa.array(values, type=_ARROW[kind])
        return plain.cast(pa.binary()) if kind == "uuid" else _of_arrow(plain, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        # Something in it is not of the column's kind; SQLite allows that.
        encoded = [None if value is None else encode(kind, value) for value in values]
        return pa.array(encoded, type=pa.binary())


_ARROW = {
    "geometry": pa.binary(),
    "bytes": pa.binary(),
    "uuid": pa.string(),
    "time": pa.int64(),
    "date": pa.int64(),
    "bool": pa.bool_(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "json": pa.string(),
    "text": pa.string(),
}
