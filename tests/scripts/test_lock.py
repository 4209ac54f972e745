"""The lock files say what pyproject.toml and package.json say, and name no host."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(ROOT.glob("*.lock"))


def _check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / "scripts/lock", "--check"], capture_output=True, text=True, check=False
    )


def test_the_lock_files_are_of_todays_requirements():
    done = _check(ROOT)
    assert done.returncode == 0, done.stderr


def test_a_changed_requirement_is_noticed(tmp_path):
    (tmp_path / "scripts").mkdir()
    for file in [*LOCKS, *(ROOT / name for name in ("package.json", "package-lock.json", "scripts/lock"))]:
        (tmp_path / file.relative_to(ROOT)).write_bytes(file.read_bytes())
    project = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(project)
    assert _check(tmp_path).returncode == 0
    (tmp_path / "pyproject.toml").write_text(project.replace('"hatchling>=', '"hatchling>1,>='))
    done = _check(tmp_path)
    assert done.returncode == 1
    assert "requirements-build.lock, requirements-dev.lock" in done.stderr
    assert "requirements.lock" not in done.stderr


@pytest.mark.parametrize("file", [*LOCKS, ROOT / "package-lock.json"], ids=lambda file: file.name)
def test_a_lock_file_names_no_host(file):
    assert not re.findall(r"https?:.*|--\S*(?:index|links).*", file.read_text())


def test_the_lowest_versions_are_the_stated_ones():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = dict(
        re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements-lowest.lock").read_text(), re.MULTILINE)
    )
    for requirement in stated:
        name, lowest = re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", requirement).groups()
        assert locked[name] == lowest or locked[name].startswith(f"{lowest}."), requirement
