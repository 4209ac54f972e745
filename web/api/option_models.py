"""Answers about what can be asked for, found and counted: filters, search, summary, legend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from web.api.models import Answer, CodeName, Ref, UpTo

__all__ = [
    "FilterOptions",
    "Legend",
    "PersonsAnswer",
    "SearchAnswer",
    "SummaryAnswer",
]


class Day(Answer):
    """Problems of one day, in the installation's time zone."""

    day: str
    found: int
    closed: int


class SummaryAnswer(Answer):
    """How many problems, by every part of the filter; each part is counted with the other parts applied."""

    change: UpTo
    total: int
    overdue: int
    doubtful: int
    category: dict[str, int] = Field(description="By code; a major one includes its minor ones")
    state: dict[str, int]
    source: dict[str, int]
    area: dict[str, int] = Field(description="By uid, with everything below; '' for none")
    organisation: dict[str, int] = Field(description="By uid; '' for none")
    days: list[Day] = Field(description="Days without a problem are left out")


class PersonsAnswer(Answer):
    """People of an organisation, by name."""

    persons: list[Ref]


class CategoryOption(CodeName):
    """A category."""

    severity: int
    children: list[CategoryOption] = Field(default_factory=list)


class AreaOption(Ref):
    """An area."""

    code: str
    level: str
    level_name: str
    children: list[AreaOption] = Field(default_factory=list)


class OrganisationOption(Ref):
    """An organisation."""

    kind: str
    kind_name: str


class Extent(Answer):
    """Where and when there is anything that the reader may see."""

    bounds: list[float] | None = Field(description="West, south, east, north")
    first_day: str | None
    last_day: str | None


class HeatOptions(Answer):
    """What heat can be weighted and divided by."""

    weights: list[str]
    per: list[str]


class BaseMap(Answer):
    """The own base map."""

    path: str
    max_zoom: int
    attribution: str


class FilterOptions(Answer):
    """What can be chosen."""

    categories: list[CategoryOption]
    states: list[CodeName]
    sources: list[CodeName]
    areas: list[AreaOption]
    organisations: list[OrganisationOption]
    extent: Extent
    heat: HeatOptions
    base: BaseMap


class SearchHit(Answer):
    """Something found."""

    kind: Literal["cell", "point", "road", "area", "shop", "street", "person", "problem", "address"]
    uid: str
    name: str
    detail: str
    lon: float | None
    lat: float | None
    bounds: list[float] | None


class SearchAnswer(Answer):
    """What was found, the best first within each kind."""

    results: list[SearchHit]


class Stop(Answer):
    """A colour of the heat and the value it stands for."""

    value: float
    color: str


class Legend(Answer):
    """What the colours of the heat mean at a zoom."""

    stops: list[Stop]
    unit: str
