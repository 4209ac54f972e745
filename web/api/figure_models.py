"""Answers with figures."""

from __future__ import annotations

from pydantic import Field

from web.api.models import Answer, UpTo

__all__ = ["FiguresAnswer"]


class Formula(Answer):
    """What a figure is called, and what a rate divides."""

    name: str
    title: str
    numerator: str | None = None
    denominator: str | None = None
    source: str = Field(description="Standard that defines it")


class FigureLine(Answer):
    """The figures of one group."""

    key: str = Field(description="Uid, code or day; empty for what belongs to none")
    name: str
    counts: dict[str, int | float] = Field(
        description="Whole but per cell, where a line or polygon counts by the share that lies in it"
    )
    rates: dict[str, float | None] = Field(description="None where there is nothing to divide by")
    hours: dict[str, float | None] = Field(description="Medians")
    bars: list[int] = Field(description="Problems per bar of days")


class FiguresAnswer(Answer):
    """A table of figures."""

    change: UpTo
    first: str
    last: str
    basis: str
    by: str
    days_per_bar: int
    groups: int = Field(description="How many there are; lines are as many as were asked for")
    total: FigureLine
    lines: list[FigureLine]
    formulas: list[Formula]
