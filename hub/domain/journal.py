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
    """One entry of a book. The same entry read again has the same ``key``; its end may have come.

    So may more of its ``detail``: what is read last holds.

    ``detail``: facts of this entry as text, names in snake_case with their unit, 'phase': '2'.
    """

    book: str
    kind: str  # a name of hub.domain.events.KINDS, or 'unknown'
    began: When
    ended: When | None = None
    detail: Mapping[str, str] | None = None
    raw: bytes = b""
    nth: int = 0  # of several of one book, kind and phase that began in the same second

    @property
    def key(self) -> str:
        """Tell it from all other entries of its meter, for good."""
        face = self.began.face if isinstance(self.began, MeterTime) else self.began
        phase = (self.detail or {}).get("phase", "")
        return f"{self.book}/{self.kind}/{phase}/{face.isoformat()}/{self.nth}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPage:
    entries: tuple[JournalEntry, ...]
    lost: Gap | None = None  # overwritten before we came: last one read (if any), oldest one kept
    next: Cursor
    more: bool
