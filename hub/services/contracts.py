"""Contracts: what suppliers there are, linking one, renaming, and which is current.

Linking asks the supplier through its connector, outside of any unit of the store, and then stores
all it told in one transaction under (installation, account).
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from anyio import to_thread
from pydantic import SecretStr, ValidationError

from hub.domain.contracts import clean_name
from hub.errors import (
    ContractAlreadyLinked,
    ContractBroken,
    CredentialsRejected,
    InputRefused,
    Missing,
    StillOnTheWay,
    TooManyAttempts,
)
from hub.plugins.api import Account, Desk, Does, LinkBy, SupplierConnector, SupplierSpec
from hub.services.asking import PATIENCE, Asking, Connectors
from hub.services.bookkeeping import code_hash
from hub.services.clock import utc_now
from hub.services.passwords import Passwords
from hub.services.told import Told, keep, tell
from hub.store import accounts, audit, outbox, places, tables
from hub.store import contracts as stored
from hub.store import told as kept
from hub.store.contracts import ListedContract
from hub.store.unit import Store, Unit
from hub.wire.http import Web

TRIES = timedelta(minutes=15)
TRIES_BY_LOGIN = 5
TRIES_BY_USER = 20
TRIES_OF_A_CODE = 5
PRICES_BACK = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class SupplierChoice:
    """A line of «Поставщик»; ``hint``, a catalog key, says what the login is.

    ``by_code``: the login is the contract's number, the password the code from the letter.
    """

    id: int
    title: str
    hint: str = ""
    by_code: bool = False


@dataclass(frozen=True, slots=True)
class LinkedContract:
    """A linked contract. ``by_code``: there is no password of the supplier to replace.

    ``on_the_way``: how many of its owner's messages have not reached the supplier yet.
    """

    id: int
    name: str
    number: str
    supplier: str
    by_code: bool
    on_the_way: int


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code as it was typed, hashed, and the contract's number it is for."""

    supplier_id: int
    number: str
    code_hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """A contract to link, proved; ``settings`` is the connector's own model."""

    user_id: int
    supplier_id: int
    name: str
    settings: Any
    code: Code | None


class Contracts:
    """Contracts of consumers; every id is looked up through its owner."""

    def __init__(
        self,
        store: Store,
        plugins: Connectors,
        passwords: Passwords,
        clock: Callable[[], datetime] = utc_now,
        *,
        patience: float = PATIENCE,
        web: Web | None = None,
    ) -> None:
        self.store = store
        self.plugins = plugins
        self.passwords = passwords
        self.clock = clock
        self.asking = Asking(store, plugins, passwords, clock, patience=patience, web=web)

    def suppliers(self) -> list[SupplierChoice]:
        """List the suppliers whose connector is loaded."""
        with self.store.read() as unit:
            rows = stored.suppliers(unit)
        found = []
        for row in rows:
            spec = self.plugins.connectors.get(row.connector)
            if spec is not None:
                by_code = spec.link_by is LinkBy.CODE
                found.append(SupplierChoice(row.id or 0, row.title, _hint(spec), by_code))
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

        Where the supplier's contracts are linked by a code, ``login`` is the contract's number
        and ``password`` the code; the hub checks them before it asks anybody.

        Raises InputRefused, TooManyAttempts, CredentialsRejected, SupplierDown (also after 20 s),
        ContractAlreadyLinked(name=…, contract_id=…), Missing for an unknown supplier, or the
        PluginError of a connector that failed.
        """
        typed = {"name": clean_name(name), "login": login.strip(), "password": password}
        await to_thread.run_sync(self._check_typed, supplier_id, typed)
        row = await to_thread.run_sync(self._supplier, user_id, supplier_id, login)
        spec = self.plugins.connector(row.connector)
        settings = _account_settings(spec, login, password)
        code = None
        if spec.link_by is LinkBy.CODE:
            code = Code(supplier_id, login.strip(), code_hash(password))
            await to_thread.run_sync(self._prove, code)
        told = await self.asking.ask(row, spec, settings, self.tell_all)
        link = Link(user_id, supplier_id, clean_name(name), settings, code)
        return await to_thread.run_sync(self._store, link, told)

    async def tell_all(self, connector: SupplierConnector, desk: Desk) -> Told:
        """Ask for everything from the beginning."""
        return await tell(connector, desk, {}, prices_since(self.clock()))

    def refresh_soon(self, user_id: int, contract_id: int) -> None:
        """Have the supplier asked at once, also one that refused the login; Missing."""
        with self.store.write() as unit:
            if not kept.ask_soon(unit, user_id, contract_id, unit.now()):
                raise Missing

    def by_code(self, connector: str) -> bool:
        """Say whether a connector's contracts are linked by a code, so that none has a password."""
        spec = self.plugins.connectors.get(connector)
        return spec is not None and spec.link_by is LinkBy.CODE

    def one(self, user_id: int, contract_id: int) -> LinkedContract:
        """Give a contract as the forms that change it show it; Missing for anybody else's."""
        with self.store.read() as unit:
            row = stored.one(unit, user_id, contract_id)
            if row is None:
                raise Missing
            on_the_way = kept.on_the_way(unit, contract_id)
        by_code = self.by_code(row.connector)
        return LinkedContract(row.id, row.name, row.number, row.supplier, by_code, on_the_way)

    def unlink(self, user_id: int, contract_id: int) -> None:
        """Let go of a contract and of all that its supplier told of it.

        What the supplier has stays there, and is told again to who links the account again. The
        meters and what was read from them belong to the utility. Raises Missing, and
        StillOnTheWay while something that its owner wrote has not reached the supplier.
        """
        with self.store.write() as unit:
            row = stored.one(unit, user_id, contract_id)
            if row is None:
                raise Missing
            waiting = kept.on_the_way(unit, contract_id)
            if waiting:
                raise StillOnTheWay(count=waiting)
            own = kept.placed_points(unit, contract_id).values()
            kept.forget_contract(unit, contract_id)
            for place_id in own:
                places.forget_own(unit, place_id)
            user = accounts.user_by_id(unit, user_id)
            if user is not None and user.last_contract_id == contract_id:
                accounts.set_last_contract(unit, user_id, _next(unit, user_id, contract_id))
            audit.record(
                unit,
                actor=f"user {user_id}",
                act="contract.unlink",
                target=f"{row.supplier_id}/{row.number}",
                detail={"account": row.remote_id},
            )
            outbox.signal(unit, {"contract": contract_id, "user": user_id})

    async def replace_password(self, user_id: int, contract_id: int, password: str) -> None:
        """Prove a new password of the login that is kept, keep it, and have the supplier asked.

        Raises InputRefused for an empty one or where the supplier gives none (a contract linked by
        a code), TooManyAttempts, CredentialsRejected (also where it opens another account),
        Missing, and what ``link`` raises for the supplier and its connector. After any of them
        the old password stays.
        """
        found = await to_thread.run_sync(self._linked, user_id, contract_id)
        contract, row, sealed = found
        spec = self.plugins.connector(row.connector)
        if spec.link_by is LinkBy.CODE:
            raise InputRefused({"password": "contract.password_wrong"})
        login = str(json.loads(sealed).get("login", ""))
        settings = _account_settings(spec, login, password)
        await to_thread.run_sync(self._supplier, user_id, row.id or 0, login)
        account = await self.asking.ask(row, spec, settings, _sign_in)
        if account.remote_id != contract.remote_id:
            raise CredentialsRejected
        await to_thread.run_sync(self._reseal, user_id, contract_id, _plain(settings))

    # -- the supplier --------------------------------------------------------------------------

    def _linked(
        self, user_id: int, contract_id: int
    ) -> tuple[tables.Contract, tables.Supplier, str]:
        """Find a contract of this user, its supplier, and its opened settings; Missing."""
        with self.store.read() as unit:
            found = kept.with_supplier(unit, contract_id)
            if found is None or found[0].user_id != user_id:
                raise Missing
            sealed = found[0].sealed_settings
            plain = unit.secrets.open(sealed, table="contract", row=contract_id, field="settings")
            return *found, plain

    def _reseal(self, user_id: int, contract_id: int, plain: str) -> None:
        with self.store.write() as unit:
            if not kept.owns(unit, user_id, contract_id):  # it may be gone meanwhile
                raise Missing
            sealed = unit.secrets.seal(plain, table="contract", row=contract_id, field="settings")
            stored.seal_account(unit, contract_id, sealed)
            state = kept.state(unit, contract_id)
            if state is not None:
                state.stopped, state.failures, state.due_at = False, 0, unit.now()
            outbox.signal(unit, {"contract": contract_id, "user": user_id})

    def _check_typed(self, supplier_id: int, typed: Mapping[str, str]) -> None:
        """Refuse the form with all that is missing, an unknown supplier among it."""
        wrong = {field: f"contract.{field}_empty" for field, value in typed.items() if not value}
        if not wrong:
            return
        with self.store.read() as unit:
            known = stored.supplier(unit, supplier_id) is not None
        raise InputRefused(wrong if known else {"supplier": "contract.supplier_unknown", **wrong})

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

    def _prove(self, code: Code) -> None:
        """Check a one-time code; a wrong one costs one of its tries. CredentialsRejected."""
        with self.store.write() as unit:
            right = _right_code(unit, code, self.clock())
        if not right:
            raise CredentialsRejected

    # -- storing -------------------------------------------------------------------------------

    def _store(self, link: Link, told: Told) -> int:
        now = self.clock()
        remote_id = told.account.remote_id
        with self.store.write() as unit:
            known = stored.linked(unit, link.user_id, link.supplier_id, remote_id)
            if known is not None:
                raise ContractAlreadyLinked(name=known.name, contract_id=known.id)
            if link.code is not None:
                _spend_code(unit, link.code, now)
            contract = tables.Contract(
                user_id=link.user_id,
                supplier_id=link.supplier_id,
                remote_id=remote_id,
                name=link.name,
                number=told.account.label,
                linked_at=now,
            )
            contract_id = stored.add_contract(unit, contract)
            contract.sealed_settings = unit.secrets.seal(
                _plain(link.settings), table="contract", row=contract_id, field="settings"
            )
            keep(unit, contract, told, now)
            # Half-hours may be many: they are read right after.
            wait = self._every(unit, link.supplier_id)
            wait = timedelta(0) if Does.PROFILE in told.does else wait
            kept.begin_state(unit, contract_id, now + wait)
            accounts.set_last_contract(unit, link.user_id, contract_id)
            outbox.signal(unit, {"contract": contract_id, "user": link.user_id})
        return contract_id

    def _every(self, unit: Unit, supplier_id: int) -> timedelta:
        row = stored.supplier(unit, supplier_id)
        return self.plugins.connector(row.connector).every if row else timedelta(0)


def _next(unit: Unit, user_id: int, gone: int) -> int | None:
    """Give the contract that stood after the one that is gone, else the first."""
    left = [row.id for row in stored.listed(unit, user_id)]
    return next((each for each in left if each > gone), left[0] if left else None)


def prices_since(now: datetime) -> date:
    """Give the day from which prices are of use: a reading is seldom older."""
    return (now - PRICES_BACK).date()


def _right_code(unit: Unit, code: Code, now: datetime) -> bool:
    row = stored.live_code(unit, code.supplier_id, code.number, now)
    if row is None or row.tries >= TRIES_OF_A_CODE:
        return False
    if hmac.compare_digest(row.code_hash, code.code_hash):
        return True
    row.tries += 1
    unit.session.flush()
    return False


def _spend_code(unit: Unit, code: Code, now: datetime) -> None:
    """Spend the code with the contract that it links: one link, whoever comes first."""
    row = stored.live_code(unit, code.supplier_id, code.number, now)
    if row is None or not _right_code(unit, code, now):
        raise CredentialsRejected
    row.spent_at = now
    unit.session.flush()


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
    told = {"login": login.strip(), "password": password}
    if spec.link_by is LinkBy.CODE:
        told = {"number": login.strip()}
    try:
        return spec.account.model_validate(told)
    except ValidationError as error:
        fields = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        names = {"number": "login"} if spec.link_by is LinkBy.CODE else {}
        wrong = {
            names.get(name, name): f"contract.{names.get(name, name)}_wrong"
            for name in fields & set(told)
        }
        if not wrong or fields - set(told):
            raise ContractBroken(
                f"The connector '{spec.id}' asks for more than {' and '.join(told)}."
            ) from error
        raise InputRefused(wrong) from error


async def _sign_in(connector: SupplierConnector, desk: Desk) -> Account:
    return await connector.sign_in(desk)


def _hint(spec: SupplierSpec[Any, Any]) -> str:
    name = "number" if spec.link_by is LinkBy.CODE else "login"
    shown = spec.account.model_json_schema()["properties"].get(name, {}).get("hub", {})
    return str(shown.get("hint", ""))


def _plain(settings: Any) -> str:
    """Write settings as JSON with their secrets, for sealing and nothing else."""
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in settings
    }
    return json.dumps(plain)


def _subject(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
