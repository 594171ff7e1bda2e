"""How fast pages are over HTTP: 10,000 points with a year each, one worker, signed in.

The portal is ``hub serve`` of the installed wheel, pinned to the first core; who asks is this
process on the second, over kept connections. No page is cached anywhere. The portal keeps the sums
behind the two pages until a slot comes or ends; two figures are taken without that.

* One request at a time, while ``hub serve --collect`` reads ten lines: the collector is on the
  portal's core, as it comes; the virtual meters are on the second core and step back for who
  asks (nice 19). They answer after 50 ms, as 9600 baud would have it. Each run reads them anew,
  from a copy of the database.
* The same without a collector, and sixteen clients at once: only the portal is on its core.
* Where the time goes: see ``parts``.

The database is made once a day under .proof/server (some minutes, 1.3 GB).
"""

import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from hub.cli.opening import KEYS_FILE
from hub.domain.calendar import month_end
from hub.services import meters
from proof.figures import KEPT, SCRATCH, Figure
from proof.installed import installed_python
from proof.utility import PASSWORD, ZONE, Size, build, email_of, open_utility

P50_MS, P99_MS, RATE = 5.0, 25.0, 250.0
SERVER_CORE, OWN_CORE = 0, 1
CLIENTS = 16
METERS = 30  # of each line
LATENCY_S = 0.05
SIMULATED = "import os; os.nice(19); from hub.cli import main; main()"
RUN = "from hub.cli import main; main()"
FORGET = "from hub.services.kept import Kept; Kept.get = lambda self, key, make: make(); "
OK, READY_S = 200, 60
TABLE = KEPT.parent / "explanation" / "speed.md"
MARK = "<!-- parts of a page: written by make proof server -->\n"


@dataclass(frozen=True, slots=True)
class Plan:
    """``requests`` of each page after ``warm_up``; ``meters`` on each of ``lines``."""

    size: Size = field(default_factory=Size)
    requests: int = 1000
    warm_up: int = 50
    lines: int = 10
    meters: int = METERS


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds of each request, bytes of the page, the server's processor time a request."""

    ms: list[float]
    size: int
    processor_ms: float
    wall_s: float

    def percent(self, hundredth: int) -> float:
        return statistics.quantiles(self.ms, n=100)[hundredth - 1]

    def __str__(self) -> str:
        return (
            f"p50 {self.percent(50):.2f} ms, p99 {self.percent(99):.2f} ms, "
            f"processor {self.processor_ms:.2f} ms, {self.size / 1024:.0f} KB"
        )


# -- the portal, the lines and who asks --------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pinned(core: int) -> None:
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def environment(folder: Path, port: int = 0) -> dict[str, str]:
    others = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
    return others | {
        "HUB_DATA_DIR": str(folder), "HUB_DEMO": "1", "HUB_BASE_URL": f"http://127.0.0.1:{port}",
        "HUB_LOG_LEVEL": "error", "HUB_KEYS": (folder / KEYS_FILE).read_text().strip(),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal that runs, and the cookies and main page of somebody who is signed in."""

    pid: int
    port: int
    cookies: str
    home: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": self.cookies, "Accept-Language": "ru"}

    def processor_s(self) -> float:
        """Seconds of processor that the process has had, all its threads."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def served(python: Path, folder: Path, *words: str, code: str = RUN) -> Iterator[Portal]:
    """Run ``hub serve`` on its core, and sign in."""
    port = free_port()
    child = subprocess.Popen(
        [str(python), "-P", "-c", code, "serve", f"--port={port}", *words],
        env=environment(folder, port),
        cwd=folder,
        preexec_fn=partial(pinned, SERVER_CORE),  # noqa: PLW1509 - no thread runs yet
    )
    try:
        for _ in range(READY_S * 10):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == OK:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            raise RuntimeError(f"hub serve did not get ready within {READY_S} seconds.")
        yield Portal(child.pid, port, *sign_in(port))
    finally:
        child.terminate()
        child.wait(20)


def sign_in(port: int) -> tuple[str, str]:
    """Sign in as a browser does; give the cookies and where the door leads."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as browser:
        found = re.search(r'name="_csrf_token" value="([^"]+)"', browser.get("/login").text)
        if found is None:
            raise RuntimeError("The sign-in page has no token.")
        typed = {"_csrf_token": found[1], "email": email_of(0), "password": PASSWORD}
        answer = browser.post("/login", data=typed)
        home = browser.get("/", follow_redirects=True)
        if "/contracts/" not in str(home.url):
            raise RuntimeError(f"Could not sign in: {answer.status_code}, {home.url}.")
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items()), (
            home.url.path
        )


@contextmanager
def lines(python: Path, plan: Plan) -> Iterator[list[int]]:
    """Run the virtual meters, each line in a process of its own; give their ports."""
    ports = [free_port() for _ in range(plan.lines)]
    with ExitStack() as ended:
        for seed, port in enumerate(ports):
            child = subprocess.Popen(
                [
                    str(python), "-P", "-c", SIMULATED, "simulate", "mercury234",
                    f"--listen=tcp://127.0.0.1:{port}", f"--meters={plan.meters}",
                    f"--seed={seed}", f"--fault=latency={LATENCY_S}",
                ],
                stdout=subprocess.PIPE,
                preexec_fn=partial(pinned, OWN_CORE),  # noqa: PLW1509 - no thread runs yet
            )  # fmt: skip
            ended.callback(child.wait, 20)
            ended.callback(child.terminate)
            assert child.stdout is not None
            child.stdout.readline()
        yield ports


@contextmanager
def with_lines(folder: Path, ports: Sequence[int], plan: Plan) -> Iterator[Path]:
    """Copy the database and add the lines' meters, of which nothing is known yet."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        copy = Path(scratch)
        shutil.copyfile(folder / KEYS_FILE, copy / KEYS_FILE)
        shutil.copyfile(folder / "hub.db", copy / "hub.db")
        store = open_utility(copy)
        try:
            for port in ports:
                for address in range(1, plan.meters + 1):
                    settings = json.dumps({"address": address, "password": "111111"})
                    line = f"tcp://127.0.0.1:{port}"
                    meters.add_meter(store, line=line, driver="mercury234", settings=settings)
        finally:
            store.close()
        yield copy


def read_by_now(folder: Path) -> tuple[int, int]:
    """Count the blocks stored, and the lines that have told of a half-hour."""
    store = open_utility(folder)
    try:
        with store.read() as unit:
            cursor = unit.cursor()
            cursor.execute("SELECT count(*) FROM block")
            stored = int(cursor.fetchone()[0])
            cursor.execute(
                "SELECT count(DISTINCT meter.line_id) FROM meter"
                " JOIN line ON line.id = meter.line_id"
                " JOIN series ON series.meter_id = meter.id"
                " WHERE line.address LIKE 'tcp://127.%'"
            )
            seen = int(cursor.fetchone()[0])
        return stored, seen
    finally:
        store.close()


def take(portal: Portal, path: str, plan: Plan) -> Taken:
    """Ask for a page again and again, one request at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", portal.port)
    took: list[float] = []
    size, began, spent = 0, 0.0, 0.0
    for number in range(plan.requests + plan.warm_up):
        if number == plan.warm_up:
            began, spent = time.perf_counter(), portal.processor_s()
        begin = time.perf_counter()
        size = asked(connection, path, portal)
        if number >= plan.warm_up:
            took.append((time.perf_counter() - begin) * 1000)
    wall = time.perf_counter() - began
    processor = (portal.processor_s() - spent) / plan.requests * 1000
    connection.close()
    return Taken(took, size, processor, wall)


def asked(connection: http.client.HTTPConnection, path: str, portal: Portal) -> int:
    connection.request("GET", path, headers=portal.headers)
    answer = connection.getresponse()
    size = len(answer.read())
    if answer.status != OK:
        raise RuntimeError(f"{path} answered {answer.status}.")
    return size


def take_together(portal: Portal, path: str, plan: Plan) -> Taken:
    """Ask for a page from many clients at once, each the next as soon as it has the last."""
    each = -(-plan.requests // CLIENTS)
    took: list[list[float]] = [[] for _ in range(CLIENTS)]
    sizes: list[int] = []

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", portal.port)
        for _ in range(each):
            begin = time.perf_counter()
            sizes.append(asked(connection, path, portal))
            took[number].append((time.perf_counter() - begin) * 1000)
        connection.close()

    threads = [Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    spent, began = portal.processor_s(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - began
    ms = [each for mine in took for each in mine]
    if len(ms) < each * CLIENTS:
        raise RuntimeError("A client was let down.")
    processor = (portal.processor_s() - spent) / len(ms) * 1000
    return Taken(ms, sizes[0], processor, wall)


# -- the figures -------------------------------------------------------------------------------


def figures() -> Iterable[Figure]:
    now = datetime.now(UTC).replace(microsecond=0)
    today = now.astimezone(ZoneInfo(ZONE)).date()
    folder = SCRATCH / "server" / today.isoformat()
    plan = Plan()
    if not folder.exists():
        for old in folder.parent.glob("*"):
            if old.name != folder.name + ".new":
                shutil.rmtree(old)
        build(folder, now, plan.size)
    mine = os.sched_getaffinity(0)
    pinned(OWN_CORE)
    try:
        with installed_python() as python:
            yield from collected(python, folder, plan, today)
            parts: dict[str, dict[str, float]] = {}
            yield from alone(python, folder, plan, today, parts)
            keep_table(parts)
    finally:
        os.sched_setaffinity(0, mine)


def pages_of(portal: Portal, today: date) -> dict[str, str]:
    first = today.replace(day=1)
    month = f"from={first}&to={month_end(first)}"
    return {
        "main page of 20 points": portal.home,
        "load profile of a month": f"/points/1/profile?{month}",
        "readings of a month": f"/points/1/readings?{month}",
        "list of 20 points": f"{portal.home}/points",
        "data of the month's chart": f"/points/1/profile.json?{month}",
    }


WITH_GOAL = ("main page of 20 points", "load profile of a month")


def figure_of(name: str, taken: Taken, *, has_goal: bool) -> Figure:
    """Word the middle and the 99th of a hundred."""
    met = taken.percent(50) <= P50_MS and taken.percent(99) <= P99_MS
    goal = f"p50 at most {P50_MS:g} ms, p99 at most {P99_MS:g} ms" if has_goal else ""
    return Figure(name, str(taken), goal, met=met if has_goal else None)


def collected(python: Path, folder: Path, plan: Plan, today: date) -> Iterator[Figure]:
    """One request at a time while lines are read."""
    with (
        lines(python, plan) as ports,
        with_lines(folder, ports, plan) as copy,
        served(python, copy, "--collect") as portal,
    ):
        wanted, patience = plan.lines, time.monotonic() + READY_S
        while read_by_now(copy)[1] < wanted and time.monotonic() < patience:
            time.sleep(0.5)
        before, began = read_by_now(copy)[0], time.monotonic()
        pages = pages_of(portal, today)
        for name in WITH_GOAL:
            taken = take(portal, pages[name], plan)
            yield figure_of(f"{name}, {plan.lines} lines read", taken, has_goal=True)
        seconds = time.monotonic() - began
        stored, seen = read_by_now(copy)
        yield Figure(
            "what was read meanwhile",
            f"{seen} lines, {(stored - before) / seconds:.0f} days of half-hours stored a second",
            f"{plan.lines} lines",
            met=seen == plan.lines and stored > before,
        )


def alone(
    python: Path, folder: Path, plan: Plan, today: date, parts: dict[str, dict[str, float]]
) -> Iterator[Figure]:
    """With no collector: each page, many clients, and where the time goes."""
    with served(python, folder) as portal:
        pages = pages_of(portal, today)
        over_http: dict[str, float] = {}
        for name, path in pages.items():
            taken = take(portal, path, plan)
            over_http[name] = taken.processor_ms
            yield figure_of(name, taken, has_goal=name in WITH_GOAL)
        taken = take_together(portal, portal.home, plan)
        rate = len(taken.ms) / taken.wall_s
        yield Figure(
            f"main page, {CLIENTS} clients",
            f"{rate:.0f} requests/s, {taken}",
            f"at least {RATE:g} requests/s",
            met=rate >= RATE,
        )
        told = parts_of(python, folder, portal, plan, list(pages.values()))
        for name, path in pages.items():
            rest = max(over_http[name] - sum(told[path].values()), 0.0)
            parts[name] = told[path] | {"HTTP server, thread, kernel": rest}
    with served(python, folder, code=FORGET + RUN) as portal:
        pages = pages_of(portal, today)
        for name in WITH_GOAL:
            taken = take(portal, pages[name], plan)
            yield figure_of(f"{name}, all sums made anew", taken, has_goal=False)


def parts_of(
    python: Path, folder: Path, portal: Portal, plan: Plan, paths: list[str]
) -> dict[str, dict[str, float]]:
    """Milliseconds of processor of each part of pages, by path; the portal rests meanwhile."""
    script = Path(__file__).with_name("parts.py")
    done = subprocess.run(
        [str(python), "-P", str(script), portal.cookies, str(plan.requests), *paths],
        env=environment(folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
        preexec_fn=partial(pinned, SERVER_CORE),
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def table(parts: dict[str, dict[str, float]]) -> str:
    """Write where the time goes as a table: a row a part, milliseconds of processor a request."""
    names = list(parts)
    rows = [["part, ms of processor", *names], ["---", *["---:"] * len(names)]]
    rows += [
        [part, *(f"{parts[name][part]:.2f}" for name in names)]
        for part in next(iter(parts.values()))
    ]
    rows.append(["in all", *(f"{sum(parts[name].values()):.2f}" for name in names)])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def keep_table(parts: dict[str, dict[str, float]]) -> None:
    """Put the table at the end of its page of the docs."""
    before = TABLE.read_text(encoding="utf-8").partition(MARK)[0]
    TABLE.write_text(f"{before}{MARK}\n{table(parts)}", encoding="utf-8")
