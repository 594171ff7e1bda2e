"""Answers to code 08: identity, variant, status, last record, instantaneous values.

Settings are as they left the factory. The tariff schedule (22), the program of PLC and the
second profile are not answered: status 1.
"""

from collections.abc import Callable, Mapping

from corefast.crc import crc16
from hub.plugins.mercury234.simulator import instant, layouts
from hub.plugins.mercury234.simulator.options import CONSTANT_CODES
from hub.plugins.mercury234.simulator.replies import clock
from hub.plugins.mercury234.simulator.works import BAD_REQUEST, Refusal, Works

#: Parameters that take one byte more; 22 takes three, 01 and 12 may take a zero.
_ONE_ARGUMENT = frozenset({0x06, 0x0C, 0x0D, 0x11, 0x14, 0x16, 0x1A, 0x23})
_EXTENSIBLE = frozenset({0x01, 0x12})
_SCHEDULE = 0x22

_MAXIMA_HOURS = ((9, 11), (18, 20))

_ALL = 0xA0
_FIX_PARTS = (
    0xE0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF0, 0x00, 0x04, 0x08, 0x10, 0x50, 0x20, 0x30, 0x40,
)  # fmt: skip


def length_fits(works: Works, asked: bytes) -> bool:
    """Tell whether this many bytes may follow the code 08."""
    if not asked:
        return False
    if asked[0] in _EXTENSIBLE and works.new_generation and asked[1:] == b"\0":
        return True
    extra = 3 if asked[0] == _SCHEDULE else int(asked[0] in _ONE_ARGUMENT)
    return len(asked) == 1 + extra


def parameter(works: Works, asked: bytes, at: int) -> bytes:
    """08: read a parameter; raises `Refusal` for what this execution does not have."""
    reader = _READERS.get(asked[0])
    if reader is None:
        raise Refusal(BAD_REQUEST)
    return reader(works, asked[1:], at)


def _identity(works: Works, _extra: bytes, _at: int) -> bytes:
    made = works.made_on
    return layouts.decimal_pairs(works.serial) + bytes((made.day, made.month, made.year % 100))


def _whole(works: Works, extra: bytes, at: int) -> bytes:
    whole = _identity(works, b"", at) + _firmware(works, b"", at) + _variant(works, b"", at)
    return whole + _program_crc(works, b"", at) + bytes(6) if extra else whole


def _firmware(works: Works, _extra: bytes, _at: int) -> bytes:
    return bytes(works.options.firmware)


def _program_crc(works: Works, _extra: bytes, _at: int) -> bytes:
    return crc16(b"program " + bytes(works.options.firmware)).to_bytes(2, "big")


def _variant(works: Works, extra: bytes, _at: int) -> bytes:
    options = works.options
    nominal = 0x04 if layouts.nominal_cv(options.constant) == 23_000 else 0  # 230 V or 57.7 V
    one_direction = 0x80 if options.directions == 1 else 0
    large = 0x80 if options.ring == 8192 else 0
    variant = bytes((
        0xB0 | nominal,  # classes 1 and 2, 5 A
        0x60 | one_direction | CONSTANT_CODES[options.constant],  # -40 C, profile, three phases
        0xC2,
        0x16 | large,  # optical port, RS-485, external supply
        0x03,  # quality control, A+ by phase
        0x00,  # no second profile
    ))  # fmt: skip
    return variant + bytes(6) if extra else variant


def _quality_limits(works: Works, _extra: bytes, _at: int) -> bytes:
    """Lay out limits of voltage, then of frequency, as little-endian hundredths."""
    nominal = layouts.nominal_cv(works.options.constant)
    limits = [nominal * percent // 100 for percent in (80, 90, 110, 120)]
    return b"".join(v.to_bytes(2, "little") for v in (*limits, 4_950, 4_980, 5_020, 5_050))


def _own_address(works: Works, _extra: bytes, _at: int) -> bytes:
    return bytes((0, works.address))


def _status_word(works: Works, _extra: bytes, _at: int) -> bytes:
    if works.long_answers:
        return bytes(6)
    return bytes(4 if works.options.firmware < (1, 5, 2) else 5)


def _last_record(works: Works, _extra: bytes, at: int) -> bytes:
    return works.ring.last_record(at)


def _tariff(works: Works, _extra: bytes, at: int) -> bytes:
    current = works.counter.tariff_at(at)
    return bytes((0, (current - 1) << 1 | (works.options.tariffs == 1)))


def _maxima_schedule(_works: Works, extra: bytes, _at: int) -> bytes:
    """When the morning and the evening of maxima start and end, minutes before hours."""
    if not 1 <= extra[0] <= 12:
        raise Refusal(BAD_REQUEST)
    return b"".join(bytes((0, layouts.bcd(hour))) for span in _MAXIMA_HOURS for hour in span)


def _maxima(works: Works, extra: bytes, at: int) -> bytes:
    """Lay out the highest count of a month by channel, in the morning and in the evening."""
    start, end = works.registers.span(0x3, extra[0], at) or (None, 0)
    if start is None:
        raise Refusal(BAD_REQUEST)
    highest = works.ring.maxima(start, end, _MAXIMA_HOURS)
    return b"".join(
        (layouts.MASKED_WORD if value is None else value).to_bytes(2, "little") for value in highest
    )


def _one_value(works: Works, extra: bytes, at: int) -> bytes:
    return _had(instant.one(_moment(works, at), extra[0]))


def _group(works: Works, extra: bytes, at: int) -> bytes:
    moment = _moment(works, at)
    if extra[0] == _ALL and works.long_answers:
        return instant.everything(moment, extended=works.new_generation)
    return _had(instant.group(moment, extra[0]))


def _fixed(works: Works, extra: bytes, at: int) -> bytes:
    """Values as latched by 03 08; at the start of the meter's life if it never came."""
    bwri, fixed_at = extra[0], works.fixed_at
    if bwri == _ALL and works.long_answers:
        return b"".join(_fixed(works, bytes((part,)), at) for part in _FIX_PARTS)
    if bwri == 0xE0:
        return clock(works, fixed_at)
    if 0xF0 <= bwri <= 0xF4:
        return layouts.energies(works.registers.since_reset(fixed_at, bwri & 0xF))
    return _had(instant.fixed(_moment(works, fixed_at), bwri))


def _moment(works: Works, at: int) -> instant.Moment:
    return instant.observe(works.counter, works.options.constant, works.key, at)


def _had(found: bytes | None) -> bytes:
    if found is None:
        raise Refusal(BAD_REQUEST)
    return found


def _always(data: bytes) -> "_Reader":
    """Make a reader of a setting that this meter left the factory with."""
    return lambda _works, _extra, _at: data


_Reader = Callable[[Works, bytes, int], bytes]

_READERS: Mapping[int, _Reader] = {
    0x00: _identity,
    0x01: _whole,
    0x02: _always(b"\0\1\0\1"),  # ratios of the transformers, 1 and 1
    0x03: _firmware,
    0x04: _always(b"\0\1"),  # time-out multiplier, additional
    0x05: _own_address,
    0x06: _always(bytes(16)),
    0x07: _always(bytes.fromhex("02 07 03 03 07 10")),  # last Sundays of March and October
    0x08: _always(b"\0\x1e"),
    0x09: _always(b"\x84\x21"),
    0x0A: _status_word,
    0x0B: _always(bytes(4)),
    0x0C: _maxima_schedule,
    0x0D: _maxima,
    0x11: _one_value,
    0x12: _variant,
    0x13: _last_record,
    0x14: _fixed,
    0x16: _group,
    0x17: _tariff,
    0x18: _always(bytes(2)),
    0x19: _always(bytes(3)),  # power limit
    0x1A: _always(bytes(4)),  # energy limit of a tariff
    0x1B: _always(bytes.fromhex("1F 00 1F 00 1F 00 1F 00")),  # indication
    0x1C: _always(bytes.fromhex("C1 2D 0F 1E")),
    0x1D: _always(b"\0\1"),  # time-out multiplier, main
    0x1E: _always(bytes(2)),  # losses are not reckoned
    0x1F: _always(bytes(12)),
    0x20: _quality_limits,
    0x21: _always(b"\x14\x14"),
    0x23: _always(bytes(4)),  # no holidays
    0x24: _always(bytes(2)),
    0x26: _program_crc,
}
