"""What a line says a row was and is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import shapely

from gridmap.trail.canon import encode
from gridmap.trail.decisions import is_secret

if TYPE_CHECKING:
    from gridmap.trail.canon import Field, Form
    from gridmap.trail.chain import ChainKey
    from gridmap.trail.images import Image

__all__ = ["told"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def told(
    form: Form, before: Image | None, after: Image | None, key: ChainKey
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return what changed: the columns that differ, as they were and are.

    A new or deleted row is told by all its columns that are not blank; a secret by its veil.
    """
    if before is not None and after is not None:
        differ = [n for n, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    else:
        present = before if before is not None else after or ()
        differ = [n for n, field in enumerate(form.fields) if not _blank(field, present[n])]
    was, now = (
        None if image is None else {form.fields[n].name: _shown(form, n, image[n], key) for n in differ}
        for image in (before, after)
    )
    return was, now


def _blank(field: Field, value: Any) -> bool:
    return value is None or encode(field.kind, value) == field.blank


def _shown(form: Form, number: int, value: Any, key: ChainKey) -> Any:
    field = form.fields[number]
    if value is None:
        return None
    if is_secret(form.table, field.name):
        return key.veil(encode(field.kind, value))
    try:
        return _SHOW.get(field.kind, _plain)(value)
    except (TypeError, ValueError, shapely.errors.ShapelyError):
        return str(value)


def _plain(value: Any) -> Any:
    return value


def _time(value: Any) -> str:
    moment = (
        datetime.fromisoformat(value) if isinstance(value, str) else _EPOCH + timedelta(microseconds=value)
    )
    return moment.replace(tzinfo=UTC).isoformat(timespec="microseconds")


def _day(value: Any) -> str:
    return value if isinstance(value, str) else (_EPOCH + timedelta(days=value)).date().isoformat()


def _shape(value: bytes) -> str:
    return str(shapely.to_wkt(shapely.from_wkb(bytes(value)), rounding_precision=-1))


_SHOW: dict[str, Any] = {
    "time": _time,
    "date": _day,
    "bool": bool,
    "json": json.loads,
    "geometry": _shape,
    "bytes": lambda value: bytes(value).hex(),
}
