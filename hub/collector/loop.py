"""The collector's loop: leases each line whose meters are due and gives it a worker."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from hub.collector import holder
from hub.collector.plan import LineWork, called_lines, plan, rest_s
from hub.collector.worker import AT_A_TIME, Means, Outcome, Worker
from hub.errors import HubError, LineBusy
from hub.plugins.manager import Plugins
from hub.services import lines
from hub.services.lines import Due, Lease
from hub.store.unit import Store
from hub.wire.address import LineAddress
from hub.wire.capture import WireLog
from hub.wire.incoming import CALL_S
from hub.wire.link import Link
from hub.wire.links import Links

log = structlog.get_logger("hub.collector")

LOOK_EVERY_S = 2.0
TIDY_EVERY = timedelta(hours=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorSettings:
    """How one collector works. ``reach``: tags of lines that only this machine gets at."""

    reach: Collection[str] = ()
    at_a_time: int = AT_A_TIME
    wire_log: WireLog | None = None
    open_link: Callable[[LineAddress], Awaitable[Link]] | None = None  # None: as the address says
    now: Callable[[], datetime] = utc_now
    look_every_s: float = LOOK_EVERY_S
    call_s: float = CALL_S  # how long a line waits for its gateway to call


async def collect(
    store: Store,
    plugins: Plugins,
    settings: CollectorSettings | None = None,
    *,
    once: bool = False,
    stop: asyncio.Event | None = None,
) -> Outcome:
    """Read meters as they become due, until ``stop`` is set; ``once``: those that are due now.

    When it ends, visits have said goodbye, lines are closed and their leases released. Raises
    StoreUnavailable if the database can't be used at the start or with ``once``.
    """
    return await Collector(store, plugins, settings or CollectorSettings())(
        once=once, stop=stop or asyncio.Event()
    )


class Collector:
    """The workers of this process, by line."""

    def __init__(self, store: Store, plugins: Plugins, settings: CollectorSettings) -> None:
        self.store = store
        self.settings = settings
        self.links = Links(
            patience_s=settings.call_s,
            called=self._called,
            trouble=lambda sentence: log.warning("gateways", text=sentence),
        )
        self.calling: set[str] = set()  # gateways that have called since the last look
        self.means = Means(
            store=store,
            plugins=plugins,
            open_link=settings.open_link or self.links.open,
            now=settings.now,
            wire_log=settings.wire_log,
            at_a_time=settings.at_a_time,
        )
        self.name = holder.own_name()
        self.workers: dict[int, tuple[Worker, asyncio.Task[Outcome]]] = {}
        self.outcome = Outcome()
        self.told_busy: set[int] = set()
        self.tidied_at: datetime | None = None

    async def __call__(self, *, once: bool, stop: asyncio.Event) -> Outcome:
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.to_thread(lines.release_dead, self.store, is_dead=holder.is_dead)
            due = await asyncio.to_thread(lines.due, self.store)
            await self._start(due)
            while not (stop.is_set() or (once and not self.workers)):
                tasks = [task for _, task in self.workers.values()]
                await asyncio.wait(
                    [stopping, *tasks],
                    timeout=None if once else rest_s(due, longest_s=self.settings.look_every_s),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                self._gather()
                if not (once or stop.is_set()):
                    due = await self._look(due)
        finally:
            stopping.cancel()
            await self._end()
        return self.outcome

    async def _look(self, before: Due) -> Due:
        """See what is due now; a database that is gone for a moment ends nothing."""
        try:
            calling, self.calling = self.calling, set()
            if calling:
                await asyncio.to_thread(lines.try_now, self.store, calling)
            due = await asyncio.to_thread(lines.due, self.store)
            await self._start(due)
            if self.tidied_at is None or due.now > self.tidied_at + TIDY_EVERY:
                self.tidied_at = due.now
                await asyncio.to_thread(lines.tidy, self.store)
        except HubError as error:
            log.error("store_failed", error=error.code, text=str(error))  # noqa: TRY400
            await asyncio.sleep(self.settings.look_every_s)
            return before
        return due

    def _called(self, address: LineAddress) -> None:
        """Take note that a gateway has called: its line need not wait for its next try."""
        self.calling.add(str(address))

    async def _start(self, due: Due) -> None:
        await self.links.incoming.expect(called_lines(due, reach=self.settings.reach))
        for work in plan(due, reach=self.settings.reach):
            if work.line.id in self.workers:
                self.workers[work.line.id][0].feed(work.meters, work.glances)
                continue
            lease = await self._claim(work)
            if lease is not None:
                worker = Worker(self.means, work.line, lease)
                worker.feed(work.meters, work.glances)
                self.workers[work.line.id] = (worker, asyncio.create_task(worker()))

    async def _claim(self, work: LineWork) -> Lease | None:
        held = await asyncio.to_thread(
            lines.claim, self.store, work.line.id, self.name, is_dead=holder.is_dead
        )
        if isinstance(held, Lease):
            self.told_busy.discard(work.line.id)
            return held
        until = held.until_at.strftime("%H:%M:%S UTC") if held.until_at else "now"
        sentence = (
            f"Another collector holds the line {work.line.address} until {until} at least; "
            "stop it, or let it do the work."
        )
        self.outcome.failed[work.line.address] = sentence
        if work.line.id not in self.told_busy:
            self.told_busy.add(work.line.id)
            log.warning("line_busy", line=work.line.address, error=LineBusy.code, text=sentence)
        return None

    def _gather(self) -> None:
        """Take the outcome of workers that have ended."""
        for line_id, (worker, task) in list(self.workers.items()):
            if task.done():
                del self.workers[line_id]
                self.outcome.add(task.result())
                self.outcome.failed.update(worker.outcome.failed)

    async def _end(self) -> None:
        """End what runs: visits say goodbye, lines are released."""
        tasks = [task for _, task in self.workers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker, _ in self.workers.values():
            # One that was cancelled before its first step has released nothing.
            with suppress(HubError):
                await asyncio.to_thread(lines.release, self.store, worker.lease)
        self.workers.clear()
        await self.links.close()
