"""What suppliers told of contracts, and what waits to be told to them; rows of one contract each.

Every read for a page starts from the owner, so a foreign id finds nothing.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import and_, bindparam, delete, func, or_, select, update
from sqlmodel import SQLModel

from hub.domain.pages import Cursor
from hub.store import drafts, outbox, owned
from hub.store.notify import hidden
from hub.store.prepared import Prepared
from hub.store.tables import (
    Appeal,
    AppealMessage,
    Contract,
    ContractBill,
    ContractCursor,
    ContractPayment,
    ContractPoint,
    ContractState,
    ContractTariff,
    Notice,
    Outbox,
    Row,
    Submission,
    Supplier,
    ToldReading,
)
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_CONTRACT = _T["contract"].c
_SUPPLIER = _T["supplier"].c
_POINT = _T["contract_point"].c
_STATE = _T["contract_state"].c
_CURSOR = _T["contract_cursor"].c
_TARIFF = _T["contract_tariff"].c
_READING = _T["told_reading"].c
_SUBMISSION = _T["submission"].c
_NOTICE = _T["notice"].c
_APPEAL = _T["appeal"].c
_MESSAGE = _T["appeal_message"].c
_BILL = _T["contract_bill"].c
_PAYMENT = _T["contract_payment"].c
_OUTBOX = _T["outbox"].c
_RULE = _T["own_rule"].c

R = TypeVar("R", bound=Row)

LEASE = timedelta(seconds=60)
MOST_UNREAD = 200
ON_THE_WAY = ("waiting", "sending")
# Kinds of work in the outbox, and the beginnings of its keys.
SUBMISSION, APPEAL, REPLY = "submission", "appeal", "appeal_reply"
NOTICE_READ = "notice_read"


class NoticeRow(NamedTuple):
    """A notice as lists show it."""

    id: int
    contract_id: int
    source: str
    kind: str
    title: str
    text: str
    from_at: datetime | None
    to_at: datetime | None
    published_at: datetime
    read_at: datetime | None
    appeal_id: int | None
    contract_point_id: int | None
    facts: Mapping[str, str]


class AppealRow(NamedTuple):
    """An appeal as lists show it."""

    id: int
    contract_id: int
    number: str
    subject: str
    state: str
    remote_state: str
    error_code: str
    due_on: date | None
    created_at: datetime
    changed_at: datetime


class ReadingRow(NamedTuple):
    """What a supplier told of a zone of a point; see ``ToldReading``."""

    contract_point_id: int
    zone: str
    taken_on: date
    value: str
    source: str
    basis: str
    ratios_applied: bool
    told_at: datetime


class PriceRow(NamedTuple):
    """A price of a zone, in millionths of a rouble; see ``ContractTariff``."""

    point: str
    zone: str
    millionths: int
    valid_from: date
    valid_to: date | None


_UNREAD = Prepared(
    select(_NOTICE.contract_id, func.count())
    .join_from(_T["notice"], _T["contract"], _CONTRACT.id == _NOTICE.contract_id)
    .where(_CONTRACT.user_id == bindparam("user"), _NOTICE.read_at.is_(None), ~hidden)
    .group_by(_NOTICE.contract_id),
    tuple,
)
_LISTED_NOTICES = (
    select(*(_NOTICE[name] for name in NoticeRow._fields))
    .join_from(_T["notice"], _T["contract"], _CONTRACT.id == _NOTICE.contract_id)
    .where(
        _NOTICE.contract_id == bindparam("contract"),
        _CONTRACT.user_id == bindparam("user"),
        ~hidden,
    )
    .order_by(_NOTICE.published_at.desc(), _NOTICE.id.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_NOTICES = Prepared(_LISTED_NOTICES, NoticeRow._make)
_UNREAD_NOTICES = Prepared(_LISTED_NOTICES.where(_NOTICE.read_at.is_(None)), NoticeRow._make)
_APPEALS = Prepared(
    select(*(_APPEAL[name] for name in AppealRow._fields))
    .join_from(_T["appeal"], _T["contract"], _CONTRACT.id == _APPEAL.contract_id)
    .where(_APPEAL.contract_id == bindparam("contract"), _CONTRACT.user_id == bindparam("user"))
    .order_by(_APPEAL.changed_at.desc(), _APPEAL.id.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("offset")),
    AppealRow._make,
)
_TOLD = (
    select(*(_READING[name] for name in ReadingRow._fields))
    .where(_READING.contract_point_id.in_(bindparam("points", expanding=True)))
    .order_by(_READING.taken_on, _READING.id)
)
_READINGS = Prepared(_TOLD, ReadingRow._make)
_BILLED = Prepared(_TOLD.where(_READING.basis != ""), ReadingRow._make)
_PRICES = Prepared(
    select(*(_TARIFF[name] for name in PriceRow._fields))
    .join_from(
        _T["contract_tariff"], _T["contract_point"], _POINT.contract_id == _TARIFF.contract_id
    )
    .where(
        _POINT.id == bindparam("point"),
        or_(_TARIFF.point == "", _TARIFF.point == _POINT.remote_id),
    )
    .order_by(_TARIFF.zone, _TARIFF.valid_from),
    PriceRow._make,
)


# -- when an account is asked ------------------------------------------------------------------


def begin_state(unit: Unit, contract_id: int, due_at: datetime) -> None:
    """Have an account asked from an instant on."""
    unit.session.add(ContractState(contract_id=contract_id, due_at=due_at))
    unit.session.flush()


def claim_due(unit: Unit, limit: int) -> list[tuple[int, str]]:
    """Take accounts that are due for a minute: contract and token."""
    now = unit.now()
    token = secrets.token_hex(16)
    due = (
        select(_STATE.contract_id)
        .where(
            _STATE.due_at <= now,
            _STATE.stopped.is_(False),
            or_(_STATE.claimed_until.is_(None), _STATE.claimed_until < now),
        )
        .order_by(_STATE.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = unit.session.execute(
        update(_T["contract_state"])
        .where(_STATE.contract_id.in_(due))
        .values(claim_token=token, claimed_until=now + LEASE)
        .returning(_STATE.contract_id)
    )
    return [(row[0], token) for row in rows]


def state(unit: Unit, contract_id: int) -> ContractState | None:
    return unit.session.get(ContractState, contract_id)


def with_supplier(unit: Unit, contract_id: int) -> tuple[Contract, Supplier] | None:
    row = unit.session.execute(
        select(Contract, Supplier)
        .join_from(Contract, Supplier, _SUPPLIER.id == _CONTRACT.supplier_id)
        .where(_CONTRACT.id == contract_id)
    ).first()
    return None if row is None else (row[0], row[1])


def owns(unit: Unit, user_id: int, contract_id: int) -> bool:
    own = select(_CONTRACT.id).where(_CONTRACT.id == contract_id, _CONTRACT.user_id == user_id)
    return unit.session.execute(own).first() is not None


def zone_of_contract(unit: Unit, contract_id: int) -> str:
    """Give the time zone of the contract's first place; '' where there is none."""
    zone = unit.session.execute(
        select(_T["metering_point"].c.time_zone)
        .join_from(
            _T["contract_point"],
            _T["metering_point"],
            _T["metering_point"].c.id == _POINT.metering_point_id,
        )
        .where(_POINT.contract_id == contract_id)
        .order_by(_POINT.id)
        .limit(1)
    ).scalar()
    return str(zone or "")


def ask_soon(unit: Unit, user_id: int, contract_id: int, now: datetime) -> bool:
    """Have an account of this user asked now, also a stopped one; False if there is none."""
    own = select(_CONTRACT.id).where(_CONTRACT.id == contract_id, _CONTRACT.user_id == user_id)
    done = unit.session.connection().execute(
        update(_T["contract_state"])
        .where(_STATE.contract_id.in_(own))
        .values(due_at=now, stopped=False, failures=0)
    )
    return done.rowcount == 1


def cursors(unit: Unit, contract_id: int) -> dict[str, Cursor]:
    rows = unit.session.scalars(select(ContractCursor).where(_CURSOR.contract_id == contract_id))
    return {row.what: Cursor(row.scheme, row.body) for row in rows}


def put_cursor(unit: Unit, contract_id: int, what: str, cursor: Cursor, now: datetime) -> None:
    row = ContractCursor(
        contract_id=contract_id, what=what, scheme=cursor.scheme, body=cursor.body, at=now
    )
    unit.session.merge(row)
    unit.session.flush()


def forget_cursor(unit: Unit, contract_id: int, what: str) -> None:
    unit.session.execute(
        delete(_T["contract_cursor"]).where(
            _CURSOR.contract_id == contract_id, _CURSOR.what == what
        )
    )


# -- points, prices, readings ------------------------------------------------------------------


def point_ids(unit: Unit, contract_id: int) -> dict[str, int]:
    """Give our ids of a contract's points by the supplier's."""
    rows = unit.session.execute(
        select(_POINT.remote_id, _POINT.id).where(_POINT.contract_id == contract_id)
    )
    return {row[0]: row[1] for row in rows}


def placed_points(unit: Unit, contract_id: int) -> dict[str, int]:
    """Give the places of a contract's smart points by the supplier's id."""
    rows = unit.session.execute(
        select(_POINT.remote_id, _POINT.metering_point_id)
        .where(
            _POINT.contract_id == contract_id,
            _POINT.metering_point_id.is_not(None),
            _POINT.smart.is_(True),
        )
        .order_by(_POINT.id)
    )
    return {row[0]: row[1] for row in rows}


def put_tariffs(unit: Unit, contract_id: int, rows: Sequence[ContractTariff]) -> None:
    """Make the contract's prices these."""
    unit.session.execute(delete(_T["contract_tariff"]).where(_TARIFF.contract_id == contract_id))
    unit.session.add_all(rows)
    unit.session.flush()


def prices_of(unit: Unit, point_id: int) -> list[PriceRow]:
    """List the prices of one of our points, and those of all points of its contract."""
    return _PRICES.all(unit, point=point_id)


def put_reading(unit: Unit, row: ToldReading) -> None:
    _put(
        unit,
        row,
        _READING.contract_point_id == row.contract_point_id,
        _READING.zone == row.zone,
        _READING.taken_on == row.taken_on,
        _READING.remote_id == row.remote_id,
    )


def readings(unit: Unit, point_ids_: Sequence[int]) -> list[ReadingRow]:
    """List what suppliers told of points, oldest first."""
    return _READINGS.all(unit, points=point_ids_)


def billed(unit: Unit, point_ids_: Sequence[int]) -> list[ReadingRow]:
    """List the readings of points that their suppliers bill by, oldest first."""
    return _BILLED.all(unit, points=point_ids_)


# -- submissions -------------------------------------------------------------------------------


def submission_of(unit: Unit, contract_id: int, *, key: str, remote_id: str) -> Submission | None:
    """Find a submission by our key, else by the supplier's id."""
    mine = select(_POINT.id).where(_POINT.contract_id == contract_id)
    named = [_SUBMISSION.key == key] if key else []
    if remote_id:
        named.append(_SUBMISSION.remote_id == remote_id)
    if not named:
        return None
    return unit.session.scalars(
        select(Submission).where(_SUBMISSION.contract_point_id.in_(mine), or_(*named))
    ).first()


def submission(unit: Unit, submission_id: int) -> tuple[Submission, ContractPoint] | None:
    row = unit.session.execute(
        select(Submission, ContractPoint)
        .join_from(Submission, ContractPoint, _POINT.id == _SUBMISSION.contract_point_id)
        .where(_SUBMISSION.id == submission_id)
    ).first()
    return None if row is None else (row[0], row[1])


def submission_keyed(unit: Unit, key: str) -> Submission | None:
    return unit.session.scalars(select(Submission).where(_SUBMISSION.key == key)).first()


def submissions(unit: Unit, point_ids_: Sequence[int]) -> Sequence[Submission]:
    """List the submissions of points, newest first."""
    return unit.session.scalars(
        select(Submission)
        .where(_SUBMISSION.contract_point_id.in_(point_ids_))
        .order_by(_SUBMISSION.id.desc())
    ).all()


# -- notices -----------------------------------------------------------------------------------


def notices(
    unit: Unit,
    user_id: int,
    contract_id: int,
    *,
    limit: int,
    offset: int = 0,
    only_unread: bool = False,
) -> list[NoticeRow]:
    """List a contract's notices that its owner wants to see, newest first."""
    wanted = _UNREAD_NOTICES if only_unread else _NOTICES
    return wanted.all(unit, contract=contract_id, user=user_id, limit=limit, offset=offset)


def notice(unit: Unit, user_id: int, notice_id: int) -> tuple[Notice, Contract] | None:
    row = unit.session.execute(
        select(Notice, Contract)
        .join_from(Notice, Contract, _CONTRACT.id == _NOTICE.contract_id)
        .where(_NOTICE.id == notice_id, _CONTRACT.user_id == user_id)
    ).first()
    return None if row is None else (row[0], row[1])


def is_noticed(unit: Unit, contract_id: int, source: str, key: str) -> bool:
    """Whether a contract has a notice of this source and key."""
    same = (
        _NOTICE.contract_id == contract_id,
        _NOTICE.source == source,
        _NOTICE.remote_id == key,
    )
    return unit.session.execute(select(_NOTICE.id).where(*same)).first() is not None


def notice_by_id(unit: Unit, notice_id: int) -> Notice | None:
    return unit.session.get(Notice, notice_id)


def unread(unit: Unit, user_id: int) -> dict[int, int]:
    """Count the unread notices of each contract of a user; contracts without any are left out."""
    return dict(_UNREAD.all(unit, user=user_id))


def unread_ids(unit: Unit, user_id: int) -> list[tuple[int, int]]:
    """List contract and id of a user's newest unread notices, newest first."""
    rows = unit.session.execute(
        select(_NOTICE.contract_id, _NOTICE.id)
        .join_from(_T["notice"], _T["contract"], _CONTRACT.id == _NOTICE.contract_id)
        .where(_CONTRACT.user_id == user_id, _NOTICE.read_at.is_(None), ~hidden)
        .order_by(_NOTICE.id.desc())
        .limit(MOST_UNREAD)
    )
    return [(row[0], row[1]) for row in rows]


def unread_of(unit: Unit, user_id: int, contract_id: int) -> Sequence[Notice]:
    return unit.session.scalars(
        select(Notice)
        .join_from(Notice, _T["contract"], _CONTRACT.id == _NOTICE.contract_id)
        .where(
            _NOTICE.contract_id == contract_id,
            _CONTRACT.user_id == user_id,
            _NOTICE.read_at.is_(None),
            ~hidden,
        )
    ).all()


# -- appeals -----------------------------------------------------------------------------------


def appeal_of(unit: Unit, contract_id: int, *, remote_id: str, key: str) -> Appeal | None:
    """Find an appeal by the supplier's id, else by our key."""
    named = and_(_APPEAL.remote_id == remote_id, _APPEAL.remote_id != "")
    if key:
        named = or_(named, _APPEAL.key == key)
    return unit.session.scalars(
        select(Appeal).where(_APPEAL.contract_id == contract_id, named)
    ).first()


def appeal_keyed(unit: Unit, key: str) -> Appeal | None:
    return unit.session.scalars(select(Appeal).where(_APPEAL.key == key)).first()


def appeal_by_id(unit: Unit, appeal_id: int) -> Appeal | None:
    return unit.session.get(Appeal, appeal_id)


def appeal(unit: Unit, user_id: int, appeal_id: int) -> tuple[Appeal, Contract] | None:
    row = unit.session.execute(
        select(Appeal, Contract)
        .join_from(Appeal, Contract, _CONTRACT.id == _APPEAL.contract_id)
        .where(_APPEAL.id == appeal_id, _CONTRACT.user_id == user_id)
    ).first()
    return None if row is None else (row[0], row[1])


def appeals(
    unit: Unit, user_id: int, contract_id: int, *, limit: int, offset: int = 0
) -> list[AppealRow]:
    """List a contract's appeals for its owner, the last changed first."""
    return _APPEALS.all(unit, contract=contract_id, user=user_id, limit=limit, offset=offset)


def answers(unit: Unit, appeal_id: int | None) -> int:
    """Count what the supplier said in an appeal."""
    asked = select(func.count()).select_from(_T["appeal_message"])
    mine = (_MESSAGE.appeal_id == appeal_id, _MESSAGE.who != "")
    return int(unit.session.execute(asked.where(*mine)).scalar_one())


def put_thread(unit: Unit, appeal_id: int, rows: Sequence[AppealMessage]) -> list[int]:
    """Make what was told of an appeal these, and give their ids; what waits for delivery stays.

    A message that is there already keeps its id, and so its files: the same words of the same
    person, whose time may be the supplier's now. Files of one that is gone stay with the appeal.
    """
    told = (_MESSAGE.appeal_id == appeal_id, _MESSAGE.key == "")
    old = list(unit.session.scalars(select(AppealMessage).where(*told).order_by(_MESSAGE.id)))
    kept: list[AppealMessage | None] = [None] * len(rows)
    for same_time in (True, False):
        for place in reversed(range(len(rows))):  # what was just sent is the last of its like
            row = rows[place]
            if kept[place] is None:
                found = [each for each in old if _same(each, row, same_time=same_time)]
                if found:
                    old.remove(found[-1])
                    found[-1].at = row.at
                    kept[place] = found[-1]
    for row in old:
        forget_message(unit, row)
    ids = []
    for row, known in zip(rows, kept, strict=True):
        if known is None:
            unit.session.add(row)
            unit.session.flush()
        ids.append((known or row).id or 0)
    unit.session.flush()
    return ids


def _same(old: AppealMessage, new: AppealMessage, *, same_time: bool) -> bool:
    return (
        old.who == new.who
        and old.body.strip() == new.body.strip()
        and (old.at == new.at or not same_time)
    )


def messages(unit: Unit, appeal_id: int) -> Sequence[AppealMessage]:
    """List what was said, oldest first; what waits comes last."""
    return unit.session.scalars(
        select(AppealMessage)
        .where(_MESSAGE.appeal_id == appeal_id)
        .order_by(_MESSAGE.key != "", _MESSAGE.at, _MESSAGE.id)
    ).all()


def forget_message(unit: Unit, row: AppealMessage) -> None:
    """Delete a message; its files stay with the appeal."""
    unit.session.flush()
    unit.session.execute(
        update(_T["attachment"])
        .where(_T["attachment"].c.message_id == row.id)
        .values(message_id=None)
    )
    unit.session.delete(row)
    unit.session.flush()


def message(unit: Unit, message_id: int) -> AppealMessage | None:
    return unit.session.get(AppealMessage, message_id)


def waiting_messages(unit: Unit, appeal_id: int) -> Sequence[AppealMessage]:
    return unit.session.scalars(
        select(AppealMessage)
        .where(_MESSAGE.appeal_id == appeal_id, _MESSAGE.key != "")
        .order_by(_MESSAGE.id)
    ).all()


# -- money -------------------------------------------------------------------------------------


def bills(unit: Unit, contract_id: int, since: date) -> Sequence[ContractBill]:
    """List bills of months from a day on, newest first."""
    return unit.session.scalars(
        select(ContractBill)
        .where(_BILL.contract_id == contract_id, _BILL.month >= since)
        .order_by(_BILL.month.desc(), _BILL.id.desc())
    ).all()


def payments(unit: Unit, contract_id: int, since: datetime) -> Sequence[ContractPayment]:
    """List payments from an instant on, newest first."""
    return unit.session.scalars(
        select(ContractPayment)
        .where(_PAYMENT.contract_id == contract_id, _PAYMENT.paid_at >= since)
        .order_by(_PAYMENT.paid_at.desc(), _PAYMENT.id.desc())
    ).all()


def put(unit: Unit, row: ContractBill | ContractPayment) -> None:
    """Keep a row, or make the one with its remote id equal to it."""
    match row:
        case ContractBill():
            of = (_BILL.contract_id == row.contract_id, _BILL.remote_id == row.remote_id)
            _put(unit, row, *of)
        case ContractPayment():
            of = (_PAYMENT.contract_id == row.contract_id, _PAYMENT.remote_id == row.remote_id)
            _put(unit, row, *of)


def put_notice(unit: Unit, row: Notice) -> tuple[Notice, bool]:
    """Keep a notice and say whether it is new; a known one keeps when it was told and read."""
    same = (
        _NOTICE.contract_id == row.contract_id,
        _NOTICE.source == row.source,
        _NOTICE.remote_id == row.remote_id,
    )
    old = unit.session.scalars(select(Notice).where(*same)).first()
    if old is None:
        return add(unit, row), True
    for name in ("kind", "title", "text", "from_at", "to_at", "published_at", "facts"):
        setattr(old, name, getattr(row, name))
    unit.session.flush()
    return old, False


def add(unit: Unit, row: R) -> R:
    unit.session.add(row)
    unit.session.flush()
    return row


def forget_points(unit: Unit, ids: Sequence[int]) -> None:
    """Let go of what was told of points that are no longer on the contract."""
    unit.session.execute(delete(_T["told_reading"]).where(_READING.contract_point_id.in_(ids)))
    unit.session.execute(delete(_T["submission"]).where(_SUBMISSION.contract_point_id.in_(ids)))
    unit.session.execute(delete(_T["own_rule"]).where(_RULE.contract_point_id.in_(ids)))
    unit.session.execute(
        update(_T["notice"])
        .where(_NOTICE.contract_point_id.in_(ids))
        .values(contract_point_id=None)
    )


# -- letting go of a contract ------------------------------------------------------------------


def on_the_way(unit: Unit, contract_id: int) -> int:
    """Count the readings, appeals and replies that have not reached the supplier yet."""
    return sum(map(len, _on_the_way(unit, contract_id).values()))


def hurry(unit: Unit, contract_id: int, now: datetime) -> None:
    """Have what waits for a contract's supplier carried now: the supplier answers again."""
    waiting = _on_the_way(unit, contract_id)
    rows = unit.session.scalars(
        select(Outbox).where(
            _OUTBOX.kind.in_(waiting), _OUTBOX.done_at.is_(None), _OUTBOX.due_at > now
        )
    )
    for row in rows:
        if row.body["id"] in waiting[row.kind]:
            row.due_at = now


def _on_the_way(unit: Unit, contract_id: int) -> dict[str, set[int]]:
    """Give the ids of what has not reached the supplier yet, by the kind of its work."""
    points = select(_POINT.id).where(_POINT.contract_id == contract_id)
    own = select(_APPEAL.id).where(_APPEAL.contract_id == contract_id)
    appeals_ = select(_APPEAL.id).where(
        _APPEAL.contract_id == contract_id, _APPEAL.state.in_(ON_THE_WAY)
    )
    waiting = {
        SUBMISSION: select(_SUBMISSION.id).where(
            _SUBMISSION.contract_point_id.in_(points), _SUBMISSION.state.in_(ON_THE_WAY)
        ),
        APPEAL: appeals_,
        REPLY: select(_MESSAGE.id).where(
            _MESSAGE.appeal_id.in_(own),
            _MESSAGE.appeal_id.not_in(appeals_),  # its first words are the appeal itself
            _MESSAGE.key != "",
            _MESSAGE.state.in_(ON_THE_WAY),
        ),
    }
    return {kind: set(unit.session.scalars(each)) for kind, each in waiting.items()}


def forget_contract(unit: Unit, contract_id: int) -> None:
    """Delete a contract and every row that hangs on it by a foreign key, also through others.

    A «read» mark, or a message, that was not carried yet goes with its notice: ids are given again.
    """
    notices_ = unit.session.scalars(
        select(_NOTICE.id).where(_NOTICE.contract_id == contract_id)
    ).all()
    outbox.forget(unit, [f"{NOTICE_READ}/{notice_id}" for notice_id in notices_])
    outbox.forget_notices(unit, notices_)
    contract = unit.session.get(Contract, contract_id)
    if contract is not None:  # ids of contracts and appeals are given again
        own = unit.session.scalars(select(_APPEAL.id).where(_APPEAL.contract_id == contract_id))
        places = [f"/contracts/{contract_id}/", *(f"/appeals/{each}/" for each in own)]
        drafts.forget_at(unit, contract.user_id, places)
    owned.delete_from(unit, "contract", contract_id)


def _put(unit: Unit, row: Row, *same: object) -> None:
    """Add a row, or make the one that is the same equal to it."""
    old = unit.session.scalars(select(type(row)).where(*same)).first()  # type: ignore[arg-type]
    if old is None:
        unit.session.add(row)
    else:
        for name, value in row.model_dump(exclude={"id"}).items():
            setattr(old, name, value)
    unit.session.flush()
