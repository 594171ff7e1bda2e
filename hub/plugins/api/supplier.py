"""Nouns and protocols of supplier connectors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

from hub.domain.consent import Consent
from hub.domain.journal import JournalEntry
from hub.domain.pages import Cursor, Page
from hub.domain.profile import Channel, SlotMark
from hub.plugins.api.settings import PluginSettings

if TYPE_CHECKING:
    from hub.plugins.api.desk import Desk

INST = TypeVar("INST", bound=PluginSettings)
ACC = TypeVar("ACC", bound=PluginSettings)


class Does(StrEnum):
    CARD = "card"
    CONTRACT = "contract"
    BALANCE = "balance"
    POINTS = "points"
    READINGS = "readings"
    PROFILE = "profile"
    JOURNAL = "journal"
    SUBMIT = "submit"
    SUBMISSIONS = "submissions"
    NOTICES = "notices"
    NOTICES_READ = "notices_read"
    APPEALS = "appeals"
    APPEAL_REPLIES = "appeal_replies"
    APPEAL_FILES = "appeal_files"
    TARIFFS = "tariffs"
    PAYMENTS = "payments"
    BILLS = "bills"


class LinkBy(Enum):
    ACCOUNT = auto()
    CODE = auto()


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str = "RUB"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierCard:
    name: str
    phones: Sequence[str] = ()
    email: str = ""
    site: str = ""
    address: str = ""
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    number: str
    holder: str
    address: str
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    money: Money  # positive: in credit
    as_of: datetime


class Resource(StrEnum):
    ELECTRICITY = "electricity"
    WATER = "water"
    GAS = "gas"
    HEAT = "heat"
    OTHER = "other"


class PointFact(StrEnum):
    """The fields of «Общая информация» (T4) that have no field of their own in Point."""

    MODEL = "model"
    REGISTRY_NUMBER = "registry_number"
    COMMISSIONED_ON = "commissioned_on"
    VERIFIED_ON = "verified_on"
    NEXT_VERIFICATION_ON = "next_verification_on"
    INSTRUMENT_VERIFIED_ON = "instrument_verified_on"
    TARIFF = "tariff"
    ACCURACY_CLASS = "accuracy_class"
    NOMINAL_VOLTAGE = "nominal_voltage"
    BASE_MAX_CURRENT = "base_max_current"
    POWER_LIMIT = "power_limit"
    RELAY_STATE = "relay_state"
    CURRENT_RATIO = "current_ratio"
    VOLTAGE_RATIO = "voltage_ratio"
    LOSS_FACTOR = "loss_factor"
    NORM_HOUR = "norm_hour"
    NORM_DAY = "norm_day"
    NORM_MONTH = "norm_month"


class TransformerFact(StrEnum):
    """The fields of «Трансформаторы тока и напряжения» (T8)."""

    MODEL = "model"
    SERIAL = "serial"
    REGISTRY_NUMBER = "registry_number"
    PLACE = "place"
    COMMISSIONED_ON = "commissioned_on"
    VERIFIED_ON = "verified_on"
    NEXT_VERIFICATION_ON = "next_verification_on"
    NOMINAL_VOLTAGE = "nominal_voltage"
    PRIMARY_CURRENT = "primary_current"
    SECONDARY_CURRENT = "secondary_current"
    FREQUENCY = "frequency"
    ACCURACY_CLASS = "accuracy_class"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerCard:
    """One transformer of one phase, from a date to a date."""

    kind: str  # current, voltage
    phase: int  # 1, 2, 3
    facts: Mapping[TransformerFact, str]
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Facts are plain text; dates in them are ISO, decimals have a point.

    ``smart``: it reports by itself, so half-hours are asked for it. ``time_zone``: a name of the
    IANA database, by which its days are cut; '' is the hub's own.
    """

    id: str
    name: str = ""
    number: str = ""
    meter_serial: str = ""
    resource: Resource = Resource.ELECTRICITY
    unit: str = "kWh"
    smart: bool = False
    place: str = ""
    tariff_zones: Sequence[str] = ()
    whole_digits: int | None = None
    decimal_digits: int | None = None
    submit_from_day: int | None = None
    submit_to_day: int | None = None
    facts: Mapping[PointFact, str] | None = None
    transformers: Sequence[TransformerCard] = ()
    time_zone: str = ""


class Basis(StrEnum):
    """How a calculated reading came about."""

    ACCEPTED = "accepted"
    AVERAGE = "average"
    NORM = "norm"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierReading:
    point_id: str
    zone: str
    taken_on: date
    value: Decimal
    source: str  # ours, theirs, estimated
    calculated: Basis | None = None  # set: the supplier bills by this one («Расчетные»)
    ratios_applied: bool = False  # True: never multiplied again
    remote_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierSlot:
    starts_at: datetime  # aware UTC
    minutes: int
    energy: Mapping[Channel, Decimal]  # kWh, kvarh, as many decimals as were sent
    ratios_applied: bool
    marks: SlotMark = SlotMark(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    key: str  # the same key means the same submission
    point_id: str
    taken_on: date
    values: Mapping[str, Decimal]


class SubmissionState(Enum):
    ACCEPTED = auto()
    QUEUED = auto()  # taken, to be decided later
    ALREADY_THERE = auto()
    REFUSED = auto()  # only told later; refused at once is SubmissionRejected


@dataclass(frozen=True, slots=True)
class Receipt:
    state: SubmissionState
    remote_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionNews:
    """What became of a submission; ``key`` is ours where the supplier keeps it."""

    remote_id: str
    state: SubmissionState
    changed_at: datetime
    reason: str = ""  # of a refusal, in the supplier's words
    key: str = ""


class NoticeKind(StrEnum):
    DEBT = "debt"
    PLANNED_WORK = "planned_work"
    OUTAGE = "outage"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """``from_at`` to ``to_at``: when the planned work or the outage is, where it has a time."""

    remote_id: str
    kind: NoticeKind
    published_at: datetime
    title: str
    text: str
    from_at: datetime | None = None
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDraft:
    key: str
    subject: str
    text: str
    email: str
    phone: str
    topic: str = ""  # from topics(), where the supplier has such a list
    attachments: Sequence[Attachment] = ()  # only for connectors that do APPEAL_FILES


class AppealState(StrEnum):
    SENT = "sent"
    IN_WORK = "in_work"
    ANSWERED = "answered"
    CLOSED = "closed"
    REFUSED = "refused"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFile:
    """A file of an appeal's thread; ``message`` is the place of its message there, from 0."""

    remote_id: str
    message: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """``thread`` is when, who, what, oldest first; who is '' for the consumer.

    ``key`` is that of the draft, where the supplier keeps it; else a lost answer leads to a
    question to the user.
    """

    remote_id: str
    state: AppealState
    remote_state: str  # as the supplier words it
    changed_at: datetime
    number: str = ""  # as shown to people
    due_on: date | None = None
    thread: Sequence[tuple[datetime, str, str]] = ()
    subject: str = ""
    key: str = ""
    files: Sequence[ThreadFile] = ()  # all that the thread has, those of the consumer too


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A price of one unit of the point's resource; zone '': the fixed part, a month.

    ``point_id`` '': of all points of the contract. ``valid_to`` is the last day.
    """

    zone: str
    price: Money
    valid_from: date
    valid_to: date | None = None
    point_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    remote_id: str
    paid_at: datetime
    amount: Money
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One charge and what it is made of: quantity x price, rounded once.

    ``quantity`` is (``after`` - ``before``) x ``ratio`` where registers made it.
    """

    text: str
    amount: Money
    point_id: str = ""
    zone: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    price: Money | None = None
    before: Decimal | None = None
    after: Decimal | None = None
    ratio: int = 1
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """``month`` is its first day; the amounts of ``lines`` add up to ``amount``."""

    remote_id: str
    month: date
    amount: Money
    has_file: bool = False
    lines: Sequence[BillLine] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """Something only the user can answer: a code, a captcha."""

    kind: str  # code, captcha, choice
    prompt: str  # message id
    image: bytes = b""
    resume: str = ""  # opaque, given back with the answer


@dataclass(frozen=True, slots=True)
class Account:
    remote_id: str  # the supplier's own id: guards against a swapped login
    label: str


class SupplierConnector(Protocol):
    """The part every connector has."""

    async def sign_in(self, desk: "Desk") -> Account:
        """Prove the credentials; raise CredentialsRejected or ChallengeNeeded(challenge)."""

    async def answer(self, desk: "Desk", challenge: Challenge, reply: str) -> Account: ...

    def does(self, account: Account) -> frozenset[Does]: ...


@runtime_checkable
class HasCard(Protocol):
    async def card(self, desk: "Desk") -> SupplierCard: ...


@runtime_checkable
class HasContract(Protocol):
    async def contract(self, desk: "Desk") -> Contract: ...


@runtime_checkable
class HasBalance(Protocol):
    async def balance(self, desk: "Desk") -> Balance: ...


@runtime_checkable
class HasPoints(Protocol):
    async def points(self, desk: "Desk") -> Sequence[Point]: ...


@runtime_checkable
class HasReadings(Protocol):
    async def readings(self, desk: "Desk", since: Cursor | None) -> Page[SupplierReading]: ...


@runtime_checkable
class HasProfile(Protocol):
    async def profile(
        self, desk: "Desk", point_id: str, since: Cursor | None
    ) -> Page[SupplierSlot]:
        """Tell a point's half-hours, oldest first; Missing for a point that has none.

        A cursor may be kept in front of slots that still change: what is told again is revised.
        """


@runtime_checkable
class HasJournal(Protocol):
    async def journal(
        self, desk: "Desk", point_id: str, since: Cursor | None
    ) -> Page[JournalEntry]: ...


@runtime_checkable
class AcceptsReadings(Protocol):
    async def submit(self, desk: "Desk", submission: Submission, consent: Consent) -> Receipt:
        """Raise SubmissionRejected(reason), or SubmissionUncertain if the answer was lost."""


@runtime_checkable
class TellsSubmissions(Protocol):
    async def submissions(self, desk: "Desk", since: Cursor | None) -> Page[SubmissionNews]:
        """Tell what became of submissions since then, whoever sent them."""


@runtime_checkable
class HasNotices(Protocol):
    async def notices(self, desk: "Desk", since: Cursor | None) -> Page[Notice]: ...


@runtime_checkable
class TakesNoticesRead(Protocol):
    async def notice_read(self, desk: "Desk", remote_id: str) -> None:
        """Tell the supplier that its notice was opened; twice is no error."""


@runtime_checkable
class TakesAppeals(Protocol):
    async def topics(self, desk: "Desk") -> Mapping[str, str]:
        """Empty: the subject is free text."""

    async def create_appeal(self, desk: "Desk", draft: AppealDraft, consent: Consent) -> Appeal: ...
    async def appeals(self, desk: "Desk", since: Cursor | None) -> Page[Appeal]: ...
    async def appeal(self, desk: "Desk", remote_id: str) -> Appeal: ...


@runtime_checkable
class ContinuesAppeals(Protocol):
    async def reply(
        self, desk: "Desk", remote_id: str, draft: AppealDraft, consent: Consent
    ) -> Appeal: ...


@runtime_checkable
class TakesAppealFiles(Protocol):
    """Passes ``AppealDraft.attachments`` on: at most 5, JPEG, PNG, WebP or PDF, of 10 MiB each."""

    async def appeal_file(self, desk: "Desk", remote_id: str, file_id: str) -> Attachment:
        """Give a file that ``Appeal.files`` told of; above 10 MiB it is not kept."""


@runtime_checkable
class HasTariffs(Protocol):
    async def tariffs(self, desk: "Desk", on: date) -> Sequence[Tariff]: ...


@runtime_checkable
class HasPayments(Protocol):
    async def payments(self, desk: "Desk", since: Cursor | None) -> Page[Payment]: ...

    async def payment_page(self, desk: "Desk", amount: Money) -> str:
        """Give an https link on a host of the installation. The hub never takes card data."""


@runtime_checkable
class HasBills(Protocol):
    async def bills(self, desk: "Desk", since: Cursor | None) -> Page[Bill]: ...
    async def bill_file(self, desk: "Desk", remote_id: str) -> Attachment: ...


class Books(Protocol):
    """hub/services/books.py: the in-house books, seen as one contract's access sees them.

    Whatever is not on the account's contract is ``Missing``. The same key of a submission or of
    a draft means the same one: nothing is entered twice.
    """

    async def sign_in(self, login: str, password: str) -> Account:
        """Prove the contract's login and password; CredentialsRejected."""

    async def by_number(self, number: str) -> Account:
        """Find the contract whose holder the hub has proved by a code; CredentialsRejected."""

    async def card(self) -> SupplierCard: ...
    async def contract(self, account: Account) -> Contract: ...
    async def balance(self, account: Account) -> Balance: ...
    async def points(self, account: Account) -> Sequence[Point]: ...
    async def readings(self, account: Account, since: Cursor | None) -> Page[SupplierReading]: ...
    async def submit(self, account: Account, submission: Submission) -> Receipt:
        """Take readings in; SubmissionRejected with the reason."""

    async def submissions(self, account: Account, since: Cursor | None) -> Page[SubmissionNews]: ...
    async def notices(self, account: Account, since: Cursor | None) -> Page[Notice]: ...
    async def notice_read(self, account: Account, remote_id: str) -> None: ...
    async def create_appeal(self, account: Account, draft: AppealDraft) -> Appeal: ...
    async def reply(self, account: Account, remote_id: str, draft: AppealDraft) -> Appeal: ...
    async def appeals(self, account: Account, since: Cursor | None) -> Page[Appeal]: ...
    async def appeal(self, account: Account, remote_id: str) -> Appeal: ...
    async def appeal_file(self, account: Account, remote_id: str, file_id: str) -> Attachment: ...
    async def tariffs(self, account: Account, on: date) -> Sequence[Tariff]: ...
    async def payments(self, account: Account, since: Cursor | None) -> Page[Payment]: ...
    async def bills(self, account: Account, since: Cursor | None) -> Page[Bill]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierSpec(Generic[INST, ACC]):
    """What hub_supplier_connectors returns."""

    id: str
    title: str
    regions: Sequence[str]
    installation: type[INST]  # set by an operator: base address, operator's login
    account: type[ACC]  # set by a consumer: login, password
    link_by: LinkBy
    hosts: Callable[[INST], frozenset[str]]  # the only hosts Http will reach
    build: Callable[[INST, ACC], SupplierConnector]
    may: frozenset[Does]
    wants: frozenset[str] = frozenset()  # 'books', 'drop'
    every: timedelta = timedelta(hours=6)
