"""The public pages on a phone: report, keep the code, follow; nothing of it is on the map of everybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from open311_reader import picture
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(server: str, browser: Browser) -> Iterator[Page]:
    """A phone that knows where it is; whatever is wrong in a page fails the test."""
    faults: list[str] = []
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        permissions=["geolocation"],
        geolocation={"latitude": 40.1, "longitude": 102.2},
    )
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type == "error" else None)
    page.on(
        "request",
        lambda r: (
            faults.append(f"off host: {r.url}") if not r.url.startswith((server, "data:", "blob:")) else None
        ),
    )
    yield page
    context.close()
    assert faults == []


def test_a_resident_reports_on_a_phone_and_follows_with_the_code(server, phone):
    phone.goto(f"{server}/report")
    phone.wait_for_selector("body[data-ready=yes]")
    wide = phone.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    assert phone.locator("[name=website]").bounding_box()["x"] < 0
    phone.click("#locate")
    expect(phone.locator("[name=lat]")).to_have_value(re.compile(r"^40\.1"))
    phone.select_option("[name=category]", "0801")
    expect(phone.get_by_label("排队时间（分钟）")).to_be_editable()
    phone.select_option("[name=category]", "0404")
    expect(phone.get_by_label("排队时间（分钟）")).to_be_hidden()
    phone.get_by_label("车牌号（可不填）").fill("京A·12345")
    phone.fill("[name=description]", "两辆车停在盲道上")
    file = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture()}
    phone.set_input_files("[name=photo]", [file])
    phone.wait_for_selector("#previews img")
    phone.click("#send")
    phone.wait_for_url("**/report/thanks")
    code = phone.inner_text("#code")
    assert re.fullmatch(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){3}", code)
    phone.click("a.button")
    assert "已收到，待核实" in phone.inner_text(".course")
    assert "两辆车停在盲道上" in phone.inner_text("blockquote")
    phone.check("[name=said][value=not_solved]")
    phone.click("main form button")
    phone.wait_for_load_state("networkidle")
    assert "未解决" in phone.inner_text("#said + .course")
    phone.goto(f"{server}/public")
    phone.wait_for_selector("body[data-ready=yes]")
    expect(phone.locator("#count")).not_to_be_empty()
    assert "盲道" not in phone.content()
