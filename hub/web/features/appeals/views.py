"""What the pages of appeals show."""

from dataclasses import dataclass
from datetime import date, datetime

from hub.domain.files import ENDINGS
from hub.services.appeals import LONGEST_BODY
from hub.web.kit.forms import Form
from hub.web.kit.messages import AppealRow, State


@dataclass(frozen=True, slots=True)
class AppealsView:
    """``new_href`` is None where the supplier takes no appeals."""

    rows: tuple[AppealRow, ...]
    new_href: str | None
    newer: str | None
    older: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class AboutEvent:
    """The event that an appeal is about; ``text`` is what is sent of it."""

    point: int
    event: int
    subject: str
    said: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file; ``href`` is None while the supplier has not handed it over, or never will."""

    id: int
    name: str
    size: int
    href: str | None
    picture: bool
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Writing:
    """A form to write in: where it is sent, what waits in it.

    ``files`` None: the supplier takes none. ``kept_at``: since when its words wait here.
    """

    action: str
    form: Form
    now: datetime
    files: tuple[FileRow, ...] | None = None
    kept_at: datetime | None = None
    longest: int = LONGEST_BODY

    @property
    def accept(self) -> str:
        """Give what browsers offer to choose; phones make a JPEG of their own kinds then."""
        return ",".join(ending for each in ENDINGS.values() for ending in each)


@dataclass(frozen=True, slots=True)
class NewAppealView:
    """Fields: email, phone, subject, text, and the hidden key that makes the form one appeal.

    ``points``: id and name of what it may be about.
    """

    back: str
    writing: Writing
    emergency_phone: str
    points: tuple[tuple[str, str], ...] = ()
    about: AboutEvent | None = None


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message; ``who`` '' is the visitor. ``waits`` says that it is not delivered yet."""

    who: str
    text: str
    at: datetime
    waits: bool
    files: tuple[FileRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadView:
    """``live``: it waits for something, so the page asks again by itself."""

    id: int
    back: str
    number: str
    subject: str
    state: State
    begun: datetime
    due_on: date | None
    bubbles: tuple[Bubble, ...]
    files: tuple[FileRow, ...]
    writing: Writing | None
    live: bool
    uncertain: bool
    reason: str
    now: datetime
