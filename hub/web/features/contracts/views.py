"""What the forms of contracts show."""

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


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A contract and the form that changes it: its name, its password, or that it is here at all.

    Fields: name, or password, or none. ``by_code``: there is no password to replace;
    ``on_the_way``: how many messages have not reached the supplier, so that it stays.
    """

    id: int
    name: str
    number: str
    supplier: str
    form: Form
    back: str
    by_code: bool = False
    on_the_way: int = 0

    @property
    def href(self) -> str:
        return f"/contracts/{self.id}"
