"""Nothing on a page stands seriously in somebody's way, on a desk and on a phone."""

from __future__ import annotations

import pytest

from .accessibility import serious

pytestmark = pytest.mark.browser

SIZES = ({"width": 1280, "height": 900}, {"width": 390, "height": 844})
PAGES = (
    "/patrols",
    "/inspections",
    "/inspections/deductions",
    "/forecast",
    "/shops",
    "/ledger",
    "/look-back",
    "/webhooks",
    "/deadlines",
    "/coverage/draw",
)
ROUTE = ("", "/readiness", "/posts", "/book")


def checked(page):
    for size in SIZES:
        page.set_viewport_size(size)
        # What watches the size of things has its turn before the next picture.
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert serious(page) == [], size
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], size


@pytest.mark.parametrize("path", PAGES)
def test_nothing_serious_is_found(open_as, path):
    page = open_as(path)
    page.wait_for_selector("main h1")
    checked(page)


def test_nothing_serious_is_found_at_the_visits_of_a_point(open_as, server):
    page = open_as("/inspections/deductions")
    point = page.request.get(f"{server}/api/v1/points?limit=1").json()["features"][0]["id"]
    page.goto(f"{server}/points/{point}/visits")
    checked(page)


@pytest.fixture(scope="module")
def route(server, browser):
    """Address of an assessors' route, and what a browser keeps of whoever laid it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server}/sign-in")
    page.fill("[name=username]", "hq")
    page.fill("[name=password]", "gridmap-demo")
    page.click("main button")
    page.goto(f"{server}/inspections")
    page.fill("[name=name]", "老城区上午")
    page.fill("[name=size]", "4")
    page.click("#lay button.primary")
    address = page.locator("a.button.primary[href^='/inspections/']").get_attribute("href", timeout=120_000)
    context.close()
    return address


@pytest.mark.parametrize("part", ROUTE)
def test_nothing_serious_is_found_on_the_pages_of_a_route(open_as, route, part):
    page = open_as(route + part)
    checked(page)


def test_a_wide_table_is_scrolled_with_the_keyboard_and_one_that_fits_is_no_stop(open_as):
    page = open_as("/forecast", width=390)
    wide = "[...document.querySelectorAll('.scroll')].some((one) => one.scrollWidth > one.clientWidth)"
    assert page.evaluate(wide)
    page.wait_for_function("[...document.querySelectorAll('.scroll')].some((one) => one.tabIndex === 0)")
    page.set_viewport_size(SIZES[0])
    page.wait_for_function("![...document.querySelectorAll('.scroll')].some((one) => one.tabIndex === 0)")


# Labels keep their left edge, by which cells of one number are told apart.
PLACES = """() => Object.fromEntries([...document.querySelectorAll('.cell-label')].map((one) => {
  const { transform } = one.style;
  return [transform.replace(/,.*/, '') + one.querySelector('b').textContent, transform];
}))"""


def test_names_of_cells_give_way_to_those_of_the_base_map(open_as):
    page = open_as("/?layers=cells&base=none")
    page.wait_for_selector(".cell-label")
    middle = page.evaluate(PLACES)
    page.goto(page.url.replace("base=none", "base=own"))
    page.wait_for_selector("body[data-ready]")
    page.wait_for_function(
        f"""(before) => {{
      const now = ({PLACES})();
      return Object.keys(now).some((name) => before[name] && now[name] !== before[name]);
    }}""",
        arg=middle,
        timeout=15_000,
    )
    after = page.evaluate(PLACES)
    moved = [name for name in middle if after.get(name) != middle[name]]
    assert 0 < len(moved) < len(middle) / 2
