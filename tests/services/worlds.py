"""A small world in a real store: an owner, a contract, points, meters and their blocks."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from corefast.profile import pack_day
from hub.store import tables
from hub.store.unit import Store

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
T1_T2 = [
    {"zone": "T1", "from": "07:00", "to": "23:00"},
    {"zone": "T2", "from": "23:00", "to": "07:00"},
]
Slots = dict[int, tuple[tuple[int, ...], int]]  # slot since the epoch: counts and flags


@dataclass
class World:
    """Makes rows; each method gives the id of what it made."""

    store: Store
    numbers: Iterator[int]

    def add(self, row: Any) -> int:
        with self.store.write() as unit:
            unit.session.add(row)
            unit.session.flush()
            return row.id

    def add_plain(self, row: Any) -> None:
        """Add a row that has no number of its own."""
        with self.store.write() as unit:
            unit.session.add(row)

    def user(self, email: str = "", **more: Any) -> int:
        email = email or f"person{next(self.numbers)}@example.org"
        more.setdefault("confirmed_at", BEGIN)
        return self.add(
            tables.User(
                email=email, full_name="Анна Ким", password_hash="-", created_at=BEGIN, **more
            )
        )

    def supplier(self, title: str = "Энергосбыт", connector: str = "house", **more: Any) -> int:
        return self.add(tables.Supplier(connector=connector, title=title, created_at=BEGIN, **more))

    def contract(self, user: int, supplier: int, **more: Any) -> int:
        number = next(self.numbers)
        row = {"remote_id": f"r{number}", "name": "Дом", "number": f"{number}", **more}
        return self.add(tables.Contract(user_id=user, supplier_id=supplier, linked_at=BEGIN, **row))

    def place(
        self,
        supplier: int,
        zone: str = "Europe/Moscow",
        rules: list[dict[str, str]] | None = None,
        number: str = "",
    ) -> int:
        schedule = None
        if rules:
            schedule = self.add(tables.ZoneSchedule(name="zones", rules=rules))
        return self.add(
            tables.MeteringPoint(
                supplier_id=supplier,
                number=number or f"P{next(self.numbers)}",
                name="Ввод",
                time_zone=zone,
                zone_schedule_id=schedule,
            )
        )

    def point(self, contract: int, at: int | None, **more: Any) -> int:
        row = {"remote_id": f"p{next(self.numbers)}", "name": "Ввод 1", "smart": True, **more}
        return self.add(
            tables.ContractPoint(contract_id=contract, metering_point_id=at, told_at=BEGIN, **row)
        )

    def meter(self, serial: str = "", model: str = "Mercury 234") -> int:
        line = self.add(tables.Line(address=f"tcp://127.0.0.1:{next(self.numbers)}"))
        return self.add(
            tables.Meter(
                maker="incotex",
                serial=serial or f"{next(self.numbers):08d}",
                model=model,
                driver="mercury234",
                line_id=line,
            )
        )

    def install(self, place: int, meter: int, from_at: datetime = BEGIN, **more: Any) -> int:
        return self.add(
            tables.Installation(metering_point_id=place, meter_id=meter, from_at=from_at, **more)
        )

    def series(self, **more: Any) -> int:
        row = {"source": "driver", "minutes": 30, "scale_num": 500, "scale_den": 1, "channels": 5}
        return self.add(tables.Series(**{**row, **more}))

    def slots(self, series: int, slots: Slots, minutes: int = 30, channels: int = 2) -> None:
        """Pack the slots into blocks; what is not named has no value."""
        per_day = 1440 // minutes
        with self.store.write() as unit:
            for day in {slot // per_day for slot in slots}:
                values = array("I", bytes(4 * per_day * channels))
                flags = bytearray(b"\1" * per_day)
                for place in range(per_day):
                    if day * per_day + place in slots:
                        counts, flags[place] = slots[day * per_day + place]
                        values[place * channels : (place + 1) * channels] = array("I", counts)
                body = pack_day(
                    memoryview(values).cast("B").cast("I", (per_day, channels)), bytes(flags)
                )
                unit.session.add(tables.Block(series_id=series, day=day, body=body))

    def simple(self, zone: str = "Europe/Moscow", **more: Any) -> tuple[int, int, int, int]:
        """User, point, place and meter of a plain contract."""
        user, supplier = self.user(), self.supplier()
        place = self.place(supplier, zone, more.pop("rules", None))
        point = self.point(self.contract(user, supplier), place)
        meter = self.meter()
        self.install(place, meter, **more)
        return user, point, place, meter
