"""Services, requests and updates as GeoReport names their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import url_for

from gridmap.language import N_, gettext
from gridmap.residents.models import Moderation
from gridmap.residents.offered import offered_categories
from gridmap.residents.queries import photos_of
from gridmap.residents.rules import COURSE, attributes_of
from web.api.answering import directory
from web.installation import db
from web.open311.asking import Open311Error
from web.open311.formats import moment

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

    from gridmap.places.directory import CategoryEntry
    from gridmap.residents.course import Update
    from gridmap.residents.queries import PublicProblem

__all__ = ["definition", "find_category", "find_service", "requests_of", "services", "updates_of"]


def services() -> list[dict[str, Any]]:
    """What can be reported."""
    table = directory().categories
    found = []
    for one in offered_categories(db(), directory()):
        major = table.get(one.parent)
        group = major.label if major else one.label
        found.append(
            {
                "service_code": one.code,
                "service_name": one.label,
                "description": one.label,
                "metadata": bool(attributes_of(one.code)),
                "type": "realtime",
                "keywords": ",".join(dict.fromkeys((one.name, one.name_en, group))).strip(","),
                "group": group,
            }
        )
    return found


def find_service(code: str) -> CategoryEntry:
    """Return the category of a service code, or raise 404."""
    for one in offered_categories(db(), directory()):
        if one.code == code:
            return one
    raise Open311Error(404, gettext("service_code {found} was not found.", found=code[:80]))


def find_category(code: str) -> CategoryEntry:
    """Return any category of a code, whether or not it can still be reported, or raise 404."""
    found = directory().category(code)
    if found is None:
        raise Open311Error(404, gettext("service_code {found} was not found.", found=code[:80]))
    return found


def definition(code: str) -> dict[str, Any]:
    """What a service asks beyond place and text."""
    one = find_service(code)
    return {
        "service_code": one.code,
        "attributes": [
            {
                "variable": True,
                "code": attribute.code,
                "datatype": attribute.datatype,
                "required": attribute.required,
                "datatype_description": None,
                "order": attribute.order,
                "description": attribute.description,
                **(
                    {"values": [{"key": key, "name": name} for key, name in attribute.values]}
                    if attribute.values
                    else {}
                ),
            }
            for attribute in attributes_of(one.code)
        ],
    }


def _photo(uid: uuid.UUID) -> str:
    return url_for("public.photo", uid=uid, _external=True)


_UNPUBLISHED = {
    Moderation.HELD: N_("Held until somebody has looked at it."),
    Moderation.HIDDEN: N_("Somebody has looked at it and decided not to publish it."),
}


def requests_of(found: Sequence[PublicProblem], *, extensions: bool) -> list[dict[str, Any]]:
    """Say of problems what everybody may know.

    Parameters
    ----------
    extensions
        Whether what the specification does not name comes too: source, answers, every picture.
    """
    table = directory()
    photos = photos_of(db(), [one.number for one in found])
    answers = []
    for one in found:
        category = table.categories.get(one.category_id)
        course = COURSE[one.state]
        organisation = table.organisations.get(one.organisation_id)
        pictures = [*(_photo(uid) for uid in photos.get(one.number, [])), *one.media_urls]
        said: dict[str, Any] = {
            "service_request_id": str(one.uid),
            "status": course.status,
            "status_notes": gettext(_UNPUBLISHED.get(one.moderation, course.words)),
            "service_name": category.label if category else None,
            "service_code": category.code if category else None,
            "description": one.text or None,
            "agency_responsible": organisation.name
            if organisation and one.moderation is Moderation.PUBLISHED
            else None,
            "service_notice": None,
            "requested_datetime": moment(one.requested_at),
            "updated_datetime": moment(one.updated_at),
            "expected_datetime": moment(one.due_at),
            "address": one.address or None,
            "address_id": None,
            "zipcode": None,
            "lat": one.lat,
            "long": one.lon,
            "media_url": pictures[0] if pictures else None,
        }
        if extensions:
            said["extended_attributes"] = {
                "source": one.source,
                "detailed_status": one.state.value,
                "media_urls": pictures,
                "attributes": [
                    {"code": code, "value": ",".join(values)} for code, values in one.attributes.items()
                ],
            }
        answers.append(said)
    return answers


def updates_of(found: Sequence[Update]) -> list[dict[str, Any]]:
    """Say of updates what everybody may know, as FixMyStreet reads it."""
    return [
        {
            "update_id": str(one.uid),
            "service_request_id": str(one.problem),
            "status": COURSE[one.state].status.upper(),
            "updated_datetime": moment(one.at),
            "description": one.text or gettext(COURSE[one.state].words),
            "media_url": [*map(_photo, one.photos), *one.media_urls, None][0],
        }
        for one in found
    ]
