"""Tables of a scenario file: keys are taken one by one, and a wrong one is named with its path."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from hub.plugins.mercury234.simulator.clock import DAY, HOUR
from hub.plugins.mercury234.simulator.network import PHASES

_ADDRESSES = range(1, 0xF1)
_UNITS = {"d": DAY, "h": HOUR, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class Table:
    """A table of the file, whose keys are taken one by one."""

    def __init__(self, path: str, content: Mapping[str, object]) -> None:
        self._path = path
        self._left = dict(content)

    def path(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def wrong(self, key: str, says: str) -> ValueError:
        return ValueError(f"{self.path(key)} {says}")

    def has(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, kind: Any, default: Any = ...) -> Any:
        """Take a key; ``...`` for a default means that it must be there."""
        if key not in self._left:
            if default is ...:
                raise self.wrong(key, "is missing.")
            return default
        value = self._left.pop(key)
        number = kind in {int, float, int | float}
        if not isinstance(value, kind) or (number and isinstance(value, bool)):
            raise self.wrong(key, f"is {value!r}; give {_called(kind)}.")
        return value

    def number(self, key: str, low: float, high: float, default: Any = ...) -> Any:
        """Take a number, whole if the limits are."""
        kind = int if isinstance(low, int) and isinstance(high, int) else int | float
        value = self.take(key, kind, default)
        if value is not default and not low <= value <= high:
            raise self.wrong(key, f"is {value}; it may be {low} to {high}.")
        return value

    def word(self, key: str, allowed: Sequence[str]) -> str:
        value: str = self.take(key, str)
        if value not in allowed:
            raise self.wrong(key, f"is {value!r}; it may be {', '.join(allowed)}.")
        return value

    def seconds(self, key: str, default: Any = ...) -> Any:
        """Take a length of time: 90, "90s", "1h30m", "2d"."""
        value = self.take(key, int | str, default)
        if value is default:
            return value
        seconds = value if isinstance(value, int) else _duration(value)
        if seconds is None or isinstance(value, bool) or seconds < 0:
            raise self.wrong(key, f'is {value!r}; write it like "1h30m", "90s" or "2d".')
        return seconds

    def time(self, key: str, default: Any = ...) -> Any:
        """Take a time, or "+2d4h" after the start, as seconds."""
        value = self.take(key, datetime | date | str, default)
        if value is default:
            return value
        if isinstance(value, str):
            seconds = _duration(value[1:]) if value.startswith("+") else None
            if seconds is None:
                raise self.wrong(
                    key, f'is {value!r}; write 2026-11-03T10:00:00, or "+2d4h" after the start.'
                )
            return seconds
        return midnight(value)

    def phases(self) -> frozenset[int]:
        """Take the phases; without the key all of them."""
        phases = self.take("phases", list, list(PHASES))
        if not phases or not set(phases) <= set(PHASES):
            raise self.wrong("phases", f"is {phases!r}; list some of 1, 2, 3.")
        return frozenset(phases)

    def addresses(self) -> frozenset[int] | None:
        """Take the meters; without the key None, which means all."""
        meters = self.take("meters", list, None)
        if meters is None:
            return None
        if not meters or not all(type(each) is int and each in _ADDRESSES for each in meters):
            raise self.wrong("meters", f"is {meters!r}; list addresses, 1 to {_ADDRESSES[-1]}.")
        return frozenset(meters)

    def done(self) -> None:
        """Refuse keys that nobody has taken."""
        for key in sorted(self._left):
            raise self.wrong(key, "is no key of this table.")


def _duration(text: str) -> int | None:
    """Read "1h30m" as seconds, None for what is no length of time."""
    found = _DURATION.fullmatch(text.replace(" ", ""))
    if found is None or not any(found.groups()):
        return None
    return sum(
        int(part) * unit
        for part, unit in zip(found.groups(), _UNITS.values(), strict=True)
        if part is not None
    )


def midnight(value: date) -> datetime:
    """Return a time as it is, and of a day its midnight."""
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _called(kind: Any) -> str:
    return _NAMES.get(kind, "a date or a time")


_NAMES: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    int | float: "a number",
    list: "a list",
    bool: "true or false",
    int | str: "a length of time",
}
