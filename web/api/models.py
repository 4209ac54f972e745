"""Answers of the API, as its description shows them and as they are checked before they leave."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Answer",
    "AttachmentList",
    "Card",
    "CellsLoad",
    "CodeName",
    "Counts",
    "Fault",
    "FeatureCollection",
    "FilterOptions",
    "Geometry",
    "Holder",
    "Legend",
    "PlaceProperties",
    "ProblemDetail",
    "ProblemPage",
    "ProblemProperties",
    "RecordedProblem",
    "Ref",
    "SearchAnswer",
    "SimilarAnswer",
    "SummaryAnswer",
]


class Answer(BaseModel):
    """Base: nothing leaves that is not described."""

    model_config = ConfigDict(extra="forbid")


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

    change: int
    cells: dict[str, Annotated[list[int], Field(min_length=3, max_length=3)]]
    outside: int = Field(description="Matching problems in no cell")
    total: int
    overdue: int
    doubtful: int = Field(description="Left out unless doubtful=1")
    days_since_patrol: dict[str, float | None]


class ProblemProperties(Answer):
    """A problem in a list."""

    uid: str
    number: int
    category: CodeName | None
    state: str
    state_name: str
    source: str
    source_name: str
    found_at: str
    due_at: str | None
    closed_at: str | None
    overdue: bool
    severity: int
    address: str
    description: str
    area: Ref | None
    cell: Ref | None
    road: Ref | None
    person: Ref | None
    phone: str | None
    organisation: Ref | None
    flags: list[str]
    flag_names: list[str]


class ProblemFeature(Answer):
    """GeoJSON feature of a problem."""

    type: Literal["Feature"]
    id: str
    geometry: Geometry
    properties: ProblemProperties


class ProblemPage(Answer):
    """A page of problems; `total` counts all pages."""

    type: Literal["FeatureCollection"]
    features: list[ProblemFeature]
    next: str | None
    total: int


class SimilarProblem(ProblemProperties):
    """An open problem near by that may be the same thing."""

    metres: float
    score: float = Field(description="How likely it is the same thing, 0 to 1")
    photo: str | None = Field(description="Address of a thumbnail of it")


class SimilarAnswer(Answer):
    """Open problems near a place, the likeliest to be the same thing first."""

    problems: list[SimilarProblem]


class RecordedProblem(ProblemProperties):
    """A problem that was just recorded: whose it is and by when."""

    id: str
    geometry: Geometry


class HistoryEvent(Answer):
    """One line of a problem's history."""

    uid: str
    kind: str
    kind_name: str
    at: str
    recorded_at: str
    by: str
    state: str | None
    state_name: str | None
    action: str | None = Field(description="The step that was taken")
    action_name: str | None
    note: str
    batch: str | None = Field(description="By which the step can be taken back")
    undone: bool = Field(description="Whether the step was taken back")
    details: dict[str, Any]


class Attachment(Answer):
    """A photo, video or scan. Its copy, thumbnail and original lie at the three addresses."""

    uid: str
    event: str | None = Field(description="Uid of the line of the history that it proves")
    stage: str
    stage_name: str
    kind: str
    kind_name: str
    state: str
    media_type: str = Field(description="Of the copy for showing")
    size: int = Field(description="Of the original, bytes")
    sha256: str = Field(description="Of the original")
    width: int | None
    height: int | None
    duration: float | None = Field(description="Seconds")
    taken_at: str | None = Field(description="As the camera wrote it")
    sent_at: str
    by: str
    metres_off: int | None = Field(description="Between the camera's place and the stated one")
    minutes_off: int | None = Field(description="From the stated time to the camera's")
    doubts: list[str] = Field(description="Of place, time, reused")
    doubt_names: list[str]
    url: str
    thumbnail_url: str
    original_url: str | None = Field(description="None for those who may not fetch it")


class AttachmentList(Answer):
    """Photos and videos that were taken in, in the order in which they were sent."""

    attachments: list[Attachment]


class PossibleStep(Answer):
    """A step that follows from where a problem stands."""

    action: str
    name: str
    needs: list[str]
    refusal: str | None = Field(description="What stands in the way; none: it may be taken")


class Link(Answer):
    """Another problem that this one belongs to, or that belongs to it."""

    kind: str
    title: str
    uid: str
    number: int
    state: str
    state_name: str
    made_at: str


class OpenRequest(Answer):
    """What the organisation asks for and nobody has decided yet."""

    action: str
    name: str
    reason: str
    until: str | None
    more: int | None
    asked_by: str
    asked_at: str


class CellShare(Ref):
    """A cell that a problem lies in."""

    share: float = Field(description="By length or area, of what lies in cells; 1 of a point")
    leads: bool = Field(description="Whether it is the cell that the problem counts for")


class ProblemDetail(ProblemProperties):
    """A problem with its history, its photos, its clock and the steps that lead on."""

    id: str
    geometry: Geometry
    cells: list[CellShare]
    history: list[HistoryEvent]
    attachments: list[Attachment]
    version: str = Field(description="Begins its ETag; for If-Match")
    steps: list[PossibleStep]
    links: list[Link]
    request: OpenRequest | None
    dispatched_at: str | None
    fixed_at: str | None
    fix_due_at: str | None
    on_time: bool | None
    rework: int
    returns: int
    suspensions: int
    extensions: int
    look_backs: int
    reopened: int
    recurrence: bool
    came_back: int = Field(description="How often it had come back up to this time; 0: a first one")
    time_allowed: int | None
    time_unit: str | None
    time_unit_name: str | None
    clock_runs: bool


class Day(Answer):
    """Problems of one day, in the installation's time zone."""

    day: str
    found: int
    closed: int


class SummaryAnswer(Answer):
    """How many problems, by every part of the filter; each part is counted with the other parts applied."""

    change: int
    total: int
    overdue: int
    doubtful: int
    category: dict[str, int] = Field(description="By code; a major one includes its minor ones")
    state: dict[str, int]
    source: dict[str, int]
    area: dict[str, int] = Field(description="By uid, with everything below; '' for none")
    organisation: dict[str, int] = Field(description="By uid; '' for none")
    days: list[Day] = Field(description="Days without a problem are left out")


class CategoryOption(CodeName):
    """A category."""

    severity: int
    children: list[CategoryOption] = []


class AreaOption(Ref):
    """An area."""

    code: str
    level: str
    level_name: str
    children: list[AreaOption] = []


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
