"""The driver against the virtual meter, which shares no code with it: equal to the count."""

import random
from datetime import datetime, timedelta

import pytest
from mercury_blocking import NOON, Blocking

from hub.plugins.api import Level, LinkError, MeterTime, Register, SimulatorSettings, SlotMark
from hub.plugins.mercury234 import MercurySettings, hub_meter_drivers
from hub.plugins.mercury234.simulator import truth

(SPEC,) = hub_meter_drivers()
OUTAGE = "2026-11-20T03:10/2026-11-20T08:20"
FEW_DAYS = timedelta(days=9)


def settings_of(**options):
    return SimulatorSettings(address=7, seed=5, options=options)


class Line:
    """A virtual line with the damage of a real one; the collector's patience around the driver."""

    def __init__(self, options, *, lost=0.0, byte=0.0, seed=0):
        self.virtual = SPEC.simulator(settings_of(**options))
        self.lost, self.byte, self.dice = lost, byte, random.Random(seed)  # noqa: S311
        self.learned, self.failed = {}, 0
        self.runner = Blocking(self.answer, NOON, repeats=2)

    def answer(self, request, now):
        self.virtual_now = now
        sent = b"".join(data for _, data in self.virtual.receive(self.damage(request), now))
        return self.damage(sent)

    def damage(self, data):
        if self.dice.random() < self.lost:
            return b""
        return bytes(
            self.dice.randrange(256) if self.dice.random() < self.byte else byte for byte in data
        )

    def profile(self, since=None, span=None):
        """Read pages to the last; after a failure, another visit goes on at the cursor."""
        pages, more = [], True
        while more:
            driver = SPEC.build(MercurySettings(address=7), self.learned)
            try:
                self.runner.run(driver.open(Level.READ))
                self.runner.run(driver.identify())
                while more:
                    page = self.runner.run(driver.read_profile(since, span))
                    pages.append(page)
                    since, more = page.next, page.more
            except LinkError:
                self.failed += 1
                assert self.failed < 200
            finally:
                self.runner.run(driver.close())
                self.learned = driver.learned()
        return pages


def computed(options, since=None):
    meter = truth(settings_of(**options), NOON)[7]
    first, last = meter.kept(NOON)
    return meter.truth(max(first, since) if since else first, last)


def slots(pages):
    return [slot for page in pages for slot in page.slots]


def check(pages, expected):
    read = [(s.ends.face, not s.ends.summer, s.minutes, s.counts) for s in slots(pages)]
    written = [slot for slot in expected if slot.counts is not None]
    assert read == [(s.end, s.winter, s.minutes, s.counts) for s in written]
    marked = [bool(slot.marks & SlotMark.PARTIAL) for slot in slots(pages)]
    assert marked == [slot.partial for slot in written]


@pytest.mark.parametrize(
    "options",
    [
        {"firmware": "2.3.4"},
        {"firmware": "9.0.0", "memory": "64"},
        {"firmware": "2.1.0", "memory": "64"},
        {"firmware": "7.1.1", "memory": "64", "directions": "1"},
        {"firmware": "9.0.0", "memory": "64", "outage": OUTAGE, "constant": "5000"},
        {"firmware": "2.3.4", "memory": "64", "outage": OUTAGE, "offgrid": "1"},
        {"firmware": "9.0.0", "memory": "64", "season": "auto", "period": "60"},
        {"firmware": "9.0.0", "memory": "64", "period": "5"},
    ],
    ids=lambda options: " ".join(options.values()),
)
def test_whole_ring_is_equal_to_the_count(options):
    pages = Line(options).profile()
    check(pages, computed(options))


def test_gaps_are_the_outage():
    options = {"firmware": "9.0.0", "memory": "64", "outage": OUTAGE}
    gaps = [gap for page in Line(options).profile() for gap in page.gaps]
    assert [(gap.starts.face, gap.ends.face) for gap in gaps] == [
        (datetime(2026, 11, 20, 3, 30), datetime(2026, 11, 20, 8, 0))
    ]


@pytest.mark.parametrize("firmware", ["2.3.4", "9.0.0"])
@pytest.mark.parametrize(
    "damage", [{"lost": 0.02}, {"byte": 0.002}, {"byte": 0.01}, {"lost": 0.05, "byte": 0.003}]
)
def test_noise_costs_time_and_no_slot(firmware, damage):
    options = {"firmware": firmware, "outage": OUTAGE}
    meter = truth(settings_of(**options), NOON)[7]
    line = Line(options, seed=1, **damage)
    last = meter.kept(NOON)[1]
    first = last - FEW_DAYS
    quiet = Line(options).profile(span=face_span(first, last))
    noisy = line.profile(span=face_span(first, last))
    assert slots(noisy) == slots(quiet)
    check(noisy, computed(options, since=first))


def face_span(first, last):
    return MeterTime(first, summer=False), MeterTime(last, summer=False)


def test_registers_are_equal_to_the_watt_hour():
    options = {"firmware": "9.0.0", "tariffs": "3"}
    line = Line(options)
    driver = SPEC.build(MercurySettings(address=7), {})
    line.runner.run(driver.open(Level.READ))
    line.runner.run(driver.identify())
    line.runner.run(driver.read_clock())
    wanted = driver.registers()
    read = line.runner.run(driver.read_registers(wanted))
    meter = truth(settings_of(**options), NOON)[7]
    arrays = {"now": 0, "of:day:0": 4, "of:day:1": 5, "at:day:0": 12, "at:day:1": 13,
              "of:year:0": 1, "of:year:1": 2, "at:year:0": 9, "at:year:1": 10}  # fmt: skip
    checked = 0
    for register, quantity in read.items():
        group, _, tariff = (int(part) for part in register.obis.split("."))
        if group > 4:
            continue
        month = int(register.period[-2:]) if "month" in register.period else 0
        array = arrays.get(register.period) or (
            {"of": 3, "at": 11}[register.period[:2]] if month else 0
        )
        four = meter.register_wh(line.virtual_now, tariff, array=array, month=month)
        if register.period in {"now", "of:day:0"} or register.period.startswith("of:"):
            assert 0 <= four[group - 1] - quantity.value <= 15  # it goes on counting
        else:
            assert four[group - 1] == quantity.value
        checked += 1
    assert checked > 600
    assert Register("1.8.0", "at:day:0") in read


def test_a_day_costs_eight_exchanges():
    options = {"firmware": "9.0.0"}
    line = Line(options)
    place = line.profile()[-1].next
    for _ in range(3):
        line.runner.now += timedelta(days=1) - (line.runner.now - NOON) % timedelta(days=1)
        line.runner.asked.clear()
        pages = line.profile(place)
        place = pages[-1].next
        assert len(slots(pages)) == 48
        assert len(line.runner.asked) == 8
