"""A plugin that raises in a hook."""

from hub.plugins.api import PluginCard, hookimpl


@hookimpl
def hub_plugin():
    return PluginCard(id="hookraises", title="Raising", requires_api=(1, 0))


@hookimpl
def hub_meter_drivers():
    raise ZeroDivisionError("the maker forgot to test this")
