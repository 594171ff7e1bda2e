"""One visit to one meter: who are you, your clock, registers, profile, journals, what was missed.

A page is the unit of storing and of losing work: it is stored with its cursor before the next
one is asked for. Whatever happens, the driver says goodbye.

The order: what people wait for first (orders, the clock, the registers and values of now), then
the half-hours, the journals where they are due, what takes long, and at last the clock's
correction, when all that it could upset has been read.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

import structlog

from hub.collector.acts import Acts
from hub.collector.agenda import Signs, journals_due, reckoned_from
from hub.collector.border import Border, Place
from hub.domain.calendar import instant_of
from hub.domain.clock import ClockReading, MeterTime, to_face
from hub.domain.events import Severity
from hub.domain.meters import Register
from hub.domain.pages import Cursor
from hub.domain.profile import ProfilePage
from hub.errors import (
    ContractBroken,
    CursorLost,
    DeviceError,
    FrameGarbled,
    LinkError,
    ReplyTimeout,
    WrongDevice,
)
from hub.plugins.api.meter import (
    Can,
    DriverSpec,
    Level,
    MeterDriver,
    ReadsJournal,
    ReadsProfile,
    ReadsRegisters,
    ReadsSnapshot,
    ReadsState,
)
from hub.services import (
    balance,
    clock_discipline,
    events,
    meters,
    readings,
    snapshots,
    storing,
)
from hub.services.meters import Errand, StoredGap
from hub.wire.line import Seat

__all__ = ["Place", "Tally", "Visit"]

T = TypeVar("T")
log = structlog.get_logger("hub.collector")

PAGE_S = 900.0
VISIT_S = 6 * 3600.0
GAPS_A_VISIT = 12
SILENT_BOOKS = 3  # in a row without a whole answer: the line is too bad for the others too
URGENT = 10  # priority on the line of a visit that a person waits for
SOON = ("now", "at:day")  # registers that are read before the profile
GAP_WAIT = timedelta(minutes=5)
LONGEST_GAP_WAIT = timedelta(days=1)


@dataclass(slots=True)
class Tally:
    """What a visit brought; for the log."""

    answered: bool = False  # somebody at this address said something that made sense
    pages: int = 0
    filled: int = 0
    revised: int = 0
    same: int = 0
    gaps_asked: int = 0
    registers: int = 0
    in_doubt: int = 0
    events: Counter[Severity] = field(default_factory=Counter)  # seen for the first time
    refused: list[str] = field(default_factory=list)  # what the meter said no to
    orders: int = 0
    drift_s: float | None = None
    learned: dict[str, str] = field(default_factory=dict)


class Visit:
    """One visit. ``tally`` tells how far it came, also after a failure."""

    def __init__(
        self,
        place: Place,
        spec: DriverSpec[Any],
        errand: Errand,
        *,
        asked_at: datetime | None = None,
    ) -> None:
        self.place = place
        self.asked_at = asked_at  # since when a person waits for it
        self.glance_at: datetime | None = None  # since when a page waits for values of now
        self.store = place.store
        self.lease = place.lease
        self.spec = spec
        self.errand = errand
        self.meter_id = errand.meter.id
        self.border = Border(place, spec, errand)
        self.acts = Acts(self.border)
        self.signs = Signs(None)
        self.trouble: LinkError | None = None  # of a part that the others did not wait for
        self.tally = Tally()
        self._can_look = False

    async def __call__(self) -> Tally:
        """Go through the visit; HubError says what stopped it."""
        with self.border.seat(URGENT if self.asked_at else 0) as seat:
            try:
                async with asyncio.timeout(VISIT_S):
                    await self._all(seat)
            except TimeoutError as error:
                raise ContractBroken(
                    f"A visit by the driver '{self.spec.id}' did not end within "
                    f"{VISIT_S / 3600:.0f} hours; report it to the plugin's maker."
                ) from error
        if self.border.fault is not None:
            raise self.border.fault
        if self.trouble is not None:
            raise self.trouble
        return self.tally

    async def _all(self, seat: Seat) -> None:
        plan = await asyncio.to_thread(events.plan, self.store, self.meter_id)
        self.signs = Signs(plan.read_at, asked=self.asked_at is not None)
        await self.acts.look()
        await self.acts.early(seat)
        self.signs.changed = bool(self.acts.done)
        driver = self.border.build()
        try:
            clock = await self._read(driver, seat, plan.cursors)
        finally:
            await self.border.goodbye(driver, seat)
        await self.acts.late(seat)
        if clock is not None and self.trouble is None:
            await self.acts.correct(clock, seat)
        self.tally.orders = len(self.acts.done)
        self.tally.learned = self.border.habits

    async def _read(
        self, driver: MeterDriver, seat: Seat, cursors: dict[str, Cursor]
    ) -> ClockReading | None:
        """Read all that is due; gives the look at a clock that can be corrected."""
        await self.border.ask(seat, "open", lambda: driver.open(Level.READ))
        self.tally.answered = True
        can = self.border.can(driver, await self.border.identity(driver, seat))
        clock, shown = await self._clock(driver, seat, can)
        history: list[Register] = []
        if Can.REGISTERS in can:
            wanted = await self._wanted(cast("ReadsRegisters", driver), shown)
            soon = [one for one in wanted if one.period.startswith(SOON)]
            history = [one for one in wanted if not one.period.startswith(SOON)]
            try:
                await self._registers(cast("ReadsRegisters", driver), seat, shown, soon)
            except (ReplyTimeout, FrameGarbled) as error:
                self.trouble = error  # half-hours don't wait for registers, nor the other way round
        if Can.SNAPSHOT in can:
            self._can_look = True
            self.glance_at = self.place.now()
            await self._look(driver, seat)
        await self._answer(seat)
        if Can.PROFILE in can:
            reader = cast("ReadsProfile", driver)
            await self._profile(reader, seat)
            await self._ask_for_gaps(reader, seat, seasons=shown.summer is not None)
        if journals_due(self.signs, self.place.now()):
            if Can.STATE in can:
                await self._aside("state", self._state(cast("ReadsState", driver), seat, shown))
            if Can.JOURNAL in can:
                await self._journals(cast("ReadsJournal", driver), seat, cursors)
        if history:
            # A year of month starts is many exchanges, once; people wait for half-hours.
            await self._registers(cast("ReadsRegisters", driver), seat, shown, history)
        if Can.PROFILE in can:
            await self._balance(
                cast("ReadsProfile", driver), seat, seasons=shown.summer is not None
            )
        self.border.learned(driver)
        return clock if Can.SET_CLOCK in can else None

    async def _answer(self, seat: Seat) -> None:
        """Let go who waits for this meter; what is still to be read is nobody's hurry."""
        if self.asked_at is None:
            return
        seat.priority = 0
        if self.trouble is None:
            await self.border.stored(meters.answered, self.asked_at)

    async def _aside(self, what: str, part: Coroutine[Any, Any, T]) -> T | None:
        """Do a part that the rest of the visit does not depend on.

        What the meter says no to is noted; damage and silence are raised at the end of the visit.
        """
        try:
            return await part
        except (ReplyTimeout, FrameGarbled) as error:
            self.trouble = self.trouble or error
        except WrongDevice:
            raise
        except DeviceError as error:  # also that its level is too low: the channel was opened
            self.tally.refused.append(what)
            log.info("part_refused", meter=self.meter_id, part=what, text=str(error))
        return None

    async def _clock(
        self, driver: MeterDriver, seat: Seat, can: frozenset[Can]
    ) -> tuple[ClockReading | None, MeterTime]:
        """Look at the meter's clock; without one its face is taken to be right."""
        now = self.place.now()
        if Can.CLOCK not in can:
            return None, to_face(now, self.errand.bases.now(now))
        before = self.errand.meter.drift_s
        clock = await self.border.clock(driver, seat, before)
        self.tally.drift_s = await self.border.stored(clock_discipline.note_reading, clock)
        self.signs.see_clock(before, self.tally.drift_s)
        return clock, clock.shown

    # -- values of now

    async def _look(self, driver: object, seat: Seat) -> None:
        """Read the values of now if a page waits for them; called between longer readings."""
        if self.glance_at is None or not self._can_look:
            return
        self.glance_at = None
        await self._aside("snapshot", self._snapshot(cast("ReadsSnapshot", driver), seat))

    async def _snapshot(self, driver: ReadsSnapshot, seat: Seat) -> None:
        values = await self.border.ask(seat, "read_snapshot", driver.read_snapshot)
        now = self.place.now()
        shown = to_face(now, self.errand.bases.now(now))
        await self.border.stored(snapshots.store_snapshot, values, shown, now)

    async def _state(self, driver: ReadsState, seat: Seat, shown: MeterTime) -> None:
        state = await self.border.ask(seat, "read_state", driver.read_state)
        await self.border.stored(snapshots.store_state, state, shown, self.place.now())

    # -- registers and profile

    async def _wanted(self, driver: ReadsRegisters, shown: MeterTime) -> list[Register]:
        on_offer = self.border.guarded("registers", lambda: frozenset(driver.registers()))
        return await asyncio.to_thread(readings.wanted, self.store, self.meter_id, on_offer, shown)

    async def _registers(
        self, driver: ReadsRegisters, seat: Seat, shown: MeterTime, wanted: list[Register]
    ) -> None:
        read = await self.border.ask(seat, "read_registers", lambda: driver.read_registers(wanted))
        self.tally.registers += await self.border.stored(
            readings.store_registers, read, shown=shown, read_at=self.place.now()
        )

    async def _profile(self, driver: ReadsProfile, seat: Seat) -> None:
        """Go on from the cursor, page by page, to the newest record."""
        cursor, lost = self.errand.cursor, False
        while True:
            try:
                page = await self._page(driver, seat, cursor)
            except CursorLost:
                if cursor is None or lost:
                    raise
                cursor, lost = None, True
                await self.border.stored(meters.forget_cursor)
                continue
            self.signs.see_page(page)
            stored = await self._store(driver, page)
            if not page.more:
                return
            if page.next == cursor and not stored.changed:
                raise ContractBroken(
                    f"The driver '{self.spec.id}' gives the same page again and again; "
                    "report it to the plugin's maker."
                )
            cursor = page.next

    async def _page(
        self,
        driver: ReadsProfile,
        seat: Seat,
        cursor: Cursor | None,
        span: tuple[MeterTime, MeterTime] | None = None,
    ) -> ProfilePage:
        await self._look(driver, seat)
        return await self.border.ask(
            seat, "read_profile", lambda: driver.read_profile(cursor, span), PAGE_S
        )

    async def _store(
        self, driver: ReadsProfile, page: ProfilePage, *, by_span: bool = False
    ) -> storing.PageStored:
        learned = self.border.learned(cast("MeterDriver", driver))
        stored = await self.border.stored(
            storing.store_profile_page, page, by_span=by_span, learned=learned
        )
        self.tally.pages += 1
        self.tally.filled += stored.filled
        self.tally.revised += stored.revised
        self.tally.same += stored.same
        return stored

    async def _balance(self, driver: ReadsProfile, seat: Seat, *, seasons: bool) -> None:
        """Ask once more for what the registers doubt, when all else has been read."""
        checks = await self.border.stored(balance.check_balance)
        if any(check.is_in_doubt for check in checks):
            await self._ask_for_gaps(driver, seat, seasons=seasons)
            checks = await self.border.stored(balance.check_balance)
            self.tally.in_doubt = sum(check.is_in_doubt for check in checks)

    async def _ask_for_gaps(self, driver: ReadsProfile, seat: Seat, *, seasons: bool) -> None:
        asked = await asyncio.to_thread(meters.open_gaps, self.store, self.meter_id)
        for gap in asked[:GAPS_A_VISIT]:
            self.tally.gaps_asked += 1
            try:
                await self._span(driver, seat, gap, seasons=seasons)
            except (LinkError, DeviceError):
                wait = min(GAP_WAIT * 2 ** min(gap.tries, 10), LONGEST_GAP_WAIT)
                until = self.place.now() + wait
                await asyncio.to_thread(
                    storing.put_off_span, self.store, gap, until, lease=self.lease
                )
                raise
            await self.border.stored(storing.finish_span, gap)

    async def _span(
        self, driver: ReadsProfile, seat: Seat, gap: StoredGap, *, seasons: bool
    ) -> None:
        first, last = (instant_of(minute) for minute in gap.span)
        base = self.errand.bases.now(first)
        # In summer the face is an hour ahead; records beyond the gap do no harm.
        ahead = timedelta(minutes=60 if seasons else 0)
        begin = to_face(first, base)
        end = to_face(last + ahead, self.errand.bases.now(last))
        cursor: Cursor | None = None
        while True:
            page = await self._page(driver, seat, cursor, (begin, end))
            await self._store(driver, page, by_span=True)
            if not page.more:
                return
            if page.next == cursor:
                raise ContractBroken(
                    f"The driver '{self.spec.id}' does not get to the end of a span; "
                    "report it to the plugin's maker."
                )
            cursor = page.next

    # -- journals

    async def _journals(self, driver: ReadsJournal, seat: Seat, cursors: dict[str, Cursor]) -> None:
        """Go through all books; one that fails does not stop the others."""
        whole, silent = True, 0
        for book in sorted(self.border.guarded("books", lambda: frozenset(driver.books()))):
            read = await self._aside(
                f"journal {book}", self._journal(driver, seat, book, cursors.get(book))
            )
            silent = 0 if read or f"journal {book}" in self.tally.refused else silent + 1
            whole = whole and not silent
            if silent == SILENT_BOOKS:
                break
        reckoned = reckoned_from(self.place.now(), whole=whole)
        await self.border.stored(events.journals_read, reckoned)

    async def _journal(
        self, driver: ReadsJournal, seat: Seat, book: str, cursor: Cursor | None
    ) -> bool:
        """Go on from a book's cursor, page by page, to its newest entry."""
        anew = False
        while True:
            await self._look(driver, seat)
            try:
                page = await self.border.ask(
                    seat, "read_journal", partial(driver.read_journal, book, cursor), PAGE_S
                )
            except CursorLost:
                if cursor is None or anew:
                    raise
                cursor, anew = None, True
                continue
            if page.next == cursor and not (page.entries or page.lost or page.more):
                return True  # most books, most days: nothing to write
            stored = await self.border.stored(
                events.store_journal_page, book, page, anew=anew,
                learned=self.border.learned(cast("MeterDriver", driver)),
            )  # fmt: skip
            self.tally.events += stored.fresh
            if not page.more:
                return True
            if page.next == cursor and not (stored.new or stored.changed):
                raise ContractBroken(
                    f"The driver '{self.spec.id}' gives the same page of journal {book} again and "
                    "again; report it to the plugin's maker."
                )
            cursor, anew = page.next, False
