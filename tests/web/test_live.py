"""«Мгновенные значения»: what the meter shows now, to its owner, asked at a bounded pace."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from points_world import PASSWORD, make
from portal import PART, words

from hub.domain.clock import MeterTime
from hub.domain.meters import Quantity, Register
from hub.services import live, snapshots
from hub.store import glances, tables
from hub.store import meters as stored_meters

NBSP = "\N{NO-BREAK SPACE}"
SHOWN = MeterTime(datetime(2026, 11, 24, 13, 0, 5))
VALUES = {
    "1.7.0": ("722", "W"), "21.7.0": ("246.5", "W"), "41.7.0": ("226", "W"),
    "61.7.0": ("249.5", "W"), "3.7.0": ("124", "var"), "23.7.0": ("78", "var"),
    "43.7.0": ("69.5", "var"), "63.7.0": ("-23.5", "var"), "9.7.0": ("732.5", "VA"),
    "29.7.0": ("258.5", "VA"), "49.7.0": ("236.5", "VA"), "69.7.0": ("250.5", "VA"),
    "32.7.0": ("231.4", "V"), "52.7.0": ("194.6", "V"), "72.7.0": ("229.8", "V"),
    "31.7.0": ("1.117", "A"), "51.7.0": ("1.155", "A"), "71.7.0": ("1.077", "A"),
    "13.7.0": ("0.986", "1"), "33.7.0": ("0.954", "1"), "53.7.0": ("0.956", "1"),
    "73.7.0": ("0.996", "1"), "14.7.0": ("49.98", "Hz"), "81.7.1": ("120.3", "deg"),
    "81.7.2": ("239.8", "deg"),
}  # fmt: skip


@pytest.fixture
def own(portal, store):
    made = make(store, "anna@example.org", ratio=40, facts={"power_limit": "45 кВт"})
    met(store, made)
    browser = portal()
    browser.sign_in("anna@example.org", PASSWORD)
    browser.made = made
    browser.live = f"/points/{made.point}/live"
    return browser


def met(store, made):
    with store.write() as unit:
        state = stored_meters.state(unit, made.meter)
        state.seen_at = state.tried_at = datetime.now(UTC)


def showed(store, made, ago_s=2.0, values=VALUES):
    read = {Register(obis): Quantity(Decimal(text), unit) for obis, (text, unit) in values.items()}
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    snapshots.store_snapshot(store, made.meter, read, SHOWN, at, lease=made.lease)


def wish(store, made):
    with store.read() as unit:
        return glances.of_meter(unit, made.meter)


def ago(store, made, seconds, **more):
    """Let a wish have been made so long ago."""
    with store.write() as unit:
        row = unit.session.get_one(tables.Glance, made.meter)
        row.asked_at -= timedelta(seconds=seconds)
        for name, value in more.items():
            setattr(row, name, value)


@pytest.mark.clause("T9.live-power", "T9.live-phases")
def test_power_share_and_every_quantity_by_phase_with_ratios(own, store):
    showed(store, own.made)
    text = words(own.open(own.live).text)
    assert "Мгновенные значения" in text
    assert re.search(r"Прямой эфир, замер \d\d:\d\d:\d\d", text)
    assert "28,9 кВт 64 % от разрешенных 45 кВт" in text  # 722 W x 40
    for row in (
        "Напряжение, В 231,4 низкое 194,6 229,8 –",
        "Ток, А 44,7 46,2 43,1 –",
        "Активная P, кВт 9,86 9,04 9,98 28,88",
        "Реактивная Q, квар 3,12 2,78 −0,94 4,96",
        "Полная S, кВ·А 10,34 9,46 10,02 29,30",
        "cos φ 0,954 0,956 0,996 0,986",
        "Угол φ 17,6° 17,1° −5,4° 9,7°",
        "Частота 49,98 Гц",
    ):
        assert row in text, (row, text)


@pytest.mark.clause("T9.live-vectors")
def test_the_vector_diagram_is_drawn_by_the_server(own, store):
    showed(store, own.made)
    html = own.open(own.live).text
    assert html.count('<line class="u"') == html.count('<line class="i"') == 3
    assert 'class="norm"' in html
    assert "Порядок фаз верный" in words(html)
    up = re.search(r'<g class="ph1">.*?class="u" x1="180" y1="150" x2="(\S+)" y2="(\S+)"', html)
    assert float(up[1]) == 180
    assert float(up[2]) < 150  # UA points up
    showed(store, own.made, values={**VALUES, "81.7.1": ("239.7", "deg"), "81.7.2": ("120", "deg")})
    assert "Порядок фаз обратный" in words(own.open(own.live).text)
    smaller = {**VALUES, "81.7.2": ("120", "deg"), "81.7.12": ("120", "deg")}
    showed(store, own.made, 1, smaller)  # of both ways round: C goes where it fits B
    html = own.open(own.live).text
    assert "Порядок фаз" not in words(html)
    third = re.search(r'<g class="ph3">.*?class="u" x1="180" y1="150" x2="(\S+)" y2="(\S+)"', html)
    assert float(third[1]) < 180  # C stands at 240, to the left and below
    assert float(third[2]) > 150
    bare = {code: told for code, told in VALUES.items() if not code.startswith("81.")}
    showed(store, own.made, 1, bare)
    assert "Прибор не сообщает углов" in words(own.open(own.live).text)


@pytest.mark.clause("T9.live-state")
def test_the_state_says_how_old_the_values_are(own, store):
    assert "Замеров пока нет" in own.open(own.live).text
    showed(store, own.made, 40)
    assert re.search(r"Последний замер \d\d:\d\d:\d\d", words(own.open(own.live).text))
    own.send(own.live)
    live.failed(store, own.made.meter, "line.reply_timeout", lease=own.made.lease)
    text = words(own.open(own.live).text)
    assert re.search(r"Нет ответа, повторим в \d\d:\d\d:\d\d", text)
    assert "28,9 кВт" in text  # the last values stay


@pytest.mark.clause("T9.live-line")
def test_the_line_of_the_last_minutes_has_no_line_where_nothing_was_read(own, store):
    for second in (200, 195, 190, 60, 55, 50):
        showed(store, own.made, second)
    html = own.open(own.live).text
    wide, narrow = html.split('class="narrow-only"')
    assert wide.count('class="run-line"') == narrow.count('class="run-line"') == 2
    assert "Активная мощность за последние 5 минут" in html.replace(NBSP, " ")


@pytest.mark.clause("T9.live-ask")
def test_an_open_page_has_the_meter_asked_at_a_bounded_pace(own, store):
    made = own.made
    assert wish(store, made) is None
    answer = own.send(own.live)
    assert answer.status_code == 303
    assert answer.headers["location"] == own.live
    first = wish(store, made).asked_at
    own.send(own.live)
    assert wish(store, made).asked_at == first  # it waits already
    showed(store, made)
    assert wish(store, made).answered_at is not None
    own.send(own.live)
    assert wish(store, made).asked_at == first  # a moment ago
    ago(store, made, live.METER_EVERY.total_seconds())
    own.send(own.live)
    assert wish(store, made).asked_at >= first
    assert wish(store, made).answered_at is None


@pytest.mark.clause("T9.live-ask")
def test_a_meter_that_does_not_answer_is_left_alone_for_longer(own, store):
    own.send(own.live)
    live.failed(store, own.made.meter, "line.reply_timeout", lease=own.made.lease)
    ago(store, own.made, live.METER_EVERY.total_seconds() + 1)
    own.send(own.live)
    assert wish(store, own.made).error_code
    ago(store, own.made, live.AFTER_FAILURE.total_seconds())
    own.send(own.live)
    assert not wish(store, own.made).error_code


@pytest.mark.clause("T9.live-ask")
@pytest.mark.parametrize("who", ["anna@example.org", "boris@example.org"])
def test_nobody_keeps_a_line_busy_with_many_points(own, portal, store, who):
    """A person has a pace of all their meters, and a line has one of all its meters."""
    other = make(store, "boris@example.org")
    with store.write() as unit:
        line = unit.session.get_one(tables.Meter, own.made.meter).line_id
        meter = unit.session.get_one(tables.Meter, other.meter)
        if who.startswith("boris"):
            meter.line_id = line  # a neighbour on the same line
    user = own.made.user if who.startswith("anna") else other.user
    with store.write() as unit:
        glances.ask(unit, own.made.meter, own.made.user)
        glances.answer(unit, own.made.meter)
        assert not live._may_ask(unit, other.meter, user)
    ago(store, own.made, live.PERSON_EVERY.total_seconds())
    with store.read() as unit:
        assert live._may_ask(unit, other.meter, user)


@pytest.mark.clause("T9.live-stops")
def test_it_stops_after_ten_minutes_and_on_pause(own, store):
    showed(store, own.made)
    html = own.open(own.live).text
    assert 'data-hx-trigger="load delay:100ms"' in html
    since = int(re.search(r"since=(\d+)", html)[1])
    token = own.fill(html, own.live, {})
    on = own.client.post(f"{own.live}?since={since}", data=token, headers=PART).text
    assert "<html" not in on
    assert f"since={since}" in on  # it remembers when it began
    assert "load delay:3s" in on
    late = own.client.post(f"{own.live}?since={since - 601}", data=token, headers=PART).text
    assert "load delay" not in late
    assert "Продолжить" in late
    paused = own.open(f"{own.live}?paused=1").text
    assert "load delay" not in paused
    assert "Продолжить" in paused
    assert "Прямой эфир" not in words(paused)  # nobody asks any more
    assert "Последний замер" in words(paused)


@pytest.mark.clause("T9.live-stops")
def test_what_has_asked_for_ten_minutes_asks_the_meter_no_more(own, store):
    html = own.open(own.live).text
    token = own.fill(html, own.live, {})
    own.client.post(f"{own.live}?since=1", data=token, headers=PART)
    assert wish(store, own.made) is None
    own.client.post(own.live, data=token, headers=PART)  # «Продолжить»
    assert wish(store, own.made) is not None


@pytest.mark.clause("T9.live-plain")
def test_without_a_script_the_last_values_stand_with_a_button(own, store):
    showed(store, own.made)
    html = own.open(own.live).text
    assert '<noscript><button class="btn ghost dense" type="submit">Обновить' in html
    assert "Прочитать значения" in words(html)
    spoken = re.search(r'id="live-sentence" hidden>([^<]*)', html)[1].replace(NBSP, " ")
    assert "28,9 киловатта. Фаза A: 231 вольта, 44,7 ампера." in spoken


@pytest.mark.clause("T9.live-head")
def test_the_head_of_the_point_leads_here(own, store):
    page = f"/points/{own.made.point}/journal"
    assert own.live not in own.open(page).text
    showed(store, own.made)
    html = own.open(page).text
    assert own.live in html
    assert "Сейчас 28,9 кВт" in words(html)
    showed(store, own.made, -3600)
    with store.write() as unit:
        row = unit.session.get_one(tables.LastValues, (own.made.meter, "recent"))
        row.body = {"watts": [[(datetime.now(UTC) - timedelta(minutes=20)).timestamp(), "722"]]}
    text = words(own.open(page).text)
    assert "Сейчас 28,9" not in text
    assert re.search(r"28,9 кВт в \d\d:\d\d", text)


def test_a_line_that_is_down_and_a_stopped_meter_are_not_asked(own, store):
    with store.write() as unit:
        stored_meters.state(unit, own.made.meter).stopped = True
    own.send(own.live)
    assert wish(store, own.made) is None
    assert "Нет ответа" in own.open(own.live).text


def test_a_point_without_such_a_meter_says_so(own, store):
    with store.write() as unit:
        unit.session.get_one(tables.Meter, own.made.meter).driver = "gone"
    html = own.open(own.live).text
    assert "не сообщает мгновенных значений" in words(html)
    assert "data-hx-trigger" not in html.split('id="live-now"')[1]
