"""How often a place is gone to, as turns: each with the hours in which it may begin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError
from gridmap.patrols.planning import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Rhythm", "portions", "turns", "wanted"]

_MOST = 12
_LONGEST = 31


@dataclass(frozen=True, slots=True)
class Rhythm:
    """So many times in so many days: twice a day is 2 in 1, every third day 1 in 3."""

    times: int
    days: int

    @classmethod
    def parse(cls, text: str, *, parameter: str) -> Rhythm | None:
        """Read a rhythm such as ``2/1`` or 每日2次; None from a blank text: once in the whole plan.

        Raises
        ------
        InvalidValueError
            If it says something else, or more than once a day over several days.
        """
        if not text.strip():
            return None
        times, days = _read(text)
        if not (1 <= times <= _MOST and 1 <= days <= _LONGEST) or (days > 1 and times > days):
            raise InvalidValueError(
                "Expected a frequency such as 2/1 (twice a day) or 1/3 (every third day); found {found!r}.",
                parameter=parameter,
                found=text,
            )
        return cls(times, days)

    def __str__(self) -> str:
        """Write it as `parse` reads it."""
        return f"{self.times}/{self.days}"


_DIGITS = str.maketrans("０１２３４５６７８９／一二两三四五六七八九", "0123456789/1223456789")
_SPANS = {"日": 1, "天": 1, "周": 7, "星期": 7, "礼拜": 7, "旬": 10, "月": 30}
_SAID = re.compile(r"每?(\d{0,2})个?(日|天|周|星期|礼拜|旬|月)(\d{1,2})[次遍回]")
_TURNED = re.compile(r"(\d{1,2})[次遍回][/每](\d{0,2})个?(日|天|周|星期|礼拜|旬|月)")


def _read(text: str) -> tuple[int, int]:
    """Times and days of ``2/1``, 每日2次, 每三天一次, 2次/周 or 隔日一次; zeros of anything else."""
    plain = re.sub(r"\s", "", text).translate(_DIGITS).replace("隔日", "每2日").replace("隔天", "每2日")
    if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})", plain):
        return int(found[1]), int(found[2])
    if found := _SAID.fullmatch(plain):
        return int(found[3]), int(found[1] or 1) * _SPANS[found[2]]
    if found := _TURNED.fullmatch(plain):
        return int(found[1]), int(found[2] or 1) * _SPANS[found[3]]
    return 0, 0


def wanted(rhythm: Rhythm, days: Sequence[int], phase: int) -> list[int]:
    """Choose the days of a place that is gone to once on some of them.

    From one of its days to the next it is at least `rhythm.days // rhythm.times` days. A day without a shift
    gives its turn to the next day that has one and none of its own, or else to the one before.

    Parameters
    ----------
    days
        Numbers of the days that have a shift, ascending; any count of days.
    phase
        Shifts the rhythm, so that not all places are due on the same day.

    Returns
    -------
    list of int
        Positions in `days`.
    """
    if not days:
        return []
    due_in = {n * rhythm.days // rhythm.times for n in range(rhythm.times)}
    position = {day: n for n, day in enumerate(days)}
    due = [day for day in range(days[0], days[-1] + 1) if (day + phase) % rhythm.days in due_in]
    chosen = {position[day] for day in due if day in position}
    for day in due:
        if day in position:
            continue
        later = (n for n, one in enumerate(days) if one > day and n not in chosen)
        earlier = (n for n in range(len(days) - 1, -1, -1) if days[n] < day and n not in chosen)
        other = next(later, None)
        other = next(earlier, None) if other is None else other
        if other is not None:
            chosen.add(other)
    return sorted(chosen)


def portions(spans: Sequence[Window], times: int) -> list[tuple[Window, ...]]:
    """Cut spans of time into equal parts, one for each turn.

    Of several turns each may begin in the first half of its part only: from one to the next it is at least
    half a part.
    """
    if times == 1:
        return [tuple(spans)] if spans else []
    whole = sum(one.closes - one.opens for one in spans)
    part = whole / times
    found = (_cut(spans, round(turn * part), round(turn * part + part / 2)) for turn in range(times))
    return [one for one in found if one]


def _cut(spans: Sequence[Window], begin: int, end: int) -> tuple[Window, ...]:
    """What lies between two moments of the time in spans, counted without the gaps."""
    found, gone = [], 0
    for one in spans:
        length = one.closes - one.opens
        low, high = max(begin - gone, 0), min(end - gone, length)
        if low < high or (low == high == length == 0):
            found.append(Window(one.opens + low, one.opens + high))
        gone += length
    return tuple(found)


def turns(
    rhythm: Rhythm | None, spans: Sequence[Sequence[Window]], days: Sequence[int], phase: int
) -> list[tuple[Window, ...]]:
    """Return the hours of each turn of a place in a plan.

    Parameters
    ----------
    rhythm
        None: once in the plan, whenever there is time.
    spans
        Of each day with a shift, when it may be gone to.
    days
        Numbers of those days.
    phase
        See `wanted`.
    """
    if rhythm is None:
        return [tuple(span for day in spans for span in day)]
    if rhythm.days == 1:
        return [turn for day in spans for turn in portions(day, rhythm.times)]
    return [tuple(spans[n]) for n in wanted(rhythm, days, phase) if spans[n]]
