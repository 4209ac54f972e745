"""The description of the API, made from the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import current_app

from web.access import open_to_all
from web.api.blueprint import api
from web.api.models import Fault
from web.api.problem_models import StaleFault

if TYPE_CHECKING:
    from flask_openapi3.openapi import OpenAPI

__all__ = ["described", "description"]

_JSON = "application/json"
_FAULT = "application/problem+json"
_GEOJSON = "application/geo+json"


@api.get("/openapi.json", doc_ui=False)
@open_to_all
def description() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return described(cast("OpenAPI", current_app).api_doc)


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Name the media types that answers really have: the framework knows models only, and calls all JSON."""
    schemas = document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation.get("responses", {}).values():
                content = response.get("content", {})
                if _JSON in content:
                    answer = content.pop(_JSON)
                    content[_media(answer, schemas)] = answer
    return document


def _media(content: dict[str, Any], schemas: dict[str, Any]) -> str:
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name in {Fault.__name__, StaleFault.__name__}:
        return _FAULT
    # An older framework leaves out the constant of `type`.
    return _GEOJSON if "features" in schemas.get(name, {}).get("properties", {}) else _JSON
