"""Pages by the rules of axe-core, light and dark, wide and narrow; and by a keyboard alone."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import overflow
from browsing import sign_in
from playwright.sync_api import Page

from hub.cli.demo_utility import EMAIL, PASSWORD

pytestmark = pytest.mark.e2e

VIEWS = [(1440, "light"), (390, "dark"), (1440, "dark"), (390, "light")]
REFUSED = {
    "email": "a@b.example", "full_name": "Ким Анна", "phone": "1",
    "password": "one", "password_again": "another",
}  # fmt: skip
AXE = Axe()
NBSP = "\N{NO-BREAK SPACE}"


def violations(page: Page) -> list[str]:
    """Name what breaks a rule, and where; a page wider than its window too."""
    found = [
        f"{page.url}: {each['id']} at {[node['target'] for node in each['nodes']]}"
        for each in AXE.run(page).response["violations"]
    ]
    if overflow(page) > 0:
        found.append(f"{page.url}: {overflow(page)} px wider than the window")
    return found


@pytest.fixture(scope="module")
def signed_in_state(demo, browser):
    context = browser.new_context(locale="ru-RU")
    page = context.new_page()
    sign_in(page, demo.url, EMAIL, PASSWORD)
    yield context.storage_state()
    context.close()


def test_a_fault_is_found(browser):
    page = browser.new_page()
    page.set_content("<html><body><img src='data:,'><p style='width: 9999px'>x</p></body></html>")
    assert {"image-alt", "html-has-lang"} <= {name.split()[1] for name in violations(page)}
    assert violations(page)[-1].endswith("wider than the window")
    page.close()


@pytest.mark.parametrize(("width", "theme"), VIEWS)
def test_no_page_breaks_a_rule(demo, browser, signed_in_state, width, theme):
    look = {"locale": "ru-RU", "color_scheme": theme, "viewport": {"width": width, "height": 900}}
    found: list[str] = []
    context = browser.new_context(**look)
    page = context.new_page()
    page.goto(f"{demo.url}/register")
    for name, typed in REFUSED.items():
        page.fill(f"#{name}", typed)
    page.click("#register-form button[type=submit]")
    page.wait_for_selector("[role=alert]")
    found += violations(page)
    context.close()

    context = browser.new_context(**look, storage_state=signed_in_state)
    page = context.new_page()
    page.goto(demo.url)
    home = page.url
    found += violations(page)
    page.goto(f"{home}/points")
    point = demo.url + re.findall(r"/points/\d+", page.content())[0]
    day = demo.today - timedelta(days=3)
    rest = [f"{point}/readings", f"{point}/profile", "/contracts/new", "/points/999999"]
    if (width, theme) in VIEWS[:2]:
        rest += [point, f"{point}/profile?from={day}&to={day}&day={day}",
                 f"{point}/profile?from=2020-01-01&to=2020-01-03", "/account"]  # fmt: skip
    found += violations(page)
    for address in rest:
        page.goto(address if "://" in address else demo.url + address)
        page.wait_for_load_state("networkidle")
        found += violations(page)
    context.close()
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
