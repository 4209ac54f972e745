"""Every figure and its formula, as tables that read like the specification.

Counts are of problems; a rate is one count over another. Source: GB/T 30428.4, performance evaluation, for
those that name it; the others are what the cities' own work plans quote. Cities differ in what they divide
by, so an installation may choose another denominator (`chosen_rates`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from gridmap.errors import SettingError
from gridmap.language import N_, current_language

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COUNTS", "RATES", "TIMES", "Basis", "Count", "Rate", "Time", "chosen_rates"]

STANDARD = "GB/T 30428.4"


class Basis(StrEnum):
    """By which of its days a problem belongs to a period; each has one, so that days add up to months."""

    FOUND = "found"
    DUE = "due"
    """The limit of fixing, or the day of closing where that came before."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Figure:
    """What every figure has: a name in addresses, and titles, the Chinese one as the offices write it."""

    name: str
    english: str
    chinese: str

    @property
    def title(self) -> str:
        """Title in the language in force."""
        return self.english if current_language() == "en" else self.chinese


@dataclass(frozen=True, slots=True)
class Count(Figure):
    """How many problems of the period have something in common."""

    meaning: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rate(Figure):
    """One count over another. `good`: whether more is better."""

    numerator: str
    denominator: str
    source: str = ""
    good: bool = True


@dataclass(frozen=True, slots=True)
class Time(Figure):
    """The median of the hours between two steps of the problems that a count counts.

    `meaning` says so; `of` is the count.
    """

    meaning: str
    of: str
    begin: str
    end: str


COUNTS: Mapping[str, Count] = MappingProxyType(
    {
        one.name: one
        for one in (
            Count(
                "found",
                "received",
                "受理数",
                N_("every problem of the period, rejected and merged ones too"),
                STANDARD,
            ),
            Count(
                "void",
                "rejected or merged",
                "作废重复数",
                N_("no problem, or the duplicate of another; counts nowhere else"),
            ),
            Count(
                "filed",
                "filed",
                "立案数",
                N_("found to be real and no duplicate, and not rejected or merged later"),
                STANDARD,
            ),
            Count(
                "dispatched",
                "dispatched",
                "派遣数",
                N_("filed, and given to an organisation at least once"),
                STANDARD,
            ),
            Count(
                "fixed",
                "fixed",
                "整改完成数",
                N_("handed back by the organisation: to be verified, verified or closed"),
            ),
            Count(
                "fixed_on_time",
                "fixed in time",
                "按期整改数",
                N_("fixed, and handed back before the limit or without one"),
            ),
            Count(
                "due",
                "to be closed",
                "应结案数",
                N_("closed; or past the limit while an organisation has it or it waits to be verified"),
                STANDARD,
            ),
            Count("closed", "closed", "结案数", N_("closed, nothing left to do"), STANDARD),
            Count(
                "on_time",
                "closed in time",
                "按期结案数",
                N_("closed, and handed back before the limit or without one"),
                STANDARD,
            ),
            Count(
                "overdue",
                "overdue",
                "超期未整改数",
                N_("past the limit of fixing while an organisation has it"),
            ),
            Count("open", "unresolved", "未结案数", N_("neither closed nor rejected nor merged")),
            Count("rework", "reworked", "返工数", N_("sent back at least once"), STANDARD),
            Count("extended", "extended", "延期数", N_("given more time at least once"), STANDARD),
            Count("suspended", "suspended", "挂账数", N_("suspended at least once")),
            Count(
                "returned",
                "returned",
                "退回数",
                N_("returned by an organisation as not theirs at least once"),
            ),
            Count("recurring", "recurring", "复发数", N_("came up where one of its kind had been closed")),
            Count("looked_back", "looked at again", "回头看数", N_("looked at again after closing")),
            Count(
                "reopened",
                "look-back failures",
                "回头看不合格数",
                N_("found bad again after closing at least once"),
            ),
        )
    }
)
"""Every count, in the order in which they are shown."""

RATES: Mapping[str, Rate] = MappingProxyType(
    {
        one.name: one
        for one in (
            Rate("filing_rate", "filing rate", "立案率", "filed", "found", STANDARD),
            Rate("dispatch_rate", "dispatch rate", "派遣率", "dispatched", "filed", STANDARD),
            Rate("closing_rate", "closing rate", "结案率", "closed", "due", STANDARD),
            Rate("closing_on_time_rate", "rate of closing in time", "按期结案率", "on_time", "due", STANDARD),
            Rate("rework_rate", "rework rate", "返工率", "rework", "due", STANDARD, good=False),
            Rate("extension_rate", "extension rate", "延期率", "extended", "due", STANDARD, good=False),
            Rate("rectification_rate", "rectification rate", "整改率", "fixed", "filed"),
            Rate("fixing_on_time_rate", "rate of fixing in time", "按期整改率", "fixed_on_time", "fixed"),
            Rate("recurrence_rate", "recurrence rate", "复发率", "recurring", "filed", good=False),
            Rate(
                "look_back_rate",
                "look-back failure rate",
                "回头看不合格率",
                "reopened",
                "looked_back",
                good=False,
            ),
        )
    }
)
"""Every rate with the denominator it has unless an installation chooses another."""

TIMES: Mapping[str, Time] = MappingProxyType(
    {
        one.name: one
        for one in (
            Time(
                "to_fix",
                "hours to fix",
                "整改用时中位数",
                N_("the middle one of the hours from dispatch to being handed back, of what is fixed"),
                "fixed",
                "dispatched",
                "fixed",
            ),
            Time(
                "to_close",
                "hours to close",
                "结案用时中位数",
                N_("the middle one of the hours from finding to closing, of what is closed"),
                "closed",
                "opened",
                "closed",
            ),
        )
    }
)
"""Medians, in hours by the clock on the wall."""


def chosen_rates(setting: str) -> dict[str, Rate]:
    """Return the rates with the denominators that an installation chose.

    Parameters
    ----------
    setting
        ``rate=count`` with commas between, such as ``rectification_rate=dispatched``; empty: the
        table's own.

    Raises
    ------
    SettingError
        If it names a rate or count that there is not.
    """
    rates = dict(RATES)
    for part in filter(None, (part.strip() for part in setting.split(","))):
        name, _, count = (word.strip() for word in part.partition("="))
        if name not in rates or count not in COUNTS:
            raise SettingError(
                "Expected {name} to be rate=count with commas between, rates of {rates} and counts of "
                "{counts}; found {found!r}.",
                name="GRIDMAP_FIGURE_DENOMINATORS",
                rates=", ".join(RATES),
                counts=", ".join(COUNTS),
                found=part,
            )
        rates[name] = replace(rates[name], denominator=count)
    return rates
