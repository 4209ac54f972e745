"""The description of the API, made from the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import current_app

from web.access import open_to_all
from web.api.blueprint import api

if TYPE_CHECKING:
    from flask_openapi3.openapi import OpenAPI

__all__ = ["description"]


@api.get("/openapi.json", doc_ui=False)
@open_to_all
def description() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return cast("OpenAPI", current_app).api_doc
