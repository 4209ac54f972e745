"""Rows that cannot be taken, with the reason, kept as columns so that a million of them stay cheap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.language import gettext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Faults"]


@dataclass(slots=True)
class Faults:
    """What is wrong in a table of `size` rows; the first reason found for a row is the one reported.

    Parameters
    ----------
    size
        Number of rows of the table.
    """

    size: int
    refused: NDArray[np.bool_] = field(init=False)
    _parts: list[pd.DataFrame] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.refused = np.zeros(self.size, dtype=bool)

    def add(
        self, mask: NDArray[np.bool_], message: str, /, *, column: str, found: Any, **params: Any
    ) -> None:
        """Refuse the rows of `mask` that were still good.

        Parameters
        ----------
        mask
            Shape (size,).
        message
            Translatable template with ``{column}``, ``{found}`` and the names of `params`.
        column
            Heading of the column at fault, as the file has it.
        found
            What stands there, shape (size,).
        **params
            Further values, the same for every row.
        """
        self._refuse(mask, message, column, found, params)

    def _refuse(
        self, mask: NDArray[np.bool_], message: str, column: str, found: Any, params: dict[str, Any]
    ) -> None:
        fresh = mask & ~self.refused
        if not fresh.any():
            return
        rows = np.flatnonzero(fresh)
        self._parts.append(
            pd.DataFrame(
                {
                    "row": rows,
                    "column": column,
                    "found": pd.Series(np.asarray(found, dtype=object)[rows]).astype(str).str.slice(0, 120),
                    "message": message,
                    "params": [params] * len(rows),
                }
            )
        )
        self.refused |= fresh

    def add_errors(self, errors: NDArray[np.object_], found: Any) -> None:
        """Refuse the rows that have an error of their own, shape (size,), None where good."""
        for error in pd.unique(pd.Series(errors, dtype=object).dropna()):
            mask = np.fromiter((one is error for one in errors), dtype=bool, count=self.size)
            self._refuse(mask, error.message, "", found, error.params)

    def __len__(self) -> int:
        return int(self.refused.sum())

    def table(self) -> pd.DataFrame:
        """All of them by row: ``row`` (position), ``column``, ``found``, ``message``, ``params``."""
        if not self._parts:
            return pd.DataFrame(columns=["row", "column", "found", "message", "params"])
        return pd.concat(self._parts, ignore_index=True).sort_values("row", ignore_index=True)

    def explained(
        self, row_numbers: NDArray[np.int64], limit: int | None = None
    ) -> Iterator[tuple[int, str]]:
        """Yield the row's number in the file and the reason in the reader's language."""
        for row, column, found, message, params in (
            self.table().head(limit or self.size).itertuples(index=False)
        ):
            yield int(row_numbers[row]), gettext(message, **({"column": column, "found": found} | params))
