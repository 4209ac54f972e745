from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from shapely import LineString

from geodata.errors import FormatError, GeometryError
from geodata.street_graph import StreetGraph, build_street_graph
from geodata.street_places import Stops
from geodata.street_router import Router
from geodata.travel import Profile
from geodata.turns import TurnRule

if TYPE_CHECKING:
    from pathlib import Path

STEP = 1e-3
WHEELS = frozenset({Profile.CAR, Profile.BICYCLE})


def at(*places: tuple[int, int]) -> LineString:
    """A line through crossings of a net of about 100 m."""
    return LineString([(121.4 + i * STEP, 31.2 + j * STEP) for i, j in places])


def built(streets: dict[str, LineString], **more: Any) -> StreetGraph:
    count = len(streets)
    stated: dict[str, Any] = {"road_class": ["residential"] * count, "oneway": [0] * count}
    return build_street_graph(
        list(streets.values()), ref=list(streets), name=list(streets), **(stated | more)
    )


def walk(router: Router, start: tuple[int, int], end: tuple[int, int]) -> list[str]:
    """Names of the streets along a way, each as often as one comes to it."""
    (a, b), (c, d) = start, end
    places = router.snap([121.4 + a * STEP, 121.4 + c * STEP], [31.2 + b * STEP, 31.2 + d * STEP])
    route = router.path(places, places, 0, 1)
    assert route.seconds == pytest.approx(router.matrix(places)[0, 1])
    names = router.graph.name[router.graph.street[route.arcs >> 1]].tolist()
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


# Four streets meet; one can also come from the north round to the east. West is too long to turn back on.
CROSS = {
    "south": at((1, 0), (1, 1)),
    "west": at((-9, 1), (0, 1), (1, 1)),
    "east": at((1, 1), (2, 1)),
    "north": at((1, 1), (1, 2)),
    "round": at((1, 2), (2, 2), (2, 1)),
}


def test_streets_are_cut_where_they_meet_and_only_there() -> None:
    graph = built({"a": at((0, 0), (1, 0), (2, 0)), "b": at((1, 0), (1, 1), (1, 2))})
    assert len(graph) == 3
    assert sorted(graph.name[graph.street].tolist()) == ["a", "a", "b"]
    assert graph.length_m.sum() == pytest.approx(2 * 95.3 + 2 * 110.9, rel=0.01)


def test_a_street_that_comes_back_to_itself_is_walked_both_ways() -> None:
    graph = built({"stem": at((0, 0), (1, 0)), "ring": at((1, 0), (2, 0), (2, 1), (1, 1), (1, 0))})
    assert (graph.first_node != graph.last_node).all()
    router = Router(graph)
    assert walk(router, (0, 0), (2, 1)) == ["stem", "ring"]
    assert len(router.pieces) == 0


def test_one_way_streets_bind_wheels_and_not_feet() -> None:
    streets = {"straight": at((0, 0), (1, 0)), "round": at((0, 0), (0, 1), (1, 1), (1, 0))}
    graph = built(streets, oneway=[1, 0])
    assert walk(Router(graph, Profile.CAR), (0, 0), (1, 0)) == ["straight"]
    for profile in WHEELS:
        assert walk(Router(graph, profile), (1, 0), (0, 0)) == ["round"]
    assert walk(Router(graph, Profile.FOOT), (1, 0), (0, 0)) == ["straight"]
    against = built(streets, oneway=[-1, 0])
    assert walk(Router(against, Profile.CAR), (1, 0), (0, 0)) == ["straight"]
    assert walk(Router(against, Profile.CAR), (0, 0), (1, 0)) == ["round"]


@pytest.mark.parametrize("tags", [{"oneway:bicycle": "no"}, {"cycleway": "opposite_lane"}])
def test_bicycles_may_go_against_a_one_way_street_that_says_so(tags: dict[str, str]) -> None:
    streets = {"straight": at((0, 0), (1, 0)), "round": at((0, 0), (0, 1), (1, 1), (1, 0))}
    graph = built(streets, oneway=[1, 0], tags=[tags, {}])
    assert walk(Router(graph, Profile.BICYCLE), (1, 0), (0, 0)) == ["straight"]
    assert walk(Router(graph, Profile.CAR), (1, 0), (0, 0)) == ["round"]


@pytest.mark.parametrize(
    ("tags", "open_to"),
    [
        ({"access": "no"}, set()),
        ({"access": "private"}, {Profile.FOOT}),
        ({"motor_vehicle": "no"}, {Profile.FOOT, Profile.BICYCLE}),
        ({"vehicle": "no", "bicycle": "yes"}, {Profile.FOOT, Profile.BICYCLE}),
        ({"foot": "no"}, {Profile.BICYCLE, Profile.CAR}),
        ({"access": "no", "foot": "yes", "motorcar": "destination"}, {Profile.FOOT, Profile.CAR}),
    ],
)
def test_access_tags_close_and_open_streets(tags: dict[str, str], open_to: set[Profile]) -> None:
    graph = built({"street": at((0, 0), (1, 0))}, tags=[tags])
    assert {profile for profile in Profile if (graph.speed[profile] > 0).any()} == open_to


def test_classes_say_who_may_go_how_fast() -> None:
    kinds = ["motorway", "primary", "pedestrian", "steps", "cycleway"]
    graph = built({kind: at((i, 0), (i, 1)) for i, kind in enumerate(kinds)}, road_class=kinds)
    speed = {profile: graph.speed[profile][::2].tolist() for profile in Profile}
    assert [s > 0 for s in speed[Profile.FOOT]] == [False, True, True, True, True]
    assert [s > 0 for s in speed[Profile.BICYCLE]] == [False, True, True, False, True]
    assert [s > 0 for s in speed[Profile.CAR]] == [False, True, True, False, False]
    assert speed[Profile.FOOT][3] < speed[Profile.FOOT][1]
    slow = built({"a": at((0, 0), (1, 0))}, road_class=["primary"], tags=[{"maxspeed": "20"}])
    assert slow.speed[Profile.CAR][0] == 16.0


def test_a_forbidden_turn_makes_wheels_go_round_and_feet_not() -> None:
    rule = TurnRule("no_right_turn", 121.4 + STEP, 31.2 + STEP, WHEELS, "south", "east")
    graph = built(CROSS, rules=[rule])
    assert walk(Router(graph, Profile.CAR), (1, 0), (2, 1)) == ["south", "north", "round"]
    assert walk(Router(graph, Profile.FOOT), (1, 0), (2, 1)) == ["south", "east"]
    # From elsewhere the same street is open.
    assert walk(Router(graph, Profile.CAR), (0, 1), (2, 1)) == ["west", "east"]
    # Somebody who starts in the street before the junction is bound as well.
    assert walk(Router(graph, Profile.BICYCLE), (1, 0), (2, 1)) == ["south", "north", "round"]


def test_an_only_turn_forbids_the_others() -> None:
    rule = TurnRule("only_straight_on", 121.4 + STEP, 31.2 + STEP, WHEELS, "south", "north")
    router = Router(built(CROSS, rules=[rule]), Profile.CAR)
    assert walk(router, (1, 0), (2, 1)) == ["south", "north", "round"]
    assert walk(router, (1, 0), (0, 1)) == ["south", "north", "west"]


def test_a_restriction_over_a_street_binds_only_who_goes_along_all_of_it() -> None:
    streets = {
        "from": at((0, 0), (1, 0)),
        "via": at((1, 0), (2, 0), (3, 0)),
        "other": at((2, 1), (2, 0)),
        "to": at((3, 0), (3, 1)),
        "round": at((3, 0), (4, 0), (4, 1), (3, 1)),
    }
    rule = TurnRule("no_left_turn", 121.4 + STEP, 31.2, WHEELS, "from", "to", ("via",))
    router = Router(built(streets, rules=[rule]), Profile.CAR)
    places = router.snap([121.4, 121.403], [31.2, 31.201])
    route = router.path(places, places, 0, 1)
    # The shortest that is left is to turn round on the way.
    assert route.arcs.tolist().count(int(route.arcs[1])) == 2
    assert route.metres == pytest.approx(router.graph.length_m[:3].sum() + 2 * 95.3 + 110.9, rel=0.01)
    assert walk(router, (2, 1), (3, 1)) == ["other", "via", "to"]


def test_a_barrier_is_passed_by_whom_it_does_not_bar() -> None:
    streets = {"straight": at((0, 0), (1, 0), (2, 0)), "round": at((0, 0), (0, 1), (2, 1), (2, 0))}
    rule = TurnRule("barrier", 121.4 + STEP, 31.2, frozenset({Profile.CAR}))
    graph = built(streets, rules=[rule])
    assert walk(Router(graph, Profile.CAR), (0, 0), (2, 0)) == ["round"]
    assert walk(Router(graph, Profile.BICYCLE), (0, 0), (2, 0)) == ["straight"]


def test_rules_about_what_is_not_there_forbid_nothing() -> None:
    nowhere = TurnRule("no_left_turn", 120.0, 30.0, WHEELS, "south", "east")
    unknown = TurnRule("no_left_turn", 121.4 + STEP, 31.2 + STEP, WHEELS, "gone", "east")
    graph = built(CROSS, rules=[nowhere, unknown])
    assert graph.turns == dict.fromkeys(Profile, ())


def test_places_say_how_far_they_were_moved_and_on_which_side_they_lie() -> None:
    router = Router(built({"a": at((0, 0), (4, 0))}))
    snapped = router.snap([121.402, 121.402, 121.402], [31.2001, 31.1999, 31.21], limit_m=100)
    assert snapped.moved_m.tolist() == pytest.approx([11.1, 11.1, 1108.7], rel=0.01)
    assert snapped.side.tolist() == [-1, 1, -1]
    assert snapped.stops.fraction[0] == pytest.approx(0.5, abs=0.001)
    assert list(snapped.faults()) == [2]
    with pytest.raises(GeometryError, match=r"is 1109 m away; expected 100 m at most"):
        snapped.require()
    matrix = router.matrix(snapped)
    assert np.isinf(matrix[2, :2]).all()
    assert np.isinf(matrix[:2, 2]).all()
    assert matrix[0, 1] == pytest.approx(0, abs=0.001)


def test_what_is_cut_off_is_named_and_avoided_where_it_can_be() -> None:
    island = LineString([(121.43, 31.2), (121.431, 31.2)])
    router = Router(built({"main": at((0, 0), (9, 0)), "island": island}))
    (piece,) = router.pieces
    assert (piece.names, piece.edges) == (("island",), 1)
    far = router.snap(121.4305, 31.2001)
    with pytest.raises(GeometryError, match=r"\(island\) is cut off"):
        far.require()
    near = router.snap([121.4099, 121.43], [31.2, 31.2], limit_m=5000)
    assert near.street.tolist() == ["main", "main"]


def test_two_banks_of_a_river_are_both_places_to_plan_in() -> None:
    """Places on one bank have no fault, even on the shorter one; among both banks the fewer have."""
    lines = [[(121.4, 31.2), (121.43, 31.2)], [(121.4, 31.21), (121.425, 31.21)]]
    graph = build_street_graph(
        [LineString(line) for line in lines],
        road_class=["residential"] * 2,
        oneway=[0, 0],
        name=["south", "north"],
    )
    router = Router(graph)
    assert [(p.names, p.large) for p in router.pieces] == [(("north",), True)]
    assert router.snap([121.41, 121.42], [31.21, 31.2101]).faults() == {}
    both = router.snap([121.41, 121.42, 121.41], [31.21, 31.2101, 31.2])
    assert list(both.faults()) == [2]


def test_a_street_that_only_leads_in_is_cut_off() -> None:
    streets = {"square": at((0, 0), (9, 0), (9, 9), (0, 9), (0, 0)), "in": at((20, 0), (9, 0))}
    router = Router(built(streets, oneway=[0, 1]), Profile.CAR)
    assert [(p.names, p.large) for p in router.pieces] == [(("in",), False)]
    assert list(router.snap([121.4, 121.418], [31.2, 31.2]).faults()) == [1]


def test_ends_of_arcs_keep_their_direction() -> None:
    router = Router(built({"a": at((0, 0), (1, 0)), "b": at((1, 0), (2, 0))}))
    arcs = np.arange(4)
    between = router.matrix(Stops.heads(arcs), Stops.tails(arcs))
    along = router.seconds
    # From the end of a one stands where b begins; to go b backwards one has to walk it first.
    assert between[0].tolist() == pytest.approx([along[0], 0, 0, along[2]])
    assert between[1].tolist() == pytest.approx([0, along[0], along[0], along[0] + along[2]])
    covered = router.path(Stops.heads([0]), Stops.tails([3]))
    assert covered.arcs.tolist() == [2]
    assert covered.metres == pytest.approx(router.graph.length_m[1])


def test_a_way_along_one_street_is_part_of_it() -> None:
    router = Router(built({"a": at((0, 0), (4, 0))}))
    snapped = router.snap([121.401, 121.403], [31.2, 31.2])
    route = router.path(snapped, snapped, 0, 1)
    assert route.line.bounds == pytest.approx((121.401, 31.2, 121.403, 31.2), abs=1e-6)
    assert route.metres == pytest.approx(router.graph.length_m[0] / 2, rel=1e-3)
    back = router.path(snapped, snapped, 1, 0)
    assert shapely.get_coordinates(back.line)[0] == pytest.approx((121.403, 31.2), abs=1e-6)
    assert router.path(snapped, snapped).metres == 0


def test_a_network_is_the_same_after_it_was_stored(tmp_path: Path) -> None:
    rule = TurnRule("no_right_turn", 121.4 + STEP, 31.2 + STEP, WHEELS, "south", "east")
    graph = built(CROSS, rules=[rule])
    file = tmp_path / "network.npz"
    graph.save(file)
    again = StreetGraph.load(file)
    assert again.turns == graph.turns
    assert again.name.tolist() == graph.name.tolist()
    for profile in Profile:
        assert again.speed[profile].tolist() == graph.speed[profile].tolist()
    assert [p.name for p in tmp_path.iterdir()] == ["network.npz"]
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(FormatError):
        StreetGraph.load(file)
    with pytest.raises(FormatError):
        StreetGraph.load(tmp_path / "none.npz")


def test_no_streets_are_no_network() -> None:
    with pytest.raises(GeometryError, match="at least one street"):
        build_street_graph([], road_class=[], oneway=[])
    with pytest.raises(GeometryError, match="open to whoever"):
        Router(built({"a": at((0, 0), (1, 0))}, road_class=["motorway"]))
