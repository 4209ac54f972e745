"""How long and how far it is between nodes, for one way of moving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["UNREACHABLE", "Travel"]

UNREACHABLE = 1 << 40
"""In the place of seconds or metres where there is no way; anything above means the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Travel:
    """Matrices between all nodes, kept as whole numbers of shape (n, n) that cannot be written to.

    Parameters
    ----------
    seconds, metres
        From row to column; rounded. Infinite or not a number means that there is no way.
    """

    seconds: NDArray[np.int64]
    metres: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("seconds", "metres"):
            object.__setattr__(self, name, _whole(getattr(self, name), name))
        if self.seconds.shape != self.metres.shape:
            raise InvalidValueError(
                "Expected matrices of one shape; found {found}.",
                parameter="travel",
                found=f"{self.seconds.shape}, {self.metres.shape}",
            )
        gone = (self.seconds >= UNREACHABLE) | (self.metres >= UNREACHABLE)
        for values in (self.seconds, self.metres):
            values[gone] = UNREACHABLE
            values.flags.writeable = False

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.seconds)


def _whole(values: ArrayLike, name: str) -> NDArray[np.int64]:
    given: NDArray[Any] = np.asarray(values)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        raise InvalidValueError(
            "Expected a square matrix; found the shape {found}.", parameter=name, found=given.shape
        )
    if not np.issubdtype(given.dtype, np.integer):
        lost = ~np.isfinite(given)
        given = np.rint(np.where(lost, UNREACHABLE, given))
    whole: NDArray[np.int64] = np.minimum(given, UNREACHABLE).astype(np.int64)
    if (whole < 0).any():
        raise InvalidValueError(
            "Expected no negative {name}; found {found}.", parameter=name, name=name, found=int(whole.min())
        )
    return whole
