"""A supplier's connector that is not ours: a wheel of one file, before a server with moods.

The portal runs in a process of its own, as installed; the test is the consumer before it, the
supplier's people behind it, and whoever pulls the plug.
"""

import base64
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx
import pytest
import strangers
import town_server
from portal import Browser, words
from sqlmodel import col, update
from strangers import Installation
from town_server import Town

from hub.services.accounts import Accounts
from hub.services.passwords import Passwords
from hub.store import tables

pytestmark = pytest.mark.e2e

SAMARA = ZoneInfo("Europe/Samara")
EMAIL, PASSWORD = "customer@example.org", "Town-power-2026"
SEE_OTHER, INVALID = 303, 422
PATIENCE_S = 60


@pytest.fixture(scope="module")
def town() -> Town:
    return Town()


@pytest.fixture(scope="module")
def address(town) -> Iterator[str]:
    with town_server.serving(town) as found:
        yield found


@pytest.fixture(scope="module")
def installation(tmp_path_factory) -> Installation:
    wheel = strangers.install(tmp_path_factory.mktemp("town"), strangers.TOWN)
    made = Installation.make(tmp_path_factory.mktemp("hub"), wheel, HUB_PRIVATE_HOSTS="127.0.0.1")
    store = made.store()
    Accounts(store, Passwords()).add(email=EMAIL, full_name="A. Customer", password=PASSWORD)
    store.close()
    return made


@pytest.fixture(scope="module")
def supplier(installation, address) -> str:
    """The connector installed as an operator does it; gives the supplier's title."""
    done = installation.hub(
        "supplier", "add", "townpower", "Town Power Ltd", "--settings=-",
        stdin=f'{{"address": "{address}"}}',
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return "Town Power Ltd"


class Portal:
    """The portal's process and a browser before it; ``kill`` is pulling the plug."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.port = strangers.free_port()
        self.start()
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=20,
            transport=httpx.HTTPTransport(retries=8), headers={"Accept-Language": "en"},
        )  # fmt: skip
        self.browser = Browser(client)

    def start(self) -> None:
        log = self.installation.folder / "portal.log"
        with log.open("a") as stderr:
            self.process = self.installation.start("serve", f"--port={self.port}", stderr=stderr)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)

    def read(self, path: str) -> str:
        page = self.browser.open(path)
        assert page.status_code == httpx.codes.OK
        return words(page.text)

    # -- the hub's own waits, shortened

    def hasten(self) -> None:
        """Let the waits run out that follow a failure, and the claims of whoever died."""
        store = self.installation.store()
        with store.write() as unit:
            past = {"due_at": unit.now() - timedelta(seconds=1), "claimed_until": None}
            waiting = update(tables.Outbox).where(col(tables.Outbox.done_at).is_(None))
            for statement in (waiting, update(tables.ContractState)):
                unit.session.execute(statement.values(**past))
        store.close()

    def row(self, table: type, row_id: int) -> tables.Row:
        store = self.installation.store()
        try:
            with store.read() as unit:
                return unit.session.get(table, row_id)
        finally:
            store.close()


def wait_for(found: Callable[[], object], portal: Portal | None = None) -> object:
    """Look until there is something; ``portal``: shortening its waits meanwhile."""
    end = time.monotonic() + PATIENCE_S
    while not (seen := found()):
        assert time.monotonic() < end, "it never came"
        if portal is not None:
            portal.hasten()
        time.sleep(0.3)
    return seen


@pytest.fixture(scope="module")
def portal(installation, supplier) -> Iterator[Portal]:
    made = Portal(installation)
    answer = made.browser.sign_in(EMAIL, PASSWORD)
    assert answer.status_code == SEE_OTHER
    yield made
    made.browser.client.close()
    made.process.terminate()
    made.process.communicate(timeout=20)
    assert made.process.returncode == 0


@pytest.fixture(scope="module")
def choice(portal, supplier) -> str:
    page = portal.browser.open("/contracts/new").text
    return re.search(rf'<option value="(\d+)"[^>]*>\s*{supplier}', page).group(1)


@pytest.mark.clause("C1.suppliers", "C2.account", "C2.wrong", "C2.kept")
def test_wrong_password_has_its_message_and_keeps_the_rest(portal, choice):
    typed = {"supplier": choice, "name": "The mill", "login": town_server.LOGIN}
    answer = portal.browser.send("/contracts/new", password="wrong", **typed)
    assert answer.status_code == INVALID
    assert "did not accept" in words(answer.text)
    assert 'value="The mill"' in answer.text
    assert f'value="{town_server.LOGIN}"' in answer.text
    assert "wrong" not in re.findall(r'value="([^"]*)"', answer.text)


@pytest.mark.parametrize("mood", ["fails", "html", "half"])
@pytest.mark.clause("C2.down", "C2.kept")
def test_a_supplier_that_answers_nonsense_is_not_the_login(portal, choice, town, mood):
    typed = {"supplier": choice, "name": "The mill", "login": town_server.LOGIN}
    with town.in_mood(mood):
        answer = portal.browser.send("/contracts/new", password=town_server.PASSWORD, **typed)
    assert answer.status_code == INVALID
    assert "did not accept" not in words(answer.text)
    assert 'value="The mill"' in answer.text


@pytest.fixture(scope="module")
def contract(portal, choice) -> int:
    answer = portal.browser.send(
        "/contracts/new",
        supplier=choice, name="The mill", login=town_server.LOGIN, password=town_server.PASSWORD,
    )  # fmt: skip
    assert answer.status_code == SEE_OTHER, words(answer.text)
    return int(answer.headers["location"].rpartition("/")[2])


@pytest.fixture(scope="module")
def points(portal, contract) -> dict[str, int]:
    page = portal.browser.open(f"/contracts/{contract}/points").text
    found = re.findall(r'href="/points/(\d+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    named = {words(label).strip(): int(at) for at, label in found}
    return {name: named[name] for name in ("Mill", "Water of the mill")}


def test_main_page_is_what_the_supplier_told(portal, contract):
    page = portal.read(f"/contracts/{contract}")
    for told in (
        "Town Power", "8 800 555-01-01", "ask@town.example", "Mo-Fr 9-18", "TP-7", "A. Customer",
        "7, Mill lane", "1,284.50", "T1 3,124.027, T2 1,527.796", "Cables are replaced",
        "Water of the mill",
    ):  # fmt: skip
        assert told in page, told


def test_half_hours_of_the_supplier_are_on_the_page(portal, points, town):
    first = town.half_hours[0][0].astimezone(SAMARA).date() + timedelta(days=1)
    path = f"/points/{points['Mill']}/profile?from={first}&to={first}&day={first}"
    told = [
        Decimal(wh).scaleb(-3)
        for at, wh in town.half_hours
        if at.astimezone(SAMARA).date() == first
    ]

    def shown() -> bool:
        table = portal.browser.open(path).text.partition('id="profile-table"')[2]
        values = re.findall(r'<data value="([^"]+)">', table.partition("</table>")[0])
        return [Decimal(value) for value in values] == [*told, sum(told)]

    assert len(told) == 48
    wait_for(shown)
    assert "supplier" in portal.read(path)


@pytest.mark.clause("N2.supplier", "N1.open")
def test_notice_of_the_supplier_opens(portal, contract):
    page = portal.browser.open(f"/contracts/{contract}/notifications").text
    at = re.search(r'href="(/notifications/\d+)"[^>]*>\s*Cables are replaced', page).group(1)
    assert "No power on Friday from 10 to 14." in portal.read(at)


def appeal(portal: Portal, contract: int, subject: str, photo: bytes = b"") -> int:
    path = f"/contracts/{contract}/appeals/new"
    typed = {"subject": subject, "text": f"About {subject}."}
    data = portal.browser.fill(portal.browser.open(path).text, path, typed)
    del data["files"]
    files = [("files", ("meter.jpg", photo))] if photo else None
    answer = portal.browser.client.post(path, data=data, files=files, follow_redirects=False)
    assert answer.status_code == SEE_OTHER, words(answer.text)
    return int(answer.headers["location"].rpartition("/")[2])


def key_of(town: Town, subject: str) -> str:
    (key,) = (key for key, each in town.appeals.items() if each["subject"] == subject)
    return key


@pytest.mark.clause("S2.handed", "S2.number", "S2.answer", "S3.notification")
def test_an_appeal_goes_and_its_answer_comes(portal, contract, town):
    photo, paper = b"\xff\xd8\xff\xe0 a meter", b"%PDF-1.7 an act"
    at = f"/appeals/{appeal(portal, contract, 'The bill', photo)}"
    wait_for(lambda: "The bill" in [each["subject"] for each in town.appeals.values()])
    number = town.appeals[key_of(town, "The bill")]["id"]
    wait_for(lambda: f"№{number}" in portal.read(at))
    (sent,) = town.files.values()
    assert (sent["name"], base64.b64decode(sent["content"])) == ("meter.jpg", photo)
    act = {"name": "act.pdf", "content": base64.b64encode(paper).decode()}
    town.answer(key_of(town, "The bill"), "It was counted anew.", files=[act])
    wait_for(lambda: "It was counted anew." in portal.read(at), portal)
    assert "The bill" in portal.read(f"/contracts/{contract}/notifications")
    link = re.compile(r'href="(/appeals/files/\d+)"')
    wait_for(lambda: len(link.findall(portal.browser.open(at).text)) == 2, portal)
    got = [portal.browser.open(each).content for each in link.findall(portal.browser.open(at).text)]
    assert got == [photo, paper]


MOODS = {"slow": "does not answer", "fails": "does not answer", "html": "", "half": ""}


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.clause("S2.queued", "S2.waiting")
def test_pages_stay_while_the_supplier_is_out_of_sorts(portal, contract, points, town, mood):
    paths = [f"/contracts/{contract}{rest}" for rest in ("", "/points", "/appeals")]
    wait_for(lambda: "supplier-down" not in portal.browser.open(paths[0]).text, portal)
    with town.in_mood(mood):
        asked = town.asked
        portal.hasten()
        wait_for(lambda: town.asked > asked, portal)
        if mood == "slow":  # the page is answered while the supplier still thinks
            assert town.held
            assert "The mill" in portal.read(f"/contracts/{contract}")
            assert town.held
        subject = f"While {mood}"
        at = f"/appeals/{appeal(portal, contract, subject)}"
        assert "not delivered yet" in portal.read(at)
        wait_for(lambda: "supplier-down" in portal.browser.open(paths[0]).text)
        for path in [*paths, f"/points/{points['Mill']}/profile"]:
            page = portal.browser.open(path).text
            (note,) = re.findall(r'id="supplier-down".*?</div>', page, re.DOTALL)
            assert "as of" in words(note)
        page = portal.read(f"/contracts/{contract}")
        assert "1,284.50" in page
        assert "3,124.027" in page
        assert portal.browser.open(f"/contracts/{contract}/appeals/new").status_code == 200
    wait_for(lambda: subject in [each["subject"] for each in town.appeals.values()], portal)
    wait_for(lambda: "not delivered yet" not in portal.read(at), portal)
    wait_for(lambda: "supplier-down" not in portal.browser.open(paths[0]).text, portal)
    assert [each["subject"] for each in town.appeals.values()].count(subject) == 1
    listed = portal.browser.open(f"/contracts/{contract}/appeals").text
    assert listed.count(subject) == 1


def test_an_appeal_whose_answer_was_lost_is_found_and_not_sent_again(portal, contract, town):
    town.forgets = True
    at = f"/appeals/{appeal(portal, contract, 'Lost')}"
    wait_for(lambda: "Lost" in [each["subject"] for each in town.appeals.values()])
    town.forgets = False
    key = key_of(town, "Lost")
    number = town.appeals[key]["id"]
    wait_for(lambda: re.search(rf"№{number}\b", portal.read(at)), portal)
    assert town.posts.count(key) == 1


@pytest.mark.clause("T2.supplier")
def test_an_exchange_that_is_killed_loses_and_doubles_nothing(portal, contract, town):
    subjects = [f"Killed {at}" for at in range(4)]
    with town.in_mood("slow"):
        made = [appeal(portal, contract, subject) for subject in subjects]
        wait_for(lambda: town.held)
        portal.kill()
    portal.start()
    wait_for(lambda: portal.browser.open("/health/ready").status_code == 200)
    wait_for(
        lambda: all(portal.row(tables.Appeal, at).state in {"in_work", "uncertain"} for at in made),
        portal,
    )
    known = [each["subject"] for each in town.appeals.values()]
    for subject, at in zip(subjects, made, strict=True):
        # Delivered once; or never, and then its author is asked, because nobody can know.
        assert known.count(subject) <= 1
        state = portal.row(tables.Appeal, at).state
        assert (state == "in_work") == (known.count(subject) == 1), (subject, state)


@pytest.mark.clause("T2.supplier", "T2.state")
def test_readings_sent_from_the_page_are_taken_and_accepted(portal, points, town):
    here = f"/points/{points['Water of the mill']}/submit"
    page = portal.browser.open(here).text
    (field,) = re.findall(
        r'<input\b[^>]*inputmode="decimal"[^>]*name="([^"]+)"', page
    ) or re.findall(r'<input\b[^>]*name="([^"]+)"[^>]*inputmode="decimal"', page)
    answer = portal.browser.send(here, **{field: "104.25"})
    assert answer.status_code == SEE_OTHER, words(answer.text)
    wait_for(lambda: [each for each in town.sent.values() if each["point"] == town_server.WATER])
    ((key, sent),) = town.sent.items()
    assert sent["values"] == {"": "104.25"}
    assert town.posts.count(key) == 1
    town.decide(key, "accepted")
    wait_for(lambda: portal.row(tables.Submission, 1).state == "accepted", portal)
    assert "accepted" in portal.read(here).lower()
    assert town.posts.count(key) == 1
