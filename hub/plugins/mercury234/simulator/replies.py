"""Answers to the codes that read clock, journals, energy and memory: 04, 05, 15, 06, 16.

Each takes the works, the parameters after the code and the run second, returns the data
or raises `Refusal`.
"""

from typing import TypeVar

from hub.plugins.mercury234.simulator import layouts
from hub.plugins.mercury234.simulator.memory import RECORD, Ring
from hub.plugins.mercury234.simulator.works import Refusal, Works
from hub.plugins.mercury234.simulator.writes import BAD_REQUEST, INTERNAL

T = TypeVar("T")

_BLOCK = 17
_FAST_TARIFF, _LOSS_TARIFF = 6, 5
_BY_PHASE = 0x6
_FIRST_START = 0x9
_PROFILE, _SECOND_PROFILE, _REGISTERS = 3, 5, 2
_LAST_KIND = 4
_SINGLE, _MANY = 0x0F, 0xFF


def clock_or_journal(works: Works, asked: bytes, at: int) -> bytes:
    """04: the clock, or a record of an event book."""
    if asked[0] == 0:
        return clock(works, at)
    return _given(works.books.read(asked[0], asked[1], at))


def clock(works: Works, at: int) -> bytes:
    """Lay out a run second as the clock shows it."""
    shown = works.timeline.clock(at)
    return layouts.clock(works.calendar.face(shown), winter=not works.calendar.is_summer(shown))


def energy(works: Works, asked: bytes, at: int) -> bytes:
    """05: a register, or with tariff 6 those of all tariffs, the sum and the losses, if any."""
    array, month, tariff = asked[0] >> 4, asked[0] & 0xF, asked[1]
    if array >= _FIRST_START and not works.start_registers:
        raise Refusal(BAD_REQUEST)
    if tariff == _FAST_TARIFF and works.long_answers:
        tariffs = (1, 2, 3, 4, 0, 5) if works.options.losses else (1, 2, 3, 4, 0)
        return b"".join(_one_energy(works, array, month, each, at) for each in tariffs)
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
    ring = _ring(works, number, place)
    place -= ring.base // 0x10
    if kind > _LAST_KIND or rest or place >= ring.places:
        raise Refusal(BAD_REQUEST)
    places = range(place, place + _records_asked(works, kind, count))
    if places[0] >> 12 != places[-1] >> 12 or places[-1] >= ring.places:
        raise Refusal(BAD_REQUEST)
    if kind:
        return ring.words(at, places, kind - 1)
    return ring.records(at, places)


def _ring(works: Works, number: int, place: int = 0) -> Ring:
    """Return the ring in a memory; one that is not there raises `Refusal`."""
    if number == _SECOND_PROFILE and works.wide and len(works.rings) > 1:
        return works.rings[1]
    if number != _PROFILE:
        raise Refusal(BAD_REQUEST)
    second = len(works.rings) > 1 and not works.wide and place >= works.ring.places
    return works.rings[int(second)]


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
    if not works.new_generation:
        raise Refusal(BAD_REQUEST)
    ring = _ring(works, number)
    if not 0 < count * RECORD <= 0xFF or offset + count > ring.places:
        raise Refusal(BAD_REQUEST)
    newest = ring.last_written(at) - offset
    return ring.records(at, range(newest - count + 1, newest + 1))


def _given(found: T | None) -> T:
    if found is None:
        raise Refusal(BAD_REQUEST)
    return found
