"""What a supplier tells of one account: asked in one go, kept in one transaction.

Everything is kept under the contract that asked. Pages go on from stored cursors; what is told
twice changes nothing.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from hub.domain.contracts import joined
from hub.domain.files import UNKNOWN, clean_name
from hub.domain.money import millionths_of
from hub.domain.notices import Source
from hub.errors import AnswerChanged, CursorLost, Missing
from hub.plugins.api import (
    Account,
    Appeal,
    Balance,
    Bill,
    BillLine,
    Contract,
    Cursor,
    Desk,
    Does,
    HasBalance,
    HasBills,
    HasCard,
    HasContract,
    HasNotices,
    HasPayments,
    HasPoints,
    HasReadings,
    HasTariffs,
    Money,
    Notice,
    NoticeKind,
    Page,
    Payment,
    Point,
    SubmissionNews,
    SubmissionState,
    SupplierCard,
    SupplierConnector,
    SupplierReading,
    TakesAppeals,
    Tariff,
    TellsSubmissions,
)
from hub.services.cards import card_dict, transformer_dict
from hub.services.half_hours import place_of
from hub.services.publishing import News, publish
from hub.store import contracts as stored
from hub.store import drafts, places, tables
from hub.store import told as kept
from hub.store.unit import Unit

KOPECKS = Decimal(100)
LONGEST_TEXT = 500
LONGEST_BODY = 10_000
MOST_PAGES = 100
DECIDED = frozenset({"accepted", "refused"})

T = TypeVar("T")
Fetch = Callable[[Desk, Cursor | None], Awaitable[Page[T]]]


@dataclass(slots=True)
class Told:
    """What a supplier told of one account; None: it has no such thing."""

    account: Account
    does: frozenset[Does]
    card: SupplierCard | None = None
    contract: Contract | None = None
    balance: Balance | None = None
    points: list[Point] | None = None
    tariffs: list[Tariff] | None = None
    readings: list[SupplierReading] = field(default_factory=list)
    submissions: list[SubmissionNews] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    appeals: list[Appeal] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    cursors: dict[Does, Cursor] = field(default_factory=dict)


async def tell(
    connector: SupplierConnector, desk: Desk, cursors: Mapping[str, Cursor], prices_on: date
) -> Told:
    """Sign in and ask for everything that the connector says it does for this account."""
    account = await connector.sign_in(desk)
    told = Told(account, connector.does(account))
    await _tell_facts(connector, desk, told, prices_on)
    await _tell_pages(connector, desk, told, cursors)
    return told


async def _tell_facts(
    connector: SupplierConnector, desk: Desk, told: Told, prices_on: date
) -> None:
    does = told.does
    if isinstance(connector, HasCard) and Does.CARD in does:
        told.card = await _or_none(connector.card(desk))
    if isinstance(connector, HasContract) and Does.CONTRACT in does:
        told.contract = await _or_none(connector.contract(desk))
    if isinstance(connector, HasBalance) and Does.BALANCE in does:
        told.balance = await _or_none(connector.balance(desk))
    if isinstance(connector, HasPoints) and Does.POINTS in does:
        told.points = _list(await _or_none(connector.points(desk)))
    if isinstance(connector, HasTariffs) and Does.TARIFFS in does:
        told.tariffs = _list(await _or_none(connector.tariffs(desk, prices_on)))


async def _tell_pages(
    connector: SupplierConnector, desk: Desk, told: Told, cursors: Mapping[str, Cursor]
) -> None:
    async def pages(what: Does, fetch: Fetch[T]) -> list[T]:
        if what not in told.does:
            return []
        items, told.cursors[what] = await _pages(fetch, desk, cursors.get(what))
        return items

    if isinstance(connector, HasReadings):
        told.readings = await pages(Does.READINGS, connector.readings)
    if isinstance(connector, TellsSubmissions):
        told.submissions = await pages(Does.SUBMISSIONS, connector.submissions)
    if isinstance(connector, HasNotices):
        told.notices = await pages(Does.NOTICES, connector.notices)
    if isinstance(connector, TakesAppeals):
        told.appeals = await pages(Does.APPEALS, connector.appeals)
    if isinstance(connector, HasBills):
        told.bills = await pages(Does.BILLS, connector.bills)
    if isinstance(connector, HasPayments):
        told.payments = await pages(Does.PAYMENTS, connector.payments)


async def _or_none(answer: Awaitable[T]) -> T | None:
    """Give the answer; None where the supplier has no such thing for this account."""
    try:
        return await answer
    except Missing:
        return None


def _list(answer: Iterable[T] | None) -> list[T] | None:
    return None if answer is None else list(answer)


async def _pages(fetch: Fetch[T], desk: Desk, since: Cursor | None) -> tuple[list[T], Cursor]:
    """Read on from a cursor to the end; from the beginning where the cursor is lost."""
    try:
        page = await fetch(desk, since)
    except CursorLost:
        page = await fetch(desk, None)
    items = list(page.items)
    for _ in range(MOST_PAGES):
        if not page.more:
            return items, page.next
        page = await fetch(desk, page.next)
        items += page.items
    raise AnswerChanged(f"The supplier's pages do not end after {MOST_PAGES}; nothing was kept.")


# -- keeping -----------------------------------------------------------------------------------


def keep(unit: Unit, contract: tables.Contract, told: Told, now: datetime) -> None:
    """Keep all that was told. Raises AnswerChanged for what can't be true; then nothing is kept."""
    if told.account.remote_id != contract.remote_id:
        raise AnswerChanged("The supplier answered for another account; nothing was kept.")
    contract_id = contract.id or 0
    _keep_contract(unit, contract, told, now)
    if told.points is not None:
        _keep_points(unit, contract, told.points, now)
    if told.tariffs is not None:
        kept.put_tariffs(unit, contract_id, [_tariff(contract_id, each) for each in told.tariffs])
    ids = kept.point_ids(unit, contract_id)
    for reading in told.readings:
        if reading.point_id in ids:
            kept.put_reading(unit, _reading(ids[reading.point_id], reading, now))
    _keep_happenings(unit, contract_id, told, now)
    rows: list[tables.ContractBill | tables.ContractPayment] = [
        *(_bill(contract_id, each, now) for each in told.bills),
        *(_payment(contract_id, each, now) for each in told.payments),
    ]
    for row in rows:
        kept.put(unit, row)
    for what, cursor in told.cursors.items():
        kept.put_cursor(unit, contract_id, what.value, cursor, now)


def _keep_happenings(unit: Unit, contract_id: int, told: Told, now: datetime) -> None:
    for news in told.submissions:
        _keep_news(unit, contract_id, news, now)
    for appeal in told.appeals:
        keep_appeal(unit, contract_id, appeal, now)
    for notice in told.notices:
        publish(unit, _news(contract_id, notice), now)


def _keep_contract(unit: Unit, contract: tables.Contract, told: Told, now: datetime) -> None:
    contract.does = sorted(does.value for does in told.does)
    if told.contract is not None:
        contract.number = text(told.contract.number)
        contract.holder = text(told.contract.holder)
        contract.address = text(told.contract.address)
    if told.balance is not None:
        contract.balance_kopecks = kopecks(told.balance.money)
        contract.balance_at = told.balance.as_of
    contract.refreshed_at, contract.refresh_error = now, ""
    unit.session.flush()
    if told.card is not None:
        stored.set_card(unit, contract.supplier_id, card_dict(told.card))


def _keep_points(unit: Unit, contract: tables.Contract, points: list[Point], now: datetime) -> None:
    contract_id = contract.id or 0
    known = kept.point_ids(unit, contract_id)
    if known and not points:
        raise AnswerChanged("The supplier tells of no point any more; what is known was kept.")
    numbers = [point.number.strip() for point in points if point.number.strip()]
    known_places = stored.places(unit, contract.supplier_id, numbers, now)
    before = kept.placed_points(unit, contract_id)

    def place(point: Point) -> int | None:
        found = joined(point.number, point.meter_serial, known_places)
        if Does.PROFILE.value not in contract.does:
            return found
        return place_of(unit, contract, point, found, before.get(point.id))

    rows = [
        tables.ContractPoint(
            contract_id=contract_id,
            metering_point_id=place(point),
            remote_id=point.id,
            name=text(point.name or point.number or point.meter_serial),
            number=text(point.number),
            meter_serial=text(point.meter_serial),
            resource=point.resource.value,
            unit=text(point.unit),
            smart=point.smart,
            place=text(point.place),
            tariff_zones=[text(zone) for zone in point.tariff_zones],
            whole_digits=point.whole_digits,
            decimal_digits=point.decimal_digits,
            facts={fact.value: text(value) for fact, value in (point.facts or {}).items()},
            submit_from_day=point.submit_from_day,
            submit_to_day=point.submit_to_day,
            transformers=[transformer_dict(card) for card in point.transformers],
            told_at=now,
        )
        for point in points
    ]
    if len({row.remote_id for row in rows}) != len(rows):
        raise AnswerChanged("The supplier told two points with one id; nothing was kept.")
    gone = set(known) - {row.remote_id for row in rows}
    kept.forget_points(unit, [known[remote_id] for remote_id in gone])
    left = set(before.values()) - {row.metering_point_id for row in rows}
    stored.put_points(unit, contract_id, rows)
    for place_id in left:
        places.forget_own(unit, place_id)


def _keep_news(unit: Unit, contract_id: int, news: SubmissionNews, now: datetime) -> None:
    row = kept.submission_of(unit, contract_id, key=news.key, remote_id=news.remote_id)
    if row is None:
        return  # sent some other way; the reading itself is told if it was accepted
    row.remote_id = news.remote_id
    before = row.state
    settle(row, news.state, news.changed_at, news.reason)
    unit.session.flush()
    if row.state != before:
        announce(unit, row, now)


def announce(unit: Unit, row: tables.Submission, now: datetime) -> None:
    """Make a notification of readings that the supplier has decided on."""
    found = kept.submission(unit, row.id or 0)
    if row.state not in DECIDED or found is None:
        return
    news = News(
        contract_id=found[1].contract_id,
        point_id=row.contract_point_id,
        source=Source.READING,
        key=f"{row.id}/{row.state}",
        kind=row.state,
        title=found[1].name,
        text=row.reason,
        facts=row.values,
        published_at=row.changed_at,
    )
    publish(unit, news, now)


def settle(row: tables.Submission, state: SubmissionState, at: datetime, reason: str = "") -> None:
    """Note what the supplier made of a submission; what it decided is not undone by 'queued'."""
    states = {
        SubmissionState.ACCEPTED: "accepted",
        SubmissionState.ALREADY_THERE: "accepted",
        SubmissionState.REFUSED: "refused",
    }
    if state is SubmissionState.QUEUED and row.state in states.values():
        return
    row.state, row.reason, row.error_code = states.get(state, "sent"), text(reason), ""
    row.changed_at = at


def keep_appeal(
    unit: Unit, contract_id: int, appeal: Appeal, now: datetime, *, quiet: bool = False
) -> tables.Appeal:
    """Keep an appeal with its thread; news of one that we knew makes a notification.

    ``quiet``: what the consumer just did themselves is no news to them.
    """
    row = kept.appeal_of(unit, contract_id, remote_id=appeal.remote_id, key=appeal.key)
    known = row is not None and row.remote_id != ""
    begun = appeal.thread[0][0] if appeal.thread else appeal.changed_at
    if row is None:
        row = tables.Appeal(
            contract_id=contract_id,
            key=f"told/{contract_id}/{appeal.remote_id}",
            subject=text(appeal.subject),
            state=appeal.state.value,
            created_at=begun,
            changed_at=appeal.changed_at,
        )
    before = (row.state, kept.answers(unit, row.id) if row.id else 0)
    row.remote_id = appeal.remote_id
    row.number = text(appeal.number)
    row.subject = text(appeal.subject) or row.subject
    row.state, row.remote_state = appeal.state.value, text(appeal.remote_state)
    row.due_on, row.changed_at, row.error_code = appeal.due_on, appeal.changed_at, ""
    unit.session.add(row)
    unit.session.flush()
    _forget_delivered(unit, row, appeal)
    ids = kept.put_thread(
        unit,
        row.id or 0,
        [
            tables.AppealMessage(
                appeal_id=row.id or 0, at=at, who=text(who), body=words[:LONGEST_BODY]
            )
            for at, who, words in appeal.thread
        ],
    )
    _keep_files(unit, row.id or 0, appeal, ids, now)
    answers = [each for each in appeal.thread if each[1]]
    if known and not quiet and (row.state, len(answers)) != before:
        new = len(answers) > before[1]
        news = News(
            contract_id=contract_id,
            appeal_id=row.id,
            source=Source.APPEAL,
            key=f"{row.id}/{row.state}/{len(answers)}",
            kind=row.state,
            title=row.subject,
            text=answers[-1][2][:LONGEST_BODY] if new else "",
            published_at=appeal.changed_at,
        )
        publish(unit, news, now)
    return row


def _keep_files(
    unit: Unit, appeal_id: int, told: Appeal, message_ids: list[int], now: datetime
) -> None:
    """Note the files that the supplier tells of; the consumer's own are here already.

    What the supplier calls a file of ours is told by its place among those of the message.
    """
    rows = list(drafts.files_of_appeal(unit, appeal_id))
    known = {row.remote_id: row for row in rows if row.remote_id}
    for file in told.files:
        if not 0 <= file.message < len(message_ids) or not file.remote_id:
            raise AnswerChanged("The supplier tells of a file of no message; nothing was kept.")
        message_id = message_ids[file.message]
        row = known.get(file.remote_id)
        if row is None and not told.thread[file.message][1]:
            ours = [each for each in rows if each.message_id == message_id and not each.remote_id]
            row = ours[0] if ours else None
        if row is None:
            row = tables.Attachment(
                appeal_id=appeal_id, name=clean_name(text(file.name), UNKNOWN),
                media_type=UNKNOWN, size=0, at=now,
            )  # fmt: skip
            unit.session.add(row)
        row.remote_id, row.message_id = file.remote_id, message_id
        unit.session.flush()


def _forget_delivered(unit: Unit, row: tables.Appeal, told: Appeal) -> None:
    """Take what is in the supplier's thread, though its answer was lost, for delivered."""
    said = {words.strip() for _, who, words in told.thread if not who}
    for message in kept.waiting_messages(unit, row.id or 0):
        first = told.key == row.key == message.key
        lost = message.state in {"sending", "uncertain"} and message.body.strip() in said
        if first or lost:
            message.key, message.state, message.error_code = "", "", ""
    unit.session.flush()


def _reading(point: int, told: SupplierReading, now: datetime) -> tables.ToldReading:
    return tables.ToldReading(
        contract_point_id=point,
        zone=text(told.zone),
        taken_on=told.taken_on,
        value=f"{told.value:f}",
        source=text(told.source),
        basis=told.calculated.value if told.calculated else "",
        ratios_applied=told.ratios_applied,
        remote_id=told.remote_id,
        told_at=now,
    )


def _news(contract_id: int, told: Notice) -> News:
    return News(
        contract_id=contract_id,
        source=Source.SUPPLIER,
        key=told.remote_id,
        kind=told.kind.value,
        title=text(told.title),
        text=told.text[:LONGEST_BODY],
        from_at=told.from_at,
        to_at=told.to_at,
        published_at=told.published_at,
        urgent=told.kind is NoticeKind.OUTAGE,
    )


def _tariff(contract_id: int, told: Tariff) -> tables.ContractTariff:
    price = millionths_of(told.price.amount)
    if price is None or told.price.currency != "RUB":
        raise AnswerChanged("A price of the supplier is not in millionths of a rouble.")
    return tables.ContractTariff(
        contract_id=contract_id,
        point=told.point_id,
        name=text(told.name),
        zone=text(told.zone),
        millionths=price,
        valid_from=told.valid_from,
        valid_to=told.valid_to,
    )


def _bill(contract_id: int, told: Bill, now: datetime) -> tables.ContractBill:
    amount = kopecks(told.amount)
    if told.lines and sum(kopecks(line.amount) for line in told.lines) != amount:
        raise AnswerChanged("A bill's lines do not add up to its amount; nothing was kept.")
    return tables.ContractBill(
        contract_id=contract_id,
        remote_id=told.remote_id,
        month=told.month,
        kopecks=amount,
        has_file=told.has_file,
        lines=[_line(line) for line in told.lines],
        told_at=now,
    )


def _line(line: BillLine) -> dict[str, Any]:
    return {
        "text": text(line.text),
        "kopecks": kopecks(line.amount),
        "point": line.point_id,
        "zone": text(line.zone),
        "quantity": _plain(line.quantity),
        "unit": text(line.unit),
        "price": _plain(line.price.amount if line.price else None),
        "before": _plain(line.before),
        "after": _plain(line.after),
        "ratio": line.ratio,
        "basis": line.basis.value if line.basis else "",
    }


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _payment(contract_id: int, told: Payment, now: datetime) -> tables.ContractPayment:
    return tables.ContractPayment(
        contract_id=contract_id,
        remote_id=told.remote_id,
        paid_at=told.paid_at,
        kopecks=kopecks(told.amount),
        state=text(told.state),
        told_at=now,
    )


def kopecks(money: Money) -> int:
    """Give whole kopecks; AnswerChanged for anything else."""
    amount = money.amount * KOPECKS
    if money.currency != "RUB" or amount != amount.to_integral_value():
        raise AnswerChanged("The supplier's sum is not in whole kopecks; nothing was kept.")
    return int(amount)


def text(words: str) -> str:
    """Suppliers' words are plain text of a bounded length."""
    return words[:LONGEST_TEXT]
