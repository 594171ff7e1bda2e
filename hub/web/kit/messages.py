"""How notifications and appeals are worded wherever they are listed."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.services.appeals import AppealView
from hub.services.notice_words import DECIDED, source_words, words_of
from hub.services.notices import NoticeView
from hub.web.kit.i18n import N_, gettext

SYMBOLS = {
    "debt": "file-text",
    "planned_work": "triangle-alert",
    "outage": "unplug",
}
WARN = frozenset({"debt", "planned_work", "outage"})
SOURCE_SYMBOLS = {"appeal": "message-square", "meter": "zap", "reading": "gauge", "rule": "bell"}
# state of an appeal: label, colour, symbol, what it means
STATES = {
    "waiting": (
        N_("WAITING"), "warn", "clock",
        N_("It is kept and will be handed to the supplier as soon as it answers."),
    ),
    "uncertain": (
        N_("UNCERTAIN"), "warn", "circle-alert",
        N_("It is not known whether the supplier got it. We are looking for it there."),
    ),
    "sent": (N_("HANDED OVER"), "info", "check", N_("The supplier has it.")),
    "in_work": (N_("IN WORK"), "info", "clock", N_("The supplier is working on it.")),
    "answered": (N_("ANSWERED"), "ok", "message-square", N_("The supplier has answered.")),
    "closed": (N_("CLOSED"), "", "check", N_("The supplier has closed it.")),
    "refused": (N_("REFUSED"), "bad", "x", N_("The supplier did not take it on.")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notification in a list; ``about`` is a second line, perhaps empty. ``at`` is local."""

    href: str
    symbol: str
    warn: bool
    title: str
    about: str
    source: str
    at: datetime
    unread: bool
    id: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """The tag of an appeal: its words, colour and symbol; ``about`` says what it means."""

    label: str
    kind: str
    symbol: str
    about: str


@dataclass(frozen=True, slots=True)
class AppealRow:
    """An appeal in a list; ``number`` is empty until the supplier has given one."""

    href: str
    number: str
    subject: str
    at: datetime
    state: State


def notice_row(item: NoticeView, zone: str) -> NoticeRow:
    """Word a notification for a list."""
    worded = words_of(item)
    symbol = SOURCE_SYMBOLS.get(item.source) or SYMBOLS.get(item.kind, "info")
    warn = item.source not in DECIDED and (item.kind in WARN or bool(item.facts))
    return NoticeRow(
        href=f"/notifications/{item.id}",
        symbol=symbol,
        warn=warn or (item.source, item.kind) == ("reading", "refused"),
        title=worded.title,
        about=next(iter(worded.paragraphs), ""),
        source=source_words(item.source),
        at=item.published_at.astimezone(ZoneInfo(zone)),
        unread=item.unread,
        id=item.id,
    )


def appeal_row(item: AppealView, zone: str) -> AppealRow:
    """Word an appeal for a list."""
    return AppealRow(
        href=f"/appeals/{item.id}",
        number=item.number,
        subject=item.subject,
        at=item.changed_at.astimezone(ZoneInfo(zone)),
        state=appeal_state(item),
    )


def appeal_state(item: AppealView) -> State:
    """Word the state; one that we don't know is the supplier's own word."""
    known = STATES.get(item.state)
    if known is None:
        return State(item.remote_state or item.state, "", "info", "")
    label, kind, symbol, about = known
    return State(gettext(label), kind, symbol, gettext(about))
