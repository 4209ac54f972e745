from __future__ import annotations

import csv
import datetime as dt
import gzip
import shutil
import zipfile
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely import Point

from geodata.errors import FormatError
from geodata.tables import Limits, as_text, read_table

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["人民路农贸市场", "江苏路派出所", "复兴中路小学"]


def points() -> geopandas.GeoDataFrame:
    table = pd.DataFrame({"名称": NAMES, "电话": ["02112345678", None, "13800000000"], "等级": [1, 2, 3]})
    return geopandas.GeoDataFrame(table, geometry=[Point(121.4 + i, 31.2) for i in range(3)], crs="EPSG:4326")


def shapefile(folder: Path, *, encoding: str, cpg: str | None = "") -> Path:
    """Write a Shapefile; cpg "" keeps GDAL's own .cpg, None removes it, else it is what the file says."""
    path = folder / "点位.shp"
    pyogrio.write_dataframe(points(), path, encoding=encoding)
    written = path.with_suffix(".cpg")
    if cpg is None:
        written.unlink(missing_ok=True)
        # The language byte of the .dbf would tell as well.
        dbf = bytearray(path.with_suffix(".dbf").read_bytes())
        dbf[29] = 0
        path.with_suffix(".dbf").write_bytes(dbf)
    elif cpg:
        written.write_text(cpg)
    return path


def roster(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "花名册"
    sheet.append(["某某社区网格员花名册"])
    sheet.merge_cells("A1:D1")
    sheet.append(["单位", "姓名", "联系电话", "生效日期"])
    sheet.append(["第一网格", "张三", 13812345678, dt.datetime(2024, 5, 1)])  # noqa: DTZ001 - sheets know no zone
    sheet.append([None, "李四", "013900000000", dt.datetime(2024, 5, 1, 8, 30)])  # noqa: DTZ001
    sheet.append([None, None, None, None])
    sheet.append(["第二网格", "=王五", 1.5, None])
    sheet["B6"].data_type = "s"
    sheet.merge_cells("A3:A4")
    book.create_sheet("空表")
    book.save(path)
    return path


def test_a_roster_with_title_and_merged_cells(tmp_path: Path) -> None:
    table = read_table(roster(tmp_path / "a.xlsx"))
    assert table.columns == ("单位", "姓名", "联系电话", "生效日期")
    assert table.header_row == 2
    assert table.row_numbers.tolist() == [3, 4, 6]
    assert table.frame["单位"].tolist() == ["第一网格", "第一网格", "第二网格"]
    assert table.text("联系电话").tolist() == ["13812345678", "013900000000", "1.5"]
    assert table.text("生效日期").tolist() == ["2024-05-01", "2024-05-01 08:30:00", None]
    assert table.text("姓名")[2] == "=王五"
    assert (table.layer, table.layers, table.geometry) == ("花名册", ("花名册", "空表"), None)


def test_sheets_are_chosen_by_name(tmp_path: Path) -> None:
    path = roster(tmp_path / "a.xlsx")
    with pytest.raises(FormatError, match="no filled cell"):
        read_table(path, sheet="空表")
    with pytest.raises(FormatError, match="花名册, 空表; found '别的'"):
        read_table(path, sheet="别的")


def test_a_header_of_two_lines(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["姓名", "联系方式", None])
    sheet.append([None, "电话", "地址"])
    sheet.append(["张三", "138", "人民路"])
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:C1")
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert table.columns == ("姓名", "电话", "地址")
    assert table.frame.to_numpy().tolist() == [["张三", "138", "人民路"]]
    assert table.header_row == 2


def test_columns_can_be_filled_down_and_a_header_stated(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,2\n单位,人\n甲,a\n,b\n乙,c\n , \n", encoding="utf-8")
    with pytest.raises(FormatError, match="row 1: 1, 2"):
        read_table(path)
    table = read_table(path, header_row=2, fill_down=["单位"])
    assert table.frame["单位"].tolist() == ["甲", "甲", "乙"]
    assert table.row_numbers.tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("packed", [False, True])
def test_delimited_text(tmp_path: Path, encoding: str, found: str, mark: str, packed: bool) -> None:
    rows = [
        ["某社区重点点位", "", "", ""],
        ["编号", "名称", "电话", "备注"],
        ["007", NAMES[0], "02100000000", "第一行\n第二行"],
        ["", "", "", ""],
        ["008", NAMES[1], "1e5", '=SUM(A1)"NA"'],
        ["009", NAMES[2], "", "NA"],
    ]
    quoted = [
        mark.join(
            '"' + cell.replace('"', '""') + '"' if "\n" in cell or '"' in cell else cell for cell in row
        )
        for row in rows
    ]
    data = "\r\n".join(quoted).encode(encoding)
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    table = read_table(path)
    assert (table.encoding, table.header_row) == (found, 2)
    assert table.columns == ("编号", "名称", "电话", "备注")
    assert table.row_numbers.tolist() == [3, 5, 6]
    assert table.text("编号").tolist() == ["007", "008", "009"]
    assert table.text("电话").tolist() == ["02100000000", "1e5", None]
    assert table.text("备注").tolist() == ["第一行\n第二行", '=SUM(A1)"NA"', "NA"]


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("nome,lugar\nSão João,Praça da Ribeira\nJosé Simões,Rua de Cedofeita\n" * 5, "cp1252", "cp1252"),
        (
            "名稱,地址\n竹北市公所,新竹縣竹北市光明六路\n博愛國小,新竹縣竹北市博愛街\n東海里辦公處,東興路一段\n"
            * 3,
            "big5",
            "big5",
        ),
    ],
)
def test_other_encodings_are_told_apart(tmp_path: Path, text: str, encoding: str, found: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    table = read_table(path)
    assert table.encoding == found
    assert table.columns == tuple(text.split("\n", maxsplit=1)[0].split(","))


def test_a_stated_encoding_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("名称,电话\n市场,1\n".encode("gbk"))
    assert read_table(path, encoding="GB2312").encoding == "gb18030"
    with pytest.raises(FormatError, match=r"text in utf-8; a\.csv is not, at byte 0"):
        read_table(path, encoding="utf-8")
    with pytest.raises(FormatError, match="found 'klingon'"):
        read_table(path, encoding="klingon")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("甲,1\n乙,2,3\n丙,4\n丁,5\n戊,6\n", "found more in row 3"),
        ("甲,1\n乙,2,3,4\n丙,4\n丁,5\n戊,6\n", "fields"),
        ('甲,"1\n', "EOF"),
    ],
)
def test_rows_with_too_many_cells_are_refused(tmp_path: Path, body: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("名称,数量\n" + body, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_table(path)


def test_short_rows_and_trailing_commas_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("名称,数量,\n甲\n乙,2,\n", encoding="utf-8")
    table = read_table(path)
    assert table.text("数量").tolist() == [None, "2"]
    assert table.columns == ("名称", "数量", "C")


def test_equal_names_are_made_distinct(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("电话,电话,姓名,地址,职务,备注\n1,2,3,4,5,6\n", encoding="utf-8")
    assert read_table(path).columns[:2] == ("电话", "电话 (2)")


@pytest.mark.parametrize(
    ("encoding", "cpg", "used"),
    [
        ("UTF-8", "", "utf-8"),
        ("GBK", "", "gb18030"),
        ("GBK", None, "gb18030"),
        ("UTF-8", None, "utf-8"),
        ("GBK", "UTF-8", "gb18030"),
        ("UTF-8", "ISO-8859-1", "utf-8"),
        ("UTF-8", "nonsense", "utf-8"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_shapefiles_whatever_their_cpg_says(
    tmp_path: Path, encoding: str, cpg: str | None, used: str, zipped: bool
) -> None:
    path = shapefile(tmp_path, encoding=encoding, cpg=cpg)
    if zipped:
        archive = tmp_path / "压缩.zip"
        with zipfile.ZipFile(archive, "w") as target:
            for part in tmp_path.glob("点位.*"):
                target.write(part, f"数据/{part.name}")
        path = archive
    table = read_table(path)
    assert table.encoding == used
    assert table.text("名称").tolist() == NAMES
    assert table.text("电话").tolist() == ["02112345678", None, "13800000000"]
    assert table.frame["等级"].tolist() == [1, 2, 3]
    assert table.crs == "EPSG:4326"
    assert table.layers == ("点位",)
    assert shapely.get_x(table.geometry).tolist() == [121.4, 122.4, 123.4]
    assert table.row_numbers.tolist() == [1, 2, 3]


def test_text_cut_in_the_middle_of_a_character_loses_only_that(tmp_path: Path) -> None:
    frame = points()
    frame["名称"] = "社" * 100
    pyogrio.write_dataframe(frame, tmp_path / "a.shp", encoding="GBK")
    dbf = (tmp_path / "a.dbf").read_bytes()
    width = dbf[32 + 16]
    cut = dbf.replace("社".encode("gbk") * 100, "社".encode("gbk") * 99 + "社".encode("gbk")[:1] + b" ")
    assert width >= 200
    (tmp_path / "a.dbf").write_bytes(cut)
    (tmp_path / "a.cpg").unlink(missing_ok=True)
    assert read_table(tmp_path / "a.shp").text("名称").tolist() == ["社" * 99] * 3


@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_layers_with_geometry(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    frame = points()
    frame.loc[3] = [None, None, None, None]
    frame.loc[4] = ["无位置", None, 5, None]
    pyogrio.write_dataframe(frame, path)
    table = read_table(path)
    assert table.text("名称").tolist() == [*NAMES, "无位置"]
    assert table.row_numbers.tolist() == [1, 2, 3, 5]
    assert table.text("等级").tolist() == ["1", "2", "3", "5"]
    assert table.geometry is not None
    assert table.geometry[3] is None
    assert (table.crs, table.encoding, table.header_row) == ("EPSG:4326", None, None)


def test_layers_are_chosen_by_name_and_may_lack_geometry(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(points(), path, layer="点位")
    pyogrio.write_dataframe(pd.DataFrame({"姓名": ["张三"]}), path, layer="人员", append=True)
    assert read_table(path).layer == "点位"
    people = read_table(path, layer="人员")
    assert people.geometry is None
    assert people.layers == ("点位", "人员")
    with pytest.raises(FormatError, match="点位, 人员; found 'x'"):
        read_table(path, layer="x")


def test_a_projected_crs_is_told(tmp_path: Path) -> None:
    pyogrio.write_dataframe(points().to_crs("EPSG:4549"), tmp_path / "a.gpkg")
    assert read_table(tmp_path / "a.gpkg").crs == "EPSG:4549"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"<html><table></table></html>", "Web pages saved"),
        ("a.xls", b"", "workbook"),
        ("a.xlsx", b"PK\x03\x04broken", "workbook"),
        ("a.csv.gz", b"no gzip", "gzip"),
        ("a.csv", b"", "no filled cell"),
        ("a.geojson", b"<OGRVRTDataSource/>", "begin like a .geojson"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [', "cannot be read"),
        ("a.gpkg", b"SQLite format 3\0 and no more", "cannot be read"),
        ("a.shp", b"\x00\x00\x27\x0a", "cannot be read"),
        ("a.zip", b"PK no zip", "zip archive"),
        ("a.pdf", b"%PDF", "kinds"),
        ("a.gpkg.gz", b"x", "kinds"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_table(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FormatError, match="found none at"):
            read_table(path)


def test_archives_are_read_in_place_and_without_foreign_formats(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../escaped.geojson", "<OGRVRTDataSource/>")
    with pytest.raises(FormatError, match="begin like"):
        read_table(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(FormatError, match="found none"):
        read_table(tmp_path / "b.zip")
    assert not list(tmp_path.parent.glob("escaped*"))


def test_limits_are_kept(tmp_path: Path) -> None:
    text = tmp_path / "a.csv"
    text.write_text("名称,数量\n" + "甲,1\n" * 10, encoding="utf-8")
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(b"a,b\n" + b"0" * 1_000_000))
    layer = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(points(), layer)
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a.geojson", b"{" + b" " * 1_000_000)
    for path in (text, layer, roster(tmp_path / "c.xlsx")):
        assert len(read_table(path, limits=Limits(rows=10)))
        with pytest.raises(FormatError, match="at most 2 rows"):
            read_table(path, limits=Limits(rows=2))
    for path in (packed, archive):
        assert path.stat().st_size < 20_000
        with pytest.raises(FormatError, match="at most 100000 bytes"):
            read_table(path, limits=Limits(size=100_000))


def test_cells_as_text() -> None:
    cells = pd.Series(
        [13812345678.0, 1, True, None, float("nan"), " a ", "  ", 0.1, dt.date(2024, 1, 2)], dtype=object
    )
    assert as_text(cells).tolist() == ["13812345678", "1", "True", None, None, "a", None, "0.1", "2024-01-02"]
    assert as_text(pd.Series([1.0, np.nan])).tolist() == ["1", None]
    assert as_text(pd.Series([], dtype=object)).tolist() == []
    assert as_text(pd.Series(pd.to_datetime(["2024-01-02 03:04", None]))).tolist() == [
        "2024-01-02 03:04:00",
        None,
    ]


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="单位, 姓名, 联系电话, 生效日期; found '手机'"):
        read_table(roster(tmp_path / "a.xlsx")).text("手机")


@pytest.mark.real
def test_boston_is_read_whole(real_data: Path) -> None:
    files = sorted((real_data / "boston_311").glob("boston_311_2015Q*.csv.gz"))
    tables = [read_table(path) for path in files]
    for path, table in zip(files, tables, strict=True):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            assert len(table) == sum(1 for _ in csv.reader(stream)) - 1
    assert len(files) >= 3
    codes = [table.text("LOCATION_ZIPCODE") for table in tables]
    assert "02108" in set(np.concatenate(codes))
    assert tables[0].row_numbers[[0, -1]].tolist() == [2, len(tables[0]) + 1]


@pytest.mark.real
def test_real_layers(real_data: Path) -> None:
    units = read_table(real_data / "grid_zhubei_units" / "zhubei_base_units.geojson")
    assert len(units) == 1033
    assert units.text("TOWN_ID")[0] == "10004010"
    assert units.crs in ("EPSG:4326", "OGC:CRS84")
    districts = read_table(real_data / "districts_hk_macau" / "hongkong_districts.geojson")
    assert len(districts) == 19
    assert len(read_table(real_data / "districts_hk_macau" / "macau_parishes.geojson")) in (8, 9)


@pytest.mark.real
def test_a_real_layer_survives_every_format(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "districts_hk_macau" / "macau_parishes.geojson"
    wanted = read_table(source)
    frame = geopandas.GeoDataFrame(wanted.frame, geometry=wanted.geometry, crs="EPSG:4326")
    for name, options in (("a.gpkg", {}), ("a.shp", {"encoding": "UTF-8"}), ("b.geojson", {})):
        pyogrio.write_dataframe(frame, tmp_path / name, **options)
        found = read_table(tmp_path / name)
        np.testing.assert_array_equal(found.text("name"), wanted.text("name"))
    shutil.make_archive(str(tmp_path.parent / f"{tmp_path.name}-all"), "zip", tmp_path)
    archive = tmp_path.parent / f"{tmp_path.name}-all.zip"
    assert set(read_table(archive).layers) >= {"a"}
