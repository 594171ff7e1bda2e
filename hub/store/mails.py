"""Mails that the demo keeps instead of sending, and the wiping of what mails carried."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from hub.plugins.api import Message
from hub.store.tables import Mail, Outbox
from hub.store.unit import Unit


def keep(unit: Unit, key: str, to: str, message: Message, now: datetime) -> bool:
    """Keep a mail; False if one with this key is kept already."""
    if unit.session.scalars(select(Mail).where(col(Mail.key) == key)).first() is not None:
        return False
    unit.session.add(
        Mail(
            key=key,
            recipient=to,
            subject=message.subject,
            text=message.text,
            html=message.html,
            link=message.link,
            at=now,
        )
    )
    return True


def newest(unit: Unit, limit: int) -> Sequence[Mail]:
    return unit.session.scalars(select(Mail).order_by(col(Mail.id).desc()).limit(limit)).all()


def one(unit: Unit, mail_id: int) -> Mail | None:
    return unit.session.get(Mail, mail_id)


def forget_token(unit: Unit, outbox_id: int) -> None:
    """Wipe the sealed token of a mail that is out, or never will be; of a farewell, the person."""
    row = unit.session.get(Outbox, outbox_id)
    if row is not None:
        gone = {"to": "", "full_name": ""} if row.body["template"] == "deleted" else {}
        row.body = {**row.body, "sealed": "", **gone}
