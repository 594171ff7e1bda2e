"""The portal as an app: it says when there is no connection, and keeps nothing of a person."""

import pytest
from browsing import sign_in

from hub.cli.demo_utility import EMAIL, PASSWORD

pytestmark = pytest.mark.e2e

KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const request of await (await caches.open(name)).keys())
      found.push(new URL(request.url).pathname);
  return found;
}"""


def test_without_a_connection_the_page_says_so_and_can_try_again(demo, browser):
    context = browser.new_context(locale="ru-RU")
    page = context.new_page()
    sign_in(page, demo.url, EMAIL, PASSWORD)
    home = page.url
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto(f"{home}/points")
    context.set_offline(True)
    page.goto(home)
    assert page.locator("h1").inner_text() == "Нет связи"
    assert "Орлова" not in page.content()
    kept = page.evaluate(KEPT)
    assert "/offline" in kept
    assert {path for path in kept if not path.startswith(("/offline", "/static/"))} == set()
    context.set_offline(False)
    page.get_by_role("link", name="Попробовать снова").click()
    page.wait_for_selector("#contracts")
    assert page.url == home
    context.close()
