"""Photos and videos as cameras make them, small, with place and time inside."""

from __future__ import annotations

import io

import av
import numpy as np
from PIL import ExifTags, Image

PLACE = (121.405, 31.205)
TAKEN = "2026:05:09 12:00:00"
MAKER = "SecretPhone"


def _dms(degrees):
    minutes = (degrees % 1) * 60
    return float(int(degrees)), float(int(minutes)), (minutes % 1) * 60


def photo(
    size=(400, 300), kind="JPEG", *, orientation=1, place=PLACE, taken=TAKEN, offset="+08:00", seed=0, **more
):
    """A picture whose upper left quarter is red when it is held upright as stored."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(90, 110, (size[1], size[0], 3), dtype=np.uint8)
    pixels[: size[1] // 2, : size[0] // 2] = (220, 20, 20)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = MAKER
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    if taken:
        inner[ExifTags.Base.DateTimeOriginal] = taken
    if taken and offset:
        inner[ExifTags.Base.OffsetTimeOriginal] = offset
    if place:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", _dms(place[1])
        gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", _dms(place[0])
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, exif=exif, **more)
    return buffer.getvalue()


def video(seconds=2, *, codec="libx264", form="mp4", size=(320, 240)):
    """A film of a growing bar, with its place and a remark."""
    buffer = io.BytesIO()
    options = {} if form == "webm" else {"movflags": "use_metadata_tags"}
    with av.open(buffer, "w", format=form, options=options) as film:
        film.metadata["location"] = f"+{PLACE[1]}+{PLACE[0]}/"
        film.metadata["creation_time"] = "2026-05-09T04:00:00Z"
        film.metadata["comment"] = MAKER
        stream = film.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(12 * seconds):
            pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
            pixels[:, : (number * 7) % size[0]] = (200, 80, 40)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels)):
                film.mux(packet)
        for packet in stream.encode():
            film.mux(packet)
    return buffer.getvalue()
