"""The desk beside the map: the list with steps on many, notices and the inbox, people."""

from __future__ import annotations

import re

import pytest

from gridmap.labels import label
from gridmap.workflow.transitions import Action

from .accessibility import serious

pytestmark = pytest.mark.browser


def ready(page):
    page.wait_for_selector("body[data-ready]")
    page.wait_for_load_state("networkidle")
    return page


SHOWN = r"Number(document.querySelector('#total').textContent.replace(/\D/g, ''))"


def shows(page, count):
    page.wait_for_function(f"count => {SHOWN} === count", arg=count)


def total(page):
    return int(re.sub(r"\D", "", page.inner_text("#total")))


def stands(page, number):
    """Ask the API how a problem stands."""
    origin = page.url.split("/problems")[0]
    return page.request.get(f"{origin}/api/v1/problems/by-number/{number}").json()


REPORT = """async (more) => {
    const { csrf } = JSON.parse(document.querySelector('#begin').textContent);
    const uid = crypto.randomUUID();
    const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': csrf };
    const body = JSON.stringify({ uid, ...more });
    return (await fetch('/api/v1/problems', { method: 'POST', headers, body })).json();
}"""


def somewhere(page):
    """Longitude, latitude and category of a problem that is there."""
    known = page.request.get(f"{page.url.split('/problems')[0]}/api/v1/problems").json()["features"]
    point = next(one for one in known if one["geometry"]["type"] == "Point")
    return *point["geometry"]["coordinates"], point["properties"]["category"]["code"]


def test_a_double_is_seen_at_its_check_and_merged_and_the_merge_taken_back_later(open_as):
    page = ready(open_as("/problems"))
    origin = page.url.split("/problems")[0]
    lon, lat, kind = somewhere(page)
    kept, double = (
        page.evaluate(REPORT, {"category": kind, "lon": lon, "lat": lat, "description": text})
        for text in ("原件", "重复件")
    )
    page.goto(f"{origin}/problems/{double['uid']}")
    near = page.locator("#similar li", has_text=f"第 {kept['number']} 号")
    near.wait_for()
    assert page.locator("#similar li", has_text="重复件").count() == 0, "nothing doubles itself"
    assert serious(page) == []
    near.locator("button").click()
    dialog = page.locator("#step")
    assert dialog.locator("[name=other]").input_value() == str(kept["number"])
    dialog.locator("form button.danger").click()
    page.wait_for_selector("#step:not([open])", state="attached")
    assert stands(page, double["number"])["state"] == "merged"

    page.reload()
    page.locator(".history button").click()
    page.wait_for_selector("#step button.danger:not([disabled])")
    assert "1 件" in dialog.inner_text()
    dialog.locator("button.danger").click()
    near.wait_for()
    assert stands(page, double["number"])["state"] == "recorded"


def test_a_record_is_corrected_and_what_somebody_else_changed_meanwhile_is_told(open_as):
    page = ready(open_as("/problems", ignore="412"))
    origin = page.url.split("/problems")[0]
    lon, lat, kind = somewhere(page)
    made = page.evaluate(REPORT, {"category": kind, "lon": lon, "lat": lat, "description": "占到经营"})
    page.goto(f"{origin}/problems/{made['uid']}")
    page.locator("h2 button", has_text="更正").click()
    page.locator("#step .pin-place").press("ArrowUp")
    page.fill("#step [name=description]", "占道经营")
    page.evaluate(
        """async (uid) => {
            const { csrf } = JSON.parse(document.querySelector('#begin').textContent);
            const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': csrf };
            const body = JSON.stringify({ address: '人民路88号', description: '占道' });
            await fetch(`/api/v1/problems/${uid}`, { method: 'PATCH', headers, body });
        }""",
        made["uid"],
    )
    page.click("#step button.primary")
    told = page.locator("#step .alert", has_text="人民路88号")
    told.wait_for()
    assert "占到经营 → 占道" in told.inner_text()
    assert serious(page) == []
    assert page.input_value("#step [name=description]") == "占道经营", "what was typed is kept"
    page.click("#step button.primary")
    page.wait_for_selector("#step:not([open])", state="attached")
    now = stands(page, made["number"])
    assert (now["description"], now["address"]) == ("占道经营", "人民路88号")
    assert now["geometry"]["coordinates"][1] > lat


def test_a_list_of_one_cell_says_so_and_can_be_widened(open_as):
    page = ready(open_as("/problems?state=unresolved"))
    everything = total(page)
    chip = page.locator("#chips button")
    assert chip.inner_text().startswith("未解决")
    cells = page.request.get(page.url.split("/problems")[0] + "/api/v1/cells/load").json()["cells"]
    cell = max(cells, key=lambda uid: cells[uid][0])
    page.goto(page.url.split("?")[0] + f"?cell={cell}")
    ready(page)
    assert 0 < total(page) < everything
    assert chip.count() == 1
    assert cell not in chip.inner_text()
    assert chip.inner_text().startswith("网格")
    assert serious(page) == []
    assert "cell=" not in page.get_attribute("#on-map", "href")
    assert f"cell={cell}" in page.get_attribute("#to-ledger", "href")
    chip.click()
    shows(page, everything)
    assert "cell=" not in page.url


def test_the_list_is_filtered_and_a_step_on_many_is_shown_taken_and_taken_back(open_as):
    page = ready(open_as("/problems?state=recorded"))
    before = total(page)
    assert before > 1
    assert page.locator("#rows tr").count() == min(before, 50)
    assert serious(page) == []

    page.locator("label:has-text('只看超期')").first.click()
    page.wait_for_function(f"before => {SHOWN} < before", arg=before)
    overdue = total(page)
    assert "overdue=1" in page.url
    assert page.locator("#rows .bad").count() == page.locator("#rows tr").count()
    page.locator("#chips button").last.click()
    shows(page, before)
    assert overdue < before

    boxes = page.locator("#rows input[type=checkbox]")
    for i in range(2):
        boxes.nth(i).check()
    numbers = page.locator("#rows tr .number").all_inner_texts()[:2]
    page.locator("#bulk button", has_text=label(Action.CHECK)).click()
    dialog = page.locator("#step")
    dialog.locator("textarea").fill("批量核查")
    assert serious(page) == []
    dialog.locator("form button").first.click()
    page.wait_for_function("() => document.querySelector('#step form button').textContent.includes('2')")
    assert stands(page, numbers[0])["state"] == "recorded", "a preview changes nothing"
    dialog.locator("form button").first.click()
    page.wait_for_selector("#step:not([open])", state="attached")
    shows(page, before - 2)

    page.locator("#toasts button.act").click()
    shows(page, before)
    for number in numbers:
        told = stands(page, number)
        assert told["state"] == "recorded"
        assert told["history"][-1]["kind"] == "undone"


def test_a_notice_is_issued_from_the_list_and_answered_from_the_inbox(open_as):
    lead = ready(open_as("/problems?state=accepted,dispatched", user="lead"))
    number = lead.locator("#rows tr .number").first.inner_text()
    office = open_as(f"/notices/new?kind=supervision&of=numbers&numbers={number}")
    assert number in office.inner_text("main table")
    office.fill("form.issue textarea", "三日内整改到位。")
    assert serious(office) == []
    office.click("form.issue button")
    office.wait_for_load_state("networkidle")
    assert "督查" in office.inner_text("main")
    assert serious(office) == []

    origin = lead.url.split("/problems")[0]
    lead.goto(f"{origin}/inbox")
    assert serious(lead) == []
    lead.click(".letters a")
    assert "三日内整改到位。" in lead.inner_text("article")
    assert serious(lead) == []
    lead.fill("section.answer textarea", "已整改完毕。")
    lead.click("section.answer button")
    lead.wait_for_load_state("networkidle")
    assert "已整改完毕。" in lead.inner_text("article")
    assert lead.locator("section.answer").count() == 0
    office.goto(f"{origin}/notices")
    assert office.locator("td .good").count() == 1


def test_people_are_found_and_opened(open_as):
    page = open_as("/people")
    assert serious(page) == []
    name = page.locator("table.people tbody a").first.inner_text()
    page.fill("[name=q]", name)
    page.click("main form button")
    assert set(page.locator("table.people tbody a").all_inner_texts()) == {name}
    page.locator("table.people tbody a").first.click()
    page.wait_for_load_state("networkidle")
    assert name in page.inner_text("h1")
    assert serious(page) == []
    narrow = open_as("/people", user="manager", width=390, height=844)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_tray_is_emptied_from_its_rows_to_a_person(open_as):
    page = ready(open_as("/tray"))
    assert serious(page) == []
    row = page.locator("#tray tbody tr[data-state=returned]").first
    number = row.locator(".number").inner_text()
    row.locator("input").check()
    page.locator("#bulk button.primary").click()
    page.select_option("#step [name=organisation]", index=3)
    person = page.locator("#step [name=person]:not([disabled]) option").nth(1)
    person.wait_for(state="attached")
    name = person.inner_text()
    page.select_option("#step [name=person]", label=name)
    page.locator("#step form button").first.click()
    page.wait_for_function("() => document.querySelector('#step form button').textContent.includes('1')")
    page.locator("#step form button").first.click()
    page.wait_for_function(
        "n => !document.querySelector('#tray').innerText.includes(`\\t${n}\\t`)", arg=number
    )
    now = page.request.get(f"{page.url.split('/tray')[0]}/api/v1/problems/by-number/{number}").json()
    assert (now["state"], now["person"]["name"]) == ("dispatched", name)
