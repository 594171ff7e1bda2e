"""One line under its lease: visits of the meters that are due, several at a time.

The lease is renewed while visits run, and what the line has carried is stored with it. When it is
lost, visits end and nothing more is stored. A meter that a person waits for is visited at once,
beside those that are visited already and before them on the line. What an open page waits for is
read by the visit that runs at that meter, else in a short conversation of its own.
If nobody on the line answers, the line is down: that is said once, and its meters are not
punished for it.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime

import structlog

from hub.collector.backoff import after_failure, wait
from hub.collector.glance import glance
from hub.collector.plan import next_visit
from hub.collector.visit import Place, Tally, Visit
from hub.errors import Blame, ContractBroken, HubError, LineBusy, LineDown, StoreUnavailable
from hub.plugins.manager import Plugins
from hub.services import lines, live, meters
from hub.services.lines import Carried, Lease, LineRow, StateRow
from hub.store.unit import Store
from hub.wire.address import LineAddress, parse_line
from hub.wire.capture import WireLog
from hub.wire.line import Line
from hub.wire.link import Link

log = structlog.get_logger("hub.collector")

RENEW_EVERY_S = 15.0
LEASE_MARGIN_S = 5.0
AT_A_TIME = 8  # visits on one line
SILENT_ENOUGH = 3  # meters in a row without an answer, and nobody heard: the line is down


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What workers share."""

    store: Store
    plugins: Plugins
    open_link: Callable[[LineAddress], Awaitable[Link]]
    now: Callable[[], datetime]
    wire_log: WireLog | None = None
    at_a_time: int = AT_A_TIME


@dataclass(slots=True)
class Outcome:
    """What became of the visits of a run."""

    visited: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # who -> one sentence

    def add(self, other: "Outcome") -> None:
        self.visited += other.visited
        self.failed |= other.failed


@dataclass(slots=True, eq=False)
class Running:
    """A visit that runs."""

    state: StateRow
    task: asyncio.Task[None]
    visit: Visit | None = None  # None: it is a glance, or has not begun
    holds_line: bool = False  # nobody else can talk until it ends
    ending: bool = False  # it was told to


@dataclass(slots=True)
class Carrying:
    """What has been told to the store of the line's counts, and what is to be told next."""

    told: dict[str, float] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)
    visits: int = 0
    failed: int = 0
    events: Counter[str] = field(default_factory=Counter)  # by severity
    visit_s: dict[int, float] = field(default_factory=dict)


class Worker:
    """Works on one line until nobody on it is due."""

    def __init__(self, means: Means, line: LineRow, lease: Lease) -> None:
        self.means = means
        self.row = line
        self.lease = lease
        self.lease_ends = time.monotonic() + lines.TERM.total_seconds()
        self.outcome = Outcome()
        self.line: Line | None = None
        self.tally = Carrying()
        self.waiting: list[StateRow] = []
        self.running: dict[int, Running] = {}
        self.seen: set[int] = set()
        self.asked: dict[int, datetime] = {}  # since when a person waits, by meter
        self.glances: list[StateRow] = []  # to be read in a conversation of their own
        self.glanced: dict[int, datetime] = {}  # since when a page waits, by meter
        self.put_off: set[int] = set()  # ended for whoever has a person waiting
        self.fed = asyncio.Event()
        self.silent: list[tuple[StateRow, HubError]] = []
        self.answered = False
        self.down: HubError | None = None
        self.lost: HubError | None = None

    def feed(self, due: Iterable[StateRow], glances: Iterable[StateRow] = ()) -> None:
        """Add meters that are due; those that wait, run or were just visited are known.

        ``glances``: whose values of now a page waits for. One that a person waits for goes first;
        if its visit runs already that visit starts anew, for it may be deep in the profile and the
        registers were read long ago.
        """
        for state in due:
            if state.urgent_at is not None and self.asked.get(state.meter_id) != state.urgent_at:
                self.asked[state.meter_id] = state.urgent_at
                self.seen.add(state.meter_id)
                self.waiting = [one for one in self.waiting if one.meter_id != state.meter_id]
                self.waiting.insert(0, state)
                self.fed.set()
            elif state.meter_id not in self.seen:
                self.seen.add(state.meter_id)
                self.waiting.append(state)
                self.fed.set()
        for state in glances:
            self._feed_glance(state)

    def _feed_glance(self, state: StateRow) -> None:
        running = self.running.get(state.meter_id)
        if state.glance_at is None or self.glanced.get(state.meter_id) == state.glance_at:
            return
        if running is None:
            self.glances.append(state)
            self.fed.set()
        elif running.visit is not None:
            running.visit.glance_at = state.glance_at
        else:
            return  # another glance is under way; the next look at what is due tells it again
        self.glanced[state.meter_id] = state.glance_at

    async def __call__(self) -> Outcome:
        """Visit all, then let the line go."""
        renewing = asyncio.create_task(self._renew())
        try:
            line = Line(
                self.means.open_link,
                parse_line(self.row.address),
                log=self.means.wire_log,
                lease=self._holds,
                now=self.means.now,
            )
            self.line = line
            async with line:
                try:
                    await self._visit_all(line)
                finally:
                    await self._end_visits()
            await self._settle()
        except HubError as error:
            # The line's own address is wrong, or the store is gone: no meter's fault.
            await self._line_failed(error)
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            with suppress(HubError):
                await asyncio.to_thread(
                    lines.release, self.means.store, self.lease, self._carried()
                )
        return self.outcome

    # -- the lease

    def _holds(self) -> bool:
        return self.lost is None and time.monotonic() < self.lease_ends - LEASE_MARGIN_S

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            asked = time.monotonic()
            try:
                carried = self._carried()
                kept = await asyncio.to_thread(lines.renew, self.means.store, self.lease, carried)
            except HubError as error:
                # Until it has run out the lease is ours; the next renewal may go well.
                log.warning("lease_not_renewed", line=self.row.address, error=str(error))
                continue
            if not kept:
                self.lost = LineBusy(
                    f"Another collector took the line {self.row.address}; its visits end here."
                )
                return
            self.lease_ends = asked + lines.TERM.total_seconds()

    def _carried(self) -> Carried:
        """Take what the line has carried since the last time."""
        tally, now = self.tally, time.monotonic()
        counted: dict[str, float] = asdict(self.line.stats) if self.line else {}
        counts = {name: value - tally.told.get(name, 0) for name, value in counted.items()}
        carried = Carried(
            {
                **counts,
                "held_s": now - tally.since,
                "visits": tally.visits,
                "visits_failed": tally.failed,
                **{f"events_{severity}": count for severity, count in tally.events.items()},
            },
            heard=counts.get("bytes_in", 0) > 0,
            visit_s=tally.visit_s,
        )
        self.tally = Carrying(counted, now)
        return carried

    # -- visits

    async def _visit_all(self, line: Line) -> None:
        place = Place(self.means.store, line, self.lease, self.means.now)
        while self.waiting or self.running or self.glances:
            if self.lost or self.down or self._is_dead():
                self.waiting.clear()
                self.glances.clear()
            self.fed.clear()
            self._start_visits(place)
            if not self.running:
                return
            fed = asyncio.ensure_future(self.fed.wait())
            try:
                await asyncio.wait(
                    [fed, *(one.task for one in self.running.values())],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                fed.cancel()
            for meter_id, one in list(self.running.items()):
                if one.task.done():
                    del self.running[meter_id]
                    if not one.task.cancelled():
                        one.task.result()
            if self.down or self.lost:
                await self._end_visits()

    def _start_visits(self, place: Place) -> None:
        """Start what may start: some at a time, and whoever a person waits for."""
        glances, self.glances = self.glances, []
        for state in glances:
            task = asyncio.create_task(self._glance(place, state))
            self.running[state.meter_id] = Running(state, task)
        later = []
        for state in self.waiting:
            running = self.running.get(state.meter_id)
            if state.urgent_at is not None:
                self._make_way(state.meter_id)
            if running is not None or (state.urgent_at is None and not self._has_room(state)):
                later.append(state)
                continue
            self.put_off.discard(state.meter_id)
            task = asyncio.create_task(self._visit(place, state))
            self.running[state.meter_id] = Running(state, task)
        self.waiting = later

    def _has_room(self, state: StateRow) -> bool:
        """Whether a visit that nobody waits for may start."""
        if state.meter_id in self.put_off and any(
            one.state.urgent_at for one in self.running.values()
        ):
            return False
        return len(self.running) < self.means.at_a_time

    def _make_way(self, meter_id: int) -> None:
        """End this meter's visit that runs, and those that give the line to nobody else.

        They say goodbye first and start anew later, from the page after the last one stored.
        """
        for one in self.running.values():
            if one.ending or (one.state.meter_id != meter_id and not one.holds_line):
                continue
            one.ending = True
            one.task.cancel()
            if one.state.meter_id != meter_id:
                self.put_off.add(one.state.meter_id)
                self.waiting.append(one.state)

    async def _end_visits(self) -> None:
        """Cancel what runs; each visit says goodbye to its meter first."""
        running, self.running = list(self.running.values()), {}
        for one in running:
            one.task.cancel()
        await asyncio.gather(*(one.task for one in running), return_exceptions=True)

    def _is_dead(self) -> bool:
        return not self.answered and len(self.silent) >= SILENT_ENOUGH

    async def _visit(self, place: Place, state: StateRow) -> None:
        """Visit one meter and note how it went."""
        began = time.monotonic()
        store, meter_id = self.means.store, state.meter_id
        visit: Visit | None = None
        try:
            errand = await asyncio.to_thread(meters.errand, store, meter_id)
            spec = self.means.plugins.driver(errand.meter.driver)
            self.running[meter_id].holds_line = not spec.interleave
            visit = Visit(place, spec, errand, asked_at=state.urgent_at)
            self.running[meter_id].visit = visit
            tally = await visit()
            await self._went_well(state, tally)
        except HubError as error:
            tally = visit.tally if visit else Tally()
            self._log(state, tally, began, error)
            await self._went_wrong(state, tally, error)
        except Exception as error:
            # Whatever a plugin's data led to, it ends this visit and nothing else.
            fault = ContractBroken(
                f"A visit to meter {meter_id} failed ({type(error).__name__}: {error}); "
                "report it with the log.",
                operation="visit",
                target=meter_id,
            )
            log.exception("visit_fault", meter=meter_id, line=self.row.address)
            await self._went_wrong(state, visit.tally if visit else Tally(), fault)
        else:
            self._log(state, tally, began)

    async def _glance(self, place: Place, state: StateRow) -> None:
        """Read a meter's values of now for an open page; how its visits fare is another matter."""
        store, meter_id = self.means.store, state.meter_id
        error: HubError | None = None
        try:
            errand = await asyncio.to_thread(meters.errand, store, meter_id)
            await glance(place, self.means.plugins.driver(errand.meter.driver), errand)
            await self._heard()
        except HubError as told:
            error = told
        except Exception:
            error = ContractBroken(f"The values of now of meter {meter_id} could not be read.")
            log.exception("glance_fault", meter=meter_id, line=self.row.address)
        if error is None:
            return
        log.info("glance_failed", meter=meter_id, error=error.code, text=str(error))
        if isinstance(error, LineBusy):
            self.lost = error
            return
        if isinstance(error, LineDown):
            self.down = error
        elif isinstance(error, StoreUnavailable):
            raise error
        await asyncio.to_thread(live.failed, store, meter_id, error.code, lease=self.lease)

    async def _went_well(self, state: StateRow, tally: Tally) -> None:
        await self._heard()
        now = await asyncio.to_thread(self.means.store.now)
        await asyncio.to_thread(
            meters.visited,
            self.means.store,
            state.meter_id,
            due_at=next_visit(now, state.every_minutes, state.meter_id),
            learned=tally.learned,
            lease=self.lease,
            asked_at=state.urgent_at,
        )
        self.outcome.visited += 1
        self._over(state)

    async def _went_wrong(self, state: StateRow, tally: Tally, error: HubError) -> None:
        if isinstance(error, LineBusy):
            self.lost = error
            return
        if isinstance(error, LineDown):
            self.down = error
            return
        if isinstance(error, StoreUnavailable):
            self.outcome.failed[f"meter {state.meter_id}"] = str(error)
            raise error
        if tally.answered or error.blame is not Blame.LINE:
            await self._heard()
        if error.blame is Blame.LINE and not self.answered:
            self.silent.append((state, error))
            return
        await self._blame(state, error)

    async def _heard(self) -> None:
        """Somebody on the line speaks: silence of the others is their own matter."""
        if self.answered:
            return
        self.answered = True
        was_down = await asyncio.to_thread(lines.is_well, self.means.store, self.lease)
        if was_down:
            log.info("line_up", line=self.row.address)
        silent, self.silent = self.silent, []
        for state, error in silent:
            await self._blame(state, error)

    async def _blame(self, state: StateRow, error: HubError) -> None:
        now = await asyncio.to_thread(self.means.store.now)
        standing = after_failure(
            error,
            state.failures,
            now=now,
            regular_at=next_visit(now, state.every_minutes, state.meter_id),
            luck=random.random(),  # noqa: S311
            proven=state.seen_at is not None,
        )
        await asyncio.to_thread(
            meters.failed,
            self.means.store,
            state.meter_id,
            code=error.code,
            text=str(error),
            due_at=standing.due_at,
            failures=standing.failures,
            stopped=standing.stopped,
            lease=self.lease,
            asked_at=state.urgent_at,
        )
        self.outcome.failed[f"meter {state.meter_id}"] = str(error)
        self._over(state)

    def _over(self, state: StateRow) -> None:
        """Let a meter be fed again, unless it waits again already."""
        if all(one.meter_id != state.meter_id for one in self.waiting):
            self.seen.discard(state.meter_id)

    async def _settle(self) -> None:
        """Say whose fault silence was."""
        if self.lost is not None:
            self.outcome.failed[self.row.address] = str(self.lost)
            log.warning("lease_lost", line=self.row.address, error=str(self.lost))
        elif self.down is not None:
            await self._line_failed(self.down)
        elif not self.answered and len(self.silent) > 1:
            _, error = self.silent[0]
            await self._line_failed(
                LineDown(
                    f"Nobody on {self.row.address} answers (tried {len(self.silent)} meters: "
                    f"{error}) Check the gateway, the cable and the power of the line."
                )
            )
        else:
            for state, error in self.silent:
                await self._blame(state, error)

    async def _line_failed(self, error: HubError) -> None:
        self.outcome.failed[self.row.address] = str(error)
        if isinstance(error, StoreUnavailable | LineBusy):
            log.error("line_left", line=self.row.address, error=error.code, text=str(error))
            return
        if self.row.down_since_at is None:
            log.warning("line_down", line=self.row.address, error=error.code, text=str(error))
        now = await asyncio.to_thread(self.means.store.now)
        failures = self.row.failures + 1
        with suppress(LineBusy):
            await asyncio.to_thread(
                lines.went_down,
                self.means.store,
                self.lease,
                code=error.code,
                text=str(error),
                failures=failures,
                next_try_at=now + wait(failures, random.random()),  # noqa: S311
            )

    def _log(
        self, state: StateRow, tally: Tally, began: float, error: HubError | None = None
    ) -> None:
        """Write the visit's one line."""
        seconds = round(time.monotonic() - began, 2)
        self.tally.visits += 1
        self.tally.failed += error is not None
        self.tally.events.update(tally.events)
        self.tally.visit_s[state.meter_id] = seconds
        told = {
            "meter": state.meter_id,
            "line": self.row.address,
            "seconds": seconds,
            "pages": tally.pages,
            "filled": tally.filled,
            "revised": tally.revised,
            "same": tally.same,
            "gaps_asked": tally.gaps_asked,
            "registers": tally.registers,
            "in_doubt": tally.in_doubt,
            "events": tally.events.total(),
            "orders": tally.orders,
            "drift_s": None if tally.drift_s is None else round(tally.drift_s, 1),
        }
        if error is None:
            log.info("visit", **told)
        else:
            log.warning("visit_failed", **told, error=error.code, text=str(error))
