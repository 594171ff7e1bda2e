"""Any life that a scenario can say leaves a meter whose answers fit together."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings, strategies
from simulator_kit import NOW, OPEN, Client, client, record_of

from corefast.crc import seal
from hub.plugins.mercury234.simulator.kinds import KINDS
from hub.plugins.mercury234.simulator.scenario import parse

DETAILS = {
    "phase_loss": ["phases = [1]", "phases = [2, 3]", ""],
    "current_loss": ["phases = [3]", ""],
    "dip": ["percent = 50", "percent = 85\nphases = [2]"],
    "swell": ["percent = 115", "percent = 130\nphases = [1]"],
    "frequency": ["hertz = 49.0", "hertz = 50.3"],
    "unbalance": ["shares = [90, 10, 0]", "shares = [0, 0, 100]"],
    "sun": ["percent = 100"],
    "cover": ["cover = 'case'", "cover = 'terminal'"],
    "error": ["codes = [2]", "codes = [33, 48]"],
    "slow": ["seconds = 1"],
    "drift": ["seconds_a_day = 20", "ppm = -300"],
    "clock_set": ["", "error_s = 5000", "error_s = -5000", "error_s = -100000"],
    "clock_correct": ["", "by_s = -200", "by_s = 200"],
    "power_limit": ["watts = 100", "watts = 400\ncontrol = true", "watts = 0"],
    "energy_limit": ["tariff = 1\nwh = 1000", "tariff = 2\nwh = 9\ncontrol = true"],
    "tariffs": ["single = true", "single = false"],
    "start_profile": ["minutes = 15", "minutes = 30\nwipe = true"],
    "write": ["parameter = 0x30\ndata = '00'"],
}
SILENT = {"silent", "refusing", "misnamed", "slow", "restart"}
FIRST = datetime(2026, 11, 4)


@strategies.composite
def events(draw, without=frozenset()):
    kind = draw(strategies.sampled_from(sorted(KINDS.keys() - without)))
    detail = draw(strategies.sampled_from(DETAILS.get(kind, [""])))
    at = draw(strategies.integers(0, 20 * 86_400))
    text = f"[[event]]\nkind = '{kind}'\n{detail}\nat = '+{at}s'\n"
    if KINDS[kind].lasting:
        text += f"lasts = {draw(strategies.integers(1, 3 * 86_400))}\n"
    if draw(strategies.booleans()):
        text += f"every = {draw(strategies.integers(20_000, 5 * 86_400))}\n"
    return text


def lives(**options):
    texts = strategies.lists(events(**options), max_size=8)
    return texts.map(lambda each: "start = 2026-11-04\n" + "\n".join(each))


def living(text: str, **options: str) -> Client:
    """A client of a meter that lives through a scenario, without a file."""
    asker = client(since="2026-10-20", **options)
    asker.line._options = replace(asker.line._options, scenario=parse(text))
    return asker


def opened(asker: Client) -> bool:
    """Open the channel; False if the meter is without power, or does not answer as it should."""
    return asker.raw(seal(bytes.fromhex(f"01 {OPEN}"))) == [seal(b"\x01\x00")]


def instants() -> list[datetime]:
    return [NOW.replace(hour=9) - timedelta(days=d) for d in range(20, -1, -4)]


@settings(max_examples=25, deadline=None)
@given(text=lives(without=SILENT | {"reset_energy"}))
def test_registers_only_grow_and_phases_and_tariffs_make_the_sum(text):
    asker = living(text, tariffs="3")
    asker.ask("00")
    meter = asker.meter
    for tariff in (0, 1, 2, 3):
        rows = [meter.register_wh(at, tariff) for at in instants()]
        assert all(b >= a for x, y in pairwise(rows) for a, b in zip(x, y, strict=True))
    for at in instants():
        whole = meter.register_wh(at)
        parts = [meter.register_wh(at, tariff) for tariff in (1, 2, 3, 4)]
        for channel in range(4):
            assert 0 <= whole[channel] - sum(part[channel] for part in parts) <= 4


@settings(max_examples=25, deadline=None)
@given(text=lives(without=SILENT))
def test_the_ring_holds_what_the_meter_recorded(text):
    asker = living(text)
    if not opened(asker):
        return
    records = []
    for offset in range(0, 17 * 60, 17):
        data = asker.ask(f"16 03 {offset:04X} 11")
        records[:0] = [record_of(data[i : i + 15]) for i in range(0, 255, 15)]
    held = [r for r in records if r is not None and r["end"] > FIRST]
    slots = asker.meter.truth(FIRST - timedelta(days=10), datetime(2027, 1, 1))
    wrote = {(s.end, s.minutes, s.counts, s.partial) for s in slots if s.counts is not None}
    assert {(r["end"], r["minutes"], r["counts"], r["partial"]) for r in held} <= wrote


@settings(max_examples=25, deadline=None)
@given(text=lives(), seals=strategies.sampled_from("12"))
def test_every_answer_has_its_length_and_every_book_its_order(text, seals):
    asker = living(text, seals=seals)
    if not opened(asker):
        return
    for request, lengths in {
        "04 00": {8}, "05 00 06": {80}, "05 60 00": {12}, "08 0A": {6}, "08 13": {9},
        "08 16 A0": {86}, "08 18": {2}, "08 24": {2}, "08 0D 0B": {16}, "15 00 00": {16},
        "04 01 FE": {120}, "04 13 FF": {13}, "04 21 FE": {240},
    }.items():  # fmt: skip
        answer = asker.ask(request)
        assert answer is None or len(answer) in lengths | {1}
    events = asker.meter.journal(asker.now)
    assert all(e.ended is None or len(e.raw) == 12 for e in events)
    assert all(len(e.raw) in {6, 12} for e in events)
    assert [e.book for e in events] == sorted(e.book for e in events)


@settings(max_examples=20, deadline=None)
@given(text=lives(), steps=strategies.lists(strategies.integers(1, 9 * 86_400), max_size=4))
def test_a_life_is_the_same_however_often_it_is_looked_at(text, steps):
    once, often = living(text), living(text)
    end = NOW
    often.now = NOW - timedelta(days=21)
    often.raw(b"")
    for step in steps:
        often.now = min(end, often.now + timedelta(seconds=step))
        often.raw(bytes.fromhex("01 00 00 20"))
    often.now = end
    often.raw(bytes.fromhex("01 00 00 20"))
    once.raw(b"")
    assert once.meter.journal(end) == often.meter.journal(end)
    assert once.meter.clock_error_s(end) == often.meter.clock_error_s(end)
    span = datetime(2026, 11, 1), datetime(2026, 11, 24)
    assert once.meter.truth(*span) == often.meter.truth(*span)
    for tariff in (0, 1, 2):
        assert once.meter.register_wh(end, tariff) == often.meter.register_wh(end, tariff)


def test_details_are_of_kinds_that_there_are():
    assert DETAILS.keys() | SILENT <= KINDS.keys()
