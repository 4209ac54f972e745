"""Pages for everybody: report, follow with a code, look at what is published. None of them needs a login."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request, send_file, session, url_for
from flask_wtf.csrf import generate_csrf

from gridmap.errors import GridmapError, InvalidValueError, NotFoundError, StoreError
from gridmap.evidence.files import Vault
from gridmap.language import current_language, explain, gettext
from gridmap.people.permissions import Scope
from gridmap.people.throttle import Subject, charge, refuse_waiting
from gridmap.places.extent import extent_of, from_openstreetmap
from gridmap.residents.course import find_report
from gridmap.residents.following import NewNote, say
from gridmap.residents.models import Moderation, Said
from gridmap.residents.offered import offered_categories
from gridmap.residents.queries import photo_of, photos_of, public_near, read_public
from gridmap.residents.rules import COURSE, attributes_of, make_code, sender_hash
from gridmap.residents.service import NewReport, admit, examine_photos, resident, submit
from gridmap.store.engine import writing
from web import sessions
from web.access import open_to_all, takes_files
from web.api.answering import directory, now, today
from web.assets import asset, modules
from web.errors import status_of
from web.installation import clocks, db, installation
from web.language_messages import script_messages

if TYPE_CHECKING:
    from datetime import datetime
    from typing import IO

    from gridmap.places.directory import CategoryEntry
    from gridmap.residents.course import Followed, Step
    from gridmap.residents.queries import PublicProblem
    from gridmap.residents.rules import Attribute

pages = Blueprint("public", __name__)

_MOST_SHOWN = 2000
_TRAP = "website"
"""A field that people do not see and programs fill in."""


@pages.after_request
def _not_indexed(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, noarchive"
    return response


def _begin(**more: Any) -> dict[str, Any]:
    everywhere = Scope(resident().holdings)
    bounds = extent_of(db(), scope=everywhere, day=today())
    settings = installation().settings
    return {
        "api": "/public/",
        "language": current_language(),
        "timezone": settings.timezone,
        "messages": script_messages(),
        "may": {},
        "tianditu": settings.tianditu_key,
        "gcj02": settings.gcj02_tiles_url,
        "extent": None if bounds is None else list(bounds),
        "attribution": "osm" if from_openstreetmap(db()) else "",
        "csrf": generate_csrf(),
        **more,
    }


def _map(template: str, **values: Any) -> str:
    return render_template(
        template,
        styles=[asset("vendor/leaflet/leaflet.css"), asset("css/public.css")],
        scripts=[
            asset("vendor/leaflet/leaflet.js"),
            asset("vendor/protomaps-leaflet/protomaps-leaflet.js"),
        ],
        imports={name: asset(path) for name, path in modules().items()},
        **values,
    )


def _categories() -> list[tuple[str, list[CategoryEntry]]]:
    """What can be reported, under major headings."""
    table = directory().categories
    groups: dict[str, list[CategoryEntry]] = {}
    for one in offered_categories(db(), directory()):
        groups.setdefault((table.get(one.parent) or one).label, []).append(one)
    return list(groups.items())


def _field(category: str, attribute: Attribute) -> str:
    """Name of the field for what a category asks: two may ask the same."""
    return f"{category}.{attribute.code}"


def _report_page(message: str | None = None, status: int = 200) -> tuple[str, int]:
    categories = _categories()
    page = _map(
        "public_report.html",
        begin=_begin(page="report"),
        categories=categories,
        questions={
            one.code: asked for _, group in categories for one in group if (asked := attributes_of(one.code))
        },
        field=_field,
        given=request.form,
        message=message,
        # No browser sends a file again with a form that came back.
        photos_lost=bool(_photos()),
        uid=request.form.get("uid") or str(uuid.uuid4()),
        most_photos=installation().settings.resident_photos,
        days=installation().settings.resident_data_days,
        trap=_TRAP,
    )
    return page, status


@pages.get("/report")
@open_to_all
def report() -> tuple[str, int]:
    """Show the form."""
    return _report_page()


def _photos() -> list[tuple[str, IO[bytes]]]:
    return [(file.filename, file.stream) for file in request.files.getlist("photo") if file.filename]


def _text(name: str) -> str:
    return request.form.get(name, "").strip()


def _degrees(name: str) -> float:
    try:
        return float(_text(name))
    except ValueError as error:
        raise InvalidValueError("Put the pin on the map where it is.", parameter=name) from error


def _uid() -> uuid.UUID:
    try:
        return uuid.UUID(_text("uid"))
    except ValueError as error:
        raise InvalidValueError("Expected a UUID.", parameter="uid") from error


@pages.post("/report")
@open_to_all
@takes_files
def send() -> Any:
    """Take a report in, and show the code with which it is followed."""
    settings = installation().settings
    code = make_code()
    if request.form.get(_TRAP):
        # A program filled in what nobody sees: it is told what it hopes for, and nothing is kept.
        session["report_code"] = code
        return redirect(url_for("public.thanks"))
    try:
        uid = _uid()
        category = _text("category")
        wanted = NewReport(
            uid=uid,
            category=category,
            lon=_degrees("lon"),
            lat=_degrees("lat"),
            description=_text("description"),
            address=_text("address")[:300],
            name=_text("name"),
            phone=_text("phone"),
            email=_text("email"),
            consent=request.form.get("consent") == "1",
            attributes={
                one.code: request.form.getlist(_field(category, one)) for one in attributes_of(category)
            },
            sender=sender_hash(request.remote_addr or "", settings.signing_key()),
        )
        # Asked before photos are decoded, which costs more than anything else here.
        admit(db(), wanted, settings=settings, now=now())
        photos = examine_photos(uid, _photos(), settings=settings)
        with writing(installation().engine) as store:
            _, fresh = submit(store, wanted, photos, code=code, settings=settings, now=now())
    except GridmapError as error:
        return _report_page(explain(error), int(status_of(error)))
    if fresh:
        session["report_code"] = code
    return redirect(url_for("public.thanks"))


@pages.get("/report/thanks")
@open_to_all
def thanks() -> Any:
    """Show the code, once more after a reload, and what happens next."""
    code = session.get("report_code")
    if not code:
        return redirect(url_for("public.report"))
    return render_template(
        "public_thanks.html", code=code, link=url_for("public.follow", code=code, _external=True)
    )


@pages.get("/follow")
@open_to_all
def find() -> Any:
    """Ask for the code."""
    code = request.args.get("code", "").strip()
    if code:
        return redirect(url_for("public.follow", code=code))
    return render_template("public_find.html")


def _found(code: str) -> Followed:
    """Return the report of a code; a code that is none is counted against the address that tried it.

    Raises
    ------
    NotFoundError
        If there is no such code.
    ThrottledError
        If too many that are none were tried from there, whatever this one is.
    """
    caller = [Subject.follow(sessions.address())]
    refuse_waiting(db(), caller, now=now())
    try:
        return find_report(db(), code)
    except NotFoundError:
        with writing(installation().engine) as store:
            charge(store, caller, now=now())
        raise


def _told(course: list[Step]) -> list[tuple[datetime, str]]:
    """When what happened, in the public's words."""
    zone = installation().settings.zone
    return [(one.at.astimezone(zone), gettext(COURSE[one.state].words)) for one in course]


def _follow_page(code: str, message: str | None = None, status: int = 200) -> tuple[str, int]:
    found = _found(code)
    category = directory().categories.get(found.problem.category_id)
    shown = found.publication.state is Moderation.PUBLISHED
    page = render_template(
        "public_follow.html",
        code=code,
        found=found,
        category=category.label if category else "",
        course=_told(found.course),
        goes_on=_told(found.goes_on),
        open=COURSE[found.state].open,
        photos=photos_of(db(), [found.problem.id]).get(found.problem.id, []) if shown else [],
        message=message,
        given=request.form,
        uid=request.form.get("uid") or str(uuid.uuid4()),
        trap=_TRAP,
    )
    return page, status


@pages.get("/follow/<code>")
@open_to_all
def follow(code: str) -> tuple[str, int]:
    """Show how it goes with a report, and let its reporter add to it."""
    return _follow_page(code)


@pages.post("/follow/<code>")
@open_to_all
@takes_files
def add(code: str) -> Any:
    """Add a remark, a photo, or whether it is solved."""
    settings = installation().settings
    found = _found(code)
    if request.form.get(_TRAP):
        return redirect(url_for("public.follow", code=code))
    try:
        uid = _uid()
        said = _text("said")
        note = NewNote(uid=uid, said=Said(said) if said in set(Said) else Said.REMARK, text=_text("text"))
        photos = examine_photos(uid, _photos(), settings=settings)
        with writing(installation().engine) as store:
            say(store, found.problem.id, note, photos, settings=settings, now=now())
    except GridmapError as error:
        return _follow_page(code, explain(error), int(status_of(error)))
    return redirect(url_for("public.follow", code=code) + "#said")


@pages.get("/public")
@open_to_all
def published() -> str:
    """Show the map of what is published."""
    return _map("public_map.html", begin=_begin(page="map"))


def _said(found: list[PublicProblem]) -> list[dict[str, Any]]:
    table = directory().categories
    photos = photos_of(db(), [one.number for one in found])
    zone = installation().settings.zone
    said = []
    for one in found:
        category = table.get(one.category_id)
        course = COURSE[one.state]
        said.append(
            {
                "uid": str(one.uid),
                "category": category.label if category else "",
                "text": one.text,
                "address": one.address,
                "lon": one.lon,
                "lat": one.lat,
                "open": course.open,
                "status": gettext(course.words),
                "day": one.requested_at.astimezone(zone).date().isoformat(),
                "photos": [
                    url_for("public.photo", uid=uid, size="small") for uid in photos.get(one.number, [])
                ],
            }
        )
    return said


def _numbers(text: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(-180 <= number <= 180 for number in numbers):
        raise InvalidValueError(
            "Expected numbers in degrees; found “{found}”.", parameter="bbox", found=text[:80]
        )
    return numbers


@pages.get("/public/problems.json")
@open_to_all
def problems() -> dict[str, Any]:
    """List what is published inside a box, newest first."""
    west, south, east, north = _numbers(request.args.get("bbox", "-180,-90,180,90"), 4)
    found = read_public(db(), box=(west, south, east, north), limit=_MOST_SHOWN + 1)
    return {"problems": _said(found[:_MOST_SHOWN]), "more": len(found) > _MOST_SHOWN}


@pages.get("/public/near.json")
@open_to_all
def near() -> dict[str, Any]:
    """List published open problems close to a place, in case it is one of them."""
    lon, lat = _numbers(request.args.get("at", ""), 2)
    category = directory().category(request.args.get("category", ""))
    return {"problems": _said(public_near(db(), lon, lat, category.id if category else None))}


@pages.get("/public/photos/<uuid:uid>")
@open_to_all
def photo(uid: uuid.UUID) -> Response:
    """Show a photo that somebody has looked at and published."""
    row = photo_of(db(), uid)
    small = request.args.get("size") == "small"
    digest, kind = (row.thumbnail_sha256, "image/jpeg") if small else (row.shown_sha256, row.shown_type)
    path = None if digest is None else Vault(installation().settings.data_dir).path(digest)
    if path is None or not path.is_file():
        raise StoreError("The file of this photo or video is not where it was put; ask whoever runs this.")
    answer = send_file(path.resolve(), mimetype=kind, etag=digest or False, conditional=True, max_age=300)
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src 'self'"
    return answer


@pages.get("/public/tiles/base/<int(max=15):z>/<int:x>/<int:y>.mvt")
@open_to_all
def base(z: int, x: int, y: int) -> Response:
    """Draw the base map: streets, buildings, water, green and boundaries."""
    content = installation().base_tiles.get(db(), (z, x, y), base=clocks().base)
    return Response(content, content_type="application/vnd.mapbox-vector-tile")
