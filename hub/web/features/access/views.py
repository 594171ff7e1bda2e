"""What the pages of access show."""

from dataclasses import dataclass, field

from hub.services.processing import Paragraph
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
    """Fields: email, full_name, phone, password, password_again, consent."""

    form: Form = field(default_factory=Form)


@dataclass(frozen=True, slots=True)
class ProcessingView:
    """The text on personal data in the visitor's language."""

    parts: tuple[Paragraph, ...]
    version: str


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
class CodeView:
    """The password was right; a code is asked. Fields: code.

    ``phone``: it came by SMS to a number with this end; '': it is of the app.
    """

    form: Form = field(default_factory=Form)
    next: str = "/"
    phone: str = ""


@dataclass(frozen=True, slots=True)
class RecoverView:
    """Fields: email."""

    form: Form = field(default_factory=Form)


@dataclass(frozen=True, slots=True)
class RecoverSentView:
    """The same whether or not there is such an account."""

    email: str
    minutes: int
    demo: bool = False


@dataclass(frozen=True, slots=True)
class ResetView:
    """A recovery link was opened. Fields: password, password_again."""

    token: str
    usable: bool = True
    form: Form = field(default_factory=Form)


@dataclass(frozen=True, slots=True)
class ConfirmView:
    """The confirmation link was opened; only the button spends it.

    ``asks``: this is not the browser that registered, so the password is asked for.
    """

    token: str
    usable: bool = True
    email: str = ""
    asks: bool = False
    form: Form = field(default_factory=Form)
