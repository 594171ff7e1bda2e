"""``hub meter now``: have the collector read a stored meter at once."""

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from hub.cli.kit import face, say_json

if TYPE_CHECKING:
    from hub.services.meters import Asked
    from hub.store.unit import Store

LOOK_EVERY_S: Final = 0.5


@click.command()
@click.argument("meter_id", type=click.IntRange(min=1), metavar="METER_ID")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 86400),
    default=300,
    show_default=True,
    metavar="S",
    help="Give up waiting after so many seconds; the meter is read all the same.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def now(*, meter_id: int, wait_s: float, as_json: bool) -> int:
    """Have the running collector read meter METER_ID now, before all that is merely due.

    METER_ID is a number of the hub; 'hub doctor --lines' lists them. Waits until clock and
    registers have been read and stored. Exit code 1 if that failed or took too long.
    """
    from hub.cli.opening import open_store, read_settings
    from hub.services import meters

    with open_store(read_settings(), need_keys=False) as store:
        asked_at = meters.read_now(store, meter_id)
        told = _wait(store, meter_id, asked_at, wait_s)
    error = _sentence(told, wait_s)
    if as_json:
        say_json({"meter": meter_id, "asked_at": face(asked_at), "read": not error, "error": error})
    elif not error:
        click.echo(f"Meter {meter_id} was read.")
    if error and not as_json:
        click.echo(error, err=True)
    return 1 if error else 0


def _wait(store: "Store", meter_id: int, asked_at: datetime, wait_s: float) -> "Asked":
    """Look until it was read or failed, or the time is over."""
    from hub.services import meters

    began = time.monotonic()
    shown = sys.stderr.isatty()
    while True:
        told = meters.asked(store, meter_id, asked_at)
        waited = time.monotonic() - began
        if shown:
            doing = "being read" if told.taken else "waiting for a collector"
            click.echo(f"\r{told.line}: {doing}, {waited:.0f} s \033[K", nl=False, err=True)
        if not told.waiting or waited >= wait_s:
            if shown:
                click.echo("\r\033[K", nl=False, err=True)
            return told
        time.sleep(LOOK_EVERY_S)


def _sentence(told: "Asked", wait_s: float) -> str:
    if not told.waiting:
        return told.error
    if not told.taken:
        return (
            f"No collector has taken the line {told.line} within {wait_s:.0f} s; "
            "start 'hub collect', with --reach if the line needs a tag."
        )
    return (
        f"The meter was not read within {wait_s:.0f} s; its line {told.line} is in use, "
        "and it will be read first."
    )
