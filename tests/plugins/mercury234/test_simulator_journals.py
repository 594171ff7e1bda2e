"""The event books of the virtual meter, through code 04."""

from simulator_kit import bcd_times as times
from simulator_kit import client, playing

BAD = b"\1"
OUTAGE = "2026-11-03T10:00/2026-11-03T15:10"
OFF, ON = bytes.fromhex("000010031126"), bytes.fromhex("001015031126")


def test_power_journal_tells_the_outages_on_first():
    asker = client(outage=OUTAGE).open()
    start = times(asker.meter.initialised)
    assert asker.ask("04 01 00") == start + OFF
    assert asker.ask("04 01 01") == ON + bytes(6)
    assert asker.ask("04 01 02") == bytes(12)
    assert asker.ask("04 01 FF") == ON + bytes(6) + b"\1"
    assert asker.ask("04 01 FE") == start + OFF + ON + bytes(6) + bytes(96)
    assert asker.ask("04 0A FF") == asker.ask("04 09 FF") == start + b"\0"
    assert asker.ask("04 03 00") == asker.ask("04 19 00") == start + bytes(6)
    assert asker.ask("04 02 FF") == bytes(13)
    assert asker.ask("04 20 FE") == asker.ask("04 20 FA") == bytes(240)
    assert asker.ask("04 20 63") == bytes(12)
    assert asker.ask("04 01 0A") == asker.ask("04 20 64") == asker.ask("04 40 00") == BAD


def test_what_the_books_have_by_firmware():
    old = client(firmware="2.0.0", outage=OUTAGE).open()
    assert old.ask("04 01 FF") == old.ask("04 01 FE") == old.ask("04 20 FE") == BAD
    assert old.ask("04 01 01") == ON + bytes(6)
    assert old.ask("04 01 02") == b"\xff" * 12
    assert old.ask("04 1A 00") == old.ask("04 17 00") == BAD
    middle = client(firmware="2.1.0").open()
    assert len(middle.ask("04 01 FF")) == 13
    assert middle.ask("04 01 FE") == BAD
    assert client(firmware="7.1.1").open().ask("04 1A 00") == BAD
    assert len(client(firmware="7.1.1").open().ask("04 01 FE")) == 120


def test_a_ring_of_ten_keeps_the_last_ten():
    spans = ";".join(f"2026-11-{d:02d}T10:00/2026-11-{d:02d}T10:{d:02d}" for d in range(1, 15))
    asker = client(outage=spans).open()
    # The first record came with the initialisation, so that of the 14th is number 14.
    assert asker.ask("04 01 FF") == bytes.fromhex("001410141126") + bytes(6) + b"\4"
    for day in range(5, 14):
        on, off = f"00{day:02d}10{day:02d}1126", f"000010{day + 1:02d}1126"
        assert asker.ask(f"04 01 {day % 10:02X}") == bytes.fromhex(on + off)
    records = [asker.ask(f"04 01 {n:02X}") for n in range(10)]
    assert asker.ask("04 01 FE") == b"".join(records)
    assert len(asker.meter.journal(asker.now)) == 15 + 3 + 3 + 2


def test_an_earlier_instant_does_not_know_what_came_later():
    asker = client(outage=OUTAGE)
    asker.ask("00")
    later = asker.meter
    early = asker.now.replace(day=3, hour=9)
    assert [e.ended for e in later.journal(asker.now) if e.book == 1] == [
        later.face(asker.now).replace(day=3, hour=10, minute=0, second=0),
        None,
    ]
    (first,) = (e for e in later.journal(early) if e.book == 1)
    assert first.ended == later.face(asker.now).replace(day=3, hour=10, minute=0, second=0)
    (first,) = (e for e in later.journal(early.replace(hour=6)) if e.book == 1)
    assert first.ended is None


def test_a_ring_of_a_hundred_keeps_the_last_hundred(tmp_path):
    text = "[[event]]\nkind = 'dip'\nphases = [1]\npercent = 85\nlasts = 30\n"
    text += "at = 2026-11-20T00:00:00\nevery = '5m'\ntimes = 130"
    asker = playing(tmp_path, text).open()
    events = [e for e in asker.meter.journal(asker.now) if e.book == 0x21]
    assert len(events) == 130
    ring = [*(e.raw for e in events[100:]), *(e.raw for e in events[30:100])]
    assert [asker.ask(f"04 21 {n:02X}") for n in range(100)] == ring
    assert asker.ask("04 21 FF") == events[-1].raw + bytes((29,))
    pages = [asker.ask(f"04 21 {page:02X}") for page in range(0xFE, 0xF9, -1)]
    assert b"".join(pages) == b"".join(ring)
    assert asker.ask("04 20 FF") == bytes(13)


def test_what_happens_in_one_second_has_a_record_each(tmp_path):
    text = "".join(
        f"[[event]]\nkind = 'power_limit'\nwatts = {watts}\nat = 2026-11-20T10:00:00\n"
        for watts in (9000, 9500)
    )
    asker = playing(tmp_path, text).open()
    stamp = bytes.fromhex("000010201126")
    assert [asker.ask(f"04 0F {n:02X}") for n in range(5)] == [stamp] * 4 + [bytes(6)]
    assert asker.ask("04 0F FF") == stamp + b"\3"
    assert asker.ask("04 13 00") == bytes.fromhex("20112604 00 00 00 00 00 30 00 00")


def test_a_ring_that_turns_while_it_is_read(tmp_path):
    text = "[[event]]\nkind = 'outage'\nlasts = 5\nat = 2026-11-24T12:00:00\nevery = 60"
    asker = playing(tmp_path, text).open()
    before = asker.ask("04 01 FF")[-1]
    asker.wait(seconds=60).open()
    assert asker.ask("04 01 FF")[-1] == (before + 1) % 10
