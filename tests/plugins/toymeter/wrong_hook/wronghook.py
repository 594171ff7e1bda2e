"""A plugin that misspells a hook: hub_meter_driver."""

from hub.plugins.api import PluginCard, hookimpl


@hookimpl
def hub_plugin():
    return PluginCard(id="wronghook", title="Misspelt", requires_api=(1, 0))


@hookimpl
def hub_meter_driver():
    return []
