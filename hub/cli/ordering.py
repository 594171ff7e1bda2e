"""What ``hub meter set`` says to a meter, as talks of the driver: look first, then change.

They await the driver's methods and nothing else, so the runner can run them like the driver
itself.
"""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from hub.cli.kit import face
from hub.domain.clock import ClockReading, drift_s, to_face
from hub.errors import LinkError, NotSupported, WrongDevice
from hub.plugins.api import (
    PROTOCOLS,
    Act,
    Can,
    ClockMove,
    Consent,
    Identity,
    Level,
    Limits,
    MeterDriver,
    MeterTime,
    Outcome,
    ReadsClock,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found before the change."""

    serial: str
    words: str
    clock: ClockReading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One act: what it is, what to say before it, and how it is done.

    ``do`` takes the driver, the consent and what the clock showed.
    """

    act: Act
    can: Can
    level: Level
    words: str
    warning: str
    do: Callable[[Any, Consent, ClockReading | None], Awaitable[Outcome]]
    base_minutes: int | None = None  # the clock is looked at; its drift is told by this
    when_refused: str = ""


NUDGE_WARNING: Final = (
    "Half-hours that the correction falls into are marked incomplete. Meters allow it once a day."
)
SET_WARNING: Final = (
    "Setting the clock over any distance may upset the order of the meter's archives: half-hours "
    "and days may be lost or come twice. A correction (--nudge) does not do that."
)
LIMITS_WARNING: Final = "Once its control is on, a limit switches the load off by itself."
OFF_WARNING: Final = "Whoever is behind this meter will be without power."
ON_WARNING: Final = "Make sure that nobody works on the wires behind this meter."


def clock(*, nudge: bool, base_minutes: int) -> Order:
    """Put the clock right, in the season that its face shows."""

    async def do(driver: Any, consent: Consent, shown: ClockReading | None) -> Outcome:
        summer = None if shown is None else shown.shown.summer

        def target(at: datetime) -> MeterTime:
            return to_face(at, base_minutes, summer=summer)

        move = ClockMove.NUDGE if nudge else ClockMove.SET
        outcome: Outcome = await driver.set_clock(target, move, consent)
        return outcome

    return Order(
        act=Act.CORRECT_CLOCK if nudge else Act.SET_CLOCK,
        can=Can.SET_CLOCK,
        level=Level.READ if nudge else Level.CONFIGURE,
        words="Correct the clock" if nudge else "Set the clock",
        warning=NUDGE_WARNING if nudge else SET_WARNING,
        do=do,
        base_minutes=base_minutes,
        when_refused=" Its clock may have been corrected today already." if nudge else "",
    )


def relay(*, closed: bool) -> Order:
    async def do(driver: Any, consent: Consent, _shown: ClockReading | None) -> Outcome:
        outcome: Outcome = await driver.switch_relay(consent, closed=closed)
        return outcome

    return Order(
        act=Act.SWITCH_RELAY,
        can=Can.RELAY,
        level=Level.CONFIGURE,
        words=f"Switch the load {'on' if closed else 'off'}",
        warning=ON_WARNING if closed else OFF_WARNING,
        do=do,
    )


def limits(wanted: Limits) -> Order:
    async def do(driver: Any, consent: Consent, _shown: ClockReading | None) -> Outcome:
        outcome: Outcome = await driver.set_limits(wanted, consent)
        return outcome

    return Order(
        act=Act.SET_LIMITS,
        can=Can.LIMITS,
        level=Level.CONFIGURE,
        words="Set the limits",
        warning=LIMITS_WARNING,
        do=do,
        when_refused=" Limits that were set before the refused one stay; read the state.",
    )


def fix() -> Order:
    async def do(driver: Any, consent: Consent, _shown: ClockReading | None) -> Outcome:
        outcome: Outcome = await driver.fix(consent)
        return outcome

    return Order(
        act=Act.FIX,
        can=Can.FIXED,
        level=Level.READ,
        words="Latch the present values",
        warning="What was latched before is lost.",
        do=do,
    )


async def look(driver: MeterDriver, order: Order) -> Seen:
    """Say who answers and, for the clock, how wrong it is; nothing is changed."""
    await driver.open(order.level)
    try:
        return await _look(driver, order)
    finally:
        with contextlib.suppress(LinkError):
            await driver.close()


async def _look(driver: Any, order: Order) -> Seen:
    identity: Identity = await driver.identify()
    who = f"{identity.maker} {identity.model}, serial number {identity.serial}"
    if order.can not in driver.can(identity) or not isinstance(driver, PROTOCOLS[order.can]):
        raise NotSupported(f"This meter ({who}) or its driver can't do that; nothing was sent.")
    seen = Seen(serial=identity.serial, words=f"This is {who}.")
    if order.base_minutes is None or not isinstance(driver, ReadsClock):
        return seen
    reading = await driver.read_clock()
    off = drift_s(reading, order.base_minutes)
    words = f"{seen.words} Its clock shows {face(reading.shown.face)}, {_off(off)}."
    return replace(seen, words=words, clock=reading)


def _off(seconds: float) -> str:
    return f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"


async def carry_out(driver: MeterDriver, order: Order, consent: Consent) -> Outcome:
    """Do it, if it is still the meter that was looked at."""
    await driver.open(order.level)
    try:
        seen = await _look(driver, order)
        if seen.serial != consent.target:
            raise WrongDevice(
                f"Meter {seen.serial} answers where {consent.target} did; nothing was sent."
            )
        return await order.do(driver, consent, seen.clock)
    finally:
        with contextlib.suppress(LinkError):
            await driver.close()
