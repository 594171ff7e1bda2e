"""``hub plugin``: what is installed, and what is wrong with it."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hub.plugins.manager import PluginReport


@click.group()
def plugin() -> None:
    """List plugins and what is wrong with them."""


@plugin.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs; with tracebacks.")
def list_plugins(*, as_json: bool) -> None:
    """Say of each installed plugin whether it works, and if not, why and what to do."""
    from hub.plugins.manager import load_plugins

    reports = load_plugins().reports
    if as_json:
        shown = [_plain(report) for report in reports]
        click.echo(json.dumps({"plugins": shown}, ensure_ascii=False, indent=2))
        return
    for line in _lines(reports):
        click.echo(line)


def _plain(report: "PluginReport") -> dict[str, object]:
    return {
        "id": report.id,
        "title": report.title,
        "distribution": report.distribution,
        "version": report.version,
        "state": report.state.value,
        "error": report.error or None,
        "next_step": report.next_step or None,
        "specs": list(report.specs),
        "traceback": report.traceback or None,
    }


def _lines(reports: tuple["PluginReport", ...]) -> list[str]:
    rows = [
        (each.id, each.state.value, f"{each.distribution} {each.version}", ", ".join(each.specs))
        for each in reports
    ]
    head = ("PLUGIN", "STATE", "PACKAGE", "HAS")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row, report in zip((head, *rows), (None, *reports), strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
        if report is not None and report.error:
            lines += [f"    {report.error}", f"    {report.next_step}"]
    return lines
