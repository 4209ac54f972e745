"""From a file to columns of values: which heading is which field, where rows lie, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geodata.coordinate_system import CoordinateSystem
from geodata.coordinates import coordinates_of
from geodata.field_guess import COORDINATE_FIELDS, guess_fields
from geodata.tables import read_table
from gridmap.errors import InvalidValueError
from gridmap.imports.faults import Faults
from gridmap.imports.plan import Note, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from geodata.tables import Table
    from gridmap.imports.fields import Field
    from gridmap.imports.plan import ImportOptions, Kind

__all__ = ["read"]

_GREATEST_REPAIR = 0.001
POLYGONS = frozenset({3, 6})
LINES = frozenset({1, 5})
POINTS_OR_POLYGONS = frozenset({0, 3, 6})


def read(file: Path, kind: Kind, options: ImportOptions) -> Reading:
    """Read a file as a kind of table.

    Raises
    ------
    InvalidValueError
        If a stated heading is not in the file, a required field has no column, or the datum is not stated.
    geodata.errors.GeodataError
        If the file cannot be read.
    """
    table = read_table(file, layer=options.layer, sheet=options.layer, encoding=options.encoding)
    fields = kind.fields(options.zone)
    headings = _headings(table, fields, options)
    faults = Faults(len(table.frame))
    values = {
        one.name: one.read(
            None if (heading := headings[one.name]) is None else table.text(heading),
            heading or one.name,
            faults,
        )
        for one in fields
    }
    reading = Reading(table, headings, values, None, faults)
    if kind.shapes:
        reading.geometry = _place(reading, kind, options)
    return reading


def _headings(table: Table, fields: Sequence[Field], options: ImportOptions) -> dict[str, str | None]:
    columns = [str(column) for column in table.frame.columns]
    for name, heading in options.mapping.items():
        if heading not in columns:
            raise InvalidValueError(
                "Expected {name} in one of the columns {columns}; found no column “{heading}”.",
                parameter="mapping",
                name=name,
                columns=", ".join(columns),
                heading=heading,
            )
    free = [column for column in columns if column not in options.mapping.values()]
    open_fields = {one.name: one.synonyms for one in fields if one.name not in options.mapping}
    guessed = guess_fields(free, open_fields)
    headings = {one.name: options.mapping.get(one.name) or guessed.get(one.name) for one in fields}
    for one in fields:
        if one.required and headings[one.name] is None:
            raise InvalidValueError(
                "Expected a column for {name} (such as {examples}); found {columns}.",
                parameter="mapping",
                name=one.name,
                examples=", ".join(one.synonyms[:3]),
                columns=", ".join(columns),
            )
    return headings


def _place(reading: Reading, kind: Kind, options: ImportOptions) -> NDArray[np.object_]:
    if not options.datum:
        raise InvalidValueError(
            "State the file's coordinate system (datum), such as wgs84, cgcs2000, gcj02 or bd09: "
            "it is never guessed.",
            parameter="datum",
        )
    table, faults = reading.table, reading.faults
    columns = _place_columns(table, options, reading.headings)
    reading.headings = {
        **reading.headings,
        **{name.removesuffix("_field"): column for name, column in columns.items()},
    }
    placed = coordinates_of(table, CoordinateSystem.parse(options.datum), **columns)
    faults.add_errors(placed.reasons, np.full(faults.size, "", dtype=object))
    geometry = shapely.force_2d(placed.geometry)
    kinds = shapely.get_type_id(geometry)
    faults.add(
        ~np.isin(kinds, list(kind.shapes)),
        "Expected a shape of the kinds {expected}; found {found}.",
        column="",
        found=_type_names(kinds),
        expected=", ".join(_SHAPE_NAMES[k] for k in sorted(kind.shapes)),
    )
    return _valid(geometry, reading) if 3 in kind.shapes else geometry


def _place_columns(
    table: Table, options: ImportOptions, headings: Mapping[str, str | None]
) -> dict[str, str]:
    """Columns of coordinates, as `coordinates_of` names them; none where the file has shapes of its own."""
    stated = {f"{name}_field": options.mapping[name] for name in COORDINATE_FIELDS if name in options.mapping}
    if stated or table.geometry is not None:
        return stated
    free = [column for column in table.columns if column not in headings.values()]
    guessed = guess_fields(free, COORDINATE_FIELDS)
    for names in (("lon", "lat"), ("wkt",), ("pair",)):
        if all(guessed[name] for name in names):
            return {f"{name}_field": str(guessed[name]) for name in names}
    return {}


_SHAPE_NAMES = {0: "Point", 1: "LineString", 3: "Polygon", 5: "MultiLineString", 6: "MultiPolygon"}


def _type_names(kinds: NDArray[np.int32]) -> NDArray[np.object_]:
    return np.array([_SHAPE_NAMES.get(int(kind), "-") for kind in kinds], dtype=object)


def _valid(geometry: NDArray[np.object_], reading: Reading) -> NDArray[np.object_]:
    """Mend shapes that cross themselves where mending changes next to nothing; refuse the others."""
    broken = np.flatnonzero(~shapely.is_valid(geometry) & ~reading.faults.refused)
    if not len(broken):
        return geometry
    mended = shapely.make_valid(geometry[broken], method="structure", keep_collapsed=False)
    change = np.abs(shapely.area(mended) - shapely.area(geometry[broken])) / np.maximum(
        shapely.area(mended), 1e-15
    )
    fine = np.isin(shapely.get_type_id(mended), [3, 6]) & (change <= _GREATEST_REPAIR)
    bad = np.zeros(len(geometry), dtype=bool)
    bad[broken[~fine]] = True
    why = np.full(len(geometry), "", dtype=object)
    why[broken] = shapely.is_valid_reason(geometry[broken])
    reading.faults.add(bad, "Expected a valid shape; found: {found}.", column="", found=why)
    geometry = geometry.copy()
    geometry[broken[fine]] = mended[fine]
    if fine.any():
        reading.notes.append(Note("{n} shapes crossed themselves and were mended.", {"n": int(fine.sum())}))
    return geometry
