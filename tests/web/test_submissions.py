"""Readings that people send: typed on a page, carried to the house books, decided by the clerk."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from portal import PART, words

from hub.cli.house import house
from hub.plugins.api import Point, PointFact, Resource, SupplierCard
from hub.services.bookkeeping import BookedContract, Bookkeeping, Taken, open_supplier
from hub.services.passwords import Passwords
from hub.store import tables
from hub.store import told as kept

TODAY = datetime.now(ZoneInfo("Europe/Moscow")).date()
DAY = timedelta(days=1)
BEFORE = TODAY - 30 * DAY
OPEN = {"submit_from_day": (TODAY - 2 * DAY).day, "submit_to_day": (TODAY + 3 * DAY).day}
CLOSED = {"submit_from_day": (TODAY + 5 * DAY).day, "submit_to_day": (TODAY + 8 * DAY).day}
GARAGE = Point(
    id="", name="Гараж", number="ТУ-1", meter_serial="07311954", tariff_zones=("T1", "T2"),
    whole_digits=5, decimal_digits=0, facts={PointFact.MODEL: "Меркурий 201.8"}, **OPEN,
)  # fmt: skip
WATER = Point(
    id="", name="Вода", number="ТУ-2", resource=Resource.WATER, unit="m3", whole_digits=5,
    decimal_digits=3, **OPEN,
)  # fmt: skip
GAS = Point(id="", name="Газ", number="ТУ-3", resource=Resource.GAS, unit="m3", **CLOSED)
HEAT = Point(id="", name="Тепло", number="ТУ-4", resource=Resource.HEAT, unit="Gcal")
POINTS = (
    (GARAGE, "Зоны", {"T1": Decimal(8412), "T2": Decimal(2970)}),
    (WATER, "", {"": Decimal("99990.5")}),
    (GAS, "", {"": Decimal(700)}),
    (HEAT, "", {"": Decimal("12.4")}),
)


@pytest.fixture
def keeping(store):
    now = datetime.now(UTC)
    supplier = open_supplier(
        store, title="Энергосбыт", card=SupplierCard(name="Энергосбыт"), now=now
    )
    books = Bookkeeping(store, supplier, Passwords())
    books.enter(
        BookedContract(
            login="4001", password="Ozero-1", number="76-4001", holder="Ким А. С.", address="-"
        )
    )
    for zone, price in (("T1", "7.64"), ("T2", "4.12")):
        books.set_price("Зоны", zone, Decimal(price), TODAY.replace(month=1, day=1) - 400 * DAY)
    for point, tariff, values in POINTS:
        books.add_point("76-4001", point, tariff)
        books.record("76-4001", point.number, Taken(values, BEFORE))
    return books


@pytest.fixture
def clerk(store, tmp_path, monkeypatch):
    """Runs ``hub house`` on the portal's database."""
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{tmp_path}/hub.sqlite")
    monkeypatch.setenv("HUB_KEYS", store.keys[0])

    def run(*typed: str) -> str:
        done = CliRunner().invoke(house, typed, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return run


@pytest.fixture
def signed(guest, anna, keeping):
    guest.sign_in()
    answer = guest.send(
        "/contracts/new", supplier=str(keeping.supplier_id), name="Дача", login="4001",
        password="Ozero-1",
    )  # fmt: skip
    assert answer.status_code == 303, words(answer.text)
    guest.here = answer.headers["location"]
    return guest


def point_id(store, name: str) -> int:
    with store.read() as unit:
        cursor = unit.cursor()
        cursor.execute("SELECT id FROM contract_point WHERE name = ?", (name,))
        return cursor.fetchone()[0]


def sent(store) -> list[tables.Submission]:
    with store.read() as unit:
        return list(kept.submissions(unit, range(1, 9)))


class Form:
    """The form of a point as a browser without scripts sees and sends it."""

    def __init__(self, signed, store, name: str) -> None:
        self.signed = signed
        self.id = point_id(store, name)
        self.path = f"/points/{self.id}/submit"

    def open(self, query: str = "") -> str:
        answer = self.signed.open(self.path + query)
        assert answer.status_code == 200, answer.text[:300]
        return answer.text

    def send(self, *values: str, page: str = "", **more: str):
        typed = {f"reading-{self.id}-{at}": value for at, value in enumerate(values)}
        data = self.signed.fill(page or self.open(), self.path, {**typed, **more})
        return self.signed.client.post(self.path, data=data, follow_redirects=False)

    def preview(self, *values: str) -> str:
        query = "&".join(f"reading-{self.id}-{at}={value}" for at, value in enumerate(values))
        return words(self.signed.open(f"{self.path}?block=preview&{query}", **PART).text)


@pytest.fixture
def garage(signed, store):
    return Form(signed, store, "Гараж")


@pytest.fixture
def water(signed, store):
    return Form(signed, store, "Вода")


@pytest.mark.clause("T2.main-page", "T2.list", "M3.submit", "T10.details")
def test_a_meter_that_people_read_has_its_button_on_both_pages(signed, garage):
    for path in (signed.here, f"{signed.here}/points"):
        text = signed.open(path).text
        assert text.count('data-opens="fold-') == 4
        assert f'href="{garage.path}"' in text
        assert f'id="fold-{garage.id}"' in text
        assert f'href="/points/{garage.id}">Подробнее' in text
    part = signed.open(garage.path, **PART).text
    assert "<!doctype" not in part
    assert re.match(rf'\s*<section class="submit" id="submit-{garage.id}"', part)


@pytest.mark.clause("T2.zones", "T2.previous", "T2.window")
def test_the_form_has_a_field_for_each_zone_with_what_was_before(garage, water):
    text = garage.open()
    said = words(text)
    for part in ("T1 день", "T2 ночь", "8 412", "2 970", "7,64 ₽/кВт·ч", "Принимаем", "осталось 4"):
        assert part in said
    assert f"Было {BEFORE.day} " in said
    assert len(re.findall(r'<input class="input digits"', text)) == 2
    assert 'inputmode="numeric" maxlength="5"' in text
    assert text.count('<i class="past"></i>') == 2
    assert text.count('<i class="next"></i>') == 3
    text = water.open()
    assert len(re.findall(r'<input class="input digits"', text)) == 1
    assert 'inputmode="decimal" maxlength="9"' in text
    assert "99 990,500" in words(text)


def test_difference_and_cost_are_the_servers_and_only_where_a_price_is_known(garage, water):
    said = garage.preview("8540", "3014")
    for part in ("128 кВт·ч", "977,92 ₽", "44 кВт·ч", "181,28 ₽", "172 кВт·ч", "1 159,20 ₽"):
        assert part in said
    said = water.preview("99991,5")
    assert "1,000 м³" in said
    assert "₽" not in said
    assert "цен" in words(water.open())
    assert "–" in garage.preview("", "3014")  # what is not typed yet is no mistake
    assert "меньше предыдущего" in garage.preview("8000", "3014")


def test_without_scripts_a_button_reckons_and_keeps_what_was_typed(garage, store):
    answer = garage.send("8540", "3014", act="count")
    assert answer.status_code == 200
    assert "1 159,20 ₽" in words(answer.text)
    assert 'value="8540"' in answer.text
    assert sent(store) == []


@pytest.mark.clause("T2.lower")
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("8411", "еньше предыдущего"),
        ("", "цифры"),
        ("841200", "меньше цифр"),
        ("8412,5", "меньше цифр"),
    ],
)
def test_what_is_wrong_stands_by_its_field_and_all_that_was_typed_stays(garage, store, typed, why):
    page = garage.open()
    answer = garage.send(typed, "3014", page=page)
    assert answer.status_code == 422
    error = re.search(rf'id="reading-{garage.id}-0-error">(.*?)</p>', answer.text, re.DOTALL)[1]
    assert why in words(error), words(error)
    assert f'value="{typed}"' in answer.text
    assert 'value="3014"' in answer.text
    key = re.compile(r'name="key" value="([^"]+)"')
    assert key.search(answer.text)[1] == key.search(page)[1]
    assert sent(store) == []


@pytest.mark.clause("T2.rollover")
def test_a_roll_over_is_asked_about_and_taken(water, store):
    answer = water.send("3,25")
    assert answer.status_code == 422
    said = words(answer.text)
    assert "3,250 меньше, чем 99 990,500" in said
    assert "расход 12,750 м³" in said
    proof = re.search(r'name="confirmed" value="(\w+)"', answer.text)[1]
    assert water.send("3,25", page=answer.text, confirmed=proof).status_code == 303
    assert sent(store)[0].values == {"": "3.25"}


@pytest.mark.clause("T2.high")
def test_what_is_absurd_is_confirmed_in_the_same_form_and_for_that_value_only(garage, store):
    answer = garage.send("8540", "90000")
    assert answer.status_code == 422
    assert "Показание верное" in words(answer.text)
    assert "87 030 кВт·ч" in words(answer.text)
    proof = re.search(r'name="confirmed" value="(\w+)"', answer.text)[1]
    other = garage.send("8540", "95000", page=answer.text, confirmed=proof)
    assert other.status_code == 422
    assert sent(store) == []
    assert garage.send("8540", "90000", page=answer.text, confirmed=proof).status_code == 303
    assert sent(store)[0].values == {"T1": "8540", "T2": "90000"}


@pytest.mark.clause("T2.window")
def test_outside_the_window_nothing_is_taken(signed, store, garage):
    gas = Form(signed, store, "Газ")
    text = gas.open()
    said = words(text)
    assert "Сейчас прием закрыт" in said
    assert f"откроется {(TODAY + 5 * DAY).day} " in said
    assert "digits" not in text
    token = signed.fill(garage.open(), garage.path, {})["_csrf_token"]
    data = {"_csrf_token": token, "key": "k", f"reading-{gas.id}-0": "720"}
    answer = signed.client.post(gas.path, data=data, follow_redirects=False)
    assert answer.status_code == 422
    assert "показания не принимаются" in words(answer.text).lower()
    assert 'value="720"' in answer.text
    assert sent(store) == []
    heat = Form(signed, store, "Тепло")
    assert "в любой день" in words(heat.open())
    assert heat.send("12,9").status_code == 303


def test_a_double_press_sends_once(garage, store):
    page = garage.open()
    for _ in range(2):
        assert garage.send("8540", "3014", page=page).status_code == 303
    assert len(sent(store)) == 1


@pytest.mark.clause("T2.state", "T2.supplier", "T10.readings")
async def test_readings_are_kept_sent_and_accepted(signed, garage, clerk, carry):
    assert garage.send("8540", "3014").headers["location"] == garage.path
    text = garage.open()
    assert "эта дата и будет учтена" in words(text)
    assert 'data-hx-trigger="every 5s"' in text
    listed = signed.open(f"{signed.here}/points").text
    assert "Ждут отправки" in words(listed)
    await carry()
    for path in (garage.path, f"{signed.here}/points", signed.here, f"/points/{garage.id}"):
        assert "Проверяет поставщик" in words(signed.open(path).text), path
    number = re.search(r"(\d+)  sent .*ТУ-1.*T1 8540 \(was 8412", clerk("readings"))[1]
    clerk("accept", number)
    await carry()
    text = garage.open()
    assert "Показания за" in words(text)
    assert "приняты" in words(text)
    assert "every 5s" not in text
    state = signed.open(f"{garage.path}?block=state", **PART).text
    assert "Принято" in words(state)
    assert "every" not in state
    for path in (f"{signed.here}/points", signed.here):
        assert "Принято" in words(signed.open(path).text)
    info = words(signed.open(f"/points/{garage.id}").text)
    assert info.count("8 540") == 1  # the reading that came back is the one that was sent
    assert "передали вы" in info
    assert "снял поставщик" in info
    news = signed.open(f"{signed.here}/notifications").text
    assert "Показания приняты: Гараж" in words(news)
    href = re.search(r'href="(/notifications/\d+)">Показания приняты', news)[1]
    one = signed.open(href).text
    assert "T1 8 540, T2 3 014" in words(one)
    assert f'href="/points/{garage.id}"' in one


@pytest.mark.clause("T2.state", "T10.readings")
async def test_a_refusal_says_why_and_gives_the_readings_back(signed, garage, clerk, carry):
    garage.send("8540", "3014")
    await carry()
    number = re.search(r"(\d+)  sent", clerk("readings"))[1]
    clerk("refuse", number, "T2 ниже принятого")
    await carry()
    text = garage.open()
    said = words(text)
    assert "Причина: «T2 ниже принятого»" in said
    assert "Не принято" in said
    for path in (f"{signed.here}/points", signed.here, f"/points/{garage.id}"):
        assert "T2 ниже принятого" in words(signed.open(path).text)
    news = words(signed.open(f"{signed.here}/notifications").text)
    assert "Показания не приняты: Гараж" in news
    again = re.search(r'href="(/points/\d+/submit\?again=1[^"]*)"', text)[1].replace("&amp;", "&")
    form = signed.open(again).text
    assert 'value="8540"' in form
    assert garage.send("8541", "3015", page=form).status_code == 303
    assert "эта дата и будет учтена" in words(garage.open())


@pytest.mark.clause("T2.state")
async def test_while_the_supplier_does_not_answer_readings_wait(
    signed, garage, keeping, carry, store
):
    keeping.end_access("76-4001")
    garage.send("8540", "3014")
    await carry()
    text = garage.open()
    said = words(text)
    assert "Поставщик не принял логин или пароль" in said
    assert "эта дата и будет учтена" in said
    assert "every 5s" in text
    assert sent(store)[0].state == "waiting"


def test_with_htmx_the_answer_is_the_panel_and_says_that_readings_were_sent(garage):
    page = garage.open()
    typed = {f"reading-{garage.id}-0": "8540", f"reading-{garage.id}-1": "3014"}
    data = garage.signed.fill(page, garage.path, typed)
    answer = garage.signed.client.post(garage.path, data=data, headers=PART)
    assert answer.status_code == 200
    assert answer.headers["hx-trigger"] == "readingsSent"
    assert "<!doctype" not in answer.text
    assert f'id="sent-{garage.id}"' in answer.text


@pytest.mark.clause("T10.resource", "T10.details")
def test_every_resource_has_its_own_unit(signed, store):
    listed = words(signed.open(f"{signed.here}/points").text)
    for unit in ("кВт·ч", "м³", "Гкал"):
        assert unit in listed
    for name, unit in (("Вода", "м³"), ("Газ", "м³"), ("Тепло", "Гкал"), ("Гараж", "кВт·ч")):
        page = words(signed.open(f"/points/{point_id(store, name)}").text)
        assert unit in page
        assert "Общая информация" in page
        assert "Показания" in page


def test_the_filter_finds_what_waits_for_readings(signed):
    here = f"{signed.here}/points"
    assert "Ждут показаний 2" in words(signed.open(here).text)
    only = words(signed.open(f"{here}?state=wanted").text)
    assert "Гараж" in only
    assert "Тепло" not in only


# -- books that answer nobody ------------------------------------------------------------------


@pytest.mark.clause("T2.state", "S2.queued", "S2.waiting")
async def test_what_is_sent_while_the_books_are_paused_comes_in_when_they_resume(
    signed, garage, store, clerk, carry
):
    clerk("pause")
    await carry()
    assert re.search(r"Энергосбыт не отвечает с \d\d:\d\d", words(signed.open(signed.here).text))
    assert garage.send("8500", "3000").status_code == 303
    new = f"{signed.here}/appeals/new"
    page = signed.open(new).text
    action = re.search(r'<form\b[^>]*action="(/contracts/\d+/appeals[^"]*)"', page)[1]
    asked = signed.send(new, action, subject="Счет", text="Прошу проверить.")
    assert asked.status_code == 303
    await carry()
    assert "Ждут отправки" in words(garage.open())
    assert "ОЖИДАЕТ" in words(signed.open(f"{signed.here}/appeals").text).upper()
    assert "No readings wait." in clerk("readings")
    assert "No appeals wait." in clerk("appeals")

    clerk("resume")
    await carry()
    assert "T1 8500" in clerk("readings")
    assert "Прошу проверить." in clerk("appeals")
    page = words(signed.open(signed.here).text)
    assert "не отвечает" not in page
    assert "ОЖИДАЕТ" not in words(signed.open(f"{signed.here}/appeals").text).upper()
    assert clerk("readings").count("ТУ-1") == 1


def test_a_contract_of_paused_books_is_not_added_and_what_was_typed_stays(
    guest, anna, keeping, clerk
):
    clerk("pause")
    guest.sign_in()
    answer = guest.send(
        "/contracts/new", supplier=str(keeping.supplier_id), name="Дача", login="4001",
        password="Ozero-1",
    )  # fmt: skip
    assert answer.status_code == 422
    assert 'value="4001"' in answer.text
    assert "не отвечает" in words(answer.text)
