"""Meters on one line, and the bytes that come to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from corefast.crc import is_sealed, seal
from hub.plugins.mercury234.simulator import hdlc
from hub.plugins.mercury234.simulator.meter import FIX, VirtualMeter
from hub.plugins.mercury234.simulator.options import LineSettings, Options
from hub.plugins.mercury234.simulator.works import calendar_of

GROUP, BROADCAST, LAST_ADDRESS = 0x00, 0xFE, 0xF0

_HDLC_TURNAROUND_S = 0.020
_SHORTEST = 4
_LONGEST = 64
_FORGOTTEN = timedelta(seconds=0.25)


class Connection:
    """One way to the line with its own half-received request; the meters are shared."""

    def __init__(self, line: "VirtualLine") -> None:
        self._line = line
        self._pending = b""
        self._came = datetime.min.replace(tzinfo=UTC)

    def receive(self, data: bytes, now: datetime) -> Sequence[tuple[float, bytes]]:
        """Take bytes of a request, whole or in parts, and answer when one is complete.

        A request is complete when its CRC fits. Bytes that never became one are dropped a
        quarter of a second later, or when a whole request comes without them. No bytes at all
        are no request, but the meters come to life.

        Args:
            data: bytes from the line.
            now: aware instant at which they came; the meters have no other clock.

        """
        self._line.wake(now)
        if now - self._came > _FORGOTTEN:
            self._pending = b""
        self._came = now
        for frame in (self._pending + data, data):
            answers = self._answers(frame, now)
            if answers is not None:
                self._pending = b""
                return answers
        self._pending = (self._pending + data)[-_LONGEST:]
        return ()

    def _answers(self, frame: bytes, now: datetime) -> Sequence[tuple[float, bytes]] | None:
        """Answer what is a whole request, None for anything else."""
        if self._line.speaks_hdlc:
            return self._line.hdlc_answers(frame) or None
        if len(frame) >= _SHORTEST and is_sealed(frame):
            return self._line.answers(frame, now)
        return None


class VirtualLine:
    """Virtual Mercury 234 meters at ``address`` ... ``address + meters - 1``.

    The same settings and the same instant give the same meters and history, to the count. A
    history starts at a day that depends on the seed, the address and the year of the option
    ``now`` (else of the first instant seen), so it is the same for a line started later.

    Args:
        settings: the plugin API's SimulatorSettings, by shape.
        now: the instant to build the history up to when the option ``now`` is not given.

    Raises:
        ValueError: a sentence about the setting that cannot be.

    """

    def __init__(self, settings: LineSettings, now: datetime | None = None) -> None:
        last = settings.address + settings.meters - 1
        if settings.meters < 1 or settings.address < 1 or last > LAST_ADDRESS:
            raise ValueError(
                f"Meters at addresses {settings.address} to {last} cannot be; a line has room "
                f"for 1 to {LAST_ADDRESS}."
            )
        self._settings = settings
        self._options = Options.parse(settings.options)
        self._meters: dict[int, VirtualMeter] = {}
        self._connection = Connection(self)
        start = self._options.now or now
        if start is not None:
            self.wake(start)

    @property
    def meters(self) -> dict[int, VirtualMeter]:
        """The meters by address. Raises ValueError before any instant is known."""
        if not self._meters:
            raise ValueError("Give the option now, or an instant, before asking for the meters.")
        return self._meters

    def wake(self, now: datetime) -> None:
        """Let the meters have lived up to an instant; only the first call does it."""
        if self._meters:
            return
        settings, options = self._settings, self._options
        calendar, scenario = calendar_of(options), options.scenario
        right = calendar.right(now)
        for address in range(settings.address, settings.address + settings.meters):
            plans = scenario.plans(address, settings.seed, calendar, right) if scenario else ()
            self._meters[address] = VirtualMeter(options, settings.seed, address, now, plans)

    def new_connection(self) -> Connection:
        """Another way to the same meters, for a client of its own."""
        return Connection(self)

    def receive(self, data: bytes, now: datetime) -> Sequence[tuple[float, bytes]]:
        """See `Connection.receive`; for a line with one client."""
        return self._connection.receive(data, now)

    def answers(self, frame: bytes, now: datetime) -> Sequence[tuple[float, bytes]]:
        """Answers to a request whose CRC fits."""
        address, body = frame[0], frame[1:-2]
        if address == BROADCAST:
            if body == FIX:
                for meter in self._meters.values():
                    meter.fix(now)
            return ()
        if address == GROUP:
            # With several meters all of them talk at once, as on a real line.
            asked = list(self._meters.values())
        else:
            asked = [meter for meter in self._meters.values() if meter.address == address]
        found = []
        for meter in asked:
            answer = meter.answer(body, now, group=address == GROUP)
            if answer is not None:
                found.append((answer.delay_s, seal(bytes((answer.address,)) + answer.data)))
        return found

    @property
    def speaks_hdlc(self) -> bool:
        """Whether these are meters that know another protocol only."""
        return self._options.dlms

    def hdlc_answers(self, heard: bytes) -> Sequence[tuple[float, bytes]]:
        """Answers to a frame of HDLC."""
        found = []
        first = self._settings.address
        for address in range(first, first + self._settings.meters):
            answer = hdlc.answer(heard, address)
            if answer is not None:
                found.append((_HDLC_TURNAROUND_S, answer))
        return found
