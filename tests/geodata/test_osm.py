from __future__ import annotations

import bz2
import gzip
import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely

from geodata.errors import FormatError
from geodata.osm import OsmExtract, RoadClass, SiteType, read_osm

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = ("streets", "sites", "buildings", "areas", "water", "green")
EXTRACTS = {
    "shanghai": "osm_shanghai_center/shanghai_center.osm.pbf",
    "nanjing": "osm_nanjing_xinjiekou/nanjing_xinjiekou.osm.pbf",
    "zhubei": "osm_hsinchu_zhubei/hsinchu_zhubei.osm.pbf",
    "porto": "osm_porto/porto_2020.osm.pbf",
    "boston": "boston_311/boston_beaconhill.osm.pbf",
}


def write(path: Path, body: str) -> Path:
    path.write_text(f'<?xml version="1.0"?><osm version="0.6">{body}</osm>', encoding="utf-8")
    return path


def node(number: int, lon: float, lat: float, **tags: str) -> str:
    return f'<node id="{number}" version="1" lon="{lon}" lat="{lat}">{tagged(tags)}</node>'


def way(number: int, nodes: list[int], **tags: str) -> str:
    refs = "".join(f'<nd ref="{n}"/>' for n in nodes)
    return f'<way id="{number}" version="1">{refs}{tagged(tags)}</way>'


def relation(number: int, members: list[tuple[int, str]], **tags: str) -> str:
    refs = "".join(f'<member type="way" ref="{w}" role="{role}"/>' for w, role in members)
    return f'<relation id="{number}" version="1">{refs}{tagged(tags)}</relation>'


def tagged(tags: dict[str, str]) -> str:
    return "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())


GRID = "".join(node(10 * i + j, 121.4 + i * 1e-3, 31.2 + j * 1e-3) for i in range(1, 8) for j in range(8))
STREET = way(1, [10, 20, 30], highway="primary", name="Nanjing Rd", name__zh="南京路", oneway="yes")


@pytest.mark.real
@pytest.mark.parametrize(
    ("city", "highways", "named", "names"),
    [("shanghai", 4701, 4228, 818), ("nanjing", 384, 168, 117), ("zhubei", 669, 364, 189)],
)
def test_streets_account_for_every_highway_of_the_source(
    real_data: Path, city: str, highways: int, named: int, names: int
) -> None:
    extract = read_osm(real_data / EXTRACTS[city], clip=False)
    dropped = sum(n for reason, n in extract.dropped.items() if reason.startswith("streets."))
    assert len(extract.streets) + dropped == highways
    if city == "shanghai":
        assert dropped == 0
        # One way has a name:zh and no name, which the source did not count.
        assert extract.streets.name.notna().sum() == named + 1
        assert extract.streets.name.nunique() == pytest.approx(names, abs=2)
        assert (extract.streets.oneway != 0).sum() == 2806
    else:
        assert 0.8 * named <= extract.streets.name.notna().sum() <= named


@pytest.mark.real
def test_shanghai_has_the_length_the_source_states(real_data: Path) -> None:
    streets = read_osm(real_data / EXTRACTS["shanghai"]).streets
    assert len(streets) == 4701
    assert streets.to_crs("EPSG:32651").length.sum() / 1000 == pytest.approx(975, rel=0.01)


@pytest.mark.real
@pytest.mark.parametrize(
    ("city", "buildings"), [("nanjing", 1270), ("zhubei", 166), ("porto", 11353), ("boston", 444)]
)
def test_buildings_account_for_every_building_way(real_data: Path, city: str, buildings: int) -> None:
    extract = read_osm(real_data / EXTRACTS[city], clip=False)
    from_ways = extract.buildings.osm_id.str.startswith("way/").sum()
    reasons = ("not_closed", "nodes_missing", "too_few_corners", "no_ground")
    assert from_ways + sum(extract.dropped.get(f"buildings.{reason}", 0) for reason in reasons) == buildings
    assert len(extract.buildings) - from_ways > 0 or city in ("zhubei", "boston")
    assert shapely.is_valid(extract.buildings.geometry.to_numpy()).all()
    assert set(extract.buildings.geom_type) <= {"Polygon", "MultiPolygon"}


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("osm_shanghai_center", "shanghai_center"),
        ("osm_nanjing_xinjiekou", "nanjing_xinjiekou"),
        ("osm_hsinchu_zhubei", "hsinchu_zhubei"),
    ],
)
def test_both_formats_say_the_same(real_data: Path, folder: str, name: str) -> None:
    packed, text = (read_osm(real_data / folder / f"{name}.osm.{ending}") for ending in ("pbf", "gz"))
    for layer in LAYERS:
        one, other = (
            getattr(e, layer).sort_values("osm_id", ignore_index=True).to_wkt() for e in (packed, text)
        )
        assert one.equals(other), layer
    assert packed.core_bounds == pytest.approx(text.core_bounds, abs=1e-9)
    assert packed.dropped == text.dropped


@pytest.mark.real
def test_street_attributes_equal_a_plain_xml_reading(real_data: Path) -> None:
    with gzip.open(real_data / "osm_nanjing_xinjiekou" / "nanjing_xinjiekou.osm.gz") as stream:
        root = ET.parse(stream).getroot()  # noqa: S314 - our own file
    expected = Counter()
    for item in root.iter("way"):
        tags = {tag.get("k"): tag.get("v") for tag in item.iter("tag")}
        if "highway" in tags and tags.get("area") != "yes":
            expected[tags["highway"].removesuffix("_link"), tags.get("oneway", "no") == "yes"] += 1
    streets = read_osm(real_data / EXTRACTS["nanjing"], clip=False).streets
    assert Counter(zip(streets.road_class, streets.oneway == 1, strict=True)) == expected


@pytest.mark.real
@pytest.mark.parametrize("city", EXTRACTS)
def test_core_is_the_box_the_source_states(real_data: Path, city: str) -> None:
    source = real_data / EXTRACTS[city]
    core = read_osm(source).core_bounds
    stated = re.search(r"bbox \(core\): ([\d.,-]+)", (source.parent / "SOURCE.txt").read_text())
    if stated:
        assert core == pytest.approx([float(v) for v in stated[1].split(",")], abs=0.01)
    else:
        assert core[2] - core[0] < 0.05


@pytest.mark.real
@pytest.mark.parametrize("city", ["nanjing", "zhubei", "porto"])
def test_real_sites_have_types_names_and_places(real_data: Path, city: str) -> None:
    sites = read_osm(real_data / EXTRACTS[city]).sites
    assert {SiteType.SCHOOL, SiteType.HOSPITAL, SiteType.PARK, SiteType.MARKET} <= set(sites.site_type)
    assert sites[sites.site_type == SiteType.PARK].name.notna().all()
    assert sites.osm_id.is_unique
    assert shapely.is_valid(sites.geometry.to_numpy()).all()


def test_a_small_city(tmp_path: Path) -> None:
    body = (
        GRID
        + node(
            100,
            121.403,
            31.203,
            amenity="marketplace",
            name="菜场",
            addr__street="人民路",
            addr__housenumber="8",
        )
        + STREET
        + way(2, [11, 21], highway="tertiary_link", oneway="-1", layer="-1", tunnel="yes")
        + way(3, [22, 32, 33, 22], highway="residential", junction="roundabout")
        + way(4, [10, 20], highway="proposed")
        + way(5, [41, 51, 52, 42, 41], highway="pedestrian", area="yes", name="人民广场")
        + way(6, [43, 53, 54, 44, 43], building="yes", building__levels="6", amenity="school", name="一小")
        + way(7, [61, 71, 72, 62, 61])
        + relation(
            8, [(7, "outer")], type="boundary", boundary="administrative", admin_level="8", name="某街道"
        )
        + way(9, [65, 66, 67], waterway="river", name="苏州河")
        + way(12, [15, 25, 26, 16, 15], natural="water")
        + way(13, [35, 45, 46, 36, 35], leisure="park", name="公园")
    )
    seen: list[tuple[str, int]] = []
    extract = read_osm(write(tmp_path / "a.osm", body), progress=lambda *report: seen.append(report))
    streets = extract.streets.set_index("osm_id")
    assert streets.loc["way/1", ["name", "road_class", "oneway", "link"]].tolist() == [
        "南京路",
        RoadClass.PRIMARY,
        1,
        False,
    ]
    assert streets.loc["way/2", ["road_class", "oneway", "link", "layer", "tunnel"]].tolist() == [
        RoadClass.TERTIARY,
        -1,
        True,
        -1,
        True,
    ]
    assert streets.loc["way/3", "oneway"] == 1
    assert extract.dropped == {"streets.area": 1, "streets.not_a_street": 1}
    sites = extract.sites.set_index("osm_id")
    assert sites.site_type.to_dict() == {
        "node/100": SiteType.MARKET,
        "way/5": SiteType.SQUARE,
        "way/6": SiteType.SCHOOL,
        "way/13": SiteType.PARK,
    }
    assert sites.loc["node/100", "address"] == "人民路8号"
    assert extract.buildings.levels.tolist() == [6]
    assert extract.areas[["osm_id", "name", "admin_level"]].to_numpy().tolist() == [
        ["relation/8", "某街道", 8]
    ]
    assert extract.water.geom_type.tolist() == ["LineString", "Polygon"]
    assert extract.green.kind.tolist() == ["park"]
    assert all(getattr(extract, layer).crs.to_epsg() == 4326 for layer in LAYERS)
    assert [stage for stage, _ in seen] == ["reading", *LAYERS]


def broken(tmp_path: Path) -> OsmExtract:
    return read_osm(
        write(
            tmp_path / "broken.osm",
            GRID
            + STREET
            + way(2, [11], highway="residential")
            + way(3, [998, 999], highway="residential")
            + way(4, [999, 12, 22, 32, 997, 42, 996], highway="residential")
            + way(5, [41, 52, 51, 42, 41], building="yes")
            + way(6, [43, 53, 54], building="yes")
            + way(7, [43, 53, 999, 43], building="yes")
            + way(8, [43, 53, 43], building="yes")
            + way(9, [44, 54, 64, 44], building="yes")
            + relation(20, [(777, "outer")], type="multipolygon", building="yes", landuse="grass"),
        )
    )


def test_broken_things_are_counted_or_repaired(tmp_path: Path) -> None:
    extract = broken(tmp_path)
    assert extract.dropped == {
        "buildings.incomplete": 1,
        "buildings.no_ground": 1,
        "buildings.nodes_missing": 1,
        "buildings.not_closed": 1,
        "buildings.too_few_corners": 1,
        "green.incomplete": 1,
        "streets.nodes_missing": 2,
    }
    assert extract.repaired == {"buildings.made_valid": 1, "streets.shortened": 1}
    assert extract.streets.osm_id.tolist() == ["way/1", "way/4"]
    np.testing.assert_allclose(
        shapely.get_coordinates(extract.streets.geometry[1]),
        [[121.401, 31.202], [121.402, 31.202], [121.403, 31.202]],
    )
    bow_tie = extract.buildings.geometry[0]
    assert bow_tie.is_valid
    assert bow_tie.area == pytest.approx(0.5e-6)


def test_what_relations_drag_in_from_afar_is_left_out(tmp_path: Path) -> None:
    far = "".join(node(900 + k, 110 + k * 1e-3, 25 + (k // 2) * 1e-3) for k in range(4))
    body = (
        GRID
        + far
        + "".join(way(50 + j, [10 * i + j for i in range(1, 8)], highway="residential") for j in range(8))
        + "".join(way(60 + i, [10 * i + j for j in range(8)], highway="residential") for i in range(1, 8))
        + way(1, [900, 901], highway="residential")
        + way(2, [900, 901, 903, 902, 900], building="yes")
    )
    path = write(tmp_path / "far.osm", body)
    extract = read_osm(path)
    assert extract.dropped == {"buildings.far_outside": 1, "streets.far_outside": 1}
    assert extract.core_bounds == pytest.approx((121.401, 31.2, 121.407, 31.207), abs=5e-4)
    assert len(read_osm(path, clip=False).streets) == len(extract.streets) + 1


@pytest.mark.parametrize("pack", [bz2.compress, gzip.compress])
def test_packed_text_is_read(tmp_path: Path, pack: object) -> None:
    plain = write(tmp_path / "a.osm", GRID + STREET)
    packed = tmp_path / ("a.osm.bz2" if pack is bz2.compress else "a.osm.gz")
    packed.write_bytes(pack(plain.read_bytes()))  # type: ignore[operator]
    assert read_osm(packed).streets.name.tolist() == ["南京路"]


def test_a_file_in_any_order_is_read(tmp_path: Path) -> None:
    shuffled = relation(9, [(5, "outer")], type="multipolygon", building="yes") + STREET
    shuffled += way(5, [41, 51, 52, 41]) + way(2, [11, 21], highway="service") + GRID
    extract = read_osm(write(tmp_path / "a.osm", shuffled))
    assert extract.streets.osm_id.tolist() == ["way/1", "way/2"]
    assert extract.buildings.osm_id.tolist() == ["relation/9"]
    assert extract.dropped == extract.repaired == {}


def test_without_streets_the_core_is_everything(tmp_path: Path) -> None:
    extract = read_osm(write(tmp_path / "a.osm", node(1, 121, 31, amenity="school")))
    assert extract.core_bounds == (121, 31, 121, 31)
    assert len(extract.sites) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.osm.pbf", b"not a protobuf at all, and long enough to be sure of it"),
        ("a.osm.pbf", b""),
        ("a.osm.gz", b"neither"),
        ("a.osm", b"<html><body>403</body></html>"),
        ("a.osm", b'<?xml version="1.0"?><osm version="0.6"></osm>'),
        ("a.csv", b"lon,lat\n1,2\n"),
        ("a", b"x"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatError, match="OpenStreetMap"):
        read_osm(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="found none at"):
        read_osm(tmp_path / "none.osm.pbf")


@pytest.mark.real
@pytest.mark.parametrize("ending", ["pbf", "gz"])
@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(
    real_data: Path, tmp_path: Path, ending: str, part: float
) -> None:
    whole = (real_data / "osm_nanjing_xinjiekou" / f"nanjing_xinjiekou.osm.{ending}").read_bytes()
    path = tmp_path / f"cut.osm.{ending}"
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(FormatError, match=r"cut\.osm"):
        read_osm(path)


def member(kind: str, ref: int, role: str) -> str:
    return f'<member type="{kind}" ref="{ref}" role="{role}"/>'


def restriction(number: int, members: str, **tags: str) -> str:
    return f'<relation id="{number}" version="1">{members}{tagged({"type": "restriction"} | tags)}</relation>'


def test_barriers_and_turn_restrictions_are_read_with_whom_they_bind(tmp_path: Path) -> None:
    body = (
        GRID
        + node(900, 121.4015, 31.2, barrier="bollard")
        + node(901, 121.4016, 31.2, barrier="gate")
        + way(1, [10, 900, 901, 20], highway="residential", access="private", surface="asphalt")
        + way(2, [20, 30], highway="primary")
        + way(3, [20, 21], highway="primary")
        + way(4, [21, 31], highway="primary")
        + restriction(
            1,
            member("way", 1, "from") + member("node", 20, "via") + member("way", 3, "to"),
            restriction="no_left_turn",
            **{"except": "bicycle"},
        )
        + restriction(
            2,
            member("way", 2, "from") + member("way", 3, "via") + member("way", 4, "to"),
            restriction="only_right_turn",
        )
        + restriction(
            3,
            member("way", 1, "from") + member("node", 20, "via") + member("way", 99, "to"),
            restriction="no_u_turn",
        )
        + restriction(
            4,
            member("way", 1, "from") + member("node", 20, "via") + member("way", 2, "to"),
            restriction__conditional="no_left_turn @ (07:00-09:00)",
            restriction="",
        )
    )
    extract = read_osm(write(tmp_path / "rules.osm", body))
    assert extract.streets.set_index("osm_id").loc["way/1", "tags"] == {"access": "private"}
    rules = extract.rules.set_index("osm_id").fillna("").drop(columns=["lon", "lat"])
    assert {ref: tuple(row) for ref, row in zip(rules.index, rules.to_numpy().tolist(), strict=True)} == {
        "node/900": ("barrier", "car", "", "", ""),
        "relation/1/1/3": ("no_left_turn", "car", "way/1", "way/3", ""),
        "relation/2/2/4": ("only_right_turn", "bicycle car", "way/2", "way/4", "way/3"),
    }
    at = extract.rules.set_index("osm_id").loc["relation/2/2/4"]
    assert (at.lon, at.lat) == (121.402, 31.2)
    assert extract.dropped["rules.incomplete"] == 1


@pytest.mark.real
def test_a_real_city_brings_its_turn_restrictions(real_data: Path) -> None:
    rules = read_osm(real_data / EXTRACTS["nanjing"]).rules
    turns = rules[rules.kind != "barrier"]
    assert 3 <= len(turns) <= 5
    assert turns.kind.str.startswith(("no_", "only_")).all()
