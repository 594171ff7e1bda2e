"""What the pages of notifications show."""

from dataclasses import dataclass
from datetime import datetime

from hub.web.kit.messages import NoticeRow
from hub.web.kit.views import Choice


@dataclass(frozen=True, slots=True)
class NoticesView:
    """``newer`` and ``older`` lead to the neighbouring pages, ``here`` to the first.

    ``newest``: no unread notification that has come so far has a higher id.
    """

    contract_id: int
    unread: int
    rows: tuple[NoticeRow, ...]
    filters: tuple[Choice, ...]
    newer: str | None
    older: str | None
    now: datetime
    here: str = ""
    newest: int = 0


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notification, opened; ``from_at`` to ``to_at`` is when the work or the outage is."""

    back: str
    title: str
    source: str
    at: datetime
    paragraphs: tuple[str, ...]
    from_at: datetime | None
    to_at: datetime | None
    appeal_href: str | None
    point_href: str | None
    now: datetime
    event_href: str | None = None  # the event in the point's journal
    of_rule: bool = False  # a rule of the reader's own made it
