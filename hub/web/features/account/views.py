"""What the pages of «Профиль» show."""

from dataclasses import dataclass, field

from hub.web.kit.forms import Form


@dataclass(frozen=True, slots=True)
class PhoneCard:
    """``told``: as the person wrote it; ``confirmed``: takes SMS; ``asked``: a code went there.

    ``proven``: what was told is what is confirmed. Fields: phone_code.
    """

    told: str
    confirmed: str
    asked: str
    proven: bool
    form: Form = field(default_factory=Form)


@dataclass(frozen=True, slots=True)
class DataView:
    """Two forms: full_name, phone and language; email and email_password. ``theme``: see User.

    ``phone`` None: no SMS is sent from here.
    """

    email: str
    form: Form = field(default_factory=Form)
    email_form: Form = field(default_factory=Form)
    theme: str = ""
    archive_form: Form = field(default_factory=Form)
    phone: PhoneCard | None = None


@dataclass(frozen=True, slots=True)
class DeleteView:
    """Fields: delete_password, word. ``waiting``: letters and readings no supplier has yet."""

    form: Form = field(default_factory=Form)
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class EmailView:
    """A link to a new e-mail was opened; empty: it does not work."""

    token: str
    email: str


@dataclass(frozen=True, slots=True)
class CodesView:
    """Recovery codes, shown once."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactorView:
    """Codes at sign-in: off; being set up, with ``secret`` and ``qr``; or on, with ``since``.

    ``phone``: they come there by SMS, or will. ``sms``: this hub sends SMS; ``offer``: where to.

    Fields: code. ``qr`` is an image address, ``secret`` the same to type, in groups of four.
    """

    form: Form = field(default_factory=Form)
    since: str = ""
    codes_left: int = 0
    secret: str = ""
    qr: str = ""
    phone: str = ""
    sms: bool = False
    offer: str = ""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """``device`` and ``when`` in words; ``symbol`` is an icon."""

    id_hash: str
    device: str
    symbol: str
    when: str
    own: bool


@dataclass(frozen=True, slots=True)
class SecurityView:
    """The sessions, and the form of a new password: current, password, password_again."""

    factor: FactorView
    sessions: tuple[SessionRow, ...] = ()
    form: Form = field(default_factory=Form)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What may be told of; ``cells``: field and whether it is on, for portal, e-mail and SMS."""

    label: str
    about: str
    cells: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """Rows that are turned on and off together."""

    key: str
    label: str
    any_on: bool
    rows: tuple[SourceRow, ...]


@dataclass(frozen=True, slots=True)
class ChannelsView:
    """``phone``: confirmed, else ''; ``sms``: whether this hub sends any.

    Fields: quiet, quiet_from, quiet_to, and those of the cells.
    """

    groups: tuple[SourceGroup, ...]
    email: str
    phone: str
    sms: bool
    form: Form = field(default_factory=Form)
    saved: str = ""  # what has been kept at once
