"""How long pages take over HTTP: a consumer with 20 points among 1,000 points with a year each.

The database is made once a day under .proof/pages, seeded, by the store's own functions. The
portal is ``hub serve`` of the installed wheel in a process on the first core; requests are made
one at a time from this process on the second core, over one kept connection, signed in. No page is
cached anywhere. The portal keeps the sums behind the main page until a slot comes or ends; one
figure is taken with those switched off.
"""

import http.client
import os
import re
import shutil
import socket
import statistics
import subprocess
import time
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import httpx
from sqlmodel import insert

from corefast.profile import pack_day
from hub.cli.opening import KEYS_FILE, write_keys
from hub.domain.calendar import instant_of, minute_of, month_end
from hub.domain.series import Shape
from hub.plugins.api import SupplierCard
from hub.services import bookkeeping, places
from hub.services.accounts import Accounts
from hub.services.joining import join_points
from hub.services.passwords import Passwords
from hub.store import blocks, contracts, meters, series, tables
from hub.store.secrets import new_key
from hub.store.series import SeriesKey
from hub.store.unit import Store
from proof.figures import SCRATCH, Figure
from proof.installed import installed_python

POINTS, CONTRACTS, DAYS = 1000, 50, 366
REQUESTS = 1000
GOAL_MS = 5.0
ZONE = "Europe/Moscow"
EMAIL, PASSWORD = "first@example.org", "Thousand meters 1"
SLOTS, POOL = 48, 499
CLOCK_BASE = 180
RUN = "from hub.cli import main; main()"
FORGET = "import hub.services.usage as usage; usage._KEPT.most = 0; "
WARM_UP, OK = 50, 200
SCALE = Fraction(1000)  # milliwatt-hours a count
SHAPE = Shape(30, 0b0101)  # P+ and Q+
RULES = [
    {"zone": "T1", "from": "07:00", "to": "23:00"},
    {"zone": "T2", "from": "23:00", "to": "07:00"},
]


# -- the database ------------------------------------------------------------------------------


def a_day(random: Random, slots: int = SLOTS) -> tuple[bytes, int]:
    """A packed day and the sum of its P+ counts; slots after ``slots`` have no value yet."""
    values = array("I", bytes(8 * SLOTS))
    flags = bytearray(b"\1" * SLOTS)
    for slot in range(slots):
        values[2 * slot] = int(random.lognormvariate(5, 1))
        values[2 * slot + 1] = values[2 * slot] // 3
        flags[slot] = 0
    shaped = memoryview(values).cast("B").cast("I", (SLOTS, 2))
    return bytes(pack_day(shaped, bytes(flags))), sum(values[::2])


def fill(store: Store, meter_id: int, pool: list[tuple[bytes, int]], today: tuple[bytes, int],
         now: datetime) -> None:  # fmt: skip
    """Give a meter its year of half-hours, its registers at midnights and a state of all well."""
    last_day = minute_of(now) // 1440
    first_day = last_day - DAYS + 1
    with store.write() as unit:
        series_id = series.find_or_open(unit, SeriesKey(meter_id, SHAPE, SCALE))
        cursor = unit.cursor()
        days = [pool[(meter_id * 31 + day) % POOL] for day in range(first_day, last_day)]
        for at, (body, _sum) in enumerate([*days, today]):
            blocks.write_day(cursor, series_id, first_day + at, body)
        rows: list[dict[str, object]] = []
        for at, counts in enumerate(accumulate((total for _body, total in days), initial=0)):
            taken_at = instant_of((first_day + at) * 1440 - CLOCK_BASE)
            for obis, part in (("1.8.0", 6), ("1.8.1", 4), ("1.8.2", 2)):
                value = 1_000_000 + counts * part // 6
                rows.append(
                    {
                        "meter_id": meter_id,
                        "obis": obis,
                        "taken_at": taken_at,
                        "value": value,
                        "source": "driver",
                        "day_start": True,
                    }
                )
        unit.session.execute(insert(tables.RegisterReading), rows)
        state = meters.state(unit, meter_id)
        state.seen_at = state.tried_at = now - timedelta(minutes=10)
        state.due_at = now + timedelta(days=2)
        state.profile_from_at = instant_of(first_day * 1440)
        state.profile_through_at = instant_of(minute_of(now) // 30 * 30)
        state.profile_done = True


def set_up_point(store: Store, supplier_id: int, number: int, now: datetime) -> int:
    """Add a place with its meter, and give the meter's id."""
    _place_id, meter_id = places.set_up(
        store,
        places.NewPlace(
            supplier_id=supplier_id,
            number=f"P{number}",
            name=f"Ввод {number}",
            time_zone=ZONE,
            schedule="day and night",
            rules=RULES,
            installed_at=now - timedelta(days=2 * DAYS),
            current_ratio=20 if number % 2 else 1,
            clock_base_minutes=CLOCK_BASE,
            register_map={"T1": "T1", "T2": "T2"},
            meter=places.NewMeter(
                line=f"tcp://10.0.{number % 50}.1:4001",
                driver="mercury234",
                settings='{"address": 1}',
                maker="incotex",
                serial=f"{40_000_000 + number}",
                model="Mercury 234 ART",
            ),
        ),
    )
    return meter_id


def link(store: Store, user_id: int, supplier_id: int, numbers: range, now: datetime) -> None:
    """Link a contract with these points, joined to their places."""
    with store.write() as unit:
        contract_id = contracts.add_contract(
            unit,
            tables.Contract(
                user_id=user_id, supplier_id=supplier_id, remote_id=f"r{user_id}",
                name="Завод", number=f"76-{user_id}", holder="Ким А. С.", linked_at=now,
                balance_kopecks=-128_450, balance_at=now,
            ),
        )  # fmt: skip
        contracts.put_points(
            unit,
            contract_id,
            [
                tables.ContractPoint(
                    contract_id=contract_id, remote_id=f"p{number}", name=f"Ввод {number}",
                    number=f"P{number}", meter_serial=f"{40_000_000 + number}", smart=True,
                    told_at=now,
                )
                for number in numbers
            ],
        )  # fmt: skip


def build(folder: Path, now: datetime, points: int = POINTS, contracts_: int = CONTRACTS) -> None:
    """Make the database; in a folder beside it, so that a half-made one is never used."""
    shutil.rmtree(folder, ignore_errors=True)
    draft = folder.with_name(folder.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    keys = [new_key()]
    write_keys(draft / KEYS_FILE, keys)
    random = Random(234)  # noqa: S311 - data to count, not a secret
    pool = [a_day(random) for _ in range(POOL)]
    today = a_day(random, minute_of(now) % 1440 // 30)
    passwords = Passwords()
    store = Store.open(f"sqlite:///{draft / 'hub.db'}", keys=keys)
    try:
        store.upgrade()
        card = SupplierCard(name="Энергосбыт", phones=("8 800 555-01-00",))
        supplier_id = bookkeeping.open_supplier(store, title="Энергосбыт", card=card, now=now)
        for number in range(points):
            fill(store, set_up_point(store, supplier_id, number, now), pool, today, now)
        each = points // contracts_
        for number in range(contracts_):
            email = EMAIL if number == 0 else f"person{number}@example.org"
            user_id = Accounts(store, passwords).add(
                email=email, full_name="Ким Анна Сергеевна", password=PASSWORD
            )
            numbers = range(number * each, (number + 1) * each)
            link(store, user_id, supplier_id, numbers, now)
        with store.write() as unit:
            join_points(unit, now)
    finally:
        store.close()
    draft.rename(folder)


# -- the portal and who asks it ----------------------------------------------------------------


@contextmanager
def served(python: Path, folder: Path, core: int, *, keep_sums: bool = True) -> Iterator[int]:
    """Run ``hub serve`` on one core and give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("HUB_")
    } | {
        "HUB_DATA_DIR": str(folder), "HUB_DEMO": "1", "HUB_BASE_URL": f"http://127.0.0.1:{port}",
        "HUB_LOG_LEVEL": "warning",
    }  # fmt: skip
    child = subprocess.Popen(
        [str(python), "-P", "-c", RUN if keep_sums else FORGET + RUN, "serve", f"--port={port}"],
        env=environment,
        cwd=folder,
    )
    os.sched_setaffinity(child.pid, {core})
    try:
        for _ in range(300):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == OK:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            raise RuntimeError("hub serve did not get ready within 30 seconds.")
        yield port
    finally:
        child.terminate()
        child.wait(10)


def sign_in(port: int) -> tuple[str, str]:
    """Sign in as a browser does; give the cookies and where the door leads."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as browser:
        page = browser.get("/login").text
        found = re.search(r'name="_csrf_token" value="([^"]+)"', page)
        if found is None:
            raise RuntimeError("The sign-in page has no token.")
        typed = {"_csrf_token": found[1], "email": EMAIL, "password": PASSWORD}
        answer = browser.post("/login", data=typed)
        home = browser.get("/", follow_redirects=True)
        if "/contracts/" not in str(home.url):
            raise RuntimeError(f"Could not sign in: {answer.status_code}, {home.url}.")
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return cookies, home.url.path


def take(port: int, path: str, cookies: str) -> tuple[list[float], int]:
    """Ask for a page so many times, one after the other; milliseconds of each, and its bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Cookie": cookies, "Accept-Language": "ru"}
    took: list[float] = []
    size = 0
    for number in range(REQUESTS + WARM_UP):
        begin = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        spent = (time.perf_counter() - begin) * 1000
        if answer.status != OK:
            raise RuntimeError(f"{path} answered {answer.status}.")
        size = len(body)
        if number >= WARM_UP:
            took.append(spent)
    connection.close()
    return took, size


def figures() -> Iterable[Figure]:
    now = datetime.now(UTC).replace(microsecond=0)
    today = now.astimezone(ZoneInfo(ZONE)).date()
    folder = SCRATCH / "pages" / today.isoformat()
    if not folder.exists():
        shutil.rmtree(folder.parent, ignore_errors=True)
        build(folder, now)
    server_core, own_core = 0, 1
    mine = os.sched_getaffinity(0)
    if len(mine) > 1:
        os.sched_setaffinity(0, {own_core})
    try:
        with installed_python() as python:
            yield from of_pages(python, folder, server_core, today)
    finally:
        os.sched_setaffinity(0, mine)


def of_pages(python: Path, folder: Path, server_core: int, today: date) -> Iterable[Figure]:
    with served(python, folder, server_core) as port:
        cookies, home = sign_in(port)
        first = today.replace(day=1)
        month = f"from={first}&to={month_end(first)}"
        pages = {
            "main page of 20 points": (home, True),
            "load profile of a month": (f"/points/1/profile?{month}", True),
            "data of the month's chart": (f"/points/1/profile.json?{month}", False),
            "list of 20 points": (f"{home}/points", False),
            "readings of a month": (f"/points/1/readings?{month}", False),
        }
        for name, (path, has_goal) in pages.items():
            yield figure_of(name, *take(port, path, cookies), has_goal=has_goal)
    with served(python, folder, server_core, keep_sums=False) as port:
        cookies, home = sign_in(port)
        took = take(port, home, cookies)
        yield figure_of("main page of 20 points, all sums made anew", *took, has_goal=True)


def figure_of(name: str, took: list[float], size: int, *, has_goal: bool) -> Figure:
    """Word the middle and the 99th of a hundred."""
    cuts = statistics.quantiles(took, n=100)
    p50, p99 = cuts[49], cuts[98]
    return Figure(
        name,
        f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, {size / 1024:.0f} KB",
        f"p50 at most {GOAL_MS:g} ms" if has_goal else "",
        met=p50 <= GOAL_MS if has_goal else None,
    )
