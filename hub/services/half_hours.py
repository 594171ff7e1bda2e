"""Half-hours as suppliers tell them: read on page by page, kept as series of their own.

They belong to the place that the supplier's point is joined to. A point that is joined to none
gets a place of its own, which no other contract ever shares.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from anyio import to_thread

from hub.domain.calendar import DAY_MINUTES, minute_of
from hub.domain.series import PARTIAL, Placed, Shape
from hub.errors import AnswerChanged, CursorLost, Missing
from hub.plugins.api import (
    Channel,
    Cursor,
    Desk,
    Does,
    HasProfile,
    Page,
    Point,
    SupplierConnector,
    SupplierSlot,
)
from hub.services.pieces import DEFAULT_ZONE
from hub.services.storing import PageStored, put_records
from hub.store import outbox, places, rules, tables
from hub.store import told as kept
from hub.store.series import SeriesKey
from hub.store.unit import Store, Unit

SUPPLIER = "supplier"
ENOUGH_S = 10.0  # of reading on at a time; the rest is asked for soon
DECIMALS = (3, 6, 9)  # of a kWh: so that few series are opened, and none for a trailing zero
LARGEST = 2**32  # counts that a block can hold
AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A point to ask half-hours of, and where to go on."""

    remote_id: str
    since: Cursor | None


def asked_points(store: Store, contract_id: int) -> list[Asked]:
    """List the points of a contract that have a place to keep half-hours at."""
    with store.read() as unit:
        cursors = kept.cursors(unit, contract_id)
        return [
            Asked(remote_id, cursors.get(_cursor_of(remote_id)))
            for remote_id in kept.placed_points(unit, contract_id)
        ]


async def read_on(
    connector: SupplierConnector, desk: Desk, store: Store, contract: tables.Contract
) -> bool:
    """Ask each point's half-hours from where it stopped, and keep each page; True: there is more.

    Raises AnswerChanged for what can't be true (of that page nothing is kept), and what the
    connector raises.
    """
    account = await connector.sign_in(desk)
    if not isinstance(connector, HasProfile) or Does.PROFILE not in connector.does(account):
        return False
    if account.remote_id != contract.remote_id:
        raise AnswerChanged("The supplier answered for another account; nothing was kept.")
    contract_id = contract.id or 0
    loop = asyncio.get_running_loop()
    until = loop.time() + ENOUGH_S
    for point in await to_thread.run_sync(asked_points, store, contract_id):
        since = point.since
        while True:
            try:
                page = await _page(connector, desk, point.remote_id, since)
            except Missing:
                break
            if page.more and page.next == since:
                raise AnswerChanged("The supplier's half-hours do not go on; nothing was kept.")
            await to_thread.run_sync(
                keep_page, store, contract_id, point.remote_id, page, desk.now()
            )
            if not page.more:
                break
            if loop.time() > until:
                return True
            since = page.next
    return False


async def _page(
    connector: HasProfile, desk: Desk, remote_id: str, since: Cursor | None
) -> Page[SupplierSlot]:
    try:
        return await connector.profile(desk, remote_id, since)
    except CursorLost:
        return await connector.profile(desk, remote_id, None)


def keep_page(
    store: Store, contract_id: int, remote_id: str, page: Page[SupplierSlot], now: datetime
) -> None:
    """Keep a page and where it ends in one transaction; what came before changes nothing."""
    records = _records(page.items, now)
    with store.write() as unit:
        found = kept.with_supplier(unit, contract_id)
        place_id = kept.placed_points(unit, contract_id).get(remote_id)
        if found is None or place_id is None:
            return  # unlinked meanwhile
        stored = PageStored()
        for (shape, scale, ratios_applied), lines in records.items():
            key = SeriesKey(0, shape, scale, SUPPLIER, ratios_applied, place_id)
            put_records(unit, key, lines, stored)
        kept.put_cursor(unit, contract_id, _cursor_of(remote_id), page.next, now)
        if stored.changed:
            rules.touch_place(unit, place_id)
            outbox.signal(unit, {"contract": contract_id, "user": found[0].user_id})


def place_of(
    unit: Unit, contract: tables.Contract, point: Point, joined: int | None, before: int | None
) -> int | None:
    """Give the place where a point's half-hours are kept: the meters' own, or one for it alone.

    ``before``: where they were kept so far. Half-hours of another place are asked for again.
    """
    own = before if before is not None and places.is_own(unit, before) else None
    if joined is None and point.smart:
        zone = _zone(point.time_zone)
        if own is None:
            own = places.add_own(unit, contract.supplier_id, point.name, zone)
        else:
            places.set_zone(unit, own, zone)
        joined = own
    if before is not None and joined != before:
        kept.forget_cursor(unit, contract.id or 0, _cursor_of(point.id))
    return joined


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name or DEFAULT_ZONE).key
    except (ValueError, OSError) as error:  # unknown names, and names that are no names
        raise AnswerChanged("The supplier told a time zone that does not exist.") from error


def _cursor_of(remote_id: str) -> str:
    return f"{Does.PROFILE.value}/{remote_id}"


def _records(
    slots: Iterable[SupplierSlot], now: datetime
) -> dict[tuple[Shape, Fraction, bool], list[Placed]]:
    """Put slots into counts of the coarsest scale that is exact; AnswerChanged for nonsense."""
    slots = [slot for slot in slots if slot.energy]
    decimals = _decimals([value for slot in slots for value in slot.energy.values()])
    found: defaultdict[tuple[Shape, Fraction, bool], list[Placed]] = defaultdict(list)
    for slot in slots:
        _check(slot, now)
        named = {list(Channel).index(Channel(channel)): v for channel, v in slot.energy.items()}
        shape = Shape(slot.minutes, sum(1 << channel for channel in named))
        counts = tuple(int(named[channel].scaleb(decimals)) for channel in sorted(named))
        if not all(0 <= count < LARGEST for count in counts):
            raise AnswerChanged("The supplier told an energy that no meter counts.")
        flags = PARTIAL if slot.marks else 0
        record = Placed(minute_of(slot.starts_at), counts, flags, slot.marks)
        found[shape, Fraction(10**6, 10**decimals), slot.ratios_applied].append(record)
    return found


def _decimals(values: list[Decimal]) -> int:
    wanted = 0
    for value in values:
        exponent = value.normalize().as_tuple().exponent
        if not isinstance(exponent, int):
            raise AnswerChanged("The supplier told an energy that is no number.")
        wanted = max(wanted, -exponent)
    for decimals in DECIMALS:
        if wanted <= decimals:
            return decimals
    raise AnswerChanged("The supplier told an energy finer than a microwatt-hour.")


def _check(slot: SupplierSlot, now: datetime) -> None:
    at = slot.starts_at
    if at.tzinfo is None or at > now + AHEAD:
        raise AnswerChanged("The supplier told a half-hour of no time, or of the future.")
    if slot.minutes <= 0 or DAY_MINUTES % slot.minutes:
        raise AnswerChanged(f"The supplier told slots of {slot.minutes} minutes; no day has those.")
    if at.second or at.microsecond or minute_of(at) % slot.minutes:
        raise AnswerChanged("The supplier told a slot that begins between two slots.")
