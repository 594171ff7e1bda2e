"""What the pages of access show."""

from dataclasses import dataclass, field

from hub.web.kit.forms import FieldError, Form


@dataclass(frozen=True, slots=True)
class LoginView:
    """``email`` and ``remember`` come back; the password never does.

    ``demo_email`` and ``demo_password`` are shown, in the demo. ``resend``: the password was
    right, but the e-mail is not confirmed yet.
    """

    form: Form = field(default_factory=Form)
    next: str = "/"
    demo_email: str = ""
    demo_password: str = ""
    resend: bool = False


@dataclass(frozen=True, slots=True)
class RegisterView:
    """Fields: email, full_name, phone, password, password_again."""

    form: Form = field(default_factory=Form)


@dataclass(frozen=True, slots=True)
class SentView:
    """The letter is on its way; ``wait_seconds`` until it may be sent again (0: now).

    ``alert`` says why it was not sent again.
    """

    email: str
    hours: int
    wait_seconds: int = 0
    demo: bool = False
    alert: FieldError | None = None


@dataclass(frozen=True, slots=True)
class ProfileView:
    """The account's own data, to read."""

    full_name: str
    email: str
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmView:
    """The confirmation link was opened; only the button spends it."""

    token: str
    usable: bool = True
