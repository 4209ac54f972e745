"""From a file that somebody sent to files that are kept: what it is, copies of it, or why it is refused.

No database is involved: decoding takes its time, and no write lock may wait for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

from gridmap.errors import InvalidValueError, StoreError
from gridmap.evidence.content import HEAD_BYTES, Format, format_of, looks_like
from gridmap.evidence.derived import Derived, Limits
from gridmap.evidence.files import Kept, Vault, copy_in
from gridmap.evidence.models import MediaKind, Stage
from gridmap.language import N_, gettext

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

    from gridmap.config import Settings

__all__ = ["FOUND", "Examined", "Upload", "examine", "limits_of"]

FOUND: Mapping[str, str] = MappingProxyType(
    {
        "nothing": N_("an empty file"),
        "svg": N_("an SVG drawing, which can carry programs"),
        "html": N_("a web page"),
        "pdf": N_("a PDF document"),
        "zip": N_("an archive or an Office document"),
        "gif": N_("a GIF animation"),
        "tiff": N_("a TIFF or camera raw file"),
        "bmp": N_("a BMP picture"),
        "avi": N_("an AVI video"),
        "program": N_("a program"),
        "text": N_("text"),
        "script": N_("a web page with scripts"),
        "unknown": N_("something else"),
    }
)
"""What was found instead of a picture, in words."""

_MEGABYTE = 1 << 20
_AT_ONCE = threading.BoundedSemaphore(max(os.cpu_count() or 1, 2))
"""Decoders that run side by side; more would only slow each other and fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What somebody sends.

    Parameters
    ----------
    uid
        Made by the sender; the same upload sent twice is one attachment.
    content
        The file, on the disk of the vault's folder, or a stream of its bytes.
    stage
        What it is evidence of.
    problem
        The problem that it belongs to; None: it will be tied to an event later.
    lon, lat
        Where the sender says that it was taken, degrees, EPSG:4326; None: where the problem is.
    taken_at
        When the sender says that it was taken; None: when the problem was found, or now.
    file_name
        As the sender's device calls it.
    scan
        Whether it is a picture of a paper.
    """

    uid: uuid.UUID
    content: IO[bytes] | Path
    stage: Stage
    problem: uuid.UUID | None = None
    lon: float | None = None
    lat: float | None = None
    taken_at: datetime | None = None
    file_name: str = ""
    scan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An upload whose files are on the disk."""

    upload: Upload
    kind: MediaKind
    media_type: str
    original: Kept
    shown: Kept
    thumbnail: Kept
    derived: Derived


def limits_of(settings: Settings) -> Limits:
    """Within which limits this installation decodes."""
    return Limits(
        megapixels=settings.photo_megapixels, edge=settings.photo_edge, seconds=settings.video_seconds
    )


def examine(upload: Upload, *, settings: Settings) -> Examined:
    """Find out what was sent, make copies that are safe to show, and keep all of it.

    Raises
    ------
    InvalidValueError
        If it is no photo or video of the formats taken, too large, broken, or more than that.
    """
    vault = Vault(settings.data_dir)
    with vault.workplace() as folder:
        source = folder / "original"
        most = max(settings.photo_megabytes, settings.video_megabytes) * _MEGABYTE
        if isinstance(upload.content, Path):
            size: int | None = upload.content.stat().st_size
            # It stays where it is until a row speaks of it: who is interrupted goes on there.
            os.link(upload.content, source)
        else:
            size = copy_in(upload.content, source, most)
        kind = _recognise(source)
        allowed = settings.video_megabytes if kind.is_video else settings.photo_megabytes
        if size is None or size > allowed * _MEGABYTE:
            raise InvalidValueError(
                "Expected at most {most} MB; found {found}.",
                parameter="file",
                most=allowed,
                found=gettext("more") if size is None else f"{size / _MEGABYTE:.1f} MB",
            )
        derived = _decode(source, kind, folder, settings)
        return Examined(
            upload=upload,
            kind=MediaKind.VIDEO if kind.is_video else MediaKind.SCAN if upload.scan else MediaKind.PHOTO,
            media_type=kind.value,
            original=vault.keep(source),
            shown=vault.keep(folder / derived.shown),
            thumbnail=vault.keep(folder / derived.thumbnail),
            derived=derived,
        )


def _recognise(file: Path) -> Format:
    with file.open("rb") as content:
        head = content.read(HEAD_BYTES)
    kind = format_of(head)
    if kind is None:
        raise InvalidValueError(
            "Expected a photo (JPEG, PNG, WebP, HEIC, AVIF) or a video (MP4, MOV, WebM); found {found}.",
            parameter="file",
            found=gettext(FOUND[looks_like(head)]),
        )
    return kind


def _decode(source: Path, kind: Format, folder: Path, settings: Settings) -> Derived:
    asked = asdict(limits_of(settings)) | {
        "confine": {
            "memory": settings.decoding_megabytes * _MEGABYTE,
            "seconds": settings.decoding_seconds,
            "size": 2 * settings.video_megabytes * _MEGABYTE,
        }
    }
    command = [sys.executable, "-m", "gridmap.evidence.decoder", str(source.resolve()), kind.value]
    command += [str(folder.resolve()), json.dumps(asked)]
    # Nothing of the server's own settings and secrets goes with it.
    environment = {"PYTHONPATH": _package_folder(), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    with _AT_ONCE:
        try:
            done = subprocess.run(  # noqa: S603 - our own program; the file is an argument, never a command
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=2 * settings.decoding_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _too_much(settings) from error
        except OSError as error:
            raise StoreError("The server cannot decode pictures now: {reason}.", reason=str(error)) from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise _too_much(settings) from None
    if "refused" in answer:
        params = answer["params"]
        if "carried" in params:
            params["found"] = gettext(FOUND[params.pop("carried")])
        raise InvalidValueError(answer["refused"], parameter="file", **params)
    return Derived(**answer)


def _too_much(settings: Settings) -> InvalidValueError:
    return InvalidValueError(
        "Expected a file that can be decoded in {seconds} seconds and {megabytes} MB of memory; this one is "
        "broken or made to exhaust the server.",
        parameter="file",
        seconds=settings.decoding_seconds,
        megabytes=settings.decoding_megabytes,
    )


def _package_folder() -> str:
    return str(Path(__file__).resolve().parents[2])
