"""Live values in a browser: they come by themselves, and rest when nobody looks."""

import pytest
from browsing import sign_in
from playwright.sync_api import expect

from hub.cli.demo_utility import EMAIL, PASSWORD

pytestmark = pytest.mark.e2e
PATIENCE_MS = 60_000
HIDE = """Object.defineProperty(document, "hidden", { value: true, configurable: true });
document.dispatchEvent(new Event("visibilitychange"));"""


@pytest.mark.clause("T9.live-stops", "T9.live-state")
def test_an_open_page_asks_until_it_is_paused_or_hidden(demo, browser):
    page = browser.new_page(locale="ru-RU")
    sign_in(page, demo.url, EMAIL, PASSWORD)
    page.get_by_role("link", name="Точки учета").first.click()
    page.get_by_role("link", name="Дом, ввод 380 В", exact=True).click()
    page.goto(f"{page.url}/live")
    bar = page.locator(".livebar")
    expect(bar).to_contain_text("Прямой эфир", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Прочитать значения").click()
    expect(page.locator("#live")).to_contain_text("киловатта")
    page.get_by_role("link", name="Пауза").click()
    go_on = page.get_by_role("button", name="Продолжить")
    expect(go_on).to_be_focused()
    expect(bar).to_contain_text("Последний замер")
    go_on.click()
    expect(page.get_by_role("link", name="Пауза")).to_be_focused()
    page.evaluate(HIDE)
    expect(go_on).to_be_visible()
    page.close()
