"""What a reader with limits is shown, against the same counted row by row in a data frame."""

from __future__ import annotations

import math
from datetime import timedelta
from types import SimpleNamespace

import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from geodata.heat import Heat
from geodata.heat_picture import heat_png
from geodata.point_columns import PointColumns
from gridmap.hotspots.listing import Sort
from gridmap.people.permissions import Role
from gridmap.store.clock import next_change
from gridmap.store.engine import writing

from .conftest import make_problem


def readers(town):
    east, west = town.communities
    return {
        "everything": (Role.HEADQUARTERS, None, None),
        "district": (Role.AREA_MANAGER, town.district.id, None),
        "one community": (Role.AREA_MANAGER, east.id, None),
        "one organisation": (Role.ORGANISATION_LEAD, None, town.squads[1].id),
        "both": (Role.GRID_WORKER, west.id, town.squads[0].id),
        "nothing there": (Role.READ_ONLY, None, -1),
    }


READERS = ["everything", "district", "one community", "one organisation", "both"]


@pytest.fixture
def reader(request, sign_in, town):
    role, area, organisation = readers(town)[request.param]
    frame = town.frame
    if area is not None:
        below = {area} if area != town.district.id else {area, *(c.id for c in town.communities)}
        frame = frame[frame["area"].isin(below)]
    if organisation is not None:
        frame = frame[frame["organisation"] == organisation]
    client = sign_in(role, area_id=area, organisation_id=organisation)
    return SimpleNamespace(client=client, frame=frame, area=area, organisation=organisation)


def get(reader, path, **query):
    answer = reader.client.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer


def late(frame, now):
    return ~frame["resolved"] & (pd.to_datetime(frame["due"], utc=True) < now)


def matching(frame, town, query):
    now = town.now
    ok = pd.Series(True, index=frame.index)  # noqa: FBT003 - pandas' signature
    state = query.get("state", "unresolved")
    if state == "unresolved":
        ok &= ~frame["resolved"]
    elif state != "all":
        ok &= frame["state"].isin(state.split(","))
    if "doubtful" not in query:
        ok &= ~frame["doubtful"]
    if "category" in query:
        ids = {c.id for c in town.categories if c.code.startswith(query["category"])}
        ok &= frame["category"].isin(ids)
    if "overdue" in query:
        ok &= late(frame, now)
    if "age_max" in query:
        ok &= (now - frame["found"]) <= timedelta(days=float(query["age_max"]))
    if "source" in query:
        ok &= frame["source"].isin(query["source"].split(","))
    return frame[ok]


QUERIES = [
    {},
    {"state": "all", "doubtful": "1"},
    {"category": "A"},
    {"overdue": "1"},
    {"age_max": "30", "source": "patrol,camera,resident"},
    {"state": "closed,rejected"},
]


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_counts(reader, town):
    for query in QUERIES:
        expected = matching(reader.frame, town, query)
        load = get(reader, "cells/load", **query).json
        assert load["total"] == len(expected)
        uid = {cell.id: str(cell.uid) for cell in town.cells}
        by_cell = expected["cell"].dropna().astype(int).map(uid).value_counts().to_dict()
        assert {cell: counts[0] for cell, counts in load["cells"].items() if counts[0]} == by_cell
        assert load["outside"] == int(expected["cell"].isna().sum())
        assert load["overdue"] == int(late(expected, town.now).sum())

        summary = get(reader, "summary", **query).json
        assert summary["total"] == len(expected)
        states = matching(
            reader.frame, town, {k: v for k, v in query.items() if k != "state"} | {"state": "all"}
        )
        assert summary["state"] == states["state"].value_counts().to_dict()
        without_source = matching(reader.frame, town, {k: v for k, v in query.items() if k != "source"})
        assert summary["source"] == without_source["source"].value_counts().to_dict()
        squads = {body.id: str(body.uid) for body in (*town.squads, town.other)}
        bodies = expected["organisation"].map(squads).fillna("").value_counts().to_dict()
        assert summary["organisation"] == bodies
        found = sum(day["found"] for day in summary["days"])
        picked = {k: v for k, v in query.items() if k != "state" or "," in v}
        assert found == len(matching(reader.frame, town, {"state": "all", **picked}))


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_lists_and_single_problems(reader, town):
    everything = get(reader, "problems", state="all", doubtful="1", limit=1000).json
    seen = {feature["properties"]["number"] for feature in everything["features"]}
    assert seen == set(reader.frame["number"])
    assert everything["total"] == len(seen)
    for number, uid in zip(town.frame["number"][:40], town.frame["uid"][:40], strict=True):
        expected = 200 if number in seen else 404
        assert reader.client.get(f"/api/v1/problems/{uid}").status_code == expected
        assert reader.client.get(f"/api/v1/problems/by-number/{number}").status_code == expected


@pytest.mark.parametrize("reader", ["one community", "one organisation"], indirect=True)
def test_somebody_elses_cursor_opens_no_page_of_theirs(reader, sign_in, town):
    """A cursor says where a page begins, not whose it is; and says nothing of whom it was made for."""
    everything = sign_in()
    own = set(reader.frame["number"])
    for sort in Sort:
        asked = {"state": "all", "doubtful": "1", "sort": sort.value, "limit": 60}
        cursor = everything.get("/api/v1/problems", query_string=asked).json["next"]
        while cursor:
            page = get(reader, "problems", **asked, cursor=cursor).json
            assert {one["properties"]["number"] for one in page["features"]} <= own
            assert page["total"] == len(own)
            cursor = everything.get("/api/v1/problems", query_string=asked | {"cursor": cursor}).json["next"]
    for hidden in ("phone", "reporter", "reporter_phone", "login"):
        assert reader.client.get("/api/v1/problems", query_string={hidden: "1"}).status_code == 422


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_cards(reader, town):
    for cell in town.cells[::3]:
        answer = reader.client.get(f"/api/v1/cells/{cell.uid}")
        if reader.area not in (None, town.district.id, cell.area_id):
            assert answer.status_code == 404
            continue
        here = reader.frame[(reader.frame["cell"] == cell.id) & ~reader.frame["doubtful"]]
        assert answer.json["counts"] == {
            "unresolved": int((~here["resolved"]).sum()),
            "overdue": int(late(here, town.now).sum()),
            "closed": int((here["state"] == "closed").sum()),
            "total": len(here),
            "shared": 0,
        }


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_problem_tiles(reader, town):
    expected = matching(reader.frame, town, {"state": "all"})
    for z in (11, 13, 16):
        count = overdue = 0
        numbers = set()
        for x, y in tiles_of(town.frame, z):
            data = get(reader, f"tiles/problems/{z}/{x}/{y}.mvt", state="all").data
            for feature in mapbox_vector_tile.decode(data).get("problems", {"features": []})["features"]:
                said = feature["properties"]
                count += said.get("n", 1)
                overdue += int(said["overdue"])
                if "number" in said:
                    numbers.add(said["number"])
        assert count == len(expected)
        assert overdue == int(late(expected, town.now).sum())
        if z == 16:
            assert numbers == set(expected["number"])


def tiles_of(frame, z):
    x = ((frame["lon"] + 180) / 360 * 2**z).astype(int)
    y = ((1 - np.arcsinh(np.tan(np.radians(frame["lat"]))) / math.pi) / 2 * 2**z).astype(int)
    return sorted(set(zip(x, y, strict=True)))


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_every_pixel_of_heat_and_the_legend(reader, town):
    """As if what lies outside the limits were not in the database at all."""
    expected = matching(reader.frame, town, {})
    alone = Heat(PointColumns.build(expected["lon"], expected["lat"])[0])
    for z in (12, 14, 17):
        scale = alone.scale(z)
        for x, y in tiles_of(town.frame, z)[:12]:
            picture = get(reader, f"heat/{z}/{x}/{y}.png").data
            assert picture == heat_png(alone.surface(z, x, y), scale)
        stops = get(reader, "heat/legend", z=z, bbox="121,31,122,31.4").json["stops"]
        assert bool(stops) == bool(len(expected))
        if stops:
            pixel = 40075.017 / 256 / 2**z * math.cos(math.radians(31.2))
            assert stops[-1]["value"] == pytest.approx(scale / pixel**2)


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_options(reader, town):
    options = get(reader, "filters").json
    in_sight = reader.frame[~reader.frame["doubtful"]]
    days = in_sight["found"].dt.tz_convert("Asia/Shanghai").dt.date
    assert options["extent"]["first_day"] == days.min().isoformat()
    assert options["extent"]["last_day"] == days.max().isoformat()
    bodies = {body.id: body.name for body in (*town.squads, town.other)}
    seen = (
        set(bodies)
        if reader.area is None and reader.organisation is None
        else set(reader.frame["organisation"].dropna())
    )
    assert {one["name"] for one in options["organisations"]} == {bodies[i] for i in seen}
    names = {area["name"] for area in flat(options["areas"])}
    if reader.area in {community.id for community in town.communities}:
        assert names == {c.name for c in town.communities if c.id == reader.area}
    else:
        assert names == {town.district.name, *(c.name for c in town.communities)}


def flat(areas):
    for area in areas:
        yield area
        yield from flat(area["children"])


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_search(reader, town):
    seen = set(reader.frame["number"])
    for number in town.frame["number"][:20]:
        hits = get(reader, "search", q=str(number)).json["results"]
        assert any(h["kind"] == "problem" for h in hits) == (number in seen)
    addresses = set(reader.frame["address"])
    for address in town.frame["address"].unique()[:15]:
        hits = get(reader, "search", q=address, limit=50).json["results"]
        found = {h["name"] for h in hits if h["kind"] == "address"}
        assert found == {one for one in addresses if address in one}
    cells = get(reader, "search", q="第1网格").json["results"]
    expected = {
        c.name
        for c in town.cells
        if "第1网格" in c.name and reader.area in (None, town.district.id, c.area_id)
    }
    assert {h["name"] for h in cells if h["kind"] == "cell"} == expected
    people = {
        h["name"] for h in get(reader, "search", q="工", limit=50).json["results"] if h["kind"] == "person"
    }
    assert people == {w.name for w in town.workers if knows(reader, town, w)}


def knows(reader, town, worker):
    squad = next(one for one in town.squads if one.id == worker.organisation_id)
    in_area = reader.area in (None, town.district.id, squad.area_id)
    return in_area and reader.organisation in (None, squad.id)


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_people_in_lists_and_cards(reader, town):
    features = get(reader, "problems", state="all", limit=1000).json["features"]
    workers = {str(w.uid): w for w in town.workers}
    shown = {p["person"]["uid"] for f in features if (p := f["properties"])["person"]}
    assert all(knows(reader, town, workers[uid]) for uid in shown)
    assert shown or reader.organisation == town.squads[0].id
    for cell, worker in zip(town.cells, town.workers, strict=True):
        answer = reader.client.get(f"/api/v1/cells/{cell.uid}")
        if answer.status_code == 200 and answer.json["responsibilities"]:
            (holder,) = answer.json["responsibilities"]
            assert (holder["person"] is not None) == knows(reader, town, worker)
            assert (holder["phone"] is not None) == knows(reader, town, worker)


def test_phones_are_masked_for_those_who_may_not_call(sign_in, town):
    cell = f"/api/v1/cells/{town.cells[0].uid}"
    caller, reader = sign_in(), sign_in(Role.READ_ONLY)
    whole = caller.get(cell).json["responsibilities"][0]["phone"]
    masked = reader.get(cell).json["responsibilities"][0]["phone"]
    assert whole == town.workers[0].phone
    assert masked == f"{whole[:3]}****{whole[-4:]}"
    hits = reader.get("/api/v1/search", query_string={"q": whole}).json["results"]
    assert hits == []
    assert caller.get("/api/v1/search", query_string={"q": whole}).json["results"][0]["kind"] == "person"


def test_who_may_not_read_problems_sees_none(sign_in, town):
    client = sign_in(Role.ASSESSOR)
    for path in ("problems", "cells/load", "summary", "heat/12/1/1.png", "tiles/problems/12/1/1.mvt"):
        assert client.get(f"/api/v1/{path}").status_code == 403
    card = client.get(f"/api/v1/cells/{town.cells[0].uid}").json
    assert card["counts"] is None
    assert card["problems_url"] is None
    assert card["responsibilities"][0]["person"] is None
    assert client.get("/api/v1/filters").json["extent"]["first_day"] is None
    kinds = {h["kind"] for h in client.get("/api/v1/search", query_string={"q": "人民路"}).json["results"]}
    assert kinds == {"road", "street"}


@pytest.mark.parametrize(
    "path", ["cells/load", "summary", "problems", "heat/12/3429/1675.png", "filters", "cells"]
)
def test_one_readers_tag_is_not_anothers(sign_in, town, path):
    clients = [
        sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id),
        sign_in(Role.AREA_MANAGER, area_id=town.communities[1].id),
    ]
    tags = [client.get(f"/api/v1/{path}").headers["ETag"] for client in clients]
    assert tags[0] != tags[1]
    crossed = clients[0].get(f"/api/v1/{path}", headers={"If-None-Match": tags[1]})
    assert crossed.status_code == 200


def test_a_reader_sees_a_write_at_once(app, sign_in, town):
    client = sign_in()
    before = client.get("/api/v1/cells/load?state=all&doubtful=1")
    with writing(app.extensions["gridmap"].engine) as session:
        made = make_problem(session, town, town.rng, next_change(session), now=town.now)
        number, uid = made.id, str(made.uid)
    after = client.get(
        "/api/v1/cells/load?state=all&doubtful=1", headers={"If-None-Match": before.headers["ETag"]}
    )
    assert after.status_code == 200
    assert after.json["total"] == before.json["total"] + 1
    assert client.get(f"/api/v1/problems/{uid}").json["number"] == number


def test_a_renamed_cell_and_a_lost_grant_are_seen_at_once(app, sign_in, town):
    client = sign_in(Role.READ_ONLY)
    engine = app.extensions["gridmap"].engine
    first = client.get("/api/v1/cells")
    assert client.get("/api/v1/problems").status_code == 200
    with engine.execution_options(gridmap_write=True).begin() as connection:
        connection.execute(text("UPDATE grid_cell SET name = 'renamed'"))
    second = client.get("/api/v1/cells", headers={"If-None-Match": first.headers["ETag"]})
    assert {f["properties"]["name"] for f in second.json["features"]} == {"renamed"}
    with engine.execution_options(gridmap_write=True).begin() as connection:
        connection.execute(text("UPDATE \"grant\" SET role = 'assessor'"))
    assert client.get("/api/v1/problems").status_code == 403
