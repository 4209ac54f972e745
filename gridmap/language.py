"""Messages in the reader's language.

English templates in the code are the keys; ``locale/<language>/gridmap.po`` holds the translations. The
language in force is a context variable, set per request and per command.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "LANGUAGES",
    "N_",
    "current_language",
    "explain",
    "gettext",
    "listed",
    "ngettext",
    "speak",
    "use_language",
]

LANGUAGES = ("zh_CN", "en")
"""Languages of pages and messages, the usual one first."""
_language: ContextVar[str] = ContextVar("gridmap_language", default=LANGUAGES[0])


class Explained(Protocol):
    """An error that carries a translatable template and its values."""

    message: str
    params: dict[str, Any]


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    source = files("gridmap") / "locale" / language / "gridmap.po"
    if not source.is_file():
        return {}
    with source.open("rb") as file:
        entries = read_po(file, locale=language)
    return {
        str(entry.id): entry.string
        for entry in entries
        if entry.id and isinstance(entry.string, str) and entry.string
    }


def current_language() -> str:
    """Return the language in force in this context."""
    return _language.get()


def use_language(language: str) -> None:
    """Set the language of this context; an unknown one falls back to the default."""
    _language.set(language if language in LANGUAGES else LANGUAGES[0])


@contextmanager
def speak(language: str) -> Iterator[None]:
    """Use `language` inside a ``with`` block."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def gettext(message: str, /, **params: Any) -> str:
    """Translate a template and fill its ``{name}`` places."""
    text = _catalogue(_language.get()).get(message, message)
    return text.format(**params) if params else text


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name
    """Mark a template for the catalogue where it is only kept; it is translated when it is shown."""
    return message


def ngettext(singular: str, plural: str, n: int, /, **params: Any) -> str:
    """Translate a counted template; Chinese has one form, keyed by the plural."""
    if _language.get() == "en":
        return (singular if n == 1 else plural).format(n=n, **params)
    return gettext(plural, n=n, **params)


def listed(names: Iterable[object]) -> str:
    """Join names as the language in force lists them."""
    return gettext(", ").join(map(str, names))


def explain(error: Explained) -> str:
    """Say what an error means in the language in force."""
    return gettext(error.message, **error.params)
