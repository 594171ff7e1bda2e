"""One exchange in words: the JSON of ``hub wire decode``. Any bytes are explained, none raise.

A hint that can't be read is a ValueError with a sentence.

``decoded`` has the values alone, under names with their units. What is wrong with a frame is said
in ``request`` or ``response``, and then nothing is decoded. Passwords are masked, and so is the
CRC behind them, which would give them away.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias

from corefast.crc import is_sealed
from hub.plugins.api import Channel, Explained
from hub.plugins.mercury234.frames import (
    STATUS_FRAME,
    data_of,
    spaced,
    status_of,
    status_text,
    word_132,
    word_2143,
)
from hub.plugins.mercury234.models import (
    RECORD_NUMBERS_SINCE,
    Variant,
    firmware_text,
    firmware_tuple,
    made_on,
    parse_firmware,
    serial_text,
)
from hub.plugins.mercury234.registers import (
    FAST_TARIFF,
    PHASE_ARRAY,
    parse_element,
)
from hub.plugins.mercury234.ring import (
    INCOMPLETE,
    INITIALISING,
    OVERFLOW,
    RECORD_BYTES,
    WINTER,
    is_blank,
)

Words = dict[str, object]
Decoder = Callable[[bytes], Words]

SHORTEST = 4
MASK = "******"
CODES = {
    0x00: "channel test",
    0x01: "open channel",
    0x02: "close channel",
    0x03: "write parameter",
    0x04: "clock or journal",
    0x05: "energy",
    0x06: "memory read",
    0x07: "raw write",
    0x08: "parameter read",
    0x15: "reactive energy by quadrant",
    0x16: "relative read",
}
NEW_ADDRESS, NEW_PASSWORD = 0x05, 0x1F
ENERGY_NAMES = (
    "active_import_wh",
    "active_export_wh",
    "reactive_import_varh",
    "reactive_export_varh",
)
PHASE_NAMES = ("active_import_l1_wh", "active_import_l2_wh", "active_import_l3_wh")
QUADRANT_NAMES = tuple(f"reactive_q{quadrant}_varh" for quadrant in range(1, 5))
FAST_NAMES = ("1", "2", "3", "4", "sum", "losses")
MAXIMA = {
    0: "active_import_morning",
    1: "active_import_evening",
    2: "active_export_morning",
    4: "reactive_import_morning",
    6: "reactive_export_morning",
}
STAMPS_ONE = {*range(0x07, 0x12), 0x15, 0x16}  # journals whose records have one time
PARAMETERS_JOURNAL, STATUS_JOURNAL = 0x13, 0x14


def explain(request: bytes, response: bytes | None, hints: Mapping[str, str]) -> Explained:
    """Say what a request asks and what its response says.

    Raises ValueError, a sentence, for a hint that can't be read.
    """
    firmware, constant = _read_hints(hints)
    asked = _request(request)
    if not response:
        return Explained(request=asked, response={}, decoded={})
    answered: Words = {"length": len(response)}
    trouble = _trouble(request, response)
    if trouble:
        answered["error"] = trouble
        return Explained(request=asked, response=answered, decoded={})
    answered["address"] = response[0]
    answered["crc"] = "ok"
    if len(response) == STATUS_FRAME:
        status = status_of(response)
        decoded: Words = {"status": status, "status_text": status_text(status)}
        return Explained(request=asked, response=answered, decoded=decoded)
    data = data_of(response)
    answered["data_hex"] = spaced(data)
    sizes, decode = _expected(request[1:-2])
    if sizes and len(data) not in sizes:
        due = " or ".join(str(size) for size in sizes)
        answered["error"] = f"{len(data)} bytes of data where {due} were due"
        return Explained(request=asked, response=answered, decoded={})
    decoded = decode(data)
    answered.update(_hinted(decoded, data, firmware, constant))
    return Explained(request=asked, response=answered, decoded=decoded)


def _trouble(request: bytes, response: bytes) -> str:
    if len(response) < SHORTEST:
        return f"{len(response)} bytes are too few for a frame"
    if not is_sealed(response):
        return "the CRC is wrong"
    if len(request) < SHORTEST or not is_sealed(request):
        return "the request is no frame, so nobody can say what this answers"
    if response[0] not in _addresses(request):
        return f"address {response[0]} answers where {request[0]} was asked"
    return ""


def _addresses(request: bytes) -> set[int]:
    body = request[1:-2]
    if body[:2] == bytes((0x03, NEW_ADDRESS)) and len(body) > 2:
        return {request[0], body[2]}  # the answer comes from the new address
    return {request[0]}


# -- requests ----------------------------------------------------------------------------------


def _request(request: bytes) -> Words:
    words: Words = {"length": len(request)}
    if len(request) < SHORTEST:
        words["error"] = f"{len(request)} bytes are too few for a frame"
        return words
    words["crc"] = "ok" if is_sealed(request) else "wrong"
    body = request[1:-2]
    words |= {
        "address": request[0],
        "code": f"{body[0]:02X}",
        "name": CODES.get(body[0], "unknown"),
    }
    words |= _arguments(body)
    return words


def _arguments(body: bytes) -> Words:
    code, rest = body[0], body[1:]
    shortest, say = ARGUMENTS.get(code, (1, _plain))
    if len(rest) >= shortest:
        return say(rest)
    return {"arguments_hex": MASK if code in SECRET_CODES else spaced(rest)} if rest else {}


def _plain(rest: bytes) -> Words:
    return {"arguments_hex": spaced(rest)}


def _write(rest: bytes) -> Words:
    hidden = rest[0] == NEW_PASSWORD
    return {"parameter": f"{rest[0]:02X}", "data_hex": MASK if hidden else spaced(rest[1:])}


def _array(rest: bytes) -> Words:
    return {"array": f"{rest[0] >> 4:X}", "month": rest[0] & 0x0F, "tariff": rest[1]}


def _memory(rest: bytes) -> Words:
    address = int.from_bytes(rest[1:3], "big") | (0x10000 if rest[0] & 0x80 else 0)
    return {
        "memory": rest[0] & 0x0F,
        "kind": rest[0] >> 4 & 7,
        "byte_address_hex": f"{address:05X}",
        "count": rest[3],
    }


def _relative(rest: bytes) -> Words:
    return {"memory": rest[0], "offset": int.from_bytes(rest[1:3], "big"), "count": rest[3]}


SECRET_CODES = frozenset((0x01, 0x03))
ARGUMENTS: dict[int, tuple[int, Decoder]] = {  # code: fewest bytes, how to say them
    0x01: (1, lambda rest: {"level": rest[0], "password": MASK}),
    0x03: (1, _write),
    0x04: (1, lambda rest: {"journal": f"{rest[0]:02X}", "record": spaced(rest[1:])}),
    0x05: (2, _array),
    0x06: (4, _memory),
    0x08: (1, lambda rest: {"parameter": f"{rest[0]:02X}", "arguments_hex": spaced(rest[1:])}),
    0x15: (2, _array),
    0x16: (4, _relative),
}


# -- what an answer should be ------------------------------------------------------------------


def _expected(body: bytes) -> tuple[tuple[int, ...], Decoder]:
    """Return the numbers of data bytes that may come, () if any, and how to read them."""
    code, rest = body[0], body[1:]
    if code == 0x04 and rest:
        return _journal(rest[0])
    if code in {0x05, 0x15} and len(rest) > 1:
        return _energy(code, rest[0] >> 4, rest[1])
    if code == 0x06 and len(rest) > 3:
        profile = rest[0] >> 4 & 7 == 0 and rest[0] & 0x0F == 3
        return ((rest[3],), _records) if profile else ((), _raw)
    if code == 0x08 and rest:
        return _parameter(rest)
    if code == 0x16 and len(rest) > 3:
        return ((RECORD_BYTES * rest[3],), _records) if rest[0] == 3 else ((), _raw)
    return (), _raw


def _parameter(rest: bytes) -> tuple[tuple[int, ...], Decoder]:
    parameter = rest[0]
    if parameter in {0x11, 0x14, 0x16} and len(rest) > 1:
        return _instant(parameter, rest[1])
    table: dict[int, tuple[tuple[int, ...], Decoder]] = {
        0x00: ((7,), _serial),
        0x01: ((16, 24), _identity),
        0x02: ((4,), _ratios),
        0x03: ((3,), lambda data: {"firmware": firmware_text(firmware_tuple(data))}),
        0x0A: ((4, 5, 6), lambda data: {"status_word_hex": spaced(data)}),
        0x0D: ((16,), _maxima),
        0x12: ((6, 12), lambda data: Variant.parse(data).as_mapping()),
        0x13: ((9,), _last_record),
        0x15: ((9,), _last_record),
        0x19: ((3,), lambda data: {"power_limit_w": word_132(data) / 100}),
        0x1F: ((12,), lambda data: {"loss_powers": _little_words(data)}),
        0x26: ((2,), lambda data: {"program_crc_hex": spaced(data)}),
    }
    return table.get(parameter, ((), _raw))


def _raw(data: bytes) -> Words:
    return {"raw_hex": spaced(data)}


# -- identity ----------------------------------------------------------------------------------


def _serial(data: bytes) -> Words:
    made = made_on(data[4:7])
    return {"serial": serial_text(data), "made_on": made.isoformat() if made else None}


def _identity(data: bytes) -> Words:
    words = _serial(data)
    words["firmware"] = firmware_text(firmware_tuple(data[7:10]))
    words["variant"] = Variant.parse(data[10:16]).as_mapping()
    if len(data) > 16:
        words["program_crc_hex"] = spaced(data[16:18])
    return words


def _ratios(data: bytes) -> Words:
    return {
        "voltage_ratio": int.from_bytes(data[:2], "big"),
        "current_ratio": int.from_bytes(data[2:], "big"),
    }


# -- times: BCD is shown digit by digit, even where it makes no date ------------------------------


def _date(day: int, month: int, year: int) -> str:
    return f"20{year:02x}-{month:02x}-{day:02x}"


def _stamp(data: bytes) -> str | None:
    """Read ss mm hh dd mm yy; None for an empty record."""
    if not any(data) or data == b"\xff" * len(data):
        return None
    second, minute, hour, day, month, year = data
    return f"{_date(day, month, year)}T{hour:02x}:{minute:02x}:{second:02x}"


def _clock(data: bytes) -> Words:
    return {
        "time": _stamp(data[:3] + data[4:7]),
        "weekday": data[3],
        "winter": bool(data[7]),
    }


def _journal(journal: int) -> tuple[tuple[int, ...], Decoder]:
    if journal == 0x00:
        return (8,), _clock
    if journal == PARAMETERS_JOURNAL:
        return (12, 13), _parameters_changed
    if journal == STATUS_JOURNAL:
        return (12, 13), _status_changed
    if journal in STAMPS_ONE:
        return (6, 7, 60), lambda data: _stamps(data, 1)
    return (12, 13, 120, 240), lambda data: _stamps(data, 2)


def _stamps(data: bytes, times: int) -> Words:
    size = 6 * times
    if len(data) > size + 1:
        records = [data[at : at + size] for at in range(0, len(data), size)]
        return {"records": [_stamps(record, times) for record in records]}
    words: Words = {"first_at": _stamp(data[:6])}
    if times > 1:
        words["second_at"] = _stamp(data[6:12])
    return words | _record_number(data, size)


def _record_number(data: bytes, size: int) -> Words:
    return {"record_no": data[size]} if len(data) > size else {}


def _parameters_changed(data: bytes) -> Words:
    day, month, year, count = data[:4]
    words: Words = {
        "date": _date(day, month, year),
        "count": int(f"{count:02x}") if f"{count:02x}".isdecimal() else None,
        "map_hex": spaced(data[4:12]),
    }
    return words | _record_number(data, 12)


def _status_changed(data: bytes) -> Words:
    words: Words = {"time": _stamp(data[:6]), "status_word_hex": spaced(data[6:12])}
    return words | _record_number(data, 12)


# -- energy ------------------------------------------------------------------------------------


def _energy(code: int, array: int, tariff: int) -> tuple[tuple[int, ...], Decoder]:
    phases = code == 0x05 and array == PHASE_ARRAY
    names = PHASE_NAMES if phases else ENERGY_NAMES if code == 0x05 else QUADRANT_NAMES
    size = 4 * len(names)

    def element(data: bytes) -> Words:
        values = parse_element(data)
        return dict(zip(names, values, strict=True))

    def fast(data: bytes) -> Words:
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        return {"tariffs": {n: element(p) for n, p in zip(FAST_NAMES, parts, strict=False)}}

    if tariff == FAST_TARIFF:
        return (5 * size, 6 * size), fast
    return (size,), element


# -- instantaneous values ----------------------------------------------------------------------

# High half of BWRI: name, divisor, whether two bits of it are directions, elements in a group.
QUANTITIES = {
    0x0: ("power", 100, True, 4),
    0x1: ("voltage_v", 100, False, 3),
    0x2: ("current_a", 1000, False, 3),
    0x3: ("power_factor", 1000, True, 4),
    0x4: ("frequency_hz", 100, False, 1),
    0x5: ("angle_deg", 100, False, 3),
}
DISTORTION, TEMPERATURE, FIXED_AT, FIXED_ENERGY = 0x6, 0x7, 0xE, 0xF


def _instant(parameter: int, bwri: int) -> tuple[tuple[int, ...], Decoder]:
    kind, single, fixed = bwri >> 4, parameter == 0x11, parameter == 0x14
    if kind in QUANTITIES:
        count = 1 if single else QUANTITIES[kind][3]
        size = 4 if fixed and kind == 0 else 3
        return (size * count,), lambda data: _quantities(kind, data, size)
    if kind == DISTORTION and not fixed:
        return (2 if single else 6,), _distortion
    if kind == TEMPERATURE and single:
        return (2,), lambda data: {"temperature_c": int.from_bytes(data, "big", signed=True)}
    if kind == FIXED_AT and fixed:
        return (8,), _clock
    if kind == FIXED_ENERGY and fixed:
        return (16,), lambda data: dict(zip(ENERGY_NAMES, parse_element(data), strict=True))
    return (), _raw


def _quantities(kind: int, data: bytes, size: int) -> Words:
    values = [_quantity(kind, data[at : at + size]) for at in range(0, len(data), size)]
    return values[0] if len(values) == 1 else {"values": values}


def _quantity(kind: int, wire: bytes) -> Words:
    name, divisor, directed, _ = QUANTITIES[kind]
    flags = wire[1] if len(wire) == 4 else wire[0]
    value = word_2143(wire) if len(wire) == 4 else word_132(wire)
    if not directed:
        return {name: value / divisor}
    value &= 0x3FFFFFFF if len(wire) == 4 else 0x3FFFFF
    return {
        name: value / divisor,
        "active_reverse": bool(flags & 0x80),
        "reactive_reverse": bool(flags & 0x40),
    }


def _distortion(data: bytes) -> Words:
    values: list[Words] = [{"thd_percent": word / 100} for word in _little_words(data)]
    return values[0] if len(values) == 1 else {"values": values}


def _little_words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]


def _maxima(data: bytes) -> Words:
    """Read the maxima that the papers name; every word is in ``response``."""
    words = _little_words(data)
    return {name: None if words[at] == 0xFFFF else words[at] for at, name in MAXIMA.items()}


# -- profile -----------------------------------------------------------------------------------


def _last_record(data: bytes) -> Words:
    field = int.from_bytes(data[:2], "big")
    status, hour, minute, day, month, year, minutes = data[2:9]
    return {
        "address_field_hex": f"{field:04X}",
        "byte_address_before_7_1_0_hex": f"{field | (0x10000 if status & 0x10 else 0):05X}",
        "byte_address_from_7_1_0_hex": f"{field * 0x10:05X}",
        "status_hex": f"{status:02X}",
        "winter": bool(status & WINTER),
        "incomplete": bool(status & INCOMPLETE),
        "overflow": bool(status & OVERFLOW),
        "time": f"{_date(day, month, year)}T{hour:02x}:{minute:02x}",
        "minutes": minutes,
    }


def _records(data: bytes) -> Words:
    records = [_record(data[at : at + RECORD_BYTES]) for at in range(0, len(data), RECORD_BYTES)]
    return records[0] if len(records) == 1 else {"records": records}


def _record(wire: bytes) -> Words:
    if len(wire) < RECORD_BYTES:
        return _raw(wire)
    status, hour, minute, day, month, year, minutes = wire[:7]
    counts = [None if word == 0xFFFF else word for word in _little_words(wire[7:])]
    ends = f"{_date(day, month, year)}T{hour:02x}:{minute:02x}"
    return {
        "status_hex": f"{status:02X}",
        "winter": bool(status & WINTER),
        "incomplete": bool(status & INCOMPLETE),
        "overflow": bool(status & OVERFLOW),
        "initialising": bool(status & INITIALISING),
        "ends_at": None if is_blank(wire) else ends,
        "minutes": minutes,
        "counts": dict(zip((channel.value for channel in Channel), counts, strict=True)),
    }


# -- what depends on the meter -----------------------------------------------------------------


Firmware: TypeAlias = tuple[int, int, int]


def _read_hints(hints: Mapping[str, str]) -> tuple[Firmware | None, int | None]:
    """Read the firmware and the meter constant; None where there is no such hint."""
    version, constant = hints.get("firmware"), hints.get("constant")
    firmware = None if version is None else parse_firmware(version)
    if version is not None and firmware is None:
        raise ValueError(f"firmware is '{version}'; write it like 2.3.4 or 9.0.0")
    if constant is not None and not (constant.isdecimal() and int(constant)):
        raise ValueError(f"constant is '{constant}'; write impulses a kilowatt-hour, like 1000")
    return firmware, None if constant is None else int(constant)


def _hinted(decoded: Words, data: bytes, firmware: Firmware | None, constant: int | None) -> Words:
    """Return what only a known firmware or meter constant can tell, or nothing."""
    words: Words = {}
    if firmware and "address_field_hex" in decoded:
        numbered = firmware >= RECORD_NUMBERS_SINCE
        name = "from" if numbered else "before"
        words["byte_address_hex"] = decoded[f"byte_address_{name}_7_1_0_hex"]
    counts = decoded.get("counts")
    if constant is not None and isinstance(counts, dict):
        words["energy_wh"] = {
            channel: None if count is None else Decimal(count * 500) / constant
            for channel, count in counts.items()
        }
    if decoded.keys() == set(MAXIMA.values()):
        words["words"] = _little_words(data)
    return words
