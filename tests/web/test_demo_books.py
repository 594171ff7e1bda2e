"""What the demo's books show of a point: the manual's own values, dashes, and what waits."""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from portal import PASSWORD, words

from hub.cli import demo_waterworks
from hub.cli.demo_books import MANUAL, History
from hub.cli.demo_utility import LINKED, SUPPLIER
from hub.services import bookkeeping
from hub.services.contracts import Contracts
from hub.services.passwords import Passwords

# The page of a point in the manual, field by field («-» is written as a dash on ours).
OF_THE_MANUAL = {
    "Название ТУ": "ИСТ Автомобилист",
    "Номер точки учета": "ИСТ Автомобилист",
    "Тип ресурса": "Электроснабжение",
    "Дата последних показаний": "10.02.2023",
    "Последние показания": "T1 – 3124,027, T2 – 1527,796",
    "Место установки": "–",
    "Тип и модификация ТУ": "Меркурий 234 ART(M)",
    "Регистрационный номер СИ": "75755-19",
    "Заводской номер ТУ": "41888840",
    "Дата ввода в эксплуатацию": "01.12.2020",
    "Дата последней поверки": "–",
    "Дата следующей поверки": "–",
    "Установленный тариф": "–",
    "Дата последней инструментальной поверки": "–",
    "Класс точности": "0,2S/0,5",
    "Номинальное напряжение": "3*230/400",
    "Базовый/максимальный ток": "5/60",
    "Значение лимита мгновенной мощности": "–",
    "Состояние реле управления нагрузкой": "Включено",
    "Коэффициент трансформации тока": "1,0000",
    "Коэффициент трансформации напряжения": "1,0000",
    "Коэффициент потерь": "1",
    "Часовой": "0 кВт·ч",
    "Суточный": "6 кВт·ч",
    "Месячный": "0 кВт·ч",
}


@pytest.fixture
def demo(guest, anna, store, plugins):
    """The demo's books without their meters, as Anna, who linked the house and the dacha."""
    now, passwords = datetime.now(UTC), Passwords()
    house = bookkeeping.open_supplier(store, title=SUPPLIER.name, card=SUPPLIER, now=now)
    asyncio.run(History(store, house, passwords, now).write([]))
    water = demo_waterworks.enter(store, passwords, now)

    async def link() -> None:
        await Contracts(store, plugins, passwords).link(anna, house, *LINKED[0])
        await demo_waterworks.link_and_write(store, plugins, passwords, water, anna)

    asyncio.run(link())
    assert guest.sign_in("anna@example.org", PASSWORD).status_code == 303
    return guest


def contract(demo, name: str) -> str:
    panel = demo.open("/account").text
    return re.findall(rf'href="(/contracts/\d+)"[^>]*>\s*<b>{name}', panel)[0]


def point(demo, contract_name: str, name: str) -> str:
    text = demo.open(f"{contract(demo, contract_name)}/points").text
    (href,) = re.findall(rf'<a class="name" href="(/points/\d+)">{re.escape(name)}', text)
    return href


def fields(page: str) -> dict[str, str]:
    cards = page[page.index('<div class="info2">') :]
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", cards, re.DOTALL)
    return {words(name).strip(): words(value).strip() for name, value in found}


@pytest.mark.clause("T4.example")
def test_one_point_has_the_manuals_own_values_in_all_25_fields(demo):
    shown = fields(demo.open(point(demo, LINKED[0][0], MANUAL)).text)
    assert len(shown) == len(OF_THE_MANUAL) == 25
    assert shown == OF_THE_MANUAL


@pytest.mark.clause("T4.unknown")
def test_one_point_has_a_dash_in_each_field_that_may_be_absent(demo):
    """Its supplier has to name a point and its resource; all else it may not know."""
    shown = fields(demo.open(point(demo, "Дача", demo_waterworks.UNKNOWN)).text)
    assert len(shown) == 25
    assert {name for name, value in shown.items() if value != "–"} == {"Название ТУ", "Тип ресурса"}


@pytest.mark.clause("T2.state", "S2.waiting")
def test_a_reading_and_an_appeal_wait_for_books_that_are_paused(demo):
    here = contract(demo, "Дача")
    home, points = words(demo.open(here).text), words(demo.open(f"{here}/points").text)
    assert f"{demo_waterworks.CARD.name} не отвечает" in home
    assert "Ждут отправки" in points
    assert "221,870" in points
    assert "ОЖИДАЕТ" in words(demo.open(f"{here}/appeals").text).upper()
