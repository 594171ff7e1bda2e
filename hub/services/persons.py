"""A person's own data, password and sessions, changed by themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub.errors import InputRefused, Missing, TooManyAttempts
from hub.services.accounts import (
    BY_ACCOUNT,
    check_password,
    check_person,
    hashed,
    one_line,
)
from hub.services.clock import utc_now
from hub.services.passwords import Passwords
from hub.services.recovery import tell_changed
from hub.store import accounts as stored
from hub.store.tables import User
from hub.store.unit import Store, Unit


@dataclass(frozen=True, slots=True)
class PersonView:
    """What somebody told of themselves; ``phone`` and ``language`` may be empty."""

    full_name: str
    email: str
    phone: str
    language: str


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
            return PersonView(row.full_name, row.email, row.phone, row.language)

    def change(self, user_id: int, full_name: str, phone: str) -> None:
        """Change name and phone at once; InputRefused names the fields that are wrong."""
        wrong = check_person(full_name, phone)
        if wrong:
            raise InputRefused(wrong)
        with self.store.write() as unit:
            stored.change_user(unit, user_id, full_name=one_line(full_name), phone=one_line(phone))

    def change_password(self, user_id: int, session_id: str, typed: NewPassword) -> None:
        """Change the password and end the other sessions; the owner is told by mail.

        InputRefused names the fields that are wrong; TooManyAttempts past five wrong current
        passwords in a quarter of an hour.
        """
        now = self.clock()
        with self.store.write() as unit:
            over = (
                stored.count_attempt(
                    unit, "own_password", hashed(str(user_id)), BY_ACCOUNT.window, now
                )[0]
                > BY_ACCOUNT.most
            )
        if over:
            raise TooManyAttempts
        with self.store.read() as unit:
            known = _user(unit, user_id).password_hash
        wrong = check_password(typed.password, typed.again)
        if not self.passwords.verify(known, typed.current):
            wrong = {"current": "account.password_not_current", **wrong}
        if wrong:
            raise InputRefused(wrong)
        password_hash = self.passwords.hash(typed.password)
        with self.store.write() as unit:
            user = _user(unit, user_id)
            stored.set_password(unit, user_id, password_hash)
            stored.end_sessions(unit, user_id, but=hashed(session_id))
            stored.forget_attempts(unit, "own_password", hashed(str(user_id)))
            tell_changed(unit, user, now)

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
