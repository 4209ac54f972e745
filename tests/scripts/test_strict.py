"""A skip is a failure under scripts/test and a skip elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
CASES = """
import pytest

def test_runs(): pass

def test_skips(): pytest.skip("no server")

@pytest.mark.skipif(True, reason="no browser")
def test_marked(): pass

@pytest.mark.xfail(strict=True)
def test_known(): assert False
"""


def _run(folder: Path, strict: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "strict", "-p", "no:cacheprovider", "--rootdir", folder],
        env={
            **os.environ,
            "GRIDMAP_STRICT": strict,
            "CI": "",
            "PYTHONPATH": str(TESTS),
            "PYTEST_ADDOPTS": "",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("strict", "line"),
    [("1", "1 failed, 1 passed, 1 xfailed, 1 error"), ("", "1 passed, 2 skipped, 1 xfailed")],
)
def test_only_what_ran_passes(tmp_path, strict, line):
    (tmp_path / "test_cases.py").write_text(CASES)
    assert line in _run(tmp_path, strict)


@pytest.mark.parametrize(("strict", "line"), [("1", "1 error"), ("", "1 skipped")])
def test_a_module_that_skips_itself_is_an_error(tmp_path, strict, line):
    (tmp_path / "test_module.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    assert line in _run(tmp_path, strict)
