"""``hub house notice``: notifications to consumers."""

import click

from hub.cli.house.kit import books_of, of_supplier
from hub.cli.house.typed import read_instant

KINDS = ("debt", "planned_work", "outage", "other")


@click.command()
@click.argument("number", required=False, default="")
@click.option("--all", "everybody", is_flag=True, help="For every contract of the utility.")
@click.option("--kind", required=True, type=click.Choice(KINDS), help="Consumers filter by it.")
@click.option("--title", required=True, help="One line.")
@click.option("--text", required=True, help="The whole of it.")
@click.option("--from", "begin", default="", metavar="TIME", help="2026-12-03T10:00+04:00.")
@click.option("--to", "end", default="", metavar="TIME", help="Of planned works, an outage.")
@of_supplier
def notice(number: str, *, everybody: bool, supplier: str, **typed: str) -> None:
    """Publish a notification for the contract NUMBER, or with --all for everybody."""
    from hub.plugins.api import NoticeKind
    from hub.services.bookkeeping import NewNotice

    if bool(number) == everybody:
        raise click.UsageError("Give a contract's number, or --all")
    published = NewNotice(
        kind=NoticeKind(typed["kind"]),
        title=typed["title"],
        text=typed["text"],
        number=number,
        from_at=read_instant(typed["begin"]) if typed["begin"] else None,
        to_at=read_instant(typed["end"]) if typed["end"] else None,
    )
    with books_of(supplier) as books:
        books.publish(published)
    click.echo(f"Published for {number or 'everybody'}.")
