"""``hub house readings``, ``accept``, ``refuse`` and ``reading``: what meters showed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from hub.cli.house.kit import as_json, books_of, of_supplier, print_json
from hub.cli.house.typed import read_day, read_decimal

if TYPE_CHECKING:
    from hub.services.bookkeeping import Sent


@click.command()
@click.option("--all", "everything", is_flag=True, help="Those decided on too.")
@as_json
@of_supplier
def readings(*, everything: bool, to_json: bool, supplier: str) -> None:
    """List readings that consumers sent and that wait for a decision."""
    with books_of(supplier) as books:
        found = books.submissions(waiting=not everything)
    if to_json:
        print_json([_sent(each) for each in found])
        return
    if not found:
        click.echo("No readings wait.")
    for each in found:
        values = ", ".join(
            f"{zone} {value}".strip()
            + (f" (was {each.before[zone]})" if zone in each.before else "")
            for zone, value in each.values.items()
        )
        about = f"{each.contract}, {each.point}, {each.taken_on}: {values}"
        click.echo(f"{each.id:>5}  {each.state:<9} {about} {each.reason}".rstrip())


@click.command()
@click.argument("submission", type=int)
@of_supplier
def accept(submission: int, *, supplier: str) -> None:
    """Accept the readings of a SUBMISSION: they are billed by from now on."""
    with books_of(supplier) as books:
        books.accept(submission)
    click.echo(f"Accepted the readings {submission}.")


@click.command()
@click.argument("submission", type=int)
@click.argument("reason")
@of_supplier
def refuse(submission: int, reason: str, *, supplier: str) -> None:
    """Refuse the readings of a SUBMISSION; the consumer reads the REASON."""
    with books_of(supplier) as books:
        books.refuse(submission, reason)
    click.echo(f"Refused the readings {submission}.")


@click.command()
@click.argument("number")
@click.argument("point")
@click.argument("values", nargs=-1, required=True)
@click.option("--on", "day", required=True, metavar="DAY", help="When the meter showed it.")
@of_supplier
def reading(number: str, point: str, values: Sequence[str], *, day: str, supplier: str) -> None:
    """Enter readings that the utility took itself: 4821.5, or T1=4821.5 T2=1210."""
    from hub.services.bookkeeping import Taken

    read = {}
    for each in values:
        zone, _, value = each.rpartition("=")
        read[zone] = read_decimal(value)
    with books_of(supplier) as books:
        books.record(number, point, Taken(read, read_day(day)))
    click.echo(f"Entered readings of {point} for {day}.")


def _sent(sent: "Sent") -> dict[str, Any]:
    return {
        "id": sent.id,
        "contract": sent.contract,
        "point": sent.point,
        "serial": sent.serial,
        "taken_on": sent.taken_on.isoformat(),
        "values": dict(sent.values),
        "before": dict(sent.before),
        "state": sent.state,
        "reason": sent.reason,
        "sent_at": sent.sent_at.isoformat(),
    }
