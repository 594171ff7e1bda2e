"""Requests in words: what is asked, or what would be changed. Any bytes are explained."""

from collections.abc import Callable, Mapping

from hub.plugins.mercury234.books import BOOKS
from hub.plugins.mercury234.frames import spaced
from hub.plugins.mercury234.parameters import PARAMETERS, Words
from hub.plugins.mercury234.registers import FAST_TARIFF, LOSSES, MONTHLY, PERIODS, PHASE_ARRAY
from hub.plugins.mercury234.values import ALL, ANGLE, FIXED_AT, FIXED_ENERGY, Kind, kind_of
from hub.plugins.mercury234.writes import WRITES, masked

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
    0x17: "power maxima by tariff",
    0x18: "extended archive",
}
SECRET_CODES = frozenset((0x01, 0x03))
LEVELS = {
    0: "no channel",
    1: "level 1, the user's",
    2: "level 2, the owner's",
    3: "the jumper inside",
}
MEMORIES = {1: "memory 1", 2: "registers", 3: "the main profile", 5: "the additional profile"}
CHANNELS = {1: "A+", 2: "A-", 3: "R+", 4: "R-"}
ARRAYS = {
    "now": "since reset",
    "of:year:0": "of this year",
    "of:year:1": "of last year",
    "of:day:0": "of today",
    "of:day:1": "of yesterday",
    "at:year:0": "as this year began",
    "at:year:1": "as last year began",
    "at:day:0": "as today began",
    "at:day:1": "as yesterday began",
    "of:month:": "of month {}",
    "at:month:": "as month {} began",
}
ANGLES = {1: "1-2", 2: "1-3", 3: "2-3"}
NEWEST, BLOCK = 0xFF, 0xFE
QUALITY_BLOCKS = {0xFE: (0, 19), 0xFD: (20, 39), 0xFC: (40, 59), 0xFB: (60, 79), 0xFA: (80, 99)}
ONE_VALUE, LATCHED, GROUP = 0x11, 0x14, 0x16
LONG = 0xFF  # a count of this: 17 records at once


def words_of(body: bytes) -> Words:
    """Return the code and its arguments, by name, and what they mean: ``says``."""
    code, rest = body[0], body[1:]
    words: Words = {"code": f"{code:02X}", "name": CODES.get(code, "unknown")}
    fewest, say = REQUESTS.get(code, (0, _unknown))
    if len(rest) < fewest:
        shown = MASK if code in SECRET_CODES and rest else spaced(rest)
        words |= {"arguments_hex": shown} if rest else {}
        words["says"] = [f"Code {code:02X} ({words['name']}) with too few bytes after it."]
        return words
    arguments, sentences = say(rest)
    return words | arguments | {"says": sentences}


Said = tuple[Words, list[str]]


def _unknown(rest: bytes) -> Said:
    words: Words = {"arguments_hex": spaced(rest)} if rest else {}
    return words, ["A code that no paper lists."]


def _bare(sentence: str) -> Callable[[bytes], Said]:
    def say(rest: bytes) -> Said:
        return ({"arguments_hex": spaced(rest)}, [sentence]) if rest else ({}, [sentence])

    return say


def _open(rest: bytes) -> Said:
    level = LEVELS.get(rest[0], f"level {rest[0]}")
    words: Words = {"level": rest[0], "password": MASK}
    return words, [f"Opens the channel at {level}; the password is not shown."]


def _write(rest: bytes) -> Said:
    parameter, data = rest[0], rest[1:]
    words: Words = {"parameter": f"{parameter:02X}", "data_hex": masked(data, parameter) or MASK}
    write = WRITES.get(parameter)
    if write is None:
        words |= {"level": None, "act": None}
        return words, [f"Would write parameter {parameter:02X}, which no paper lists.", NEVER]
    does = write.does
    if write.says is not None:
        try:
            does = write.says(data)
        except ValueError as error:
            does = f"{write.does}, but the data can't be meant: {error}"
    level = (
        LEVELS.get(write.level, "a level that is not known")
        if write.level is not None
        else ("a level that is not known")
    )
    words |= {"does": does, "level": write.level, "act": write.act}
    consent = f"The hub sends it with consent to '{write.act}' only, and once."
    return words, [
        f"Would change the meter: {does}. It needs {level}.",
        consent if write.act else NEVER,
    ]


NEVER = "The hub never sends it."


def _raw_write(rest: bytes) -> Said:
    return {"data_hex": spaced(rest)}, ["Would write into the meter's memory directly.", NEVER]


def _journal(rest: bytes) -> Said:
    words: Words = {"journal": f"{rest[0]:02X}", "record": spaced(rest[1:])}
    if rest[0] == 0:
        return words, ["Asks for the clock."]
    book = BOOKS.get(f"{rest[0]:02X}")
    title = f"journal {rest[0]:02X}" + (f", {book.title}" if book else ", which no paper lists")
    if len(rest) < 2:
        return words, [f"Asks for {title}, but for no record."]
    return words, [
        f"Asks for {_records(rest[1], deep=book is not None and book.depth > 10)} of {title}."
    ]


def _records(record: int, *, deep: bool) -> str:
    if record == NEWEST:
        return "the newest record"
    if deep and record in QUALITY_BLOCKS:
        return "records {} to {}".format(*QUALITY_BLOCKS[record])
    return "all ten records" if record == BLOCK else f"record {record}"


def _array(rest: bytes) -> Said:
    words: Words = {"array": f"{rest[0] >> 4:X}", "month": rest[0] & 0x0F, "tariff": rest[1]}
    return words, [f"Asks for energy {_period(rest[0])}, {_tariff(rest[1])}."]


def _quadrants(rest: bytes) -> Said:
    words, _ = _array(rest)
    return words, [f"Asks for reactive energy by quadrant {_period(rest[0])}, {_tariff(rest[1])}."]


def _period(byte: int) -> str:
    array, month = byte >> 4, byte & 0x0F
    period = MONTHLY.get(array) or PERIODS.get(array)
    if period is None:
        return f"in array {array:X}, which no paper lists"
    phases = ", A+ by phase" if array == PHASE_ARRAY else ""
    return ARRAYS[period].format(month) + phases


def _tariff(tariff: int) -> str:
    named = {
        0: "the sum of tariffs",
        LOSSES: "technical losses",
        FAST_TARIFF: "all tariffs at once",
    }
    return named.get(tariff, f"tariff {tariff}")


def _memory(rest: bytes) -> Said:
    address = int.from_bytes(rest[1:3], "big") | (0x10000 if rest[0] & 0x80 else 0)
    memory, kind, count = rest[0] & 0x0F, rest[0] >> 4 & 7, rest[3]
    words: Words = {
        "memory": memory,
        "kind": kind,
        "byte_address_hex": f"{address:05X}",
        "count": count,
    }
    what = "17 records" if count == LONG else f"{count} bytes"
    if kind:
        what = f"{count} bytes of {CHANNELS.get(kind, f'kind {kind}')} alone"
    elif count == 0x0F:
        what = "one record"
    name = MEMORIES.get(memory, f"memory {memory}")
    return words, [f"Asks for {what} of {name} at byte address {address:05X}."]


def _relative(rest: bytes) -> Said:
    memory, offset, count = rest[0], int.from_bytes(rest[1:3], "big"), rest[3]
    words: Words = {"memory": memory, "offset": offset, "count": count}
    name = MEMORIES.get(memory, f"memory {memory}")
    begins = f", beginning {offset} before the last one" if offset else ", ending with the last one"
    return words, [f"Asks for {count} record{'s' * (count != 1)} of {name}{begins}."]


def _parameter(rest: bytes) -> Said:
    number, arguments = rest[0], rest[1:]
    words: Words = {"parameter": f"{number:02X}", "arguments_hex": spaced(arguments)}
    if number in {ONE_VALUE, LATCHED, GROUP} and arguments:
        return words, [f"Asks for {values_asked(number, arguments[0])}."]
    if number in {0x13, 0x15}:
        which = "additional" if number == 0x15 else "main"
        return words, [f"Asks for the last record of the {which} profile."]
    parameter = PARAMETERS.get(number)
    if parameter is None:
        return words, [f"Asks for parameter {number:02X}, whose layout no paper gives."]
    of = {0x06: "mask", 0x0C: "month", 0x0D: "month", 0x1A: "tariff", 0x23: "month"}.get(number)
    detail = f", {of} {arguments[0]}" if of and arguments else ""
    detail = ", at length" if number in {0x01, 0x12} and arguments else detail
    return words, [f"Asks for parameter {number:02X}: {parameter.title}{detail}."]


def values_asked(parameter: int, bwri: int) -> str:
    """Say what a BWRI byte asks for."""
    latched = "the latched " if parameter == LATCHED else ""
    if bwri == ALL:
        return "all latched values at once" if latched else "all instantaneous values at once"
    if parameter == LATCHED and bwri == FIXED_AT:
        return "the time of latching"
    if parameter == LATCHED and bwri & 0xF0 == FIXED_ENERGY:
        return f"the latched energy, {_tariff(bwri & 0x0F)}"
    kind = kind_of(bwri)
    if kind is None:
        return f"values {bwri:02X}, which no paper lists"
    name = kind.name.replace("_", " ")
    if parameter == ONE_VALUE and len(kind.phases) > 1:
        return f"{name}, {phase_name(kind, bwri & 3)}"
    return f"{latched}{name}{', sum and phases' if len(kind.phases) == 4 else ''}"


def phase_name(kind: Kind, phase: int) -> str:
    """Return 'sum', 'phase 2', or 'phases 1-3' for the angle between two."""
    if kind is ANGLE:
        return "phases " + ANGLES.get(phase, f"of a number {phase}")
    return f"phase {phase}" if phase else "sum"


REQUESTS: Mapping[int, tuple[int, Callable[[bytes], Said]]] = {  # fewest bytes after the code
    0x00: (0, _bare("Asks whether the meter is there.")),
    0x01: (1, _open),
    0x02: (0, _bare("Closes the channel.")),
    0x03: (1, _write),
    0x04: (1, _journal),
    0x05: (2, _array),
    0x06: (4, _memory),
    0x07: (0, _raw_write),
    0x08: (1, _parameter),
    0x15: (2, _quadrants),
    0x16: (4, _relative),
    0x17: (0, _bare("Asks for power maxima by tariff; no layout is published.")),
    0x18: (0, _bare("Asks for the extended archive; no layout is published.")),
}
