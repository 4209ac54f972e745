"""What an import would move among open problems, told before it is applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gridmap.dispatch.foreseeing import foresee, foresee_doing
from gridmap.imports.cells import cells_after
from gridmap.imports.places import AREAS, ROADS
from gridmap.imports.roster import ROSTER
from gridmap.imports.service import apply_import
from gridmap.store.engine import reading

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    from gridmap.dispatch.foreseeing import Foreseen
    from gridmap.imports.plan import Plan, Writer

__all__ = ["foresee_import"]

_TRIED = frozenset({AREAS.name, ROADS.name, ROSTER.name})
"""Kinds that change who answers for a place; what cells do is worked out without the store's lock."""


def foresee_import(engine: Engine, file: Path, plan: Plan, writer: Writer) -> list[Foreseen]:
    """Say which open problems would have another cell, area, organisation or person by an import.

    Parameters
    ----------
    engine
        The store.
    file, plan
        What is to be imported, and what it would do.
    writer
        Whose actor may change the rules of the whole city; its session is not used.

    Raises
    ------
    PermissionDeniedError
        If the actor may not.
    """
    settings, now = writer.settings, writer.now
    if not (plan.counts.created or plan.counts.changed):
        return []
    if plan.kind in _TRIED:
        options = replace(writer.options, skip_refused=True)

        def do(session: Session) -> None:
            def trying(done: float, total: float, what: str = "") -> None:  # noqa: ARG001 - it is only tried
                writer.progress(done, total, "Trying what it would move")

            apply_import(file, plan.kind, replace(writer, session=session, options=options, progress=trying))

        return foresee_doing(engine, writer.actor, do, settings=settings, now=now)
    with reading(engine) as session:
        cells = cells_after(session, plan.steps, now.astimezone(settings.zone).date())
        if cells is None:
            return []
        return foresee(session, writer.actor, cells, settings=settings, now=now)
