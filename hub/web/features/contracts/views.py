"""What the form of a new contract shows."""

from dataclasses import dataclass, field

from hub.web.kit.forms import Form


@dataclass(frozen=True, slots=True)
class SupplierChoice:
    key: str
    name: str
    login_hint: str = ""
    password_hint: str = ""


@dataclass(frozen=True, slots=True)
class NewContractView:
    """Fields: supplier, name, login, password.

    ``existing_href`` leads to the contract that is already linked.
    """

    suppliers: tuple[SupplierChoice, ...]
    form: Form = field(default_factory=Form)
    back: str = "/"
    existing_href: str | None = None

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        return tuple((s.key, s.name) for s in self.suppliers)

    @property
    def chosen(self) -> SupplierChoice | None:
        key = self.form.value("supplier")
        return next((s for s in self.suppliers if s.key == key), None) or next(
            iter(self.suppliers), None
        )
