"""``hub demo``: a whole small utility on this machine.

Virtual meters answer on TCP lines, the real collector reads them, the real portal shows it. The
folder keeps the database, the keys and how the meters were made, so a second start continues.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from zoneinfo import ZoneInfo

import click

from hub.cli import processes
from hub.errors import ChildEnded, PortTaken, StoreUnavailable

if TYPE_CHECKING:
    from hub.cli.demo_utility import DemoMeter
    from hub.plugins.api import Point
    from hub.services.passwords import Passwords
    from hub.store.unit import Store

READY_S: Final = 60.0
MADE: Final = "demo.json"
MAKING: Final = "demo.making"  # there while the utility is being made
LONGEST_DAYS: Final = 170  # what the larger ring of a Mercury holds


@dataclass(frozen=True, slots=True)
class Made:
    """How this demo was made: what must stay the same when it is started again."""

    since: str  # the day the meters were put in
    today: str  # the day it was made
    ports: tuple[int, ...]

    @classmethod
    def read(cls, path: Path) -> Self | None:
        if not path.exists():
            return None
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(told["since"], told["today"], tuple(told["ports"]))


@click.command()
@click.option(
    "--dir", "folder", default="demo", show_default=True, metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path), help="Where it keeps everything.",
)  # fmt: skip
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--days", default=90, show_default=True, type=click.IntRange(1, LONGEST_DAYS),
    help="How long ago the meters were put in; only when the demo is made.",
)  # fmt: skip
def demo(*, folder: Path, port: int, days: int) -> None:
    """Run a small utility: virtual meters, collector, supplier, consumer and portal.

    Prints the address and the log-ins. Ends with Ctrl-C; started again, it goes on where it was.
    """
    _check_free(port)
    _take_settings(folder, port)
    made = Made.read(folder / MADE)
    fresh = made is None
    if made is None:
        _clear_half_made(folder)
        from hub.cli.demo_utility import ZONE, lines

        today = datetime.now(ZoneInfo(ZONE)).date()
        since = today - timedelta(days=days)
        made = Made(since.isoformat(), today.isoformat(), _free_ports(len(lines(today))))
    children: list[subprocess.Popen[str]] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _start_meters(children, made, folder)
        if fresh:
            click.echo("Making the utility: asking the meters who they are…")
            _set_up(made)
            (folder / MADE).write_text(json.dumps(asdict(made)), encoding="utf-8")
            (folder / MAKING).unlink()
        portal = processes.start("serve", "--collect")
        children.append(portal)
        _wait_ready(portal, port)
        _say_log_ins(port)
        portal.wait()
        raise ChildEnded("The portal ended by itself; its own message stands above.")
    except KeyboardInterrupt:
        click.echo("\nEnding the demo; start it again to go on.")
    finally:
        processes.end(children[::-1])


def _take_settings(folder: Path, port: int) -> None:
    """Make the folder and the keys; settings of this process and its children are the demo's."""
    from hub.cli.demo_utility import EMAIL, EMERGENCY_PHONE, PASSWORD
    from hub.cli.opening import KEYS_FILE, make_folder, write_keys
    from hub.store.secrets import new_key

    make_folder(folder)
    if not (folder / KEYS_FILE).exists():
        write_keys(folder / KEYS_FILE, [new_key()])
    for name in [name for name in os.environ if name.startswith("HUB_") and name != "HUB_DEBUG"]:
        del os.environ[name]  # the settings of a real installation have no place here
    os.environ |= {
        "HUB_DATA_DIR": str(folder.absolute()),
        "HUB_DEMO": "1",
        "HUB_DEMO_LOGIN": f"{EMAIL} {PASSWORD}",
        "HUB_HOST": "127.0.0.1",
        "HUB_PORT": str(port),
        "HUB_BASE_URL": f"http://127.0.0.1:{port}",
        "HUB_EMERGENCY_PHONE": EMERGENCY_PHONE,
        "HUB_LOG_LEVEL": "warning",
    }


def _clear_half_made(folder: Path) -> None:
    """Begin anew where a start was cut off while it made the utility."""
    database = folder / "hub.db"
    if database.exists():
        if not (folder / MAKING).exists():
            raise StoreUnavailable(
                f"{database} is not a demo's database; give another folder with --dir."
            )
        for path in folder.glob("hub.db*"):
            path.unlink()
    (folder / MAKING).touch()


# -- virtual meters ----------------------------------------------------------------------------


def _start_meters(children: list["subprocess.Popen[str]"], made: Made, folder: Path) -> None:
    """Start a process a line and wait until each says that it is ready."""
    from hub.cli.demo_utility import DRIVER, lines

    started = []
    for line, port in zip(lines(date.fromisoformat(made.today)), made.ports, strict=True):
        words = [
            DRIVER, "--listen", f"tcp://127.0.0.1:{port}",
            "--address", str(line.address), "--meters", str(line.answering),
            "--seed", str(line.seed), "--option", f"since={made.since}",
        ]  # fmt: skip
        for name, value in line.options.items():
            words += ["--option", f"{name}={value}"]
        if line.happened:
            path = folder / f"line-{line.address}.toml"
            path.write_text(line.happened, encoding="utf-8")
            words += ["--option", f"scenario={path}"]
        child = processes.start("simulate", *words, stdout=subprocess.PIPE)
        children.append(child)
        started.append((child, port))
    for child, port in started:
        said = child.stdout.readline() if child.stdout is not None else ""
        if not said.startswith("ready"):
            raise ChildEnded(
                f"The virtual meters on port {port} did not start; end the program that uses "
                "the port, or make the demo anew in another --dir."
            )


def _set_up(made: Made) -> None:
    """Enter the supplier, its books, the metering points and the consumer."""
    from hub.cli.demo_utility import lines
    from hub.cli.opening import open_store, read_settings

    utility = lines(date.fromisoformat(made.today))
    asked = [
        (line, port, offset, meter)
        for line, port in zip(utility, made.ports, strict=True)
        for offset, meter in enumerate(line.meters)
    ]
    there = [each for each in asked if not each[3].serial]
    told = _identities([(port, line.address + offset) for line, port, offset, _ in there])
    identities = {
        (port, offset): identity for (_, port, offset, _), identity in zip(there, told, strict=True)
    }
    meters = [
        Found(meter, f"tcp://127.0.0.1:{port}", line.address + offset,
              identities.get((port, offset), {"maker": told[0]["maker"], "serial": meter.serial,
                                              "model": ""}))
        for line, port, offset, meter in asked
    ]  # fmt: skip
    with open_store(read_settings()) as store:
        _enter(store, meters, made, datetime.now(UTC))


def _identities(meters: list[tuple[int, int]]) -> list[dict[str, str]]:
    """Ask each meter who it is, over its line, as an engineer would who puts it in."""
    from hub.cli.demo_utility import DRIVER

    asking = [
        processes.start(
            "meter", "read", f"tcp://127.0.0.1:{port}", "--driver", DRIVER,
            "--address", str(address), "identity", "--json",
            stdout=subprocess.PIPE,
        )
        for port, address in meters
    ]  # fmt: skip
    answers = [child.communicate(timeout=READY_S)[0] for child in asking]
    if any(child.returncode for child in asking):
        raise ChildEnded("A virtual meter did not say who it is; its message stands above.")
    return [json.loads(answer) for answer in answers]


@dataclass(frozen=True, slots=True)
class Found:
    """A meter on its line, with what it said of itself, or what its papers say."""

    meter: "DemoMeter"
    line: str
    address: int
    identity: dict[str, str]


def _enter(store: "Store", meters: list[Found], made: Made, now: datetime) -> None:
    """Enter supplier, places, books and consumer, as ``hub house`` and the portal do."""
    from hub.cli import demo_utility as data
    from hub.cli.demo_books import History
    from hub.services import bookkeeping
    from hub.services.passwords import Passwords

    supplier_id = bookkeeping.open_supplier(
        store, title=data.SUPPLIER.name, card=data.SUPPLIER, now=now
    )
    since = datetime.fromisoformat(made.since).replace(tzinfo=ZoneInfo(data.ZONE)).astimezone(UTC)
    _place(store, supplier_id, meters, since, replaced_at=since + (now - since) / 2)
    passwords = Passwords()
    smart = [
        (found.meter.contract, _point(found), found.meter.tariff)
        for found in meters
        if not found.meter.former
    ]
    history = History(store, supplier_id, passwords, now)
    asyncio.run(history.write(smart))
    asyncio.run(_enter_consumer(store, passwords, supplier_id))


def _place(
    store: "Store", supplier_id: int, meters: list[Found], since: datetime, replaced_at: datetime
) -> None:
    """Set up the places; a second meter of a number takes the place of the first."""
    from hub.cli import demo_utility as data
    from hub.services import places

    known: dict[str, int] = {}
    for found in meters:
        meter = found.meter
        schedule, rules = data.SCHEDULES[meter.tariffs]
        new = places.NewMeter(
            line=found.line,
            driver=data.DRIVER,
            settings=json.dumps({"address": found.address}),
            maker=found.identity["maker"],
            serial=found.identity["serial"],
            model=found.identity["model"],
        )
        if meter.number in known:
            places.replace_meter(store, known[meter.number], new, replaced_at)
            continue
        known[meter.number], _ = places.set_up(
            store,
            places.NewPlace(
                supplier_id=supplier_id,
                number=meter.number,
                name=meter.name,
                time_zone=data.ZONE,
                schedule=schedule,
                rules=rules,
                installed_at=since,
                current_ratio=meter.current_ratio,
                clock_base_minutes=data.CLOCK_BASE,
                register_map={zone: zone for zone in _zones(meter)},
                meter=new,
            ),
        )


def _zones(meter: "DemoMeter") -> tuple[str, ...]:
    return tuple(f"T{zone}" for zone in range(1, meter.tariffs + 1))


def _point(found: Found) -> "Point":
    """Say of a point what the utility has in its books."""
    from hub.plugins.api import Point

    meter = found.meter
    return Point(
        id="", name=meter.name, number=meter.number, meter_serial=found.identity["serial"],
        smart=True, place=meter.place, tariff_zones=_zones(meter), whole_digits=6,
        decimal_digits=2, facts=meter.facts, transformers=meter.transformers,
    )  # fmt: skip


async def _enter_consumer(store: "Store", passwords: "Passwords", supplier_id: int) -> None:
    """Add the consumer, link the contracts and write to the supplier, as the portal does."""
    from hub.cli import demo_utility as data
    from hub.cli import demo_waterworks
    from hub.cli.demo_consumer import act
    from hub.plugins.manager import load_plugins
    from hub.services.accounts import Accounts
    from hub.services.contracts import Contracts

    accounts = Accounts(store, passwords)
    user_id = await asyncio.to_thread(
        lambda: accounts.add(
            email=data.EMAIL, full_name=data.FULL_NAME, password=data.PASSWORD,
            phone="+7 900 000-00-14",
        )
    )  # fmt: skip
    plugins = load_plugins()
    contracts = Contracts(store, plugins, passwords)
    linked = [
        await contracts.link(user_id, supplier_id, name, login, password)
        for name, login, password in data.LINKED
    ]
    await act(store, plugins, passwords, supplier_id, user_id)
    water_id = await asyncio.to_thread(demo_waterworks.enter, store, passwords, datetime.now(UTC))
    await demo_waterworks.link_and_write(store, plugins, passwords, water_id, user_id)
    await asyncio.to_thread(contracts.use, user_id, linked[0])


# -- the portal --------------------------------------------------------------------------------


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(
                f"Port {port} is in use; end the program that uses it, or give another --port."
            ) from error


def _free_ports(count: int) -> tuple[int, ...]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return tuple(probe.getsockname()[1] for probe in probes)
    finally:
        for probe in probes:
            probe.close()


def _wait_ready(portal: "subprocess.Popen[str]", port: int) -> None:
    until = time.monotonic() + READY_S
    # Proxies of the environment are not for a server on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until:
        if portal.poll() is not None:
            break
        try:
            with opener.open(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise ChildEnded("The portal did not start; its own message stands above.")


def _say_log_ins(port: int) -> None:
    from hub.cli import demo_utility as data
    from hub.cli import demo_waterworks as water

    login, password = data.FREE
    click.echo(
        f"\n  Open      http://127.0.0.1:{port}/\n"
        f"  E-mail    {data.EMAIL}\n"
        f"  Password  {data.PASSWORD}\n\n"
        f"  A contract to add: {data.SUPPLIER.name}, login {login}, password {password}\n"
        f"  {water.CARD.name} ('{water.LINKED[0]}') answers nobody, so what is sent waits;\n"
        f"  HUB_DATA_DIR={os.environ['HUB_DATA_DIR']} "
        f"hub house resume --supplier '{water.CARD.name}' wakes it\n"
        f"  Letters of the demo are read at http://127.0.0.1:{port}/demo/mail\n"
        "  The meters are being read now; the history grows on the pages. Ctrl-C ends it.\n"
    )
