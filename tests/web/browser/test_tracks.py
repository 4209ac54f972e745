from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.browser


def gpx(line):
    """A walk along a line of latitudes and longitudes, ended a few minutes ago."""
    begun = datetime.now(UTC) - timedelta(minutes=5, seconds=8 * len(line))
    times = [(begun + timedelta(seconds=8 * i)).isoformat() for i in range(len(line))]
    points = "".join(
        f'<trkpt lat="{lat}" lon="{lon}"><time>{time}</time></trkpt>'
        for (lat, lon), time in zip(line, times, strict=True)
    )
    head = '<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">'
    return f"{head}<trk><trkseg>{points}</trkseg></trk></gpx>".encode()


def dead_corners(page):
    return int(page.locator(".tally a[href='#corners'] b").inner_text())


def test_a_walk_handed_in_is_on_the_map_and_no_dead_corner_any_more(open_as):
    page = open_as("/tracks")
    page.wait_for_selector("body[data-ready]")
    never = page.request.get(f"{page.url}/map.json").json()["streets"][-1]
    street = max(never, key=len)
    before = dead_corners(page)
    if not page.locator("[name=file]").is_visible():
        page.click("summary:has-text('提交 GPX')")
    page.set_input_files(
        "[name=file]", {"name": "round.gpx", "mimeType": "application/gpx+xml", "buffer": gpx(street)}
    )
    page.click("button:has-text('提交')")
    page.wait_for_selector("body[data-ready]")
    assert dead_corners(page) < before
    row = page.locator("tbody tr").first
    assert "步行" in row.inner_text()
    for words in ("今天", "更早或从未", "轨迹"):
        assert words in page.inner_text("#legend")
    row.locator("button").click()
    page.locator("[data-lon]").first.click()
    page.wait_for_timeout(500)
    assert page.locator("#map canvas").count() >= 1


def test_on_a_phone_the_page_is_no_wider_than_the_screen(open_as):
    page = open_as("/tracks", user="patrol", width=390, height=800)
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    # Who may see only their own tracks is told nothing of coverage.
    assert page.locator("#corners").count() == 0


def test_a_wrong_file_is_answered_with_what_was_expected(open_as):
    page = open_as("/tracks", ignore="422")
    page.wait_for_selector("body[data-ready]")
    if not page.locator("[name=file]").is_visible():
        page.click("summary:has-text('提交 GPX')")
    page.set_input_files(
        "[name=file]", {"name": "a.gpx", "mimeType": "application/gpx+xml", "buffer": b"nonsense"}
    )
    page.click("button:has-text('提交')")
    page.wait_for_selector("[role=alert]")
    assert "应为 GPX 文件" in page.inner_text("[role=alert]")
