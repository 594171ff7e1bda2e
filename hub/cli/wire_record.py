"""``hub wire record`` and ``hub wire replay``: exchanges of a line, kept and played."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hub.plugins.api import DriverSpec
    from hub.wire.address import LineAddress
    from hub.wire.record import Recorded
    from hub.wire.transcript import Replay


@click.command()
@click.argument("line")
@click.option(
    "--listen", required=True, metavar="LINE", help="tcp://127.0.0.1:4010, for the master."
)
@click.option(
    "--log",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the exchanges are kept; added to if it is there.",
)
@click.option("--driver", required=True, metavar="NAME", help="Knows what is secret.")
def record(*, line: str, listen: str, file: Path, driver: str) -> None:
    """Stand between a master and the meters at LINE, and keep what they say, secrets masked.

    Point the program that reads the meters (a vendor's configurator, another collector) at
    --listen. Until Ctrl-C; then it says how much was kept and what was masked.
    """
    from hub.errors import BadLine, NotSupported
    from hub.plugins.manager import load_plugins
    from hub.wire.address import parse_line
    from hub.wire.capture import WireLog
    from hub.wire.links import Links
    from hub.wire.record import Recorded
    from hub.wire.record import record as keep

    spec = load_plugins().driver(driver)
    if spec.secrets is None:
        raise NotSupported(
            f"The driver '{driver}' does not say what is secret in its requests, so a record "
            "would hold passwords."
        )
    where, to = parse_line(line), parse_line(listen, listen=True)
    if to.kind != "tcp":
        raise BadLine("The master connects by TCP; write --listen tcp://127.0.0.1:4010.")
    secrets, recorded = spec.secrets, Recorded()

    async def main() -> None:
        async with Links(patience_s=180.0) as links:
            await keep(
                to,
                await links.open(where),
                WireLog(file),
                line=where,
                secrets=secrets,
                recorded=recorded,
                ready=lambda address: click.echo(f"ready {address}"),
            )

    try:
        _until_ended(main)
    finally:
        _say_recorded(recorded, spec, file)


def _say_recorded(recorded: "Recorded", spec: "DriverSpec[Any]", file: Path) -> None:
    click.echo(
        f"{recorded.exchanges} exchanges in {file}, {recorded.unanswered} of them unanswered.",
        err=True,
    )
    for begins, number in recorded.masked.most_common():
        sample = recorded.samples[begins]
        name = spec.explain(sample, None, {}).request.get("name") if spec.explain else None
        what = f"the secrets of '{name}'" if name else "all of it, for it was no frame"
        click.echo(f"Masked in {number} requests: {what}.", err=True)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--listen", required=True, metavar="LINE", help="tcp://127.0.0.1:4010; port 0: any.")
@click.option("--timed", is_flag=True, help="Answer after the time that it took then.")
def replay(*, file: Path, listen: str, timed: bool) -> None:
    """Play the wire log FILE as a line: each request gets the answer that it got then.

    Point 'hub meter read' or any other master at --listen. The same request asked again gets the
    next answer that was recorded to it; one that was not recorded gets silence. A masked password
    fits any. Until Ctrl-C; then it says how many requests were strangers.
    """
    from hub.wire.address import parse_line
    from hub.wire.serve import serve
    from hub.wire.transcript import Entry, Replay, read_log

    to = parse_line(listen, listen=True)
    try:
        with file.open(encoding="ascii", errors="replace") as lines:
            played = Replay(
                (item for item in read_log(lines) if isinstance(item, Entry)), timed=timed
            )
    except ValueError as error:
        raise click.UsageError(str(error)) from error

    def ready(address: "LineAddress") -> None:
        click.echo(f"ready {address} exchanges {played.size}")

    try:
        _until_ended(lambda: serve(played, to, ready=ready))
    finally:
        _say_played(played)


def _say_played(played: "Replay") -> None:
    click.echo(
        f"{played.answered} requests were in the record, {played.strangers} were not.", err=True
    )


def _until_ended(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run until Ctrl-C or SIGTERM, both good ends."""

    async def run() -> None:
        task = asyncio.ensure_future(main())
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise

    asyncio.run(run())
