"""Whatever a meter answers, the driver ends with a value or with an error of ours."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from mercury_blocking import NOON, Blocking
from mercury_fake import ADDRESS, FakeMeter

from corefast.crc import seal
from hub.plugins.api import HubError, Level, Register
from hub.plugins.mercury234 import MercurySettings, build

SIZES = {0x04: 8, 0x05: 16, 0x06: 15, 0x08: 16, 0x16: 15}
PARAMETERS = {0: 7, 1: 16, 2: 4, 3: 3, 0x12: 6, 0x13: 9}


def size_of(request):
    code = request[1]
    if code == 0x08:
        return PARAMETERS.get(request[2], 4)
    if code == 0x06:
        return request[5]
    if code == 0x16:
        return 15 * request[5]
    return SIZES.get(code, 1)


class Liar:
    """Answers frames of the right length whose data are made up, now and then a status."""

    def __init__(self, seed, honesty):
        self.dice, self.honesty = random.Random(seed), honesty  # noqa: S311
        self.meter = FakeMeter(overflow=False)
        self.meter.fill(40, last=0x0280)
        self.left = 4000

    def __call__(self, request, now):
        self.left -= 1
        assert self.left, "the driver never stops asking"
        roll = self.dice.random()
        if roll < self.honesty or request[1] in {1, 2}:
            return self.meter.receive(request, now)
        if roll > 0.95:
            return seal(bytes((ADDRESS, self.dice.randrange(256))))
        data = bytearray(self.meter.receive(request, now)[1:-2])
        if self.dice.random() < 0.5 and len(data) > 1:
            data[self.dice.randrange(len(data))] = self.dice.randrange(256)
        else:
            data = bytearray(self.dice.randbytes(size_of(request)))
        return seal(bytes((ADDRESS,)) + data)


def attempt(line, talk):
    try:
        return line.run(talk)
    except HubError:
        return None


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), honesty=st.sampled_from([0.0, 0.5, 0.9]))
def test_lies_with_a_good_check_end_in_errors_of_ours(seed, honesty):
    liar = Liar(seed, honesty)
    line = Blocking(liar, NOON)
    driver = build(MercurySettings(address=ADDRESS), {})
    attempt(line, driver.open(Level.READ))
    attempt(line, driver.identify())
    attempt(line, driver.read_clock())
    attempt(line, driver.read_registers([Register("1.8.0"), Register("1.8.1", "at:day:0")]))
    since = None
    for _ in range(3):
        page = attempt(line, driver.read_profile(since))
        if page is None:
            break
        ends = [(slot.ends.face, slot.ends.summer) for slot in page.slots]
        assert all(1 <= slot.minutes <= 60 for slot in page.slots)
        assert all(any(count is not None for count in slot.counts) for slot in page.slots)
        assert len(set(zip(ends, (slot.ends.summer for slot in page.slots), strict=True))) == len(
            ends
        )
        since = page.next
    attempt(line, driver.close())


@settings(max_examples=100, deadline=None)
@given(
    learned=st.dictionaries(
        st.sampled_from(
            ["password", "identity", "fast", "no_arrays", "pointer", "blocks", "relative"]
        ),
        st.text(max_size=6),
    )
)
def test_wrong_memories_cost_time_and_no_slot(learned):
    meter = FakeMeter(overflow=False)
    meter.fill(40, last=0x0280)
    line = Blocking(meter.receive, NOON)
    driver = build(MercurySettings(address=ADDRESS), learned)
    line.run(driver.open(Level.READ))
    line.run(driver.identify())
    assert len(line.run(driver.read_profile(None)).slots) == 40
