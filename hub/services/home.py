"""The main page's data in one unit of the store: frame, contract, balance, readings, usage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.errors import Missing
from hub.plugins.api import SupplierCard
from hub.services import appeals, notices
from hub.services.appeals import AppealView
from hub.services.attention import Due, due_in
from hub.services.cards import card_of
from hub.services.clock import utc_now
from hub.services.notices import NoticeView
from hub.services.points import PointCard, cards_of, installed_at
from hub.services.shell import ShellView, shell_in
from hub.services.submissions import BilledReading, SubmissionForm, billed_in, forms_in
from hub.services.usage import ContractUsage, usage_in
from hub.store import contracts
from hub.store import points as stored
from hub.store.accounts import SignedIn
from hub.store.unit import Store, Unit

LATEST = 3  # notifications and appeals on the main page


@dataclass(frozen=True, slots=True)
class ContractCard:
    """A contract with its supplier. ``balance_kopecks`` positive: in credit; None: not told."""

    id: int
    name: str
    number: str
    holder: str
    address: str
    supplier: SupplierCard
    balance_kopecks: int | None
    balance_at: datetime | None
    refreshed_at: datetime | None
    refresh_error: str


@dataclass(frozen=True, slots=True)
class HomePage:
    """``usage`` is None where no point has a place that the hub measures.

    By point, ``billed``: what the supplier bills by; ``due``: what waits for a person; ``forms``:
    of those that people read. The newest ``notices`` and ``appeals``.
    """

    shell: ShellView
    contract: ContractCard
    points: tuple[PointCard, ...]
    usage: ContractUsage | None
    due: Mapping[int, Due]
    billed: Mapping[int, tuple[BilledReading, ...]]
    forms: Mapping[int, SubmissionForm]
    notices: tuple[NoticeView, ...]
    appeals: tuple[AppealView, ...]


@dataclass(frozen=True, slots=True)
class PointsPage:
    """«Точки учета»: the frame, the contract's points, and their month so far for the rows.

    ``billed`` and ``forms``: see ``HomePage``.
    """

    shell: ShellView
    points: tuple[PointCard, ...]
    usage: ContractUsage | None
    billed: Mapping[int, tuple[BilledReading, ...]]
    forms: Mapping[int, SubmissionForm]


class Home:
    """Reads whole pages of a contract for its owner."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def page(self, who: SignedIn, contract_id: int) -> HomePage:
        """Give the main page of a contract; Missing if it is not this user's."""
        now = self.clock()
        with self.store.read() as unit:
            shell = shell_in(unit, who, contract_id)
            contract = contract_in(unit, who.user_id, contract_id)
            rows = stored.of_contract(unit, who.user_id, contract_id)
            installed = installed_at(unit, rows)
            points = tuple(cards_of(unit, rows, installed, now))
            forms = forms_in(unit, [row for row in rows if not row.smart], now)
            return HomePage(
                shell,
                contract,
                points,
                usage_in(unit, rows, now, installed),
                due_in(rows, forms, now),
                billed_in(unit, [row.id for row in rows]),
                forms,
                notices.latest_in(unit, who.user_id, contract_id, LATEST),
                appeals.latest_in(unit, who.user_id, contract_id, LATEST),
            )

    def points(self, who: SignedIn, contract_id: int) -> PointsPage:
        """Give the list of a contract's points; Missing if it is not this user's."""
        now = self.clock()
        with self.store.read() as unit:
            shell = shell_in(unit, who, contract_id)
            rows = stored.of_contract(unit, who.user_id, contract_id)
            installed = installed_at(unit, rows)
            points = tuple(cards_of(unit, rows, installed, now))
            return PointsPage(
                shell,
                points,
                usage_in(unit, rows, now, installed),
                billed_in(unit, [row.id for row in rows]),
                forms_in(unit, [row for row in rows if not row.smart], now),
            )


def contract_in(unit: Unit, user_id: int, contract_id: int) -> ContractCard:
    """Find a contract of this user."""
    row = contracts.one(unit, user_id, contract_id)
    if row is None:
        raise Missing
    return ContractCard(
        id=row.id,
        name=row.name,
        number=row.number,
        holder=row.holder,
        address=row.address,
        supplier=card_of(row.supplier, row.card),
        balance_kopecks=row.balance_kopecks,
        balance_at=row.balance_at,
        refreshed_at=row.refreshed_at,
        refresh_error=row.refresh_error,
    )
