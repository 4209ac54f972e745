"""A scope as a condition of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, false, or_, true

from gridmap.people.permissions import Permission

if TYPE_CHECKING:
    from gridmap.people.permissions import Actor, Scope

__all__ = ["readable", "within"]


def within(scope: Scope, area: Any, organisation: Any) -> Any:
    """SQL condition: what `Scope.covers` says of a row's area and organisation.

    Parameters
    ----------
    scope
        Where a permission holds.
    area, organisation
        Columns with ids; NULL lies in no limit.
    """
    return or_(
        false(),
        *(
            and_(
                true() if holding.areas is None else area.in_(sorted(holding.areas)),
                true() if holding.organisations is None else organisation.in_(sorted(holding.organisations)),
            )
            for holding in scope.holdings
        ),
    )


def readable(actor: Actor, area: Any, organisation: Any) -> Any:
    """SQL condition: the actor may read problems there; false for those who may read none.

    Parameters
    ----------
    actor
        Who asks.
    area, organisation
        Columns with ids of a problem.
    """
    if not actor.may(Permission.PROBLEM_READ):
        return false()
    return within(actor.scope(Permission.PROBLEM_READ), area, organisation)
