"""What the frame of every page shows: who is signed in, the contracts, the current one."""

from dataclasses import dataclass
from datetime import datetime

from hub.errors import CredentialsRejected, Missing, SupplierDown, TooManyRequests
from hub.services.pieces import DEFAULT_ZONE
from hub.store import contracts as stored
from hub.store import told
from hub.store.accounts import SignedIn
from hub.store.contracts import ListedContract
from hub.store.unit import Store, Unit


@dataclass(frozen=True, slots=True)
class PanelContract:
    """A line of the panel; ``unread``: how many notifications nobody has opened."""

    id: int
    name: str
    supplier: str
    number: str
    connector: str = ""
    unread: int = 0


@dataclass(frozen=True, slots=True)
class OldNews:
    """The supplier of a contract can't be asked: what it told is of ``as_of`` (None: nothing).

    ``kind``: down (no answer), login (refused; its owner has to act), answer (not understood).
    ``since``: the first time that it could not be asked; ``next_try_at`` None: the hub does not try
    by itself.
    """

    supplier: str
    kind: str
    as_of: datetime | None
    next_try_at: datetime | None
    time_zone: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShellView:
    """``current`` is the contract that the page belongs to, else the last used, else none."""

    user_id: int
    full_name: str
    email: str
    role: str
    language: str
    theme: str
    contracts: tuple[PanelContract, ...]
    current: PanelContract | None
    unread: int = 0  # notifications of the current contract
    old_news: OldNews | None = None  # of the current contract


class Shell:
    """Reads the frame of a page."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def look(self, who: SignedIn, contract_id: int | None = None) -> ShellView:
        """Show the frame; Missing if the page's contract is not this user's."""
        with self.store.read() as unit:
            return shell_in(unit, who, contract_id)


def shell_in(unit: Unit, who: SignedIn, contract_id: int | None = None) -> ShellView:
    """Show the frame from a unit that is open for the page's data too."""
    unread = told.unread(unit, who.user_id)
    listed = stored.listed(unit, who.user_id)
    contracts = tuple(_panel(row, unread) for row in listed)
    by_id = {contract.id: contract for contract in contracts}
    if contract_id is not None and contract_id not in by_id:
        raise Missing
    last = by_id.get(who.last_contract_id or 0)
    current = last or (contracts[0] if contracts else None)
    if contract_id is not None:
        current = by_id[contract_id]
    return ShellView(
        user_id=who.user_id,
        full_name=who.full_name,
        email=who.email,
        role=who.role,
        language=who.language,
        theme=who.theme,
        contracts=contracts,
        current=current,
        unread=unread.get(current.id, 0) if current else 0,
        old_news=next(
            (
                _old_news(unit, row)
                for row in listed
                if current and row.id == current.id and row.refresh_error
            ),
            None,
        ),
    )


def _old_news(unit: Unit, row: ListedContract) -> OldNews:
    state = told.state(unit, row.id)
    kinds = {
        SupplierDown.code: "down",
        TooManyRequests.code: "down",
        CredentialsRejected.code: "login",
    }
    return OldNews(
        row.supplier,
        kinds.get(row.refresh_error, "answer"),
        row.refreshed_at,
        None if state is None or state.stopped else state.due_at,
        told.zone_of_contract(unit, row.id) or DEFAULT_ZONE,
        None if state is None else state.failing_since,
    )


def _panel(row: ListedContract, unread: dict[int, int]) -> PanelContract:
    return PanelContract(
        row.id, row.name, row.supplier, row.number, row.connector, unread.get(row.id, 0)
    )
