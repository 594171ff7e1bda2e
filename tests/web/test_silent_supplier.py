"""What the pages of a contract say while its supplier can't be asked."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from points_world import PASSWORD, make, told
from portal import words

from hub.store import contracts as stored
from hub.store import tables
from hub.store import told as kept


@pytest.fixture
def anna(portal, store):
    """Anna has two contracts; of the first the supplier will be silent."""
    made = make(store, "anna@example.org")
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    told(store, made, last - timedelta(days=2), last)
    with store.write() as unit:
        supplier = stored.suppliers(unit)[0].id
        second = stored.add_contract(
            unit,
            tables.Contract(
                user_id=made.user, supplier_id=supplier, remote_id="2", name="Дача",
                number="76-2", linked_at=last,
            ),
        )  # fmt: skip
    browser = portal()
    assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303
    browser.made, browser.second = made, second
    return browser


def silent(store, made, code: str, *, stopped: bool = False, since=None) -> None:
    now = datetime.now(UTC)
    with store.write() as unit:
        kept.begin_state(unit, made.contract, now + timedelta(minutes=7))
        contract, _ = kept.with_supplier(unit, made.contract)
        contract.refresh_error, contract.refreshed_at = code, now - timedelta(hours=3)
        state = kept.state(unit, made.contract)
        state.stopped, state.failing_since = stopped, since


def note(page: str) -> str:
    found = re.search(r'<div id="supplier-down">.*?</div>\s*</div>', page, re.DOTALL)
    return words(found[0]).replace("\N{NO-BREAK SPACE}", " ") if found else ""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("supplier.down", "не отвечает"),
        ("supplier.rate", "не отвечает"),
        ("supplier.answer_changed", "ответ не прочитать"),
        ("plugin.contract_broken", "ответ не прочитать"),
    ],
)
def test_pages_say_what_is_old_and_of_when(anna, store, code, said):
    here = f"/contracts/{anna.made.contract}"
    assert note(anna.open(here).text) == ""
    silent(store, anna.made, code)
    pages = [here, f"{here}/points", f"{here}/appeals", f"{here}/appeals/new",
             f"{here}/notifications", f"/points/{anna.made.point}/profile"]  # fmt: skip
    for path in pages:
        words_ = note(anna.open(path).text)
        assert said in words_, path
        assert "баланс, расчетные показания, уведомления и ответы" in words_
        assert re.search(r"по состоянию на: (сегодня|вчера) в \d\d:\d\d", words_)
        assert "Следующая попытка" in words_
        assert "можно отправлять" in words_
    assert note(anna.open(f"/contracts/{anna.second}").text) == ""
    assert note(anna.open("/account").text) == ""


@pytest.mark.parametrize("days", [0, 3])
def test_the_note_says_since_when(anna, store, days):
    now = datetime.now(UTC)
    since = max(now - timedelta(minutes=1), now.replace(minute=0)) - timedelta(days=days)
    silent(store, anna.made, "supplier.down", since=since)
    at = since.astimezone(ZoneInfo("Europe/Moscow"))
    time = f"{at:%H:%M}" if days == 0 else f"{at.day} [а-я]+( [0-9]{{4}})?, {at:%H:%M}"
    assert re.search(
        f"не отвечает с {time}", note(anna.open(f"/contracts/{anna.made.contract}").text)
    )


def test_the_supplier_is_asked_again_from_the_note(anna, store):
    silent(store, anna.made, "supplier.down")
    here = f"/contracts/{anna.made.contract}"
    assert anna.send(here, f"{here}/refresh").status_code == 303
    with store.read() as unit:
        assert kept.state(unit, anna.made.contract).due_at <= datetime.now(UTC) + timedelta(
            minutes=5, seconds=1
        )


def test_a_login_that_is_refused_asks_its_owner_to_act(anna, store):
    silent(store, anna.made, "supplier.credentials_rejected", stopped=True)
    page = anna.open(f"/contracts/{anna.made.contract}").text
    assert "больше не принимает" in note(page)
    assert "Следующая попытка" not in note(page)
    assert f'href="/contracts/{anna.made.contract}/password"' in page
