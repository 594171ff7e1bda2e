"""The in-house books as ``desk.books``: what the ``house`` connectors ask them.

What a utility without a billing system of its own keeps in the hub; ``services.bookkeeping`` is
how its people work on it. What the books say to consumers is in the connector's language.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from anyio import to_thread

from hub.domain.files import clean_name, kind_of
from hub.domain.submitting import Before, Face, Window, Wrong, judge
from hub.errors import (
    CredentialsRejected,
    CursorLost,
    Missing,
    SubmissionRejected,
)
from hub.plugins.api import (
    Account,
    Appeal,
    AppealDraft,
    AppealState,
    Attachment,
    Balance,
    Basis,
    Bill,
    BillLine,
    Contract,
    Cursor,
    Money,
    Notice,
    NoticeKind,
    Page,
    Payment,
    Point,
    PointFact,
    Receipt,
    Resource,
    Submission,
    SubmissionNews,
    SubmissionState,
    SupplierCard,
    SupplierReading,
    Tariff,
    ThreadFile,
)
from hub.services.cards import LONGEST_TEXT, card_of, transformer_of
from hub.services.clock import utc_now
from hub.services.passwords import Passwords
from hub.store import books as stored
from hub.store import contracts as suppliers
from hub.store.books import Since
from hub.store.tables import (
    HouseAppeal,
    HouseBill,
    HouseBillLine,
    HouseContract,
    HouseFile,
    HouseMessage,
    HouseNotice,
    HousePoint,
    HouseReading,
    HouseSubmission,
    Row,
)
from hub.store.unit import Store, Unit

KOPECK = Decimal("0.01")
MILLIONTH = Decimal("0.000001")
THOUSANDTH = Decimal("0.001")
LONGEST_BODY = 10_000
CURSOR = "house/1"
A_PAGE = 200
# Rows of a transaction that ended late may bear an earlier time; whoever asks again gets them.
OVERLAP = timedelta(minutes=1)
STATES = {
    "sent": SubmissionState.QUEUED,
    "accepted": SubmissionState.ACCEPTED,
    "refused": SubmissionState.REFUSED,
}
APPEAL_WORDS = {
    "ru": {
        AppealState.SENT: "Получено",
        AppealState.IN_WORK: "В работе",
        AppealState.ANSWERED: "Дан ответ",
        AppealState.CLOSED: "Закрыто",
        AppealState.REFUSED: "Отклонено",
    },
    "en": {
        AppealState.SENT: "Received",
        AppealState.IN_WORK: "In work",
        AppealState.ANSWERED: "Answered",
        AppealState.CLOSED: "Closed",
        AppealState.REFUSED: "Refused",
    },
}
REASONS = {
    "ru": {
        "future": "Дата показаний еще не наступила.",
        "window": "Показания принимаются с {first:%d.%m} по {last:%d.%m}.",
        "zones": "Нужны показания по всем зонам: {zones}.",
        Wrong.NOT_A_NUMBER: "Показание «{value}» – не число.",
        Wrong.TOO_LONG: "В показании {value} больше цифр, чем на счетчике.",
        Wrong.TOO_FINE: "В показании {value} больше знаков после запятой, чем на счетчике.",
        Wrong.LOWER: "Показание {value} меньше предыдущего ({before} от {on:%d.%m.%Y}).",
    },
    "en": {
        "future": "The day of the readings has not come yet.",
        "window": "Readings are taken from {first:%d.%m} to {last:%d.%m}.",
        "zones": "Readings of all zones are needed: {zones}.",
        Wrong.NOT_A_NUMBER: "The reading «{value}» is not a number.",
        Wrong.TOO_LONG: "The reading {value} has more digits than the meter.",
        Wrong.TOO_FINE: "The reading {value} has more decimals than the meter.",
        Wrong.LOWER: "The reading {value} is below the previous one, {before} of {on:%d.%m.%Y}.",
    },
}

R = TypeVar("R", bound=Row)
Told = TypeVar("Told")


# Rows that changed after a cursor, oldest first, at most so many.
Fetch = Callable[[Unit, Since | None, int], Sequence[R]]


class HouseBooks:
    """The books of one supplier."""

    def __init__(
        self,
        store: Store,
        supplier_id: int,
        passwords: Passwords,
        clock: Callable[[], datetime] = utc_now,
        language: str = "ru",
    ) -> None:
        self.store = store
        self.supplier_id = supplier_id
        self.passwords = passwords
        self.clock = clock
        self.language = language if language in REASONS else "en"

    # -- who

    async def sign_in(self, login: str, password: str) -> Account:
        """Prove login and password; which of them is wrong is not said, nor seen in the time."""
        row = await to_thread.run_sync(self._by_login, login)
        known = None if row is None or not row.password_hash else row.password_hash
        right = await to_thread.run_sync(self.passwords.verify, known, password)
        if row is None or not right:
            raise CredentialsRejected
        return Account(str(row.id), row.number)

    async def by_number(self, number: str) -> Account:
        """Find the contract; the hub has checked the code that belongs to the number."""
        return await to_thread.run_sync(self._by_number, number)

    def _by_login(self, login: str) -> HouseContract | None:
        with self.store.read() as unit:
            return stored.by_login(unit, self.supplier_id, login.strip())

    def _by_number(self, number: str) -> Account:
        with self.store.read() as unit:
            row = stored.by_number(unit, self.supplier_id, number.strip())
        if row is None:
            raise CredentialsRejected
        return Account(str(row.id), row.number)

    def _own(self, unit: Unit, account: Account) -> HouseContract:
        row = stored.by_id(unit, self.supplier_id, _id(account.remote_id))
        if row is None:
            raise Missing("The books no longer have this contract; ask the supplier.")
        return row

    # -- the contract

    async def card(self) -> SupplierCard:
        return await to_thread.run_sync(self._card)

    async def contract(self, account: Account) -> Contract:
        return await to_thread.run_sync(self._contract, account)

    async def balance(self, account: Account) -> Balance:
        """Add up the books: what was brought in, less bills, plus payments; Missing if nothing."""
        return await to_thread.run_sync(self._balance, account)

    async def points(self, account: Account) -> list[Point]:
        return await to_thread.run_sync(self._points, account)

    async def tariffs(self, account: Account, on: date) -> list[Tariff]:
        """List the prices of the contract's points that hold on a day or later."""
        return await to_thread.run_sync(self._tariffs, account, on)

    def _card(self) -> SupplierCard:
        with self.store.read() as unit:
            row = suppliers.supplier(unit, self.supplier_id)
        if row is None:
            raise Missing
        return card_of(row.title, row.card)

    def _contract(self, account: Account) -> Contract:
        with self.store.read() as unit:
            row = self._own(unit, account)
        return Contract(number=row.number, holder=row.holder, address=row.address, since=row.since)

    def _balance(self, account: Account) -> Balance:
        with self.store.read() as unit:
            found = balance_in(unit, self._own(unit, account))
        if found is None:
            raise Missing("The books have no balance of this contract yet.")
        return Balance(Money(found[0] * KOPECK), found[1])

    def _points(self, account: Account) -> list[Point]:
        with self.store.read() as unit:
            house = self._own(unit, account)
            return [point_of(row) for row in stored.points(unit, house.id or 0)]

    def _tariffs(self, account: Account, on: date) -> list[Tariff]:
        with self.store.read() as unit:
            rows = stored.prices_of_points(unit, self._own(unit, account).id or 0, on)
        return [
            Tariff(
                point_id=str(point_id),
                name=name,
                zone=price.zone,
                price=Money(price.millionths * MILLIONTH),
                valid_from=price.valid_from,
                valid_to=price.valid_to,
            )
            for point_id, name, price in rows
        ]

    # -- readings

    async def readings(self, account: Account, since: Cursor | None) -> Page[SupplierReading]:
        def fetch(unit: Unit, after: Since | None, limit: int) -> Sequence[HouseReading]:
            return stored.readings_since(unit, self._own(unit, account).id or 0, after, limit)

        return await self._page(fetch, "changed_at", lambda _, rows: [*map(_reading, rows)], since)

    async def submit(self, account: Account, submission: Submission) -> Receipt:
        """Take readings in, to be decided by a person; SubmissionRejected with the reason."""
        return await to_thread.run_sync(self._submit, account, submission)

    async def submissions(self, account: Account, since: Cursor | None) -> Page[SubmissionNews]:
        def fetch(unit: Unit, after: Since | None, limit: int) -> Sequence[HouseSubmission]:
            return stored.submissions_since(unit, self._own(unit, account).id or 0, after, limit)

        return await self._page(fetch, "changed_at", lambda _, rows: [*map(_news, rows)], since)

    def _submit(self, account: Account, submission: Submission) -> Receipt:
        now = self.clock()
        with self.store.write() as unit:
            house = self._own(unit, account)
            known = stored.submission_of(unit, house.id or 0, submission.key)
            if known is not None:
                if known.state == "refused":
                    raise SubmissionRejected(known.reason)
                already = known.state == "accepted"
                state = SubmissionState.ALREADY_THERE if already else SubmissionState.QUEUED
                return Receipt(state, str(known.id))
            point = stored.point(unit, house.id or 0, _id(submission.point_id))
            if point is None:
                raise Missing("The contract has no such metering point.")
            self._check(unit, point, submission, now)
            row = stored.add(
                unit,
                HouseSubmission(
                    house_contract_id=house.id or 0,
                    house_point_id=point.id or 0,
                    key=submission.key,
                    taken_on=submission.taken_on,
                    values={zone: f"{value:f}" for zone, value in submission.values.items()},
                    sent_at=now,
                    changed_at=now,
                ),
            )
            return Receipt(SubmissionState.QUEUED, str(row.id))

    def _check(self, unit: Unit, point: HousePoint, submission: Submission, now: datetime) -> None:
        """Raise SubmissionRejected for what no person has to look at."""
        day = submission.taken_on
        # East of Greenwich the day may have come already.
        if day > (now + timedelta(hours=14)).date():
            self._reject("future")
        window = Window(point.submit_from_day, point.submit_to_day)
        span = window.span(day)
        if span is not None and not window.is_open(day):
            self._reject("window", first=span[0], last=span[1])
        if set(submission.values) != set(point.tariff_zones or [""]):
            self._reject("zones", zones=", ".join(point.tariff_zones) or "1")
        face = Face(point.whole_digits, point.decimal_digits)
        known = stored.readings(unit, point.id or 0)
        for zone, value in submission.values.items():
            read = face.read(f"{value:f}")
            if isinstance(read, Wrong):
                self._reject(read, value=value)
            before = before_of(known, zone, day)
            judged = judge(before, value, day, face, point.resource)
            if judged.wrong is not None and before is not None:
                self._reject(judged.wrong, value=value, before=before.value, on=before.taken_on)

    def _reject(self, reason: str, **words: Any) -> None:
        raise SubmissionRejected(REASONS[self.language][reason].format(**words))

    # -- money

    async def payments(self, account: Account, since: Cursor | None) -> Page[Payment]:
        def fetch(unit: Unit, after: Since | None, limit: int) -> Sequence[Any]:
            return stored.payments_since(unit, self._own(unit, account).id or 0, after, limit)

        def told(_: Unit, rows: Sequence[Any]) -> list[Payment]:
            return [
                Payment(
                    remote_id=str(row.id),
                    paid_at=row.paid_at,
                    amount=Money(row.kopecks * KOPECK),
                    state="received",
                )
                for row in rows
            ]

        return await self._page(fetch, "booked_at", told, since)

    async def bills(self, account: Account, since: Cursor | None) -> Page[Bill]:
        def fetch(unit: Unit, after: Since | None, limit: int) -> Sequence[HouseBill]:
            return stored.bills_since(unit, self._own(unit, account).id or 0, after, limit)

        return await self._page(fetch, "booked_at", bills_of, since)

    # -- notices

    async def notices(self, account: Account, since: Cursor | None) -> Page[Notice]:
        def fetch(unit: Unit, after: Since | None, limit: int) -> Sequence[HouseNotice]:
            house = self._own(unit, account)
            return stored.notices_since(unit, self.supplier_id, house.id or 0, after, limit)

        return await self._page(fetch, "published_at", lambda _, rows: [*map(_notice, rows)], since)

    async def notice_read(self, account: Account, remote_id: str) -> None:
        await to_thread.run_sync(self._notice_read, account, remote_id)

    def _notice_read(self, account: Account, remote_id: str) -> None:
        with self.store.write() as unit:
            house = self._own(unit, account).id or 0
            row = stored.notice(unit, self.supplier_id, house, _id(remote_id))
            if row is None:
                raise Missing("The contract has no such notification.")
            stored.notice_read(unit, row.id or 0, house, self.clock())

    # -- appeals

    async def create_appeal(self, account: Account, draft: AppealDraft) -> Appeal:
        return await to_thread.run_sync(self._create_appeal, account, draft)

    async def reply(self, account: Account, remote_id: str, draft: AppealDraft) -> Appeal:
        """Add to an appeal; one that was answered or closed is in work again."""
        return await to_thread.run_sync(self._reply, account, remote_id, draft)

    async def appeals(self, account: Account, since: Cursor | None) -> Page[Appeal]:
        def fetch(unit: Unit, after: Since | None, limit: int) -> Sequence[HouseAppeal]:
            return stored.appeals_since(unit, self._own(unit, account).id or 0, after, limit)

        return await self._page(fetch, "changed_at", self._appeals, since)

    async def appeal(self, account: Account, remote_id: str) -> Appeal:
        return await to_thread.run_sync(self._appeal, account, remote_id)

    async def appeal_file(self, account: Account, remote_id: str, file_id: str) -> Attachment:
        return await to_thread.run_sync(self._appeal_file, account, remote_id, file_id)

    def _create_appeal(self, account: Account, draft: AppealDraft) -> Appeal:
        now = self.clock()
        with self.store.write() as unit:
            house = self._own(unit, account)
            row = stored.appeal_of(unit, house.id or 0, draft.key)
            if row is None:
                row = stored.add(
                    unit,
                    HouseAppeal(
                        supplier_id=self.supplier_id,
                        house_contract_id=house.id or 0,
                        number=stored.next_number(unit, self.supplier_id),
                        key=draft.key,
                        subject=draft.subject[:LONGEST_TEXT],
                        email=draft.email[:LONGEST_TEXT],
                        phone=draft.phone[:LONGEST_TEXT],
                        state=AppealState.IN_WORK.value,
                        created_at=now,
                        changed_at=now,
                    ),
                )
                _say(unit, row, draft, now)
            return self._appeals(unit, [row])[0]

    def _reply(self, account: Account, remote_id: str, draft: AppealDraft) -> Appeal:
        now = self.clock()
        with self.store.write() as unit:
            row = self._own_appeal(unit, account, remote_id)
            if stored.message_of(unit, row.id or 0, draft.key) is None:
                _say(unit, row, draft, now)
                row.state = AppealState.IN_WORK.value
                row.changed_at = now
                unit.session.flush()
            return self._appeals(unit, [row])[0]

    def _appeal(self, account: Account, remote_id: str) -> Appeal:
        with self.store.read() as unit:
            return self._appeals(unit, [self._own_appeal(unit, account, remote_id)])[0]

    def _own_appeal(self, unit: Unit, account: Account, remote_id: str) -> HouseAppeal:
        house = self._own(unit, account)
        row = stored.appeal(unit, house.id or 0, _id(remote_id))
        if row is None:
            raise Missing("The contract has no such appeal.")
        return row

    def _appeals(self, unit: Unit, rows: Sequence[HouseAppeal]) -> list[Appeal]:
        said = stored.messages(unit, [row.id or 0 for row in rows])
        files = stored.files(unit, [each.id or 0 for row in said.values() for each in row])
        return [
            Appeal(
                remote_id=str(row.id),
                key=row.key,
                number=str(row.number),
                subject=row.subject,
                state=AppealState(row.state),
                remote_state=APPEAL_WORDS[self.language].get(AppealState(row.state), row.state),
                changed_at=row.changed_at,
                due_on=row.due_on,
                thread=tuple((each.at, each.who, each.body) for each in said[row.id or 0]),
                files=tuple(
                    ThreadFile(remote_id=str(file.id), message=place, name=file.name)
                    for place, each in enumerate(said[row.id or 0])
                    for file in files
                    if file.message_id == each.id
                ),
            )
            for row in rows
        ]

    def _appeal_file(self, account: Account, remote_id: str, file_id: str) -> Attachment:
        with self.store.read() as unit:
            appeal = self._own_appeal(unit, account, remote_id)
            row = stored.file(unit, appeal.id or 0, _id(file_id))
        if row is None:
            raise Missing("The appeal has no such file.")
        return Attachment(name=row.name, media_type=row.media_type, content=row.content)

    # -- pages

    async def _page(
        self,
        fetch: Fetch[R],
        at: str,
        told: Callable[[Unit, Sequence[R]], Sequence[Told]],
        since: Cursor | None,
    ) -> Page[Told]:
        def read() -> Page[Told]:
            after = _since(since)
            with self.store.read() as unit:
                rows = fetch(unit, after, A_PAGE)
                items = tuple(told(unit, rows))
            more = len(rows) == A_PAGE
            if rows:
                last: Any = rows[-1]
                after = (getattr(last, at) - (timedelta(0) if more else OVERLAP), last.id)
            return Page(items=items, next=_cursor(after), more=more)

        return await to_thread.run_sync(read)


# -- what rows say -----------------------------------------------------------------------------


def balance_in(unit: Unit, house: HouseContract) -> tuple[int, datetime] | None:
    """Give a contract's balance in kopecks (positive: in credit) and as of when."""
    booked = stored.booked_after(unit, house.id or 0, house.balance_at)
    times = [at for at in (house.balance_at, booked.last_at) if at is not None]
    return (house.balance_kopecks + booked.kopecks, max(times)) if times else None


def before_of(known: Sequence[HouseReading], zone: str, day: date) -> Before | None:
    """Find the reading that was billed last before a day."""
    found = [row for row in known if row.zone == zone and row.taken_on <= day]
    return Before(found[-1].thousandths * THOUSANDTH, found[-1].taken_on) if found else None


def bills_of(unit: Unit, rows: Sequence[HouseBill]) -> list[Bill]:
    """Give bills with their lines."""
    lines = stored.lines(unit, [row.id or 0 for row in rows])
    return [
        Bill(
            remote_id=str(row.id),
            month=row.month,
            amount=Money(sum(each.kopecks for each in lines[row.id or 0]) * KOPECK),
            lines=tuple(_line(each) for each in lines[row.id or 0]),
        )
        for row in rows
    ]


def point_of(row: HousePoint) -> Point:
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
        submit_from_day=row.submit_from_day,
        submit_to_day=row.submit_to_day,
        facts={PointFact(name): value for name, value in row.facts.items()},
        transformers=tuple(transformer_of(card) for card in row.transformers),
    )


def _reading(row: HouseReading) -> SupplierReading:
    source = {"consumer": "ours", "estimated": "estimated"}.get(row.source, "theirs")
    return SupplierReading(
        point_id=str(row.house_point_id),
        zone=row.zone,
        taken_on=row.taken_on,
        value=row.thousandths * THOUSANDTH,
        source=source,
        calculated=Basis(row.basis),
        remote_id=str(row.id),
    )


def _news(row: HouseSubmission) -> SubmissionNews:
    return SubmissionNews(
        remote_id=str(row.id),
        key=row.key,
        state=STATES[row.state],
        changed_at=row.changed_at,
        reason=row.reason,
    )


def _notice(row: HouseNotice) -> Notice:
    return Notice(
        remote_id=str(row.id),
        kind=NoticeKind(row.kind),
        published_at=row.published_at,
        title=row.title,
        text=row.words,
        from_at=row.from_at,
        to_at=row.to_at,
    )


def _line(row: HouseBillLine) -> BillLine:
    price = None if row.price_millionths is None else Money(row.price_millionths * MILLIONTH)
    return BillLine(
        text=row.words,
        amount=Money(row.kopecks * KOPECK),
        point_id=str(row.house_point_id or ""),
        zone=row.zone,
        quantity=_thousandths(row.quantity_thousandths),
        unit=row.unit,
        price=price,
        before=_thousandths(row.before_thousandths),
        after=_thousandths(row.after_thousandths),
        ratio=row.ratio,
        basis=Basis(row.basis) if row.basis else None,
    )


def _thousandths(count: int | None) -> Decimal | None:
    return None if count is None else count * THOUSANDTH


def _say(unit: Unit, row: HouseAppeal, draft: AppealDraft, now: datetime) -> None:
    said = HouseMessage(
        appeal_id=row.id or 0, key=draft.key, at=now, body=draft.text[:LONGEST_BODY]
    )
    add_files(unit, stored.add(unit, said).id or 0, draft.attachments)


def add_files(unit: Unit, message_id: int, files: Sequence[Attachment]) -> None:
    """Put files to what was said; what they are is told by their content."""
    for each in files:
        media_type = kind_of(each.content)
        stored.add(
            unit,
            HouseFile(
                message_id=message_id,
                name=clean_name(each.name, media_type),
                media_type=media_type,
                size=len(each.content),
                content=each.content,
            ),
        )


def _id(text: str) -> int:
    """Read an id of ours that came back; a text that is none belongs to nothing."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0  # noqa: PLR2004 - fits a BIGINT


def _cursor(after: Since | None) -> Cursor:
    return Cursor(CURSOR, "" if after is None else f"{after[0].isoformat()} {after[1]}")


def _since(cursor: Cursor | None) -> Since | None:
    if cursor is None or (cursor.scheme == CURSOR and not cursor.body):
        return None
    at, _, number = cursor.body.partition(" ")
    try:
        if cursor.scheme == CURSOR:
            return datetime.fromisoformat(at), int(number)
    except ValueError:
        pass
    raise CursorLost("The cursor is not one of the house books.")
