"""A newcomer's first look: from a fresh clone to the signed-in page, and to 90 days of history.

The commit at hand is cloned into an empty folder; ``make run`` makes the environment, builds the
core and starts the demo there. Package downloads count, so the network's mood does too.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import httpx

from hub.cli.demo_utility import EMAIL, PASSWORD, ZONE
from proof.figures import ROOT, Figure

DAYS = 90
GOAL_S = 60.0
PATIENCE_S = 900.0
PIECE = timedelta(days=30)
SLOTS_A_DAY = 48


def figures() -> Iterable[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "fresh"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        began = time.monotonic()
        with (
            running(clone) as (base, started_at),
            httpx.Client(base_url=base, follow_redirects=True, timeout=30) as browser,
        ):
            page = sign_in(browser)
            signed_in = time.monotonic() - began
            points = points_of(browser, page)
            whole = time_of_history(browser, points, started_at())
        yield Figure(
            "fresh clone to the signed-in page",
            f"{signed_in / 60:.1f} minutes with {sys.version.split()[0]}, packages downloaded",
        )
        yield Figure(
            f"{DAYS} days of history on the pages of {len(points)} points",
            f"{whole:.0f} s from the first line of the demo",
            f"{GOAL_S:.0f} s from the start",
            whole <= GOAL_S,
        )


@contextlib.contextmanager
def running(clone: Path) -> Iterator[tuple[str, "Started"]]:
    """``make run`` in the clone until its log-ins are printed; ended as Ctrl-C does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    make = subprocess.Popen(
        ["make", "run", f"PORT={port}"],
        cwd=clone,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    started = Started(make)
    try:
        started.wait_for("Password")
        yield f"http://127.0.0.1:{port}", started
    finally:
        os.killpg(make.pid, signal.SIGINT)
        make.wait(30)


class Started:
    """Listens to the output; remembers when the demo said its first word."""

    def __init__(self, make: "subprocess.Popen[str]") -> None:
        self.make = make
        self.lines: list[str] = []
        self.demo_at: float | None = None
        self.ear = Thread(target=self._listen, daemon=True)
        self.ear.start()

    def __call__(self) -> float:
        assert self.demo_at is not None
        return self.demo_at

    def _listen(self) -> None:
        assert self.make.stdout is not None
        for line in self.make.stdout:
            self.lines.append(line)
            if "hub demo --port" in line:
                self.demo_at = time.monotonic()

    def wait_for(self, word: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.make.poll() is None:
            if any(word in line for line in self.lines):
                return
            time.sleep(0.05)
        raise RuntimeError("The demo did not start:\n" + "".join(self.lines[-30:]))


def sign_in(browser: httpx.Client) -> str:
    form = browser.get("/login").text
    token = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', form)
    assert token is not None
    told = {"email": EMAIL, "password": PASSWORD, "_csrf_token": token[1]}
    page = browser.post("/login", data=told)
    assert page.status_code == httpx.codes.OK, page.text
    return page.text


def points_of(browser: httpx.Client, page: str) -> list[int]:
    """Every point of every contract in the panel."""
    contracts = sorted(set(re.findall(r'href="(/contracts/\d+)"', page)))
    found: set[int] = set()
    for contract in contracts:
        listed = browser.get(f"{contract}/points").text
        found |= {int(each) for each in re.findall(r"/points/(\d+)", listed)}
    return sorted(found)


def time_of_history(browser: httpx.Client, points: list[int], began: float) -> float:
    """Seconds until every point's pages have all half-hours of the 90 days but the power cut's."""
    waiting = set(points)
    while waiting and time.monotonic() - began < PATIENCE_S:
        waiting = {point for point in waiting if not is_whole(browser, point)}
        time.sleep(0.25)
    assert not waiting, f"points {waiting} have no whole history"
    return time.monotonic() - began


def is_whole(browser: httpx.Client, point: int) -> bool:
    today = datetime.now(ZoneInfo(ZONE)).date()
    return all(has_day(browser, point, today - timedelta(days=ago)) for ago in (DAYS, 45, 1))


def has_day(browser: httpx.Client, point: int, day: date) -> bool:
    data = browser.get(
        f"/points/{point}/profile.json", params={"from": day.isoformat(), "to": day.isoformat()}
    ).json()
    return sum(each is not None for each in data["kwh"]) == SLOTS_A_DAY
