"""``hub supplier``: which suppliers consumers can choose."""

import json
from typing import IO

import click

from hub.cli.opening import open_store, read_settings


@click.group()
def supplier() -> None:
    """Install suppliers for consumers to choose."""


@supplier.command()
@click.argument("connector")
@click.argument("title")
@click.option(
    "--settings",
    type=click.File(encoding="utf-8"),
    help="JSON file of what the connector has to know, like its address; - is stdin.",
)
def add(connector: str, title: str, settings: IO[str] | None) -> None:
    """Install a connector under a title; it appears in «Поставщик».

    The settings are those of the connector's own page; they are kept sealed.
    """
    from hub.errors import InputRefused
    from hub.plugins.manager import load_plugins
    from hub.services.suppliers import Suppliers

    text = settings.read() if settings is not None else "{}"
    with open_store(read_settings()) as store:
        try:
            Suppliers(store, load_plugins()).install(connector, title, text)
        except InputRefused as refused:
            said = "; ".join(f"{name or 'settings'}: {why}" for name, why in refused.fields.items())
            raise click.UsageError(f"The settings don't fit: {said}") from refused
    click.echo(f"Installed {title}; consumers can choose it now.")


@supplier.command("list")
@click.option("--json", "as_json", is_flag=True, help="For a program to read.")
def list_suppliers(*, as_json: bool) -> None:
    """Say which suppliers are installed, and whether their connector is loaded."""
    from hub.plugins.manager import load_plugins
    from hub.services.suppliers import Suppliers

    with open_store(read_settings()) as store:
        found = Suppliers(store, load_plugins()).listed()
    if as_json:
        rows = [
            {"id": row.id, "title": row.title, "connector": row.connector, "usable": row.usable}
            for row in found
        ]
        click.echo(json.dumps({"suppliers": rows}, ensure_ascii=False, indent=2))
        return
    for row in found:
        missing = "" if row.usable else "  (its connector is not loaded; see 'hub plugin list')"
        click.echo(f"{row.title}  {row.connector}{missing}")
