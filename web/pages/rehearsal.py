"""Rehearsing an assessment: the score to expect, and what hurts it the most."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np
from flask import Blueprint, make_response, render_template, request

from gridmap.errors import InvalidValueError
from gridmap.inspections.deduction_table import read_table
from gridmap.inspections.rehearsing import DRAWS, RehearsalWish, hold_rehearsal
from gridmap.inspections.tour import MOST_STOPS
from gridmap.labels import site_label
from gridmap.people.permissions import Permission
from gridmap.places.sites import SiteType
from web.access import needs
from web.api.answering import today
from web.assets import asset
from web.given import Given
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from werkzeug.wrappers import Response

__all__ = ["pages"]

pages = Blueprint("rehearsal", __name__, url_prefix="/inspections")

_SEEDS = 2**31
_BARS = 40


@pages.get("/rehearsal")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def show() -> Response:
    """Show the predicted score with its interval, and the points and streets that cost the most."""
    given, table = Given(request.args), read_table(installation().settings.data_dir)
    seed = given.whole("seed", 0, _SEEDS - 1, secrets.randbelow(_SEEDS))
    wish = RehearsalWish(
        size=given.whole("size", 2, MOST_STOPS, 12),
        seed=seed,
        site_types=tuple(given.fields.getlist("site_types")),
        limit=given.number("limit", 0.1, 100, table.most_points),
        table=table,
    )
    held = None
    if not given.faults:
        try:
            held = hold_rehearsal(db(), actor(), wish, day=today())
        except InvalidValueError as error:
            given.blame(error)
    page = render_template(
        "inspection_rehearsal.html",
        held=held,
        mean_low_high=held.found.interval() if held else None,
        bars=_bars(held.found.scores) if held else [],
        draws=DRAWS,
        given={"size": "12", "seed": str(seed), "limit": f"{table.most_points:g}"} | given.fields.to_dict(),
        chosen=given.fields.getlist("site_types"),
        sites=[(one.value, site_label(one.value)) for one in SiteType],
        faults=given.faults,
        points=[f"{value:g}" for value in table.points.tolist()[1:]],
        at_stop=f"{table.at_stop:.0%}",
        still=f"{table.still_there:.0%}",
        styles=[asset("css/patrols.css")],
    )
    return make_response(page, 422 if given.faults else 200)


def _bars(scores: NDArray[np.float64]) -> list[tuple[float, float, float, int]]:
    """Bars of the drawing: score from and to, height in per cent, and how many samples."""
    low, high = float(np.floor(scores.min())), float(np.ceil(scores.max()))
    count, edges = np.histogram(
        scores, bins=min(_BARS, max(1, round(high - low))), range=(low, max(high, low + 1))
    )
    most = max(int(count.max()), 1)
    return [
        (float(edges[n]), float(edges[n + 1]), 100 * int(one) / most, int(one))
        for n, one in enumerate(count.tolist())
    ]
