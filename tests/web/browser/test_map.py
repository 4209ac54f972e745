from __future__ import annotations

import re

import pytest

from .accessibility import serious

pytestmark = pytest.mark.browser


def requests_of(page, action):
    """Addresses asked for while something is done."""
    seen = []
    page.on("request", lambda request: seen.append(request.url))
    action()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    return seen


def test_the_first_look_says_how_much_where_and_whose(open_as):
    page = open_as()
    text = page.inner_text("body")
    for words in ("网格地图", "未解决", "超期", "无人负责", "最差网格", "图例"):
        assert words in text
    assert not re.search(r"\{[a-z_]+\}", text)
    html = page.content()
    assert len(page.request.get(page.url).body()) < 100_000
    assert 'lang="zh-CN"' in html


def test_a_click_on_a_cell_shows_who_holds_it(open_as):
    page = open_as("/?layers=cells")
    page.mouse.click(840, 440)
    page.wait_for_selector("text=责任人")
    card = page.inner_text("#card")
    assert "网格员" in card
    assert re.search(r"1400\d{7}", card)
    assert "open=cell" in page.url


def test_a_reader_without_the_permission_sees_no_whole_phone(open_as):
    page = open_as("/?layers=cells", user="viewer")
    page.mouse.click(840, 440)
    page.wait_for_selector("text=责任人")
    assert not re.search(r"1400\d{7}", page.inner_text("body"))


def test_a_filter_asks_once_for_each_layer_and_stands_in_the_address(open_as):
    page = open_as("/?layers=cells,heat,problems,points,roads")
    page.get_by_role("tab", name="筛选").click()
    before = page.inner_text("body")
    seen = requests_of(page, page.locator("label:has-text('只看超期')").first.click)
    loads = [url for url in seen if "/cells/load" in url]
    assert len(loads) == 1
    assert "overdue=1" in loads[0]
    assert all("overdue=1" in url for url in seen if "/heat/" in url and url.endswith(".png"))
    assert "overdue=1" in page.url
    assert page.inner_text("body") != before


def test_a_link_shows_a_colleague_the_same_map(open_as):
    page = open_as("/?layers=heat,roads&weight=severity#16/40.1/102.2")
    assert "热力" in page.inner_text("body")
    assert page.url.endswith("?layers=heat,roads&weight=severity#16/40.1/102.2")
    assert page.evaluate("gridmapHost.getZoom()") == 16


def test_a_link_with_a_broken_time_shows_the_map_of_now(open_as):
    page = open_as("/?at=2026-13-99x&since=abc")
    page.wait_for_selector("body[data-ready=yes]")
    assert page.locator("#figures strong").first.inner_text() != "0"


def test_searching_with_the_keyboard_opens_what_was_found(open_as):
    page = open_as()
    page.focus("#search")
    page.keyboard.type("第1网格", delay=30)
    page.wait_for_selector("#search-results [role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=责任人")


def test_a_problem_is_recorded_where_the_map_is_clicked(open_as):
    page = open_as()
    page.click("text=上报问题")
    page.wait_for_selector("#record-panel select")
    page.mouse.click(840, 440)
    page.select_option("#record-panel select", index=1)
    page.fill("#record-panel textarea", "测试:占道经营")
    page.locator("#record-panel button[type=submit], #record-panel button.primary").first.click()
    page.wait_for_selector("text=已登记为第")


def test_english_is_one_click_away_and_keeps_the_view(open_as):
    page = open_as("/?layers=heat#15/40.1/102.2")
    page.click("[data-language]")
    page.wait_for_load_state("networkidle")
    assert "Unresolved" in page.inner_text("body")
    assert page.url.endswith("#15/40.1/102.2")
    assert "layers=heat" in page.url


@pytest.mark.parametrize("path", ["/", "/imports", "/coverage", "/coverage/draw", "/tracks"])
def test_axe_finds_nothing_serious(open_as, path):
    page = open_as(path)
    assert serious(page) == []


def test_a_line_is_drawn_with_taps_and_the_keyboard_and_told_by_its_share_of_cells(open_as):
    page = open_as()
    page.click("#record")
    page.wait_for_selector("#record-panel select")
    page.locator("#record-panel input[value=line]").check(force=True)
    for x, y in ((700, 350), (900, 360), (1000, 500)):
        page.mouse.click(x, y)
    page.wait_for_selector(".corner >> nth=2")
    page.locator(".draw-bar button", has_text="撤回上一点").click()
    page.locator(".draw-bar .add-corner").press("Enter")
    page.wait_for_selector(".corner >> nth=2")
    before = page.locator(".draw-bar p").inner_text()
    page.locator(".corner-place").last.press("ArrowRight")
    assert page.locator(".draw-bar p").inner_text() != before, "the arrow keys move a corner"
    page.locator(".draw-bar .primary").click()
    page.wait_for_selector("#record-panel .note:has-text('%')")
    page.select_option("#record-panel select", index=1)
    page.fill("#record-panel textarea", "成排乱停")
    page.locator("#record-panel form > .row button.primary").click()
    page.wait_for_selector("#card:has-text('成排乱停')")
    number = re.search(r"第 (\d+) 号", page.inner_text("#card")).group(1)
    drawn = page.request.get(f"{page.url.split('/?')[0]}/api/v1/problems/by-number/{number}").json()
    assert len(drawn["geometry"]["coordinates"]) == 3
    assert drawn["geometry"]["type"] == "LineString"


def test_a_phone_shows_the_map_and_the_button_to_record(open_as):
    page = open_as(width=390, height=844)
    assert page.is_visible("text=上报问题")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pin_is_beside_the_form_and_a_place_outside_ones_area_is_told_at_once(open_as, width):
    page = open_as(user="worker", width=width, height=844)

    def top_at_pin():
        pin = page.locator(".pin").bounding_box()
        middle = [pin["x"] + pin["width"] / 2, pin["y"] + pin["height"] / 2]
        return page.evaluate("([x, y]) => document.elementFromPoint(x, y).className", middle)

    page.click("#record")
    page.wait_for_selector("#record-panel select")
    assert "pin" in top_at_pin(), "the form hides the pin"
    page.wait_for_selector("#record-panel .note:has-text('网格')")
    page.fill("#record-description", "占道堆放")
    for _ in range(4):
        page.click(".leaflet-control-zoom-out")
        page.wait_for_timeout(300)
    page.mouse.click(width - 80, 190)
    page.wait_for_selector("#record-panel .alert:has-text('责任范围')")
    assert not page.is_visible("#record-panel .note"), "nothing is told of a place outside"
    page.select_option("#record-panel select", index=1)
    page.click("#record-panel form > .row button.primary")
    assert page.input_value("#record-description") == "占道堆放"
    assert page.is_visible("#record-panel .alert:has-text('责任范围')")


def test_an_export_opens_without_a_network(open_as, server, browser, tmp_path):
    page = open_as()
    file = tmp_path / "map.html"
    answer = page.request.get(f"{server}/export.html?view=15/40.0985/102.2&size=1200x800")
    file.write_bytes(answer.body())
    context = browser.new_context(offline=True)
    alone = context.new_page()
    asked = []
    alone.on("request", lambda r: asked.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    alone.goto(file.as_uri())
    alone.wait_for_selector("canvas")
    assert "个问题" in alone.inner_text("header")
    assert asked == []
    context.close()


def test_the_page_prints(open_as):
    page = open_as()
    assert len(page.pdf(format="A4", landscape=True)) > 20_000


PLACES_OF_TILES = """() => Object.fromEntries([...document.querySelectorAll('img[src*="/heat/"]')]
  .map((tile) => [tile.src, tile.getBoundingClientRect()])
  .map(([source, { x, y, width, height }]) => [source, [x, y, width, height].map(Math.round)]))"""


@pytest.mark.parametrize("width", [1440, 700])
@pytest.mark.parametrize("path", ["/?layers=heat", "/?layers=heat,cells&overdue=1#15/40.1/102.2"])
def test_the_heat_is_there_before_the_scripts_and_stays_where_it_is(open_as, server, browser, path, width):
    page = open_as("/problems", width=width)
    state = page.context.storage_state()
    bare = browser.new_context(viewport={"width": width, "height": 900}, storage_state=state).new_page()
    bare.route(re.compile(r"\.js\?"), lambda route: route.abort())
    bare.goto(f"{server}{path}")
    bare.wait_for_load_state("networkidle")
    early = bare.evaluate(PLACES_OF_TILES)
    bare.context.close()
    assert len(early) > 3
    seen = requests_of(page, lambda: page.goto(f"{server}{path}"))
    page.wait_for_selector("body[data-ready]:not(:has(#first-picture))")
    late = page.evaluate(PLACES_OF_TILES)
    assert {source: late.get(source) for source in early} == early
    tiles = [url for url in seen if "/heat/" in url and ".png" in url]
    assert len(tiles) == len(set(tiles))


def test_the_way_back_to_now_shows_once_the_time_was_moved(open_as):
    page = open_as()
    assert page.locator("#now").is_hidden()
    page.focus("#moment")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#now", state="visible")
    page.click("#now")
    page.wait_for_selector("#now", state="hidden")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_counts_of_a_cell_stand_beside_its_name_and_holder(open_as, width):
    page = open_as()
    page.set_viewport_size({"width": width, "height": 800})
    if page.locator(".ranking button").first.is_hidden():
        page.click("#panel-toggle")
    row = page.locator(".ranking button").first
    name, holder, counts = (row.locator(f".{part}").bounding_box() for part in ("name", "holder", "counts"))
    assert name["y"] + name["height"] <= holder["y"] + 1
    assert holder["x"] == name["x"]
    assert counts["x"] >= name["x"] + name["width"]
    assert counts["y"] < holder["y"] < counts["y"] + counts["height"]


def test_supervision_begins_at_the_problem_list(open_as):
    page = open_as("/problems?overdue=1")
    page.wait_for_selector("body[data-ready]")
    page.locator("#rows input").first.check()
    page.click("text=督办 >> nth=-1")
    page.wait_for_selector("h1:has-text('下发通知单')")
    assert "kind=supervision" in page.url


def test_a_card_leads_to_its_changes_for_those_who_may_read_the_trail(open_as):
    page = open_as("/?layers=cells")
    page.mouse.click(840, 440)
    page.locator("#card a:has-text('变更记录')").click()
    page.wait_for_selector("h1")
    assert "table=grid_cell" in page.url
    other = open_as("/?layers=cells", user="viewer")
    other.mouse.click(840, 440)
    other.wait_for_selector("text=责任人")
    assert "变更记录" not in other.inner_text("#card")
