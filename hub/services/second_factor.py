"""A code besides the password: of an authenticator app (RFC 6238) or by SMS; recovery codes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pyotp

from hub.errors import InputRefused, TooManyAttempts
from hub.services.accounts import HOUR, Limit, hashed
from hub.services.clock import utc_now
from hub.services.mail import MailOrder, order_mail
from hub.services.phones import SIGNS_IN, send_code, take_code
from hub.store import accounts as people
from hub.store import second_factors as stored
from hub.store.tables import SecondFactor
from hub.store.unit import Store, Unit

SMS = "sms"  # a way, beside the app
STEP_S = 30
CODES = 10
CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
GUESSES = Limit("second_factor", 5, HOUR / 4)


@dataclass(frozen=True, slots=True)
class Setup:
    """What an app is set up with: the address behind the QR code, and the same to type."""

    address: str
    secret: str


@dataclass(frozen=True, slots=True)
class FactorView:
    """``on_at`` None: not in force. ``codes_left``: recovery codes not used yet.

    ``phone``: codes come there by SMS, or will once the first is typed; '': by an app.
    """

    on_at: datetime | None
    codes_left: int
    phone: str = ""


class SecondFactors:
    """Setting up an app or SMS, asking for their codes, and taking them away."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def look(self, user_id: int) -> FactorView:
        """Tell whether a code is asked at sign-in, and how many recovery codes are left."""
        with self.store.read() as unit:
            row = stored.factor(unit, user_id)
            if row is None:
                return FactorView(None, 0)
            user = people.user_by_id(unit, user_id) if row.way == SMS else None
            phone = user.confirmed_phone if user else ""
            return FactorView(row.on_at, stored.codes_left(unit, user_id), phone)

    def begin(self, user_id: int, email: str, issuer: str) -> Setup:
        """Make a secret that comes into force with its first code; begun anew it is another one.

        While a factor is in force nothing is made: InputRefused.
        """
        secret = pyotp.random_base32()
        with self.store.write() as unit:
            row = stored.factor(unit, user_id)
            if row is not None and row.on_at is not None:
                raise InputRefused({"code": "account.factor_is_on"})
            stored.put_factor(unit, user_id, self._seal(unit, user_id, secret))
        return self._setup(secret, email, issuer)

    def begin_sms(self, user_id: int) -> None:
        """Send a code to the confirmed phone; typed, it brings codes by SMS into force.

        InputRefused while a factor is in force or no phone is confirmed; TooManyAttempts.
        """
        with self.store.write() as unit:
            row = stored.factor(unit, user_id)
            if row is not None and row.on_at is not None:
                raise InputRefused({"code": "account.factor_is_on"})
            user = people.user_by_id(unit, user_id)
            if user is None or not user.confirmed_phone:
                raise InputRefused({"code": "account.phone_unconfirmed"})
            stored.put_factor(unit, user_id, "", SMS)
        self.send(user_id)

    def send(self, user_id: int) -> str:
        """Send a code by SMS where that is the way, and give the number, else ''.

        Nothing more goes out within a minute of the last; TooManyAttempts.
        """
        with self.store.read() as unit:
            row = stored.factor(unit, user_id)
            user = people.user_by_id(unit, user_id)
        if row is None or user is None or row.way != SMS or not user.confirmed_phone:
            return ""
        send_code(self.store, user_id, SIGNS_IN, user.confirmed_phone, self.clock())
        return user.confirmed_phone

    def pending(self, user_id: int, email: str, issuer: str) -> Setup | None:
        """Show the secret that waits for its first code again; None: none waits."""
        with self.store.read() as unit:
            row = stored.factor(unit, user_id)
            if row is None or row.on_at is not None or row.way == SMS:
                return None
            return self._setup(self._open(unit, user_id, row.sealed_secret), email, issuer)

    def turn_on(self, user_id: int, code: str) -> list[str]:
        """Bring the app or SMS into force with its first code; give the recovery codes, once.

        InputRefused for a wrong code, TooManyAttempts.
        """
        now = self.clock()
        self._count(user_id, now)
        codes = [_new_code() for _ in range(CODES)]
        with self.store.write() as unit:
            row = stored.factor(unit, user_id)
            step = None
            if row is not None and row.on_at is None:
                step = self._taken(unit, row, code, now)
            if step is not None:
                stored.turn_on(unit, user_id, step, now)
                stored.put_codes(unit, user_id, [hashed(_bare(each)) for each in codes])
                self._tell(unit, user_id, "factor_on", now)
        if step is None:
            raise InputRefused({"code": "account.code_wrong"})
        return codes

    def check(self, user_id: int, code: str) -> None:
        """Take a code of the app or by SMS, or a recovery code, each once.

        InputRefused for a wrong one, TooManyAttempts past five in a quarter of an hour.
        """
        now = self.clock()
        self._count(user_id, now)
        with self.store.write() as unit:
            row = stored.factor(unit, user_id)
            taken = False
            if row is not None and row.on_at is not None:
                step = self._taken(unit, row, code, now)
                taken = step is not None
                if step and row.way != SMS:
                    taken = stored.take_step(unit, user_id, step)
                if step is None:
                    taken = stored.use_code(unit, user_id, hashed(_bare(code)), now)
            if taken:
                people.forget_attempts(unit, GUESSES.kind, hashed(str(user_id)))
        if not taken:
            raise InputRefused({"code": "account.code_wrong"})

    def turn_off(self, user_id: int, code: str) -> None:
        """Take the factor away, by one more code; the owner is told."""
        self.check(user_id, code)
        now = self.clock()
        with self.store.write() as unit:
            stored.drop_factor(unit, user_id)
            self._tell(unit, user_id, "factor_off", now)

    def new_codes(self, user_id: int, code: str) -> list[str]:
        """Replace the recovery codes, by one more code; give the new ones, once."""
        self.check(user_id, code)
        codes = [_new_code() for _ in range(CODES)]
        with self.store.write() as unit:
            stored.put_codes(unit, user_id, [hashed(_bare(each)) for each in codes])
        return codes

    def _taken(self, unit: Unit, row: SecondFactor, code: str, now: datetime) -> int | None:
        """Give the time step of an app's code, 0 for one by SMS, which is spent; None: wrong."""
        if row.way == SMS:
            return 0 if take_code(unit, row.user_id, SIGNS_IN, code, now) else None
        return _step(self._open(unit, row.user_id, row.sealed_secret), code, now)

    def _count(self, user_id: int, now: datetime) -> None:
        with self.store.write() as unit:
            count, _ = people.count_attempt(
                unit, GUESSES.kind, hashed(str(user_id)), GUESSES.window, now
            )
        if count > GUESSES.most:
            raise TooManyAttempts

    def _tell(self, unit: Unit, user_id: int, template: str, now: datetime) -> None:
        user = people.user_by_id(unit, user_id)
        if user is not None:
            key = f"{template}:{user_id}:{now.isoformat()}"
            order = MailOrder(template, key, user.email, user.language, full_name=user.full_name)
            order_mail(unit, order, now)

    def _seal(self, unit: Unit, user_id: int, secret: str) -> str:
        return unit.secrets.seal(secret, table="second_factor", row=user_id, field="sealed_secret")

    def _open(self, unit: Unit, user_id: int, sealed: str) -> str:
        return unit.secrets.open(sealed, table="second_factor", row=user_id, field="sealed_secret")

    @staticmethod
    def _setup(secret: str, email: str, issuer: str) -> Setup:
        return Setup(pyotp.TOTP(secret, name=email, issuer=issuer).provisioning_uri(), secret)


def _step(secret: str, code: str, now: datetime) -> int | None:
    """Give the time step that a code is of: now's, the one before or after; None: of none."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdecimal()):
        return None
    totp = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_S
    for step in (present, present - 1, present + 1):
        if secrets.compare_digest(totp.generate_otp(step), typed):
            return step
    return None


def _new_code() -> str:
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _bare(code: str) -> str:
    """Give a recovery code as it is stored: small letters, no spaces or dashes."""
    return "".join(letter for letter in code.lower() if letter.isalnum())
