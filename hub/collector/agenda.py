"""What a visit reads besides the profile: pure functions of what the hub knows.

A meter has some forty journals, and even an empty one costs an exchange; at half-hour visits they
would be most of the traffic of a line. Ten entries are kept of most kinds, so that once a day is
enough for a meter with a quiet life, and where something has happened it is looked for at once:
the profile has marks or gaps, the clock has jumped, somebody asks or has changed something.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.profile import ProfilePage

# Less than a day, so that a meter that is visited once a day is not left out every other time.
BOOKS_EVERY = timedelta(hours=20)
AGAIN = timedelta(hours=2)  # after books that did not arrive whole
CLOCK_JUMP_S = 60.0  # crystals don't go off by so much between two visits


@dataclass(slots=True)
class Signs:
    """What hints at events, gathered while a visit goes on."""

    read_at: datetime | None  # from when the next reading of all journals is reckoned; None: never
    asked: bool = False  # a person waits for this meter
    changed: bool = False  # an order was carried out
    clock_jumped: bool = False
    disturbed: bool = False  # the profile has marks or gaps where it was read anew

    def see_clock(self, before_s: float | None, now_s: float) -> None:
        """Compare the drift with that of the visit before."""
        self.clock_jumped |= before_s is None or abs(now_s - before_s) > CLOCK_JUMP_S

    def see_page(self, page: ProfilePage) -> None:
        """Look for power losses, clock moves and slots that were never written."""
        self.disturbed |= bool(page.gaps) or any(slot.marks for slot in page.slots)


def journals_due(signs: Signs, now: datetime) -> bool:
    """Whether the journals, and the state with its self-diagnosis, are read in this visit."""
    return (
        signs.read_at is None
        or now - signs.read_at >= BOOKS_EVERY
        or signs.asked
        or signs.changed
        or signs.clock_jumped
        or signs.disturbed
    )


def reckoned_from(now: datetime, *, whole: bool) -> datetime:
    """Say from when the next reading is reckoned: a bad line is not loaded at every visit."""
    return now if whole else now - BOOKS_EVERY + AGAIN
