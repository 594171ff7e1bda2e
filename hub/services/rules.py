"""Rules that consumers set for their own points: seen, set, changed, turned off and removed.

They are looked at by ``rule_runner`` when data come.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from hub.domain.rules import CHOOSES_OFTEN, Often, Rule, RuleKind, wrong
from hub.errors import InputRefused, Missing
from hub.services.pieces import DEFAULT_ZONE
from hub.services.rule_runner import THOUSAND, rule_of
from hub.services.usage import ELECTRICITY
from hub.store import points as stored_points
from hub.store import rules as stored
from hub.store.points import PointRow
from hub.store.rules import RuleRow
from hub.store.tables import OwnRule
from hub.store.unit import Store, Unit

MOST = 50  # of a person


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule with the name of its point; ``fired_at`` is in the point's time zone."""

    id: int
    point_id: int
    point: str
    contract: str
    rule: Rule
    enabled: bool
    fired_at: datetime | None


@dataclass(frozen=True, slots=True)
class PointChoice:
    """A point that rules can be set for; ``kinds``: what is known of it allows these."""

    id: int
    name: str
    contract: str
    kinds: tuple[RuleKind, ...]


@dataclass(frozen=True, slots=True)
class TypedRule:
    """What a person typed: numbers as text, with a point or a comma."""

    high: str = ""
    low: str = ""
    often: str = ""


class Rules:
    """Rules of one person; ``Missing`` for anybody else's."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def listed(self, user_id: int) -> list[RuleView]:
        """List a person's rules, point by point."""
        with self.store.read() as unit:
            return [_view(row) for row in stored.of_user(unit, user_id)]

    def one(self, user_id: int, rule_id: int) -> RuleView:
        with self.store.read() as unit:
            return _view(_owned(unit, user_id, rule_id))

    def points(self, user_id: int) -> list[PointChoice]:
        """List the points that report by themselves, so that there is something to look at."""
        with self.store.read() as unit:
            rows = [row for row in stored_points.of_user(unit, user_id) if _reports(row)]
            places = [row.metering_point_id for row in rows if row.metering_point_id is not None]
            metered = {each.metering_point_id for each in stored_points.spans(unit, places)}
        return [
            PointChoice(
                row.id,
                row.name,
                row.contract_name,
                tuple(
                    kind
                    for kind in RuleKind
                    if kind is not RuleKind.VOLTAGE or row.metering_point_id in metered
                ),
            )
            for row in rows
        ]

    def add(self, user_id: int, point_id: int, kind: RuleKind, typed: TypedRule) -> int:
        """Set a rule and give its id; it is looked at at once. InputRefused names what is wrong."""
        choice = next((each for each in self.points(user_id) if each.id == point_id), None)
        if choice is None or kind not in choice.kinds:
            raise InputRefused({"point": "rule.point_wrong"})
        limits = _limits(kind, typed)
        with self.store.write() as unit:
            if stored.count(unit, user_id) >= MOST:
                raise InputRefused({"point": "rule.too_many"})
            now = unit.now()
            row = OwnRule(
                contract_point_id=point_id, kind=kind.value, since_at=now, due_at=now, **limits
            )
            return stored.add(unit, row)

    def change(self, user_id: int, rule_id: int, typed: TypedRule) -> None:
        """Change the limits of a rule: from now on it may fire again. InputRefused."""
        with self.store.write() as unit:
            rule = _owned(unit, user_id, rule_id).rule
            for name, value in _limits(RuleKind(rule.kind), typed).items():
                setattr(rule, name, value)
            rule.edition += 1
            rule.since_at = rule.due_at = unit.now()
            rule.holding, rule.looked_at = False, None

    def switch(self, user_id: int, rule_id: int, *, enabled: bool) -> None:
        """Turn a rule on or off; what happens while it is off is not told later."""
        with self.store.write() as unit:
            rule = _owned(unit, user_id, rule_id).rule
            if rule.enabled != enabled:
                rule.enabled = enabled
                rule.since_at = rule.due_at = unit.now()

    def remove(self, user_id: int, rule_id: int) -> None:
        with self.store.write() as unit:
            stored.remove(unit, _owned(unit, user_id, rule_id).rule)


def _owned(unit: Unit, user_id: int, rule_id: int) -> RuleRow:
    row = stored.one(unit, user_id, rule_id)
    if row is None:
        raise Missing
    return row


def _reports(row: PointRow) -> bool:
    return row.smart and row.resource == ELECTRICITY and row.metering_point_id is not None


def _view(row: RuleRow) -> RuleView:
    fired_at, zone = row.rule.fired_at, ZoneInfo(row.time_zone or DEFAULT_ZONE)
    return RuleView(
        id=row.rule.id or 0,
        point_id=row.point.id or 0,
        point=row.point.name,
        contract=row.contract_name,
        rule=rule_of(row.rule),
        enabled=row.rule.enabled,
        fired_at=None if fired_at is None else fired_at.astimezone(zone),
    )


def _limits(kind: RuleKind, typed: TypedRule) -> dict[str, Any]:
    """Read what was typed; InputRefused names the fields."""
    high = _number(typed.high)
    low = _number(typed.low) if kind is RuleKind.VOLTAGE else None
    found = wrong(kind, low, high)
    if kind in CHOOSES_OFTEN and typed.often not in set(Often):
        found["often"] = "account.choice_wrong"
    if found or high is None:
        raise InputRefused(found)
    return {
        "low_thousandths": None if low is None else int(low * THOUSAND),
        "high_thousandths": int(high * THOUSAND),
        "often": typed.often if kind in CHOOSES_OFTEN else Often.DAY.value,
    }


def _number(text: str) -> Decimal | None:
    plain = "".join(text.split()).replace(",", ".")
    try:
        return Decimal(plain) if plain.isascii() else None
    except InvalidOperation:
        return None
