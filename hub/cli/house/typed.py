"""Reading what was typed: days, times, numbers, money, facts; a UsageError says how to write it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

import click

from hub.cli.house.kit import WRONG

E = TypeVar("E", bound=StrEnum)


def read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"'{text}' is no day; write it like 2026-11-01") from None


def read_instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"'{text}' is no time; write it like 2026-12-03T10:00+04:00"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def read_decimal(text: str) -> Decimal:
    try:
        value = Decimal(text.replace(",", ".").replace(" ", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise click.UsageError(f"'{text}' is no number; write it like 128.50")
    return value


def read_kopecks(text: str) -> int:
    kopecks = read_decimal(text) * 100
    if kopecks != kopecks.to_integral_value():
        raise click.UsageError(f"'{text}' is finer than a kopeck")
    return int(kopecks)


def read_window(text: str) -> tuple[int | None, int | None]:
    from hub.errors import InputRefused
    from hub.services.bookkeeping import window_of

    if not text:
        return None, None
    try:
        window = window_of(text)
    except InputRefused as refused:
        raise click.UsageError(WRONG["house.window_wrong"]) from refused
    return window.from_day, window.to_day


def read_digits(text: str) -> tuple[int | None, int | None]:
    whole, _, decimal = text.partition(".")
    if not text:
        return None, None
    if not (whole.isdecimal() and (decimal or "0").isdecimal()):
        raise click.UsageError("Digits are written like 5.2: before the point, and after it")
    return int(whole), int(decimal or 0)


def read_facts(typed: Sequence[str], known: type[E]) -> dict[E, str]:
    facts = {}
    for each in typed:
        name, _, value = each.partition("=")
        if name not in set(known):
            raise click.UsageError(f"'{name}' is no fact; there are {', '.join(known)}")
        facts[known(name)] = value
    return facts
