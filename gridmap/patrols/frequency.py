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

    from gridmap.patrols.visiting import Visiting

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

    def turns(
        self, kind: VisitKind, phase: float, own: Visiting | None = None, stay: int = 0
    ) -> list[tuple[Window, ...]]:
        """Hours of each turn of a place.

        Parameters
        ----------
        phase
            From 0 to 1: where among the others it lies.
        own
            What the place has of its own.
        stay
            How long somebody stays there, seconds: they are gone again before its own hours end.
        """
        rhythm = (own and own.rhythm) or self.rhythms.get(kind)
        if own is not None and own.hours:
            return self._turns_within(own.hours, stay, rhythm, phase)
        if rhythm is None:
            return [()]
        spans = [[shift] for _, shift in self.days]
        return turns(rhythm, spans, [number for number, _ in self.days], int(phase * rhythm.days))

    def _turns_within(
        self, hours: str, stay: int, rhythm: Rhythm | None, phase: float
    ) -> list[tuple[Window, ...]]:
        """Turns in hours of a place's own, on the days on which somebody is out then."""
        spans = [(number, _begun(_windows(hours, shift), stay, shift)) for number, shift in self.days]
        met = [(number, span) for number, span in spans if span]
        if not met:
            # Nobody is out then: asked for all the same, so that the plan says why nobody goes there.
            first = self.days[0][1].opens // _DAY * _DAY
            spells = [(a, b if a < b else b + _DAY // 60) for a, b in parse_hours(hours)]
            return [tuple(Window(a * 60 + first, b * 60 + first) for a, b in spells)]
        phase_days = int(phase * rhythm.days) if rhythm else 0
        return turns(rhythm, [span for _, span in met], [number for number, _ in met], phase_days)

    def turns_of_road(self, hours: str | None, per_day: int, phase: float) -> list[tuple[Window, ...]]:
        """Hours of each turn of a road, in those in which it matters."""
        rhythm = self.of_road(per_day)
        spans = [_windows(hours, shift) for _, shift in self.days]
        if rhythm is None:
            return [tuple(window for day in spans for window in day)]
        # A road that matters at other hours only is still worth a look.
        open_in = [list(day) or [shift] for day, (_, shift) in zip(spans, self.days, strict=True)]
        return turns(rhythm, open_in, [number for number, _ in self.days], int(phase * rhythm.days))


def _begun(windows: tuple[Window, ...], stay: int, shift: Window) -> tuple[Window, ...]:
    """When somebody may begin who is to be gone before the hours end, within a shift."""
    cut = [Window(max(one.opens, shift.opens), max(one.closes - stay, one.opens)) for one in windows]
    return tuple(
        Window(one.opens, min(one.closes, shift.closes))
        for one in cut
        if one.opens <= min(one.closes, shift.closes)
    )


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
