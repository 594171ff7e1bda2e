"""Energy registers: arrays, tariffs, months, and in how many exchanges."""

from decimal import Decimal

import pytest
from mercury_fake import FakeMeter, visit

from corefast.crc import seal
from hub.plugins.api import Quantity, Register

CLOCK = b"\x04\x00"
NONE = b"\xff\xff\xff\xff"


def word(value):
    return bytes((value >> 16 & 255, value >> 24, value & 255, value >> 8 & 255))


def element(*values):
    return b"".join(NONE if value is None else word(value) for value in values)


def energy_meter(**facts):
    """Array a, month m, tariff t holds a*1000000 + m*1000 + t in A+; no A-, R+ one more, R- 0."""
    meter = FakeMeter(**facts)
    meter.data[CLOCK] = bytes.fromhex("0007150224112601")
    for array in range(14):
        for month in range(13):
            base = array * 1_000_000 + month * 1000
            rows = {t: (base + t, None, base + t + 1, 0) for t in range(1, 5)}
            rows[0] = (sum(r[0] for r in rows.values()), None, sum(r[2] for r in rows.values()), 0)
            if array == 6:
                rows = {tariff: row[:1] * 3 for tariff, row in rows.items()}
            for tariff, row in rows.items():
                meter.data[bytes((5, array << 4 | month, tariff))] = element(*row)
            fast = b"".join(element(*rows[t]) for t in (1, 2, 3, 4, 0))
            meter.data[bytes((5, array << 4 | month, 6))] = fast
            if array == 6:
                continue
            quarters = {t: [base + t + 100 * q for q in (5, 6, 7, 8)] for t in range(1, 5)}
            quarters[0] = [sum(row[q] for row in quarters.values()) for q in range(4)]
            for tariff, row in quarters.items():
                meter.data[bytes((0x15, array << 4 | month, tariff))] = element(*row)
    return meter


def read(meter, *wanted, learned=None):
    line, driver = visit(meter, learned)
    line.asked.clear()
    return line.run(driver.read_registers(wanted)), line, driver


def test_all_tariffs_of_an_array_are_one_exchange():
    wanted = [Register(f"{group}.8.{t}") for group in (1, 2, 3, 4) for t in range(5)]
    got, line, driver = read(energy_meter(), *wanted)
    assert len(line.asked) == 1
    assert got[Register("1.8.0")] == Quantity(Decimal(10), "Wh")
    assert got[Register("3.8.4")] == Quantity(Decimal(5), "varh")
    assert got[Register("4.8.0")] == Quantity(Decimal(0), "varh")
    assert not [register for register in got if register.obis.startswith("2.")]
    assert driver.learned()["fast"] == "5"


def test_one_tariff_is_asked_alone():
    got, line, _ = read(energy_meter(), Register("1.8.0"), Register("3.8.0", "at:day:0"))
    assert [request[1:4] for request in line.asked] == [b"\x05\x00\x00", b"\x05\xc0\x00"]
    assert got[Register("3.8.0", "at:day:0")].value == 48_000_014


def test_every_register_that_is_listed_can_be_read():
    meter = energy_meter()
    line, driver = visit(meter)
    line.run(driver.read_clock())
    listed = driver.registers()
    got = line.run(driver.read_registers(listed))
    absent = {register for register in listed if register.obis.startswith(("2.", "83.8."))}
    assert set(got) == listed - absent
    assert got[Register("7.8.0", "at:month:2026-10")].value == 4 * (11_010_000 + 700) + 10
    assert got[Register("7.8.3")].value == 703
    assert Register("7.8.3") not in driver.registers(), "this meter has no long answer for them"
    assert not [register for register in driver.registers() if register.obis.startswith("83.")]
    assert got[Register("1.8.1", "of:month:2026-11")].value == 3_011_001
    assert got[Register("1.8.1", "of:month:2025-12")].value == 3_012_001
    assert got[Register("1.8.2", "at:year:1")].value == 10_000_002
    assert got[Register("41.8.3")].value == 6_000_003
    assert Register("1.8.0", "of:month:2025-11") not in listed


def test_month_goes_by_the_meters_date():
    got, line, _ = read(energy_meter(), Register("1.8.0", "of:month:2025-11"))
    assert got == {}
    assert [request[1] for request in line.asked] == [4]


def test_month_that_ended_meanwhile_is_no_value():
    meter = energy_meter()
    clocks = [bytes.fromhex("5959230130112601"), bytes.fromhex("0100000201122601")]
    line, driver = visit(meter)
    answer = meter.receive

    def receive(request, now):
        if request[1:3] == CLOCK:
            meter.data[CLOCK] = clocks.pop(0)
        return answer(request, now)

    line.answer = receive
    wanted = [Register("1.8.0", "of:month:2026-11"), Register("1.8.0")]
    assert set(line.run(driver.read_registers(wanted))) == {Register("1.8.0")}
    assert clocks == []


def test_meter_without_long_answers_is_read_tariff_by_tariff():
    meter = energy_meter()
    meter.refuse[b"\x05\x00\x06"] = 1
    wanted = [Register(f"1.8.{t}") for t in range(5)]
    got, line, driver = read(meter, *wanted)
    assert (len(got), len(line.asked)) == (5, 7), "a refusal is believed when said twice"
    assert driver.learned()["fast"] == "no"
    _, line, _ = read(meter, *wanted, learned=driver.learned())
    assert len(line.asked) == 5


def test_old_firmware_is_not_even_asked_for_a_long_answer():
    wanted = [Register(f"1.8.{t}") for t in range(5)]
    _, line, _ = read(energy_meter(firmware="020105"), *wanted)
    assert [request[3] for request in line.asked] == [0, 1, 2, 3, 4]


def test_refusal_that_is_not_repeated_is_forgotten():
    meter = energy_meter()
    line, driver = visit(meter)
    answer = meter.receive
    refusals = [seal(b"\x30\x01")]
    line.answer = lambda request, now: refusals.pop() if refusals else answer(request, now)
    wanted = [Register("1.8.0", "at:day:0")]
    assert line.run(driver.read_registers(wanted))[wanted[0]].value == 48_000_010
    assert "no_arrays" not in driver.learned()


@pytest.mark.parametrize("tariffs", [(0,), (0, 1)])
def test_array_that_the_meter_lacks_is_absent_and_remembered(tariffs):
    meter = energy_meter()
    meter.refuse[b"\x05\xc0"] = 1
    wanted = [Register(f"1.8.{t}", "at:day:0") for t in tariffs]
    got, _, driver = read(meter, *wanted)
    assert got == {}
    assert driver.learned()["no_arrays"] == "C"
    assert "at:day:0" not in {register.period for register in driver.registers()}
    _, line, _ = read(meter, *wanted, learned=driver.learned())
    assert line.asked == []


def test_losses_behind_the_sum_are_passed_over():
    meter = energy_meter()
    meter.data[b"\x05\x00\x06"] += element(99, None, 99, None)
    got, _, driver = read(meter, Register("1.8.0"), Register("1.8.1"))
    assert got[Register("1.8.0")].value == 10
    assert driver.learned()["fast"] == "6"


def test_losses_are_read_with_the_tariffs_or_alone():
    meter = energy_meter()
    losses = [Register(obis) for obis in ("83.8.7", "83.8.8", "83.8.16", "83.8.17")]
    meter.data[b"\x05\x00\x05"] = element(99, None, 98, 97)
    meter.data[b"\x05\x00\x06"] += meter.data[b"\x05\x00\x05"]
    for wanted, requests in ((losses, [5]), ([*losses, Register("1.8.0")], [6])):
        got, line, _ = read(meter, *wanted)
        assert [request[3] for request in line.asked] == requests
        assert [got[loss] for loss in losses if loss in got] == [
            Quantity(Decimal(99), "Wh"),
            Quantity(Decimal(98), "varh"),
            Quantity(Decimal(97), "varh"),
        ]


def test_quadrants_are_offered_by_tariff_where_they_come_in_one_answer():
    meter = energy_meter()
    whole = b"".join(meter.data[bytes((0x15, 0, t))] for t in (1, 2, 3, 4, 0))
    meter.data[b"\x15\x00\x06"] = whole
    wanted = Register("5.8.0"), Register("8.8.4")
    got, line, driver = read(meter, *wanted)
    assert [got[register].value for register in wanted] == [2010, 804]
    assert len(line.asked) == 1
    assert Register("6.8.2", "at:day:0") in driver.registers()


@pytest.mark.parametrize("firmware", ["090000", "020105"])
def test_what_is_masked_throughout_is_not_asked_for_again(firmware):
    meter = energy_meter(firmware=firmware)
    nothing = element(None, None, None, None)
    meter.data[b"\x05\x00\x05"] = nothing
    meter.data[b"\x05\x00\x06"] += nothing
    meter.data[b"\x15\x00\x00"] = nothing
    got, _, driver = read(meter, Register("83.8.7"), Register("1.8.0"), Register("5.8.0"))
    assert set(got) == {Register("1.8.0")}
    groups = {register.obis.split(".")[0] for register in driver.registers()}
    assert "83" not in groups
    assert Register("5.8.0") not in driver.registers()


def test_losses_that_are_refused_are_not_asked_for_again():
    meter = energy_meter(firmware="020105")
    meter.refuse[b"\x05\x00\x05"] = 1
    _, _, driver = read(meter, Register("83.8.7"))
    assert driver.learned()["no_arrays"] == "L"
    assert not [register for register in driver.registers() if register.obis.startswith("83.")]
    _, line, _ = read(meter, Register("83.8.7"), Register("1.8.0"), learned=driver.learned())
    assert [request[3] for request in line.asked] == [0]


def test_quadrants_have_their_own_code_and_refusals():
    meter = energy_meter()
    meter.refuse[b"\x15"] = 1
    wanted = Register("5.8.0"), Register("8.8.4"), Register("1.8.0")
    got, _, driver = read(meter, *wanted)
    assert set(got) == {Register("1.8.0")}
    assert driver.learned()["no_quadrants"] == "0"
    assert Register("5.8.0") not in driver.registers()
    assert Register("1.8.0") in driver.registers()
    _, line, _ = read(meter, *wanted, learned=driver.learned())
    assert [request[1] for request in line.asked] == [5]


def test_firmware_whose_papers_have_no_quadrants_is_not_asked():
    _, driver = visit(energy_meter(firmware="070101"))
    assert not [register for register in driver.registers() if register.obis.startswith("5.")]


def test_sum_that_is_not_the_sum_is_believed_only_twice():
    meter = energy_meter()
    good = meter.data[b"\x05\x00\x06"]
    bad = good[:64] + element(5000, None, 14, 0)
    answers = [bad, good]
    line, driver = visit(meter)
    answer = meter.receive

    def receive(request, now):
        if request[1:4] == b"\x05\x00\x06":
            meter.data[b"\x05\x00\x06"] = answers.pop(0)
        return answer(request, now)

    line.answer = receive
    wanted = [Register("1.8.0"), Register("1.8.1")]
    assert line.run(driver.read_registers(wanted))[Register("1.8.0")].value == 10
    answers += [bad, bad]
    assert line.run(driver.read_registers(wanted))[Register("1.8.0")].value == 5000


def test_execution_decides_what_is_listed():
    _, driver = visit(FakeMeter(variant="B4E4D2960200"))
    groups = {int(register.obis.split(".")[0]) for register in driver.registers()}
    assert groups == {1, 83}
