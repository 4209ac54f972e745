from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import shapely
from sqlalchemy import delete, func, select, update

from geodata.travel import Profile
from gridmap.errors import NotFoundError
from gridmap.patrols.network import NetworkKeeper, read_network
from gridmap.places.models import RoadRule, Street
from gridmap.store.bulk import insert_rows
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from tests.gridmap.conftest import Importer

LINES = [[(121.4, 31.2), (121.401, 31.2)], [(121.401, 31.2), (121.402, 31.2)]]


def lay_streets(engine: Engine) -> None:
    with writing(engine) as session:
        insert_rows(
            session,
            Street,
            {
                "source_ref": ["made:1", "made:2"],
                "name": ["东街", "西街"],
                "road_class": "residential",
                "oneway": [0, 1],
                "geometry": shapely.linestrings(LINES),
            },
        )


def test_a_store_without_streets_says_what_to_import(engine: Engine, tmp_path: Path) -> None:
    with reading(engine) as session:
        for opened in (NetworkKeeper(tmp_path / "network").open, read_network):
            with pytest.raises(NotFoundError, match="Import an OpenStreetMap file"):
                opened(session)
    assert not (tmp_path / "network").exists()


def test_stored_streets_are_a_network_with_ways(engine: Engine, tmp_path: Path) -> None:
    lay_streets(engine)
    keeper = NetworkKeeper(tmp_path / "network")
    with reading(engine) as session:
        network = keeper.open(session)
        assert keeper.open(session) is network
    assert network.graph.name.tolist() == ["东街", "西街"]
    router = network.router(Profile.FOOT)
    assert network.router(Profile.FOOT) is router
    places = router.snap([121.4, 121.402], [31.2, 31.2])
    assert router.path(places, places, 0, 1).metres == pytest.approx(190.6, abs=1)
    wheels = network.router(Profile.CAR).matrix(places)
    assert wheels[0, 1] < 60
    assert wheels[1, 0] == float("inf")


def test_a_copy_is_kept_until_the_streets_change(engine: Engine, tmp_path: Path) -> None:
    lay_streets(engine)
    folder = tmp_path / "network"
    with reading(engine) as session:
        NetworkKeeper(folder).open(session)
    (first,) = folder.iterdir()
    with reading(engine) as session:
        again = NetworkKeeper(folder).open(session)
    assert len(again.graph) == 2
    keeper = NetworkKeeper(folder)
    with reading(engine) as session:
        keeper.open(session)
    with writing(engine) as session:
        moved = shapely.to_wkt(shapely.linestrings(LINES[0]).segmentize(1), rounding_precision=-1)
        longer = moved.replace("121.4 ", "121.39 ")
        session.execute(
            update(Street).where(Street.source_ref == "made:1").values(geometry=f"SRID=4326;{longer}")
        )
    with reading(engine) as session:
        assert keeper.open(session).graph.length_m.sum() > 1000
    (second,) = folder.iterdir()
    assert second != first
    second.write_bytes(b"damaged")
    with reading(engine) as session:
        assert len(NetworkKeeper(folder).open(session).graph) == 2
    with writing(engine) as session:
        session.execute(delete(Street))
    with reading(engine) as session, pytest.raises(NotFoundError):
        keeper.open(session)


def test_rules_of_an_import_bind_its_streets_and_go_with_it(importer: Importer, tmp_path: Path) -> None:
    """One may not turn from the south to the east, and a bollard bars cars in the west."""
    places = {1: (1, 0), 2: (1, 1), 3: (2, 1), 4: (1, 2), 5: (2, 2), 6: (0, 1), 7: (-1, 1)}
    nodes = "".join(
        f'<node id="{n}" version="1" lon="{121.4 + i * 1e-3}" lat="{31.2 + j * 1e-3}">'
        + ('<tag k="barrier" v="bollard"/>' if n == 6 else "")
        + "</node>"
        for n, (i, j) in places.items()
    )
    ways = {1: (1, 2), 2: (2, 3), 3: (2, 4), 4: (4, 5, 3), 5: (7, 6, 2)}
    streets = "".join(
        f'<way id="{w}" version="1">{"".join(f"""<nd ref="{n}"/>""" for n in ends)}'
        '<tag k="highway" v="residential"/></way>'
        for w, ends in ways.items()
    )
    turn = (
        '<relation id="1" version="1"><member type="way" ref="1" role="from"/>'
        '<member type="node" ref="2" role="via"/><member type="way" ref="2" role="to"/>'
        '<tag k="type" v="restriction"/><tag k="restriction" v="no_right_turn"/></relation>'
    )
    file = tmp_path / "rules.osm"
    file.write_text(f'<?xml version="1.0"?><osm version="0.6">{nodes}{streets}{turn}</osm>')
    uid = importer.apply("osm", file)
    with reading(importer.engine) as session:
        network = read_network(session)
        assert set(network.graph.turns[Profile.CAR]) > set(network.graph.turns[Profile.BICYCLE])
    ends = {profile: network.router(profile).snap([121.401, 121.402], [31.2, 31.201]) for profile in Profile}
    metres = {p: network.router(p).path(ends[p], ends[p], 0, 1).metres for p in Profile}
    assert metres[Profile.FOOT] == pytest.approx(206, abs=2)
    # A car turns round at the bollard.
    assert metres[Profile.CAR] == pytest.approx(110.9 + 3 * 95.3, abs=2)
    west = network.router(Profile.CAR).snap(121.3992, 31.201, limit_m=30)
    assert list(west.faults()) == [0]
    assert network.router(Profile.BICYCLE).snap(121.3992, 31.201).faults() == {}
    importer.undo(uid)
    with reading(importer.engine) as session:
        assert session.scalar(select(func.count()).select_from(RoadRule)) == 0
