"""Days and times are written one way on every page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import web

ROOT = Path(web.__file__).parent
# For programs a time stands in its element as the standard has it.
OTHER = re.compile(r"strftime|astimezone|(?<!datetime=\"{{ entry\.at)\.isoformat")


def test_templates_write_times_by_the_filters_alone():
    templates = sorted((ROOT / "templates").glob("*.html"))
    assert len(templates) > 70
    assert [one.name for one in templates if OTHER.search(one.read_text(encoding="utf-8"))] == []


def test_scripts_write_times_in_one_place_as_the_filters_do():
    found = {
        one.name: re.findall(r"DateTimeFormat\((.+?),|toLocale(?:Date|Time)?String", text)
        for one in (ROOT / "static" / "js").glob("*.js")
        if re.search(r"DateTimeFormat|toLocale(?:Date|Time)?String", text := one.read_text(encoding="utf-8"))
    }
    assert found == {"language.js": ['"sv-SE"', '"sv-SE"']}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("local_time", "2026-03-02 07:30"),
        ("second", "2026-03-02 07:30:05"),
        ("day", "2026-03-02"),
        ("clock", "07:30"),
        ("short_time", "03-02 07:30"),
        ("short_day", "03-02"),
        ("form_time", "2026-03-02T07:30"),
    ],
)
def test_a_filter_writes_in_the_installations_zone(app, name, expected):
    write = app.jinja_env.filters[name]
    with app.app_context():
        assert write(datetime(2026, 3, 1, 23, 30, 5, tzinfo=UTC)) == expected
        wall = datetime(2026, 3, 2, 7, 30, 5, tzinfo=UTC).replace(tzinfo=None)
        assert write(wall) == expected, "what is local already stays"
        assert write(None) == "–"
    if "day" in name:
        assert write(date(2026, 3, 2)) == expected
