"""A plan of patrols is changed by hand in the browser: with mouse and keyboard, and by two people."""

from __future__ import annotations

import pytest

from .accessibility import serious

pytestmark = pytest.mark.browser


def planned(page):
    page.fill("[name=search_seconds]", "1")
    page.click("#plan button.primary")
    # The search is compiled in this server when it is used first.
    page.wait_for_selector("a.button.primary", timeout=240_000)
    page.click("a.button.primary")
    page.wait_for_selector("body[data-ready]")


def judged(page):
    page.wait_for_selector("#editor[data-judged='yes']")


def stops(page, unit):
    names = page.locator(f".edit-unit >> nth={unit} >> .edit-stop")
    return [one.get_attribute("data-key") for one in names.all()]


def two_each(page):
    """Give the first two rounds two stops each, whatever the search has found in its second."""
    for unit, other in ((0, 1), (1, 0)):
        while len(stops(page, unit)) < 2:
            left = page.locator(".edit-unit").count() - 1
            spare = stops(page, other if len(stops(page, other)) > 2 else left)[-1]
            page.locator(f"[data-key='{spare}'] select").select_option(str(unit))
            judged(page)


def test_stops_are_dragged_moved_fixed_left_out_and_kept_and_a_late_change_is_not_lost(open_as):
    page = open_as("/patrols", ignore="412")
    planned(page)
    address = page.url
    other = page.context.new_page()
    other.goto(address)
    other.wait_for_selector("body[data-ready]")

    page.click("[data-edit]")
    judged(page)
    assert "null" not in page.inner_text("#editor")
    two_each(page)
    first, second = stops(page, 0), stops(page, 1)
    moved = first[0]
    page.locator(f"[data-key='{moved}'] button[aria-label$='推后']").press("Enter")
    judged(page)
    assert stops(page, 0)[:2] == [first[1], moved]
    # The keyboard stays with the stop that it moved.
    assert page.evaluate("document.activeElement.closest('[data-key]').dataset.key") == moved
    page.locator(f"[data-key='{moved}']").drag_to(page.locator(f"[data-key='{second[1]}']"))
    judged(page)
    assert stops(page, 1)[1] == moved
    page.locator(f"[data-key='{moved}'] button:has-text('固定')").click()
    page.locator(f"[data-key='{second[0]}'] button:has-text('不去')").click()
    judged(page)
    assert second[0] in stops(page, len(page.locator(".edit-unit").all()) - 1)
    page.click(".edit-bar button:has-text('撤销')")
    judged(page)
    assert stops(page, 1)[0] == second[0]
    page.click(".edit-bar .primary")
    page.wait_for_url(lambda url: url != address)
    page.wait_for_selector("body[data-ready]")
    assert page.locator(".versions li").count() == 2

    # Somebody else still has the first version open; what they change stays theirs to take up.
    other.click("[data-edit]")
    judged(other)
    banned = next(key for unit in (0, 1) for key in stops(other, unit) if key != moved)
    other.locator(f"[data-key='{banned}'] button:has-text('不去')").click()
    judged(other)
    other.click(".edit-bar .primary")
    other.wait_for_selector(".say .error:has-text('已被他人修改')")
    other.goto(page.url)
    other.click("text=载入")
    judged(other)
    assert banned in stops(other, len(other.locator(".edit-unit").all()) - 1)

    # A search from there keeps the draft until its version is shown.
    draft = "Object.keys(localStorage).filter((key) => key.startsWith('patrol-draft-')).length"
    other.click(".edit-bar button:has-text('继续优化')")
    other.wait_for_url(lambda url: "job=" in url)
    assert other.evaluate(draft) == 1
    other.wait_for_selector("a.button.primary", timeout=240_000)
    other.click("a.button.primary")
    other.wait_for_selector("body[data-ready]")
    assert other.evaluate(draft) == 0


def test_on_a_phone_the_form_and_a_plan_are_no_wider_than_the_screen(open_as):
    page = open_as("/patrols", width=390, height=800)
    for summary in page.locator("#plan summary").all():
        summary.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    planned(page)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert serious(page) == [], "of the plan and its editor"
