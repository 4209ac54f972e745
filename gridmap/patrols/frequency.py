"""How often the targets of a plan are gone to, and in which hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError
from gridmap.hours import parse_hours
from gridmap.patrols.models import VisitKind
from gridmap.patrols.planning import Window
from gridmap.patrols.rhythm import Rhythm, turns

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Frequency"]

_DAY = 24 * 3600
_MOST_A_DAY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """How often targets are gone to in a plan.

    Parameters
    ----------
    days
        Each with its number and its shift, in seconds from midnight of the first one.
    rhythms
        For each kind; None: once.
    ledger
        Whether roads are patrolled as often as their own entries say.
    sides
        2: both sides of roads.
    """

    days: tuple[tuple[int, Window], ...]
    rhythms: Mapping[VisitKind, Rhythm | None]
    ledger: bool = False
    sides: int = 1

    def of_road(self, per_day: int) -> Rhythm | None:
        """The rhythm of a road that is to be patrolled so often a day."""
        if not self.ledger:
            return self.rhythms.get(VisitKind.ROAD)
        return Rhythm(min(per_day, _MOST_A_DAY), 1) if per_day > 0 else None

    def turns(self, kind: VisitKind, phase: float) -> list[tuple[Window, ...]]:
        """Hours of each turn of a place; `phase` from 0 to 1 says where among the others it lies."""
        rhythm = self.rhythms.get(kind)
        if rhythm is None:
            return [()]
        spans = [[shift] for _, shift in self.days]
        return turns(rhythm, spans, [number for number, _ in self.days], int(phase * rhythm.days))

    def turns_of_road(self, hours: str | None, per_day: int, phase: float) -> list[tuple[Window, ...]]:
        """Hours of each turn of a road, in those in which it matters."""
        rhythm = self.of_road(per_day)
        spans = [_windows(hours, shift) for _, shift in self.days]
        if rhythm is None:
            return [tuple(window for day in spans for window in day)]
        # A road that matters at other hours only is still worth a look.
        open_in = [list(day) or [shift] for day, (_, shift) in zip(spans, self.days, strict=True)]
        return turns(rhythm, open_in, [number for number, _ in self.days], int(phase * rhythm.days))


def _windows(text: str | None, shift: Window) -> tuple[Window, ...]:
    """The hours that fall into a shift, which may pass midnight; none where none matter more than others."""
    spans: list[Window] = []
    first = shift.opens // _DAY * _DAY
    try:
        hours = parse_hours(text or "")
    except InvalidValueError:
        # Offices also write 全天 or 早晚高峰: such a road is walked at any time.
        hours = ()
    for begin, end in hours:
        closes = end if end > begin else end + _DAY // 60
        spans += [
            Window(max(begin * 60 + later, 0), closes * 60 - 1 + later)
            for later in (first - _DAY, first, first + _DAY)
            if closes * 60 - 1 + later > 0
        ]
    # A road that matters at other hours only is still worth a look, at any time of this shift.
    return tuple(one for one in spans if one.opens <= shift.closes and one.closes >= shift.opens)
