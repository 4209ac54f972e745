"""The rules in force, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from gridmap.dispatch.hours import minutes_of_day, parse_hours
from gridmap.dispatch.models import DispatchRule
from gridmap.dispatch.rules import NOBODY, Facts, Rule
from gridmap.dispatch.sites import near_sites
from gridmap.people.models import Person
from gridmap.places.directory import everything_below
from gridmap.places.models import Area
from gridmap.problems.models import Category, Source
from gridmap.store.extract import read_columns
from gridmap.store.remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.problems.assignment import Assignment

__all__ = ["Rulebook", "facts_of", "load_rulebook", "rulebook_of", "rules_in_force"]

_remembered: Remembered[Rulebook] = Remembered(3)


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """Rules in the order in which they are asked, and whose people are.

    Parameters
    ----------
    rules
        In order; people number them from 1.
    person, employer
        Ids of persons in ascending order, and of the organisation of each or -1, shape (k,).
    """

    rules: tuple[Rule, ...]
    person: NDArray[np.int64]
    employer: NDArray[np.int64]

    def employers(self, persons: NDArray[np.int64]) -> NDArray[np.int64]:
        """Organisation of each person, -1 where there is none; shape (n,)."""
        if not self.person.size:
            return np.full(len(persons), NOBODY)
        at = np.minimum(np.searchsorted(self.person, persons), self.person.size - 1)
        return np.where(self.person[at] == persons, self.employer[at], NOBODY)


def rules_in_force(session: Session, on: date) -> list[DispatchRule]:
    """Read the rules of a day in the order in which they are asked."""
    query = select(DispatchRule).where(DispatchRule.in_force(on))
    return list(session.scalars(query.order_by(DispatchRule.position, DispatchRule.id)))


def load_rulebook(session: Session, on: date) -> Rulebook:
    """Return the rules in force on a day (in the installation's time zone), ready to be asked."""
    return _remembered.get(session, (on,), lambda: rulebook_of(session, on, rules_in_force(session, on)))


def rulebook_of(session: Session, on: date, rows: Sequence[DispatchRule]) -> Rulebook:
    """Make rules ready, whether they are in the store or only thought of.

    Parameters
    ----------
    session
        Any.
    on
        Day in the installation's time zone; who has left by then is given nothing.
    rows
        Rules in order.
    """
    people = read_columns(session, select(Person.id, Person.organisation_id).where(Person.in_force(on)))
    order = np.argsort(people["id"])
    person, employer = people["id"][order], people["organisation_id"][order]
    areas, categories = (
        everything_below(dict(session.execute(select(model.id, model.parent_id)).all()))
        for model in (Area, Category)
    )
    employers = dict(zip(person.tolist(), employer.tolist(), strict=True))
    return Rulebook(tuple(_rule(row, areas, categories, employers) for row in rows), person, employer)


def _rule(
    row: DispatchRule,
    areas: dict[int, frozenset[int]],
    categories: dict[int, frozenset[int]],
    employers: dict[int, int],
) -> Rule:
    person = row.person_id if row.person_id in employers else None
    organisation = row.organisation_id
    if organisation is None and person is not None and employers[person] != NOBODY:
        organisation = employers[person]
    return Rule(
        id=row.id or NOBODY,
        uid=str(row.uid),
        name=row.name,
        idle=organisation is None,
        areas=None if row.area_id is None else areas[row.area_id],
        categories=None if row.category_id is None else categories[row.category_id],
        road=row.road_id,
        site=row.site_type,
        spans=parse_hours(row.hours),
        source=None if row.source is None else list(Source).index(row.source),
        least_severity=row.least_severity,
        organisation=NOBODY if organisation is None else organisation,
        person=NOBODY if person is None else person,
    )


def facts_of(
    session: Session,
    book: Rulebook,
    whose: Assignment,
    columns: dict[str, NDArray[Any]],
    *,
    settings: Settings,
    on: date,
) -> Facts:
    """Put together what rules ask about problems.

    Parameters
    ----------
    session
        Any.
    book
        The rules that will be asked.
    whose
        Area and road of each problem.
    columns
        ``lon``, ``lat`` (degrees), ``category_id``, ``found_at`` (datetime64, UTC), ``source`` (positions in
        `Source`) and ``severity``, arrays of shape (n,).
    settings
        Time zone, and how far away a site is near by.
    on
        Day on which inspection points are in force.
    """
    kinds = {rule.site for rule in book.rules if rule.site is not None}
    reach = settings.site_reach_metres
    timed = any(rule.spans for rule in book.rules)
    return Facts(
        area=whose.area_id,
        category=columns["category_id"],
        road=whose.road_id,
        minute=minutes_of_day(columns["found_at"], settings.zone)
        if timed
        else np.zeros(len(whose.area_id), dtype=np.int16),
        source=columns["source"],
        severity=columns["severity"],
        near=near_sites(session, kinds, columns["lon"], columns["lat"], on=on, reach_metres=reach),
    )
