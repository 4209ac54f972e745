"""Residents and other systems report: held until somebody has looked at it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gridmap.errors import ConflictError, InvalidValueError, LimitReachedError
from gridmap.evidence.examination import Upload, examine
from gridmap.evidence.models import Attachment, MediaKind, Stage
from gridmap.evidence.service import add_attachment
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.problems.models import Problem, Source
from gridmap.problems.service import Report, record_problem
from gridmap.residents.models import (
    Moderation,
    Publication,
    PublicPhoto,
    Reporter,
    ResidentReport,
)
from gridmap.residents.rules import check_attributes, clean_contact, code_hash
from gridmap.store.claim import claim

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import IO

    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.evidence.examination import Examined
    from gridmap.residents.models import ApiKey

__all__ = [
    "NewReport",
    "add_photos",
    "admit",
    "checked_text",
    "checked_urls",
    "examine_photos",
    "resident",
    "submit",
]

_LONGEST_TEXT = 4000
"""As Open311 has it."""
_MOST_URLS, _LONGEST_URL = 10, 500


def resident(name: str = "居民") -> Actor:
    """Somebody without a login: may record problems and add photos to what they report, and see nothing."""
    return Actor(name=name, holdings=(Holding(Role.PUBLIC),))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """What somebody outside reports.

    Parameters
    ----------
    uid
        The same report sent twice is one problem.
    category
        Code.
    lon, lat
        Degrees, EPSG:4326.
    name, phone, email
        Of who reports, if they wish; kept only with `consent`.
    description
        May be blank where another system sends it.
    attributes
        Answers to what the category asks, by code.
    media_urls
        Addresses of pictures elsewhere.
    sender
        Keyed hash of the address it was sent from; None: another system, which has its key.
    """

    uid: uuid.UUID
    category: str
    lon: float
    lat: float
    description: str = ""
    address: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    consent: bool = False
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    media_urls: Sequence[str] = ()
    sender: str | None = None


def examine_photos(
    uid: uuid.UUID, photos: Sequence[tuple[str, IO[bytes]]], *, settings: Settings
) -> list[Examined]:
    """Take photos in and make safe copies, outside of any transaction.

    Parameters
    ----------
    uid
        Of what they belong to: the same photos sent twice are there once.
    photos
        File names and contents.

    Raises
    ------
    InvalidValueError
        If there are too many, or one is no photo of the formats taken.
    """
    if len(photos) > settings.resident_photos:
        raise InvalidValueError(
            "Expected at most {most} photos; found {found}.",
            parameter="photo",
            most=settings.resident_photos,
            found=len(photos),
        )
    found = []
    for number, (name, content) in enumerate(photos):
        upload = Upload(
            uid=uuid.uuid5(uid, f"photo {number}"), content=content, stage=Stage.FOUND, file_name=name
        )
        examined = examine(upload, settings=settings)
        if examined.kind is MediaKind.VIDEO:
            raise InvalidValueError("Expected a photo; found a video.", parameter="photo")
        found.append(examined)
    return found


def checked_urls(urls: Sequence[str]) -> list[str]:
    """Return addresses of pictures elsewhere, or raise InvalidValueError; nothing is fetched from them."""
    kept = [url.strip() for url in urls if url.strip()]
    if len(kept) > _MOST_URLS:
        raise InvalidValueError(
            "Expected at most {most} addresses of pictures; found {found}.",
            parameter="media_url",
            most=_MOST_URLS,
            found=len(kept),
        )
    for url in kept:
        if len(url) > _LONGEST_URL or not url.lower().startswith(("http://", "https://")):
            raise InvalidValueError(
                "Expected an address that begins with http:// or https://; found “{found}”.",
                parameter="media_url",
                found=url[:80],
            )
    return kept


def checked_text(text: str, parameter: str = "description") -> str:
    """Return a text without blanks around it, or raise InvalidValueError where it is too long."""
    text = text.strip()
    if len(text) > _LONGEST_TEXT:
        raise InvalidValueError(
            "Expected at most {longest} characters; found {found}.",
            parameter=parameter,
            longest=_LONGEST_TEXT,
            found=len(text),
        )
    return text


def admit(session: Session, report: NewReport, *, settings: Settings, now: datetime) -> None:
    """Refuse a report where too many came from its address within an hour; one that is here already passes.

    Raises
    ------
    LimitReachedError
        If it is one too many.
    """
    if report.sender is None:
        return
    sent = session.scalar(
        select(func.count(ResidentReport.id)).where(
            ResidentReport.sender_hash == report.sender, ResidentReport.sent_at > now - timedelta(hours=1)
        )
    )
    if (sent or 0) < settings.resident_reports_per_hour:
        return
    if session.scalar(select(Problem.id).where(Problem.uid == report.uid)) is None:
        raise LimitReachedError(
            "At most {most} reports within an hour are taken from one connection; please wait a little.",
            most=settings.resident_reports_per_hour,
        )


def submit(
    session: Session,
    report: NewReport,
    photos: Sequence[Examined] = (),
    *,
    code: str,
    key: ApiKey | None = None,
    settings: Settings,
    now: datetime,
) -> tuple[ResidentReport, bool]:
    """Record what a resident or another system reports, held until somebody has looked at it.

    Parameters
    ----------
    session
        Of a writing transaction.
    report, photos
        What is reported; photos as `examine_photos` returns them.
    code
        From `make_code`; with it the report can be followed. Of a report sent twice the first one counts.
    key
        Of the other system; what comes with a trusted one is published at once.

    Raises
    ------
    LimitReachedError
        If too much comes from one address.
    InvalidValueError, NotFoundError
        If the report is not as it should be, or there is no such category.
    ConflictError
        If something else has this uid.
    """
    actor = resident(key.name if key else "居民")
    claim(session, report.uid)
    known = session.scalar(
        select(ResidentReport)
        .join(Problem, Problem.id == ResidentReport.problem_id)
        .where(Problem.uid == report.uid)
    )
    if known is not None:
        if known.sender_hash != report.sender or known.api_key_id != (key.id if key else None):
            raise ConflictError("Another report has the identity {uid}.", uid=str(report.uid))
        return known, False
    if session.scalar(select(Problem.id).where(Problem.uid == report.uid)) is not None:
        raise ConflictError("Another report has the identity {uid}.", uid=str(report.uid))
    admit(session, report, settings=settings, now=now)
    description = checked_text(report.description)
    urls = checked_urls(report.media_urls)
    attributes = check_attributes(report.category, report.attributes)
    name, phone, email = clean_contact(report.name, report.phone, report.email)
    if key is None and not description and not photos and not urls:
        raise InvalidValueError("Say what is wrong, or add a photo.", parameter="description")
    if (name or phone or email) and not report.consent:
        raise InvalidValueError(
            "To keep your name or number we need your consent; tick the box or leave them blank.",
            parameter="consent",
        )
    problem, _ = record_problem(
        session,
        actor,
        Report(
            uid=report.uid,
            category=report.category,
            geometry={"type": "Point", "coordinates": [report.lon, report.lat]},
            description=description,
            address=report.address.strip(),
            source=Source.RESIDENT,
        ),
        settings=settings,
        now=now,
    )
    made = ResidentReport(
        problem_id=problem.id,
        code_hash=code_hash(code),
        sender_hash=report.sender,
        sent_at=now,
        api_key_id=key.id if key else None,
        attributes=attributes,
        media_urls=urls,
    )
    session.add(made)
    session.flush()
    if name or phone or email:
        session.add(Reporter(report_id=made.id, name=name, phone=phone, email=email, consented_at=now))
    trusted = key is not None and key.trusted
    session.add(
        Publication(
            problem_id=problem.id,
            state=Moderation.PUBLISHED if trusted else Moderation.HELD,
            text=description,
            address=report.address.strip(),
            attributes=attributes if trusted else {},
            media_urls=urls if trusted else [],
            decided_by=actor.name if trusted else None,
            decided_at=now if trusted else None,
            published_at=now if trusted else None,
        )
    )
    add_photos(session, actor, problem, photos, publish=trusted, settings=settings, now=now)
    session.flush()
    return made, True


def add_photos(
    session: Session,
    actor: Actor,
    problem: Problem,
    photos: Sequence[Examined],
    *,
    publish: bool,
    settings: Settings,
    now: datetime,
) -> list[Attachment]:
    """Tie examined photos to a problem, and show them to everybody where `publish` says so."""
    made = []
    for photo in photos:
        tied = type(photo)(
            **{name: getattr(photo, name) for name in photo.__slots__ if name != "upload"},
            upload=_of_problem(photo.upload, problem.uid),
        )
        row = add_attachment(session, actor, tied, settings=settings, now=now)
        made.append(row)
        if publish:
            session.add(
                PublicPhoto(
                    attachment_id=row.id, problem_id=problem.id, published_by=actor.name, published_at=now
                )
            )
    return made


def _of_problem(upload: Upload, uid: uuid.UUID) -> Upload:
    return Upload(
        uid=upload.uid,
        content=upload.content,
        stage=upload.stage,
        problem=uid,
        file_name=upload.file_name,
    )
