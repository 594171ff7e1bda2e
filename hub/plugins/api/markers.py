"""The pluggy markers, made here once, and the card a plugin introduces itself with."""

from dataclasses import dataclass

import pluggy

hookspec = pluggy.HookspecMarker("hub")
hookimpl = pluggy.HookimplMarker("hub")

API_VERSION = (1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginCard:
    id: str
    title: str
    requires_api: tuple[int, int]
    home: str = ""
    support: str = ""
