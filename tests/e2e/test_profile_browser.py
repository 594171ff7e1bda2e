"""The load profile's chart by keyboard and pointer, the overview, the calendar, the day's table."""

import re
from datetime import timedelta

import pytest
from browsers import complaints
from browsing import sign_in
from playwright.sync_api import Page, expect

from hub.cli.demo_utility import EMAIL, PASSWORD

pytestmark = pytest.mark.e2e
NAME = "Дом, ввод 380 В"
NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def page(demo, browser):
    context = browser.new_context(locale="ru-RU", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    found = complaints(page)
    sign_in(page, demo.url, EMAIL, PASSWORD)
    yield page
    context.close()
    assert found == []


def open_profile(page: Page, demo, more: str = "") -> None:
    """Open two whole days that the collector has read, without a gap."""
    page.goto(demo.url)
    page.get_by_role("link", name=re.compile(NAME)).first.click()
    page.wait_for_url(re.compile(r"/points/\d+"))
    point = re.search(r"/points/\d+", page.url)[0]
    last = demo.today - timedelta(days=1)
    address = f"{demo.url}{point}/profile?from={last - timedelta(days=1)}&to={last}{more}"
    for _ in range(60):
        page.goto(address)
        if "96 из 96" in page.locator("#profile-totals").inner_text().replace(NBSP, " "):
            break
        page.wait_for_timeout(1000)
    page.wait_for_function("() => performance.getEntriesByName('profile-drawn').length > 0")


def kwh_of(page: Page, first: int, last: int) -> float:
    """Sum the JSON's half-hours, as the chart should."""
    data = page.evaluate(
        "async () => (await fetch(document.querySelector('#profile-plot').dataset.profile)).json()"
    )
    return sum(data["kwh"][first : last + 1])


@pytest.mark.clause("T6.select-by-keys", "T6.spoken")
def test_a_span_is_selected_by_keys_read_off_and_spoken(page, demo):
    open_profile(page, demo)
    page.focus(".plot.live")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    bar = page.locator("#selection")
    expect(bar).to_contain_text("00:00–02:00")
    shown = f"{kwh_of(page, 0, 3):.1f}".replace(".", ",")
    expect(bar).to_contain_text(f"{shown}{NBSP}кВт·ч")
    expect(page.locator("#live")).to_contain_text(f"{shown}{NBSP}кВт·ч")
    expect(page.locator("#live")).to_contain_text("Выделено")
    address = page.url
    assert "sel=" in address
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#selection")).to_contain_text("00:00–02:00")
    page.focus(".plot.live")
    page.keyboard.press("Escape")
    expect(page.locator("#selection")).to_be_hidden()
    assert "sel=" not in page.url


@pytest.mark.clause("T6.select-by-pointer", "T6.zoom")
def test_a_pointer_selects_zooms_and_moves_the_overview(page, demo):
    open_profile(page, demo)
    box = page.locator(".plot.live .u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=4)
    page.mouse.up()
    bar = page.locator("#selection")
    expect(bar).to_contain_text("кВт·ч")
    window = page.locator("#overview .window")
    whole = window.bounding_box()
    bar.get_by_role("button", name="Приблизить").click()
    expect(bar).to_be_hidden()
    window.scroll_into_view_if_needed()  # a mouse reaches what is in the window alone
    zoomed = window.bounding_box()
    assert zoomed["width"] == pytest.approx(whole["width"] / 4, rel=0.1)
    x, y = zoomed["x"] + zoomed["width"] / 2, zoomed["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=4)
    page.mouse.up()
    assert window.bounding_box()["x"] == pytest.approx(zoomed["x"] + 100, abs=2)
    page.focus(".plot.live")
    page.keyboard.press("Escape")
    assert window.bounding_box()["width"] == pytest.approx(whole["width"], abs=1)


@pytest.mark.clause("T6.table-of-the-day")
def test_the_table_shows_the_day_under_the_cursor(page, demo):
    open_profile(page, demo)
    page.focus(".plot.live")
    page.keyboard.press("End")
    rows = page.locator("#profile-table tbody tr")
    expect(rows).to_have_count(48)
    assert page.locator("#profile-table").get_attribute("data-day") == str(
        demo.today - timedelta(days=1)
    )
    page.keyboard.press("PageUp")
    expect(
        page.locator(f'#profile-table[data-day="{demo.today - timedelta(days=2)}"]')
    ).to_be_visible()
    assert page.evaluate("document.activeElement.className").startswith("plot")


@pytest.mark.clause("T9.calendar-keys")
def test_the_calendar_is_one_tab_stop_with_arrows_and_months(page, demo):
    open_profile(page, demo)
    days = page.locator("[data-calendar] a.d")
    stops = page.locator('[data-calendar] a.d[tabindex="0"]')
    expect(stops).to_have_count(1)
    stops.focus()
    before = page.evaluate("document.activeElement.textContent.trim()")
    page.keyboard.press("ArrowLeft")
    after = page.evaluate("document.activeElement.textContent.trim()")
    assert before != after
    expect(stops).to_have_count(1)
    page.keyboard.press("PageUp")
    expect(page.locator("#profile-calendar [data-month='following']")).to_be_visible()
    assert "month=" in page.url
    assert page.evaluate("document.activeElement.closest('[data-calendar]') !== null")
    assert days.count() >= 28
