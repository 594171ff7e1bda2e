"""A meter of a few lines for the driver's tests: a memory that the test writes itself."""

from datetime import datetime, timedelta

from mercury_blocking import NOON, Blocking

from corefast.crc import is_sealed, seal
from hub.plugins.api import Level, MeterTime
from hub.plugins.mercury234 import MercurySettings, build

ADDRESS = 48
LAST_END = datetime(2026, 11, 24, 12, 0)
VARIANT = "B464C2960300"


def bcd(number: int) -> int:
    return number // 10 << 4 | number % 10


def record(ends: datetime, counts=(1, 2, 3, 4), *, minutes: int = 30, status: int = 0x08) -> bytes:
    stamp = (ends.hour, ends.minute, ends.day, ends.month, ends.year - 2000)
    words = b"".join((0xFFFF if count is None else count).to_bytes(2, "little") for count in counts)
    return bytes((status, *map(bcd, stamp), minutes)) + words


class FakeMeter:
    """Answers at ``ADDRESS``. ``ring`` is byte address -> record; ``refuse`` starts of requests."""

    def __init__(self, *, firmware: str = "090000", variant: str = VARIANT, overflow: bool = True):
        self.firmware, self.variant = bytes.fromhex(firmware), bytes.fromhex(variant)
        self.overflow = overflow
        self.size = 0x20000 if self.variant[3] & 0x80 else 0x10000
        self.numbered = self.firmware >= b"\x07\x01\x00"
        self.ring: dict[int, bytes] = {}
        self.last = 0x0010
        self.last_wire = b""
        self.flags = 0
        self.password = b"\x01\x01\x01\x01\x01\x01"
        self.open = False
        self.refuse: dict[bytes, int] = {}
        self.lose = lambda request, number: False
        self.number = 0
        self.data: dict[bytes, bytes] = {b"\x08\x02": b"\0\x01\0\x28"}

    def fill(self, count: int, *, last: int, ends: datetime = LAST_END, minutes: int = 30):
        """Write ``count`` records that end one after another, the last at address ``last``."""
        for back in range(count):
            at = ends - timedelta(minutes=minutes * back)
            n = int(at.timestamp() // 60) // minutes % 50000
            self.put(last - back * 0x10, record(at, (n, 0, n // 2, 7), minutes=minutes))
        self.point(last)

    def put(self, address: int, wire: bytes) -> None:
        self.ring[address % self.size] = wire

    def point(self, last: int) -> None:
        self.last = last % self.size
        self.last_wire = self.ring[self.last]

    def receive(self, request: bytes, now: datetime) -> bytes:
        self.number += 1
        if not is_sealed(request) or request[0] != ADDRESS or self.lose(request, self.number):
            return b""
        return seal(bytes((ADDRESS,)) + self._answer(request[1:-2]))

    def _answer(self, body: bytes) -> bytes:
        for start, status in self.refuse.items():
            if body.startswith(start):
                return bytes((status,))
        if body[0] == 1:
            self.open = body[2:] == self.password
            return b"\0" if self.open else b"\x03"
        if body[0] == 2:
            self.open = False
            return b"\0"
        if body == b"\x08\x00":
            return bytes((9, 22, 38, 4, 23, 5, 8))
        if not self.open:
            return b"\x05"
        return self._data(body)

    def _data(self, body: bytes) -> bytes:
        if body in self.data:
            return self.data[body]
        if body[0] == 8:
            return self._parameter(body[1])
        if body[0] == 6:
            start = int.from_bytes(body[2:4], "big") | (0x10000 if body[1] & 0x80 else 0)
            assert start + body[4] // 15 * 16 <= (start // 0x10000 + 1) * 0x10000, "border crossed"
            return b"".join(self._record(start + 16 * n) for n in range(body[4] // 15))
        if body[0] == 0x16:
            offset, count = int.from_bytes(body[2:4], "big"), body[4]
            newest = self.last - 16 * offset
            return b"".join(self._record(newest - 16 * n) for n in range(count - 1, -1, -1))
        return b"\x01"

    def _parameter(self, number: int) -> bytes:
        field = self.last // 16 if self.numbered else self.last & 0xFFFF
        status = self.last_wire[:1] or b"\0"
        flags = status[0] | self.flags | (1 if self.overflow else 0)
        if not self.numbered and self.last > 0xFFFF:
            flags |= 0x10
        known = {
            0x01: bytes((9, 22, 38, 4, 23, 5, 8)) + self.firmware + self.variant,
            0x03: self.firmware,
            0x12: self.variant,
            0x13: field.to_bytes(2, "big") + bytes((flags,)) + self.last_wire[1:7],
        }
        return known.get(number, b"\x01")

    def _record(self, address: int) -> bytes:
        return self.ring.get(address % self.size, bytes(15))


def visit(meter: FakeMeter, learned=None, *, repeats: int = 0, chunk: int = 300):
    """Open a visit and identify; return the runner and the driver."""
    line = Blocking(meter.receive, NOON, repeats=repeats, chunk=chunk)
    driver = build(MercurySettings(address=ADDRESS), learned or {})
    line.run(driver.open(Level.READ))
    line.run(driver.identify())
    return line, driver


def read_all(meter: FakeMeter, since=None, span=None, *, resume: bool = False, repeats: int = 0):
    """Read page by page; ``resume``: each page in a visit of its own. Return pages."""
    line, driver = visit(meter, repeats=repeats)
    pages, learned = [], {}
    while True:
        if resume and pages:
            line, driver = visit(meter, learned, repeats=repeats)
        page = line.run(driver.read_profile(since, span))
        pages.append(page)
        learned, since = driver.learned(), page.next
        if not page.more:
            return pages
        assert len(pages) < 1000


def slots_of(pages):
    return [slot for page in pages for slot in page.slots]


def gaps_of(pages):
    return [(gap.starts.face, gap.ends.face) for page in pages for gap in page.gaps]


def winter(face: datetime) -> MeterTime:
    return MeterTime(face, summer=False)
