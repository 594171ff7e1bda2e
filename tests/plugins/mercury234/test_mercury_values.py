"""Snapshot and fixed values: three ways of asking, one result; signs, absences, refusals."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mercury_blocking import NOON, Blocking
from mercury_fake import FakeMeter, visit

from hub.plugins.api import (
    Act,
    Can,
    Consent,
    FrameGarbled,
    Level,
    MeterTime,
    NotSupported,
    Outcome,
    Quantity,
    Register,
    SimulatorSettings,
)
from hub.plugins.mercury234 import MercurySettings, hub_meter_drivers
from hub.plugins.mercury234.values import ALL_FIXED_SIZE, ALL_SIZES, everything

(SPEC,) = hub_meter_drivers()
CONSENT = Consent(act=Act.FIX, target="7", actor="me", reason="", until=NOON + timedelta(hours=1))
LACKING = {"all": "", "groups": "16A0 14A0", "singles": "16 16A0 14A0"}
BY_PHASE = ("1.7.0", "21.7.0", "41.7.0", "61.7.0")


class Line:
    """A virtual meter whose clock stands still while it is asked."""

    def __init__(self, **options):
        self.virtual = SPEC.simulator(SimulatorSettings(address=7, seed=5, options=options))
        self.runner = Blocking(self.answer, NOON)
        self.at = NOON

    def answer(self, request, now):
        del now
        return b"".join(data for _, data in self.virtual.receive(request, self.at))

    def driver(self, learned=None, level=Level.READ):
        driver = SPEC.build(MercurySettings(address=7), learned or {})
        self.runner.run(driver.open(level))
        self.runner.run(driver.identify())
        self.runner.asked.clear()
        return driver

    def snapshot(self, way):
        return self.runner.run(self.driver({"lacks": LACKING[way]}).read_snapshot())


def test_all_ways_of_asking_bring_the_same():
    line = Line(firmware="9.0.0")
    read = {way: line.snapshot(way) for way in LACKING}
    assert read["all"] == read["groups"] == read["singles"]
    assert len(read["all"]) == 30
    assert {quantity.unit for quantity in read["all"].values()} == {
        "W", "var", "VA", "V", "A", "1", "Hz", "deg", "%", "Cel",
    }  # fmt: skip


@pytest.mark.parametrize(("way", "exchanges"), [("all", 1), ("groups", 10), ("singles", 30)])
def test_as_few_exchanges_as_the_meter_allows(way, exchanges):
    line = Line(firmware="9.0.0")
    line.snapshot(way)
    assert len(line.runner.asked) == exchanges


def test_what_the_meter_refuses_is_asked_for_twice_in_its_life():
    line = Line(firmware="2.1.0")
    driver = line.driver()
    first = line.runner.run(driver.read_snapshot())
    assert driver.learned()["lacks"] == "16A0"
    assert Can.SNAPSHOT in driver.can(line.runner.run(driver.identify()))
    again = line.driver(driver.learned())
    assert line.runner.run(again.read_snapshot()) == first
    assert bytes.fromhex("0816A0") not in {request[1:4] for request in line.runner.asked}


def test_powers_have_the_sign_of_their_direction():
    line = Line(firmware="9.0.0", load="pv")
    signs = set()
    for hour in range(0, 24, 2):
        line.at = NOON.replace(month=6) + timedelta(hours=hour)
        values = line.snapshot("all")
        for active, reactive, apparent, cosine in (
            ("1.7.0", "3.7.0", "9.7.0", "13.7.0"), ("21.7.0", "23.7.0", "29.7.0", "33.7.0"),
        ):  # fmt: skip
            p, q, s, c = (values[Register(o)].value for o in (active, reactive, apparent, cosine))
            assert s >= 0
            assert abs(p * p + q * q - s * s) <= s * Decimal("0.05") + 1
            assert abs(p - s * c) <= s * Decimal("0.002") + Decimal("0.05")
            signs.add((p < 0, q < 0))
    assert {p for p, _ in signs} == {True, False}


def test_elements_go_to_their_phases():
    meter = FakeMeter()
    watts = [Decimal(n) / 100 for n in (600, 100, 200, 300)]
    meter.data[b"\x08\x16\x00"] = b"".join(
        bytes((0x80, count & 255, count >> 8)) for count in (600, 100, 200, 300)
    )
    meter.data[b"\x08\x16\x51"] = bytes.fromhex("00E02E 00C15D 00E12E")
    meter.data[b"\x08\x16\x61"] = bytes.fromhex("C900 CA00 CB00")
    meter.data[b"\x08\x11\x70"] = bytes.fromhex("FFEC")
    line, driver = visit(meter)
    read = line.run(driver.read_snapshot())
    assert [read[Register(obis)].value for obis in BY_PHASE] == [-value for value in watts]
    assert read[Register("81.7.1")] == Quantity(Decimal("120.00"), "deg")
    assert read[Register("81.7.2")] == Quantity(Decimal("240.01"), "deg")
    assert read[Register("81.7.12")] == Quantity(Decimal("120.01"), "deg")
    assert read[Register("52.7.124")] == Quantity(Decimal("2.02"), "%")
    assert read[Register("0-0:96.9.0")] == Quantity(Decimal(-20), "Cel")
    assert len(read) == 11


def test_masked_phase_is_absent_and_no_value():
    meter = FakeMeter()
    meter.data[b"\x08\x16\x00"] = b"\xff" * 12
    meter.data[b"\x08\x16\x11"] = bytes.fromhex("00405E FFFFFF FFFFFF")
    meter.data[b"\x08\x11\x70"] = bytes.fromhex("FFFF")
    line, driver = visit(meter)
    read = line.run(driver.read_snapshot())
    assert read == {
        Register("32.7.0"): Quantity(Decimal("241.28"), "V"),
        Register("0-0:96.9.0"): Quantity(Decimal(-1), "Cel"),
    }


def test_value_that_cannot_be_costs_its_own_group_only():
    meter = FakeMeter()
    meter.data[b"\x08\x16\x00"] = b"\xff" * 12
    meter.data[b"\x08\x16\x30"] = bytes.fromhex("00E903" * 4)  # 1.001
    meter.data[b"\x08\x16\x40"] = bytes.fromhex("008713")
    line, driver = visit(meter)
    assert line.run(driver.read_snapshot()) == {
        Register("14.7.0"): Quantity(Decimal("49.99"), "Hz"),
    }
    del meter.data[b"\x08\x16\x40"]
    line, driver = visit(meter)
    with pytest.raises(FrameGarbled, match="makes no sense"):
        line.run(driver.read_snapshot())


def test_meter_without_any_value_says_so_and_is_not_asked_again():
    line, driver = visit(FakeMeter())
    with pytest.raises(NotSupported):
        line.run(driver.read_snapshot())
    assert Can.SNAPSHOT not in driver.can(line.run(driver.identify()))


@pytest.mark.parametrize("size", ALL_SIZES)
def test_length_of_the_long_answer_is_remembered(size):
    meter = FakeMeter()
    meter.data[b"\x08\x16\xa0"] = bytes(size)
    line, driver = visit(meter)
    line.run(driver.read_snapshot())
    assert driver.learned()["all"] == str(size)
    again, driver = visit(meter, driver.learned())
    again.asked.clear()
    assert Register("14.7.0") in again.run(driver.read_snapshot())


def test_long_answer_that_does_not_arrive_is_read_in_groups():
    line = Line(firmware="9.0.0")
    driver = line.driver({"all": "86"})
    whole = line.answer
    line.runner.answer = lambda request, now: (
        whole(request, now)[:80] if request[2:4] == b"\x16\xa0" else whole(request, now)
    )
    assert len(line.runner.run(driver.read_snapshot())) == 30
    assert "all" not in driver.learned()
    assert "lacks" not in driver.learned()


@given(st.sampled_from(ALL_SIZES).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_any_long_answer_is_values_or_senseless(wire):
    try:
        values = everything(wire)
    except ValueError:
        return
    assert all(abs(q.value) <= 1 for q in values.values() if q.unit == "1")
    masked = wire.count(b"\xff\xff\xff") + wire.count(b"\xff\xff")
    assert 0 <= (26 if len(wire) == ALL_SIZES[0] else 30) - len(values) <= masked


# -- fixed values --------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["all", "groups"])
def test_values_are_those_of_the_instant_they_were_latched_at(way):
    line = Line(firmware="9.0.0")
    driver = line.driver({"lacks": LACKING[way]})
    line.runner.leave = Act.FIX
    before = line.runner.run(driver.read_snapshot())
    registers = line.runner.run(driver.read_registers([Register("1.8.0"), Register("1.8.2")]))
    assert line.runner.run(driver.fix(CONSENT)) is Outcome.CONFIRMED
    line.at += timedelta(hours=5)
    fixed = line.runner.run(line.driver({"lacks": LACKING[way]}).read_fixed())
    assert fixed.fixed == MeterTime(datetime(2026, 11, 24, 15, 7), summer=False)
    assert {reg: fixed.values[reg] for reg in registers} == registers
    expected = {reg: q for reg, q in before.items() if q.unit not in {"%", "Cel"}}
    assert {reg: fixed.values[reg] for reg in expected} == expected


def test_nothing_latched_is_none():
    meter = FakeMeter()
    meter.data[b"\x08\x14\xa0"] = bytes(ALL_FIXED_SIZE)
    line, driver = visit(meter)
    assert line.run(driver.read_fixed()) is None
    del meter.data[b"\x08\x14\xa0"]
    meter.data[b"\x08\x14\xe0"] = b"\xff" * 8
    assert line.run(driver.read_fixed()) is None


def test_meter_that_cannot_fix_says_so():
    line, driver = visit(FakeMeter())
    with pytest.raises(NotSupported):
        line.run(driver.read_fixed())
    assert Can.FIXED not in driver.can(line.run(driver.identify()))


def test_parts_of_two_instants_are_not_mixed():
    meter = FakeMeter()
    line, driver = visit(meter)
    answer, seconds = meter.receive, iter(range(60))

    def receive(request, now):
        meter.data[b"\x08\x14\xe0"] = bytes((next(seconds) % 10,)) + bytes.fromhex("07150224112601")
        return answer(request, now)

    line.answer = receive
    with pytest.raises(FrameGarbled, match="latched anew"):
        line.run(driver.read_fixed())


# -- what each kind of meter can do --------------------------------------------------------------


@pytest.mark.parametrize(
    ("firmware", "lacks", "snapshot", "quadrants"),
    [
        ("2.1.0", {"14A0", "16A0"}, 30, False),
        ("2.3.4", set(), 30, False),
        ("7.1.1", set(), 30, False),
        ("9.0.0", set(), 30, True),
    ],
)
def test_every_personality_is_read_in_full(firmware, lacks, snapshot, quadrants):
    line = Line(firmware=firmware, losses="1", tariffs="3")
    driver = line.driver()
    run = line.runner.run
    assert len(run(driver.read_snapshot())) == snapshot
    state = run(driver.read_state())
    assert state.faults == frozenset()
    assert state.tariff in {1, 2, 3}
    assert state.load_on is True
    assert len(state.energy_limits) == 4
    assert {"timeout_multiplier", "voltage_min_v", "location_hex", "deferred"} <= set(state.detail)
    assert {register.period[4:11] for register in state.maxima} == {"2026-11", "2026-10"}
    assert run(driver.read_fixed()) is not None
    wanted = {register for register in driver.registers() if register.period == "now"}
    groups = {register.obis.split(".")[0] for register in run(driver.read_registers(wanted))}
    assert groups >= {"1", "2", "3", "4", "21", "41", "61", "83"}
    assert ("7" in groups) is quadrants
    assert set(driver.learned().get("lacks", "").split()) == lacks
    assert driver.can(run(driver.identify())) == frozenset(Can)
    assert sum(map(len, driver.learned().values())) < 100


@pytest.mark.parametrize("period", ["now", "at:day:0", "of:month:2026-10", "at:year:0"])
def test_quadrants_phases_and_tariffs_make_up_the_sums(period):
    line = Line(firmware="9.0.0", load="pv", tariffs="3", losses="1")
    driver = line.driver()
    line.runner.run(driver.read_clock())
    wanted = [register for register in driver.registers() if register.period == period]
    read = {r.obis: int(q.value) for r, q in line.runner.run(driver.read_registers(wanted)).items()}
    assert read["3.8.0"] == read["5.8.0"] + read["6.8.0"] > 0
    assert read["4.8.0"] == read["7.8.0"] + read["8.8.0"]
    assert read["2.8.0"] > 0
    for group in (1, 2, 3, 4):
        assert abs(read[f"{group}.8.0"] - sum(read[f"{group}.8.{t}"] for t in (1, 2, 3, 4))) <= 3
    assert 0 < read["83.8.7"] < read["1.8.0"] / 10
    if period == "now":
        assert abs(read["1.8.0"] - sum(read[f"{group}.8.0"] for group in (21, 41, 61))) <= 3
