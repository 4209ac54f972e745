"""What is asked of a forecast, and what its answer looks like."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gridmap.errors import InvalidValueError
from gridmap.forecast.windows import Window
from gridmap.hotspots.view import ViewFilter
from gridmap.hours import parse_hours
from web.api.figure_parameters import Codes_, Day, Uid_
from web.api.models import Answer, CodeName, Geometry, Ref, UpTo
from web.api.parameters import Query
from web.validation import expected

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ["SHIFTS", "ForecastAnswer", "ForecastQuery"]

SHIFTS = ("08:00-12:00", "14:00-18:00", "19:00-23:00")
"""Hours of which the next ones are forecast where none are asked for."""
_WEEK = 7
_ENDS = 2
MOST_SQUARES = 1500


def _hours(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        spans = parse_hours(value)
    except InvalidValueError:
        spans = ()
        ends = re.split(r"[-–—~至]", unicodedata.normalize("NFKC", value))
        if len(ends) == _ENDS and ends[0].strip() == ends[1].strip() != "":
            raise expected(
                "Expected a shift that ends at another time than it begins, such as 08:00-12:00."
            ) from None
    if len(spans) != 1:
        raise expected("Expected the hours of one shift, such as 08:00-12:00.")
    return value.strip()


class ForecastQuery(Query):
    """What is to be forecast."""

    span: Literal["shift", "week"] = Field("shift", description="Hours of one day, or seven days")
    day: Day = Field(None, description="First day; the next shift's or the next Monday if none is given")
    hours: Annotated[str | None, BeforeValidator(_hours)] = Field(
        None,
        description="Such as 19:00-23:00, of each day; past midnight where they end before they begin. "
        "If none are given: of the next shift, or all hours of a week",
    )
    category: Codes_ = Field(
        None, description="Codes with commas between; a major one stands for its minor ones"
    )
    area: Uid_ = Field(None, description="Uid of an area; with everything below it")
    limit: int = Field(500, ge=1, le=MOST_SQUARES, description="How many squares, the worst first")

    def asked(self, zone: tzinfo) -> ViewFilter:  # noqa: ARG002 - as other filters are asked
        """Return from which problems it is learned, whatever has become of them."""
        return ViewFilter(categories=self.category, states=None, area=self.area)

    def window(self, now: datetime) -> Window:
        """Return when it is about.

        Parameters
        ----------
        now
            By the clock on the wall.
        """
        if self.span == "week":
            monday = now.date() + timedelta(days=_WEEK - now.weekday())
            opens, closes = _seconds(self.hours) if self.hours else (0, 86_400)
            return Window(self.day or monday, _WEEK, opens, closes)
        days = (self.day,) if self.day else (now.date(), now.date() + timedelta(days=1))
        shifts = (self.hours,) if self.hours else SHIFTS
        windows = [Window(day, 1, *_seconds(hours)) for day in days for hours in shifts]
        # Of a day that is over the last shift is refused by its name.
        return next((one for one in windows if one.begin > _wall(now)), windows[-1])


def _wall(now: datetime) -> int:
    return int(now.replace(tzinfo=UTC).timestamp())


def _seconds(hours: str) -> tuple[int, int]:
    begin, end = parse_hours(hours)[0]
    return begin * 60, (end if end > begin else end + 24 * 60) * 60


class SquareProperties(Answer):
    """A square of about 150 m in which something is to be expected."""

    uid: str
    rank: int
    expected: float = Field(description="Finds to be expected in these hours")
    chance: float = Field(description="Probability that there is any, 0 to 1")
    past: int = Field(description="Finds in the same hours of the last four weeks")
    near: int = Field(description="The same in the eight squares around")
    category: CodeName | None = Field(description="What is found there most often")
    cell: Ref | None = Field(description="Cell in which most of it was found")
    person: Ref | None = Field(description="Who holds that cell first of all, if the reader may know")


class SquareFeature(Answer):
    """A square on the map."""

    type: Literal["Feature"]
    id: str
    geometry: Geometry
    properties: SquareProperties


class WayMark(Answer):
    """How good a way of forecasting was on this ground."""

    way: str
    name: str
    used: bool
    hit_rate_1: float = Field(description="Part of what happened in the worst 1 % of the squares")
    pai_1: float = Field(
        description="Prediction-accuracy index: how many times more than in blindly picked ones"
    )
    hit_rate_5: float
    pai_5: float


class Trial(Answer):
    """The back-test: each forecast was made from what was known before it."""

    weeks: int
    found: int
    all_days: bool = Field(description="Tried on these hours of all days: those of its weekday are too few")
    ways: list[WayMark]


class ForecastAnswer(Answer):
    """A forecast (GeoJSON, RFC 7946), learned from what the reader may see and nothing else."""

    type: Literal["FeatureCollection"]
    features: list[SquareFeature]
    change: UpTo
    begins: datetime
    ends: datetime
    squares: int = Field(description="Squares in which or beside which anything was ever found")
    total: float = Field(description="Finds to be expected in all of them")
    weeks: int = Field(description="Weeks of history")
    found: int = Field(description="Finds in them")
    enough: bool = Field(description="Whether that is enough to forecast from")
    trial: Trial | None
