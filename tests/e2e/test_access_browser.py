"""From registration to the first contract in a real browser, with scripts and without."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from browsers import chromium, complaints, overflow

from hub.plugins.api import Point, SupplierCard
from hub.services import bookkeeping
from hub.services.accounts import Accounts
from hub.services.passwords import Passwords
from hub.store.secrets import new_key
from hub.store.unit import Store

pytestmark = pytest.mark.e2e

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PASSWORD = "Correct horse"
WIDTHS = (320, 390, 1024, 1440)


def seed(store: Store) -> None:
    supplier = bookkeeping.open_supplier(
        store, title="Энергосбыт Заречье", card=SupplierCard(name="Энергосбыт Заречье"), now=NOW
    )
    bookkeeping.Bookkeeping(store, supplier, Passwords()).enter(
        bookkeeping.BookedContract(
            login="4001", password="Ozero-1", number="76-4001", holder="Ли Б.", address="-",
            balance_at=NOW, points=(Point(id="1", name="Ввод", number="ТУ-1", smart=False),),
        ),
    )  # fmt: skip
    Accounts(store).add(email="anna@example.org", full_name="Ким Анна", password=PASSWORD)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A portal of its own process, where letters are read on a page."""
    folder = tmp_path_factory.mktemp("portal")
    key = new_key()
    store = Store.open(f"sqlite:///{folder / 'hub.db'}", keys=[key])
    store.upgrade()
    seed(store)
    store.close()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=clean | {"HUB_DATA_DIR": str(folder), "HUB_KEYS": key, "HUB_DEMO": "1"},
    )
    line = process.stderr.readline()
    assert line.startswith("The portal listens on "), line
    yield line.split()[-1].rstrip("/")
    process.terminate()
    assert process.wait(30) == 0
    process.stderr.close()


@pytest.fixture(scope="module")
def chrome():
    with chromium() as opened:
        yield opened


def open_page(chrome, address, *, scripts=True, width=1440, scheme="light"):
    context = chrome.new_context(
        base_url=address,
        locale="ru-RU",
        java_script_enabled=scripts,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def fill(page, where="", **fields):
    for name, value in fields.items():
        page.fill(f"{where}#{name}", value)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_registers_confirms_and_adds_a_contract(chrome, address, scripts):
    page = open_page(chrome, address, scripts=scripts)
    found = complaints(page)
    email = f"boris{scripts}@example.org".lower()
    page.goto("/register")
    fill(page, email=email, full_name="Ли Борис", phone="+7 900 000-00-00", password=PASSWORD,
         password_again=PASSWORD)  # fmt: skip
    page.check("#consent")
    page.click("#register-form button[type=submit]")
    page.wait_for_url("**/register/sent")
    assert email in page.inner_text("main")
    page.goto("/demo/mail")
    letter = page.locator("#letters li", has_text=email).locator("a")
    while not scripts and not letter.count():  # with scripts the page looks itself
        page.reload()
    letter.click()
    page.click("main a.primary")
    page.click("main button[type=submit]")
    page.wait_for_url("**/login")
    assert "E-mail подтвержден" in page.inner_text(".flash")

    fill(page, email=email, password="wrong")
    page.click("#login-form button[type=submit]")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#email") == email
    assert page.input_value("#password") == ""
    fill(page, password=PASSWORD)
    page.click("#login-form button[type=submit]")
    page.wait_for_url(f"{address}/")
    assert "Ли Борис" in page.inner_text("#me")

    page.click("main a[href='/contracts/new']")
    where = "dialog[open] " if scripts else "main "
    fill(page, where, name="Дача", login="4001", password="Ozero-9")
    page.click(f"{where}#contract-form button[type=submit]")
    page.wait_for_selector(f"{where}[role=alert]")
    assert page.input_value(f"{where}#login") == "4001"
    assert page.input_value(f"{where}#password") == ""
    fill(page, where, password="Ozero-1")
    page.click(f"{where}#contract-form button[type=submit]")
    page.wait_for_url(re.compile(r"/contracts/\d+$"))
    assert page.inner_text("h1") == "Дача"
    assert "Договор добавлен." in page.inner_text(".flash")

    page.click("#me summary")
    page.click("#me form button")
    page.wait_for_url("**/login")
    page.goto("/account")
    assert page.url == f"{address}/login?next=/account"
    assert found == []
    page.context.close()


def test_focus_goes_to_the_alert_and_returns_to_what_opened_the_dialog(chrome, address):
    page = open_page(chrome, address)
    found = complaints(page)
    page.goto("/login")
    fill(page, email="anna@example.org", password="wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]:focus")
    fill(page, password=PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    page.focus(".rail a[href='/contracts/new']")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] #supplier:focus")
    fill(page, "dialog ", name="Дача", login="4001", password="no")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog [role=alert]:focus")
    page.keyboard.press("Escape")
    page.wait_for_selector(".rail a[href='/contracts/new']:focus")
    assert page.locator("dialog[open]").count() == 0
    assert found == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window(chrome, address, width, scheme):
    page = open_page(chrome, address, width=width, scheme=scheme)
    found = complaints(page)
    for path in ("/login", "/register", "/demo/mail", "/register/confirm/spent"):
        page.goto(path)
        assert overflow(page) <= 0, path
    page.goto("/login")
    fill(page, email="anna@example.org", password=PASSWORD)
    page.click("#login-form button[type=submit]")
    page.wait_for_url(f"{address}/")
    for path in ("/", "/account", "/contracts/new", "/nothing"):
        page.goto(path)
        assert overflow(page) <= 0, path
    assert [each for each in found if "status of 4" not in each] == []
    page.context.close()
