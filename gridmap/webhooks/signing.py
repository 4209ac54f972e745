"""How messages are signed and addressed, per kind of receiver; pure functions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit, urlunsplit

from gridmap.webhooks.models import Target

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["BACKOFF", "accepted", "address", "headers", "is_secret", "make_secret", "masked_url"]

BACKOFF = (10, 60, 300, 1800, 7200, 28_800, 86_400)
"""Seconds until the next attempt, after the first, the second, …; after the last it is given up."""

_PREFIX = "whsec_"


def _key(secret: str) -> bytes:
    """A secret as key: base64 after its prefix, as the specification has it, or else its own bytes."""
    return base64.b64decode(secret.removeprefix(_PREFIX)) if secret.startswith(_PREFIX) else secret.encode()


def make_secret() -> str:
    """Make a secret as the specification wants it: 32 random bytes in base64, after its prefix."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    """Whether a text can be a secret: any, but base64 after the prefix; an empty one signs nothing."""
    if not text.startswith(_PREFIX):
        return True
    try:
        return bool(base64.b64decode(text.removeprefix(_PREFIX), validate=True))
    except ValueError:  # also what is no ASCII
        return False


def masked_url(url: str) -> str:
    """Return an address as it may be shown: a robot's key stands in its query, a password before the @."""
    parts = urlsplit(url)
    query = "&".join(f"{pair.partition('=')[0]}=…" for pair in parts.query.split("&")) if parts.query else ""
    host = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, f"{'…@' if host[1] else ''}{host[2]}", parts.path, query, ""))


def headers(target: Target, *, message: str, body: str, secret: str, now: datetime) -> dict[str, str]:
    """Headers of a message.

    A system gets ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``: HMAC-SHA-256 over
    ``id.timestamp.body``. Source: Standard Webhooks 1.0, "Signature scheme".
    """
    plain = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "gridmap"}
    if target is not Target.STANDARD:
        return plain
    moment = str(int(now.timestamp()))
    signed = {"webhook-id": message, "webhook-timestamp": moment}
    if secret:
        mac = hmac.new(_key(secret), f"{message}.{moment}.{body}".encode(), hashlib.sha256).digest()
        signed["webhook-signature"] = f"v1,{base64.b64encode(mac).decode()}"
    return plain | signed


def address(target: Target, *, url: str, secret: str, now: datetime) -> str:
    """Where a message goes.

    DingTalk wants its signature in the address: HMAC-SHA-256 over the time in milliseconds and the secret.
    Source: DingTalk's documentation of custom robots, "Security settings".
    """
    if target is not Target.DINGTALK or not secret:
        return url
    moment = str(int(now.timestamp() * 1000))
    mac = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}timestamp={moment}&sign={quote_plus(base64.b64encode(mac))}"


def accepted(target: Target, status: int, text: str) -> bool:
    """Whether an answer says that the message was taken: 2xx, and from a robot ``errcode`` 0."""
    if not 200 <= status < 300:
        return False
    if target is Target.STANDARD:
        return True
    try:
        return bool(json.loads(text).get("errcode") == 0)
    except (ValueError, AttributeError):
        return False
