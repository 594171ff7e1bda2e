"""Notices that the hub makes: of meters' events, and of a person's own rules, as they are read."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from points_world import HALF, PASSWORD, count_at, make, told
from portal import PART, deliver, words

from hub.domain.clock import MeterTime
from hub.domain.events import KINDS
from hub.domain.journal import JournalEntry, JournalPage
from hub.domain.meters import Quantity, Register
from hub.domain.pages import Cursor
from hub.domain.profile import SlotMark
from hub.domain.rules import RuleKind
from hub.services import events, snapshots
from hub.services.bookkeeping import Bookkeeping
from hub.services.mail import kept_mails
from hub.services.passwords import Passwords
from hub.services.rule_runner import RuleRunner
from hub.services.rules import Rules, TypedRule
from hub.store import tables

MOSCOW = timedelta(hours=3)
NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # in Moscow; the meters' clocks show it


@pytest.fixture
def clock(clock):
    """Half past twelve; sign-ins go by the clock on the wall and do not mind."""
    clock.at = NOON + HALF
    return clock


@pytest.fixture
def made(store):
    return make(store, "anna@example.org")


@pytest.fixture
def own(portal, made):
    browser = portal()
    browser.sign_in("anna@example.org", PASSWORD)
    return browser


@pytest.fixture
def look(store):
    """Look at all rules that are due."""

    def run() -> None:
        while RuleRunner(store).run_due():
            pass

    return run


def listed(own, made) -> list[tuple[str, str]]:
    """Title and address of what is on «Уведомления», newest first, but for the supplier's own."""
    page = own.open(f"/contracts/{made.contract}/notifications").text
    found = re.findall(r'<a href="(/notifications/\d+)">([^<]+)</a>', page)
    return [(words(title), href) for href, title in found if "работы" not in title]


def face(at: datetime) -> MeterTime:
    return MeterTime((at + MOSCOW).replace(tzinfo=None))


def happened(store, made, *entries, cursor="1"):
    page = JournalPage(entries=entries, lost=None, next=Cursor("toy/1", cursor), more=False)
    events.store_journal_page(store, made.meter, entries[0].book, page, lease=made.lease)


def entry(kind, began, ended=None, **detail):
    over = None if ended is None else face(ended)
    return JournalEntry("05", kind, face(began), over, detail)


# -- events ------------------------------------------------------------------------------------


@pytest.mark.clause("N2.meters", "N4.kinds")
def test_an_event_of_the_meter_becomes_a_notification_in_its_words(own, made, store):
    opened = NOON - timedelta(hours=3)
    happened(store, made, entry("terminal_cover_opened", opened, opened + timedelta(minutes=19)))
    ((title, href),) = listed(own, made)
    assert title == "Вскрытие клеммной крышки: Ввод 1"
    page = own.open(href).text
    said = "24 ноября 2026 в 09:00 вскрыта клеммная крышка, на 19 минут."
    assert said in words(page)
    assert "Прибор" in words(page)
    (link,) = re.findall(rf'href="(/points/{made.point}/journal[^"#]*)#(event-\d+)"', page)
    journal = own.open(unescape(link[0])).text
    assert f'id="{link[1]}"' in journal
    own.open("/language/en?next=/")
    assert "Terminal cover opened: Ввод 1" in words(own.open(href).text)


@pytest.mark.clause("N4.kinds")
def test_the_supplier_decides_which_events_are_told(own, made, store):
    books = Bookkeeping(store, 1, Passwords())
    books.choose_events(["terminal_cover_opened"], enabled=False)
    books.choose_events(["tariff_schedule_changed"], enabled=True)
    at = NOON - timedelta(hours=3)
    happened(
        store, made, entry("terminal_cover_opened", at), entry("tariff_schedule_changed", at),
        entry("holidays_changed", at),
    )  # fmt: skip
    assert [title for title, _ in listed(own, made)] == ["Изменение тарифного расписания: Ввод 1"]


def test_a_flicker_is_one_notification_with_its_count_and_told_twice_it_is_the_same(
    own, made, store
):
    begin = NOON - timedelta(hours=3)
    flicker = [
        entry("phase_voltage_lost", begin + n * timedelta(seconds=40),
              begin + n * timedelta(seconds=40) + timedelta(seconds=9), phase="2")
        for n in range(50)
    ]  # fmt: skip
    happened(store, made, *flicker[:30])
    happened(store, made, *flicker[20:], cursor="2")
    happened(store, made, *flicker, cursor="3")
    ((_, href),) = listed(own, made)
    assert "За этот час это случилось 50 раз." in words(own.open(href).text)
    happened(store, made, entry("phase_voltage_lost", begin + timedelta(hours=1), phase="2"))
    assert len(listed(own, made)) == 2


def test_an_end_that_becomes_known_is_in_the_words_and_no_second_notification(own, made, store):
    begin = NOON - timedelta(hours=3)
    happened(store, made, entry("magnetic_field", begin))
    ((_, href),) = listed(own, made)
    assert "и это еще продолжается" in words(own.open(href).text)
    happened(store, made, entry("magnetic_field", begin, begin + timedelta(hours=1)), cursor="2")
    assert listed(own, made)[0][1] == href
    assert len(listed(own, made)) == 1
    assert "1 час" in words(own.open(href).text)


def test_a_year_of_history_and_outages_of_seconds_are_no_news(own, made, store):
    old = [
        entry("power_lost", NOON - timedelta(days=day), NOON - timedelta(days=day, hours=-2))
        for day in range(3, 300)
    ]
    brief = entry("power_lost", NOON - HALF, NOON - HALF + timedelta(seconds=50))
    happened(store, made, *old, brief)
    assert listed(own, made) == []
    long_ago = NOON - timedelta(days=5)
    happened(store, made, entry("power_lost", long_ago, NOON - HALF), cursor="2")  # ended just now
    assert len(listed(own, made)) == 1


def test_every_kind_of_event_can_be_worded_as_a_notification(own, made, store, clock):
    Bookkeeping(store, 1, Passwords()).choose_events(list(KINDS), enabled=True)
    for kind in KINDS:
        detail = dict.fromkeys(KINDS[kind].fields, "1")
        happened(store, made, JournalEntry("05", kind, face(NOON - HALF), detail=detail),
                 cursor=kind)  # fmt: skip
    shown = [
        title
        for page in (1, 2)
        for title in re.findall(
            r'<a href="/notifications/\d+">([^<]+)</a>',
            own.open(f"/contracts/{made.contract}/notifications?page={page}").text,
        )
    ]
    assert len([title for title in shown if title.endswith(": Ввод 1")]) == len(KINDS)


def test_notifications_of_events_come_to_the_point_s_own_reader_only(portal, made, store):
    other = make(store, "boris@example.org")
    happened(store, made, entry("case_opened", NOON - HALF))
    boris = portal()
    boris.sign_in("boris@example.org", PASSWORD)
    assert listed(boris, other) == []


# -- own rules: the page -----------------------------------------------------------------------


def set_rule(own, made, kind, **typed):
    path = f"/account/rules/new?point={made.point}&kind={kind}"
    return own.send(path, "/account/rules/new", **typed)


def test_a_rule_is_set_from_the_point_and_listed_changed_turned_off_and_removed(own, made, store):
    point = own.open(f"/points/{made.point}").text
    assert f'href="/account/rules/new?point={made.point}"' in point
    assert "Сообщать мне, если…" in words(point)
    answer = set_rule(own, made, "power", high="5,5", often="each")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/rules")
    page = own.open("/account/rules").text
    for said in ("Ввод 1", "Мощность выше 5,5 кВт", "каждый раз", "Еще не срабатывало"):
        assert said in words(page)
    (rule,) = re.findall(r'href="(/account/rules/\d+)"', page)
    own.send(rule, high="6", often="day")
    assert "Мощность выше 6 кВт не чаще раза в сутки" in words(own.open("/account/rules").text)
    own.send("/account/rules", f"{rule}/switch")
    off = own.open("/account/rules").text
    assert "Отключено" in words(off)
    own.send("/account/rules", f"{rule}/switch")
    assert "Отключено" not in words(own.open("/account/rules").text)
    asked = own.open(f"{rule}/remove").text
    assert "Удалить правило?" in words(asked)
    assert own.send(f"{rule}/remove").status_code == 303
    assert "Правил пока нет" in words(own.open("/account/rules").text)
    assert own.open(rule).status_code == 404


@pytest.mark.parametrize(
    ("kind", "typed", "said"),
    [
        ("day_energy", {"high": ""}, "больше нуля"),
        ("day_energy", {"high": "-5"}, "больше нуля"),
        ("month_energy", {"high": "сто"}, "больше нуля"),
        ("power", {"high": "5.5555"}, "трех знаков"),
        ("silence", {"high": "1"}, "от 2 до 720"),
        ("voltage", {"low": "", "high": "253"}, "вольты"),
        ("voltage", {"low": "253", "high": "207"}, "на 5 % выше"),
        ("power", {"high": "5", "often": "never"}, "Такого варианта нет"),
        ("power", {"high": "5", "point": "999"}, "Выберите другую точку"),
    ],
)
def test_what_can_not_be_a_rule_is_refused_with_what_was_typed(own, made, kind, typed, said):
    answer = set_rule(own, made, kind, **typed)
    assert answer.status_code == 422
    text = words(answer.text)
    assert said in text
    assert f'value="{typed["high"]}"' in answer.text
    assert "Правил пока нет" in words(own.open("/account/rules").text)


def test_the_form_of_another_kind_is_the_block_of_the_page(own, made):
    path = f"/account/rules/new?point={made.point}&kind=voltage"
    part, whole = own.open(path, **PART).text, own.open(path).text
    assert 'id="rule-form"' in part
    assert "<html" not in part
    assert 'name="low"' in part
    assert 'value="207"' in whole
    assert own.open("/account/rules/new?kind=weather").status_code == 404
    assert own.open("/account/rules/new?point=99999").status_code == 404


@pytest.mark.parametrize("headers", [{}, PART])
def test_what_was_typed_for_a_kind_waits_there_while_others_are_looked_at(own, made, headers):
    path = f"/account/rules/new?point={made.point}&kind=power"
    seen = own.send(path, "/account/rules/new", headers, to="voltage", high="5,5", often="each")
    where = seen.headers.get("location") or seen.headers["hx-push-url"]
    shown = own.open(where).text
    assert not headers or 'id="rule-form"' in seen.text
    fields = own.fill(shown, "/account/rules/new", {})
    assert (fields["low"], fields["high"], fields["often"]) == ("207", "253", "each")
    back = own.send(where, "/account/rules/new", headers, to="power", low="200")
    where = back.headers.get("location") or back.headers["hx-push-url"]
    fields = own.fill(own.open(where).text, "/account/rules/new", {})
    assert (fields["kind"], fields["high"], fields["often"]) == ("power", "5,5", "each")
    assert fields["voltage.low"] == "200"
    refused = own.send(where, "/account/rules/new", headers, high="много")
    assert refused.status_code == 422
    assert 'name="voltage.low" value="200"' in refused.text
    assert own.send(where, "/account/rules/new", high="6").status_code == 303


def test_rules_are_their_owner_s(portal, made, store):
    rule = Rules(store).add(made.user, made.point, RuleKind.POWER, TypedRule("5", often="day"))
    make(store, "boris@example.org")
    boris = portal()
    boris.sign_in("boris@example.org", PASSWORD)
    assert boris.open(f"/account/rules/{rule}").status_code == 404
    page = boris.open("/account").text
    token = boris.fill(page, "/account", {})["_csrf_token"]
    for act in ("", "/switch", "/remove"):
        sent = boris.client.post(f"/account/rules/{rule}{act}", data={"_csrf_token": token})
        assert sent.status_code == 404
    assert Rules(store).one(made.user, rule).enabled


def test_there_are_at_most_fifty(own, made, store):
    for _ in range(50):
        Rules(store).add(made.user, made.point, RuleKind.POWER, TypedRule("5", often="day"))
    answer = set_rule(own, made, "power", high="5", often="day")
    assert answer.status_code == 422
    assert "Удалите ненужное" in words(answer.text)


# -- own rules: what fires ---------------------------------------------------------------------


def midnight() -> datetime:
    return datetime(2026, 11, 23, 21, 0, tzinfo=UTC)  # of 24 November in Moscow


def kwh_since(first, last, without=()):
    at, counts = first, 0
    while at < last:
        counts += 0 if at in without else count_at(at)
        at += HALF
    return Decimal(counts) * 500 / 1_000_000


def test_a_day_over_its_limit_is_told_once_as_soon_as_it_is(own, made, store, look):
    first, there = midnight(), kwh_since(midnight(), NOON)
    set_rule(own, made, "day_energy", high=str(round(there - Decimal("0.5"), 2)))
    told(store, made, first, NOON - timedelta(hours=3))
    look()
    assert listed(own, made) == []
    told(store, made, NOON - timedelta(hours=3), NOON)
    look()
    ((title, href),) = listed(own, made)
    assert title.startswith("Больше ")
    assert title.endswith("кВт·ч в сутки: Ввод 1")
    text = words(own.open(href).text)
    assert f"За 24 ноября 2026 к 12:30 израсходовано {there:.3f}".replace(".", ",")[:40] in text
    assert "Мои правила" in text
    told(store, made, first, NOON)
    look()
    assert len(listed(own, made)) == 1
    assert "Последний раз сработало" in words(own.open("/account/rules").text)


def test_a_gap_is_not_zero_and_estimates_say_so(own, made, store, look):
    gap = {midnight() + n * HALF for n in range(5)}
    set_rule(own, made, "day_energy", high=str(kwh_since(midnight(), NOON, gap) - Decimal("0.1")))
    marks = {midnight() + 10 * HALF: SlotMark.CLOCK_MOVED}
    told(store, made, midnight(), NOON, without=gap, marks=marks)
    look()
    ((_, href),) = listed(own, made)
    text = words(own.open(href).text)
    assert "Нет данных за 6 получасов" in text  # and the one that ended just now
    assert "1 получас неполный" in text


def test_power_is_told_with_its_half_hour_and_again_after_a_change(own, made, store, look):
    peak = max(count_at(midnight() + n * HALF) for n in range(24))
    limit = Decimal(peak) * 500 / 1_000_000 * 2 - Decimal("0.001")
    set_rule(own, made, "power", high=str(limit), often="day")
    told(store, made, midnight(), NOON)
    look()
    assert listed(own, made) == []  # it ended before the rule was set
    with store.write() as unit:
        unit.session.get(tables.OwnRule, 1).since_at = midnight()
        unit.session.get(tables.OwnRule, 1).due_at = NOON
    look()
    ((title, href),) = listed(own, made)
    assert title.startswith("Мощность выше")
    at = next(midnight() + n * HALF for n in range(24) if count_at(midnight() + n * HALF) == peak)
    assert f"с {at + MOSCOW:%H:%M} до {at + HALF + MOSCOW:%H:%M}" in words(own.open(href).text)


def test_silence_is_told_once_and_again_only_after_data(own, made, store, look, clock):
    told(store, made, midnight(), NOON)
    set_rule(own, made, "silence", high="6")
    look()
    assert listed(own, made) == []
    clock.advance(hours=7)
    look()
    ((title, href),) = listed(own, made)
    assert title == "Нет данных больше 6 часов: Ввод 1"
    assert "Данных нет с 24 ноября 2026, 12:00" in words(own.open(href).text)
    clock.advance(hours=7)
    look()
    assert len(listed(own, made)) == 1
    told(store, made, NOON, NOON + timedelta(hours=13))
    look()
    clock.advance(hours=7)
    look()
    assert len(listed(own, made)) == 2


def test_voltage_outside_its_limits_is_told_by_phase(own, made, store, look, clock):
    set_rule(own, made, "voltage", low="207", high="253", often="day")

    def showed(*volts):
        clock.advance(minutes=30)
        names = ("32.7.0", "52.7.0", "72.7.0")
        values = {Register(n): Quantity(Decimal(v), "V") for n, v in zip(names, volts, strict=True)}
        snapshots.store_snapshot(
            store, made.meter, values, face(clock.at), clock.at, lease=made.lease
        )
        look()

    showed("230", "231", "229")
    assert listed(own, made) == []
    showed("230", "201.5", "256")
    ((title, href),) = listed(own, made)
    assert title == "Напряжение вне 207–253 В: Ввод 1"
    text = words(own.open(href).text)
    assert "201,5 В в фазе B, 256 В в фазе C" in text
    showed("230", "200", "256")
    assert len(listed(own, made)) == 1


def test_a_rule_that_is_off_tells_nothing(own, made, store, look):
    set_rule(own, made, "day_energy", high="0.001")
    Rules(store).switch(made.user, 1, enabled=False)
    told(store, made, midnight(), NOON)
    look()
    assert listed(own, made) == []


def test_what_a_rule_tells_goes_out_by_mail_in_its_reader_s_language(own, made, store, look):
    with store.write() as unit:  # what happened before a contract was linked is not sent
        unit.session.get(tables.Contract, made.contract).linked_at = NOON - timedelta(days=9)
    own.send("/account", full_name="Kim Anna", language="en")
    set_rule(own, made, "silence", high="2")
    told(store, made, midnight(), NOON - timedelta(hours=6))
    look()
    deliver(store)
    (mail,) = [each for each in kept_mails(store) if "No data" in each.subject]
    assert mail.subject == "No data for more than 2 hours: Ввод 1"
    assert "There are no data since 24 November 2026, 06:00." in " ".join(mail.text.split())
    assert mail.link.endswith(listed(own, made)[0][1])
