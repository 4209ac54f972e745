"""The walk-through is run as written, on the real files."""

from __future__ import annotations

import io
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from sqlalchemy import func, select

from gridmap.places.models import Area, GridCell, InspectionPoint, Street
from gridmap.problems.models import Problem
from gridmap.store.engine import open_engine, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "your-own-city.md").read_text(encoding="utf-8")


def commands(city: str) -> list[str]:
    blocks = re.findall(rf"^```sh {city}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def walk(city: str, real_data: Path, folder: Path) -> str:
    """Run a city's commands; what they print."""
    environment = os.environ | {
        "GRIDMAP_DATA_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "GRIDMAP_LANGUAGE": "en",
    }
    said = ""
    for line in commands(city):
        program, *arguments = shlex.split(line.replace("$DATA", str(real_data)))
        assert program == "gridmap"
        done = subprocess.run(
            [sys.executable, "-m", "web", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said += done.stdout
    measured = [line for line in commands(city) if "--measure" in line]
    assert said.count(" MB of memory.") == len(measured) > 0
    for line in measured:
        step = line.replace(" --measure", "").removesuffix(" --yes")
        assert f"| `{step}` |" in PAGE, "each step has its figures on the page"
    return said


def count(folder: Path, model: type) -> int:
    with reading(open_engine(f"sqlite:///{folder / 'gridmap.sqlite'}")) as session:
        return session.scalar(select(func.count(model.id)))


def main_road_inside(folder: Path) -> np.ndarray:
    """Metres of main road inside each cell, more than 25 m from its border; both carriageways count."""
    with reading(open_engine(f"sqlite:///{folder / 'gridmap.sqlite'}")) as session:
        cells = session.scalars(select(func.ST_AsBinary(GridCell.geometry))).all()
        rows = session.execute(select(func.ST_AsBinary(Street.geometry), Street.road_class)).all()
    main = [shape for shape, kind in rows if re.match("secondary|primary|trunk|motorway", kind)]
    across = np.cos(np.radians(31.23)) * 111_320, 110_860
    cells, roads = (
        shapely.transform(shapely.from_wkb(shapes), lambda at: at * across) for shapes in (cells, main)
    )
    return shapely.length(shapely.intersection(shapely.buffer(cells, -25), shapely.union_all(roads)))


@contextmanager
def map_of(folder: Path, browser: Browser) -> Iterator[Page]:
    """The map as the walk-through's own login sees it first, from a server of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "web", "serve"],
        env=os.environ
        | {"GRIDMAP_DATA_DIR": str(folder), "GRIDMAP_PORT": str(port), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(60_000)
        for _ in range(600):
            try:
                page.goto(f"http://127.0.0.1:{port}/sign-in")
                break
            except PlaywrightError:
                time.sleep(0.2)
        page.fill("[name=username]", "office")
        page.fill("[name=password]", "correct horse")
        page.click("main button")
        page.wait_for_selector("body[data-ready=yes]")
        yield page
        context.close()
    finally:
        server.terminate()
        server.wait(60)


def colours_in(picture: bytes) -> int:
    """How many different colours the middle of a picture has."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    middle = image.crop((image.width // 3, image.height // 4, image.width * 5 // 6, image.height * 3 // 5))
    return len(set(middle.get_flattened_data()))


@pytest.mark.real
def test_shanghai_is_drawn(real_data, tmp_path):
    said = walk("shanghai", real_data, tmp_path)
    assert count(tmp_path, Street) == 4701
    assert count(tmp_path, GridCell) == 60
    assert "60 cells" in said
    spans, inside, total, least, fields = map(
        float,
        re.search(
            r"(\d+) have a main road inside\. ([\d.]+) km of ([\d.]+) km .* least (\d+) .* into (\d+) pieces",
            said,
        ).groups(),
    )
    told = re.sub(r"\s+", " ", PAGE)
    assert (
        f"{spans:.0f} cells have a main road inside: {inside} of {total} km. For at least {least:.0f} of"
        in told
    )
    assert f"into {fields:.0f} pieces" in told
    found = main_road_inside(tmp_path)
    assert found.sum() < 10_500, "an earlier drawing had 12,846"
    assert (found > 50).sum() <= 24
    assert "Gaps" not in said
    assert "Ground that two cells hold" not in said


@pytest.mark.real
def test_zhubeis_units_are_clean(real_data, tmp_path):
    said = walk("zhubei", real_data, tmp_path)
    assert count(tmp_path, GridCell) == 1033
    assert count(tmp_path, InspectionPoint) > 100
    assert "Gaps" not in said
    assert "Ground that two cells hold" not in said
    assert "Cells nobody holds: 1033" in said


@pytest.mark.real
def test_bostons_cases_find_their_neighbourhoods(real_data, tmp_path, browser):
    said = walk("boston", real_data, tmp_path)
    assert count(tmp_path, Area) == 26
    assert count(tmp_path, Problem) == 93_963
    assert said.count(" 0 refused.") == 4
    with map_of(tmp_path, browser) as page:
        page.wait_for_load_state("networkidle")
        assert "还没有网格" in page.inner_text("#ranking")
        assert colours_in(page.screenshot()) > 200, "a city without cells sees its problems at once"
