"""«Журналы событий»: events in words, by period and topic, fifty at a time, to their owner."""

import re
from datetime import datetime
from html import unescape

import pytest
from points_world import PASSWORD, make
from portal import PART, words
from sqlmodel import select

from hub.domain.clock import MeterTime
from hub.domain.journal import JournalEntry, JournalPage
from hub.domain.pages import Cursor
from hub.domain.profile import Gap
from hub.services import events
from hub.store import tables


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


@pytest.mark.clause("T7.table", "T7.lost")
def test_what_happened_is_said_in_words_newest_first(own):
    text = words(page(own).text)
    for said in ("Пропало питание", "Часы", "1 минуту 57 секунд", "23 ноября", "19 ноября"):
        assert said in text
    assert text.index("14:12") < text.index("03:03") < text.index("19:02")
    assert "19:02 – 20 ноя" in text
    assert "с 14:12" in text  # it goes on
    assert "Напряжение" not in text.split("Все")[1]  # another month's
    assert "утрачены" in text


@pytest.mark.clause("T7.filters")
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


@pytest.mark.clause("T7.pages")
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


@pytest.mark.clause("T7.time")
def test_the_meters_clock_stands_beside_where_it_differs(portal, store):
    made = make(store, "boris@example.org", zone="Europe/Samara")
    happened(store, made, "01", JournalEntry("01", "power_lost", face(19, 19, 2), face(19, 19, 3)))
    browser = portal()
    browser.sign_in("boris@example.org", PASSWORD)
    browser.made = made
    text = words(page(browser).text)
    assert "20:02–20:03" in text  # an hour ahead of Moscow
    assert "по часам прибора: 19.11.2026 19:02:00" in text


@pytest.mark.clause("T7.table", "T7.clock", "T7.voltage")
def test_the_manuals_rows_say_what_it_means_when_and_for_how_long(own, store):
    ends = face(24, 1, 10)
    high = JournalEntry("25", "voltage_above_limit", face(24, 0, 50), ends, {"phase": "3"})
    happened(store, own.made, "25", high)
    text = words(page(own).text)
    assert "Напряжение фазы C поднялось выше предельного" in text
    assert "Опасно для электроприборов" in text
    assert "00:50–01:10 20 мин" in text
    assert "Часы переведены на 1 минуту 57 секунд вперед Было 03:01:44, стало 03:03:41." in text
    assert "19:02 – 20 ноя., 05:24 10 ч 22 мин" in text
    assert "с 14:12 идет" in text
    assert "23 ноября, понедельник" in text


@pytest.mark.clause("T7.filters")
def test_a_period_is_chosen_and_the_counts_are_of_that_period(own):
    text = words(own.open(f"/points/{own.made.point}/journal?from=2026-10-01&to=2026-10-31").text)
    assert "Все 1" in text
    assert "Напряжение и ток 1" in text
    assert "Питание" not in text.split("Все 1")[1].split("Напряжение")[0]


@pytest.mark.clause("T7.table")
def test_what_the_meter_wrote_is_kept_under_its_details(own, store):
    wrote = JournalEntry(
        "12", "terminal_cover_opened", face(22, 9), face(22, 9, 5), raw=b"\x05\x24"
    )
    happened(store, own.made, "12", wrote)
    html = page(own).text
    rows = re.findall(r'<li id="event-.*?</li>', html, re.DOTALL)
    (text,) = [said for row in rows if "05 24" in (said := words(row))]
    assert "Подробности прибора" in text
    assert "22.11.2026 09:00:00 – 22.11.2026 09:05:00" in text


@pytest.mark.clause("T7.appeal")
def test_an_event_is_told_to_the_supplier_with_its_words(own, store):
    with store.write() as unit:
        unit.session.get_one(tables.Contract, own.made.contract).does = ["appeals"]
    html = page(own).text
    hrefs = [
        unescape(each) for each in re.findall(r'href="(/contracts/\d+/appeals/new[^"]+)"', html)
    ]
    assert len(hrefs) == 2  # the magnet and the power; a corrected clock is nobody's harm
    magnet = hrefs[0]
    form = own.open(magnet).text
    assert "Событие приложено" in words(form)
    assert "23 ноября 2026 в 14:12" in words(form)
    refused = own.send(magnet, text="Это не мы.", email="nobody")
    assert refused.status_code == 422
    assert "Событие приложено" in words(refused.text)  # nothing is lost of the form
    assert "Это не мы." in refused.text
    sent = own.send(magnet, text="Это не мы.")
    assert sent.status_code == 303
    with store.read() as unit:
        said = unit.session.exec(select(tables.AppealMessage)).all()[-1]
        appeal = unit.session.get_one(tables.Appeal, said.appeal_id)
    assert said.body.startswith("Это не мы.\n\nСобытие прибора: 23")
    assert "14:12" in said.body
    assert "Точка учета: Ввод 1" in said.body
    assert f"Прибор №\N{NO-BREAK SPACE}4188884{own.made.user}" in said.body
    assert appeal.subject.endswith(": Ввод 1")
    thread = words(own.open(sent.headers["location"]).text)
    assert "Событие прибора" in thread


@pytest.mark.clause("T7.appeal")
def test_only_ones_own_event_is_attached(own, portal, store):
    with store.write() as unit:
        unit.session.get_one(tables.Contract, own.made.contract).does = ["appeals"]
    mine = f"/contracts/{own.made.contract}/appeals/new"
    other = make(store, "boris@example.org")
    happened(store, other, "1A", JournalEntry("1A", "magnetic_field", face(23, 14, 12)))
    with store.read() as unit:
        theirs = unit.session.exec(
            select(tables.MeterEvent.id).where(tables.MeterEvent.meter_id == other.meter)
        ).one()
    for query in (
        f"point={other.point}&event={theirs}",
        f"point={own.made.point}&event={theirs}",
        f"point={own.made.point}&event=x",
        f"point={own.made.point}&event={10**19}",
        "event=1",
    ):
        assert own.open(f"{mine}?{query}").status_code == 404, query


def test_where_the_supplier_takes_no_appeals_nothing_leads_to_one(own):
    assert "appeals/new" not in page(own).text
