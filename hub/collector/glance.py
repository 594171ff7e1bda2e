"""A glance: a short conversation for the values of now that an open page waits for."""

import asyncio
from typing import Any, cast

from hub.collector.border import Border, Place
from hub.domain.clock import to_face
from hub.errors import NotSupported, ReplyTimeout
from hub.plugins.api.meter import Can, DriverSpec, Level, ReadsSnapshot
from hub.services import snapshots
from hub.services.meters import Errand

GLANCE_S = 30.0  # turns of others on the line included
PRIORITY = 5  # before what is merely due, after who has a person waiting for a whole reading


async def glance(place: Place, spec: DriverSpec[Any], errand: Errand) -> None:
    """Make sure who answers, read and store its values of now; HubError says what stopped it."""
    border = Border(place, spec, errand)
    with border.seat(PRIORITY) as seat:
        driver = border.build()
        try:
            async with asyncio.timeout(GLANCE_S):
                await border.ask(seat, "open", lambda: driver.open(Level.READ))
                if Can.SNAPSHOT not in border.can(driver, await border.identity(driver, seat)):
                    raise NotSupported
                read = cast("ReadsSnapshot", driver).read_snapshot
                values = await border.ask(seat, "read_snapshot", read)
                now = place.now()
                shown = to_face(now, errand.bases.now(now))
                await border.stored(snapshots.store_snapshot, values, shown, now)
        except TimeoutError as error:
            raise ReplyTimeout(
                f"The values of now did not come within {GLANCE_S:.0f} s; the line is in use, "
                "try again."
            ) from error
        finally:
            await border.goodbye(driver, seat)
    if border.fault is not None:
        raise border.fault
