"""Real data for the tests that ask."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("GRIDMAP_REAL_DATA", root.parent / "shared" / "data")).resolve()
    if not folder.is_dir():
        reason = f"The real data are not at {folder}; set GRIDMAP_REAL_DATA."
        if os.environ.get("CI") or os.environ.get("GRIDMAP_STRICT"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
