"""What is kept of OpenStreetMap objects in each layer, by their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.osm_tags import (
    address_of,
    green_kind,
    name_of,
    oneway_of,
    road_class,
    site_type,
    water_kind,
)
from geodata.travel import TRAVEL_TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    Attributes = dict[str, Any]

__all__ = ["polygon_attributes", "site_attributes", "street_attributes"]

_MOST_LEVELS = 200


def street_attributes(tags: dict[str, str]) -> Attributes:
    """Say what is kept of a street."""
    return {
        "name": name_of(tags),
        "road_class": road_class(tags),
        "oneway": oneway_of(tags),
        "link": tags["highway"].endswith("_link"),
        "layer": int(_number(tags.get("layer"), 0)),
        "bridge": tags.get("bridge", "no") != "no",
        "tunnel": tags.get("tunnel", "no") != "no",
        "tags": {key: tags[key] for key in sorted(TRAVEL_TAGS.intersection(tags))},
    }


def site_attributes(tags: dict[str, str]) -> Attributes | None:
    """Say what is kept of a site; None if it is none."""
    kind = site_type(tags)
    if kind is None:
        return None
    return {"name": name_of(tags), "site_type": kind, "address": address_of(tags)}


def polygon_attributes(tags: dict[str, str]) -> Iterator[tuple[str, Attributes]]:
    """Yield the layers an outline with `tags` belongs to, with its attributes there."""
    name = name_of(tags)
    if (site := site_attributes(tags)) is not None:
        yield "sites", site
    if tags.get("building", "no") != "no":
        yield "buildings", {"name": name, "levels": _number(tags.get("building:levels"), np.nan)}
    if tags.get("boundary") == "administrative":
        yield "areas", {"name": name, "admin_level": int(_number(tags.get("admin_level"), 0))}
    if (kind := water_kind(tags)) is not None:
        yield "water", {"name": name, "kind": kind}
    if (kind := green_kind(tags)) is not None:
        yield "green", {"name": name, "kind": kind}


def _number(text: str | None, default: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return default
    return value if abs(value) < _MOST_LEVELS else default
