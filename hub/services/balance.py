"""Balance checks: the meter's registers against the sum of its half-hours.

Between two register readings at day starts the energy must be that of the slots, to 1 Wh and one
count a slot. A frame's 16-bit check lets one damaged frame in 65,536 pass; this is what notices.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from hub.domain.calendar import minute_of
from hub.domain.series import Span
from hub.store import gaps, leases, meters, readings, series
from hub.store.blocks import DAY_MINUTES
from hub.store.gaps import GapReason
from hub.store.leases import Lease
from hub.store.readings import Balance, BalanceState, Taken
from hub.store.unit import Store, Unit

CHANNEL_OF = {"1.8.0": 0, "2.8.0": 1, "3.8.0": 2, "4.8.0": 3}
LOOK_BACK = timedelta(days=40)
REGISTER_WH = 1  # a register is cut to whole watt-hours at both ends


def check_balance(store: Store, meter_id: int, *, lease: Lease) -> list[Balance]:
    """Check all spans between day-start readings that are not known to be well.

    The history that a meter tells at first is looked at once, later readings for 40 days, what
    is in doubt for as long as it is.
    A span that fails is in doubt: the meter is asked for it once more through the ledger. Returns
    the checks that came out differently from what was stored.
    """
    changed: list[Balance] = []
    doubts: list[Balance] = []
    with store.read() as unit:
        through = meters.profile_through(unit, meter_id)
        if through is None:
            return []
        since = readings.to_check_since(unit, meter_id, CHANNEL_OF, unit.now() - LOOK_BACK)
        old = {
            (item.obis, item.from_at, item.to_at): item
            for item in readings.balances(unit, meter_id, since)
        }
        taken = readings.known(unit, meter_id, since=since, obis=CHANNEL_OF, day_start=True)
        for before, after in pairwise(taken):
            if before.obis != after.obis or minute_of(after.taken_at) > through:
                continue
            known = old.get((before.obis, before.taken_at, after.taken_at))
            found = again(unit, meter_id, (before, after), known)
            if found is None or found == known:
                continue
            changed.append(found)
            if found.rereads and not (known and known.rereads):
                doubts.append(found)
    if changed:
        # The lease makes this collector the only writer of the meter, so nothing moved meanwhile.
        with store.write() as unit:
            leases.prove(unit, lease)
            for balance in doubts:
                ask_again(unit, meter_id, balance)
            for balance in changed:
                readings.keep_balance(unit, meter_id, balance)
    return changed


def again(
    unit: Unit, meter_id: int, pair: tuple[Taken, Taken], known: Balance | None
) -> Balance | None:
    """Compare a span unless it is known to be well; a first doubt counts as a re-reading."""
    if known is not None and known.state is BalanceState.OK:
        return known
    found = compare(unit, meter_id, *pair)
    if found is None:
        return None
    rereads = known.rereads if known else 0
    return replace(found, rereads=max(rereads, int(found.is_in_doubt)))


def ask_again(unit: Unit, meter_id: int, balance: Balance) -> None:
    """Open the span in the ledger, once for all registers of the meter."""
    span = (minute_of(balance.from_at), minute_of(balance.to_at))
    if not gaps.in_doubt(unit, meter_id, span):
        gaps.note(unit, meter_id, span, GapReason.IN_DOUBT)


def compare(unit: Unit, meter_id: int, before: Taken, after: Taken) -> Balance | None:
    """Compare one span; None: the meter keeps no such channel in its profile."""
    span = (minute_of(before.taken_at), minute_of(after.taken_at))
    result = Balance(before.obis, before.taken_at, after.taken_at, BalanceState.NOT_CHECKABLE)
    channel = CHANNEL_OF[before.obis]
    found = series.of_meter(unit, meter_id)
    if found and not any(item.key.shape.channels >> channel & 1 for item in found):
        return None
    summed = sum_of(unit, meter_id, channel, span)
    # A register that went back was reset or replaced in between.
    if summed is None or after.value < before.value or not whole(before, after):
        return result
    energy, slots, scale = summed
    moved = after.value - before.value
    allowed = REGISTER_WH * 1000 + slots * scale
    state = BalanceState.OK if abs(moved * 1000 - energy) <= allowed else BalanceState.IN_DOUBT
    return replace(result, state=state, registers_wh=moved, slots_wh=round(energy / 1000))


def whole(before: Taken, after: Taken) -> bool:
    """Say whether both instants are whole minutes, so that slots can meet them."""
    return not any((before.taken_at.second, after.taken_at.second))


def sum_of(
    unit: Unit, meter_id: int, channel: int, span: Span
) -> tuple[Fraction, int, Fraction] | None:
    """Sum one channel in milliwatt-hours, with the number of slots and the scale.

    None unless one series has a plain value for every slot of the span.
    """
    for item in series.of_meter(unit, meter_id):
        shape = item.key.shape
        if channel not in shape.columns or span[0] % shape.minutes or span[1] % shape.minutes:
            continue
        days = series.days_of(unit, item, span)
        first = (span[0] - days.first_day * DAY_MINUTES) // shape.minutes
        slots = (span[1] - span[0]) // shape.minutes
        flags = days.flags.tobytes()[first : first + slots]
        if any(flags):
            continue
        width = len(shape.columns)
        flat = days.values.cast("B").cast("I")
        at = first * width + shape.columns.index(channel)
        counts = sum(flat[at : at + slots * width : width].tolist())
        return counts * item.key.scale, slots, item.key.scale
    return None


def last_checked(store: Store, meter_id: int, since: datetime) -> list[Balance]:
    """List the checks of a meter, for the pages that show them."""
    with store.read() as unit:
        return readings.balances(unit, meter_id, since)
