"""Reading GeoReport's XML as FixMyStreet's client does, and a picture to send."""

from __future__ import annotations

import io
from typing import Any
from xml.etree import ElementTree as ET

from PIL import Image


def picture(colour: str = "red") -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(held, "JPEG")
    return held.getvalue()


def read_xml(text: str) -> Any:
    """Read an answer as FixMyStreet does: listed elements are lists, blank ones nothing."""
    listed = {"service", "attribute", "value", "request", "error", "request_update", "endpoint", "format"}

    def value(element: ET.Element) -> Any:
        if not len(element):
            return (element.text or "").strip() or None
        found: dict[str, Any] = {}
        for child in element:
            if child.tag in listed:
                found.setdefault(child.tag, []).append(value(child))
            else:
                found[child.tag] = value(child)
        return found

    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    return value(ET.fromstring(text)) or {}  # noqa: S314 - our own answers
