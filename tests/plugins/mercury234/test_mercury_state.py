"""What the meter is and is set to: status word, load control, limits, maxima, settings."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from mercury_fake import FakeMeter, visit

from hub.locale import NBSP, catalog
from hub.plugins.api import Can, Quantity, Register
from hub.plugins.mercury234.parameters import FAULTS, PARAMETERS, Load, fault_words, faults
from hub.plugins.mercury234.state import power


def state_meter(**parameters):
    meter = FakeMeter()
    meter.data |= {b"\x04\x00": bytes.fromhex("0007150224112601"), b"\x08\x13": bytes(9)}
    for name, wire in parameters.items():
        meter.data[bytes.fromhex("08" + name.removeprefix("p"))] = bytes.fromhex(wire)
    return meter


def read(meter, learned=None):
    line, driver = visit(meter, learned)
    line.asked.clear()
    return line.run(driver.read_state()), line, driver


def test_every_code_has_its_bit():
    order = [*range(33, 41), *range(41, 49), *range(17, 25), *range(25, 33), *range(1, 17)]
    for place, number in enumerate(order):
        wire = (1 << place).to_bytes(6, "little")
        assert faults(wire) == {f"E-{number:02d}"}
        assert faults(wire[2:]) == ({f"E-{number:02d}"} if place >= 16 else set())
        assert faults(wire[:1] + wire[2:]) == (set() if 8 <= place < 16 else {f"E-{number:02d}"})
    assert fault_words(frozenset({"E-48", "E-03", "E-43"})) == {
        "E-03": "UART 1", "E-43": "not listed", "E-48": "battery below 2.65 V",
    }  # fmt: skip
    assert set(FAULTS) == {f"E-{n:02d}" for n in (*range(1, 8), *range(9, 43), 47, 48)}


def test_devices_page_has_every_code_in_the_words_of_the_portal():
    page = (Path(__file__).parents[3] / "docs/devices/mercury234.md").read_text("utf-8")
    rows = re.findall(r"^\| (E-\d\d) \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    russian = catalog("ru")
    assert rows == [
        (code, text, russian.gettext(text).replace(NBSP, " ")) for code, text in FAULTS.items()
    ]


def test_the_papers_example_of_a_status_word():
    assert faults(bytes.fromhex("000000000400")) == {"E-03"}


@pytest.mark.parametrize(
    ("wire", "off", "by", "controls"),
    [
        ("0902", True, {"order"}, {"relay"}),
        ("0922", True, {"order"}, {"relay"}),
        ("0000", False, set(), set()),
        ("9402", True, {"energy_limit:1", "energy_limit:4"}, {"energy_limit"}),
        ("0300", False, set(), {"power_limit", "relay"}),
    ],
)
def test_load_control_word(wire, off, by, controls):
    load = Load.parse(bytes.fromhex(wire))
    assert (load.off, load.off_by, load.controls) == (off, by, controls)


def test_state_is_what_the_meter_says():
    state, _, _ = read(
        state_meter(
            p0A="000100000000", p17="0004", p18="0902", p19="001400",
            p1A01="000070 0A", p1A02="FFFFFFFF", p1A03="01000000", p20="".join(
                limit.to_bytes(2, "little").hex()
                for limit in (18000, 20900, 23100, 25000, 4950, 4980, 5020, 5050)
            ),
            p21="1414", p24="0402", p04="0002", p1D="0003", p0B="80827366", p07="020703030710",
        )
    )  # fmt: skip
    assert state.faults == {"E-41"}
    assert state.tariff == 3
    assert (state.load_on, state.load_off_by, state.controls) == (False, {"order"}, {"relay"})
    assert state.power_limit == Quantity(Decimal("0.20"), "W")
    assert state.energy_limits == {
        1: Quantity(Decimal(2672), "Wh"), 3: Quantity(Decimal(65536), "Wh"),
    }  # fmt: skip
    assert state.detail == {
        "additional_timeout_multiplier": "2",
        "timeout_multiplier": "3",
        "location_hex": "80 82 73 66",
        "to_summer": "hour 02, day 07, month 03",
        "to_winter": "hour 03, day 07, month 10",
        "voltage_min_v": "180.0",
        "voltage_normal_min_v": "209.0",
        "voltage_normal_max_v": "231.0",
        "voltage_max_v": "250.0",
        "frequency_min_hz": "49.5",
        "frequency_normal_min_hz": "49.8",
        "frequency_normal_max_hz": "50.2",
        "frequency_max_hz": "50.5",
        "voltage_averaging_s": "20",
        "frequency_averaging_s": "20",
        "deferred": "profile_initialisation, clock_correction",
        "reconnection_forbidden": "no",
    }


def test_maxima_are_powers_of_their_month():
    meter = state_meter(p0D0B="E8040000FFFFFFFF0C050000230F0000", p0D0A="01000200" + "FFFF" * 6)
    del meter.data[b"\x08\x13"]
    meter.fill(3, last=0x0040, minutes=60)
    state, _, _ = read(meter)
    assert state.maxima[Register("1.6.0", "max:2026-11:morning")] == Quantity(Decimal(628), "W")
    assert state.maxima[Register("4.6.0", "max:2026-11:morning")].unit == "var"
    assert state.maxima[Register("1.6.0", "max:2026-10:evening")].value == 1
    assert Register("2.6.0", "max:2026-11:morning") not in state.maxima


@pytest.mark.parametrize(("minutes", "watts"), [(30, 10500), (15, 21000), (60, 5250), (7, 45000)])
def test_power_is_the_papers_formula(minutes, watts):
    assert power(10500, minutes, 1000) == watts


def test_power_that_is_not_whole_is_rounded_to_a_milliwatt():
    assert power(1, 7, 1000) == Decimal("4.286")


def test_maxima_without_a_known_period_are_absent():
    state, _, _ = read(state_meter(p0D0B="E8040000FFFFFFFF0C050000230F0000"))
    assert state.maxima == {}


def test_refusals_are_said_twice_and_remembered():
    meter = state_meter(p0A="000000000000")
    state, line, driver = read(meter)
    assert (state.load_on, state.tariff, state.power_limit, state.detail) == (None, None, None, {})
    assert state.faults == frozenset()
    lacks = driver.learned()["lacks"].split()
    assert {"17", "18", "19", "1A", "20"} <= set(lacks)
    assert len(driver.learned()["lacks"]) < 80
    assert {Can.RELAY, Can.LIMITS}.isdisjoint(driver.can(line.run(driver.identify())))
    first = len(line.asked)
    _, line, _ = read(meter, driver.learned())
    assert len(line.asked) < first / 3


def test_identity_at_length_is_asked_of_new_meters_only():
    wire = "0C22384E170508090000B4E4C29603007EF5 0102 00000000".replace(" ", "")
    meter = state_meter(p0100=wire)
    state, _, _ = read(meter)
    assert state.detail["variant_extension_hex"] == "01 02"
    meter = state_meter(p0100=wire)
    meter.firmware = bytes.fromhex("070101")
    state, line, _ = read(meter)
    assert "variant_extension_hex" not in state.detail
    assert b"\x08\x01\x00" not in {request[1:-2] for request in line.asked}


def test_details_that_do_not_arrive_cost_nothing_else():
    meter = state_meter(p0A="000000000400", p17="0004", p20="00", p21="1414", p24="0402")
    meter.lose = lambda request, number: request[1:3] == b"\x08\x24"
    state, _, _ = read(meter)
    assert (state.faults, state.tariff) == ({"E-03"}, 3)
    assert state.detail == {"voltage_averaging_s": "20", "frequency_averaging_s": "20"}


def test_every_parameter_reads_bytes_of_its_length():
    for parameter in PARAMETERS.values():
        for size in parameter.sizes:
            if parameter.words is not None:
                for fill in (0, 0xFF, 0x5A):
                    assert parameter.words(bytes((fill,)) * size)
