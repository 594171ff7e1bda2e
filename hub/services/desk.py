"""What connectors and notifiers get from the hub: the desk and its small ports."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from hub.errors import ContractBroken
from hub.plugins.api import Answer, Books, Desk, Http

log = structlog.get_logger("hub.plugins")


class NoHttp:
    """For who declared no hosts: there is nothing it may reach."""

    async def get(self, url: str, **more: Any) -> Answer:  # noqa: ARG002 - refused whatever it is
        raise ContractBroken(f"{_host(url)} is not among the hosts that the plugin declared.")

    async def send(self, method: str, url: str, **more: Any) -> Answer:  # noqa: ARG002 - as above
        raise ContractBroken(f"{_host(url)} is not among the hosts that the plugin declared.")


class PluginLog:
    """Notes of a plugin, under its name."""

    def __init__(self, plugin: str) -> None:
        self.log = log.bind(plugin=plugin)

    def note(self, event: str, /, **fields: object) -> None:
        self.log.info(event, **fields)


def desk_for(
    plugin: str,
    now: Callable[[], datetime],
    language: str = "ru",
    books: Books | None = None,
    http: Http | None = None,
) -> Desk:
    """Lay the desk for one plugin; ``books`` and ``http`` only for who wants them."""
    return Desk(
        http=http or NoHttp(), log=PluginLog(plugin), now=now, language=language, books=books
    )


def _host(url: str) -> str:
    """Name the host alone: the rest of an address may carry secrets."""
    return url.partition("//")[2].partition("/")[0].rpartition("@")[2] or "This address"
