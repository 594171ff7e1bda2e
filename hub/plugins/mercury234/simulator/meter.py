"""One virtual meter: what it answers, and the truth behind the answers.

Of the writes it does the fixation of data, 03 08; every other write is refused, by level first
(status 3) and then as not in this execution (status 1).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.plugins.mercury234.simulator import parameters, replies
from hub.plugins.mercury234.simulator.energy import SUM, Four
from hub.plugins.mercury234.simulator.memory import TruthSlot
from hub.plugins.mercury234.simulator.options import Options
from hub.plugins.mercury234.simulator.session import OWNER, READER, Channel
from hub.plugins.mercury234.simulator.works import (
    BAD_REQUEST,
    CHANNEL_CLOSED,
    LEVEL_TOO_LOW,
    OK,
    Refusal,
    Works,
    calendar_of,
)

_TEST, _OPEN, _CLOSE, _WRITE, _CLOCK, _PARAMETER = 0x00, 0x01, 0x02, 0x03, 0x04, 0x08
_SERIAL = b"\x08\x00"
FIX = b"\x03\x08"

_FIX_S = 0.120
_LONG_GAP_S = 0.025
_CLASSIC_DATA = 16

#: Length of a request with its code, where the code alone decides.
_LENGTHS = {_TEST: 1, _OPEN: 8, _CLOSE: 1, 0x05: 3, 0x06: 5, 0x15: 3, 0x16: 5}

#: Writes that level 1 may do; those that only the factory may; those that the owner may.
_READER_WRITES = frozenset({0x05, 0x0D, 0x14, 0x15, 0x32})
_FACTORY_WRITES = frozenset({0x0A, 0x20, 0x28, 0x29})
_OWNER_WRITES = frozenset({
    0x00, 0x01, 0x02, 0x03, 0x04, 0x06, 0x0C, 0x10, 0x11, 0x16, 0x18, 0x19, 0x1B, 0x1D, 0x1E,
    0x1F, 0x21, 0x22, 0x23, 0x24, 0x26, 0x27, 0x2A, 0x2C, 0x2D, 0x2E, 0x2F, 0x30, 0x31,
    0x33, 0x34, 0x35, 0x36, 0x37,
})  # fmt: skip

_READS: Mapping[int, Callable[[Works, bytes, int], bytes]] = {
    _CLOCK: replies.clock_or_journal,
    0x05: replies.energy,
    0x06: replies.memory,
    _PARAMETER: parameters.parameter,
    0x15: replies.quadrants,
    0x16: replies.relative,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Data without address and CRC, and the pause in seconds before it leaves."""

    data: bytes
    delay_s: float


class VirtualMeter:
    """A meter that has run for years, computed and not stored.

    ``kind`` names its load, ``initialised`` is the face time of its first second of counting.

    Args:
        options: of the line.
        seed: of the line; with the address it decides all the rest.
        address: 1..F0.
        now: aware instant; its year decides how far back the history goes.

    """

    def __init__(self, options: Options, seed: int, address: int, now: datetime) -> None:
        calendar = calendar_of(options)
        year = calendar.face(calendar.standard(now)).year
        self._works = works = Works(options, seed, address, year)
        self.options = options
        self.address = address
        self.serial = works.serial
        self.kind = works.counter.kind
        self.initialised = works.calendar.face(works.started)
        self._channel = Channel(
            {READER: options.password, OWNER: options.owner_password},
            lifetime_s=240 if works.long_answers else 20,
        )

    # The truth, for tests and proofs: from the load model, never from encoded bytes.

    def truth(self, start: datetime, end: datetime) -> list[TruthSlot]:
        """Compute the slots that end after one reading of the face and not after another.

        Oldest first. It says what is or will be recorded; `kept` says what the ring holds.
        """
        ring, from_face = self._works.ring, self._works.calendar.from_face
        first = max(1, ring.number_at(from_face(start) + 1))
        last = ring.number_at(from_face(end) + 1) - 1
        return [ring.slot(number) for number in range(first, last + 1)]

    def kept(self, now: datetime) -> tuple[datetime, datetime]:
        """Give the span, for `truth`, of the slots that the ring holds at an instant."""
        ring, face = self._works.ring, self._works.calendar.face
        newest = ring.passed(self._works.calendar.standard(now))
        before = max(0, newest - ring.places)
        return face(ring.end_of(before)), face(ring.end_of(newest))

    def face(self, now: datetime) -> datetime:
        """Show what the meter's clock shows at an instant."""
        return self._works.calendar.face(self._works.calendar.standard(now))

    def register_wh(
        self, now: datetime, tariff: int = SUM, *, array: int = 0, month: int = 0
    ) -> Four:
        """Compute A+, A-, R+, R- of a register at an instant, None where not metered.

        Raises:
            ValueError: there is no such array or month.

        """
        at = self._works.calendar.standard(now)
        four = self._works.registers.read(array, month, tariff, at)
        if four is None:
            raise ValueError(f"The meter has no energy array {array:X} with month {month}.")
        return four

    def counts_at(self, face: datetime, tariff: int = SUM) -> tuple[int, int, int, int]:
        """Compute counts of A+, A-, R+, R- since initialisation when the face shows this."""
        at = self._works.calendar.from_face(face)
        upto = self._works.counter.upto
        return upto(0, at, tariff), upto(1, at, tariff), upto(2, at, tariff), upto(3, at, tariff)

    # The conversation.

    def answer(self, body: bytes, now: datetime, *, group: bool = False) -> Answer | None:
        """Answer one request, code first, without address and CRC; None for silence.

        Args:
            body: code and parameters.
            now: aware instant.
            group: it came to the group address, where writes are ignored.

        """
        at = self._works.calendar.standard(now)
        powered_since = self._works.powered_since(at)
        if powered_since is None or not self._length_fits(body):
            return None
        if group and body[0] == _WRITE:
            return None
        level = self._channel.level(at, powered_since)
        if level:
            self._channel.touch(at)
        try:
            data = self._session(body, at, powered_since)
            if data is None:
                data = self._read_or_write(body, at, level)
        except Refusal as refusal:
            data = bytes((refusal.status,))
        return Answer(data, self._pause(body, data))

    def fix(self, now: datetime) -> None:
        """Latch the instantaneous values, as by a broadcast 03 08."""
        at = self._works.calendar.standard(now)
        if self._works.powered_since(at) is not None:
            self._works.fixed_at = at

    def _session(self, body: bytes, at: int, powered_since: int) -> bytes | None:
        """Do what needs no open channel; None if this is not such a request."""
        if body[0] == _OPEN:
            opened = self._channel.open(body[1], body[2:], at, powered_since)
            return bytes((OK if opened else LEVEL_TOO_LOW,))
        if body[0] == _CLOSE:
            self._channel.close()
        elif body == FIX:
            self._works.fixed_at = at
        elif body == _SERIAL:
            return parameters.parameter(self._works, body[1:], at)
        elif body[0] != _TEST:
            return None
        return bytes((OK,))

    def _read_or_write(self, body: bytes, at: int, level: int) -> bytes:
        if not level:
            raise Refusal(CHANNEL_CLOSED)
        if body[0] == _WRITE:
            raise Refusal(_why_not(body[1], level))
        read = _READS.get(body[0])
        if read is None:
            raise Refusal(BAD_REQUEST)
        return read(self._works, body[1:], at)

    def _pause(self, body: bytes, data: bytes) -> float:
        pause = self.options.turnaround_s
        if body == FIX:
            return max(pause, _FIX_S)
        return max(pause, _LONG_GAP_S) if len(data) > _CLASSIC_DATA else pause

    def _length_fits(self, body: bytes) -> bool:
        """Tell whether the length is right; a wrong one gets no answer at all."""
        if not body:
            return False
        code, length = body[0], len(body)
        if code == _CLOCK:
            return length == 3 or body == b"\x04\x00"
        if code == _WRITE:
            return body == FIX or (length >= 2 and body[1] != FIX[1])
        if code == _PARAMETER:
            return parameters.length_fits(self._works, body[1:])
        return length == _LENGTHS.get(code, length)


def _why_not(parameter: int, level: int) -> int:
    """Say with which status a write is refused."""
    if parameter in _FACTORY_WRITES:
        return LEVEL_TOO_LOW
    if parameter in _OWNER_WRITES and level < OWNER:
        return LEVEL_TOO_LOW
    return BAD_REQUEST
