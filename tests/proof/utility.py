"""A utility with thousands of points and a year of half-hours each, for proofs of speed.

Seeded. Places, meters and contracts are made by the services, blocks by the store; what would
take hours, a year of midnight registers, is inserted as rows. Making it can be broken off and goes
on at the next start.
"""

from array import array
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from random import Random

from sqlmodel import SQLModel

from corefast.profile import pack_day
from hub.cli.opening import KEYS_FILE, write_keys
from hub.domain.calendar import instant_of, minute_of
from hub.domain.series import Shape
from hub.plugins.api import SupplierCard
from hub.services import bookkeeping, places
from hub.services.accounts import Accounts
from hub.services.joining import join_points
from hub.services.passwords import Passwords
from hub.store import accounts, blocks, contracts, meters, series, tables
from hub.store.secrets import new_key
from hub.store.series import SeriesKey
from hub.store.unit import Store

DAYS = 366
ZONE = "Europe/Moscow"
PASSWORD = "Thousand meters 1"
MAKER = "incotex"
SLOTS, POOL = 48, 499
CLOCK_BASE = 180
SCALE = Fraction(1000)  # milliwatt-hours a count
SHAPE = Shape(30, 0b0101)  # P+ and Q+
RULES = [
    {"zone": "T1", "from": "07:00", "to": "23:00"},
    {"zone": "T2", "from": "23:00", "to": "07:00"},
]
BEGAN = "began"
READING = SQLModel.metadata.tables["register_reading"]


@dataclass(frozen=True, slots=True)
class Size:
    """So many points, ``each`` of them on every contract."""

    points: int = 10_000
    each: int = 20


def open_utility(folder: Path) -> Store:
    """Open the database in a folder; its keys are beside it."""
    return Store.open(
        f"sqlite:///{folder / 'hub.db'}", keys=(folder / KEYS_FILE).read_text().split()
    )


def email_of(contract: int) -> str:
    return f"person{contract}@example.org"


def build(folder: Path, now: datetime, size: Size) -> None:
    """Make the database in a folder beside ``folder``, whose name it gets when it is whole."""
    draft = folder.with_name(folder.name + ".new")
    draft.mkdir(parents=True, exist_ok=True)
    if not (draft / BEGAN).exists():
        write_keys(draft / KEYS_FILE, [new_key()])
        (draft / BEGAN).write_text(now.isoformat())
    now = datetime.fromisoformat((draft / BEGAN).read_text())
    random = Random(234)  # noqa: S311 - data to count, not a secret
    pool = [_day(random) for _ in range(POOL)]
    today = _day(random, minute_of(now) % 1440 // 30)
    store = open_utility(draft)
    try:
        store.upgrade()
        supplier_id = _supplier(store, now)
        for number in range(size.points):
            _point(store, supplier_id, number, pool, today, now)
        passwords = Passwords()
        for contract in range(size.points // size.each):
            _contract(store, passwords, supplier_id, contract, size.each, now)
        with store.write() as unit:
            join_points(unit, now)
    finally:
        store.close()
    draft.rename(folder)


def _supplier(store: Store, now: datetime) -> int:
    with store.read() as unit:
        for row in contracts.suppliers(unit):
            if row.id is not None:
                return row.id
    card = SupplierCard(name="Энергосбыт", phones=("8 800 555-01-00",))
    return bookkeeping.open_supplier(store, title="Энергосбыт", card=card, now=now)


def _day(random: Random, slots: int = SLOTS) -> tuple[bytes, int]:
    """A packed day and the sum of its P+ counts; slots after ``slots`` have no value yet."""
    values = array("I", bytes(8 * SLOTS))
    flags = bytearray(b"\1" * SLOTS)
    for slot in range(slots):
        values[2 * slot] = int(random.lognormvariate(5, 1))
        values[2 * slot + 1] = values[2 * slot] // 3
        flags[slot] = 0
    shaped = memoryview(values).cast("B").cast("I", (SLOTS, 2))
    return bytes(pack_day(shaped, bytes(flags))), sum(values[::2])


def _serial(number: int) -> str:
    return f"{40_000_000 + number}"


def _point(store: Store, supplier_id: int, number: int, pool: list[tuple[bytes, int]],
           today: tuple[bytes, int], now: datetime) -> None:  # fmt: skip
    """Add a place and its meter with a year, or what of them is not there yet."""
    with store.read() as unit:
        meter_id = meters.known_as(unit, MAKER, _serial(number))
        if meter_id is not None and meters.state(unit, meter_id).profile_done:
            return
    if meter_id is None:
        meter_id = _set_up(store, supplier_id, number, now)
    _fill(store, meter_id, pool, today, now)


def _set_up(store: Store, supplier_id: int, number: int, now: datetime) -> int:
    """Add a place with its meter, and give the meter's id."""
    _place_id, meter_id = places.set_up(
        store,
        places.NewPlace(
            supplier_id=supplier_id,
            number=f"P{number}",
            name=f"Ввод {number}",
            time_zone=ZONE,
            schedule="day and night",
            rules=RULES,
            installed_at=now - timedelta(days=2 * DAYS),
            current_ratio=20 if number % 2 else 1,
            clock_base_minutes=CLOCK_BASE,
            register_map={"T1": "T1", "T2": "T2"},
            meter=places.NewMeter(
                line=f"tcp://10.0.{number % 50}.1:4001",
                driver="mercury234",
                settings='{"address": 1}',
                maker=MAKER,
                serial=_serial(number),
                model="Mercury 234 ART",
            ),
        ),
    )
    return meter_id


def _fill(store: Store, meter_id: int, pool: list[tuple[bytes, int]], today: tuple[bytes, int],
          now: datetime) -> None:  # fmt: skip
    """Give a meter its year of half-hours, its registers at midnights and a state of all well."""
    last_day = minute_of(now) // 1440
    first_day = last_day - DAYS + 1
    with store.write() as unit:
        series_id = series.find_or_open(unit, SeriesKey(meter_id, SHAPE, SCALE))
        cursor = unit.cursor()
        days = [pool[(meter_id * 31 + day) % POOL] for day in range(first_day, last_day)]
        for at, (body, _sum) in enumerate([*days, today]):
            blocks.write_day(cursor, series_id, first_day + at, body)
        rows: list[dict[str, object]] = []
        for at, counts in enumerate(accumulate((total for _body, total in days), initial=0)):
            taken_at = instant_of((first_day + at) * 1440 - CLOCK_BASE)
            for obis, part in (("1.8.0", 6), ("1.8.1", 4), ("1.8.2", 2)):
                rows.append(
                    {
                        "meter_id": meter_id,
                        "obis": obis,
                        "taken_at": taken_at,
                        "value": 1_000_000 + counts * part // 6,
                        "source": "driver",
                        "day_start": True,
                    }
                )
        unit.session.connection().execute(READING.insert(), rows)
        state = meters.state(unit, meter_id)
        state.seen_at = state.tried_at = now - timedelta(minutes=10)
        state.due_at = now + timedelta(days=2)
        state.profile_from_at = instant_of(first_day * 1440)
        state.profile_through_at = instant_of(minute_of(now) // 30 * 30)
        state.profile_done = True


def _contract(store: Store, passwords: Passwords, supplier_id: int, contract: int, each: int,
              now: datetime) -> None:  # fmt: skip
    """Add a person with a contract of ``each`` points, joined later to their places."""
    email, remote_id = email_of(contract), f"r{contract}"
    with store.read() as unit:
        user = accounts.user_by_email(unit, email)
        user_id = None if user is None else user.id
        if user_id and contracts.linked(unit, user_id, supplier_id, remote_id):
            return
    if user_id is None:
        user_id = Accounts(store, passwords).add(
            email=email, full_name="Ким Анна Сергеевна", password=PASSWORD
        )
    with store.write() as unit:
        contract_id = contracts.add_contract(
            unit,
            tables.Contract(
                user_id=user_id, supplier_id=supplier_id, remote_id=remote_id,
                name="Завод", number=f"76-{contract}", holder="Ким А. С.", linked_at=now,
                balance_kopecks=-128_450, balance_at=now,
            ),
        )  # fmt: skip
        contracts.put_points(
            unit,
            contract_id,
            [
                tables.ContractPoint(
                    contract_id=contract_id, remote_id=f"p{number}", name=f"Ввод {number}",
                    number=f"P{number}", meter_serial=_serial(number), smart=True, told_at=now,
                )
                for number in range(contract * each, (contract + 1) * each)
            ],
        )  # fmt: skip
