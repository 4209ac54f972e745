"""Who may go where on a street, which way and how fast, from what OpenStreetMap says of it.

Tags are documented at https://wiki.openstreetmap.org/wiki/Key:access and
https://wiki.openstreetmap.org/wiki/Relation:restriction .
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from geodata.osm_tags import RoadClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tags = Mapping[str, str]

__all__ = ["TRAVEL_TAGS", "Profile", "barred_at", "bound_by", "speeds"]


class Profile(StrEnum):
    """How somebody goes round."""

    FOOT = "foot"
    BICYCLE = "bicycle"
    CAR = "car"
    """Electric patrol car: not on motorways, at walking pace in pedestrian streets."""


_KMH: dict[Profile, dict[RoadClass, float]] = {
    Profile.FOOT: {
        kind: 4.8 for kind in RoadClass if kind not in {RoadClass.MOTORWAY, RoadClass.TRUNK, RoadClass.STEPS}
    }
    | {RoadClass.STEPS: 2.4},
    Profile.BICYCLE: dict.fromkeys(
        (
            RoadClass.PRIMARY,
            RoadClass.SECONDARY,
            RoadClass.TERTIARY,
            RoadClass.UNCLASSIFIED,
            RoadClass.RESIDENTIAL,
            RoadClass.CYCLEWAY,
        ),
        15.0,
    )
    | dict.fromkeys((RoadClass.SERVICE, RoadClass.LIVING_STREET, RoadClass.TRACK, RoadClass.PATH), 12.0)
    | {RoadClass.PEDESTRIAN: 6.0},
    Profile.CAR: {
        RoadClass.TRUNK: 50.0,
        RoadClass.PRIMARY: 40.0,
        RoadClass.SECONDARY: 35.0,
        RoadClass.TERTIARY: 30.0,
        RoadClass.UNCLASSIFIED: 25.0,
        RoadClass.RESIDENTIAL: 20.0,
        RoadClass.SERVICE: 15.0,
        RoadClass.TRACK: 12.0,
        RoadClass.LIVING_STREET: 10.0,
        RoadClass.PEDESTRIAN: 6.0,
    },
}
"""Speed on each class of street where nothing else is said, km/h; a class not named is closed."""

_OPENED_KMH = {Profile.FOOT: 4.8, Profile.BICYCLE: 8.0, Profile.CAR: 10.0}
"""Speed on a street of a closed class that a tag opens."""

_KEYS: dict[Profile, tuple[str, ...]] = {
    Profile.FOOT: ("foot", "access"),
    Profile.BICYCLE: ("bicycle", "vehicle", "access"),
    Profile.CAR: ("motorcar", "motor_vehicle", "vehicle", "access"),
}
"""Keys that say who may pass; the first one given counts."""

_CLOSED = frozenset({"no", "agricultural", "forestry", "use_sidepath", "military"})
_OWNERS = frozenset({"private", "residents", "permit"})
_OPENED = frozenset({"yes", "designated", "permissive", "official", "destination", "delivery", "customers"})
_STOPS_CARS = frozenset(
    [
        "bollard",
        "block",
        "cycle_barrier",
        "motorcycle_barrier",
        "jersey_barrier",
        "log",
        "turnstile",
        "stile",
        "kissing_gate",
        "full-height_turnstile",
        "planter",
        "bus_trap",
        "sump_buster",
        "chain",
        "horse_stile",
        "debris",
    ]
)
_STOPS_BICYCLES = frozenset(["turnstile", "stile", "kissing_gate", "full-height_turnstile", "horse_stile"])

TRAVEL_TAGS = frozenset(
    [
        "foot",
        "bicycle",
        "vehicle",
        "motor_vehicle",
        "motorcar",
        "access",
        "oneway:bicycle",
        "oneway:foot",
        "cycleway",
        "cycleway:left",
        "cycleway:right",
        "cycleway:both",
        "maxspeed",
        "sidewalk",
        "busway",
    ]
)
"""Tags of a street that `speeds` reads besides its class and its ``oneway``."""

_NUMBER = re.compile(r"\d+(\.\d+)?")
_MPH = 1.609344


def _allowed(tags: Tags, profile: Profile) -> bool | None:
    """Whether tags open or close; None where they say nothing."""
    for key in _KEYS[profile]:
        value = tags.get(key)
        if value is None:
            continue
        # Whoever patrols an estate on foot goes through its gates.
        if value in _CLOSED or (value in _OWNERS and profile is not Profile.FOOT):
            return False
        # That everybody may use a way does not make steps a road.
        return True if value in _OPENED and key != "access" else None
    return None


def _contraflow(tags: Tags) -> bool:
    lanes = (tags.get(key, "") for key in ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both"))
    return tags.get("oneway:bicycle") == "no" or any(value.startswith("opposite") for value in lanes)


def _limit(tags: Tags) -> float | None:
    value = tags.get("maxspeed", "")
    found = _NUMBER.match(value)
    if found is None or not float(found[0]):
        return None
    return float(found[0]) * (_MPH if "mph" in value else 1.0)


def _class(text: str) -> RoadClass:
    try:
        return RoadClass(text)
    except ValueError:
        return RoadClass.OTHER


def speeds(profile: Profile, road_class: str, oneway: int, tags: Tags) -> tuple[float, float]:
    """Speed along a street's line and against it, km/h; 0 where that is not allowed.

    Parameters
    ----------
    profile
        How somebody goes.
    road_class
        A `RoadClass`; any other counts as `RoadClass.OTHER`.
    oneway
        1 along the line, -1 against it, 0 both.
    tags
        Of `TRAVEL_TAGS`, those given.
    """
    speed = _KMH[profile].get(_class(road_class), 0.0)
    allowed = _allowed(tags, profile)
    if allowed is None and profile is Profile.FOOT and tags.get("sidewalk", "no") not in ("no", "none"):
        allowed = True
    if allowed is False:
        return 0.0, 0.0
    if allowed and not speed:
        speed = _OPENED_KMH[profile]
    limit = _limit(tags)
    if limit is not None:
        # A car does not reach the limit on average.
        speed = min(speed, limit * (0.8 if profile is Profile.CAR else 1.0))
    if profile is Profile.FOOT:
        oneway = {"yes": 1, "-1": -1}.get(tags.get("oneway:foot", ""), 0)
    elif profile is Profile.BICYCLE and _contraflow(tags):
        oneway = 0
    return (speed if oneway >= 0 else 0.0), (speed if oneway <= 0 else 0.0)


def barred_at(tags: Tags) -> frozenset[Profile]:
    """Who does not get past a node tagged so (a bollard, a gate)."""
    barrier = tags.get("barrier")
    barred = set()
    for profile in Profile:
        allowed = _allowed(tags, profile)
        if allowed is None and barrier is not None:
            stops = {Profile.CAR: _STOPS_CARS, Profile.BICYCLE: _STOPS_BICYCLES}.get(profile, frozenset())
            allowed = barrier not in stops
        if allowed is False:
            barred.add(profile)
    return frozenset(barred)


def bound_by(tags: Tags) -> tuple[str, frozenset[Profile]]:
    """Kind of a turn restriction (``no_left_turn``, ``only_straight_on``, …) and whom it binds.

    Restrictions for some hours, for other vehicles and for nobody here give an empty kind.
    """
    exempt = {word.strip() for word in tags.get("except", "").split(";")}
    bound: set[Profile] = set()
    kind = tags.get("restriction", "")
    if kind:
        bound = {Profile.CAR, Profile.BICYCLE}
    for key, profile in (("restriction:motorcar", Profile.CAR), ("restriction:motor_vehicle", Profile.CAR)):
        if key in tags and not kind:
            kind, bound = tags[key], {profile}
    if exempt & {"motorcar", "motor_vehicle", "vehicle"}:
        bound.discard(Profile.CAR)
    if exempt & {"bicycle", "vehicle"}:
        bound.discard(Profile.BICYCLE)
    if not bound or not kind.startswith(("no_", "only_")):
        return "", frozenset()
    return kind, frozenset(bound)
