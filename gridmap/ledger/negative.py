"""The negative list (负面清单): who or what breaks which rule, with the figures behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridmap.figures.formulas import COUNTS, RATES
from gridmap.language import gettext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.figures.formulas import Rate
    from gridmap.figures.queries import Figures, Line

__all__ = ["RULES", "Listed", "Rule", "negative_list", "said"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: a figure that must not be reached, or not be missed.

    Attributes
    ----------
    figure
        A count or a rate of `gridmap.figures.formulas`.
    limit
        A count from which on, or a rate beyond which, the rule is broken.
    least
        Fewest problems in a rate's denominator: one case is no rate.
    """

    figure: str
    limit: float
    least: int = 0


RULES = (
    Rule("overdue", 5),
    Rule("closing_on_time_rate", 0.80, 10),
    Rule("rectification_rate", 0.80, 10),
    Rule("rework_rate", 0.10, 10),
    Rule("recurrence_rate", 0.10, 10),
    Rule("look_back_rate", 0.05, 5),
)
"""What puts somebody or something on the list; the more rules are broken, the higher it stands."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry: the group's figures, and the rules it breaks."""

    line: Line
    broken: tuple[Rule, ...]


def negative_list(figures: Figures, rates: Mapping[str, Rate]) -> list[Listed]:
    """Return who breaks rules, the most rules first, then the most overdue problems.

    Parameters
    ----------
    figures
        Of organisations, cells or roads; what belongs to none is left out.
    rates
        As they were counted with.
    """
    found = [
        Listed(line, broken)
        for line in figures.lines
        if line.key and (broken := tuple(rule for rule in RULES if _breaks(line, rule, rates)))
    ]
    return sorted(
        found, key=lambda one: (-len(one.broken), -one.line.counts["overdue"], -one.line.counts["due"])
    )


def _breaks(line: Line, rule: Rule, rates: Mapping[str, Rate]) -> bool:
    if rule.figure in COUNTS:
        return line.counts[rule.figure] >= rule.limit
    rate, share = rates[rule.figure], line.rates[rule.figure]
    if share is None or line.counts[rate.denominator] < max(rule.least, 1):
        return False
    return share < rule.limit if rate.good else share > rule.limit


def said(rule: Rule) -> str:
    """What a rule says, in the language in force."""
    if rule.figure in COUNTS:
        return gettext("{figure}: {limit} or more", figure=COUNTS[rule.figure].title, limit=f"{rule.limit:g}")
    rate = RATES[rule.figure]
    template = (
        gettext("{figure} below {limit} of at least {least}")
        if rate.good
        else gettext("{figure} above {limit} of at least {least}")
    )
    return template.format(figure=rate.title, limit=f"{rule.limit:.0%}", least=rule.least)
