"""Answers to the codes that read clock, journals, energy and memory: 04, 05, 15, 06, 16.

Each takes the works, the parameters after the code and the standard second, returns the data
or raises `Refusal`.
"""

from typing import TypeVar

from hub.plugins.mercury234.simulator import layouts
from hub.plugins.mercury234.simulator.memory import RECORD
from hub.plugins.mercury234.simulator.works import BAD_REQUEST, INTERNAL, Refusal, Works

T = TypeVar("T")

_BLOCK = 17
_FAST_TARIFF, _LOSS_TARIFF = 6, 5
_BY_PHASE = 0x6
_FIRST_START = 0x9
_PROFILE, _REGISTERS = 3, 2
_LAST_KIND = 4
_SINGLE, _MANY = 0x0F, 0xFF


def clock_or_journal(works: Works, asked: bytes, at: int) -> bytes:
    """04: the clock, or a record of an event book."""
    if asked[0] == 0:
        return clock(works, at)
    found = works.journals.read(
        asked[0], asked[1], at, long=works.long_answers, last=works.last_records
    )
    return _given(found)


def clock(works: Works, at: int) -> bytes:
    """Lay out a standard second as the clock shows it."""
    calendar = works.calendar
    return layouts.clock(calendar.face(at), winter=not calendar.is_summer(at))


def energy(works: Works, asked: bytes, at: int) -> bytes:
    """05: a register, or with tariff 6 those of all tariffs and the sum in one answer."""
    array, month, tariff = asked[0] >> 4, asked[0] & 0xF, asked[1]
    if array >= _FIRST_START and not works.start_registers:
        raise Refusal(BAD_REQUEST)
    if tariff == _FAST_TARIFF and works.long_answers:
        return b"".join(_one_energy(works, array, month, each, at) for each in (1, 2, 3, 4, 0))
    if tariff > _LOSS_TARIFF:
        raise Refusal(BAD_REQUEST)
    return _one_energy(works, array, month, tariff, at)


def _one_energy(works: Works, array: int, month: int, tariff: int, at: int) -> bytes:
    if array != _BY_PHASE:
        return layouts.energies(_given(works.registers.read(array, month, tariff, at)))
    if month:
        raise Refusal(BAD_REQUEST)
    return layouts.energies(works.registers.by_phase(at, tariff))


def quadrants(works: Works, asked: bytes, at: int) -> bytes:
    """15: reactive energy by quadrant."""
    array, month, tariff = asked[0] >> 4, asked[0] & 0xF, asked[1]
    if not works.new_generation or tariff > _LOSS_TARIFF:
        raise Refusal(BAD_REQUEST)
    return layouts.energies(_given(works.registers.quadrants(array, month, tariff, at)))


def memory(works: Works, asked: bytes, at: int) -> bytes:
    """06: records of the profile by byte address.

    Whether hardware reads over the end of the ring, or over the border of the 17th bit, is not
    known; here it refuses, so that a driver may not rely on it.
    """
    number, kind, count = asked[0] & 0xF, asked[0] >> 4 & 0x7, asked[3]
    if number == _REGISTERS:
        raise Refusal(INTERNAL)
    address = (asked[0] >> 7) << 16 | asked[1] << 8 | asked[2]
    place, rest = divmod(address, 0x10)
    if number != _PROFILE or kind > _LAST_KIND or rest or place >= works.ring.places:
        raise Refusal(BAD_REQUEST)
    places = range(place, place + _records_asked(works, kind, count))
    if places[0] >> 12 != places[-1] >> 12:
        raise Refusal(BAD_REQUEST)
    if kind:
        return works.ring.words(at, places, kind - 1)
    return works.ring.records(at, places)


def _records_asked(works: Works, kind: int, count: int) -> int:
    """Return how many records a byte count means; a count that means none is error E-07."""
    if kind:
        if count == 0 or count % 2 or count > 0x10:
            raise Refusal(INTERNAL)
        return count // 2
    if count == _MANY:
        if not works.long_answers:
            raise Refusal(BAD_REQUEST)
        return _BLOCK
    if count != _SINGLE:
        raise Refusal(INTERNAL)
    return 1


def relative(works: Works, asked: bytes, at: int) -> bytes:
    """16: records counted back from the last one, oldest first."""
    number, offset, count = asked[0], asked[1] << 8 | asked[2], asked[3]
    fits = 0 < count * RECORD <= 0xFF and offset + count <= works.ring.places
    if not works.new_generation or number != _PROFILE or not fits:
        raise Refusal(BAD_REQUEST)
    newest = works.ring.last_written(at) - offset
    return works.ring.records(at, range(newest - count + 1, newest + 1))


def _given(found: T | None) -> T:
    if found is None:
        raise Refusal(BAD_REQUEST)
    return found
