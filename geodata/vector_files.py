"""Tables with geometry: GeoPackage, GeoJSON and Shapefile, plain or zipped."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pandas as pd
import pyogrio
from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata.errors import FormatError
from geodata.table import Table
from geodata.text_encoding import decode_cut, detect_encoding, known_encoding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geodata.limits import Limits

__all__ = ["read_vector"]

# GDAL opens a file by its content and some formats read further files, so that the content must be the
# one its name tells.
_BEGINNINGS = {
    ".gpkg": (b"SQLite format 3\0",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".geojson": (b"{", b"\xef\xbb\xbf{"),
    ".json": (b"{", b"\xef\xbb\xbf{"),
}
_TRANSPARENT = "ISO-8859-1"


def read_vector(path: Path, *, layer: str | None, encoding: str | None, limits: Limits) -> Table:
    """Read one layer; the first one unless named. A Shapefile's encoding is detected unless given."""
    limits.check_size(path.stat().st_size, path)
    sources = _zipped(path, limits) if path.suffix.lower() == ".zip" else [_plain(path)]
    try:
        layers = {str(name): source for source in sources for name in pyogrio.list_layers(source)[:, 0]}
        name = _choose(layer, layers, path)
        source = layers[name]
        shapefile = source.lower().endswith(".shp")
        plain = _TRANSPARENT if shapefile else None
        info = pyogrio.read_info(source, layer=name, encoding=plain, force_feature_count=True)
        limits.check_rows(int(info["features"]), path)
        frame, used = pyogrio.read_dataframe(source, layer=name, encoding=plain), None
        if shapefile:
            frame, used = _decoded(frame, encoding, _code_page(path, source))
    except FormatError:
        raise
    except (RuntimeError, ValueError) as error:
        raise FormatError(
            "Expected a GeoPackage, GeoJSON or Shapefile; {path} cannot be read: {problem}",
            path=path.name,
            problem=str(error),
        ) from error
    geometry = None
    if isinstance(frame, geopandas.GeoDataFrame):
        geometry = np.asarray(frame.geometry.to_numpy(), dtype=object)
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    return Table(
        frame,
        geometry,
        np.arange(1, len(frame) + 1, dtype=np.int64),
        layer=name,
        layers=tuple(layers),
        encoding=used,
        crs=_declared(info["crs"]),
    )


def _choose(wanted: str | None, layers: Iterable[str], path: Path) -> str:
    names = list(layers)
    if not names:
        raise FormatError("Expected a layer in {path}; found none.", path=path.name)
    if wanted is not None and wanted not in names:
        raise FormatError(
            "Expected one of the layers {layers}; found {found!r}.", layers=", ".join(names), found=wanted
        )
    return wanted or names[0]


def _plain(path: Path) -> str:
    with path.open("rb") as stream:
        _check_beginning(stream.read(64), path.suffix.lower(), path.name)
    return str(path)


def _zipped(path: Path, limits: Limits) -> list[str]:
    """List sources inside of an archive, read in place: nothing is unpacked to disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            limits.check_unpacked(archive, path)
            members = [
                m.filename
                for m in archive.infolist()
                if PurePosixPath(m.filename).suffix.lower() in _BEGINNINGS
                and not m.filename.startswith("__MACOSX")
            ]
            for member in members:
                with archive.open(member) as stream:
                    _check_beginning(stream.read(64), PurePosixPath(member).suffix.lower(), member)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise FormatError(
            "Expected a zip archive without password; {path} cannot be read: {problem}.",
            path=path.name,
            problem=str(error),
        ) from error
    if not members:
        raise FormatError("Expected a .shp, .gpkg or .geojson in {path}; found none.", path=path.name)
    return [f"/vsizip/{{{path.resolve()}}}/{member}" for member in members]


def _check_beginning(found: bytes, suffix: str, name: str) -> None:
    if not found.lstrip(b" \t\r\n").startswith(_BEGINNINGS[suffix]) and not found.startswith(
        _BEGINNINGS[suffix]
    ):
        raise FormatError(
            "Expected {path} to begin like a {kind} file; found {found!r}.",
            path=name,
            kind=suffix,
            found=found[:16],
        )


def _code_page(path: Path, source: str) -> str | None:
    """Read the encoding that a Shapefile's .cpg states, or None; an unknown one states nothing."""
    base, _, _ = source.rpartition(".")
    for suffix in (".cpg", ".CPG"):
        try:
            if source.startswith("/vsizip/"):
                with zipfile.ZipFile(path) as archive:
                    text = archive.read(base.rpartition("}/")[2] + suffix)
            else:
                text = Path(base + suffix).read_bytes()
            return known_encoding(text.decode("ascii"))
        except (KeyError, OSError, UnicodeDecodeError, FormatError):
            continue
    return None


def _decoded(frame: pd.DataFrame, encoding: str | None, declared: str | None) -> tuple[pd.DataFrame, str]:
    """Give text its true encoding. It was read as Latin-1, in which every byte is one character."""
    textual = [
        name
        for name in frame.columns
        if pd.api.types.is_string_dtype(frame[name]) or pd.api.types.is_object_dtype(frame[name])
    ]
    values = {str(name).encode(_TRANSPARENT) for name in frame.columns}
    for name in textual:
        values.update(text.encode(_TRANSPARENT) for text in frame[name].dropna().unique())
    used = known_encoding(encoding) if encoding else detect_encoding(sorted(values), declared=declared)
    try:
        texts = {value.decode(_TRANSPARENT): decode_cut(value, used) for value in values}
    except UnicodeDecodeError as error:
        raise FormatError(
            "Expected text in {encoding}; found bytes that are not: {found!r}.",
            encoding=used,
            found=error.object[:32],
        ) from error
    for name in textual:
        frame[name] = frame[name].map(texts, na_action="ignore")
    return frame.rename(columns=texts), used


def _declared(crs: str | None) -> str | None:
    if not crs:
        return None
    try:
        authority = CRS.from_user_input(crs).to_authority(min_confidence=100)
    except CRSError:
        return crs
    return ":".join(authority) if authority else crs
