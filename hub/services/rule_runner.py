"""Looks at consumers' rules when data have come or time has passed, and makes the notices.

A rule is due when its point's data changed (``store.rules.touch_…``, in the transaction that
stored them), a rule about silence also when the silence would be long enough. Each is looked at
in one transaction with its notice; a notice that was made is not made again.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

import structlog

from hub.domain.calendar import (
    Level,
    day_starts,
    instant_of,
    local_day,
    month_end,
    month_start,
)
from hub.domain.rules import (
    FRESH,
    WELL,
    Drawn,
    Often,
    Outcome,
    Quality,
    Rule,
    RuleKind,
    Used,
    Voltages,
    energy_over,
    lasts,
    power_over,
    silence,
    voltage_outside,
)
from hub.domain.series import ESTIMATED, MANUAL, PARTIAL
from hub.services.made_notices import announce_rule
from hub.services.pieces import DEFAULT_ZONE, Load, gather
from hub.services.profile import Sum, summed
from hub.services.registers import present_of
from hub.services.slots import slot_views
from hub.services.snapshots import SNAPSHOT, snapshot_of
from hub.store import last_values, points, readings, series
from hub.store import rules as stored
from hub.store.points import InstallationRow, PointRow
from hub.store.readings import BalanceState
from hub.store.rules import RuleRow
from hub.store.tables import OwnRule
from hub.store.unit import Store, Unit

AT_ONCE = 20
AGAIN = timedelta(minutes=15)  # what waits for data that may come without being told
AFTER_FAULT = timedelta(hours=1)
THOUSAND = 1000
TOTAL = "1.8.0"
PHASES = {1: "32.7.0", 2: "52.7.0", 3: "72.7.0"}
SUPPLIER = "supplier"

log = structlog.get_logger("hub.rules")


class RuleRunner:
    """Looks at what is due; several may work on one database."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def run_due(self) -> int:
        """Look at some of the rules that are due; give how many that were."""
        with self.store.read() as unit:
            if not stored.is_any_due(unit, unit.now()):
                return 0
        with self.store.write() as unit:
            now = unit.now()
            found = stored.due(unit, now, AT_ONCE)
            for row in found:
                try:
                    self._look(unit, row, now)
                except Exception:  # one that can't be worked out stops no other
                    log.exception("rule.fault", rule=row.rule.id, kind=row.rule.kind)
                    row.rule.due_at = now + AFTER_FAULT
            unit.session.flush()
        return len(found)

    def _look(self, unit: Unit, row: RuleRow, now: datetime) -> None:
        rule = row.rule
        point = points.one(unit, row.user_id, rule.contract_point_id)
        rule.due_at = None
        if point is None or point.metering_point_id is None:
            return
        known = rule_of(rule)
        if known.kind is RuleKind.SILENCE:
            last = heard_at(unit, point, now) or known.since
            outcome = silence(known, last, now)
            rule.due_at = now + AGAIN if outcome.holding else last + lasts(known)
        elif known.kind is RuleKind.VOLTAGE:
            shown = voltages_in(unit, point, now)
            outcome = voltage_outside(known, shown) if shown else Outcome(holding=rule.holding)
        elif known.kind is RuleKind.POWER:
            outcome = power_over(known, drawn_in(unit, point, known, now))
        else:
            outcome = energy_over(known, used_in(unit, point, known, now))
        rule.holding, rule.looked_at = outcome.holding, outcome.looked_at
        for firing in outcome.firings:
            announce_rule(unit, row, firing)


def rule_of(row: OwnRule) -> Rule:
    """Give a stored rule as the domain knows it."""
    return Rule(
        kind=RuleKind(row.kind),
        low=None if row.low_thousandths is None else _plain(row.low_thousandths),
        high=_plain(row.high_thousandths),
        often=Often(row.often),
        since=row.since_at,
        holding=row.holding,
        looked_at=row.looked_at,
    )


def _plain(thousandths: int) -> Decimal:
    """Give the number without decimals that tell nothing."""
    return Decimal(f"{(Decimal(thousandths) / THOUSAND).normalize():f}")


# -- what was measured -------------------------------------------------------------------------


def _zone(point: PointRow) -> str:
    return point.time_zone or DEFAULT_ZONE


def _loaded(unit: Unit, point: PointRow, first: date, last: date) -> Load:
    starts = day_starts(_zone(point), first, last)
    return gather(unit, [point], starts[0], starts[-1])[0]


def used_in(unit: Unit, point: PointRow, rule: Rule, now: datetime) -> list[Used]:
    """Sum the days, or months, that are still worth telling of; the last is the present one."""
    today, since = (local_day(_zone(point), at) for at in (now, max(now - FRESH, rule.since)))
    level, first = Level.DAY, since
    if rule.kind is RuleKind.MONTH_ENERGY:
        level, first = Level.MONTH, month_start(since)
    last = today if level is Level.DAY else month_end(today)
    load = _loaded(unit, point, first, last)
    items = summed(load, first, last, level, now).items
    return [
        Used(each.first, each.last, min(each.end_at, now), each.energy[0],
             _quality(each, doubt=_doubted(unit, load, each.start_at, each.end_at)))
        for each in items
    ]  # fmt: skip


def _quality(found: Sum, *, doubt: bool) -> Quality:
    return Quality(
        missing=found.missing,
        partial=found.partial,
        estimated=found.estimated,
        manual=found.manual,
        doubt=doubt,
    )


def _doubted(unit: Unit, load: Load, first: datetime, last: datetime) -> bool:
    """Whether the registers of any meter that was there deny its half-hours of a span."""
    return any(
        check.state is BalanceState.IN_DOUBT
        and check.obis == TOTAL
        and check.from_at < last
        and check.to_at > first
        for meter_id in {each.meter_id for each in load.installed}
        for check in readings.balances(unit, meter_id, first - timedelta(days=31))
    )


def drawn_in(unit: Unit, point: PointRow, rule: Rule, now: datetime) -> list[Drawn]:
    """List the half-hours that are still worth telling of and have a value, oldest first."""
    since = max(now - FRESH, rule.since)
    first, last = (local_day(_zone(point), at) for at in (since, now))
    load = _loaded(unit, point, first, last)
    found = []
    for slot in slot_views(load, first, last, load.minutes, now):
        power = slot.power(0)
        ends = slot.start_at + timedelta(minutes=slot.minutes)
        if power is None or ends <= since:
            continue
        quality = WELL
        if slot.flags:
            quality = Quality(
                partial=int(bool(slot.flags & PARTIAL)),
                estimated=int(bool(slot.flags & ESTIMATED)),
                manual=int(bool(slot.flags & MANUAL)),
            )
        found.append(Drawn(slot.local_start.date(), slot.start_at, ends, power, quality))
    if any(each.power > rule.high for each in found):
        doubt = _doubted(unit, load, found[0].starts, found[-1].ends)
        if doubt:
            found = [
                Drawn(each.day, each.starts, each.ends, each.power, _doubtful(each.quality))
                for each in found
            ]
    return found


def _doubtful(quality: Quality) -> Quality:
    return Quality(
        partial=quality.partial, estimated=quality.estimated, manual=quality.manual, doubt=True
    )


def _present(unit: Unit, point: PointRow, now: datetime) -> InstallationRow | None:
    places = [] if point.metering_point_id is None else [point.metering_point_id]
    return present_of([point], points.installations(unit, places), now).get(point.id)


def voltages_in(unit: Unit, point: PointRow, now: datetime) -> Voltages | None:
    """Give the voltages that the present meter showed last; None for old ones, or none."""
    here = _present(unit, point, now)
    if here is None:
        return None
    rows = last_values.of_meter(unit, here.meter_id, SNAPSHOT)
    shown = snapshot_of(rows.get(SNAPSHOT))
    if shown is None or now - shown.at > FRESH:
        return None
    by_obis = {register.obis: quantity.value for register, quantity in shown.values.items()}
    phases = {
        phase: by_obis[obis] * here.voltage_ratio
        for phase, obis in PHASES.items()
        if obis in by_obis
    }
    return Voltages(local_day(_zone(point), shown.at), shown.at, phases) if phases else None


def heard_at(unit: Unit, point: PointRow, now: datetime) -> datetime | None:
    """Give up to when there are data of a point; what never answered, since it was put in.

    None: there is neither a meter nor a half-hour that a supplier told.
    """
    here = _present(unit, point, now)
    if here is not None:
        known = [here.seen_at, here.profile_through_at]
        newest = max((at for at in known if at is not None), default=here.from_at)
        return min(newest, now)
    ends = [
        series.newest_end(unit, each)
        for each in series.of_place(unit, point.metering_point_id or 0, SUPPLIER)
    ]
    return max((instant_of(end) for end in ends if end is not None), default=None)
