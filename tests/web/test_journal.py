"""«Журналы событий»: events in words, by period and topic, fifty at a time, to their owner."""

import re
from datetime import datetime
from html import unescape

import pytest
from points_world import PASSWORD, make
from portal import PART, words

from hub.domain.clock import MeterTime
from hub.domain.journal import JournalEntry, JournalPage
from hub.domain.pages import Cursor
from hub.domain.profile import Gap
from hub.services import events


def face(day, hour, minute=0, second=0, month=11):
    return MeterTime(datetime(2026, month, day, hour, minute, second))


def happened(store, made, book, *entries, lost=None, cursor="1"):
    page = JournalPage(entries=entries, lost=lost, next=Cursor("toy/1", cursor), more=False)
    events.store_journal_page(store, made.meter, book, page, lease=made.lease)


@pytest.fixture
def own(portal, store):
    made = make(store, "anna@example.org")
    happened(
        store, made, "01", JournalEntry("01", "power_lost", face(19, 19, 2), face(20, 5, 24))
    )  # fmt: skip
    shift = {"before": "2026-11-23T03:01:44", "after": "2026-11-23T03:03:41", "shift_s": "117"}
    moved = JournalEntry("02", "clock_corrected", face(23, 3, 3, 41), detail=shift)
    happened(store, made, "02", moved)
    magnet = JournalEntry("1A", "magnetic_field", face(23, 14, 12))
    happened(store, made, "1A", magnet, lost=Gap(None, face(23, 14, 12)))
    low = face(2, 1, month=10), face(2, 1, 5, month=10)
    happened(store, made, "24", JournalEntry("24", "voltage_below_limit", *low, {"phase": "2"}))
    browser = portal()
    browser.sign_in("anna@example.org", PASSWORD)
    browser.made = made
    return browser


def page(own, query=""):
    return own.open(f"/points/{own.made.point}/journal?from=2026-11-01&to=2026-11-30{query}")


def test_what_happened_is_said_in_words_newest_first(own):
    text = words(page(own).text)
    for said in ("Пропало питание", "Часы", "1 минуту 57 секунд", "23 ноября", "19 ноября"):
        assert said in text
    assert text.index("14:12") < text.index("03:03") < text.index("19:02")
    assert "19:02 – 20 ноя" in text
    assert "с 14:12" in text  # it goes on
    assert "Напряжение" not in text.split("Все")[1]  # another month's
    assert "утрачены" in text


def test_topics_are_counted_and_filter(own):
    whole = words(page(own).text)
    assert "Все 4" in whole
    assert "Питание 1" in whole
    clock = words(page(own, "&topic=clock").text)
    assert "Все 4" in clock  # of the period, whatever is chosen
    assert "1 из 1" in clock
    assert "Пропало питание" not in clock
    assert page(own, "&topic=weather").status_code == 400


def test_the_swap_is_the_block_of_the_page(own):
    part = own.open(f"/points/{own.made.point}/journal", **PART).text
    assert part.lstrip().startswith("<title>")
    assert 'id="tab"' in part
    assert "<html" not in part


def test_fifty_at_a_time(own, store):
    many = [
        JournalEntry("03", "phase_voltage_lost", at, at, {"phase": "1"})
        for at in (face(5, n // 60, n % 60) for n in range(120))
    ]
    happened(store, own.made, "03", *many)
    shown, query = [], ""
    while query is not None:
        answer = page(own, query).text
        shown.append(answer.count('<span class="at">'))
        older = re.search(r'href="[^"]*(&amp;after=[0-9-]+)"', answer)
        query = older and unescape(older[1])
    assert shown == [50, 50, 24]
    assert "24 из 124" in words(answer)


@pytest.mark.parametrize("after", ["x", "1", "1-", "99999999999999999-1", "-1-1", "1-1-1"])
def test_where_a_page_goes_on_can_not_be_typed(own, after):
    assert page(own, f"&after={after}").status_code == 400


def test_nothing_happened(portal, store):
    made = make(store, "boris@example.org")
    browser = portal()
    browser.sign_in("boris@example.org", PASSWORD)
    text = words(browser.open(f"/points/{made.point}/journal").text)
    assert "Событий пока нет" in text


def test_the_meters_clock_stands_beside_where_it_differs(portal, store):
    made = make(store, "boris@example.org", zone="Europe/Samara")
    happened(store, made, "01", JournalEntry("01", "power_lost", face(19, 19, 2), face(19, 19, 3)))
    browser = portal()
    browser.sign_in("boris@example.org", PASSWORD)
    browser.made = made
    text = words(page(browser).text)
    assert "20:02–20:03" in text  # an hour ahead of Moscow
    assert "по часам прибора: 19.11.2026 19:02:00" in text
