"""Tracks of a day, what they covered, and what nobody has seen for long."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf

from geodata.travel import Profile
from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.language import N_, current_language, explain, gettext
from gridmap.patrols.tracks.coverage import read_coverage
from gridmap.patrols.tracks.gpx import read_gpx
from gridmap.patrols.tracks.queries import read_tracks, stretches_of, walkers
from gridmap.patrols.tracks.service import DATUMS, NewTrack
from gridmap.people.permissions import Permission
from gridmap.places.extent import extent_of, from_openstreetmap
from web.access import needs
from web.api.answering import directory, now, today
from web.api.tracks import take
from web.assets import asset, modules
from web.installation import actor, db, installation
from web.language_messages import script_messages

if TYPE_CHECKING:
    from flask import Response
    from numpy.typing import NDArray
    from werkzeug.wrappers import Response as AnyResponse

    from gridmap.patrols.tracks.coverage import Coverage
    from gridmap.patrols.tracks.ground import Ground
    from gridmap.patrols.tracks.models import Track

pages = Blueprint("tracks", __name__, url_prefix="/tracks")

_REACH = 90
"""Days back that coverage looks."""
_SHOWN = 100
_AGES = (0, 3, 7, 30)
"""Days since last seen at which the colour changes."""

PROFILES = {
    Profile.FOOT: N_("on foot"),
    Profile.BICYCLE: N_("by bicycle"),
    Profile.CAR: N_("by patrol car"),
}


def _day() -> date:
    text = request.args.get("day", "")
    if not text:
        return today()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidValueError(
            "Expected a day such as 2026-05-09; found “{found}”.", parameter="day", found=text
        ) from error


def _days() -> int:
    text = request.args.get("days", "7")
    if not text.isdecimal() or not 1 <= int(text) <= _REACH:
        raise InvalidValueError(
            "Expected from 1 to {most} days; found “{found}”.", parameter="days", most=_REACH, found=text
        )
    return int(text)


def _bounds(day: date) -> tuple[datetime, datetime]:
    """Begin and end of a day here."""
    zone = installation().settings.zone
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    return begin.astimezone(UTC), (begin + timedelta(days=1)).astimezone(UTC)


def _ground() -> Ground:
    here = installation()
    return here.walkable.get(db(), here.network.open(db()), today())


def _coverage(ground: Ground, end: datetime) -> Coverage | None:
    if not actor().may(Permission.TRACK_READ):
        return None
    return read_coverage(db(), actor(), ground, since=end - timedelta(days=_REACH), until=end)


def _told(track: Track) -> dict[str, Any]:
    person = directory().persons.get(track.person_id) if track.person_id is not None else None
    zone = installation().settings.zone
    return {
        "uid": str(track.uid),
        "who": person.name if person else track.actor,
        "began": track.began_at.astimezone(zone).strftime("%H:%M"),
        "ended": track.ended_at.astimezone(zone).strftime("%H:%M"),
        "profile": gettext(PROFILES[Profile(track.profile)]),
        "recorded_km": round(track.recorded_m / 1000, 2),
        "walked_km": round(track.walked_m / 1000, 2),
        "fixes": track.fixes,
        "gaps": track.gaps,
        "unused": track.unused,
        "astray": track.astray,
    }


def _when(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    zone = installation().settings.zone
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M")


@pages.get("")
@needs(Permission.TRACK_RECORD)
def index() -> str:
    """Show the tracks of a day, and what was covered in the days up to it."""
    return _page()


def _page(message: str | None = None) -> str:
    day, days = _day(), _days()
    begin, end = _bounds(day)
    missing, coverage = None, None
    try:
        coverage = _coverage(_ground(), end)
    except NotFoundError as error:
        missing = explain(error)
    tracks = [_told(track) for track in read_tracks(db(), actor(), begin=begin, end=end)]
    extent = extent_of(db(), scope=actor().scope(Permission.PLACE_READ), day=today())
    return render_template(
        "tracks.html",
        day=day,
        days=days,
        reach=_REACH,
        message=message,
        missing=missing,
        new_uid=uuid.uuid4,
        tracks=tracks,
        covered=None if coverage is None else _covered(coverage, end - timedelta(days=days)),
        profiles=[(profile.value, gettext(title)) for profile, title in PROFILES.items()],
        datums=DATUMS,
        styles=[asset("vendor/leaflet/leaflet.css"), asset("css/tracks.css")],
        scripts=[
            asset("vendor/leaflet/leaflet.js"),
            asset("vendor/protomaps-leaflet/protomaps-leaflet.js"),
        ],
        imports={name: asset(path) for name, path in modules().items()},
        begin={
            "api": "/api/v1/",
            "source": url_for("tracks.map_data", day=day.isoformat()),
            "language": current_language(),
            "timezone": installation().settings.timezone,
            "messages": script_messages(),
            "may": {},
            "tianditu": installation().settings.tianditu_key,
            "gcj02": installation().settings.gcj02_tiles_url,
            "extent": None if extent is None else list(extent),
            "attribution": "osm" if from_openstreetmap(db()) else "",
            "csrf": generate_csrf(),
        },
    )


def _covered(coverage: Coverage, since: datetime) -> dict[str, Any]:
    names = directory()
    begin = since.timestamp()
    cells = coverage.cells(begin)
    metres, seen = sum(cell.metres for cell in cells), sum(cell.seen_m for cell in cells)
    corners = coverage.corners(begin)
    points = coverage.points(begin)

    by = walkers(db(), actor(), {one.track for one in corners[:_SHOWN] if one.track >= 0})

    def who(track: int) -> str:
        person, login = by.get(track, (None, ""))
        entry = names.persons.get(person) if person is not None else None
        return entry.name if entry else login

    def cell_name(row: int) -> str:
        entry = names.cells.get(row)
        return "" if entry is None else entry.name or entry.code

    return {
        "share": seen / metres if metres else 0.0,
        "km": metres / 1000,
        "seen_km": seen / 1000,
        "cells": [(cell_name(cell.cell), cell) for cell in cells[:_SHOWN]],
        "cells_more": max(len(cells) - _SHOWN, 0),
        "corners": [(one, cell_name(one.cell), _when(one.last), who(one.track)) for one in corners[:_SHOWN]],
        "corners_more": max(len(corners) - _SHOWN, 0),
        "corners_count": len(corners),
        "points_count": len(points),
        "points": [
            (entry.name, entry.uid, _when(last))
            for row, last in points[:_SHOWN]
            if (entry := names.points.get(row)) is not None
        ],
    }


@pages.post("")
@needs(Permission.TRACK_RECORD)
def upload() -> AnyResponse | tuple[str, int]:
    """Take a GPX file in."""
    try:
        track, _fresh = take(_handed_in())
    except InvalidValueError as error:
        return _page(explain(error)), 422
    day = track.began_at.astimezone(installation().settings.zone).date()
    return redirect(url_for("tracks.index", day=day.isoformat()))


def _handed_in() -> NewTrack:
    given = request.files.get("file")
    if given is None or not given.filename:
        raise InvalidValueError("Choose a GPX file.", parameter="file")
    try:
        profile = Profile(request.form.get("profile", ""))
    except ValueError as error:
        raise InvalidValueError("State how it was walked.", parameter="profile") from error
    return NewTrack(_uid(), read_gpx(given.read()), profile, "gpx", request.form.get("datum", ""))


def _uid() -> uuid.UUID:
    """Identity that came with the form: sent again, it is the same track."""
    try:
        return uuid.UUID(request.form.get("uid", ""))
    except ValueError:
        return uuid.uuid4()


@pages.get("/map.json")
@needs(Permission.TRACK_RECORD)
def map_data() -> Response:
    """Return the lines of a day's tracks, and of the streets by days since they were seen last."""
    begin, end = _bounds(_day())
    ground = _ground()
    tracks = read_tracks(db(), actor(), begin=begin, end=end)
    drawn = stretches_of(db(), ground, tracks)
    number = {track.id: n for n, track in enumerate(tracks)}
    lines: list[list[list[list[float]]]] = [[] for _ in tracks]
    for track, line in zip(drawn.track.tolist(), drawn.lines, strict=True):
        lines[number[track]].append(_short(np.asarray(line.coords)))
    coverage = _coverage(ground, end)
    streets = [] if coverage is None else _by_age(coverage, min(end, now()).timestamp())
    return jsonify(
        {
            "tracks": [{**_told(track), "lines": lines[n]} for n, track in enumerate(tracks)],
            "ages": list(_AGES),
            "streets": streets,
        }
    )


def _short(lonlat: NDArray[np.float64]) -> list[list[float]]:
    """Latitude and longitude to a metre."""
    rounded: list[list[float]] = np.round(lonlat[:, ::-1], 5).tolist()
    return rounded


def _by_age(coverage: Coverage, at: float) -> list[list[list[list[float]]]]:
    """Lines of each class of age; those of the last were seen longer ago than the last age, or never."""
    ground = coverage.ground
    age = coverage.age(at)
    kind = np.where(age < 0, len(_AGES), np.searchsorted(np.array(_AGES), age, side="left"))
    kind = np.where(coverage.shown & (ground.cell >= 0), kind, -1)
    cut = np.flatnonzero((np.diff(ground.edge) != 0) | (np.diff(kind) != 0)) + 1
    first = np.append(0, cut)
    last = np.append(cut, len(ground)) - 1
    found: list[list[list[list[float]]]] = [[] for _ in range(len(_AGES) + 1)]
    lonlat = np.column_stack([ground.lon, ground.lat])
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        if kind[a] >= 0 and b > a:
            found[int(kind[a])].append(_short(lonlat[a : b + 1]))
    return found
