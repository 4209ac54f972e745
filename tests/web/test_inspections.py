"""Laying an assessors' route on its page."""

from __future__ import annotations

import re
import time

import pytest

from gridmap.people.permissions import Role
from gridmap.places.models import InspectionPoint, Street
from gridmap.store.engine import writing

from .api.conftest import SIDE, SOUTH, WEST, line, town

__all__ = ["town"]

FORM = {"name": "上午线", "starts_at": "2026-05-09T09:00", "codes": "P1，P9", "minutes_at_stop": "10"}


@pytest.fixture(autouse=True)
def _street(app, town):
    """A street past the market, with another point at its end."""
    middle = WEST + SIDE / 2
    with writing(app.extensions["gridmap"].engine) as session:
        session.add_all(
            [
                Street(
                    source_ref="x",
                    road_class="residential",
                    geometry=line("one", (middle, SOUTH), (middle, SOUTH + 4 * SIDE), (middle + SIDE, SOUTH)),
                ),
                InspectionPoint(
                    code="P9",
                    name="北门车站",
                    site_type="station",
                    area_id=town.communities[0].id,
                    geometry=f"SRID=4326;POINT({middle} {SOUTH + 3.9 * SIDE})",
                ),
            ]
        )


def made(client, answer):
    assert answer.status_code == 302, answer.text
    # The search is compiled where it has not been yet.
    for _ in range(1800):
        page = client.get(answer.headers["Location"]).text
        if "data-job" not in page:
            return page
        time.sleep(0.1)
    pytest.fail("the route took longer than three minutes")
    return ""


def test_a_route_is_laid_looked_at_and_removed(sign_in, town):
    client = sign_in(Role.SUPERVISION)
    assert "尚未编制线路" in client.get("/inspections").text
    page = made(client, client.post("/inspections", data=FORM))
    address = re.search(r'href="(/inspections/[0-9a-f-]{36})"', page).group(1)
    shown = client.get(address).text
    assert shown.index("东风菜市场") < shown.index("北门车站")
    assert "09:10" in shown
    assert address in client.get("/inspections").text
    limited = sign_in(Role.SUPERVISION, area_id=town.communities[0].id)
    assert limited.get(address).status_code == 403
    assert client.post(f"{address}/remove").status_code == 302
    assert client.get(address).status_code == 404


def test_a_point_that_is_not_there_is_named(sign_in):
    client = sign_in(Role.SUPERVISION)
    page = made(client, client.post("/inspections", data=FORM | {"codes": "P1 X7"}))
    assert "没有编号为 X7 的点位" in page


@pytest.mark.parametrize("more", [{"name": ""}, {"starts_at": "soon"}, {"seed": "x"}, {"profile": "swim"}])
def test_a_form_that_makes_no_sense_is_sent_back_with_a_reason(sign_in, more):
    assert sign_in(Role.SUPERVISION).post("/inspections", data=FORM | more).status_code == 422
