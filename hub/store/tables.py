"""Every table of the hub, as SQLModel rows.

Rules that hold for all: ids are BIGINT; what ends in ``_at`` is aware UTC; energy registers are
whole Wh or varh; ratios are whole numbers; secrets are sealed text (``store.secrets``); hashes of
tokens are hex SHA-256. Rows stay inside the store and the services; pages get domain values.
Profile blocks are read and written by ``store.blocks`` over the DBAPI cursor only.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel


class Row(SQLModel):
    """Base of the tables; SQLModel lets a table's name be a function, ours are text."""

    __tablename__: ClassVar[str]  # type: ignore[mutable-override]


BIG = BigInteger().with_variant(Integer, "sqlite")


def big_id() -> Any:
    """Declare a BIGINT key that SQLite still numbers by itself."""
    return Field(default=None, primary_key=True, sa_type=BIG)


def ref(target: str, *, index: bool = True, null: bool = False) -> Any:
    return Field(foreign_key=target, index=index, nullable=null, sa_type=BIG)


def json_field() -> Any:
    return Field(default_factory=dict, sa_type=JSON)


# -- people ------------------------------------------------------------------------------------


class User(Row, table=True):
    """A person who signs in. ``email`` is lower-case; without ``confirmed_at`` not yet proven."""

    id: int | None = big_id()
    email: str = Field(unique=True)
    full_name: str
    phone: str = ""
    password_hash: str
    role: str = "consumer"  # consumer, operator, admin
    language: str = ""  # '': as the browser asks
    theme: str = ""  # '': as the system asks
    # The number that takes SMS, proven by a code; ``phone`` is what the person told.
    confirmed_phone: str = Field(default="", sa_column_kwargs={"server_default": ""})
    quiet_from: int | None = None  # minutes after midnight of the contract's zone
    quiet_to: int | None = None
    last_contract_id: int | None = Field(default=None, sa_type=BIG)
    created_at: datetime
    confirmed_at: datetime | None = None


class UserSession(Row, table=True):
    """A signed-in browser; the cookie's id is stored hashed. ``seen_at`` moves once a minute."""

    __tablename__ = "user_session"
    id_hash: str = Field(primary_key=True)
    user_id: int = ref("user.id")
    device: str = ""
    address: str = ""
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class OneTimeToken(Row, table=True):
    """A link in a mail; the token is stored hashed and spent by one POST."""

    __tablename__ = "one_time_token"
    token_hash: str = Field(primary_key=True)
    purpose: str  # confirm, recover, email, second
    user_id: int = ref("user.id")
    created_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None
    detail: str = Field(default="", sa_column_kwargs={"server_default": ""})  # email: the new one


class SecondFactor(Row, table=True):
    """What is asked for besides the password, in force from ``on_at``.

    ``way``: app, then ``sealed_secret`` is its secret (RFC 6238) and ``last_step`` the time step
    of the last code that was taken, none is taken twice; or sms, to the confirmed phone.
    """

    __tablename__ = "second_factor"
    user_id: int = Field(primary_key=True, foreign_key="user.id", sa_type=BIG)
    sealed_secret: str
    on_at: datetime | None = None
    last_step: int = Field(default=0, sa_type=BIG)
    way: str = Field(default="app", sa_column_kwargs={"server_default": "app"})


class RecoveryCode(Row, table=True):
    """A code for who lost the app; stored hashed, used once."""

    __tablename__ = "recovery_code"
    user_id: int = Field(primary_key=True, foreign_key="user.id", sa_type=BIG)
    code_hash: str = Field(primary_key=True)
    used_at: datetime | None = None


class PhoneCode(Row, table=True):
    """A code on its way to a phone, or waiting to be typed; a new one replaces it."""

    __tablename__ = "phone_code"
    user_id: int = Field(primary_key=True, foreign_key="user.id", sa_type=BIG)
    purpose: str = Field(primary_key=True)  # phone, sign_in
    phone: str
    code_hash: str
    sent_at: datetime
    expires_at: datetime
    tries: int = 0


class NoticeChoice(Row, table=True):
    """Whether a person is told of a source by a channel; without a row `domain.notices` says."""

    __tablename__ = "notice_choice"
    user_id: int = Field(primary_key=True, foreign_key="user.id", sa_type=BIG)
    source: str = Field(primary_key=True)  # Source
    channel: str = Field(primary_key=True)  # Channel
    chosen: bool


class ProcessingConsent(Row, table=True):
    """A person agreed to the processing of personal data: to which text, and when."""

    __tablename__ = "processing_consent"
    user_id: int = Field(primary_key=True, foreign_key="user.id", sa_type=BIG)
    version: str = Field(primary_key=True)
    at: datetime


class ApiToken(Row, table=True):
    """A person's token for programs: ``prefix`` is its beginning, ``secret_hash`` of all of it.

    Without ``all_contracts`` it sees those of ApiTokenContract, be they none.
    """

    __tablename__ = "api_token"
    id: int | None = big_id()
    user_id: int = ref("user.id")
    name: str
    prefix: str
    secret_hash: str = Field(unique=True)
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    all_contracts: bool
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None  # moves once a minute


class ApiTokenContract(Row, table=True):
    """A contract that a token may see."""

    __tablename__ = "api_token_contract"
    api_token_id: int = Field(primary_key=True, foreign_key="api_token.id", sa_type=BIG)
    contract_id: int = Field(primary_key=True, foreign_key="contract.id", index=True, sa_type=BIG)


class Attempts(Row, table=True):
    """Throttling counters: subject_hash is SHA-256 of what is counted, window_at its start."""

    kind: str = Field(primary_key=True)
    subject_hash: str = Field(primary_key=True)
    window_at: datetime = Field(primary_key=True)
    count: int = 0


# -- suppliers and contracts -------------------------------------------------------------------


class Supplier(Row, table=True):
    """An installation of a connector, as shown in «Поставщик»."""

    id: int | None = big_id()
    connector: str  # SupplierSpec.id
    title: str
    sealed_settings: str = ""
    card: dict[str, Any] = json_field()  # SupplierCard as told last
    created_at: datetime


class Contract(Row, table=True):
    """One consumer's link to one account at one supplier; what it returned belongs to it."""

    __table_args__ = (UniqueConstraint("supplier_id", "remote_id", "user_id"),)
    id: int | None = big_id()
    user_id: int = ref("user.id")
    supplier_id: int = ref("supplier.id")
    remote_id: str  # the supplier's own id of the account
    name: str
    number: str
    holder: str = ""
    address: str = ""
    does: list[str] = Field(default_factory=list, sa_type=JSON)
    sealed_settings: str = ""  # the account settings of the connector
    balance_kopecks: int | None = Field(default=None, sa_type=BIG)  # positive: in credit
    balance_at: datetime | None = None
    linked_at: datetime
    refreshed_at: datetime | None = None
    refresh_error: str = ""  # code of the last failure, '' when well


class ContractPoint(Row, table=True):
    """A point as this account's supplier tells it; ``metering_point_id`` joins it to the meters."""

    __tablename__ = "contract_point"
    __table_args__ = (UniqueConstraint("contract_id", "remote_id"),)
    id: int | None = big_id()
    contract_id: int = ref("contract.id")
    metering_point_id: int | None = ref("metering_point.id", null=True)
    remote_id: str
    name: str
    number: str = ""
    meter_serial: str = ""
    resource: str = "electricity"
    unit: str = "kWh"
    smart: bool = False
    place: str = ""
    tariff_zones: list[str] = Field(default_factory=list, sa_type=JSON)
    whole_digits: int | None = None
    decimal_digits: int | None = None
    facts: dict[str, str] = json_field()  # PointFact -> text
    submit_from_day: int | None = None  # of the month; None: readings are taken on any day
    submit_to_day: int | None = None
    transformers: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    told_at: datetime


class LinkCode(Row, table=True):
    """A one-time code that ties a contract's number to whoever got the letter; stored hashed."""

    __tablename__ = "link_code"
    id: int | None = big_id()
    supplier_id: int = ref("supplier.id")
    number: str = Field(index=True)  # of the contract
    code_hash: str
    issued_at: datetime
    expires_at: datetime
    tries: int = 0
    spent_at: datetime | None = None
    revoked_at: datetime | None = None


class ContractState(Row, table=True):
    """When an account is asked again, and how long to wait after failures."""

    __tablename__ = "contract_state"
    contract_id: int = Field(primary_key=True, foreign_key="contract.id", sa_type=BIG)
    due_at: datetime = Field(index=True)
    failures: int = 0
    failing_since: datetime | None = None  # the first of these failures
    stopped: bool = False  # the supplier refused the login; needs its owner
    claim_token: str = ""
    claimed_until: datetime | None = None


class ContractCursor(Row, table=True):
    """Where to go on with what an account's supplier tells in pages; opaque."""

    __tablename__ = "contract_cursor"
    contract_id: int = Field(primary_key=True, foreign_key="contract.id", sa_type=BIG)
    what: str = Field(primary_key=True)  # Does
    scheme: str
    body: str
    at: datetime


class ToldReading(Row, table=True):
    """A reading as the supplier has it; ``value`` with as many decimals as were told."""

    __tablename__ = "told_reading"
    __table_args__ = (UniqueConstraint("contract_point_id", "zone", "taken_on", "remote_id"),)
    id: int | None = big_id()
    contract_point_id: int = ref("contract_point.id", index=False)
    zone: str
    taken_on: date
    value: str
    source: str  # ours, theirs, estimated
    basis: str = ""  # Basis where the supplier bills by it, else ''
    ratios_applied: bool = False
    remote_id: str = ""
    told_at: datetime


class Submission(Row, table=True):
    """Readings that a consumer sent; delivered by the outbox, once."""

    id: int | None = big_id()
    contract_point_id: int = ref("contract_point.id")
    key: str = Field(unique=True)
    taken_on: date
    values: dict[str, str] = json_field()  # zone -> what the meter showed
    state: str  # waiting, sending, sent, accepted, refused, uncertain
    reason: str = ""  # of a refusal, in the supplier's words
    remote_id: str = ""
    error_code: str = ""  # of the last try, while it waits
    created_at: datetime
    changed_at: datetime


class Notice(Row, table=True):
    """A notification: told by the supplier, or made from what a meter did."""

    __table_args__ = (
        UniqueConstraint("contract_id", "source", "remote_id"),
        Index("ix_notice_list", "contract_id", "published_at"),
    )
    id: int | None = big_id()
    contract_id: int = ref("contract.id", index=False)
    contract_point_id: int | None = ref("contract_point.id", index=False, null=True)
    appeal_id: int | None = ref("appeal.id", index=False, null=True)
    source: str = "supplier"  # Source
    remote_id: str  # the key of `publish`: the supplier's id, or ours
    kind: str
    title: str
    text: str
    from_at: datetime | None = None
    to_at: datetime | None = None
    published_at: datetime
    told_at: datetime
    read_at: datetime | None = None
    # Of what the hub itself makes: it is worded from these when it is read.
    facts: dict[str, str] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}")
    )


class EventNotice(Row, table=True):
    """Whether a utility makes notices of a kind of event; without a row it is as usual."""

    __tablename__ = "event_notice"
    supplier_id: int = Field(primary_key=True, foreign_key="supplier.id", sa_type=BIG)
    kind: str = Field(primary_key=True)  # a name of domain.events
    enabled: bool


class OwnRule(Row, table=True):
    """A rule that a consumer set for a point of theirs, and what it knows of its past.

    Limits are thousandths of kWh, kW, hours or volts. ``edition`` grows with each change, so that
    a changed rule may fire again. ``due_at``: when it is looked at next; None: when data come.
    """

    __tablename__ = "own_rule"
    id: int | None = big_id()
    contract_point_id: int = ref("contract_point.id")
    kind: str  # RuleKind
    low_thousandths: int | None = Field(default=None, sa_type=BIG)
    high_thousandths: int = Field(sa_type=BIG)
    often: str = "day"  # Often
    enabled: bool = True
    edition: int = 1
    since_at: datetime
    holding: bool = False
    looked_at: datetime | None = None
    fired_at: datetime | None = None
    due_at: datetime | None = Field(default=None, index=True)


class Appeal(Row, table=True):
    """An appeal to the supplier; with no ``remote_id`` it has not been delivered yet."""

    __table_args__ = (
        Index(
            "ux_appeal_remote",
            "contract_id",
            "remote_id",
            unique=True,
            sqlite_where=text("remote_id <> ''"),
            postgresql_where=text("remote_id <> ''"),
        ),
    )
    id: int | None = big_id()
    contract_id: int = ref("contract.id")
    key: str = Field(unique=True)
    remote_id: str = ""
    number: str = ""
    subject: str
    email: str = ""
    phone: str = ""
    state: str  # waiting, sending, uncertain, or an AppealState
    remote_state: str = ""
    error_code: str = ""  # of the last try, while it waits
    due_on: date | None = None
    created_at: datetime
    changed_at: datetime


class AppealMessage(Row, table=True):
    """What was said in an appeal; ``key`` and ``state`` only of what is not delivered yet."""

    __tablename__ = "appeal_message"
    id: int | None = big_id()
    appeal_id: int = ref("appeal.id")
    at: datetime
    who: str = ""  # '': the consumer
    body: str
    key: str = ""
    state: str = ""  # waiting, sending, uncertain
    error_code: str = ""  # of the last try, while it waits


class Draft(Row, table=True):
    """What a person typed into a form and has not sent; ``place`` is the form's address."""

    __table_args__ = (UniqueConstraint("user_id", "place"),)
    id: int | None = big_id()
    user_id: int = ref("user.id", index=False)
    place: str
    sealed_fields: str = ""  # JSON: field name -> text
    changed_at: datetime


class Attachment(Row, table=True):
    """A file of a draft; once sent, of a message of an appeal.

    ``content`` None: the supplier told of the file and it was not fetched yet. ``message_id``
    None of a sent one: the supplier's thread no longer has its message.
    """

    id: int | None = big_id()
    draft_id: int | None = ref("draft.id", null=True)
    appeal_id: int | None = ref("appeal.id", null=True)
    message_id: int | None = ref("appeal_message.id", null=True)
    remote_id: str = ""  # the supplier's, where it tells of its files
    name: str
    media_type: str  # by its content; see domain.files
    size: int  # 0: not fetched yet, -1: never to be had
    content: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    at: datetime


class ContractBill(Row, table=True):
    """A bill as the supplier told it; ``lines`` are BillLines with decimals as text."""

    __tablename__ = "contract_bill"
    __table_args__ = (UniqueConstraint("contract_id", "remote_id"),)
    id: int | None = big_id()
    contract_id: int = ref("contract.id", index=False)
    remote_id: str
    month: date
    kopecks: int = Field(sa_type=BIG)
    has_file: bool = False
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    told_at: datetime


class ContractPayment(Row, table=True):
    """A payment as the supplier told it."""

    __tablename__ = "contract_payment"
    __table_args__ = (UniqueConstraint("contract_id", "remote_id"),)
    id: int | None = big_id()
    contract_id: int = ref("contract.id", index=False)
    remote_id: str
    paid_at: datetime
    kopecks: int = Field(sa_type=BIG)
    state: str
    told_at: datetime


class ContractTariff(Row, table=True):
    """A price as the supplier told it; ``point`` '' is all points of the contract."""

    __tablename__ = "contract_tariff"
    id: int | None = big_id()
    contract_id: int = ref("contract.id")
    point: str = ""  # ContractPoint.remote_id
    name: str = ""
    zone: str
    millionths: int = Field(sa_type=BIG)  # of a rouble, for a unit of the resource
    valid_from: date
    valid_to: date | None = None


# -- the in-house books (behind the 'house' connector) -----------------------------------------


class HouseContract(Row, table=True):
    """A contract in the utility's own books; the access is a login with an argon2 password.

    ``balance_kopecks`` is the one brought in at ``balance_at``; bills and payments booked after
    it change it. Without a password nobody signs in.
    """

    __tablename__ = "house_contract"
    id: int | None = big_id()
    supplier_id: int = ref("supplier.id")
    login: str = Field(index=True)
    password_hash: str
    number: str
    holder: str
    address: str
    since: date | None = None
    balance_kopecks: int = Field(default=0, sa_type=BIG)
    balance_at: datetime | None = None


class HouseTariff(Row, table=True):
    """A tariff of a utility; what it costs when is in its prices."""

    __tablename__ = "house_tariff"
    __table_args__ = (UniqueConstraint("supplier_id", "name"),)
    id: int | None = big_id()
    supplier_id: int = ref("supplier.id", index=False)
    name: str


class HousePrice(Row, table=True):
    """What a unit costs in a zone ('': the fixed part, a month); both days are included."""

    __tablename__ = "house_price"
    __table_args__ = (UniqueConstraint("tariff_id", "zone", "valid_from"),)
    id: int | None = big_id()
    tariff_id: int = ref("house_tariff.id", index=False)
    zone: str
    millionths: int = Field(sa_type=BIG)
    valid_from: date
    valid_to: date | None = None


class HousePoint(Row, table=True):
    """A point in the utility's own books."""

    __tablename__ = "house_point"
    id: int | None = big_id()
    house_contract_id: int = ref("house_contract.id")
    name: str
    number: str
    meter_serial: str = ""
    resource: str = "electricity"
    unit: str = "kWh"
    smart: bool = True
    place: str = ""
    tariff_zones: list[str] = Field(default_factory=list, sa_type=JSON)
    whole_digits: int | None = None
    decimal_digits: int | None = None
    facts: dict[str, str] = json_field()
    submit_from_day: int | None = None
    submit_to_day: int | None = None
    transformers: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    tariff_id: int | None = ref("house_tariff.id", index=False, null=True)


class HouseReading(Row, table=True):
    """A reading in the books, in thousandths of the point's unit."""

    __tablename__ = "house_reading"
    __table_args__ = (UniqueConstraint("house_point_id", "zone", "taken_on"),)
    id: int | None = big_id()
    house_point_id: int = ref("house_point.id", index=False)
    zone: str
    taken_on: date
    thousandths: int = Field(sa_type=BIG)
    source: str  # consumer, operator, meter, estimated
    basis: str  # Basis: how the one that is billed by came about
    changed_at: datetime


class HouseSubmission(Row, table=True):
    """Readings that came in and wait for, or have, a decision."""

    __tablename__ = "house_submission"
    __table_args__ = (UniqueConstraint("house_contract_id", "key"),)
    id: int | None = big_id()
    house_contract_id: int = ref("house_contract.id", index=False)
    house_point_id: int = ref("house_point.id")
    key: str
    taken_on: date
    values: dict[str, str] = json_field()
    state: str = "sent"  # sent, accepted, refused
    reason: str = ""
    sent_at: datetime
    changed_at: datetime


class HouseBill(Row, table=True):
    """A month's charges of a contract; its amount is the sum of its lines."""

    __tablename__ = "house_bill"
    __table_args__ = (UniqueConstraint("house_contract_id", "month", "number"),)
    id: int | None = big_id()
    house_contract_id: int = ref("house_contract.id", index=False)
    month: date  # its first day
    number: int = 1  # of the bills of this month
    booked_at: datetime


class HouseBillLine(Row, table=True):
    """A charge and what it is made of: (after - before) x ratio x price, rounded once."""

    __tablename__ = "house_bill_line"
    id: int | None = big_id()
    bill_id: int = ref("house_bill.id")
    words: str
    kopecks: int = Field(sa_type=BIG)
    house_point_id: int | None = ref("house_point.id", index=False, null=True)
    zone: str = ""
    quantity_thousandths: int | None = Field(default=None, sa_type=BIG)
    unit: str = ""
    price_millionths: int | None = Field(default=None, sa_type=BIG)
    before_thousandths: int | None = Field(default=None, sa_type=BIG)
    after_thousandths: int | None = Field(default=None, sa_type=BIG)
    ratio: int = 1
    basis: str = ""


class HousePayment(Row, table=True):
    """Money that came in; ``reference`` keeps one payment from being booked twice."""

    __tablename__ = "house_payment"
    __table_args__ = (UniqueConstraint("house_contract_id", "reference"),)
    id: int | None = big_id()
    house_contract_id: int = ref("house_contract.id", index=False)
    reference: str
    kopecks: int = Field(sa_type=BIG)
    paid_at: datetime
    booked_at: datetime


class HouseNotice(Row, table=True):
    """A notification for one contract, or for all of the utility."""

    __tablename__ = "house_notice"
    id: int | None = big_id()
    supplier_id: int = ref("supplier.id")
    house_contract_id: int | None = ref("house_contract.id", null=True)
    kind: str
    title: str
    words: str
    from_at: datetime | None = None
    to_at: datetime | None = None
    published_at: datetime


class HouseNoticeRead(Row, table=True):
    """That a contract's holder opened a notification."""

    __tablename__ = "house_notice_read"
    notice_id: int = Field(primary_key=True, foreign_key="house_notice.id", sa_type=BIG)
    house_contract_id: int = Field(primary_key=True, foreign_key="house_contract.id", sa_type=BIG)
    read_at: datetime


class HouseAppeal(Row, table=True):
    """An appeal in the books, numbered through the utility."""

    __tablename__ = "house_appeal"
    __table_args__ = (
        UniqueConstraint("house_contract_id", "key"),
        UniqueConstraint("supplier_id", "number"),
    )
    id: int | None = big_id()
    supplier_id: int = ref("supplier.id", index=False)
    house_contract_id: int = ref("house_contract.id", index=False)
    number: int
    key: str
    subject: str
    email: str = ""
    phone: str = ""
    state: str  # AppealState
    due_on: date | None = None
    created_at: datetime
    changed_at: datetime


class HouseMessage(Row, table=True):
    """What was said in an appeal, by the consumer ('') or by somebody of the utility."""

    __tablename__ = "house_message"
    __table_args__ = (UniqueConstraint("appeal_id", "key"),)
    id: int | None = big_id()
    appeal_id: int = ref("house_appeal.id", index=False)
    key: str
    at: datetime
    who: str = ""
    body: str


class HouseFile(Row, table=True):
    """A file that came with what was said."""

    __tablename__ = "house_file"
    id: int | None = big_id()
    message_id: int = ref("house_message.id")
    name: str
    media_type: str
    size: int
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


# -- points, meters, lines ---------------------------------------------------------------------


class ZoneSchedule(Row, table=True):
    """A contract's tariff zones over the day; ``rules`` is read by domain.tariffs."""

    __tablename__ = "zone_schedule"
    id: int | None = big_id()
    name: str
    rules: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class MeteringPoint(Row, table=True):
    """A place where energy is metered, known to the utility by its number."""

    __tablename__ = "metering_point"
    __table_args__ = (UniqueConstraint("supplier_id", "number"),)
    id: int | None = big_id()
    supplier_id: int = ref("supplier.id")
    number: str
    name: str
    time_zone: str = "Europe/Moscow"
    zone_schedule_id: int | None = ref("zone_schedule.id", null=True)


class Line(Row, table=True):
    """A wire, gateway or modem with its lease: one master at a time, by the database's clock."""

    id: int | None = big_id()
    address: str = Field(unique=True)  # canonical text of wire.address
    reach: str = ""  # '': any collector; else only one that announces this tag
    lease_token: str = ""
    lease_holder: str = ""
    lease_until: datetime | None = None
    failures: int = 0  # rounds in a row in which nobody on the line answered
    next_try_at: datetime | None = None
    down_since_at: datetime | None = None
    error_code: str = ""
    error_text: str = ""


class LineStats(Row, table=True):
    """How a line fares, as its collector counted since it took the line; no history."""

    __tablename__ = "line_stats"
    line_id: int = Field(primary_key=True, foreign_key="line.id", sa_type=BIG)
    at: datetime
    counters: dict[str, Any] = json_field()


class Meter(Row, table=True):
    """A device; identity is (maker, serial). ``serial`` is '' until the first visit proves it."""

    __table_args__ = (
        Index(
            "ux_meter_identity",
            "maker",
            "serial",
            unique=True,
            sqlite_where=text("serial <> ''"),
            postgresql_where=text("serial <> ''"),
        ),
    )
    id: int | None = big_id()
    maker: str = ""
    serial: str
    model: str = ""
    driver: str  # DriverSpec.id
    line_id: int = ref("line.id")
    sealed_settings: str = ""  # the driver's settings model as JSON
    identity: dict[str, Any] = json_field()  # as answered last
    learned: dict[str, str] = json_field()  # the driver's habits of this meter
    drift_s: float | None = None  # meter minus UTC at the last visit; shown, never applied
    drift_at: datetime | None = None


class Installation(Row, table=True):
    """A meter at a point from an instant to an instant (None: still), with its dated facts."""

    id: int | None = big_id()
    metering_point_id: int = ref("metering_point.id")
    meter_id: int = ref("meter.id")
    from_at: datetime
    to_at: datetime | None = None
    current_ratio: int = 1
    voltage_ratio: int = 1
    loss_millionths: int = 0  # of the energy: 15000 = 1.5 %
    clock_base_minutes: int = 180  # utc = face - base - (60 if summer)
    register_map: dict[str, str] = json_field()  # 'T1' -> zone name


class MeterState(Row, table=True):
    """When a meter is due, how its last visits went and how long to wait after failures."""

    __tablename__ = "meter_state"
    meter_id: int = Field(primary_key=True, foreign_key="meter.id", sa_type=BIG)
    due_at: datetime = Field(index=True)
    every_minutes: int = 30
    failures: int = 0
    seen_at: datetime | None = None  # last visit that went well
    tried_at: datetime | None = None
    error_code: str = ""
    error_text: str = ""
    stopped: bool = False  # needs a person: wrong password, wrong device
    profile_through_at: datetime | None = None  # end of the newest stored slot
    profile_from_at: datetime | None = None  # start of the oldest stored slot
    profile_done: bool = False  # the cursor has reached the newest record at least once
    journals_at: datetime | None = None  # their next reading is reckoned from it; None: never read
    urgent_at: datetime | None = None  # since when a person waits for this meter


class StoredCursor(Row, table=True):
    """Where to go on at a meter; opaque."""

    __tablename__ = "cursor"
    meter_id: int = Field(primary_key=True, foreign_key="meter.id", sa_type=BIG)
    what: str = Field(primary_key=True)  # 'profile', 'journal/02' …
    scheme: str
    body: str
    at: datetime


# -- profile -----------------------------------------------------------------------------------


class Series(Row, table=True):
    """A run of slots of one source, period, scale and set of channels.

    ``channels``: a 4-bit mask, bit 0 A+, 1 A-, 2 R+, 3 R-.
    """

    __table_args__ = (
        UniqueConstraint(
            "meter_id",
            "metering_point_id",
            "source",
            "minutes",
            "scale_num",
            "scale_den",
            "channels",
            "ratios_applied",
        ),
    )
    id: int | None = big_id()
    meter_id: int | None = ref("meter.id", null=True)
    metering_point_id: int | None = ref("metering_point.id", null=True)
    source: str  # driver, supplier, manual, estimate
    minutes: int
    scale_num: int = Field(sa_type=BIG)  # milliwatt-hours a count, as a fraction
    scale_den: int = Field(sa_type=BIG)
    channels: int
    ratios_applied: bool = False
    # Another number after each change of its blocks, so that sums of them know when they are old.
    mark: int = Field(default=0, sa_type=BIG, sa_column_kwargs={"server_default": "0"})


class Block(Row, table=True):
    """One UTC day of a series, packed by corefast. Day = days since 1970-01-01."""

    __table_args__ = {"sqlite_with_rowid": False}
    series_id: int = Field(primary_key=True, foreign_key="series.id", sa_type=BIG)
    day: int = Field(primary_key=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Revision(Row, table=True):
    """A stored value or its flags changed: what it was, when, why and by whom."""

    __table_args__ = (Index("ix_revision_slot", "series_id", "day", "slot"),)
    id: int | None = big_id()
    series_id: int = ref("series.id", index=False)
    day: int
    slot: int
    old_counts: list[int | None] = Field(default_factory=list, sa_type=JSON)
    old_flags: int
    at: datetime
    why: str
    actor: str


class LedgerGap(Row, table=True):
    """A span without values: open (ask again), gone (the meter no longer has it)."""

    __tablename__ = "gap"
    id: int | None = big_id()
    meter_id: int = ref("meter.id")
    from_at: datetime
    to_at: datetime
    state: str = "open"  # open, gone, filled
    reason: str = ""  # not_written, not_read, garbled, in_doubt
    tries: int = 0
    next_try_at: datetime | None = None
    noted_at: datetime


class RegisterReading(Row, table=True):
    """A meter's register at an instant, as its face shows it (secondary), whole Wh or varh."""

    __tablename__ = "register_reading"
    __table_args__ = {"sqlite_with_rowid": False}
    meter_id: int = Field(primary_key=True, foreign_key="meter.id", sa_type=BIG)
    obis: str = Field(primary_key=True)
    taken_at: datetime = Field(primary_key=True)
    value: int = Field(sa_type=BIG)
    source: str = "driver"
    day_start: bool = False  # the register at the start of a day, kept by the meter


class BalanceCheck(Row, table=True):
    """Registers against the sum of slots between two instants of one meter."""

    __tablename__ = "balance_check"
    __table_args__ = (UniqueConstraint("meter_id", "obis", "from_at", "to_at"),)
    id: int | None = big_id()
    meter_id: int = ref("meter.id")
    obis: str
    from_at: datetime
    to_at: datetime
    state: str  # ok, in_doubt, not_checkable
    registers_wh: int | None = Field(default=None, sa_type=BIG)
    slots_wh: int | None = Field(default=None, sa_type=BIG)
    rereads: int = 0
    at: datetime


class MeterEvent(Row, table=True):
    """An event of a meter: an entry of one of its journals, or what the hub saw of it.

    ``began_face`` is its clock as shown, 'S' or 'W' after it where it keeps a season, 'Z' for UTC;
    ``began_at`` is that face by the clock base.
    """

    __tablename__ = "meter_event"
    __table_args__ = (
        UniqueConstraint("meter_id", "key"),
        Index("ix_meter_event_began", "meter_id", "began_at"),
    )
    id: int | None = big_id()
    meter_id: int = ref("meter.id", index=False)
    key: str  # JournalEntry.key
    source: str  # meter, hub
    book: str  # of the meter; '' of the hub
    kind: str  # a name of domain.events, or 'unknown'
    nth: int = 0  # of several that began in one second
    began_face: str
    began_at: datetime
    ended_face: str = ""
    ended_at: datetime | None = None
    phase: int | None = None
    severity: str
    detail: dict[str, str] = json_field()
    raw: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    first_seen_at: datetime
    changed_at: datetime


class LastValues(Row, table=True):
    """What a meter showed last: one row for each of 'snapshot', 'recent', 'state' and 'fixed'."""

    __tablename__ = "last_values"
    __table_args__ = {"sqlite_with_rowid": False}
    meter_id: int = Field(primary_key=True, foreign_key="meter.id", sa_type=BIG)
    what: str = Field(primary_key=True)
    at: datetime
    shown: str = ""  # the meter's face then
    body: dict[str, Any] = json_field()


class Glance(Row, table=True):
    """An open page's wish for a meter's values of now; written over by the next one."""

    meter_id: int = Field(primary_key=True, foreign_key="meter.id", sa_type=BIG)
    user_id: int = Field(sa_type=BIG)  # who asked last; no key: an account may go meanwhile
    asked_at: datetime
    answered_at: datetime | None = None  # values came, or it failed
    error_code: str = ""


# -- clocks and orders -------------------------------------------------------------------------


class ClockDrift(Row, table=True):
    """Meter minus UTC at a visit; kept where it tells something new (services.clock_discipline)."""

    __tablename__ = "clock_drift"
    __table_args__ = {"sqlite_with_rowid": False}
    meter_id: int = Field(primary_key=True, foreign_key="meter.id", sa_type=BIG)
    at: datetime = Field(primary_key=True)
    drift_s: float
    round_trip_s: float


class ClockPolicy(Row, table=True):
    """How the clocks of a utility's meters are kept right; without a row they are left alone.

    ``from_hour`` and ``to_hour`` are of the point's day; equal: at any hour.
    """

    __tablename__ = "clock_policy"
    supplier_id: int = Field(primary_key=True, foreign_key="supplier.id", sa_type=BIG)
    enabled: bool = False
    threshold_s: int = 5  # a clock that is off by less is well
    farthest_s: int = 900  # one that is off by more is a person's matter
    from_hour: int = 0
    to_hour: int = 0


class StoredConsent(Row, table=True):
    """Leave to do one act to one meter once, and what became of it.

    It is spent before the bytes leave. Spent without an outcome after its visit: unknown.
    """

    __tablename__ = "consent"
    id: int | None = big_id()
    act: str  # Act
    meter_id: int = ref("meter.id")
    parameters: dict[str, Any] = json_field()
    actor: str  # who gave it; 'policy': the utility's clock policy
    reason: str
    given_at: datetime
    until: datetime
    spent_at: datetime | None = None
    outcome: str = ""  # '': waits; confirmed, started, refused, unknown, expired, withdrawn
    outcome_at: datetime | None = None
    note: str = ""


# -- what happens after a commit ---------------------------------------------------------------


class Outbox(Row, table=True):
    """Delayed work and signals: delivered at least once; ``key`` makes it once for the receiver."""

    __table_args__ = (
        Index("ix_outbox_due", "done_at", "due_at"),
        # Pages look for ids above the last one they saw, so an id is never given twice.
        {"sqlite_autoincrement": True},
    )
    id: int | None = big_id()
    kind: str  # mail, changed, contract_refresh
    key: str = Field(unique=True)
    body: dict[str, Any] = json_field()
    created_at: datetime
    due_at: datetime
    claim_token: str = ""
    claimed_until: datetime | None = None
    attempts: int = 0
    done_at: datetime | None = None
    error: str = ""


class Mail(Row, table=True):
    """Mails of the demo, read on a page instead of being sent."""

    id: int | None = big_id()
    key: str = Field(unique=True)
    recipient: str
    subject: str
    text: str
    html: str = ""
    link: str = ""
    at: datetime


class Audit(Row, table=True):
    """Who did what to what."""

    id: int | None = big_id()
    at: datetime
    actor: str
    act: str
    target: str
    detail: dict[str, Any] = json_field()
