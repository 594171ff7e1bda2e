"""SMS: ordered with the change that causes them, worded late, delivered at least once.

As with mails, an order is a row of the outbox; a code is sealed there and wiped once it is out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from hub.domain.notices import Channel
from hub.locale import DEFAULT_LANGUAGE, LANGUAGES, N_, gettext, speaking
from hub.plugins.api import Desk, Message, Notifier, Urgency
from hub.services import carrying
from hub.services.carrying import Carrier
from hub.services.clock import utc_now
from hub.services.mail import NOTICE, Letterhead
from hub.services.notice_words import letter_of, words_of
from hub.store.outbox import Work
from hub.store.unit import Store, Unit

KIND = "sms"
LINE_LENGTH = 134  # two parts of 67 Cyrillic letters, where a notifier names no length
WORDS = {
    "phone": N_("%(code)s is your code for the phone. Tell it nobody. %(sender)s"),
    "sign_in": N_("%(code)s is your code to sign in. Tell it nobody. %(sender)s"),
}


@dataclass(frozen=True, slots=True)
class TextOrder:
    """An SMS to be sent; the same key is sent once. ``code`` is what it tells, till when."""

    template: str  # a name of WORDS, or notice
    key: str
    to: str
    language: str = ""
    code: str = ""
    valid_until: datetime | None = None
    notice_id: int | None = None


def order_text(unit: Unit, order: TextOrder, due_at: datetime) -> bool:
    """Put the SMS into the outbox; False if one with this key is there already."""
    body = {
        "template": order.template,
        "to": order.to,
        "language": order.language,
        "valid_until": order.valid_until.isoformat() if order.valid_until else "",
        "notice": order.notice_id,
    }
    return carrying.order(unit, KIND, order.key, body, secret=order.code, due_at=due_at)


class Texts(Carrier):
    """Delivers SMS that are due; a code that has run out is not sent any more."""

    kind = KIND

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        head: Letterhead,
        clock: Callable[[], datetime] = utc_now,
        *,
        desk: Desk,
        line_length: int | None = None,
    ) -> None:
        super().__init__(store, notifier, desk, clock)
        self.head = head
        self.line_length = line_length or LINE_LENGTH

    @override
    def message(self, work: Work) -> Message | None:
        spoken = work.body["language"]
        with speaking(spoken if spoken in LANGUAGES else DEFAULT_LANGUAGE):
            line = self._notice(work) if work.body["template"] == NOTICE else self._code(work)
        if not line:
            return None
        line = " ".join(line.split())
        return Message(key=work.key, urgency=Urgency.NOW, line=line, subject="SMS", text=line)

    def _code(self, work: Work) -> str:
        if datetime.fromisoformat(work.body["valid_until"]) <= self.clock():
            return ""
        words = {"code": self.secret(work), "sender": self.head.sender or gettext("Metering hub")}
        said = WORDS[work.body["template"]]
        return gettext(said) % words

    def _notice(self, work: Work) -> str:
        """Give the title, cut so that the link behind it fits."""
        notice_id = int(work.body["notice"])
        with self.store.read() as unit:
            letter = letter_of(unit, notice_id, Channel.SMS, self.clock())
        if letter is None:
            return ""
        link = f"{self.head.address}/notifications/{notice_id}"
        title, room = words_of(letter).title, max(self.line_length - len(link) - 1, 0)
        return f"{title if len(title) <= room else title[: max(room - 1, 0)] + '…'} {link}"
