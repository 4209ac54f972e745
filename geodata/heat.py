"""Heat of many places: weighted counts per pixel, smoothed into a surface that has no seams between tiles.

The smoothing is a Gaussian kernel density estimate (Silverman 1986, section 4.2), evaluated tile by tile
with a margin as wide as the kernel, so that neighbouring tiles meet exactly. Dividing one surface by another
of the same kind (kilometres of street, visits of patrols) gives a rate that does not punish what is looked
at often.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from geodata import morton
from geodata.compiled import compiled
from geodata.heat_bins import CONDENSED_LEVEL, bins, condensed, tile_sums
from geodata.point_columns import PointColumns, PointFilter, PointWeights, Sieve

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from geodata.compiled import Array

__all__ = ["Heat"]

_SURFACE_SIDE = 128
_SIGMA_PIXELS = 6.0
_SIGMA_CODES = 6.0
_REACH = 3.0
_SAMPLED_TILES = 32
_SEEN_BY = 67
_LOWEST_SCALE = 3.0
_LOWEST_DENOMINATOR = 0.25
_KEPT_ANSWERS = 512

Answer = TypeVar("Answer")


@lru_cache(maxsize=128)
def _kernel(pixels: int, side: int, margin: int, sigma: float) -> NDArray[np.float32]:
    """Matrix (pixels, side + 2 margin) that smooths bins along one axis and samples them at the pixels."""
    at = (np.arange(pixels) + 0.5) * side / pixels
    of = np.arange(-margin, side + margin) + 0.5
    distance = (at[:, None] - of[None, :]) / sigma
    weight = np.where(np.abs(distance) <= _REACH, np.exp(-0.5 * distance**2), 0.0)
    return np.asarray(weight / (sigma * np.sqrt(2 * np.pi)) * side / 256, dtype=np.float32)


@compiled
def _blend(kernel: Array, values: Array) -> Array:
    """Product ``kernel @ values`` of a band matrix, without the threads of a linear algebra library."""
    result = np.zeros((kernel.shape[0], values.shape[1]), dtype=np.float32)
    for p in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            factor = kernel[p, b]
            if factor != 0.0:
                for c in range(values.shape[1]):
                    result[p, c] += factor * values[b, c]
    return result


def _resolution(z: int) -> tuple[int, float]:
    """Bins along a tile, and the kernel's width in bins: 6 screen pixels, at least 6 codes (about 12 m)."""
    side = min(_SURFACE_SIDE, 1 << (morton.LEVEL - z))
    codes_per_bin = (1 << (morton.LEVEL - z)) / side
    return side, max(_SIGMA_PIXELS * side / 256, _SIGMA_CODES / codes_per_bin)


class Heat:
    """Heat of the places in some columns.

    Parameters
    ----------
    points
        The places.
    resting
        The filter asked most often, at its `weights`. Its sums per pixel of zoom 19, area and category are
        kept, so that views of a whole city do not count millions again; other filters are counted at run
        time.
    weights
        Weights that go with `resting`.
    """

    def __init__(
        self, points: PointColumns, *, resting: PointFilter | None = None, weights: PointWeights | None = None
    ) -> None:
        self._points = points
        self._resting = resting or PointFilter()
        self._weights = weights or PointWeights()
        self._answers: dict[Hashable, object] = {}
        self._lock = threading.RLock()

    def bins(
        self,
        z: int,
        x: int,
        y: int,
        chosen: PointFilter | None = None,
        weights: PointWeights | None = None,
        *,
        side: int = 256,
        margin: int = 0,
    ) -> NDArray[np.float32]:
        """Summed weights per pixel of a tile; see `geodata.heat_bins.bins`."""
        points, sieve = self._source(z + side.bit_length() - 1, chosen, weights)
        return bins(points, sieve, z, x, y, side=side, margin=margin)

    def surface(
        self,
        z: int,
        x: int,
        y: int,
        chosen: PointFilter | None = None,
        weights: PointWeights | None = None,
        *,
        per: Heat | None = None,
        pixels: int = 256,
    ) -> NDArray[np.float32]:
        """Smoothed heat of a tile.

        Parameters
        ----------
        z, x, y
            Tile, zoom up to 22.
        chosen, weights
            What counts, and how much.
        per
            Divide by this heat (all its places, e.g. ``mass`` = kilometres of street). Where it is small,
            a quarter of its mean over the places it knows stands in, lest a lone case beside a street
            explode.
        pixels
            Samples along the tile.

        Returns
        -------
        numpy.ndarray
            float32, shape (pixels, pixels), first row north: weight per 1/256 x 1/256 of the tile whatever
            `pixels` is; divided by the same of `per` if given.
        """
        values = self._smooth((z, x, y), chosen, weights, pixels)
        if per is None or not values.any():
            return values
        below = per._smooth((z, x, y), None, None, pixels)  # noqa: SLF001 - of its own kind
        floor = per._floor(z)  # noqa: SLF001 - of its own kind
        rate = values / np.maximum(below, floor) if floor > 0 else np.zeros_like(values)
        return rate.astype(np.float32, copy=False)

    def scale(
        self,
        z: int,
        chosen: PointFilter | None = None,
        weights: PointWeights | None = None,
        *,
        per: Heat | None = None,
    ) -> float:
        """Value of `surface` that gets the strongest colour at zoom `z`, the same for all tiles.

        The 99th percentile of a tile's pixels that are not empty, taken so that two thirds of the places lie
        in tiles below it, from (at most 32) tiles that each stand for an equal part of what counts. Over the
        whole ground instead, the dense quarters of a city would all lie beyond the scale; over all places
        alike, one extreme corner would pale the rest. Without `per` it is at least the peak of three places
        of weight 1, so that a single case never looks like a hot spot.
        """
        return self._kept(("scale", z, chosen, weights, per), lambda: self._scale(z, chosen, weights, per))

    def _scale(
        self, z: int, chosen: PointFilter | None, weights: PointWeights | None, per: Heat | None
    ) -> float:
        tiles = self._tiles(z, chosen, weights)
        highs = {}
        for x, y in set(tiles):
            values = self.surface(z, x, y, chosen, weights, per=per, pixels=64)
            highs[x, y] = float(np.percentile(values[values > 0], 99)) if values.any() else 0.0
        typical = float(np.percentile([highs[tile] for tile in tiles], _SEEN_BY)) if tiles else 0.0
        side, sigma = _resolution(z)
        peak = (side / 256 / sigma) ** 2 / (2 * np.pi)
        return max(typical, _LOWEST_SCALE * peak if per is None else 1e-12)

    def _floor(self, z: int) -> float:
        def measure() -> float:
            tiles = sorted(set(self._tiles(z, None, None)))
            values = np.array([self._smooth((z, x, y), None, None, 64) for x, y in tiles])
            values = values[values > 0]
            return _LOWEST_DENOMINATOR * float(values.mean()) if values.size else 0.0

        return self._kept(("floor", z), measure)

    def _smooth(
        self,
        tile: tuple[int, int, int],
        chosen: PointFilter | None,
        weights: PointWeights | None,
        pixels: int,
    ) -> NDArray[np.float32]:
        side, sigma = _resolution(tile[0])
        margin = int(np.ceil(_REACH * sigma))
        counted = self.bins(*tile, chosen, weights, side=side, margin=margin)
        if not counted.any():
            return np.zeros((pixels, pixels), dtype=np.float32)
        kernel = _kernel(pixels, side, margin, sigma)
        along_y = _blend(kernel, counted)
        smooth: NDArray[np.float32] = _blend(kernel, np.ascontiguousarray(along_y.T)).T
        return smooth

    def _tiles(
        self, z: int, chosen: PointFilter | None, weights: PointWeights | None
    ) -> list[tuple[int, int]]:
        """Tiles to look at: those that hold each 32nd part of what counts, along the Morton order."""
        points, sieve = self._source(z, chosen, weights)
        shift = 2 * (morton.LEVEL - z)
        prefixes, sums = tile_sums(points.rows, sieve, shift)
        if not len(prefixes):
            return []
        reached = np.cumsum(sums)
        parts = (np.arange(_SAMPLED_TILES) + 0.5) / _SAMPLED_TILES * reached[-1]
        return [
            morton.tile_of(int(prefix) << shift, z) for prefix in prefixes[np.searchsorted(reached, parts)]
        ]

    def _source(
        self, level: int, chosen: PointFilter | None, weights: PointWeights | None
    ) -> tuple[PointColumns, Sieve]:
        """The smallest columns that answer at `level`, and the sieve for them."""
        chosen, weights = chosen or PointFilter(), weights or PointWeights()
        resting = self._resting
        plain = replace(
            chosen, categories=resting.categories, areas=resting.areas, allowed_areas=resting.allowed_areas
        )
        kept = (
            level <= CONDENSED_LEVEL
            and plain == resting
            and weights == self._weights
            and resting.categories is None
            and resting.areas is None
            and resting.allowed_areas is None
        )
        if not kept:
            return self._points, self._sieve(self._points, chosen, weights, "all")
        by_category = chosen.categories is not None
        points = self._kept(
            ("condensed", by_category),
            lambda: condensed(self._points, resting, weights, by_category=by_category),
        )
        rest = PointFilter(
            categories=chosen.categories, areas=chosen.areas, allowed_areas=chosen.allowed_areas
        )
        return points, self._sieve(points, rest, PointWeights(), f"condensed {by_category}")

    def _sieve(self, points: PointColumns, chosen: PointFilter, weights: PointWeights, name: str) -> Sieve:
        return self._kept(("sieve", name, chosen, weights), lambda: points.sieve(chosen, weights))

    def _kept(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        with self._lock:
            if key not in self._answers:
                while len(self._answers) >= _KEPT_ANSWERS:
                    self._answers.pop(next(iter(self._answers)))
                self._answers[key] = make()
            answer: Answer = self._answers[key]  # type: ignore[assignment]
            return answer
