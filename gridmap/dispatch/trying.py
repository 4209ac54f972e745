"""Which rule takes a place, a category and an hour, and why each earlier one does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np

from gridmap.deadlines.limits import load_limits
from gridmap.dispatch.deciding import Choice, decide
from gridmap.dispatch.rulebook import facts_of, load_rulebook
from gridmap.dispatch.rules import NO_RULE, Condition, holds
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.assignment import Assignment, assign, load_categories
from gridmap.problems.models import Source

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor

__all__ = ["Case", "Passed", "Trial", "try_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A problem thought of. `category` is an id; `severity` 0: the category's own."""

    lon: float
    lat: float
    category: int
    found_at: datetime
    source: Source = Source.PATROL
    severity: int = 0


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that was asked before, and the conditions of it that do not hold."""

    number: int
    name: str
    idle: bool
    failed: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What comes of asking: the choice (of one problem), where the place lies, and the rules passed over."""

    choice: Choice
    whose: Assignment
    passed: tuple[Passed, ...]


def try_rules(session: Session, actor: Actor, case: Case, *, settings: Settings, now: datetime) -> Trial:
    """Ask the rules in force about a problem thought of.

    Raises
    ------
    PermissionDeniedError
        If the actor may not change the rules.
    """
    actor.scope_everywhere(Permission.DISPATCH_RULES)
    on = now.astimezone(settings.zone).date()
    ground = ground_on(session, on, reach_metres=settings.road_reach_metres)
    found_at = np.array([case.found_at.astimezone(UTC).replace(tzinfo=None)], dtype="datetime64[us]")
    lon, lat, category = np.array([case.lon]), np.array([case.lat]), np.array([case.category])
    whose = assign(
        ground,
        load_categories(session),
        load_limits(session, settings),
        lon,
        lat,
        category_ids=category,
        found_at=found_at,
    )
    severity = np.array([case.severity], dtype=np.int16) if case.severity else whose.severity
    columns = {"lon": lon, "lat": lat, "category_id": category, "found_at": found_at, "severity": severity}
    columns["source"] = np.array([list(Source).index(case.source)], dtype=np.int16)
    book = load_rulebook(session, on)
    facts = facts_of(session, book, whose, columns, settings=settings, on=on)
    choice = decide(book, facts, whose, headquarters=ground.headquarters)
    at = int(choice.position[0])
    passed = tuple(
        Passed(
            number,
            rule.name,
            rule.idle,
            tuple(condition for condition, true in holds(rule, facts).items() if not true[0]),
        )
        for number, rule in enumerate(book.rules[: len(book.rules) if at == NO_RULE else at], start=1)
    )
    return Trial(choice, whose, passed)
