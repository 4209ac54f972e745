"""Videos: probed, limited, and packed anew without anything but moving pictures and sound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import av
from av.bitstream import BitStreamFilterContext, bitstream_filters_available

from gridmap.errors import InvalidValueError
from gridmap.evidence.content import Format
from gridmap.evidence.derived import Derived
from gridmap.evidence.images import save_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from PIL import Image

    from gridmap.evidence.derived import Limits

__all__ = ["derive_video"]

_DEMUXERS = {Format.MP4: "mov", Format.MOV: "mov", Format.WEBM: "matroska"}
_PLAYABLE = {
    Format.MP4: {"h264", "hevc", "av1", "vp9", "mpeg4", "aac", "mp3", "opus"},
    Format.WEBM: {"vp8", "vp9", "av1", "opus", "vorbis"},
}
"""Codecs that the copy may hold, by its own format."""
_REMARKS = {"h264": "filter_units=remove_types=6"}
"""Leaves out messages inside the stream in which cameras write place and time."""
_WHOLE = 0.9
"""Share of the stated length that must be there."""
_ISO_6709 = re.compile(r"([+-]\d{2,3}\.\d+)([+-]\d{2,3}\.\d+)")


def derive_video(source: Path, kind: Format, folder: Path, limits: Limits) -> Derived:
    """Make the copy for showing and the thumbnail of a video.

    Parameters
    ----------
    source
        The file as it came.
    kind
        What its first bytes say it is; no other reader is tried, so that no playlist is followed.
    folder
        Where the copies are written.
    limits
        Longer videos are refused.

    Raises
    ------
    InvalidValueError
        If it is longer than allowed, cut off, broken, or of a codec that browsers do not play.
    """
    shown = Format.WEBM if kind is Format.WEBM else Format.MP4
    try:
        with av.open(
            str(source),
            format=_DEMUXERS[kind],
            options={"protocol_whitelist": "file"},
            metadata_errors="ignore",
        ) as film:
            video, sound = _streams(film, shown)
            width, height, duration = _measures(film, video, limits)
            said = _said({**film.metadata, **video.metadata})
            picture = _poster(film, video, duration)
            save_copies(picture, folder, edge=limits.edge, thumbnail=limits.thumbnail)
            (folder / "shown").unlink()
            film.seek(0)
            seen = _pack(film, [video, *sound], folder / "shown", shown)
    except (av.FFmpegError, EOFError, StopIteration, ValueError) as error:
        raise InvalidValueError(
            "Expected a whole video; found one that is cut off or broken ({found}).",
            found=getattr(error, "strerror", None) or type(error).__name__,
        ) from error
    if seen < _WHOLE * duration:
        raise InvalidValueError(
            "Expected a whole video; found one that is cut off or broken ({found}).",
            found=f"{seen:.1f} s / {duration:.1f} s",
        )
    upright = picture.size if (picture.width > picture.height) == (width > height) else None
    if upright is None:
        width, height = height, width
    return Derived(
        shown="shown",
        shown_type=shown,
        thumbnail="thumbnail",
        width=width,
        height=height,
        duration=round(duration, 2),
        **said,
    )


def _streams(film: InputContainer, shown: Format) -> tuple[Any, list[Any]]:
    if not film.streams.video:
        raise InvalidValueError("Expected a video; found a file without moving pictures.")
    video = film.streams.video[0]
    name = video.codec_context.name
    if name not in _PLAYABLE[shown]:
        raise InvalidValueError(
            "Expected a video that browsers play (H.264, HEVC, VP9, AV1); found {found}.", found=name
        )
    sound = [stream for stream in film.streams.audio if stream.codec_context.name in _PLAYABLE[shown]]
    return video, sound[:1]


def _measures(film: InputContainer, video: Any, limits: Limits) -> tuple[int, int, float]:
    width, height = int(video.codec_context.width), int(video.codec_context.height)
    if width * height <= 0 or width * height > limits.megapixels * 1_000_000:
        raise InvalidValueError(
            "Expected at most {most} megapixels; found {width} × {height}.",
            most=limits.megapixels,
            width=width,
            height=height,
        )
    duration = float(film.duration / av.time_base) if film.duration else _stream_length(video)
    if duration > limits.seconds:
        raise InvalidValueError(
            "Expected a video of at most {most} seconds; found {found}.",
            most=limits.seconds,
            found=round(duration),
        )
    return width, height, duration


def _stream_length(video: Any) -> float:
    return float(video.duration * video.time_base) if video.duration else 0.0


def _poster(film: InputContainer, video: Any, duration: float) -> Image.Image:
    """An image a little after the beginning, upright: the first ones are often dark or blurred."""
    wanted = min(1.0, duration / 3)
    last = None
    for frame in film.decode(video):
        last = frame
        if frame.time is None or frame.time >= wanted:
            break
    if last is None:
        raise InvalidValueError("Expected a video; found a file without moving pictures.")
    picture: Image.Image = last.to_image()
    return picture.rotate(last.rotation, expand=True) if last.rotation % 360 else picture


def _pack(film: InputContainer, streams: list[Any], target: Path, shown: Format) -> float:
    """Write the streams into a new file and return up to which second there were moving pictures."""
    flags = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if shown is Format.MP4 else {})
    seen = 0.0
    with av.open(str(target), "w", format="mp4" if shown is Format.MP4 else "webm", options=flags) as copy:
        outs = {stream.index: copy.add_stream_from_template(stream, opaque=True) for stream in streams}
        for out in outs.values():
            out.metadata.clear()
        filters = {stream.index: _remarks(stream) for stream in streams}
        for packet in film.demux(streams):
            if packet.dts is None:
                continue
            if packet.stream is streams[0] and packet.pts is not None:
                end = packet.pts + (packet.duration or 0)
                seen = max(seen, float(end * packet.time_base))
            for part in filters[packet.stream.index](packet):
                part.stream = outs[packet.stream.index]
                copy.mux(part)
    return seen


def _remarks(stream: Stream) -> Callable[[Packet[Any]], Iterable[Packet[Any]]]:
    name = stream.codec_context.name
    if name not in _REMARKS or "filter_units" not in bitstream_filters_available:
        return lambda packet: (packet,)
    context = BitStreamFilterContext(_REMARKS[name], stream)
    return context.filter


def _said(metadata: Mapping[str, str]) -> dict[str, Any]:
    """When and where the camera says that it took the video."""
    found: dict[str, Any] = {}
    place = metadata.get("com.apple.quicktime.location.ISO6709") or metadata.get("location") or ""
    match = _ISO_6709.match(place)
    if match:
        lat, lon = float(match[1]), float(match[2])
        if -90 <= lat <= 90 and -180 <= lon <= 180 and (lon, lat) != (0, 0):
            found |= {"lon": lon, "lat": lat}
    taken = metadata.get("com.apple.quicktime.creationdate") or metadata.get("creation_time")
    if taken and not taken.startswith(("1904", "1970")):
        found["taken"] = taken
    return found
