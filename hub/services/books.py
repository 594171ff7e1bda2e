"""The in-house books: contracts with their own login, balances and points.

What a utility without a billing system of its own keeps in the hub. Seen through the plugin API's
``Books`` by the ``house`` connector; filled by the console, an import, or the demo.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from anyio import to_thread

from hub.domain.contracts import https_link
from hub.errors import CredentialsRejected, Missing
from hub.plugins.api import (
    Account,
    Balance,
    Contract,
    Money,
    Point,
    PointFact,
    Resource,
    SupplierCard,
)
from hub.services.passwords import Passwords
from hub.store import contracts as stored
from hub.store.tables import HouseContract, HousePoint, Supplier
from hub.store.unit import Store, Unit

KOPECK = Decimal("0.01")
LONGEST_TEXT = 500
CARD_TEXTS = ("name", "email", "site", "address", "hours")


class HouseBooks:
    """The books of one supplier, as ``desk.books``."""

    def __init__(self, store: Store, supplier_id: int, passwords: Passwords) -> None:
        self.store = store
        self.supplier_id = supplier_id
        self.passwords = passwords

    async def sign_in(self, login: str, password: str) -> Account:
        """Prove login and password; which of them is wrong is not said, nor seen in the time."""
        row = await to_thread.run_sync(self._by_login, login)
        known = None if row is None else row.password_hash
        right = await to_thread.run_sync(self.passwords.verify, known, password)
        if row is None or not right:
            raise CredentialsRejected
        return Account(str(row.id), row.number)

    async def card(self) -> SupplierCard:
        return await to_thread.run_sync(self._card)

    async def contract(self, account: Account) -> Contract:
        row = await to_thread.run_sync(self._house, account)
        return Contract(number=row.number, holder=row.holder, address=row.address, since=row.since)

    async def balance(self, account: Account) -> Balance:
        row = await to_thread.run_sync(self._house, account)
        if row.balance_at is None:
            raise Missing("The books have no balance of this contract yet.")
        return Balance(Money(row.balance_kopecks * KOPECK), row.balance_at)

    async def points(self, account: Account) -> list[Point]:
        return await to_thread.run_sync(self._points, account)

    def _by_login(self, login: str) -> HouseContract | None:
        with self.store.read() as unit:
            return stored.house_by_login(unit, self.supplier_id, login.strip())

    def _house(self, account: Account) -> HouseContract:
        with self.store.read() as unit:
            return self._own(unit, account)

    def _own(self, unit: Unit, account: Account) -> HouseContract:
        row = stored.house_by_id(unit, self.supplier_id, int(account.remote_id))
        if row is None:
            raise Missing("The books no longer have this contract; ask the supplier.")
        return row

    def _card(self) -> SupplierCard:
        with self.store.read() as unit:
            row = stored.supplier(unit, self.supplier_id)
        if row is None:
            raise Missing
        return card_of(row.title, row.card)

    def _points(self, account: Account) -> list[Point]:
        with self.store.read() as unit:
            house = self._own(unit, account)
            return [_point(row) for row in stored.house_points(unit, house.id or 0)]


def card_of(title: str, card: dict[str, Any]) -> SupplierCard:
    """Read a stored card; fields that are not there are empty, and so is a site that is no link."""
    text = {key: str(card.get(key, ""))[:LONGEST_TEXT] for key in CARD_TEXTS}
    return SupplierCard(
        name=text["name"] or title,
        phones=tuple(str(phone)[:LONGEST_TEXT] for phone in card.get("phones", ())),
        email=text["email"],
        site=https_link(text["site"]),
        address=text["address"],
        hours=text["hours"],
    )


def _point(row: HousePoint) -> Point:
    return Point(
        id=str(row.id),
        name=row.name,
        number=row.number,
        meter_serial=row.meter_serial,
        resource=Resource(row.resource),
        unit=row.unit,
        smart=row.smart,
        place=row.place,
        tariff_zones=tuple(row.tariff_zones),
        whole_digits=row.whole_digits,
        decimal_digits=row.decimal_digits,
        facts={PointFact(name): value for name, value in row.facts.items()},
    )


# -- filling the books -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedContract:
    """A contract to enter; ``balance_kopecks`` positive: in credit."""

    login: str
    password: str
    number: str
    holder: str
    address: str
    since: date | None = None
    balance_kopecks: int = 0
    balance_at: datetime | None = None
    points: tuple[Point, ...] = field(default=())


def enter(store: Store, passwords: Passwords, supplier_id: int, contract: BookedContract) -> int:
    """Enter a contract with its points and give its id in the books."""
    password_hash = passwords.hash(contract.password)
    with store.write() as unit:
        house_id = stored.add_house_contract(
            unit,
            HouseContract(
                supplier_id=supplier_id,
                login=contract.login.strip(),
                password_hash=password_hash,
                number=contract.number,
                holder=contract.holder,
                address=contract.address,
                since=contract.since,
                balance_kopecks=contract.balance_kopecks,
                balance_at=contract.balance_at,
            ),
        )
        for point in contract.points:
            stored.add_house_point(
                unit,
                HousePoint(
                    house_contract_id=house_id,
                    name=point.name,
                    number=point.number,
                    meter_serial=point.meter_serial,
                    resource=point.resource.value,
                    unit=point.unit,
                    smart=point.smart,
                    place=point.place,
                    tariff_zones=list(point.tariff_zones),
                    whole_digits=point.whole_digits,
                    decimal_digits=point.decimal_digits,
                    facts={name.value: value for name, value in (point.facts or {}).items()},
                ),
            )
    return house_id


def open_supplier(
    store: Store, *, title: str, card: SupplierCard, now: datetime, connector: str = "house"
) -> int:
    """Install a supplier that needs no settings, and give its id."""
    with store.write() as unit:
        return stored.add_supplier(
            unit,
            Supplier(connector=connector, title=title, card=card_dict(card), created_at=now),
        )


def card_dict(card: SupplierCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "phones": list(card.phones),
        "email": card.email,
        "site": card.site,
        "address": card.address,
        "hours": card.hours,
    }
