"""Commands about limits of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gridmap.deadlines.calendar import load_calendar
from gridmap.deadlines.escalation import escalate
from gridmap.installation import open_store
from gridmap.labels import label
from gridmap.language import explain, gettext, ngettext
from gridmap.people.permissions import Actor
from gridmap.problems.catalogue import take_catalogue
from gridmap.store.engine import writing
from gridmap.workflow.resuming import resume_due

if TYPE_CHECKING:
    from gridmap.config import Settings

__all__ = ["deadlines"]


@click.group()
def deadlines() -> None:
    """Limits of time."""


@deadlines.command("escalate")
@click.pass_obj
def run(settings: Settings) -> None:
    """Remind, notify and list whatever has become due."""
    with writing(open_store(settings)) as session:
        resume_due(session, settings=settings, now=datetime.now(UTC))
        done = escalate(session, settings=settings, now=datetime.now(UTC))
    if not done.problems:
        click.echo(gettext("Nothing has become due."))
    for kind, count in done.problems.items():
        click.echo(gettext("{step}: {n} problems", step=label(kind), n=count))
    if done.problems:
        click.echo(
            gettext(
                "{notices} notices and {reminders} reminders sent.",
                notices=done.notices,
                reminders=done.reminders,
            )
        )


@deadlines.command("categories")
@click.pass_obj
def take_over(settings: Settings) -> None:
    """Create the usual categories, with their limits, that are not there yet."""
    with writing(open_store(settings)) as session:
        count = take_catalogue(session, Actor.owner())
    click.echo(ngettext("{n} category created.", "{n} categories created.", count))


@deadlines.command("calendar")
@click.pass_obj
def show(settings: Settings) -> None:
    """Say which years have a calendar, and what is wrong with files."""
    calendar = load_calendar(settings)
    click.echo(
        gettext("Years with a calendar: {years}", years=", ".join(map(str, sorted(calendar.listed.years))))
    )
    for year in calendar.unknown_years(datetime.now(settings.zone).date()):
        click.echo(
            gettext("There is no calendar for {year}: its holidays count as working days.", year=year),
            err=True,
        )
    for fault in calendar.faults:
        click.echo(gettext("Left aside: {fault}", fault=explain(fault)), err=True)
