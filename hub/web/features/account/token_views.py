"""What «Токены доступа» shows."""

from dataclasses import dataclass, field

from hub.web.kit.forms import Form


@dataclass(frozen=True, slots=True)
class TokenRow:
    """All in words. ``allows``: what it may do; ``contracts``: which it sees; ``used``: when."""

    id: int
    name: str
    prefix: str
    allows: str
    contracts: str
    lasts: str
    used: str
    expired: bool


@dataclass(frozen=True, slots=True)
class TokensView:
    rows: tuple[TokenRow, ...]


@dataclass(frozen=True, slots=True)
class TokenFormView:
    """Fields: name, those of ``scopes``, which, those of ``contracts``, days, proof.

    ``by_code``: a code proves who it is, else the password; ``phone``: codes come there by SMS.
    ``secret``: the token is made and shown, this once.
    """

    scopes: tuple[tuple[str, str, str], ...]  # field, label, about
    contracts: tuple[tuple[str, str], ...]  # field, label
    days: tuple[tuple[str, str], ...]
    form: Form = field(default_factory=Form)
    by_code: bool = False
    phone: str = ""
    secret: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class RevokeView:
    id: int
    name: str
    prefix: str
