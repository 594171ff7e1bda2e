"""Live values: what a point's meter shows now, and how often open pages may have it asked.

A meter is asked by the collector (``hub.collector.glance``). The limits below keep a line free
for its readings, however many pages are open: a glance takes about a second of it at 9600 baud.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.domain.meters import Register
from hub.errors import Missing
from hub.plugins.api import Can, DriverSpec, PointFact
from hub.services.clock import utc_now
from hub.services.lines import GLANCE_LASTS
from hub.services.points import Contact, PointCard, card_in, number_of, watts_of
from hub.services.shell import ShellView, shell_in
from hub.services.snapshots import RECENT, SNAPSHOT, recent_of, snapshot_of
from hub.store import events, glances, last_values, leases
from hub.store import points as stored
from hub.store.accounts import SignedIn
from hub.store.leases import Lease
from hub.store.points import InstallationRow, PointRow
from hub.store.tables import Glance
from hub.store.unit import Store, Unit

METER_EVERY = timedelta(seconds=5)  # a meter, whoever asks
PERSON_EVERY = timedelta(seconds=3)  # all meters of one person together
LINE_EVERY = timedelta(seconds=2)  # all meters of one line together
AFTER_FAILURE = timedelta(seconds=30)  # a meter that did not answer
LASTS = timedelta(minutes=10)  # then an open page stops asking until its reader says go on
FRESH = timedelta(seconds=15)  # what is older is no live value
CAN_BE_ASKED = frozenset({Contact.OK, Contact.FAILING, Contact.WAITING})

# OBIS group C by quantity; phases 1 to 3 add 20, 40, 60.
BY_CURRENT = frozenset({31, 51, 71})
BY_VOLTAGE = frozenset({32, 52, 72})
BY_BOTH = frozenset({1, 21, 41, 61, 3, 23, 43, 63, 9, 29, 49, 69})


@dataclass(frozen=True, slots=True)
class LivePage:
    """«Мгновенные значения» of a point, as primary values in the units of the registers.

    ``can``: its meter has such values. ``values`` by OBIS code (``21.7.0``), empty before the
    first reading. ``recent``: watts of the last minutes, oldest first. ``waiting``: it is being
    asked. ``error_code``: why the last glance failed; '' while all is well. ``retry_at``: when it
    may be asked again after that.
    """

    shell: ShellView
    card: PointCard
    can: bool
    at: datetime | None
    values: Mapping[str, Decimal]
    recent: tuple[tuple[datetime, Decimal], ...]
    limit_w: Decimal | None
    nominal_v: Decimal | None
    waiting: bool = False
    error_code: str = ""
    retry_at: datetime | None = None


class Live:
    """Shows and asks for the values of now of somebody's own points; ``Missing`` for others'."""

    def __init__(
        self,
        store: Store,
        drivers: Mapping[str, DriverSpec[Any]],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.store = store
        self.drivers = drivers
        self.clock = clock

    def look(self, who: SignedIn, point_id: int) -> LivePage:
        """Show what is known."""
        with self.store.read() as unit:
            row, card, installed = self._open(unit, who, point_id)
            shell = shell_in(unit, who, row.contract_id)
            if installed is None:
                return LivePage(shell, card, False, None, {}, (), None, None)
            rows = last_values.of_meter(unit, installed.meter_id)
            wish = glances.of_meter(unit, installed.meter_id)
            can = self._can(unit, installed.meter_id)
            now = unit.now()
        snapshot = snapshot_of(rows.get(SNAPSHOT))
        both = installed.current_ratio * installed.voltage_ratio
        nominal = number_of(row.facts.get(PointFact.NOMINAL_VOLTAGE, "").rpartition("*")[2])
        return LivePage(
            shell,
            card,
            can or snapshot is not None,
            None if snapshot is None else snapshot.at,
            {} if snapshot is None else {
                register.obis: each.value * _ratio(register, installed)
                for register, each in snapshot.values.items()
                if register.period == "now"
            },
            tuple((at, watts * both) for at, watts in recent_of(rows.get(RECENT))),
            watts_of(row.facts.get(PointFact.POWER_LIMIT, "")),
            nominal,
            wish is not None and _is_open(wish, now),
            "" if wish is None else wish.error_code,
            card.connection.next_try_at
            if wish is None or not wish.error_code
            else wish.asked_at + AFTER_FAILURE,
        )  # fmt: skip

    def ask(self, who: SignedIn, point_id: int) -> bool:
        """Have the meter asked at once, unless it was a moment ago; says whether it will be."""
        with self.store.read() as unit:
            _row, card, installed = self._open(unit, who, point_id)
            if (
                installed is None
                or card.connection.contact not in CAN_BE_ASKED
                or not self._can(unit, installed.meter_id)
                or not _may_ask(unit, installed.meter_id, who.user_id)
            ):
                return False
        with self.store.write() as unit:
            if not _may_ask(unit, installed.meter_id, who.user_id):
                return False
            glances.ask(unit, installed.meter_id, who.user_id)
            return True

    def _open(
        self, unit: Unit, who: SignedIn, point_id: int
    ) -> tuple[PointRow, PointCard, InstallationRow | None]:
        row = stored.one(unit, who.user_id, point_id)
        if row is None or not row.smart:
            raise Missing
        return row, *card_in(unit, row, self.clock())

    def _can(self, unit: Unit, meter_id: int) -> bool:
        spec = self.drivers.get(events.drivers(unit, [meter_id]).get(meter_id, ""))
        return spec is not None and Can.SNAPSHOT in spec.may


def failed(store: Store, meter_id: int, code: str, *, lease: Lease) -> None:
    """Note that a meter's values of now could not be read."""
    with store.write() as unit:
        leases.prove(unit, lease)
        glances.answer(unit, meter_id, error_code=code)


def _is_open(wish: Glance, now: datetime) -> bool:
    return wish.answered_at is None and now - wish.asked_at < GLANCE_LASTS


def _may_ask(unit: Unit, meter_id: int, user_id: int) -> bool:
    now = unit.now()
    last = glances.of_meter(unit, meter_id)
    if last is not None:
        if _is_open(last, now):
            return False
        if now - last.asked_at < (AFTER_FAILURE if last.error_code else METER_EVERY):
            return False
    limits = (
        (glances.newest_of_user(unit, user_id), PERSON_EVERY),
        (glances.newest_beside(unit, meter_id), LINE_EVERY),
    )
    return all(at is None or now - at >= every for at, every in limits)


def _ratio(register: Register, installed: InstallationRow) -> int:
    """Give by what a secondary value is multiplied; angles, factors and hertz by nothing."""
    head, _, tail = register.obis.partition(".")
    if not head.isdecimal() or tail != "7.0":
        return 1
    group = int(head)
    current = installed.current_ratio if group in BY_CURRENT | BY_BOTH else 1
    voltage = installed.voltage_ratio if group in BY_VOLTAGE | BY_BOTH else 1
    return current * voltage
