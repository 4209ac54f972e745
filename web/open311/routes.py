"""The routes of GeoReport v2 and of request updates."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request, url_for

from gridmap.errors import GridmapError, LimitReachedError, NotFoundError
from gridmap.language import explain, gettext
from gridmap.places.addresses import place_of_address, place_of_code
from gridmap.residents.course import updates_between
from gridmap.residents.following import NewNote, say
from gridmap.residents.models import Said
from gridmap.residents.queries import read_public
from gridmap.residents.rules import COURSE, make_code
from gridmap.residents.service import NewReport, examine_photos, submit
from gridmap.store.engine import writing
from web.access import stateless, takes_files
from web.api.answering import now, today
from web.errors import answer_errors
from web.installation import db, installation
from web.open311.asking import (
    Open311Error,
    asked,
    check_jurisdiction,
    identities,
    needed_key,
    offered_key,
    page,
    several,
    span,
    time_of,
)
from web.open311.formats import FORMATS, answer
from web.open311.records import (
    definition,
    find_category,
    find_service,
    requests_of,
    services,
    updates_of,
)

if TYPE_CHECKING:
    from typing import IO

    from gridmap.problems.models import State
    from gridmap.residents.queries import PublicProblem

pages = Blueprint("open311", __name__, url_prefix="/open311")
_SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
_V2 = "/v2"


def _suffix() -> str:
    ending = request.path.rsplit(".", 1)[-1]
    return ending if ending in FORMATS else "xml"


def _refuse(code: int, *descriptions: str) -> Response:
    faults = [{"code": code, "description": text} for text in descriptions]
    return answer("errors", faults, _suffix(), code)


@pages.errorhandler(Open311Error)
def _told(error: Open311Error) -> Response:
    return _refuse(error.code, error.description)


@pages.errorhandler(GridmapError)
def _domain_error(error: GridmapError) -> Response:
    code = 404 if isinstance(error, NotFoundError) else 429 if isinstance(error, LimitReachedError) else 400
    parameter = getattr(error, "parameter", None)
    return _refuse(code, f"{parameter}: {explain(error)}" if parameter else explain(error))


# Also what never reaches a route here: no such address, or too many requests.
pages.record_once(lambda setup: answer_errors(setup.app, f"{pages.url_prefix}/", _refuse))


@pages.before_request
def _check() -> None:
    check_jurisdiction()


@pages.get("/discovery.<any(xml, json):suffix>")
@stateless
def discovery(suffix: str) -> Response:
    """Say where the interface is and which formats it speaks."""
    settings = installation().settings
    contact = settings.open311_contact or gettext("Ask the campaign headquarters.")
    # What can be reported decides it: a count of the city's changes would tell of more.
    changeset = hashlib.blake2b(repr(services()).encode(), digest_size=6).hexdigest()
    return answer(
        "discovery",
        {
            "changeset": changeset,
            "contact": contact,
            "key_service": gettext("Keys are given by the headquarters. {contact}", contact=contact),
            "endpoints": [
                {
                    "specification": _SPECIFICATION,
                    "url": url_for("open311.discovery", suffix="xml", _external=True).removesuffix(
                        "/discovery.xml"
                    )
                    + _V2,
                    "changeset": changeset,
                    "type": "production",
                    "formats": [kind.partition(";")[0] for kind in FORMATS.values()],
                }
            ],
        },
        suffix,
    )


@pages.get(f"{_V2}/services.<any(xml, json):suffix>")
@stateless
def service_list(suffix: str) -> Response:
    """List what can be reported."""
    return answer("services", services(), suffix)


@pages.get(f"{_V2}/services/<code>.<any(xml, json):suffix>")
@stateless
def service_definition(code: str, suffix: str) -> Response:
    """Say what a service asks beyond place and text."""
    return answer("service_definition", definition(code), suffix)


def _number(name: str, least: float, most: float) -> float | None:
    text = asked(name)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise Open311Error(
            400,
            gettext(
                "{name}: expected a number from {least} to {most}; found “{found}”.",
                name=name,
                least=least,
                most=most,
                found=text[:40],
            ),
        )
    return value


def _place() -> tuple[float, float]:
    """Return longitude and latitude of what is reported: as given, or of the address given instead."""
    lat, lon = _number("lat", -90, 90), _number("long", -180, 180)
    if lat is not None and lon is not None:
        return lon, lat
    if code := asked("address_id"):
        return place_of_code(db(), code, day=today())
    if address := asked("address_string"):
        return place_of_address(db(), address, day=today())
    raise Open311Error(
        400, gettext("No location was provided; send lat and long, or address_string, or address_id.")
    )


def _photos() -> list[tuple[str, IO[bytes]]]:
    return [
        (file.filename or "", file.stream)
        for _, file in request.files.items(multi=True)
        if file.filename or file.content_length
    ]


def _attributes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in request.values:
        if name.startswith("attribute["):
            code = name.removeprefix("attribute[").partition("]")[0]
            found.setdefault(code, []).extend(request.values.getlist(name))
    return found


@pages.post(f"{_V2}/requests.<any(xml, json):suffix>")
@stateless
@takes_files
def post_request(suffix: str) -> Response:
    """Take a report in, held until somebody has looked unless the key is trusted."""
    key = needed_key()
    code = asked("service_code")
    if not code:
        raise Open311Error(400, gettext("service_code was not provided."))
    find_service(code)
    lon, lat = _place()
    settings = installation().settings
    person = f"{asked('last_name')}{asked('first_name')}"
    if person.isascii():
        person = f"{asked('first_name')} {asked('last_name')}".strip()
    phone, email = asked("phone"), asked("email")
    report = NewReport(
        uid=uuid.uuid4(),
        category=code,
        lon=lon,
        lat=lat,
        description=(request.values.get("description") or "").replace("\r\n", "\n"),
        address=asked("address_string")[:300],
        name=person,
        phone=phone,
        email=email,
        # Whoever runs the other system has asked for it.
        consent=True,
        attributes=_attributes(),
        media_urls=request.values.getlist("media_url"),
    )
    photos = examine_photos(report.uid, _photos(), settings=settings)
    with writing(installation().engine) as session:
        submit(session, report, photos, code=make_code(), key=key, settings=settings, now=now())
    notice = None if key.trusted else gettext("Held until somebody has looked at it.")
    made = {"service_request_id": str(report.uid), "service_notice": notice, "account_id": None}
    return answer("service_requests", [made], suffix, 201)


def _requests(found: list[PublicProblem], suffix: str) -> Response:
    extensions = asked("extensions").lower() in {"true", "1"}
    return answer("service_requests", requests_of(found, extensions=extensions), suffix)


@pages.get(f"{_V2}/requests.<any(xml, json):suffix>")
@stateless
def request_list(suffix: str) -> Response:
    """List published requests: named ones, or those of 90 days by service and status."""
    limit, offset = page()
    named = several("service_request_id")
    if named is not None:
        found = read_public(db(), uids=identities(named), limit=limit, offset=offset, key=offered_key())
        return _requests(found, suffix)
    codes = several("service_code")
    categories = None if codes is None else [find_category(code).id for code in codes]
    statuses = several("status")
    unknown = sorted(set(statuses or ()) - {"open", "closed"})
    if unknown:
        raise Open311Error(
            400,
            gettext(
                "{name}: expected one or several of {expected}; found “{found}”.",
                name="status",
                expected="open, closed",
                found=unknown[0][:40],
            ),
        )
    states: list[State] | None = None
    if statuses is not None:
        states = [state for state, course in COURSE.items() if course.status in statuses]
    start, end = span(now())
    found = read_public(
        db(), categories=categories, states=states, start=start, end=end, limit=limit, offset=offset
    )
    return _requests(found, suffix)


@pages.get(f"{_V2}/requests/<identity>.<any(xml, json):suffix>")
@stateless
def single_request(identity: str, suffix: str) -> Response:
    """Show one published request; a system also sees what it sent itself, published or not."""
    found = read_public(db(), uids=identities([identity]), key=offered_key())
    if not found:
        raise Open311Error(404, gettext("service_request_id {found} was not found.", found=identity[:80]))
    return _requests(found, suffix)


@pages.get(f"{_V2}/tokens/<token>.<any(xml, json):suffix>")
@stateless
def token_of(token: str, suffix: str) -> Response:
    """Say which request a token stands for: its own identity, as every request has one at once."""
    found = read_public(db(), uids=identities([token]), key=offered_key())
    if not found:
        raise Open311Error(404, gettext("token {found} was not found.", found=token[:80]))
    return answer("service_requests", [{"service_request_id": str(found[0].uid), "token": token}], suffix)


@pages.get(f"{_V2}/servicerequestupdates.<any(xml, json):suffix>")
@stateless
def update_list(suffix: str) -> Response:
    """List what changed publicly between two times, as FixMyStreet asks."""
    start, end = span(now())
    limit, offset = page()
    found = updates_between(db(), start, end, limit=limit, offset=offset)
    return answer("service_request_updates", updates_of(found), suffix)


_SAID = {
    "CLOSED": Said.SOLVED,
    "FIXED": Said.SOLVED,
    "REOPEN": Said.NOT_SOLVED,
}
"""What another system's status says of whether it is solved; any other is a remark."""


@pages.post(f"{_V2}/servicerequestupdates.<any(xml, json):suffix>")
@stateless
@takes_files
def post_update(suffix: str) -> Response:
    """Take an update of another system in, held until somebody has looked unless the key is trusted."""
    key = needed_key()
    identity = asked("service_request_id")
    if not identity:
        raise Open311Error(400, gettext("service_request_id was not provided."))
    found = read_public(db(), uids=identities([identity]), key=key)
    if not found:
        raise Open311Error(404, gettext("service_request_id {found} was not found.", found=identity[:80]))
    external = asked("update_id")
    if len(external) > 100:
        raise Open311Error(400, gettext("update_id is longer than 100 characters."))
    note = NewNote(
        uid=uuid.uuid4(),
        said=_SAID.get(asked("status").upper(), Said.REMARK),
        text=(request.values.get("description") or "").replace("\r\n", "\n"),
        at=time_of("updated_datetime"),
        external_id=external or None,
        media_urls=request.values.getlist("media_url"),
    )
    settings = installation().settings
    photos = examine_photos(note.uid, _photos(), settings=settings)
    with writing(installation().engine) as session:
        made, fresh = say(session, found[0].number, note, photos, key=key, settings=settings, now=now())
        uid = str(made.uid)
    return answer("service_request_updates", [{"update_id": uid}], suffix, 201 if fresh else 200)
