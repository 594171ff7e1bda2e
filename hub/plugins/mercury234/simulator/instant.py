"""Instantaneous values: what the load model means for power, current and voltage right now.

Power is the mean of the half-hour that runs, the network wobbles by a hash of the minute. What is
out of order on the wires (`network`) shows: a phase without voltage has no current either.
"""

from dataclasses import dataclass
from math import isqrt

from hub.plugins.mercury234.simulator import layouts
from hub.plugins.mercury234.simulator.counter import Counter
from hub.plugins.mercury234.simulator.luck import digest
from hub.plugins.mercury234.simulator.network import PHASES, Network

_ACTIVE_REVERSE, _REACTIVE_REVERSE = 0x80, 0x40
_POWER_MAX = 0x3FFFFF


@dataclass(frozen=True, slots=True)
class Moment:
    """The network at one second. Lists of four are sum, L1, L2, L3; of three L1, L2, L3.

    Powers in 0.01 W, var, VA (signed, import positive), ``volts`` and ``angles`` in 0.01,
    ``amperes`` in 0.001, ``hertz`` in 0.01, ``distortion`` in 0.01 %, ``celsius`` in degrees.
    """

    active: tuple[int, ...]
    reactive: tuple[int, ...]
    apparent: tuple[int, ...]
    volts: tuple[int, ...]
    amperes: tuple[int, ...]
    cosines: tuple[int, ...]
    angles: tuple[int, ...]
    hertz: int
    distortion: tuple[int, ...]
    celsius: int

    @property
    def flags(self) -> tuple[int, ...]:
        return tuple(
            (_ACTIVE_REVERSE if p < 0 else 0) | (_REACTIVE_REVERSE if q < 0 else 0)
            for p, q in zip(self.active, self.reactive, strict=True)
        )


def observe(counter: Counter, constant: int, key: str, run: int) -> Moment:
    """Compute the network of the meter named by ``key`` at a run second."""
    counts = [counter.running(channel, run) for channel in range(4)]
    network = counter.piece(run).network
    sign = -1 if network.reverse and not counter.metered[1] else 1
    active = _phases(sign * (counts[0] - counts[1]) * 100_000 // constant, network)
    reactive = _phases((counts[2] - counts[3]) * 100_000 // constant, network)
    apparent = tuple(isqrt(p * p + q * q) for p, q in zip(active, reactive, strict=True))
    luck = digest("network", key, run // 60)
    volts = _volts(layouts.nominal_cv(constant), network, luck)
    lost = [phase in network.lost for phase in PHASES]
    return Moment(
        active=active,
        reactive=reactive,
        apparent=apparent,
        volts=volts,
        amperes=tuple(s * 1000 // u if u else 0 for s, u in zip(apparent[1:], volts, strict=True)),
        cosines=tuple(
            abs(p) * 1000 // s if s else 0 for p, s in zip(active, apparent, strict=True)
        ),
        angles=tuple(
            0 if lost[a] or lost[b] else 12_000 + luck[3 + i] % 41 - 20
            for i, (a, b) in enumerate(((0, 1), (0, 2), (1, 2)))
        ),
        hertz=5_000 + luck[6] % 9 - 4 if network.hertz is None else network.hertz,
        distortion=tuple(0 if lost[i] else 150 + luck[7 + i] % 120 for i in range(3)),
        celsius=18 + luck[10] % 3,
    )


def one(moment: Moment, bwri: int) -> bytes | None:
    """Answer to 08 11: one value, or None for what the meter does not have."""
    kind, power, phase = bwri >> 4, bwri >> 2 & 3, bwri & 3
    if bwri == 0x70:
        return moment.celsius.to_bytes(2, "big", signed=True)
    if kind == 0 and power < 3:
        return _powers(moment, power)[phase]
    if power:
        return None
    if kind in {0x3, 0x4}:
        values = _cosines(moment) if kind == 0x3 else [layouts.order_132(moment.hertz)]
        return values[phase] if phase < len(values) else None
    values = _by_phase(moment, kind)
    return values[phase - 1] if phase and values else None


def group(moment: Moment, bwri: int) -> bytes | None:
    """Answer to 08 16: all phases of a quantity; the phase bits do not matter."""
    kind, power = bwri >> 4, bwri >> 2 & 3
    if kind == 0 and power < 3:
        return b"".join(_powers(moment, power))
    if power:
        return None
    if kind == 3:
        return b"".join(_cosines(moment))
    if kind == 4:
        return layouts.order_132(moment.hertz)
    return b"".join(_by_phase(moment, kind)) or None


def everything(moment: Moment, *, extended: bool) -> bytes:
    """Answer to 08 16 A0: 78 bytes, with distortion and temperature 86."""
    parts = [*(group(moment, bwri) or b"" for bwri in (0x00, 0x04, 0x08, 0x10, 0x50, 0x20, 0x30)),
             layouts.order_132(moment.hertz)]  # fmt: skip
    if extended:
        parts += [group(moment, 0x60) or b"", moment.celsius.to_bytes(2, "big", signed=True)]
    return b"".join(parts)


def fixed(moment: Moment, bwri: int) -> bytes | None:
    """Answer to 08 14 for powers, voltages and the like: powers are four bytes there."""
    power = bwri >> 2 & 3
    if bwri >> 4 != 0:
        return None if bwri >> 4 == 6 else group(moment, bwri)
    if power > 2:
        return None
    values = (moment.active, moment.reactive, moment.apparent)[power]
    return b"".join(
        layouts.order_2143(flag << 24 | abs(value) & 0xFFFFFF)
        for flag, value in zip(moment.flags, values, strict=True)
    )


def _by_phase(moment: Moment, kind: int) -> list[bytes]:
    """Lay out what has three phases and no sum; an empty list for another kind."""
    if kind == 6:
        return [value.to_bytes(2, "little") for value in moment.distortion]
    plain = {1: moment.volts, 2: moment.amperes, 5: moment.angles}.get(kind, ())
    return [layouts.order_132(value) for value in plain]


def _powers(moment: Moment, power: int) -> list[bytes]:
    values = (moment.active, moment.reactive, moment.apparent)[power]
    return [
        layouts.order_132(flag << 16 | min(abs(value), _POWER_MAX))
        for flag, value in zip(moment.flags, values, strict=True)
    ]


def _cosines(moment: Moment) -> list[bytes]:
    return [
        layouts.order_132(flag << 16 | value)
        for flag, value in zip(moment.flags, moment.cosines, strict=True)
    ]


def _volts(nominal: int, network: Network, luck: bytes) -> tuple[int, ...]:
    return tuple(
        0
        if phase in network.lost
        else nominal * (980 + luck[phase - 1] % 41) // 1000
        if percent is None
        else nominal * percent // 100
        for phase, percent in zip(PHASES, network.volts, strict=True)
    )


def _phases(whole: int, network: Network) -> tuple[int, ...]:
    """Spread a whole over the phases; the last one that carries anything takes the rest."""
    shares = [network.share(phase) for phase in PHASES]
    total = sum(shares)
    parts = [whole * share // total if total else 0 for share in shares]
    carrying = [phase for phase in range(3) if shares[phase]]
    if carrying:
        parts[carrying[-1]] += whole - sum(parts)
    return (whole, *parts)
