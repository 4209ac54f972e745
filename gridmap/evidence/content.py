"""What a file is, told by its first bytes; names and declared types are never believed."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmap import mmap

__all__ = ["HEAD_BYTES", "Format", "active_content", "format_of", "looks_like"]

HEAD_BYTES = 4096
"""What `format_of` and `looks_like` need of a file."""


class Format(StrEnum):
    """What is taken, by media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"
    AVIF = "image/avif"
    MP4 = "video/mp4"
    MOV = "video/quicktime"
    WEBM = "video/webm"

    @property
    def is_video(self) -> bool:
        """Whether it moves."""
        return self in {Format.MP4, Format.MOV, Format.WEBM}

    @property
    def ending(self) -> str:
        """Usual ending of a file's name, without the dot."""
        return _ENDINGS[self]


_ENDINGS = {
    Format.JPEG: "jpg",
    Format.PNG: "png",
    Format.WEBP: "webp",
    Format.HEIC: "heic",
    Format.AVIF: "avif",
    Format.MP4: "mp4",
    Format.MOV: "mov",
    Format.WEBM: "webm",
}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_MP4_BRANDS = re.compile(rb"iso[m2-9]|mp4[12]|mp71|M4V|avc1|3g[p2]|mmp4|dash|MSNV|hvc1|hev1|F4V|XAVC|NDX")


def format_of(head: bytes) -> Format | None:
    """Return what a file is by its first `HEAD_BYTES` bytes; None if it is nothing that is taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format.WEBP
    if head.startswith(b"\x1a\x45\xdf\xa3") and (b"webm" in head[:64] or b"matroska" in head[:64]):
        return Format.WEBM
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    # Old QuickTime files begin without a statement of their brand.
    return Format.MOV if head[4:8] in {b"moov", b"wide"} else None


def _by_brand(head: bytes) -> Format | None:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brand = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, length - 3, 4)}
    if brand in _AVIF_BRANDS or (brand in {b"mif1", b"msf1"} and compatible & _AVIF_BRANDS):
        return Format.AVIF
    if brand in _HEIC_BRANDS:
        return Format.HEIC
    if brand == b"qt  ":
        return Format.MOV
    return Format.MP4 if _MP4_BRANDS.match(brand) or b"isom" in compatible else None


_SIGNATURES = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"BM", "bmp"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"#!", "program"),
    (b"RIFF", "avi"),
)
_SVG = re.compile(rb"<svg[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"<(!doctype html|html|head|body|script)[\s>]", re.IGNORECASE)


def looks_like(head: bytes) -> str:
    """Say what something that is not taken seems to be: a key of `gridmap.evidence.examination.FOUND`."""
    if not head:
        return "nothing"
    signed = next((name for signature, name in _SIGNATURES if head.startswith(signature)), None)
    if signed is not None:
        return signed
    if _SVG.search(head):
        return "svg"
    if _HTML.search(head):
        return "html"
    return "text" if _is_text(head) else "unknown"


def _is_text(head: bytes) -> bool:
    # A character may be cut in two at the end.
    text = head.decode("utf-8", errors="replace")[:-1]
    return "\ufffd" not in text and "\x00" not in text


# Long enough that the noise of compressed pictures does not make them by chance.
_ACTIVE = re.compile(rb"<!doctype html|<html[\s>]|<script[\s>]|<iframe[\s>]|<\?php[\s]", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = 22 + 65_535


def active_content(content: bytes | mmap) -> str | None:
    """Say what else a picture's bytes are; None if it is only a picture.

    Says it by a key of `gridmap.evidence.examination.FOUND`. Cameras append things of their own (a second
    picture, a short film), so that bytes after the end are no fault in themselves; pages, scripts, documents
    and archives are.
    """
    if _ACTIVE.search(content):
        return "script"
    if b"%PDF-" in content[:1024]:
        return "pdf"
    return "zip" if _ends_as_zip(content) else None


def _ends_as_zip(content: bytes | mmap) -> bool:
    """Whether an archive's directory stands where its last record says."""
    end = content.rfind(_ZIP_END, max(len(content) - _ZIP_TAIL, 0))
    if end < 0 or end + 22 > len(content):
        return False
    size = int.from_bytes(content[end + 12 : end + 16], "little")
    return size > 0 and content[max(end - size, 0) :][:4] == b"PK\x01\x02"
