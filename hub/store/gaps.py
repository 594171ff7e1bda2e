"""The gap ledger: spans of a meter without values (or in doubt), and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam
from sqlmodel import SQLModel, col, select

from hub.domain.calendar import instant_of, minute_of
from hub.domain.series import Span
from hub.store.prepared import Prepared
from hub.store.tables import LedgerGap
from hub.store.unit import Unit


class GapState(StrEnum):
    OPEN = "open"  # the meter will be asked for it
    GONE = "gone"  # the meter was asked and no longer has it
    FILLED = "filled"


class GapReason(StrEnum):
    NOT_WRITTEN = "not_written"  # the meter says that it has no record
    NOT_READ = "not_read"  # records were missing between those that came
    IN_DOUBT = "in_doubt"  # values are there, but the registers say otherwise
    DAMAGED = "damaged"  # a stored block can't be read any more


@dataclass(frozen=True, slots=True)
class StoredGap:
    id: int
    span: Span
    state: GapState
    reason: GapReason
    tries: int
    next_try_at: datetime | None


class GapRow(NamedTuple):
    """The columns of a gap that say what it is."""

    id: int
    from_at: datetime
    to_at: datetime
    state: str
    reason: str
    tries: int
    next_try_at: datetime | None


def of_row(row: LedgerGap | GapRow) -> StoredGap:
    return StoredGap(
        row.id or 0,
        (minute_of(row.from_at), minute_of(row.to_at)),
        GapState(row.state),
        GapReason(row.reason),
        row.tries,
        row.next_try_at,
    )


_GAP = SQLModel.metadata.tables["gap"].c
_MISSING = Prepared(
    select(*(_GAP[name] for name in GapRow._fields))
    .where(
        _GAP.meter_id == bindparam("meter"),
        _GAP.state.in_([GapState.OPEN.value, GapState.GONE.value]),
        _GAP.reason != GapReason.IN_DOUBT.value,
        _GAP.from_at < bindparam("end"),
        _GAP.to_at > bindparam("begin"),
    )
    .order_by(_GAP.from_at),
    lambda cells: of_row(GapRow._make(cells)),
)


def missing(unit: Unit, meter_id: int, span: Span) -> list[StoredGap]:
    """List what of a span is known to be without values, open or gone, oldest first."""
    return _MISSING.all(unit, meter=meter_id, begin=instant_of(span[0]), end=instant_of(span[1]))


def to_ask(unit: Unit, meter_id: int, now: datetime) -> list[StoredGap]:
    """List open gaps whose next try is due, newest first: what people look at comes back first."""
    rows = unit.session.exec(
        select(LedgerGap)
        .where(
            LedgerGap.meter_id == meter_id,
            LedgerGap.state == GapState.OPEN,
            LedgerGap.next_try_at <= now,  # type: ignore[operator]
        )
        .order_by(col(LedgerGap.from_at).desc())
    )
    return [of_row(row) for row in rows]


def get(unit: Unit, gap_id: int) -> StoredGap:
    return of_row(unit.session.get_one(LedgerGap, gap_id))


def note(unit: Unit, meter_id: int, span: Span, reason: GapReason) -> None:
    """Open a gap; the first try is due at once."""
    now = unit.now()
    unit.session.add(
        LedgerGap(
            meter_id=meter_id,
            from_at=instant_of(span[0]),
            to_at=instant_of(span[1]),
            state=GapState.OPEN,
            reason=reason,
            next_try_at=now,
            noted_at=now,
        )
    )


def shrink(unit: Unit, gap_id: int, rest: list[Span]) -> None:
    """Leave of a gap what is still missing; nothing left: it is filled."""
    row = unit.session.get_one(LedgerGap, gap_id)
    if not rest:
        row.state, row.next_try_at = GapState.FILLED, None
        unit.session.add(row)
        return
    (row.from_at, row.to_at), *others = [(instant_of(a), instant_of(b)) for a, b in rest]
    unit.session.add(row)
    for begin, end in others:
        copy = row.model_dump(exclude={"id"}) | {"from_at": begin, "to_at": end}
        unit.session.add(LedgerGap(**copy))


def close(unit: Unit, gap_id: int, state: GapState) -> None:
    row = unit.session.get_one(LedgerGap, gap_id)
    row.state, row.tries, row.next_try_at = state, row.tries + 1, None
    unit.session.add(row)


def put_off(unit: Unit, gap_id: int, until: datetime) -> None:
    """Count a try that led nowhere and ask again later."""
    row = unit.session.get_one(LedgerGap, gap_id)
    row.tries, row.next_try_at = row.tries + 1, until
    unit.session.add(row)


def in_doubt(unit: Unit, meter_id: int, span: Span) -> bool:
    """Say whether exactly this span was noted as in doubt before."""
    found = unit.session.exec(
        select(LedgerGap.id).where(
            LedgerGap.meter_id == meter_id,
            LedgerGap.reason == GapReason.IN_DOUBT,
            LedgerGap.from_at == instant_of(span[0]),
            LedgerGap.to_at == instant_of(span[1]),
        )
    )
    return found.first() is not None
