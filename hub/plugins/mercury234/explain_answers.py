"""Answers in names and values: how long each may be, and how it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.plugins.api import Channel
from hub.plugins.mercury234.books import BOOKS, Book, Shape, is_blank
from hub.plugins.mercury234.frames import spaced
from hub.plugins.mercury234.models import later_traits
from hub.plugins.mercury234.parameters import (
    PARAMETERS,
    Decoder,
    Words,
    fault_words,
    faults,
    identity_tail,
)
from hub.plugins.mercury234.registers import (
    ENERGY_CODE,
    FAST_TARIFF,
    columns,
    parse_element,
)
from hub.plugins.mercury234.ring import (
    INCOMPLETE,
    INITIALISING,
    NOT_METERED,
    OVERFLOW,
    RECORD_BYTES,
    WINTER,
)
from hub.plugins.mercury234.ring import is_blank as is_unwritten
from hub.plugins.mercury234.values import (
    ALL,
    ALL_FIXED_SIZE,
    ALL_SIZES,
    ALWAYS,
    CLOCK_BYTES,
    ENERGY_BYTES,
    ENERGY_ORDER,
    FIXED_AT,
    FIXED_ENERGY,
    KINDS,
    Kind,
    Sample,
    group_bytes,
    kind_of,
    sample,
    samples,
    split,
)

PROFILES = (3, 5)  # memories whose records are those of a power profile
ONE_VALUE, LATCHED, GROUP, LAST_RECORDS = 0x11, 0x14, 0x16, (0x13, 0x15)
STATUS_WORD = 0x0A
NAMES = {  # by OBIS group C
    1: "active_import_wh",
    2: "active_export_wh",
    3: "reactive_import_varh",
    4: "reactive_export_varh",
    5: "reactive_q1_varh",
    6: "reactive_q2_varh",
    7: "reactive_q3_varh",
    8: "reactive_q4_varh",
    21: "active_import_l1_wh",
    41: "active_import_l2_wh",
    61: "active_import_l3_wh",
}
NOT_A_TIME = "not a time: "
SPOKEN = {  # what the two stamps of a record mean
    Shape.MOMENT: {"first_at": "at"},
    Shape.SPAN: {"first_at": "began", "second_at": "ended"},
    Shape.BREAK: {"first_at": "there_again", "second_at": "gone"},
    Shape.SHIFT: {"first_at": "before", "second_at": "after"},
}
SPOKEN_TIMES = frozenset(name for names in SPOKEN.values() for name in names.values())
FAST_NAMES = ("1", "2", "3", "4", "sum", "losses")


@dataclass(frozen=True, slots=True)
class Answer:
    """How an answer is read.

    ``sizes``: numbers of data bytes that may come, none if that is not known. ``decode``: the
    names and values of ``decoded``. ``more``: what is told beside them. ``spoken``: names that
    say more to people than the published ones.
    """

    sizes: tuple[int, ...]
    decode: Decoder
    more: Decoder | None = None
    spoken: Mapping[str, str] = field(default_factory=dict)


def answer_to(body: bytes) -> Answer:
    """Return how the answer to a request is read."""
    code, rest = body[0], body[1:]
    if code == 0x04 and rest:
        return _journal(rest[0])
    if code in {0x05, 0x15} and len(rest) > 1:
        return _energy(code, rest[0] >> 4, rest[1])
    if code == 0x06 and len(rest) > 3:
        return _memory(rest[0] & 0x0F, rest[0] >> 4 & 7, rest[3])
    if code == 0x08 and rest:
        return _parameter(rest)
    if code == 0x16 and len(rest) > 3 and rest[0] in PROFILES:
        return Answer((RECORD_BYTES * rest[3],), _records)
    return Answer((), _raw)


def _raw(data: bytes) -> Words:
    return {"raw_hex": spaced(data)}


def _parameter(rest: bytes) -> Answer:
    number = rest[0]
    if number in {ONE_VALUE, LATCHED, GROUP} and len(rest) > 1:
        return _values(number, rest[1])
    if number in LAST_RECORDS:
        return Answer(
            (9,), _last_record, lambda data: {"initialising": bool(data[2] & INITIALISING)}
        )
    parameter = PARAMETERS.get(number)
    if parameter is None:
        return Answer((), _raw)
    if parameter.words is None:
        return Answer(parameter.sizes, _raw)
    if parameter.raw:
        return Answer(parameter.sizes, _raw, parameter.words)
    return Answer(parameter.sizes, parameter.words, MORE.get(number))


def _faults(data: bytes) -> Words:
    return {"faults": fault_words(faults(data))}


MORE: Mapping[int, Decoder] = {
    0x01: lambda data: {"variant_has_too": later_traits(data[10:16])} | identity_tail(data),
    STATUS_WORD: _faults,
    0x12: lambda data: {"variant_has_too": later_traits(data[:6])},
}


# -- times: BCD is shown digit by digit, also where it makes no time; see ``not_times`` ----------


def _digits(*parts: int) -> bool:
    return all(part >> 4 <= 9 and part & 0x0F <= 9 for part in parts)


def _date(wire: bytes) -> str:
    day, month, year = wire
    if not _digits(*wire):
        return NOT_A_TIME + spaced(wire)
    return f"20{year:02x}-{month:02x}-{day:02x}"


def _minute(wire: bytes) -> str:
    """Read hh mm dd mm yy."""
    if not _digits(*wire):
        return NOT_A_TIME + spaced(wire)
    return f"{_date(wire[2:])}T{wire[0]:02x}:{wire[1]:02x}"


def _stamp(wire: bytes) -> str | None:
    """Read ss mm hh dd mm yy; None for an empty record."""
    if is_blank(wire):
        return None
    if not _digits(*wire):
        return NOT_A_TIME + spaced(wire)
    second, minute, hour = wire[:3]
    return f"{_date(wire[3:])}T{hour:02x}:{minute:02x}:{second:02x}"


def _clock(data: bytes) -> Words:
    return {
        "time": _stamp(data[:3] + data[4:7]),
        "weekday": data[3],
        "winter": bool(data[7]),
    }


# -- journals ------------------------------------------------------------------------------------


def _journal(number: int) -> Answer:
    if number == 0:
        return Answer((CLOCK_BYTES,), _clock)
    book = BOOKS.get(f"{number:02X}")
    if book is None:
        return Answer((), _raw)
    block = book.size * (20 if book.depth > 10 else 10)
    read = {Shape.MAP: _parameters_written, Shape.WORD: _status_changed}.get(book.shape, _times)

    def decode(data: bytes) -> Words:
        if len(data) <= book.size + 1:
            return _numbered(read, book, data)
        return {"records": [read(book, part) for part in _cut(data, book.size)]}

    spoken = SPOKEN.get(book.shape, {})
    return Answer((book.size, book.size + 1, block), decode, _more(book), spoken)


def _more(book: Book) -> Decoder | None:
    """Tell codes of the self-test by name, and which parameters were written."""

    def more(data: bytes) -> Words:
        if len(data) > book.size + 1 or is_blank(data[: book.size]):
            return {}
        if book.shape is Shape.WORD:
            return _faults(data[6:12])
        return _parameters(data[4:11])

    return more if book.shape in {Shape.WORD, Shape.MAP} else None


def _parameters(written: bytes) -> Words:
    """Name what the map of a day's writes has; the papers print its bytes in two orders."""
    one, other = _bits(written), _bits(written[::-1])
    if one == other:
        return {"parameters": one}
    return {"parameters_if_the_first_byte_is_lowest": one, "parameters_if_the_last_is": other}


def _bits(written: bytes) -> list[str]:
    bits = int.from_bytes(written, "little")
    return [f"{number:02X}" for number in range(8 * len(written)) if bits >> number & 1]


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _numbered(read: Callable[[Book, bytes], Words], book: Book, data: bytes) -> Words:
    words = read(book, data[: book.size])
    return words | ({"record_no": data[book.size]} if len(data) > book.size else {})


def _times(book: Book, data: bytes) -> Words:
    words: Words = {"first_at": _stamp(data[:6])}
    return words if book.shape is Shape.MOMENT else words | {"second_at": _stamp(data[6:12])}


def _parameters_written(_book: Book, data: bytes) -> Words:
    count = data[3]
    return {
        "date": None if is_blank(data) else _date(data[:3]),
        "count": int(f"{count:02x}") if _digits(count) else None,
        "map_hex": spaced(data[4:12]),
    }


def _status_changed(_book: Book, data: bytes) -> Words:
    return {"time": _stamp(data[:6]), "status_word_hex": spaced(data[6:12])}


# -- energy --------------------------------------------------------------------------------------


def _energy(code: int, array: int, tariff: int) -> Answer:
    size = 4 * len(columns(code, array))

    def element(data: bytes) -> Words:
        return element_words(code, array, data)

    def fast(data: bytes) -> Words:
        return {
            "tariffs": {
                name: element(part)
                for name, part in zip(FAST_NAMES, _cut(data, size), strict=False)
            }
        }

    return Answer((5 * size, 6 * size), fast) if tariff == FAST_TARIFF else Answer((size,), element)


def element_words(code: int, array: int, data: bytes) -> Words:
    names = [NAMES[group] for group, _unit in columns(code, array)]
    return dict(zip(names, parse_element(data), strict=True))


# -- instantaneous and latched values ------------------------------------------------------------


def _values(parameter: int, bwri: int) -> Answer:
    fixed = parameter == LATCHED
    if bwri == ALL and parameter != ONE_VALUE:
        return Answer((ALL_FIXED_SIZE,), _all_latched) if fixed else Answer(ALL_SIZES, _all)
    if fixed and bwri == FIXED_AT:
        return Answer((CLOCK_BYTES,), _clock)
    if fixed and bwri & 0xF0 == FIXED_ENERGY:
        return Answer((ENERGY_BYTES,), lambda data: element_words(ENERGY_CODE, 0, data))
    kind = kind_of(bwri)
    if kind is None or (fixed and kind not in ALWAYS):
        return Answer((), _raw)
    if parameter == ONE_VALUE:
        return Answer((kind.width,), lambda data: _element(kind, sample(kind, data)))
    return Answer((group_bytes(kind, fixed=fixed),), lambda data: _group(kind, data, fixed=fixed))


def _element(kind: Kind, seen: Sample) -> Words:
    value = seen.count if kind.divisor == 1 else seen.count / kind.divisor
    words: Words = {kind.element: value}
    if kind.directed:
        words |= {"active_reverse": seen.active_reverse, "reactive_reverse": seen.reactive_reverse}
    return words


def _elements(kind: Kind, data: bytes, *, fixed: bool) -> list[Words]:
    return [_element(kind, seen) for seen in samples(kind, data, fixed=fixed)]


def _group(kind: Kind, data: bytes, *, fixed: bool) -> Words:
    found = _elements(kind, data, fixed=fixed)
    return found[0] if len(found) == 1 else {"values": found}


def _all(data: bytes) -> Words:
    kinds = ALWAYS if len(data) == ALL_SIZES[0] else KINDS
    words: Words = {k.name: _elements(k, part, fixed=False) for k, part in split(data, kinds)}
    rest = data[ALL_SIZES[1] :]
    return words | ({"rest_hex": spaced(rest)} if rest else {})


def _all_latched(data: bytes) -> Words:
    words = _clock(data[:CLOCK_BYTES])
    energy, values = data[CLOCK_BYTES:][: 5 * ENERGY_BYTES], data[CLOCK_BYTES + 5 * ENERGY_BYTES :]
    words["tariffs"] = {
        str(tariff or "sum"): element_words(ENERGY_CODE, 0, part)
        for tariff, part in zip(ENERGY_ORDER, _cut(energy, ENERGY_BYTES), strict=True)
    }
    words |= {
        k.name: _elements(k, part, fixed=True) for k, part in split(values, ALWAYS, fixed=True)
    }
    return words


# -- profile -------------------------------------------------------------------------------------


def _memory(memory: int, kind: int, count: int) -> Answer:
    if memory not in PROFILES:
        return Answer((), _raw)
    if not kind:
        return Answer((count,), _records)
    return Answer((count,), _one_channel) if kind <= 4 and count % 2 == 0 else Answer((), _raw)


def _one_channel(data: bytes) -> Words:
    return {"counts_in_order": [_count(part) for part in _cut(data, 2)]}


def _count(wire: bytes) -> int | None:
    count = int.from_bytes(wire, "little")
    return None if count == NOT_METERED else count


def _last_record(data: bytes) -> Words:
    field, status, minutes = int.from_bytes(data[:2], "big"), data[2], data[8]
    return {
        "address_field_hex": f"{field:04X}",
        "byte_address_before_7_1_0_hex": f"{field | (0x10000 if status & 0x10 else 0):05X}",
        "byte_address_from_7_1_0_hex": f"{field * 0x10:05X}",
        "status_hex": f"{status:02X}",
        "winter": bool(status & WINTER),
        "incomplete": bool(status & INCOMPLETE),
        "overflow": bool(status & OVERFLOW),
        "time": _minute(data[3:8]),
        "minutes": minutes,
    }


def _records(data: bytes) -> Words:
    records = [_record(part) for part in _cut(data, RECORD_BYTES)]
    return records[0] if len(records) == 1 else {"records": records}


def _record(wire: bytes) -> Words:
    if len(wire) < RECORD_BYTES:
        return _raw(wire)
    status, minutes = wire[0], wire[6]
    counts = [_count(part) for part in _cut(wire[7:], 2)]
    return {
        "status_hex": f"{status:02X}",
        "winter": bool(status & WINTER),
        "incomplete": bool(status & INCOMPLETE),
        "overflow": bool(status & OVERFLOW),
        "initialising": bool(status & INITIALISING),
        "ends_at": None if is_unwritten(wire) else _minute(wire[1:6]),
        "minutes": minutes,
        "counts": dict(zip((channel.value for channel in Channel), counts, strict=True)),
    }
