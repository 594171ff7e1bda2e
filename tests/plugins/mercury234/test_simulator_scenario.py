"""Scenario files, and what they do to a virtual meter."""

import re
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings
from simulator_kit import NOW, OPEN, bcd_times, client, energy_of, order_132, playing, words_132
from simulator_kit import settings as asked

from corefast.crc import seal
from hub.plugins.mercury234.simulator import build
from hub.plugins.mercury234.simulator.kinds import KINDS
from hub.plugins.mercury234.simulator.scenario import EXAMPLES, parse

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.toml"))
GUIDE = Path(__file__).resolve().parents[3] / "docs/guide/rehearse-a-case.md"
# NOW is 12:07:31 on the meter's face.
HERE = "2026-11-24T12:07:00"


def event(text: str) -> str:
    return f"start = 2026-11-20\n[[event]]\n{text}"


def books(asker) -> dict[int, list[tuple[datetime, datetime | None]]]:
    found: dict[int, list[tuple[datetime, datetime | None]]] = {}
    for each in asker.meter.journal(asker.now):
        found.setdefault(each.book, []).append((each.began, each.ended))
    return found


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second)


# Reading the file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = 5", "title is 5; give a text"),
        ("colour = 'red'", "colour is no key"),
        ("event = 5", "event is 5; give a list"),
        ("event = [5]", "event is no list of tables"),
        ("[[event]", "no TOML"),
        ("start = 'soon'", "start is 'soon'"),
        (event("kind = 'flood'"), r"event\[1\].kind is 'flood'; it may be outage"),
        (event("kind = 'outage'"), r"event\[1\].at is missing"),
        (event("kind = 'outage'\nat = '2d'"), r"event\[1\].at is '2d'"),
        (event("kind = 'outage'\nat = '+2d'"), r"event\[1\].lasts is missing"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 'long'"), r"event\[1\].lasts is 'long'"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 0"), "is nothing"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = -5"), r"event\[1\].lasts is -5"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 5\nphases = [1]"), "phases is no key"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 5\nevery = 0"), "every is nothing"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 5\ntimes = 2"), "every is missing"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 5\nevery = '1h'\nspread = '2h'"), "spread"),
        (event("kind = 'dip'\nat = '+2d'\nlasts = 5"), r"event\[1\].percent is missing"),
        (event("kind = 'dip'\nat = '+2d'\nlasts = 5\npercent = 110"), "it may be 0 to 99"),
        (event("kind = 'dip'\nat = '+2d'\nlasts = 5\npercent = true"), "whole number"),
        (event("kind = 'dip'\nphases = [4]\npercent = 50\nat = '+2d'\nlasts = 5"), "phases is"),
        (event("kind = 'unbalance'\nshares = [1, 2, 3]\nat = '+2d'\nlasts = 5"), "make 100"),
        (event("kind = 'cover'\ncover = 'roof'\nat = '+2d'\nlasts = 5"), "terminal, case"),
        (event("kind = 'error'\ncodes = [49]\nat = '+2d'\nlasts = 5"), "1 to 48"),
        (event("kind = 'drift'\nat = '+2d'"), "give one of them"),
        (event("kind = 'drift'\nppm = 200000\nat = '+2d'"), "ppm is too much"),
        (event("kind = 'clock_correct'\nby_s = 300\nat = '+2d'"), "-240 to 240"),
        (event("kind = 'clock_set'\nlasts = '1h'\nat = '+2d'"), "lasts is no key"),
        (event("kind = 'write'\nparameter = 0x2C\ndata = '01'\nat = '+2d'"), "has 1 bytes"),
        (event("kind = 'write'\nparameter = 0x99\nat = '+2d'"), "parameter 99"),
        (event("kind = 'write'\nparameter = 0x2D\ndata = 'xy'\nat = '+2d'"), "hex"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 5\nmeters = ['1']"), "list addresses"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 5\nmeters = [241]"), "1 to 240"),
        (event("kind = 'outage'\nat = '+2d'\nlasts = 5\n[[event]]\nkind = 1"), r"event\[2\].kind"),
    ],
)  # fmt: skip
def test_a_wrong_scenario_is_refused_with_its_key(text, says):
    with pytest.raises(ValueError, match=says):
        parse(text)


def test_the_file_is_named_where_a_scenario_is_wrong(tmp_path):
    with pytest.raises(ValueError, match=r"scenario\.toml is wrong. event\[1\]"):
        playing(tmp_path, event("kind = 'flood'"))
    with pytest.raises(ValueError, match=r"nowhere\.toml can't be read"):
        build(asked(scenario="nowhere.toml"))


@given(strategies.text(max_size=200))
def test_any_text_is_a_scenario_or_a_sentence(text):
    said = ""
    try:
        parse(text)
    except ValueError as error:
        said = str(error)
    assert said == "" or said.endswith(".")


# The examples


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("firmware", ["2.0.0", "2.3.4", "7.1.1", "9.0.0"])
def test_examples_play_with_every_personality(name, firmware):
    asker, plain = client(scenario=name, firmware=firmware), client(firmware=firmware)
    plain.ask("00")
    asker.ask("00")
    assert len(asker.meter.journal(NOW)) > len(plain.meter.journal(NOW))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_year_leaves_at_most_nine_records_a_book_a_day_and_no_book_empty(seed):
    asker = client(scenario="village-line", seed=seed, now=NOW.replace(year=2027, month=1))
    asker.ask("00")
    events = asker.meter.journal(asker.now)
    assert {e.book for e in events} >= {*range(1, 0x0C), *range(0x0F, 0x15), *range(0x16, 0x1B)}
    assert {e.book for e in events} >= {*range(0x20, 0x2C), 0x2D, 0x2E, 0x2F}
    days = Counter((e.book, e.began.date()) for e in events)
    assert max(days.values()) <= 9


@pytest.mark.parametrize("name", NAMES)
def test_books_hold_the_last_of_what_the_meter_says_it_wrote(name):
    asker = client(scenario=name, seals="2").open()
    events = asker.meter.journal(asker.now)
    for book in [*range(1, 0x1B), *range(0x20, 0x30)]:
        size = len(asker.ask(f"04 {book:02X} 00"))
        depth = 100 if book >= 0x20 else 10
        ring = [bytes(size)] * depth
        for each in events:
            if each.book == book:
                ring[each.record] = each.raw
        assert [asker.ask(f"04 {book:02X} {n:02X}") for n in range(depth)] == ring
        pages = range(0xFE, 0xF9, -1) if book >= 0x20 else [0xFE]
        assert b"".join(asker.ask(f"04 {book:02X} {page:02X}") for page in pages) == b"".join(ring)
        newest = [e for e in events if e.book == book and (book != 0x12 or e.record >= 5)]
        last = asker.ask(f"04 {book:02X} FF")
        assert last == (newest[-1].raw + bytes((newest[-1].record,)) if newest else last)


@pytest.mark.parametrize("name", NAMES)
def test_profile_registers_and_phases_agree_whatever_happens(name):
    asker = client(scenario=name, tariffs="3").open()
    meter, start, end = asker.meter, at(24, 0) - timedelta(days=40), asker.meter.kept(NOW)[1]
    slots = meter.truth(start, end)
    before, after = meter.counts_at(start), meter.counts_at(end)
    for channel in range(4):
        counted = sum(slot.counts[channel] for slot in slots if slot.counts)
        assert after[channel] - before[channel] == counted > 0 or channel == 1
    *tariffs, whole = energy_of(asker.ask("05 00 06"))
    phases = energy_of(asker.ask("05 60 00"))[0]
    assert 0 <= whole[0] - sum(phases) <= 3
    for channel in range(4):
        assert 0 <= whole[channel] - sum(row[channel] for row in tariffs) <= 4


@hypothesis_settings(max_examples=12, deadline=None)
@given(
    name=strategies.sampled_from(NAMES),
    steps=strategies.lists(strategies.integers(1, 30 * 86_400), min_size=1, max_size=12),
)
def test_it_makes_no_difference_how_often_a_meter_is_looked_at(name, steps):
    often = client(scenario=name, since="2023-05-01", now=NOW - timedelta(days=330))
    often.ask("00")
    for step in steps:
        often.wait(seconds=step).ask("00")
    once = client(scenario=name, since="2023-05-01", now=often.now)
    once.ask("00")
    assert once.meter.journal(often.now) == often.meter.journal(often.now)
    assert once.meter.clock_error_s(often.now) == often.meter.clock_error_s(often.now)
    assert once.meter.register_wh(often.now, 1) == often.meter.register_wh(often.now, 1)
    face = once.meter.face(often.now)
    span = face - timedelta(days=3), face
    assert once.meter.truth(*span) == often.meter.truth(*span)


# The guide


def test_the_guide_shows_a_scenario_that_can_be_played_and_code_that_runs():
    page = GUIDE.read_text("utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    assert len(parse(shown).events) == 2
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, text=True
    )
    said = done.stdout.splitlines()
    assert len(said) > 500
    assert said[-1].endswith("seconds fast")


def test_the_guide_lists_every_kind_and_every_example():
    page = GUIDE.read_text("utf-8")
    first = re.findall(r"^\| (`.*?`(?:, `\w+`)*) \|", page, flags=re.MULTILINE)
    named = {word for cell in first for word in re.findall(r"`([\w-]+)`", cell)}
    assert named - {"at", "lasts", "every", "times", "until", "spread", "apart", "meters"} == {
        "kind", *KINDS, *NAMES
    }  # fmt: skip


# The wires


def test_a_dip_shows_in_the_voltage_and_in_the_books_of_its_phase(tmp_path):
    text = event(f"kind = 'dip'\nphases = [2]\npercent = 75\nat = {HERE}\nlasts = '95s'")
    asker = playing(tmp_path, text).open()
    first, second, third = words_132(asker.ask("08 16 10"))
    assert second == 17_250
    assert first > 22_000 < third
    span = (at(24, 12, 7), at(24, 12, 8, 35))
    assert books(asker)[0x24] == books(asker)[0x25] == [(span[0], None)]
    asker.wait(seconds=95)
    assert words_132(asker.ask("08 16 10"))[1] > 22_000
    assert books(asker)[0x24] == books(asker)[0x25] == [span]
    assert asker.ask("04 24 FF") == b"".join(map(bcd_times, span)) + b"\0"
    assert not {*range(0x20, 0x24), *range(0x26, 0x30)} & books(asker).keys()


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("kind = 'dip'\npercent = 88", {0x21, 0x25, 0x29}),
        ("kind = 'swell'\nphases = [3]\npercent = 112", {0x2A}),
        ("kind = 'swell'\nphases = [3]\npercent = 121", {0x2A, 0x2B}),
        ("kind = 'frequency'\nhertz = 49.7", {0x2D}),
        ("kind = 'frequency'\nhertz = 49.2", {0x2C, 0x2D}),
        ("kind = 'frequency'\nhertz = 50.3", {0x2E}),
        ("kind = 'frequency'\nhertz = 51", {0x2E, 0x2F}),
        ("kind = 'dip'\npercent = 95", set()),
    ],
)
def test_limits_of_quality_decide_the_books(tmp_path, text, noted):
    asker = playing(tmp_path, event(f"{text}\nat = {HERE}\nlasts = '2m'")).open()
    assert {book for book in books(asker) if book >= 0x20} == noted
    if "hertz" in text:
        assert order_132(asker.ask("08 11 40")) == round(float(text.split()[-1]) * 100)


def test_a_lost_phase_has_no_voltage_no_current_and_no_energy(tmp_path):
    text = event(f"kind = 'phase_loss'\nphases = [2]\nat = {HERE}\nlasts = '2h'")
    asker = playing(tmp_path, text).open()
    whole = client().open()
    assert words_132(asker.ask("08 16 10"))[1] == words_132(asker.ask("08 16 20"))[1] == 0
    power, ordinary = words_132(asker.ask("08 16 00")), words_132(whole.ask("08 16 00"))
    assert power[2] == 0
    assert power[0] == power[1] + power[3] < ordinary[0]
    assert books(asker)[0x04][-1][1] == books(asker)[0x18][-1][1] == at(24, 12, 7)
    assert books(asker)[0x24] == books(asker)[0x25] == [(at(24, 12, 7), None)]
    before = energy_of(asker.ask("05 60 00"))[0]
    asker.wait(hours=1).open()
    after = energy_of(asker.ask("05 60 00"))[0]
    assert [b > a for a, b in zip(before, after, strict=True)] == [True, False, True]
    asker.wait(hours=1).open()
    assert words_132(asker.ask("08 16 10"))[1] > 22_000
    assert books(asker)[0x04][-1] == books(asker)[0x18][-1] == (at(24, 14, 7), None)


def test_all_phases_lost_is_an_outage(tmp_path):
    asker = playing(tmp_path, event(f"kind = 'phase_loss'\nat = {HERE}\nlasts = '2h'"))
    assert asker.ask("00") is None
    assert asker.wait(hours=2).ask("00") == b"\0"
    assert books(asker)[0x01][-1] == (at(24, 14, 7), None)


def test_unbalance_and_a_lost_current_show_by_phase(tmp_path):
    text = event(f"kind = 'unbalance'\nshares = [80, 15, 5]\nat = {HERE}\nlasts = '1h'")
    whole, *phases = words_132(playing(tmp_path, text).open().ask("08 16 00"))
    assert phases == [whole * 80 // 100, whole * 15 // 100, whole - sum(phases[:2])]
    text = event(f"kind = 'current_loss'\nphases = [1]\nat = {HERE}\nlasts = '1h'")
    asker = playing(tmp_path, text).open()
    assert words_132(asker.ask("08 16 20"))[0] == 0
    assert words_132(asker.ask("08 16 10"))[0] > 22_000
    assert books(asker)[0x17][-1][1] == at(24, 12, 7)
    assert len(books(asker)[0x03]) == 1


def test_reverse_flow_turns_the_flags_and_counts_as_export(tmp_path):
    text = event(f"kind = 'reverse'\nat = {HERE}\nlasts = '1h'")
    asker = playing(tmp_path, text, load="house").open()
    assert asker.ask("08 16 00")[0] & 0x80
    before = energy_of(asker.ask("05 00 00"))[0]
    after = energy_of(asker.wait(minutes=30).open().ask("05 00 00"))[0]
    assert after[0] == before[0]
    assert after[1] > before[1]
    one = playing(tmp_path, text, load="house", directions="1").open()
    assert one.ask("08 16 00")[0] & 0x80
    before = energy_of(one.ask("05 00 00"))[0]
    assert energy_of(one.wait(minutes=30).open().ask("05 00 00"))[0][0] > before[0]


def test_the_sun_exports_from_a_meter_that_never_did(tmp_path):
    text = "start = 2026-06-01\n[[event]]\nkind = 'sun'\npercent = 90\nat = '+0s'\nlasts = '200d'"
    asker = playing(tmp_path, text, load="flat")
    asker.ask("00")
    noon = asker.meter.truth(datetime(2026, 6, 10, 12), datetime(2026, 6, 10, 13))
    assert all(slot.counts[1] > slot.counts[0] for slot in noon)
    assert asker.meter.truth(datetime(2026, 5, 10, 12), datetime(2026, 5, 10, 13))[0].counts[1] == 0


# Covers, magnet, errors


def test_covers_have_one_ring_or_two(tmp_path):
    text = event(
        "kind = 'cover'\ncover = 'terminal'\nat = '+1h'\nevery = '1h'\ntimes = 7\nlasts = '5m'"
    )
    text += "\n[[event]]\nkind = 'cover'\ncover = 'case'\nat = '+30m'\nlasts = '2m'"
    one, two = playing(tmp_path, text).open(), playing(tmp_path, text, seals="2").open()
    opened, closed = bcd_times(at(20, 7)), bcd_times(at(20, 7, 5))
    assert one.ask("04 12 FF") == opened + closed + b"\7"
    case = bcd_times(at(20, 0, 30)) + bcd_times(at(20, 0, 32))
    assert one.ask("04 12 00") == two.ask("04 12 05") == case
    assert two.ask("04 12 FF") == case + b"\5"
    assert two.ask("04 12 01") == opened + closed
    assert two.ask("04 12 06") == bytes(12)
    assert two.ask("08 12")[4] & 0x10
    assert not one.ask("08 12")[4] & 0x10


def test_two_covers_are_one_opening_where_there_is_one_seal(tmp_path):
    text = event("kind = 'cover'\ncover = 'terminal'\nat = '+1h'\nlasts = '20m'")
    text += "\n[[event]]\nkind = 'cover'\ncover = 'case'\nat = '+1h5m'\nlasts = '5m'"
    one, two = playing(tmp_path, text), playing(tmp_path, text, seals="2")
    for asker in (one, two):
        asker.ask("00")
    whole, inner = (at(20, 1), at(20, 1, 20)), (at(20, 1, 5), at(20, 1, 10))
    assert books(one)[0x12] == [whole]
    assert books(two)[0x12] == [whole, inner]


def test_a_cover_is_seen_without_power_and_a_magnet_is_not(tmp_path):
    text = event("kind = 'outage'\nat = '+1h'\nlasts = '1h'")
    for kind in ("kind = 'cover'\ncover = 'case'", "kind = 'magnet'"):
        text += f"\n[[event]]\n{kind}\nat = '+1h10m'\nlasts = '10m'"
        text += f"\n[[event]]\n{kind}\nat = '+1h50m'\nlasts = '30m'"
    asker = playing(tmp_path, text)
    asker.ask("00")
    assert books(asker)[0x12] == [
        (at(20, 1, 10), at(20, 1, 20)), (at(20, 1, 50), at(20, 2, 20)),
    ]  # fmt: skip
    assert books(asker)[0x1A] == [(at(20, 2), at(20, 2, 20))]


def test_an_error_stands_in_the_status_word_and_in_its_book(tmp_path):
    text = event(f"kind = 'battery_low'\nat = {HERE}\nlasts = '1h'")
    asker = playing(tmp_path, text).open()
    word = bytes.fromhex("00 80 00 00 01 00")
    assert asker.ask("08 0A") == word
    assert asker.ask("04 14 FF") == bcd_times(at(24, 12, 7)) + word + b"\0"
    asker.wait(hours=1).open()
    assert asker.ask("08 0A") == bytes(6)
    assert asker.ask("04 14 FF") == bcd_times(at(24, 13, 7)) + bytes(6) + b"\1"


# The clock


def test_a_clock_drifts_and_is_corrected(tmp_path):
    text = event("kind = 'drift'\nseconds_a_day = 10\nat = '+0s'")
    text += "\n[[event]]\nkind = 'clock_correct'\nat = '+3d12h'"
    asker = playing(tmp_path, text)
    asker.ask("00")
    midnight = NOW.replace(hour=21, minute=0, second=0) - timedelta(days=5)
    errors = [asker.meter.clock_error_s(midnight + timedelta(days=d)) for d in range(6)]
    # A little of the drift is slowed down too.
    assert errors == [0, 10, 20, 30, 4, 14]
    before = at(23, 12, 0, 35)
    assert books(asker)[0x02] == [(before, before - timedelta(seconds=35))]
    partial = [s.end for s in asker.meter.truth(at(23, 0), at(24, 0)) if s.partial]
    assert partial == [at(23, 12, 30)]


def test_a_clock_set_an_hour_back_records_two_slots_of_one_stamp(tmp_path):
    text = event("kind = 'clock_set'\nerror_s = -5400\nat = '+12h10m'")
    asker = playing(tmp_path, text).open()
    slots = asker.meter.truth(at(20, 10, 0), at(20, 13, 0))
    ends = [f"{slot.end:%H%M}" for slot in slots]
    assert ends == ["1030", "1100", "1130", "1200", "1100", "1130", "1200", "1230", "1300"]
    assert [slot.partial for slot in slots] == [False] * 4 + [True] + [False] * 4
    assert books(asker)[0x02] == [(at(20, 12, 10), at(20, 10, 40))]
    assert asker.meter.clock_error_s(NOW) == -5400


def test_a_clock_set_forward_ends_the_slot_and_leaves_others_unwritten(tmp_path):
    asker = playing(tmp_path, event("kind = 'clock_set'\nerror_s = 4000\nat = '+12h10m'"))
    asker.ask("00")
    slots = asker.meter.truth(at(20, 11, 30), at(20, 14, 0))
    assert [(f"{s.end:%H%M}", s.counts is None, s.partial) for s in slots] == [
        ("1200", False, False),
        ("1230", False, True),
        ("1300", True, True),
        ("1330", False, True),
        ("1400", False, False),
    ]
    line, last = asker.open(), []
    data = line.ask("16 03 0000 11")
    ends = [data[i + 1 : i + 3].hex() for i in range(0, 255, 15)]
    assert len(ends) == 17
    assert not last


def test_records_are_in_their_places_after_the_clock_moved(tmp_path):
    text = event("kind = 'clock_set'\nerror_s = -5400\nat = '+12h10m'")
    text += "\n[[event]]\nkind = 'clock_set'\nat = '+2d'"
    asker = playing(tmp_path, text).open()
    counts = []
    for offset in range(0, 17 * 16, 17):
        data = asker.ask(f"16 03 {offset:04X} 11")
        counts[:0] = [data[i + 7 : i + 9] for i in range(0, 255, 15)]
    face = asker.meter.face(NOW)
    slots = asker.meter.truth(at(20, 0), face)
    due = [0 if s.counts is None else s.counts[0] for s in slots]
    read = [int.from_bytes(word, "little") for word in counts][-len(due) :]
    assert [(r, d) for r, d in zip(read, due, strict=True) if r != d and d] == []


# Limits and the relay


def test_the_power_limit_notes_and_then_switches_off(tmp_path):
    text = event("kind = 'power_limit'\nwatts = 50\nat = '+10h'")
    text += "\n[[event]]\nkind = 'power_limit'\nwatts = 50\ncontrol = true\nat = '+3d10h'"
    asker = playing(tmp_path, text, load="workshop", firmware="9.0.0").open()
    noted = books(asker)[0x06]
    assert noted[0][0] == at(20, 10)
    assert noted[-1][1] == at(23, 10, 0, 30)
    assert asker.ask("08 18") == bytes((0b0000_0011, 0b0100_0010))
    assert asker.ask("08 19") == bytes.fromhex("00 88 13")
    assert words_132(asker.ask("08 16 00")) == [0, 0, 0, 0]
    assert [b[-1][1] for b in map(books(asker).get, (0x17, 0x18, 0x19))] == [at(23, 10, 0, 30)] * 3
    registers = asker.ask("05 00 06")
    assert asker.wait(hours=5).open().ask("05 00 06") == registers
    assert asker.ask("01 02 020202020202") == b"\0"
    assert asker.ask("03 2C 00 00 00") == asker.ask("03 31 00") == b"\0"
    assert asker.ask("08 18") == bytes((0b0000_0011, 0))
    assert words_132(asker.ask("08 16 00"))[0] > 0


def test_an_energy_limit_is_come_to_at_its_second(tmp_path):
    plain = client(load="house", tariffs="1")
    plain.ask("00")
    ten = NOW.replace(day=20, hour=7, minute=0, second=0)
    limit = plain.meter.register_wh(ten, 1)[0] + 700
    text = event(f"kind = 'energy_limit'\ntariff = 1\nwh = {limit}\ncontrol = true\nat = '+10h'")
    asker = playing(tmp_path, text, load="house", tariffs="1").open()
    ((began, _),) = books(asker)[0x0B]
    crossed = ten + (began - at(20, 10))
    assert plain.meter.register_wh(crossed - timedelta(seconds=1), 1)[0] < limit
    assert plain.meter.register_wh(crossed, 1)[0] == limit
    assert energy_of(asker.ask("05 00 01"))[0][0] == limit
    assert asker.ask("08 18") == bytes((0b0001_0101, 0b10))


def test_a_relay_off_stops_the_counting_and_on_again(tmp_path):
    text = event(f"kind = 'relay_off'\nat = {HERE}\nlasts = '1h'")
    asker = playing(tmp_path, text).open()
    assert asker.ask("08 18") == b"\x09\x02"
    before = asker.ask("05 00 00")
    assert asker.wait(minutes=50).open().ask("05 00 00") == before
    assert asker.wait(minutes=50).open().ask("05 00 00") != before
    assert asker.ask("08 18") == b"\x01\x00"


# Bad answers


def test_troubles_of_a_scenario(tmp_path):
    text = event(f"kind = 'silent'\nat = {HERE}\nlasts = '1m'")
    text += "\n[[event]]\nkind = 'refusing'\nat = 2026-11-24T12:08:00\nlasts = '1m'"
    text += "\n[[event]]\nkind = 'misnamed'\nat = 2026-11-24T12:09:00\nlasts = '1m'"
    text += "\n[[event]]\nkind = 'slow'\nseconds = 2.5\nat = 2026-11-24T12:10:00\nlasts = '1m'"
    text += "\n[[event]]\nkind = 'restart'\nat = 2026-11-24T12:11:10"
    asker = playing(tmp_path, text)
    assert asker.ask("00") is None
    asker.wait(minutes=1).open()
    assert asker.ask("08 02") == b"\2"
    ((answer,),) = [asker.wait(minutes=1).raw(bytes.fromhex("01 00 00 20"))]
    assert answer[:2] == b"\2\0"
    assert asker.wait(minutes=1).ask("08 02") == b"\0\1\0\1"
    assert asker.delays == [2.52]
    assert asker.wait(seconds=38).ask("08 02") == b"\0\1\0\1"
    assert asker.wait(seconds=2).ask("08 02") is None
    assert asker.wait(seconds=2).ask("08 02") == b"\5"


@pytest.mark.parametrize("how", ["silent", "refusing", "misnamed", "restarting", "slow"])
def test_troubles_by_rate_are_as_often_as_asked_and_the_same_again(how):
    def met() -> list[object]:
        asker = client(**{how: "0.2"})
        found = []
        for _ in range(200):
            asker.wait(seconds=5)
            asker.raw(seal(bytes.fromhex(f"01 {OPEN}")))
            found.append((asker.raw(seal(b"\x01\x08\x02")), asker.delays))
        return found

    first = met()
    assert first == met()
    assert 20 < len(first) - Counter(map(str, first)).most_common(1)[0][1] < 90


def test_other_meters_of_the_line_live_in_peace(tmp_path):
    text = event(f"kind = 'outage'\nat = {HERE}\nlasts = '2h'\nmeters = [2]")
    asker = playing(tmp_path, text, meters=3)
    assert [asker.ask("00", address=a) for a in (1, 2, 3)] == [b"\0", None, b"\0"]


def test_recurring_events_come_as_often_as_said(tmp_path):
    text = event("kind = 'outage'\nat = '+1h'\nevery = '6h'\ntimes = 3\nlasts = '5m'")
    text += "\n[[event]]\nkind = 'magnet'\nat = '+2h'\nevery = '1d'\nlasts = '1m'\nuntil = '+2d2h'"
    text += (
        "\n[[event]]\nkind = 'cover'\ncover = 'case'\nat = 2026-11-20T00:00:00+00:00\nlasts = 60"
    )
    asker = playing(tmp_path, text)
    asker.ask("00")
    switches = [on for on, _ in books(asker)[0x01]][1:]
    assert switches == [at(20, 1, 5), at(20, 7, 5), at(20, 13, 5)]
    assert [b for b, _ in books(asker)[0x1A]] == [at(20, 2), at(21, 2), at(22, 2)]
    assert books(asker)[0x12] == [(at(20, 3), at(20, 3, 1))]


def test_spread_starts_are_luck_of_the_seed_and_apart_of_the_meter(tmp_path):
    text = event("kind = 'outage'\nat = '+0s'\nevery = '6h'\nspread = '5h'\nlasts = '1m'")

    def switches(text: str, seed: int, address: int) -> list[datetime]:
        asker = playing(tmp_path, text, meters=2, seed=seed)
        asker.ask("00")
        return [e.began for e in asker.line.meters[address].journal(NOW) if e.book == 1][1:]

    assert switches(text, 1, 1) == switches(text, 1, 2) != switches(text, 2, 1)
    assert switches(f"{text}\napart = true", 1, 1) != switches(f"{text}\napart = true", 1, 2)
    gaps = [b - a for a, b in pairwise(switches(text, 1, 1))]
    assert min(gaps) > timedelta(0)
    assert len(set(gaps)) > 5
