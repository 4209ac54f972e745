"""Photos for some of the demo's problems, as phones would have taken and sent them."""

from __future__ import annotations

import io
import random
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from PIL import ExifTags, Image
from sqlalchemy import select

from gridmap.demo.scenes import draw_scene
from gridmap.evidence.content import Format
from gridmap.evidence.examination import Examined, Upload, limits_of
from gridmap.evidence.files import Vault
from gridmap.evidence.images import derive_photo
from gridmap.evidence.models import MediaKind, Stage
from gridmap.evidence.service import add_attachment
from gridmap.people.models import Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.problems.models import Category, Flag, Problem, State

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from gridmap.config import Settings

__all__ = ["add_photos"]

_MOST = 60
_DEGREES_AWAY = 0.02


def add_photos(session: Session, problems: int, *, now: datetime, seed: int, settings: Settings) -> int:
    """Give some problems photos and return how many; the latest ones of each state have them.

    Parameters
    ----------
    session
        Of a writing transaction.
    problems
        How many problems there are; few have few photos.
    now
        Nothing is later.
    seed
        The same seed draws the same pictures.
    settings
        Of the installation.
    """
    chance = random.Random(seed)  # noqa: S311 - the demo repeats itself on purpose
    most = min(_MOST, problems // 25)
    count = 0
    for problem, code, sender in _chosen(session, most * 2 // 5, now):
        fixed = problem.state in {State.FIXED, State.VERIFIED, State.CLOSED}
        # One worker in twelve sends a picture that was taken elsewhere.
        away = _DEGREES_AWAY if fixed and chance.random() < 1 / 12 else 0.0
        for stage, at in ((Stage.FOUND, problem.found_at), (Stage.AFTER, problem.closed_at or now)):
            if stage is Stage.AFTER and not fixed:
                continue
            sent = min(at + timedelta(minutes=chance.uniform(1, 6)), now)
            photo = _photo(
                problem,
                code,
                stage,
                at=sent - timedelta(seconds=chance.randint(20, 200)),
                away=away if stage is Stage.AFTER else 0.0,
                settings=settings,
            )
            add_attachment(
                session, sender, _kept(photo, problem, stage, chance, settings), settings=settings, now=sent
            )
            count += 1
    return count


def _chosen(session: Session, most: int, now: datetime) -> list[tuple[Problem, str, Actor]]:
    query = (
        select(Problem, Category.code, Person.name)
        .join(Category, Category.id == Problem.category_id)
        .outerjoin(Person, Person.id == Problem.person_id)
        .where(Problem.found_at <= now, Problem.flags.bitwise_and(Flag.DOUBTFUL.value) == 0)
        .order_by(Problem.found_at.desc())
    )
    found = []
    for states in ((State.CLOSED, State.VERIFIED, State.FIXED), (State.RECORDED, State.ACCEPTED)):
        for problem, code, name in session.execute(query.where(Problem.state.in_(states)).limit(most)):
            sender = Actor(name=name or "巡查员", holdings=(Holding(Role.HEADQUARTERS),))
            found.append((problem, code, sender))
    # Twice as many photos of what is fixed: before and after.
    return found[: most + most // 2]


def _photo(
    problem: Problem, code: str, stage: Stage, *, at: datetime, away: float, settings: Settings
) -> bytes:
    scene = draw_scene(code, fixed=stage is Stage.AFTER, seed=problem.id)
    exif = Image.Exif()
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    local = at.astimezone(settings.zone)
    inner[ExifTags.Base.DateTimeOriginal] = local.strftime("%Y:%m:%d %H:%M:%S")
    inner[ExifTags.Base.OffsetTimeOriginal] = local.isoformat()[-6:]
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", _dms(problem.lat + away)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", _dms(problem.lon)
    buffer = io.BytesIO()
    scene.save(buffer, "JPEG", quality=80, exif=exif)
    return buffer.getvalue()


def _dms(degrees: float) -> tuple[float, float, float]:
    minutes = degrees % 1 * 60
    return float(int(degrees)), float(int(minutes)), minutes % 1 * 60


def _kept(
    photo: bytes, problem: Problem, stage: Stage, chance: random.Random, settings: Settings
) -> Examined:
    """Keep a picture of our own making; nobody's file needs no process of its own to be decoded in."""
    vault = Vault(settings.data_dir)
    with vault.workplace() as folder:
        (folder / "original").write_bytes(photo)
        derived = derive_photo(folder / "original", Format.JPEG, folder, limits_of(settings))
        return Examined(
            upload=Upload(
                uid=uuid.UUID(int=chance.getrandbits(128), version=4),
                content=vault.folder,
                stage=stage,
                problem=problem.uid,
                file_name=f"IMG_{chance.randint(1000, 9999)}.jpg",
            ),
            kind=MediaKind.PHOTO,
            media_type=Format.JPEG,
            original=vault.keep(folder / "original"),
            shown=vault.keep(folder / derived.shown),
            thumbnail=vault.keep(folder / derived.thumbnail),
            derived=derived,
        )
