"""``hub house events``: of which events of their meters consumers are told."""

from collections.abc import Sequence

import click

from hub.cli.house.kit import as_json, books_of, of_supplier, print_json


@click.group("events")
def events_() -> None:
    """Choose of which events of their meters consumers get a notification.

    One for each kind, point and hour, however often it happened in it. What ended more than two
    days before it was read is history and makes none.
    """


@events_.command("list")
@as_json
@of_supplier
def list_events(*, to_json: bool, supplier: str) -> None:
    """List the kinds of events: on or off, and what nobody has chosen yet."""
    with books_of(supplier) as books:
        found = books.events()
    if to_json:
        print_json([{"kind": each.kind, "on": each.enabled, "usual": each.usual} for each in found])
        return
    for each in found:
        state = "on" if each.enabled else "off"
        click.echo(f"{state:<4} {each.kind}{'' if each.usual else '  (chosen)'}")


@events_.command("on")
@click.argument("kinds", nargs=-1, required=True, metavar="KIND…")
@of_supplier
def turn_events_on(kinds: Sequence[str], *, supplier: str) -> None:
    """Tell consumers of events of these kinds from now on."""
    _choose_events(kinds, enabled=True, supplier=supplier)


@events_.command("off")
@click.argument("kinds", nargs=-1, required=True, metavar="KIND…")
@of_supplier
def turn_events_off(kinds: Sequence[str], *, supplier: str) -> None:
    """Tell nobody of events of these kinds; they stay in the journals."""
    _choose_events(kinds, enabled=False, supplier=supplier)


def _choose_events(kinds: Sequence[str], *, enabled: bool, supplier: str) -> None:
    with books_of(supplier) as books:
        books.choose_events(kinds, enabled=enabled)
    click.echo(f"{', '.join(kinds)}: {'on' if enabled else 'off'}.")
