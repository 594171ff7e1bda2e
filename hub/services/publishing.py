"""The one way for a notification to come into being: kept on the portal, and sent on.

Whoever has something to tell (a supplier, an appeal, a meter, a person's rule) calls `publish` in
the transaction that makes it true. The same source and key of a contract is one notification:
published again it is brought up to date and sent to nobody a second time.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.notices import Channel, Source, after_quiet
from hub.services.mail import NOTICE, MailOrder, order_mail
from hub.services.notice_words import FRESH
from hub.services.pieces import DEFAULT_ZONE
from hub.services.texting import TextOrder, order_text
from hub.store import accounts, outbox, tables
from hub.store import notify as stored
from hub.store import told as kept
from hub.store.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a notification tells the owner of a contract.

    ``key``: names it within its source and contract, for ever. ``title`` and ``text`` are plain and
    shown as they are; of an appeal or readings ``kind`` is what was decided, ``title`` the subject
    or the point's name, and ``facts`` the readings by zone (`notice_words.words_of`). Of other
    sources with ``facts`` it is worded from them when it is read (`made_words`), and ``title`` is
    the point's name. ``point_id`` is of a contract_point. ``published_at``: when it happened.
    ``urgent``: quiet hours do not hold it back.
    """

    contract_id: int
    source: Source
    key: str
    kind: str
    title: str
    text: str
    published_at: datetime
    urgent: bool = False
    point_id: int | None = None
    appeal_id: int | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def publish(unit: Unit, news: News, now: datetime) -> bool:
    """Keep a notification and have it sent as its reader chose; False if it was known already."""
    row, new = kept.put_notice(
        unit,
        tables.Notice(
            contract_id=news.contract_id,
            contract_point_id=news.point_id,
            appeal_id=news.appeal_id,
            source=news.source.value,
            remote_id=news.key,
            kind=news.kind,
            title=news.title,
            text=news.text,
            from_at=news.from_at,
            to_at=news.to_at,
            facts=dict(news.facts),
            published_at=news.published_at,
            told_at=now,
        ),
    )
    found = kept.with_supplier(unit, news.contract_id)
    if not new or found is None:
        return new
    contract = found[0]
    outbox.signal(unit, {"contract": contract.id, "user": contract.user_id})
    # The history of a contract that has just been linked is no news, nor is what lay for days.
    if news.published_at >= max(contract.linked_at, now - FRESH):
        _send(unit, row, contract.user_id, now, urgent=news.urgent)
    return True


def _send(unit: Unit, notice: tables.Notice, user_id: int, now: datetime, *, urgent: bool) -> None:
    """Order what goes to the channels that the reader chose for this source."""
    user = accounts.user_by_id(unit, user_id)
    chosen = stored.channels_of(unit, user_id, Source(notice.source))
    if user is None or not chosen:
        return
    zone = kept.zone_of_contract(unit, notice.contract_id) or DEFAULT_ZONE
    due_at = now if urgent else after_quiet(now, stored.quiet_of(user), zone)
    key = f"notice/{notice.id}/{secrets.token_hex(8)}"  # ids are given again
    if Channel.EMAIL in chosen:
        order = MailOrder(NOTICE, f"{key}/email", user.email, user.language, notice_id=notice.id)
        order_mail(unit, order, due_at)
    if Channel.SMS in chosen and user.confirmed_phone:
        to = user.confirmed_phone
        text = TextOrder(NOTICE, f"{key}/sms", to, user.language, notice_id=notice.id)
        order_text(unit, text, due_at)
