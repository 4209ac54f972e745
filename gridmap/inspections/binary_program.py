"""Exact choices among many: what to take and what to leave, solved by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["AtMost", "Choice", "choose"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AtMost:
    """Rows of a sparse matrix whose products with the choice may not be above a limit.

    Attributes
    ----------
    row, column
        Where each entry stands, shape (e,).
    value
        The entries, shape (e,).
    most
        Limit of each row, shape (m,).
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.float64]
    most: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """What was found.

    Attributes
    ----------
    taken
        Truth values, shape (n,); None if nothing was found in time.
    bound
        No choice costs less; minus infinity if nothing is known.
    """

    taken: NDArray[np.bool_] | None
    bound: float


def choose(cost: NDArray[np.float64], limits: Sequence[AtMost], *, seconds: float) -> Choice:
    """Take what costs least in sum within limits.

    Parameters
    ----------
    cost
        Of taking each, negative for a gain, shape (n,).
    limits
        Those without rows are left out.
    seconds
        Time to search.
    """
    # Takes half a second to read, which no start should wait for.
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array  # noqa: PLC0415 - as above

    count = len(cost)
    found = milp(
        cost,
        constraints=[
            LinearConstraint(
                coo_array((one.value, (one.row, one.column)), shape=(len(one.most), count)).tocsr(),
                -np.inf,
                one.most,
            )
            for one in limits
            if len(one.most)
        ],
        integrality=np.ones(count),
        bounds=Bounds(0.0, 1.0),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    bound = found.mip_dual_bound
    return Choice(
        taken=None if found.x is None else found.x > 0.5,
        bound=float(bound) if bound is not None and np.isfinite(bound) else -np.inf,
    )
