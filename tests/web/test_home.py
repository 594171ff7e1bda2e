"""The main page: eight blocks, what needs attention, and where each of them leads."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from points_world import make
from portal import words

from hub.services import home as pages
from hub.services.clock import utc_now
from hub.store import tables

HERE = ZoneInfo("Europe/Moscow")  # where the points are
TODAY = datetime.now(HERE).date()


@pytest.fixture
def made(store):
    return make(store, "anna@example.org")


@pytest.fixture
def signed(guest, made):
    guest.sign_in()
    return guest


@pytest.fixture
def home(signed, made):
    """Open the main page anew."""
    return lambda: signed.open(f"/contracts/{made.contract}")


def change(store, kind, row_id, **values):
    with store.write() as unit:
        row = unit.session.get(kind, row_id)
        for name, value in values.items():
            setattr(row, name, value)


def water(store, made):
    with store.read() as unit:
        rows = unit.session.connection().exec_driver_sql(
            "SELECT id FROM contract_point WHERE resource = 'water'"
        )
        return rows.scalar()


def block(page, name):
    """The words of a section by its heading's id."""
    start = page.text.index(f'id="{name}"')
    return words("<p " + page.text[start : page.text.index("</section>", start)])


def attention(page):
    return block(page, "attention-h") if 'id="attention-h"' in page.text else ""


# -- the eight blocks ------------------------------------------------------------------------------


@pytest.mark.clause("M1.sections", "C6.current", "C6.address")
def test_sections_belong_to_the_contract_of_the_address(home, made):
    page = home()
    bar = page.text[page.text.index('class="sections"') :]
    bar = bar[: bar.index("</nav>")]
    for text, end in (
        ("Главная", ""),
        ("Точки учета", "/points"),
        ("Уведомления", "/notifications"),
        ("Обращения", "/appeals"),
    ):
        assert text in words(bar)
        assert f'href="/contracts/{made.contract}{end}"' in bar


@pytest.mark.clause("M1.profile")
def test_the_full_name_opens_profile_and_the_way_out(home):
    page = home()
    menu = page.text[page.text.index('id="me"') :]
    menu = menu[: menu.index("</details>")]
    for text in ("Ким Анна Сергеевна", "Профиль", "Выйти"):
        assert text in words(menu)
    assert 'href="/account"' in menu
    assert 'action="/logout"' in menu


@pytest.mark.clause("M1.contracts", "C3.panel")
def test_the_panel_names_contract_supplier_and_number(home):
    page = home()
    panel = page.text[page.text.index('id="contracts"') :]
    panel = words(panel[: panel.index("</ul>")])
    for text in ("Дом anna@example.org", "Энергосбыт anna@example.org", "76-1"):
        assert text in panel


@pytest.mark.clause("M1.supplier", "M2.supplier", "M2.contract")
def test_the_card_tells_supplier_contacts_and_number(home, store):
    card = {"name": "Энергосбыт", "phones": ["8 800 555-01-00"], "email": "help@z.example",
            "site": "https://z.example"}  # fmt: skip
    change(store, tables.Supplier, 1, card=card)
    told = block(home(), "supplier")
    for text in ("Энергосбыт", "8 800 555-01-00", "help@z.example", "z.example", "76-1"):
        assert text in told


@pytest.mark.clause("M1.balance", "M4.balance")
@pytest.mark.parametrize(
    ("kopecks", "sentence", "amount"),
    [
        (-128_450, "К оплате на 24 ноября", "1 284,50 ₽"),
        (35_000, "Оплачено вперед, на 24 ноября", "350,00 ₽"),
        (0, "Платить не нужно, на 24 ноября", "0,00 ₽"),
    ],
)
def test_the_balance_says_debt_or_credit_and_when(home, store, made, kopecks, sentence, amount):
    change(store, tables.Contract, made.contract, balance_kopecks=kopecks)
    told = block(home(), "balance").replace("\u00a0", " ")
    assert sentence in told
    assert amount in told


@pytest.mark.clause(
    "M1.readings", "M3.readings", "M3.all", "M4.points", "M3.calculated", "M3.latest"
)
def test_readings_by_point_with_what_is_billed(home, store, made):
    with store.write() as unit:
        unit.session.add(
            tables.ToldReading(
                contract_point_id=water(store, made), zone="", taken_on=date(2026, 10, 20),
                value="450.402", source="ours", basis="accepted",
                told_at=datetime(2026, 10, 20, tzinfo=UTC),
            )
        )  # fmt: skip
    page = home()
    told = block(page, "readings-h").replace("\u00a0", " ")
    for text in ("Ввод 1", "Электроснабжение", "Вода", "Водоснабжение", "Расчетные на 20 октября",
                 "450,402", "принято", "Последние, м³, 20 октября", "Все приборы"):  # fmt: skip
        assert text in told
    assert f'<a href="/contracts/{made.contract}/points">Все приборы</a>' in page.text


@pytest.mark.clause("M3.latest", "M3.calculated", "M3.submit")
def test_latest_and_calculated_may_differ_and_both_say_their_date(signed, home, store, made):
    point = water(store, made)
    change(store, tables.Contract, made.contract, does=["submit"])
    at = utc_now()
    with store.write() as unit:
        for value, day, basis in (("450.402", date(2026, 10, 20), "average"),
                                  ("455.1", date(2026, 11, 3), "")):  # fmt: skip
            unit.session.add(
                tables.ToldReading(
                    contract_point_id=point, zone="", taken_on=day, value=value, source="theirs",
                    basis=basis, told_at=at,
                )
            )  # fmt: skip
    page = home()
    told = block(page, "readings-h").replace("\u00a0", " ")
    assert "Расчетные на 20 октября: 450,402, по среднему" in told
    assert re.search(r"455,10* Последние, м³, 3 ноября", told)
    assert "Передать показания" in told
    assert signed.open(f"/points/{point}/submit").status_code == 200


@pytest.mark.clause("M1.notifications", "M1.appeals", "M4.notifications", "M4.appeals")
def test_the_latest_notices_and_appeals_open_themselves(signed, home, made):
    page = home()
    for name, text, status, href in (
        ("latest-notes", "Дом anna: работы", "НЕ ПРОЧИТАНО", f"/notifications/{made.notice}"),
        ("latest-appeals", "№14 Дом anna: вопрос", "В РАБОТЕ", f"/appeals/{made.appeal}"),
    ):
        told = block(page, name)
        assert text in told
        assert status in told
        assert f'href="{href}"' in page.text
        assert text.removeprefix("№14 ") in words(signed.open(href).text)
    assert "НЕ ПРОЧИТАНО" not in block(home(), "latest-notes")


# -- what needs attention --------------------------------------------------------------------------


def test_nothing_to_do_is_no_block(home, store, made):
    change(store, tables.Contract, made.contract, balance_kopecks=0)
    assert 'id="attention"' not in home().text


def test_a_debt_leads_to_the_supplier(home, store, made):
    told = attention(home()).replace("\u00a0", " ")
    assert "К оплате 1 284,50 ₽" in told
    assert "Написать поставщику" in told  # who has told no way to reach it
    change(store, tables.Supplier, 1, card={"name": "Э", "phones": ["8 800 555-01-00"]})
    assert 'href="tel:8800555-01-00">Позвонить поставщику' in home().text
    change(store, tables.Supplier, 1, card={"name": "Э", "site": "https://z.example"})
    assert "Сайт поставщика" in attention(home())


@pytest.mark.parametrize("sent", [None, "waiting", "refused", "before"])
def test_an_open_window_asks_for_readings_until_they_are_sent(home, store, made, sent):
    point = water(store, made)
    change(store, tables.Contract, made.contract, does=["submit"], balance_kopecks=0)
    change(
        store, tables.ContractPoint, point,
        submit_from_day=TODAY.day, submit_to_day=TODAY.day,
    )  # fmt: skip
    if sent:
        with store.write() as unit:
            at = datetime.now(UTC) - timedelta(days=5 if sent == "before" else 0)
            unit.session.add(
                tables.Submission(
                    contract_point_id=point, key="k", taken_on=at.astimezone(HERE).date(),
                    values={"": "1"}, state="waiting" if sent == "before" else sent,
                    created_at=at, changed_at=at,
                )
            )  # fmt: skip
    page = home()
    if sent == "waiting":
        assert attention(page) == ""
    else:
        assert "Передайте показания: Вода" in attention(page)
        assert "Остался 1 день." in attention(page)
        assert f'href="#meter-{point}">К прибору' in page.text.replace("\u00a0", " ")
        row = page.text.partition(f'id="meter-{point}"')[2].partition("</li>")[0]
        assert f'href="/points/{point}/submit"' in row
        assert page.text.count('Передать показания</span><span class="vh">') == 1


def test_a_supplier_that_takes_no_readings_is_sent_none(home, store, made):
    change(store, tables.Contract, made.contract, balance_kopecks=0)
    change(
        store, tables.ContractPoint, water(store, made),
        submit_from_day=TODAY.day, submit_to_day=TODAY.day,
    )  # fmt: skip
    assert attention(home()) == ""


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(24, "Поверка истекает"), (-3, "Поверка истекла"), (91, ""), (None, "")],
)
def test_a_verification_is_told_in_time(home, store, made, days, sentence):
    text = "неизвестно" if days is None else (TODAY + timedelta(days=days)).isoformat()
    change(store, tables.Contract, made.contract, balance_kopecks=0)
    change(store, tables.ContractPoint, made.point, facts={"next_verification_on": text})
    page = home()
    assert (sentence in attention(page)) if sentence else (attention(page) == "")
    if sentence:
        assert f'href="/contracts/{made.contract}/appeals/new">Написать поставщику' in page.text


@pytest.mark.parametrize("ever", [True, False])
def test_a_silent_meter_says_since_when(signed, home, store, made, ever):
    change(store, tables.Contract, made.contract, balance_kopecks=0)
    change(
        store, tables.MeterState, made.meter, error_code="line.reply_timeout", failures=3,
        seen_at=utc_now() - timedelta(days=3) if ever else None,
    )  # fmt: skip
    page = home()
    told = attention(page).replace("\u00a0", " ")
    assert "Ввод 1 молчит" in told
    assert "Что делать" in told
    row = block(page, "readings-h").replace("\u00a0", " ")
    assert ("Молчит 3 дня" if ever else "ни одного ответа с установки 1 января") in row
    assert "Ждем первое показание" not in row
    assert "Молчит" in words(signed.open(f"/points/{made.point}").text)
    change(store, tables.MeterState, made.meter, failures=1)
    assert ("молчит" in attention(home())) is ever


def test_many_silent_meters_are_told_together(home, store, made, monkeypatch):
    change(store, tables.Contract, made.contract, balance_kopecks=0)
    change(
        store, tables.MeterState, made.meter, error_code="line.reply_timeout", failures=3,
        seen_at=utc_now() - timedelta(days=3),
    )  # fmt: skip
    cards_of = pages.cards_of
    monkeypatch.setattr(pages, "cards_of", lambda *args: list(cards_of(*args)) * 3)
    page = home()
    assert "Молчат 3 прибора" in attention(page)
    assert f"/contracts/{made.contract}/points?state=silent" in page.text


# -- usage -----------------------------------------------------------------------------------------


def test_a_page_without_data_says_so(home):
    assert re.search(r"–\s*кВт·ч", block(home(), "usage-h"))
