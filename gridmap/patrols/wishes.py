"""What whoever plans patrols asks for, by itself and as it is kept with a plan."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any

from geodata.travel import Profile
from gridmap.errors import InvalidValueError
from gridmap.hours import parse_hours
from gridmap.language import gettext
from gridmap.patrols.corners import Corner
from gridmap.patrols.planning import Break, Window
from gridmap.patrols.rhythm import Rhythm

__all__ = [
    "DAY_S",
    "LEDGER",
    "MOST_PEOPLE",
    "Detail",
    "Wish",
    "as_json",
    "check",
    "clock",
    "detail_of",
    "from_json",
    "hours_of",
    "pause_in",
    "rhythm_of",
    "shift_for",
    "shift_of",
    "shifts",
    "units_of",
]

MOST_PEOPLE = 60
MOST_DAYS = 31
LEDGER = "ledger"
DAY_S = 24 * 3600
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
    day, until
        First and last day; None: the first only.
    weekdays
        On which there are shifts, 1 is Monday; none: all.
    hours
        One span of the day, such as ``19:00-23:00``; ``22:00-次日02:00`` where it ends on the next day.
    weekday_hours
        Other hours on some weekdays.
    people
        Who can be sent.
    points, problems, roads
        What they are sent to.
    corners
        Hot corners as the forecast saw them when it was asked for; they are kept, so that the same question
        is posed again later.
    point_rhythm, problem_rhythm, road_rhythm
        How often, as `gridmap.patrols.rhythm.Rhythm` reads it; empty: once in the plan. Of roads also
        ``ledger``: as often a day as each road's own entry says.
    sides
        2: both sides of a road, each in the direction of the traffic on it.
    vary_percent
        How much longer the rounds of a day may take so that they are not those of the days before.
    balance
        Whether the rounds of a day are to take about the same time.
    details
        What is different for some of the people, by their identifiers; see `Detail`.
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
    until: date | None = None
    weekdays: tuple[int, ...] = ()
    weekday_hours: dict[str, str] = field(default_factory=dict)
    point_rhythm: str = ""
    problem_rhythm: str = ""
    road_rhythm: str = ""
    sides: int = 1
    vary_percent: int = 0
    balance: bool = False
    details: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def leading(self) -> list[uuid.UUID]:
        """Who goes out by themselves or as the first of two."""
        second = {detail_of(self, person).partner for person in self.people}
        return [person for person in dict.fromkeys(self.people) if person not in second]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What is different for one person.

    Parameters
    ----------
    hours
        Of the shift.
    start, end
        Longitude and latitude, or the code of a point.
    area
        Identifier of the only area to which they are sent.
    partner
        Who goes with them: the two are one round.
    """

    hours: str = ""
    profile: Profile | None = None
    start: str = ""
    end: str = ""
    area: str = ""
    partner: uuid.UUID | None = None


def detail_of(wish: Wish, person: uuid.UUID) -> Detail:
    """Return what a wish says of somebody.

    Raises
    ------
    InvalidValueError
        If it makes no sense.
    """
    kept = wish.details.get(str(person), {})
    try:
        return Detail(
            hours=kept.get("hours", ""),
            profile=Profile(kept["profile"]) if kept.get("profile") else None,
            start=kept.get("start", ""),
            end=kept.get("end", ""),
            area=str(uuid.UUID(kept["area"])) if kept.get("area") else "",
            partner=uuid.UUID(kept["partner"]) if kept.get("partner") else None,
        )
    except ValueError as error:
        raise InvalidValueError(
            "Choose from the lists what is different for somebody.", parameter="people"
        ) from error


def units_of(wish: Wish) -> list[tuple[uuid.UUID, date]]:
    """Return who goes out on which day, in the order in which they are counted."""
    people = wish.leading
    return [(person, day) for day, _ in shifts(wish) for person in people]


def as_json(wish: Wish) -> dict[str, Any]:
    """Return a wish as it is kept."""
    kept: dict[str, Any] = {}
    for one in fields(wish):
        value = getattr(wish, one.name)
        if isinstance(value, uuid.UUID | date):
            value = str(value)
        elif isinstance(value, tuple):
            value = [part if isinstance(part, int) else str(part) for part in value]
        kept[one.name] = value
    return kept


def from_json(kept: dict[str, Any]) -> Wish:
    """Return a wish that was kept, perhaps when it knew less."""
    known = {one.name for one in fields(Wish)}
    values = {name: value for name, value in kept.items() if name in known}
    return Wish(
        **values
        | {
            "area": uuid.UUID(kept["area"]),
            "day": date.fromisoformat(kept["day"]),
            "until": date.fromisoformat(kept["until"]) if kept.get("until") else None,
            "weekdays": tuple(kept.get("weekdays", ())),
            "people": tuple(uuid.UUID(uid) for uid in kept["people"]),
            "profile": Profile(kept["profile"]),
            "corners": tuple(Corner.parse(text) for text in kept.get("corners", ())),
        }
    )


def check(wish: Wish) -> list[tuple[date, Window]]:
    """Return the shifts of a wish if it makes sense by itself; see `shifts`.

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
    _check_pairs(wish)
    _within("vary_percent", wish.vary_percent, 0, 30)
    _within("sides", wish.sides, 1, 2)
    for name in ("point_rhythm", "problem_rhythm", "road_rhythm"):
        rhythm_of(wish, name)
    found = shifts(wish)
    for person in wish.leading:
        shift_for(wish, person, *found[0])
    return found


def _check_pairs(wish: Wish) -> None:
    """Refuse people who go with somebody who does not go, with themselves or with two."""
    partners = [detail_of(wish, person).partner for person in dict.fromkeys(wish.people)]
    second = [one for one in partners if one is not None]
    first = [person for person, other in zip(dict.fromkeys(wish.people), partners, strict=True) if other]
    if len(second) != len(set(second)) or set(second) & set(first) or set(second) - set(wish.people):
        raise InvalidValueError(
            "Two who go together must both be chosen, and each can be in one pair only.", parameter="people"
        )


def shift_for(wish: Wish, person: uuid.UUID, day: date, usual: Window) -> Window:
    """Return the shift of somebody on a day, which may be their own."""
    own = detail_of(wish, person).hours.strip()
    if not own:
        return usual
    begins = (day - wish.day).days * DAY_S
    shift = shift_of(own, parameter=f"hours-{person}")
    return Window(shift.opens + begins, shift.closes + begins)


def rhythm_of(wish: Wish, name: str) -> Rhythm | None:
    """Return one of a wish's rhythms; None: once in the plan, or for roads as their own entries say."""
    text = getattr(wish, name)
    return None if text == LEDGER and name == "road_rhythm" else Rhythm.parse(text, parameter=name)


def shifts(wish: Wish) -> list[tuple[date, Window]]:
    """Return the days that have a shift, each with it, in seconds from midnight of the first day.

    Raises
    ------
    InvalidValueError
        If there is none, or the days or hours make no sense.
    """
    last = wish.until or wish.day
    count = (last - wish.day).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise InvalidValueError(
            "Expected a last day from {first} to {most} days later; found {found}.",
            parameter="until",
            first=wish.day,
            most=MOST_DAYS - 1,
            found=last,
        )
    usual = shift_of(wish.hours)
    found = []
    for number in range(count):
        day = wish.day + timedelta(days=number)
        weekday = day.isoweekday()
        if wish.weekdays and weekday not in wish.weekdays:
            continue
        text = wish.weekday_hours.get(str(weekday), "").strip()
        shift = shift_of(text, parameter=f"hours_{weekday}") if text else usual
        found.append((day, Window(shift.opens + number * DAY_S, shift.closes + number * DAY_S)))
    if not found:
        raise InvalidValueError(
            "Expected a day with a shift from {first} to {last}; found none on the weekdays chosen.",
            parameter="weekdays",
            first=wish.day,
            last=last,
        )
    return found


def shift_of(text: str, *, parameter: str = "hours") -> Window:
    """Return the shift that hours say, in seconds from midnight; full-width characters are read too.

    A shift that ends before it begins must say so, as 22:00-次日02:00 or 22:00-02:00+1.

    Raises
    ------
    InvalidValueError
        If they say something else.
    """
    plain = text.translate(_WIDE).strip()
    if not plain:
        raise InvalidValueError("Expected the hours of one shift, such as 08:00-12:00.", parameter=parameter)
    over = "次日" in plain or "+1" in plain
    try:
        spans = parse_hours(plain.replace("次日", "").replace("+1", ""))
    except InvalidValueError:
        spans = ()
    if len(spans) != 1:
        raise InvalidValueError(
            "Expected the hours of one shift such as 08:00-12:00; found {found!r}.",
            parameter=parameter,
            found=text,
        )
    begin, end = spans[0]
    if end < begin and not over:
        raise InvalidValueError(
            "The shift ends at {end}, before it begins at {begin}. If it ends on the next day, write "
            "{begin}-{end}+1.",
            parameter=parameter,
            begin=clock(begin),
            end=clock(end),
        )
    if end > begin and over:
        raise InvalidValueError(
            "Expected a shift of less than a day; found {found!r}.", parameter=parameter, found=text
        )
    return Window(begin * 60, (end if end > begin else end + 24 * 60) * 60)


def hours_of(opens: int, closes: int) -> str:
    """Write a shift, in seconds from midnight, as `shift_of` reads it."""
    begin, end = opens // 60, closes // 60
    if end <= 24 * 60:
        return f"{clock(begin)}-{clock(end)}"
    return gettext("{begin}-{end}+1", begin=clock(begin), end=clock(end - 24 * 60))


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
