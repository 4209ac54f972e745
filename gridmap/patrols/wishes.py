"""What whoever plans patrols asks for, by itself and as it is kept with a plan."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from geodata.travel import Profile
from gridmap.errors import InvalidValueError
from gridmap.hours import parse_hours
from gridmap.patrols.corners import Corner
from gridmap.patrols.planning import Break, Window

__all__ = [
    "MOST_PEOPLE",
    "Wish",
    "as_json",
    "check",
    "clock",
    "from_json",
    "pause_in",
    "shift_of",
    "units_of",
]

MOST_PEOPLE = 60
LONGEST_SEARCH_S = 600
_PAUSE_AFTER = 0.35
_PAUSE_BEFORE = 0.65
_WIDE = str.maketrans("０１２３４５６７８９：－～　，；", "0123456789:-~ ,;")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be planned.

    Parameters
    ----------
    area
        With everything below it.
    hours
        One span of the day, such as ``19:00-23:00``; past midnight where it ends before it begins.
    people
        Who can be sent.
    points, problems, roads
        What they are sent to.
    corners
        Hot corners as the forecast saw them when it was asked for; they are kept, so that the same question
        is posed again later.
    minutes_at_point, minutes_at_problem, rest_minutes
        Of each; a rest falls into the middle of the shift, 0 for none.
    search_seconds
        How long to search.
    seed
        Another one gives another plan of about the same quality: nobody can tell the rounds beforehand.
    """

    area: uuid.UUID
    day: date
    hours: str
    people: tuple[uuid.UUID, ...]
    profile: Profile = Profile.FOOT
    points: bool = True
    problems: bool = True
    roads: bool = True
    corners: tuple[Corner, ...] = ()
    minutes_at_point: int = 5
    minutes_at_problem: int = 8
    rest_minutes: int = 0
    search_seconds: int = 20
    seed: int = 0


def units_of(wish: Wish) -> list[tuple[uuid.UUID, date]]:
    """Return who goes out on which day, in the order in which they are counted."""
    return [(person, wish.day) for person in dict.fromkeys(wish.people)]


def as_json(wish: Wish) -> dict[str, Any]:
    """Return a wish as it is kept."""
    kept: dict[str, Any] = {}
    for field in fields(wish):
        value = getattr(wish, field.name)
        if isinstance(value, uuid.UUID | date):
            value = str(value)
        elif isinstance(value, tuple):
            value = [str(one) for one in value]
        kept[field.name] = value
    return kept


def from_json(kept: dict[str, Any]) -> Wish:
    """Return a wish that was kept, perhaps when it knew less."""
    known = {field.name for field in fields(Wish)}
    values = {name: value for name, value in kept.items() if name in known}
    return Wish(
        **values
        | {
            "area": uuid.UUID(kept["area"]),
            "day": date.fromisoformat(kept["day"]),
            "people": tuple(uuid.UUID(uid) for uid in kept["people"]),
            "profile": Profile(kept["profile"]),
            "corners": tuple(Corner.parse(text) for text in kept.get("corners", ())),
        }
    )


def check(wish: Wish) -> Window:
    """Return the shift of a wish, in seconds from midnight, if it makes sense by itself.

    Raises
    ------
    InvalidValueError
        If it does not.
    """
    if not 1 <= len(set(wish.people)) <= MOST_PEOPLE:
        raise InvalidValueError(
            "Expected 1 to {most} people; found {found}.",
            parameter="people",
            most=MOST_PEOPLE,
            found=len(set(wish.people)),
        )
    for name in ("minutes_at_point", "minutes_at_problem", "rest_minutes"):
        _within(name, getattr(wish, name), 0, 240)
    _within("search_seconds", wish.search_seconds, 1, LONGEST_SEARCH_S)
    _within("seed", wish.seed, 0, 2**31 - 1)
    return shift_of(wish.hours)


def shift_of(text: str) -> Window:
    """Return the shift that hours say, in seconds from midnight; full-width characters are read too.

    A shift that ends before it begins must say so, as 22:00-次日02:00.

    Raises
    ------
    InvalidValueError
        If they say something else.
    """
    plain = text.translate(_WIDE).strip()
    over = "次日" in plain or "+1" in plain
    spans = parse_hours(plain.replace("次日", "").replace("+1", ""))
    if len(spans) != 1:
        raise InvalidValueError(
            "Expected the hours of one shift such as 08:00-12:00; found {found!r}.",
            parameter="hours",
            found=text,
        )
    begin, end = spans[0]
    if end < begin and not over:
        raise InvalidValueError(
            "The shift ends at {end}, before it begins at {begin}. If it ends on the next day, write "
            "{begin}-次日{end}.",
            parameter="hours",
            begin=clock(begin),
            end=clock(end),
        )
    if end > begin and over:
        raise InvalidValueError(
            "Expected a shift of less than a day; found {found!r}.", parameter="hours", found=text
        )
    return Window(begin * 60, (end if end > begin else end + 24 * 60) * 60)


def clock(minute: int) -> str:
    """Write a minute of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidValueError(
            "Expected a whole number from {least} to {most}; found {found}.",
            parameter=name,
            least=least,
            most=most,
            found=value,
        )


def pause_in(wish: Wish, shift: Window) -> Break | None:
    """Return the rest in a shift: in the middle of it."""
    if not wish.rest_minutes:
        return None
    length = shift.closes - shift.opens
    window = Window(shift.opens + round(_PAUSE_AFTER * length), shift.opens + round(_PAUSE_BEFORE * length))
    return Break(window=window, seconds=wish.rest_minutes * 60)
