"""Suppliers as an operator installs them: a connector, a title, and the connector's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from hub.errors import Conflict, InputRefused
from hub.services.asking import Connectors
from hub.services.clock import utc_now
from hub.store import contracts as stored
from hub.store import tables
from hub.store.unit import Store


@dataclass(frozen=True, slots=True)
class InstalledSupplier:
    """``usable``: its connector is loaded, so consumers can choose it."""

    id: int
    title: str
    connector: str
    usable: bool


class Suppliers:
    """Installs suppliers and lists them."""

    def __init__(
        self, store: Store, plugins: Connectors, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.store = store
        self.plugins = plugins
        self.clock = clock

    def install(self, connector: str, title: str, settings: str = "{}") -> int:
        """Install a connector under a title, and give the supplier's id.

        ``settings``: the connector's installation model as JSON, sealed when stored. Raises
        InputRefused by field (``title``, or a setting), Conflict for a title that is taken, and
        what the plugin manager raises for a connector that is not loaded.
        """
        spec = self.plugins.connector(connector)
        title = title.strip()
        if not title:
            raise InputRefused({"title": "supplier.title_empty"})
        try:
            spec.installation.model_validate_json(settings)
        except ValidationError as error:
            wrong = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors()}
            raise InputRefused(wrong) from error
        with self.store.write() as unit:
            if any(row.title == title for row in stored.suppliers(unit)):
                raise Conflict(f"There is a supplier '{title}' already.")
            row = tables.Supplier(connector=connector, title=title, created_at=self.clock())
            supplier_id = stored.add_supplier(unit, row)
            row.sealed_settings = unit.secrets.seal(
                settings, table="supplier", row=supplier_id, field="settings"
            )
        return supplier_id

    def listed(self) -> list[InstalledSupplier]:
        with self.store.read() as unit:
            rows = stored.suppliers(unit)
        return [
            InstalledSupplier(
                row.id or 0, row.title, row.connector, row.connector in self.plugins.connectors
            )
            for row in rows
        ]
