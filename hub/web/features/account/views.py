"""What the pages of «Профиль» show."""

from dataclasses import dataclass, field

from hub.web.kit.forms import Form


@dataclass(frozen=True, slots=True)
class DataView:
    """Fields: full_name, phone. ``saved``: they were just changed."""

    email: str
    form: Form = field(default_factory=Form)
    saved: bool = False


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

    sessions: tuple[SessionRow, ...] = ()
    form: Form = field(default_factory=Form)
