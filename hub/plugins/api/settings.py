"""A pydantic model per thing that is configured."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr

V = TypeVar("V")

Secret: TypeAlias = SecretStr  # sealed at rest, never rendered back, never logged
PRIVATE = "private"
Private = Annotated[V, PRIVATE]  # shown to its owner, redacted in reports


class PluginSettings(BaseModel):
    """Base of every settings model: frozen, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: ClassVar[int] = 1


def setting(
    default: Any = ...,
    *,
    label: str,  # catalog keys
    hint: str = "",
    ge: int | None = None,
    le: int | None = None,
    example: str = "",
    unit: str = "",
    group: str = "",
    advanced: bool = False,
    deprecated: bool = False,
    choices: Sequence[str] = (),
    only_when: tuple[str, str] | None = None,  # another field and its value
) -> Any:
    """Describe a field of a settings form. Order on the page is the order in the class."""
    shown: dict[str, JsonValue] = {
        "label": label,
        "hint": hint,
        "example": example,
        "unit": unit,
        "group": group,
        "advanced": advanced,
        "deprecated": deprecated,
        "choices": list(choices),
        "only_when": list(only_when or ()),
    }
    return Field(default, ge=ge, le=le, json_schema_extra={"hub": shown})
