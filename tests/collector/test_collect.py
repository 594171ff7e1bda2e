import asyncio
import dataclasses
from datetime import timedelta

import pytest
from sqlmodel import select
from toy import SPEC, ToyLine, ToyMeter, count_of, plugins, start_of

from hub.collector import holder
from hub.collector.loop import CollectorSettings, collect
from hub.domain.calendar import instant_of
from hub.services import lines, meters
from hub.store import series as series_store
from hub.store.blocks import read_days
from hub.store.tables import (
    BalanceCheck,
    LedgerGap,
    Line,
    Meter,
    MeterState,
    RegisterReading,
    Revision,
)

LINE = "tcp://toy:1?latency=0"


def add(store, *addresses: int, line: str = LINE, **settings: object) -> list[int]:
    more = "".join(f', "{name}": "{value}"' for name, value in settings.items())
    return [
        meters.add_meter(store, line=line, driver="toy", settings=f'{{"address": {address}{more}}}')
        for address in addresses
    ]


async def once(store, line: ToyLine, spec=SPEC, **settings):
    return await collect(
        store,
        plugins(spec),
        CollectorSettings(open_link=line.open, now=store.now, **settings),
        once=True,
    )


def counts(store, meter_id: int) -> dict:
    out = {}
    with store.read() as unit:
        for item in series_store.of_meter(unit, meter_id):
            cursor = unit.cursor()
            cursor.execute("SELECT day FROM block WHERE series_id = ?", (item.id,))
            for (day,) in cursor.fetchall():
                days = read_days(unit.cursor(), item.id, item.key.shape, day, day)
                for slot, flag in enumerate(days.flags.tolist()[0]):
                    if not flag & 1:
                        at = instant_of(day * 1440 + slot * item.key.shape.minutes)
                        out[at] = days.values.tolist()[0][slot][0]
    return out


def wanted(meter: ToyMeter) -> dict:
    return {
        start_of(n): count_of(meter.address, n) for n in range(meter.slots) if n not in meter.lost
    }


def state(store, meter_id: int) -> MeterState:
    with store.read() as unit:
        return unit.session.get_one(MeterState, meter_id)


def rows(store, table):
    with store.read() as unit:
        return unit.session.exec(select(table)).all()


def line_row(store):
    (row,) = rows(store, Line)
    return row


async def test_everything_a_meter_has_arrives(store, clock):
    toys = [ToyMeter(address, slots=300 + address) for address in range(1, 12)]
    ids = add(store, *range(1, 12))
    outcome = await once(store, ToyLine(*toys))
    assert (outcome.visited, outcome.failed) == (11, {})
    for toy, meter_id in zip(toys, ids, strict=True):
        assert counts(store, meter_id) == wanted(toy)
        assert not toy.open
        row = state(store, meter_id)
        assert row.profile_done
        assert row.seen_at == clock()
        assert clock() < row.due_at <= clock() + timedelta(minutes=30)
    meter = rows(store, Meter)[0]
    assert (meter.maker, meter.serial, meter.model) == ("Toy", "00000001", "T1")
    assert meter.learned == {"visits": "1"}
    assert meter.drift_s is not None
    assert line_row(store).lease_token == ""
    assert {row.state for row in rows(store, BalanceCheck)} == {"ok"}
    assert sum(not row.day_start for row in rows(store, RegisterReading)) == 11


async def test_a_second_visit_goes_on_from_the_cursor(store, clock):
    toy = ToyMeter(1, slots=100)
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    asked = toy.asked.count("profile")
    toy.slots = 103
    clock.advance(minutes=90)
    await once(store, line)
    assert toy.asked.count("profile") == asked + 1
    assert counts(store, meter_id) == wanted(toy)
    assert rows(store, Meter)[0].learned == {"visits": "2"}
    assert rows(store, Revision) == []


async def test_a_lost_cursor_starts_at_the_oldest_and_changes_nothing(store, clock):
    toy = ToyMeter(1, slots=120)
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    toy.cursor_lost = True
    clock.advance(minutes=30)
    outcome = await once(store, line)
    assert outcome.failed == {}
    assert counts(store, meter_id) == wanted(toy)
    assert rows(store, Revision) == []


async def test_what_cursor_reads_miss_is_asked_for_by_spans(store):
    toy = ToyMeter(1, slots=200, hidden={20, 21, 22, 150}, lost={60, 61})
    (meter_id,) = add(store, 1)
    await once(store, ToyLine(toy))
    assert counts(store, meter_id) == wanted(toy)
    assert sorted((row.from_at, row.to_at, row.state) for row in rows(store, LedgerGap)) == [
        (start_of(20), start_of(23), "filled"),
        (start_of(60), start_of(62), "gone"),
        (start_of(150), start_of(151), "filled"),
    ]


async def test_the_balance_notices_a_wrong_value_and_has_it_read_again(store):
    toy = ToyMeter(1, slots=100)
    toy.wrong = {60: 3}
    (meter_id,) = add(store, 1)
    await once(store, ToyLine(toy))
    assert counts(store, meter_id) == wanted(toy)
    (revision,) = rows(store, Revision)
    assert revision.old_counts == [3]
    (check,) = rows(store, BalanceCheck)
    assert (check.state, check.rereads) == ("ok", 1)


async def test_a_doubt_that_stays_is_kept_and_asked_for_only_once(store, clock):
    toy = ToyMeter(1, slots=100)
    (meter_id,) = add(store, 1)
    toy.do_registers = lambda message: {
        "now": 10**6, "at:day:0": toy.register(96) + 50, "at:day:1": toy.register(48),
    }  # fmt: skip
    line = ToyLine(toy)
    await once(store, line)
    asked = toy.asked.count("profile")
    (check,) = rows(store, BalanceCheck)
    assert (check.state, check.rereads) == ("in_doubt", 1)
    assert check.registers_wh - check.slots_wh == 50
    clock.advance(minutes=30)
    await once(store, line)
    assert toy.asked.count("profile") == asked + 1
    assert counts(store, meter_id) == wanted(toy)


async def test_a_wrong_password_stops_the_meter_with_a_sentence(store, clock):
    toys = [ToyMeter(1), ToyMeter(2, password="2")]
    good, bad = add(store, 1, 2)
    outcome = await once(store, ToyLine(*toys))
    assert outcome.visited == 1
    assert list(outcome.failed) == [f"meter {bad}"]
    row = state(store, bad)
    assert row.stopped
    assert row.error_code == "device.access_denied"
    assert "refused the password" in row.error_text
    clock.advance(hours=2)
    await once(store, ToyLine(*toys))
    assert toys[1].asked.count("open") == 1
    meters.start_again(store, bad)
    toys[1].password = "1"
    await once(store, ToyLine(*toys))
    assert not state(store, bad).stopped
    assert counts(store, bad) == wanted(toys[1])
    assert state(store, good).failures == 0


async def test_another_meter_at_the_address_never_continues_the_history(store, clock):
    toy = ToyMeter(1, slots=60)
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    before = counts(store, meter_id)
    line.meters[1] = swapped = ToyMeter(1, slots=90, serial="777")
    clock.advance(hours=1)
    outcome = await once(store, line)
    assert "has the serial number 777, not 00000001" in outcome.failed[f"meter {meter_id}"]
    assert counts(store, meter_id) == before
    assert state(store, meter_id).stopped
    assert not swapped.open


async def test_a_meter_that_is_known_already_is_not_taken_twice(store):
    line = ToyLine(ToyMeter(1, serial="5"), ToyMeter(2, serial="5"))
    first, second = add(store, 1, 2)
    outcome = await once(store, line, at_a_time=1)
    assert f"is already meter {first}" in outcome.failed[f"meter {second}"]
    assert counts(store, second) == {}


async def test_an_unknown_address_backs_off_alone(store, clock):
    toys = [ToyMeter(1), ToyMeter(2, silent=True)]
    _, silent = add(store, 1, 2)
    await once(store, ToyLine(*toys))
    row = state(store, silent)
    assert (row.failures, row.stopped, row.error_code) == (1, False, "line.reply_timeout")
    assert timedelta(seconds=44) < row.due_at - clock() < timedelta(seconds=76)
    clock.advance(minutes=2)
    await once(store, ToyLine(*toys))
    assert state(store, silent).failures == 2
    assert line_row(store).down_since_at is None


async def test_a_dead_line_is_said_once_and_punishes_no_meter(store, clock):
    line = ToyLine(*(ToyMeter(address) for address in range(1, 6)))
    ids = add(store, *range(1, 6))
    line.down = True
    outcome = await once(store, line)
    assert list(outcome.failed) == [LINE]
    assert all(state(store, meter_id).failures == 0 for meter_id in ids)
    row = line_row(store)
    assert (row.failures, row.error_code, row.down_since_at) == (1, "line.down", clock())
    assert (await once(store, line)).failed == {}
    line.down = False
    clock.advance(minutes=2)
    outcome = await once(store, line)
    assert (outcome.visited, outcome.failed) == (5, {})
    assert line_row(store).down_since_at is None


async def test_a_line_where_nobody_answers_is_down(store):
    toys = [ToyMeter(address, silent=True) for address in range(1, 30)]
    ids = add(store, *range(1, 30))
    outcome = await once(store, ToyLine(*toys))
    assert list(outcome.failed) == [LINE]
    assert "Nobody on" in outcome.failed[LINE]
    assert all(state(store, meter_id).failures == 0 for meter_id in ids)
    assert sum(bool(toy.asked) for toy in toys) < 15


async def test_a_line_that_breaks_off_keeps_what_was_read(store, clock):
    toy = ToyMeter(1, slots=400)
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)

    def break_off(message: dict) -> None:
        if toy.asked.count("profile") == 3:
            line.down = True

    line.before_answer = break_off
    await once(store, line)
    assert len(counts(store, meter_id)) == 200
    line.before_answer = lambda message: None
    line.down = False
    clock.advance(minutes=5)
    await once(store, line)
    assert counts(store, meter_id) == wanted(toy)


async def test_a_period_that_does_not_fit_is_shown(store):
    (meter_id,) = add(store, 1)
    await once(store, ToyLine(ToyMeter(1, minutes=7)))
    row = state(store, meter_id)
    assert row.error_code == "profile.period_unsupported"
    assert rows(store, RegisterReading)


async def test_a_plugin_that_fails_is_named_with_what_it_did(store):
    class Broken(SPEC.driver):
        def can(self, identity):
            raise KeyError("oops")

    spec = dataclasses.replace(SPEC, driver=Broken, build=Broken)
    (meter_id,) = add(store, 1)
    toy = ToyMeter(1)
    outcome = await once(store, ToyLine(toy), spec)
    sentence = outcome.failed[f"meter {meter_id}"]
    assert "'toy' failed in 'can' at meter 1 (KeyError" in sentence
    assert state(store, meter_id).error_code == "plugin.contract_broken"
    assert not toy.open


async def test_a_driver_that_is_not_installed_is_a_sentence(store):
    meter_id = meters.add_meter(store, line=LINE, driver="gone", settings="{}")
    outcome = await once(store, ToyLine())
    assert "There is no driver 'gone'" in outcome.failed[f"meter {meter_id}"]


async def test_settings_that_do_not_fit_are_a_sentence(store):
    meter_id = meters.add_meter(store, line=LINE, driver="toy", settings='{"adress": 1}')
    outcome = await once(store, ToyLine())
    assert "do not fit the driver 'toy' (address, adress)" in outcome.failed[f"meter {meter_id}"]


async def test_a_second_collector_on_the_line_is_told_who_holds_it(store):
    add(store, 1)
    lease = lines.claim(store, 1, "elsewhere 1 1", is_dead=lambda name: False)
    toy = ToyMeter(1)
    outcome = await once(store, ToyLine(toy))
    assert "Another collector holds the line" in outcome.failed[LINE]
    assert toy.asked == []
    lines.release(store, lease)
    assert (await once(store, ToyLine(toy))).visited == 1


async def test_what_the_dead_held_is_let_go_even_with_nothing_to_do(store, clock, monkeypatch):
    add(store, 1)
    line = ToyLine(ToyMeter(1))
    await once(store, line)
    lines.claim(store, 1, "dead one", is_dead=lambda name: False)
    await once(store, line)
    assert line_row(store).lease_holder == "dead one"
    monkeypatch.setattr(holder, "is_dead", lambda name: name == "dead one")
    await once(store, line)
    assert line_row(store).lease_token == ""


async def test_a_lease_that_is_lost_ends_the_visit_and_stores_nothing_more(store, clock):
    toy = ToyMeter(1, slots=400)
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)

    def overtake(message: dict) -> None:
        if toy.asked.count("profile") == 2:
            lines.claim(store, 1, "another", is_dead=lambda name: True)

    line.before_answer = overtake
    outcome = await once(store, line)
    assert len(counts(store, meter_id)) == 100
    assert "took the line meanwhile" in outcome.failed[LINE]
    assert line_row(store).lease_holder == "another"


async def test_stopping_says_goodbye_and_releases_the_line(store):
    toys = [ToyMeter(address, slots=5000) for address in (1, 2)]
    add(store, 1, 2)
    stop = asyncio.Event()
    line = ToyLine(*toys)
    line.before_answer = lambda message: toys[0].asked.count("profile") == 5 and stop.set()
    await collect(
        store, plugins(), CollectorSettings(open_link=line.open, now=store.now), stop=stop
    )
    assert [toy.asked[-1] for toy in toys] == ["close", "close"]
    assert line_row(store).lease_token == ""
    assert 0 < len(counts(store, 1)) < 5000


async def test_stopping_at_once_releases_the_line_too(store):
    toy = ToyMeter(1)
    add(store, 1)
    stop = asyncio.Event()
    stop.set()
    settings = CollectorSettings(open_link=ToyLine(toy).open, now=store.now)
    await collect(store, plugins(), settings, stop=stop)
    assert toy.asked == []
    assert line_row(store).lease_token == ""


async def test_the_loop_visits_again_when_it_is_time(store, clock):
    toy = ToyMeter(1, slots=10)
    (meter_id,) = add(store, 1)
    stop = asyncio.Event()
    line = ToyLine(toy)

    def go_on(message: dict) -> None:
        toy.slots += message["ask"] == "close"
        if toy.slots == 14:
            stop.set()

    line.before_answer = go_on
    store.clock = lambda: clock.advance(seconds=30)  # time passes by being looked at
    settings = CollectorSettings(open_link=line.open, now=store.now, look_every_s=0.01)
    await collect(store, plugins(), settings, stop=stop)
    assert len(counts(store, meter_id)) >= 12


@pytest.mark.parametrize("at_a_time", [1, 3])
async def test_visits_share_the_line(store, at_a_time):
    toys = [ToyMeter(address, slots=1500) for address in range(1, 7)]
    add(store, *range(1, 7))
    open_at_once = 0
    line = ToyLine(*toys)

    def look(message: dict) -> None:
        nonlocal open_at_once
        open_at_once = max(open_at_once, sum(toy.open for toy in toys))

    line.before_answer = look
    assert (await once(store, line, at_a_time=at_a_time)).visited == 6
    assert open_at_once == at_a_time
