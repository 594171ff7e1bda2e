"""``hub collect``: read meters as they become due."""

import asyncio
import signal
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from hub.collector.worker import Outcome
    from hub.plugins.manager import Plugins
    from hub.store.unit import Store


@click.command()
@click.option("--once", is_flag=True, help="Read what is due now, then end.")
@click.option("--reach", multiple=True, metavar="TAG", help="Also lines that need this tag.")
@click.option(
    "--wire-log",
    type=click.Path(dir_okay=False, writable=True),
    help="Keep the exchanges in this file, secrets masked.",
)
def collect(*, once: bool, reach: tuple[str, ...], wire_log: str | None) -> int:
    """Read meters as they become due, until ended by Ctrl-C or SIGTERM.

    Any number of collectors may run over one database; each line has one master at a time.
    Exit code 1 with --once if something could not be read.
    """
    from pathlib import Path

    from hub.cli.opening import open_plugins, open_store, read_settings
    from hub.logs import log_to_stderr
    from hub.wire.loops import lines_runner

    settings = read_settings()
    log_to_stderr(settings.log_level)
    plugins = open_plugins(settings)
    log = Path(wire_log) if wire_log else None
    with open_store(settings) as store, lines_runner() as loop:
        outcome = loop.run(run(store, plugins, once=once, reach=reach, wire_log=log))
    if once:
        for who, sentence in sorted(outcome.failed.items()):
            click.echo(f"{who}: {sentence}", err=True)
        click.echo(f"{outcome.visited} read, {len(outcome.failed)} not", err=True)
        return 1 if outcome.failed else 0
    return 0


async def run(
    store: "Store",
    plugins: "Plugins",
    *,
    once: bool,
    reach: tuple[str, ...],
    wire_log: "Path | None",
) -> "Outcome":
    """Collect until a signal comes; visits then say goodbye and leases are released."""
    from hub.collector.loop import CollectorSettings
    from hub.collector.loop import collect as collect_meters
    from hub.wire.capture import WireLog

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await collect_meters(
        store,
        plugins,
        CollectorSettings(reach=reach, wire_log=WireLog(wire_log) if wire_log else None),
        once=once,
        stop=stop,
    )
