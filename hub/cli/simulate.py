"""``hub simulate``: virtual meters on a line."""

import asyncio
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

import click

from hub.cli.kit import pairs

if TYPE_CHECKING:
    from hub.plugins.api import Simulator, SimulatorSettings
    from hub.wire.address import LineAddress
    from hub.wire.faults import Faults


@click.command()
@click.argument("driver")
@click.option("--listen", metavar="LINE", help="tcp://127.0.0.1:4001, or call listen://…")
@click.option("--serial", is_flag=True, help="On a new pty instead; its path is printed.")
@click.option("--meters", default=1, show_default=True, type=click.IntRange(1, 240), metavar="N")
@click.option("--address", default=1, show_default=True, type=int, metavar="A", help="The first.")
@click.option("--firmware", metavar="V", help="Of the meters, as 9.0.0.")
@click.option("--constant", metavar="IMP", help="Impulses a kilowatt-hour.")
@click.option("--memory", metavar="KB", help="Of the profile, in kilobytes.")
@click.option("--seed", default=0, type=int, metavar="S", help="The same seed: the same meters.")
@click.option("--now", metavar="ISO", help="When it is for the meters; it runs on from there.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="The driver's own.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND=RATE",
    help="loss, bit, damage, burst, burst_bytes, half, late, late_by, leading_ff, address, busy, "
    "busy_for, latency, echo, seed.",
)
def simulate(
    *,
    driver: str,
    listen: str | None,
    serial: bool,
    meters: int,
    address: int,
    firmware: str | None,
    constant: str | None,
    memory: str | None,
    seed: int,
    now: str | None,
    options: tuple[str, ...],
    faults: tuple[str, ...],
) -> None:
    """Run virtual meters of DRIVER on a line.

    They answer at addresses A to A+N-1, with a history of years, until the command is ended. One
    line on stdout says when they are ready, and where.
    """
    if serial == (listen is not None):
        raise click.UsageError("Give either --listen LINE or --serial")
    clock = _clock(now)

    from hub.errors import NotSupported
    from hub.plugins.api import SimulatorSettings
    from hub.plugins.manager import load_plugins
    from hub.wire.address import parse_line
    from hub.wire.faults import Faults

    where = parse_line(listen, listen=True) if listen is not None else None
    spec = load_plugins().driver(driver)
    if spec.simulator is None:
        raise NotSupported(f"The driver '{driver}' has no virtual meter.")
    own = pairs(options, "--option")
    named = {"firmware": firmware, "constant": constant, "memory": memory}
    own |= {name: value for name, value in named.items() if value is not None}
    asked = SimulatorSettings(meters=meters, address=address, seed=seed, options=own)
    simulator = _made(spec.simulator, asked)
    simulator.receive(b"", clock())  # a long life is computed before anybody waits for an answer
    last = address + meters - 1
    said = f"meters {address}-{last}" if meters > 1 else f"meters {address}"
    asyncio.run(_serve(simulator, where, Faults.parse(faults, seed=seed), clock, said))


def _made(
    build: "Callable[[SimulatorSettings], Simulator]", asked: "SimulatorSettings"
) -> "Simulator":
    try:
        return build(asked)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _clock(now: str | None) -> Callable[[], datetime]:
    """Return the clock of the meters: the real one, or one that starts at ``now``."""
    if now is None:
        return lambda: datetime.now(UTC)
    try:
        start = datetime.fromisoformat(now)
    except ValueError as error:
        raise click.UsageError(
            f"'--now {now}' is no instant; write it as 2026-11-24T10:00:00+03:00"
        ) from error
    start = (start if start.tzinfo else start.replace(tzinfo=UTC)).astimezone(UTC)
    began = monotonic()
    return lambda: start + timedelta(seconds=monotonic() - began)


async def _serve(
    simulator: "Simulator",
    listen: "LineAddress | None",
    faults: "Faults",
    clock: Callable[[], datetime],
    said: str,
) -> None:
    from hub.wire.serve import serve

    serving = asyncio.ensure_future(
        serve(
            simulator,
            listen,
            faults=faults,
            now=clock,
            ready=lambda address: click.echo(f"ready {address} {said}"),
        )
    )
    # Ended on purpose is a good end; Ctrl-C stays an interrupt.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
