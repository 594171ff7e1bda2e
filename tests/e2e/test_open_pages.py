"""What is read in one window is read in every open one, without a reload."""

import re

import pytest
from browsers import complaints
from browsing import sign_in
from playwright.sync_api import Page, expect

from hub.cli.demo_utility import EMAIL, PASSWORD

pytestmark = pytest.mark.e2e


def wait_for_meters(page: Page) -> None:
    """Let the notifications come that the meters make at the first reading of a fresh demo."""
    for _ in range(60):
        if page.get_by_text("Прибор", exact=True).count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    page.wait_for_timeout(3000)  # the rules are looked at every other second
    page.reload()


@pytest.mark.clause("N1.windows")
def test_reading_in_one_window_clears_the_signs_of_another(demo, browser):
    context = browser.new_context(locale="ru-RU")
    looked_at = context.new_page()
    found = complaints(looked_at)
    sign_in(looked_at, demo.url, EMAIL, PASSWORD)
    fetched: list[str] = []
    looked_at.on("request", lambda request: fetched.append(request.url))
    looked_at.goto(f"{looked_at.url}/notifications")
    wait_for_meters(looked_at)
    fetched.clear()
    count = looked_at.locator("#sections .count")
    before = int(re.search(r"\d+", count.text_content())[0])
    unread = looked_at.get_by_text("НЕ ПРОЧИТАНО")
    expect(unread).to_have_count(before)
    looked_at.wait_for_timeout(2500)  # the stream has told by now what the page shows already
    assert [url for url in fetched if "/signs" in url] == []

    other = browser.new_context(locale="ru-RU")  # the first stays the one that is looked at
    reading = other.new_page()
    sign_in(reading, demo.url, EMAIL, PASSWORD)
    reading.goto(looked_at.url)
    reading.locator("#notes tr.new a").first.click()
    reading.wait_for_url("**/notifications/*")
    expect(unread).to_have_count(before - 1)
    expect(count).to_contain_text(str(before - 1))
    assert found == []
    other.close()
    context.close()
