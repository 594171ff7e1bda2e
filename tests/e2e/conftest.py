"""A demo as a newcomer starts it: virtual meters, collector and portal, each a process."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from browsers import chromium
from playwright.sync_api import Browser

from hub.cli.demo_utility import CLOCK_BASE, ZONE, DemoLine, lines
from hub.plugins.api import SimulatorSettings
from hub.plugins.mercury234.simulator import truth

DEMO_DAYS = 13


@dataclass(frozen=True)
class Demo:
    """A running demo, and what its virtual meters truly counted."""

    url: str
    folder: Path
    since: date
    today: date

    def line(self, name: str) -> tuple[DemoLine, int]:
        """Find a meter's line and its address by the name of its point."""
        for line in lines(self.today):
            for offset, meter in enumerate(line.meters):
                if meter.name == name:
                    return line, line.address + offset
        raise LookupError(name)

    def counts(self, name: str, first: datetime, last: datetime) -> dict[datetime, int | None]:
        """P+ counts of half-hours that start in the span (aware), by start in UTC."""
        line, address = self.line(name)
        happened = self.folder / f"line-{line.address}.toml"
        options = {**line.options, "since": self.since.isoformat()}
        settings = SimulatorSettings(
            meters=len(line.meters), address=line.address, seed=line.seed,
            options=options | ({"scenario": str(happened)} if line.happened else {}),
        )  # fmt: skip
        meter = truth(settings, datetime.now(UTC))[address]
        base = timedelta(minutes=CLOCK_BASE)
        face = [(edge.astimezone(UTC) + base).replace(tzinfo=None) for edge in (first, last)]
        half = timedelta(minutes=30)
        found: dict[datetime, int | None] = {}
        for slot in meter.truth(*face):
            start = (slot.end - half - base).replace(tzinfo=UTC)
            found[start] = None if slot.counts is None else slot.counts[0]
        return {at: count for at, count in found.items() if first <= at < last}

    def constant(self, name: str) -> int:
        """Impulses per kWh; the profile counts half of that."""
        return int(self.line(name)[0].options["constant"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    port = free_port()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
    today = datetime.now(ZoneInfo(ZONE)).date()
    folder = tmp_path_factory.mktemp("demo") / "utility"
    child = subprocess.Popen(
        [sys.executable, "-m", "hub", "demo", f"--days={DEMO_DAYS}", f"--port={port}",
         f"--dir={folder}"],
        stdout=subprocess.PIPE, text=True, env=clean,
    )  # fmt: skip
    assert child.stdout is not None
    try:
        said = []
        for said_line in child.stdout:
            said.append(said_line)
            if "Ctrl-C" in said_line:
                break
        assert child.poll() is None, "".join(said)
        yield Demo(f"http://127.0.0.1:{port}", folder, today - timedelta(days=DEMO_DAYS), today)
    finally:
        child.terminate()
        child.communicate(timeout=60)


# Playwright's event loop runs while it is open, and other tests want loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found
