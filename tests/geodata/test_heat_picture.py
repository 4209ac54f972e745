from __future__ import annotations

import io

import numpy as np
from PIL import Image

from geodata.heat_picture import empty_tile, heat_png, ramp_legend


def opened(png: bytes) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(float)


def lightness(rgb: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


def test_low_is_clear_and_high_is_dark_all_the_way() -> None:
    surface = np.linspace(0, 1.5, 400, dtype=np.float32)[None, :].repeat(4, axis=0)
    pixels = opened(heat_png(surface, 1.0))[0]
    assert pixels.shape == (400, 4)
    assert pixels[0, 3] == 0
    assert (np.diff(pixels[:, 3]) >= 0).all()
    light = lightness(pixels[:, :3])
    seen = pixels[:, 3] > 20
    assert (np.diff(light[seen]) <= 1e-9).all()
    assert light[seen][0] > 80
    assert light[-1] < 20
    assert (pixels[300:] == pixels[-1]).all()  # beyond the scale all is one colour


def test_the_ramp_stays_ordered_for_colour_blind_eyes() -> None:
    """Deuteranopia and protanopia as linear maps (Machado, Oliveira, Fernandes 2009, severity 1)."""
    surface = (np.linspace(0.3, 1, 64, dtype=np.float32) ** 2)[None, :]
    rgb = opened(heat_png(surface, 1.0))[0, :, :3]
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    for matrix in (
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    ):
        luminance = np.clip(linear @ np.transpose(matrix), 0, 1) @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(luminance) <= 1e-9).all()
        assert luminance[0] / luminance[-1] > 10


def test_an_empty_tile_is_one_shared_transparent_picture() -> None:
    nothing = heat_png(np.zeros((256, 256), dtype=np.float32), 2.0)
    assert nothing is empty_tile()
    assert heat_png(np.full((256, 256), 1e-6, dtype=np.float32), 2.0) is nothing
    assert opened(nothing).shape == (256, 256, 4)
    assert not opened(nothing)[..., 3].any()
    assert len(nothing) < 1000
    assert opened(heat_png(np.zeros((512, 512), dtype=np.float32), 2.0)).shape == (512, 512, 4)


def test_the_same_surface_gives_the_same_bytes() -> None:
    surface = np.random.default_rng(0).random((256, 256), dtype=np.float32)
    assert heat_png(surface, 1.0) == heat_png(surface.copy(), 1.0)


def test_the_legend_shows_what_the_tiles_show() -> None:
    stops = ramp_legend()
    assert len(stops) == 6
    assert stops[-1][0] == 1
    assert [share for share, _ in stops] == sorted(share for share, _ in stops)
    red, green, blue, _ = opened(heat_png(np.full((1, 1), 1.0, dtype=np.float32), 1.0))[0, 0]
    assert stops[-1][1].startswith(f"rgba({red:.0f}, {green:.0f}, {blue:.0f}, ")
