"""Phones that take SMS: proven by a code, and asked for codes at sign-in.

A code is six digits, kept hashed, good for ten minutes and five tries. A new one replaces it, but
not within a minute, and only a few go out in an hour.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.errors import InputRefused, TooManyAttempts
from hub.services.accounts import HOUR, Limit, hashed
from hub.services.clock import utc_now
from hub.services.texting import TextOrder, order_text
from hub.store import accounts as people
from hub.store import notify as stored
from hub.store import second_factors
from hub.store.tables import PhoneCode, User
from hub.store.unit import Store, Unit

PROVES, SIGNS_IN = "phone", "sign_in"  # purposes
CODE_LASTS = timedelta(minutes=10)
AGAIN_AFTER = timedelta(minutes=1)
MOST_TRIES = 5
SENT_TO_USER = Limit("sms_user", 5, HOUR)
SENT_TO_PHONE = Limit("sms_phone", 5, HOUR)  # so that nobody is pestered through accounts


@dataclass(frozen=True, slots=True)
class PhoneView:
    """``told``: the phone as the person wrote it; ``confirmed``: the one that takes SMS, or ''.

    ``asked``: a code is on its way to this number; '' none is. ``proven``: they are the same.
    """

    told: str
    confirmed: str
    asked: str = ""
    proven: bool = False


class Phones:
    """Confirms phones. ``check`` gives the normal form of a number, or raises ValueError."""

    def __init__(
        self, store: Store, check: Callable[[str], str], clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.store = store
        self.check = check
        self.clock = clock

    def look(self, user_id: int) -> PhoneView:
        now = self.clock()
        with self.store.read() as unit:
            user = _user(unit, user_id)
            code = stored.phone_code(unit, user_id, PROVES)
        told = self._normal(user.phone)
        asked = code.phone if code and code.expires_at > now and code.phone == told else ""
        proven = bool(told) and told == user.confirmed_phone
        return PhoneView(user.phone, user.confirmed_phone, asked, proven)

    def ask(self, user_id: int) -> str:
        """Send a code to the phone that the person told, and give the number.

        InputRefused if it is none, or codes at sign-in go to another one; TooManyAttempts.
        """
        with self.store.read() as unit:
            user = _user(unit, user_id)
            factor = second_factors.factor(unit, user_id)
        number = self._normal(user.phone)
        if not number:
            raise InputRefused({"phone": "account.phone_wrong"})
        by_sms = factor is not None and factor.on_at is not None and factor.way == "sms"
        if by_sms and number != user.confirmed_phone:
            raise InputRefused({"phone": "account.phone_in_use"})
        send_code(self.store, user_id, PROVES, number, self.clock())
        return number

    def confirm(self, user_id: int, code: str) -> str:
        """Take the code and give the number, which takes SMS from now on; InputRefused."""
        now = self.clock()
        with self.store.write() as unit:
            phone = take_code(unit, user_id, PROVES, code, now)
            if phone:
                people.change_user(unit, user_id, confirmed_phone=phone)
        if not phone:
            raise InputRefused({"phone_code": "account.code_wrong"})
        return phone

    def _normal(self, text: str) -> str:
        try:
            return self.check(text)
        except ValueError:
            return ""


def send_code(store: Store, user_id: int, purpose: str, phone: str, now: datetime) -> None:
    """Order a code; nothing more goes out within a minute of the last. TooManyAttempts."""
    with store.write() as unit:
        before = stored.phone_code(unit, user_id, purpose)
        if before and before.phone == phone and now < before.sent_at + AGAIN_AFTER:
            return
        counts = [
            people.count_attempt(unit, limit.kind, hashed(subject), limit.window, now)[0]
            <= limit.most
            for limit, subject in ((SENT_TO_USER, str(user_id)), (SENT_TO_PHONE, phone))
        ]
        if all(counts):
            code = f"{secrets.randbelow(1_000_000):06}"
            until = now + CODE_LASTS
            stored.put_phone_code(
                unit,
                PhoneCode(
                    user_id=user_id, purpose=purpose, phone=phone,
                    code_hash=_hash(user_id, purpose, code), sent_at=now, expires_at=until,
                ),
            )  # fmt: skip
            key = f"sms/{user_id}/{secrets.token_hex(8)}"
            language = _user(unit, user_id).language
            order = TextOrder(purpose, key, phone, language, code=code, valid_until=until)
            order_text(unit, order, now)
    if not all(counts):
        raise TooManyAttempts


def take_code(unit: Unit, user_id: int, purpose: str, code: str, now: datetime) -> str:
    """Spend a code and give the phone that it was sent to; '' for a wrong one."""
    row = stored.phone_code(unit, user_id, purpose)
    if row is None or row.expires_at <= now or row.tries >= MOST_TRIES:
        return ""
    row.tries += 1
    typed = _hash(user_id, purpose, "".join(code.split()))
    if not secrets.compare_digest(typed, row.code_hash):
        return ""
    stored.forget_phone_code(unit, row)
    return row.phone


def _hash(user_id: int, purpose: str, code: str) -> str:
    return hashed(f"{user_id}/{purpose}/{code}")


def _user(unit: Unit, user_id: int) -> User:
    user = people.user_by_id(unit, user_id)
    if user is None:
        raise InputRefused({"phone": "account.phone_wrong"})
    return user
