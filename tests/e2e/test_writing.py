"""What a person writes survives the server: killed between the upload and the sending."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import strangers
from browsers import complaints
from browsing import sign_in
from playwright.sync_api import Page, expect
from strangers import Installation

from hub.plugins.api import Point, SupplierCard
from hub.services.accounts import Accounts
from hub.services.bookkeeping import BookedContract, Bookkeeping, open_supplier
from hub.services.passwords import Passwords

pytestmark = pytest.mark.e2e

EMAIL, PASSWORD, LETTER = "writer@example.org", "Writes-2026", "letter-1"
PHOTO = b"\xff\xd8\xff\xe0 a photo of a meter"


class Server:
    """The portal's process on one port; ``kill`` is pulling the plug."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.port = strangers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        with (self.installation.folder / "portal.log").open("a") as log:
            self.process = self.installation.start("serve", f"--port={self.port}", stderr=log)
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:  # till it listens
            assert client.get(f"{self.url}/health/live").status_code == httpx.codes.OK

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> Iterator[tuple[Installation, Bookkeeping]]:
    installation = Installation.make(tmp_path_factory.mktemp("hub"), Path())
    store = installation.store()
    passwords = Passwords()
    Accounts(store, passwords).add(email=EMAIL, full_name="A. Writer", password=PASSWORD)
    card = SupplierCard(name="Town")
    supplier = open_supplier(store, title="Town", card=card, now=datetime.now(UTC))
    keeping = Bookkeeping(store, supplier, passwords)
    point = Point(id="", name="Mill", number="P-1")
    keeping.enter(
        BookedContract(number="7", holder="", address="", login="town", password=LETTER,
                       points=(point,))
    )  # fmt: skip
    yield installation, keeping
    store.close()


@pytest.fixture
def server(books) -> Iterator[Server]:
    made = Server(books[0])
    yield made
    made.kill()


@pytest.fixture
def page(browser, server) -> Iterator[Page]:
    context = browser.new_context(locale="en")
    made = context.new_page()
    sign_in(made, server.url, EMAIL, PASSWORD, anew=True)
    made.goto(f"{server.url}/contracts/new")
    made.select_option("#supplier", label="Town")
    made.fill("#name", "Mill")
    made.fill("#login", "town")
    made.fill("#password", LETTER)
    made.click("#contract-form button[type=submit]")
    made.wait_for_url(re.compile(r"/contracts/\d+$"))
    yield made
    context.close()


@pytest.mark.clause("S1.attachments")
def test_a_kill_between_upload_and_sending_loses_nothing(page, server, books):
    found = complaints(page)
    new = f"{page.url}/appeals/new"
    page.clock.install()
    page.goto(new)
    page.fill("#subject", "The lights blink")
    page.fill("#text", "Since yesterday")
    page.set_input_files("#files", {"name": "meter.jpg", "mimeType": "", "buffer": PHOTO})
    expect(page.locator("#appeal-files li")).to_contain_text("meter.jpg")
    expect(page.locator("#text")).to_have_value("Since yesterday")  # what is typed stays
    page.locator("#text").press_sequentially(", at noon")
    expect(page.locator("[data-counter]")).to_contain_text("4,976")
    with page.expect_response(lambda answer: answer.status == 204):
        page.clock.run_for(20_000)
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    assert found == []

    server.kill()
    page.locator("#text").press_sequentially(" and night")
    page.clock.run_for(20_000)
    expect(page.locator("[data-saved]")).to_contain_text("Not saved")
    server.start()
    with page.expect_response(lambda answer: answer.status == 204):
        page.clock.run_for(20_000)
    page.goto("about:blank")  # closed, and opened anew
    page.goto(new)
    expect(page.locator("#subject")).to_have_value("The lights blink")
    expect(page.locator("#text")).to_have_value("Since yesterday, at noon and night")
    expect(page.locator("#appeal-files li")).to_contain_text("meter.jpg")
    page.press("#subject", "Enter")  # sends, and does not press the first button
    expect(page.locator(".thread .bubble")).to_contain_text("at noon and night")
    with page.expect_download() as download:
        page.locator(".thread .files a").click()
    assert Path(download.value.path()).read_bytes() == PHOTO
    page.goto(new)
    expect(page.locator("#text")).to_have_value("")
