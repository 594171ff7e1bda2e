"""``hub house price``, ``charge`` and ``pay``: prices, bills and payments."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from hub.cli.house.kit import as_json, books_of, of_supplier, print_json
from hub.cli.house.typed import read_day, read_decimal, read_instant, read_kopecks

if TYPE_CHECKING:
    from hub.plugins.api import Bill
    from hub.services.bookkeeping import Charged


@click.command()
@click.argument("tariff")
@click.argument("zone")
@click.argument("roubles")
@click.option("--from", "since", required=True, metavar="DAY", help="The first day it holds.")
@of_supplier
def price(tariff: str, zone: str, roubles: str, *, since: str, supplier: str) -> None:
    """Set what a unit costs in a zone from a day on; ZONE 'fixed' is the part a month.

    A meter without zones is charged by T1. The price before ends on the day before.
    """
    with books_of(supplier) as books:
        books.set_price(
            tariff, "" if zone == "fixed" else zone, read_decimal(roubles), read_day(since)
        )
    click.echo(f"{tariff}, {zone}: {roubles} ₽ from {since} on.")


@click.command()
@click.argument("number")
@click.argument("month")
@click.option(
    "--line", "lines", multiple=True, nargs=2, metavar="WORDS ROUBLES", help="One more charge."
)
@as_json
@of_supplier
def charge(
    number: str, month: str, *, lines: Sequence[tuple[str, str]], to_json: bool, supplier: str
) -> None:
    """Make the bill of a MONTH (like 2026-10) of a contract, and say what could not be charged.

    A month that has its bill gets another only with --line: a fine, or a correction (negative).
    """
    from hub.services.bookkeeping import Charge

    more = [Charge(words, read_kopecks(roubles)) for words, roubles in lines]
    with books_of(supplier) as books:
        charged = books.charge(number, read_day(f"{month}-01"), more)
    if to_json:
        print_json(_charged(charged))
        return
    if charged.bill is None:
        click.echo(f"Nothing of {month} could be charged.")
    else:
        click.echo(bill_text(charged.bill))
    for each in charged.left_out:
        click.echo(f"  left out: {each}")


@click.command()
@click.argument("number")
@click.argument("roubles")
@click.option("--on", "day", default="", metavar="DAY", help="When it was paid; else now.")
@click.option("--reference", default="", help="Of the bank: the same is booked once.")
@of_supplier
def pay(number: str, roubles: str, *, day: str, reference: str, supplier: str) -> None:
    """Book a payment of a contract."""
    with books_of(supplier) as books:
        booked = books.pay(
            number, read_kopecks(roubles), read_instant(day) if day else None, reference=reference
        )
    if booked:
        click.echo(f"Booked {roubles} ₽ for the contract {number}.")
    else:
        click.echo(f"The payment {reference} was booked before; nothing changed.")


def bill_text(bill: "Bill") -> str:
    rows = [f"Bill      {bill.month:%Y-%m}  {bill.amount.amount} ₽"]
    for line in bill.lines:
        name = line.text
        if line.quantity is not None and line.price is not None:
            name = f"{name}: {line.quantity.normalize():f} {line.unit} x {line.price.amount:f} ₽"
        basis = f" ({line.basis.value})" if line.basis else ""
        rows.append(f"          {name} = {line.amount.amount} ₽{basis}")
    return "\n".join(rows)


def bill_dict(bill: "Bill") -> dict[str, Any]:
    return {
        "month": f"{bill.month:%Y-%m}",
        "roubles": str(bill.amount.amount),
        "lines": [
            {
                "text": line.text,
                "zone": line.zone,
                "quantity": _plain(line.quantity),
                "unit": line.unit,
                "price": _plain(line.price.amount if line.price else None),
                "before": _plain(line.before),
                "after": _plain(line.after),
                "ratio": line.ratio,
                "basis": line.basis.value if line.basis else None,
                "roubles": str(line.amount.amount),
            }
            for line in bill.lines
        ],
    }


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _charged(charged: "Charged") -> dict[str, Any]:
    return {
        "bill": None if charged.bill is None else bill_dict(charged.bill),
        "left_out": list(charged.left_out),
    }
