"""Which rule takes a problem, over plain arrays: the first whose conditions all hold."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.dispatch.hours import Spans, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    _Test = Callable[[NDArray[Any]], NDArray[np.bool_]]

__all__ = ["NOBODY", "NO_RULE", "Condition", "Facts", "Rule", "first_match", "holds"]

NOBODY = -1
"""In the place of an id."""
NO_RULE = -1
"""In the place of a rule's position."""


class Condition(StrEnum):
    """What a rule may ask of a problem."""

    AREA = "area"
    CATEGORY = "category"
    ROAD = "road"
    SITE = "site"
    HOURS = "hours"
    SOURCE = "source"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; a condition that is None or empty always holds."""

    id: int = NOBODY
    uid: str = ""
    name: str = ""
    idle: bool = False
    """Whether it takes nothing, as whom it names is no longer there."""
    areas: frozenset[int] | None = None
    """Ids of an area and of everything below it."""
    categories: frozenset[int] | None = None
    """Ids of a category and of everything below it."""
    road: int | None = None
    site: str | None = None
    """Type of an inspection point near by."""
    spans: Spans = ()
    """When it was found."""
    source: int | None = None
    """Position in `Source`."""
    least_severity: int = 0
    organisation: int = NOBODY
    person: int = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """What rules ask about, arrays of shape (n,); an id of -1 is none."""

    area: NDArray[np.int64]
    category: NDArray[np.int64]
    road: NDArray[np.int64]
    minute: NDArray[np.int16]
    """Of the local day on which it was found."""
    source: NDArray[np.int16]
    """Positions in `Source`."""
    severity: NDArray[np.int16]
    near: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Whether an inspection point of a type is near by, for every type that a rule names."""

    def taken(self, rows: NDArray[np.intp]) -> Facts:
        """Facts of some problems."""
        columns = {one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name != "near"}
        return Facts(**columns, near={kind: flags[rows] for kind, flags in self.near.items()})


def holds(rule: Rule, facts: Facts) -> dict[Condition, NDArray[np.bool_]]:
    """Where each condition that a rule states holds, bool of shape (n,)."""
    return {condition: test(column) for condition, column, test in _conditions(rule, facts)}


def _conditions(rule: Rule, facts: Facts) -> Iterator[tuple[Condition, NDArray[Any], _Test]]:
    """Each condition that a rule states: the column it asks about, and the question."""
    if rule.areas is not None:
        yield Condition.AREA, facts.area, partial(_among, ids=rule.areas)
    if rule.categories is not None:
        yield Condition.CATEGORY, facts.category, partial(_among, ids=rule.categories)
    if rule.road is not None:
        yield Condition.ROAD, facts.road, partial(np.equal, rule.road)
    if rule.site is not None:
        yield Condition.SITE, facts.near[rule.site], np.asarray
    if rule.spans:
        yield Condition.HOURS, facts.minute, partial(within, rule.spans)
    if rule.source is not None:
        yield Condition.SOURCE, facts.source, partial(np.equal, rule.source)
    if rule.least_severity:
        yield Condition.SEVERITY, facts.severity, partial(np.less_equal, rule.least_severity)


def _among(column: NDArray[np.int64], *, ids: frozenset[int]) -> NDArray[np.bool_]:
    return np.isin(column, list(ids))


def first_match(rules: Sequence[Rule], facts: Facts) -> NDArray[np.int32]:
    """Position of the rule that takes each problem, shape (n,); `NO_RULE` where none does.

    Problems that look alike to every rule are judged once, and each condition only for those that met the
    ones before it.
    """
    example, kind = _kinds(rules, facts)
    kinds = facts.taken(example)
    found = np.full(len(example), NO_RULE, dtype=np.int32)
    left = np.arange(len(example), dtype=np.int32)
    for position, rule in enumerate(rules):
        if rule.idle:
            continue
        rows = left
        for _, column, test in _conditions(rule, kinds):
            rows = rows[test(column[rows])]
        if rows.size:
            found[rows] = position
            left = left[found[left] == NO_RULE]
    return found[kind]


def _kinds(rules: Sequence[Rule], facts: Facts) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """One problem of each kind that rules can tell apart, and the kind of each problem."""
    columns: list[NDArray[np.generic]] = []
    if any(rule.areas is not None for rule in rules):
        columns.append(facts.area)
    if any(rule.categories is not None for rule in rules):
        columns.append(facts.category)
    if any(rule.road is not None for rule in rules):
        columns.append(facts.road)
    columns += [facts.near[site] for site in sorted({rule.site for rule in rules if rule.site is not None})]
    bounds = sorted({minute for rule in rules for span in rule.spans for minute in span})
    if bounds:
        columns.append(np.searchsorted(bounds, facts.minute, side="right"))
    if any(rule.source is not None for rule in rules):
        columns.append(facts.source)
    if any(rule.least_severity for rule in rules):
        columns.append(facts.severity)
    kind = np.zeros(len(facts.area), dtype=np.intp)
    for column in columns:
        part, values = pd.factorize(column)
        # Numbered anew after every column, so that the product never overflows.
        kind = pd.factorize(kind * len(values) + part)[0]
    example = np.zeros(kind.max(initial=-1) + 1, dtype=np.intp)
    example[kind[::-1]] = np.arange(len(kind))[::-1]
    return example, kind
