"""What tests of the write side talk about: a meter, its lease, pages of its profile."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hub.domain.clock import MeterTime
from hub.domain.pages import Cursor
from hub.domain.profile import Gap, ProfilePage, Slot, SlotMark
from hub.services import lines, meters
from hub.services.meters import Lease
from hub.store import series as series_store
from hub.store.blocks import DAY_MINUTES, read_days
from hub.store.tables import Installation, MeteringPoint, Supplier
from hub.store.unit import Store

HALF = timedelta(minutes=30)
DAY = datetime(2026, 11, 1)  # on the meter's face
BASE = timedelta(minutes=180)


@dataclass
class Metered:
    meter_id: int
    lease: Lease


def a_meter(store: Store, *, line: str = "tcp://10.0.0.1:4001", serial: str = "") -> Metered:
    meter_id = meters.add_meter(
        store, line=line, driver="toy", settings='{"address": 1}', serial=serial
    )
    return Metered(meter_id, a_lease(store, meter_id))


def a_lease(store: Store, meter_id: int) -> Lease:
    line_id = meters.errand(store, meter_id).meter.line_id
    lease = lines.claim(store, line_id, "test", is_dead=lambda _: True)
    assert isinstance(lease, Lease)
    return lease


def an_installation(store: Store, meter_id: int, **values: object) -> int:
    with store.write() as unit:
        supplier = Supplier(connector="house", title="House", created_at=unit.now())
        unit.session.add(supplier)
        unit.session.flush()
        point = MeteringPoint(supplier_id=supplier.id, number=f"P{supplier.id}", name="Point")
        unit.session.add(point)
        unit.session.flush()
        told = {"from_at": datetime(2020, 1, 1, tzinfo=UTC)} | values
        unit.session.add(Installation(metering_point_id=point.id, meter_id=meter_id, **told))
        return point.id


def a_slot(n: int, count: int | tuple = 0, *, minutes: int = 30, summer=None, marks=None) -> Slot:
    """The n-th half-hour of DAY, by its start."""
    counts = count if isinstance(count, tuple) else (count, None, count // 2, None)
    ends = DAY + timedelta(minutes=minutes * (n + 1))
    return Slot(MeterTime(ends, summer), minutes, counts, marks or SlotMark(0))


def a_page(slots, *, at: str = "0", more: bool = True, gaps=(), scale=Fraction(1000)):
    return ProfilePage(
        slots=tuple(slots),
        milliwatt_hours_per_count=scale,
        gaps=tuple(gaps),
        next=Cursor("toy/1", at),
        more=more,
    )


def a_gap(first: int | None, last: int) -> Gap:
    """From the start of one half-hour to the start of another."""
    starts = None if first is None else MeterTime(DAY + first * HALF)
    return Gap(starts, MeterTime(DAY + last * HALF))


def values(store: Store, meter_id: int) -> dict[datetime, tuple[int, int, tuple[int, ...]]]:
    """All that is stored of a meter: start -> (series, flags, counts)."""
    out = {}
    with store.read() as unit:
        for item in series_store.of_meter(unit, meter_id):
            cursor = unit.cursor()
            cursor.execute("SELECT day FROM block WHERE series_id = ?", (item.id,))
            for (day,) in cursor.fetchall():
                days = read_days(unit.cursor(), item.id, item.key.shape, day, day)
                for slot, flag in enumerate(days.flags.tolist()[0]):
                    if not flag & 1:
                        at = day * DAY_MINUTES + slot * item.key.shape.minutes
                        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=at)
                        counts = tuple(days.values.tolist()[0][slot])
                        out[start] = (item.id, flag, counts)
    return out


TABLES = [
    "series",
    "block",
    "revision",
    "gap",
    "register_reading",
    "balance_check",
    "cursor",
    "meter_state",
    "outbox",
    "audit",
    "meter",
]


def everything(store: Store, tables=TABLES) -> dict[str, list]:
    """Every row of the tables that a collector writes."""
    out = {}
    with store.read() as unit:
        cursor = unit.cursor()
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
            out[table] = sorted(cursor.fetchall(), key=repr)
    return out


def utc(n: int) -> datetime:
    """When the n-th half-hour of DAY starts."""
    return DAY.replace(tzinfo=UTC) - BASE + n * HALF
