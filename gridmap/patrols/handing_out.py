"""A round as others' programs take it: GPX, a calendar, and addresses that open map apps on a phone."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import gpxpy.gpx
from icalendar import Calendar, Event

from geodata.coordinate_system import CoordinateSystem
from geodata.datum import from_wgs84
from gridmap.language import N_, gettext
from gridmap.patrols.removing import Removed

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import date, datetime

    from gridmap.patrols.calendars import Lost
    from gridmap.patrols.queries import Round, Shown, Stage

__all__ = ["as_calendar", "as_cancelled", "as_gpx", "map_links"]


def as_gpx(shown: Shown, one: Round) -> str:
    """Write a round as GPX 1.1: its line as a track, its stops as waypoints; WGS-84."""
    file = gpxpy.gpx.GPX()
    file.name = _title(shown, one)
    file.creator = "gridmap"
    for number, stage in enumerate(one.stages, 1):
        point = gpxpy.gpx.GPXWaypoint(
            latitude=stage.lat,
            longitude=stage.lon,
            time=stage.starts_at.astimezone(UTC),
            name=f"{number}. {_called(stage)}",
            description=stage.address or None,
        )
        file.waypoints.append(point)
    segment = gpxpy.gpx.GPXTrackSegment(
        [gpxpy.gpx.GPXTrackPoint(latitude=lat, longitude=lon) for lon, lat in one.line]
    )
    track = gpxpy.gpx.GPXTrack(name=file.name)
    track.segments.append(segment)
    file.tracks.append(track)
    return str(file.to_xml(version="1.1"))


def as_calendar(shown: Shown, lead: uuid.UUID, *, now: datetime, lost: Sequence[Lost] = ()) -> bytes:
    """Write the rounds of somebody, on all days, as iCalendar events whose descriptions list the stops.

    Parameters
    ----------
    lead
        Whose rounds; of two who go together the first, as the wish names them.
    lost
        Rounds that they had in former versions and have no more: they are cancelled (RFC 5546), so that
        a calendar that took them in lets go of them.
    """
    own = [one for one in shown.rounds if one.lead == lead]
    gone = Removed(shown.first, shown.plan.version, shown.area.name, lead, tuple(lost))
    return _calendar([_event(shown, one, now=now) for one in own], gone, now=now)


def as_cancelled(gone: Removed, *, now: datetime) -> bytes:
    """Write the rounds that somebody had in a removed plan as cancelled events (RFC 5546)."""
    return _calendar([], gone, now=now)


def _calendar(events: Sequence[Event], gone: Removed, *, now: datetime) -> bytes:
    calendar = Calendar()
    method = "PUBLISH" if events or not gone.rounds else "CANCEL"
    for name, text in (("prodid", "-//gridmap//patrols//ZH"), ("version", "2.0"), ("method", method)):
        calendar.add(name, text)
    for event in (*events, *(_cancelled(gone, one, now=now) for one in gone.rounds)):
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _event(shown: Shown, one: Round, *, now: datetime) -> Event:
    stops = (f"{n}. {_called(stage)} {stage.address}".rstrip() for n, stage in enumerate(one.stages, 1))
    event = Event()
    event.DTSTAMP = now.astimezone(UTC)
    event.start = one.route.leaves_at.astimezone(UTC)
    event.end = one.route.returns_at.astimezone(UTC)
    for name, text in (
        ("uid", _uid(shown.first, one.lead, one.day)),
        ("sequence", shown.plan.version),
        ("status", "CONFIRMED"),
        ("summary", _title(shown, one)),
        ("location", shown.area.name),
        ("description", "\n".join(stops)),
    ):
        event.add(name, text)
    return event


def _cancelled(gone: Removed, lost: Lost, *, now: datetime) -> Event:
    event = Event()
    event.DTSTAMP = now.astimezone(UTC)
    event.start = lost.leaves_at.astimezone(UTC)
    event.end = lost.returns_at.astimezone(UTC)
    for name, text in (
        ("uid", _uid(gone.first, gone.lead, lost.day)),
        ("sequence", gone.version),
        ("status", "CANCELLED"),
        ("summary", gettext("Cancelled: patrol of {area}", area=gone.area)),
    ):
        event.add(name, text)
    return event


def _uid(first: uuid.UUID, lead: uuid.UUID, day: date) -> str:
    # The same in every version: a calendar that has it takes the later one in its place.
    return f"{first}-{lead}-{day}@gridmap"


def _called(stage: Stage) -> str:
    return stage.name if stage.number is None else f"{stage.name} {stage.number}"


def _title(shown: Shown, one: Round) -> str:
    return gettext(N_("Patrol of {area}, {person}"), area=shown.area.name, person=one.names)


def map_links(stage: Stage) -> dict[str, str]:
    """Addresses that lead to a stop in the map apps of Amap, Baidu and Tencent, in their datum GCJ-02."""
    shifted = from_wgs84([stage.lon], [stage.lat], CoordinateSystem.parse("gcj02"))
    lon, lat = (float(values[0]) for values in shifted)
    here, name = f"{lat:.6f},{lon:.6f}", stage.name
    return {
        N_("Amap"): "https://uri.amap.com/navigation?"
        + urlencode({"to": f"{lon:.6f},{lat:.6f},{name}", "mode": "walk", "callnative": 1}),
        N_("Baidu"): "https://api.map.baidu.com/direction?"
        + urlencode(
            {
                "destination": f"latlng:{here}|name:{name}",
                "mode": "walking",
                "coord_type": "gcj02",
                "output": "html",
                "src": "gridmap",
            }
        ),
        N_("Tencent"): "https://apis.map.qq.com/uri/v1/routeplan?"
        + urlencode({"type": "walk", "to": name, "tocoord": here, "referer": "gridmap"}),
    }
