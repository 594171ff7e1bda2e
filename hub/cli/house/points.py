"""``hub house point`` and ``transformer``: the metering points of a contract."""

from collections.abc import Sequence
from typing import Any

import click

from hub.cli.house.kit import books_of, of_supplier
from hub.cli.house.typed import read_day, read_digits, read_facts, read_window

RESOURCES = ("electricity", "water", "gas", "heat", "other")
UNITS = {"electricity": "kWh", "water": "m3", "gas": "m3", "heat": "Gcal", "other": ""}
TRANSFORMERS = ("current", "voltage")


@click.command()
@click.argument("number")
@click.option("--name", required=True, help="What consumers read.")
@click.option("--number", "point", default="", help="The point's number at the utility.")
@click.option("--serial", default="", help="Of the meter, as on its face.")
@click.option("--resource", default="electricity", show_default=True, type=click.Choice(RESOURCES))
@click.option("--unit", default="", help="Of the readings; else as usual for the resource.")
@click.option("--smart", is_flag=True, help="The meter reports by itself.")
@click.option("--place", default="", help="Where the meter is.")
@click.option("--zones", default="", metavar="T1,T2", help="Tariff zones; none: one register.")
@click.option("--digits", default="", metavar="5.2", help="Of the meter's face, before and after.")
@click.option("--window", default="", metavar="15-25", help="Days on which readings are taken.")
@click.option("--tariff", default="", help="By which prices it is charged; see 'hub house price'.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=TEXT", help="E.g. norm_month=6.")
@of_supplier
def point(number: str, *, supplier: str, tariff: str, **typed: Any) -> None:
    """Add a metering point to the contract NUMBER."""
    from hub.plugins.api import Point, PointFact, Resource

    first, last = read_window(typed["window"])
    whole, decimal = read_digits(typed["digits"])
    added = Point(
        id="",
        name=typed["name"],
        number=typed["point"],
        meter_serial=typed["serial"],
        resource=Resource(typed["resource"]),
        unit=typed["unit"] or UNITS[typed["resource"]],
        smart=typed["smart"],
        place=typed["place"],
        tariff_zones=tuple(zone.strip() for zone in typed["zones"].split(",") if zone.strip()),
        whole_digits=whole,
        decimal_digits=decimal,
        submit_from_day=first,
        submit_to_day=last,
        facts=read_facts(typed["facts"], PointFact),
    )
    with books_of(supplier) as books:
        books.add_point(number, added, tariff)
    click.echo(f"Added {typed['name']} to the contract {number}.")


@click.command()
@click.argument("number")
@click.argument("point")
@click.option("--kind", default="current", show_default=True, type=click.Choice(TRANSFORMERS))
@click.option("--phase", required=True, type=click.IntRange(1, 3))
@click.option("--from", "since", default="", metavar="DAY", help="The first day it hangs there.")
@click.option("--to", "until", default="", metavar="DAY", help="The last one.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=TEXT", help="E.g. serial=5512041.")
@click.option("--strike", is_flag=True, help="It was entered by mistake.")
@of_supplier
def transformer(
    number: str, point: str, *, kind: str, phase: int, since: str, until: str,
    facts: Sequence[str], strike: bool, supplier: str,
) -> None:  # fmt: skip
    """Enter a transformer of a POINT, by its number or name, of the contract NUMBER.

    One of the same kind, phase and first day is replaced.
    """
    from hub.plugins.api import TransformerCard, TransformerFact

    card = TransformerCard(
        kind=kind, phase=phase, facts=read_facts(facts, TransformerFact),
        from_on=read_day(since) if since else None, to_on=read_day(until) if until else None,
    )  # fmt: skip
    with books_of(supplier) as books:
        (books.take_transformer if strike else books.put_transformer)(number, point, card)
    what = f"the {kind} transformer of phase {phase} of {point}"
    click.echo(f"{'Struck' if strike else 'Entered'} {what}.")
