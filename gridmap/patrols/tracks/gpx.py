"""Tracks from GPX files, as receivers and phones write them."""

from __future__ import annotations

import math
from datetime import UTC
from typing import TYPE_CHECKING

import gpxpy
import gpxpy.gpx
import numpy as np

from gridmap.errors import InvalidValueError
from gridmap.patrols.tracks.fixes import MOST_FIXES, Fixes

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["read_gpx"]

_DILUTED_M = 4.0
"""Metres of error for each unit of the dilution of precision that a receiver writes."""


def read_gpx(content: bytes) -> Fixes:
    """Read all tracks of a GPX file, one after the other.

    Raises
    ------
    InvalidValueError
        If it is none, holds no or too many points, or does not say when they were taken.
    """
    count = content.count(b"<trkpt")
    if count > MOST_FIXES:
        raise InvalidValueError(
            "Expected from 2 to {most} points in a track; found {found}. Divide a longer one by days.",
            parameter="file",
            most=MOST_FIXES,
            found=count,
        )
    # Entities could make a small file a very large one, and no receiver writes them.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise InvalidValueError("Expected a GPX file without a document type.", parameter="file")
    try:
        gpx = gpxpy.parse(content)
    except (gpxpy.gpx.GPXException, ValueError, LookupError) as error:
        raise InvalidValueError(
            "Expected a GPX file; found something else, or one that is cut off.", parameter="file"
        ) from error
    points = [point for track in gpx.tracks for segment in track.segments for point in segment.points]
    if not points:
        raise InvalidValueError("Expected a track with points in the GPX file; found none.", parameter="file")
    for number, point in enumerate(points, start=1):
        if point.time is None:
            raise InvalidValueError(
                "Expected a time with every point; point {number} has none. A drawn route is no track.",
                parameter="file",
                number=number,
            )
    diluted = (point.horizontal_dilution for point in points)
    return Fixes(
        np.array([point.longitude for point in points]),
        np.array([point.latitude for point in points]),
        np.array([_seconds(point.time) for point in points if point.time is not None]),
        np.array([math.nan if one is None else one * _DILUTED_M for one in diluted], dtype=float),
    )


def _seconds(time: datetime) -> float:
    # GPX times are UTC; some writers leave the letter out.
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
