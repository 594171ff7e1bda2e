"""Everything that can be hooked: the whole list."""

from collections.abc import Sequence
from typing import Any

from hub.plugins.api.markers import PluginCard, hookspec
from hub.plugins.api.meter import DriverSpec
from hub.plugins.api.notify import NotifierSpec
from hub.plugins.api.supplier import SupplierSpec


@hookspec
def hub_plugin() -> PluginCard:  # type: ignore[empty-body]
    """Introduce yourself. Called once, before anything else."""


@hookspec
def hub_meter_drivers() -> Sequence[DriverSpec[Any]]:  # type: ignore[empty-body]
    """Declare meter drivers."""


@hookspec
def hub_supplier_connectors() -> Sequence[SupplierSpec[Any, Any]]:  # type: ignore[empty-body]
    """Declare supplier connectors."""


@hookspec
def hub_notifiers() -> Sequence[NotifierSpec[Any]]:  # type: ignore[empty-body]
    """Declare ways to reach people."""
