"""Who somebody is at the city's identity provider (OpenID Connect), and which login of ours that is.

It only ever finds a login that is there already; nobody gets rights from outside. The name that it is found
by counts once: from then on the login is bound to the provider's own identifier of the person, so that a name
which is given to somebody else later lets nobody in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.errors import PermissionDeniedError
from gridmap.people.logins import is_open
from gridmap.people.models import Login, OutsideIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session

__all__ = ["login_of_claims"]


def login_of_claims(
    session: Session, claims: Mapping[str, Any], *, issuer: str, claim: str, day: date, now: datetime
) -> Login:
    """Return the login of whoever an identity token is about, bound to them from now on.

    Parameters
    ----------
    session
        Of a writing transaction.
    claims
        Of a token whose signature, issuer, audience, times and nonce were verified.
    issuer
        The provider.
    claim
        Which claim holds our user name; an ``email`` counts only if it is verified.
    day, now
        On which the login must be open, and the moment.

    Raises
    ------
    PermissionDeniedError
        If there is no such login, it is not open, or it is bound to somebody else.
    """
    subject = str(claims["sub"])
    bound = session.scalar(
        select(OutsideIdentity).where(OutsideIdentity.issuer == issuer, OutsideIdentity.subject == subject)
    )
    if bound is not None:
        login = session.get_one(Login, bound.login_id)
    else:
        login = _named(session, claims, claim)
        taken = session.scalar(select(OutsideIdentity.id).where(OutsideIdentity.login_id == login.id))
        if taken is not None:
            raise _unknown()
        session.add(OutsideIdentity(login_id=login.id, issuer=issuer, subject=subject, bound_at=now))
        session.flush()
    if not is_open(login, day):
        raise _unknown()
    return login


def _named(session: Session, claims: Mapping[str, Any], claim: str) -> Login:
    name = claims.get(claim)
    verified = claim != "email" or claims.get("email_verified") is True
    if not isinstance(name, str) or not name or not verified:
        raise _unknown()
    login = session.scalar(select(Login).where(Login.username == name).with_for_update())
    if login is None:
        raise _unknown()
    return login


def _unknown() -> PermissionDeniedError:
    return PermissionDeniedError("The city's identity provider knows you, but no login here is yours.")
