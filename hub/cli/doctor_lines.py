"""``hub doctor --lines``: every line and meter in figures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from hub.cli.kit import face, say_json, say_table

if TYPE_CHECKING:
    from datetime import datetime

    from hub.services.line_figures import LineFigures, MeterFigures
    from hub.settings import Settings

SHARES = ("timeouts", "garbled", "repeats")


def look_at_lines(settings: "Settings", *, as_json: bool) -> int:
    """Print lines and meters; exit code 1 if one needs a person."""
    from hub.cli.opening import open_store
    from hub.services.line_figures import line_figures

    with open_store(settings, need_keys=False) as store:
        lines = line_figures(store)
    if as_json:
        say_json({"lines": [_as_json(line) for line in lines]})
    else:
        _say(lines)
    return 0 if all(_is_well(line) for line in lines) else 1


def _is_well(line: "LineFigures") -> bool:
    return line.down_since_at is None and not any(
        each.fare.stopped or each.fare.failures for each in line.meters
    )


def _as_json(line: "LineFigures") -> Mapping[str, object]:
    return {
        "line": line.address,
        "holder": line.holder,
        "down_since": _at(line.down_since_at),
        "error": line.error_code,
        "text": line.error_text,
        "last_answer": _at(line.heard_at),
        "total": line.total,
        "recent": {"seconds": round(line.recent_s), **line.recent},
        "busy": round(line.busy, 4),
        "meters": [_meter_json(each) for each in line.meters],
    }


def _meter_json(each: "MeterFigures") -> Mapping[str, object]:
    fare = each.fare
    return {
        "meter": fare.id,
        "maker": fare.maker,
        "serial": fare.serial,
        "read": _at(fare.seen_at),
        "visit_s": each.visit_s,
        "failures": fare.failures,
        "stopped": fare.stopped,
        "error": fare.error_code,
        "text": fare.error_text,
    }


def _say(lines: "Sequence[LineFigures]") -> None:
    if not lines:
        click.echo("There is no line yet.")
        return
    head = (
        "LINE", "STATE", "METERS", "ASKED", "TIMEOUT", "GARBLED", "REPEATED", "UNASKED", "DROPPED",
        "BUSY", "ANSWERED",
    )  # fmt: skip
    say_table(head, [_row(line) for line in lines])
    for line in lines:
        if line.down_since_at is not None:
            click.echo(f"{line.address}: {line.error_text}")
    click.echo("\nShares and counts are of the last one to two hours. Meters, slowest first:\n")
    say_table(
        ("METER", "MAKER", "SERIAL", "LINE", "VISIT S", "READ", "STATE"),
        [
            (each.fare.id, each.fare.maker, each.fare.serial, line.address, each.visit_s,
             _at(each.fare.seen_at), _state(each))
            for line, each in sorted(
                ((line, each) for line in lines for each in line.meters),
                key=lambda pair: -(pair[1].visit_s or 0.0),
            )
        ],
    )  # fmt: skip


def _row(line: "LineFigures") -> Sequence[object]:
    state = f"held by {line.holder}" if line.holder else "free"
    if line.down_since_at is not None:
        state = f"down since {_at(line.down_since_at)}"
    recent = line.recent
    return (
        line.address,
        state,
        len(line.meters),
        recent.get("asks"),
        *(_percent(line.share(name)) for name in SHARES),
        recent.get("bytes_unasked"),
        recent.get("reconnects"),
        _percent(line.busy if recent else None),
        _at(line.heard_at),
    )


def _state(each: "MeterFigures") -> str:
    fare = each.fare
    if not (fare.stopped or fare.failures):
        return "well"
    return f"{'stopped' if fare.stopped else f'{fare.failures} failures'}: {fare.error_text}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f} %"


def _at(at: "datetime | None") -> str | None:
    return None if at is None else face(at).replace("+00:00", "Z")
