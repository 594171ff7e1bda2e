"""What the driver gets out of each firmware over each kind of line: a table for the docs.

``hub simulate`` runs once for each personality and line; the production line and driver have
every conversation with it, and each cell says what came of it. The three kinds of line have to
tell the same. The table is written to docs/devices/mercury234-capabilities.md.
"""

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from remote_port import remote_port

from hub.domain.consent import Act, Consent
from hub.plugins.api import (
    Can,
    HubError,
    Level,
    Limits,
    MeterTime,
    NotSupported,
    Outcome,
    Quantity,
    WrongDevice,
)
from hub.plugins.api.meter import ClockMove
from hub.plugins.mercury234 import MercurySettings, hub_meter_drivers
from hub.wire.address import LineAddress, parse_line
from hub.wire.capture import Exchanged
from hub.wire.line import Line, Seat
from hub.wire.links import Links
from hub.wire.runner import run
from proof.figures import ROOT, Figure

(SPEC,) = hub_meter_drivers()
TABLE = ROOT / "docs" / "devices" / "mercury234-capabilities.md"
ADDRESS = 48
NOW = datetime(2026, 11, 24, 9, 7, 31, tzinfo=UTC)
DAY = (
    MeterTime(datetime(2026, 11, 22), summer=False),
    MeterTime(datetime(2026, 11, 23), summer=False),
)
LINKS = ("tcp", "pty", "rfc2217")
ALL: Mapping[str, str] = {
    "since": "2026-09-01",
    "losses": "1",
    "drift": "-40",
    "scenario": str(Path(__file__).with_suffix(".toml")),
}
PERSONALITIES: Mapping[str, Mapping[str, str]] = {
    "2.1.0, 64": {"firmware": "2.1.0", "memory": "64"},
    "2.3.4, 64": {"firmware": "2.3.4", "memory": "64"},
    "2.3.4, 131": {"firmware": "2.3.4", "memory": "131"},
    "7.1.1, 131": {"firmware": "7.1.1", "memory": "131"},
    "9.0.0, 64": {"firmware": "9.0.0", "memory": "64"},
    "9.0.0, 131": {"firmware": "9.0.0", "memory": "131"},
    "“D” (DLMS)": {"protocol": "dlms"},
}
YES, NO, UNASKED = "yes", "no", "–"
LONGEST_S = 900.0

# Ways of asking: what is asked, by its first bytes, and words for it.
WAYS: Mapping[str, str] = {
    r"0801": "identity in one answer",
    r"05[0-9a-d].06": "registers: all tariffs in one answer",
    r"05[0-9a-d].0[0-5]": "registers: tariff by tariff",
    r"05[9a-d]...": "registers: at the start of days, months, years",
    r"0560..": "registers: A+ by phase",
    r"15....": "registers: reactive energy by quadrant",
    r"0816a0": "snapshot: all in one answer",
    r"0816[^a].": "snapshot: in groups",
    r"0811..": "snapshot: value by value",
    r"06[08]3....ff": "profile: 17 records in one answer",
    r"16......": "profile: counted back from the last record",
    r"06[08]3....0f": "profile: record by record",
    r"04[01].ff": "journals: the newest record and its place",
    r"04[01].fe": "journals: ten records in one answer",
    r"042.f[a-e]": "journals of power quality: twenty records in one answer",
    r"04[0-2][0-9a-f][0-6].": "journals: record by record",
    r"0814a0": "fixed values in one answer",
    r"0814[^a].": "fixed values in parts",
    r"080a": "status word",
    r"0818": "load control",
    r"0819": "power limit",
    r"081a..": "energy limits",
    r"080d..": "maxima of a month",
}

Run = Callable[[Coroutine[Any, Any, Any], Act | None], Awaitable[Any]]


@dataclass(slots=True)
class Asked:
    """The log of a line: which ways of asking were answered, and which refused."""

    answered: set[str]
    refused: set[str]

    def exchange(self, item: Exchanged) -> None:
        if not item.verdict:
            self.see(item.request, item.received)

    def note(self, *_: object) -> None:
        """Openings of the line and stray bytes are no exchanges."""

    def flush(self) -> None:
        """Nothing is written."""

    def see(self, request: bytes, received: bytes) -> None:
        body = request[1:-2].hex()
        status = len(received) == 4
        for pattern in WAYS:
            if re.fullmatch(pattern, body):
                (self.refused if status else self.answered).add(pattern)

    def cell(self, pattern: str) -> str:
        if pattern in self.answered:
            return YES
        return NO if pattern in self.refused else UNASKED


def consent(act: Act) -> Consent:
    return Consent(
        act=act, target="1", actor="user/1", reason="proof", until=NOW + timedelta(hours=9)
    )


class Probe:
    """Has all conversations with one meter; ``cells`` are the rows of its column."""

    def __init__(self, run: Run, asked: Asked) -> None:
        self._run = run
        self._asked = asked
        self.driver: Any = SPEC.build(MercurySettings(address=ADDRESS), {})
        self.cells: dict[str, str] = {}

    async def __call__(self) -> dict[str, str]:
        opened = await self._have("open", self.driver.open(Level.READ))
        if opened is None:
            identity = await self._run(self.driver.identify(), None)
            self.cells["identity"] = f"{identity.model}, {identity.imp_per_kwh} imp/kWh"
            await self._reads()
            await self._have("open for changes", self.driver.open(Level.CONFIGURE))
            await self._writes()
            can = self.driver.can(identity)
            self.cells["capabilities"] = f"{len(can)} of {len(SPEC.may)}"
            await self._run(self.driver.close(), None)
        for pattern, words in WAYS.items():
            self.cells[words] = self._asked.cell(pattern)
        return self.cells

    async def _reads(self) -> None:
        driver = self.driver
        await self._have(Can.CLOCK, driver.read_clock(), lambda _: YES)
        wanted = driver.registers()
        await self._have(Can.REGISTERS, driver.read_registers(wanted), _values)
        await self._have(Can.SNAPSHOT, driver.read_snapshot(), _values)
        await self._have(
            Can.PROFILE, driver.read_profile(None, DAY), lambda page: f"{len(page.slots)} a day"
        )
        self.cells["profile: its pointer counts"] = f"{driver.learned().get('pointer')}s"
        await self._journals()
        await self._have(
            Can.STATE,
            driver.read_state(),
            lambda state: f"{len(state.maxima)} maxima, {len(state.detail)} details",
        )

    async def _journals(self) -> None:
        entries, books = 0, 0
        for book in sorted(self.driver.books()):
            page = await self._run(self.driver.read_journal(book, None), None)
            entries += len(page.entries)
            books += book in self.driver.books()
        self.cells[Can.JOURNAL] = f"{books} books, {entries} entries"

    async def _writes(self) -> None:
        driver = self.driver
        nudge, to_set = Act.CORRECT_CLOCK, Act.SET_CLOCK
        await self._have(
            Can.FIXED, driver.fix(consent(Act.FIX)), lambda outcome: outcome.name.lower(), Act.FIX
        )
        await self._have("fixed values", driver.read_fixed(), lambda fixed: _values(fixed.values))
        for words, move, act in (
            ("correct the clock", ClockMove.NUDGE, nudge),
            ("correct it again the same day", ClockMove.NUDGE, nudge),
            ("set the clock", ClockMove.SET, to_set),
        ):
            await self._have(words, driver.set_clock(_face, move, consent(act)), _outcome, act)
        for closed in (False, True):
            await self._have(
                f"relay {'on' if closed else 'off'}",
                driver.switch_relay(consent(Act.SWITCH_RELAY), closed=closed),
                _outcome,
                Act.SWITCH_RELAY,
            )
        limits = Limits(
            power_limit=Quantity(Decimal(5000), "W"),
            power_control=True,
            energy_limits={1: Quantity(Decimal(100_000), "Wh")},
            energy_control=False,
        )
        await self._have(
            Can.LIMITS, driver.set_limits(limits, consent(Act.SET_LIMITS)), _outcome, Act.SET_LIMITS
        )

    async def _have(
        self,
        row: str,
        talk: Coroutine[Any, Any, Any],
        say: Callable[[Any], str] = lambda _: YES,
        act: Act | None = None,
    ) -> HubError | None:
        """Have one conversation and write its cell; return the error that ended it."""
        try:
            found = await self._run(talk, act)
        except NotSupported as error:
            self.cells[row] = NO
            return error
        except WrongDevice as error:
            self.cells[row] = "no: right maker, other protocol"
            return error
        self.cells[row] = say(found)
        return None


def _values(found: Mapping[Any, Any]) -> str:
    return f"{len(found)} values"


def _outcome(outcome: Outcome) -> str:
    return outcome.name.lower()


def _face(at: datetime) -> MeterTime:
    return MeterTime(at.replace(tzinfo=None) + timedelta(hours=3), summer=False)


# -- real processes and lines --------------------------------------------------------------------


@contextlib.contextmanager
def simulated(options: Mapping[str, str], link: str) -> Iterator[LineAddress]:
    """Run ``hub simulate`` on such a line; give the address to reach it at."""
    where = ["--listen", "tcp://127.0.0.1:0"] if link == "tcp" else ["--serial"]
    command = [sys.executable, "-m", "hub", "simulate", "mercury234", *where]
    command += ["--address", str(ADDRESS), "--now", NOW.isoformat(), "--seed", "7"]
    for name, value in (ALL | options).items():
        command += ["--option", f"{name}={value}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            found = re.search(r"\b(tcp|serial)://\S+", ready)
            assert found, ready
            address = parse_line(found.group().rstrip(".,"))
            if link == "rfc2217":
                with remote_port(address.device) as remote:
                    yield remote
            else:
                yield address
        finally:
            process.terminate()


class Held:
    """A consent that is spent once."""

    def __init__(self, act: Act) -> None:
        self.consent = consent(act)
        self._left = 1

    async def spend(self) -> bool:
        self._left -= 1
        return self._left >= 0


async def column(options: Mapping[str, str], link: str) -> dict[str, str]:
    """Have all conversations with one personality over one kind of line."""
    with simulated(options, link) as address:
        asked = Asked(set(), set())
        began = datetime.now(UTC)

        def now() -> datetime:
            return NOW + (datetime.now(UTC) - began)

        async with (
            Links() as links,
            Line(links.open, address, log=asked, repeats=4, now=now) as line,
        ):
            seat: Seat = line.seat(
                SPEC.timing(address.baud),
                is_mutating=SPEC.is_mutating,
                act=SPEC.act,
                key=str(ADDRESS),
            )

            async def have(talk: Coroutine[Any, Any, Any], act: Act | None) -> Any:
                held = Held(act) if act else None
                return await run(talk, seat, deadline=LONGEST_S, consent=held)

            with seat:
                return await Probe(have, asked)()


# -- the table -----------------------------------------------------------------------------------


def parse(page: str) -> dict[str, dict[str, str]]:
    """Read a page that `table` wrote: cells by column and row."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ")
    ]
    (_, *names), *rest = rows
    return {
        name: {row: cells[index] for row, *cells in rest if cells[index]}
        for index, name in enumerate(names)
    }


def table(columns: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page for the docs."""
    rows = list(dict.fromkeys(row for cells in columns.values() for row in cells))
    lines = [
        "# What the driver `mercury234` gets out of each firmware",
        "",
        "Generated by `make proof capabilities`: `hub simulate mercury234` of each firmware and",
        "profile memory, read and set by the driver over TCP, a serial port (pty) and RFC 2217;",
        "the three told the same. *yes* and *no*: the meter answered, or refused with status 1.",
        "*–*: the driver did not ask: this firmware is not known to have it, or a shorter way had",
        "worked. The virtual meter is written from the papers: a real meter of an execution that",
        "lacks something refuses it, and the driver goes by that.",
        "",
        "| | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    lines += [
        f"| {row} | " + " | ".join(cells.get(row, "") for cells in columns.values()) + " |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def figures() -> Iterator[Figure]:
    columns: dict[str, Mapping[str, str]] = {}
    differing = []
    for name, options in PERSONALITIES.items():
        found = {link: asyncio.run(column(options, link)) for link in LINKS}
        columns[name] = found[LINKS[0]]
        differing += [
            f"{name} {row} over {link}: {cells.get(row)}"
            for link, cells in found.items()
            for row in columns[name].keys() | cells.keys()
            if cells.get(row) != columns[name].get(row)
        ]
        print(f"  {name}: {len(columns[name])} rows", flush=True)
    TABLE.write_text(table(columns), encoding="utf-8")
    rows = max(len(cells) for cells in columns.values())
    yield Figure(
        "capabilities by firmware and line",
        f"{rows} rows, {len(columns)} personalities, over {', '.join(LINKS)}; "
        f"{len(differing)} cells differ between lines" + "".join(f"; {d}" for d in differing[:5]),
        "0 differ",
        not differing,
    )


def main(names: Sequence[str]) -> None:
    for name in names:
        for row, cell in asyncio.run(column(PERSONALITIES[name], "tcp")).items():
            print(f"{row}: {cell}")


if __name__ == "__main__":
    main(sys.argv[1:])
