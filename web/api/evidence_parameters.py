"""What a sender says of photos and videos."""

from __future__ import annotations

import base64
import binascii
import uuid
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Annotated, Any

from flask_openapi3.models.file import FileStorage
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gridmap.errors import InvalidValueError
from gridmap.evidence.examination import Upload
from gridmap.evidence.models import Stage
from web.api.parameters import Time

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

__all__ = ["NewAttachments", "Statement", "read_metadata"]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Statement(BaseModel):
    """What is said of one photo or video, or of several sent together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Stage = Stage.FOUND
    problem: uuid.UUID | None = Field(
        None,
        description="Uid of the problem it belongs to; without, a later step takes it",
    )
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False, description="Where it was taken")
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    taken_at: Time | None = Field(None, description="When it was taken")
    scan: bool = Field(default=False, description="1: a picture of a paper")

    def upload(self, uid: uuid.UUID, content: IO[bytes] | Path, *, file_name: str, zone: ZoneInfo) -> Upload:
        """Return the upload as a value; a time without an offset is of the installation's time zone."""
        taken_at = self.taken_at
        if taken_at is not None and taken_at.tzinfo is None:
            taken_at = taken_at.replace(tzinfo=zone)
        return Upload(
            uid=uid,
            content=content,
            stage=self.stage,
            problem=self.problem,
            lon=self.lon,
            lat=self.lat,
            taken_at=taken_at,
            file_name=PurePosixPath(file_name.replace("\\", "/")).name,
            scan=self.scan,
        )


class NewAttachments(Statement):
    """Files with what is said of all of them, and a uid for each: sending twice records once."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    uid: Annotated[list[uuid.UUID], BeforeValidator(_listed)] = Field(
        description="Made by the sender, one for each file, in the same order"
    )
    file: list[FileStorage] = Field(description="Photos and videos")
    csrf_token: str | None = Field(None, description="Of pages; also accepted as header X-CSRFToken")


class NewUpload(Statement):
    """What the header Upload-Metadata says."""

    uid: uuid.UUID
    filename: str = Field("", max_length=500)


def read_metadata(header: str) -> dict[str, str]:
    """Read the header Upload-Metadata of tus: names, each with its value in Base64, commas between.

    Raises
    ------
    InvalidValueError
        If it is of another form.
    """
    found: dict[str, str] = {}
    try:
        for pair in filter(None, (part.strip() for part in header.split(","))):
            name, _, value = pair.partition(" ")
            if name in found:
                raise ValueError(name)  # noqa: TRY301 - refused below like any other
            found[name] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise InvalidValueError(
            "Expected names with values in Base64, commas between; found {found}.",
            parameter="Upload-Metadata",
            found=header[:80],
        ) from error
    return found
