"""The border of a visit to the plugin and to the store.

Anything a driver raises but a HubError is the plugin's fault; whatever is stored is stored in a
thread, under the line's lease.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from hub.collector.agenda import CLOCK_JUMP_S
from hub.domain.clock import ClockReading, drift_s
from hub.domain.meters import Identity
from hub.errors import ContractBroken, FrameGarbled, HubError, PluginBroken
from hub.plugins.api.meter import Can, DriverSpec, MeterDriver, ReadsClock
from hub.plugins.api.wire import Talk
from hub.services import meters
from hub.services.meters import Errand, Lease
from hub.store.unit import Store
from hub.wire.line import Line, Seat
from hub.wire.runner import HeldConsent, run

T = TypeVar("T")

OPERATION_S = 300.0  # turns of other meters on the line included
GOODBYE_S = 15.0
TWO_LOOKS = timedelta(minutes=10)  # at most between two looks at a clock, turns of others included


@dataclass(frozen=True, slots=True)
class Place:
    """Where visits happen: the line under its lease, the store, the machine's clock."""

    store: Store
    line: Line
    lease: Lease
    now: Callable[[], datetime]


class Border:
    """One meter's driver and its rows. ``fault``: a goodbye that failed on the plugin's side."""

    def __init__(self, place: Place, spec: DriverSpec[Any], errand: Errand) -> None:
        self.place = place
        self.store = place.store
        self.lease = place.lease
        self.spec = spec
        self.errand = errand
        self.meter_id = errand.meter.id
        self.fault: ContractBroken | None = None
        self.habits = dict(errand.meter.learned)  # of the meter, as the driver knows them by now
        self._settings = self._read_settings()

    def _read_settings(self) -> Any:
        try:
            return self.spec.settings.model_validate_json(self.errand.meter.settings)
        except ValidationError as error:
            fields = ", ".join(str(item["loc"][0]) for item in error.errors() if item["loc"])
            raise PluginBroken(
                f"The stored settings of meter {self.meter_id} do not fit the driver "
                f"'{self.spec.id}' ({fields or 'all of them'}); set them anew."
            ) from error

    def seat(self, priority: int) -> Seat:
        """Make a place on the line; late replies are told by the meter's address."""
        return self.place.line.seat(
            self.spec.timing(self.place.line.address.baud),
            interleave=self.spec.interleave,
            is_mutating=self.spec.is_mutating,
            act=self.spec.act,
            priority=priority,
            key=str(getattr(self._settings, "address", f"meter {self.meter_id}")),
        )

    def build(self) -> MeterDriver:
        """Build the driver of one conversation."""
        return self.guarded("build", lambda: self.spec.build(self._settings, self.habits))

    # -- what every conversation begins and ends with

    async def identity(self, driver: MeterDriver, seat: Seat) -> Identity:
        """Ask who answers; what is not as it was before is believed when it is said twice.

        WrongDevice if it is not the meter that is meant.
        """
        identity = await self.ask(seat, "identify", driver.identify)
        if meters.as_json(identity) != self.errand.meter.identity:
            again = await self.ask(seat, "identify", driver.identify)
            if again != identity:
                raise FrameGarbled(
                    "The meter told two different identities in a row; check the line for noise "
                    "and for two meters at one address."
                )
        await self.stored(meters.met, identity)
        return identity

    def can(self, driver: MeterDriver, identity: Identity) -> frozenset[Can]:
        """Ask what this very meter can do."""
        can = self.guarded("can", lambda: frozenset(driver.can(identity)))
        if not can <= self.spec.may:
            raise ContractBroken(
                f"The driver '{self.spec.id}' claims {sorted(can - self.spec.may)}, which it has "
                "not declared; report it to the plugin's maker."
            )
        return can

    async def clock(self, driver: MeterDriver, seat: Seat, before_s: float | None) -> ClockReading:
        """Look at the meter's clock; ``before_s``: its drift as it was known, None: not at all.

        Day-start registers are dated by the face: a jump is believed when it is seen twice.
        """
        read = cast("ReadsClock", driver).read_clock
        reading = await self.ask(seat, "read_clock", read)
        drift = drift_s(reading, self.errand.bases.now(reading.answered_at))
        if before_s is not None and abs(drift - before_s) <= CLOCK_JUMP_S:
            return reading
        first, reading = reading.shown, await self.ask(seat, "read_clock", read)
        if abs(reading.shown.face - first.face) > TWO_LOOKS:
            raise FrameGarbled(
                "The meter's clock showed two different times in a row; check the line for noise."
            )
        return reading

    def learned(self, driver: MeterDriver) -> dict[str, str]:
        """Ask what the driver has learned; the next conversation begins with it."""
        self.habits = self.guarded("learned", lambda: dict(driver.learned()))
        return self.habits

    async def goodbye(self, driver: MeterDriver, seat: Seat) -> None:
        """Close the channel; a line that is dead or a driver that fails here has done its harm."""
        try:
            await run(driver.close(), Once(seat), deadline=GOODBYE_S)
        except (HubError, TimeoutError):
            return
        except Exception as error:  # noqa: BLE001 - it is the plugin's, and the visit is over
            self.fault = self.blame("close", error)

    # -- calls

    async def ask(
        self, seat: Seat, operation: str, talk: Callable[[], Talk[T]],
        deadline: float = OPERATION_S, consent: HeldConsent | None = None,
    ) -> T:  # fmt: skip
        """Run one conversation; anything but a HubError is the plugin's fault."""
        try:
            return await run(talk(), seat, deadline=deadline, consent=consent)
        except HubError:
            raise
        except Exception as error:
            raise self.blame(operation, error) from error

    def guarded(self, operation: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except HubError:
            raise
        except Exception as error:
            raise self.blame(operation, error) from error

    def blame(self, operation: str, error: Exception) -> ContractBroken:
        return ContractBroken(
            f"The driver '{self.spec.id}' failed in '{operation}' at meter {self.meter_id} "
            f"({type(error).__name__}: {error}); report it to the plugin's maker.",
            plugin=self.spec.id,
            operation=operation,
            target=self.meter_id,
        )

    async def stored(self, service: Callable[..., T], *args: Any, **more: Any) -> T:
        """Call a service of this meter in a thread, under the line's lease."""
        return await asyncio.to_thread(
            partial(service, self.store, self.meter_id, *args, lease=self.lease, **more)
        )


class Once:
    """A seat that repeats nothing: a goodbye is not worth waiting for."""

    def __init__(self, seat: Seat) -> None:
        self.once = seat.once

    async def __call__(self, step: Any, /) -> Any:
        return await self.once(step)
