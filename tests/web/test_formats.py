"""Numbers, dates and spans as section 6 of the design writes them."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web.kit import formats as f
from hub.web.kit.i18n import catalog, language, typeset

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 9, 47)


@pytest.mark.parametrize(
    ("given_value", "decimals", "text"),
    [
        (Decimal("3124.02"), 2, "3 124,02"),
        (Decimal(-350), 2, "−350,00"),
        (0, 0, "0"),
        (Decimal("-0.004"), 2, "0,00"),
        (None, 2, "–"),
        (Decimal("0.125"), 2, "0,13"),
        (999, 0, "999"),
        (1234567, 0, "1 234 567"),
    ],
)
def test_number(given_value, decimals, text):
    assert f.number(given_value, decimals) == text.replace(" ", "\xa0")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
    )
)
def test_a_number_reads_back(value):
    text = f.number(value, 3).replace("\xa0", "").replace(",", ".").replace("−", "-")
    assert Decimal(text) == value


def test_energy_power_money_and_registers():
    assert f.energy_card(Decimal("211.7")) == "212"
    assert f.energy_card(Decimal("3.61")) == "3,6"
    assert f.energy_card(None) == "–"
    assert f.energy_row(Decimal("21.805")) == "21,81"
    assert f.money(128450) == "1\xa0284,50\xa0₽"
    assert f.face(Decimal("3124.027")) == "3124,027"
    assert f.exact(Decimal("41207.6")) == "41\xa0207,6"
    assert f.serial("41882107") == "41\xa0882\xa0107"
    assert f.serial("AB-12") == "AB-12"
    assert f.serial(None) == "–"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(9996, 10000, "99,9"), (10000, 10000, "100"), (0, 48, "0"), (123, 144, "85,4")],
)
def test_completeness_rounds_down(part, whole, text):
    assert f.percent(part, whole) == f"{text}\xa0%"


def test_dates():
    assert f.day(date(2026, 11, 23), TODAY) == "23\xa0ноября"
    assert f.day(date(2027, 1, 12), TODAY) == "12\xa0января 2027"
    assert f.day_num(date(2026, 11, 23)) == "23.11.2026"
    assert f.day_num(None) == "–"
    assert f.day_short(date(2026, 11, 19)) == "19\xa0ноя."
    assert f.day_short(date(2026, 5, 1)) == "1\xa0мая"
    assert f.month(date(2026, 11, 1), TODAY) == "ноябрь"
    assert f.weekday(date(2026, 11, 24)) == "вт"
    assert f.moment(datetime(2026, 11, 24, 9, 32), NOW) == "сегодня в\xa009:32"
    assert f.moment(datetime(2026, 11, 23, 9, 32), NOW) == "вчера в\xa009:32"
    assert f.moment(datetime(2026, 11, 21, 6, 30), NOW) == "21\xa0ноября в\xa006:30"


def test_spans_and_durations():
    assert f.span(date(2026, 11, 18), date(2026, 11, 20), TODAY) == "18–20\xa0ноября"
    assert f.span(date(2026, 10, 28), date(2026, 11, 3), TODAY) == "28\xa0октября – 3\xa0ноября"
    assert f.span(TODAY, TODAY, TODAY) == "24\xa0ноября"
    assert f.span(date(2025, 11, 1), date(2025, 11, 3), TODAY).endswith(" 2025")
    midnight = datetime(2026, 11, 25)
    assert f.interval(midnight - timedelta(minutes=30), midnight) == "23:30–24:00"
    assert f.duration(timedelta(hours=10, minutes=22)) == "10\xa0ч 22\xa0мин"
    assert f.duration(timedelta(days=3, hours=0, minutes=5)) == "3\xa0дня"
    assert f.duration(timedelta(days=21)) == "21\xa0день"
    assert f.duration(timedelta(0)) == "0\xa0с"


def test_english_has_its_own_separators():
    language.set("en")
    assert (f.percent(1, 3), f.share(1, 2)) == ("33.3%", "50%")
    assert f.number(Decimal("1234.5"), 1) == "1,234.5"
    assert f.day(date(2026, 11, 23)) == "23\xa0November"


def test_typography_glues_short_words_and_units():
    assert typeset("Прием с 15 по 25 ноября") == "Прием с\xa015 по\xa025 ноября"
    assert typeset("%(kw)s кВт") == "%(kw)s\xa0кВт"
    assert typeset("на сайте и в письме") == "на\xa0сайте и\xa0в\xa0письме"
    assert typeset("скво с") == "скво с"


def test_plurals_have_three_forms():
    texts = [catalog("ru").ngettext("%(n)s meter", "%(n)s meters", n) for n in (1, 3, 37)]
    assert texts == ["%(n)s прибор", "%(n)s прибора", "%(n)s приборов"]


def test_a_phone_is_written_in_groups_where_its_shape_is_known():
    assert f.phone("+79000000014") == "+7\u00a0900\u00a0000-00-14"
    assert f.phone("+442079460000") == "+442079460000"
