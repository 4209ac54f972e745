"""The ``gridmap places`` commands: audit, repair, draw."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from gridmap.coverage.audit import FindingKind, audit_coverage
from gridmap.coverage.drawing import Wish, apply_drawing, area_from_bounds, propose_cells, told
from gridmap.coverage.repair import apply_repair, offer_repair
from gridmap.errors import NotFoundError
from gridmap.imports.command import shown_progress
from gridmap.imports.plan import ImportOptions, Writer
from gridmap.installation import open_store
from gridmap.labels import label
from gridmap.language import gettext
from gridmap.people.permissions import Actor
from gridmap.places.models import Area
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    import uuid

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.jobs import Progress

__all__ = ["places"]


@click.group()
def places() -> None:
    """Is every piece of ground held: audit, repair, draw cells."""


@places.command()
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Day to look at; today by default.")
@click.option("--limit", default=20, show_default=True, help="Findings shown of each kind.")
@click.pass_obj
def audit(settings: Settings, on: datetime | None, limit: int) -> None:
    """Find gaps, overlaps, and places, roads and people left over."""
    day = on.date() if on else datetime.now(settings.zone).date()
    with shown_progress() as progress, reading(open_store(settings)) as session:
        found = audit_coverage(session, Actor.owner(), on=day, progress=progress)
    for kind in FindingKind:
        mine = [finding for finding in found.findings if finding.kind is kind]
        if not mine:
            continue
        click.echo(f"{label(kind)}: {len(mine)}")
        for finding in mine[:limit]:
            where = "" if finding.lon is None else f"  {finding.lon:.6f},{finding.lat:.6f}"
            size = "" if not finding.area_m2 else f"  {finding.area_m2:.0f} m²"
            click.echo(f"  {', '.join(finding.names)}{where}{size}")
    looked_at = ", ".join(f"{gettext(what)} {n}" for what, n in found.looked_at.items())
    click.echo(gettext("{n} findings; looked at {what}.", n=len(found.findings), what=looked_at))


@places.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def repair(settings: Settings, *, yes: bool) -> None:
    """Offer to mend gaps and overlaps between cells, and do it if agreed."""
    engine = open_store(settings)
    with shown_progress() as progress:
        with reading(engine) as session:
            offer = offer_repair(session, Actor.owner(), on=datetime.now(settings.zone).date())
        for code, before, after in offer.lines:
            click.echo(f"  {code}: {before:.0f} m² → {after:.0f} m²")
        if not offer.lines:
            click.echo(gettext("There is nothing to mend."))
            return
        if not yes:
            click.confirm(gettext("Mend these cells?"), abort=True)
        with writing(engine) as session:
            uid = apply_repair(_writer(settings, session, progress)).uid
    click.echo(gettext("Done. To take it back: gridmap import undo {uid}", uid=str(uid)))


@places.command()
@click.option("--area", "area_code", help="Code or name of the area to cut.")
@click.option("--bounds", help="west,south,east,north: makes an area of this rectangle first.")
@click.option(
    "--code", default="990000000001", show_default=True, help="Code of the area made from --bounds."
)
@click.option("--name", default="新辖区", help="Name of the area made from --bounds.")
@click.option("--cells", "count", type=int, help="How many cells.")
@click.option("--work", "work_per_cell", type=float, help="How much work in each cell, instead of --cells.")
@click.option("--prefix", default="", help="First 12 digits of the codes; the area's code by default.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same cells.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def draw(
    settings: Settings,
    *,
    area_code: str | None,
    bounds: str | None,
    code: str,
    name: str,
    count: int | None,
    work_per_cell: float | None,
    prefix: str,
    seed: int,
    yes: bool,
) -> None:
    """Cut an area along its streets into cells balanced by work."""
    engine = open_store(settings)
    with shown_progress() as progress, writing(engine) as session:
        if bounds:
            west, south, east, north = (float(part) for part in bounds.split(","))
            uid = area_from_bounds(session, (west, south, east, north), code=code, name=name).uid
        else:
            uid = _area(session, area_code or "")
        wish = Wish(area_uid=uid, count=count, work_per_cell=work_per_cell, prefix=prefix, seed=seed)
        writer = _writer(settings, session, progress)
        if not yes:
            proposal = propose_cells(writer, wish)
            click.echo(told(proposal))
            click.confirm(gettext("Put these cells in force from today?"), abort=True)
        record, proposal = apply_drawing(writer, wish)
    click.echo(told(proposal))
    for remark in proposal.drawn.remarks:
        click.echo("  " + gettext(remark.message, **remark.params))
    click.echo(gettext("Done. To take it back: gridmap import undo {uid}", uid=str(record.uid)))


def _area(session: Session, word: str) -> uuid.UUID:
    query = select(Area.uid).where(Area.valid_to.is_(None), (Area.code == word) | (Area.name == word))
    found = session.scalars(query).all()
    if len(found) != 1:
        raise NotFoundError(
            "Expected the code or the unmistakable name of an area; found “{found}”.", found=word
        )
    return found[0]


def _writer(settings: Settings, session: Session, progress: Progress) -> Writer:
    return Writer(
        session=session,
        actor=Actor.owner(),
        now=datetime.now(UTC),
        options=ImportOptions(zone=settings.zone),
        progress=progress,
        settings=settings,
    )
