"""Notices that the hub itself makes: of a meter's events, as the utility chose, and of own rules.

What is told is kept as facts and worded when it is read (``made_words``). The same happening has
the same key, so whatever is stored twice is told once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.events import KINDS, Severity, kind_of
from hub.domain.notices import Source
from hub.domain.rules import FRESH, Firing
from hub.services.made_words import DETAIL, ZONE
from hub.services.publishing import News, publish
from hub.store import events
from hub.store import rules as stored
from hub.store import told as kept
from hub.store.rules import Reader, RuleRow
from hub.store.tables import MeterEvent
from hub.store.unit import Unit

HOUR = timedelta(hours=1)

#: What a utility tells consumers of as long as it has not chosen otherwise.
USUAL = frozenset(
    {
        "case_opened",
        "terminal_cover_opened",
        "magnetic_field",
        "power_lost",
        "phase_voltage_lost",
        "voltage_below_limit",
        "voltage_above_limit",
    }
)


@dataclass(frozen=True, slots=True)
class EventChoice:
    """Whether a utility makes notices of a kind of event; ``usual``: nobody chose it."""

    kind: str
    enabled: bool
    usual: bool


def event_choices(unit: Unit, supplier_id: int) -> list[EventChoice]:
    """List all kinds of events with what holds for a utility."""
    chosen = stored.event_choices(unit, supplier_id)
    return [
        EventChoice(kind, chosen.get(kind, kind in USUAL), kind not in chosen) for kind in KINDS
    ]


# -- of events ---------------------------------------------------------------------------------


def announce_events(unit: Unit, meter_id: int, rows: Iterable[MeterEvent]) -> None:
    """Make notices of events that were stored just now, one for each kind, point and hour.

    What began and ended more than two days ago is history and no news.
    """
    since = unit.now() - FRESH
    firsts = {
        (row.kind, _hour(row.began_at)): row
        for row in sorted(rows, key=lambda row: row.began_at, reverse=True)
        if row.kind in KINDS and _is_grave(row) and (row.ended_at or row.began_at) > since
    }
    for (kind, hour), first in sorted(firsts.items(), key=lambda each: each[0]):
        for reader in stored.readers(unit, meter_id, first.began_at):
            chosen = stored.event_choices(unit, reader.supplier_id)
            if chosen.get(kind, kind in USUAL):
                _announce(unit, meter_id, reader, kind, hour)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _is_grave(row: MeterEvent) -> bool:
    """Whether it is as grave as its kind: an outage of seconds is but an information."""
    kind = kind_of(row.kind)
    lasted = None if row.ended_at is None else row.ended_at - row.began_at
    return kind.severity_of(lasted) is kind.severity


def _announce(unit: Unit, meter_id: int, reader: Reader, kind: str, hour: datetime) -> None:
    """Tell of all events of a kind in an hour, in the words of the first one."""
    found = [
        row
        for row in stored.events_between(unit, meter_id, kind, hour, hour + HOUR)
        if _is_grave(row) and row.began_at >= reader.from_at
    ]
    first = found[0]
    facts = {
        "event": str(first.id),
        "meter": str(meter_id),
        "count": str(len(found)),
        "began": first.began_at.isoformat(),
        "ended": first.ended_at.isoformat() if first.ended_at else "",
        "end_unknown": "1" if first.ended_face == events.END_UNKNOWN else "",
        "face": first.began_face,
        "book": first.book,
        "raw": first.raw.hex(),
        "driver": events.drivers(unit, [meter_id]).get(meter_id, ""),
        ZONE: reader.time_zone,
        **{DETAIL + name: value for name, value in first.detail.items()},
    }
    now = unit.now()
    is_history = first.ended_at is not None and first.began_at <= now - FRESH
    news = News(
        contract_id=reader.contract_id,
        point_id=reader.point_id,
        source=Source.METER,
        key=f"{reader.point_id}/{kind}/{hour:%Y-%m-%dT%H}",
        kind=kind,
        title=reader.name,
        text="",
        facts={name: value for name, value in facts.items() if value},
        published_at=first.ended_at if is_history and first.ended_at else first.began_at,
        urgent=kind_of(kind).severity is Severity.ALARM,
    )
    publish(unit, news, now)


# -- of consumers' rules -----------------------------------------------------------------------


def announce_rule(unit: Unit, row: RuleRow, firing: Firing) -> None:
    """Make the notice of a rule that fired, and remember that it did."""
    rule, point = row.rule, row.point
    key = f"{rule.id}/{rule.edition}/{firing.key}"
    if kept.is_noticed(unit, point.contract_id, Source.RULE, key):
        return  # its words are of the moment at which it fired
    news = News(
        contract_id=point.contract_id,
        point_id=point.id,
        source=Source.RULE,
        key=key,
        kind=rule.kind,
        title=point.name,
        text="",
        facts={**firing.facts, ZONE: row.time_zone or ""},
        published_at=firing.at,
    )
    publish(unit, news, unit.now())
    if rule.fired_at is None or firing.at > rule.fired_at:
        rule.fired_at = firing.at
