"""The main page's blocks, the panel of contracts, and what is said while a supplier is silent."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from points_world import PASSWORD, make, told
from portal import words

from hub.store import contracts as stored
from hub.store import tables
from hub.store import told as kept

CARD = {
    "name": "Энергосбыт", "phones": ["8 800 234-56-78"], "email": "help@z.example",
    "hours": "пн-пт 9-18", "address": "Садовая, 1", "site": "https://z.example",
}  # fmt: skip


@pytest.fixture
def anna(portal, store):
    """Anna has two contracts; the first has a point that is read and one that she reads."""
    made = make(store, "anna@example.org")
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    told(store, made, last - timedelta(days=2), last)
    with store.write() as unit:
        supplier = stored.suppliers(unit)[0].id
        stored.set_card(unit, supplier, CARD)
        second = stored.add_contract(
            unit,
            tables.Contract(
                user_id=made.user, supplier_id=supplier, remote_id="2", name="Дача",
                number="76-2", linked_at=last,
            ),
        )  # fmt: skip
        kept.add(
            unit,
            tables.ToldReading(
                contract_point_id=made.point + 1, zone="", taken_on=last.date(), value="7.5",
                source="theirs", basis="average", told_at=last,
            ),
        )  # fmt: skip
    browser = portal()
    assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303
    browser.made, browser.second = made, second
    return browser


def block(page: str, name: str) -> str:
    """What a card of the page says."""
    return words(re.search(rf'<section[^>]*id="{name}".*?</section>', page, re.DOTALL)[0])


@pytest.mark.clause("M1.sections", "M1.profile", "M1.contracts", "A9.name")
def test_the_frame_has_sections_profile_and_contracts(anna):
    page = anna.open(f"/contracts/{anna.made.contract}").text
    nav = re.search(r'<nav class="sections".*?</nav>', page, re.DOTALL)[0]
    hrefs = re.findall(r'<a href="([^"]+)"', nav)
    here = f"/contracts/{anna.made.contract}"
    assert hrefs == [here, f"{here}/points", f"{here}/notifications", f"{here}/appeals"]
    said = words(nav)
    for label in ("Главная", "Точки учета", "Уведомления", "Обращения"):
        assert label in said
    menu = re.search(r'<details class="menu me".*?</details>', page, re.DOTALL)[0]
    assert "Ким Анна Сергеевна" in words(menu)
    assert "Профиль" in words(menu)
    assert "Выйти" in words(menu)


@pytest.mark.clause("C3.any", "C3.panel", "C6.current", "C6.address")
def test_the_panel_lists_contracts_and_choosing_one_makes_it_current(anna):
    first, second = f"/contracts/{anna.made.contract}", f"/contracts/{anna.second}"
    page = anna.open(first).text
    panel = re.search(r'<ul id="contracts">.*?</ul>', page, re.DOTALL)[0]
    for told_ in ("Дом anna@example.org", "Дача", "Энергосбыт anna@example.org", "76-1", "76-2"):
        assert told_ in words(panel)
    for path, other in ((first, second), (second, first), (first, second)):
        page = anna.open(path).text
        (current,) = set(re.findall(r'href="([^"]+)" aria-current="true"', page))
        assert current == path
        sections = re.search(r'<nav class="sections".*?</nav>', page, re.DOTALL)[0]
        assert f'"{path}/points"' in sections
        assert other not in sections


@pytest.mark.clause("M1.supplier", "M2.supplier", "M2.contract")
def test_the_card_has_supplier_contacts_and_the_contracts_number(anna):
    said = block(anna.open(f"/contracts/{anna.made.contract}").text, "supplier")
    for told_ in ("Энергосбыт", "76-1", "8 800 234-56-78", "help@z.example", "пн-пт 9-18"):
        assert told_ in said


@pytest.mark.clause("M1.readings", "M3.readings", "M3.calculated", "M3.all", "M4.points")
def test_readings_name_each_point_and_lead_to_all(anna):
    page = anna.open(f"/contracts/{anna.made.contract}").text
    section = re.search(r'<section[^>]*aria-labelledby="readings-h".*?</section>', page, re.DOTALL)
    said = words(section[0])
    for told_ in ("Ввод 1", "Электроснабжение", "Водоснабжение", "по среднему", "Расчетные"):
        assert told_ in said
    href = re.search(r'href="([^"]+)"[^>]*>Все приборы<', section[0])[1]
    assert "Точки учета" in words(anna.open(href).text)
    assert href == f"/contracts/{anna.made.contract}/points"


# -- a supplier that can't be asked --------------------------------------------------------------


def silent(store, made, code: str, *, stopped: bool = False) -> None:
    now = datetime.now(UTC)
    with store.write() as unit:
        kept.begin_state(unit, made.contract, now + timedelta(minutes=7))
        contract, _ = kept.with_supplier(unit, made.contract)
        contract.refresh_error, contract.refreshed_at = code, now - timedelta(hours=3)
        kept.state(unit, made.contract).stopped = stopped


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
