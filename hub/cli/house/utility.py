"""``hub house open``, ``pause`` and ``resume``: the books of a utility as a whole."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from hub.cli.house.kit import books_of, of_supplier
from hub.cli.opening import open_store, read_settings


@click.command("open")
@click.argument("title")
@click.option(
    "--phone", "phones", multiple=True, help="For consumers; may be given more than once."
)
@click.option("--email", default="", help="For consumers.")
@click.option("--site", default="", help="An https address.")
@click.option("--address", default="", help="Where the office is.")
@click.option("--hours", default="", help="When the office is open.")
@click.option("--by-code", is_flag=True, help="Contracts are linked by one-time codes.")
def open_books(title: str, phones: Sequence[str], *, by_code: bool, **card: str) -> None:
    """Open the books of a utility; it appears in «Поставщик» under its title.

    Contracts are linked by a login and a password that stay, or with --by-code by the contract's
    number and a code that works once.
    """
    from hub.plugins.api import SupplierCard
    from hub.services.bookkeeping import HOUSE, HOUSE_CODE, houses, open_supplier

    with open_store(read_settings()) as store:
        if any(row[1] == title for row in houses(store)):
            raise click.UsageError(f"There are books of '{title}' already")
        told = SupplierCard(name=title, phones=tuple(phones), **card)
        connector = HOUSE_CODE if by_code else HOUSE
        open_supplier(store, title=title, card=told, now=datetime.now(UTC), connector=connector)
    click.echo(f"Opened the books of {title}.")


@click.command()
@of_supplier
def pause(supplier: str) -> None:
    """Answer no consumer for a while, as a supplier whose system is down.

    The portal shows what it knows, says of when that is, and keeps what is sent until 'resume'.
    """
    with books_of(supplier) as books:
        books.pause()
    click.echo("The books are paused; 'hub house resume' opens them again.")


@click.command()
@of_supplier
def resume(supplier: str) -> None:
    """Answer again; what was sent meanwhile comes in within seconds."""
    with books_of(supplier) as books:
        books.pause(paused=False)
    click.echo("The books answer again.")
