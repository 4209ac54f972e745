"""Layers of a vector tile as bytes.

Source: Mapbox Vector Tile specification 2.1; the wire classes are those of `mapbox_vector_tile`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["EXTENT", "LINE", "POINT", "POLYGON", "commands", "encode_layer"]

EXTENT = 4096
"""Units along a tile."""

POINT, LINE, POLYGON = 1, 2, 3
_MOVE_TO_ONE, _LINE_TO, _CLOSE_PATH = 9, 2, 15


def commands(
    points: NDArray[np.int64], part_start: NDArray[np.int64], feature_part: NDArray[np.int64], kind: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drawing commands of many features.

    Parameters
    ----------
    points
        Tile units, shape (p, 2), all parts one after another; rings without their closing point.
    part_start
        Where each line, ring or single point starts in `points`, and the end of the last, shape (q + 1,).
    feature_part
        Where each feature starts in the parts, and the end of the last, shape (f + 1,).
    kind
        `POINT` (every feature one point), `LINE` or `POLYGON`.

    Returns
    -------
    tuple
        Commands of all features, and where those of each start, shape (f + 1,).
    """
    steps = np.diff(points, axis=0, prepend=0)
    first_point = part_start[feature_part[:-1]]
    steps[first_point] = points[first_point]
    steps = (steps << 1) ^ (steps >> 63)
    length = np.diff(part_start)
    # Per part: MoveTo and one step, LineTo and the other steps, ClosePath.
    extra = {POINT: 1, LINE: 2, POLYGON: 3}[kind]
    start = np.concatenate(([0], np.cumsum(2 * length + extra)))
    result = np.empty(start[-1], dtype=np.int64)
    rank = np.arange(len(points)) - np.repeat(part_start[:-1], length)
    at = np.repeat(start[:-1], length) + 1 + 2 * rank + (rank > 0)
    result[at] = steps[:, 0]
    result[at + 1] = steps[:, 1]
    result[start[:-1]] = _MOVE_TO_ONE
    if kind != POINT:
        result[start[:-1] + 3] = ((length - 1) << 3) | _LINE_TO
    if kind == POLYGON:
        result[start[1:] - 1] = _CLOSE_PATH
    return result, start[feature_part]


def encode_layer(
    name: str,
    kind: int,
    drawing: tuple[NDArray[np.int64], NDArray[np.int64]],
    attributes: Mapping[str, ArrayLike],
    ids: NDArray[Any] | None = None,
) -> bytes:
    """One layer; layers joined with ``+`` are a tile.

    Parameters
    ----------
    name
        Of the layer.
    kind
        `POINT`, `LINE` or `POLYGON`.
    drawing
        From `commands`, for f features.
    attributes
        Columns of shape (f,): text, numbers or truth values. None, NaN and NaT are left out.
    ids
        Feature numbers >= 0, shape (f,), or None.

    Returns
    -------
    bytes
        The same for the same input; empty without features.

    Raises
    ------
    GeometryError
        If a column has another length.
    """
    geometry, start = drawing
    count = len(start) - 1
    if count == 0:
        return b""
    # A fifth of a second to read, which no start should wait for.
    from mapbox_vector_tile.Mapbox import vector_tile_pb2

    tile = vector_tile_pb2.tile()
    layer = tile.layers.add(name=name, version=2, extent=EXTENT)
    tags: list[list[int]] = [[] for _ in range(count)]
    for key, column in attributes.items():
        values = np.asarray(column)
        if values.shape != (count,):
            raise GeometryError(
                "Expected a column {name} of shape {expected}; found {found}.",
                name=key,
                expected=(count,),
                found=values.shape,
            )
        _add_column(layer, tags, key, values)
    bounds = start.tolist()
    words = geometry.tolist()
    numbers = None if ids is None else ids.tolist()
    for i, (first, last) in enumerate(pairwise(bounds)):
        feature = layer.features.add(type=kind)
        if numbers is not None:
            feature.id = numbers[i]
        feature.tags.extend(tags[i])
        feature.geometry.extend(words[first:last])
    return bytes(tile.SerializeToString(deterministic=True))


def _add_column(layer: Any, tags: list[list[int]], key: str, values: NDArray[Any]) -> None:
    """Write the distinct values of one column to the layer, and which of them each feature has."""
    plain = values.tolist() if values.dtype.kind in "biuf" else [_text(value) for value in values.tolist()]
    key_number = len(layer.keys)
    layer.keys.append(key)
    numbers: dict[Any, int] = {}
    for tag, value in zip(tags, plain, strict=True):
        if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
            continue
        number = numbers.get((type(value), value))
        if number is None:
            number = numbers[type(value), value] = len(layer.values)
            _set_value(layer.values.add(), value)
        tag += (key_number, number)  # noqa: PLW2901 - extends the feature's own list


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _set_value(target: Any, value: Any) -> None:
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif value >= 0:
        target.uint_value = value
    else:
        target.sint_value = value
