from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import shapely
from sqlalchemy import delete, update

from geodata.travel import Profile
from gridmap.errors import NotFoundError
from gridmap.patrols.network import NetworkKeeper, read_network
from gridmap.places.models import Street
from gridmap.store.bulk import insert_rows
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Engine

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
