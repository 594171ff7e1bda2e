"""``hub house contract``, ``access``, ``list`` and ``show``: contracts, and who may link them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from hub.cli.house.kit import as_json, books_of, of_supplier, print_json
from hub.cli.house.money import bill_dict, bill_text
from hub.cli.house.typed import read_day, read_instant, read_kopecks

if TYPE_CHECKING:
    from hub.services.bookkeeping import Access, Account


@click.command()
@click.argument("number")
@click.option("--holder", required=True, help="Whose contract it is.")
@click.option("--address", required=True, help="What place it is for.")
@click.option("--since", default="", metavar="DAY", help="When it was made, like 2026-11-01.")
@click.option("--balance", default="", metavar="ROUBLES", help="Brought in; negative is a debt.")
@click.option("--as-of", default="", metavar="DAY", help="Of the balance; else now.")
@of_supplier
def contract(
    number: str, *, holder: str, address: str, since: str, balance: str, as_of: str, supplier: str
) -> None:
    """Enter a contract."""
    from hub.services.bookkeeping import BookedContract

    entered = BookedContract(
        number=number,
        holder=holder,
        address=address,
        since=read_day(since) if since else None,
        balance_kopecks=read_kopecks(balance) if balance else 0,
        balance_at=(read_instant(as_of) if as_of else datetime.now(UTC)) if balance else None,
    )
    with books_of(supplier) as books:
        books.enter(entered)
    click.echo(f"Entered the contract {number}; 'hub house access {number}' lets its holder in.")


@click.command()
@click.argument("number")
@click.option("--login", default="", help="Else the one it has, else the contract's number.")
@click.option("--another", is_flag=True, help="One more holder of a contract that is linked.")
@click.option("--revoke", is_flag=True, help="Take it back and give none.")
@as_json
@of_supplier
def access(
    number: str, *, login: str, another: bool, revoke: bool, to_json: bool, supplier: str
) -> None:
    """Give a new password or code for the contract NUMBER; it is printed this once.

    What was given before ends. Print it as a letter: who has it sees the contract.
    """
    with books_of(supplier) as books:
        if revoke:
            books.end_access(number)
            click.echo(f"Nobody can link the contract {number} any more.")
            return
        given = books.give_access(number, login, another=another)
    if to_json:
        print_json(
            {
                "login": given.login,
                "password": given.password,
                "until": given.until.isoformat() if given.until else None,
            }
        )
        return
    click.echo(_letter(given))


@click.command("list")
@as_json
@of_supplier
def list_contracts(*, to_json: bool, supplier: str) -> None:
    """List the contracts with their balances."""
    with books_of(supplier) as books:
        found = books.contracts()
    if to_json:
        print_json([_account(each) for each in found])
        return
    for each in found:
        click.echo(f"{each.number:<20} {_balance(each):>16}  {each.holder}, {each.address}")


@click.command()
@click.argument("number")
@as_json
@of_supplier
def show(number: str, *, to_json: bool, supplier: str) -> None:
    """Show a contract: balance, points, bills."""
    with books_of(supplier) as books:
        found = books.contract(number)
    if to_json:
        print_json(_account(found))
        return
    click.echo(f"{found.number}  {found.holder}, {found.address}\nBalance   {_balance(found)}")
    for each in found.points:
        about = ", ".join(part for part in (each.number, each.meter_serial, each.resource) if part)
        click.echo(f"Point     {each.name} ({about})")
    for bill in found.bills:
        click.echo(bill_text(bill))


def _letter(given: "Access") -> str:
    if given.until is None:
        return f"Login     {given.login}\nPassword  {given.password}"
    return (
        f"Contract  {given.login}\nCode      {given.password}\n"
        f"It works once, until {given.until:%Y-%m-%d}."
    )


def _balance(account: "Account") -> str:
    if account.balance_kopecks is None:
        return "-"
    return f"{Decimal(account.balance_kopecks) / 100:.2f} ₽"


def _account(account: "Account") -> dict[str, Any]:
    return {
        "number": account.number,
        "holder": account.holder,
        "address": account.address,
        "login": account.login,
        "balance_kopecks": account.balance_kopecks,
        "balance_at": account.balance_at.isoformat() if account.balance_at else None,
        "points": [
            {
                "name": each.name,
                "number": each.number,
                "serial": each.meter_serial,
                "resource": each.resource,
                "unit": each.unit,
                "smart": each.smart,
                "zones": each.tariff_zones,
            }
            for each in account.points
        ],
        "bills": [bill_dict(each) for each in account.bills],
    }
