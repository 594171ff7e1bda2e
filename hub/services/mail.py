"""Mails: ordered with the change that causes them, worded late, delivered at least once.

An order is a row of the outbox in the same transaction; its token is sealed there and wiped once
the mail is out. Words are in ``templates/mail``: the first line is the subject, paragraphs follow,
``[[…]]`` is the button; text and HTML are made from the same words.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from anyio import to_thread
from babel.dates import format_datetime, get_timezone_name
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from typing_extensions import override

from hub.domain.notices import Channel
from hub.locale import LANGUAGES, speaking
from hub.plugins.api import Delivery, Desk, Message, Notifier, Urgency
from hub.services import carrying
from hub.services.carrying import Carrier
from hub.services.clock import utc_now
from hub.services.desk import desk_for
from hub.services.notice_words import Letter, letter_of, words_of
from hub.store import mails as stored
from hub.store.outbox import Work
from hub.store.unit import Store, Unit

KIND = "mail"
NOTICE = "notice"  # the template of what `publishing` sends


@dataclass(frozen=True, slots=True)
class MailOrder:
    """A mail to be sent; the same key is sent once. ``token`` is what its link carries."""

    template: str  # a name of PATHS
    key: str
    to: str  # empty: nobody; the order is dropped, having cost as much as any other
    language: str = ""
    token: str = ""
    valid_until: datetime | None = None
    full_name: str = ""
    notice_id: int | None = None  # of template notice; the letter is None once it must not go
    letter: Letter | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, or the button."""

    text: str
    button: bool = False


@dataclass(frozen=True, slots=True)
class DemoMail:
    """A mail that was kept instead of sent."""

    id: int
    recipient: str
    subject: str
    text: str
    html: str
    link: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes, from where, and whose clock the mails name."""

    address: str  # of the portal, without a slash at the end
    sender: str = ""  # empty: the product's name in the letter's language
    time_zone: str = "Europe/Moscow"


CHOICES = "/account/notifications"
PRODUCT = {"ru": "Узел учета", "en": "Metering hub"}  # as the pages say
PATHS = {
    "archive": "/login",
    "attempts": "/login",
    "confirm": "/register/confirm/{token}",
    "deleted": "/login",
    "email_new": "/account/email/{token}",
    "email_old": "/login",
    "factor_off": "/login",
    "factor_on": "/login",
    "notice": "/notifications/{notice}",
    "password": "/login",
    "recover": "/recover/{token}",
    "taken": "/login",
    "token": "/account/tokens",
}


def order_mail(unit: Unit, order: MailOrder, now: datetime) -> bool:
    """Put the mail into the outbox; False if one with this key is there already."""
    body = {
        "template": order.template,
        "to": order.to,
        "language": order.language,
        "full_name": order.full_name,
        "valid_until": order.valid_until.isoformat() if order.valid_until else "",
        "notice": order.notice_id,
    }
    return carrying.order(unit, KIND, order.key, body, secret=order.token, due_at=now)


@lru_cache(maxsize=1)
def _words() -> Environment:
    return Environment(
        loader=PackageLoader("hub.services", "templates/mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def word(order: MailOrder, head: Letterhead) -> Message:
    """Word a mail in the recipient's language; Russian for one that we do not speak."""
    language = order.language if order.language in LANGUAGES else LANGUAGES[0]
    path = PATHS[order.template].format(token=order.token, notice=order.notice_id)
    link = head.address + path
    words: dict[str, object] = {
        "full_name": order.full_name,
        "valid_until": _until(order.valid_until, language, head.time_zone),
    }
    if order.letter is not None:
        words |= _letter_words(order.letter, language) | {"settings": f"{head.address}{CHOICES}"}
    text = _words().get_template(f"{order.template}.{language}.txt").render(words)
    subject, *paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    parts = [
        Part(part[2:-2], button=True) if part.startswith("[[") else Part(part)
        for part in paragraphs
    ]
    sender = head.sender or PRODUCT[language]
    html = (
        _words()
        .get_template("letter.html")
        .render(
            language=language,
            subject=subject,
            parts=parts,
            link=link,
            sender=sender,
            home=head.address,
        )
    )
    plain = [f"{part.text}:\n{link}" if part.button else part.text for part in parts]
    return Message(
        key=order.key,
        urgency=Urgency.NOW,
        line=subject,
        subject=subject,
        text="\n\n".join([*plain, f"{sender}\n{head.address}"]) + "\n",
        html=html,
        link=link,
    )


def _letter_words(letter: Letter, language: str) -> dict[str, object]:
    """Give a notice's words; what others wrote can't pass for a button or a subject of ours."""
    with speaking(language):
        worded = words_of(letter)
    return {
        "title": " ".join(worded.title.split()),
        "contract": " ".join(letter.contract.split()),
        "parts": [part.replace("[[", "[") for part in worded.paragraphs],
        "at": _until(letter.at, language, letter.time_zone),
        "from_at": _until(letter.from_at, language, letter.time_zone),
        "to_at": _until(letter.to_at, language, letter.time_zone),
    }


def _until(instant: datetime | None, language: str, time_zone: str) -> str:
    if instant is None:
        return ""
    local = instant.astimezone(ZoneInfo(time_zone))
    zone = get_timezone_name(local, width="long", locale=language)
    return f"{format_datetime(local, 'd MMMM y, HH:mm', locale=language)} ({zone})"


class KeepsMails:
    """The demo's notifier: mails are kept and read on a page. A key is kept once."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def deliver(self, desk: Desk, message: Message, to: str) -> Delivery:
        await to_thread.run_sync(self._keep, message, to, desk.now())
        return Delivery(message.key)

    def _keep(self, message: Message, to: str, now: datetime) -> None:
        with self.store.write() as unit:
            stored.keep(unit, message.key, to, message, now)


class Mails(Carrier):
    """Delivers mails that are due."""

    kind = KIND

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        head: Letterhead,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(store, notifier, desk_for("mail", clock), clock)
        self.head = head

    @override
    def message(self, work: Work) -> Message | None:
        order = self._order(work)
        if order.template == NOTICE and order.letter is None:
            return None  # its reader does not want it any more, or the contract is gone
        return word(order, self.head)

    def _order(self, work: Work) -> MailOrder:
        body = work.body
        until = body["valid_until"]
        return MailOrder(
            body["template"],
            work.key,
            body["to"],
            body["language"],
            token=self.secret(work),
            valid_until=datetime.fromisoformat(until) if until else None,
            full_name=body["full_name"],
            notice_id=body.get("notice"),
            letter=self._letter(body.get("notice")),
        )

    def _letter(self, notice_id: int | None) -> Letter | None:
        if notice_id is None:
            return None
        with self.store.read() as unit:
            return letter_of(unit, notice_id, Channel.EMAIL, self.clock())


def kept_mails(store: Store, limit: int = 50) -> list[DemoMail]:
    """List mails of the demo, newest first."""
    with store.read() as unit:
        return [
            DemoMail(row.id or 0, row.recipient, row.subject, row.text, row.html, row.link, row.at)
            for row in stored.newest(unit, limit)
        ]


def kept_mail(store: Store, mail_id: int) -> DemoMail | None:
    """Find one mail of the demo."""
    with store.read() as unit:
        row = stored.one(unit, mail_id)
    if row is None:
        return None
    return DemoMail(row.id or 0, row.recipient, row.subject, row.text, row.html, row.link, row.at)
