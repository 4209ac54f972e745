"""Pages, boxes, tiles and words of the API."""

from __future__ import annotations

import json
import math
import uuid

import mapbox_vector_tile
import numpy as np
import pytest
import shapely

from gridmap.people.permissions import Role
from gridmap.store.clock import next_change
from gridmap.store.engine import writing

from .conftest import SIDE, SOUTH, WEST, make_problem


def pages(client, path, **query):
    found, cursor = [], None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = client.get(f"/api/v1/{path}", query_string={**query, **more}).json
        found += page["features"]
        cursor = page["next"]
        if cursor is None:
            return found


@pytest.mark.parametrize("kind", ["cells", "areas", "points", "roads"])
def test_pages_of_places_hold_each_once(sign_in, town, kind):
    client = sign_in()
    whole = client.get(f"/api/v1/{kind}").json
    assert whole["type"] == "FeatureCollection"
    assert whole["next"] is None
    by_pages = pages(client, kind, limit=1)
    assert [f["id"] for f in by_pages] == [f["id"] for f in whole["features"]]
    assert len({f["id"] for f in by_pages}) == len(by_pages) > 0
    for feature in by_pages:
        assert shapely.from_geojson(json.dumps(feature["geometry"])).is_valid
        assert feature["properties"]["uid"] == feature["id"]


@pytest.mark.parametrize("sort", ["-found_at", "found_at", "due_at", "-overdue", "-severity", "number"])
def test_pages_of_problems_under_inserts(app, sign_in, town, sort):
    client = sign_in()
    before = set(town.frame["number"])
    seen, cursor = [], None
    for _ in range(60):
        query = {"state": "all", "doubtful": "1", "limit": 20, "sort": sort}
        page = client.get(
            "/api/v1/problems", query_string=query | ({"cursor": cursor} if cursor else {})
        ).json
        seen += [feature["properties"]["number"] for feature in page["features"]]
        cursor = page["next"]
        if cursor is None:
            break
        with writing(app.extensions["gridmap"].engine) as session:
            make_problem(session, town, town.rng, next_change(session), now=town.now)
    assert cursor is None
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_a_box_limits_problems_and_places(sign_in, town):
    client = sign_in()
    box = (WEST, SOUTH, WEST + SIDE * 1.5, SOUTH + SIDE * 1.5)
    text = ",".join(map(str, box))
    got = client.get(f"/api/v1/problems?state=all&doubtful=1&limit=1000&bbox={text}").json
    frame = town.frame
    inside = frame[frame["lon"].between(box[0], box[2]) & frame["lat"].between(box[1], box[3])]
    assert {f["properties"]["number"] for f in got["features"]} == set(inside["number"])
    assert got["total"] == len(inside)
    cells = client.get(f"/api/v1/cells?bbox={text}").json["features"]
    assert len(cells) == 4


def test_problems_of_a_place(sign_in, town):
    client = sign_in()
    frame = town.frame

    def numbers(**query):
        page = client.get(
            "/api/v1/problems", query_string={"state": "all", "doubtful": "1", **query, "limit": 1000}
        )
        return {feature["properties"]["number"] for feature in page.json["features"]}

    cell, worker = town.cells[2], town.workers[4]
    assert numbers(cell=cell.uid) == set(frame.loc[frame["cell"] == cell.id, "number"])
    assert numbers(person=worker.uid) == set(frame.loc[frame["person"] == worker.id, "number"])
    assert len(numbers(road=town.road.uid)) > 10
    near = numbers(point=town.far.uid)
    west, south = WEST + 3 * SIDE, SOUTH
    inside = frame[frame["lon"].between(west, west + 0.001) & frame["lat"].between(south, south + 0.001)]
    around = frame[
        frame["lon"].between(west - 0.0006, west + 0.0016)
        & frame["lat"].between(south - 0.0006, south + 0.0016)
    ]
    assert set(inside["number"]) <= near <= set(around["number"])


def test_the_properties_of_the_contract(sign_in, town):
    client = sign_in()
    problem = client.get("/api/v1/problems?state=all&limit=1").json["features"][0]["properties"]
    assert {
        "uid",
        "number",
        "category",
        "state",
        "state_name",
        "source",
        "found_at",
        "due_at",
        "closed_at",
    } <= set(problem)
    assert {"overdue", "severity", "address", "description", "cell", "area", "road", "person"} <= set(problem)
    assert {"code", "name"} == set(problem["category"])
    card = client.get(f"/api/v1/cells/{town.cells[1].uid}").json
    assert card["area"] == {"uid": str(town.communities[0].uid), "name": town.communities[0].name}
    (holder,) = card["responsibilities"]
    assert holder["person"]["name"] == town.workers[1].name
    assert holder["organisation"]["name"] == town.squads[0].name
    assert client.get(card["problems_url"]).status_code == 200
    assert card["last_patrol_at"] == "2026-04-01T00:00:00+00:00"
    unheld = client.get(f"/api/v1/cells/{town.cells[7].uid}").json
    assert (unheld["held"], unheld["holder"], unheld["responsibilities"]) == (False, None, [])
    one = client.get(f"/api/v1/problems/{town.frame['uid'][0]}").json
    assert one["history"][0]["by"] == "测试"
    assert one["geometry"]["type"] == "Point"


def test_cells_keep_their_common_borders_when_simplified(sign_in, town):
    features = sign_in().get("/api/v1/cells?simplify=12").json["features"]
    shapes = [shapely.from_geojson(json.dumps(f["geometry"])) for f in features]
    whole = shapely.box(WEST, SOUTH, WEST + 4 * SIDE, SOUTH + 4 * SIDE)
    assert shapely.union_all(shapes).symmetric_difference(whole).area < 1e-12


def tile(lon, lat, z):
    x = int((lon + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
    return z, x, y


def layers(client, kind, at):
    answer = client.get("/api/v1/tiles/{}/{}/{}/{}.mvt".format(kind, *at))
    assert answer.content_type == "application/vnd.mapbox-vector-tile"
    return mapbox_vector_tile.decode(answer.data)


def test_place_tiles(sign_in, town):
    client = sign_in()
    at = tile(WEST + SIDE, SOUTH + SIDE, 11)
    cells = layers(client, "cells", at)["cells"]["features"]
    assert {f["properties"]["uid"] for f in cells} == {str(c.uid) for c in town.cells}
    by_code = {f["properties"]["code"]: f["properties"] for f in cells}
    assert by_code[town.cells[1].code]["holder"] == town.workers[1].name
    assert by_code[town.cells[7].code]["held"] is False
    (road,) = layers(client, "roads", at)["roads"]["features"]
    assert road["properties"]["name"] == "人民路"
    assert road["geometry"]["type"] == "LineString"
    points = layers(client, "points", at)["points"]["features"]
    assert {f["properties"]["site_type"] for f in points} == {"market", "school"}
    limited = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    seen = {f["properties"]["uid"] for f in layers(limited, "cells", at)["cells"]["features"]}
    assert seen == {str(c.uid) for c in town.cells[:8]}
    assert len(layers(limited, "points", at)["points"]["features"]) == 1


def test_base_tiles(app, sign_in, town):
    client = sign_in()
    found = layers(client, "base", tile(WEST + 0.0005, SOUTH + 0.0005, 15))
    assert found["building"]["features"][0]["properties"]["name"] == "百货大楼"
    assert found["surface"]["features"][0]["properties"]["kind"] == "water"
    assert {f["properties"]["class"] for f in found["street"]["features"]} == {"primary"}
    assert "boundary" in found
    far = layers(client, "base", tile(WEST + 0.0005, SOUTH + 0.0005, 11))
    assert {f["properties"]["class"] for f in far["street"]["features"]} == {"primary"}
    assert "building" not in far
    folder = app.extensions["gridmap"].settings.data_dir / "tiles"
    (kept,) = folder.iterdir()
    assert len(list(kept.glob("*.mvt"))) == 2
    with writing(app.extensions["gridmap"].engine) as session:
        building = session.get(type_of(town), 1)
        building.name = "新百货"
    again = layers(client, "base", tile(WEST + 0.0005, SOUTH + 0.0005, 15))
    assert again["building"]["features"][0]["properties"]["name"] == "新百货"
    (fresh,) = folder.iterdir()
    assert fresh != kept


def type_of(town):
    from gridmap.places.models import Building  # noqa: PLC0415 - used once

    return Building


def test_tiles_by_language(sign_in, town):
    client = sign_in()
    in_chinese = client.get("/api/v1/filters?language=zh_CN").json
    in_english = client.get("/api/v1/filters?language=en").json
    assert in_chinese["categories"][0]["name"] == "市容环境"
    assert in_english["categories"][0]["name"] == "Appearance"
    assert [c["code"] for c in in_english["categories"][0]["children"]] == ["A1", "A2", "A3"]


@pytest.mark.parametrize("per", ["street_km", "patrol"])
def test_heat_per_street_and_per_patrol(sign_in, town, per):
    client = sign_in()
    z, x, y = tile(WEST + 2 * SIDE, SOUTH + 2 * SIDE, 13)
    plain = client.get(f"/api/v1/heat/{z}/{x}/{y}.png").data
    divided = client.get(f"/api/v1/heat/{z}/{x}/{y}.png?per={per}").data
    assert plain != divided
    legend = client.get(f"/api/v1/heat/legend?z={z}&per={per}").json
    values = [stop["value"] for stop in legend["stops"]]
    assert values == sorted(values)
    assert np.isfinite(values).all()
    assert legend["unit"] != client.get(f"/api/v1/heat/legend?z={z}").json["unit"]


@pytest.mark.parametrize("weight", ["severity", "age", "severity_age"])
def test_heat_with_weights(sign_in, town, weight):
    client = sign_in()
    z, x, y = tile(WEST + 2 * SIDE, SOUTH + 2 * SIDE, 13)
    plain = client.get(f"/api/v1/heat/{z}/{x}/{y}.png").data
    assert client.get(f"/api/v1/heat/{z}/{x}/{y}.png?weight={weight}").data != plain
    double = client.get(f"/api/v1/heat/{z}/{x}/{y}.png?weight={weight}&scale=2").data
    assert double[16:24] == (512).to_bytes(4, "big") * 2


def test_a_problem_that_is_sent_twice_is_recorded_once(sign_in, town):
    client = sign_in(Role.GRID_WORKER, area_id=town.communities[0].id)
    before = client.get("/api/v1/cells/load").json["total"]
    report = {"uid": str(uuid.uuid4()), "category": "A2", "description": "占道", "address": "人民路1号"}
    report |= {"lon": WEST + SIDE * 0.4, "lat": SOUTH + SIDE * 0.4, "found_at": town.now.isoformat()}
    first = client.post("/api/v1/problems", json=report)
    assert first.status_code == 201, first.text
    made = first.json
    assert made["cell"] == {"uid": str(town.cells[0].uid), "name": town.cells[0].name}
    assert made["person"]["name"] == town.workers[0].name
    assert made["due_at"]
    again = client.post("/api/v1/problems", json=report)
    assert (again.status_code, again.json["number"]) == (200, made["number"])
    assert client.get("/api/v1/cells/load").json["total"] == before + 1
    history = client.get(f"/api/v1/problems/{report['uid']}").json["history"]
    assert [event["kind"] for event in history] == ["recorded", "assigned"]


def test_the_map_as_of_a_day(sign_in, town):
    client = sign_in()
    frame = town.frame[~town.frame["doubtful"]]
    for days in (1, 20, 60):
        day = (town.now - np.timedelta64(days, "D")).astimezone().date().isoformat()
        midnight = np.datetime64(day) - np.timedelta64(8, "h")
        found = frame["found"].dt.tz_localize(None).to_numpy()
        closed = frame["closed"].dt.tz_localize(None).to_numpy()
        there = (found <= midnight) & (np.isnat(closed) | (closed > midnight))
        assert client.get(f"/api/v1/cells/load?at={day}").json["total"] == there.sum()
