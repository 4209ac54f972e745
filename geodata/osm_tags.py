"""What OpenStreetMap tags mean here: classes of streets, types of sites, kinds of ground.

Tags are documented at https://wiki.openstreetmap.org/wiki/Map_features .
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tags = Mapping[str, str]

__all__ = [
    "RoadClass",
    "SiteType",
    "address_of",
    "green_kind",
    "name_of",
    "oneway_of",
    "road_class",
    "site_type",
    "water_kind",
]


class RoadClass(StrEnum):
    """Class of a street; links (ramps) have the class of the road they serve."""

    MOTORWAY = "motorway"
    TRUNK = "trunk"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"
    UNCLASSIFIED = "unclassified"
    RESIDENTIAL = "residential"
    LIVING_STREET = "living_street"
    SERVICE = "service"
    PEDESTRIAN = "pedestrian"
    FOOTWAY = "footway"
    CYCLEWAY = "cycleway"
    PATH = "path"
    STEPS = "steps"
    TRACK = "track"
    OTHER = "other"


class SiteType(StrEnum):
    """Type of a place that assessors may sample."""

    MARKET = "market"
    SUPERMARKET = "supermarket"
    MALL = "mall"
    SHOP_STREET = "shop_street"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    PUBLIC_SERVICE = "public_service"
    POLICE = "police"
    BANK = "bank"
    POST_OFFICE = "post_office"
    STATION = "station"
    BUS_STOP = "bus_stop"
    PARK = "park"
    SQUARE = "square"
    CULTURE = "culture"
    SPORTS = "sports"
    ATTRACTION = "attraction"
    HOTEL = "hotel"
    ESTATE = "estate"
    CONSTRUCTION = "construction"
    PARKING = "parking"
    TOILET = "toilet"
    WASTE = "waste"


_NO_STREETS = frozenset(
    [
        "abandoned",
        "bus_stop",
        "corridor",
        "demolished",
        "elevator",
        "planned",
        "platform",
        "proposed",
        "razed",
        "rest_area",
        "services",
    ]
)
_CLASSES: dict[str, RoadClass] = {
    **{kind.value: kind for kind in RoadClass},
    "road": RoadClass.UNCLASSIFIED,
    "bridleway": RoadClass.PATH,
}

# The first line that fits decides. A value of None stands for any but "no".
_SITES: tuple[tuple[str, frozenset[str] | None, SiteType], ...] = tuple(
    (key, frozenset(values.split()) if values else None, site)
    for key, values, site in (
        ("amenity", "marketplace", SiteType.MARKET),
        ("shop", "supermarket wholesale", SiteType.SUPERMARKET),
        ("shop", "mall department_store", SiteType.MALL),
        ("amenity", "school kindergarten college university", SiteType.SCHOOL),
        ("amenity", "hospital clinic", SiteType.HOSPITAL),
        ("healthcare", "hospital clinic centre", SiteType.HOSPITAL),
        ("amenity", "police fire_station", SiteType.POLICE),
        (
            "amenity",
            "townhall public_building community_centre courthouse social_centre",
            SiteType.PUBLIC_SERVICE,
        ),
        ("office", "government", SiteType.PUBLIC_SERVICE),
        ("amenity", "bank", SiteType.BANK),
        ("amenity", "post_office", SiteType.POST_OFFICE),
        ("amenity", "bus_station ferry_terminal", SiteType.STATION),
        ("railway", "station halt", SiteType.STATION),
        ("public_transport", "station", SiteType.STATION),
        ("aeroway", "aerodrome terminal", SiteType.STATION),
        ("highway", "bus_stop", SiteType.BUS_STOP),
        ("place", "square", SiteType.SQUARE),
        ("leisure", "park garden", SiteType.PARK),
        ("leisure", "sports_centre stadium", SiteType.SPORTS),
        ("amenity", "library theatre arts_centre cinema", SiteType.CULTURE),
        ("tourism", "museum gallery", SiteType.CULTURE),
        ("tourism", "attraction theme_park zoo", SiteType.ATTRACTION),
        ("tourism", "hotel motel hostel guest_house", SiteType.HOTEL),
        ("landuse", "construction", SiteType.CONSTRUCTION),
        ("building", "construction", SiteType.CONSTRUCTION),
        ("landuse", "retail", SiteType.SHOP_STREET),
        ("landuse", "residential", SiteType.ESTATE),
        ("residential", "", SiteType.ESTATE),
        ("place", "quarter neighbourhood", SiteType.ESTATE),
        ("amenity", "parking", SiteType.PARKING),
        ("amenity", "toilets", SiteType.TOILET),
        ("amenity", "waste_transfer_station recycling", SiteType.WASTE),
    )
)
# Without a name these are ground cover or furniture of another site, not places somebody signs for.
_ONLY_NAMED = frozenset(
    (
        SiteType.PARK,
        SiteType.SQUARE,
        SiteType.ESTATE,
        SiteType.SHOP_STREET,
        SiteType.SPORTS,
        SiteType.ATTRACTION,
    )
)

_GREEN: dict[str, frozenset[str]] = {
    "leisure": frozenset(
        ["park", "garden", "nature_reserve", "golf_course", "pitch", "playground", "dog_park"]
    ),
    "landuse": frozenset(
        [
            "grass",
            "forest",
            "meadow",
            "village_green",
            "recreation_ground",
            "cemetery",
            "orchard",
            "farmland",
            "flowerbed",
        ]
    ),
    "natural": frozenset(["wood", "scrub", "grassland", "heath"]),
}
_WATER: dict[str, frozenset[str]] = {
    "natural": frozenset(("water", "bay")),
    "waterway": frozenset(["river", "stream", "canal", "drain", "ditch", "riverbank", "dock"]),
    "landuse": frozenset(("reservoir", "basin")),
}
_HAN = re.compile(r"[\u3400-\u9fff]")


def name_of(tags: Tags) -> str | None:
    """Chinese name where there is one, else the local one."""
    return tags.get("name:zh") or tags.get("name:zh-Hans") or tags.get("name") or None


def road_class(tags: Tags) -> RoadClass | None:
    """Class of a way tagged ``highway``; None for what is mapped so but is no street that exists."""
    value = tags.get("highway", "").removesuffix("_link")
    if value in _NO_STREETS or value == "construction":
        return None
    return _CLASSES.get(value, RoadClass.OTHER)


def oneway_of(tags: Tags) -> int:
    """1 along the line, -1 against it, 0 both ways; roundabouts and motorways are one-way unless tagged."""
    value = tags.get("oneway")
    if value in ("yes", "true", "1"):
        return 1
    if value in ("-1", "reverse"):
        return -1
    implied = tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"
    return int(value is None and implied)


def site_type(tags: Tags) -> SiteType | None:
    """Type of site that tags stand for, or None."""
    for key, values, site in _SITES:
        value = tags.get(key)
        if value is None or value == "no" or (values is not None and value not in values):
            continue
        if site in _ONLY_NAMED and name_of(tags) is None:
            continue
        return site
    if tags.get("highway") == "pedestrian" and tags.get("area") == "yes" and name_of(tags):
        return SiteType.SQUARE
    return None


def green_kind(tags: Tags) -> str | None:
    """Kind of green ground for the base map (``park``, ``grass``, ``wood``, …), or None."""
    return _kind(tags, _GREEN)


def water_kind(tags: Tags) -> str | None:
    """Kind of water for the base map (``water``, ``river``, ``canal``, …), or None."""
    return _kind(tags, _WATER)


def address_of(tags: Tags) -> str | None:
    """Address in the order of its language: 南京路100号, but 33 Beacon Street."""
    if full := tags.get("addr:full"):
        return full
    street, number = tags.get("addr:street"), tags.get("addr:housenumber")
    if street and number:
        if not _HAN.search(street):
            return f"{number} {street}"
        return f"{street}{number}{'号' if number.isdecimal() else ''}"
    return street or None


def _kind(tags: Tags, table: Mapping[str, frozenset[str]]) -> str | None:
    return next((tags[key] for key, values in table.items() if tags.get(key) in values), None)
