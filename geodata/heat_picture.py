"""Heat as pictures: PNG tiles with one colour ramp.

The ramp runs from a transparent pale yellow over orange and red to a dark violet. Its lightness falls all the
way, so it reads on a light map, in grey print, and with any kind of colour blindness.
Source of the colours: "inferno" of matplotlib (N. Smith, S. van der Walt, CC0), reversed.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["empty_tile", "heat_png", "ramp_legend"]

_STOPS = np.array(
    [
        (252, 255, 164),
        (250, 194, 40),
        (245, 125, 21),
        (212, 72, 66),
        (159, 42, 99),
        (101, 21, 110),
        (40, 11, 84),
    ],
    dtype=np.float64,
)
_CLEAR_BELOW = 0.04
_FULL_FROM = 0.30
_OPACITY = 0.86
_SHADES = 64  # as many as the eye can tell apart here; more only make the files larger


def _ramp(position: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Red, green, blue and opacity, shape (n, 4), of positions in [0, 1]."""
    at = np.linspace(0, 1, len(_STOPS))
    colour = [np.interp(position, at, channel) for channel in _STOPS.T]
    rise = np.clip((position - _CLEAR_BELOW) / (_FULL_FROM - _CLEAR_BELOW), 0, 1)
    return np.column_stack((*colour, rise * _OPACITY * 255)).round().astype(np.uint8)


_RAMP = _ramp(np.linspace(0, 1, _SHADES))


def heat_png(surface: NDArray[np.float32], scale: float) -> bytes:
    """PNG with a palette of one heat surface.

    Parameters
    ----------
    surface
        Values >= 0, shape (h, w), first row north; from `geodata.heat.Heat.surface`.
    scale
        Value of the strongest colour; from `geodata.heat.Heat.scale`, one for all tiles of a zoom. Colours
        follow the square root of the value, so that the few worst corners do not drown the rest.

    Returns
    -------
    bytes
        The same bytes for the same input. An empty surface of one size always gives one shared object.
    """
    step = _steps(surface, scale)
    height, width = step.shape
    if not (_RAMP[step.max(initial=0), 3]):
        return empty_tile(width, height)
    return _encode(step)


def empty_tile(width: int = 256, height: int = 256) -> bytes:
    """PNG of a wholly transparent tile: one shared object per size."""
    return _empty(width, height)


@lru_cache(maxsize=8)
def _empty(width: int, height: int) -> bytes:
    return _encode(np.zeros((height, width), dtype=np.uint8))


def ramp_legend(count: int = 6) -> list[tuple[float, str]]:
    """Stops of the ramp for a legend: share of the scale in [0, 1] and CSS colour, from low to high.

    The first stop is the lowest that can be seen well.
    """
    position = np.linspace(_FULL_FROM / 2, 1, count)
    return [
        (round(float(p) ** 2, 4), f"rgba({r}, {g}, {b}, {a / 255:.2f})")
        for p, (r, g, b, a) in zip(position, _ramp(position), strict=True)
    ]


def _steps(surface: NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    share = np.clip(surface * np.float32(1 / scale), 0, 1)
    return np.asarray(np.sqrt(share) * (_SHADES - 1) + 0.5, dtype=np.uint8)


def _encode(step: NDArray[np.uint8]) -> bytes:
    picture = Image.fromarray(step)
    picture.putpalette(_RAMP[:, :3].tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", transparency=_RAMP[:, 3].tobytes(), compress_level=3)
    return file.getvalue()
