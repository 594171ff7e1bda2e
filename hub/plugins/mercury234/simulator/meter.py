"""One virtual meter: what it is, what it remembers and what it answers.

Reads are complete as far as the paper describes them, without the maxima, the schedules and
the limits (status 1). Of the writes it does the fixation of data, 03 08; every other write is
refused, by level first (status 3) and then as not in this execution (status 1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from corefast.crc import crc16
from hub.plugins.mercury234.simulator import energy, instant, layouts
from hub.plugins.mercury234.simulator.clock import Calendar, day_start
from hub.plugins.mercury234.simulator.energy import Four, Registers
from hub.plugins.mercury234.simulator.journal import Journals
from hub.plugins.mercury234.simulator.load import Counter, digest
from hub.plugins.mercury234.simulator.memory import RECORD, Outage, Ring, TruthSlot
from hub.plugins.mercury234.simulator.options import CONSTANT_CODES, Options
from hub.plugins.mercury234.simulator.session import OWNER, READER, Channel

OK, BAD_REQUEST, INTERNAL, LEVEL_TOO_LOW, CHANNEL_CLOSED = 0, 1, 2, 3, 5

_LONG_ANSWERS = (2, 2, 2)
_LAST_RECORD = (2, 1, 0)
_RECORD_NUMBERS = (7, 1, 0)
_NEW_GENERATION = (8, 0, 0)

_BLOCK = 17
_FIX_S = 0.120
_LONG_GAP_S = 0.025
_CLASSIC_DATA = 16

#: Writes that level 1 may do, and those that only the factory may.
_READER_WRITES = frozenset({0x05, 0x0D, 0x14, 0x15, 0x32})
_FACTORY_WRITES = frozenset({0x0A, 0x20, 0x28, 0x29})
_WRITES = frozenset({
    *range(0x06), 0x06, 0x0C, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x16, 0x18, 0x19, 0x1B, 0x1D, 0x1E,
    0x1F, 0x21, 0x22, 0x23, 0x24, 0x26, 0x27, 0x2A, 0x2C, 0x2D, 0x2E, 0x2F, 0x30, 0x31,
    *range(0x32, 0x38),
}) | _FACTORY_WRITES  # fmt: skip

#: Parameters of code 08 that take one more byte; 22 takes three.
_ONE_ARGUMENT = frozenset({0x06, 0x0C, 0x0D, 0x11, 0x14, 0x16, 0x1A, 0x23})


@dataclass(frozen=True, slots=True)
class Answer:
    """Data without address and CRC, and the pause in seconds before it leaves."""

    data: bytes
    delay_s: float


class VirtualMeter:
    """A meter that has run for years, computed and not stored.

    ``kind`` names its load, ``initialised`` is the face time of its first second of counting.
    """

    def __init__(self, options: Options, seed: int, address: int, now: datetime) -> None:
        self.address = address
        self.options = options
        self.serial = _serial(seed, address)
        self.calendar = Calendar(
            base_minutes=options.clock_base,
            drift_s=options.drift,
            seasons=options.season == "auto",
        )
        # The start depends on the year alone, so that a line started anew keeps its history.
        year = self.calendar.face(self.calendar.standard(now)).year
        luck = digest("life", seed, address)
        born = date(year - options.years, 1, 1) - timedelta(days=1 + luck[0] % 60)
        self._started = day_start(born)
        self._made_on = born - timedelta(days=20 + luck[1] % 40)
        self.initialised = self.calendar.face(self._started)
        self._outages = self._real_outages()
        self._counter = Counter(
            options, seed, address, self.calendar, self._started,
            [(outage.start, outage.end) for outage in self._outages],
        )  # fmt: skip
        self.kind = self._counter.kind
        self.ring = Ring(
            self._counter, self.calendar, self._outages,
            places=options.ring, period=options.period, first_end=self._started,
            wide=options.firmware >= _RECORD_NUMBERS,
        )  # fmt: skip
        self.registers = Registers(self._counter, self.calendar, options.constant)
        self._journals = Journals(self.calendar, self._started, self._outages)
        self._key = f"{seed}/{address}"
        self._long = options.firmware >= _LONG_ANSWERS
        self._new = options.firmware >= _NEW_GENERATION
        self._channel = Channel(
            {READER: options.password, OWNER: options.owner_password},
            lifetime_s=240 if self._long else 20,
        )
        self._fixed_at: int | None = None

    # The truth, for tests and proofs: from the load model, never from encoded bytes.

    def truth(self, start: datetime, end: datetime) -> list[TruthSlot]:
        """Slots that end after one reading of the face and not after another, oldest first.

        It says what is or will be recorded; ``kept`` says what the ring holds at an instant.
        """
        ring, first_s, last_s = self.ring, *map(self.calendar.from_face, (start, end))
        first = max(1, ring.number_at(first_s + 1))
        last = ring.number_at(last_s + 1) - 1
        return [ring.slot(number) for number in range(first, last + 1)]

    def kept(self, now: datetime) -> tuple[datetime, datetime]:
        """Give the span, for ``truth``, of the slots that the ring holds at an instant."""
        newest = self.ring.passed(self.calendar.standard(now))
        before = max(0, newest - self.options.ring)
        face, ring = self.calendar.face, self.ring
        return face(ring.end_of(before)), face(ring.end_of(newest))

    def face(self, now: datetime) -> datetime:
        """What the meter's clock shows at an instant."""
        return self.calendar.face(self.calendar.standard(now))

    def register_wh(
        self, now: datetime, tariff: int = energy.SUM, *, array: int = 0, month: int = 0
    ) -> Four:
        """A+, A-, R+, R- of a register at an instant, None where not metered.

        Raises:
            ValueError: there is no such array or month.
        """
        four = self.registers.read(array, month, tariff, self.calendar.standard(now))
        if four is None:
            raise ValueError(f"The meter has no energy array {array:X} with month {month}.")
        return four

    def counts_at(self, face: datetime, tariff: int = energy.SUM) -> tuple[int, int, int, int]:
        """Counts since initialisation of A+, A-, R+, R- when the face shows this."""
        at = self.calendar.from_face(face)
        first, second, third, fourth = (self._counter.upto(c, at, tariff) for c in range(4))
        return first, second, third, fourth

    # The conversation.

    def answer(self, body: bytes, now: datetime, *, group: bool = False) -> Answer | None:
        """Answer one request, code first, without address and CRC; None for silence.

        Args:
            body: code and parameters.
            now: aware instant.
            group: it came to a group address, where writes are ignored.
        """
        at = self.calendar.standard(now)
        powered_since = self._powered_since(at)
        if powered_since is None or not body or not self._length_fits(body):
            return None
        code = body[0]
        if group and code == 0x03:
            return None
        level = self._channel.level(at, powered_since)
        if level:
            self._channel.touch(at)
        if code == 0x01:
            opened = self._channel.open(body[1], body[2:], at, powered_since)
            return self._status(OK if opened else LEVEL_TOO_LOW)
        if body == b"\x03\x08":
            self._fixed_at = at
            return Answer(bytes((OK,)), max(_FIX_S, self.options.turnaround_s))
        if code == 0x00:
            return self._status(OK)
        if code == 0x02:
            self._channel.close()
            return self._status(OK)
        if not level and body != b"\x08\x00":
            return self._status(CHANNEL_CLOSED)
        handler = self._HANDLERS.get(code)
        result = BAD_REQUEST if handler is None else handler(self, body, at, level)
        return self._status(result) if isinstance(result, int) else self._data(result)

    def fix(self, now: datetime) -> None:
        """Latch the instantaneous values, as by a broadcast 03 08."""
        at = self.calendar.standard(now)
        if self._powered_since(at) is not None:
            self._fixed_at = at

    def _status(self, status: int) -> Answer:
        return Answer(bytes((status,)), self.options.turnaround_s)

    def _data(self, data: bytes) -> Answer:
        pause = self.options.turnaround_s
        return Answer(data, max(pause, _LONG_GAP_S) if len(data) > _CLASSIC_DATA else pause)

    def _length_fits(self, body: bytes) -> bool:
        """A request of a wrong length for its code gets no answer at all."""
        code, length = body[0], len(body)
        if code == 0x04:
            return length in ({2, 3} if body[1:2] == b"\0" else {3})
        if code == 0x03:
            return length == 2 if body[1:2] == b"\x08" else length >= 2
        if code == 0x08:
            parameter = body[1] if length > 1 else -1
            if parameter in {0x01, 0x12}:
                return length == 2 or (length == 3 and body[2] == 0 and self._new)
            if parameter in _ONE_ARGUMENT:
                return length == 3
            return length == (5 if parameter == 0x22 else 2)
        expected = {0x00: 1, 0x01: 8, 0x02: 1, 0x05: 3, 0x06: 5, 0x15: 3, 0x16: 5}.get(code)
        return expected is None or length == expected

    def _powered_since(self, at: int) -> int | None:
        """When the power last came, None while it is off."""
        since = self._started
        for outage in self._outages:
            if outage.start <= at < outage.end:
                return None
            if outage.end <= at:
                since = outage.end
        return since

    def _real_outages(self) -> list[Outage]:
        spans = []
        for start, end in self.options.outages:
            first, last = self.calendar.from_face(start), self.calendar.from_face(end)
            if last > self._started:
                spans.append(Outage(max(first, self._started), last))
        return spans

    def _write(self, body: bytes, _at: int, level: int) -> int:
        parameter = body[1]
        if parameter not in _WRITES:
            return BAD_REQUEST
        if parameter in _FACTORY_WRITES:
            return LEVEL_TOO_LOW
        if parameter not in _READER_WRITES and level < OWNER:
            return LEVEL_TOO_LOW
        return BAD_REQUEST

    def _clock_or_journal(self, body: bytes, at: int, _level: int) -> bytes | int:
        if body[1] == 0:
            return layouts.clock(self.calendar.face(at), winter=not self.calendar.is_summer(at))
        found = self._journals.read(
            body[1], body[2], at, long=self._long, last=self.options.firmware >= _LAST_RECORD
        )
        return BAD_REQUEST if found is None else found

    def _energy(self, body: bytes, at: int, _level: int) -> bytes | int:
        array, month, tariff = body[1] >> 4, body[1] & 0xF, body[2]
        if array >= 0x9 and not self._has_starts():
            return BAD_REQUEST
        if tariff == 6:
            if not self._long:
                return BAD_REQUEST
            parts = [self._one_energy(array, month, each, at) for each in (1, 2, 3, 4, 0)]
            return BAD_REQUEST if None in parts else b"".join(part for part in parts if part)
        found = self._one_energy(array, month, tariff, at) if tariff <= 5 else None
        return BAD_REQUEST if found is None else found

    def _one_energy(self, array: int, month: int, tariff: int, at: int) -> bytes | None:
        if array == 0x6:
            return None if month else layouts.energies(self.registers.by_phase(at, tariff))
        four = self.registers.read(array, month, tariff, at)
        return None if four is None else layouts.energies(four)

    def _has_starts(self) -> bool:
        """Registers at the start of a span: in the papers of 2.3.4 and of 8/9, not of 7.1.1."""
        return self._new or (2, 3, 4) <= self.options.firmware < (3, 0, 0)

    def _quadrants(self, body: bytes, at: int, _level: int) -> bytes | int:
        array, month, tariff = body[1] >> 4, body[1] & 0xF, body[2]
        if not self._new or tariff > 5 or array == 0x6:
            return BAD_REQUEST
        four = self.registers.quadrants(array, month, tariff, at)
        return BAD_REQUEST if four is None else layouts.energies(four)

    def _memory(self, body: bytes, at: int, _level: int) -> bytes | int:
        memory, kind, count = body[1] & 0xF, body[1] >> 4 & 0x7, body[4]
        if memory == 2:
            return INTERNAL
        if memory != 3 or kind > 4:
            return BAD_REQUEST
        address = (body[1] >> 7) << 16 | body[2] << 8 | body[3]
        place, rest = divmod(address, 0x10)
        if rest or place >= self.options.ring:
            return BAD_REQUEST
        if kind == 0 and count == 0x0F:
            return self.ring.records(at, range(place, place + 1))
        if kind == 0 and count == 0xFF:
            places = range(place, place + _BLOCK)
            # Whether hardware reads over an edge is not known; here it does not.
            if not self._long or self._crosses_edge(places):
                return BAD_REQUEST
            return self.ring.records(at, places)
        if kind and 0 < count <= 0x10 and count % 2 == 0:
            places = range(place, place + count // 2)
            if self._crosses_edge(places):
                return BAD_REQUEST
            return self.ring.words(at, places, kind - 1)
        return INTERNAL

    def _crosses_edge(self, places: range) -> bool:
        return places[0] >> 12 != places[-1] >> 12

    def _relative(self, body: bytes, at: int, _level: int) -> bytes | int:
        memory, offset, count = body[1], body[2] << 8 | body[3], body[4]
        if not self._new or memory != 3 or not 0 < count * RECORD <= 0xFF:
            return BAD_REQUEST
        if offset + count > self.options.ring:
            return BAD_REQUEST
        newest = self.ring.last_written(at) - offset
        return self.ring.records(at, range(newest - count + 1, newest + 1))

    def _parameter(self, body: bytes, at: int, _level: int) -> bytes | int:
        parameter, extra = body[1], body[2:]
        if parameter in {0x11, 0x14, 0x16}:
            found = self._network(parameter, extra[0], at)
            return BAD_REQUEST if found is None else found
        if parameter == 0x01:
            whole = self._identity() + self._firmware() + self._variant()
            return whole + self._program_crc() + bytes(6) if extra else whole
        if parameter == 0x12:
            return self._variant() + bytes(6) if extra else self._variant()
        if parameter == 0x13:
            return self.ring.last_record(at)
        plain = self._PLAIN.get(parameter)
        return BAD_REQUEST if plain is None else plain(self, at)

    def _network(self, parameter: int, bwri: int, at: int) -> bytes | None:
        if parameter == 0x14:
            return self._fixed(bwri)
        moment = instant.observe(self._counter, self.options.constant, self._key, at)
        if parameter == 0x11:
            return instant.one(moment, bwri)
        if bwri == 0xA0:
            return instant.everything(moment, extended=self._new) if self._long else None
        return instant.group(moment, bwri)

    def _fixed(self, bwri: int) -> bytes | None:
        at = self._started if self._fixed_at is None else self._fixed_at
        if bwri >> 4 == 0xE:
            return layouts.clock(self.calendar.face(at), winter=not self.calendar.is_summer(at))
        if bwri >> 4 == 0xF:
            tariff = bwri & 0xF
            return None if tariff > 4 else layouts.energies(self.registers.since_reset(at, tariff))
        moment = instant.observe(self._counter, self.options.constant, self._key, at)
        if bwri != 0xA0:
            return instant.fixed(moment, bwri)
        if not self._long:
            return None
        parts = (0xE0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF0, 0x00, 0x04, 0x08, 0x10, 0x50, 0x20, 0x30, 0x40)
        return b"".join(self._fixed(part) or b"" for part in parts)

    def _identity(self) -> bytes:
        made = self._made_on
        date_bytes = bytes((made.day, made.month, made.year % 100))
        return layouts.decimal_pairs(self.serial) + date_bytes

    def _firmware(self) -> bytes:
        return bytes(self.options.firmware)

    def _program_crc(self) -> bytes:
        return crc16(b"program " + self._firmware()).to_bytes(2, "big")

    def _variant(self) -> bytes:
        nominal = 0 if self.options.constant in {5000, 25000} else 0x04
        one_direction = 0x80 if self.options.directions == 1 else 0
        large = 0x80 if self.options.ring == 8192 else 0
        return bytes((
            0xB0 | nominal,
            0x60 | one_direction | CONSTANT_CODES[self.options.constant],
            0xC2,
            0x16 | large,
            0x03,
            0x00,
        ))  # fmt: skip

    def _status_word(self, _at: int) -> bytes:
        if self._long:
            return bytes(6)
        return bytes(4 if self.options.firmware < (1, 5, 2) else 5)

    def _tariff(self, at: int) -> bytes:
        current = self._counter.tariff_at(at)
        return bytes((0, (current - 1) << 1 | (self.options.tariffs == 1)))

    _HANDLERS: "dict[int, Callable[[VirtualMeter, bytes, int, int], bytes | int]]" = {
        0x03: _write,
        0x04: _clock_or_journal,
        0x05: _energy,
        0x06: _memory,
        0x08: _parameter,
        0x15: _quadrants,
        0x16: _relative,
    }

    _PLAIN: "dict[int, Callable[[VirtualMeter, int], bytes]]" = {
        0x00: lambda self, _: self._identity(),
        0x02: lambda self, _: b"\0\1\0\1",
        0x03: lambda self, _: self._firmware(),
        0x04: lambda self, _: b"\0\1",
        0x05: lambda self, _: bytes((0, self.address)),
        0x07: lambda self, _: bytes.fromhex("02 07 03 03 07 10"),
        0x08: lambda self, _: b"\0\x1e",
        0x09: lambda self, _: b"\x84\x21",
        0x0A: _status_word,
        0x0B: lambda self, _: bytes(4),
        0x17: _tariff,
        0x18: lambda self, _: bytes(2),
        0x1D: lambda self, _: b"\0\1",
        0x21: lambda self, _: b"\x14\x14",
        0x24: lambda self, _: bytes(2),
        0x26: lambda self, _: self._program_crc(),
    }


def _serial(seed: int, address: int) -> str:
    """Eight digits; the last three are the address, as a meter leaves the factory."""
    number = int.from_bytes(digest("serial", seed)[:4], "big") + 7_919 * address
    return f"{number % 100_000:05d}{address:03d}"
