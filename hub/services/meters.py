"""Meters as visits see them: the errand before, the identity met, the state after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.clock import ClockBases
from hub.domain.meters import Identity
from hub.domain.pages import Cursor
from hub.errors import WrongDevice
from hub.services.joining import join_points
from hub.store import gaps, leases, meters
from hub.store.gaps import StoredGap
from hub.store.leases import Lease
from hub.store.meters import MeterRow, StateRow
from hub.store.tables import MeterState
from hub.store.unit import Store

__all__ = ["Errand", "Lease", "StateRow", "StoredGap"]


@dataclass(frozen=True, slots=True)
class Errand:
    """All that one visit to a meter needs from the store. Holds secrets in ``meter.settings``."""

    meter: MeterRow
    cursor: Cursor | None
    bases: ClockBases


def errand(store: Store, meter_id: int) -> Errand:
    """Prepare a visit."""
    with store.read() as unit:
        return Errand(
            meters.meter(unit, meter_id),
            meters.cursor(unit, meter_id),
            meters.clock_bases(unit, meter_id),
        )


def open_gaps(store: Store, meter_id: int) -> list[StoredGap]:
    """List the gaps that the meter is to be asked for now, newest first."""
    with store.read() as unit:
        return gaps.to_ask(unit, meter_id, unit.now())


def plain_serial(serial: str) -> str:
    """Strip the spaces: serial numbers are compared without them."""
    return "".join(serial.split())


def met(store: Store, meter_id: int, identity: Identity, *, lease: Lease) -> None:
    """Compare who answered with who was expected; the first visit tells the hub who that is.

    Raises WrongDevice: another meter's readings must not continue this one's history.
    """
    with store.write() as unit:
        leases.prove(unit, lease)
        expected = meters.meter(unit, meter_id)
        serial = plain_serial(identity.serial)
        if expected.serial and plain_serial(expected.serial) != serial:
            raise WrongDevice(
                f"The meter that answers has the serial number {identity.serial}, not "
                f"{expected.serial} as stored; enter the replacement as a new meter, "
                "or correct the address."
            )
        if expected.maker and identity.maker != expected.maker:
            raise WrongDevice(
                f"The meter that answers was made by {identity.maker}, not by {expected.maker} "
                "as stored; correct the address or the driver."
            )
        other = meters.known_as(unit, identity.maker, expected.serial or serial)
        if other not in {None, meter_id}:
            raise WrongDevice(
                f"The meter {identity.serial} that answers is already meter {other} of the hub; "
                "correct the address, or remove one of the two."
            )
        meters.change_meter(
            unit,
            meter_id,
            maker=identity.maker,
            serial=expected.serial or serial,
            model=identity.model,
            identity=as_json(identity),
        )
        if not expected.serial:
            join_points(unit, unit.now())


def as_json(identity: Identity) -> dict[str, Any]:
    """Make the identity's stored form; absent facts are left out."""
    told: dict[str, Any] = {
        "maker": identity.maker,
        "model": identity.model,
        "serial": identity.serial,
        "firmware": identity.firmware,
        "made_on": identity.made_on.isoformat() if identity.made_on else None,
        "phases": identity.phases,
        "imp_per_kwh": identity.imp_per_kwh,
        "current_ratio": identity.current_ratio,
        "voltage_ratio": identity.voltage_ratio,
        "traits": sorted(identity.traits),
    }
    return {name: value for name, value in told.items() if value not in (None, "", [])}


def visited(
    store: Store, meter_id: int, *, due_at: datetime, learned: Mapping[str, str], lease: Lease,
    asked_at: datetime | None = None,
) -> None:  # fmt: skip
    """Note a visit that went well; ``asked_at``: it was made because a person had asked then."""
    with store.write() as unit:
        leases.prove(unit, lease)
        meters.change_meter(unit, meter_id, learned=dict(learned))
        state = meters.state(unit, meter_id)
        state.due_at, state.failures, state.stopped = due_at, 0, False
        _answer(state, asked_at)
        state.seen_at = state.tried_at = unit.now()
        state.error_code = state.error_text = ""


def failed(
    store: Store, meter_id: int, *, code: str, text: str, due_at: datetime, failures: int,
    stopped: bool, lease: Lease, asked_at: datetime | None = None,
) -> None:  # fmt: skip
    """Note a visit that failed; ``stopped``: only a person can help, no more visits until then."""
    with store.write() as unit:
        leases.prove(unit, lease)
        state = meters.state(unit, meter_id)
        _answer(state, asked_at)
        state.due_at, state.failures, state.stopped = due_at, failures, stopped
        state.tried_at = unit.now()
        state.error_code, state.error_text = code, text[:500]


def start_again(store: Store, meter_id: int) -> None:
    """Let a stopped or waiting meter be visited now."""
    with store.write() as unit:
        state = meters.state(unit, meter_id)
        state.stopped, state.failures, state.due_at = False, 0, unit.now()


@dataclass(frozen=True, slots=True)
class Asked:
    """How a person's wish to have a meter read now fares; without ``waiting``: how it ended."""

    waiting: bool
    line: str
    taken: bool  # a collector has the line
    error: str  # one sentence; '': it was read


def read_now(store: Store, meter_id: int) -> datetime:
    """Have the collector read a meter at once, before all that is merely due.

    Returns when it was asked, which ``asked`` takes. Missing if there is no such meter.
    """
    with store.write() as unit:
        meters.meter(unit, meter_id)
        state = meters.state(unit, meter_id)
        state.urgent_at = now = unit.now()
        return now


def asked(store: Store, meter_id: int, asked_at: datetime) -> Asked:
    """Tell what became of a ``read_now``."""
    with store.read() as unit:
        row = meters.fare(unit, meter_id)
        line = meters.line(unit, row.line_id)
        error = ""
        if row.seen_at is None or row.seen_at < asked_at:
            tried = row.tried_at is not None and row.tried_at >= asked_at
            error = row.error_text if tried else line.error_text
        return Asked(
            waiting=row.urgent_at is not None,
            line=line.address,
            taken=bool(line.lease_holder),
            error=error,
        )


def answered(store: Store, meter_id: int, asked_at: datetime, *, lease: Lease) -> None:
    """Note that what a person waits for has been read; the visit may go on with the rest."""
    with store.write() as unit:
        leases.prove(unit, lease)
        state = meters.state(unit, meter_id)
        state.seen_at = unit.now()
        _answer(state, asked_at)


def _answer(state: MeterState, asked_at: datetime | None) -> None:
    """Take a wish off, unless it was made anew meanwhile."""
    if asked_at is not None and state.urgent_at is not None and state.urgent_at <= asked_at:
        state.urgent_at = None


def add_meter(
    store: Store, *, line: str, driver: str, settings: str, maker: str = "", serial: str = "",
    model: str = "",
) -> int:  # fmt: skip
    """Add a meter that is due at once. ``settings``: the driver's model as JSON; sealed here."""
    with store.write() as unit:
        return meters.add_meter(
            unit,
            line_address=line,
            driver=driver,
            settings=settings,
            maker=maker,
            serial=serial,
            model=model,
        )


def forget_cursor(store: Store, meter_id: int, *, lease: Lease) -> None:
    """Start again at the oldest record: the driver lost its place."""
    with store.write() as unit:
        leases.prove(unit, lease)
        meters.forget_cursor(unit, meter_id)
