"""A bare client for the virtual meter: frames by hand, no driver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from corefast.crc import is_sealed, seal
from hub.plugins.api.meter import SimulatorSettings
from hub.plugins.mercury234.simulator import VirtualLine, VirtualMeter, build, truth

NOW = datetime(2026, 11, 24, 9, 7, 31, tzinfo=UTC)

OUTAGE = "2026-11-03T10:00/2026-11-03T15:10"

OPEN = "01 01 010101010101"
OPEN_OWNER = "01 02 020202020202"


def settings(meters=1, address=1, seed=7, **options: str) -> SimulatorSettings:
    return SimulatorSettings(meters=meters, address=address, seed=seed, options=options)


@dataclass
class Client:
    """Asks one line, mostly the meter at one address."""

    line: VirtualLine
    address: int = 1
    now: datetime = NOW
    delays: list[float] = field(default_factory=list)

    def raw(self, frame: bytes) -> list[bytes]:
        answers = self.line.receive(frame, self.now)
        self.delays = [delay for delay, _ in answers]
        return [answer for _, answer in answers]

    def ask(self, hexes: str, address: int | None = None) -> bytes | None:
        """Data of the answer, None for silence."""
        to = self.address if address is None else address
        answers = self.raw(seal(bytes((to,)) + bytes.fromhex(hexes)))
        if not answers:
            return None
        (answer,) = answers
        assert is_sealed(answer)
        assert answer[0] == to
        return answer[1:-2]

    def open(self) -> "Client":
        assert self.ask(OPEN) == b"\0"
        return self

    def wait(self, **by: float) -> "Client":
        self.now += timedelta(**by)
        return self

    @property
    def meter(self) -> VirtualMeter:
        return self.line.meters[self.address]


def client(meters=1, address=1, seed=7, now=NOW, **options: str) -> Client:
    line = build(settings(meters, address, seed, **options))
    return Client(line, address, now)


def energy_of(data: bytes) -> list[tuple[int | None, ...]]:
    """Rows of four registers from bytes in the order 2-1-4-3."""
    values = []
    for i in range(0, len(data), 4):
        b = data[i : i + 4]
        value = b[1] << 24 | b[0] << 16 | b[3] << 8 | b[2]
        values.append(None if value == 0xFFFFFFFF else value)
    return [tuple(values[i : i + 4]) for i in range(0, len(values), 4)]


def from_bcd(byte: int) -> int:
    return (byte >> 4) * 10 + (byte & 0xF)


def record_of(data: bytes) -> Mapping[str, object] | None:
    """One profile record; None for a place where nothing was ever written."""
    assert len(data) == 15
    if not any(data):
        return None
    hour, minute, day, month, year = map(from_bcd, data[1:6])
    end = datetime(2000 + year, month, day, hour, minute)
    words = [int.from_bytes(data[i : i + 2], "little") for i in range(7, 15, 2)]
    return {
        "status": data[0],
        "end": end,
        "minutes": data[6],
        "counts": tuple(None if word == 0xFFFF else word for word in words),
        "partial": bool(data[0] & 0x02),
        "winter": bool(data[0] & 0x08),
    }


def at_place(asker: Client, place: int) -> Mapping[str, object] | None:
    """The record at a place of the ring, read singly by its byte address."""
    address = place * 0x10
    third = 0x83 if address > 0xFFFF else 0x03
    data = asker.ask(f"06 {third:02X} {address & 0xFFFF:04X} 0F")
    assert data is not None
    return record_of(data)


def summary(seed: int) -> list[object]:
    """What three meters are, as JSON, to compare with those of another process."""
    meters = truth(settings(3, 5, seed, firmware="2.3.4", outage=OUTAGE), NOW)
    return [
        [
            meter.serial,
            meter.kind,
            str(meter.initialised),
            [meter.register_wh(NOW, tariff) for tariff in range(5)],
            [str(slot) for slot in meter.truth(*meter.kept(NOW))[::37]],
        ]
        for meter in meters.values()
    ]


def bcd_times(face: datetime) -> bytes:
    """``ss mm hh dd mm yy`` in BCD."""
    return bytes(int(f"{face:%{c}}", 16) for c in "SMHdmy")


def playing(folder, text: str, **options) -> Client:
    """A client of a meter that lives through a scenario."""
    file = folder / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    return client(scenario=str(file), **options)


def order_132(b: bytes) -> int:
    return (b[0] & 0x3F) << 16 | b[2] << 8 | b[1]


def words_132(data: bytes) -> list[int]:
    return [order_132(data[i : i + 3]) for i in range(0, len(data), 3)]
