"""What a person typed, what is wrong with it, and the same form again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldError:
    """``short`` goes into the summary, ``text`` under the field with its next step."""

    text: str
    short: str = ""

    @property
    def summary(self) -> str:
        return self.short or self.text


@dataclass(frozen=True, slots=True)
class Form:
    """Values by field name, and errors by field name; passwords are never kept in it.

    ``returned``: the values were typed before the session ended, and wait to be sent.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, FieldError] = field(default_factory=dict)
    alert: FieldError | None = None
    returned: bool = False

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, name: str) -> FieldError | None:
        return self.errors.get(name)

    def __iter__(self) -> Iterator[tuple[str, FieldError]]:
        return iter(self.errors.items())

    @property
    def failed(self) -> bool:
        return bool(self.errors) or self.alert is not None

    @property
    def status(self) -> int:
        return 422 if self.failed else 200
