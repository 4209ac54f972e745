"""Mending the tiling of the cells: an offer first, then one undoable change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geodata.tiling_repair import Repair, repair
from gridmap.coverage.audit import Ground, ground_of
from gridmap.errors import ConflictError
from gridmap.imports.plan import Counts
from gridmap.imports.service import record_change
from gridmap.imports.steps import Draft, match
from gridmap.people.permissions import Permission
from gridmap.places.models import GridCell

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from gridmap.imports.models import Import
    from gridmap.imports.plan import Writer
    from gridmap.people.permissions import Actor

__all__ = ["RepairOffer", "apply_repair", "offer_repair"]


@dataclass(frozen=True, slots=True)
class RepairOffer:
    """What a repair would do to the cells of `ground`."""

    ground: Ground
    repair: Repair

    @property
    def lines(self) -> list[tuple[str, float, float]]:
        """Code, surface before and surface after of each cell that would change, square metres."""
        codes = self.ground.cells["code"].to_numpy()
        return [(codes[c.cell], c.before_m2, c.after_m2) for c in self.repair.changes]


def offer_repair(session: Session, actor: Actor, *, on: date) -> RepairOffer:
    """Say which cells would change, and how, to mend the tiling; nothing is written.

    Raises
    ------
    PermissionDeniedError
        If the actor may not audit.
    """
    ground = ground_of(session, actor, on=on)
    return RepairOffer(ground, repair(ground.cells["geometry"].to_numpy(), ground.report))


def apply_repair(writer: Writer) -> Import:
    """Mend the tiling as offered, undoably; cells left without ground stay as they are.

    Raises
    ------
    PermissionDeniedError
        If the actor may not draw cells in the whole city.
    ConflictError
        If there is nothing to mend.
    """
    writer.actor.scope_everywhere(Permission.PLACE_DRAW)
    offer = offer_repair(writer.session, writer.actor, on=writer.now.date())
    changes = [change for change in offer.repair.changes if not change.after.is_empty]
    if not changes:
        raise ConflictError("There is nothing to mend.")
    cells = offer.ground.cells.iloc[[change.cell for change in changes]]
    shapes = np.empty(len(changes), dtype=object)
    shapes[:] = [shapely.multipolygons(shapely.get_parts(change.after)) for change in changes]
    draft = Draft(
        GridCell, key=("code",), columns={"code": cells["code"].to_numpy(dtype=object)}, geometry=shapes
    )
    step = match(writer.session, draft, on=writer.now.date())
    counts = Counts(len(changes), 0, len(changes), 0, 0)
    return record_change(writer, "repair", "", [step], counts)
