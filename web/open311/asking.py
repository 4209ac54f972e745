"""What clients ask: parameters, times, keys, and the errors they are told."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flask import request

from gridmap.language import gettext
from gridmap.residents.queries import find_key
from web.installation import db, installation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridmap.residents.models import ApiKey

__all__ = [
    "Open311Error",
    "asked",
    "check_jurisdiction",
    "identities",
    "needed_key",
    "offered_key",
    "page",
    "several",
    "span",
    "time_of",
]

_LONGEST = timedelta(days=90)
_MOST = 1000
_W3C = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})")


class Open311Error(Exception):
    """An error that the specification names: 400, 403 or 404, and what is wrong."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def asked(name: str) -> str:
    """Return a parameter of the address or the form; a blank one counts as none."""
    return (request.values.get(name) or "").strip()


def several(name: str) -> list[str] | None:
    """Return a parameter that takes several values, with commas or repeated; None where there is none."""
    texts = [part.strip() for text in request.values.getlist(name) for part in text.split(",")]
    return [text for text in texts if text] or None


def check_jurisdiction() -> None:
    """Raise 404 for another jurisdiction than the one that is served."""
    own = installation().settings.open311_jurisdiction
    given = asked("jurisdiction_id")
    if own and given and given != own:
        raise Open311Error(404, gettext("jurisdiction_id {found} was not found.", found=given))


def offered_key() -> ApiKey | None:
    """Return the key that came with a request; a wrong one is no error where none is needed."""
    key = asked("api_key")
    return find_key(db(), key) if key else None


def needed_key() -> ApiKey:
    """Return the key that came with a request, or raise 403."""
    key = offered_key()
    if key is None:
        raise Open311Error(
            403, gettext("Missing or wrong api_key.") if asked("api_key") else gettext("Missing api_key.")
        )
    return key


def time_of(name: str) -> datetime | None:
    """Return a time that a parameter holds, with its offset; None where there is none; or raise 400."""
    text = asked(name).replace(" ", "+")
    if not text:
        return None
    try:
        if not _W3C.fullmatch(text):
            raise ValueError  # noqa: TRY301 - told below like any other
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Open311Error(
            400,
            gettext(
                "{name}: expected a time such as 2010-01-01T00:00:00Z; found {found}.", name=name, found=text
            ),
        ) from None


def span(now: datetime) -> tuple[datetime, datetime]:
    """Return from when until when a request asks: 90 days at most, and the last 90 where it says nothing."""
    start, end = time_of("start_date"), time_of("end_date")
    if start is not None and end is not None:
        if end < start:
            raise Open311Error(400, gettext("start_date lies after end_date."))
        if end - start > _LONGEST:
            raise Open311Error(400, gettext("start_date and end_date may not span more than 90 days."))
        return start, end
    try:
        if start is not None:
            return start, start + _LONGEST
        end = end or now
        return end - _LONGEST, end
    except OverflowError:
        raise Open311Error(400, gettext("start_date lies after end_date.")) from None


def page() -> tuple[int, int]:
    """Return how many to answer and after how many, from ``page`` and ``page_size``."""
    numbers = []
    for name, default, most in (("page", 1, 100_000), ("page_size", _MOST, _MOST)):
        text = asked(name) or str(default)
        if not re.fullmatch(r"\d{1,6}", text) or not 1 <= int(text) <= most:
            raise Open311Error(
                400,
                gettext(
                    "{name}: expected a whole number from {least} to {most}; found “{found}”.",
                    name=name,
                    least=1,
                    most=most,
                    found=text[:40],
                ),
            )
        numbers.append(int(text))
    return numbers[1], (numbers[0] - 1) * numbers[1]


def identities(texts: Sequence[str]) -> list[uuid.UUID]:
    """Return the identities of requests; what is none belongs to no request."""
    found = []
    for text in texts[:_MOST]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
