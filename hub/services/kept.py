"""Sums that were made lately, by all that they depend on: an old one can't be shown.

A key holds marks of the series (`pieces.Known.key`) and what of the time of day matters.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
Key: TypeAlias = tuple[object, ...]


class Kept(Generic[T]):
    """The last ``most`` answers; for threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.lock = threading.Lock()
        self.answers: OrderedDict[Key, T] = OrderedDict()

    def get(self, key: Key, make: Callable[[], T]) -> T:
        """Give the answer of this key, made if it is not there."""
        with self.lock:
            if key in self.answers:
                self.answers.move_to_end(key)
                return self.answers[key]
        made = make()
        with self.lock:
            self.answers[key] = made
            while len(self.answers) > self.most:
                self.answers.popitem(last=False)
        return made
