from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from datetime import UTC, datetime

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import MAKER, PLACE, photo, video
from PIL import Image

from geodata.shift import Shift
from gridmap.config import Settings
from gridmap.errors import InvalidValueError
from gridmap.evidence.content import Format
from gridmap.evidence.derived import Limits
from gridmap.evidence.examination import Upload, examine
from gridmap.evidence.files import Vault
from gridmap.evidence.images import derive_photo
from gridmap.evidence.models import MediaKind, Stage
from gridmap.evidence.rules import metres_between, moment_of
from gridmap.language import explain, speak

LIMITS = Limits(megapixels=10, edge=400, seconds=5)


def read(folder, content, **more):
    upload = Upload(uid=uuid.uuid4(), content=io.BytesIO(content), stage=Stage.FOUND)
    return examine(upload, settings=Settings(data_dir=folder, **more))


def shown(folder, examined):
    return Vault(folder).path(examined.shown.sha256).read_bytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_photo_is_kept_whole_and_shown_without_anything_but_the_picture(tmp_path, kind):
    content = photo(kind=kind)
    found = read(tmp_path, content)
    assert found.kind is MediaKind.PHOTO
    assert Vault(tmp_path).path(found.original.sha256).read_bytes() == content
    assert found.original.sha256 == hashlib.sha256(content).hexdigest()
    assert (found.derived.lon, found.derived.lat) == pytest.approx(PLACE, abs=1e-6)
    copy = shown(tmp_path, found)
    assert MAKER.encode() in content
    for trace in (MAKER.encode(), b"Exif", b"GPS", b"2026:05:09"):
        assert trace not in copy
    with Image.open(io.BytesIO(copy)) as picture:
        assert picture.format == "JPEG"
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive"} | {
            "progression"
        }
    with Image.open(Vault(tmp_path).path(found.thumbnail.sha256)) as small:
        assert max(small.size) == 320
        assert not small.getexif()


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "upper left"), (3, "lower right"), (6, "upper right"), (8, "lower left"), (2, "upper right")],
)
def test_a_photo_is_shown_upright(tmp_path, orientation, corner):
    found = read(tmp_path, photo(orientation=orientation))
    with Image.open(io.BytesIO(shown(tmp_path, found))) as picture:
        width, height = picture.size
        assert (width, height) == (found.derived.width, found.derived.height)
        assert (width < height) == (orientation in {6, 8})
        x = 20 if "left" in corner else width - 20
        y = 20 if "upper" in corner else height - 20
        assert picture.getpixel((x, y))[0] > 180


def test_a_large_photo_is_shown_smaller(tmp_path):
    found = read(tmp_path, photo((3000, 2000)), photo_edge=1000)
    with Image.open(io.BytesIO(shown(tmp_path, found))) as picture:
        assert picture.size == (1000, 667)
    assert (found.derived.width, found.derived.height) == (3000, 2000)


@pytest.mark.parametrize(
    ("codec", "form"), [("libx264", "mp4"), ("libx264", "mov"), ("libvpx-vp9", "webm"), ("libx265", "mp4")]
)
def test_a_video_is_shown_without_what_the_camera_wrote(tmp_path, codec, form):
    content = video(codec=codec, form=form)
    found = read(tmp_path, content)
    assert found.kind is MediaKind.VIDEO
    assert found.derived.duration == pytest.approx(2, abs=0.1)
    copy = shown(tmp_path, found)
    for trace in (MAKER.encode(), str(PLACE[0]).encode(), b"x264 - core", b"2026-05-09"):
        assert trace not in copy
    with av.open(io.BytesIO(copy)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 24
    with Image.open(Vault(tmp_path).path(found.thumbnail.sha256)) as poster:
        assert poster.size == (320, 240)


def polyglot():
    both = io.BytesIO(photo())
    with zipfile.ZipFile(both, "a") as archive:
        archive.writestr("page.html", "<p>")
    return both.getvalue()


def blank(width, height, mode="1"):
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


BAD = {
    "nothing": (b"", "空文件"),
    "a page": (b"<!DOCTYPE html><html><body>hello", "网页"),
    "a drawing": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "SVG"),
    "text": ("照片".encode() * 900, "文本"),
    "a document": (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "an animation": (b"GIF89a" + bytes(40), "GIF"),
    "cut off": (photo()[:4000], "截断或损坏"),
    "cut off early": (photo()[:300], "截断或损坏"),
    "with a page inside": (photo() + b"<script>alert(1)</script>", "网页"),
    "with an archive inside": (polyglot(), "压缩包"),
    "too many pixels": (blank(20_000, 20_000), "20000"),
    "a cut video": (video()[:-900], "截断或损坏"),
    "noise after a good beginning": (photo()[:24] + bytes(range(256)) * 40, "截断或损坏"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_in_words_and_leaves_nothing(tmp_path, case):
    content, words = BAD[case]
    with pytest.raises(InvalidValueError) as refused, speak("zh_CN"):
        read(tmp_path, content)
    with speak("zh_CN"):
        said = explain(refused.value)
    assert words in said
    assert "应为" in said or "不超过" in said
    assert str(tmp_path) not in said
    assert not [
        path for path in (tmp_path / "evidence").rglob("*") if path.is_file() and path.name != ".lock"
    ]


def test_a_long_video_and_a_big_photo_are_refused(tmp_path):
    with pytest.raises(InvalidValueError, match="seconds"):
        read(tmp_path, video(3), video_seconds=2)
    with pytest.raises(InvalidValueError, match="MB"):
        read(tmp_path, photo((1200, 1200), "PNG") + bytes(2 << 20), photo_megabytes=1)


def test_what_exhausts_the_decoder_ends_the_decoder_only(tmp_path):
    with pytest.raises(InvalidValueError, match="memory"):
        read(tmp_path, blank(9000, 9000, "RGB"), decoding_megabytes=300)


@st.composite
def damaged(draw):
    kind = draw(st.sampled_from([Format.JPEG, Format.PNG, Format.WEBP]))
    content = bytearray(photo((64, 48), kind.ending.replace("jpg", "jpeg").upper()))
    places = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    for at, value in draw(st.lists(places, min_size=1, max_size=40)):
        content[at] = value
    return kind, bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=damaged())
def test_a_damaged_photo_is_either_shown_or_refused(tmp_path, found):
    kind, content = found
    (tmp_path / "original").write_bytes(content)
    try:
        derive_photo(tmp_path / "original", kind, tmp_path, LIMITS)
    except InvalidValueError:
        return
    with Image.open(tmp_path / "shown") as picture:
        picture.load()
        assert not picture.getexif()


def test_the_camera_s_time_is_local_where_it_has_no_offset():
    zone = Settings().zone
    assert moment_of("2026-05-09T12:00:00", zone) == datetime(2026, 5, 9, 4, tzinfo=UTC)
    assert moment_of("2026-05-09T12:00:00+00:00", zone) == datetime(2026, 5, 9, 12, tzinfo=UTC)
    assert moment_of("0000-00-00T00:00:00", zone) is None
    assert moment_of(None, zone) is None


def test_a_phone_that_writes_the_shifted_grid_is_not_far_away():
    lon, lat = Shift.GCJ02.apply(np.array([121.4]), np.array([31.2]))
    assert metres_between((lon[0], lat[0]), (121.4, 31.2)) < 0.1
    assert metres_between((121.4, 31.2), (121.4, 31.2)) < 0.1
    assert metres_between((121.41, 31.2), (121.4, 31.2)) == pytest.approx(952, rel=0.6)
    assert metres_between((-60.0, -30.0), (121.4, 31.2)) > 1_000_000
