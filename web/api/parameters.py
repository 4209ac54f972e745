"""Parameters of requests. A name that is not described here is refused."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from gridmap.hotspots.heat import Per, Weight
from gridmap.hotspots.listing import Sort
from gridmap.hotspots.view import ViewFilter
from gridmap.problems.models import Source, State
from gridmap.problems.service import Report
from web.validation import expected

if TYPE_CHECKING:
    from enum import StrEnum
    from zoneinfo import ZoneInfo

__all__ = [
    "BasePath",
    "BoxText",
    "DrawnShape",
    "FilterQuery",
    "HeatQuery",
    "LegendQuery",
    "NewProblem",
    "NoQuery",
    "NumberPath",
    "PersonsQuery",
    "PlacesQuery",
    "ProblemsQuery",
    "Query",
    "SearchQuery",
    "TilePath",
    "Time",
    "Uid",
    "UidPath",
    "VersionHeader",
    "list_of",
]

MOST = 5000


def list_of(kind: type[StrEnum], *more: str) -> Any:
    """Reader of names with commas between, of the members of `kind` and of `more`."""
    names = [member.value for member in kind] + list(more)

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = frozenset(part.strip() for part in value.split(","))
        unknown = sorted(parts - set(names))
        if unknown:
            raise expected("Expected one or several of {expected}.", expected=", ".join(names))
        return parts

    return read


def _codes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = frozenset(part.strip() for part in value.split(",") if part.strip())
    if not parts:
        raise expected("Expected one or several codes, with commas between them.")
    return parts


def _box(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        west, south, east, north = (float(part) for part in value.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise expected("Expected west,south,east,north in degrees, such as 121.4,31.2,121.5,31.3.")
    return west, south, east, north


def _uid(value: Any) -> Any:
    try:
        return str(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise expected("Expected a UUID.") from None


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T.+")


def _time(value: Any) -> Any:
    """A time with or without an offset, or a date: midnight. Without an offset it is local."""
    if not isinstance(value, str):
        return value
    # An unescaped plus sign of an offset arrives as a space.
    text = value.strip().replace(" ", "+")
    try:
        if not (_DATE.fullmatch(text) or _TIME.fullmatch(text)):
            raise ValueError  # noqa: TRY301 - refused below like any other
        time = datetime.fromisoformat(text)
        if not 1970 <= time.year <= 2100:
            raise ValueError  # noqa: TRY301 - as above
    except ValueError:
        raise expected(
            "Expected a date or a time from 1970 to 2100, such as 2026-03-01 or 2026-03-01T08:00:00+08:00."
        ) from None
    return time


_TEXT = WithJsonSchema({"type": "string"})
Codes = Annotated[frozenset[str] | None, BeforeValidator(_codes), _TEXT]
States = Annotated[frozenset[str] | None, BeforeValidator(list_of(State, "unresolved", "all")), _TEXT]
Sources = Annotated[frozenset[str] | None, BeforeValidator(list_of(Source)), _TEXT]
Uid = Annotated[str, BeforeValidator(_uid), WithJsonSchema({"type": "string", "format": "uuid"})]
Time = Annotated[datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
BoxText = Annotated[
    tuple[float, float, float, float], BeforeValidator(_box), WithJsonSchema({"type": "string"})
]
Days = Annotated[float, Field(ge=0, le=36_500, allow_inf_nan=False)]


class Query(BaseModel):
    """Base: an unknown name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """A request that takes no parameters."""


class FilterQuery(Query):
    """Which problems count."""

    category: Codes = Field(
        None, description="Codes with commas between; a major one stands for its minor ones"
    )
    state: States = Field(
        None, description="States with commas between, or unresolved (if none is given), or all"
    )
    overdue: bool = Field(default=False, description="1: only what is past its due time")
    age_min: Days | None = Field(None, description="Days since it was found, at least")
    age_max: Days | None = Field(None, description="Days since it was found, at most")
    source: Sources = Field(None, description="Sources with commas between")
    area: Uid | None = Field(None, description="Uid of an area; with everything below it")
    organisation: Uid | None = Field(None, description="Uid of an organisation")
    since: Time | None = Field(None, description="Found at this time or later; a date is its midnight")
    until: Time | None = Field(None, description="Found before this time")
    at: Time | None = Field(None, description="As of this moment: found by then and not closed by then")
    doubtful: bool = Field(default=False, description="1: with problems flagged for their place or times")

    def asked(self, zone: ZoneInfo) -> ViewFilter:
        """Return the filter as a value; times without an offset are of the installation's time zone."""

        def aware(time: datetime | None) -> datetime | None:
            if time is None:
                return None
            return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)

        if self.state is None or self.state == {"unresolved"}:
            states: frozenset[State] | None = frozenset()
        elif "all" in self.state:
            states = None
        else:
            unresolved = (
                {state for state in State if not state.resolved} if "unresolved" in self.state else set()
            )
            states = frozenset(State(name) for name in self.state - {"unresolved"}) | unresolved
        return ViewFilter(
            categories=self.category,
            states=states,
            overdue=self.overdue,
            age_min=self.age_min,
            age_max=self.age_max,
            sources=None if self.source is None else frozenset(map(Source, self.source)),
            area=self.area,
            organisation=self.organisation,
            since=aware(self.since),
            until=aware(self.until),
            at=aware(self.at),
            doubtful=self.doubtful,
        )


class HeatQuery(FilterQuery):
    """Which problems are hot, and how hot."""

    weight: Weight = Weight.COUNT
    per: Per = Per.GROUND
    scale: int = Field(1, ge=1, le=2, description="2 for displays of double density")

    @property
    def ages(self) -> bool:
        """Whether the weights grow while nothing is changed."""
        return self.weight in {Weight.AGE, Weight.SEVERITY_AGE}


class LegendQuery(FilterQuery):
    """The zoom whose colours are meant."""

    z: int = Field(ge=0, le=22, description="Zoom")
    weight: Weight = Weight.COUNT
    per: Per = Per.GROUND
    bbox: BoxText | None = Field(None, description="West, south, east, north of what is on the screen")

    @property
    def ages(self) -> bool:
        """Whether the weights grow while nothing is changed."""
        return self.weight in {Weight.AGE, Weight.SEVERITY_AGE}


class ProblemsQuery(FilterQuery):
    """Which problems, from where, in which order."""

    bbox: BoxText | None = Field(None, description="West, south, east, north")
    cell: Uid | None = None
    road: Uid | None = None
    point: Uid | None = Field(None, description="Problems within 50 m of an inspection point")
    person: Uid | None = None
    sort: Sort = Sort.NEWEST
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=400, description="`next` of the page before")


class SimilarQuery(Query):
    """Where something is about to be recorded, and of what kind."""

    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    category: str | None = Field(None, max_length=40, description="Code; none: not chosen yet")
    limit: int = Field(5, ge=1, le=20)


class PlacesQuery(Query):
    """Which places."""

    bbox: BoxText | None = Field(None, description="Those whose bounds meet west, south, east, north")
    limit: int = Field(1000, ge=1, le=MOST)
    cursor: str | None = Field(None, max_length=400, description="`next` of the page before")
    simplify: int | None = Field(None, ge=0, le=22, description="Leave out detail that this zoom cannot show")


class PersonsQuery(Query):
    """Whose people."""

    organisation: Uid = Field(description="Uid of an organisation")


class SearchQuery(Query):
    """What to look for."""

    q: str = Field(min_length=1, max_length=100)
    limit: int = Field(8, ge=1, le=50, description="Of each kind")


class NewProblem(BaseModel):
    """What somebody reports. The uid is made by whoever reports: sending it twice records it once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uid: uuid.UUID
    category: str = Field(min_length=1, max_length=40, description="Code")
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    geometry: dict[str, Any] | None = Field(
        None, description="Point, line or polygon as GeoJSON; or lon and lat of a point"
    )
    description: str = Field("", max_length=5000)
    address: str = Field("", max_length=300)
    found_at: Time | None = Field(None, description="When it was seen; now if none is given")
    source: Source = Source.PATROL
    attachments: tuple[uuid.UUID, ...] = Field(
        (), max_length=100, description="Uids of photos and videos that were sent before"
    )

    def report(self, zone: ZoneInfo) -> Report:
        """Return the report as a value; a time without an offset is of the installation's time zone."""
        found_at = self.found_at
        if found_at is not None and found_at.tzinfo is None:
            found_at = found_at.replace(tzinfo=zone)
        point = {"type": "Point", "coordinates": [self.lon, self.lat]}
        return Report(
            uid=self.uid,
            category=self.category,
            geometry=self.geometry or point,
            description=self.description,
            address=self.address,
            found_at=found_at,
            source=self.source,
            attachments=self.attachments,
        )

    @model_validator(mode="after")
    def _placed(self) -> NewProblem:
        if (self.geometry is None) == (self.lon is None or self.lat is None):
            raise expected("Expected either a geometry, or lon and lat.")
        return self


class DrawnShape(BaseModel):
    """A point, line or polygon that is about to be recorded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    geometry: dict[str, Any] = Field(description="Point, line or polygon as GeoJSON")


class UidPath(BaseModel):
    """One thing by its uid."""

    uid: Uid


class NumberPath(BaseModel):
    """One problem by its case number."""

    number: int = Field(ge=1, le=2**63 - 1)


class TilePath(BaseModel):
    """A tile, web mercator, numbered from the north-west."""

    z: int = Field(ge=0, le=22)
    x: int = Field(ge=0)
    y: int = Field(ge=0)

    @property
    def tile(self) -> tuple[int, int, int]:
        """Zoom, column, row."""
        return self.z, self.x, self.y


class BasePath(TilePath):
    """A tile of the base map."""

    z: int = Field(ge=0, le=15)


class VersionHeader(BaseModel):
    """Which version of a problem a change is meant for."""

    if_match: str = Field(
        "",
        alias="If-Match",
        description="ETag of the problem, or several with commas between: 412 where it has changed since",
    )
