"""How a utility's people work on the in-house books: contracts, access, charges, answers.

Every act is one transaction with a line in the audit log, and whoever linked the contract gets
its news at once.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from hub.domain.events import KINDS
from hub.domain.files import LARGEST_FILE
from hub.domain.money import millionths_of
from hub.domain.submitting import Face, Window, Wrong
from hub.errors import Conflict, InputRefused, Missing
from hub.plugins.api import (
    AppealState,
    Attachment,
    Basis,
    Bill,
    NoticeKind,
    Point,
    SupplierCard,
    TransformerCard,
)
from hub.services.books import (
    LONGEST_BODY,
    THOUSANDTH,
    add_files,
    balance_in,
    before_of,
    bills_of,
)
from hub.services.cards import card_dict, transformer_dict
from hub.services.charging import charges_of
from hub.services.clock import utc_now
from hub.services.made_notices import EventChoice, event_choices
from hub.services.passwords import Passwords
from hub.store import audit, rules
from hub.store import books as stored
from hub.store import contracts as suppliers
from hub.store.tables import (
    HouseAppeal,
    HouseBill,
    HouseBillLine,
    HouseContract,
    HouseFile,
    HouseMessage,
    HouseNotice,
    HousePayment,
    HousePoint,
    HousePrice,
    HouseReading,
    HouseSubmission,
    HouseTariff,
    LinkCode,
    Supplier,
)
from hub.store.unit import Store, Unit

HOUSE = "house"  # the connectors of the books: by the consumer's login, by a code
HOUSE_CODE = "house_code"
CONNECTORS = (HOUSE, HOUSE_CODE)
CODE_LASTS = timedelta(days=14)
REALM = "cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedContract:
    """A contract to enter; without a login nobody can link it yet.

    ``balance_kopecks`` (positive: in credit) is brought in as of ``balance_at``.
    """

    number: str
    holder: str
    address: str
    login: str = ""
    password: str = ""
    since: date | None = None
    balance_kopecks: int = 0
    balance_at: datetime | None = None
    points: tuple[Point, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Access:
    """What goes into the letter to the consumer; ``password`` is shown this once.

    ``until``: a code has to be used by then; None: a password, good until replaced.
    """

    login: str
    password: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """A notification to publish; ``number`` '' is everybody of the utility."""

    kind: NoticeKind
    title: str
    text: str
    number: str = ""
    from_at: datetime | None = None
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Readings of a day: zone ('' for the only register) to value.

    ``source`` is operator, meter or consumer.
    """

    values: Mapping[str, Decimal]
    taken_on: date
    basis: Basis = Basis.ACCEPTED
    source: str = "operator"


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a bill that a person makes."""

    words: str
    kopecks: int


@dataclass(frozen=True, slots=True)
class Charged:
    """A bill that was made, and what could not be charged and why."""

    bill: Bill | None
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission, as a person decides on it."""

    id: int
    contract: str
    point: str
    serial: str
    taken_on: date
    values: Mapping[str, str]
    before: Mapping[str, str]
    state: str
    reason: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """An appeal with what was said; see ``plugins.api.Appeal`` for who said it."""

    number: int
    contract: str
    subject: str
    email: str
    phone: str
    state: str
    created_at: datetime
    changed_at: datetime
    due_on: date | None
    thread: tuple[tuple[datetime, str, str], ...]
    files: tuple[tuple[int, int, str, int], ...]  # place in the thread, id, name, bytes


@dataclass(frozen=True, slots=True)
class Account:
    """A contract as the books have it; ``balance_kopecks`` None: nothing was ever booked."""

    number: str
    holder: str
    address: str
    login: str
    balance_kopecks: int | None
    balance_at: datetime | None
    points: tuple[HousePoint, ...]
    bills: tuple[Bill, ...]


def open_supplier(
    store: Store, *, title: str, card: SupplierCard, now: datetime, connector: str = HOUSE
) -> int:
    """Install a supplier that needs no settings, and give its id."""
    with store.write() as unit:
        return suppliers.add_supplier(
            unit,
            Supplier(connector=connector, title=title, card=card_dict(card), created_at=now),
        )


def houses(store: Store) -> list[tuple[int, str, str]]:
    """List the utilities with books here: id, title and connector."""
    with store.read() as unit:
        return [
            (row.id or 0, row.title, row.connector) for row in stored.suppliers(unit, CONNECTORS)
        ]


class Bookkeeping:
    """The books of one utility; ``actor`` goes into the audit log."""

    def __init__(
        self,
        store: Store,
        supplier_id: int,
        passwords: Passwords,
        clock: Callable[[], datetime] = utc_now,
        actor: str = REALM,
    ) -> None:
        self.store = store
        self.supplier_id = supplier_id
        self.passwords = passwords
        self.clock = clock
        self.actor = actor

    # -- contracts and points

    def enter(self, contract: BookedContract) -> int:
        """Enter a contract with its points, give its id; Conflict if number or login is taken."""
        password_hash = self.passwords.hash(contract.password) if contract.password else ""
        with self._act("enter", contract.number) as unit:
            if stored.by_number(unit, self.supplier_id, contract.number) is not None:
                raise Conflict(f"The books already have a contract {contract.number}.")
            self._free_login(unit, contract.login.strip())
            house = stored.add(
                unit,
                HouseContract(
                    supplier_id=self.supplier_id,
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
                self._add_point(unit, house.id or 0, point, "")
            return house.id or 0

    def add_point(self, number: str, point: Point, tariff: str = "") -> int:
        """Add a point to a contract; Missing for an unknown contract or tariff."""
        with self._act("point", number) as unit:
            house = self._contract(unit, number)
            if any(row.number == point.number for row in stored.points(unit, house.id or 0)):
                raise Conflict(f"The contract {number} already has a point {point.number}.")
            added = self._add_point(unit, house.id or 0, point, tariff)
            stored.ask_again(unit, self.supplier_id, house.id, unit.now())
            return added

    def _add_point(self, unit: Unit, house_id: int, point: Point, tariff: str) -> int:
        tariff_id = None
        if tariff:
            row = stored.tariff_named(unit, self.supplier_id, tariff)
            if row is None:
                raise Missing(f"The books have no tariff '{tariff}'; set its prices first.")
            tariff_id = row.id
        added = stored.add(
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
                submit_from_day=point.submit_from_day,
                submit_to_day=point.submit_to_day,
                transformers=[transformer_dict(card) for card in point.transformers],
                tariff_id=tariff_id,
            ),
        )
        return added.id or 0

    def put_transformer(self, number: str, point: str, card: TransformerCard) -> None:
        """Hang a transformer at a point; the one of its kind, phase and first day gives way."""
        with self._act("transformer", number, point=point) as unit:
            row = self._point(unit, self._contract(unit, number), point)
            others = [each for each in row.transformers if _place(each) != _place_of(card)]
            row.transformers = [*others, transformer_dict(card)]
            stored.ask_again(unit, self.supplier_id, row.house_contract_id, unit.now())

    def take_transformer(self, number: str, point: str, card: TransformerCard) -> None:
        """Strike a transformer that was entered by mistake; Missing if there is none like it."""
        with self._act("transformer_struck", number, point=point) as unit:
            row = self._point(unit, self._contract(unit, number), point)
            others = [each for each in row.transformers if _place(each) != _place_of(card)]
            if len(others) == len(row.transformers):
                raise Missing(f"The point {point} has no such transformer from that day on.")
            row.transformers = others
            stored.ask_again(unit, self.supplier_id, row.house_contract_id, unit.now())

    def pause(self, *, paused: bool = True) -> None:
        """Let the books answer nobody, as a supplier that is down, or answer again.

        Consumers see it within seconds; what they send meanwhile waits.
        """
        with self._act("pause" if paused else "resume", "books") as unit:
            row = suppliers.supplier(unit, self.supplier_id)
            if row is None:
                raise Missing
            row.sealed_settings = unit.secrets.seal(
                json.dumps({"paused": paused}), table="supplier", row=self.supplier_id,
                field="settings",
            )  # fmt: skip
            stored.ask_again(unit, self.supplier_id, None, unit.now())

    def contracts(self) -> list[Account]:
        """List all contracts, without bills."""
        with self.store.read() as unit:
            return [self._account(unit, row) for row in stored.contracts(unit, self.supplier_id)]

    def contract(self, number: str) -> Account:
        """Give one contract with its bills; Missing."""
        with self.store.read() as unit:
            house = self._contract(unit, number)
            return self._account(unit, house, bills=True)

    def _account(self, unit: Unit, house: HouseContract, *, bills: bool = False) -> Account:
        balance = balance_in(unit, house)
        rows = stored.bills_since(unit, house.id or 0, None, 1000) if bills else ()
        return Account(
            number=house.number,
            holder=house.holder,
            address=house.address,
            login=house.login,
            balance_kopecks=None if balance is None else balance[0],
            balance_at=None if balance is None else balance[1],
            points=tuple(stored.points(unit, house.id or 0)),
            bills=tuple(bills_of(unit, rows)),
        )

    # -- access

    def give_access(self, number: str, login: str = "", *, another: bool = False) -> Access:
        """Give a new password, or for a supplier that links by codes a new code.

        What was given before ends with it. A contract that somebody holds gets another code only
        with ``another``: whoever has it would be a second holder. Raises Missing, Conflict.
        """
        secret = _new_secret()
        password_hash = self.passwords.hash(secret)
        with self._act("access", number) as unit:
            house = self._contract(unit, number)
            if self._by_code(unit):
                if not another and suppliers.holders(unit, self.supplier_id, str(house.id)):
                    raise Conflict(
                        f"Somebody holds the contract {number} already; for one more holder "
                        "give --another."
                    )
                suppliers.revoke_codes(unit, self.supplier_id, number, self.clock())
                until = self.clock() + CODE_LASTS
                suppliers.add_code(
                    unit,
                    LinkCode(
                        supplier_id=self.supplier_id,
                        number=number,
                        code_hash=code_hash(secret),
                        issued_at=self.clock(),
                        expires_at=until,
                    ),
                )
                return Access(number, secret, until)
            wanted = login.strip() or house.login or number
            if wanted != house.login:
                self._free_login(unit, wanted)
            house.login, house.password_hash = wanted, password_hash
            unit.session.flush()
            return Access(wanted, secret)

    def end_access(self, number: str) -> None:
        """Take password or code back; who has linked the contract can't ask for news any more."""
        with self._act("end_access", number) as unit:
            house = self._contract(unit, number)
            suppliers.revoke_codes(unit, self.supplier_id, number, self.clock())
            house.password_hash = ""
            unit.session.flush()
            stored.ask_again(unit, self.supplier_id, house.id, unit.now())

    def _by_code(self, unit: Unit) -> bool:
        row = suppliers.supplier(unit, self.supplier_id)
        return row is not None and row.connector == HOUSE_CODE

    def _free_login(self, unit: Unit, login: str) -> None:
        if login and stored.by_login(unit, self.supplier_id, login) is not None:
            raise Conflict(f"The login {login} belongs to another contract.")

    # -- prices and readings

    def set_price(self, tariff: str, zone: str, roubles: Decimal, valid_from: date) -> None:
        """Set what a unit costs from a day on; the price before ends on the day before.

        Raises InputRefused for a price that is negative or finer than a millionth, Conflict
        where a later price is known.
        """
        millionths = millionths_of(roubles)
        if millionths is None:
            raise InputRefused({"price": "house.price_wrong"})
        with self._act("price", tariff, zone=zone, price=str(roubles)) as unit:
            row = stored.tariff_named(unit, self.supplier_id, tariff)
            if row is None:
                row = stored.add(unit, HouseTariff(supplier_id=self.supplier_id, name=tariff))
            known = [each for each in stored.prices(unit, row.id or 0) if each.zone == zone]
            if known and known[-1].valid_from >= valid_from:
                raise Conflict(
                    f"The tariff '{tariff}' has a price from {known[-1].valid_from} on; "
                    "a new one has to begin later."
                )
            if known and known[-1].valid_to is None:
                known[-1].valid_to = valid_from - timedelta(days=1)
            stored.add(
                unit,
                HousePrice(
                    tariff_id=row.id or 0, zone=zone, millionths=millionths, valid_from=valid_from
                ),
            )
            stored.ask_again(unit, self.supplier_id, None, unit.now())

    def record(self, number: str, point: str, taken: Taken) -> None:
        """Enter readings that the utility bills by; InputRefused, Missing."""
        with self._act("reading", number, point=point) as unit:
            house = self._contract(unit, number)
            row = self._point(unit, house, point)
            face = Face(row.whole_digits, row.decimal_digits)
            read = [face.read(f"{value:f}") for value in taken.values.values()]
            if set(taken.values) != set(row.tariff_zones or [""]) or any(
                isinstance(each, Wrong) for each in read
            ):
                raise InputRefused({"values": "house.values_wrong"})
            self._put(unit, row, taken)
            stored.ask_again(unit, self.supplier_id, house.id, unit.now())

    def _put(self, unit: Unit, point: HousePoint, taken: Taken) -> None:
        for zone, value in taken.values.items():
            stored.put_reading(
                unit,
                HouseReading(
                    house_point_id=point.id or 0,
                    zone=zone,
                    taken_on=taken.taken_on,
                    thousandths=int(value / THOUSANDTH),
                    source=taken.source,
                    basis=taken.basis.value,
                    changed_at=self.clock(),
                ),
            )

    def submissions(self, *, waiting: bool = True) -> list[Sent]:
        """List submissions with the readings before them: those to decide on, or all."""
        with self.store.read() as unit:
            rows = stored.submissions(unit, self.supplier_id, "sent" if waiting else None)
            return [self._sent(unit, *row) for row in rows]

    def _sent(
        self, unit: Unit, row: HouseSubmission, point: HousePoint, house: HouseContract
    ) -> Sent:
        known = stored.readings(unit, point.id or 0)
        day_before = row.taken_on - timedelta(days=1)
        before = {zone: before_of(known, zone, day_before) for zone in row.values}
        return Sent(
            id=row.id or 0,
            contract=house.number,
            point=point.number or point.name,
            serial=point.meter_serial,
            taken_on=row.taken_on,
            values=row.values,
            before={zone: f"{each.value:f}" for zone, each in before.items() if each},
            state=row.state,
            reason=row.reason,
            sent_at=row.sent_at,
        )

    def accept(self, submission_id: int) -> None:
        """Accept readings: from now on they are billed by. Missing, or Conflict if decided."""
        with self._act("accept", str(submission_id)) as unit:
            row, point = self._undecided(unit, submission_id)
            values = {zone: Decimal(value) for zone, value in row.values.items()}
            self._put(unit, point, Taken(values, row.taken_on, source="consumer"))
            self._decide(unit, row, "accepted", "")

    def refuse(self, submission_id: int, reason: str) -> None:
        """Refuse readings; the consumer reads the reason."""
        reason = _words(reason, "reason")
        with self._act("refuse", str(submission_id)) as unit:
            row, _ = self._undecided(unit, submission_id)
            self._decide(unit, row, "refused", reason)

    def _undecided(self, unit: Unit, submission_id: int) -> tuple[HouseSubmission, HousePoint]:
        found = stored.submission(unit, self.supplier_id, submission_id)
        if found is None:
            raise Missing(
                f"There is no submission {submission_id}; 'hub house readings' lists them."
            )
        if found[0].state != "sent":
            raise Conflict(f"The submission {submission_id} is already {found[0].state}.")
        return found

    def _decide(self, unit: Unit, row: HouseSubmission, state: str, reason: str) -> None:
        row.state, row.reason, row.changed_at = state, reason, self.clock()
        unit.session.flush()
        stored.ask_again(unit, self.supplier_id, row.house_contract_id, unit.now())

    # -- money

    def charge(self, number: str, month: date, more: Sequence[Charge] = ()) -> Charged:
        """Make the bill of a month: each zone of each priced point, the fixed part, and ``more``.

        Charged is what lies between the readings that hold at the month's two ends. Without a
        newer one the mean of the readings so far is charged, else the norm, and that estimate
        is entered as a reading, so that the next true one corrects it. Raises Conflict if the
        month is charged already and there is nothing ``more``, InputRefused for an empty bill.
        """
        month = month.replace(day=1)
        now = self.clock()
        with self._act("charge", number, month=month.isoformat()) as unit:
            house = self._contract(unit, number)
            before = stored.bills_of_month(unit, house.id or 0, month)
            if before and not more:
                raise Conflict(f"The contract {number} has a bill of {month:%Y-%m} already.")
            lines: list[HouseBillLine] = []
            left_out: list[str] = []
            if not before:
                for point in stored.points(unit, house.id or 0):
                    priced = stored.prices(unit, point.tariff_id) if point.tariff_id else ()
                    known = stored.readings(unit, point.id or 0)
                    charges = charges_of(point, priced, known, month, now)
                    lines += charges.lines
                    left_out += charges.left_out
                    for estimate in charges.estimates:
                        stored.put_reading(unit, estimate)
            lines += [
                HouseBillLine(bill_id=0, words=_words(each.words, "line"), kopecks=each.kopecks)
                for each in more
            ]
            if not lines:
                return Charged(None, tuple(left_out))
            bill = stored.add(
                unit,
                HouseBill(
                    house_contract_id=house.id or 0,
                    month=month,
                    number=len(before) + 1,
                    booked_at=now,
                ),
            )
            for line in lines:
                line.bill_id = bill.id or 0
                stored.add(unit, line)
            stored.ask_again(unit, self.supplier_id, house.id, unit.now())
            return Charged(bills_of(unit, [bill])[0], tuple(left_out))

    def pay(
        self, number: str, kopecks: int, paid_at: datetime | None = None, reference: str = ""
    ) -> bool:
        """Book a payment; False if one with this reference is booked already."""
        if kopecks <= 0:
            raise InputRefused({"amount": "house.amount_wrong"})
        now = self.clock()
        with self._act("pay", number, kopecks=kopecks) as unit:
            house = self._contract(unit, number)
            reference = reference or secrets.token_hex(8)
            if stored.payment_of(unit, house.id or 0, reference) is not None:
                return False
            stored.add(
                unit,
                HousePayment(
                    house_contract_id=house.id or 0,
                    reference=reference,
                    kopecks=kopecks,
                    paid_at=paid_at or now,
                    booked_at=now,
                ),
            )
            stored.ask_again(unit, self.supplier_id, house.id, unit.now())
            return True

    # -- notices and appeals

    def publish(self, notice: NewNotice) -> int:
        """Publish a notification and give its id; InputRefused for an empty one."""
        if notice.from_at and notice.to_at and notice.from_at >= notice.to_at:
            raise InputRefused({"to": "house.period_wrong"})
        title, text = _words(notice.title, "title"), _words(notice.text, "text")
        with self._act("notice", notice.number or "all") as unit:
            house_id = self._contract(unit, notice.number).id if notice.number else None
            row = stored.add(
                unit,
                HouseNotice(
                    supplier_id=self.supplier_id,
                    house_contract_id=house_id,
                    kind=notice.kind.value,
                    title=title,
                    words=text,
                    from_at=notice.from_at,
                    to_at=notice.to_at,
                    published_at=self.clock(),
                ),
            )
            stored.ask_again(unit, self.supplier_id, house_id, unit.now())
            return row.id or 0

    def appeals(self, *, only_open: bool = True) -> list[Asked]:
        """List appeals: those to answer, or all."""
        with self.store.read() as unit:
            rows = stored.appeals(unit, self.supplier_id, only_open=only_open)
            said = stored.messages(unit, [row.id or 0 for row, _ in rows])
            files = stored.files(unit, [each.id or 0 for row in said.values() for each in row])
            return [_asked(row, house.number, said[row.id or 0], files) for row, house in rows]

    def files(self, number: int) -> list[Attachment]:
        """Give the files of an appeal, as its thread has them; Missing for an unknown number."""
        with self.store.read() as unit:
            row = self._appeal(unit, number)
            said = stored.messages(unit, [row.id or 0])[row.id or 0]
            found = stored.files(unit, [each.id or 0 for each in said])
            return [
                Attachment(name=each.name, media_type=each.media_type, content=each.content)
                for each in found
            ]

    def answer(
        self,
        number: int,
        text: str = "",
        *,
        state: AppealState,
        who: str = "",
        due: date | None,
        files: Sequence[Attachment] = (),
    ) -> None:
        """Answer an appeal, or move it to another state; Missing for an unknown number.

        ``who`` '' is the utility itself. InputRefused if there is nothing to say and the state
        is the same, for files without a word, and for a file above 10 MiB.
        """
        if any(len(file.content) > LARGEST_FILE for file in files):
            raise InputRefused({"file": "house.file_large"})
        if files and not text.strip():
            raise InputRefused({"text": "house.text_empty"})
        with self._act("answer", str(number), state=state.value) as unit:
            row = self._appeal(unit, number)
            if not text.strip() and row.state == state.value and due is None:
                raise InputRefused({"text": "house.text_empty"})
            now = self.clock()
            if text.strip():
                supplier = suppliers.supplier(unit, self.supplier_id)
                said = HouseMessage(
                    appeal_id=row.id or 0,
                    key=secrets.token_hex(8),
                    at=now,
                    who=who.strip() or (supplier.title if supplier else "-"),
                    body=text.strip()[:LONGEST_BODY],
                )
                add_files(unit, stored.add(unit, said).id or 0, files)
            row.state, row.changed_at = state.value, now
            row.due_on = due or row.due_on
            unit.session.flush()
            stored.ask_again(unit, self.supplier_id, row.house_contract_id, unit.now())

    # -- events of meters

    def events(self) -> list[EventChoice]:
        """List the kinds of events, and of which ones consumers get a notification."""
        with self.store.read() as unit:
            return event_choices(unit, self.supplier_id)

    def choose_events(self, kinds: Sequence[str], *, enabled: bool) -> None:
        """Make notifications of events of these kinds from now on, or none; InputRefused."""
        if not set(kinds) <= KINDS.keys():
            raise InputRefused({"kind": "house.event_unknown"})
        with self._act("events", "on" if enabled else "off", kinds=sorted(kinds)) as unit:
            for kind in kinds:
                rules.choose_event(unit, self.supplier_id, kind, enabled=enabled)

    # -- helpers

    @contextmanager
    def _act(self, act: str, target: str, **detail: object) -> Iterator[Unit]:
        with self.store.write() as unit:
            yield unit
            audit.record(
                unit,
                actor=self.actor,
                act=f"house.{act}",
                target=f"{self.supplier_id}/{target}",
                detail=detail,
            )

    def _contract(self, unit: Unit, number: str) -> HouseContract:
        row = stored.by_number(unit, self.supplier_id, number)
        if row is None:
            raise Missing(f"The books have no contract {number}; 'hub house list' lists them.")
        return row

    def _appeal(self, unit: Unit, number: int) -> HouseAppeal:
        row = stored.appeal_numbered(unit, self.supplier_id, number)
        if row is None:
            raise Missing(f"There is no appeal {number}; 'hub house appeals' lists them.")
        return row

    def _point(self, unit: Unit, house: HouseContract, name: str) -> HousePoint:
        for row in stored.points(unit, house.id or 0):
            if name in (row.number, row.name):
                return row
        raise Missing(f"The contract {house.number} has no point {name}.")


def _place(card: Mapping[str, object]) -> tuple[object, object, object]:
    return card["kind"], card["phase"], card["from_on"]


def _place_of(card: TransformerCard) -> tuple[object, object, object]:
    return _place(transformer_dict(card))


def code_hash(code: str) -> str:
    """Hash a code as it may be typed: case, spaces and dashes don't count."""
    plain = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(plain.encode()).hexdigest()


def _new_secret() -> str:
    """128 bits in groups of letters and digits that are not mistaken for each other."""
    letters = base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
    return "-".join(letters[start : start + 5] for start in range(0, len(letters), 5))


def _words(text: str, name: str) -> str:
    """Refuse what says nothing."""
    if not text.strip():
        raise InputRefused({name: f"house.{name}_empty"})
    return text.strip()[:LONGEST_BODY]


def _asked(
    row: HouseAppeal, contract: str, said: Sequence[HouseMessage], files: Sequence[HouseFile]
) -> Asked:
    return Asked(
        number=row.number,
        contract=contract,
        subject=row.subject,
        email=row.email,
        phone=row.phone,
        state=row.state,
        created_at=row.created_at,
        changed_at=row.changed_at,
        due_on=row.due_on,
        thread=tuple((each.at, each.who, each.body) for each in said),
        files=tuple(
            (place, file.id or 0, file.name, file.size)
            for place, each in enumerate(said)
            for file in files
            if file.message_id == each.id
        ),
    )


def window_of(text: str) -> Window:
    """Read a window of days, written 15-25; InputRefused."""
    first, _, last = text.partition("-")
    try:
        window = Window(int(first), int(last))
    except ValueError:
        raise InputRefused({"window": "house.window_wrong"}) from None
    if not all(1 <= day <= 31 for day in (window.from_day or 0, window.to_day or 0)):  # noqa: PLR2004
        raise InputRefused({"window": "house.window_wrong"})
    return window
