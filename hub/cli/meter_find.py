"""``hub meter find``: who is on a line."""

import asyncio
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.kit import say_json, say_table

if TYPE_CHECKING:
    from hub.plugins.api import Door, DriverSpec
    from hub.wire.address import LineAddress
    from hub.wire.finding import Search

INTERRUPTED: Final = 130
WAIT_FOR_CALL_S: Final = 180.0
MOST_ADDRESSES: Final = 10_000
MINUTE_S: Final = 60.0


def _numbers(ctx: click.Context, option: click.Parameter, text: str | None) -> list[int] | None:
    """Read '1-240,250'."""
    del ctx
    if text is None:
        return None
    found: dict[int, None] = {}
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        if ends is None:
            raise click.BadParameter(
                f"'{part}' is no number or range; write 1-240,250", param=option
            )
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if last < first or last - first > MOST_ADDRESSES:
            raise click.BadParameter(f"'{part}' is no range that can be gone through", param=option)
        found |= dict.fromkeys(range(first, last + 1))
    return list(found)


def _parities(ctx: click.Context, option: click.Parameter, text: str | None) -> list[str] | None:
    del ctx
    if text is None:
        return None
    letters = [part.strip().upper() for part in text.split(",")]
    if not set(letters) <= {"N", "E", "O"}:
        raise click.BadParameter(f"'{text}' are no parities; write N,E,O", param=option)
    return letters


@click.command()
@click.argument("line")
@click.option("--driver", required=True, metavar="NAME", help="See 'hub plugin list'.")
@click.option("--addresses", callback=_numbers, metavar="1-240,250", help="All, if not given.")
@click.option(
    "--bauds", callback=_numbers, metavar="9600,2400", help="Only these; a port's, not a gateway's."
)
@click.option("--parities", callback=_parities, metavar="N,E,O", help="Only these, in this order.")
@click.option(
    "--everywhere",
    is_flag=True,
    help="Ask every address at every setting, also where nobody was heard at first.",
)
@click.option(
    "--repeats", type=click.IntRange(0, 10), default=0, show_default=True, metavar="N",
    help="Of an ask that nobody answered.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def find(
    *,
    line: str,
    driver: str,
    addresses: list[int] | None,
    bauds: list[int] | None,
    parities: list[str] | None,
    everywhere: bool,
    repeats: int,
    as_json: bool,
) -> int:
    """Look for meters at LINE, without a password: addresses, speeds, parities.

    First everybody is spoken to at once, at each speed and parity; addresses are then asked one by
    one where somebody was heard, or everywhere if nobody was. Ctrl-C ends the search and shows
    what was found. Exit code 1 if no meter was found.
    """
    from hub.errors import NotSupported
    from hub.plugins.manager import load_plugins
    from hub.wire.address import parse_line
    from hub.wire.finding import Search, doors_of, longest_s

    spec = load_plugins().driver(driver)
    if spec.probe is None:
        raise NotSupported(f"The driver '{driver}' can't look for meters.")
    where = parse_line(line)
    doors = doors_of(where, _doors(spec, where, bauds, parities))
    if bauds or parities:
        doors = [door for door in doors if _wanted(door, bauds, parities)] or [where]
    search = Search(doors, addresses or list(spec.addresses), everywhere)
    total = longest_s(spec, search) * (1 + repeats)
    click.echo(
        f"{len(search.addresses)} addresses at {_settings(doors)}: {_time(total)} at most, "
        f"{_time(total / len(doors))} if all meters have one setting.",
        err=True,
    )
    whole = _searched(spec, search, where, repeats=repeats, total=total / (1 + repeats))
    meters = [one for one in search.found if one.kind == "meter"]
    if as_json:
        say_json(
            {
                "driver": driver,
                "whole": whole,
                "asked": search.asked,
                "found": [asdict(one) for one in search.found],
                "heard": [asdict(one) for one in search.heard],
            }
        )
    else:
        _say(search, whole=whole)
    if not whole:
        return INTERRUPTED
    return 0 if meters else 1


def _doors(
    spec: "DriverSpec[Any]",
    line: "LineAddress",
    bauds: Sequence[int] | None,
    parities: Sequence[str] | None,
) -> "Sequence[Door]":
    """List settings: the driver's, or all of the wanted speeds with all of the wanted parities."""
    from hub.plugins.api import Door

    if not (bauds or parities):
        return spec.doors
    speeds = bauds or list(dict.fromkeys(door.baud for door in spec.doors)) or [line.baud]
    return [Door(baud, parity) for parity in parities or [line.parity] for baud in speeds]  # type: ignore[arg-type]


def _wanted(
    door: "LineAddress", bauds: Sequence[int] | None, parities: Sequence[str] | None
) -> bool:
    return (not bauds or door.baud in bauds) and (not parities or door.parity in parities)


def _settings(doors: "Sequence[LineAddress]") -> str:
    if len(doors) > 1:
        return f"{len(doors)} line settings"
    return f"{doors[0].baud} 8{doors[0].parity}{doors[0].stop_bits}"


def _time(seconds: float) -> str:
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE_S:.0f} min"


def _searched(
    spec: "DriverSpec[Any]",
    search: "Search",
    where: "LineAddress",
    *,
    repeats: int,
    total: float,
) -> bool:
    """Search to the end, or until Ctrl-C; says which."""
    from hub.wire.finding import find as find_meters
    from hub.wire.links import Links

    async def run(told: Callable[[float], None]) -> None:
        async with Links(patience_s=WAIT_FOR_CALL_S) as links:
            await find_meters(spec, search, links.open, repeats=repeats, told=told)

    if where.kind == "listen":
        click.echo(f"Waiting for {where.name} to call {where.host}:{where.port} …", err=True)
    try:
        with _progress(total) as told:
            asyncio.run(run(told))
    except KeyboardInterrupt:
        return False
    return True


@contextmanager
def _progress(total: float) -> Iterator[Callable[[float], None]]:
    if not sys.stderr.isatty():
        yield lambda _seconds: None
        return
    with click.progressbar(length=1000, label="searching", file=sys.stderr) as bar:
        done = 0.0

        def told(seconds: float) -> None:
            nonlocal done
            done += seconds
            bar.update(max(0, int(1000 * min(done / total, 1.0)) - bar.pos))

        yield told


def _say(search: "Search", *, whole: bool) -> None:
    if search.found:
        say_table(
            ("ADDRESS", "WHAT", "MAKER", "MODEL", "SERIAL", "LINE"),
            [
                (one.address, one.kind, one.maker, one.model, one.serial, one.line)
                for one in search.found
            ],
        )
    for one in search.found:
        if one.text:
            who = "everybody" if one.address is None else f"address {one.address}"
            click.echo(f"{one.line}, {who}: {one.text}")
    found_at = {one.line for one in search.found}
    for one in search.heard:
        if one.line not in found_at:
            click.echo(f"{one.line}: somebody was heard, but found at none of the addresses.")
    if not search.found:
        click.echo("No meter was found.")
    if not whole:
        click.echo("The search was stopped before its end.")
