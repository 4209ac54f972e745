"""Photos: checked by being decoded, turned upright and written anew without anything but the picture."""

from __future__ import annotations

import io
import math
import re
import warnings
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image, ImageCms, ImageOps

from gridmap.errors import InvalidValueError
from gridmap.evidence.content import Format
from gridmap.evidence.derived import Derived

if TYPE_CHECKING:
    from pathlib import Path

    from gridmap.evidence.derived import Limits

__all__ = ["derive_photo", "save_copies"]

_QUALITY = {"shown": 82, "thumbnail": 76}
_CODECS = {
    Format.JPEG: ("JPEG", "MPO"),
    Format.PNG: ("PNG",),
    Format.WEBP: ("WEBP",),
    Format.HEIC: ("HEIF",),
    Format.AVIF: ("AVIF",),
}
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, RuntimeError, OverflowError)
"""What decoders raise on files that are not what they should be."""


def derive_photo(source: Path, kind: Format, folder: Path, limits: Limits) -> Derived:
    """Make the copy for showing and the thumbnail of a photo.

    Parameters
    ----------
    source
        The file as it came.
    kind
        What its first bytes say it is; no other decoder is tried.
    folder
        Where the copies are written.
    limits
        Pictures with more pixels are refused before they are decoded.

    Raises
    ------
    InvalidValueError
        If it is larger than allowed, cut off or broken.
    """
    if kind is Format.HEIC:
        import pillow_heif  # noqa: PLC0415 - takes as long to load as a photo to decode

        pillow_heif.register_heif_opener(thumbnails=False)
    # The limit below is ours; Pillow's own would only warn.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _derive(source, kind, folder, limits)
    except MemoryError as error:
        raise InvalidValueError(
            "Expected a picture that can be decoded in the memory allowed; this one needs more."
        ) from error
    except _BROKEN as error:
        raise InvalidValueError(
            "Expected a whole picture; found one that is cut off or broken ({found}).",
            found=str(error)[:120] or type(error).__name__,
        ) from error


def _derive(source: Path, kind: Format, folder: Path, limits: Limits) -> Derived:
    with Image.open(source, formats=_CODECS[kind]) as picture:
        width, height = picture.size
        if width * height > limits.megapixels * 1_000_000:
            raise InvalidValueError(
                "Expected at most {most} megapixels; found {width} × {height}.",
                most=limits.megapixels,
                width=width,
                height=height,
            )
        exif = picture.getexif()
        upright = exif.get(ExifTags.Base.Orientation, 1)
        said = _said(exif)
        # A JPEG is decoded at the half, quarter or eighth that still suffices.
        scale = min(limits.edge / max(width, height), 1)
        picture.draft("RGB", (int(width * scale), int(height * scale)))
        picture.load()
        _to_srgb(picture)
        ImageOps.exif_transpose(picture, in_place=True)
        save_copies(picture, folder, edge=limits.edge, thumbnail=limits.thumbnail)
    if kind is not Format.HEIC and upright in {5, 6, 7, 8}:
        width, height = height, width
    return Derived(
        shown="shown", shown_type=Format.JPEG, thumbnail="thumbnail", width=width, height=height, **said
    )


def _to_srgb(picture: Image.Image) -> None:
    """Bring the wide colours of phones to those that a copy without a profile is shown in."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in {"RGB", "RGBA"}:
        return
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return


def save_copies(picture: Image.Image, folder: Path, *, edge: int, thumbnail: int) -> None:
    """Write ``shown`` and ``thumbnail`` as JPEG files with nothing in them but the picture.

    Parameters
    ----------
    picture
        Upright, of any mode.
    folder
        Where they are written.
    edge, thumbnail
        Their longer sides, pixels; a smaller picture is not enlarged.
    """
    plain = _on_white(picture)
    for name, longest in (("shown", edge), ("thumbnail", thumbnail)):
        plain.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)
        # A new image carries no comment, profile or thumbnail of the old one's.
        copy = Image.new("RGB", plain.size)
        copy.paste(plain)
        copy.save(folder / name, "JPEG", quality=_QUALITY[name], optimize=True, progressive=name == "shown")


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        ground = Image.new("RGB", layered.size, "white")
        ground.paste(layered, mask=layered.getchannel("A"))
        return ground
    if picture.mode in {"I;16", "I", "F"}:
        low, high = picture.getextrema()
        span = max(float(high) - float(low), 1.0)  # type: ignore[arg-type]
        return picture.point(lambda value: (value - low) * (255 / span)).convert("L").convert("RGB")
    return picture.convert("RGB")


def _said(exif: Image.Exif) -> dict[str, Any]:
    """When and where the camera says that it took the picture; what is unreadable is left out."""
    found: dict[str, Any] = {}
    try:
        place = _place(exif.get_ifd(ExifTags.IFD.GPSInfo))
        if place is not None:
            found["lon"], found["lat"] = place
        taken = _taken(exif)
        if taken is not None:
            found["taken"] = taken
    except (*_BROKEN, TypeError, AttributeError, ZeroDivisionError):
        return found
    return found


_TIME = re.compile(r"(\d{4})[:-](\d{2})[:-](\d{2})[ T](\d{2}):(\d{2}):(\d{2})")
_OFFSET = re.compile(r"[+-]\d{2}:\d{2}")


def _taken(exif: Image.Exif) -> str | None:
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    text = str(inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime) or "")
    match = _TIME.match(text.strip("\x00 "))
    if match is None:
        return None
    offset = str(inner.get(ExifTags.Base.OffsetTimeOriginal) or inner.get(ExifTags.Base.OffsetTime) or "")
    year, month, day, hour, minute, second = match.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}" + (
        offset.strip("\x00 ") if _OFFSET.fullmatch(offset.strip("\x00 ")) else ""
    )


def _place(gps: dict[int, Any]) -> tuple[float, float] | None:
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
    if lon is None or lat is None or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return None
    # Zeros are what cameras without a fix write.
    return None if lon == lat == 0 else (lon, lat)


def _degrees(parts: Any, side: Any, negative: str) -> float | None:
    if parts is None:
        return None
    degrees, minutes, seconds = (float(part) for part in (*parts, 0, 0)[:3])
    found = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(found):
        return None
    return round(-found if str(side).strip("\x00 ").upper() == negative else found, 7)
