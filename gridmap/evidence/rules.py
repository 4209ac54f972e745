"""How far a picture's own statement is from what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from geodata.projection import LocalProjection
from geodata.shift import Shift
from gridmap.evidence.models import Doubt

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["doubts", "metres_between", "minutes_between", "moment_of"]


def metres_between(camera: tuple[float, float], stated: tuple[float, float]) -> float:
    """Distance in metres between where a camera and where a person says that a picture was taken.

    Some phones sold in China write GCJ-02 where the standard wants WGS-84; nothing in the file says so. The
    smaller of the two distances counts, so that an honest picture is not doubted for its phone.

    Parameters
    ----------
    camera, stated
        Longitude and latitude, degrees; the stated ones EPSG:4326.
    """
    lon, lat = np.array([camera[0]]), np.array([camera[1]])
    shifted_lon, shifted_lat = Shift.GCJ02.undo(lon, lat)
    projection = LocalProjection(round(stated[0], 2), round(stated[1], 2))
    x, y = projection.forward_xy(
        np.array([stated[0], lon[0], shifted_lon[0]]), np.array([stated[1], lat[0], shifted_lat[0]])
    )
    found = np.hypot(x[1:] - x[0], y[1:] - y[0])
    found = found[np.isfinite(found)]
    # A projection has no place for the other side of the earth, which is far in any case.
    return float(found.min()) if len(found) else 20_000_000.0


def moment_of(text: str | None, zone: ZoneInfo) -> datetime | None:
    """Read a camera's time, which is local where it has no offset; None if it is no time."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def minutes_between(stated: datetime, camera: datetime) -> float:
    """Minutes from the stated time to the camera's; below zero: the camera's is earlier."""
    return (camera - stated).total_seconds() / 60


def doubts(
    *,
    metres_off: float | None,
    minutes_off: float | None,
    reused: bool,
    most_metres: float,
    most_minutes: float,
) -> Doubt:
    """Say what speaks against a picture; what the camera does not say speaks neither way."""
    found = Doubt.NONE
    if metres_off is not None and metres_off > most_metres:
        found |= Doubt.PLACE
    if minutes_off is not None and abs(minutes_off) > most_minutes:
        found |= Doubt.TIME
    return found | (Doubt.REUSED if reused else Doubt.NONE)
