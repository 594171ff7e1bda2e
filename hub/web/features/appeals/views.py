"""What the pages of appeals show."""

from dataclasses import dataclass
from datetime import date, datetime

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
class NewAppealView:
    """Fields: email, phone, subject, text, and the hidden key that makes the form one appeal."""

    action: str
    back: str
    form: Form
    longest: int
    emergency_phone: str
    about: AboutEvent | None = None


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message; ``who`` '' is the visitor. ``waits`` says that it is not delivered yet."""

    who: str
    text: str
    at: datetime
    waits: bool


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
    reply: Form | None
    live: bool
    uncertain: bool
    reason: str
    now: datetime
