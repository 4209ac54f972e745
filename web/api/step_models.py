"""Bodies and answers of steps in problems' lives."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gridmap.problems.editing import Correction
from gridmap.workflow.step import LONGEST_NOTE, MOST_TIME, Step
from gridmap.workflow.transitions import Action
from web.api.models import Answer
from web.api.parameters import ProblemsQuery, Time
from web.validation import expected

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["BulkOutcome", "BulkStep", "Corrections", "NewStep", "Refusals", "StepTaken", "UndoneAnswer"]

_MOST_UIDS = 5000


class NewStep(BaseModel):
    """A step to take, with what it needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    note: str = Field("", max_length=LONGEST_NOTE, description="The reason, or a remark")
    until: Time | None = Field(None, description="Until when it is suspended")
    more: int | None = Field(None, ge=1, le=MOST_TIME, description="More time, in the unit of its own limit")
    other: uuid.UUID | None = Field(None, description="Uid of the problem that this one doubles")
    organisation: uuid.UUID | None = Field(None, description="Uid of who gets it; rules decide if none")
    person: uuid.UUID | None = Field(None, description="Uid of a person of that organisation")
    attachments: list[uuid.UUID] = Field(
        default=[], max_length=20, description="Uids of uploads that prove the step"
    )

    def step(self, zone: ZoneInfo) -> Step:
        """Return the step as a value; a time without an offset is of the installation's time zone."""
        until: datetime | None = self.until
        if until is not None and until.tzinfo is None:
            until = until.replace(tzinfo=zone)
        return Step(
            action=self.action,
            note=self.note,
            until=until,
            more=self.more,
            other=self.other,
            organisation=self.organisation,
            person=self.person,
            attachments=tuple(self.attachments),
        )


class Corrections(BaseModel):
    """What is to be put right; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str | None = Field(None, max_length=5000)
    address: str | None = Field(None, max_length=300)
    category: str | None = Field(None, min_length=1, max_length=40, description="Code; before dispatch only")
    geometry: dict[str, Any] | None = Field(
        None, description="Point, line or polygon as GeoJSON; before dispatch only"
    )
    severity: int | None = Field(None, ge=1, le=5)

    def correction(self) -> Correction:
        """Return the corrections as a value."""
        return Correction(**self.model_dump())


class BulkStep(BaseModel):
    """A step to take on many problems, named one by one or by a filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: NewStep
    uids: list[uuid.UUID] | None = Field(None, min_length=1, max_length=_MOST_UIDS)
    filter: dict[str, str] | None = Field(None, description="Parameters as of the list of problems")
    preview: bool = Field(default=False, description="Only say what would happen")
    expected: int | None = Field(
        None,
        ge=0,
        description="On how many the preview said it would be taken; 409 if their number has changed",
    )
    seen: str | None = Field(
        None,
        max_length=32,
        description="As the preview told it; 409 if any of those problems is another or has changed",
    )

    @model_validator(mode="after")
    def _named(self) -> BulkStep:
        if (self.uids is None) == (self.filter is None):
            raise expected("Expected either uids or a filter.")
        return self

    def query(self) -> ProblemsQuery:
        """Return the filter as parameters of the list of problems."""
        return ProblemsQuery.model_validate(self.filter)


class Refusals(Answer):
    """Problems on which a step cannot be taken, for one reason."""

    reason: str
    code: str
    count: int
    numbers: list[int] = Field(description="The first case numbers")


class BulkOutcome(Answer):
    """On how many problems a step was, or would be, taken, and why not on the others."""

    taken: int
    refused: list[Refusals]
    seen: str = Field(description="Stands for the problems on which it is taken, each as it is; for `seen`")
    batch: str | None = Field(description="By which the step can be taken back")


class StepTaken(Answer):
    """A step was taken."""

    batch: str = Field(description="By which the step can be taken back")
    problem: dict[str, Any] | None = Field(
        description="The problem as it is now; none where it has left what you may see"
    )


class UndoneAnswer(Answer):
    """A step was, or would be, taken back."""

    undone: int
    moved_on: list[int] = Field(description="Case numbers that have moved on since and stay as they are")
