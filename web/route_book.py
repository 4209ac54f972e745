"""The route book (迎检手册): what is known of an assessors' route as one PDF for print, made by Typst."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import typst
from PIL import Image

from gridmap.inspections.checklist import checklist
from gridmap.inspections.readiness import Reason
from gridmap.jobs import silent
from gridmap.labels import site_label
from gridmap.language import current_language, gettext, ngettext
from gridmap.places.cards import Faces
from gridmap.places.extent import from_openstreetmap
from gridmap.places.responsibilities import holders_of
from web.api.answering import directory, now
from web.export_picture import Sheet, draw_base
from web.export_scene import Frame, base_features
from web.installation import actor, db, installation
from web.map_names import apart, name_streets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridmap.jobs import Progress
    from web.pages.readiness import Plan

__all__ = ["FONTS", "make_book"]

FONTS = Path(__file__).parent / "static" / "vendor" / "noto-sans-sc"
_TEMPLATE = Path(__file__).parent / "papers" / "route_book.typ"
_OVERVIEW, _STOP, _STOP_ZOOM = (1500, 900), (1000, 860), 18
_LISTED, _FIRST_LISTED = 9, 60
_LINE, _BAD, _HIDDEN = "#1a5fb4", "#b3261e", "#8b9995"


def make_book(
    plan: Plan,
    line: shapely.LineString,
    lines: list[dict[str, Any]],
    posts: list[dict[str, Any]],
    progress: Progress = silent,
) -> bytes:
    """Typeset the book.

    Parameters
    ----------
    plan
        The route with what is seen from it.
    line
        Its way, EPSG:4326.
    lines
        Its problems as told on the page of readiness.
    posts
        Its posts as told on their page.
    progress
        Told after each picture.
    """
    with tempfile.TemporaryDirectory(prefix="route-book-") as name:
        folder = Path(name)
        places = [_place(line, one.stop.along_m, plan.route.metres) for one in plan.stops]
        _save(_overview(plan, line, places), folder / "overview.jpg")
        for n, place in enumerate(places):
            progress(n, len(places) + 1, gettext("Drawing the map of stop {n}", n=n + 1))
            _save(_near(plan, line, place, n), folder / f"stop-{n}.jpg")
        progress(len(places), len(places) + 1, gettext("Setting the pages"))
        (folder / "book.typ").write_bytes(_TEMPLATE.read_bytes())
        return typst.compile(
            str(folder / "book.typ"),
            root=str(folder),
            font_paths=[str(FONTS)],
            sys_inputs={"data": json.dumps(_data(plan, lines, posts), ensure_ascii=False)},
        )


def _place(line: shapely.LineString, along_m: int, metres: int) -> tuple[float, float]:
    point = line.interpolate(along_m / max(metres, 1), normalized=True)
    return point.x, point.y


def _save(picture: Image.Image, file: Path) -> None:
    picture.convert("RGB").save(file, "JPEG", quality=88)


def _overview(plan: Plan, line: shapely.LineString, places: Sequence[tuple[float, float]]) -> Image.Image:
    west, south, east, north = line.bounds
    width, height = _OVERVIEW
    for zoom in range(18, 8, -1):
        frame = Frame((west + east) / 2, (south + north) / 2, zoom, width, height)
        (left, top), (right, bottom) = frame.pixels(np.array([[west, north], [east, south]]))
        if right - left < 0.88 * width and bottom - top < 0.86 * height:
            break
    return _drawn(plan, line, frame, [(n, place) for n, place in enumerate(places)], dot=4)


def _near(plan: Plan, line: shapely.LineString, place: tuple[float, float], n: int) -> Image.Image:
    return _drawn(plan, line, Frame(*place, _STOP_ZOOM, *_STOP), [(n, place)], dot=8)


def _drawn(
    plan: Plan,
    line: shapely.LineString,
    frame: Frame,
    places: Sequence[tuple[int, tuple[float, float]]],
    *,
    dot: float,
) -> Image.Image:
    picture, sheet = draw_base(frame).convert("RGBA"), Sheet(frame, None)
    sheet.lines(line, "#ffffff", 11)
    sheet.lines(line, _LINE, 7)
    degrees = np.column_stack((plan.seen.lon, plan.seen.lat))
    x, y = frame.pixels(degrees).T
    within = (-dot < x) & (x < frame.width + dot) & (-dot < y) & (y < frame.height + dot)
    for place, hidden in zip(degrees[within], plan.seen.corridor.hidden[within].tolist(), strict=True):
        sheet.dot(place, dot, _HIDDEN if hidden else _BAD, rim_width=1.5)
    radius = 3.4 * dot + 6
    belongs = [tuple(pair) for pair in frame.pixels(np.array([stop for _, stop in places])).tolist()]
    signs = apart(belongs, radius + 1)
    taken = [shapely.Point(at).buffer(radius + 2) for at in signs]
    name_streets(sheet, base_features(frame)["street"], taken, size=round(1.2 * dot + 14))
    for (n, _), place, at in zip(places, belongs, signs, strict=True):
        sheet.sign(place, at, radius, "#0b5a54")
        sheet.text(at, str(n + 1), round(3.2 * dot + 7), "#ffffff", rim=False)
    return Image.alpha_composite(picture, sheet.image.reduce(sheet.image.width // frame.width))


def _data(plan: Plan, lines: list[dict[str, Any]], posts: list[dict[str, Any]]) -> dict[str, Any]:
    route, zone = plan.route, installation().settings.zone
    begins, ends = route.starts_at.astimezone(zone), route.ends_at.astimezone(zone)
    remedy = plan.prepared.remedy
    first = [one for one in lines if one["reason"] is Reason.FIX]
    chinese = current_language() != "en"
    return {
        "title": gettext("Route book: {route}", route=route.name),
        "kicker": gettext("National Civilised City"),
        "lang": "zh" if chinese else "en",
        "region": "CN" if chinese else "GB",
        "labels": _labels(),
        "route": {
            "name": route.name,
            "day": begins.strftime("%Y-%m-%d"),
            "when": f"{begins:%Y-%m-%d %H:%M}–{ends:%H:%M}",
            "length": f"{route.metres / 1000:.1f} km",
        },
        "figures": [
            {"value": str(len(plan.stops)), "name": gettext("Points")},
            {"value": f"{route.metres / 1000:.1f}", "name": gettext("Kilometres")},
            {
                "value": str(int((~plan.seen.corridor.hidden).sum())),
                "name": gettext("Open problems in sight"),
            },
            {"value": f"{remedy.today:.1f}", "name": gettext("Deductions to expect")},
        ],
        "made": gettext(
            "Made on {moment} by {name}",
            moment=now().astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            name=actor().name,
        ),
        "credit": "© OpenStreetMap contributors" if from_openstreetmap(db()) else "",
        "stops": _stops(plan, lines, posts),
        "readiness": gettext(
            "{today} points today, {later} at arrival",
            today=f"{remedy.today:.1f}",
            later=f"{remedy.at_arrival:.1f}",
        ),
        "first": [_first(n, one) for n, one in enumerate(first[:_FIRST_LISTED], 1)],
        "more": _more(len(first) - _FIRST_LISTED),
        "sheets": _sheets(posts),
    }


def _labels() -> dict[str, str]:
    return {
        "book": gettext("Route book"),
        "internal": gettext("Internal; keep it safe"),
        "overview": gettext("The route"),
        "minutes": gettext("Minute plan"),
        "number": gettext("No."),
        "arrive": gettext("Starts at"),
        "leave": gettext("Ends at"),
        "point": gettext("Point"),
        "type": gettext("Type"),
        "area": gettext("Area"),
        "open": gettext("Open problems"),
        "who": gettext("Posts"),
        "there": gettext("Assessors there"),
        "people": gettext("Responsible people"),
        "nobody": gettext("Nobody is responsible for this point or its cell."),
        "posts": gettext("Posts"),
        "unposted": gettext("Nobody has been posted yet."),
        "problems": gettext("Open problems at this stop"),
        "problem": gettext("Problem"),
        "where": gettext("Where"),
        "whose": gettext("Whose it is"),
        "state": gettext("State"),
        "first": gettext("fix first"),
        "gain": gettext("Gain"),
        "none": gettext("Nothing open is in sight here."),
        "checks": gettext("Check before they come"),
        "notes": gettext("Notes on the spot"),
        "fix": gettext("Fix first"),
        "hours": gettext("Hand-hours"),
        "done": gettext("Done by"),
        "nofix": gettext("Nothing can be fixed that would lower the deductions."),
        "sheets": gettext("Sheets of the posts"),
    }


def _stops(plan: Plan, lines: list[dict[str, Any]], posts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    zone, faces = installation().settings.zone, Faces(directory(), actor())
    day = plan.route.starts_at.astimezone(zone).date()
    at_point = holders_of(db(), "point", [one.point.id for one in plan.stops], day)
    cells = [one.point.cell_id for one in plan.stops if one.point.cell_id is not None]
    in_cell = holders_of(db(), "cell", cells, day)
    told = []
    for n, one in enumerate(plan.stops):
        holders = [*at_point.get(one.point.id, []), *in_cell.get(one.point.cell_id or -1, [])]
        here = [row for row in lines if row["stop"] == n]
        mine = [row for row in posts if row["position"] == n + 1]
        told.append(
            {
                "number": n + 1,
                "name": one.point.name,
                "address": one.point.address,
                "about": " · ".join(
                    filter(
                        None, [site_label(one.point.site_type), one.area, one.point.address, one.point.code]
                    )
                ),
                "type": site_label(one.point.site_type),
                "area": one.area,
                "arrives": one.stop.arrives_at.astimezone(zone).strftime("%H:%M"),
                "leaves": one.stop.leaves_at.astimezone(zone).strftime("%H:%M"),
                "open": len(here),
                "picture": f"stop-{n}.jpg",
                "posted": gettext(", ").join(row["person"]["name"] for row in mine if row["person"]),
                "people": [_holder(faces.holder(holder)) for holder in holders[:6]],
                "posts": [_post(row) for row in mine],
                "problems": [_problem(row) for row in here[:_LISTED]],
                "more": _more(len(here) - _LISTED),
                "checks": checklist(one.point.site_type),
            }
        )
    return told


def _more(count: int) -> str:
    return ngettext("{n} more is not listed.", "{n} more are not listed.", count) if count > 0 else ""


def _holder(card: dict[str, Any]) -> dict[str, str]:
    person, body = card["person"], card["organisation"]
    return {
        "name": person["name"] if person else body["name"] if body else "—",
        "role": card["role_name"],
        "organisation": body["name"] if body and person else "",
        "phone": card["phone"] or "",
    }


def _post(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "time": f"{row['begins']:%H:%M}–{row['ends']:%H:%M}",
        "there": f"{row['arrives']:%H:%M}–{row['leaves']:%H:%M}",
        "name": row["person"]["name"] if row["person"] else _empty(row),
        "held": row["held"],
        "phone": row["phone"] or "",
        "number": row["position"],
        "point": row["point"].name,
        "address": row["point"].address,
    }


def _empty(row: dict[str, Any]) -> str:
    """What stands for the name of whoever is not there, or must not be known."""
    if row["held"]:
        return "—"
    return gettext("One more needed") if row["beside"] else gettext("Nobody")


def _problem(row: dict[str, Any]) -> dict[str, Any]:
    problem = row["problem"]
    who = [part["name"] for part in (problem["organisation"], problem["person"]) if part]
    return {
        "category": problem["category"]["name"] if problem["category"] else "",
        "number": str(problem["number"]),
        "where": problem["address"] or row["where"],
        "whose": " · ".join(who),
        "state": problem["state_name"] + (f" · {gettext('overdue')}" if problem["overdue"] else ""),
        "late": problem["overdue"],
        "first": row["reason"] is Reason.FIX,
    }


def _first(n: int, row: dict[str, Any]) -> dict[str, Any]:
    problem = row["problem"]
    person = problem["person"]["name"] if problem["person"] else ""
    return {
        **_problem(row),
        "n": n,
        "where": row["where"],
        "address": problem["address"] or "",
        "whose": problem["organisation"]["name"] if problem["organisation"] else "",
        "person": f"{person} {problem['phone'] or ''}".strip(),
        "hours": f"{row['hours']:g}",
        "done": row["done"].strftime("%m-%d %H:%M") if row["done"] else "",
        "gain": f"{row['gain']:.2f}",
    }


def _sheets(posts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sheets: dict[str, dict[str, Any]] = {}
    for row in posts:
        if row["person"]:
            sheet = sheets.setdefault(
                row["person"]["uid"],
                {
                    "name": row["person"]["name"],
                    "organisation": row["organisation"],
                    "phone": row["phone"] or "",
                    "posts": [],
                },
            )
            sheet["posts"].append(_post(row))
    return list(sheets.values())
