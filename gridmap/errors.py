"""What can go wrong in the domain; none of it knows HTTP."""

from __future__ import annotations

from typing import Any


class GridmapError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    message
        Template in English with ``{name}`` places: the key of the translation catalogue. It says what was
        expected and what was found.
    **params
        Values for the places.
    """

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message, params)
        self.message = message
        self.params = params

    def __str__(self) -> str:
        return self.message.format(**self.params)


class InvalidValueError(GridmapError):
    """A value is missing, of the wrong form or outside what is allowed.

    Parameters
    ----------
    message, **params
        As for the base class.
    parameter
        Name of the parameter or field at fault, where one can be named.
    """

    def __init__(self, message: str, *, parameter: str | None = None, **params: Any) -> None:
        super().__init__(message, **params)
        self.parameter = parameter


class NotFoundError(GridmapError):
    """What was asked for does not exist, or lies outside what the actor may see: the two look alike."""


class PermissionDeniedError(GridmapError):
    """The actor lacks the permission that a use case names."""


class ThrottledError(GridmapError):
    """Too many failed attempts: nothing was tried, and nothing will be before some time has passed.

    Parameters
    ----------
    message, **params
        As for the base class.
    retry_after
        Whole seconds to wait.
    """

    def __init__(self, message: str, *, retry_after: int, **params: Any) -> None:
        super().__init__(message, **params)
        self.retry_after = retry_after


class ConflictError(GridmapError):
    """The thing has changed meanwhile, or a second one of its kind is not allowed."""


class LimitReachedError(GridmapError):
    """Somebody asks for more within a time than the installation allows."""


class StaleVersionError(ConflictError):
    """The thing has changed since the version that somebody's change was meant for.

    Parameters
    ----------
    message, **params
        As for the base class.
    changes
        What has happened to it since, as lines of its history.
    """

    def __init__(self, message: str, *, changes: list[dict[str, Any]], **params: Any) -> None:
        super().__init__(message, **params)
        self.changes = changes


class StoreError(GridmapError):
    """The database is missing, not prepared, of another revision, or lacks its spatial extension."""


class SettingError(GridmapError):
    """A setting in the environment has no usable value."""
