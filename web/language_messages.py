"""The part of the catalogue that the page's scripts need."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.extract import extract_from_file

from gridmap.language import current_language, gettext

__all__ = ["script_messages"]

_SCRIPTS = Path(__file__).parent / "static" / "js"


@cache
def _templates() -> frozenset[str]:
    return frozenset(
        message
        for file in _SCRIPTS.glob("*.js")
        for _line, message, _comments, _context in extract_from_file("javascript", file)
        if isinstance(message, str)
    )


@cache
def _messages(language: str) -> dict[str, str]:  # noqa: ARG001 - the key of the cache
    return {template: text for template in sorted(_templates()) if (text := gettext(template)) != template}


def script_messages() -> dict[str, str]:
    """Return template -> translation for every text in ``static/js``, in the language in force."""
    return _messages(current_language())
