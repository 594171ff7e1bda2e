"""Pages and cursors: how long data come in pieces."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on. The hub stores it and never looks inside."""

    scheme: str  # owner and version, e.g. 'mercury234/ring/2'
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T_co]):
    items: tuple[T_co, ...]
    next: Cursor
    more: bool
