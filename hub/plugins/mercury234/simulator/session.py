"""The channel of one meter: who may talk, and for how much longer."""

READER = 1
OWNER = 2


class Channel:
    """Opened by a password, closed by code 02, by silence and by a new start of the meter.

    Args:
        lifetime_s: seconds after the last correct request.

    """

    def __init__(self, lifetime_s: int) -> None:
        self._lifetime = lifetime_s
        self._level = 0
        self._used = 0
        self._boots = 0

    def open(self, level: int, now: int, boots: int) -> None:
        """Open it at a right second to who has given the right password.

        ``boots`` is how often the meter has started by then.
        """
        self._level, self._used, self._boots = level, now, boots

    def close(self) -> None:
        self._level = 0

    def level(self, now: int, boots: int) -> int:
        """0 if the channel is closed, else 1 or 2."""
        if now - self._used > self._lifetime or boots != self._boots:
            self._level = 0
        return self._level

    def touch(self, now: int) -> None:
        """Start the time again: a correct request came."""
        self._used = now
