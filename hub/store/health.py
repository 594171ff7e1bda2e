"""How lines and meters fare, all of them, for whoever looks after the hub."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from hub.store.tables import Line, Meter, MeterState
from hub.store.unit import Unit


@dataclass(frozen=True, slots=True)
class LineFare:
    """A line; ``down_since_at`` is set while nobody on it can be reached."""

    id: int
    address: str
    down_since_at: datetime | None
    error_code: str
    error_text: str


@dataclass(frozen=True, slots=True)
class MeterFare:
    """A meter; ``seen_at`` None: never read yet. ``stopped``: it waits for a person."""

    id: int
    line_id: int
    maker: str
    serial: str
    seen_at: datetime | None
    failures: int
    stopped: bool
    error_code: str
    error_text: str


def lines(unit: Unit) -> list[LineFare]:
    rows = unit.session.exec(select(Line).order_by(col(Line.id)))
    return [
        LineFare(row.id or 0, row.address, row.down_since_at, row.error_code, row.error_text)
        for row in rows
    ]


def meters(unit: Unit) -> list[MeterFare]:
    """List every meter by line; one that was never visited has no state yet."""
    rows = unit.session.exec(
        select(Meter, MeterState)
        .join(MeterState, col(MeterState.meter_id) == col(Meter.id), isouter=True)
        .order_by(col(Meter.line_id), col(Meter.id))
    )
    return [_meter(row, state) for row, state in rows]


def _meter(row: Meter, state: MeterState | None) -> MeterFare:
    if state is None:
        return MeterFare(row.id or 0, row.line_id, row.maker, row.serial, None, 0, False, "", "")
    return MeterFare(
        row.id or 0,
        row.line_id,
        row.maker,
        row.serial,
        state.seen_at,
        state.failures,
        state.stopped,
        state.error_code,
        state.error_text,
    )
