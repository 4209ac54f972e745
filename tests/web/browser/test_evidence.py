from __future__ import annotations

import io
import re

import pytest
from pictures import MAKER, photo
from PIL import Image

pytestmark = pytest.mark.browser


@pytest.fixture
def picture(tmp_path):
    """A file as a phone has it, of several pieces of an upload."""
    file = tmp_path / "IMG_0001.jpg"
    # Phones append a film or a second picture; it makes the file large.
    file.write_bytes(photo((2600, 2000), quality=96, place=None, taken=None) + bytes(4 << 20))
    return file


def begin(page):
    page.click("text=上报问题")
    page.wait_for_selector("#record-panel select")
    page.mouse.click(840, 440)
    page.select_option("#record-panel select", index=2)
    page.fill("#record-panel textarea", "占道经营两处")


def choose(page, *files, within="#record-panel"):
    page.locator(f"{within} .evidence-button input[multiple]").set_input_files(files)


def sent(page, count):
    done = page.locator(".evidence-pick[data-state=done]")
    done.nth(count - 1).wait_for(timeout=60_000)


def test_a_problem_is_recorded_with_its_photo(open_as, server, picture):
    page = open_as()
    begin(page)
    choose(page, picture)
    page.locator("#record-panel button.primary").click()
    page.wait_for_selector("text=已登记为第", timeout=60_000)
    page.wait_for_selector("#card .evidence-thumb img")
    page.locator("#card .evidence-thumb").click()
    shown = page.locator(".lightbox-stage img")
    shown.wait_for()
    shown.evaluate("image => image.decode()")
    body = page.request.get(server + shown.get_attribute("src")).body()
    assert MAKER.encode() in picture.read_bytes()
    assert MAKER.encode() not in body
    with Image.open(io.BytesIO(body)) as found:
        assert found.size == (2000, 1538)
        assert found.getpixel((100, 100))[0] > 180
    page.keyboard.press("Escape")
    page.locator(".lightbox").wait_for(state="detached")
    assert page.is_visible("#card")


def test_an_upload_goes_on_after_the_connection_is_lost(open_as, picture):
    page = open_as(ignore=r"ERR_INTERNET_DISCONNECTED|ERR_FAILED")
    begin(page)
    pieces = []

    def once(route):
        pieces.append(int(route.request.headers["upload-offset"]))
        if len(pieces) == 2:
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route(re.compile("/api/v1/uploads/"), once)
    choose(page, picture)
    sent(page, 1)
    assert pieces[0] == 0
    assert pieces[1] == pieces[2] == 4 << 20


def test_a_failed_post_keeps_the_photos(open_as, picture):
    page = open_as(ignore="503")
    begin(page)
    choose(page, picture)
    sent(page, 1)
    failing = {"status": 503, "content_type": "application/problem+json", "body": '{"detail": "稍后再试"}'}
    page.route(re.compile("/api/v1/problems$"), lambda route: route.fulfill(**failing))
    page.locator("#record-panel button.primary").click()
    page.wait_for_selector("#record-panel .alert:has-text('稍后再试')")
    assert page.locator(".evidence-pick[data-state=done]").count() == 1
    page.unroute(re.compile("/api/v1/problems$"))
    page.locator("#record-panel button.primary").click()
    page.wait_for_selector("text=已登记为第")
    page.wait_for_selector("#card .evidence-thumb img")


def test_a_file_that_is_no_photo_is_refused_in_words(open_as, tmp_path):
    page = open_as(ignore="422")
    begin(page)
    (tmp_path / "照片.jpg").write_text("<!doctype html><p>")
    choose(page, tmp_path / "照片.jpg")
    page.wait_for_selector(".evidence-pick[data-state=refused]")
    assert "网页" in page.inner_text(".evidence-pick")
    page.get_by_role("button", name="移除 照片.jpg").click()
    assert page.locator(".evidence-pick").count() == 0


def test_the_demo_shows_before_and_after(open_as, server):
    page = open_as()
    found = page.request.get(f"{server}/api/v1/problems?state=closed&limit=20").json()
    cards = [page.request.get(f"{server}/api/v1/problems/{f['id']}").json() for f in found["features"]]
    stages = [{one["stage"] for one in card["attachments"]} for card in cards]
    proven = next(card for card, has in zip(cards, stages, strict=True) if has >= {"found", "after"})
    page.goto(f"{server}/?open=problem/{proven['uid']}")
    page.wait_for_selector(".evidence-pair .evidence-thumb")
    assert page.locator(".evidence-shelf").count() == 2
    page.locator(".evidence-thumb").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    assert "整改后" in page.inner_text(".lightbox-caption")
    page.get_by_role("button", name="前后对比").click()
    assert page.locator(".lightbox-stage figure").count() == 2
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.classList.contains('evidence-thumb')")
