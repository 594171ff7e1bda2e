"""A plugin that is not ours reads into the store and shows on the page, beside three broken ones.

Everything is real: four wheels built and installed, virtual meters on a TCP line, the collector,
the portal, each in a process of its own.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import strangers
from strangers import Installation

from hub.plugins.api import Point, SupplierCard
from hub.plugins.manager import load_plugins
from hub.services import bookkeeping, places
from hub.services.accounts import Accounts
from hub.services.contracts import Contracts
from hub.services.passwords import Passwords
from hub.services.profile import Profiles
from hub.services.slots import SlotView

pytestmark = pytest.mark.e2e

MOSCOW = ZoneInfo("Europe/Moscow")
ADDRESS = 7
EMAIL, PASSWORD = "toys@example.org", "Toys-count-2026"
BROKEN = {
    "importfails": ("a_module_that_nobody_has", "reinstall or remove the package"),
    "wronghook": ("'hub_meter_driver', which is no hook", "to 'hub_meter_drivers'"),
    "hookraises": ("raised in hub_meter_drivers(): ZeroDivisionError", "maker"),
}


@pytest.fixture(scope="module")
def installation(tmp_path_factory, strangers_wheels) -> Installation:
    return Installation.make(tmp_path_factory.mktemp("hub"), strangers_wheels)


@pytest.fixture(scope="module")
def line(installation) -> Iterator[str]:
    """A line with a toy meter, served by the plugin's own virtual meter."""
    process = installation.start(
        "simulate", "toymeter", "--listen", "tcp://127.0.0.1:0", f"--address={ADDRESS}"
    )
    yield process.stdout.readline().split()[1]
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def people(installation, line) -> tuple[int, int]:
    """Enter supplier, books, point and consumer, and link; give the ids of user and point."""
    store = installation.store()
    now = datetime.now(UTC)
    supplier = bookkeeping.open_supplier(
        store, title="Toys", card=SupplierCard(name="Toys"), now=now
    )
    serial = f"T{ADDRESS:06d}"
    places.set_up(
        store,
        places.NewPlace(
            supplier_id=supplier, number="TOY-1", name="Playroom", time_zone="Europe/Moscow",
            installed_at=now - timedelta(days=60),
            meter=places.NewMeter(
                line=line, driver="toymeter", settings=json.dumps({"address": ADDRESS}),
                maker="Toys", serial=serial, model="Toy 1",
            ),
        ),
    )  # fmt: skip
    passwords = Passwords()
    point = Point(id="TOY-1", name="Playroom", number="TOY-1", meter_serial=serial, smart=True)
    bookkeeping.Bookkeeping(store, supplier, passwords).enter(
        bookkeeping.BookedContract(
            login="toys", password="toys-secret", number="7", holder="A. Child", address="Here",
            points=(point,),
        ),
    )  # fmt: skip
    user = Accounts(store, passwords).add(email=EMAIL, full_name="A. Child", password=PASSWORD)
    contracts = Contracts(store, load_plugins(), passwords)
    asyncio.run(contracts.link(user, supplier, "Toys", "toys", "toys-secret"))
    with store.read() as unit:
        found = unit.cursor()
        found.execute("SELECT id FROM contract_point")
        ((point_id,),) = found.fetchall()
    store.close()
    return user, point_id


@pytest.fixture(scope="module")
def toy(installation):
    """The virtual meter's own arithmetic, out of the installed wheel."""
    sys.path.insert(0, str(installation.plugins))
    try:
        yield import_module("toymeter_virtual")
    finally:
        sys.path.remove(str(installation.plugins))


@pytest.fixture(scope="module")
def collected(installation, people) -> "subprocess.CompletedProcess[str]":
    return installation.hub("collect", "--once")


def measured(installation, user: int, point: int, first: date, last: date) -> list[SlotView]:
    store = installation.store()
    try:
        return Profiles(store).slots(user, point, first, last)
    finally:
        store.close()


def test_collector_reads_every_half_hour_of_the_toy(installation, people, collected, toy):
    assert collected.returncode == 0, collected.stderr
    assert collected.stderr.endswith("1 read, 0 not\n")
    today = datetime.now(MOSCOW).date()
    slots = measured(installation, *people, today - timedelta(days=39), today)
    known = [slot for slot in slots if not slot.missing]
    for slot in known:
        number = (slot.local_start.replace(tzinfo=None) - toy.START) // toy.HALF_HOUR
        assert slot.energy == (Fraction(toy.count(ADDRESS, number), 1000), None, None, None)
        assert (slot.flags, slot.minutes) == (0, 30)
    starts = [slot.start_at for slot in known]
    assert all(after - before == toy.HALF_HOUR for before, after in pairwise(starts))
    assert len(known) > toy.KEPT - 2 * 48


def test_collector_says_which_plugins_are_broken(collected):
    assert_told_of_broken(collected.stderr)


def assert_told_of_broken(log: str) -> None:
    lines = [line for line in log.splitlines() if "event=plugin.unusable" in line]
    assert len(lines) == len(BROKEN)
    for name, (error, step) in BROKEN.items():
        (line,) = (line for line in lines if f"plugin={name}" in line)
        assert "level=error" in line
        assert error in line
        assert step in line


@pytest.fixture(scope="module")
def portal(installation, collected, tmp_path_factory) -> Iterator[tuple[httpx.Client, Path]]:
    """The portal in a process of its own, a client before it, and its log."""
    port = strangers.free_port()
    log = tmp_path_factory.mktemp("portal") / "log"
    with log.open("w") as stderr:
        process = installation.start("serve", f"--port={port}", stderr=stderr)
    # Tries anew, with longer and longer pauses, until somebody listens.
    transport = httpx.HTTPTransport(retries=6)
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=20,
        headers={"Accept-Language": "en"},
    )  # fmt: skip
    with client:
        assert client.get("/health/ready").status_code == httpx.codes.OK
        yield client, log
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def signed_in(portal) -> httpx.Client:
    client, _log = portal
    page = client.get("/login").text
    token = re.search(r'name="_csrf_token" value="([^"]+)"', page).group(1)
    form = {"email": EMAIL, "password": PASSWORD, "_csrf_token": token, "next": "/"}
    answer = client.post("/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (httpx.codes.SEE_OTHER, "/")
    return client


def test_portal_starts_and_says_which_plugins_are_broken(portal):
    assert_told_of_broken(portal[1].read_text())


def test_half_hours_of_the_toy_are_on_the_page(signed_in, people, toy):
    point, day = people[1], datetime.now(MOSCOW).date() - timedelta(days=2)
    page = signed_in.get(
        f"/points/{point}/profile", params={"from": f"{day}", "to": f"{day}", "day": f"{day}"}
    )
    assert page.status_code == httpx.codes.OK
    assert "Playroom" in page.text
    first = (datetime.combine(day, time()) - toy.START) // toy.HALF_HOUR
    kwh = [Decimal(toy.count(ADDRESS, first + at)).scaleb(-3) for at in range(48)]
    table = page.text.partition('id="profile-table"')[2].partition("</table>")[0]
    shown = [Decimal(value) for value in re.findall(r'<data value="([^"]+)">', table)]
    assert shown == [*kwh, sum(kwh)]
    assert table.count("<td>Measured</td>") == len(kwh)


def test_chart_of_the_toy_has_its_numbers(signed_in, people, toy):
    point, day = people[1], datetime.now(MOSCOW).date() - timedelta(days=2)
    path = f"/points/{point}/profile.json"
    chart = signed_in.get(path, params={"from": f"{day}", "to": f"{day}"}).json()
    first = (datetime.combine(day, time()) - toy.START) // toy.HALF_HOUR
    kwh = [toy.count(ADDRESS, first + at) / 1000 for at in range(48)]
    assert chart["kwh"] == pytest.approx(kwh, rel=1e-12)
    assert set(chart["flag"]) == {0}


def test_plugin_list_says_what_to_do(installation):
    listed = installation.hub("plugin", "list")
    assert listed.returncode == 0
    lines = listed.stdout.splitlines()
    for name, (error, step) in BROKEN.items():
        at = next(at for at, line in enumerate(lines) if line.split()[:2] == [name, "broken"])
        assert error in lines[at + 1]
        assert step in lines[at + 2]
    assert any(line.split()[:2] == ["toymeter", "loaded"] for line in lines)
    assert any(line.split()[:2] == ["mercury234", "loaded"] for line in lines)
