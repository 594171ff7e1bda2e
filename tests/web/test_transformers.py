"""«Трансформаторы тока и напряжения» and the 25 labels of «Общая информация»."""

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from litestar.testing import TestClient
from points_world import PASSWORD, make
from portal import Browser, words

from hub.app import create_app
from hub.plugins.api import TransformerCard, TransformerFact
from hub.services.cards import transformer_dict
from hub.services.transformers import sets_of
from hub.store import tables

LABELS = {
    "model": "Тип и модификация", "serial": "Заводской номер",
    "registry_number": "Регистрационный номер СИ", "place": "Место установки",
    "commissioned_on": "Дата ввода в эксплуатацию", "verified_on": "Дата последней поверки",
    "next_verification_on": "Дата следующей поверки", "nominal_voltage": "Номинальное напряжение",
    "frequency": "Номинальная частота", "primary_current": "Номинальный первичный ток",
    "secondary_current": "Номинальный вторичный ток",
    "accuracy_class": "Класс точности для измерений", "comment": "Комментарий",
}  # fmt: skip
VALUES = {
    "model": "Т-0,66 УЗ", "serial": "5512", "registry_number": "17551-06", "place": "РУ-0,4",
    "commissioned_on": "2020-12-01", "verified_on": "2019-01-12",
    "next_verification_on": "2028-05-20", "nominal_voltage": "0,66 кВ", "frequency": "50 Гц",
    "primary_current": "150 А", "secondary_current": "5 А", "accuracy_class": "0,5S",
    "comment": "Заменен",
}  # fmt: skip
FIELDS = {
    "name": "Название ТУ", "number": "Номер точки учета", "resource": "Тип ресурса",
    "last-date": "Дата последних показаний", "last": "Последние показания",
    "place": "Место установки", "model": "Тип и модификация ТУ",
    "registry": "Регистрационный номер СИ", "serial": "Заводской номер ТУ",
    "commissioned": "Дата ввода в эксплуатацию", "verified": "Дата последней поверки",
    "next": "Дата следующей поверки", "tariff": "Установленный тариф",
    "instrument": "Дата последней инструментальной поверки", "accuracy": "Класс точности",
    "voltage": "Номинальное напряжение", "current": "Базовый/максимальный ток",
    "limit": "Значение лимита мгновенной мощности", "relay": "Состояние реле управления нагрузкой",
    "current-ratio": "Коэффициент трансформации тока",
    "voltage-ratio": "Коэффициент трансформации напряжения", "loss": "Коэффициент потерь",
    "norm-hour": "Часовой", "norm-day": "Суточный", "norm-month": "Месячный",
}  # fmt: skip
OLD, NEW = date(2012, 1, 1), date(2020, 12, 1)


def card(phase, since=NEW, to=None, kind="current", **facts):
    told = {TransformerFact(name): value for name, value in (VALUES | facts).items()}
    return TransformerCard(kind=kind, phase=phase, facts=told, from_on=since, to_on=to)


@pytest.fixture
def shown(settings, store, plugins, clock):
    app = create_app(settings, store, plugins)
    made = app.state.services
    made.home.clock = made.pages.clock = clock
    owner = make(store, "anna@example.org", ratio=30, facts={"next_verification_on": "2026-12-01"})
    with TestClient(app, raise_server_exceptions=False) as client:
        browser = Browser(client)
        assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303

        def opened(*cards, tab="/transformers"):
            with store.write() as unit:
                row = unit.session.get(tables.ContractPoint, owner.point)
                row.transformers = [transformer_dict(each) for each in cards]
            answer = browser.open(f"/points/{owner.point}{tab}")
            assert answer.status_code == 200
            return answer.text

        yield opened


def cells(html):
    """Rows of the first table: label to the texts of the three phases."""
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    return {
        words(head).strip(): [words(cell).strip() for cell in re.findall(r"<td.*?</td>", rest)]
        for head, rest in re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', body, re.DOTALL)
    }


@pytest.mark.clause("T8.phases", "T8.fields")
def test_all_13_parameters_stand_by_phase(shown):
    html = shown(card(1, serial="101"), card(2, serial="102"), card(3, serial="103", comment=""))
    text = words(html)
    for heading in ("Фаза 1 (A)", "Фаза 2 (B)", "Фаза 3 (C)"):
        assert heading in text
    found = cells(html)
    assert set(found) == set(LABELS.values())
    assert found["Заводской номер"] == ["101", "102", "103"]
    assert found["Комментарий"] == ["Заменен", "Заменен", "–"]
    for key in set(LABELS) - {"serial", "comment"}:
        value = VALUES[key]
        if key.endswith("_on"):
            value = f"{date.fromisoformat(value):%d.%m.%Y}"
        assert found[LABELS[key]] == [value] * 3, key
    assert 'aria-current="page">Трансформаторы тока и напряжения<' in html.replace("\u00a0", " ")


def test_ratio_and_coefficients_stand_above_with_what_they_do(shown):
    text = words(shown(*(card(phase) for phase in (1, 2, 3)))).replace("\u00a0", " ")
    assert "150/5" in text
    assert "умножаются на 30" in text
    assert "Все графики и стоимость уже с коэффициентом" in text
    assert "Не установлены: прибор включен в сеть напрямую, коэффициент 1" in text


@pytest.mark.clause("T8.dated")
def test_the_set_in_force_stands_first_and_earlier_ones_below(shown):
    old = [card(phase, OLD, NEW, serial=f"old{phase}") for phase in (1, 2, 3)]
    new = [card(phase, serial=f"new{phase}") for phase in (1, 2, 3)]
    html = shown(*old, *new)
    assert html.index("new1") < html.index("old1")
    assert "с 01.12.2020" in words(html)
    assert "с 01.01.2012 до 01.12.2020" in words(html)


@pytest.mark.clause("T8.dated")
def test_one_phase_replaced_makes_another_set_that_keeps_the_rest():
    swapped = date(2021, 3, 14)
    cards = [card(1), card(2), card(3, to=swapped, serial="broken"), card(3, swapped, serial="ok")]
    now, before = sets_of(cards, date(2026, 11, 24))
    assert now.in_force
    assert not before.in_force
    assert [each.facts["serial"] for each in now.current] == ["5512", "5512", "ok"]
    assert [each.facts["serial"] for each in before.current] == ["5512", "5512", "broken"]
    assert sets_of([], date(2026, 11, 24)) == ()


@pytest.mark.parametrize(("left", "mood"), [(90, "warn"), (0, "warn"), (-1, "bad"), (91, "")])
def test_a_verification_that_is_due_is_marked_in_its_cell_only(shown, clock, left, mood):
    today = clock().astimezone(ZoneInfo("Europe/Moscow")).date()
    by = (today + timedelta(days=left)).isoformat()
    html = shown(card(1), card(2), card(3, next_verification_on=by))
    marked = re.findall(r'<td class="due (\w+)">([^<]*)<', html)
    day = f"{today + timedelta(days=left):%d.%m.%Y}"
    assert marked == ([(mood, day)] if mood else [])


def test_without_transformers_the_page_says_so(shown):
    text = words(shown())
    assert "Поставщик не передал сведений о трансформаторах" in text
    assert "умножаются на 30" in text.replace("\u00a0", " ")


@pytest.mark.clause("T4.fields")
def test_the_25_labels_are_the_manuals(shown):
    html = shown(tab="")
    assert set(FIELDS.values()) == {
        words(label).strip() for label in re.findall(r"<dt>(.*?)</dt>", html)
    }
    groups = [words(title).strip() for title in re.findall(r'card"><h2>(.*?)</h2>', html)]
    assert groups == ["Точка учета", "Последние показания", "Нормативы потребления", "Нагрузка",
                      "Прибор учета", "Поверка", "Коэффициенты"]  # fmt: skip


@pytest.mark.clause("T4.source")
def test_a_verification_soon_due_has_a_note_with_its_action_and_values_their_source(shown):
    html = shown(tab="")
    assert '<span class="due warn">01.12.2026</span>' in html
    assert re.search(
        r'<a href="/contracts/\d+/appeals/new">Создать обращение о поверке',
        html.replace("\u00a0", " "),
    )
    assert "От поставщика, " in words(html)
