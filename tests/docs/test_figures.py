"""The page about figures says what the code counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridmap.figures.formulas import COUNTS, RATES, TIMES, Basis

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "figures.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:3] == "| `"
]
BY_NAME = {row[0].split("`")[1]: row for row in ROWS if len(row) == 4}


@pytest.mark.parametrize("figure", [*COUNTS.values(), *RATES.values(), *TIMES.values()], ids=lambda f: f.name)
def test_every_figure_is_described(figure):
    row = BY_NAME[figure.name]
    assert row[1] == figure.chinese
    assert row[3] == getattr(figure, "source", "")
    if figure.name in RATES:
        assert row[2] == f"`{figure.numerator}` ÷ `{figure.denominator}`"


@pytest.mark.parametrize("basis", list(Basis))
def test_every_way_to_count_a_period_is_described(basis):
    assert any(row[0].startswith(f"`{basis.value}` ") for row in ROWS)
