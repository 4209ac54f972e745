"""A scene drawn as a picture, with title, legend, scale and north, for reports and printing."""

from __future__ import annotations

import io
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont

from gridmap.hotspots.heat import heat_legend, heat_tile
from gridmap.language import gettext
from gridmap.places.extent import from_openstreetmap
from web import appearance
from web.api.answering import now, today
from web.export_scene import base_features, filters_in_words
from web.installation import clocks, db, installation

if TYPE_CHECKING:
    from web.export_scene import Frame, Scene

__all__ = ["Sheet", "cell_colour", "draw_base", "draw_picture", "heat_layer"]

_FINE = 2  # drawn at twice the size and shrunk: smooth edges
_HEADER = 76
_PAPER, _INK, _SOFT = "#f6f5f1", "#17211f", "#52605d"
_SURFACES = {"water": "#cfe2ec", "green": "#e3eeda"}
_STREETS = {"motorway": 7, "trunk": 7, "primary": 6, "secondary": 5, "tertiary": 4, "residential": 2.6}
_SINGLE_FROM = 16


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    own = Path(__file__).parent / "static" / "vendor" / "noto-sans-sc" / "NotoSansSC_400Regular.ttf"
    for file in (str(own), "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc"):
        try:
            return ImageFont.truetype(file, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


class Sheet:
    """Pillow's drawing at twice the size, in degrees.

    Parameters
    ----------
    frame
        Where the picture lies.
    background
        Colour; None: transparent.
    """

    def __init__(self, frame: Frame, background: str | None) -> None:
        self.frame = frame
        size = (frame.width * _FINE, frame.height * _FINE)
        self.image = Image.new("RGBA", size, background or (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)

    def xy(self, coordinates: Any) -> list[tuple[float, float]]:
        """Longitudes and latitudes as pixels of the drawing, which is larger than the picture."""
        return [tuple(pair) for pair in (self.frame.pixels(coordinates) * _FINE).tolist()]

    def polygons(self, shape: Any, fill: str | None, outline: str | None = None, width: float = 1) -> None:
        """Draw polygons; the width is in pixels of the picture."""
        for part in shapely.get_parts(shape):
            ring = self.xy(shapely.get_coordinates(shapely.get_exterior_ring(part)))
            if fill:
                self.pen.polygon(ring, fill=fill)
            if outline:
                self.pen.line(ring, fill=outline, width=round(width * _FINE), joint="curve")

    def lines(self, shape: Any, colour: str, width: float) -> None:
        """Draw lines; the width is in pixels of the picture."""
        for part in shapely.get_parts(shape):
            self.pen.line(
                self.xy(shapely.get_coordinates(part)), fill=colour, width=round(width * _FINE), joint="curve"
            )

    def dot(self, at: Any, radius: float, fill: str, rim: str = "#ffffff", rim_width: float = 1) -> None:
        """Draw a dot; sizes are in pixels of the picture."""
        [(x, y)] = self.xy(np.array([at]))
        r = radius * _FINE
        self.pen.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=rim, width=round(rim_width * _FINE))

    def text(
        self,
        at: tuple[float, float],
        words: str,
        size: int,
        colour: str = _INK,
        *,
        rim: bool = True,
    ) -> None:
        """Write words around a place in pixels of the picture."""
        self.pen.text(
            (at[0] * _FINE, at[1] * _FINE),
            words,
            font=_font(size * _FINE),
            fill=colour,
            anchor="mm",
            stroke_width=_FINE * 2 if rim else 0,
            stroke_fill="#ffffff",
        )

    def sign(self, place: tuple[float, float], at: tuple[float, float], radius: float, colour: str) -> None:
        """Draw a round sign in pixels of the picture, with a line to the place where it belongs."""
        ends = [(x * _FINE, y * _FINE) for x, y in (place, at)]
        if place != at:
            self.pen.line(ends, fill=colour, width=2 * _FINE)
            self._disc(ends[0], 4.0, colour, 1)
        self._disc(ends[1], radius, colour, 3)

    def _disc(self, at: tuple[float, float], radius: float, colour: str, rim: int) -> None:
        (x, y), r = at, radius * _FINE
        self.pen.ellipse((x - r, y - r, x + r, y + r), fill=colour, outline="#ffffff", width=rim * _FINE)

    def width(self, words: str, size: int) -> float:
        """Return how wide words are, in pixels of the picture."""
        return float(self.pen.textlength(words, font=_font(size * _FINE))) / _FINE

    def along(self, at: tuple[float, float], words: str, size: int, angle: float, colour: str = _INK) -> None:
        """Write words around a place in pixels of the picture, turned by degrees against the clock."""
        high, wide = (size + 8) * _FINE, math.ceil(self.width(words, size) + 8) * _FINE
        label = Image.new("RGBA", (wide, high))
        ImageDraw.Draw(label).text(
            (wide / 2, high / 2),
            words,
            font=_font(size * _FINE),
            fill=colour,
            anchor="mm",
            stroke_width=_FINE * 2,
            stroke_fill="#ffffff",
        )
        turned = label.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
        corner = round(at[0] * _FINE - turned.width / 2), round(at[1] * _FINE - turned.height / 2)
        self.image.alpha_composite(turned, (max(corner[0], 0), max(corner[1], 0)))


def draw_base(frame: Frame) -> Image.Image:
    """Draw the base map alone, as a picture of the frame's size."""
    sheet, found = Sheet(frame, _PAPER), base_features(frame)
    for kind, shape in zip(found["surface"]["kind"], found["surface"]["geometry"], strict=True):
        sheet.polygons(shape, _SURFACES.get(kind, "#eeeeee"))
    for shape in found.get("building", {}).get("geometry", ()):
        sheet.polygons(shape, "#e4e0d8")
    grow = 2.0 ** max(-2, min(frame.zoom - 16, 2))
    streets = found["street"]
    order = np.argsort([_STREETS.get(c, 1.6) for c in streets["road_class"]], kind="stable")
    for casing in (True, False):
        for row in order:
            width = max(_STREETS.get(streets["road_class"][row], 1.6) * grow, 0.7)
            colour = "#d9d5cc" if casing else "#ffffff"
            sheet.lines(streets["geometry"][row], colour, width + 1.4 if casing else width)
    return sheet.image.reduce(_FINE)


def heat_layer(scene: Scene) -> Image.Image | None:
    """Heat as a transparent picture of the frame's size; None where the view shows none."""
    if scene.view is None or "heat" not in scene.query.shown:
        return None
    frame, query = scene.frame, scene.query
    divisor = installation().denominators.get(db(), clocks(), query.per, today())
    layer = Image.new("RGBA", (frame.width, frame.height))
    left, top = frame.corner
    for x, y, z in frame.tiles():
        tile = Image.open(io.BytesIO(heat_tile(scene.view, (z, x, y), weight=query.weight, per=divisor)))
        layer.paste(tile.convert("RGBA"), (round(x * 256 - left), round(y * 256 - top)))
    return layer


def _value(cell: dict[str, Any], colour: str) -> float | None:
    if colour == "load":
        return float(cell["open"])
    if colour == "overdue":
        return cell["overdue"] / cell["open"] if cell["open"] else 0.0
    seen = cell["last_patrol_at"]
    return None if seen is None else (now() - seen).total_seconds() / 86_400


def cell_colour(scene: Scene) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Colour of each cell by uid, and the legend: colour and words."""
    colour = scene.query.colour
    ramp = appearance.RAMPS[colour]
    breaks = appearance.BREAKS.get(colour) or appearance.load_breaks([cell["open"] for cell in scene.cells])
    colours = {
        cell["uid"]: appearance.MISSING
        if (v := _value(cell, colour)) is None
        else ramp[sum(v >= b for b in breaks)]
        for cell in scene.cells
    }

    def said(bound: float) -> str:
        return f"{bound:.0%}" if colour == "overdue" else f"{bound:g}"

    words = [f"< {said(breaks[0])}", *(f"≥ {said(bound)}" for bound in breaks)]
    return colours, list(zip(ramp, words, strict=True))


def draw_picture(scene: Scene) -> bytes:
    """Draw a scene as PNG: the map at the frame's size under a line of title."""
    frame = scene.frame
    picture = draw_base(frame).convert("RGBA")
    if scene.cells:
        picture = Image.alpha_composite(picture, _cells(scene))
    if (heat := heat_layer(scene)) is not None:
        picture = Image.alpha_composite(picture, heat)
    picture = Image.alpha_composite(picture, _places(scene))
    whole = Image.new("RGB", (frame.width, frame.height + _HEADER), "#ffffff")
    whole.paste(picture.convert("RGB"), (0, _HEADER))
    _title(scene, whole)
    _legend(scene, whole)
    _scale(scene, whole)
    out = io.BytesIO()
    whole.save(out, "PNG", optimize=True)
    return out.getvalue()


def _cells(scene: Scene) -> Image.Image:
    sheet = Sheet(scene.frame, None)
    colours, _ = cell_colour(scene)
    for cell in scene.cells:
        sheet.polygons(cell["geometry"], colours[cell["uid"]] + "a6", "#6d7673", 0.9)
        if not cell["held"]:
            _hatch(sheet, cell["geometry"])
    return sheet.image.resize((scene.frame.width, scene.frame.height), Image.Resampling.LANCZOS)


def _hatch(sheet: Sheet, shape: Any) -> None:
    mask = Image.new("L", sheet.image.size)
    pen = ImageDraw.Draw(mask)
    for part in shapely.get_parts(shape):
        pen.polygon(sheet.xy(shapely.get_coordinates(shapely.get_exterior_ring(part))), fill=255)
    box = mask.getbbox()
    if box is None:
        return
    stripes = Image.new("RGBA", sheet.image.size)
    pen = ImageDraw.Draw(stripes)
    for start in range(box[0] - (box[3] - box[1]), box[2], 8 * _FINE):
        pen.line((start, box[3], start + box[3] - box[1], box[1]), fill="#282c3c9e", width=round(1.4 * _FINE))
    sheet.image.paste(stripes, mask=Image.composite(stripes.getchannel("A"), Image.new("L", mask.size), mask))


def _places(scene: Scene) -> Image.Image:
    frame = scene.frame
    sheet = Sheet(frame, None)
    for road in scene.roads:
        colour, width = appearance.ROADS.get(road["level"], appearance.ROADS[2])
        sheet.lines(road["geometry"], colour, width)
    if frame.zoom >= _SINGLE_FROM or not scene.cells:
        for lon, lat, _, overdue in scene.problems:
            sheet.dot((lon, lat), 4, "#2b8a7b", "#b3261e" if overdue else "#ffffff", 1.6 if overdue else 1)
    for point in scene.points:
        at = shapely.get_coordinates(shapely.point_on_surface(point["geometry"]))[0]
        sheet.dot(
            at,
            5 if point["priority"] == 1 else 4,
            appearance.SITES.get(point["site_type"], appearance.SITES[""])[0],
        )
    for cell in scene.cells:
        middle = frame.pixels(shapely.get_coordinates(shapely.point_on_surface(cell["geometry"])))[0]
        west, south, east, north = cell["geometry"].bounds
        (left, top), (right, bottom) = frame.pixels(np.array([[west, north], [east, south]]))
        if right - left < 70 or bottom - top < 44:
            continue
        name = cell["name"] or cell["code"][-5:]
        if right - left < 170 and "第" in name:
            name = name[name.rindex("第") :]
        sheet.text((middle[0], middle[1] - 8), name, 13)
        if cell["holder"]:
            sheet.text((middle[0], middle[1] + 9), cell["holder"], 12, _SOFT)
    return sheet.image.resize((frame.width, frame.height), Image.Resampling.LANCZOS)


def _title(scene: Scene, whole: Image.Image) -> None:
    pen = ImageDraw.Draw(whole)
    moment = (scene.query.at or now()).astimezone(installation().settings.zone)
    pen.text((20, 12), gettext("Grid map"), font=_font(26), fill=_INK)
    pen.text((20, 47), f"{filters_in_words(scene.query)}", font=_font(15), fill=_SOFT)
    totals = gettext("{n} problems, {overdue} overdue", n=scene.total, overdue=scene.overdue)
    pen.text(
        (whole.width - 20, 14), moment.strftime("%Y-%m-%d %H:%M"), font=_font(17), fill=_INK, anchor="ra"
    )
    if scene.view is not None:
        pen.text((whole.width - 20, 47), totals, font=_font(15), fill=_SOFT, anchor="ra")


def _legend(scene: Scene, whole: Image.Image) -> None:
    lines: list[tuple[str | None, str]] = []
    titles = {
        "load": gettext("Unresolved problems per cell"),
        "overdue": gettext("Overdue share of the unresolved"),
        "patrol": gettext("Days since the last patrol"),
    }
    if scene.cells:
        lines += [
            (None, titles[scene.query.colour]),
            *cell_colour(scene)[1],
            ("#", gettext("held by nobody")),
        ]
    if scene.view is not None and "heat" in scene.query.shown:
        divisor = installation().denominators.get(db(), clocks(), scene.query.per, today())
        found = heat_legend(
            scene.view,
            scene.frame.zoom,
            weight=scene.query.weight,
            per=scene.query.per,
            divisor=divisor,
            lat=scene.frame.lat,
        )
        lines += [(None, f"{gettext('Heat')} ({found.unit})"), *((c, f"{v:.2g}") for v, c in found.stops)]
    if scene.roads:
        lines += [
            (None, gettext("Priority roads")),
            (appearance.ROADS[1][0], gettext("key road")),
            (appearance.ROADS[2][0], gettext("ordinary")),
        ]
    if scene.points:
        types = {p["site_type"]: p["type_name"] for p in scene.points}
        lines += [(None, gettext("Inspection points"))]
        lines += [
            (appearance.SITES.get(kind, appearance.SITES[""])[0], name)
            for kind, name in list(types.items())[:14]
        ]
    if not lines:
        return
    pen = ImageDraw.Draw(whole, "RGBA")
    width = max(int(pen.textlength(words, font=_font(13))) for _, words in lines) + 60
    height = 20 * len(lines) + 18
    top = whole.height - height - 20
    pen.rounded_rectangle((20, top, 20 + width, top + height), 8, fill="#fffffff0", outline="#d5dcda")
    for number, (colour, words) in enumerate(lines):
        y = top + 10 + 20 * number
        if colour is None:
            pen.text((32, y + 9), words, font=_font(13), fill=_INK, anchor="lm")
            continue
        pen.rectangle((34, y + 3, 54, y + 15), fill=None if colour == "#" else colour, outline="#9aa5a2")
        if colour == "#":
            for x in range(36, 54, 5):
                pen.line((x - 2, y + 15, x + 4, y + 3), fill="#282c3c", width=1)
        pen.text((62, y + 9), words, font=_font(13), fill=_SOFT, anchor="lm")


def _scale(scene: Scene, whole: Image.Image) -> None:
    pen = ImageDraw.Draw(whole, "RGBA")
    metres = scene.frame.metres_per_pixel * 180
    power = 10 ** int(np.floor(np.log10(metres)))
    length = next(step * power for step in (5, 2, 1) if step * power <= metres)
    pixels = length / scene.frame.metres_per_pixel
    right, y = whole.width - 30, whole.height - 34
    words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    pen.rounded_rectangle((right - pixels - 14, y - 26, right + 14, y + 24), 6, fill="#ffffffd8")
    pen.line((right - pixels, y, right, y), fill=_INK, width=3)
    pen.text((right - pixels / 2, y - 6), words, font=_font(13), fill=_INK, anchor="ms")
    if from_openstreetmap(db()):
        pen.text((right, y + 19), "© OpenStreetMap contributors", font=_font(11), fill=_SOFT, anchor="rs")
    x, north = whole.width - 40, _HEADER + 34
    pen.ellipse((x - 20, north - 20, x + 20, north + 20), fill="#ffffffd8")
    pen.polygon([(x, north - 16), (x + 7, north + 8), (x, north + 3), (x - 7, north + 8)], fill=_INK)
    pen.text((x, north + 18), "N", font=_font(11), fill=_INK, anchor="ms")
