"""Who gets a problem: the first rule that takes it, or else whoever holds the place; and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.dispatch.rules import NO_RULE, NOBODY, first_match
from gridmap.language import N_, gettext
from gridmap.problems.assignment import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gridmap.dispatch.rulebook import Rulebook
    from gridmap.dispatch.rules import Facts, Rule
    from gridmap.problems.assignment import Assignment

__all__ = ["FALLBACKS", "Choice", "decide"]

_BY_RULE = len(REASONS)
_BYS = (*REASONS, "rule", None)  # -1 is the last

FALLBACKS: Mapping[str | None, str] = MappingProxyType(
    {
        "category": N_("no rule; the organisation that normally fixes this category"),
        "cell grid_worker": N_("no rule; the grid worker of the cell"),
        "cell grid_leader": N_("no rule; the grid leader of the cell"),
        "cell leader_in_charge": N_("no rule; the leader in charge of the cell"),
        "road road_owner": N_("no rule; who holds the priority road"),
        "area leader_in_charge": N_("no rule; the leader in charge of the area"),
        "area office": N_("no rule; the office of the area"),
        "headquarters": N_("no rule, and nobody but the headquarters answers for the place"),
        None: N_("no rule, and nobody answers for the place"),
    }
)
"""What decides where no rule does, by what `gridmap.problems.assignment` calls it."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Who gets problems, arrays of shape (n,).

    An organisation of -1 is nobody's problem: the headquarters must say whose it is.
    """

    organisation: NDArray[np.int64]
    person: NDArray[np.int64]
    """-1: the organisation says who."""
    rule: NDArray[np.int64]
    """Id of the rule that took it, or -1."""
    position: NDArray[np.int32]
    """Where that rule stands, from 0; or -1."""
    person_by: NDArray[np.int8]
    organisation_by: NDArray[np.int8]
    rules: tuple[Rule, ...]
    headquarters: int
    """Id of the organisation that takes what is nobody's, or -1."""

    def columns(self) -> dict[str, NDArray[np.int64]]:
        """What a problem that waits for dispatch keeps of it: what is nobody's lies with the headquarters."""
        lies_with = np.where(self.organisation == NOBODY, self.headquarters, self.organisation)
        return {"person_id": self.person, "organisation_id": lies_with}

    @property
    def reasons(self) -> NDArray[np.object_]:
        """Why, in the language in force; shape (n,)."""
        return self._each(self._reason)

    def details(self) -> NDArray[np.object_]:
        """Why, for the history: JSON text with person_by, organisation_by and rule, shape (n,)."""
        return self._each(self._detail)

    def codes(self) -> NDArray[np.object_]:
        """What decided about the organisation, as `FALLBACKS` names it or ``rule``; shape (n,)."""
        return self._each(lambda _position, _person_by, organisation_by: _BYS[organisation_by])

    def ruled(self) -> NDArray[np.object_]:
        """The rule that took each problem as the history names it, a dictionary or None; shape (n,)."""
        return self._each(lambda position, _person_by, _organisation_by: self._rule(position))

    def _reason(self, position: int, _person_by: int, organisation_by: int) -> str:
        if position == NO_RULE:
            return gettext(FALLBACKS[_BYS[organisation_by]])
        return gettext("rule {number}: {name}", number=position + 1, name=self.rules[position].name)

    def _detail(self, position: int, person_by: int, organisation_by: int) -> str:
        said: dict[str, Any] = {"person_by": _BYS[person_by], "organisation_by": _BYS[organisation_by]}
        rule = self._rule(position)
        return json.dumps(said | ({"rule": rule} if rule else {}), ensure_ascii=False)

    def _rule(self, position: int) -> dict[str, Any] | None:
        if position == NO_RULE:
            return None
        rule = self.rules[position]
        return {"uid": rule.uid, "number": position + 1, "name": rule.name}

    def _each(self, say: Callable[[int, int, int], Any]) -> NDArray[np.object_]:
        """Say something once for each combination of what decided."""
        parts = np.stack([self.position, self.person_by, self.organisation_by], axis=1).astype(np.int64)
        size = len(_BYS)
        code = ((parts[:, 0] + 1) * size + parts[:, 1] % size) * size + parts[:, 2] % size
        _, first, kind = np.unique(code, return_index=True, return_inverse=True)
        texts = np.full(len(first), None, dtype=object)
        for at, row in enumerate(first):
            texts[at] = say(*parts[row].tolist())
        return np.asarray(texts[kind], dtype=object)


def decide(book: Rulebook, facts: Facts, whose: Assignment, *, headquarters: int) -> Choice:
    """Ask the rules, then whoever holds the place.

    A rule that names only an organisation leaves the person who holds the place, if they are of that
    organisation; one that names only a person means that person's organisation too.

    Parameters
    ----------
    book, facts
        The rules, and what they ask about.
    whose
        Who holds the place.
    headquarters
        Id of the organisation that takes what is nobody's, or -1. What only falls to it is nobody's here;
        a rule may name it.
    """
    position = first_match(book.rules, facts)
    ruled = position != NO_RULE
    named = [(rule.organisation, rule.person, rule.id) for rule in book.rules]
    # The last row is for no rule.
    table = np.array([*named, (NOBODY, NOBODY, NOBODY)], dtype=np.int64)
    organisation, person, rule = table[position].T
    theirs = np.where(ruled, organisation, NOBODY)
    kept = ruled & (person == NOBODY) & (whose.person_id != NOBODY)
    kept &= book.employers(whose.person_id) == theirs
    nobodys = ~ruled & ((whose.organisation_id == headquarters) | (whose.organisation_id == NOBODY))
    return Choice(
        organisation=np.where(ruled, theirs, np.where(nobodys, NOBODY, whose.organisation_id)),
        person=np.where(ruled & ~kept, person, whose.person_id),
        rule=rule,
        position=position,
        person_by=np.where(ruled & ~kept, np.where(person == NOBODY, -1, _BY_RULE), whose.person_by).astype(
            np.int8
        ),
        organisation_by=np.where(ruled, _BY_RULE, whose.organisation_by).astype(np.int8),
        rules=book.rules,
        headquarters=headquarters,
    )
