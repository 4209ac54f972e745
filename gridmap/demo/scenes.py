"""Drawn street scenes before and after fixing, so that the demo's photos show what its problems say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

__all__ = ["draw_scene"]

_WIDTH, _HEIGHT = 960, 720
_KERB = 470
_WALLS = ("#b9a58c", "#a9b3b5", "#c2ab9a", "#9fae9d", "#bfb6a4")
_SIGNS = ("#a3303f", "#1d5fa8", "#25753f", "#a8560f", "#5b4a8a")
_GOODS = ("#d9662b", "#e3b23c", "#4f8f3a", "#b5423c", "#3f77a8", "#d7d2c4")

Draw = ImageDraw.ImageDraw
Box = tuple[float, float, float, float]


def draw_scene(category: str, *, fixed: bool, seed: int) -> Image.Image:
    """Draw a place with what is wrong there, or without it.

    Parameters
    ----------
    category
        Code of the category, which decides what stands there.
    fixed
        Whether it has been put right.
    seed
        The same seed is the same place, before and after.

    Returns
    -------
    PIL.Image.Image
        RGB, 960 by 720 pixels.
    """
    place = np.random.default_rng([seed, 1])
    scene = Image.new("RGB", (_WIDTH, _HEIGHT), "#c9d8e2")
    draw = ImageDraw.Draw(scene)
    _street(draw, place)
    clutter = np.random.default_rng([seed, 2])
    if not fixed:
        _CLUTTER.get(category, _CLUTTER.get(category[:2], _rubbish))(draw, clutter)
    # A camera held by hand: other light, a little noise, never twice the same frame.
    light = np.random.default_rng([seed, 3 + fixed])
    pixels = np.asarray(scene.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float64)
    taken = pixels * light.uniform(0.82, 1.05) + light.normal(0, 5, pixels.shape)
    drawn = Image.fromarray(np.clip(taken, 0, 255).astype(np.uint8))
    return (
        drawn.rotate(light.uniform(-1.4, 1.4), Image.Resampling.BILINEAR)
        .crop((30, 25, _WIDTH - 30, _HEIGHT - 25))
        .resize((_WIDTH, _HEIGHT), Image.Resampling.BILINEAR)
    )


def _street(draw: Draw, place: Generator) -> None:
    x = 0.0
    while x < _WIDTH:
        width = place.uniform(180, 300)
        top = place.uniform(30, 130)
        draw.rectangle((x, top, x + width, _KERB - 60), fill=str(place.choice(_WALLS)))
        for row in np.arange(top + 22, 250, 62):
            for column in np.arange(x + 18, x + width - 40, 62):
                draw.rectangle(
                    (column, row, column + 34, row + 38), fill="#6f8592", outline="#e6e2d8", width=3
                )
        draw.rectangle((x + 8, 268, x + width - 8, 308), fill=str(place.choice(_SIGNS)))
        for stroke in np.arange(x + 30, x + width - 50, 34):
            draw.rectangle((stroke, 278, stroke + 20, 298), outline="#f6efd8", width=4)
        draw.rectangle((x + 14, 312, x + width - 14, _KERB - 60), fill="#4d5a5e")
        draw.rectangle((x + width * 0.42, 322, x + width * 0.62, _KERB - 60), fill="#2f3a3e")
        x += width + 6
    draw.polygon([(0, _KERB - 60), (_WIDTH, _KERB - 60), (_WIDTH, 600), (0, 600)], fill="#b4b0a7")
    for line in range(-200, _WIDTH + 200, 70):
        draw.line((line + 60, _KERB - 60, line - 60, 600), fill="#a29e95", width=2)
    draw.rectangle((0, 520, _WIDTH, 538), fill="#d8b13b")
    draw.rectangle((0, 600, _WIDTH, 616), fill="#8d8a83")
    draw.rectangle((0, 616, _WIDTH, _HEIGHT), fill="#5a5d60")
    for line in range(20, _WIDTH, 190):
        draw.rectangle((line, 660, line + 100, 669), fill="#dcdcd4")
    tree = place.uniform(60, _WIDTH - 60)
    draw.rectangle((tree - 9, 330, tree + 9, 560), fill="#6b5138")
    for _ in range(26):
        at, high, size = tree + place.normal(0, 60), 250 + place.normal(0, 46), place.uniform(26, 56)
        shade = ("#4c7a3d", "#5c8a48", "#3f6a35")[int(place.integers(3))]
        draw.ellipse((at - size, high - size, at + size, high + size), fill=shade)


def _spread(chance: Generator, count: int, low: float = 70, high: float = _WIDTH - 90) -> list[float]:
    return sorted(float(x) for x in chance.uniform(low, high, count))


def _rubbish(draw: Draw, chance: Generator) -> None:
    centre = chance.uniform(220, _WIDTH - 220)
    for _ in range(int(chance.integers(14, 26))):
        x, y, size = centre + chance.normal(0, 95), 575 + chance.normal(0, 16), chance.uniform(20, 52)
        shade = ("#20252a", "#3a4148", "#27323a", "#566068", "#8a8577")[int(chance.integers(5))]
        draw.ellipse((x - size, y - size, x + size, y + size * 0.7), fill=shade)
        draw.polygon([(x - 8, y - size + 4), (x + 8, y - size + 4), (x, y - size - 14)], fill=shade)
    for _ in range(40):
        x, y = centre + chance.normal(0, 190), 592 + chance.normal(0, 22)
        draw.rectangle(
            (x, y, x + chance.uniform(4, 18), y + chance.uniform(3, 8)), fill=str(chance.choice(_GOODS))
        )


def _piles(draw: Draw, chance: Generator) -> None:
    for x in _spread(chance, int(chance.integers(4, 7))):
        for level in range(int(chance.integers(2, 5))):
            width, top = chance.uniform(60, 100), 566 - level * 46
            box: Box = (x - width / 2, top - 44, x + width / 2, top)
            draw.rectangle(box, fill=("#b98a52", "#a87a45", "#c79b66")[level % 3], outline="#7b5a2e", width=3)
            draw.line((x, top - 44, x, top), fill="#8d6a3a", width=4)


def _stalls(draw: Draw, chance: Generator) -> None:
    for x in _spread(chance, int(chance.integers(3, 5)), 130, _WIDTH - 150):
        shade = str(chance.choice(_SIGNS))
        draw.line((x, 360, x, 560), fill="#777777", width=6)
        draw.polygon([(x - 120, 392), (x + 120, 392), (x, 322)], fill=shade)
        draw.polygon([(x - 40, 392), (x + 40, 392), (x, 322)], fill="#f0ead8")
        draw.rectangle((x - 100, 500, x + 100, 516), fill="#8a6a42")
        draw.rectangle((x - 92, 516, x - 82, 578), fill="#6b5138")
        draw.rectangle((x + 82, 516, x + 92, 578), fill="#6b5138")
        for good in np.arange(x - 92, x + 84, 24):
            size = chance.uniform(9, 15)
            draw.ellipse((good, 500 - 2 * size, good + 2 * size, 500), fill=str(chance.choice(_GOODS)))


def _cars(draw: Draw, chance: Generator) -> None:
    for x in _spread(chance, int(chance.integers(2, 4)), 170, _WIDTH - 190):
        shade = ("#d8dadb", "#2d3136", "#8c1f24", "#27506f", "#9aa0a3")[int(chance.integers(5))]
        draw.rounded_rectangle((x - 150, 505, x + 150, 580), 22, fill=shade)
        draw.polygon([(x - 95, 508), (x - 60, 452), (x + 66, 452), (x + 108, 508)], fill=shade)
        draw.polygon([(x - 80, 506), (x - 52, 464), (x - 2, 464), (x - 2, 506)], fill="#7f95a0")
        draw.polygon([(x + 8, 506), (x + 8, 464), (x + 60, 464), (x + 90, 506)], fill="#7f95a0")
        for wheel in (x - 92, x + 92):
            draw.ellipse((wheel - 30, 552, wheel + 30, 612), fill="#1d1f21")
            draw.ellipse((wheel - 14, 568, wheel + 14, 596), fill="#a9adb0")


def _bicycles(draw: Draw, chance: Generator) -> None:
    for x in _spread(chance, int(chance.integers(9, 14))):
        y, shade = 560 + chance.normal(0, 12), ("#f0c020", "#2f9fd6", "#3fb56b")[int(chance.integers(3))]
        for wheel in (x - 34, x + 34):
            draw.ellipse((wheel - 26, y - 26, wheel + 26, y + 26), outline="#26292b", width=5)
        draw.line((x - 34, y, x - 8, y - 44, x + 26, y - 42, x + 34, y), fill=shade, width=7)
        draw.line((x - 34, y, x + 2, y, x + 26, y - 42), fill=shade, width=6)
        draw.line((x + 24, y - 62, x + 44, y - 64), fill="#26292b", width=5)


def _signs(draw: Draw, chance: Generator) -> None:
    for x in _spread(chance, int(chance.integers(3, 6))):
        shade, high = str(chance.choice(_SIGNS)), chance.uniform(130, 190)
        draw.polygon([(x - 52, 580), (x - 38, 580 - high), (x + 38, 580 - high), (x + 52, 580)], fill=shade)
        for row in np.arange(580 - high + 20, 560, 30):
            draw.rectangle((x - 28, row, x + 28, row + 12), fill="#f6efd8")


def _adverts(draw: Draw, chance: Generator) -> None:
    for _ in range(int(chance.integers(24, 40))):
        x, y = chance.uniform(20, _WIDTH - 80), chance.uniform(310, 390)
        draw.rectangle(
            (x, y, x + 44, y + 30), fill=("#f7f3e3", "#ffd9d4", "#fff2a8")[int(chance.integers(3))]
        )
        draw.line((x + 6, y + 9, x + 36, y + 9), fill="#b3261e", width=4)
        draw.line((x + 6, y + 20, x + 30, y + 20), fill="#333333", width=3)


def _pit(draw: Draw, chance: Generator) -> None:
    x = chance.uniform(260, _WIDTH - 260)
    draw.ellipse((x - 150, 556, x + 150, 606), fill="#3b3834")
    draw.ellipse((x - 110, 566, x + 110, 598), fill="#23211f")
    for stone in _spread(chance, 12, x - 190, x + 190):
        draw.polygon([(stone, 606), (stone + 26, 600), (stone + 18, 584)], fill="#8f8a80")


_CLUTTER: dict[str, Callable[[Draw, Generator], None]] = {
    "01": _rubbish,
    "0104": _piles,
    "0106": _piles,
    "0201": _adverts,
    "0202": _signs,
    "03": _piles,
    "0401": _stalls,
    "0402": _stalls,
    "0403": _stalls,
    "0404": _cars,
    "0405": _bicycles,
    "05": _piles,
    "06": _pit,
}
