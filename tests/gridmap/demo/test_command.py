from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from gridmap.cli import program
from gridmap.errors import ConflictError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(spatialite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDMAP_DATABASE_URL", spatialite_url)
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "en")

    def call(*options: str) -> Result:
        return CliRunner().invoke(program, ["demo", "--cells", "6", "--problems", "40", *options])

    return call


def test_the_command_prints_the_logins(run) -> None:
    result = run("--now", "2026-06-04T10:00")
    assert result.exit_code == 0, result.output
    assert "6 cells" in result.output
    assert "gridmap-demo" in result.output
    for name in ("hq", "supervision", "manager", "lead", "worker", "patrol", "assessor", "viewer"):
        assert f"  {name}" in result.output


def test_a_second_run_is_refused_or_passes_by(run) -> None:
    run()
    assert isinstance(run().exception, ConflictError)
    again = run("--if-empty")
    assert again.exit_code == 0
    assert "is ready" not in again.output
    assert "  worker" in again.output
    assert "is ready" in run("--replace").output
