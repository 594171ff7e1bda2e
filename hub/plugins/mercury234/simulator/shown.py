"""Answers to code 08 that show what is set, as the meter lays it out.

What is written as plain big-endian is read in other orders: limits in the orders of powers and
energies, loss powers and limits of quality as little-endian words.
"""

from collections.abc import Callable, Mapping

from hub.plugins.mercury234.simulator import layouts
from hub.plugins.mercury234.simulator.load import CELL, CELLS
from hub.plugins.mercury234.simulator.settings import Settings
from hub.plugins.mercury234.simulator.works import Refusal, Works
from hub.plugins.mercury234.simulator.writes import BAD_REQUEST, TARIFFS

Shown = Callable[[Works, Settings, bytes], bytes]

_FACTORY_MAXIMA = bytes.fromhex("00 09 00 11 00 18 00 20")
_SCHEDULE_POINTS = 8


def maxima_hours(settings: Settings, month: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return minutes of the day at which the morning and the evening of maxima start and end."""
    written = settings.kept(0x23, month, _FACTORY_MAXIMA)
    a, b, c, d = (
        (layouts.from_bcd(written[i]) or 0) + 60 * (layouts.from_bcd(written[i + 1]) or 0)
        for i in range(0, 8, 2)
    )
    return (a, b), (c, d)


def _of_month(parameter: int, otherwise: bytes) -> Shown:
    def show(_works: Works, settings: Settings, extra: bytes) -> bytes:
        if not 1 <= extra[0] <= 12:
            raise Refusal(BAD_REQUEST)
        return settings.kept(parameter, extra[0], otherwise)

    return show


def _kept(parameter: int, otherwise: str) -> Shown:
    """Show what was written, as it was written."""
    factory = bytes.fromhex(otherwise)
    return lambda _works, settings, _extra: settings.kept(parameter, 0, factory)


def _multiplier(parameter: int) -> Shown:
    """Show the last byte that was written as a multiplier of time-outs."""
    return lambda _works, settings, _extra: b"\0" + settings.kept(parameter, 0, b"\1")[-1:]


def _ratios(_works: Works, settings: Settings, _extra: bytes) -> bytes:
    return settings.voltage_ratio.to_bytes(2, "big") + settings.current_ratio.to_bytes(2, "big")


def _address(_works: Works, settings: Settings, _extra: bytes) -> bytes:
    return bytes((0, settings.address))


def _mask(_works: Works, settings: Settings, extra: bytes) -> bytes:
    return settings.kept(0x03, extra[0], b"")[:16].ljust(16, b"\0")


def _control_time(_works: Works, settings: Settings, _extra: bytes) -> bytes:
    return settings.power_control_s.to_bytes(2, "big")


def _load_control(_works: Works, settings: Settings, _extra: bytes) -> bytes:
    """Show the load-control word, section 6.3 of the protocol paper."""
    first = sum(0x10 << tariff - 1 for tariff in settings.tripped if settings.energy_control)
    first |= settings.ordered_off << 3 | settings.energy_control << 2
    first |= settings.power_control << 1 | settings.output_switches
    forbidden = settings.power_control and settings.power_tripped
    return bytes((first, settings.load_off << 1 | forbidden << 6))


def _power_limit(_works: Works, settings: Settings, _extra: bytes) -> bytes:
    return layouts.order_132(settings.power_limit)


def _energy_limit(_works: Works, settings: Settings, extra: bytes) -> bytes:
    if extra[0] not in TARIFFS:
        raise Refusal(BAD_REQUEST)
    return layouts.order_2143(settings.energy_limits[extra[0] - 1])


def _loss_mode(works: Works, settings: Settings, _extra: bytes) -> bytes:
    return settings.kept(0x33, 0, b"\x3f\xc0" if works.options.losses else b"\0\0")[::-1]


def _loss_powers(works: Works, settings: Settings, _extra: bytes) -> bytes:
    written = settings.kept(0x34, 0, b"\x13\x88" * 6 if works.options.losses else bytes(12))
    return b"".join(written[i : i + 2][::-1] for i in range(0, 12, 2))


def _quality_limits(_works: Works, settings: Settings, _extra: bytes) -> bytes:
    return b"".join(limit.to_bytes(2, "little") for limit in settings.quality_limits)


def _schedule(works: Works, settings: Settings, extra: bytes) -> bytes:
    """Show up to eight changes of tariff of a day: minute, then hour with the tariff above it.

    The layout is read off the one example that the papers share; the papers do not explain it.
    """
    zones = works.counter.zones
    points = [
        bytes((start * CELL // 60 % 60, zones[start] << 5 | start * CELL // 3600))
        for start in range(CELLS)
        if start == 0 or zones[start] != zones[start - 1]
    ]
    end = bytes((0, zones[-1] << 5 | 24))
    points += [end] * (_SCHEDULE_POINTS - len(points))
    return settings.kept(0x1D, int.from_bytes(extra, "big"), b"".join(points))


SHOWN: Mapping[int, Shown] = {
    0x02: _ratios,
    0x04: _multiplier(0x14),
    0x05: _address,
    0x06: _mask,
    0x07: _kept(0x19, "02 07 03 03 07 10"),  # last Sundays of March and October
    0x08: _control_time,
    0x09: lambda _works, _settings, _extra: b"\x84\x21",
    0x0B: _kept(0x22, "00 00 00 00"),
    0x0C: _of_month(0x23, _FACTORY_MAXIMA),
    0x18: _load_control,
    0x19: _power_limit,
    0x1A: _energy_limit,
    0x1B: _kept(0x01, "1F 00 1F 00 1F 00 1F 00"),
    0x1C: _kept(0x02, "C1 2D 0F 1E"),
    0x1D: _multiplier(0x32),
    0x1E: _loss_mode,
    0x1F: _loss_powers,
    0x20: _quality_limits,
    0x21: _kept(0x37, "14 14"),
    0x22: _schedule,
    0x23: _of_month(0x1E, bytes(4)),
}
