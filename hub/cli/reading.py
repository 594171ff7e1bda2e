"""What ``hub meter read`` asks a meter: one function for each WHAT, as talks of the driver.

They await the driver's methods and nothing else, so the runner can run them like the driver
itself. Each returns the plain value that ``--json`` prints.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any, Final, TypeVar

from hub.cli.kit import face, plain
from hub.domain.events import kind_of
from hub.errors import ContractBroken, LinkError, NotSupported
from hub.locale import NBSP
from hub.plugins.api import (
    PROTOCOLS,
    Can,
    Channel,
    Cursor,
    FixedValues,
    Gap,
    Identity,
    JournalEntry,
    JournalPage,
    Level,
    MeterDriver,
    MeterState,
    MeterTime,
    ProfilePage,
    Quantity,
    Slot,
    SlotMark,
    Talk,
)
from hub.services.events import lost_entry
from hub.services.sentences import NO_TERMS, Terms, face_of, of_entry, sentence

P = TypeVar("P", ProfilePage, JournalPage)
Progress = Callable[[datetime | float], None]  # told the face's time reached, or the part done

# A span open at one end reaches as far as meters go back, or beyond any clock that is wrong.
EARLIEST: Final = datetime(2000, 1, 1)  # noqa: DTZ001 -- a meter's face has no zone
LATEST: Final = datetime(2099, 12, 31)  # noqa: DTZ001


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to read. Times are of the meter's face; ``clock_base`` is minutes east of UTC.

    ``books``: which journals, none means all; ``terms``: the driver's own words.
    """

    what: str
    since: datetime | None = None
    until: datetime | None = None
    clock_base: int = 180
    books: Sequence[str] = ()
    terms: Terms = NO_TERMS


async def visit(
    driver: MeterDriver, level: Level, wish: Wish, progress: Progress
) -> Mapping[str, object]:
    """Open, say who answers, read, and say goodbye on every way out."""
    await driver.open(level)
    try:
        identity = await driver.identify()
        if wish.what == "identity":
            return _identity(identity)
        return await _read(driver, identity, wish, progress)
    finally:
        with contextlib.suppress(LinkError):
            await driver.close()


async def _read(
    driver: MeterDriver, identity: Identity, wish: Wish, progress: Progress
) -> Mapping[str, object]:
    able: Any = _able(driver, identity, Can(wish.what))
    answer: Mapping[str, object]
    match Can(wish.what):
        case Can.CLOCK:
            answer = await _clock(able, wish)
        case Can.REGISTERS:
            read = await able.read_registers(able.registers())
            answer = {"registers": _quantities(read, "period")}
        case Can.SNAPSHOT:
            answer = {"values": _quantities(await able.read_snapshot())}
        case Can.PROFILE:
            answer = await _profile(able, wish, progress)
        case Can.JOURNAL:
            answer = await _journal(able, wish, progress)
        case Can.STATE:
            answer = _state(await able.read_state())
        case Can.FIXED:
            answer = _fixed(await able.read_fixed())
        case other:
            raise NotSupported(f"'{other}' can't be read with this command; see its --help.")
    return answer


def _able(driver: MeterDriver, identity: Identity, can: Can) -> object:
    able = driver.can(identity)
    if can in able and isinstance(driver, PROTOCOLS[can]):
        return driver
    others = ", ".join(["identity", *(each.value for each in Can if each in able)])
    raise NotSupported(
        f"This meter ({identity.model}) or its driver can't read its {can.value}; it can: {others}."
    )


def _identity(identity: Identity) -> Mapping[str, object]:
    return {
        "maker": identity.maker,
        "model": identity.model,
        "serial": identity.serial,
        "firmware": identity.firmware,
        "made_on": identity.made_on,
        "imp_per_kwh": identity.imp_per_kwh,
        "voltage_ratio": identity.voltage_ratio,
        "current_ratio": identity.current_ratio,
        "phases": identity.phases,
        "traits": identity.traits,
    }


async def _clock(driver: Any, wish: Wish) -> Mapping[str, object]:
    reading = await driver.read_clock()
    base = timedelta(minutes=wish.clock_base + (60 if reading.shown.summer else 0))
    # The meter looked at its clock about half a round trip after it was asked.
    meant = reading.asked_at + (reading.answered_at - reading.asked_at) / 2
    drift = (reading.shown.face - base) - meant.replace(tzinfo=None)
    return {
        "shown": face(reading.shown.face),
        "summer": reading.shown.summer,
        "drift_s": round(drift.total_seconds(), 1),
    }


def _quantities(read: Mapping[Any, Any], *more: str) -> list[Mapping[str, object]]:
    return [
        {
            "obis": register.obis,
            **{name: getattr(register, name) for name in more},
            "value": plain(quantity.value),
            "unit": quantity.unit,
        }
        for register, quantity in sorted(read.items())
    ]


def _quantity(read: Quantity | None) -> Mapping[str, object] | None:
    return None if read is None else {"value": plain(read.value), "unit": read.unit}


def _state(state: MeterState) -> Mapping[str, object]:
    return {
        "faults": None if state.faults is None else sorted(state.faults),
        "tariff": state.tariff,
        "load_on": state.load_on,
        "load_off_by": sorted(state.load_off_by),
        "controls": sorted(state.controls),
        "power_limit": _quantity(state.power_limit),
        "energy_limits": {
            str(tariff): _quantity(limit) for tariff, limit in sorted(state.energy_limits.items())
        },
        "maxima": _quantities(state.maxima, "period"),
        "detail": dict(state.detail),
    }


def _fixed(fixed: FixedValues | None) -> Mapping[str, object]:
    return {
        "fixed": None if fixed is None else face(fixed.fixed.face),
        "summer": None if fixed is None else fixed.fixed.summer,
        "values": [] if fixed is None else _quantities(fixed.values),
    }


# -- the profile -------------------------------------------------------------------------------


async def _profile(driver: Any, wish: Wish, progress: Progress) -> Mapping[str, object]:
    span = None
    if wish.since or wish.until:
        span = (MeterTime(wish.since or EARLIEST), MeterTime(wish.until or LATEST))
    slots: list[Slot] = []
    gaps: list[Gap] = []
    scales: list[Fraction] = []

    def take(page: ProfilePage) -> None:
        gaps.extend(page.gaps)
        if not page.slots:
            return
        if scales and page.milliwatt_hours_per_count != scales[0]:
            border = face(page.slots[0].ends.face)
            raise NotSupported(
                f"The scale of the profile changes before {border}; "
                f"read the two parts apart, with --until {border} and --since {border}."
            )
        scales.append(page.milliwatt_hours_per_count)
        slots.extend(page.slots)
        progress(page.slots[-1].ends.face)

    await _each_page(lambda at: driver.read_profile(at, span), take)
    return {
        "milliwatt_hours_per_count": str(scales[0]) if scales else None,
        "slots": [_slot(slot) for slot in slots],
        "gaps": [_gap(gap) for gap in gaps if not _is_cut_slot(gap, slots, wish.until)],
    }


def _is_cut_slot(gap: Gap, slots: Sequence[Slot], until: datetime | None) -> bool:
    """Say if the gap is but the beginning of a slot that ends after --until: nothing is missing."""
    if not slots or gap.starts is None or gap.ends.face != until:
        return False
    return gap.ends.face - gap.starts.face < timedelta(minutes=slots[-1].minutes)


async def _each_page(read: Callable[[Cursor | None], Talk[P]], take: Callable[[P], None]) -> None:
    """Read page after page until there is no more."""
    at: Cursor | None = None
    while True:
        page = await read(at)
        take(page)
        if not page.more:
            return
        if page.next == at:
            raise ContractBroken(
                "The driver says that there is more but does not go on; "
                "report it to the plugin's maker."
            )
        at = page.next


def _slot(slot: Slot) -> Mapping[str, object]:
    start = slot.ends.face - timedelta(minutes=slot.minutes)
    return {
        "start": start.isoformat(timespec="minutes"),
        "minutes": slot.minutes,
        "summer": slot.ends.summer,
        "counts": {
            channel.value: count for channel, count in zip(Channel, slot.counts, strict=True)
        },
        "flags": [str(mark.name).lower() for mark in SlotMark if mark in slot.marks],
    }


def _gap(gap: Gap) -> Mapping[str, object]:
    return {
        "from": None if gap.starts is None or gap.starts.face == EARLIEST else _minute(gap.starts),
        "to": _minute(gap.ends),
    }


def _minute(at: MeterTime) -> str:
    return at.face.isoformat(timespec="minutes")


# -- journals ----------------------------------------------------------------------------------


async def _journal(driver: Any, wish: Wish, progress: Progress) -> Mapping[str, object]:
    known = sorted(driver.books())
    books = [book for book in known if not wish.books or book in wish.books]
    missing = [book for book in wish.books if book not in known]
    if missing:
        raise NotSupported(f"This meter has no journal {missing[0]}; it has: {', '.join(known)}.")
    events: dict[str, JournalEntry] = {}
    lost: list[Mapping[str, object]] = []
    for number, book in enumerate(books):

        def take(page: JournalPage, book: str = book) -> None:
            events.update({entry.key: entry for entry in page.entries})
            if page.lost is not None and _touches(page.lost, wish):
                said = _said(lost_entry(book, page.lost), wish)
                lost.append({"book": book, **_gap(page.lost), "text": said})

        await _each_page(partial(driver.read_journal, book), take)
        progress((number + 1) / len(books))
    return {
        "events": [_event(entry, wish) for entry in events.values() if _is_wished(entry, wish)],
        "lost": lost,
    }


def _event(entry: JournalEntry, wish: Wish) -> Mapping[str, object]:
    return {
        "book": entry.book,
        "kind": entry.kind,
        "began": face(face_of(entry.began)),
        "ended": None if entry.ended is None else face(face_of(entry.ended)),
        "detail": dict(entry.detail or {}),
        "text": _said(entry, wish),
    }


def _said(entry: JournalEntry, wish: Wish) -> str:
    return sentence(of_entry(entry, wish.terms)).replace(NBSP, " ")


def _touches(lost: Gap, wish: Wish) -> bool:
    """Say if what was lost may have been between --since and --until."""
    if wish.since is not None and lost.ends.face <= wish.since:
        return False
    return wish.until is None or lost.starts is None or lost.starts.face < wish.until


def _is_wished(entry: JournalEntry, wish: Wish) -> bool:
    """Say if an event was, or goes on, between --since and --until."""
    began = face_of(entry.began)
    if wish.until is not None and began >= wish.until:
        return False
    if wish.since is None or began >= wish.since:
        return True
    if entry.ended is None:
        return kind_of(entry.kind).lasting
    return face_of(entry.ended) > wish.since
