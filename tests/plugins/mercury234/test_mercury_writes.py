"""What changes the meter: which bytes may leave, what each conversation sends and concludes."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mercury_blocking import NOON, Blocking

from corefast.crc import is_sealed, seal
from hub.plugins.api import (
    AccessDenied,
    Act,
    ClockMove,
    Consent,
    DeviceFault,
    Level,
    Limits,
    MeterTime,
    NotSupported,
    Outcome,
    Quantity,
    Refused,
    SimulatorSettings,
)
from hub.plugins.mercury234 import MercurySettings, act, hub_meter_drivers, is_mutating

(SPEC,) = hub_meter_drivers()
LIMITS = Limits(
    power_limit=Quantity(Decimal("1234.56"), "W"),
    power_control=True,
    energy_limits={1: Quantity(Decimal(70000), "Wh"), 4: Quantity(Decimal(2), "Wh")},
    energy_control=False,
)


# -- which bytes may leave -----------------------------------------------------------------------

# By parameter: the act, and whether data are those of the paper, told without the driver's code.
ONES = {bytes((n,)) for n in (0, 1)}
LISTED = {
    0x08: (Act.FIX, lambda d: d == b""),
    0x0C: (Act.SET_CLOCK, lambda d: len(d) == 8 and is_clock(d)),
    0x0D: (Act.CORRECT_CLOCK, lambda d: len(d) == 3 and is_time(d)),
    0x2C: (Act.SET_LIMITS, lambda d: len(d) == 3),
    0x2D: (Act.SET_LIMITS, lambda d: d in ONES),
    0x2E: (Act.SET_LIMITS, lambda d: len(d) == 5 and d[0] in {1, 2, 3, 4}),
    0x2F: (Act.SET_LIMITS, lambda d: d in ONES),
    0x31: (Act.SWITCH_RELAY, lambda d: d in ONES),
}


def is_time(data):
    text = data[::-1].hex()
    return text.isdecimal() and text[:2] < "24" and text[2:4] < "60" and text[4:] < "60"


def is_clock(data):
    text = data.hex()
    if not text.isdecimal() or not is_time(data[:3]) or data[7] not in {0, 1}:
        return False
    try:
        at = datetime(2000 + int(text[12:14]), int(text[10:12]), int(text[8:10]))
    except ValueError:
        return False
    return data[3] == at.isoweekday()


def allowed(frame):
    """Say what the paper says of a frame."""
    if not (len(frame) > 4 and is_sealed(frame) and frame[0] <= 0xF0 and frame[1] == 3):
        return None
    kind, fits = LISTED.get(frame[2], (None, None))
    return kind if fits and fits(frame[3:-2]) else None


contents = st.one_of(
    st.binary(max_size=20),
    st.binary(min_size=3, max_size=3).map(lambda b: bytes(x % 96 // 10 << 4 | x % 10 for x in b)),
    st.sampled_from([b"\0", b"\1", b"\2"]),
    st.datetimes(datetime(2001, 1, 1), datetime(2068, 1, 1)).flatmap(
        lambda at: st.tuples(st.integers(0, 2), st.integers(1, 8)).map(
            lambda more: bytes.fromhex(f"{at:%S%M%H}{more[1]:02d}{at:%d%m%y}{more[0]:02d}")
        )
    ),
    st.integers(0, 6).map(lambda tariff: bytes((tariff, 0, 1, 2, 3))),
)
addresses = st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 0xF0, 0xF1, 0xFE, 0xFF]))


@given(addresses, st.sampled_from([3, 7]), st.integers(0, 255), contents, st.booleans())
@example(0xFE, 3, 8, b"", True)
@example(0x80, 3, 0x31, b"\2", True)
@example(0x80, 3, 0x0C, bytes.fromhex("0055100305030801"), True)
@example(0x80, 3, 0x0C, bytes.fromhex("0055100205030801"), True)
def test_only_the_listed_writes_have_an_act(address, code, parameter, data, sealed):
    frame = bytes((address, code, parameter)) + data
    frame = seal(frame) if sealed else frame + b"\0\0"
    assert act(frame) == allowed(frame)
    assert is_mutating(frame)


@given(addresses, st.sampled_from([3, 7]), st.binary(max_size=24))
def test_any_bytes_have_the_act_that_the_paper_says(address, code, rest):
    frame = bytes((address, code)) + rest
    assert act(frame) == allowed(frame)
    assert act(seal(frame)) == allowed(seal(frame))


@pytest.mark.parametrize("parameter", range(256))
def test_every_listed_write_has_its_act_and_no_other_does(parameter):
    good = {
        0x08: b"", 0x0C: bytes.fromhex("0055100305030801"), 0x0D: bytes.fromhex("305510"),
        0x2C: bytes(3), 0x2E: bytes.fromhex("0100000064"),
    }.get(parameter, b"\1")  # fmt: skip
    expected = LISTED[parameter][0] if parameter in LISTED else None
    assert act(seal(bytes((0x80, 3, parameter)) + good)) == expected
    assert act(seal(bytes((0x80, 7, parameter)) + good)) is None


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=8))
def test_reads_have_no_act(address, code, rest):
    if code != 3:
        assert act(seal(bytes((address, code)) + rest)) is None


# -- conversations -------------------------------------------------------------------------------


class Line:
    """A virtual meter; ``lose`` swallows answers to writes, ``deaf`` the requests themselves."""

    def __init__(self, leave, *, drift=0, at=NOON, learned=None, **options):
        options |= {"drift": str(drift)}
        self.virtual = SPEC.simulator(SimulatorSettings(address=7, seed=5, options=options))
        self.runner = Blocking(self.answer, at, repeats=2)
        self.runner.leave = leave
        self.lose = self.deaf = False
        self.learned = learned or {}
        self.virtual.receive(b"\xff", at)

    def answer(self, request, now):
        writing = request[1] == 3
        if writing and self.deaf:
            return b""
        answers = self.virtual.receive(request, now)
        return b"" if writing and self.lose else b"".join(data for _, data in answers)

    def run(self, ask, level=Level.CONFIGURE):
        driver = SPEC.build(MercurySettings(address=7), self.learned)
        self.runner.run(driver.open(level))
        self.runner.asked.clear()
        try:
            return self.runner.run(ask(driver))
        finally:
            self.writes = [request[1:-2] for request in self.runner.asked if request[1] == 3]

    def drift(self):
        reading = self.run(lambda driver: driver.read_clock())
        return (reading.shown.face - face(reading.asked_at)).total_seconds()


def face(at):
    return (at + timedelta(hours=3)).replace(tzinfo=None)


def right(at):
    return MeterTime(face(at), summer=False)


def consent(kind):
    return Consent(act=kind, target="1", actor="me", reason="", until=NOON + timedelta(hours=1))


def nudge(driver, target=right):
    return driver.set_clock(target, ClockMove.NUDGE, consent(Act.CORRECT_CLOCK))


def set_it(driver, target=right):
    return driver.set_clock(target, ClockMove.SET, consent(Act.SET_CLOCK))


def relay(*, closed):
    return lambda driver: driver.switch_relay(consent(Act.SWITCH_RELAY), closed=closed)


def limits(wanted):
    return lambda driver: driver.set_limits(wanted, consent(Act.SET_LIMITS))


@pytest.mark.parametrize("drift", [-239, -100, -30])
def test_slow_clock_is_put_right_at_once_by_a_reader(drift):
    line = Line(Act.CORRECT_CLOCK, drift=drift)
    outcome = line.run(nudge, Level.READ)
    assert len(line.writes) == 1
    assert outcome in {Outcome.CONFIRMED, Outcome.STARTED}
    line.runner.now += timedelta(minutes=10)
    assert abs(line.drift()) <= 2


def test_fast_clock_is_slowed_down_and_followed_at_later_visits():
    line = Line(Act.CORRECT_CLOCK, drift=200)
    assert line.run(nudge, Level.READ) is Outcome.STARTED
    state = line.run(lambda driver: driver.read_state())
    assert "E-47" in state.faults
    drifts = []
    for _ in range(8):
        drifts.append(line.drift())
        line.runner.now += timedelta(minutes=1)
    assert all(later <= sooner for sooner, later in pairwise(drifts))
    assert abs(line.drift()) <= 2
    assert "E-47" not in line.run(lambda driver: driver.read_state()).faults


def test_second_correction_of_a_day_is_refused():
    line = Line(Act.CORRECT_CLOCK, drift=-30)
    line.run(nudge)
    line.runner.now += timedelta(minutes=5)
    ahead = line.run(lambda d: nudge(d, lambda at: right(at + timedelta(seconds=60))))
    assert ahead is Outcome.REFUSED
    assert len(line.writes) == 1


@pytest.mark.parametrize("drift", [-241, 240, 239])
def test_allowance_is_never_asked_for_in_excess(drift):
    line = Line(Act.CORRECT_CLOCK, drift=drift)
    assert line.run(nudge) is not Outcome.REFUSED
    line.runner.now += timedelta(minutes=20)
    assert abs(line.drift()) <= 4


@pytest.mark.parametrize("drift", [-1200, 400, 250, -250])
def test_what_a_correction_cannot_do_is_not_sent(drift):
    line = Line(Act.CORRECT_CLOCK, drift=drift)
    with pytest.raises(ValueError, match="240 s a day"):
        line.run(nudge)
    assert line.writes == []


@pytest.mark.parametrize("drift", [-241, -239, -30])
def test_slow_clock_that_went_as_far_as_it_may_is_confirmed(drift):
    assert Line(Act.CORRECT_CLOCK, drift=drift).run(nudge) is Outcome.CONFIRMED


def test_about_midnight_nothing_is_sent():
    line = Line(Act.CORRECT_CLOCK, drift=30, at=NOON.replace(hour=20, minute=59, second=45))
    with pytest.raises(ValueError, match="midnight"):
        line.run(nudge)
    assert line.writes == []


def test_correction_to_another_season_is_not_sent():
    line = Line(Act.CORRECT_CLOCK, drift=30)
    with pytest.raises(ValueError, match="season"):
        line.run(lambda d: nudge(d, lambda at: MeterTime(face(at), summer=True)))
    assert line.writes == []


def test_correction_is_made_as_it_leaves():
    line = Line(Act.CORRECT_CLOCK, drift=-100)
    line.run(nudge)
    step = next(step for step in line.runner.steps if step.mutating)
    way = timedelta(milliseconds=150)  # half of how long the clock's answer took
    for later in (0, 7, 61):
        at = NOON + timedelta(seconds=later, milliseconds=400)
        shown = face(at + way + timedelta(milliseconds=450))
        assert step.request(at)[3:-2] == bytes.fromhex(f"{shown:%S%M%H}")


def test_clock_is_set_by_the_owner_over_any_distance():
    line = Line(Act.SET_CLOCK, drift=-5000)
    assert line.run(set_it) is Outcome.CONFIRMED
    assert [body[:2] for body in line.writes] == [b"\x03\x0c"]
    assert abs(line.drift()) <= 2


def test_clock_keeps_its_season_if_the_target_has_none():
    line = Line(Act.SET_CLOCK)
    line.run(lambda d: set_it(d, lambda at: MeterTime(face(at))))
    assert line.writes[0][-1] == 1
    line.run(lambda d: set_it(d, lambda at: MeterTime(face(at), summer=True)))
    assert line.writes[0][-1] == 0


def test_year_that_the_meter_lacks_is_not_sent():
    line = Line(Act.SET_CLOCK)
    with pytest.raises(ValueError, match="2000 to 2099"):
        line.run(lambda d: set_it(d, lambda at: MeterTime(datetime(1999, 1, 1))))
    assert line.writes == []


@pytest.mark.parametrize(
    ("act_", "ask"),
    [
        (Act.SET_CLOCK, set_it),
        (Act.SWITCH_RELAY, relay(closed=False)),
        (Act.SET_LIMITS, limits(LIMITS)),
    ],
)
def test_reader_may_not_what_is_the_owners(act_, ask):
    line = Line(act_)
    with pytest.raises(AccessDenied):
        line.run(ask, Level.READ)
    assert len(line.writes) == 1


def test_load_is_switched_and_read_back():
    line = Line(Act.SWITCH_RELAY)
    for closed in (False, True):
        assert line.run(relay(closed=closed)) is Outcome.CONFIRMED
        assert line.writes == [bytes((3, 0x31, not closed))]
        state = line.run(lambda driver: driver.read_state())
        assert state.load_on is closed
        assert ("order" in state.load_off_by) is not closed


def test_limits_are_set_in_a_safe_order_and_read_back():
    line = Line(Act.SET_LIMITS)
    assert line.run(limits(LIMITS)) is Outcome.CONFIRMED
    assert [body.hex() for body in line.writes] == [
        "032f00", "032c01e240", "032e0100011170", "032e0400000002", "032d01",
    ]  # fmt: skip
    state = line.run(lambda driver: driver.read_state())
    assert state.power_limit == LIMITS.power_limit
    assert state.energy_limits.items() >= LIMITS.energy_limits.items()
    assert "power_limit" in state.controls
    assert "energy_limit" not in state.controls


@pytest.mark.parametrize(
    "wanted",
    [
        Limits(),
        Limits(power_limit=Quantity(Decimal(5), "kW")),
        Limits(power_limit=Quantity(Decimal("0.005"), "W")),
        Limits(power_limit=Quantity(Decimal(200_000), "W")),
        Limits(power_limit=Quantity(Decimal(-1), "W"), power_control=False),
        Limits(power_limit=Quantity(Decimal("NaN"), "W")),
        Limits(energy_limits={5: Quantity(Decimal(5), "Wh")}),
        Limits(energy_limits={0: Quantity(Decimal(5), "Wh")}),
        Limits(energy_limits={1: Quantity(Decimal("0.5"), "Wh")}),
        Limits(energy_limits={1: Quantity(Decimal(5), "Wh"), 2: Quantity(Decimal(5), "varh")}),
    ],
)
def test_limit_that_cannot_be_set_stops_all_of_them(wanted):
    line = Line(Act.SET_LIMITS)
    with pytest.raises(ValueError, match="limit"):
        line.run(limits(wanted))
    assert line.writes == []


def test_meter_without_load_control_is_not_written_to():
    line = Line(Act.SWITCH_RELAY, learned={"lacks": "18"})
    for ask in (relay(closed=True), limits(LIMITS)):
        with pytest.raises(NotSupported, match="nothing was changed"):
            line.run(ask)
        assert line.writes == []


CASES = [
    (Act.CORRECT_CLOCK, nudge, -100),
    (Act.SET_CLOCK, set_it, -5000),
    (Act.SWITCH_RELAY, relay(closed=False), 0),
    (Act.SET_LIMITS, limits(Limits(power_limit=Quantity(Decimal(7), "W"))), 0),
    (Act.FIX, lambda driver: driver.fix(consent(Act.FIX)), 0),
]


@pytest.mark.parametrize(("kind", "ask", "drift"), CASES)
def test_lost_answer_is_looked_for_once_and_never_asked_again(kind, ask, drift):
    line = Line(kind, drift=drift)
    line.lose = True
    assert line.run(ask) is Outcome.CONFIRMED
    assert len(line.writes) == 1


@pytest.mark.parametrize(("kind", "ask", "drift"), [*CASES, (Act.CORRECT_CLOCK, nudge, 1)])
def test_lost_request_is_unknown_and_never_asked_again(kind, ask, drift):
    line = Line(kind, drift=drift)
    line.deaf = True
    assert line.run(ask) is Outcome.UNKNOWN
    assert len(line.writes) == 1


def test_first_limit_that_is_not_confirmed_is_the_last():
    line = Line(Act.SET_LIMITS)
    line.deaf = True
    said = r"order to set the power limit to 1234\.56 W\. Done before that: switch energy-limit"
    with pytest.raises(DeviceFault, match=said):
        line.run(limits(LIMITS))
    assert [body[1] for body in line.writes] == [0x2F, 0x2C], "the control was off already"


def test_a_limit_that_is_refused_midway_names_what_was_set_before():
    line = Line(Act.SET_LIMITS)
    answer = line.runner.answer
    line.runner.answer = lambda request, now: (
        seal(bytes((7, 1))) if request[1:3] == b"\x03\x2e" else answer(request, now)
    )
    with pytest.raises(Refused) as refused:
        line.run(limits(LIMITS))
    said = str(refused.value)
    assert said.startswith("The meter refused to set the energy limit of tariff 1 to 70000 Wh. ")
    assert "switch energy-limit control off, set the power limit to 1234.56 W." in said
    assert "Nothing after it was sent" in said


@pytest.mark.parametrize(("times", "passes"), [(1, True), (9, False)])
def test_only_a_lasting_fault_keeps_a_meter_from_being_switched(times, passes):
    line = Line(Act.SWITCH_RELAY)
    answer, faults = line.runner.answer, iter(range(times))
    line.runner.answer = lambda request, now: (
        seal(bytes((7, 2)))
        if request[1:3] == b"\x08\x18" and next(faults, None) is not None
        else answer(request, now)
    )
    if passes:
        assert line.run(relay(closed=False)) is Outcome.CONFIRMED
    else:
        with pytest.raises(DeviceFault):
            line.run(relay(closed=False))
        assert line.writes == []


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(1, Outcome.REFUSED), (4, Outcome.REFUSED), (9, Outcome.REFUSED), (2, Outcome.UNKNOWN)],
)
def test_every_refusal_is_told_apart_from_not_knowing(status, outcome):
    line = Line(Act.SWITCH_RELAY)
    answer = line.runner.answer
    line.runner.answer = lambda request, now: (
        seal(bytes((7, status))) if request[1] == 3 else answer(request, now)
    )
    assert line.run(relay(closed=False)) is outcome
    assert len(line.writes) == 1


def test_fixing_waits_longer_for_its_answer():
    line = Line(Act.FIX)
    line.run(lambda driver: driver.fix(consent(Act.FIX)), Level.READ)
    step = next(step for step in line.runner.steps if step.mutating)
    assert step.timeout > SPEC.timing(9600).first_byte_s


def test_damaged_clock_that_looks_impossible_is_read_again():
    line = Line(Act.CORRECT_CLOCK, drift=-100)
    answer, lies = line.runner.answer, [seal(b"\x07" + bytes.fromhex("0007090224112601"))]
    line.runner.answer = lambda request, now: (
        lies.pop() if lies and request[1:3] == b"\x04\x00" else answer(request, now)
    )
    assert line.run(nudge) is Outcome.CONFIRMED
    assert lies == []


def test_nothing_is_written_at_the_group_address():
    line = Line(Act.SWITCH_RELAY)
    driver = SPEC.build(MercurySettings(address=0), {})
    line.runner.run(driver.open(Level.CONFIGURE))
    with pytest.raises(NotSupported, match="at its own, 7"):
        line.runner.run(relay(closed=False)(driver))
    assert not any(request[1] == 3 for request in line.runner.asked)
