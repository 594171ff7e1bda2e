"""Entries of a meter's event journals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from hub.domain.clock import MeterTime
from hub.domain.pages import Cursor
from hub.domain.profile import Gap

When: TypeAlias = MeterTime | datetime  # a meter's face, or a supplier's aware instant


@dataclass(frozen=True, slots=True)
class JournalEntry:
    book: str
    kind: str  # a domain event name, or 'unknown'
    began: When
    ended: When | None = None
    detail: Mapping[str, str] | None = None
    raw: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPage:
    entries: tuple[JournalEntry, ...]
    lost: Gap | None = None  # overwritten before we came: last one read, oldest one kept
    next: Cursor
    more: bool
