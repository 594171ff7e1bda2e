"""What the commands share: options as pairs, plain JSON, tables."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction

import click


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Read 'KEY=VALUE' texts; a UsageError names the option that has none."""
    found: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not (key and sign):
            raise click.UsageError(f"'{option} {text}' is not KEY=VALUE")
        found[key] = value
    return found


def plain(value: object) -> object:
    """Turn a value of the domain into what JSON has; a number that is not whole is a string."""
    if value is None or (
        isinstance(value, str | bool | int | float) and not isinstance(value, Enum)
    ):
        return value
    converted: object
    match value:
        case Enum():
            converted = plain(value.value)
        case Decimal():
            whole = value.is_finite() and int(value.as_tuple().exponent) >= 0
            converted = int(value) if whole else str(value)
        case Fraction():
            converted = str(value)
        case date():
            converted = face(value) if isinstance(value, datetime) else value.isoformat()
        case bytes():
            converted = value.hex(" ").upper()
        case Mapping():
            converted = {str(key): plain(each) for key, each in value.items()}
        case frozenset() | set():
            converted = sorted(str(plain(each)) for each in value)
        case Iterable():
            converted = [plain(each) for each in value]
        case _:
            converted = str(value)
    return converted


def face(at: datetime) -> str:
    """Write a time to the second."""
    return at.isoformat(timespec="seconds")


def say_json(value: object) -> None:
    """Print a value as JSON, one for the whole output."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=1))


def say_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns; numbers to the right, None as '-'."""
    texts = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(line[at]) for line in [list(head), *texts]) for at in range(len(head))]
    right = [bool(rows) and all(_is_number(row[at]) for row in rows) for at in range(len(head))]
    for line in [list(head), *texts]:
        cells = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, int | float | Decimal) and not isinstance(cell, bool))


def say_facts(facts: Mapping[str, object], indent: str = "") -> None:
    """Print names and values, one a line, nested ones further in."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        shown = plain(value)
        if isinstance(shown, dict) and shown:
            click.echo(f"{indent}{name}")
            say_facts(shown, indent + "  ")
        elif isinstance(shown, list):
            click.echo(f"{indent}{name.ljust(width)}  {', '.join(map(str, shown)) or '-'}")
        else:
            click.echo(f"{indent}{name.ljust(width)}  {'-' if shown is None else shown}")
