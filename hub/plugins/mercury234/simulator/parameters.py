"""Answers to code 08: identity, variant, status, last records, instantaneous values.

What only shows settings is in `shown`. The program of PLC (27) and the parameters of later
firmware, whose layouts nobody has published (28 and up), are refused with status 1.
"""

from collections.abc import Callable, Mapping

from corefast.crc import crc16
from hub.plugins.mercury234.simulator import instant, layouts
from hub.plugins.mercury234.simulator.options import CONSTANT_CODES
from hub.plugins.mercury234.simulator.replies import clock
from hub.plugins.mercury234.simulator.shown import SHOWN, maxima_hours
from hub.plugins.mercury234.simulator.works import Refusal, Works
from hub.plugins.mercury234.simulator.writes import BAD_REQUEST

#: Parameters that take one byte more; 22 takes three, 01 and 12 may take a zero.
_ONE_ARGUMENT = frozenset({0x06, 0x0C, 0x0D, 0x11, 0x14, 0x16, 0x1A, 0x23})
_EXTENSIBLE = frozenset({0x01, 0x12})
_SCHEDULE = 0x22

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
    show = SHOWN.get(asked[0])
    if show is not None:
        return show(works, works.life.settings_at(at), asked[1:])
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
        0x17 | large,  # optical port, RS-485, external supply, seal of the case
        0x10 * (options.seals == 2) | 0x03,  # seal of the terminals; quality control, A+ by phase
        0x08 * options.losses,  # second profile
    ))  # fmt: skip
    return variant + bytes(6) if extra else variant


def _status_word(works: Works, _extra: bytes, at: int) -> bytes:
    word = layouts.status_word(works.life.errors_at(at))
    if works.long_answers:
        return word
    # Which bytes older firmware leaves out is not known; its later errors come first here.
    return word[2:] if works.options.firmware < (1, 5, 2) else word[:1] + word[2:]


def _last_record(works: Works, _extra: bytes, at: int) -> bytes:
    return works.ring.last_record(at)


def _last_additional_record(works: Works, _extra: bytes, at: int) -> bytes:
    if len(works.rings) < 2:
        raise Refusal(BAD_REQUEST)
    return works.rings[1].last_record(at)


def _tariff(works: Works, _extra: bytes, at: int) -> bytes:
    current = works.counter.tariff_at(at)
    return bytes((0, (current - 1) << 1 | works.life.settings_at(at).single_tariff))


def _put_off(works: Works, _extra: bytes, at: int) -> bytes:
    return works.life.put_off_at(at).to_bytes(2, "little")


def _maxima(works: Works, extra: bytes, at: int) -> bytes:
    """Lay out the highest count of a month by channel, in the morning and in the evening."""
    start, end = works.registers.span(0x3, extra[0], at) or (None, 0)
    if start is None:
        raise Refusal(BAD_REQUEST)
    hours = maxima_hours(works.life.settings_at(at), extra[0])
    highest = works.ring.maxima(max(start, works.life.maxima_since), end, hours)
    return b"".join(
        (layouts.MASKED_WORD if value is None else value).to_bytes(2, "little") for value in highest
    )


def _one_value(works: Works, extra: bytes, at: int) -> bytes:
    return _had(instant.one(_moment(works, at), extra[0]))


def _group(works: Works, extra: bytes, at: int) -> bytes:
    if not works.groups:
        raise Refusal(BAD_REQUEST)
    moment = _moment(works, at)
    if extra[0] == _ALL and works.long_answers:
        return instant.everything(moment, extended=works.wide)
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


_Reader = Callable[[Works, bytes, int], bytes]

_READERS: Mapping[int, _Reader] = {
    0x00: _identity,
    0x01: _whole,
    0x03: _firmware,
    0x0A: _status_word,
    0x0D: _maxima,
    0x11: _one_value,
    0x12: _variant,
    0x13: _last_record,
    0x14: _fixed,
    0x15: _last_additional_record,
    0x16: _group,
    0x17: _tariff,
    0x24: _put_off,
    0x26: _program_crc,
}
