"""Suppliers, contracts and their points, and the codes that contracts are linked by."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, or_, select, update
from sqlmodel import SQLModel

from hub.domain.contracts import Place
from hub.store.prepared import Prepared
from hub.store.tables import (
    Contract,
    ContractPoint,
    LinkCode,
    Supplier,
)
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_CONTRACT = _T["contract"].c
_SUPPLIER = _T["supplier"].c
_POINT = _T["contract_point"].c
_PLACE = _T["metering_point"].c
_INSTALLATION = _T["installation"].c
_METER = _T["meter"].c
_CODE = _T["link_code"].c


class ListedContract(NamedTuple):
    """A line of the contracts panel."""

    id: int
    name: str
    number: str
    supplier_id: int
    supplier: str
    connector: str
    refresh_error: str
    refreshed_at: datetime | None


class ContractRow(NamedTuple):
    """A contract with its supplier's card, as the main page shows them."""

    id: int
    name: str
    number: str
    remote_id: str
    holder: str
    address: str
    does: Sequence[str]
    balance_kopecks: int | None
    balance_at: datetime | None
    linked_at: datetime
    refreshed_at: datetime | None
    refresh_error: str
    supplier_id: int
    supplier: str
    connector: str
    card: Mapping[str, Any]


_LIST = Prepared(
    select(
        _CONTRACT.id,
        _CONTRACT.name,
        _CONTRACT.number,
        _SUPPLIER.id,
        _SUPPLIER.title,
        _SUPPLIER.connector,
        _CONTRACT.refresh_error,
        _CONTRACT.refreshed_at,
    )
    .join_from(_T["contract"], _T["supplier"], _SUPPLIER.id == _CONTRACT.supplier_id)
    .where(_CONTRACT.user_id == bindparam("user"))
    .order_by(_CONTRACT.id),
    ListedContract._make,
)
_ONE = Prepared(
    select(
        _CONTRACT.id,
        _CONTRACT.name,
        _CONTRACT.number,
        _CONTRACT.remote_id,
        _CONTRACT.holder,
        _CONTRACT.address,
        _CONTRACT.does,
        _CONTRACT.balance_kopecks,
        _CONTRACT.balance_at,
        _CONTRACT.linked_at,
        _CONTRACT.refreshed_at,
        _CONTRACT.refresh_error,
        _SUPPLIER.id,
        _SUPPLIER.title,
        _SUPPLIER.connector,
        _SUPPLIER.card,
    )
    .join_from(_T["contract"], _T["supplier"], _SUPPLIER.id == _CONTRACT.supplier_id)
    .where(_CONTRACT.id == bindparam("contract"), _CONTRACT.user_id == bindparam("user")),
    ContractRow._make,
)


def listed(unit: Unit, user_id: int) -> list[ListedContract]:
    """List the user's contracts in the order they were added."""
    return _LIST.all(unit, user=user_id)


def one(unit: Unit, user_id: int, contract_id: int) -> ContractRow | None:
    """Find a contract of this user."""
    return _ONE.first(unit, user=user_id, contract=contract_id)


def suppliers(unit: Unit) -> Sequence[Supplier]:
    return unit.session.scalars(select(Supplier).order_by(_SUPPLIER.title, _SUPPLIER.id)).all()


def supplier(unit: Unit, supplier_id: int) -> Supplier | None:
    return unit.session.get(Supplier, supplier_id)


def add_supplier(unit: Unit, row: Supplier) -> int:
    return _added(unit, row)


def set_card(unit: Unit, supplier_id: int, card: dict[str, Any]) -> None:
    unit.session.connection().execute(
        update(_T["supplier"]).where(_SUPPLIER.id == supplier_id).values(card=card)
    )


def linked(unit: Unit, user_id: int, supplier_id: int, remote_id: str) -> Contract | None:
    """Find the user's contract for this account, if it is linked already."""
    return unit.session.scalars(
        select(Contract).where(
            _CONTRACT.user_id == user_id,
            _CONTRACT.supplier_id == supplier_id,
            _CONTRACT.remote_id == remote_id,
        )
    ).first()


def add_contract(unit: Unit, row: Contract) -> int:
    return _added(unit, row)


def seal_account(unit: Unit, contract_id: int, sealed: str) -> None:
    unit.session.connection().execute(
        update(_T["contract"]).where(_CONTRACT.id == contract_id).values(sealed_settings=sealed)
    )


def rename(unit: Unit, user_id: int, contract_id: int, name: str) -> bool:
    """Rename a contract of this user; False if there is none."""
    done = unit.session.connection().execute(
        update(_T["contract"])
        .where(_CONTRACT.id == contract_id, _CONTRACT.user_id == user_id)
        .values(name=name)
    )
    return done.rowcount == 1


def put_points(unit: Unit, contract_id: int, points: Sequence[ContractPoint]) -> None:
    """Make the contract's points these: known ones keep their id, vanished ones go."""
    known = {
        row.remote_id: row
        for row in unit.session.scalars(
            select(ContractPoint).where(_POINT.contract_id == contract_id)
        )
    }
    told = {point.remote_id for point in points}
    for remote_id, row in known.items():
        if remote_id not in told:
            unit.session.delete(row)
    unit.session.flush()  # before a new one gets the id of one that is gone
    for point in points:
        old = known.get(point.remote_id)
        if old is None:
            point.contract_id = contract_id
            unit.session.add(point)
        else:
            for name, value in point.model_dump(exclude={"id", "contract_id"}).items():
                setattr(old, name, value)
    unit.session.flush()


def places(unit: Unit, supplier_id: int, numbers: Sequence[str], now: datetime) -> dict[str, Place]:
    """Metering points of a supplier by number, with the serial of the meter there now."""
    rows = unit.session.connection().execute(
        select(_PLACE.id, _PLACE.number, _METER.serial)
        .select_from(
            _T["metering_point"]
            .join(_T["installation"], _INSTALLATION.metering_point_id == _PLACE.id)
            .join(_T["meter"], _METER.id == _INSTALLATION.meter_id)
        )
        .where(
            _PLACE.supplier_id == supplier_id,
            _PLACE.number.in_(numbers),
            _INSTALLATION.from_at <= now,
            or_(_INSTALLATION.to_at.is_(None), _INSTALLATION.to_at > now),
        )
    )
    return {row[1]: Place(row[0], row[1], row[2]) for row in rows}


def unjoined(unit: Unit) -> dict[int, list[ContractPoint]]:
    """Points with a number and a serial that are joined to no metering point, by supplier."""
    rows = unit.session.execute(
        select(_CONTRACT.supplier_id, ContractPoint)
        .join_from(ContractPoint, _T["contract"], _CONTRACT.id == _POINT.contract_id)
        .where(_POINT.metering_point_id.is_(None), _POINT.number != "", _POINT.meter_serial != "")
    )
    found: dict[int, list[ContractPoint]] = {}
    for supplier_id, point in rows:
        found.setdefault(supplier_id, []).append(point)
    return found


def join(unit: Unit, point_id: int | None, metering_point_id: int) -> None:
    unit.session.connection().execute(
        update(_T["contract_point"])
        .where(_POINT.id == point_id)
        .values(metering_point_id=metering_point_id)
    )


# -- one-time codes ----------------------------------------------------------------------------


def holders(unit: Unit, supplier_id: int, remote_id: str) -> int:
    """Count who has linked the account."""
    asked = select(func.count()).select_from(_T["contract"])
    mine = (_CONTRACT.supplier_id == supplier_id, _CONTRACT.remote_id == remote_id)
    return int(unit.session.execute(asked.where(*mine)).scalar_one())


def add_code(unit: Unit, row: LinkCode) -> None:
    unit.session.add(row)
    unit.session.flush()


def live_code(unit: Unit, supplier_id: int, number: str, now: datetime) -> LinkCode | None:
    """Find the code of a contract's number that can still be used, however often it was tried."""
    return unit.session.scalars(
        select(LinkCode)
        .where(
            _CODE.supplier_id == supplier_id,
            _CODE.number == number,
            _CODE.spent_at.is_(None),
            _CODE.revoked_at.is_(None),
            _CODE.expires_at > now,
        )
        .order_by(_CODE.id.desc())
    ).first()


def revoke_codes(unit: Unit, supplier_id: int, number: str, now: datetime) -> None:
    """End all codes of a contract's number that were not spent."""
    unit.session.execute(
        update(_T["link_code"])
        .where(
            _CODE.supplier_id == supplier_id,
            _CODE.number == number,
            _CODE.spent_at.is_(None),
            _CODE.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )


def _added(unit: Unit, row: Supplier | Contract) -> int:
    unit.session.add(row)
    unit.session.flush()
    if row.id is None:  # the database numbers every row
        raise AssertionError
    return row.id
