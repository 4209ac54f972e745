"""Places that an earlier version knew by the number of their line (序号), found again by what they are.

Such a number was taken for a code once. A file without codes names the same places by their names now, and
would bring each in a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import func, select

from geodata.projection import LocalProjection
from gridmap.imports.plan import Note
from gridmap.language import N_

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.imports.plan import Reading

__all__ = ["REACH_METRES", "keep_numbers"]

REACH_METRES = 100.0
"""Farther apart, what has the same name and type is another place."""


def keep_numbers(
    reading: Reading,
    session: Session,
    model: Any,
    codes: NDArray[np.object_],
    *,
    alike: tuple[str, ...],
    on: date,
) -> NDArray[np.object_]:
    """Return the codes of a file's rows, with the stored number for rows without one that are such a place.

    It is the place whose code is a number, which is alike, and of which no other is nearer. A note says for
    how many rows that was found.

    Parameters
    ----------
    reading
        The file; shapes in EPSG:4326.
    session
        To read with.
    model
        Mapped class of the places.
    codes
        What `gridmap.imports.places.codes_of` makes of the rows, shape (n,).
    alike
        Fields in which row and place must be the same.
    on
        Day on which the places are in force.
    """
    nameless = pd.isna(reading.fields["code"])
    if reading.geometry is None or not nameless.any():
        return codes
    query = select(model.code, func.ST_AsBinary(model.geometry), *(getattr(model, name) for name in alike))
    names = ["kept", "there", *alike]
    known = pd.DataFrame(session.execute(query.where(model.in_force(on))).all(), columns=names, dtype=object)
    taken = set(known["kept"]) | set(codes[~nameless])
    numbered = known["kept"].str.fullmatch(r"\d+") & ~known["kept"].isin(codes[~nameless])
    rows = pd.DataFrame({name: reading.fields[name] for name in alike}, dtype=object)
    rows["row"] = np.arange(len(rows))
    free = nameless & ~reading.faults.refused & np.array([code not in taken for code in codes], dtype=bool)
    pairs = rows[free].merge(known[numbered], on=list(alike))
    if pairs.empty:
        return codes
    near = _mutual(pairs.assign(metres=_metres(reading.geometry[pairs["row"].to_numpy(int)], pairs["there"])))
    found = codes.copy()
    found[near["row"].to_numpy(int)] = near["kept"].to_numpy(object)
    if len(near):
        reading.notes.append(
            Note(
                N_(
                    "{count} rows without a code are places that are here under the number of a line: same "
                    "name, same type, within {metres} m. They stay the same ones and keep that code."
                ),
                {"count": len(near), "metres": int(REACH_METRES)},
            )
        )
    return found


def _metres(here: NDArray[np.object_], there: pd.Series[Any]) -> NDArray[np.float64]:
    stored = np.asarray(shapely.from_wkb(there.to_numpy()), dtype=object)
    projection = LocalProjection.around(stored)
    distances: NDArray[np.float64] = shapely.distance(projection.forward(here), projection.forward(stored))
    return distances


def _mutual(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs within reach of which each is the nearest to the other; every row and every place once."""
    near = pairs[pairs["metres"] <= REACH_METRES].sort_values(["metres", "row", "kept"])
    return near[~near.duplicated("row") & ~near.duplicated("kept")]
