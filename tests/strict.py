"""Where everything must be there, a skipped test counts as failed: it proved nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["is_strict", "missing", "pytest_make_collect_report", "pytest_runtest_makereport"]


def is_strict() -> bool:
    """Whether scripts/test (GRIDMAP_STRICT) or a build machine (CI) runs the tests."""
    return bool(os.environ.get("CI") or os.environ.get("GRIDMAP_STRICT"))


def missing(what: str) -> None:
    """Fail where everything must be there, skip elsewhere."""
    if is_strict():
        pytest.fail(what)
    pytest.skip(what)


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if is_strict() and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"A skipped test counts as failed here. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report
