"""A forgotten password: a link by mail, and a new password through it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.errors import InputRefused, LinkSpent, TooManyAttempts
from hub.services.accounts import (
    HOUR,
    Limit,
    check_password,
    hashed,
    normal_email,
    subject_of,
)
from hub.services.clock import utc_now
from hub.services.mail import MailOrder, order_mail
from hub.services.passwords import Passwords
from hub.store import accounts as stored
from hub.store import tokens
from hub.store.tables import OneTimeToken, User
from hub.store.unit import Store, Unit

RECOVER = "recover"
LASTS = timedelta(hours=1)
AGAIN_EVERY = timedelta(seconds=60)
BY_EMAIL = Limit("recover_email", 5, HOUR)
BY_ADDRESS = Limit("recover_address", 20, HOUR)


@dataclass(frozen=True, slots=True)
class RecoverySent:
    """What the page says; the same whether or not there is such a user."""

    email: str
    again_at: datetime


class Recovery:
    """Asking for the link, and setting a password with it."""

    def __init__(
        self, store: Store, passwords: Passwords, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.store = store
        self.passwords = passwords
        self.clock = clock

    def ask(self, email: str, address: str) -> RecoverySent:
        """Order the letter, if there is such a user; the answer and its time are the same if not.

        Raises InputRefused for what is no address, TooManyAttempts past the limits. Within the
        countdown nothing more is sent.
        """
        email = normal_email(email)
        now = self.clock()
        with self.store.write() as unit:
            earlier = stored.first_within(unit, "recover_wait", hashed(email), AGAIN_EVERY, now)
            over = False
            if earlier is None:
                over = any(
                    stored.count_attempt(unit, limit.kind, hashed(subject), limit.window, now)[0]
                    > limit.most
                    for limit, subject in ((BY_ADDRESS, subject_of(address)), (BY_EMAIL, email))
                )
            if earlier is None and not over:
                user = stored.user_by_email(unit, email)
                self._order(unit, user if user and user.confirmed_at else None, now)
        if over:
            raise TooManyAttempts
        return RecoverySent(email, (earlier or now) + AGAIN_EVERY)

    def _order(self, unit: Unit, user: User | None, now: datetime) -> None:
        """Order the letter; to nobody it is ordered too, so that it takes as long."""
        token = secrets.token_urlsafe(32)
        user_id = user.id or 0 if user else 0
        stored.spend_all(unit, user_id, RECOVER, now)
        if user is not None:
            stored.add_token(
                unit,
                OneTimeToken(
                    token_hash=hashed(token),
                    purpose=RECOVER,
                    user_id=user_id,
                    created_at=now,
                    expires_at=now + LASTS,
                ),
            )
        order_mail(
            unit,
            MailOrder(
                RECOVER,
                f"recover:{hashed(token)}",
                user.email if user else "",
                user.language if user else "",
                token=token,
                valid_until=now + LASTS,
                full_name=user.full_name if user else "",
            ),
            now,
        )

    def link_works(self, token: str) -> bool:
        """Look at a link; spends nothing."""
        now = self.clock()
        with self.store.read() as unit:
            found = stored.token(unit, hashed(token), RECOVER)
        return found is not None and found.spent_at is None and found.expires_at > now

    def reset(self, token: str, password: str, again: str) -> None:
        """Set the password, end all sessions and tokens of the user, who is told by mail.

        InputRefused for a password that can't be; LinkSpent the second time, or too late.
        """
        wrong = check_password(password, again)
        if wrong:
            raise InputRefused(wrong)
        if not self.link_works(token):
            raise LinkSpent
        password_hash = self.passwords.hash(password)
        now = self.clock()
        with self.store.write() as unit:
            user_id = stored.spend_token(unit, hashed(token), RECOVER, now)
            user = None if user_id is None else stored.user_by_id(unit, user_id)
            if user is None:
                raise LinkSpent
            stored.set_password(unit, user.id or 0, password_hash)
            stored.end_sessions(unit, user.id or 0)
            tokens.remove_all(unit, user.id or 0)
            tell_changed(unit, user, now)


def tell_changed(unit: Unit, user: User, now: datetime) -> None:
    """Tell the owner that the password was changed."""
    order_mail(
        unit,
        MailOrder(
            "password",
            f"password:{user.id}:{now.isoformat()}",
            user.email,
            user.language,
            full_name=user.full_name,
        ),
        now,
    )
