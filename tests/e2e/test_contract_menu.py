"""The three dots of a contract in a real browser: by the rules, and by a keyboard alone."""

import pytest
from browsers import complaints
from browsing import sign_in
from playwright.sync_api import Page, expect
from test_accessibility import violations

from hub.cli.demo_utility import EMAIL, PASSWORD

pytestmark = pytest.mark.e2e

VIEWS = [(1440, "light"), (390, "dark"), (320, "light")]


@pytest.fixture
def open_page(demo, browser):
    """Open the main page, signed in, in a window of a width."""
    contexts = []

    def opened(width: int, theme: str = "light") -> Page:
        view = {"width": width, "height": 900}
        contexts.append(browser.new_context(locale="ru-RU", color_scheme=theme, viewport=view))
        page = contexts[-1].new_page()
        sign_in(page, demo.url, EMAIL, PASSWORD)
        page.goto(demo.url)
        return page

    yield opened
    for context in contexts:
        context.close()


def first_menu(page: Page):
    """Show the first contract's dots; on a phone its sheet is opened before."""
    scope = ".rail"
    if not page.locator(".rail").is_visible():
        scope = ".switcher"
        page.locator(".switcher > summary").focus()
        page.keyboard.press("Enter")
    return page.locator(f"{scope} .contract details.dots").first


@pytest.mark.clause("C4.rename", "C4.unlink")
@pytest.mark.parametrize(("width", "theme"), VIEWS)
def test_menu_and_dialogs_break_no_rule(open_page, width, theme):
    page = open_page(width, theme)
    found = complaints(page)
    menu = first_menu(page)
    for label in ("Редактировать", "Заменить пароль поставщика…", "Отвязать договор…"):
        if not menu.locator("summary").is_visible():
            menu = first_menu(page)
        if menu.get_attribute("open") is None:
            menu.locator("summary").click()
        found += violations(page)
        menu.get_by_role("link", name=label).click()
        expect(page.locator("dialog[open] form")).to_be_visible()
        found += violations(page)
        page.keyboard.press("Escape")
    assert found == []


@pytest.mark.clause("C4.rename")
@pytest.mark.parametrize("width", [1440, 390])
def test_a_contract_is_renamed_by_keyboard_alone(open_page, width):
    page = open_page(width)
    menu = first_menu(page)
    menu.locator("summary").focus()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("link", name="Редактировать")).to_be_focused()
    page.keyboard.press("End")
    expect(menu.get_by_role("link", name="Отвязать договор…")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu.locator("summary")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    name = page.locator("dialog[open] input[name=name]")
    expect(name).to_be_focused()
    before = name.input_value()
    for text in (f"{before} у реки", before):
        name.fill("")
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open] [role=alert]")).to_be_focused()  # refused
        name.fill(text)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(text)
        if text != before:
            menu = first_menu(page)
            menu.locator("summary").focus()
            page.keyboard.press("ArrowDown")
            page.keyboard.press("Enter")
            name = page.locator("dialog[open] input[name=name]")
