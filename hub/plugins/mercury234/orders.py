"""Conversations that change the meter: each asks once, reads back once, and repeats nothing.

Answered with ok and seen: CONFIRMED. Answered with ok and not seen yet: STARTED. Refused: REFUSED.
No answer: the meter is read back once, and what is not seen then is UNKNOWN.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal

from hub.plugins.api import (
    ClockMove,
    ClockReading,
    DeviceError,
    DeviceFault,
    FrameGarbled,
    Limits,
    LineDown,
    MeterTime,
    NotSupported,
    Outcome,
    Quantity,
    Refused,
    ReplyTimeout,
)
from hub.plugins.mercury234 import writes
from hub.plugins.mercury234.fixed import FixedReader
from hub.plugins.mercury234.frames import INTERNAL_ERROR, OK
from hub.plugins.mercury234.parameters import Load
from hub.plugins.mercury234.session import Session
from hub.plugins.mercury234.state import StateReader

Look = Callable[[], Awaitable[bool]]

NUDGE_S = 240.0  # the meter's allowance for a day
SURE_NUDGE_S = 239.0  # what is asked for at most: the meter counts whole seconds
SLACK_S = 2.0  # by which a drift may be measured wrongly, or be left after a correction
MIDNIGHT_MARGIN = timedelta(seconds=10)
FIXING_S = 0.6  # it answers after 100 to 150 ms


class Orders:
    """Writes for one visit. The caller has the consent; the line lets nothing else through."""

    def __init__(
        self,
        session: Session,
        state: StateReader,
        fixed: FixedReader,
        read_clock: Callable[[], Awaitable[ClockReading]],
    ) -> None:
        self._session = session
        self._state = state
        self._fixed = fixed
        self._read_clock = read_clock

    # -- clock ----------------------------------------------------------------------------------

    async def set_clock(self, target: Callable[[datetime], MeterTime], move: ClockMove) -> Outcome:
        """Move to ``target(now)``; ValueError for a nudge that the meter can't do."""
        reading = await self._read_clock()
        if move is ClockMove.NUDGE and _impossible(reading, target):
            reading = await self._read_clock()  # a damaged answer may have told it
        away = _away(reading, target)
        way = (reading.answered_at - reading.asked_at) / 2  # until the meter has it
        if move is ClockMove.NUDGE:
            excess = _excess(reading, target)

            def request(at: datetime) -> bytes:
                return writes.nudge_body(_whole(target(at + way).face + excess))
        else:
            excess = timedelta()
            season = reading.shown.summer

            def request(at: datetime) -> bytes:
                aim = target(at + way)
                summer = season if aim.summer is None else aim.summer
                return writes.set_clock_body(MeterTime(_whole(aim.face), summer))

        request(reading.answered_at)  # ValueError before anything is sent
        answered, refused = await self._send(request)
        if refused:
            return Outcome.REFUSED

        async def seen() -> bool:
            left = _away(await self._read_clock(), target) + excess.total_seconds()
            moved = abs(left - away) > abs(away) / 2 > SLACK_S / 2
            return abs(left) <= SLACK_S and (answered or moved)

        return await self._outcome(seen, answered=answered)

    # -- load -----------------------------------------------------------------------------------

    async def switch_relay(self, *, closed: bool) -> Outcome:
        """Order the load on or off; NotSupported if the meter has no load control to read."""
        await self._load()
        body = writes.switch_body(writes.RELAY, on=not closed)

        async def seen() -> bool:
            return (await self._load()).off_by_order is not closed

        return await self._do(body, seen)

    async def set_limits(self, limits: Limits) -> Outcome:
        """Set what is given, controls off first and on last; stop at what is not confirmed.

        Where something has been set by then, Refused or DeviceFault say what: no outcome can.
        """
        steps = self._steps(limits)
        if not steps:
            raise ValueError("No limit is given; say which one to set.")
        await self._load()
        done: list[str] = []
        for body, seen in steps:
            outcome = await self._do(body, seen)
            if outcome is not Outcome.CONFIRMED:
                if done:
                    raise _midway(outcome, writes.said(body), done)
                return outcome
            done.append(writes.said(body))
        return Outcome.CONFIRMED

    def _steps(self, limits: Limits) -> list[tuple[bytes, Look]]:
        """Return the writes in order; ValueError, with nothing sent, for what can't be set."""
        controls = [
            (parameter, on)
            for parameter, on in (
                (writes.POWER_CONTROL, limits.power_control),
                (writes.ENERGY_CONTROL, limits.energy_control),
            )
            if on is not None
        ]

        def switch(parameter: int, *, on: bool) -> tuple[bytes, Look]:
            async def seen() -> bool:
                load = await self._load()
                power = parameter == writes.POWER_CONTROL
                return (load.power_control if power else load.energy_control) is on

            return writes.switch_body(parameter, on=on), seen

        steps = [switch(parameter, on=on) for parameter, on in controls if not on]
        if limits.power_limit is not None:
            steps.append(self._power_limit(_value(limits.power_limit, "W")))
        for tariff, limit in sorted(limits.energy_limits.items()):
            steps.append(self._energy_limit(tariff, _value(limit, "Wh")))
        steps += [switch(parameter, on=on) for parameter, on in controls if on]
        return steps

    def _power_limit(self, watts: Decimal) -> tuple[bytes, Look]:
        async def seen() -> bool:
            now = await self._state.power_limit()
            return now is not None and now.value == watts

        return writes.power_limit_body(watts), seen

    def _energy_limit(self, tariff: int, wh: Decimal) -> tuple[bytes, Look]:
        async def seen() -> bool:
            now = await self._state.energy_limit(tariff)
            return now is not None and now.value == wh

        return writes.energy_limit_body(tariff, wh), seen

    async def _load(self) -> Load:
        load = await self._state.load(firm=True)
        if load is None:
            raise NotSupported("The meter does not tell its load control; nothing was changed.")
        return load

    # -- fixing ---------------------------------------------------------------------------------

    async def fix(self) -> Outcome:
        """Latch the present values."""
        before = await self._fixed.fixed_at()

        async def seen() -> bool:
            return await self._fixed.fixed_at() != before

        return await self._do(bytes((writes.WRITE_CODE, writes.FIX)), seen, wait_s=FIXING_S)

    # -- one write ------------------------------------------------------------------------------

    async def _do(self, body: bytes, seen: Look, *, wait_s: float | None = None) -> Outcome:
        answered, refused = await self._send(lambda _at: body, wait_s=wait_s)
        if refused:
            return Outcome.REFUSED
        return await self._outcome(seen, answered=answered)

    async def _send(
        self, request: Callable[[datetime], bytes], *, wait_s: float | None = None
    ) -> tuple[bool, bool]:
        """Send once; tell whether the meter said ok, and whether it said no."""
        try:
            status = await self._session.write(request, wait_s=wait_s)
        except (ReplyTimeout, FrameGarbled, LineDown):
            return False, False
        return status == OK, status not in {OK, INTERNAL_ERROR}

    @staticmethod
    async def _outcome(seen: Look, *, answered: bool) -> Outcome:
        """Read back once."""
        try:
            if await seen():
                return Outcome.CONFIRMED
        except (ReplyTimeout, FrameGarbled, LineDown, DeviceError):
            pass  # what was asked for stands or does not; nobody can say now
        return Outcome.STARTED if answered else Outcome.UNKNOWN


def _midway(outcome: Outcome, failed: str, done: list[str]) -> DeviceError:
    """Say where a row of writes has stopped."""
    rest = f"Done before that: {', '.join(done)}. Nothing after it was sent; look at the limits."
    if outcome is Outcome.REFUSED:
        return Refused(f"The meter refused to {failed}. {rest}")
    return DeviceFault(f"Nobody knows whether the meter took the order to {failed}. {rest}")


def _away(reading: ClockReading, target: Callable[[datetime], MeterTime]) -> float:
    """Return by how many seconds the face is behind the target; below zero, ahead of it."""
    middle = reading.asked_at + (reading.answered_at - reading.asked_at) / 2
    return (target(middle).face - reading.shown.face).total_seconds()


def _impossible(reading: ClockReading, target: Callable[[datetime], MeterTime]) -> str:
    """Say why the meter can't be corrected to the target; empty if it can."""
    aim, season, away = target(reading.answered_at), reading.shown.summer, _away(reading, target)
    if aim.summer is not None and season is not None and aim.summer != season:
        return "The clock has another season; a correction does not change it."
    if abs(away) > NUDGE_S + SLACK_S:
        side = "behind" if away > 0 else "ahead"
        return (
            f"The clock is {abs(away):.0f} s {side}; "
            f"a correction moves it by {NUDGE_S:.0f} s a day at most."
        )
    faces = (reading.shown.face, aim.face)
    around = (MIDNIGHT_MARGIN, -MIDNIGHT_MARGIN)
    if len({(face + margin).date() for face in faces for margin in around}) > 1:
        return "It is about midnight on the meter's clock; correct it a little later."
    return ""


def _excess(reading: ClockReading, target: Callable[[datetime], MeterTime]) -> timedelta:
    """Return what to add to the target so that the meter takes it; ValueError if it can't."""
    trouble = _impossible(reading, target)
    if trouble:
        raise ValueError(trouble)
    away = _away(reading, target)
    over = max(0.0, abs(away) - SURE_NUDGE_S)
    return timedelta(seconds=-over if away > 0 else over)


def _whole(face: datetime) -> datetime:
    """Return the nearest whole second."""
    return (face + timedelta(microseconds=500_000)).replace(microsecond=0)


def _value(limit: Quantity, unit: str) -> Decimal:
    if limit.unit != unit:
        raise ValueError(f"A limit is in {limit.unit} where it has to be in {unit}.")
    return limit.value
