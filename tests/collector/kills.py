"""Kill the real ``hub collect`` and compare what is stored with a run that was never killed.

The meters are virtual, in a process of their own, and their clock stands still, so every run has
the same to read. ``Ground`` holds them and the empty database that every run begins with.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.domain.consent import Act
from hub.services import meters, orders
from hub.store.secrets import new_key
from hub.store.unit import Store

WRITES = "writes"
HERE = Path(__file__).resolve().parent
PATIENCE_S = 120
BASE = timedelta(hours=3)


@dataclass
class Ground:
    """Virtual meters, and a database that knows them and nothing else."""

    folder: Path
    key: str

    def fresh(self, name: str, like: "Run | None" = None) -> "Run":
        """Make a database with the meters and nothing else, or with what another run has."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copyfile(like.database if like else self.folder / "empty.db", folder / "hub.db")
        return Run(folder / "hub.db", self.key)

    def sent(self) -> int:
        """Count the writes that have come to the meters so far."""
        path = self.folder / WRITES
        return len(path.read_text().splitlines()) if path.exists() else 0


@dataclass
class Run:
    """One database and the collectors that work on it, one after another."""

    database: Path
    key: str

    def start(self, *, kill_at: str = "") -> subprocess.Popen:
        told = {
            "HUB_DATABASE_URL": f"sqlite:///{self.database}",
            "HUB_KEYS": self.key,
            "HUB_LOG_LEVEL": "error",
            "KILL_AT": kill_at,
        }
        return subprocess.Popen(
            [sys.executable, str(HERE / "kill_child.py"), "collect", "--once"],
            env=os.environ | told,
            stderr=subprocess.PIPE,
            text=True,
        )

    def killed_at_commit(self, number: int, when: str) -> bool:
        """Let a collector die at its n-th commit; False: it had done its work before."""
        process = self.start(kill_at=f"{number}:{when}")
        _, said = process.communicate(timeout=PATIENCE_S)
        if process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(said)
        return process.returncode == -signal.SIGKILL

    def killed_after(self, seconds: float) -> bool:
        """Kill a collector from outside so long after its start; False: it had ended before."""
        process = self.start()
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        _, said = process.communicate()
        if process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(said)
        return process.returncode == -signal.SIGKILL

    def finish(self) -> None:
        """Let a collector do all that is left."""
        process = self.start()
        _, said = process.communicate(timeout=PATIENCE_S)
        if process.returncode:
            raise AssertionError(said)

    def rows(self) -> dict[str, list[Any]]:
        """Everything stored, without the instants at which this run happened to store it."""
        store = Store.open(f"sqlite:///{self.database}", keys=[self.key])
        try:
            with store.read() as unit:
                return {name: sorted(select(unit, sql), key=repr) for name, sql in ROWS.items()}
        finally:
            store.close()


SERIES = "meter_id, minutes, scale_num, scale_den, channels, source, ratios_applied"
ROWS = {  # the instants at which a run stored something are left out
    "series": f"SELECT {SERIES} FROM series",  # noqa: S608
    "blocks": f"SELECT {SERIES}, day, body FROM block JOIN series ON series.id = series_id",  # noqa: S608
    "revisions": f"SELECT {SERIES}, day, slot, old_counts, old_flags, why FROM revision "  # noqa: S608
    "JOIN series ON series.id = series_id",
    "gaps": "SELECT meter_id, from_at, to_at, state, reason, tries FROM gap",
    "day_starts": "SELECT meter_id, obis, taken_at, value FROM register_reading WHERE day_start",
    "registers": "SELECT DISTINCT meter_id, obis, value FROM register_reading WHERE NOT day_start",
    "balance": "SELECT meter_id, obis, from_at, to_at, state, registers_wh, slots_wh, rereads "
    "FROM balance_check",
    "cursors": "SELECT meter_id, what, scheme, body FROM cursor",
    "states": "SELECT meter_id, profile_from_at, profile_through_at, profile_done, failures, "
    "stopped, error_code FROM meter_state",
    "meters": "SELECT id, maker, serial, model, identity, learned FROM meter",
    # that the clock drifts, and is told, depends on when a run comes to it: the virtual one stands
    "signals": "SELECT DISTINCT json_extract(body, '$.meter') FROM outbox",
    "events": "SELECT meter_id, key, source, kind, began_face, began_at, ended_face, ended_at, "
    "phase, severity, detail, raw FROM meter_event WHERE kind <> 'clock_drifted'",
    "last": "SELECT meter_id, what, shown, body FROM last_values WHERE what = 'state'",
    "orders": "SELECT id, act, meter_id, parameters, outcome FROM consent",
    "audit": "SELECT actor, act, target, detail FROM audit",
    "leases": "SELECT id, lease_token FROM line",
}


def an_order(run: Run) -> Run:
    """Order the relay of the first meter off."""
    store = Store.open(f"sqlite:///{run.database}", keys=[run.key])
    try:
        orders.give(
            store, 1, Act.SWITCH_RELAY, {"closed": False}, actor="test", reason="kills",
            until=store.now() + timedelta(days=1),
        )  # fmt: skip
    finally:
        store.close()
    return run


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an order whose collector was killed at a commit, and was followed by another.

    ``sent``: how often the write left.
    """

    killed: bool
    state: str
    sent: int


def order_killed(place: Ground, ordered: Run, number: int, when: str) -> Fate:
    """Kill the collector that carries an order out at its n-th commit, then let another go on."""
    before = place.sent()
    run = place.fresh("ordered", like=ordered)
    killed = run.killed_at_commit(number, when)
    run.finish()
    ((*_, state),) = run.rows()["orders"]
    return Fate(killed, state, place.sent() - before)


def select(unit, sql: str) -> list[Any]:
    cursor = unit.cursor()
    cursor.execute(sql)
    return cursor.fetchall()


@contextmanager
def ground(
    folder: Path, *, days: int, count: int = 2, now: datetime | None = None
) -> Iterator[Ground]:
    """Set up meters that have run for so many days, with an outage of five hours among them."""
    # Minutes ago, so that every run finds the clock that stands still too slow.
    now = now or datetime.now(UTC).replace(second=7, microsecond=0) - timedelta(minutes=10)
    face = (now + BASE).replace(tzinfo=None)
    dark = (face - timedelta(days=days / 2)).replace(minute=10)
    process = subprocess.Popen(
        [
            sys.executable,
            str(HERE / "kill_meters.py"),
            now.isoformat(),
            str(count),
            f"since={(face - timedelta(days=days)).date()}",
            f"outage={dark.isoformat()}/{(dark + timedelta(hours=5)).isoformat()}",
        ],
        env=os.environ | {"KILL_WRITES": str(folder / WRITES)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(process.stdout.readline())
        key = new_key()
        (folder / "empty.db").unlink(missing_ok=True)
        store = Store.open(f"sqlite:///{folder}/empty.db", keys=[key])
        store.upgrade()
        for address in range(1, count + 1):
            meters.add_meter(
                store,
                line=f"tcp://127.0.0.1:{port}?latency=0",
                driver="mercury234",
                settings=json.dumps({"address": address, "password": "111111"}),
            )
        with store.reader.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        store.close()
        yield Ground(folder, key)
    finally:
        process.kill()
        process.communicate()
