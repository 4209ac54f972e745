"""Answers of the API, as its description shows them and as they are checked before they leave."""

from __future__ import annotations

import copy
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Answer",
    "Card",
    "CellsLoad",
    "CodeName",
    "Counts",
    "Fault",
    "FeatureCollection",
    "Geometry",
    "Holder",
    "PlaceProperties",
    "Ref",
    "UpTo",
]


UpTo = Annotated[
    int | None,
    Field(description="Up to which change of the city it is true; null for who sees a part of the city"),
]


class Answer(BaseModel):
    """Base: nothing leaves that is not described."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Describe the answer; made once, since every route is described with the same few answers."""
        found = _described(cls, args, frozenset(kwargs.items()))
        return copy.deepcopy(found)


@cache
def _described(
    answer: type[Answer], args: tuple[Any, ...], options: frozenset[tuple[str, Any]]
) -> dict[str, Any]:
    return super(Answer, answer).model_json_schema(*args, **dict(options))


class FaultyParameter(Answer):
    """One parameter at fault."""

    parameter: str
    message: str
    found: str | None = None


class Fault(Answer):
    """An error (RFC 9457, application/problem+json)."""

    status: int
    title: str
    detail: str
    errors: list[FaultyParameter] = []


class Ref(Answer):
    """Something else, by uid and name."""

    uid: str
    name: str


class CodeName(Answer):
    """A value to filter by and its name."""

    code: str
    name: str


class PlaceProperties(Answer):
    """A place in a list. What a kind of place does not have is left out."""

    uid: str
    code: str
    name: str
    area: Ref | None
    held: bool = Field(description="Whether anybody holds it today")
    holder: str | None = Field(description="Who holds it first of all, if the reader may know")
    level: str | int | None = None
    level_name: str | None = None
    site_type: str | None = None
    site_type_name: str | None = None
    priority: int | None = None
    address: str | None = None
    visit_hours: str | None = Field(None, description="Hours in which patrols go to a point; none: any")
    visit_rhythm: str | None = Field(None, description="How often, such as 2/1; none: as each plan says")
    visit_rhythm_name: str | None = None
    visit_minutes: int | None = Field(None, description="How long they stay; none: as each plan says")
    cell: Ref | None = None
    hours: str | None = None
    patrols_per_day: int | None = None
    last_patrol_at: str | None = None


class Geometry(BaseModel):
    """GeoJSON geometry, longitude and latitude (EPSG:4326)."""

    model_config = ConfigDict(extra="allow")
    type: str
    coordinates: list[Any]


class PlaceFeature(Answer):
    """GeoJSON feature of a place."""

    type: Literal["Feature"]
    id: str
    geometry: Geometry
    properties: PlaceProperties


class FeatureCollection(Answer):
    """A page of places (GeoJSON, RFC 7946). `next` is the cursor of the following page."""

    type: Literal["FeatureCollection"]
    features: list[PlaceFeature]
    next: str | None


class Holder(Answer):
    """Who holds a place."""

    role: str
    role_name: str
    person: Ref | None
    phone: str | None = Field(description="Masked for those who may not call")
    organisation: Ref | None
    valid_from: str
    pledge_signed_on: str | None


class Counts(Answer):
    """Problems of a place that match the filter, whatever their state."""

    unresolved: int
    overdue: int
    closed: int
    total: int
    shared: int = Field(description="Unresolved, in part in this cell, led by another; in no other count")


class Card(PlaceProperties):
    """Everything about one place."""

    id: str
    geometry: Geometry
    bounds: list[float]
    responsibilities: list[Holder]
    counts: Counts | None = Field(description="None for those who may not read problems")
    problems_url: str | None


class CellsLoad(Answer):
    """Problems per cell: `cells` has [matching, overdue, doubtful] by uid; empty cells are left out."""

    change: UpTo
    cells: dict[str, Annotated[list[int], Field(min_length=3, max_length=3)]]
    outside: int = Field(description="Matching problems in no cell")
    total: int
    overdue: int
    doubtful: int = Field(description="Left out unless doubtful=1")
    days_since_patrol: dict[str, float | None]
