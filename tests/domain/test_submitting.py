"""Readings people send: windows, digits, roll-over, absurd ones; and money rounded once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.money import Price, kopecks_of, millionths_of, price_on, steady_price
from hub.domain.submitting import (
    Before,
    Doubt,
    Face,
    Judged,
    Window,
    Wrong,
    judge,
    most_sane,
    usual_a_day,
)

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
MONTH_DAYS = st.integers(1, 31)
VALUES = st.decimals(0, 99_999, places=3)


@pytest.mark.parametrize(
    ("window", "day", "span", "is_open"),
    [
        (Window(15, 25), date(2026, 11, 15), (date(2026, 11, 15), date(2026, 11, 25)), True),
        (Window(15, 25), date(2026, 11, 14), (date(2026, 11, 15), date(2026, 11, 25)), False),
        (Window(15, 25), date(2026, 11, 26), (date(2026, 12, 15), date(2026, 12, 25)), False),
        (Window(25, 5), date(2026, 12, 3), (date(2026, 11, 25), date(2026, 12, 5)), True),
        (Window(25, 5), date(2026, 12, 6), (date(2026, 12, 25), date(2027, 1, 5)), False),
        (Window(20, 31), date(2027, 2, 28), (date(2027, 2, 20), date(2027, 2, 28)), True),
        (Window(31, 31), date(2027, 2, 28), (date(2027, 2, 28), date(2027, 2, 28)), True),
    ],
)
def test_windows(window, day, span, is_open):
    assert window.span(day) == span
    assert window.is_open(day) is is_open


@pytest.mark.parametrize("window", [Window(), Window(3, None), Window(None, 3)])
def test_without_both_days_it_is_always_open(window):
    assert window.is_open(date(2026, 2, 28))
    assert window.span(date(2026, 2, 28)) is None


@given(DAYS, MONTH_DAYS, MONTH_DAYS)
def test_there_is_always_a_window_to_come_and_it_holds_its_days(day, first, last):
    window = Window(first, last)
    span = window.span(day)
    assert span[0] <= span[1]
    assert day <= span[1]
    assert span[0] - day <= timedelta(days=62)
    assert window.is_open(day) is (span[0] <= day)
    assert window.is_open(span[0])
    assert window.is_open(span[1])


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0", Decimal(0)),
        ("100", Decimal(100)),
        ("12 345,60", Decimal("12345.6")),
        ("000012345.67", Decimal("12345.67")),
        ("123456", Wrong.TOO_LONG),
        ("1.001", Wrong.TOO_FINE),
        ("1.100", Decimal("1.1")),
        ("", Wrong.NOT_A_NUMBER),
        ("-1", Wrong.NOT_A_NUMBER),
        ("1e3", Wrong.NOT_A_NUMBER),
        ("٣", Wrong.NOT_A_NUMBER),
        ("1.2.3", Wrong.NOT_A_NUMBER),
        ("NaN", Wrong.NOT_A_NUMBER),
    ],
)
def test_what_is_typed(text, read):
    assert Face(5, 2).read(text) == read


@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_number_or_wrong(text):
    read = Face(5, 2).read(text)
    assert isinstance(read, Wrong) or 0 <= read < 100_000


@given(VALUES)
def test_a_number_is_read_as_it_stands(value):
    assert Face().read(f"{value:f}") == value
    assert "E" not in str(Face().read(f"{value:f}"))


BEFORE = Before(Decimal("99990.5"), date(2026, 10, 20), usual_a_day=Decimal(1))
LATER = date(2026, 11, 20)  # 31 days


@pytest.mark.parametrize(
    ("value", "face", "judged"),
    [
        ("99990.5", Face(5, 1), Judged(Decimal(0))),
        ("99999.9", Face(5, 1), Judged(Decimal("9.4"))),
        ("10.5", Face(5, 1), Judged(Decimal(20), doubt=Doubt.ROLLED_OVER)),
        ("10.5", Face(None, 1), Judged(wrong=Wrong.LOWER)),
        ("9999.5", Face(5, 1), Judged(wrong=Wrong.LOWER)),
    ],
)
def test_the_next_reading(value, face, judged):
    assert judge(BEFORE, Decimal(value), LATER, face, "electricity") == judged


def test_what_is_absurd_is_asked_about():
    before = Before(Decimal(100), date(2026, 11, 1), usual_a_day=Decimal(4))
    at_most = most_sane("electricity", Decimal(4), 10)
    assert at_most == 200
    day = date(2026, 11, 11)
    assert judge(before, Decimal(300), day, Face(), "electricity").doubt is None
    assert judge(before, Decimal(301), day, Face(), "electricity").doubt is Doubt.TOO_HIGH
    assert most_sane("water", None, 1) == 20
    assert most_sane("other", None, 2) == 2000


def test_a_first_reading_can_not_be_judged():
    assert judge(None, Decimal(5), LATER, Face(), "gas") == Judged()


@given(st.integers(0, 99_999), st.integers(1, 900), st.integers(1, 31))
def test_a_register_that_goes_round_says_what_was_used(before, used, days):
    after = (before + used) % 100_000
    day = date(2026, 5, 1)
    found = judge(
        Before(Decimal(before), day), Decimal(after), day + timedelta(days=days), Face(5), "gas"
    )
    if used <= most_sane("gas", None, days):
        assert found.used == used
        assert (found.doubt is Doubt.ROLLED_OVER) is (after < before)
    else:
        assert found.wrong or found.doubt is Doubt.TOO_HIGH


def test_what_is_usual():
    days = {date(2026, 9, 20): Decimal(99_990), date(2026, 10, 20): Decimal(20)}
    assert usual_a_day(days, 5) == 1
    assert usual_a_day(days, None) is None
    assert usual_a_day({date(2026, 9, 20): Decimal(1)}, 5) is None


# -- money -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "millionths", "kopecks"),
    [
        ("100", 6_430_000, 64_300),
        ("0.001", 5_000_000, 1),  # half a kopeck goes up
        ("0.001", 4_999_999, 0),
        ("-0.001", 5_000_000, -1),
        ("123.456", 3_921_000, 48_407),
    ],
)
def test_a_charge_is_rounded_once(quantity, millionths, kopecks):
    assert kopecks_of(Decimal(quantity), millionths) == kopecks


@given(st.decimals(0, 10**6, places=3), st.integers(0, 10**9))
def test_a_charge_is_within_half_a_kopeck(quantity, millionths):
    exact = quantity * millionths / 10_000
    assert abs(kopecks_of(quantity, millionths) - exact) <= Decimal("0.5")


def test_prices_are_whole_millionths():
    assert millionths_of(Decimal("6.43")) == 6_430_000
    assert millionths_of(Decimal("0.0000001")) is None
    assert millionths_of(Decimal(-1)) is None


JULY = date(2026, 7, 1)
PRICES = [
    Price("T1", date(2026, 1, 1), 6_000_000, date(2026, 6, 30)),
    Price("T1", JULY, 6_500_000),
    Price("T2", date(2026, 1, 1), 3_000_000),
]


def test_the_price_of_a_day():
    assert price_on(PRICES, "T1", date(2026, 6, 30)).millionths == 6_000_000
    assert price_on(PRICES, "T1", JULY).millionths == 6_500_000
    assert price_on(PRICES, "T1", date(2025, 12, 31)) is None
    assert price_on(PRICES, "T3", JULY) is None


@pytest.mark.parametrize(
    ("zone", "first", "last", "millionths"),
    [
        ("T1", date(2026, 6, 1), date(2026, 6, 30), 6_000_000),
        ("T1", date(2026, 6, 20), date(2026, 7, 20), None),
        ("T1", JULY, date(2026, 8, 1), 6_500_000),
        ("T2", date(2026, 6, 20), date(2026, 7, 20), 3_000_000),
        ("T2", date(2025, 12, 20), date(2026, 1, 20), None),
        ("T3", JULY, JULY, None),
    ],
)
def test_a_price_that_changed_in_between_gives_none(zone, first, last, millionths):
    assert steady_price(PRICES, zone, first, last) == millionths
