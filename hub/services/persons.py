"""A person's own data, password and sessions, changed by themselves."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.errors import InputRefused, LinkSpent, Missing, TooManyAttempts
from hub.locale import LANGUAGES
from hub.services.accounts import (
    Limit,
    check_password,
    check_person,
    hashed,
    normal_email,
    one_line,
)
from hub.services.clock import utc_now
from hub.services.mail import MailOrder, order_mail
from hub.services.passwords import Passwords
from hub.services.recovery import tell_changed
from hub.store import accounts as stored
from hub.store import second_factors
from hub.store.tables import OneTimeToken, User
from hub.store.unit import Store, Unit

EMAIL = "email"
THEMES = ("", "light", "dark")
EMAIL_LASTS = timedelta(hours=24)
OWN_PASSWORD = Limit("own_password", 5, timedelta(minutes=15))


@dataclass(frozen=True, slots=True)
class PersonView:
    """What somebody told of themselves; ``phone`` and ``language`` may be empty."""

    full_name: str
    email: str
    phone: str
    language: str
    theme: str  # '': as the system asks


@dataclass(frozen=True, slots=True)
class SessionView:
    """A signed-in browser. ``id_hash`` names it in a form; it opens nothing."""

    id_hash: str
    device: str
    address: str
    created_at: datetime
    seen_at: datetime
    own: bool  # the one that asks


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What the form of «Изменить пароль» holds."""

    current: str
    password: str
    again: str


class Persons:
    """What «Профиль» shows and changes."""

    def __init__(
        self, store: Store, passwords: Passwords, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.store = store
        self.passwords = passwords
        self.clock = clock

    def look(self, user_id: int) -> PersonView:
        """Give a person's own data."""
        with self.store.read() as unit:
            row = _user(unit, user_id)
            return PersonView(row.full_name, row.email, row.phone, row.language, row.theme)

    def change(self, user_id: int, full_name: str, phone: str, language: str) -> None:
        """Change name, phone and language at once; InputRefused names what is wrong.

        Another phone takes no SMS until it is confirmed; codes at sign-in go to the old one.
        """
        wrong = check_person(full_name, phone)
        if language not in LANGUAGES:
            wrong["language"] = "account.choice_wrong"
        if wrong:
            raise InputRefused(wrong)
        with self.store.write() as unit:
            factor = second_factors.factor(unit, user_id)
            by_sms = factor is not None and factor.on_at is not None and factor.way == "sms"
            confirmed = _user(unit, user_id).confirmed_phone
            if not by_sms and _digits(phone) != _digits(confirmed):
                confirmed = ""
            stored.change_user(
                unit,
                user_id,
                confirmed_phone=confirmed,
                full_name=one_line(full_name),
                phone=one_line(phone),
                language=language,
            )

    def change_theme(self, user_id: int, theme: str) -> None:
        """Keep how pages look; '' is as the system asks; InputRefused."""
        if theme not in THEMES:
            raise InputRefused({"theme": "account.choice_wrong"})
        with self.store.write() as unit:
            stored.change_user(unit, user_id, theme=theme)

    def change_password(self, user_id: int, session_id: str, typed: NewPassword) -> None:
        """Change the password and end the other sessions; the owner is told by mail.

        InputRefused names the fields that are wrong; TooManyAttempts past five wrong current
        passwords in a quarter of an hour.
        """
        now = self.clock()
        wrong = check_password(typed.password, typed.again)
        try:
            self.prove(user_id, typed.current, "current")
        except InputRefused as refused:
            wrong = {**refused.fields, **wrong}
        if wrong:
            raise InputRefused(wrong)
        password_hash = self.passwords.hash(typed.password)
        with self.store.write() as unit:
            user = _user(unit, user_id)
            stored.set_password(unit, user_id, password_hash)
            stored.end_sessions(unit, user_id, but=hashed(session_id))
            tell_changed(unit, user, now)

    def prove(self, user_id: int, password: str, field: str) -> None:
        """Check that it is the person who asks; a wrong password is an error of ``field``."""
        now = self.clock()
        subject = hashed(str(user_id))
        with self.store.write() as unit:
            count, _ = stored.count_attempt(
                unit, OWN_PASSWORD.kind, subject, OWN_PASSWORD.window, now
            )
        if count > OWN_PASSWORD.most:
            raise TooManyAttempts
        with self.store.read() as unit:
            known = _user(unit, user_id).password_hash
        if not self.passwords.verify(known, password):
            raise InputRefused({field: "account.password_not_current"})
        with self.store.write() as unit:
            stored.forget_attempts(unit, OWN_PASSWORD.kind, subject)

    # -- e-mail --------------------------------------------------------------------------------

    def change_email(self, user_id: int, email: str, password: str) -> str:
        """Order a letter to the new address, which works once its link is followed; give it.

        The old address is told. The answer is the same if another account has the new one; then
        nobody gets a link. InputRefused names the fields that are wrong; TooManyAttempts.
        """
        now = self.clock()
        new = normal_email(email)
        self.prove(user_id, password, "email_password")
        token = secrets.token_urlsafe(32)
        with self.store.write() as unit:
            user = _user(unit, user_id)
            free = stored.user_by_email(unit, new) is None
            stored.spend_all(unit, user_id, EMAIL, now)
            stored.add_token(
                unit,
                OneTimeToken(
                    token_hash=hashed(token),
                    purpose=EMAIL,
                    user_id=user_id,
                    created_at=now,
                    expires_at=now + EMAIL_LASTS,
                    detail=new,
                ),
            )
            for template, to in (("email_new", new if free else ""), ("email_old", user.email)):
                order = MailOrder(
                    template,
                    f"{template}:{hashed(token)}",
                    to,
                    user.language,
                    token=token if template == "email_new" else "",
                    valid_until=now + EMAIL_LASTS,
                    full_name=user.full_name,
                )
                order_mail(unit, order, now)
        return new

    def new_email(self, user_id: int, token: str) -> str:
        """Look at a link of the user's own; give the new e-mail, or nothing if it does not work."""
        now = self.clock()
        with self.store.read() as unit:
            found = stored.token(unit, hashed(token), EMAIL)
        usable = found is not None and found.spent_at is None and found.expires_at > now
        return found.detail if found and usable and found.user_id == user_id else ""

    def confirm_email(self, user_id: int, token: str) -> str:
        """Spend the link and change the e-mail; LinkSpent if it does not work any more."""
        now = self.clock()
        new = self.new_email(user_id, token)
        with self.store.write() as unit:
            taken = not new or stored.user_by_email(unit, new) is not None
            if taken or stored.spend_token(unit, hashed(token), EMAIL, now) != user_id:
                raise LinkSpent
            stored.change_user(unit, user_id, email=new)
        return new

    # -- sessions ------------------------------------------------------------------------------

    def sessions(self, user_id: int, session_id: str) -> list[SessionView]:
        """List the browsers that are signed in, this one first, then the last seen."""
        own = hashed(session_id)
        with self.store.read() as unit:
            found = [
                SessionView(
                    row.id_hash, row.device, row.address, row.created_at, row.seen_at,
                    own=row.id_hash == own,
                )
                for row in stored.sessions_of(unit, user_id, self.clock())
            ]  # fmt: skip
        return sorted(found, key=lambda each: not each.own)

    def end_session(self, user_id: int, id_hash: str) -> None:
        """End one of the user's own sessions; Missing for anybody else's."""
        with self.store.write() as unit:
            if not stored.end_session(unit, user_id, id_hash):
                raise Missing

    def end_others(self, user_id: int, session_id: str) -> int:
        """End all sessions but the one that asks; give how many."""
        with self.store.write() as unit:
            return stored.end_sessions(unit, user_id, but=hashed(session_id))


def _user(unit: Unit, user_id: int) -> User:
    row = stored.user_by_id(unit, user_id)
    if row is None:
        raise Missing
    return row


def _digits(phone: str) -> str:
    """Give what tells numbers apart, however 8 or +7 was written before it."""
    return "".join(letter for letter in phone if letter.isdecimal())[-10:]
