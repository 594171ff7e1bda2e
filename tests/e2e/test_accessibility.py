"""Pages by the rules of axe-core, light and dark, wide and narrow; and by a keyboard alone.

Every page of the route table once, the looks taking turns; all of them in all looks and states are
walked by ``make proof walk``.
"""

from itertools import cycle

import pytest
import walking
from browsers import overflow
from browsing import sign_in
from playwright.sync_api import Page
from rules import AXE_SCRIPT, broken

from hub.cli.demo_utility import EMAIL, PASSWORD

pytestmark = pytest.mark.e2e

VIEWS = [(1440, "light"), (390, "dark"), (1440, "dark"), (390, "light")]
NARROWEST = 320
REFUSED = {
    "email": "a@b.example", "full_name": "Ким Анна", "phone": "1",
    "password": "one", "password_again": "another",
}  # fmt: skip
NBSP = "\N{NO-BREAK SPACE}"


def violations(page: Page) -> list[str]:
    """Name what breaks a rule, and where; a page wider than its window or than 320 px too."""
    found = [f"{page.url}: {each}" for each in broken(page)]
    size = page.viewport_size
    for width in (size["width"], NARROWEST) if size else ():
        page.set_viewport_size({"width": width, "height": 900})
        if (over := overflow(page)) > 0:
            found.append(f"{page.url}: {over} px wider than the window")
    page.set_viewport_size(size)
    return found


@pytest.fixture(scope="module")
def signed_in_state(demo, browser):
    context = browser.new_context(locale="ru-RU")
    page = context.new_page()
    sign_in(page, demo.url, EMAIL, PASSWORD)
    yield context.storage_state()
    context.close()


@pytest.fixture(scope="module")
def walked(demo, signed_in_state, tmp_path_factory):
    """Every page of the consumer and of a guest: an address of each route."""
    table = walking.Map(walking.routes(tmp_path_factory.mktemp("unused")))
    seen = {}
    for who in ("guest", "consumer"):
        portal = walking.browser_without_scripts(demo.url, "ru")
        for each in signed_in_state["cookies"] if who == "consumer" else ():
            portal.client.cookies.set(each["name"], each["value"])
        with portal.client:
            seen[who] = walking.crawl(portal, table, most=2, queries=False)
    return table, seen


def test_a_fault_is_found(browser):
    page = browser.new_page()
    page.set_content("<html><body><img src='data:,'><p style='width: 9999px'>x</p></body></html>")
    assert {"image-alt", "html-has-lang"} <= {name.split()[1] for name in violations(page)}
    assert violations(page)[-1].endswith("wider than the window")
    page.close()


def test_every_route_is_walked(walked):
    table, seen = walked
    answered = set().union(*(each.routes for each in seen.values()))
    assert set(table.paths) - answered == walking.NO_PAGES


def test_no_page_breaks_a_rule(demo, browser, signed_in_state, walked):
    table, seen = walked
    looks, found, done = cycle(VIEWS), [], set()
    for who, state in (("consumer", signed_in_state), ("guest", None)):
        context = browser.new_context(locale="ru-RU", storage_state=state)
        context.add_init_script(AXE_SCRIPT)
        page = context.new_page()
        for address in [*seen[who].pages, *seen[who].failures]:
            if table.route(address) in done:
                continue
            done.add(table.route(address))
            width, theme = next(looks)
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            walking.open_page(page, demo.url + address)
            found += violations(page)
        context.close()
    assert len(done) > len(VIEWS)
    assert not found, "\n".join(found)


def test_a_menu_and_the_dialog_are_worked_by_keys(demo, browser, signed_in_state):
    look = {"locale": "ru-RU", "viewport": {"width": 1440, "height": 900}}
    context = browser.new_context(**look, storage_state=signed_in_state)
    page = context.new_page()
    page.goto(demo.url)

    def focused(what: str = "textContent") -> str:
        return str(page.evaluate(f"document.activeElement.{what}.trim()")).replace(NBSP, " ")

    page.keyboard.press("Tab")
    assert focused() == "К содержанию"
    page.focus("#me > summary")
    page.keyboard.press("ArrowDown")
    assert "Профиль" in focused()
    page.keyboard.press("Escape")
    assert focused("parentElement.id") == "me"
    page.focus(".rail .add")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert focused("id") == "supplier"
    assert not violations(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    assert "Добавить договор" in focused()
    context.close()
