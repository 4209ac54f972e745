"""The ladder: which step follows, and whether another one may be taken, over plain values.

Source: the cities' work plans: told, taught, ordered to put it right, goods held, banned; the first violation
goes unpunished (首违不罚). What lapsed, or was appealed against with success, does not count.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gridmap.language import N_
from gridmap.shops.models import Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "LADDER",
    "REFUSALS",
    "Advice",
    "Past",
    "Rung",
    "Verdict",
    "advise",
    "advise_on",
    "counted_from",
    "judge",
    "rank",
]


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of the ladder. `punishes`: it takes something from the shop."""

    step: Step
    punishes: bool


LADDER: tuple[Rung, ...] = (
    Rung(Step.TOLD, punishes=False),
    Rung(Step.TAUGHT, punishes=False),
    Rung(Step.ORDERED, punishes=False),
    Rung(Step.GOODS_HELD, punishes=True),
    Rung(Step.BANNED, punishes=True),
)
"""Every step in the order in which they follow one another."""

_RANK: Mapping[Step, int] = MappingProxyType({rung.step: at for at, rung in enumerate(LADDER)})


def rank(step: Step) -> int:
    """Place of a step on the ladder, from 0."""
    return _RANK[step]


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier offence: its day, the step that was taken, whether an appeal against it was upheld."""

    day: date
    step: Step
    quashed: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """The step that follows, and why; `message` is a translatable template.

    Attributes
    ----------
    standing, lapsed, quashed
        How many earlier offences count, and how many no longer or not at all.
    highest
        The most severe step that was taken for those that count.
    """

    step: Step
    standing: int
    lapsed: int
    quashed: int
    highest: Step | None
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)


_FIRST = N_("First violation: the shop is told, and not punished.")
_AGAIN = N_(
    "First violation that counts, as earlier ones have lapsed or fell: the shop is told, and not punished."
)
_CLIMB = N_("Violations that count: {n}. The highest step so far was “{highest}”, so “{step}” follows.")
_TOP = N_("Violations that count: {n}. “{highest}” was reached before: the ladder ends here.")


def counted_from(day: date, months: int) -> date:
    """First day whose offences still count on `day`; the end of a short month stands for the days it lacks.

    Parameters
    ----------
    day
        On which it is asked.
    months
        After how many an offence lapses; 0: never.
    """
    if months == 0:
        return date.min
    past = day.year * 12 + day.month - 1 - months
    if past < 12:
        return date.min
    year, month = past // 12, past % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def advise(standing: int, highest: Step | None, *, lapsed: int = 0, quashed: int = 0) -> Advice:
    """Say which step follows.

    Parameters
    ----------
    standing
        How many offences count.
    highest
        The most severe step taken for them; None where there is none.
    lapsed, quashed
        How many do not count; they change the words only.
    """
    if highest is None:
        message, step, params = (_AGAIN if lapsed or quashed else _FIRST), LADDER[0].step, {}
    else:
        above = rank(highest) + 1
        step = LADDER[min(above, len(LADDER) - 1)].step
        message = _CLIMB if above < len(LADDER) else _TOP
        params = {"n": standing, "highest": highest, "step": step}
    return Advice(step, standing, lapsed, quashed, highest, message, params)


def advise_on(past: Sequence[Past], *, day: date, months: int) -> Advice:
    """Say which step follows on a day after what happened until then.

    Parameters
    ----------
    past
        Earlier offences in any order; those after `day` are not looked at.
    day
        Of the new offence.
    months
        After how many an offence lapses; 0: never.
    """
    before = [one for one in past if one.day <= day]
    first = counted_from(day, months)
    standing = [one for one in before if not one.quashed and one.day >= first]
    quashed = sum(one.quashed for one in before)
    return advise(
        len(standing),
        max((one.step for one in standing), key=rank, default=None),
        lapsed=len(before) - len(standing) - quashed,
        quashed=quashed,
    )


class Verdict(StrEnum):
    """What comes of asking for a step."""

    ALLOWED = "allowed"
    FIRST_UNPUNISHED = "first_unpunished"
    NEEDS_REASON = "needs_reason"


REFUSALS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.FIRST_UNPUNISHED: N_(
            "The first violation goes unpunished: “{asked}” cannot be taken for it."
        ),
        Verdict.NEEDS_REASON: N_("“{expected}” is the step that follows; taking “{asked}” needs a reason."),
    }
)


def judge(asked: Step, advice: Advice, reason: str) -> Verdict:
    """Say whether a step may be taken where `advice` names the one that follows.

    Another step, milder or more severe, needs a reason. No reason lets the first violation be punished.
    """
    if asked is advice.step:
        return Verdict.ALLOWED
    if not advice.standing and LADDER[rank(asked)].punishes:
        return Verdict.FIRST_UNPUNISHED
    return Verdict.ALLOWED if reason.strip() else Verdict.NEEDS_REASON
