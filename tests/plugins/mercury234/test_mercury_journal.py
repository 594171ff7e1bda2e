"""Journals: records to entries, rings that turn, what is lost, what makes no sense."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_rings import T0, JournalMeter, Reader, RingBook, opened, read, span, stamp

from hub.plugins.api import (
    KINDS,
    UNKNOWN,
    Can,
    Cursor,
    CursorLost,
    FrameGarbled,
    MeterTime,
    NotSupported,
)
from hub.plugins.mercury234 import hub_meter_drivers
from hub.plugins.mercury234.books import BOOKS, Shape, parse_record, parse_stamp

HOUR = timedelta(hours=1)
GIVES = [(True, True), (True, False), (False, True), (False, False)]  # FF, blocks


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def winter(face: datetime) -> MeterTime:
    return MeterTime(face, summer=False)


# -- the table ---------------------------------------------------------------------------------


def test_every_book_speaks_the_vocabulary():
    for name, book in BOOKS.items():
        assert name == f"{book.number:02X}"
        if book.kind == UNKNOWN:
            continue
        kind = KINDS[book.kind]
        assert kind.lasting == (book.shape in {Shape.SPAN, Shape.BREAK})
        assert set(book.detail) <= set(kind.fields)
    assert sum(book.kind != UNKNOWN for book in BOOKS.values()) == 0x1A + 0x10


def test_the_driver_says_that_it_reads_journals_and_titles_them():
    (spec,) = hub_meter_drivers()
    assert Can.JOURNAL in spec.may
    assert set(spec.books) == set(BOOKS)
    line, driver = opened(JournalMeter())
    assert Can.JOURNAL in driver.can(line.run(driver.identify()))
    assert driver.books() == set(BOOKS)


def test_stamps_of_the_paper():
    assert parse_stamp(bytes.fromhex("532310230108")) == datetime(2008, 1, 23, 10, 23, 53)
    assert parse_stamp(bytes(6)) is None
    assert parse_stamp(b"\xff" * 6) is None
    with pytest.raises(ValueError):
        parse_stamp(bytes.fromhex("095130180108"))  # the slip of the paper: hour first


VECTORS = [
    vector
    for vector in json.loads(Path(__file__).with_name("mercury23x-vectors.json").read_text("utf-8"))
    if vector["request_hex"][3:5] == "04"
    and vector["request_hex"][6:8] != "00"
    and vector.get("response_hex")
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_records_of_the_published_exchanges_say_what_is_printed(vector):
    book = BOOKS[vector["request_hex"][6:8]]
    wire = bytes.fromhex(vector["response_hex"])[1:-2][: book.size]
    told = vector["decoded"]
    if vector["id"] == "doc236-magn-06":  # the paper's slip: its second time is hour first
        with pytest.raises(ValueError):
            parse_record(book.shape, wire)
        return
    record = parse_record(book.shape, wire)
    first = told.get("first_at") or told.get("time") or told.get("date")
    assert record.first == datetime.fromisoformat(first)
    second = record.second.isoformat() if record.second else record.detail.get("after")
    assert second == told.get("second_at")
    if "map_hex" in told:
        assert record.detail["map"] == told["map_hex"]
        assert record.detail["times"] == str(told["count"])
    assert record.detail.get("status_word") == told.get("status_word_hex")


@pytest.mark.parametrize("count", range(14))
def test_parameters_are_named_only_where_both_byte_orders_agree(count):
    bits = bytearray(7)
    if count < 7:
        bits[count] = bits[6 - count] = 0x24
    else:
        bits[count % 7] = 1
    wire = bytes.fromhex("27020813") + bytes(bits) + b"\0"
    record = parse_record(Shape.MAP, wire)
    assert record.first == datetime(2008, 2, 27)
    assert record.detail["times"] == "13"
    assert record.detail["map"] == (bytes(bits) + b"\0").hex(" ").upper()
    symmetric = bits == bits[::-1]
    assert ("parameters" in record.detail) == symmetric
    if count == 0:
        assert record.detail["parameters"] == "02 05 32 35"


# -- records to entries ------------------------------------------------------------------------


def test_an_outage_is_from_the_power_s_going_to_its_coming():
    meter = JournalMeter()
    power = meter.book(1)
    power.write(span(at(0), at(1)))
    power.write(span(at(3)))
    page = read(meter, "01")
    (entry,) = page.entries
    assert (entry.kind, entry.began, entry.ended) == ("power_lost", winter(at(1)), winter(at(3)))
    assert entry.raw == power.history[0]
    assert page.lost is None


@pytest.mark.parametrize(("last", "blocks"), GIVES)
def test_beginning_and_end_read_in_two_visits_are_one_entry(last, blocks):
    meter = JournalMeter(last=last, blocks=blocks)
    power, magnet = meter.book(1), meter.book(0x1A)
    power.write(span(at(0), at(1)))
    magnet.write(span(at(0.5)))
    for_power, for_magnet = Reader(meter, "01"), Reader(meter, "1A")
    for reader in (for_power, for_magnet):
        (first,) = reader.visit().entries
        assert first.ended is None
        assert reader.visit().entries == ()
    power.write(span(at(2)))
    magnet.amend(span(at(0.5), at(2.5)))
    for reader, end in ((for_power, at(2)), (for_magnet, at(2.5))):
        (again,) = reader.visit().entries
        assert again.ended == winter(end)
        assert len(reader.entries) == 1
        assert reader.visit().entries == ()
        assert not reader.lost


def test_a_clock_correction_tells_both_times_and_the_shift():
    meter = JournalMeter()
    meter.book(2).write(span(at(0), at(0) - timedelta(seconds=200)))
    (entry,) = read(meter, "02").entries
    assert entry.detail == {
        "before": "2026-11-01T08:00:00",
        "after": "2026-11-01T07:56:40",
        "shift_s": "-200",
    }
    assert entry.ended is None


def test_status_words_tell_what_came_and_went():
    meter = JournalMeter()
    book = meter.book(0x14)
    reader = Reader(meter, "14")
    book.write(stamp(at(0)) + bytes.fromhex("000000000200"))
    book.write(stamp(at(1)) + bytes.fromhex("004000000300"))
    first, second = reader.visit().entries
    assert first.detail == {"faults": "E-02", "status_word": "00 00 00 00 02 00"}
    assert second.detail["faults"] == "E-01 E-02 E-47"
    assert (second.detail["appeared"], second.detail["gone"]) == ("E-01 E-47", "")
    book.write(stamp(at(2)) + bytes.fromhex("000000000200"))
    (third,) = reader.visit().entries
    assert (third.detail["appeared"], third.detail["gone"]) == ("", "E-01 E-47")


def test_a_day_of_writes_is_one_entry_that_grows():
    meter = JournalMeter()
    book = meter.book(0x13)
    reader = Reader(meter, "13")
    book.write(bytes.fromhex("2702081300210000 00000000".replace(" ", "")))
    reader.visit()
    book.amend(bytes.fromhex("2702081500210000 00000001".replace(" ", "")))
    (entry,) = reader.visit().entries
    assert entry.detail["times"] == "15"
    assert len(reader.entries) == 1
    assert not reader.lost


def test_two_seals_are_two_rings_of_five():
    meter = JournalMeter(variant="B464C2971300")
    book = meter.book(0x12)
    for n in range(5):
        book.places[n] = span(at(n), at(n + 0.5))
    book.places[5] = span(at(2.25), at(2.5))
    page = read(meter, "12")
    assert [entry.kind for entry in page.entries] == [
        *["terminal_cover_opened"] * 3, "case_opened", *["terminal_cover_opened"] * 2
    ]  # fmt: skip
    assert page.lost is not None  # the terminal cover's ring is full
    assert page.lost.ends == winter(at(0))
    book.places[0] = span(at(7))
    later = read(meter, "12", page.next)
    assert [(e.kind, e.began, e.ended) for e in later.entries] == [
        ("terminal_cover_opened", winter(at(7)), None)
    ]
    assert later.lost is None


def test_phases_and_tariffs_are_told():
    meter = JournalMeter()
    meter.book(4).write(span(at(0), at(1)))
    meter.book(0x0C, size=6).write(stamp(at(2)))
    meter.book(0x26, depth=100).write(span(at(3), at(4)))
    assert read(meter, "04").entries[0].detail == {"phase": "2"}
    assert read(meter, "0C").entries[0].detail == {"tariff": "2"}
    assert read(meter, "26").entries[0].key == "26/voltage_above_normal/2/2026-11-01T11:00:00/0"


def test_newer_journals_are_kept_raw():
    meter = JournalMeter()
    meter.book(0x30).write(span(at(0), at(1)))
    (entry,) = read(meter, "30").entries
    assert (entry.kind, entry.began, entry.raw) == (UNKNOWN, winter(at(0)), span(at(0), at(1)))


# -- rings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("last", "blocks"), GIVES)
@pytest.mark.parametrize("blank", [0, 0xFF])
@pytest.mark.parametrize("earlier", [0, 3, 10, 27])
@pytest.mark.parametrize("between", range(13))
def test_nine_between_two_visits_are_complete_and_ten_are_a_loss(
    last, blocks, blank, earlier, between
):
    meter = JournalMeter(last=last, blocks=blocks)
    book = meter.book(6, blank=blank)
    for n in range(earlier):
        book.write(span(at(n), at(n + 0.5)))
    reader = Reader(meter, "06")
    reader.visit()
    assert [began for began, _ in reader.told] == [at(n) for n in range(earlier)][-10:]
    reader.lost.clear()
    for n in range(earlier, earlier + between):
        book.write(span(at(n), at(n + 0.5)))
    reader.visit()
    if between < 10:
        assert [began for began, _ in reader.told] == [
            at(n) for n in range(max(0, earlier - 10), earlier + between)
        ]
        assert not reader.lost
    else:
        assert [began for began, _ in reader.told][-10:] == [
            at(n) for n in range(earlier + between - 10, earlier + between)
        ]
        (lost,) = reader.lost
        assert lost.ends == winter(at(earlier + between - 10))
        assert lost.starts == (winter(at(earlier - 0.5)) if earlier else None)


def test_a_full_ring_read_for_the_first_time_may_have_lost_what_was_before():
    meter = JournalMeter()
    for n in range(10):
        meter.book(9, size=6).write(stamp(at(n)))
    page = read(meter, "09")
    assert len(page.entries) == 10
    assert page.lost.starts is None
    assert page.lost.ends == winter(at(0))


def test_a_ring_of_a_hundred_is_read_by_the_blocks_that_are_new():
    meter = JournalMeter()
    book = meter.book(0x20, depth=100)
    for n in range(250):
        book.write(span(at(n), at(n + 0.5)))
    reader = Reader(meter, "20")
    assert len(reader.visit().entries) == 100
    for n in range(250, 255):
        book.write(span(at(n), at(n + 0.5)))
    before = meter.asked
    assert len(reader.visit().entries) == 5
    assert meter.asked - before == 2 * 2  # FF and one block, twice
    book.write(span(at(255)))
    before = meter.asked
    assert len(reader.visit().entries) == 1
    assert meter.asked - before == 2 * 2  # FF and one record, twice
    before = meter.asked
    reader.visit()
    assert meter.asked - before == 1


def test_a_cleared_book_is_a_loss_up_to_now():
    meter = JournalMeter()
    meter.book(6).write(span(at(0), at(1)))
    reader = Reader(meter, "06")
    reader.visit()
    meter.rings[6] = RingBook(12)
    page = reader.visit()
    assert page.lost.starts == winter(at(1))
    assert page.lost.ends == winter(datetime(2026, 11, 24, 12, 7))
    assert reader.visit().lost is None
    meter.book(6).write(span(at(50)))
    assert [entry.began for entry in reader.visit().entries] == [winter(at(50))]


def test_a_cleared_and_written_book_is_a_loss_too():
    meter = JournalMeter()
    for n in range(3):
        meter.book(6).write(span(at(n), at(n + 0.5)))
    reader = Reader(meter, "06")
    reader.visit()
    meter.rings[6] = RingBook(12)
    meter.book(6).write(span(at(50), at(51)))
    page = reader.visit()
    assert [entry.began for entry in page.entries] == [winter(at(50))]
    assert (page.lost.starts, page.lost.ends) == (winter(at(2.5)), winter(at(50)))


@pytest.mark.parametrize(("last", "blocks"), GIVES)
def test_equal_seconds_are_told_apart_and_keep_their_numbers(last, blocks):
    meter = JournalMeter(last=last, blocks=blocks)
    book = meter.book(6)
    reader = Reader(meter, "06")
    for _ in range(3):
        book.write(span(at(0), at(0)))
    assert [entry.nth for entry in reader.visit().entries] == [0, 1, 2]
    book.write(span(at(0)))
    assert [entry.nth for entry in reader.visit().entries] == [3]
    book.amend(span(at(0), at(2)))
    for n in range(8):
        book.write(span(at(3 + n), at(3 + n)))
    entries = reader.visit().entries
    assert (entries[0].nth, entries[0].ended) == (3, winter(at(2)))
    assert len(reader.entries) == 12
    assert not reader.lost


def test_a_clock_set_back_does_not_hide_entries():
    for last, blocks in GIVES:
        meter = JournalMeter(last=last, blocks=blocks)
        book = meter.book(6)
        for n in range(14):
            book.write(span(at(100 + n), at(100 + n)))
        reader = Reader(meter, "06")
        reader.visit()
        reader.lost.clear()
        for n in range(5):
            book.write(span(at(n), at(n)))
        assert [entry.began.face for entry in reader.visit().entries] == [at(n) for n in range(5)]
        assert not reader.lost


@pytest.mark.parametrize(("last", "blocks"), GIVES)
@pytest.mark.parametrize("book", [6, 1])
def test_a_time_that_comes_twice_is_another_entry(last, blocks, book):
    meter = JournalMeter(last=last, blocks=blocks)
    ring, reader = meter.book(book), Reader(meter, f"{book:02X}")
    for n in (0, 1, 2):
        ring.write(span(at(n), at(n + 0.25)))
    reader.visit()
    ring.write(span(at(0.5), at(0.75)))  # set back by two hours
    reader.visit()
    ring.write(span(at(1), at(1.25)))
    reader.visit()
    began = at(1 if book == 6 else 1.25)
    twins = [entry for entry in reader.entries.values() if entry.began == winter(began)]
    assert [entry.nth for entry in twins] == [0, 1]
    assert len(reader.entries) == 5


def test_a_ring_that_turns_while_it_is_read_is_read_again():
    meter = JournalMeter(blocks=False)
    book = meter.book(6)
    for n in range(14):
        book.write(span(at(n), at(n)))

    def turn(number: int) -> None:
        if number == 5:
            book.write(span(at(14), at(14)))

    meter.turn = turn
    page = read(meter, "06")
    assert [entry.began.face for entry in page.entries] == [at(n) for n in range(5, 15)]


def test_a_ring_that_never_stands_still_is_left_to_the_next_visit():
    meter = JournalMeter()
    book = meter.book(6)
    meter.turn = lambda number: book.write(span(at(number), at(number)))
    with pytest.raises(FrameGarbled):
        read(meter, "06")


# -- damage ------------------------------------------------------------------------------------


def test_a_record_that_makes_no_sense_once_is_read_again():
    meter = JournalMeter()
    book = meter.book(6)
    book.write(span(at(0), at(1)))
    meter.spoil = lambda number, answer: b"\xaa" * 12 + answer[12:] if number == 1 else answer
    (entry,) = read(meter, "06").entries
    assert entry.kind == "power_limit_exceeded"
    assert meter.asked == 3 * 2  # FF and the block, until two looks agree


def test_a_wrong_time_that_makes_sense_is_not_believed_the_first_time():
    meter = JournalMeter()
    meter.book(6).write(span(at(0), at(1)))
    forged = span(at(0), at(5)) + b"\0"
    meter.spoil = lambda number, answer: forged if number == 1 else answer
    (entry,) = read(meter, "06").entries
    assert entry.ended == winter(at(1))


def test_a_record_that_makes_no_sense_twice_is_kept_raw():
    meter = JournalMeter()
    book = meter.book(6)
    hour_first = stamp(at(1)) + bytes.fromhex("095130180108")
    nothing = b"\xaa" * 12
    for wire in (span(at(0), at(0.5)), hour_first, nothing, span(at(2))):
        book.write(wire)
    good, half, senseless, open_one = read(meter, "06").entries
    assert (good.kind, open_one.kind) == ("power_limit_exceeded",) * 2
    assert (half.kind, half.began, half.raw) == (UNKNOWN, winter(at(1)), hour_first)
    assert (senseless.kind, senseless.raw) == (UNKNOWN, nothing)
    assert senseless.began == winter(at(0))
    assert senseless.detail == {"dated_by": "neighbour"}


def test_a_block_that_does_not_arrive_is_read_record_by_record():
    meter = JournalMeter()
    for n in range(14):
        meter.book(6).write(span(at(n), at(n)))
    meter.lose = lambda request, number: request[1:2] == b"\x04" and request[3:4] == b"\xfe"
    assert len(read(meter, "06").entries) == 10


def test_what_a_meter_refuses_is_learned_and_not_asked_again():
    meter = JournalMeter(last=False, blocks=False)
    meter.book(6).write(span(at(0), at(1)))
    reader = Reader(meter, "06")
    reader.visit()
    assert reader.learned["journals_no_last"] == "06"
    assert reader.learned["journals_no_blocks"] == "06"
    before = meter.asked
    reader.visit()
    assert meter.asked - before == 2  # the last one and the next
    meter.rings[6].write(span(at(2), at(3)))
    before = meter.asked
    assert len(reader.visit().entries) == 1
    assert meter.asked - before == 2 * 3


def test_an_absent_book_is_empty_and_not_offered_again():
    meter = JournalMeter()
    reader = Reader(meter, "17")
    page = reader.visit()
    assert (page.entries, page.lost) == ((), None)
    _, driver = opened(meter, reader.learned)
    assert driver.books() == set(BOOKS) - {"17"}


def test_a_meter_without_any_journal_can_t_read_journals():
    meter, learned = JournalMeter(), {}
    for name in BOOKS:
        line, driver = opened(meter, learned)
        line.run(driver.read_journal(name, None))
        learned = driver.learned()
    line, driver = opened(meter, learned)
    assert driver.books() == set()
    assert Can.JOURNAL not in driver.can(line.run(driver.identify()))


# -- cursors and seasons -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", '{"summer":1,"rings":[null,null]}', '{"summer":true,"rings":[{}]}',
             '{"summer":true,"rings":[{"at":11,"wire":"00","told":[],"high":"","stamps":[]}]}',
             '{"summer":true,"rings":[{"at":1,"wire":"00","told":[],"high":7,"stamps":[]}]}',
             '{"summer":"x","rings":[null]}', '{"summer":null,"rings":null}']
)  # fmt: skip
def test_a_cursor_that_is_not_ours_is_lost(body):
    meter = JournalMeter()
    meter.book(6)
    with pytest.raises(CursorLost):
        read(meter, "06", Cursor("mercury234/journal/1", body))


def test_a_cursor_of_another_scheme_is_lost():
    meter = JournalMeter()
    meter.book(6)
    good = read(meter, "06").next
    with pytest.raises(CursorLost):
        read(meter, "06", Cursor("mercury234/ring/1", good.body))


def test_no_such_journal_is_said():
    with pytest.raises(NotSupported):
        read(JournalMeter(), "99")


def test_entries_have_the_season_of_the_clock_unless_it_changed_in_between():
    meter = JournalMeter()
    book = meter.book(9, size=6)
    reader = Reader(meter, "09")
    meter.summer = True
    book.write(stamp(at(0)))
    assert reader.visit().entries[0].began == MeterTime(at(0), summer=True)
    meter.summer = False
    book.write(stamp(at(1)))
    assert reader.visit().entries[0].began == MeterTime(at(1), summer=None)
    book.write(stamp(at(2)))
    assert reader.visit().entries[0].began == MeterTime(at(2), summer=False)


@pytest.mark.parametrize("summer", [True, False])
def test_a_first_reading_does_not_know_the_season_of_what_is_older_than_a_change(summer):
    meter = JournalMeter()
    meter.summer = summer
    book = meter.book(9, size=6)
    old, new = datetime(2026, 10, 20, 8), datetime(2026, 10, 27, 8)  # about 25 October
    for each in (datetime(2026, 2, 3, 8), old, new, at(3)):
        book.write(stamp(each))
    reader = Reader(meter, "09")
    seasons = [entry.began.summer for entry in reader.visit().entries]
    assert seasons == [None, None, summer, summer]
    book.write(stamp(datetime(2026, 3, 3, 8)))  # seen by a visit after one with the same clock
    assert [entry.began.summer for entry in reader.visit().entries] == [summer]


def test_what_was_overwritten_is_lost_up_to_now_where_no_record_tells_a_time():
    meter = JournalMeter()
    book = meter.book(9, size=6)
    book.write(stamp(at(1)))
    reader = Reader(meter, "09")
    reader.visit()
    for n in range(12):
        book.write(bytes((0x99, 0x99, 0x99, 0x99, 0x99, n)))
    lost = reader.visit().lost
    assert lost.starts == winter(at(1))
    assert lost.ends == winter(datetime(2026, 11, 24, 12, 7))
    assert reader.visit().lost is None  # once


def test_a_lost_cursor_says_so():
    meter = JournalMeter()
    good = read(meter, "06").next
    for cursor in (Cursor("mercury234/ring/1", good.body), Cursor(good.scheme, "{")):
        with pytest.raises(CursorLost, match=r"not of this driver.*from its oldest entry"):
            read(meter, "06", cursor)


# -- anything at all ---------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(-3, 3)),  # hours since the one before
        st.tuples(st.just("end"), st.integers(0, 3)),
        st.tuples(st.just("visit"), st.booleans()),  # killed before it was stored
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.sampled_from(GIVES), st.sampled_from([6, 0x1A]), st.booleans())
def test_any_life_read_by_any_visits_is_told_whole_or_said_to_be_lost(
    steps, gives, number, forward
):
    """``forward``: the clock never goes back, so order without FF is certain."""
    meter = JournalMeter(last=gives[0], blocks=gives[1])
    book = meter.book(number)
    reader = Reader(meter, f"{number:02X}")
    now, written_since = T0, 0
    missed = False
    for what, much in [*steps, ("visit", False)]:
        if what == "write":
            now += (abs(much) if forward or not gives[0] else much) * HOUR
            now += timedelta(seconds=forward or not gives[0])
            # set back, it comes to no second twice: a twin that was overwritten can't be known
            now -= timedelta(seconds=book.count + 1 if much < 0 else 0)
            book.write(span(now))
            written_since += 1
        elif what == "end" and book.count:
            book.amend(book.history[-1][:6] + stamp(now + much * HOUR))
        elif what == "visit":
            page = reader.visit(killed=bool(much))
            if not much:
                assert (page.lost is not None) == (written_since >= 10)
                missed = missed or page.lost is not None
                written_since = 0
    told = [entry.raw for entry in reader.entries.values() if entry.kind != UNKNOWN]
    assert len(told) == len(reader.entries)
    if not missed:
        assert told == book.history
    else:
        assert told[-10:] == book.history[-10:]
    one_go = read(meter, f"{number:02X}", None, reader.learned)
    assert [entry.raw for entry in one_go.entries] == book.history[-10:]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=12, max_size=12), max_size=12),
       st.sampled_from(["01", "02", "06", "12", "13", "14", "1A", "30"]),
       st.sampled_from(GIVES), st.booleans())  # fmt: skip
def test_any_bytes_are_entries_or_raw_and_told_once(wires, name, gives, two_seals):
    variant = "B464C2971300" if two_seals else "B464C2960300"
    meter = JournalMeter(last=gives[0], blocks=gives[1], variant=variant)
    book = meter.book(int(name, 16))
    for wire in wires:
        book.write(wire)
    reader = Reader(meter, name)
    page = reader.visit()
    assert len(reader.entries) == len(page.entries)
    assert reader.visit().entries == ()
