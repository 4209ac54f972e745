"""Answers about problems."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from web.api.models import Answer, CodeName, Fault, Geometry, Ref

__all__ = [
    "AttachmentList",
    "CellsTouched",
    "ProblemDetail",
    "ProblemPage",
    "ProblemProperties",
    "RecordedProblem",
    "SimilarAnswer",
    "StaleFault",
]


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


class ListedProblem(ProblemProperties):
    """A problem in a list that may be of one cell."""

    share: float | None = Field(
        None,
        description="With `cell`, where another one leads: the part that lies in the cell asked for",
    )


class ProblemFeature(Answer):
    """GeoJSON feature of a problem."""

    type: Literal["Feature"]
    id: str
    geometry: Geometry
    properties: ListedProblem


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


class StaleFault(Fault):
    """The problem has changed since the version that ``If-Match`` names (412)."""

    changes: list[HistoryEvent] = Field(description="What has happened since")


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


class CellsTouched(Answer):
    """Cells that a place, a line or a polygon would belong to."""

    cells: list[CellShare] = Field(description="Those that the reader may see, the largest share first")
    elsewhere: float = Field(description="Share of the cells that the reader may not see")
    outside: float = Field(description="Part of the shape in no cell, 0 to 1; shares are of the rest")
    recordable: bool = Field(
        description="Whether the reader may record here; of a place where they may not, nothing else is told"
    )


class ProblemDetail(ProblemProperties):
    """A problem with its history, its photos, its clock and the steps that lead on."""

    id: str
    geometry: Geometry
    cells: list[CellShare]
    history: list[HistoryEvent]
    attachments: list[Attachment]
    version: str = Field(description="Begins its ETag; for If-Match")
    steps: list[PossibleStep]
    undo: str | None = Field(description="Batch of the last step, where the reader can take that back now")
    corrections: list[str] = Field(description="What of its record the reader can put right now")
    after_photo_lacking: bool = Field(
        description="Whether a photo taken after fixing, which its category wants, is still to come"
    )
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
