"""Notifications as their reader sees them: listed, opened, read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.errors import Missing
from hub.plugins.api import Does
from hub.services.clock import utc_now
from hub.services.pieces import DEFAULT_ZONE
from hub.services.shell import ShellView, shell_in
from hub.store import outbox, tables
from hub.store import told as kept
from hub.store.accounts import SignedIn
from hub.store.told import NOTICE_READ, NoticeRow
from hub.store.unit import Store, Unit

A_PAGE = 20


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notification. ``source``: a `domain.notices.Source`.

    Of an appeal or a reading ``kind`` is what was decided, and ``title`` the subject or the
    point's name.

    ``text`` may be empty: an appeal's new state without words. ``from_at`` to ``to_at``: when the
    planned work or the outage is.
    """

    id: int
    contract_id: int
    source: str
    kind: str
    title: str
    text: str
    from_at: datetime | None
    to_at: datetime | None
    published_at: datetime
    unread: bool
    appeal_id: int | None
    point_id: int | None
    facts: Mapping[str, str]  # of what the hub made; it is worded from them


@dataclass(frozen=True, slots=True)
class NoticesPage:
    """«Уведомления» of a contract, newest first; ``more``: there are older ones.

    ``newest``: the highest id among the unread ones, 0 if all are read.
    """

    shell: ShellView
    items: tuple[NoticeView, ...]
    page: int
    more: bool
    time_zone: str
    newest: int = 0


@dataclass(frozen=True, slots=True)
class NoticePage:
    """One notification, opened."""

    shell: ShellView
    notice: NoticeView
    time_zone: str


class Notices:
    """Notifications of contracts; every id is looked up through its owner."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def page(
        self, who: SignedIn, contract_id: int, page: int = 1, *, only_unread: bool = False
    ) -> NoticesPage:
        """List a page; Missing for anybody else's contract. Listing marks nothing as read."""
        with self.store.read() as unit:
            shell = shell_in(unit, who, contract_id)
            rows = kept.notices(
                unit,
                who.user_id,
                contract_id,
                limit=A_PAGE + 1,
                offset=(page - 1) * A_PAGE,
                only_unread=only_unread,
            )
            zone = kept.zone_of_contract(unit, contract_id) or DEFAULT_ZONE
            unread = [id_ for of, id_ in kept.unread_ids(unit, who.user_id) if of == contract_id]
        items = tuple(notice_view(row) for row in rows[:A_PAGE])
        return NoticesPage(shell, items, page, len(rows) > A_PAGE, zone, max(unread, default=0))

    def open(self, who: SignedIn, notice_id: int) -> NoticePage:
        """Open a notification, which marks it read; Missing for anybody else's."""
        with self.store.write() as unit:
            row, contract = self._mark(unit, who.user_id, notice_id)
            zone = kept.zone_of_contract(unit, row.contract_id) or DEFAULT_ZONE
            return NoticePage(shell_in(unit, who, contract.id), notice_view(row), zone)

    def mark_read(self, user_id: int, notice_id: int) -> None:
        """Mark a notification read without showing it; Missing for anybody else's."""
        with self.store.write() as unit:
            self._mark(unit, user_id, notice_id)

    def _mark(
        self, unit: Unit, user_id: int, notice_id: int
    ) -> tuple[tables.Notice, tables.Contract]:
        found = kept.notice(unit, user_id, notice_id)
        if found is None:
            raise Missing
        self._read(unit, [found[0]], found[1])
        return found

    def read_all(self, user_id: int, contract_id: int) -> int:
        """Mark all of a contract read and give how many that were."""
        with self.store.write() as unit:
            rows = list(kept.unread_of(unit, user_id, contract_id))
            found = kept.with_supplier(unit, contract_id)
            if rows and found is not None:
                self._read(unit, rows, found[0])
            return len(rows)

    def _read(self, unit: Unit, rows: list[tables.Notice], contract: tables.Contract) -> None:
        """Mark as read once, tell the supplier if it wants to know, and the open pages."""
        unread = [row for row in rows if row.read_at is None]
        for row in unread:
            row.read_at = self.clock()
            if row.source == "supplier" and Does.NOTICES_READ.value in contract.does:
                outbox.put(unit, NOTICE_READ, f"{NOTICE_READ}/{row.id}", {"id": row.id})
        unit.session.flush()
        if unread:
            outbox.signal(unit, {"contract": contract.id, "user": contract.user_id})


def latest_in(unit: Unit, user_id: int, contract_id: int, count: int) -> tuple[NoticeView, ...]:
    """Give the newest of a contract, for the main page."""
    return tuple(notice_view(row) for row in kept.notices(unit, user_id, contract_id, limit=count))


def notice_view(row: tables.Notice | NoticeRow) -> NoticeView:
    return NoticeView(
        id=row.id or 0,
        contract_id=row.contract_id,
        source=row.source,
        kind=row.kind,
        title=row.title,
        text=row.text,
        from_at=row.from_at,
        to_at=row.to_at,
        published_at=row.published_at,
        unread=row.read_at is None,
        appeal_id=row.appeal_id,
        point_id=row.contract_point_id,
        facts=row.facts,
    )
