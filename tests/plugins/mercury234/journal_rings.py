"""Journals that a test writes itself: rings, the order of writing, what the meter gives and how."""

from datetime import datetime

from mercury_blocking import NOON, Blocking
from mercury_fake import ADDRESS, FakeMeter, bcd

from hub.plugins.api import Level
from hub.plugins.mercury234 import MercurySettings, build

T0 = datetime(2026, 11, 1, 8, 0)


def stamp(face: datetime | None) -> bytes:
    """Return ss mm hh dd mm yy, zeros for no time."""
    if face is None:
        return bytes(6)
    parts = (face.second, face.minute, face.hour, face.day, face.month, face.year - 2000)
    return bytes(map(bcd, parts))


def span(began: datetime | None, ended: datetime | None = None) -> bytes:
    return stamp(began) + stamp(ended)


class RingBook:
    """A ring as the meter keeps it: ``write`` in turn, ``amend`` the last."""

    def __init__(self, size: int, depth: int = 10, blank: int = 0) -> None:
        self.size, self.depth = size, depth
        self.places = [bytes([blank]) * size] * depth
        self.count = 0
        self.history: list[bytes] = []

    def write(self, wire: bytes) -> None:
        assert len(wire) == self.size
        self.places[self.count % self.depth] = wire
        self.count += 1
        self.history.append(wire)

    def amend(self, wire: bytes) -> None:
        self.places[self.newest] = wire
        self.history[-1] = wire

    @property
    def newest(self) -> int:
        return (self.count - 1) % self.depth if self.count else 0


class JournalMeter(FakeMeter):
    """``rings``: by number of the book. ``last``, ``blocks``: whether it knows FF, FE and so on.

    ``spoil``: (number of the request, answer) -> answer, before the check is put on.
    ``turn``: called with the number of each request to a journal, before it is answered.
    """

    def __init__(self, *, last: bool = True, blocks: bool = True, **more) -> None:
        super().__init__(**more)
        self.rings: dict[int, RingBook] = {}
        self.knows_last, self.knows_blocks = last, blocks
        self.spoil = lambda number, answer: answer
        self.turn = lambda number: None
        self.asked = 0
        self.summer = False

    def book(self, book: int, size: int = 12, **more) -> RingBook:
        return self.rings.setdefault(book, RingBook(size, **more))

    def _data(self, body: bytes) -> bytes:
        if body == b"\x04\x00":
            return (
                stamp(NOON.replace(tzinfo=None))[:3]
                + b"\x02"
                + stamp(NOON.replace(tzinfo=None))[3:]
                + bytes((0 if self.summer else 1,))
            )
        if body[0] == 4 and body[1] in self.rings:
            self.asked += 1
            self.turn(self.asked)
            return self.spoil(self.asked, self._journal(self.rings[body[1]], body[2]))
        return super()._data(body)

    def _journal(self, ring: RingBook, record: int) -> bytes:
        if record < ring.depth:
            return ring.places[record]
        if record == 0xFF and self.knows_last:
            return ring.places[ring.newest] + bytes((ring.newest,))
        count = 20 if ring.depth == 100 else 10
        first = (0xFE - record) * count
        if self.knows_blocks and 0 <= first < ring.depth:
            return b"".join(ring.places[first : first + count])
        return b"\x01"


def opened(meter: JournalMeter, learned=None, *, repeats: int = 0):
    """Open a visit; return the runner and the driver."""
    line = Blocking(meter.receive, NOON, repeats=repeats)
    driver = build(MercurySettings(address=ADDRESS), learned or {})
    line.run(driver.open(Level.READ))
    line.run(driver.identify())
    return line, driver


def read(meter: JournalMeter, book: str, since=None, learned=None):
    """Read what is new of a book in a visit of its own."""
    line, driver = opened(meter, learned)
    page = line.run(driver.read_journal(book, since))
    assert not page.more
    return page


class Reader:
    """Visits one after another, with the cursor and the habits kept between them."""

    def __init__(self, meter: JournalMeter, book: str) -> None:
        self.meter, self.book = meter, book
        self.since, self.learned = None, {}
        self.entries: dict[str, object] = {}
        self.lost = []

    def visit(self, *, killed: bool = False):
        """Read; ``killed``: before anything was stored."""
        line, driver = opened(self.meter, self.learned)
        page = line.run(driver.read_journal(self.book, self.since))
        if not killed:
            self.since, self.learned = page.next, driver.learned()
            self.entries |= {entry.key: entry for entry in page.entries}
            self.lost += [page.lost] if page.lost else []
        return page

    @property
    def told(self):
        """Beginnings and ends of all entries so far, in the order of the first telling."""
        return [
            (entry.began.face, entry.ended and entry.ended.face) for entry in self.entries.values()
        ]
