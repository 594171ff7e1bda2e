"""``hub meter``: talk to one meter."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.kit import pairs, plain, say_facts, say_json, say_table
from hub.cli.meter_find import find
from hub.cli.meter_line import (
    LONGEST_VISIT_S,
    MOST_STEPS,
    filled_settings,
    meter_options,
    seated,
    typed,
)
from hub.cli.meter_now import now
from hub.cli.meter_orders import clocks, drift, order, orders_
from hub.cli.meter_set import change

if TYPE_CHECKING:
    from hub.cli.reading import Wish
    from hub.plugins.api import DriverSpec, Level, PluginSettings

WHAT: Final = ("identity", "clock", "registers", "snapshot", "profile", "journal", "state", "fixed")


@click.group()
def meter() -> None:
    """Talk to one meter."""


meter.add_command(find)
meter.add_command(now)
meter.add_command(change)
meter.add_command(order)
meter.add_command(orders_)
meter.add_command(clocks)
meter.add_command(drift)


def _face(ctx: click.Context, option: click.Parameter, text: str | None) -> datetime | None:
    del ctx
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is no time; write 2026-11-01 or 2026-11-01T10:30", param=option
        ) from error
    if at.tzinfo is not None:
        raise click.BadParameter("it is the meter's own face, which has no zone", param=option)
    return at


@meter.command()
@click.argument("line")
@click.argument("what", type=click.Choice(WHAT))
@meter_options
@click.option("--level", type=click.IntRange(1, 2), default=1, show_default=True, metavar="1|2")
@click.option("--since", callback=_face, metavar="FACE", help="What began at it or later.")
@click.option("--until", callback=_face, metavar="FACE", help="What ended at it or before.")
@click.option("--book", "books", multiple=True, metavar="BOOK", help="A journal; again for more.")
@click.option(
    "--language",
    "tongue",
    type=click.Choice(("en", "ru")),
    default="en",
    show_default=True,
    help="Of the journal's sentences.",
)
def read(
    *,
    line: str,
    what: str,
    driver: str,
    address: int,
    password: str | None,
    level: int,
    since: datetime | None,
    until: datetime | None,
    books: tuple[str, ...],
    tongue: str,
    clock_base: int,
    settings: tuple[str, ...],
    repeats: int,
    as_json: bool,
) -> None:
    """Read WHAT from the meter at LINE.

    LINE is tcp://host:port, serial:///dev/ttyUSB0?baud=9600, rfc2217://host:port or, for a gateway
    that calls this machine, listen://0.0.0.0:port/NAME. The profile is read from the oldest record
    on, or between --since and --until on the meter's face; of the journal these choose what was
    going on then.
    """
    if what not in ("profile", "journal") and (since or until):
        raise click.UsageError("--since and --until are for the profile and the journal")
    if what != "journal" and books:
        raise click.UsageError("--book is for the journal")
    if since and until and since >= until:
        raise click.UsageError("--since must come before --until")
    own = pairs(settings, "--setting")
    secret = typed(password)

    from hub.cli.reading import Wish
    from hub.locale import speaking
    from hub.plugins.api import Level
    from hub.plugins.manager import load_plugins

    spec = load_plugins().driver(driver)
    filled = filled_settings(spec, {"address": address, **own}, secret, level)
    wish = Wish(
        what=what,
        since=since,
        until=until,
        clock_base=clock_base,
        books=[book.upper() for book in books],
        terms=spec,
    )
    shown = what in ("profile", "journal") and sys.stderr.isatty()
    with speaking(tongue), _progress(what, since, until, shown=shown) as progress:
        answer = asyncio.run(
            _visit(
                line,
                spec=spec,
                settings=filled,
                level=Level.READ if level == 1 else Level.CONFIGURE,
                wish=wish,
                repeats=repeats,
                progress=progress,
            )
        )
    if as_json:
        say_json(answer)
    else:
        with speaking(tongue):
            _say(what, answer, spec)


async def _visit(
    text: str,
    *,
    spec: "DriverSpec[Any]",
    settings: "PluginSettings",
    level: "Level",
    wish: "Wish",
    repeats: int,
    progress: Callable[[datetime | float], None],
) -> Mapping[str, object]:
    from hub.cli.reading import visit
    from hub.wire.runner import run

    async with seated(text, spec, repeats=repeats) as seat:
        talk = visit(spec.build(settings, {}), level, wish, progress)
        return await run(talk, seat, deadline=LONGEST_VISIT_S, budget=MOST_STEPS)


@contextmanager
def _progress(
    what: str, since: datetime | None, until: datetime | None, *, shown: bool
) -> Iterator[Callable[[datetime | float], None]]:
    """Show on stderr how far the reading has come; nothing if not on a terminal."""
    if not shown:
        yield lambda _reached: None
        return
    began = since
    end = until or datetime.now().replace(microsecond=0)  # noqa: DTZ005 -- a guess, for the bar
    with click.progressbar(length=1000, label=what, file=sys.stderr) as bar:

        def progress(reached: datetime | float) -> None:
            nonlocal began
            if isinstance(reached, datetime):
                began = began or reached
                part = (reached - began) / (end - began) if end > began else 1.0
            else:
                part = reached
            bar.update(max(0, int(1000 * min(part, 1.0)) - bar.pos))

        yield progress
        bar.update(1000 - bar.pos)


def _say(what: str, answer: Mapping[str, Any], spec: "DriverSpec[Any]") -> None:
    if what in {"identity", "clock"}:
        say_facts(answer)
    elif what == "state":
        _say_state(answer, spec.faults)
    elif what == "registers":
        names: tuple[str, ...] = ("obis", "period", "value", "unit")
        say_table([name.upper() for name in names], _rows(answer["registers"], names))
    elif what in {"snapshot", "fixed"}:
        if "fixed" in answer:
            click.echo(f"Latched at {answer['fixed'] or 'no time yet'}.")
        names = ("obis", "value", "unit")
        say_table([name.upper() for name in names], _rows(answer["values"], names))
    elif what == "journal":
        _say_journal(answer, spec.books)
    else:
        _say_profile(answer)


def _say_journal(answer: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    from hub.services.sentences import book_title

    told = [*answer["lost"], *answer["events"]]
    for book in sorted({each["book"] for each in told}):
        click.echo(f"{book}  {book_title(book, titles)}")
        for each in told:
            if each["book"] == book:
                click.echo(f"    {each['text']}")
    if not told:
        click.echo("No entries.")


def _say_state(answer: Mapping[str, Any], meanings: Mapping[str, str]) -> None:
    from hub.locale import gettext

    def said(quantity: Mapping[str, object] | None) -> str | None:
        return None if quantity is None else f"{quantity['value']} {quantity['unit']}"

    limits = {tariff: said(limit) for tariff, limit in answer["energy_limits"].items()}
    maxima = {
        f"{each['obis']} {each['period']}": f"{each['value']} {each['unit']}"
        for each in answer["maxima"]
    }
    faults = answer["faults"]
    if faults:
        faults = {code: gettext(meanings[code]) if code in meanings else None for code in faults}
    shown = {
        "faults": faults,
        "power_limit": said(answer["power_limit"]),
        "energy_limits": limits,
        "maxima": maxima,
    }
    say_facts({**answer, **shown})


def _rows(items: Sequence[Mapping[str, object]], names: tuple[str, ...]) -> list[Sequence[object]]:
    return [[item[name] for name in names] for item in items]


def _say_profile(answer: Mapping[str, Any]) -> None:
    click.echo(f"A count is {answer['milliwatt_hours_per_count']} mWh (mvarh).")
    rows = [
        (slot["start"], slot["minutes"], *slot["counts"].values(),
         " ".join([*(["summer"] if slot["summer"] else []), *slot["flags"]]))
        for slot in answer["slots"]
    ]  # fmt: skip
    say_table(("START", "MIN", "A+", "A-", "R+", "R-", "FLAGS"), rows)
    for gap in answer["gaps"]:
        click.echo(f"Nothing kept from {gap['from'] or 'the beginning'} to {plain(gap['to'])}.")
