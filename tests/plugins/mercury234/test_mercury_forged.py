"""Answers with a right check and a lie inside: which lies the driver sees through, field by field.

What the driver alone cannot see is said at the end, and in docs/explanation/damage.md; what the
hub sees on top (said twice between visits, registers against half-hours) is in
tests/collector/test_noise.py.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from mercury_blocking import Blocking

from corefast.crc import seal
from hub.domain.consent import Act, Consent
from hub.plugins.api import (
    HubError,
    Level,
    Limits,
    MeterState,
    MeterTime,
    Outcome,
    Quantity,
    Register,
    SimulatorSettings,
    SlotMark,
)
from hub.plugins.mercury234 import MercurySettings, build
from hub.plugins.mercury234.simulator import VirtualLine

ADDRESS = 48
NOW = datetime(2026, 11, 24, 12, 7, tzinfo=UTC)
SCENARIO = """
[[event]]
kind = "dip"
percent = 70
phases = [1]
at = 2026-11-20T01:00:00
every = "5h"
lasts = "90s"
times = 20

[[event]]
kind = "outage"
at = 2026-11-20T02:10:00
every = "17h"
lasts = "10m"
times = 6

[[event]]
kind = "drift"
ppm = 0
at = 2026-11-20T01:00:00
"""
DAY = (MeterTime(datetime(2026, 11, 22), False), MeterTime(datetime(2026, 11, 23), False))
VALUES = [Register(f"{group}.8.{tariff}") for group in (1, 3) for tariff in range(5)]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenario") / "scenario.toml"
    path.write_text(SCENARIO)
    return str(path)


class Forger:
    """A meter whose time stands still, and whose answers to some requests are forged.

    ``forge`` changes the data of the answers that are the ``at``-th to a request that begins
    with ``to``; counted from 1.
    """

    def __init__(self, options, to=b"", forge=None, at=()):
        settings = SimulatorSettings(
            address=ADDRESS, seed=7, options={"since": "2026-11-10"} | options
        )
        self.meters = VirtualLine(settings, NOW)
        self.to, self.forge, self.at = to, forge, at
        self.seen = self.forged = 0

    def __call__(self, request, now):
        answer = b"".join(frame for _, frame in self.meters.receive(request, NOW))
        if self.forge is None or not request[1:].startswith(self.to):
            return answer
        self.seen += 1
        if self.seen not in self.at:
            return answer
        self.forged += 1
        data = bytearray(answer[1:-2])
        data = self.forge(data) or data
        return seal(answer[:1] + data)


def put(place, *values):
    """Overwrite bytes from a place on."""

    def forge(data):
        data[place : place + len(values)] = values

    return forge


def flip(place, bits):
    def forge(data):
        data[place] ^= bits

    return forge


def status(code):
    return lambda _data: bytes((code,))


def consent(act):
    return Consent(act=act, target="1", actor="u", reason="r", until=NOW + timedelta(hours=1))


def visit(forger, learned=None):
    line = Blocking(forger, NOW)
    driver = build(MercurySettings(address=ADDRESS), learned or {})
    line.run(driver.open(Level.CONFIGURE))
    return line, driver


def read(kind, forger):
    """Have one conversation; its value, or the code of its error."""
    line, driver = visit(forger)
    talks = {
        "clock": lambda: line.run(driver.read_clock()).shown,
        "registers": lambda: line.run(driver.read_registers(VALUES)),
        "profile": lambda: all_slots(line, driver),
        "day": lambda: line.run(driver.read_profile(None, DAY)),
        "snapshot": lambda: line.run(driver.read_snapshot()),
        "state": lambda: line.run(driver.read_state()),
        "fixed": lambda: line.run(driver.read_fixed()),
    }
    try:
        identity = line.run(driver.identify())
        if kind == "identity":
            return identity
        if kind in talks:
            return talks[kind]()
        return line.run(driver.read_journal(kind, None)).entries
    except HubError as error:
        return error.code


def all_slots(line, driver):
    slots, since = [], None
    while True:
        page = line.run(driver.read_profile(since))
        slots += page.slots
        since = page.next
        if not page.more:
            return slots


NEW, OLD = {"firmware": "9.0.0"}, {"firmware": "2.1.0", "memory": "64"}
WRAPPED = {"firmware": "9.0.0", "memory": "64", "since": "2026-08-01"}
BLOCK, RECORD = bytes.fromhex("0603"), bytes.fromhex("0603")
LAST, CLOCK, WHO, RATIOS = b"\x08\x13", b"\x04\x00", b"\x08\x01", b"\x08\x02"
FAST, POWER, DIP = b"\x05\x00\x06", b"\x04\x01", b"\x04\x20"
ALL, LATCHED = b"\x08\x16\xa0", b"\x08\x14\xa0"

SEEN_THROUGH = [
    ("clock: no time at all", "clock", NEW, CLOCK, put(2, 0x25), {1}),
    ("clock: neither summer nor winter", "clock", NEW, CLOCK, put(7, 2), {1}),
    ("identity: no date, no serial number", "identity", NEW, WHO, put(0, 200, 1, 1, 1, 40), {1}),
    ("registers: a tariff", "registers", NEW, FAST, flip(3, 0x40), {1}),
    ("registers: the sum", "registers", NEW, FAST, flip(16 * 4 + 3, 0x40), {1}),
    ("registers: reactive", "registers", NEW, FAST, flip(8 + 3, 0x40), {1}),
    ("registers: a tariff is masked", "registers", NEW, FAST, put(0, *[255] * 4), {1}),
    ("registers, one by one", "registers", OLD, b"\x05\x00\x02", flip(3, 0x40), {1}),
    ("registers, one by one: the sum", "registers", OLD, b"\x05\x00\x00", flip(3, 0x40), {1}),
    ("profile: hour of a stamp", "profile", NEW, BLOCK, put(15 * 5 + 1, 0x23), {2}),
    ("profile: day of a stamp", "profile", NEW, BLOCK, put(15 * 5 + 3, 0x02), {2}),
    ("profile: senseless stamp", "profile", NEW, BLOCK, put(15 * 5 + 1, 0xAA), {2}),
    ("profile: period", "profile", NEW, BLOCK, put(15 * 5 + 6, 15), {2}),
    ("profile: season", "profile", NEW, BLOCK, flip(15 * 5, 0x08), {2}),
    ("profile: one count masked", "profile", NEW, BLOCK, put(15 * 5 + 7, 255, 255), {2}),
    ("record: hour of a stamp", "profile", OLD, RECORD, put(1, 0x23), {30}),
    ("record: day of a stamp", "profile", OLD, RECORD, put(3, 0x02), {30}),
    ("record: season", "profile", OLD, RECORD, flip(0, 0x08), {30}),
    ("record: period", "profile", OLD, RECORD, put(6, 15), {30}),
    ("pointer: another place", "profile", NEW, LAST, put(0, 0x01, 0x77), {1}),
    ("pointer: before the first", "profile", NEW, LAST, put(0, 0, 0), {1}),
    ("pointer: another hour", "profile", NEW, LAST, put(3, 0x02), {1}),
    ("pointer: no time at all", "profile", NEW, LAST, put(3, 0x99), {1}),
    ("pointer: another period", "profile", NEW, LAST, put(8, 15), {1}),
    ("pointer: no period of a day", "profile", NEW, LAST, put(8, 31), {1}),
    ("pointer: the ring has wrapped", "profile", NEW, LAST, flip(2, 0x01), {1}),
    ("pointer: the ring has not wrapped", "profile", WRAPPED, LAST, flip(2, 0x01), {1}),
    ("pointer: 17th bit", "profile", OLD, LAST, flip(2, 0x10), {1}),
    ("journal: when power went", "01", NEW, POWER, flip(8, 0x01), {1}),
    ("journal: when power came", "01", NEW, POWER, flip(2, 0x01), {1}),
    ("journal: order", "01", NEW, POWER, put(4, 0x10, 0x25), {2}),
    ("journal: number of the newest", "01", NEW, POWER, flip(12, 0x01), {1}),
    ("journal: senseless time", "01", NEW, POWER, put(2, 0xAA), {1}),
    ("journal, by record: time", "01", OLD, POWER, flip(2, 0x01), {5}),
    ("journal, by record: blank", "01", OLD, POWER, put(0, *[0] * 12), {5}),
    ("journal, by record: blank before the newest", "01", OLD, POWER, put(0, *[0] * 12), {6}),
    ("quality journal: a time in a block", "20", NEW, DIP, flip(14, 0x01), {2}),
    ("quality journal: a blank in a block", "20", NEW, DIP, put(24, *[0] * 12), {2}),
    ("snapshot: impossible voltage", "snapshot", NEW, ALL, put(36, 0x05), {1}),
    ("snapshot: impossible power factor", "snapshot", NEW, ALL, put(63, 0x3F), {1}),
    ("fixed: no time at all", "fixed", NEW, LATCHED, put(2, 0x25), {1}),
    ("fixed: impossible frequency", "fixed", NEW, LATCHED, put(175, 0x7F), {1}),
]


@pytest.mark.parametrize(
    ("what", "kind", "options", "to", "forge", "at"), SEEN_THROUGH, ids=[c[0] for c in SEEN_THROUGH]
)
def test_a_forged_field_is_seen_through(what, kind, options, to, forge, at, scenario):
    options = options | {"scenario": scenario}
    honest = read(kind, Forger(options))
    assert not isinstance(honest, str), honest
    forger = Forger(options, to, forge, at)
    assert read(kind, forger) == honest, what
    assert forger.forged == len(at)


GAPS = [
    ("no stamp", put(15 * 5 + 3, 0, 0, 0)),
    ("all counts masked", put(15 * 5 + 7, *[255] * 8)),
]


@pytest.mark.parametrize(("what", "forge"), GAPS, ids=[what for what, _ in GAPS])
def test_what_is_not_asked_again_is_a_gap_to_be_read_later(what, forge):
    span = MeterTime(datetime(2026, 11, 11), False), MeterTime(datetime(2026, 11, 13), False)
    line, driver = visit(Forger(NEW))
    honest = line.run(driver.read_profile(None, span))
    line, driver = visit(Forger(NEW, BLOCK, forge, {2}))
    page = line.run(driver.read_profile(None, span))
    (missing,) = set(honest.slots) - set(page.slots)
    assert set(page.slots) < set(honest.slots)
    (gap,) = page.gaps
    assert gap.ends == missing.ends, what
    line, driver = visit(Forger(NEW))
    assert line.run(driver.read_profile(None, (gap.starts, gap.ends))).slots == (missing,)


CONVERSATIONS = ("identity", "clock", "registers", "day", "snapshot", "state", "fixed", "01", "20")
CODES = {
    0: {"device.refused"},
    2: {"device.fault"},
    3: {"device.access_denied"},
    4: {"device.refused"},
    9: {"device.refused"},
}


def any_answer(forge):
    """Forge what has data in it, not the answers that are a status anyway."""
    return lambda data: forge(data) if len(data) > 1 else None


@pytest.mark.parametrize("options", [NEW, OLD], ids=["9.0.0", "2.1.0"])
@pytest.mark.parametrize("kind", CONVERSATIONS)
def test_one_refusal_takes_nothing_away(kind, options, scenario):
    """Status 1 has to be said twice, whatever it is the answer to; 5 opens the channel again."""
    options = options | {"scenario": scenario}
    counted = Forger(options, b"", lambda data: None, range(10_000))
    honest = read(kind, counted)
    for code in (1, 5):
        for at in range(2, counted.seen + 1, max(1, counted.seen // 40)):
            forger = Forger(options, b"", any_answer(status(code)), {at})
            assert read(kind, forger) == honest, (code, at)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", CONVERSATIONS)
def test_another_status_costs_the_conversation_or_nothing(kind, code, scenario):
    options = NEW | {"scenario": scenario}
    counted = Forger(options, b"", lambda data: None, range(10_000))
    honest = read(kind, counted)
    for at in range(2, counted.seen + 1, max(1, counted.seen // 40)):
        found = read(kind, Forger(options, b"", any_answer(status(code)), {at}))
        error = isinstance(found, str) and found in CODES[code]
        assert error or found == honest or less(found, honest), at


def less(found, honest):
    """Tell whether there is only less of the same; a state says so in its fields."""
    if isinstance(honest, dict):
        return isinstance(found, dict) and found.items() <= honest.items()
    return isinstance(honest, MeterState) and all(
        not had
        or had == left
        or not left
        or (isinstance(left, dict) and left.items() <= had.items())
        for had, left in (
            (getattr(honest, name), getattr(found, name, None)) for name in honest.__slots__
        )
    )


# -- writes: what the meter says about them is checked by reading back -----------------------------


def change(kind, forger):
    """Do one act; its outcome, or the code of its error."""
    line, driver = visit(forger)
    try:
        if kind == "relay":
            line.leave = Act.SWITCH_RELAY
            return line.run(driver.switch_relay(consent(line.leave), closed=False))
        if kind == "limits":
            line.leave = Act.SET_LIMITS
            limits = Limits(power_limit=Quantity(Decimal(5000), "W"))
            return line.run(driver.set_limits(limits, consent(line.leave)))
        line.leave = Act.FIX
        return line.run(driver.fix(consent(line.leave)))
    except HubError as error:
        return error.code


WRITES = {"relay": b"\x03\x31", "limits": b"\x03\x2c", "fix": b"\x03\x08"}


class Deaf(Forger):
    """Says what ``forge`` says to a write and does nothing."""

    def __call__(self, request, now):
        if request[1:].startswith(self.to):
            self.forged += 1
            return seal(bytes((ADDRESS,)) + self.forge(b"\0"))
        return super().__call__(request, now)


@pytest.mark.parametrize("kind", WRITES)
def test_a_forged_yes_to_a_write_is_no_yes(kind):
    forger = Deaf(NEW, WRITES[kind], status(0))
    outcome = change(kind, forger)
    assert forger.forged
    assert outcome is not Outcome.CONFIRMED, "nobody has seen it done"


@pytest.mark.parametrize("code", [1, 2, 4])
@pytest.mark.parametrize("kind", WRITES)
def test_a_forged_no_to_a_write_that_was_done_is_never_a_yes_nor_sent_again(kind, code):
    forger = Forger(NEW, WRITES[kind], status(code), {1})
    assert change(kind, forger) != Outcome.STARTED
    assert (forger.seen, forger.forged) == (1, 1)


# -- what the driver cannot see: docs/explanation/damage.md says what limits it --------------------


def test_a_clock_that_is_wrong_and_possible_is_taken():
    assert read("clock", Forger(NEW, CLOCK, put(0, 0x55), {1})) != read("clock", Forger(NEW))


def test_a_serial_number_that_is_wrong_and_possible_is_taken():
    assert read("identity", Forger(NEW, WHO, put(0, 77), {1})).serial.startswith("77")


def test_a_few_watt_hours_hide_in_the_rounding():
    honest = read("registers", Forger(NEW))
    found = read("registers", Forger(NEW, FAST, flip(2, 0x08), {1}))
    differing = {reg: abs(found[reg].value - honest[reg].value) for reg in honest}
    assert sum(differing.values()) == 8


def test_a_count_is_taken_whatever_it_is():
    honest = read("profile", Forger(NEW))
    found = read("profile", Forger(NEW, BLOCK, flip(15 * 5 + 8, 0x40), {2}))
    (at,) = (at for at, slot in enumerate(honest) if found[at] != slot)
    assert abs(found[at].counts[0] - honest[at].counts[0]) == 0x4000


def test_the_mark_of_a_half_hour_is_taken():
    honest = read("profile", Forger(NEW))
    found = read("profile", Forger(NEW, BLOCK, flip(15 * 5, 0x02), {2}))
    (at,) = (at for at, slot in enumerate(honest) if found[at] != slot)
    assert found[at].counts == honest[at].counts
    assert found[at].marks ^ honest[at].marks == SlotMark.PARTIAL


@pytest.mark.parametrize(
    ("kind", "to", "forge"),
    [("snapshot", ALL, flip(38, 0x01)), ("fixed", LATCHED, flip(11, 0x01))],
)
def test_a_possible_value_that_is_shown_and_not_summed_is_taken(kind, to, forge):
    assert read(kind, Forger(NEW, to, forge, {1})) != read(kind, Forger(NEW))


def test_a_bit_of_the_status_word_is_taken():
    honest = read("state", Forger(NEW))
    found = read("state", Forger(NEW, b"\x08\x0a", flip(4, 0x01), {1}))
    assert found.faults ^ honest.faults == {"E-01"}
