"""One visit to one meter: who are you, your clock, registers, profile, and what was missed.

A page is the unit of storing and of losing work: it is stored with its cursor before the next
one is asked for. Whatever happens, the driver says goodbye.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from hub.domain.calendar import instant_of
from hub.domain.clock import MeterTime, drift_s, to_face
from hub.domain.meters import Identity, Register
from hub.domain.pages import Cursor
from hub.domain.profile import ProfilePage
from hub.errors import (
    ContractBroken,
    CursorLost,
    DeviceError,
    FrameGarbled,
    HubError,
    LinkError,
    PluginBroken,
    ReplyTimeout,
)
from hub.plugins.api.meter import (
    Can,
    DriverSpec,
    Level,
    MeterDriver,
    ReadsClock,
    ReadsProfile,
    ReadsRegisters,
)
from hub.plugins.api.wire import Talk
from hub.services import balance, meters, readings, storing
from hub.services.meters import Errand, Lease, StoredGap
from hub.store.unit import Store
from hub.wire.line import Line, Seat
from hub.wire.runner import run

T = TypeVar("T")

OPERATION_S = 300.0  # turns of other meters on the line included
PAGE_S = 900.0
GOODBYE_S = 15.0
VISIT_S = 6 * 3600.0
GAPS_A_VISIT = 12
URGENT = 10  # priority on the line of a visit that a person waits for
CLOCK_JUMP_S = 60.0
TWO_LOOKS = timedelta(minutes=10)  # at most between two looks at a clock, turns of others included
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
    drift_s: float | None = None
    learned: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where visits happen: the line under its lease, the store, the machine's clock."""

    store: Store
    line: Line
    lease: Lease
    now: Callable[[], datetime]


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
        self.store = place.store
        self.lease = place.lease
        self.spec = spec
        self.errand = errand
        self.meter_id = errand.meter.id
        self.tally = Tally()
        self.fault: ContractBroken | None = None  # a goodbye that failed on the plugin's side

    async def __call__(self) -> Tally:
        """Go through the visit; HubError says what stopped it."""
        driver, key = self._driver()
        seat = self.place.line.seat(
            self.spec.timing(self.place.line.address.baud),
            interleave=self.spec.interleave,
            is_mutating=self.spec.is_mutating,
            act=self.spec.act,
            priority=URGENT if self.asked_at else 0,
            key=key,
        )
        with seat:
            try:
                async with asyncio.timeout(VISIT_S):
                    await self._talk(driver, seat)
            except TimeoutError as error:
                raise ContractBroken(
                    f"A visit by the driver '{self.spec.id}' did not end within "
                    f"{VISIT_S / 3600:.0f} hours; report it to the plugin's maker."
                ) from error
            finally:
                await self._goodbye(driver, seat)
        if self.fault is not None:
            raise self.fault
        return self.tally

    def _driver(self) -> tuple[MeterDriver, str]:
        """Build the driver, and the key that its late replies are told by: its address."""
        try:
            settings = self.spec.settings.model_validate_json(self.errand.meter.settings)
        except ValidationError as error:
            fields = ", ".join(str(item["loc"][0]) for item in error.errors() if item["loc"])
            raise PluginBroken(
                f"The stored settings of meter {self.meter_id} do not fit the driver "
                f"'{self.spec.id}' ({fields or 'all of them'}); set them anew."
            ) from error
        driver = self._guarded(
            "build", lambda: self.spec.build(settings, self.errand.meter.learned)
        )
        return driver, str(getattr(settings, "address", f"meter {self.meter_id}"))

    async def _talk(self, driver: MeterDriver, seat: Seat) -> None:
        await self._ask(seat, "open", lambda: driver.open(Level.READ))
        self.tally.answered = True
        identity = await self._identity(driver, seat)
        await self._stored(meters.met, identity)
        can = self._can(driver, identity)
        shown = await self._clock(driver, seat, can)
        trouble: LinkError | None = None
        history: list[Register] = []
        if Can.REGISTERS in can:
            wanted = await self._wanted(cast("ReadsRegisters", driver), shown)
            soon = [one for one in wanted if one.period.startswith(SOON)]
            history = [one for one in wanted if not one.period.startswith(SOON)]
            try:
                await self._registers(cast("ReadsRegisters", driver), seat, shown, soon)
            except (ReplyTimeout, FrameGarbled) as error:
                trouble = error  # half-hours don't wait for registers, nor the other way round
        await self._answer(seat, trouble)
        if Can.PROFILE in can:
            reader = cast("ReadsProfile", driver)
            await self._profile(reader, seat)
            await self._ask_for_gaps(reader, seat, seasons=shown.summer is not None)
        if history:
            # A year of month starts is many exchanges, once; people wait for half-hours.
            await self._registers(cast("ReadsRegisters", driver), seat, shown, history)
        if Can.PROFILE in can:
            await self._balance(
                cast("ReadsProfile", driver), seat, seasons=shown.summer is not None
            )
        self.tally.learned = self._learned(driver)
        if trouble is not None:
            raise trouble

    async def _answer(self, seat: Seat, trouble: LinkError | None) -> None:
        """Let go who waits for this meter; what is still to be read is nobody's hurry."""
        if self.asked_at is None:
            return
        seat.priority = 0
        if trouble is None:
            await self._stored(meters.answered, self.asked_at)

    def _learned(self, driver: MeterDriver) -> dict[str, str]:
        return self._guarded("learned", lambda: dict(driver.learned()))

    async def _identity(self, driver: MeterDriver, seat: Seat) -> Identity:
        """Ask who answers; what is not as it was before is believed when it is said twice."""
        identity = await self._ask(seat, "identify", driver.identify)
        if meters.as_json(identity) != self.errand.meter.identity:
            again = await self._ask(seat, "identify", driver.identify)
            if again != identity:
                raise FrameGarbled(
                    "The meter told two different identities in a row; check the line for noise "
                    "and for two meters at one address."
                )
        return identity

    def _can(self, driver: MeterDriver, identity: Identity) -> frozenset[Can]:
        can = self._guarded("can", lambda: frozenset(driver.can(identity)))
        if not can <= self.spec.may:
            raise ContractBroken(
                f"The driver '{self.spec.id}' claims {sorted(can - self.spec.may)}, which it has "
                "not declared; report it to the plugin's maker."
            )
        return can

    async def _clock(self, driver: MeterDriver, seat: Seat, can: frozenset[Can]) -> MeterTime:
        """Look at the meter's clock; without one its face is taken to be right."""
        now = self.place.now()
        base = self.errand.bases.now(now)
        if Can.CLOCK not in can:
            return to_face(now, base)
        clock = cast("ReadsClock", driver).read_clock
        reading = await self._ask(seat, "read_clock", clock)
        drift, before = drift_s(reading, base), self.errand.meter.drift_s
        if before is None or abs(drift - before) > CLOCK_JUMP_S:
            # Day-start registers are dated by the face: a jump is believed when it is seen twice.
            first, reading = reading.shown, await self._ask(seat, "read_clock", clock)
            if abs(reading.shown.face - first.face) > TWO_LOOKS:
                raise FrameGarbled(
                    "The meter's clock showed two different times in a row; "
                    "check the line for noise."
                )
        self.tally.drift_s = drift_s(reading, base)
        await self._stored(meters.note_drift, self.tally.drift_s, reading.answered_at)
        return reading.shown

    async def _wanted(self, driver: ReadsRegisters, shown: MeterTime) -> list[Register]:
        on_offer = self._guarded("registers", lambda: frozenset(driver.registers()))
        return await asyncio.to_thread(readings.wanted, self.store, self.meter_id, on_offer, shown)

    async def _registers(
        self, driver: ReadsRegisters, seat: Seat, shown: MeterTime, wanted: list[Register]
    ) -> None:
        read = await self._ask(seat, "read_registers", lambda: driver.read_registers(wanted))
        self.tally.registers += await self._stored(
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
                await self._stored(meters.forget_cursor)
                continue
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
        return await self._ask(
            seat, "read_profile", lambda: driver.read_profile(cursor, span), PAGE_S
        )

    async def _store(
        self, driver: ReadsProfile, page: ProfilePage, *, by_span: bool = False
    ) -> storing.PageStored:
        learned = self._learned(cast("MeterDriver", driver))
        stored = await self._stored(
            storing.store_profile_page, page, by_span=by_span, learned=learned
        )
        self.tally.pages += 1
        self.tally.filled += stored.filled
        self.tally.revised += stored.revised
        self.tally.same += stored.same
        return stored

    async def _balance(self, driver: ReadsProfile, seat: Seat, *, seasons: bool) -> None:
        """Ask once more for what the registers doubt, when all else has been read."""
        checks = await self._stored(balance.check_balance)
        if any(check.is_in_doubt for check in checks):
            await self._ask_for_gaps(driver, seat, seasons=seasons)
            checks = await self._stored(balance.check_balance)
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
            await self._stored(storing.finish_span, gap)

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

    # -- the border to the plugin and to the store

    async def _ask(
        self, seat: Seat, operation: str, talk: Callable[[], Talk[T]],
        deadline: float = OPERATION_S,
    ) -> T:  # fmt: skip
        """Run one conversation; anything but a HubError is the plugin's fault."""
        try:
            return await run(talk(), seat, deadline=deadline)
        except HubError:
            raise
        except Exception as error:
            raise self._fault(operation, error) from error

    def _guarded(self, operation: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except HubError:
            raise
        except Exception as error:
            raise self._fault(operation, error) from error

    def _fault(self, operation: str, error: Exception) -> ContractBroken:
        return ContractBroken(
            f"The driver '{self.spec.id}' failed in '{operation}' at meter {self.meter_id} "
            f"({type(error).__name__}: {error}); report it to the plugin's maker.",
            plugin=self.spec.id,
            operation=operation,
            target=self.meter_id,
        )

    async def _stored(self, service: Callable[..., T], *args: Any, **more: Any) -> T:
        """Call a service of this meter in a thread, under the line's lease."""
        return await asyncio.to_thread(
            partial(service, self.store, self.meter_id, *args, lease=self.lease, **more)
        )

    async def _goodbye(self, driver: MeterDriver, seat: Seat) -> None:
        """Close the channel; a line that is dead or a driver that fails here has done its harm."""
        try:
            await run(driver.close(), Once(seat), deadline=GOODBYE_S)
        except (HubError, TimeoutError):
            return
        except Exception as error:  # noqa: BLE001 -- kept, and raised when the visit has ended
            self.fault = self._fault("close", error)


class Once:
    """A seat that repeats nothing: a goodbye is not worth waiting for."""

    def __init__(self, seat: Seat) -> None:
        self.once = seat.once

    async def __call__(self, step: Any, /) -> Any:
        return await self.once(step)
