"""Carrying out orders: each in a conversation of its own, under a consent that is spent once.

Reading never suffers from an order: what the meter refuses is noted and the visit goes on. From
the moment a consent is spent nothing is repeated; what then ends without an answer is *unknown*.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import structlog

from hub.collector.border import Border
from hub.domain.clock import ClockReading, to_face
from hub.domain.consent import Act, Consent
from hub.errors import (
    AccessDenied,
    ConsentSpent,
    DeviceError,
    DeviceFault,
    HubError,
    LinkError,
    NotSupported,
    PluginError,
    Refused,
    WrongDevice,
)
from hub.plugins.api.meter import (
    Can,
    ClockMove,
    Fixes,
    Level,
    MeterDriver,
    Outcome,
    ReadsState,
    SetsClock,
    SetsLimits,
    SwitchesRelay,
)
from hub.plugins.api.wire import Talk
from hub.services import clock_discipline, orders, snapshots
from hub.services.orders import Order, State
from hub.wire.line import Seat
from hub.wire.runner import run

log = structlog.get_logger("hub.collector")

ACT_S = 300.0
EARLY = frozenset({Act.SWITCH_RELAY, Act.SET_LIMITS, Act.FIX})  # before reading: people wait
# A clock is moved after reading: archives that a move upsets have been read by then.
NEEDS: Mapping[Act, Can] = {
    Act.CORRECT_CLOCK: Can.SET_CLOCK,
    Act.SET_CLOCK: Can.SET_CLOCK,
    Act.SWITCH_RELAY: Can.RELAY,
    Act.SET_LIMITS: Can.LIMITS,
    Act.FIX: Can.FIXED,
}
# What a meter takes from whoever may read it; all else needs the owner's password.
READER = frozenset({Act.CORRECT_CLOCK, Act.FIX})
CLOCK = frozenset({Act.CORRECT_CLOCK, Act.SET_CLOCK})
STATES: Mapping[Outcome, State] = {
    Outcome.CONFIRMED: State.CONFIRMED,
    Outcome.STARTED: State.STARTED,
    Outcome.REFUSED: State.REFUSED,
    Outcome.UNKNOWN: State.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Ready:
    """A meter that an order can be given to; ``clock`` None: it has none."""

    can: frozenset[Can]
    clock: ClockReading | None


class Held:
    """An order's consent as the runner spends it."""

    def __init__(self, border: Border, order: Order) -> None:
        self._border = border
        self._order = order
        self.spent = False

    @property
    def consent(self) -> Consent:
        return self._order.consent

    async def spend(self) -> bool:
        """Spend it in the store, once for all time."""
        border = self._border
        self.spent = await asyncio.to_thread(
            orders.spend, border.store, self._order.id, lease=border.lease
        )
        return self.spent


class Acts:
    """The orders of one visit."""

    def __init__(self, border: Border) -> None:
        self._border = border
        self._waiting: list[Order] = []
        self.done: dict[int, State] = {}
        self._denied = ""  # why the owner's password was refused

    async def look(self) -> None:
        """Find out what is ordered, and what became of a visit that died."""
        self._waiting = await self._border.stored(orders.to_do)

    async def early(self, seat: Seat) -> None:
        """Carry out what people wait for."""
        for order in self._waiting:
            if order.act in EARLY:
                await self._carry_out(order, seat)

    async def late(self, seat: Seat) -> None:
        """Move the clock where that is ordered."""
        for order in self._waiting:
            if order.act not in EARLY:
                await self._carry_out(order, seat)

    async def correct(self, reading: ClockReading, seat: Seat) -> None:
        """Let the utility's policy correct the clock, unless somebody has just set it."""
        if any(order.act is Act.SET_CLOCK for order in self._waiting):
            return
        order = await self._border.stored(clock_discipline.propose, reading)
        if order is not None:
            await self._carry_out(order, seat)

    async def _carry_out(self, order: Order, seat: Seat) -> None:
        """Carry an order out to its end, even if the visit is cancelled meanwhile."""
        task = asyncio.create_task(self._one(order, seat))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # whatever it was, the visit ends for another reason
            raise

    async def _one(self, order: Order, seat: Seat) -> None:
        if self._denied and order.act not in READER:
            await self._settle(order, State.REFUSED, self._denied)
            return
        driver = self._border.build()
        held = Held(self._border, order)
        try:
            ready = await self._prepare(driver, order, seat)
            outcome = await self._write(driver, order, ready, held, seat)
            await self._settle(order, STATES[outcome], "", ready)
            await self._look_after(driver, order, ready, seat)
        except ConsentSpent:
            return  # it was withdrawn, or has run out, since it was found
        except (HubError, ValueError) as error:
            if isinstance(error, AccessDenied) and order.act not in READER:
                # Nobody knows after how many wrong passwords a meter locks itself.
                self._denied = str(error)
            if order.id not in self.done:
                state = _state_after(error, order.act, is_spent=held.spent)
                if state is not None:
                    await self._settle(order, state, str(error))
            if _is_about_order(error):
                log.warning("order_trouble", order=order.id, text=str(error))
                return
            raise
        finally:
            await self._border.goodbye(driver, seat)
            self._border.learned(driver)

    async def _prepare(self, driver: MeterDriver, order: Order, seat: Seat) -> Ready:
        """Open the channel, see that it is the right meter and how its clock is."""
        border = self._border
        level = Level.READ if order.act in READER else Level.CONFIGURE
        await border.ask(seat, "open", lambda: driver.open(level))
        can = border.can(driver, await border.identity(driver, seat))
        if NEEDS[order.act] not in can:
            raise NotSupported
        clock = None
        if Can.CLOCK in can:
            clock = await border.clock(driver, seat, border.errand.meter.drift_s)
        return Ready(can, clock)

    async def _write(
        self, driver: MeterDriver, order: Order, ready: Ready, held: Held, seat: Seat,
    ) -> Outcome:  # fmt: skip
        """Say it to the meter, once; ValueError, with nothing sent, for what can't be."""
        try:
            talk = self._talk(driver, order, ready.clock)
            return await run(talk, seat, deadline=ACT_S, consent=held)
        except HubError:
            raise
        except ValueError as error:
            if held.spent:
                raise self._border.blame(order.act, error) from error
            raise
        except Exception as error:
            raise self._border.blame(order.act, error) from error

    def _talk(self, driver: MeterDriver, order: Order, clock: ClockReading | None) -> Talk[Outcome]:
        receipt, told = order.consent, order.parameters
        match order.act:
            case Act.SWITCH_RELAY:
                return cast("SwitchesRelay", driver).switch_relay(receipt, closed=told["closed"])
            case Act.SET_LIMITS:
                return cast("SetsLimits", driver).set_limits(orders.limits_of(told), receipt)
            case Act.FIX:
                return cast("Fixes", driver).fix(receipt)
        if clock is None:
            raise NotSupported
        is_step = order.act is Act.CORRECT_CLOCK
        aim = clock_discipline.target(
            self._border.errand.bases.now(clock.answered_at),
            clock.shown,
            off_s=float(told["drift_s"]) + float(told["shift_s"]) if is_step else 0.0,
            one_way_s=(clock.answered_at - clock.asked_at).total_seconds() / 2,
        )
        move = ClockMove.NUDGE if is_step else ClockMove.SET
        return cast("SetsClock", driver).set_clock(aim, move, receipt)

    async def _settle(
        self, order: Order, state: State, note: str, ready: Ready | None = None
    ) -> None:
        border = self._border
        self.done[order.id] = state
        log.info("order", meter=border.meter_id, order=order.id, act=order.act, outcome=state)
        await asyncio.to_thread(orders.settle, border.store, order, state, note, lease=border.lease)
        if state is State.REFUSED and ready and ready.clock:
            await self._tell(order, state, ready.clock)

    async def _tell(self, order: Order, state: State, clock: ClockReading) -> None:
        """Make an event of what became of the clock."""
        border = self._border
        await asyncio.to_thread(
            clock_discipline.note_outcome, border.store, order, state, clock.shown,
            lease=border.lease,
        )  # fmt: skip

    async def _look_after(
        self, driver: MeterDriver, order: Order, ready: Ready, seat: Seat
    ) -> None:
        """Store how the meter is now, so that pages show what the order made of it."""
        border, now = self._border, self._border.place.now()
        if order.act in CLOCK:
            reading = await border.clock(driver, seat, None)
            await border.stored(clock_discipline.note_reading, reading)
            if self.done[order.id] is State.CONFIRMED:
                await self._tell(order, State.CONFIRMED, reading)
        elif order.act is Act.FIX:
            fixed = await border.ask(seat, "read_fixed", cast("Fixes", driver).read_fixed)
            if fixed is not None:
                await border.stored(snapshots.store_fixed, fixed, now)
        elif Can.STATE in ready.can:
            state = await border.ask(seat, "read_state", cast("ReadsState", driver).read_state)
            shown = ready.clock.shown if ready.clock else to_face(now, border.errand.bases.now(now))
            await border.stored(snapshots.store_state, state, shown, now)


def _state_after(error: Exception, act: Act, *, is_spent: bool) -> State | None:
    """Say what an error makes of an order; None: it waits for the next visit."""
    if isinstance(error, AccessDenied | NotSupported | Refused):
        return State.REFUSED
    if is_spent:
        return State.UNKNOWN if isinstance(error, LinkError | PluginError | DeviceError) else None
    if isinstance(error, ValueError):
        # A correction that can't be now may do later, and the clock is measured anew by then.
        return State.WITHDRAWN if act is Act.CORRECT_CLOCK else State.REFUSED
    return State.REFUSED if isinstance(error, PluginError | DeviceFault) else None


def _is_about_order(error: Exception) -> bool:
    """Whether the visit can go on: the meter said no to the order, and may yet be read."""
    return isinstance(error, ValueError | DeviceError) and not isinstance(error, WrongDevice)
