"""What can be wrong with geographic input."""

from __future__ import annotations

from typing import Any


class GeodataError(ValueError):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    message
        Template in English with ``{name}`` places. It is the key of the translation catalogue, so it is
        a literal where the error is raised; it says what was expected and what was found.
    **params
        Values for the places.
    """

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message, params)
        self.message = message
        self.params = params

    def __str__(self) -> str:
        return self.message.format(**self.params)


class DatumError(GeodataError):
    """A coordinate system is unknown, missing or does not fit the numbers."""


class FormatError(GeodataError):
    """A file is not what its name or the caller says, or lacks what is needed."""


class GeometryError(GeodataError):
    """A geometry or coordinate is empty, out of range, of the wrong kind or not valid."""


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name
    """Mark a template that is not a literal where its error is raised, so that the catalogue has it."""
    return message
