"""What the pages of a person's own rules show."""

from dataclasses import dataclass, field

from hub.web.kit.forms import Form


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in words; ``fired``: when it did last, or that it has not. ``symbol`` is an icon."""

    id: int
    words: str
    often: str
    fired: str
    symbol: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """The rules of one point."""

    point_id: int
    point: str
    contract: str
    rows: tuple[RuleRow, ...]


@dataclass(frozen=True, slots=True)
class RulesView:
    """All rules; without ``possible`` there is no point that rules can be set for."""

    groups: tuple[RuleGroup, ...]
    possible: bool


@dataclass(frozen=True, slots=True)
class RuleFormView:
    """A rule being set or changed. Fields: point, high, of a voltage low, and often.

    ``kinds``: what can be looked at, value and label; none of a rule that is changed.
    ``others``: what was typed for other kinds, name and text.
    ``points``: value and label; empty when the point can't be chosen any more.
    """

    action: str
    kind: str
    kinds: tuple[tuple[str, str], ...]
    points: tuple[tuple[str, str], ...]
    form: Form = field(default_factory=Form)
    words: str = ""
    point: str = ""
    chooses: bool = False  # how often
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveRuleView:
    """A rule that is about to be removed."""

    id: int
    words: str
    point: str
