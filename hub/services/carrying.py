"""Messages on their way out of the outbox: claimed, worded, handed over, tried again."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime

from anyio import to_thread

from hub.errors import ChannelDown, HubError, RecipientRejected, SealBroken
from hub.plugins.api import Desk, Message, Notifier
from hub.services.clock import utc_now
from hub.store import mails as stored
from hub.store import outbox
from hub.store.outbox import Work
from hub.store.unit import Store, Unit

MOST_TRIES = 30  # about a day with the outbox's waits


def order(unit: Unit, kind: str, key: str, body: Mapping[str, object], *, secret: str,
          due_at: datetime) -> bool:  # fmt: skip
    """Put a message into the outbox, its secret sealed; False if one with this key is there."""
    sealed = ""
    if secret:
        sealed = unit.secrets.seal(secret, table="outbox", row=key, field="token")
    return outbox.put(unit, kind, key, {**body, "sealed": sealed}, due_at=due_at)


class Carrier(ABC):
    """Delivers what is due of one kind through one notifier."""

    kind: str

    def __init__(
        self, store: Store, notifier: Notifier, desk: Desk, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.store = store
        self.notifier = notifier
        self.desk = desk
        self.clock = clock

    @abstractmethod
    def message(self, work: Work) -> Message | None:
        """Word what is to be said; None: it is not to be said any more. SealBroken."""

    async def deliver_due(self, limit: int = 20) -> int:
        """Deliver due messages and give how many were settled.

        ChannelDown is tried again with a growing wait; a refused recipient, or a secret that can't
        be opened, is given up and kept in the row. Dying in between delivers twice, with one key.
        """
        works = await to_thread.run_sync(self._claim, limit)
        delivered = 0
        for work in works:
            error = await self._deliver(work)
            await to_thread.run_sync(self._settle, work, error)
            delivered += error is None
        return delivered

    def _claim(self, limit: int) -> list[Work]:
        with self.store.write() as unit:
            return outbox.claim(unit, [self.kind], limit=limit)

    async def _deliver(self, work: Work) -> HubError | None:
        if not work.body["to"]:
            return None
        try:
            message = await to_thread.run_sync(self.message, work)
            if message is not None:
                await self.notifier.deliver(self.desk, message, str(work.body["to"]))
        except (ChannelDown, RecipientRejected, SealBroken) as error:
            return error
        return None

    def _settle(self, work: Work, error: HubError | None) -> None:
        with self.store.write() as unit:
            if error is None:
                outbox.done(unit, work)
            else:
                again = isinstance(error, ChannelDown) and work.attempts < MOST_TRIES
                outbox.failed(unit, work, f"{error.code}: {error}", again=again)
            if error is None or not isinstance(error, ChannelDown):
                stored.forget_token(unit, work.id)

    def secret(self, work: Work) -> str:
        """Open what is sealed in the row; '' where nothing is. SealBroken."""
        sealed = work.body["sealed"]
        if not sealed:
            return ""
        return self.store.secrets.open(sealed, table="outbox", row=work.key, field="token")
