"""The ``gridmap login`` commands."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from gridmap.errors import NotFoundError
from gridmap.installation import open_store
from gridmap.language import gettext
from gridmap.people.logins import change_password, create_login
from gridmap.people.models import Login, Organisation, Person
from gridmap.people.permissions import Role
from gridmap.places.models import Area
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from gridmap.config import Settings

__all__ = ["logins"]


@click.group("login")
def logins() -> None:
    """Who may sign in, and as what."""


@logins.command()
@click.argument("username")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True, help="What they may do."
)
@click.option("--name", help="Name of the person; the user name by default.")
@click.option("--area", "area", help="Code or name of the area to which the role is limited.")
@click.option("--organisation", help="Name of the organisation to which the role is limited.")
@click.option("--password", help="At least 8 characters; made and shown if left out.")
@click.pass_obj
def create(
    settings: Settings,
    *,
    username: str,
    role: str,
    name: str | None,
    area: str | None,
    organisation: str | None,
    password: str | None,
) -> None:
    """Create the login USERNAME."""
    secret = password or secrets.token_urlsafe(9)
    with writing(open_store(settings)) as session:
        person = session.scalar(select(Person).where(Person.name == (name or username)))
        create_login(
            session,
            person=person or Person(name=name or username),
            username=username,
            password=secret,
            role=Role(role),
            area_id=_area(session, area) if area else None,
            organisation_id=_organisation(session, organisation) if organisation else None,
        )
    click.echo(gettext("User name {username}, password {password}", username=username, password=secret))


@logins.command()
@click.argument("username")
@click.option("--password", help="At least 8 characters; made and shown if left out.")
@click.pass_obj
def password(settings: Settings, *, username: str, password: str | None) -> None:
    """Give USERNAME a new password and end their sessions."""
    secret = password or secrets.token_urlsafe(9)
    with writing(open_store(settings)) as session:
        change_password(session, _login(session, username), secret)
    click.echo(gettext("User name {username}, password {password}", username=username, password=secret))


@logins.command()
@click.argument("username")
@click.pass_obj
def disable(settings: Settings, *, username: str) -> None:
    """Shut USERNAME out at once."""
    with writing(open_store(settings)) as session:
        _login(session, username).disabled = True
    click.echo(gettext("{username} can no longer sign in.", username=username))


@logins.command("list")
@click.pass_obj
def show(settings: Settings) -> None:
    """List the logins with their roles."""
    with reading(open_store(settings)) as session:
        for login in session.scalars(select(Login).order_by(Login.username)):
            roles = ", ".join(grant.role.value for grant in login.grants)
            click.echo(
                f"{login.username:<16} {roles:<20} {login.person.name}{'  (-)' if login.disabled else ''}"
            )


def _login(session: Session, username: str) -> Login:
    login = session.scalar(select(Login).where(Login.username == username))
    if login is None:
        raise NotFoundError("There is no login {username}.", username=username)
    return login


def _area(session: Session, word: str) -> int:
    found = session.scalars(
        select(Area.id).where(Area.valid_to.is_(None), (Area.code == word) | (Area.name == word))
    ).all()
    if len(found) != 1:
        raise NotFoundError(
            "Expected the code or the unmistakable name of an area; found “{found}”.", found=word
        )
    return found[0]


def _organisation(session: Session, name: str) -> int:
    found = session.scalar(select(Organisation.id).where(Organisation.name == name))
    if found is None:
        raise NotFoundError("There is no organisation “{name}”.", name=name)
    return found
