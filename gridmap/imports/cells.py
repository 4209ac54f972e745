"""The cells as they would be once an import is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from gridmap.places.ground import cells_on
from gridmap.places.models import Area, GridCell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.imports.steps import Matched

__all__ = ["cells_after"]


def cells_after(session: Session, steps: Sequence[Matched], on: date) -> dict[str, NDArray[Any]] | None:
    """Cells in force once the steps of a plan are written on a day.

    Returns
    -------
    dict or None
        As `gridmap.places.ground.cells_on` has them, new ones from -2 down; None where no cell would change.
    """
    about = [step for step in steps if step.draft.model is GridCell and (step.created | step.changed).any()]
    if not about:
        return None
    [step] = about
    draft, now = step.draft, pd.DataFrame(cells_on(session, on))
    ids = step.before["id"].astype(float).fillna(-1).to_numpy(dtype=np.int64)
    areas: dict[Any, int] = dict(session.execute(select(Area.uid, Area.id)).all())
    stated = np.array([areas.get(uid, -1) for uid in draft.references["area_id"][1]], dtype=np.int64)
    kept = now.set_index("id")["area_id"].reindex(ids).fillna(-1).to_numpy(dtype=np.int64)
    new = pd.DataFrame(
        {
            "id": np.where(step.created, -2 - np.arange(len(ids)), ids),
            "area_id": np.where(stated < 0, kept, stated) if "area_id" in draft.keep else stated,
            "code": draft.columns["code"],
            "geometry": draft.geometry,
        }
    )
    both = pd.concat([now[~now["id"].isin(ids)], new], ignore_index=True)
    return {name: both[name].to_numpy() for name in now.columns}
