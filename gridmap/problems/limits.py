"""Limiting a query of problems to what somebody may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, or_, true

from gridmap.problems.models import Problem

if TYPE_CHECKING:
    from gridmap.people.permissions import Scope

__all__ = ["inside"]


def inside(scope: Scope) -> ColumnElement[bool]:
    """SQL condition: the problem lies inside a scope; the same as `Scope.covers`."""
    if scope.everywhere:
        return true()
    holdings = []
    for holding in scope.holdings:
        limits: list[ColumnElement[bool]] = [true()]
        if holding.areas is not None:
            limits.append(Problem.area_id.in_(holding.areas))
        if holding.organisations is not None:
            limits.append(Problem.organisation_id.in_(holding.organisations))
        holdings.append(and_(*limits))
    return or_(*holdings)
