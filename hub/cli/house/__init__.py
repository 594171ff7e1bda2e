"""``hub house``: a utility's own books, until a console can do it; a file a subject."""

import click

from hub.cli.house import appeals, contracts, events, money, notices, points, readings, utility


@click.group()
def house() -> None:
    """Keep a utility's own books: contracts, access, bills, notices, appeals, readings."""


for command in (
    utility.open_books,
    utility.pause,
    utility.resume,
    contracts.contract,
    contracts.access,
    contracts.list_contracts,
    contracts.show,
    points.point,
    points.transformer,
    readings.readings,
    readings.accept,
    readings.refuse,
    readings.reading,
    money.price,
    money.charge,
    money.pay,
    notices.notice,
    appeals.appeals,
    appeals.files,
    appeals.answer,
    events.events_,
):
    house.add_command(command)
