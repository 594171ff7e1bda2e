"""The demo's second utility: waterworks whose books are paused, so that what is sent waits.

They answered when the contract was linked; since then the portal shows what it knows, says of when
that is, and keeps a reading and an appeal until ``hub house resume``.
"""

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from hub.cli.demo_books import window_of
from hub.cli.demo_utility import EMAIL, ZONE
from hub.plugins.api import Point, PointFact, Resource, SupplierCard
from hub.services.appeals import Appeals, Draft
from hub.services.bookkeeping import BookedContract, Bookkeeping, Taken, open_supplier
from hub.services.contracts import Contracts
from hub.services.exchange import Exchange
from hub.services.submissions import Submissions
from hub.store import points as stored

if TYPE_CHECKING:
    from hub.plugins.manager import Plugins
    from hub.services.passwords import Passwords
    from hub.store.unit import Store

CARD: Final = SupplierCard(
    name="Ясный ключ",
    phones=("8 800 555-02-00",),
    email="help@klyuch.example",
    address="г. Заречье, ул. Ключевая, 1",
    hours="пн–пт 9:00–18:00",
)
NUMBER: Final = "3100-4417"
LINKED: Final = ("Дача", "31004417", "Rassvet-42")
TARIFF: Final = "Холодная вода"
COLD, UNKNOWN = "Холодная вода", "Полив"


def points(today: date) -> tuple[Point, ...]:
    """Give a meter that is due to be read, and one of which the books have only the name."""
    first, last = window_of(today)
    cold = Point(
        id="", name=COLD, number="В-4417", meter_serial="19-330218", resource=Resource.WATER,
        unit="m3", place="Колодец у калитки", whole_digits=5, decimal_digits=3,
        submit_from_day=first, submit_to_day=last,
        facts={
            PointFact.MODEL: "СВК 15-3-2", PointFact.COMMISSIONED_ON: "2023-05-20",
            PointFact.VERIFIED_ON: "2023-04-03", PointFact.NEXT_VERIFICATION_ON: "2029-04-02",
            PointFact.TARIFF: TARIFF,
        },
    )  # fmt: skip
    return cold, Point(id="", name=UNKNOWN, resource=Resource.WATER, unit="m3")


def enter(store: "Store", passwords: "Passwords", now: datetime) -> int:
    """Open the books with a contract, its points and a reading; give the supplier's id."""
    supplier_id = open_supplier(store, title=CARD.name, card=CARD, now=now)
    books = Bookkeeping(store, supplier_id, passwords, lambda: now, actor="demo")
    today = now.astimezone(ZoneInfo(ZONE)).date()
    _name, login, password = LINKED
    books.set_price(TARIFF, "T1", Decimal("46.20"), today.replace(month=1, day=1))
    books.enter(
        BookedContract(
            login=login, password=password, number=NUMBER, holder="Орлова М. С.",
            address="г. Заречье, СНТ «Рассвет», участок 42", since=date(2023, 5, 20),
            balance_kopecks=-18_480, balance_at=now,
        )
    )  # fmt: skip
    cold, unknown = points(today)
    books.add_point(NUMBER, cold, TARIFF)
    books.add_point(NUMBER, unknown)
    books.record(NUMBER, COLD, Taken({"": Decimal("212.405")}, today - timedelta(days=31)))
    return supplier_id


async def link_and_write(
    store: "Store", plugins: "Plugins", passwords: "Passwords", supplier_id: int, user_id: int
) -> None:
    """Link the contract, pause the books, and send a reading and an appeal, which wait."""
    name, login, password = LINKED
    contracts = Contracts(store, plugins, passwords)
    contract_id = await contracts.link(user_id, supplier_id, name, login, password)
    exchange = Exchange(store, plugins, passwords)
    while await exchange.run_due():
        pass
    books = Bookkeeping(store, supplier_id, passwords, actor="demo")
    await asyncio.to_thread(books.pause)
    await asyncio.to_thread(_write, store, user_id, contract_id)
    while await exchange.run_due():
        pass


def _write(store: "Store", user_id: int, contract_id: int) -> None:
    with store.read() as unit:
        rows = stored.of_contract(unit, user_id, contract_id)
    cold = next(row for row in rows if row.name == COLD)
    Submissions(store).submit(user_id, cold.id, "demo/water", {"": "221,870"}, confirmed=True)
    Appeals(store).create(
        user_id,
        contract_id,
        Draft(
            key="demo/water",
            email=EMAIL,
            phone="+7 900 000-00-14",
            subject="Слабый напор",
            text="С выходных вода на участке еле течет. Прошу проверить давление.",
        ),
    )
