"""What is made of a file, and within which limits; plain values that cross a process's border."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Derived", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the decoding of one file may take."""

    megapixels: int
    """Of a picture, or of one image of a video."""
    edge: int
    """Longer side of the copy for showing, pixels."""
    seconds: int
    """Longest video."""
    thumbnail: int = 320
    """Longer side of the thumbnail, pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """Copies of a file, by name within the folder they were written to, and what its maker wrote into it."""

    shown: str
    shown_type: str
    thumbnail: str
    width: int
    height: int
    duration: float | None = None
    """Seconds."""
    taken: str | None = None
    """When, ISO 8601; without an offset where the camera gave none."""
    lon: float | None = None
    lat: float | None = None
