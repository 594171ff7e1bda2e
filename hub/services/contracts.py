"""Contracts: what suppliers there are, linking one, renaming, and which is current.

Linking asks the supplier through its connector, outside of any unit of the store, and then stores
all it told in one transaction under (installation, account).
"""

import asyncio
import hashlib
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import structlog
from anyio import to_thread
from pydantic import SecretStr, ValidationError

from hub.domain.contracts import clean_name, joined
from hub.errors import (
    AnswerChanged,
    ContractAlreadyLinked,
    ContractBroken,
    HubError,
    InputRefused,
    Missing,
    NotSupported,
    SupplierDown,
    TooManyAttempts,
)
from hub.plugins.api import (
    Account,
    Balance,
    Contract,
    Desk,
    Does,
    HasBalance,
    HasCard,
    HasContract,
    HasPoints,
    LinkBy,
    Point,
    SupplierCard,
    SupplierConnector,
    SupplierSpec,
)
from hub.services.books import HouseBooks, card_dict
from hub.services.clock import utc_now
from hub.services.desk import desk_for
from hub.services.passwords import Passwords
from hub.store import accounts, outbox, tables
from hub.store import contracts as stored
from hub.store.contracts import ListedContract
from hub.store.unit import Store, Unit

PATIENCE = 20.0  # seconds a consumer waits for the supplier
TRIES = timedelta(minutes=15)
TRIES_BY_LOGIN = 5
TRIES_BY_USER = 20
KOPECKS = Decimal(100)
LONGEST_TEXT = 500

T = TypeVar("T")

log = structlog.get_logger("hub.contracts")


class Connectors(Protocol):
    """The part of the plugin manager's ``Plugins`` that this service needs."""

    @property
    def connectors(self) -> Mapping[str, SupplierSpec[Any, Any]]: ...

    def connector(self, connector_id: str, /) -> SupplierSpec[Any, Any]: ...


@dataclass(frozen=True, slots=True)
class SupplierChoice:
    """A line of «Поставщик»; ``hint``, a catalog key, says what the login is."""

    id: int
    title: str
    hint: str = ""


@dataclass(slots=True)
class Told:
    """What a supplier told of one account."""

    account: Account
    does: frozenset[Does]
    card: SupplierCard | None = None
    contract: Contract | None = None
    balance: Balance | None = None
    points: list[Point] = field(default_factory=list)


class Contracts:
    """Contracts of consumers; every id is looked up through its owner."""

    def __init__(
        self,
        store: Store,
        plugins: Connectors,
        passwords: Passwords,
        clock: Callable[[], datetime] = utc_now,
        patience: float = PATIENCE,
    ) -> None:
        self.store = store
        self.plugins = plugins
        self.passwords = passwords
        self.clock = clock
        self.patience = patience

    def suppliers(self) -> list[SupplierChoice]:
        """List the suppliers whose connector is loaded and asks for the consumer's own login."""
        with self.store.read() as unit:
            rows = stored.suppliers(unit)
        found = []
        for row in rows:
            spec = self.plugins.connectors.get(row.connector)
            if spec is not None and spec.link_by is LinkBy.ACCOUNT:
                found.append(SupplierChoice(row.id or 0, row.title, _hint(spec)))
        return found

    def listed(self, user_id: int) -> list[ListedContract]:
        with self.store.read() as unit:
            return stored.listed(unit, user_id)

    def rename(self, user_id: int, contract_id: int, name: str) -> str:
        """Rename and give the name as it is kept; InputRefused for an empty one, Missing."""
        name = _checked_name(name)
        with self.store.write() as unit:
            if not stored.rename(unit, user_id, contract_id, name):
                raise Missing
        return name

    def use(self, user_id: int, contract_id: int) -> None:
        """Remember the contract as the last used; Missing for anybody else's."""
        with self.store.write() as unit:
            if stored.one(unit, user_id, contract_id) is None:
                raise Missing
            accounts.set_last_contract(unit, user_id, contract_id)

    async def link(
        self, user_id: int, supplier_id: int, name: str, login: str, password: str
    ) -> int:
        """Prove the login at the supplier, store what it tells, and give the contract's id.

        Raises InputRefused, TooManyAttempts, CredentialsRejected, SupplierDown (also after 20 s),
        ContractAlreadyLinked(name=…, contract_id=…), Missing for an unknown supplier, or the
        PluginError of a connector that failed.
        """
        name = _checked_name(name)
        row = await to_thread.run_sync(self._supplier, user_id, supplier_id, login)
        spec = self.plugins.connector(row.connector)
        settings = _account_settings(spec, login, password)
        told = await self.ask(row, spec, settings, user_id)
        return await to_thread.run_sync(self._store, user_id, supplier_id, name, settings, told)

    # -- the supplier --------------------------------------------------------------------------

    def _supplier(self, user_id: int, supplier_id: int, login: str) -> tables.Supplier:
        """Find the supplier and count the try before anybody is asked."""
        now = self.clock()
        with self.store.write() as unit:
            row = stored.supplier(unit, supplier_id)
            if row is None:
                raise Missing("There is no such supplier; choose one from the list.")
            counts = [
                accounts.count_attempt(unit, kind, _subject(subject), TRIES, now)[0] <= most
                for kind, subject, most in (
                    ("link_login", f"{supplier_id} {login}", TRIES_BY_LOGIN),
                    ("link_user", str(user_id), TRIES_BY_USER),
                )
            ]
        if not all(counts):
            raise TooManyAttempts
        return row

    async def ask(
        self, row: tables.Supplier, spec: SupplierSpec[Any, Any], settings: Any, user_id: int
    ) -> Told:
        """Ask a connector for all it can tell, within the patience of a person."""
        if spec.link_by is not LinkBy.ACCOUNT:
            raise NotSupported("This supplier links contracts by a code, not by a login.")
        try:
            installation = spec.installation.model_validate_json(self._installation(row))
        except ValidationError as error:
            raise ContractBroken(
                f"The settings of '{row.title}' no longer fit its connector; set them anew."
            ) from error
        if spec.hosts(installation):
            raise NotSupported("This version of the hub lets no connector out over HTTP.")
        books = None
        if "books" in spec.wants:
            books = HouseBooks(self.store, row.id or 0, self.passwords)
        desk = desk_for(spec.id, self.clock, books=books)
        try:
            async with asyncio.timeout(self.patience):
                return await _told(spec.build(installation, settings), desk)
        except TimeoutError as error:
            raise SupplierDown from error
        except HubError:
            raise
        except Exception as error:  # a plugin may do anything; the consumer gets one sentence
            # Where and what kind, but not its words: they may quote what was typed.
            at = traceback.extract_tb(error.__traceback__)[-1]
            log.error(  # noqa: TRY400 - as above
                "connector failed",
                connector=spec.id,
                supplier=row.id,
                user=user_id,
                error=type(error).__name__,
                at=f"{at.filename}:{at.lineno} {at.name}",
            )
            raise ContractBroken(
                f"The connector '{spec.id}' failed while it was asked; 'hub plugin list' names "
                "its maker."
            ) from error

    def _installation(self, row: tables.Supplier) -> str:
        if not row.sealed_settings:
            return "{}"
        return self.store.secrets.open(
            row.sealed_settings, table="supplier", row=row.id or 0, field="settings"
        )

    # -- storing -------------------------------------------------------------------------------

    def _store(self, user_id: int, supplier_id: int, name: str, settings: Any, told: Told) -> int:
        now = self.clock()
        remote_id = told.account.remote_id
        with self.store.write() as unit:
            known = stored.linked(unit, user_id, supplier_id, remote_id)
            if known is not None:
                raise ContractAlreadyLinked(name=known.name, contract_id=known.id)
            contract = told.contract
            contract_id = stored.add_contract(
                unit,
                tables.Contract(
                    user_id=user_id,
                    supplier_id=supplier_id,
                    remote_id=remote_id,
                    name=name,
                    number=_text(contract.number if contract else told.account.label),
                    holder=_text(contract.holder if contract else ""),
                    address=_text(contract.address if contract else ""),
                    does=sorted(does.value for does in told.does),
                    balance_kopecks=_kopecks(told.balance),
                    balance_at=told.balance.as_of if told.balance else None,
                    linked_at=now,
                    refreshed_at=now,
                ),
            )
            sealed = unit.secrets.seal(
                _plain(settings), table="contract", row=contract_id, field="settings"
            )
            stored.seal_account(unit, contract_id, sealed)
            if told.card is not None:
                stored.set_card(unit, supplier_id, card_dict(told.card))
            _store_points(unit, supplier_id, contract_id, told.points, now)
            accounts.set_last_contract(unit, user_id, contract_id)
            outbox.signal(unit, {"contract": contract_id, "user": user_id})
        return contract_id


async def _told(connector: SupplierConnector, desk: Desk) -> Told:
    """Sign in and ask for everything that the connector says it does for this account."""
    account = await connector.sign_in(desk)
    told = Told(account, connector.does(account))
    if isinstance(connector, HasCard) and Does.CARD in told.does:
        told.card = await _or_none(connector.card(desk))
    if isinstance(connector, HasContract) and Does.CONTRACT in told.does:
        told.contract = await _or_none(connector.contract(desk))
    if isinstance(connector, HasBalance) and Does.BALANCE in told.does:
        told.balance = await _or_none(connector.balance(desk))
    if isinstance(connector, HasPoints) and Does.POINTS in told.does:
        told.points = list(await _or_none(connector.points(desk)) or ())
    return told


async def _or_none(answer: Awaitable[T]) -> T | None:
    """Give the answer; None where the supplier has no such thing for this account."""
    try:
        return await answer
    except Missing:
        return None


def _store_points(
    unit: Unit, supplier_id: int, contract_id: int, points: list[Point], now: datetime
) -> None:
    numbers = [point.number.strip() for point in points if point.number.strip()]
    places = stored.places(unit, supplier_id, numbers, now)
    rows = [
        tables.ContractPoint(
            contract_id=contract_id,
            metering_point_id=joined(point.number, point.meter_serial, places),
            remote_id=point.id,
            name=_text(point.name or point.number or point.meter_serial),
            number=_text(point.number),
            meter_serial=_text(point.meter_serial),
            resource=point.resource.value,
            unit=_text(point.unit),
            smart=point.smart,
            place=_text(point.place),
            tariff_zones=[_text(zone) for zone in point.tariff_zones],
            whole_digits=point.whole_digits,
            decimal_digits=point.decimal_digits,
            facts={fact.value: _text(value) for fact, value in (point.facts or {}).items()},
            told_at=now,
        )
        for point in points
    ]
    if len({row.remote_id for row in rows}) != len(rows):
        raise AnswerChanged("The supplier told two points with one id; nothing was stored.")
    stored.put_points(unit, contract_id, rows)


def _checked_name(name: str) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise InputRefused({"name": "contract.name_empty"})
    return cleaned


def _account_settings(spec: SupplierSpec[Any, Any], login: str, password: str) -> Any:
    """Put login and password into the connector's own model; InputRefused names the field."""
    empty = {
        field: f"contract.{field}_empty"
        for field, value in (("login", login.strip()), ("password", password))
        if not value
    }
    if empty:
        raise InputRefused(empty)
    try:
        return spec.account.model_validate({"login": login.strip(), "password": password})
    except ValidationError as error:
        fields = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        wrong = {name: f"contract.{name}_wrong" for name in fields & {"login", "password"}}
        if not wrong:
            raise ContractBroken(
                f"The connector '{spec.id}' asks for more than login and password."
            ) from error
        raise InputRefused(wrong) from error


def _hint(spec: SupplierSpec[Any, Any]) -> str:
    shown = spec.account.model_json_schema()["properties"].get("login", {}).get("hub", {})
    return str(shown.get("hint", ""))


def _plain(settings: Any) -> str:
    """Write settings as JSON with their secrets, for sealing and nothing else."""
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in settings
    }
    return json.dumps(plain)


def _kopecks(balance: Balance | None) -> int | None:
    if balance is None:
        return None
    kopecks = balance.money.amount * KOPECKS
    if balance.money.currency != "RUB" or kopecks != kopecks.to_integral_value():
        raise AnswerChanged("The supplier's balance is not in whole kopecks; nothing was stored.")
    return int(kopecks)


def _text(text: str) -> str:
    """Suppliers' words are plain text of a bounded length."""
    return text[:LONGEST_TEXT]


def _subject(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
