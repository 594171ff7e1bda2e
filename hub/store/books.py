"""The in-house books: contracts, points, prices, readings, bills, payments, notices, appeals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import and_, func, inspect, or_, select, tuple_, update
from sqlalchemy.orm import defer
from sqlmodel import SQLModel

from hub.store.tables import (
    ContractState,
    HouseAppeal,
    HouseBill,
    HouseBillLine,
    HouseContract,
    HouseFile,
    HouseMessage,
    HouseNotice,
    HouseNoticeRead,
    HousePayment,
    HousePoint,
    HousePrice,
    HouseReading,
    HouseSubmission,
    HouseTariff,
    Row,
    Supplier,
)
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_SUPPLIER = _T["supplier"].c
_LINKED = _T["contract"].c
_STATE = _T["contract_state"].c
_CONTRACT = _T["house_contract"].c
_POINT = _T["house_point"].c
_TARIFF = _T["house_tariff"].c
_PRICE = _T["house_price"].c
_READING = _T["house_reading"].c
_SUBMISSION = _T["house_submission"].c
_BILL = _T["house_bill"].c
_LINE = _T["house_bill_line"].c
_PAYMENT = _T["house_payment"].c
_NOTICE = _T["house_notice"].c
_READ = _T["house_notice_read"].c
_APPEAL = _T["house_appeal"].c
_MESSAGE = _T["house_message"].c
_FILE = _T["house_file"].c
_NO_CONTENT = defer(inspect(HouseFile).column_attrs["content"].class_attribute)

R = TypeVar("R", bound=Row)

Since = tuple[datetime, int]  # when a row changed, and its id


@dataclass(frozen=True, slots=True)
class Booked:
    """What changed a balance after an instant; ``last_at`` None: nothing did."""

    kopecks: int
    last_at: datetime | None


def add(unit: Unit, row: R) -> R:
    """Add a row; Conflict if one like it is there. Its id is known afterwards."""
    unit.session.add(row)
    unit.session.flush()
    return row


# -- suppliers, contracts, points --------------------------------------------------------------


def suppliers(unit: Unit, connectors: Sequence[str]) -> Sequence[Supplier]:
    """List the suppliers of these connectors by title."""
    return unit.session.scalars(
        select(Supplier)
        .where(_SUPPLIER.connector.in_(connectors))
        .order_by(_SUPPLIER.title, _SUPPLIER.id)
    ).all()


def by_login(unit: Unit, supplier_id: int, login: str) -> HouseContract | None:
    return unit.session.scalars(
        select(HouseContract).where(
            _CONTRACT.supplier_id == supplier_id, _CONTRACT.login == login, _CONTRACT.login != ""
        )
    ).first()


def by_id(unit: Unit, supplier_id: int, house_id: int) -> HouseContract | None:
    return unit.session.scalars(
        select(HouseContract).where(_CONTRACT.supplier_id == supplier_id, _CONTRACT.id == house_id)
    ).first()


def by_number(unit: Unit, supplier_id: int, number: str) -> HouseContract | None:
    return unit.session.scalars(
        select(HouseContract).where(
            _CONTRACT.supplier_id == supplier_id, _CONTRACT.number == number
        )
    ).first()


def contracts(unit: Unit, supplier_id: int) -> Sequence[HouseContract]:
    return unit.session.scalars(
        select(HouseContract)
        .where(_CONTRACT.supplier_id == supplier_id)
        .order_by(_CONTRACT.number, _CONTRACT.id)
    ).all()


def points(unit: Unit, house_id: int) -> Sequence[HousePoint]:
    return unit.session.scalars(
        select(HousePoint).where(_POINT.house_contract_id == house_id).order_by(_POINT.id)
    ).all()


def point(unit: Unit, house_id: int, point_id: int) -> HousePoint | None:
    """Find a point of this contract by its id."""
    return unit.session.scalars(
        select(HousePoint).where(_POINT.house_contract_id == house_id, _POINT.id == point_id)
    ).first()


def ask_again(unit: Unit, supplier_id: int, house_id: int | None, now: datetime) -> None:
    """Make whoever linked the contract (None: any of the supplier) ask for its news now."""
    mine = [_LINKED.supplier_id == supplier_id]
    if house_id is not None:
        mine.append(_LINKED.remote_id == str(house_id))
    unit.session.execute(
        update(ContractState)
        .where(
            _STATE.contract_id.in_(select(_LINKED.id).where(*mine)),
            _STATE.stopped.is_(False),
            _STATE.due_at > now,
        )
        .values(due_at=now)
    )


# -- prices ------------------------------------------------------------------------------------


def tariff_named(unit: Unit, supplier_id: int, name: str) -> HouseTariff | None:
    return unit.session.scalars(
        select(HouseTariff).where(_TARIFF.supplier_id == supplier_id, _TARIFF.name == name)
    ).first()


def prices(unit: Unit, tariff_id: int) -> Sequence[HousePrice]:
    return unit.session.scalars(
        select(HousePrice)
        .where(_PRICE.tariff_id == tariff_id)
        .order_by(_PRICE.zone, _PRICE.valid_from)
    ).all()


def prices_of_points(unit: Unit, house_id: int, on: date) -> list[tuple[int, str, HousePrice]]:
    """List point id, tariff's name and price that hold on a day or later."""
    rows = unit.session.execute(
        select(_POINT.id, _TARIFF.name, HousePrice)
        .join_from(_T["house_point"], _T["house_tariff"], _TARIFF.id == _POINT.tariff_id)
        .join(HousePrice, _PRICE.tariff_id == _TARIFF.id)
        .where(
            _POINT.house_contract_id == house_id,
            or_(_PRICE.valid_to.is_(None), _PRICE.valid_to >= on),
        )
        .order_by(_POINT.id, _PRICE.zone, _PRICE.valid_from)
    )
    return [(row[0], row[1], row[2]) for row in rows]


# -- readings and submissions ------------------------------------------------------------------


def put_reading(unit: Unit, row: HouseReading) -> None:
    """Enter a reading; one of the same day and zone is replaced."""
    old = unit.session.scalars(
        select(HouseReading).where(
            _READING.house_point_id == row.house_point_id,
            _READING.zone == row.zone,
            _READING.taken_on == row.taken_on,
        )
    ).first()
    if old is None:
        unit.session.add(row)
    else:
        for name, value in row.model_dump(exclude={"id"}).items():
            setattr(old, name, value)
    unit.session.flush()


def readings(unit: Unit, point_id: int) -> Sequence[HouseReading]:
    """List the readings of a point, oldest first."""
    return unit.session.scalars(
        select(HouseReading)
        .where(_READING.house_point_id == point_id)
        .order_by(_READING.taken_on, _READING.zone)
    ).all()


def readings_since(
    unit: Unit, house_id: int, since: Since | None, limit: int
) -> Sequence[HouseReading]:
    mine = select(_POINT.id).where(_POINT.house_contract_id == house_id)
    return unit.session.scalars(
        select(HouseReading)
        .where(_READING.house_point_id.in_(mine), *_later(_READING.changed_at, _READING.id, since))
        .order_by(_READING.changed_at, _READING.id)
        .limit(limit)
    ).all()


def submission_of(unit: Unit, house_id: int, key: str) -> HouseSubmission | None:
    return unit.session.scalars(
        select(HouseSubmission).where(
            _SUBMISSION.house_contract_id == house_id, _SUBMISSION.key == key
        )
    ).first()


def submissions_since(
    unit: Unit, house_id: int, since: Since | None, limit: int
) -> Sequence[HouseSubmission]:
    return unit.session.scalars(
        select(HouseSubmission)
        .where(
            _SUBMISSION.house_contract_id == house_id,
            *_later(_SUBMISSION.changed_at, _SUBMISSION.id, since),
        )
        .order_by(_SUBMISSION.changed_at, _SUBMISSION.id)
        .limit(limit)
    ).all()


def submissions(
    unit: Unit, supplier_id: int, state: str | None
) -> list[tuple[HouseSubmission, HousePoint, HouseContract]]:
    """List a supplier's submissions, those of one state or all, oldest first."""
    asked = (
        select(HouseSubmission, HousePoint, HouseContract)
        .join_from(HouseSubmission, HousePoint, _POINT.id == _SUBMISSION.house_point_id)
        .join(HouseContract, _CONTRACT.id == _SUBMISSION.house_contract_id)
        .where(_CONTRACT.supplier_id == supplier_id)
        .order_by(_SUBMISSION.id)
    )
    if state is not None:
        asked = asked.where(_SUBMISSION.state == state)
    return [(row[0], row[1], row[2]) for row in unit.session.execute(asked)]


def submission(
    unit: Unit, supplier_id: int, submission_id: int
) -> tuple[HouseSubmission, HousePoint] | None:
    row = unit.session.execute(
        select(HouseSubmission, HousePoint)
        .join_from(HouseSubmission, HousePoint, _POINT.id == _SUBMISSION.house_point_id)
        .join(HouseContract, _CONTRACT.id == _SUBMISSION.house_contract_id)
        .where(_CONTRACT.supplier_id == supplier_id, _SUBMISSION.id == submission_id)
    ).first()
    return None if row is None else (row[0], row[1])


# -- money -------------------------------------------------------------------------------------


def booked_after(unit: Unit, house_id: int, after: datetime | None) -> Booked:
    """Add up payments less charges that were booked after an instant (None: all)."""
    paid = select(func.sum(_PAYMENT.kopecks), func.max(_PAYMENT.booked_at)).where(
        _PAYMENT.house_contract_id == house_id
    )
    charged = (
        select(func.sum(_LINE.kopecks))
        .join_from(_T["house_bill_line"], _T["house_bill"], _BILL.id == _LINE.bill_id)
        .where(_BILL.house_contract_id == house_id)
    )
    billed_at = select(func.max(_BILL.booked_at)).where(_BILL.house_contract_id == house_id)
    if after is not None:
        paid = paid.where(_PAYMENT.booked_at > after)
        charged = charged.where(_BILL.booked_at > after)
        billed_at = billed_at.where(_BILL.booked_at > after)
    came, came_at = unit.session.execute(paid).one()
    went = unit.session.execute(charged).scalar_one()
    times = [at for at in (came_at, unit.session.execute(billed_at).scalar_one()) if at]
    return Booked(int(came or 0) - int(went or 0), max(times, default=None))


def bills_of_month(unit: Unit, house_id: int, month: date) -> Sequence[HouseBill]:
    return unit.session.scalars(
        select(HouseBill)
        .where(_BILL.house_contract_id == house_id, _BILL.month == month)
        .order_by(_BILL.number)
    ).all()


def bills_since(unit: Unit, house_id: int, since: Since | None, limit: int) -> Sequence[HouseBill]:
    return unit.session.scalars(
        select(HouseBill)
        .where(_BILL.house_contract_id == house_id, *_later(_BILL.booked_at, _BILL.id, since))
        .order_by(_BILL.booked_at, _BILL.id)
        .limit(limit)
    ).all()


def lines(unit: Unit, bill_ids: Sequence[int]) -> dict[int, list[HouseBillLine]]:
    """Give the lines of bills, in the order they were charged."""
    found: dict[int, list[HouseBillLine]] = {bill_id: [] for bill_id in bill_ids}
    for row in unit.session.scalars(
        select(HouseBillLine).where(_LINE.bill_id.in_(bill_ids)).order_by(_LINE.id)
    ):
        found[row.bill_id].append(row)
    return found


def payment_of(unit: Unit, house_id: int, reference: str) -> HousePayment | None:
    return unit.session.scalars(
        select(HousePayment).where(
            _PAYMENT.house_contract_id == house_id, _PAYMENT.reference == reference
        )
    ).first()


def payments_since(
    unit: Unit, house_id: int, since: Since | None, limit: int
) -> Sequence[HousePayment]:
    return unit.session.scalars(
        select(HousePayment)
        .where(
            _PAYMENT.house_contract_id == house_id,
            *_later(_PAYMENT.booked_at, _PAYMENT.id, since),
        )
        .order_by(_PAYMENT.booked_at, _PAYMENT.id)
        .limit(limit)
    ).all()


# -- notices -----------------------------------------------------------------------------------


def notices_since(
    unit: Unit, supplier_id: int, house_id: int, since: Since | None, limit: int
) -> Sequence[HouseNotice]:
    """List what was published for the contract, or for everybody."""
    return unit.session.scalars(
        select(HouseNotice)
        .where(
            _for(supplier_id, house_id),
            *_later(_NOTICE.published_at, _NOTICE.id, since),
        )
        .order_by(_NOTICE.published_at, _NOTICE.id)
        .limit(limit)
    ).all()


def notice(unit: Unit, supplier_id: int, house_id: int, notice_id: int) -> HouseNotice | None:
    return unit.session.scalars(
        select(HouseNotice).where(_for(supplier_id, house_id), _NOTICE.id == notice_id)
    ).first()


def _for(supplier_id: int, house_id: int) -> Any:
    return and_(
        _NOTICE.supplier_id == supplier_id,
        or_(_NOTICE.house_contract_id.is_(None), _NOTICE.house_contract_id == house_id),
    )


def notice_read(unit: Unit, notice_id: int, house_id: int, now: datetime) -> None:
    """Note that the notice was opened; the first time is kept."""
    if unit.session.get(HouseNoticeRead, (notice_id, house_id)) is None:
        unit.session.add(
            HouseNoticeRead(notice_id=notice_id, house_contract_id=house_id, read_at=now)
        )
        unit.session.flush()


def readers(unit: Unit, notice_id: int) -> int:
    """Count the contracts whose holders opened the notice."""
    asked = select(func.count()).select_from(_T["house_notice_read"])
    return int(unit.session.execute(asked.where(_READ.notice_id == notice_id)).scalar_one())


# -- appeals -----------------------------------------------------------------------------------


def next_number(unit: Unit, supplier_id: int) -> int:
    highest = unit.session.execute(
        select(func.max(_APPEAL.number)).where(_APPEAL.supplier_id == supplier_id)
    ).scalar_one()
    return int(highest or 0) + 1


def appeal_of(unit: Unit, house_id: int, key: str) -> HouseAppeal | None:
    return unit.session.scalars(
        select(HouseAppeal).where(_APPEAL.house_contract_id == house_id, _APPEAL.key == key)
    ).first()


def appeal(unit: Unit, house_id: int, appeal_id: int) -> HouseAppeal | None:
    return unit.session.scalars(
        select(HouseAppeal).where(_APPEAL.house_contract_id == house_id, _APPEAL.id == appeal_id)
    ).first()


def appeal_numbered(unit: Unit, supplier_id: int, number: int) -> HouseAppeal | None:
    return unit.session.scalars(
        select(HouseAppeal).where(_APPEAL.supplier_id == supplier_id, _APPEAL.number == number)
    ).first()


def appeals_since(
    unit: Unit, house_id: int, since: Since | None, limit: int
) -> Sequence[HouseAppeal]:
    return unit.session.scalars(
        select(HouseAppeal)
        .where(
            _APPEAL.house_contract_id == house_id,
            *_later(_APPEAL.changed_at, _APPEAL.id, since),
        )
        .order_by(_APPEAL.changed_at, _APPEAL.id)
        .limit(limit)
    ).all()


def appeals(
    unit: Unit, supplier_id: int, *, only_open: bool
) -> list[tuple[HouseAppeal, HouseContract]]:
    """List a supplier's appeals with their contracts, oldest first."""
    asked = (
        select(HouseAppeal, HouseContract)
        .join_from(HouseAppeal, HouseContract, _CONTRACT.id == _APPEAL.house_contract_id)
        .where(_APPEAL.supplier_id == supplier_id)
        .order_by(_APPEAL.number)
    )
    if only_open:
        asked = asked.where(_APPEAL.state.in_(["sent", "in_work"]))
    return [(row[0], row[1]) for row in unit.session.execute(asked)]


def messages(unit: Unit, appeal_ids: Sequence[int]) -> dict[int, list[HouseMessage]]:
    """Give what was said in appeals, oldest first."""
    found: dict[int, list[HouseMessage]] = {appeal_id: [] for appeal_id in appeal_ids}
    for row in unit.session.scalars(
        select(HouseMessage)
        .where(_MESSAGE.appeal_id.in_(appeal_ids))
        .order_by(_MESSAGE.at, _MESSAGE.id)
    ):
        found[row.appeal_id].append(row)
    return found


def message_of(unit: Unit, appeal_id: int, key: str) -> HouseMessage | None:
    return unit.session.scalars(
        select(HouseMessage).where(_MESSAGE.appeal_id == appeal_id, _MESSAGE.key == key)
    ).first()


def files(unit: Unit, message_ids: Sequence[int]) -> Sequence[HouseFile]:
    """List the files of messages, in the order they came; their content is left where it is."""
    return unit.session.scalars(
        select(HouseFile)
        .where(_FILE.message_id.in_(message_ids))
        .order_by(_FILE.id)
        .options(_NO_CONTENT)
    ).all()


def file(unit: Unit, appeal_id: int, file_id: int) -> HouseFile | None:
    """Find a file of an appeal, with its content."""
    return unit.session.scalars(
        select(HouseFile)
        .join_from(HouseFile, HouseMessage, _MESSAGE.id == _FILE.message_id)
        .where(_FILE.id == file_id, _MESSAGE.appeal_id == appeal_id)
    ).first()


def _later(at: Any, id_: Any, since: Since | None) -> list[Any]:
    return [] if since is None else [tuple_(at, id_) > since]
