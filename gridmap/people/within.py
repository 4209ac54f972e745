"""A scope as a condition of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, false, or_, true

if TYPE_CHECKING:
    from gridmap.people.permissions import Scope

__all__ = ["within"]


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
