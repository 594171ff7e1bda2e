"""A consumer's points in a real store, filled by pages as a driver gives them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hub.domain.clock import MeterTime
from hub.domain.pages import Cursor
from hub.domain.profile import ProfilePage, Slot, SlotMark
from hub.plugins.api import SupplierCard
from hub.services import bookkeeping, lines, meters, places, storing
from hub.services.accounts import Accounts
from hub.services.joining import join_points
from hub.store import contracts, tables
from hub.store import meters as stored_meters
from hub.store import points as stored_points
from hub.store import told as kept
from hub.store.leases import Lease
from hub.store.unit import Store

HALF = timedelta(minutes=30)
PASSWORD = "Correct horse"
THREE = [
    {"zone": "T2", "from": "23:00", "to": "07:00"},
    {"zone": "T1", "from": "07:00", "to": "10:00"},
    {"zone": "T3", "from": "10:00", "to": "17:00"},
    {"zone": "T1", "from": "17:00", "to": "21:00"},
    {"zone": "T3", "from": "21:00", "to": "23:00"},
]
SCALE = Fraction(500)  # milliwatt-hours a count


@dataclass
class Made:
    """A linked contract and its one metered point."""

    user: int
    contract: int
    point: int
    meter: int
    lease: Lease
    notice: int
    appeal: int


def count_at(start: datetime) -> int:
    """What the meter of these tests counts from this instant (UTC) on."""
    return 1000 + (int(start.timestamp()) // 1800 * 37) % 911


def make(store: Store, email: str, zone: str = "Europe/Moscow", ratio: int = 1,
         facts: dict[str, str] | None = None,
         rules: list[dict[str, str]] | None = None) -> Made:  # fmt: skip
    now = datetime(2026, 11, 24, 10, tzinfo=UTC)
    user = Accounts(store).add(email=email, full_name="Ким Анна Сергеевна", password=PASSWORD)
    supplier = bookkeeping.open_supplier(
        store, title=f"Энергосбыт {email}", card=SupplierCard(name="Энергосбыт"), now=now
    )
    _place, meter = places.set_up(
        store,
        places.NewPlace(
            supplier_id=supplier, number="P1", name="Ввод", time_zone=zone, schedule="zones",
            rules=rules or THREE, current_ratio=ratio,
            installed_at=datetime(2026, 1, 1, tzinfo=UTC),
            register_map={"T1": "T1", "T2": "T2", "T3": "T3"},
            meter=places.NewMeter(
                line=f"tcp://10.0.0.1:{4000 + user}", driver="mercury234",
                settings='{"address": 1}', maker="incotex", serial=f"4188884{user}",
                model="Mercury 234",
            ),
        ),
    )  # fmt: skip
    with store.write() as unit:
        contract = contracts.add_contract(
            unit,
            tables.Contract(
                user_id=user, supplier_id=supplier, remote_id="1", name=f"Дом {email}",
                number="76-1", linked_at=now, balance_kopecks=-128_450, balance_at=now,
            ),
        )  # fmt: skip
        contracts.put_points(
            unit,
            contract,
            [
                tables.ContractPoint(
                    contract_id=contract, remote_id="p1", name="Ввод 1", number="P1", smart=True,
                    meter_serial=f"4188884{user}", decimal_digits=3, facts=facts or {}, told_at=now,
                ),
                tables.ContractPoint(
                    contract_id=contract, remote_id="p2", name="Вода", resource="water",
                    unit="m3", smart=False, told_at=now,
                ),
            ],
        )  # fmt: skip
        join_points(unit, now)
        point = stored_points.of_contract(unit, user, contract)[0].id
    lease = lines.claim(
        store, meters.errand(store, meter).meter.line_id, "test", is_dead=lambda _: True
    )
    assert isinstance(lease, Lease)
    notice, appeal = words_in(store, contract, now)
    return Made(user, contract, point, meter, lease, notice, appeal)


def words_in(store: Store, contract: int, now: datetime) -> tuple[int, int]:
    """Add a notification and an appeal to a contract; give their ids."""
    with store.write() as unit:
        notice = kept.add(
            unit,
            tables.Notice(
                contract_id=contract, remote_id="n1", kind="planned_work", title="Дом anna: работы",
                text="Отключение в среду.\nС 10 до 14.", from_at=now, to_at=now + HALF,
                published_at=now, told_at=now,
            ),
        )  # fmt: skip
        appeal = kept.add(
            unit,
            tables.Appeal(
                contract_id=contract, key=f"k{contract}", remote_id="a1", number="14",
                subject="Дом anna: вопрос", state="in_work", created_at=now, changed_at=now,
            ),
        )  # fmt: skip
        kept.add(unit, tables.AppealMessage(appeal_id=appeal.id or 0, at=now, body="Когда?"))
        return notice.id or 0, appeal.id or 0


def told(store: Store, made: Made, first: datetime, last: datetime, *, without=(), marks=None,
         base: int = 180, more: bool = False,
         fed: int | None = None) -> dict[datetime, int]:  # fmt: skip
    """Store half-hours that start from ``first`` up to ``last`` (UTC); give what was stored."""
    slots, stored = [], {}
    at = first
    while at < last:
        if at not in without:
            ends = MeterTime((at + HALF + timedelta(minutes=base)).replace(tzinfo=None), None)
            mark = (marks or {}).get(at, SlotMark(0))
            count = count_at(at)
            slots.append(Slot(ends, 30, (count, fed, count // 3, None), mark))
            stored[at] = count
        at += HALF
    page = ProfilePage(
        slots=tuple(slots), milliwatt_hours_per_count=SCALE, gaps=(),
        next=Cursor("toy/1", f"{last}"), more=more,
    )  # fmt: skip
    storing.store_profile_page(store, made.meter, page, lease=made.lease)
    with store.write() as unit:
        state = stored_meters.state(unit, made.meter)
        state.seen_at = state.tried_at = last
    return stored


def kwh(stored: dict[datetime, int], first: datetime, last: datetime, ratio: int = 1) -> Fraction:
    """The plain oracle: counts of the half-hours that start in the span, times the scale."""
    counts = sum(count for at, count in stored.items() if first <= at < last)
    return Fraction(counts) * SCALE * ratio / 1_000_000
