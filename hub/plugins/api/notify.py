"""Ways to reach people."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

from hub.plugins.api.desk import Desk
from hub.plugins.api.settings import PluginSettings

S = TypeVar("S", bound=PluginSettings)


class Urgency(Enum):
    LATER = auto()
    SOON = auto()
    NOW = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Already worded in the recipient's language, in every length."""

    key: str  # the same key is delivered once
    urgency: Urgency
    line: str  # fits an SMS of the notifier's length
    subject: str
    text: str
    html: str = ""  # made by the hub's own templates only
    link: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    remote_id: str = ""


class Notifier(Protocol):
    async def deliver(self, desk: Desk, message: Message, to: str) -> Delivery:
        """Hand over, or raise RecipientRejected or ChannelDown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSpec(Generic[S]):
    id: str
    title: str
    settings: type[S]  # per installation: keys, sender
    hosts: Callable[[S], frozenset[str]]
    build: Callable[[S], Notifier]
    check_address: Callable[[str], str]  # normal form, or ValueError
    line_length: int | None = None
    costs: bool = False  # shown before it is switched on
