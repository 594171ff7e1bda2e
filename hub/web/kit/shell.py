"""What the frame around every signed-in page shows."""

import json
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ShellContract:
    """A contract in the left panel; ``by_code``: it has no password of the supplier."""

    id: int
    name: str
    supplier: str
    number: str
    unread: int = 0
    by_code: bool = False

    @property
    def href(self) -> str:
        return f"/contracts/{self.id}"


@dataclass(frozen=True, slots=True)
class OldNews:
    """What a note above the pages of a contract says while its supplier can't be asked.

    ``kind`` is down, login or answer; times are local.
    """

    supplier: str
    kind: str
    now: datetime
    as_of: datetime | None
    next_try: datetime | None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame: who, which contracts, where in the portal.

    ``section`` is one of home, points, notifications, appeals, or empty.
    """

    full_name: str
    email: str = ""
    contracts: tuple[ShellContract, ...] = ()
    current_id: int | None = None
    section: str = ""
    unread: int = 0
    old_news: OldNews | None = None
    emergency_phone: str | None = None
    demo: bool = False
    theme: str | None = None
    flashes: tuple["Flash", ...] = field(default=())

    @property
    def current(self) -> ShellContract | None:
        return next((c for c in self.contracts if c.id == self.current_id), None)

    @property
    def unread_counts(self) -> str:
        """Say in JSON how many are unread of each contract that has any, for the script."""
        return json.dumps({each.id: each.unread for each in self.contracts if each.unread})

    @property
    def others_unread(self) -> bool:
        return any(c.unread for c in self.contracts if c.id != self.current_id)

    @property
    def initials(self) -> str:
        """Two letters: of the given name and the surname, as people sign (``МО``)."""
        parts = self.full_name.split()
        return (
            "".join(p[0] for p in (parts[1], parts[0]) if p).upper()
            if len(parts) > 1
            else (self.full_name[:2].upper())
        )

    def at(self, section: str) -> str:
        """Give the address of a section for the current contract; without one, the invitation."""
        if self.current is None:
            return "/"
        return self.current.href if section == "home" else f"{self.current.href}/{section}"


@dataclass(frozen=True, slots=True)
class Flash:
    """One sentence after a redirect; ``kind`` is ok, info, warn or bad."""

    text: str
    kind: str = "ok"
