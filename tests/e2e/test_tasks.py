"""The tasks of the manual on a phone: few taps from the main page, and by the keyboard alone."""

import re

import pytest
from browsing import sign_in
from playwright.sync_api import Locator, Page

from hub.cli.demo_utility import EMAIL, PASSWORD

pytestmark = pytest.mark.e2e

MOST_TABS = 150


class Taps:
    """Taps what it is given and counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def __call__(self, target: Locator) -> None:
        target.click()
        self.count += 1


class Keys(Taps):
    """Goes there by Tab, as whoever has no pointer, and presses Enter."""

    def __call__(self, target: Locator) -> None:
        target.wait_for()
        for _ in range(MOST_TABS):
            if target.evaluate("node => node === document.activeElement"):
                self.page.keyboard.press("Enter")
                self.count += 1
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")


@pytest.fixture(params=[Taps, Keys], ids=["taps", "keys"])
def on_a_phone(request, browser):
    """Make a page of 390 px, and who acts on it."""
    contexts = []

    def made():
        phone = {"viewport": {"width": 390, "height": 844}, "has_touch": request.param is Taps}
        contexts.append(browser.new_context(locale="ru-RU", **phone))
        return request.param(contexts[-1].new_page())

    yield made
    for context in contexts:
        context.close()


@pytest.fixture
def act(on_a_phone, demo):
    """The main page of the demo's first consumer, on a phone."""
    found = on_a_phone()
    sign_in(found.page, demo.url, EMAIL, PASSWORD)
    found.page.wait_for_selector("#usage")
    return found


def named(page: Page, text: str, within: str = "body", kind: str = "a, button, summary") -> Locator:
    """The first visible thing to press that has these words."""
    found = page.locator(within).locator(kind).filter(has_text=text)
    return found.filter(visible=True).first


def test_add_a_contract(act):
    act(act.page.locator(".switcher > summary"))
    act(named(act.page, "Добавить договор", ".switcher"))
    act.page.wait_for_selector("#contract-form")
    assert act.count <= 2


def test_rename_a_contract(act):
    act(act.page.locator(".switcher > summary"))
    act(act.page.locator(".switcher .contract.current .dots > summary"))
    act(named(act.page, "Редактировать", ".switcher .contract.current"))
    act.page.wait_for_selector("#edit-form")
    assert act.count <= 3


def test_submit_a_reading(act):
    act(named(act.page, "Передать показания", "main"))
    field = act.page.locator("main form input[inputmode]").first
    field.wait_for()
    assert act.count + 1 <= 2  # the button that sends


def test_new_appeal(act):
    act(named(act.page, "Обращения", "nav.sections"))
    act(named(act.page, "Создать обращение", "main"))
    act.page.wait_for_selector("#appeal-form")
    assert act.count <= 2


def test_change_the_password(act):
    act(act.page.locator("#me > summary"))
    act(act.page.locator('#me a[href="/account"]'))
    act(act.page.locator('nav.tabs a[href="/account/security"]'))
    act.page.wait_for_selector("#password")
    assert act.count <= 3


def test_sign_out(on_a_phone, demo):
    act = on_a_phone()
    sign_in(act.page, demo.url, EMAIL, PASSWORD, anew=True)
    act(act.page.locator("#me > summary"))
    act(act.page.locator("#me button"))
    act.page.wait_for_url("**/login*")
    assert act.count <= 2


def point(page: Page) -> Locator:
    """A point of the main page whose meter answers."""
    row = page.locator("main li").filter(has=page.locator(".zones"))
    return row.locator("a.name").filter(visible=True).first


def read_by_now(page: Page, tab: str, shown: str) -> None:
    """Wait until the demo's collector has read what the task looks for; back to the main page."""
    home = page.url
    there = f"{point(page).get_attribute('href')}/{tab}"
    for _ in range(60):
        page.goto(home[: home.index("/", 8)] + there)
        if page.locator(shown).count():
            break
        page.wait_for_timeout(1000)
    page.goto(home)


def test_yesterdays_peak(act):
    """The row of yesterday has it, in the column that is called so."""
    peak = "#profile-table tbody tr:nth-of-type(2) td:nth-last-of-type(2)"
    read_by_now(act.page, "profile", f"{peak} data, {peak}:text-matches('[0-9]')")
    act(point(act.page))
    act(named(act.page, "Профиль мощности", "nav.tabs"))
    act.page.wait_for_url("**/profile*")
    act.page.wait_for_selector("#profile-table")
    assert act.count <= 3
    assert "Максимум" in act.page.locator("#profile-table thead th").nth(-2).text_content()
    assert re.search(r"\d,\d\d", act.page.locator(peak).text_content())


def test_last_outage(act):
    read_by_now(act.page, "journal", "a:has-text('Питание')")
    act(point(act.page))
    act(named(act.page, "Журналы событий", "nav.tabs"))
    act.page.wait_for_url("**/journal*")
    act(named(act.page, "Питание", "main"))
    act.page.wait_for_url("**topic=power*")
    assert act.count <= 3
    assert "Пропало питание" in act.page.inner_text("main")
