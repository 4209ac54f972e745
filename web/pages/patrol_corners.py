"""Hot corners for a patrol that is being planned: the forecast of its hours, by how long nobody was there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from gridmap.forecast.windows import Window
from gridmap.hotspots.view import ViewFilter
from gridmap.patrols.corners import days_unseen, hot_corners
from gridmap.patrols.tracks.coverage import read_coverage
from gridmap.patrols.wishes import shift_of
from gridmap.people.permissions import Permission
from gridmap.store.clock import read_clocks
from web.api.answering import now, today

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from gridmap.patrols.wishes import Wish
    from gridmap.people.permissions import Actor
    from web.installation import Installation

__all__ = ["with_hot_corners"]

_REACH = timedelta(days=90)
_MOST_DAYS = 7
"""A plan of more days is given the corners of its first week."""


def with_hot_corners(session: Session, here: Installation, who: Actor, wish: Wish) -> Wish:
    """Return a wish with the corners of its area that are worth most in its hours.

    Only what whoever plans may see counts; how long ago a corner was seen, for those who may know.

    Raises
    ------
    InvalidValueError
        If the shift is over, or so far ahead that there is no forecast.
    """
    moment = now()
    scope, clocks = who.scope(Permission.FORECAST_READ), read_clocks(session)
    asked = ViewFilter(states=None, area=str(wish.area))
    view = here.reader.view(session, clocks, asked, scope=scope, now=moment)
    shift = shift_of(wish.hours)
    days = 1 if wish.until is None else min((wish.until - wish.day).days + 1, _MOST_DAYS)
    forecast = here.forecasts.read(
        session,
        view,
        Window(wish.day, days, shift.opens, shift.closes),
        scope=scope,
        ground=clocks.ground,
        zone=here.settings.zone,
        now=moment,
    )
    unseen = None
    if who.may(Permission.TRACK_READ):
        ground = here.walkable.get(session, here.network.open(session), today())
        coverage = read_coverage(session, who, ground, since=moment - _REACH, until=moment)
        unseen = days_unseen(forecast, coverage, moment.timestamp())
    return replace(wish, corners=hot_corners(forecast, view.snapshot, unseen))
