"""``hub doctor``: what is installed, and whether it is healthy."""

import os
import platform
import sqlite3
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub.errors import HubError

if TYPE_CHECKING:
    from hub.services.health import LineHealth, MeterFare
    from hub.settings import Settings

PACKAGES: Final = ("litestar", "sqlmodel", "sqlalchemy", "pluggy", "pyserial", "uvicorn")
CRC_OF_DIGITS: Final = 0x4B37  # CRC-16/MODBUS of "123456789", as its catalogue gives it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``text`` says how it is and, if it is not well, what to do."""

    name: str
    well: bool
    text: str


@click.command()
@click.option("--lines", is_flag=True, help="Only lines and meters, in figures.")
@click.option("--json", "as_json", is_flag=True, help="For a program.")
def doctor(*, lines: bool, as_json: bool) -> int:
    """Say what is installed and whether it is healthy: plugins, keys, database, lines, meters.

    Changes nothing. Exit code 1 if something needs a person.
    """
    from hub.cli.kit import say_json
    from hub.cli.opening import read_settings

    settings = read_settings()
    if lines:
        from hub.cli.doctor_lines import look_at_lines

        return look_at_lines(settings, as_json=as_json)
    findings = [*_installed(), *_plugins(settings), _keys(settings), _folder(settings)]
    findings += _database(settings)
    healthy = all(finding.well for finding in findings)
    if as_json:
        say_json({"healthy": healthy, "findings": [asdict(finding) for finding in findings]})
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            mark = "ok " if finding.well else "BAD"
            click.echo(f"{mark}  {finding.name.ljust(width)}  {finding.text}")
    return 0 if healthy else 1


def _installed() -> list[Finding]:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        Finding("hub", well=True, text=version("metering-hub")),
        Finding("python", well=True, text=f"{platform.python_version()} on {platform.platform()}"),
        Finding("sqlite", well=True, text=sqlite3.sqlite_version),
        Finding("packages", well=True, text=packages),
        _core(),
    ]


def _core() -> Finding:
    """Look whether the compiled core is there and computes; without it nothing else would run."""
    try:
        from corefast import crc
    except ImportError as error:
        return Finding("corefast", well=False, text=str(error))
    if crc.crc16(b"123456789") != CRC_OF_DIGITS:
        return Finding(
            "corefast", well=False, text="It computes a wrong checksum; build it anew with pip."
        )
    return Finding("corefast", well=True, text=f"compiled: {Path(crc.__file__).name}")


def _plugins(settings: "Settings") -> list[Finding]:
    from hub.plugins.manager import PluginState, load_plugins

    found = []
    for report in load_plugins(only=settings.plugins).reports:
        well = report.state in {PluginState.LOADED, PluginState.DISABLED}
        words = f"{report.distribution} {report.version}, {report.state}"
        if report.error:
            words += f": {report.error} {report.next_step}"
        found.append(Finding(f"plugin {report.id}", well, words))
    return found


def _keys(settings: "Settings") -> Finding:
    from hub.cli.opening import KEYS_FILE, read_keys
    from hub.errors import KeysMissing
    from hub.store.secrets import Secrets

    try:
        keys = read_keys(settings)
        if not keys:
            raise KeysMissing
        Secrets(keys)
    except HubError as error:
        return Finding("keys", well=False, text=str(error))
    where = "HUB_KEYS" if settings.keys else str(settings.data_dir / KEYS_FILE)
    return Finding("keys", well=True, text=f"{len(keys)} from {where}")


def _folder(settings: "Settings") -> Finding:
    folder = settings.data_dir.absolute()
    if not folder.is_dir():
        return Finding("folder", well=True, text=f"{folder} is made at the first start")
    if not can_write(folder):
        return Finding(
            "folder", well=False, text=f"{folder} can't be written; give this user write access."
        )
    return Finding("folder", well=True, text=str(folder))


def _database(settings: "Settings") -> list[Finding]:
    """Look at the database without making one, and through it at lines and meters."""
    from hub.services import health, upkeep
    from hub.store.unit import Store

    try:
        store = Store(settings.database, keys=())
        if store.path is not None and not store.path.exists():
            return [Finding("database", well=True, text=f"{store.path} is made at the first start")]
        store = Store.open(settings.database, keys=())
    except HubError as error:
        return [Finding("database", well=False, text=str(error))]
    try:
        store.check_schema()
        wrong = upkeep.integrity(store)
        lines = health.look(store)
    except HubError as error:
        return [Finding("database", well=False, text=f"{store.where}: {error}")]
    finally:
        store.close()
    if wrong:
        return [
            Finding("database", well=False, text=f"{store.where}: {wrong[0]}; restore a backup.")
        ]
    if store.path is not None and not can_write(store.path):
        text = f"{store.where} can't be written; give this user write access."
        return [Finding("database", well=False, text=text), *_lines(lines)]
    return [Finding("database", well=True, text=f"{store.where}, of this version"), *_lines(lines)]


def can_write(path: Path) -> bool:
    return os.access(path, os.W_OK | os.X_OK if path.is_dir() else os.W_OK)


def _lines(lines: "list[LineHealth]") -> list[Finding]:
    if not lines:
        return [Finding("lines", well=True, text="none yet")]
    found = []
    for each in lines:
        line = each.line
        text = f"{len(each.meters)} meters"
        if line.down_since_at is not None:
            text = f"down since {line.down_since_at:%Y-%m-%d %H:%M} UTC: {line.error_text}"
        found.append(Finding(f"line {line.address}", line.down_since_at is None, text))
        found += [_meter(meter) for meter in each.meters]
    return found


def _meter(meter: "MeterFare") -> Finding:
    seen = f"read {meter.seen_at:%Y-%m-%d %H:%M} UTC" if meter.seen_at else "not read yet"
    if meter.stopped or meter.failures:
        state = "stopped" if meter.stopped else f"{meter.failures} failures"
        seen = f"{seen}, {state}: {meter.error_text}"
    name = f"meter {meter.maker} {meter.serial or '(serial unknown)'}"
    return Finding(name, not (meter.stopped or meter.failures), seen)
