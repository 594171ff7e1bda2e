"""Journals, state and values of now in visits to the toy meter."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select
from toy import BASE, BEGIN, HALF, SPEC, ToyLine, ToyMeter, plugins

from hub.collector.loop import CollectorSettings, collect
from hub.services import meters, snapshots
from hub.store.tables import MeterEvent, MeterState, StoredCursor

LINE = "tcp://toy:1?latency=0"
ALL = "clock registers profile journal snapshot state"


def add(store, *addresses):
    return [
        meters.add_meter(store, line=LINE, driver="toy", settings=f'{{"address": {address}}}')
        for address in addresses
    ]


async def once(store, line):
    return await collect(
        store, plugins(SPEC), CollectorSettings(open_link=line.open, now=store.now), once=True
    )


def books(**more):
    return {
        "a": [["power_lost", n * 10, n * 10 + 1] for n in range(7)],
        "b": [["magnetic_field", 5, None]],
        "c": [],
    } | more


@pytest.fixture
def toy(clock):
    meter = ToyMeter(1, slots=100, can=ALL, journal=books())
    clock.at = (BEGIN + meter.slots * HALF - BASE).replace(tzinfo=clock.at.tzinfo)
    return meter


def stored(store):
    with store.read() as unit:
        rows = unit.session.exec(select(MeterEvent).order_by(MeterEvent.id)).all()
        return sorted(
            (row.book, row.kind, row.began_at, row.ended_at)
            for row in rows
            if row.source == "meter"
        )


def wanted(toy):
    def at(n):
        return None if n is None else (BEGIN + n * HALF - BASE).replace(tzinfo=None)

    return sorted(
        (book, kind, at(begin), at(end))
        for book, entries in toy.journal.items()
        for kind, begin, end in entries
    )


def same(store, toy):
    return [
        (book, kind, began.replace(tzinfo=None), ended and ended.replace(tzinfo=None))
        for book, kind, began, ended in stored(store)
    ] == wanted(toy)


def journals_at(store, meter_id) -> datetime | None:
    with store.read() as unit:
        return unit.session.get_one(MeterState, meter_id).journals_at


async def test_all_books_are_read_page_by_page(store, clock, toy):
    (meter_id,) = add(store, 1)
    outcome = await once(store, ToyLine(toy))
    assert outcome.failed == {}
    assert same(store, toy)
    assert journals_at(store, meter_id) == clock()
    with store.read() as unit:
        cursors = unit.session.exec(select(StoredCursor)).all()
    assert {row.what: row.body for row in cursors} == {
        "profile": "100", "journal/a": "7", "journal/b": "1", "journal/c": "0",
        "journal/d": "0", "journal/e": "0",
    }  # fmt: skip
    assert toy.asked.count("journal") == 3 + 1 + 1 + 1 + 1


async def test_books_are_left_alone_until_the_next_day(store, clock, toy):
    add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    first = toy.asked.count("journal")
    for _ in range(4):
        clock.advance(minutes=30)
        toy.slots += 1
        await once(store, line)
    assert toy.asked.count("journal") == first
    clock.advance(hours=24)
    toy.slots += 48
    await once(store, line)
    assert toy.asked.count("journal") > first


async def test_an_outage_in_the_profile_brings_its_event_at_once(store, clock, toy):
    add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    toy.lost |= {101, 102}
    toy.slots += 4
    toy.journal["a"].append(["power_lost", 101, 103])
    clock.advance(minutes=120)
    await once(store, line)
    assert same(store, toy)


async def test_an_end_that_comes_later_closes_the_event(store, clock, toy):
    add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    toy.journal["b"][0][2] = 90
    clock.advance(hours=24)
    toy.slots += 48
    await once(store, line)
    assert same(store, toy)


@pytest.mark.parametrize("says", ["no", "nothing"])
async def test_a_book_that_fails_does_not_stop_the_others(store, clock, toy, says):
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)
    answer = toy.do_journal
    toy.do_journal = lambda message: (
        ({"no": "refused"} if says == "no" else None) if message["book"] == "a" else answer(message)
    )
    outcome = await once(store, line)
    assert [book for book, *_ in stored(store)] == ["b"]
    if says == "no":
        assert outcome.failed == {}
        assert journals_at(store, meter_id) == clock()
    else:
        assert "No answer" in outcome.failed[f"meter {meter_id}"]
        assert journals_at(store, meter_id) == clock() - timedelta(hours=18)
        assert meters.errand(store, meter_id).cursor.body == "100"  # half-hours did not wait


async def test_books_that_did_not_arrive_are_tried_again_after_two_hours(store, clock, toy):
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)
    answer = toy.do_journal
    toy.do_journal = lambda message: None
    await once(store, line)
    asked = toy.asked.count("journal")
    toy.do_journal = answer
    for halves in (2, 1, 1):
        assert toy.asked.count("journal") == asked
        clock.advance(minutes=30 * halves)
        toy.slots += halves
        await once(store, line)
    assert same(store, toy)
    assert journals_at(store, meter_id) == clock()


async def test_silence_of_three_books_ends_the_trying(store, toy):
    add(store, 1)
    toy.do_journal = lambda message: None
    await once(store, ToyLine(toy))
    asked = toy.asked.count("journal")
    assert asked == 6 + 3 + 3  # with the line's repeats; two more books are not tried


async def test_what_was_overwritten_is_reported_with_its_bounds(store, clock, toy):
    add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    toy.journal["a"] += [["power_lost", 100 + n, 100 + n] for n in range(20)]
    toy.oldest = 15
    clock.advance(hours=24)
    toy.slots += 48
    await once(store, line)
    with store.read() as unit:
        (lost,) = unit.session.exec(select(MeterEvent).where(MeterEvent.kind == "journal_lost"))
    assert (lost.book, lost.source) == ("a", "hub")
    assert lost.detail["before"] == (BEGIN + 108 * HALF).isoformat()
    assert stored(store)[-1][0] == "b"
    assert len(stored(store)) == 7 + 1 + 12


async def test_a_driver_that_lost_its_place_begins_anew_and_doubles_nothing(store, clock, toy):
    add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    toy.cursor_lost = True
    clock.advance(hours=24)
    toy.slots += 48
    outcome = await once(store, line)
    assert outcome.failed == {}
    assert same(store, toy)


async def test_values_of_now_are_kept_at_each_visit_and_the_state_with_the_journals(
    store, clock, toy
):
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    toy.values = {"32.7.0": "219.00"}
    clock.advance(minutes=30)
    toy.slots += 1
    await once(store, line)
    seen = snapshots.of_meter(store, meter_id)
    assert [str(each.value) for each in seen.snapshot.values.values()] == ["219.00"]
    assert seen.snapshot.at == clock()
    assert seen.state_at == clock() - timedelta(minutes=30)
    assert seen.state.load_on is True
    assert toy.asked.count("state") == 1


async def test_a_person_who_waits_gets_events_and_state_too(store, clock, toy):
    (meter_id,) = add(store, 1)
    line = ToyLine(toy)
    await once(store, line)
    toy.journal["c"].append(["energy_reset", 99, None])
    toy.closed = False
    clock.advance(minutes=5)
    meters.read_now(store, meter_id)
    await once(store, line)
    assert same(store, toy)
    assert snapshots.of_meter(store, meter_id).state.load_on is False


@pytest.mark.parametrize("part", ["values", "state"])
async def test_what_the_meter_refuses_costs_nothing_else(store, toy, part):
    (meter_id,) = add(store, 1)
    toy.refuses = {part}
    outcome = await once(store, ToyLine(toy))
    assert outcome.failed == {}
    assert same(store, toy)
    seen = snapshots.of_meter(store, meter_id)
    assert (seen.snapshot is None, seen.state is None) == (part == "values", part == "state")


async def test_a_part_that_needs_another_level_does_not_stop_the_meter(store, toy):
    (meter_id,) = add(store, 1)
    toy.do_state = lambda message: {"no": "password"}
    outcome = await once(store, ToyLine(toy))
    assert outcome.failed == {}
    assert same(store, toy)
    with store.read() as unit:
        assert not unit.session.get_one(MeterState, meter_id).stopped


async def test_a_driver_that_gives_the_same_page_for_ever_is_stopped(store, clock, toy):
    (meter_id,) = add(store, 1)
    answer = toy.do_journal
    toy.do_journal = lambda message: answer({**message, "from": 0}) | {"next": 3, "more": True}
    outcome = await once(store, ToyLine(toy))
    assert "again and again" in outcome.failed[f"meter {meter_id}"]
