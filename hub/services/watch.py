"""What open pages are told without asking: which notifications are unread, whenever that changes.

One look a second for all pages of a process, at the newest signals of the outbox; the store is the
truth, so any number of processes may serve one database. Nobody looks while no page is open.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from anyio import to_thread

from hub.errors import StoreError
from hub.store import outbox, told
from hub.store.unit import Store

LOOK_EVERY_S = 1.0
BEAT_S = 15.0  # so that proxies keep the stream, and an ended session is noticed
BEHIND = 100  # ids may be committed out of order, so the last ones are looked at again
MOST_OF_SESSION = 8
MOST = 2000  # of a process

Unread = dict[int, list[int]]  # contract: ids of unread notifications, newest first


class Watch:
    """Streams of one process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.streams: dict[asyncio.Event, int] = {}  # wakes a stream: whose it is
        self.sessions: Counter[str] = Counter()
        self.looking: asyncio.Task[None] | None = None

    def full(self, session: str) -> bool:
        """Whether no further stream may be opened, in this session or at all."""
        return self.sessions[session] >= MOST_OF_SESSION or len(self.streams) >= MOST

    async def follow(
        self, session: str, user_id: int, signed_in: Callable[[], bool]
    ) -> AsyncIterator[Unread | None]:
        """Give what is unread now and after each change; None: nothing new, the stream lives.

        Ends with the session: ``signed_in`` is asked in a thread at every beat.
        """
        wake = asyncio.Event()
        self.streams[wake] = user_id
        self.sessions[session] += 1
        try:
            if self.looking is None or self.looking.done():
                self.looking = asyncio.create_task(self._look())
            sent: Unread | None = None
            while True:
                wake.clear()
                now = await to_thread.run_sync(self.unread, user_id)
                if now != sent:
                    yield now
                    sent = now
                while not await _woken(wake):
                    if not await to_thread.run_sync(signed_in):
                        return
                    yield None
        finally:
            del self.streams[wake]
            self.sessions[session] -= 1
            if not self.sessions[session]:
                del self.sessions[session]

    def unread(self, user_id: int) -> Unread:
        found: Unread = {}
        with self.store.read() as unit:
            for contract_id, notice_id in told.unread_ids(unit, user_id):
                found.setdefault(contract_id, []).append(notice_id)
        return found

    async def _look(self) -> None:
        """Wake the streams of whoever something changed for, until none is left."""
        after: int | None = None
        seen: set[int] = set()
        while self.streams:
            with suppress(StoreError):
                after, seen, users = await to_thread.run_sync(self._changed, after, seen)
                for wake, user_id in self.streams.items():
                    if user_id in users:
                        wake.set()
            await asyncio.sleep(LOOK_EVERY_S)

    def _changed(self, after: int | None, seen: set[int]) -> tuple[int, set[int], set[int]]:
        """Give the newest id, the ids that were looked at, and whom the new ones are about."""
        with self.store.read() as unit:
            newest = outbox.latest(unit) if after is None else after
            found = outbox.signals(unit, max(newest - BEHIND, 0))
        new = [each for each in found if each.id not in seen]
        ids = {each.id for each in found}
        users = {int(each.body["user"]) for each in new if "user" in each.body}
        if after is None:  # what changed before the first look may be news to who began earlier
            users = set(self.streams.values())
        return max([newest, *ids]), ids, users


async def _woken(wake: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(wake.wait(), BEAT_S)
    except TimeoutError:
        return False
    return True
