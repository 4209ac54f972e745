"""Rows whose problem goes on as it stands here, whatever the table tells of its life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridmap.deadlines.calendar import as_time
from gridmap.labels import label
from gridmap.language import gettext
from gridmap.problems.models import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Kept"]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Rows of problems on which a step was taken here; columns of shape (n,).

    Attributes
    ----------
    rows
        Positions in the table.
    here, told
        State here and in the table, as positions in `State`.
    since
        When the last step was taken here, datetime64, UTC.
    """

    rows: NDArray[np.intp]
    here: NDArray[Any]
    told: NDArray[Any]
    since: NDArray[np.datetime64]

    def __len__(self) -> int:
        return len(self.rows)

    def explained(
        self, row_numbers: NDArray[np.int64], zone: tzinfo, limit: int | None = None
    ) -> Iterator[tuple[int, str]]:
        """Yield the row's number in the file and what stands here and there, in the reader's language."""
        states = list(State)
        rows = zip(self.rows[:limit], self.here[:limit], self.told[:limit], self.since[:limit], strict=True)
        for row, here, told, since in rows:
            said: dict[str, Any] = {
                "here": label(states[here]),
                "day": str(as_time(since).astimezone(zone).date()),
            }
            if here == told:
                text = gettext(
                    "here: {here} since {day}; the file has another limit or closing time; kept", **said
                )
            else:
                said["told"] = label(states[told])
                text = gettext("here: {here} since {day}; in the file: {told}; kept", **said)
            yield int(row_numbers[row]), text
