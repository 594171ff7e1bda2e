"""What a bad line does to frames, with a seed: the same faults for every driver."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from corefast.crc import is_sealed, seal
from hub.errors import BadLine

LATE_BY_S = 1.0
MAX_LEADING_FF = 3
MAX_SECONDS = 60.0
BURST_BYTES = 8
MOST_BURSTS = 2  # in one frame
BUSY_FOR = 5  # requests


@dataclass(slots=True)
class FaultCounts:
    """Frames, by what happened to them. A frame may be counted under several kinds."""

    carried: int = 0
    lost: int = 0
    damaged: int = 0
    bursts: int = 0
    readdressed: int = 0
    unheard: int = 0  # requests that came while the meters were busy
    halved: int = 0
    late: int = 0
    leading_ff: int = 0


class Faults:
    """The faults of one line. Rates are probabilities of a frame, ``damage`` of each byte.

    ``loss``, ``bit`` (one bit flipped) and ``damage`` (a byte replaced) hit requests and answers
    alike, as does ``burst``: one or two runs of 2 to ``burst_bytes`` bytes become anything. (A
    check of 16 bits catches a single run of two bytes and misses one in 65,536 of the rest.)
    ``half`` (the answer breaks off), ``late`` (it comes ``late_by`` seconds later), ``leading_ff``
    and ``address`` (it bears another address, and a right check if it had a CRC-16/MODBUS) hit
    answers only. ``busy``: of requests; the meters answer neither this one nor those that follow,
    ``busy_for`` in all. ``latency`` delays every answer by so many seconds; with ``echo`` the line
    repeats each request to its sender first. ``witness`` is shown each frame that was damaged, as
    sent and as received.
    """

    def __init__(
        self,
        *,
        loss: float = 0.0,
        bit: float = 0.0,
        damage: float = 0.0,
        half: float = 0.0,
        late: float = 0.0,
        late_by: float = LATE_BY_S,
        leading_ff: float = 0.0,
        burst: float = 0.0,
        burst_bytes: int = BURST_BYTES,
        address: float = 0.0,
        busy: float = 0.0,
        busy_for: int = BUSY_FOR,
        latency: float = 0.0,
        echo: bool = False,
        seed: int = 0,
        witness: Callable[[bytes, bytes], None] | None = None,
    ) -> None:
        self.loss = loss
        self.bit = bit
        self.damage = damage
        self.half = half
        self.late = late
        self.late_by = late_by
        self.leading_ff = leading_ff
        self.burst = burst
        self.burst_bytes = burst_bytes
        self.address = address
        self.busy = busy
        self.busy_for = busy_for
        self.latency = latency
        self.echo = echo
        self.counts = FaultCounts()
        self._busy_left = 0
        self._witness = witness
        self._random = random.Random(seed)  # noqa: S311 - repeatable noise is the point

    @classmethod
    def parse(cls, texts: Iterable[str], *, seed: int = 0) -> "Faults":
        """Read ``kind=number`` pairs, as the command line takes them; ``BadLine`` if wrong.

        A ``seed=N`` among them goes before the argument.
        """
        found: dict[str, Any] = {}
        for text in texts:
            name, _, value = text.partition("=")
            name = name.strip().replace("-", "_")
            most = _MOST.get(name)
            if most is None:
                raise BadLine(f"There is no fault '{name}'; there are {', '.join(_MOST)}.")
            try:
                number = float(value)
            except ValueError as error:
                raise BadLine(f"The fault '{text}' has no number; write {name}=0.01.") from error
            if not 0 <= number <= most:
                raise BadLine(f"The fault '{text}' is out of range; write 0 to {most:g}.")
            found[name] = number
        for name in ("burst_bytes", "busy_for"):
            if name in found:
                found[name] = max(int(found[name]), _LEAST[name])
        return cls(seed=int(found.pop("seed", seed)), echo=bool(found.pop("echo", 0)), **found)

    def request(self, frame: bytes) -> bytes | None:
        """Return what of a request reaches the meters; None: nothing."""
        if not self._busy_left and self._happens(self.busy):
            self._busy_left = self.busy_for
        if self._busy_left:
            self._busy_left -= 1
            self.counts.unheard += 1
            return None
        return self._carry(frame)

    def answer(self, frame: bytes) -> tuple[float, bytes] | None:
        """Return what of an answer comes back, and by how many seconds later; None: nothing."""
        if self._happens(self.address):
            frame = self._readdressed(frame)
        arrived = self._carry(frame)
        if arrived is None:
            return None
        delay = self.latency
        if self._happens(self.half):
            self.counts.halved += 1
            arrived = arrived[: (len(arrived) + 1) // 2]
        if self._happens(self.leading_ff):
            self.counts.leading_ff += 1
            arrived = b"\xff" * self._random.randint(1, MAX_LEADING_FF) + arrived
        if self._happens(self.late):
            self.counts.late += 1
            delay += self.late_by
        return delay, arrived

    def _carry(self, frame: bytes) -> bytes | None:
        self.counts.carried += 1
        if self._happens(self.loss):
            self.counts.lost += 1
            return None
        arrived = bytearray(frame)
        if self._happens(self.bit):
            place = self._random.randrange(8 * len(frame))
            arrived[place // 8] ^= 1 << place % 8
        if self.damage:
            for place in range(len(frame)):
                if self._happens(self.damage):
                    arrived[place] ^= self._random.randint(1, 255)
        if self._happens(self.burst):
            self._burst(arrived)
        if arrived != frame:
            self.counts.damaged += 1
            if self._witness is not None:
                self._witness(frame, bytes(arrived))
        return bytes(arrived)

    def _burst(self, frame: bytearray) -> None:
        for _ in range(self._random.randint(1, MOST_BURSTS)):
            self.counts.bursts += 1
            length = self._random.randint(min(2, self.burst_bytes), self.burst_bytes)
            first = self._random.randrange(len(frame))
            part = frame[first : first + length]
            frame[first : first + length] = self._random.randbytes(len(part))

    def _readdressed(self, frame: bytes) -> bytes:
        self.counts.readdressed += 1
        other = bytes((frame[0] ^ self._random.randint(1, 255),))
        if is_sealed(frame):
            return seal(other + frame[1:-2])
        return other + frame[1:]

    def _happens(self, rate: float) -> bool:
        return rate > 0 and self._random.random() < rate


_LEAST = {"burst_bytes": 1, "busy_for": 1}
_MOST: dict[str, float] = {
    "loss": 1,
    "bit": 1,
    "damage": 1,
    "half": 1,
    "late": 1,
    "late_by": MAX_SECONDS,
    "leading_ff": 1,
    "burst": 1,
    "burst_bytes": 255,
    "address": 1,
    "busy": 1,
    "busy_for": 1000,
    "latency": MAX_SECONDS,
    "echo": 1,
    "seed": float(2**53),
}
