"""What stands behind a forecast: what was found in its squares, in which cell, and whose that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.places.responsibilities import holders_of

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.forecast.service import Forecast
    from gridmap.hotspots.snapshot import Snapshot
    from gridmap.places.cards import Faces

__all__ = ["most_common", "people_of"]


def most_common(
    forecast: Forecast, snapshot: Snapshot, squares: NDArray[np.int64], column: str
) -> NDArray[np.int64]:
    """Return the value that most finds of each square have in a column, such as ``cell`` or ``category``.

    Parameters
    ----------
    forecast
        Made from `snapshot`.
    squares
        Positions of squares, shape (k,).

    Returns
    -------
    numpy.ndarray
        Database ids, shape (k,), -1 where nothing was found.
    """
    place = np.full(len(forecast.ground), -1, dtype=np.int64)
    place[squares] = np.arange(len(squares))
    of = np.where(forecast.square >= 0, place[forecast.square], -1) if len(place) else forecast.square
    kept = of >= 0
    values = snapshot.values(column, forecast.row[kept]).astype(np.int64)
    width = int(values.max(initial=-1)) + 2
    pairs, counts = np.unique(of[kept] * width + values + 1, return_counts=True)
    order = np.argsort(counts, kind="stable")
    found = np.full(len(squares), -1, dtype=np.int64)
    # The most frequent comes last and stays.
    found[pairs[order] // width] = pairs[order] % width - 1
    return found


def people_of(
    session: Session, cells: NDArray[np.int64], faces: Faces, day: date
) -> dict[int, dict[str, str] | None]:
    """Return who holds cells first of all, by the cell's id, as far as the reader may know."""
    ids = np.unique(cells[cells >= 0]).tolist()
    found = {}
    for start in range(0, len(ids), 500):
        for cell, holders in holders_of(session, "cell", ids[start : start + 500], day).items():
            found[cell] = next((known for one in holders if (known := faces.person(one.person))), None)
    return found
