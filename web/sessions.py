"""Whom a request comes from: a browser by its cookie, or a machine by its token.

The cookie is signed and holds nothing but a secret and when it was last seen; who it belongs to, and whether
it is still good, the store says.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import g, request, session

from gridmap.people import credentials
from gridmap.people.models import CredentialKind
from gridmap.store.engine import write_if_free, writing
from web.installation import clocks, db, installation, now, today

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from gridmap.people.credentials import Recognised
    from gridmap.people.models import Login

__all__ = [
    "address",
    "begin",
    "browser",
    "by_token",
    "end",
    "end_others",
    "forget",
    "recognise",
    "recognised",
    "renew",
]

_KEPT = 2000
_TOUCHED_EVERY = timedelta(minutes=5)


def address() -> str:
    """Return the address a request comes from."""
    return request.remote_addr or ""


def browser() -> str:
    """Return the browser and the system of a request in a few words, for its owner to recognise it by."""
    agent = request.user_agent.string
    programs = (
        ("MicroMessenger", "WeChat"),
        ("DingTalk", "DingTalk"),
        ("Edg", "Edge"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    )
    systems = (
        ("HarmonyOS", "HarmonyOS"),
        ("Android", "Android"),
        ("iPhone|iPad", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    found = [
        next((name for pattern, name in known if re.search(pattern, agent)), "")
        for known in (programs, systems)
    ]
    return " · ".join(part for part in found if part) or agent[:60]


def _known(secret: str) -> Recognised | None:
    """Return whose secret it is, from memory as long as no login, credential or area was changed."""
    at = clocks()
    key = (hashlib.sha256(secret.encode()).digest(), at.access, at.ground, today())
    kept = installation().recognised
    if key not in kept:
        found = credentials.recognise(db(), secret, day=today())
        if len(kept) >= _KEPT:
            kept.clear()
        kept[key] = found
    return kept[key]


def by_token() -> bool:
    """Whether the request shows a token; its cookies mean nothing then."""
    return "Authorization" in request.headers


def recognise() -> None:
    """Find out whom the request comes from; `g.actor` and `recognised` say it afterwards."""
    g.actor = g.recognised = None
    if by_token():
        kind, _, secret = request.headers["Authorization"].partition(" ")
        found = _known(secret.strip()) if kind.lower() == "bearer" else None
        wanted = CredentialKind.TOKEN
    else:
        secret = session.get("secret", "")
        found = _known(secret) if secret else None
        wanted = CredentialKind.SESSION
        if secret and (found is None or _idle()):
            forget()
            return
    if found is None or found.kind is not wanted or not found.good(now()):
        return
    g.recognised, g.actor = found, found.actor
    if found.kind is CredentialKind.SESSION and found.rights_changed and not found.former:
        _renew_if_free(found)
    _touch(found)


def recognised() -> Recognised:
    """Return whom this request comes from; a route for those who are signed in always has one."""
    found: Recognised = g.recognised
    return found


def _idle() -> bool:
    """Whether the cookie was last seen too long ago."""
    seen = session.get("seen", 0)
    return bool(now().timestamp() - seen > installation().settings.session_minutes_idle * 60)


def _touch(found: Recognised) -> None:
    """Note that it is in use, every few minutes; reading must never wait for a writer to do so."""
    if found.kind is CredentialKind.SESSION:
        if now().timestamp() - session["seen"] < _TOUCHED_EVERY.total_seconds():
            return
        session["seen"] = int(now().timestamp())
    else:
        last = installation().touched.get(found.credential_id)
        if last is not None and now() - last < _TOUCHED_EVERY:
            return
        installation().touched[found.credential_id] = now()
    _note_use(found)


def _note_use(found: Recognised) -> None:
    where, moment = address(), now()
    write_if_free(
        installation().engine, lambda db: credentials.used(db, found.credential_id, where, now=moment)
    )


def _renew_if_free(found: Recognised) -> None:
    made: list[str | None] = []
    moment = now()

    def work(db: Session) -> None:
        made.append(credentials.renew_if_due(db, found.credential_id, now=moment))

    if write_if_free(installation().engine, work) and made[0] is not None:
        session["secret"] = made[0]


def renew(db: Session) -> None:
    """Give this session a new identity within a writing transaction."""
    session["secret"] = credentials.renew(db, recognised().credential_id, now=now())


def end_others(db: Session) -> None:
    """End every other session of this login within a writing transaction."""
    credentials.end_all(db, recognised().login_id, now=now(), but=recognised().credential_id)


def begin(db: Session, login: Login) -> None:
    """Begin a session within a writing transaction; the old one, with whatever was in it, ends."""
    language = session.get("language") or login.language
    session.clear()
    session.permanent = True
    lasts = timedelta(hours=installation().settings.session_hours)
    session["secret"] = credentials.begin_session(
        db, login, name=browser(), address=address(), lasts=lasts, now=now()
    )
    session["seen"] = int(now().timestamp())
    if language:
        session["language"] = language


def forget() -> None:
    """Take everything but the language out of the cookie."""
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language


def end() -> None:
    """End this session, here and in the store."""
    if g.get("recognised") is not None:
        with writing(installation().engine) as db:
            credentials.end_one(db, recognised().login_id, recognised().uid, now=now())
    forget()
