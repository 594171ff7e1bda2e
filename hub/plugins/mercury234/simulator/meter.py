"""One virtual meter: what it answers, and the truth behind the answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from hub.plugins.mercury234.simulator import parameters, replies, writes
from hub.plugins.mercury234.simulator.books import JournalEvent
from hub.plugins.mercury234.simulator.energy import SUM, Four
from hub.plugins.mercury234.simulator.happenings import Plan
from hub.plugins.mercury234.simulator.memory import TruthSlot
from hub.plugins.mercury234.simulator.options import Options
from hub.plugins.mercury234.simulator.session import OWNER, READER, Channel
from hub.plugins.mercury234.simulator.works import Refusal, Works, calendar_of
from hub.plugins.mercury234.simulator.writes import (
    BAD_REQUEST,
    CHANNEL_CLOSED,
    INTERNAL,
    LEVEL_TOO_LOW,
    OK,
)

_TEST, _OPEN, _CLOSE, _WRITE, _CLOCK, _PARAMETER = 0x00, 0x01, 0x02, 0x03, 0x04, 0x08
_PHYSICAL = 0x07  # raw writes; not done by this meter
_SERIAL = b"\x08\x00"
FIX = b"\x03\x08"

_FIX_S = 0.120
_TURNAROUND_S, _LONG_TURNAROUND_S = 0.020, 0.025
_SLOW_S = 1.0
_LAST_ADDRESS = 0xF0
_CLASSIC_DATA = 16

#: Length of a request with its code, where the code alone decides.
_LENGTHS = {_TEST: 1, _OPEN: 8, _CLOSE: 1, 0x05: 3, 0x06: 5, 0x15: 3, 0x16: 5}

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
    """What leaves, from which address, and the pause in seconds before it.

    ``data`` is what stands between address and CRC.
    """

    data: bytes
    delay_s: float
    address: int


class VirtualMeter:
    """A meter that has run for years, computed and not stored.

    ``kind`` names its load, ``initialised`` is the face time of its first second of counting.

    Args:
        options: of the line.
        seed: of the line; with the address it decides all the rest.
        address: 1..F0, as it left the factory.
        now: aware instant; its year decides how far back the history goes.
        plans: what happens to it.

    """

    def __init__(
        self, options: Options, seed: int, address: int, now: datetime,
        plans: Sequence[Plan] = (),
    ) -> None:  # fmt: skip
        calendar = calendar_of(options)
        right = calendar.right(now)
        year = calendar.face(right + options.drift).year
        self._works = works = Works(options, seed, address, year, plans)
        self.options = options
        self.serial = works.serial
        self.kind = works.counter.kind
        self.initialised = works.calendar.face(works.started)
        self._luck = Random(f"{seed}/{address}")  # noqa: S311 - repeatable trouble is the point
        self._channel = Channel(lifetime_s=240 if works.long_answers else 20)
        works.life.advance(right)

    # The truth, for tests and proofs: from the load model, never from encoded bytes.

    @property
    def address(self) -> int:
        """The address that it answers at now."""
        return self._works.life.settings.address

    def truth(self, start: datetime, end: datetime) -> list[TruthSlot]:
        """Compute the slots that end after one reading of the face and not after another.

        In the order of recording. It says what is or will be recorded, if nothing more is
        written to the meter; `kept` says what the ring holds.
        """
        calendar = self._works.calendar
        first, last = calendar.from_face(start) + 1, calendar.from_face(end)
        return list(self._works.at_clock(last).ring.between(first, last))

    def kept(self, now: datetime) -> tuple[datetime, datetime]:
        """Give the span, for `truth`, of the slots that the ring holds at an instant."""
        works, run = self._then(now)
        return works.ring.held(run)

    def journal(self, now: datetime) -> list[JournalEvent]:
        """List all records that the meter has written into its books by an instant.

        Also those that the rings have lost since. By book, oldest first; a record completed
        later is as it was at the instant.
        """
        works, run = self._then(now)
        return works.books.events(run)

    def clock_error_s(self, now: datetime) -> int:
        """Say how many seconds the clock is ahead of what it should show at an instant."""
        works, run = self._then(now)
        return works.timeline.clock(run) - works.calendar.right(now)

    def face(self, now: datetime) -> datetime:
        """Show what the meter's clock shows at an instant."""
        works, run = self._then(now)
        return works.life.face(run)

    def register_wh(
        self, now: datetime, tariff: int = SUM, *, array: int = 0, month: int = 0
    ) -> Four:
        """Compute A+, A-, R+, R- of a register at an instant, None where not metered.

        Raises:
            ValueError: there is no such array or month.

        """
        works, run = self._then(now)
        four = works.registers.read(array, month, tariff, run)
        if four is None:
            raise ValueError(f"The meter has no energy array {array:X} with month {month}.")
        return four

    def counts_at(self, face: datetime, tariff: int = SUM) -> tuple[int, int, int, int]:
        """Compute counts of A+, A-, R+, R- since initialisation when the face showed this last."""
        clock = self._works.calendar.from_face(face)
        works = self._works.at_clock(clock)
        run, upto = works.timeline.at_clock(clock, works.life.run), works.counter.upto
        return (
            upto(0, run, tariff),
            upto(1, run, tariff),
            upto(2, run, tariff),
            upto(3, run, tariff),
        )

    def _then(self, now: datetime) -> tuple[Works, int]:
        """Return the works at an instant, and its run second."""
        right = self._works.calendar.right(now)
        works = self._works.at_right(right)
        return works, works.life.advance(right)

    # The conversation.

    def answer(self, body: bytes, now: datetime, *, group: bool = False) -> Answer | None:
        """Answer one request, code first, without address and CRC; None for silence.

        Args:
            body: code and parameters.
            now: aware instant.
            group: it came to the group address, where writes are ignored.

        """
        works = self._works
        right = works.calendar.right(now)
        run = works.life.advance(right)
        if works.life.off.at(run) is not None:
            return None
        troubles = self._troubles()
        if troubles.keys() & {"silent", "restarting"} or not self._length_fits(body):
            return None
        if group and body[0] == _WRITE:
            return None
        level = self._channel.level(right, works.life.boots)
        if level:
            self._channel.touch(right)
        repeat = works.life.settings.repeat
        try:
            data = self._session(body, right, run)
            if data is None:
                data = self._read_or_write(
                    body, right, run, None if "refusing" in troubles else level
                )
        except Refusal as refusal:
            data = bytes((refusal.status,))
        pause = self._pause(body, data)
        if repeat:
            data = _repeated(body, data)
        address = 0 if group else self.address
        if "misnamed" in troubles:
            address = address % _LAST_ADDRESS + 1
        return Answer(data, pause + troubles.get("slow", 0.0), address)

    def _troubles(self) -> dict[str, float]:
        """Say how this request is met, and by how many seconds later."""
        found = {trouble.how: trouble.seconds for trouble in self._works.life.trouble}
        for how, rate in self.options.troubles:
            if self._luck.random() < rate:
                found[how] = _SLOW_S
                if how == "restarting":
                    self._works.life.restart()
        return found

    def fix(self, now: datetime) -> None:
        """Latch the instantaneous values, as by a broadcast 03 08."""
        run = self._works.life.advance(self._works.calendar.right(now))
        if self._works.life.off.at(run) is None:
            self._works.fixed_at = run

    def _session(self, body: bytes, right: int, run: int) -> bytes | None:
        """Do what needs no open channel; None if this is not such a request."""
        if body[0] == _OPEN:
            return bytes((self._open(body[1], body[2:], right),))
        if body[0] == _CLOSE:
            self._channel.close()
        elif body == FIX:
            self._works.fixed_at = run
        elif body == _SERIAL:
            return parameters.parameter(self._works, body[1:], run)
        elif body[0] != _TEST:
            return None
        return bytes((OK,))

    def _open(self, level: int, password: bytes, right: int) -> int:
        """Try a password; a wrong one also closes what was open."""
        life = self._works.life
        passwords = {READER: life.settings.password, OWNER: life.settings.owner_password}
        self._channel.close()
        if passwords.get(level) != password:
            return LEVEL_TOO_LOW
        self._channel.open(level, right, life.boots)
        return OK

    def _read_or_write(self, body: bytes, right: int, run: int, level: int | None) -> bytes:
        """Do what needs an open channel; without a level at all the meter refuses everything."""
        if level is None:
            raise Refusal(INTERNAL)
        if not level:
            raise Refusal(CHANNEL_CLOSED)
        if body[0] == _WRITE:
            return bytes((self._works.write(body[1], body[2:], right, level),))
        if body[0] == _PHYSICAL and level < OWNER:
            raise Refusal(LEVEL_TOO_LOW)
        read = _READS.get(body[0])
        if read is None:
            raise Refusal(BAD_REQUEST)
        return read(self._works, body[1:], run)

    def _pause(self, body: bytes, data: bytes) -> float:
        long = len(data) > _CLASSIC_DATA
        usual = _LONG_TURNAROUND_S if long else _TURNAROUND_S
        pause = usual if self.options.turnaround_s is None else self.options.turnaround_s
        return max(pause, _FIX_S) if body == FIX else pause

    def _length_fits(self, body: bytes) -> bool:
        """Tell whether the length is right; a wrong one gets no answer at all."""
        if not body:
            return False
        code, length = body[0], len(body)
        if code == _CLOCK:
            return length == 3 or body == b"\x04\x00"
        if code == _WRITE:
            return body == FIX or (length >= 2 and writes.length_fits(body[1], length - 2))
        if code == _PARAMETER:
            return parameters.length_fits(self._works, body[1:])
        return length == _LENGTHS.get(code, length)


def _repeated(body: bytes, data: bytes) -> bytes:
    """Put the code of the request before the data, as the repeat mode does.

    Where the code stands no paper draws. A test answers 80 there, of which the low nibble counts.
    """
    return bytes((body[0],)) + (b"\x80" if body[0] == _TEST else data)
