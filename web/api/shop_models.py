"""Parameters and answers of the API of shops."""

from __future__ import annotations

import uuid
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gridmap.shops.models import Step
from gridmap.shops.offences import NewOffence
from gridmap.shops.pledges import NewPledge
from gridmap.shops.queries import PledgeState
from web.api.models import Answer, CodeName, Geometry, Holder, Ref
from web.api.parameters import BoxText, Query, Time, Uid
from web.validation import expected

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = [
    "OffenceAnswer",
    "OffenceBody",
    "OffencePath",
    "OffenceProof",
    "OffencesAnswer",
    "PledgeAnswer",
    "PledgeBody",
    "PledgesAnswer",
    "ProofsBody",
    "ShopCard",
    "ShopPage",
    "ShopsQuery",
]


class ShopsQuery(Query):
    """Which shops."""

    bbox: BoxText | None = Field(None, description="Those whose bounds meet west, south, east, north")
    area: Uid | None = Field(None, description="In this area and those below it")
    road: Uid | None = None
    pledge: PledgeState | None = Field(None, description="Whether a pledge is in force")
    repeated: bool = Field(default=False, description="Only those with several violations that count")
    appealed: bool = Field(default=False, description="Only those with an open appeal")
    q: str = Field("", max_length=100, description="Somewhere in name, code, licence number or address")
    limit: int = Field(1000, ge=1, le=5000)
    cursor: str | None = Field(None, max_length=400, description="`next` of the page before")


class ShopProperties(Answer):
    """A shop."""

    uid: str
    code: str
    name: str
    licence: str
    trade: str
    owner: str | None = Field(description="For those who may see persons there")
    phone: str | None = Field(description="Masked for those who may not call")
    address: str
    area: Ref | None
    cell: Ref | None
    road: Ref | None
    organisation: Ref | None = Field(description="Who enforces there")
    valid_to: str | None = Field(description="Day on which it closed")
    pledge_signed_on: str | None = Field(description="None: no pledge is in force")
    standing: int = Field(description="Violations that count")
    open_appeals: int
    next_step: str
    next_step_name: str
    lon: float
    lat: float


class ShopFeature(Answer):
    """GeoJSON feature of a shop."""

    type: Literal["Feature"]
    id: str
    geometry: Geometry
    properties: ShopProperties


class ShopPage(Answer):
    """A page of shops (GeoJSON). `next` is the cursor of the following page."""

    type: Literal["FeatureCollection"]
    features: list[ShopFeature]
    next: str | None


class ShopCard(ShopProperties):
    """One shop: what follows on the ladder and why, and who answers for it."""

    id: str
    geometry: Geometry
    next_step_why: str
    responsibilities: list[Holder]


class PledgeAnswer(Answer):
    """One pledge."""

    uid: str
    signed_on: str
    signed_by: str | None
    note: str
    ended_on: str | None
    by: str
    recorded_at: str
    scanned: bool = Field(description="Whether there is a picture of the paper")


class PledgesAnswer(Answer):
    """A shop's pledges, newest first."""

    pledges: list[PledgeAnswer]


class ProblemRef(Answer):
    """A problem."""

    uid: str
    number: int


class OffenceProof(Answer):
    """A photo or video that proves an offence."""

    uid: str
    kind: str
    kind_name: str
    media_type: str = Field(description="Of the copy for showing")
    sha256: str = Field(description="Of the original")
    width: int | None
    height: int | None
    duration: float | None = Field(description="Seconds")
    taken_at: str | None = Field(description="As the camera wrote it")
    sent_at: str
    by: str
    metres_off: int | None = Field(description="Between the camera's place and the offence's")
    minutes_off: int | None = Field(description="From the offence's time to the camera's")
    doubts: list[str] = Field(description="Of place, time, reused")
    doubt_names: list[str]
    url: str
    thumbnail_url: str


class OffenceAnswer(Answer):
    """One offence and the step that was taken."""

    uid: str
    category: CodeName | None
    at: str
    step: str
    step_name: str
    expected: str
    expected_name: str
    reason: str
    note: str
    goods: str
    address: str
    lon: float
    lat: float
    officer: Ref | None
    by: str
    recorded_at: str
    counts: bool = Field(description="Whether it counts today")
    problem: ProblemRef | None
    evidence: list[OffenceProof] | None = Field(description="None for those who may not see persons there")
    appeal: str | None
    appealed_at: str | None
    appeal_state: str | None
    appeal_state_name: str | None
    decision: str | None
    decided_by: str | None
    decided_at: str | None


class OffencesAnswer(Answer):
    """A shop's offences, newest first."""

    offences: list[OffenceAnswer]


class ProofsBody(BaseModel):
    """Photos and videos that prove an offence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attachments: list[uuid.UUID] = Field(
        min_length=1, max_length=20, description="Uids of uploads of the stage `offence`"
    )


class OffencePath(BaseModel):
    """An offence of a shop."""

    uid: Uid
    offence: Uid


class PledgeBody(BaseModel):
    """A pledge as it was signed. The uid is made by the client: sending it twice records it once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uid: uuid.UUID
    signed_on: date
    signed_by: str = Field(min_length=1, max_length=100)
    note: str = Field("", max_length=5000)

    def pledge(self) -> NewPledge:
        """Return it as the use case takes it."""
        return NewPledge(**self.model_dump())


class OffenceBody(BaseModel):
    """An offence. Without a step, the one that follows is taken; another one needs a reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uid: uuid.UUID
    category: str = Field(min_length=1, max_length=40, description="Code")
    step: Step | None = None
    at: Time | None = Field(None, description="When it was seen; now if none is given")
    reason: str = Field("", max_length=5000)
    note: str = Field("", max_length=5000)
    goods: str = Field("", max_length=5000, description="What was held")
    address: str = Field("", max_length=300)
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    problem: uuid.UUID | None = Field(None, description="Problem that it belongs to")
    attachments: list[uuid.UUID] = Field(
        default=[], max_length=20, description="Uids of uploads of the stage `offence` that prove it"
    )

    def offence(self, zone: ZoneInfo) -> NewOffence:
        """Return it as the use case takes it; a time without an offset is of the installation's time zone."""
        values = self.model_dump(exclude={"attachments"})
        if self.at is not None and self.at.tzinfo is None:
            values["at"] = self.at.replace(tzinfo=zone)
        return NewOffence(**values)

    @model_validator(mode="after")
    def _placed(self) -> OffenceBody:
        if (self.lon is None) != (self.lat is None):
            raise expected("Expected both lon and lat, or neither.")
        return self
