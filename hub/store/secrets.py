"""Sealed secrets: text that only this installation's keys open, and only in its own row.

What is sealed is ``{table, row, field, value}``; opening it for another place fails, so sealed
text can't be moved to another row. Keys are Fernet keys, newest first: the first one seals, all
of them open, so a rotation is a new first key and one pass of ``reseal``.
"""

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from hub.errors import KeysMissing, SealBroken


def new_key() -> str:
    """Make a new key for HUB_KEYS."""
    return Fernet.generate_key().decode()


class Secrets:
    """Seals and opens with the keys of this installation."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raise KeysMissing if there are none, SealBroken if one is no key at all."""
        if not keys:
            raise KeysMissing
        try:
            self.fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise SealBroken(
                "HUB_KEYS holds something that is no key; make one with 'hub keys new'."
            ) from error

    def seal(self, value: str, *, table: str, row: int | str, field: str) -> str:
        """Seal ``value`` for one field of one row."""
        told = {"table": table, "row": str(row), "field": field, "value": value}
        return self.fernet.encrypt(json.dumps(told).encode()).decode()

    def open(self, sealed: str, *, table: str, row: int | str, field: str) -> str:
        """Give the value back; SealBroken if the keys or the place are others."""
        try:
            told = json.loads(self.fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise SealBroken from error
        if (told["table"], told["row"], told["field"]) != (table, str(row), field):
            raise SealBroken("A sealed secret was moved to another row; set it anew.")
        value: str = told["value"]
        return value

    def reseal(self, sealed: str) -> str:
        """Seal the same secret under the first key."""
        try:
            return self.fernet.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealBroken from error
