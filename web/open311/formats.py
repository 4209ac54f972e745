"""Answers as XML and JSON: one tree, written twice after the Spark convention.

A tree is made of dictionaries, lists and plain values. In XML the members of a list stand under its name,
each in an element named by `ITEMS`; in JSON the root is left away, so that a list of requests is an array.
Nothing is told apart by attributes.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from flask import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMATS", "answer", "moment"]

FORMATS: Mapping[str, str] = MappingProxyType(
    {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
)
"""Content types by suffix; XML is the one that every client reads."""
ITEMS: Mapping[str, str] = MappingProxyType(
    {
        "services": "service",
        "attributes": "attribute",
        "values": "value",
        "service_requests": "request",
        "service_request_updates": "request_update",
        "endpoints": "endpoint",
        "formats": "format",
        "errors": "error",
        "photos": "photo",
        "media_urls": "media_url",
        "notes": "note",
    }
)
"""Name of a list -> name of each of its members."""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def moment(time: datetime | None) -> str | None:
    """Time in UTC with its ``Z``, to the second, as every reader of the format takes it."""
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def answer(name: str, tree: Any, suffix: str, status: int = 200) -> Response:
    """Write a tree.

    Parameters
    ----------
    name
        Name of the root.
    tree
        What stands under it.
    suffix
        ``xml`` or ``json``.
    """
    if suffix == "json":
        text = json.dumps(tree, ensure_ascii=False)
        return Response(text, status=status, content_type=FORMATS["json"])
    root = ET.Element(name)
    _fill(root, name, tree)
    ET.indent(root)
    body = b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8")
    return Response(body + b"\n", status=status, content_type=FORMATS["xml"])


def _fill(element: ET.Element, name: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _fill(ET.SubElement(element, key), key, inner)
    elif isinstance(value, list):
        for inner in value:
            _fill(ET.SubElement(element, ITEMS[name]), ITEMS[name], inner)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    elif value is not None:
        element.text = _NOT_XML.sub("", str(value))
