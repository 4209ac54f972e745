"""Which encoding text from China is in, when nothing or something wrong says so."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from charset_normalizer import from_bytes

from geodata.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["decode_cut", "detect_encoding", "known_encoding"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PAIR = re.compile(rb"[\x81-\xfe][\x30-\xfe]")
# Rows of GB 2312 that hold punctuation, full-width letters and the characters of everyday text.
_COMMON_PAIR = re.compile(rb"[\xa1-\xa9\xb0-\xf7][\xa1-\xfe]")
# Everyday text is nearly all common; Big5 and Latin text read as Chinese are so by half.
_COMMON_SHARE = 0.8
_SAMPLE = 1_000_000
_OTHERS = ["big5", "gb18030", "cp1252", "shift_jis", "euc_kr"]


def known_encoding(name: str) -> str:
    """Python's name of an encoding; GB 2312, GBK and code page 936 are read as GB 18030, their superset.

    Raises
    ------
    FormatError
        If there is no such encoding.
    """
    text = name.strip()
    try:
        found = codecs.lookup(f"cp{text}" if text.isdecimal() else text).name
    except LookupError as error:
        raise FormatError(
            "Expected an encoding such as utf-8 or gbk; found {found!r}.", found=name
        ) from error
    return "gb18030" if found in ("gb2312", "gbk", "cp936", "hz") else found


def decode_cut(piece: bytes, encoding: str) -> str:
    """Decode text whose last character may be cut off in its middle, as dBASE fields cut it."""
    return codecs.getincrementaldecoder(encoding)("strict").decode(piece, final=False)


def detect_encoding(pieces: Sequence[bytes], *, declared: str | None = None) -> str:
    """Find the encoding all of `pieces` can be read in.

    Byte-order mark first, then what is declared (if it works: files lie), UTF-8, GB 18030 where the
    characters are everyday ones, and last what charset-normalizer makes of it.

    Raises
    ------
    FormatError
        If none works.
    """
    whole = b"\n".join(pieces)
    for mark, name in _MARKS:
        if whole.startswith(mark):
            return name
    if whole.isascii():
        return "utf-8"
    if declared is not None and _fits(pieces, declared) and not _betrayed(pieces, declared):
        return declared
    if _fits(pieces, "utf-8"):
        return "utf-8"
    pairs = _PAIR.findall(whole)
    common = sum(map(bool, map(_COMMON_PAIR.match, pairs)))
    if common >= _COMMON_SHARE * len(pairs) and _fits(pieces, "gb18030"):
        return "gb18030"
    best = from_bytes(whole[:_SAMPLE], cp_isolation=_OTHERS).best()
    guess = known_encoding(best.encoding) if best is not None else "gb18030"
    if _fits(pieces, guess):
        return guess
    raise FormatError("Expected text in UTF-8, GB 18030 or another known encoding; found none that fits.")


def _fits(pieces: Iterable[bytes], encoding: str) -> bool:
    try:
        for piece in pieces:
            decode_cut(piece, encoding)
    except UnicodeDecodeError:
        return False
    return True


def _betrayed(pieces: Iterable[bytes], declared: str) -> bool:
    """Tell whether a one-byte encoding is declared, which fits everything, and the text is UTF-8."""
    return declared.startswith(("iso8859", "cp12", "latin")) and _fits(pieces, "utf-8")
