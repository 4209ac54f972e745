"""Putting the API on the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.api import (
    attachments,
    description,
    events,
    figures,
    forecast,
    heat,
    options,
    places,
    problems,
    shops,
    steps,
    tiles,
    tracks,
    uploads,
    webhooks,
)
from web.api.blueprint import api

if TYPE_CHECKING:
    from flask_openapi3.openapi import OpenAPI

__all__ = ["MODULES", "install"]

MODULES = (
    attachments,
    description,
    events,
    figures,
    forecast,
    heat,
    options,
    places,
    problems,
    shops,
    steps,
    tiles,
    tracks,
    uploads,
    webhooks,
)
"""Imported for their routes."""


def install(app: OpenAPI) -> None:
    """Register the API on `app`."""
    app.register_api(api)
