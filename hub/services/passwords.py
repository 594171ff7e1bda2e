"""Hashing of passwords: argon2id, two at a time, with a short queue.

Hashing costs 19 MiB and tens of milliseconds on purpose, so it must never be done inside a unit
of the store, on the event loop, or for more people at once than the machine can bear.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.errors import TooManyAttempts

AT_ONCE = 2
QUEUE = 20
LONGEST = 1024  # characters; more is never a password, and is not hashed
# Of a password that nobody has: an unknown user costs as much as a known one.
DUMMY = (
    "$argon2id$v=19$m=19456,t=2,p=1$cLSKHNDseRfo9BIKmNyFng$"
    "jnLa53qsQ7czs8+JFDrjxVYfI1bLuKn7QR485Z82zdw"
)


class Passwords:
    """One for a process: its two places are shared by all who hash."""

    def __init__(self, *, at_once: int = AT_ONCE, queue: int = QUEUE) -> None:
        self.hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self.places = threading.Semaphore(at_once)
        self.room = threading.Semaphore(at_once + queue)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one of the places; TooManyAttempts if the queue is full."""
        if not self.room.acquire(blocking=False):
            raise TooManyAttempts
        try:
            with self.places:
                yield
        finally:
            self.room.release()

    def hash(self, password: str) -> str:
        with self.turn():
            return self.hasher.hash(password)

    def verify(self, known: str | None, password: str) -> bool:
        """Compare; ``known`` None (no such user) takes as long and is always wrong."""
        with self.turn():
            try:
                self.hasher.verify(known or DUMMY, password[: LONGEST + 1])
            except (VerificationError, InvalidHashError):
                return False
        return known is not None

    def outdated(self, known: str) -> bool:
        """Tell whether it was hashed with other parameters than today's."""
        return self.hasher.check_needs_rehash(known)
