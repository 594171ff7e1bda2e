"""Comparison, forecast, cost and calendar on the pages of a point."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from html import unescape

import pytest
from litestar.testing import TestClient
from points_world import HALF, PASSWORD, kwh, make, told
from portal import PART, Browser, words
from spreadsheets import read_xlsx

from hub.app import create_app
from hub.domain.profile import SlotMark
from hub.store import tables
from hub.store import told as kept
from hub.web.kit.formats import number

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)  # 15:30 in Moscow, after 31 half-hours
DAY = timedelta(days=1)
FIRST = datetime(2026, 10, 31, 21, tzinfo=UTC)  # 1 November in Moscow
NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def portal(settings, store, plugins):
    app = create_app(settings, store, plugins)
    made = app.state.services
    made.home.clock = made.pages.clock = lambda: NOW
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def owner(store):
    return make(store, "anna@example.org")


@pytest.fixture
def signed(portal, owner):
    browser = Browser(portal)
    assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303
    return browser


def page(signed, address: str) -> str:
    answer = signed.open(address)
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def said(html: str) -> str:
    return words(html).replace(NBSP, " ")


def price(store, made) -> None:
    with store.write() as unit:
        rows = [
            tables.ContractTariff(
                contract_id=made.contract, zone=zone, millionths=millionths,
                valid_from=date(2026, 7, 1),
            )
            for zone, millionths in (("T1", 7_710_000), ("T2", 2_570_000), ("T3", 5_580_000))
        ]  # fmt: skip
        kept.put_tariffs(unit, made.contract, rows)


def chosen(html: str, label: str) -> list[str]:
    """What is current in a segmented choice."""
    block = re.search(rf'<nav class="seg" aria-label="{label}">(.*?)</nav>', html, re.DOTALL)[1]
    return [said(each) for each in re.findall(r'aria-current="true">([^<]*)<', block)]


def change(now: Fraction, before: Fraction, to: str) -> str:
    percent = round((now - before) * 100 / before)
    sign = "+" if percent > 0 else "\N{MINUS SIGN}" if percent < 0 else ""
    return f"{sign}{abs(percent)} % к {to}"


# -- comparison --------------------------------------------------------------------------------


@pytest.fixture
def month(store, owner):
    """1 to 23 November whole, and 24 November until now."""
    return told(store, owner, FIRST, FIRST + 23 * DAY + 31 * HALF)


@pytest.mark.clause("T9.comparison-previous", "T6.chart")
def test_three_days_are_laid_beside_those_of_the_week_before(signed, owner, month):
    here = f"/points/{owner.point}/profile?from=2026-11-18&to=2026-11-20"
    html = page(signed, here)
    assert chosen(html, "Сравнение") == ["Прошлый период"]
    now = kwh(month, FIRST + 17 * DAY, FIRST + 20 * DAY)
    before = kwh(month, FIRST + 10 * DAY, FIRST + 13 * DAY)
    assert change(now, before, "11–13 ноября") in said(html)
    assert html.count('class="cmp"') >= 1  # the server's own picture has it too
    data = signed.open(here.replace("profile?", "profile.json?") + "&vs=previous").json()
    week = FIRST + 10 * DAY
    assert data["compare"] == pytest.approx(
        [float(2 * kwh(month, week + n * HALF, week + (n + 1) * HALF)) for n in range(144)]
    )


@pytest.mark.clause("T9.comparison-address")
def test_the_choice_is_in_the_address_and_stays_with_the_next_period(signed, owner, month):
    here = f"/points/{owner.point}/profile?from=2026-11-18&to=2026-11-20"
    html = page(signed, f"{here}&vs=none")
    assert chosen(html, "Сравнение") == ["Без сравнения"]
    assert 'class="cmp"' not in html
    assert "from=2026-11-15&amp;to=2026-11-17&amp;vs=none" in html
    assert signed.open(f"{here}&vs=never").status_code == 400
    assert "compare" not in signed.open(here.replace("profile?", "profile.json?")).json()


@pytest.mark.clause("T9.comparison-year")
def test_last_year_where_nothing_was_measured_makes_no_figure(signed, owner, month):
    html = page(signed, f"/points/{owner.point}/profile?from=2026-11-18&to=2026-11-20&vs=year")
    assert chosen(html, "Сравнение") == ["Год назад"]
    assert 'class="cmp"' not in html
    assert 'class="trend' not in html


@pytest.mark.clause("T9.comparison-like-with-like")
def test_the_legend_names_the_whole_earlier_span(signed, store, owner, month):
    told(store, owner, FIRST - 31 * DAY, FIRST - 20 * DAY)
    here = f"/points/{owner.point}/profile?from=2026-11-01&to=2026-11-30"
    assert 'class="ln dash"' not in page(signed, here)  # a month has none unless it is asked for
    html = page(signed, f"{here}&vs=previous")
    legend = re.search(r'<ul class="legend">(.*?)</ul>', html, re.DOTALL)[1]
    assert "1–30 октября" in said(legend)


@pytest.mark.clause("T9.comparison-like-with-like")
def test_a_running_month_is_compared_as_far_as_it_has_come(signed, store, owner, month):
    earlier = told(store, owner, FIRST - 31 * DAY, FIRST - 31 * DAY + 5 * HALF)
    now = kwh(month, FIRST, FIRST + 5 * HALF)  # only these has the month before
    before = kwh(earlier, FIRST - 31 * DAY, FIRST)
    assert abs(now - before) * 100 > before
    text = said(page(signed, f"/points/{owner.point}/readings"))
    assert change(now, before, "1–24 октября") in text


# -- forecast ----------------------------------------------------------------------------------


@pytest.mark.clause("T9.forecast-marked", "T9.forecast-range")
def test_the_forecast_says_what_it_is_and_how_sure(signed, owner, month):
    html = page(signed, f"/points/{owner.point}/readings")
    text = said(html)
    about = re.search(r"Прогноз на ноябрь около ([\d ]+) кВт·ч", text)
    span = re.search(r"скорее всего, от ([\d ]+) до ([\d ]+)", text)
    low, likely, high = (int(each.replace(" ", "")) for each in (span[1], about[1], span[2]))
    assert float(kwh(month, FIRST, FIRST + 24 * DAY)) < low <= likely <= high
    assert "среднее его полных дней (их 23)" in text
    assert "в восьми месяцах из десяти" in text
    past = f"/points/{owner.point}/readings?from=2026-11-01&to=2026-11-23"
    assert "Прогноз" not in said(page(signed, past))


@pytest.mark.clause("T9.forecast-absent")
@pytest.mark.parametrize(("days", "there"), [(6, False), (7, True)])
def test_below_seven_complete_days_there_is_no_forecast(signed, store, owner, days, there):
    told(store, owner, FIRST + (23 - days) * DAY, FIRST + 23 * DAY + 26 * HALF)
    text = said(page(signed, f"/points/{owner.point}/readings"))
    assert ("Прогноз" in text) == there


# -- cost --------------------------------------------------------------------------------------


@pytest.mark.clause("T9.cost-no-price", "T9.cost-line-source", "T9.cost-dated")
def test_no_price_no_rouble_and_each_line_says_what_made_it(signed, store, owner, month):
    readings, profile = f"/points/{owner.point}/readings", f"/points/{owner.point}/profile"
    for address in (readings, profile):
        assert "₽" not in page(signed, address)
    price(store, owner)
    html = page(signed, readings)
    row = re.search(r'<th scope="row">(?:<a[^>]*>)?18\sноября.*?</tr>', html, re.DOTALL)[0]
    assert "получасам" in row
    zones = [Decimal(value) for value in re.findall(r'<data value="([\d.]+)">', row)[:3]]
    prices = [Decimal("7.71"), Decimal("5.58"), Decimal("2.57")]  # in reading order: T1, T3, T2
    cost = sum(
        (zone * each).quantize(Decimal("0.01")) for zone, each in zip(zones, prices, strict=True)
    )
    assert f"{cost}".replace(".", ",") in row
    assert "по получасам" in said(page(signed, profile))


# -- bars --------------------------------------------------------------------------------------


@pytest.mark.clause("T5.four-weeks-back", "T5.ghost", "T5.bars-link")
def test_bars_have_ticks_ghosts_and_lead_to_the_day(signed, store, owner):
    told(store, owner, FIRST - 11 * DAY, FIRST + 23 * DAY + 26 * HALF,
         without={FIRST + 18 * DAY + n * HALF for n in range(20, 40)})  # fmt: skip
    html = page(signed, f"/points/{owner.point}/readings")
    assert "4 недели раньше" in said(html)
    assert html.count('class="tickb"') == 13  # 21 October on, and 18 to 30 November beside it
    assert html.count('class="ghost"') == 2  # of the 19th, that lacks ten hours, and of today
    assert f'href="/points/{owner.point}/profile?from=2026-11-19&amp;to=2026-11-19"' in html


# -- calendar ----------------------------------------------------------------------------------


@pytest.mark.clause("T9.calendar")
def test_the_calendar_tells_of_each_day_and_turns_its_months(signed, store, owner):
    est = FIRST + 9 * DAY + 4 * HALF
    told(
        store, owner, FIRST, FIRST + 23 * DAY + 26 * HALF,
        without={FIRST + 18 * DAY + n * HALF for n in range(20, 25)},
        marks={est: SlotMark.PARTIAL},
    )  # fmt: skip
    here = f"/points/{owner.point}/profile?from=2026-11-18&to=2026-11-20"
    html = page(signed, here)
    days = dict(re.findall(r'<a class="d ([^"]*)"[^>]*aria-label="([^"]*)"', html))
    labels = {label.replace(NBSP, " "): kinds for kinds, label in days.items()}
    assert labels["19 ноября, 43/48, нет 5 получасов"].split()[0] == "gap"
    part = re.search(r'<a class="d part[^"]*"[^>]*aria-label="([^"]*)"', html)[1]
    assert part.replace(NBSP, " ").startswith("10 ноября, 48/48")
    before = unescape(re.search(r'<a[^>]*href="([^"]*)"[^>]*data-month="previous"', html)[1])
    assert "month=2026-10-01" in before
    assert 'data-month="following"' not in html
    turned = page(signed, before)
    assert "Полнота данных, октябрь" in said(turned)
    assert "18–20 ноября" in said(turned)
    part = signed.open(f"{before}&block=calendar", **PART).text
    assert 'id="profile-calendar"' in part
    assert 'id="profile-table"' not in part


@pytest.mark.clause("T6.unit", "T6.without-script")
def test_without_a_script_the_chart_and_the_whole_table_are_there(signed, owner, month):
    html = page(signed, f"/points/{owner.point}/profile?from=2026-11-19&to=2026-11-19")
    picture = re.search(r'<svg class="chart".*?</svg>', html, re.DOTALL)[0]
    assert ">кВт</text>" in picture
    assert 'class="ribbon"' in picture
    assert 'class="max"' in picture
    table = html[html.index('id="profile-table"') :]
    assert len(re.findall(r'<th scope="row">\d\d:\d\d', table)) == 48
    hours = page(signed, f"/points/{owner.point}/profile?from=2026-11-19&to=2026-11-19&step=60")
    table = hours[hours.index('id="profile-table"') :]
    assert len(re.findall(r'<th scope="row">\d\d:\d\d', table)) == 24


@pytest.mark.clause("T6.channels")
def test_channels_that_the_meter_lacks_have_no_chip(signed, owner, month):
    html = page(signed, f"/points/{owner.point}/profile?from=2026-11-18&to=2026-11-20")
    assert re.findall(r'data-series="(\w+)"', html) == ["p_plus", "q_plus"]


# -- files -------------------------------------------------------------------------------------


def sheet(signed, address: str):
    answer = signed.open(address)
    assert answer.status_code == 200
    return read_xlsx(answer)


@pytest.mark.clause("T9.csv", "T9.xlsx", "T9.cost-line-source", "T9.forecast-marked")
def test_the_readings_file_has_cost_forecast_and_the_four_weeks_before(signed, store, owner, month):
    here = f"/points/{owner.point}/readings"
    plain = sheet(signed, f"{here}.xlsx")
    assert not any("₽" in head for head in plain.heads)
    price(store, owner)
    file, text = sheet(signed, f"{here}.xlsx"), said(signed.open(here).text)
    assert file.heads[-2:] == ["Стоимость, ₽", "Стоимость по"]
    costs, by = file.column("Стоимость, ₽"), file.column("Стоимость по")
    assert any(cost is not None for cost in costs)
    for cost, words_ in zip(costs, by, strict=True):
        assert (cost is None) == (words_ is None)
        if cost is not None:
            assert f"{number(cost, 2)} {words_}".replace("\xa0", " ") in text
    (title,) = [name for name in file.facts if name.startswith("Прогноз на")]
    assert "около" in file.facts[title]
    for figure in re.findall(r"[0-9][0-9\xa0]*", file.facts[title]):
        assert figure.replace("\xa0", " ").strip() in text


@pytest.mark.clause("T9.csv", "T9.xlsx", "T9.comparison-previous", "T9.comparison-address")
def test_the_profile_file_has_the_earlier_days_that_the_page_shows(signed, store, owner, month):
    here, span = f"/points/{owner.point}/profile", "from=2026-11-17&to=2026-11-18"
    file = sheet(signed, f"{here}.xlsx?{span}")
    data = signed.open(f"{here}.json?{span}&vs=previous").json()
    earlier = file.column("P+ ранее, кВт")
    assert len(earlier) == len(data["compare"]) == 96
    for cell, drawn in zip(earlier, data["compare"], strict=True):
        assert (cell is None) == (drawn is None)
        assert cell is None or float(cell) == pytest.approx(drawn, abs=1e-6)
    assert file.facts["Прежние дни"]
    assert "P+ ранее, кВт" not in sheet(signed, f"{here}.xlsx?{span}&vs=none").heads
    price(store, owner)
    cost = sheet(signed, f"{here}.xlsx?{span}").facts["Стоимость, ₽"]
    assert f"{number(cost, 2)} ₽".replace("\xa0", " ") in said(signed.open(f"{here}?{span}").text)
