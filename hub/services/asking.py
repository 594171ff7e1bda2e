"""Asking a supplier through its connector, so that whatever a connector does is one error.

No unit of the store is open meanwhile, and nobody waits longer than the patience of a person.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

import structlog
from pydantic import ValidationError

from hub.errors import ContractBroken, HubError, SupplierDown
from hub.plugins.api import Desk, LinkBy, SupplierConnector, SupplierSpec
from hub.services.books import HouseBooks
from hub.services.clock import utc_now
from hub.services.desk import desk_for
from hub.services.passwords import Passwords
from hub.store import tables
from hub.store import told as kept
from hub.store.unit import Store
from hub.wire.http import Outgoing, Web

PATIENCE = 20.0  # seconds

T = TypeVar("T")
Talk = Callable[[SupplierConnector, Desk], Awaitable[T]]

log = structlog.get_logger("hub.contracts")


class Connectors(Protocol):
    """The part of the plugin manager's ``Plugins`` that this service needs."""

    @property
    def connectors(self) -> Mapping[str, SupplierSpec[Any, Any]]: ...

    def connector(self, connector_id: str, /) -> SupplierSpec[Any, Any]: ...


class Asking:
    """Lays the desk, builds the connector, and talks with it in time."""

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
        self.web = web
        self.plugins = plugins
        self.passwords = passwords
        self.clock = clock
        self.patience = patience

    async def ask(
        self, row: tables.Supplier, spec: SupplierSpec[Any, Any], settings: Any, talk: Talk[T]
    ) -> T:
        """Talk with a supplier as one account.

        Raises SupplierDown for one that is too slow, ContractBroken for a connector that fails in
        a way of its own, and every HubError as it is.
        """
        try:
            installation = spec.installation.model_validate_json(self._installation(row))
        except ValidationError as error:
            raise ContractBroken(
                f"The settings of '{row.title}' no longer fit its connector; set them anew."
            ) from error
        hosts = spec.hosts(installation)
        http = None
        if hosts and self.web is not None:
            http = self.web.client(Outgoing(spec.id, hosts))
        books = None
        if "books" in spec.wants:
            books = HouseBooks(self.store, row.id or 0, self.passwords, self.clock)
        desk = desk_for(spec.id, self.clock, books=books, http=http)
        try:
            async with asyncio.timeout(self.patience):
                return await talk(spec.build(installation, settings), desk)
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
                error=type(error).__name__,
                at=f"{at.filename}:{at.lineno} {at.name}",
            )
            raise ContractBroken(
                f"The connector '{spec.id}' failed while it was asked; 'hub plugin list' names "
                "its maker."
            ) from error

    async def ask_as(self, contract: tables.Contract, row: tables.Supplier, talk: Talk[T]) -> T:
        """Talk with the supplier of a linked contract, by the settings kept with it."""
        spec = self.plugins.connector(row.connector)
        sealed = self.store.secrets.open(
            contract.sealed_settings, table="contract", row=contract.id or 0, field="settings"
        )
        try:
            settings = spec.account.model_validate_json(sealed)
        except ValidationError as error:
            raise ContractBroken(
                f"The account settings kept for '{row.title}' no longer fit its connector."
            ) from error
        return await self.ask(row, spec, settings, talk)

    def links(self, supplier: tables.Supplier) -> LinkBy | None:
        """Say how a supplier's contracts are linked; None where its connector is not loaded."""
        spec = self.plugins.connectors.get(supplier.connector)
        return None if spec is None else spec.link_by

    def _installation(self, row: tables.Supplier) -> str:
        if not row.sealed_settings:
            return "{}"
        return self.store.secrets.open(
            row.sealed_settings, table="supplier", row=row.id or 0, field="settings"
        )


def supplier_of(store: Store, contract_id: int) -> tuple[tables.Contract, tables.Supplier] | None:
    """Find a linked contract with its supplier."""
    with store.read() as unit:
        return kept.with_supplier(unit, contract_id)
