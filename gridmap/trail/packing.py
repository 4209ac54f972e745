"""Ids and digests of many rows in few bytes."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DIGEST", "pack", "unpack"]

DIGEST = np.dtype("V16")
"""One row's digest."""
_HEAD = struct.Struct(">BQQ")
_VERSION = 1


def pack(ids: NDArray[np.int64], digests: NDArray[np.void] | None) -> bytes:
    """Pack ids, shape (n,), and digests of the same shape; none where the rows are gone.

    Neighbouring ids differ by little, so the differences nearly vanish; digests are noise and stay.
    """
    steps = zlib.compress(np.diff(np.asarray(ids, dtype="<i8"), prepend=0).astype("<i8").tobytes(), 1)
    tail = b"" if digests is None else np.ascontiguousarray(digests).tobytes()
    return _HEAD.pack(_VERSION, len(ids), len(steps)) + steps + tail


def unpack(packed: bytes) -> tuple[NDArray[np.int64], NDArray[np.void] | None]:
    """Undo `pack`.

    Raises
    ------
    InvalidValueError
        If it is not what `pack` makes.
    """
    try:
        version, count, length = _HEAD.unpack_from(packed)
        steps = np.frombuffer(zlib.decompress(packed[_HEAD.size : _HEAD.size + length]), dtype="<i8")
        tail = packed[_HEAD.size + length :]
        digests = np.frombuffer(tail, dtype=DIGEST) if tail else None
    except (struct.error, zlib.error, ValueError) as error:
        raise InvalidValueError(
            "Expected a list of rows; found {found} other bytes.", found=len(packed)
        ) from error
    if version != _VERSION or len(steps) != count or (digests is not None and len(digests) != count):
        raise InvalidValueError(
            "Expected a list of {count} rows; found {found}.", count=count, found=len(steps)
        )
    return np.cumsum(steps, dtype=np.int64), digests
