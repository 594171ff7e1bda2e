"""Rules that consumers set for their points: when one fires, and when it may fire again.

Pure: what was measured comes in, what is to be told comes out, the same happening under the same
key however often it is looked at. Missing is never zero: what lacks half-hours is a lower bound,
and what was estimated or is in doubt says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

#: What is older than this when it arrives is told to nobody.
FRESH: Final = timedelta(days=2)


class RuleKind(StrEnum):
    """What a rule looks at. The limit is in kWh, kW, hours, or two of V."""

    DAY_ENERGY = "day_energy"
    MONTH_ENERGY = "month_energy"
    POWER = "power"
    SILENCE = "silence"
    VOLTAGE = "voltage"


class Often(StrEnum):
    """How often power and voltage are told; of the others each day, month or silence is, once."""

    DAY = "day"  # at most once a local day
    EACH = "each"  # each time, once the value has been well in between


CHOOSES_OFTEN: Final = frozenset({RuleKind.POWER, RuleKind.VOLTAGE})

# How far inside of its limit a value has recovered, so that one on the edge is told once.
INSIDE: Final = {RuleKind.POWER: Decimal("0.95"), RuleKind.VOLTAGE: Decimal("0.99")}
NARROWEST: Final = Decimal("1.05")  # the upper voltage to the lower one
DECIMALS: Final = 3
HIGHEST: Final = {
    RuleKind.DAY_ENERGY: 1_000_000,
    RuleKind.MONTH_ENERGY: 10_000_000,
    RuleKind.POWER: 1_000_000,
    RuleKind.SILENCE: 720,
    RuleKind.VOLTAGE: 1_000_000,
}
SHORTEST_SILENCE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule and what it knows of its past.

    ``low`` only of a voltage. ``since``: nothing that ended before is told. ``holding``: it has
    fired and not recovered. ``looked_at``: up to where half-hours were looked at one by one.
    """

    kind: RuleKind
    high: Decimal
    low: Decimal | None = None
    often: Often = Often.DAY
    since: datetime
    holding: bool = False
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Firing:
    """What is to be told. ``facts`` are texts: numbers with a point, ISO dates and instants."""

    key: str
    at: datetime
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out, and what the rule knows from now on."""

    firings: Sequence[Firing] = ()
    holding: bool = False
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How well something is known: half-hours that are missing, estimated … of those it is of.

    ``doubt``: the registers do not agree with the half-hours.
    """

    missing: int = 0
    partial: int = 0
    estimated: int = 0
    manual: int = 0
    doubt: bool = False

    @property
    def facts(self) -> dict[str, str]:
        counts = {
            "missing": self.missing,
            "partial": self.partial,
            "estimated": self.estimated,
            "manual": self.manual,
            "doubt": int(self.doubt),
        }
        return {name: str(count) for name, count in counts.items() if count}


WELL: Final = Quality()


@dataclass(frozen=True, slots=True)
class Used:
    """Energy of a local day or month so far, kWh; None: nothing of it is known."""

    first: date
    last: date
    until: datetime  # its end, or now
    energy: Fraction | None
    quality: Quality = WELL


@dataclass(frozen=True, slots=True)
class Drawn:
    """The mean power of a half-hour with a value, kW."""

    day: date  # the local one on which it begins
    starts: datetime
    ends: datetime
    power: Fraction
    quality: Quality = WELL


@dataclass(frozen=True, slots=True)
class Voltages:
    """Volts by phase at an instant."""

    day: date
    at: datetime
    phases: Mapping[int, Decimal] = field(default_factory=dict)


def wrong(kind: RuleKind, low: Decimal | None, high: Decimal | None) -> dict[str, str]:
    """Say of each limit that can't be taken why, as a catalog key; empty: all is well."""
    if kind is RuleKind.VOLTAGE:
        found = {
            name: "rule.volts_wrong"
            for name, value in (("low", low), ("high", high))
            if not _is_limit(value, HIGHEST[kind])
        }
        if not found and low is not None and high is not None and high < low * NARROWEST:
            found["high"] = "rule.volts_narrow"
        return found
    if kind is RuleKind.SILENCE:
        hours = high if high is not None and _is_limit(high, HIGHEST[kind]) else Decimal(0)
        well = hours >= SHORTEST_SILENCE and hours == int(hours)
        return {} if well else {"high": "rule.hours_wrong"}
    return {} if _is_limit(high, HIGHEST[kind]) else {"high": "rule.limit_wrong"}


def _is_limit(value: Decimal | None, highest: int) -> bool:
    if value is None or not value.is_finite():
        return False
    return 0 < value <= highest and value == round(value, DECIMALS)


def energy_over(rule: Rule, periods: Iterable[Used]) -> Outcome:
    """Tell of each day or month that is over its limit, as soon as what is known of it is."""
    return Outcome(
        [
            Firing(
                used.first.isoformat(),
                used.until,
                {
                    "limit": _text(rule.high),
                    "value": _text(used.energy),
                    "first": used.first.isoformat(),
                    "last": used.last.isoformat(),
                    "until": used.until.isoformat(),
                    **used.quality.facts,
                },
            )
            for used in periods
            if used.energy is not None and used.energy > rule.high and used.until >= rule.since
        ]
    )


def power_over(rule: Rule, drawn: Iterable[Drawn]) -> Outcome:
    """Tell of half-hours, given oldest first, that are over the limit."""
    found = [each for each in drawn if each.ends > rule.since]
    if rule.often is Often.DAY:
        first: dict[date, Drawn] = {}
        for each in found:
            if each.power > rule.high:
                first.setdefault(each.day, each)
        return Outcome([_power(rule, each, day.isoformat()) for day, each in first.items()])
    recovered = rule.high * INSIDE[RuleKind.POWER]
    holding, looked_at, firings = rule.holding, rule.looked_at, []
    for each in found:
        if looked_at is not None and each.ends <= looked_at:
            continue
        looked_at = each.ends
        if each.power > rule.high and not holding:
            holding = True
            firings.append(_power(rule, each, each.starts.isoformat()))
        elif each.power <= recovered:
            holding = False
    return Outcome(firings, holding, looked_at)


def _power(rule: Rule, drawn: Drawn, key: str) -> Firing:
    facts = {
        "limit": _text(rule.high),
        "value": _text(drawn.power),
        "starts": drawn.starts.isoformat(),
        "ends": drawn.ends.isoformat(),
    }
    return Firing(key, drawn.ends, {**facts, **drawn.quality.facts})


def silence(rule: Rule, last: datetime, now: datetime) -> Outcome:
    """Tell once that nothing has come since ``last`` for as long as the rule says."""
    if now - last < lasts(rule):
        return Outcome()
    facts = {"limit": _text(rule.high), "last": last.isoformat()}
    return Outcome([Firing(last.isoformat(), now, facts)], holding=True)


def lasts(rule: Rule) -> timedelta:
    """Give how long a silence has to last."""
    return timedelta(hours=int(rule.high))


def voltage_outside(rule: Rule, shown: Voltages) -> Outcome:
    """Tell of a voltage below the lower or above the upper limit."""
    low = rule.low or Decimal(0)
    inside = INSIDE[RuleKind.VOLTAGE]
    outside = {
        phase: volts for phase, volts in shown.phases.items() if not low <= volts <= rule.high
    }
    settled = all(low / inside <= volts <= rule.high * inside for volts in shown.phases.values())
    if not outside or shown.at <= rule.since:
        return Outcome(holding=rule.holding and not settled)
    if rule.often is Often.EACH and rule.holding:
        return Outcome(holding=True)
    key = shown.day if rule.often is Often.DAY else shown.at
    facts = {
        "low": _text(low),
        "high": _text(rule.high),
        "at": shown.at.isoformat(),
        **{f"phase_{phase}": _text(volts) for phase, volts in sorted(outside.items())},
    }
    return Outcome([Firing(key.isoformat(), shown.at, facts)], holding=True)


def _text(value: Decimal | Fraction | None) -> str:
    """Write a number with at most three decimals, and none that tells nothing."""
    if value is None:
        return ""
    rounded = round(Fraction(value) * 1000)
    return f"{(Decimal(rounded) / 1000).normalize():f}"
