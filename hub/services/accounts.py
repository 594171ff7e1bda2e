"""People: registration with a confirmation mail, sign-in, sessions, sign-out.

Tokens and session ids are 256 random bits; the store keeps their SHA-256. Passwords are hashed
outside of any unit of the store. Attempts are counted before anything is hashed.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from hub.errors import (
    EmailTaken,
    InputRefused,
    LinkSpent,
    NotConfirmed,
    SignInRefused,
    TooManyAttempts,
)
from hub.services.clock import utc_now
from hub.services.mail import MailOrder, order_mail
from hub.services.passwords import LONGEST as LONGEST_PASSWORD
from hub.services.passwords import Passwords
from hub.store import accounts as stored
from hub.store import second_factors
from hub.store.accounts import SignedIn
from hub.store.tables import OneTimeToken, User, UserSession
from hub.store.unit import Store, Unit

CONFIRM, SECOND, REMEMBER = "confirm", "second", "remember"
CODE_WITHIN = timedelta(minutes=10)
CONFIRM_LASTS = timedelta(hours=48)
SESSION_LASTS = timedelta(days=30)
UNREMEMBERED_LASTS = timedelta(hours=12)  # its cookie ends with the browser, if that ever ends
# Without a visit for so long a session ends before its time.
IDLE, UNREMEMBERED_IDLE = timedelta(days=14), timedelta(hours=2)
SEEN_EVERY = timedelta(minutes=1)
RESEND_EVERY = timedelta(seconds=60)
HOUR = timedelta(hours=1)
LEAST_PASSWORD = 8
LONGEST = {"email": 254, "full_name": 120, "phone": 40, "password": LONGEST_PASSWORD}
EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+\.[^\s@<>()\[\],;:\\\".]+")
PHONE = re.compile(r"\+?[\d\s()-]{5,}")
ROLES = ("consumer", "operator", "admin")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` attempts of a kind in a window."""

    kind: str
    most: int
    window: timedelta


BY_ADDRESS = Limit("sign_in_address", 20, timedelta(minutes=5))
BY_ACCOUNT = Limit("sign_in_account", 5, timedelta(minutes=15))
# Past this the owner is told; the account is never locked, or anybody could lock it.
TELL_OWNER = Limit("sign_in_total", 20, HOUR)
REGISTER = Limit("register_address", 30, HOUR)
TAKEN_BY_ADDRESS = Limit("taken_address", 5, HOUR)
TAKEN_IN_ALL = Limit("taken_all", 100, HOUR)
RESEND = Limit("resend_email", 5, HOUR)
RESEND_BY_ADDRESS = Limit("resend_address", 20, HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the form of «Регистрация» holds, as typed."""

    email: str
    full_name: str
    phone: str
    password: str
    password_again: str
    consent: str = ""  # version of the text on personal data that was agreed to
    language: str = ""


@dataclass(frozen=True, slots=True)
class MailSent:
    """What «Проверьте почту» says; the same whether or not a mail was really sent."""

    email: str
    valid_until: datetime
    again_at: datetime  # when another may be asked for


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """The password was right and a second factor is in force; ``token`` proves the first step."""

    token: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """``session_id`` goes into the cookie and nowhere else."""

    session_id: str
    user_id: int
    expires_at: datetime
    remembered: bool = True
    language: str = ""  # that the person chose; '': none yet


def normal_email(text: str) -> str:
    """Give the form that is stored and compared; InputRefused if it can't be an address."""
    email = unicodedata.normalize("NFC", text.strip()).casefold()
    if len(email) > LONGEST["email"] or not EMAIL.fullmatch(email):
        raise InputRefused({"email": "account.email_wrong"})
    return email


def one_line(text: str) -> str:
    """Give a text on one line with single spaces: it is put into letters, whose lines are ours."""
    return " ".join(text.split())


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def subject_of(address: str) -> str:
    """Give the network that counts as one sender: /24 of IPv4, /64 of IPv6."""
    try:
        version = ip_address(address).version
    except ValueError:
        return address
    return str(ip_network(f"{address}/{24 if version == 4 else 64}", strict=False))  # noqa: PLR2004 - IPv4


def check_registration(form: Registration) -> str:
    """Give the normal e-mail; InputRefused names every field that is wrong."""
    wrong: dict[str, str] = {}
    email = ""
    try:
        email = normal_email(form.email)
    except InputRefused as refused:
        wrong.update(refused.fields)
    wrong |= check_person(form.full_name, form.phone)
    wrong |= check_password(form.password, form.password_again)
    if wrong:
        raise InputRefused(wrong)
    return email


def check_person(full_name: str, phone: str) -> dict[str, str]:
    """Say what is wrong with a name and a phone, which may be empty."""
    wrong: dict[str, str] = {}
    name, number = one_line(full_name), one_line(phone)
    if not name or len(name) > LONGEST["full_name"]:
        wrong["full_name"] = "account.name_wrong"
    if len(number) > LONGEST["phone"] or (number and not PHONE.fullmatch(number)):
        wrong["phone"] = "account.phone_wrong"
    return wrong


def check_password(password: str, again: str) -> dict[str, str]:
    """Say what is wrong with a new password: only its length, and that both entries match."""
    if len(password) < LEAST_PASSWORD:
        return {"password": "account.password_short"}
    if len(password) > LONGEST["password"]:
        return {"password": "account.password_long"}
    if password != again:
        return {"password_again": "account.passwords_differ"}
    return {}


def _idle(session: SignedIn) -> timedelta:
    lasts = session.expires_at - session.created_at
    return IDLE if lasts > UNREMEMBERED_LASTS else UNREMEMBERED_IDLE


class Accounts:
    """Registration, confirmation, sign-in and sessions."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.store = store
        self.passwords = passwords or Passwords()
        self.clock = clock

    # -- registration --------------------------------------------------------------------------

    def register(self, form: Registration, address: str) -> MailSent:
        """Make an account that works once its link is followed, and order the mail.

        Raises InputRefused, TooManyAttempts, EmailTaken. Past the limits a taken e-mail gets the
        same answer as a new one, and its owner a mail.
        """
        email = check_registration(form)
        now = self.clock()
        with self.store.write() as unit:
            self._count(unit, REGISTER, subject_of(address), now)
        password_hash = self.passwords.hash(form.password)
        sent = MailSent(email, now + CONFIRM_LASTS, now + RESEND_EVERY)
        with self.store.write() as unit:
            user = stored.user_by_email(unit, email)
            if user is not None and not self._abandoned(unit, user, now):
                taken = self._may_say_taken(unit, address, now)
                if not taken:
                    day = now.date().isoformat()
                    order_mail(
                        unit,
                        MailOrder("taken", f"taken:{hashed(email)}:{day}", email, user.language),
                        now,
                    )
            else:
                taken = False
                user = user or User(email=email, full_name="", password_hash="", created_at=now)
                user.full_name = one_line(form.full_name)
                user.phone = one_line(form.phone)
                user.password_hash = password_hash
                user.language = form.language
                user_id = stored.add_user(unit, user)
                if form.consent:
                    stored.consent(unit, user_id, form.consent, now)
                self._order_confirmation(unit, user_id, user, now)
            # The countdown of the page is this counter, so it starts with the first mail.
            stored.first_within(unit, "resend_wait", hashed(email), RESEND_EVERY, now)
        if taken:  # raised here: the counters above are to stay
            raise EmailTaken
        return sent

    def _abandoned(self, unit: Unit, user: User, now: datetime) -> bool:
        """Tell whether nobody ever confirmed, and the link has died: whoever comes next may try."""
        return user.confirmed_at is None and not stored.live_tokens(
            unit, user.id or 0, CONFIRM, now
        )

    def _may_say_taken(self, unit: Unit, address: str, now: datetime) -> bool:
        counts = [
            stored.count_attempt(unit, limit.kind, hashed(subject), limit.window, now)[0]
            <= limit.most
            for limit, subject in ((TAKEN_BY_ADDRESS, subject_of(address)), (TAKEN_IN_ALL, ""))
        ]
        return all(counts)

    def _order_confirmation(self, unit: Unit, user_id: int, user: User, now: datetime) -> None:
        token = secrets.token_urlsafe(32)
        stored.add_token(
            unit,
            OneTimeToken(
                token_hash=hashed(token),
                purpose=CONFIRM,
                user_id=user_id,
                created_at=now,
                expires_at=now + CONFIRM_LASTS,
            ),
        )
        order_mail(
            unit,
            MailOrder(
                "confirm",
                f"confirm:{hashed(token)}",
                user.email,
                user.language,
                token=token,
                valid_until=now + CONFIRM_LASTS,
                full_name=user.full_name,
            ),
            now,
        )

    def resend(self, email: str, address: str) -> MailSent:
        """Order the confirmation again; the same answer whether or not there is such a user.

        TooManyAttempts past 5 an hour for an e-mail, or 20 for an address. Before the countdown
        has ended nothing is sent, and the answer says when.
        """
        email = normal_email(email)
        now = self.clock()
        with self.store.write() as unit:
            earlier = stored.first_within(unit, "resend_wait", hashed(email), RESEND_EVERY, now)
            if earlier is None:
                self._count(unit, RESEND_BY_ADDRESS, subject_of(address), now)
                self._count(unit, RESEND, email, now)
                user = stored.user_by_email(unit, email)
                if user is not None and user.confirmed_at is None:
                    stored.spend_all(unit, user.id or 0, CONFIRM, now)
                    self._order_confirmation(unit, user.id or 0, user, now)
        return MailSent(email, now + CONFIRM_LASTS, (earlier or now) + RESEND_EVERY)

    def awaits(self, token: str) -> str:
        """Give the e-mail that a confirmation link is about; empty if the link does not work."""
        now = self.clock()
        with self.store.read() as unit:
            found = stored.token(unit, hashed(token), CONFIRM)
            if found is None or found.spent_at is not None or found.expires_at <= now:
                return ""
            user = stored.user_by_id(unit, found.user_id)
            return user.email if user else ""

    def confirm(self, token: str, address: str, password: str | None = None) -> int:
        """Spend the link and give the user; LinkSpent the second time, or when it is too late.

        ``password`` None: the browser is the one that registered. From any other the password of
        the registration is asked for, or whoever registers somebody else's e-mail would get an
        account that its owner confirms: SignInRefused for a wrong one, TooManyAttempts.
        """
        now = self.clock()
        if password is not None:
            self._prove(token, address, password, now)
        with self.store.write() as unit:
            user_id = stored.spend_token(unit, hashed(token), CONFIRM, now)
            if user_id is None:
                raise LinkSpent
            stored.confirm_user(unit, user_id, now)
        return user_id

    def _prove(self, token: str, address: str, password: str, now: datetime) -> None:
        email = self.awaits(token)
        if not email:
            raise LinkSpent
        self._throttle(email, address, now)
        with self.store.read() as unit:
            user = stored.user_by_email(unit, email)
        if not self.passwords.verify(user.password_hash if user else None, password):
            raise SignInRefused

    # -- sign-in -------------------------------------------------------------------------------

    def sign_in(
        self, email: str, password: str, address: str, device: str = "", *, remember: bool = True
    ) -> NewSession | CodeNeeded:
        """Begin a session, of 30 days or, not remembered, of 12 hours; or ask for a code first.

        Raises TooManyAttempts before anything is hashed, SignInRefused without saying what was
        wrong, NotConfirmed only to who knows the password.
        """
        now = self.clock()
        email = unicodedata.normalize("NFC", email.strip()).casefold()
        account = self._throttle(email, address, now)
        with self.store.read() as unit:
            user = stored.user_by_email(unit, email)
        known = None if user is None else user.password_hash
        if not self.passwords.verify(known, password) or user is None:
            self._failed(email, user, now)
            raise SignInRefused
        if user.confirmed_at is None:
            raise NotConfirmed
        again = self.passwords.hash(password) if self.passwords.outdated(user.password_hash) else ""
        user_id = user.id or 0
        with self.store.write() as unit:
            if again:
                stored.set_password(unit, user_id, again)
            stored.forget_attempts(unit, BY_ACCOUNT.kind, hashed(account))
            stored.end_expired(unit, now)
            factor = second_factors.factor(unit, user_id)
            if factor is not None and factor.on_at is not None:
                return self._ask_code(unit, user_id, now, remember=remember)
            return self._begin(unit, user_id, (address, device), now, remember=remember)

    def _ask_code(self, unit: Unit, user_id: int, now: datetime, *, remember: bool) -> CodeNeeded:
        token = secrets.token_urlsafe(32)
        stored.add_token(
            unit,
            OneTimeToken(
                token_hash=hashed(token),
                purpose=SECOND,
                user_id=user_id,
                created_at=now,
                expires_at=now + CODE_WITHIN,
                detail=REMEMBER if remember else "",
            ),
        )
        return CodeNeeded(token)

    def half_in(self, token: str) -> int | None:
        """Give the user whose password was right a moment ago; None: the step is over."""
        now = self.clock()
        with self.store.read() as unit:
            found = stored.token(unit, hashed(token), SECOND)
        usable = found is not None and found.spent_at is None and found.expires_at > now
        return found.user_id if found and usable else None

    def sign_in_with_code(self, token: str, address: str, device: str = "") -> NewSession:
        """Begin the session after the code was taken; LinkSpent if the step is over."""
        now = self.clock()
        with self.store.write() as unit:
            found = stored.token(unit, hashed(token), SECOND)
            user_id = stored.spend_token(unit, hashed(token), SECOND, now)
            if user_id is None or found is None:
                raise LinkSpent
            remember = found.detail == REMEMBER
            return self._begin(unit, user_id, (address, device), now, remember=remember)

    def _throttle(self, email: str, address: str, now: datetime) -> str:
        """Count a try before anything is hashed; give what counts as this account from there."""
        account = f"{email} {subject_of(address)}"
        with self.store.write() as unit:
            over = [
                stored.count_attempt(unit, limit.kind, hashed(subject), limit.window, now)[0]
                > limit.most
                for limit, subject in ((BY_ADDRESS, subject_of(address)), (BY_ACCOUNT, account))
            ]
        if any(over):
            raise TooManyAttempts
        return account

    def _failed(self, email: str, user: User | None, now: datetime) -> None:
        """Count failures of an account from everywhere; tell its owner once an hour."""
        with self.store.write() as unit:
            count, until = stored.count_attempt(
                unit, TELL_OWNER.kind, hashed(email), TELL_OWNER.window, now
            )
            if user is not None and user.confirmed_at is not None and count == TELL_OWNER.most:
                key = f"attempts:{hashed(email)}:{until.isoformat()}"
                order = MailOrder("attempts", key, email, user.language, full_name=user.full_name)
                order_mail(unit, order, now)

    def _begin(
        self, unit: Unit, user_id: int, whence: tuple[str, str], now: datetime, *, remember: bool
    ) -> NewSession:
        address, device = whence
        lasts = SESSION_LASTS if remember else UNREMEMBERED_LASTS
        session_id = secrets.token_urlsafe(32)
        stored.add_session(
            unit,
            UserSession(
                id_hash=hashed(session_id),
                user_id=user_id,
                device=device[:200],
                address=address,
                created_at=now,
                seen_at=now,
                expires_at=now + lasts,
            ),
        )
        user = stored.user_by_id(unit, user_id)
        return NewSession(session_id, user_id, now + lasts, remember, user.language if user else "")

    def current(self, session_id: str) -> SignedIn | None:
        """Find who is signed in; None if nobody. Moves ``seen_at`` at most once a minute."""
        if not session_id:
            return None
        now = self.clock()
        with self.store.read() as unit:
            found = stored.signed_in(unit, hashed(session_id))
        if found is None or found.expires_at <= now or now - found.seen_at > _idle(found):
            return None
        if now - found.seen_at >= SEEN_EVERY:
            with self.store.write() as unit:
                stored.touch_session(unit, found.id_hash, now)
        return found

    def lasts(self, session_id: str) -> bool:
        """Whether the session goes on; asking does not prolong it."""
        now = self.clock()
        with self.store.read() as unit:
            found = stored.signed_in(unit, hashed(session_id))
        return found is not None and found.expires_at > now and now - found.seen_at <= _idle(found)

    def mark_of(self, user_id: int) -> list[str]:
        """Name an account so that no later one with its number is taken for it."""
        with self.store.read() as unit:
            user = stored.user_by_id(unit, user_id)
        return [str(user_id), user.created_at.isoformat()] if user else []

    def marked(self, mark: list[str]) -> int | None:
        """Find the account that a mark of ours names; None if it is gone."""
        match mark:
            case [number, created] if number.isdecimal():
                with self.store.read() as unit:
                    user = stored.user_by_id(unit, int(number))
                known = user is not None and user.created_at.isoformat() == created
                return int(number) if known else None
        return None

    def sign_out(self, session_id: str) -> None:
        """End the session; twice is no error."""
        with self.store.write() as unit:
            stored.end_session_by_id(unit, hashed(session_id))

    # -- by an administrator -------------------------------------------------------------------

    def add(
        self, *, email: str, full_name: str, password: str, role: str = "consumer", phone: str = ""
    ) -> int:
        """Add a user who may sign in at once; InputRefused or EmailTaken."""
        email = check_registration(
            Registration(
                email=email,
                full_name=full_name,
                phone=phone,
                password=password,
                password_again=password,
            )
        )
        if role not in ROLES:
            raise InputRefused({"role": "account.role_unknown"})
        now = self.clock()
        password_hash = self.passwords.hash(password)
        with self.store.write() as unit:
            if stored.user_by_email(unit, email) is not None:
                raise EmailTaken
            return stored.add_user(
                unit,
                User(
                    email=email,
                    full_name=one_line(full_name),
                    phone=one_line(phone),
                    password_hash=password_hash,
                    role=role,
                    created_at=now,
                    confirmed_at=now,
                ),
            )

    def _count(self, unit: Unit, limit: Limit, subject: str, now: datetime) -> None:
        count, _ = stored.count_attempt(unit, limit.kind, hashed(subject), limit.window, now)
        if count > limit.most:
            raise TooManyAttempts
