"""How pages write days and times: one way, year first, in the installation's time zone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from web.installation import installation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from flask import Flask

__all__ = ["FORMATS", "install"]

FORMATS = {
    "local_time": "%Y-%m-%d %H:%M",
    "second": "%Y-%m-%d %H:%M:%S",
    "day": "%Y-%m-%d",
    "clock": "%H:%M",
    "short_time": "%m-%d %H:%M",
    "short_day": "%m-%d",
    "form_time": "%Y-%m-%dT%H:%M",
}
"""By the name of the filter; the short ones where the year is said beside, the last for fields of forms."""


def install(app: Flask) -> None:
    """Let templates write times by filters."""
    for name, form in FORMATS.items():
        app.jinja_env.filters[name] = _writer(form)


def _writer(form: str) -> Callable[[date | None], str]:
    def write(moment: date | None) -> str:
        if moment is None:
            return "–"
        # A day, and what is by the clock on the wall already, is in no zone.
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            moment = moment.astimezone(installation().settings.zone)
        return moment.strftime(form)

    return write
