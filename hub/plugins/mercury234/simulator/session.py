"""The channel of one meter: who may talk, and for how much longer."""

READER = 1
OWNER = 2


class Channel:
    """Opened by a password, closed by code 02, by silence and by loss of power.

    Args:
        passwords: six raw bytes for each level.
        lifetime_s: seconds after the last correct request.

    """

    def __init__(self, passwords: dict[int, bytes], lifetime_s: int) -> None:
        self._passwords = passwords
        self._lifetime = lifetime_s
        self._level = 0
        self._used = 0
        self._powered_since = 0

    def open(self, level: int, password: bytes, now: int, powered_since: int) -> bool:
        """Try a password; a wrong one also closes what was open."""
        self.close()
        if self._passwords.get(level) != password:
            return False
        self._level, self._used, self._powered_since = level, now, powered_since
        return True

    def close(self) -> None:
        self._level = 0

    def level(self, now: int, powered_since: int) -> int:
        """0 if the channel is closed, else 1 or 2."""
        if now - self._used > self._lifetime or powered_since != self._powered_since:
            self._level = 0
        return self._level

    def touch(self, now: int) -> None:
        """Start the time again: a correct request came."""
        self._used = now
