"""What the commands of the house share: whose books, how refusals are told, JSON."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.cli.opening import open_store, read_settings

if TYPE_CHECKING:
    from hub.services.bookkeeping import Bookkeeping

F = TypeVar("F", bound=Callable[..., Any])

WRONG = {
    "house.price_wrong": "A price has to be 0 or more, and no finer than a millionth of a rouble.",
    "house.values_wrong": (
        "Readings are wanted of every zone of the point, with no more digits than its meter has."
    ),
    "house.amount_wrong": "A payment has to be more than nothing.",
    "house.period_wrong": "The end has to come after the beginning.",
    "house.window_wrong": "A window is two days of the month, like 15-25.",
    "house.title_empty": "The title is empty.",
    "house.text_empty": "There is nothing to say: write a text, or give another state.",
    "house.file_large": "A file may have 10 MB.",
    "house.reason_empty": "The reason is empty; the consumer reads it.",
    "house.event_unknown": "There is no such kind of event; 'hub house events list' lists them.",
    "house.line_empty": "A line of a bill needs words.",
}


def of_supplier(command: F) -> F:
    """Add the option that names the utility where there are several."""
    named = click.option(
        "--supplier", default="", help="The utility's title, if there are several."
    )
    return named(command)


def as_json(command: F) -> F:
    return click.option("--json", "to_json", is_flag=True, help="For a program to read.")(command)


@contextmanager
def books_of(supplier: str) -> Iterator["Bookkeeping"]:
    """Open the books of the utility that is meant; what was refused becomes a sentence."""
    from hub.errors import InputRefused
    from hub.services.bookkeeping import Bookkeeping, houses
    from hub.services.passwords import Passwords

    with open_store(read_settings()) as store:
        known = houses(store)
        found = [row for row in known if not supplier or row[1] == supplier]
        if not known:
            raise click.UsageError("There are no books yet; begin with 'hub house open TITLE'")
        if len(found) != 1:
            titles = ", ".join(f"'{row[1]}'" for row in known)
            raise click.UsageError(f"Say with --supplier whose books: {titles}")
        try:
            yield Bookkeeping(store, found[0][0], Passwords())
        except InputRefused as refused:
            keys = refused.fields.values()
            raise click.UsageError(
                " ".join(WRONG.get(key, f"{key} is wrong.") for key in keys)
            ) from refused


def print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
