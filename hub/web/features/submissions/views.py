"""What the form for readings shows, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.web.kit.forms import FieldError, Form
from hub.web.kit.sending import Sending
from hub.web.kit.views import RegisterText


@dataclass(frozen=True, slots=True)
class ZoneField:
    """One register: ``name`` is of its field; ``before`` None: nothing is known yet.

    ``before_on`` is None where the head of the column says the day.
    """

    name: str
    label: str
    zone: int
    price: str
    before: str | None
    before_on: date | None
    value: str
    longest: int
    whole: bool
    error: FieldError | None


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """Difference and cost of a register, None where nothing can be said; ``odd``: a question."""

    used: str | None
    cost: str | None
    wrong: str = ""
    odd: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What the typed readings come to. ``asks``: what has to be confirmed, title and text.

    ``proof`` names the values that a confirmation is for; ``confirmed``: it was given for them.
    """

    rows: Sequence[PreviewRow]
    used: str | None
    cost: str | None
    asks: Sequence[tuple[str, str]]
    proof: str
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way to the supplier; ``kind``: done, now, todo or bad."""

    label: str
    about: str
    kind: str


@dataclass(frozen=True, slots=True)
class SentPart:
    """What was sent last and where it is. ``live``: it is looked at again by itself.

    ``note``: colour, symbol, title, text; ``again_id``: it may be sent once more, if its owner
    says so.
    """

    title: str
    values: tuple[RegisterText, ...]
    steps: tuple[Step, ...]
    live: bool
    note: tuple[str, str, str, str] | None = None
    again_id: int | None = None
    correct_href: str | None = None
    correct: str = ""
    appeal_href: str | None = None


@dataclass(frozen=True, slots=True)
class FormPart:
    """The form itself. ``cost_words``: whose prices these are; '' where none is known."""

    title: str
    fields: tuple[ZoneField, ...]
    before_on: date | None
    unit: str
    preview: Preview
    form: Form
    key: str
    cost_words: str
    ratio: int


@dataclass(frozen=True, slots=True)
class SubmitView:
    """The page, or what opens under a row. ``form`` and ``sent`` None: readings are not taken.

    ``days``: those of the window, each past, today or next; empty where it is always open.
    """

    point_id: int
    name: str
    model: str
    serial: str
    list_href: str
    point_href: str
    state: Sending
    window: str
    days: tuple[tuple[date, str], ...]
    now: datetime
    form: FormPart | None = None
    sent: SentPart | None = None
