"""Points as their owner sees them: one query for each kind of row, for all points at once.

Every query starts from the owner, so a foreign id finds nothing. Statements are built once;
what comes back are plain values.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, select
from sqlmodel import SQLModel

from hub.store import tables
from hub.store.prepared import Prepared
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_POINT = _T[str(tables.ContractPoint.__tablename__)].c
_CONTRACT = _T["contract"].c
_PLACE = _T["metering_point"].c
_SCHEDULE = _T["zone_schedule"].c
_INSTALLATION = _T["installation"].c
_METER = _T["meter"].c
_LINE = _T["line"].c
_STATE = _T["meter_state"].c
_SERIES = _T["series"].c
_READING = _T["register_reading"].c


class PointRow(NamedTuple):
    """A contract's point with the place it is joined to, if it is joined."""

    id: int
    contract_id: int
    contract_name: str
    does: Sequence[str]  # what the contract's supplier does
    metering_point_id: int | None
    remote_id: str
    name: str
    number: str
    meter_serial: str
    resource: str
    unit: str
    smart: bool
    place: str
    tariff_zones: Sequence[str]
    whole_digits: int | None
    decimal_digits: int | None
    facts: Mapping[str, str]
    submit_from_day: int | None
    submit_to_day: int | None
    transformers: Sequence[Mapping[str, Any]]
    told_at: datetime
    time_zone: str | None
    schedule_id: int | None
    rules: Sequence[Mapping[str, Any]] | None


class InstallationRow(NamedTuple):
    """A meter at a place from an instant to an instant, and how the hub gets on with the meter."""

    metering_point_id: int
    meter_id: int
    from_at: datetime
    to_at: datetime | None
    current_ratio: int
    voltage_ratio: int
    loss_millionths: int
    register_map: Mapping[str, str]
    maker: str
    model: str
    serial: str
    drift_s: float | None
    drift_at: datetime | None
    due_at: datetime | None
    seen_at: datetime | None
    tried_at: datetime | None
    failures: int | None
    error_code: str | None
    stopped: bool | None
    profile_from_at: datetime | None
    profile_through_at: datetime | None
    profile_done: bool | None
    line_down_since_at: datetime | None
    line_next_try_at: datetime | None
    line_error_code: str


class SpanRow(NamedTuple):
    """A meter at a place from an instant to an instant, with the ratios of that time."""

    metering_point_id: int
    meter_id: int
    from_at: datetime
    to_at: datetime | None
    current_ratio: int
    voltage_ratio: int
    loss_millionths: int


class SeriesRow(NamedTuple):
    """``channels``: bit n set for the n-th of A+ A- R+ R-; blocks hold only the channels set."""

    id: int
    meter_id: int | None
    metering_point_id: int | None
    source: str
    minutes: int
    scale_num: int
    scale_den: int
    channels: int
    ratios_applied: bool
    mark: int  # another one after each change of its blocks


class ReadingRow(NamedTuple):
    meter_id: int
    obis: str
    taken_at: datetime
    value: int
    source: str
    day_start: bool


_OWNED = (
    select(
        _POINT.id,
        _POINT.contract_id,
        _CONTRACT.name,
        _CONTRACT.does,
        _POINT.metering_point_id,
        _POINT.remote_id,
        _POINT.name,
        _POINT.number,
        _POINT.meter_serial,
        _POINT.resource,
        _POINT.unit,
        _POINT.smart,
        _POINT.place,
        _POINT.tariff_zones,
        _POINT.whole_digits,
        _POINT.decimal_digits,
        _POINT.facts,
        _POINT.submit_from_day,
        _POINT.submit_to_day,
        _POINT.transformers,
        _POINT.told_at,
        _PLACE.time_zone,
        _SCHEDULE.id,
        _SCHEDULE.rules,
    )
    .select_from(
        _T["contract_point"]
        .join(_T["contract"], _CONTRACT.id == _POINT.contract_id)
        .outerjoin(_T["metering_point"], _PLACE.id == _POINT.metering_point_id)
        .outerjoin(_T["zone_schedule"], _SCHEDULE.id == _PLACE.zone_schedule_id)
    )
    .where(_CONTRACT.user_id == bindparam("user"))
    .order_by(_POINT.id)
)
_OF_USER = Prepared(_OWNED, PointRow._make)
_OF_CONTRACT = Prepared(_OWNED.where(_CONTRACT.id == bindparam("contract")), PointRow._make)
_ONE = Prepared(_OWNED.where(_POINT.id == bindparam("point")), PointRow._make)

_INSTALLED = Prepared(
    select(
        _INSTALLATION.metering_point_id,
        _INSTALLATION.meter_id,
        _INSTALLATION.from_at,
        _INSTALLATION.to_at,
        _INSTALLATION.current_ratio,
        _INSTALLATION.voltage_ratio,
        _INSTALLATION.loss_millionths,
        _INSTALLATION.register_map,
        _METER.maker,
        _METER.model,
        _METER.serial,
        _METER.drift_s,
        _METER.drift_at,
        _STATE.due_at,
        _STATE.seen_at,
        _STATE.tried_at,
        _STATE.failures,
        _STATE.error_code,
        _STATE.stopped,
        _STATE.profile_from_at,
        _STATE.profile_through_at,
        _STATE.profile_done,
        _LINE.down_since_at,
        _LINE.next_try_at,
        _LINE.error_code,
    )
    .select_from(
        _T["installation"]
        .join(_T["meter"], _METER.id == _INSTALLATION.meter_id)
        .join(_T["line"], _LINE.id == _METER.line_id)
        .outerjoin(_T["meter_state"], _STATE.meter_id == _METER.id)
    )
    .where(_INSTALLATION.metering_point_id.in_(bindparam("places", expanding=True)))
    .order_by(_INSTALLATION.metering_point_id, _INSTALLATION.from_at),
    InstallationRow._make,
)

_SPANS = Prepared(
    select(
        _INSTALLATION.metering_point_id,
        _INSTALLATION.meter_id,
        _INSTALLATION.from_at,
        _INSTALLATION.to_at,
        _INSTALLATION.current_ratio,
        _INSTALLATION.voltage_ratio,
        _INSTALLATION.loss_millionths,
    )
    .where(_INSTALLATION.metering_point_id.in_(bindparam("places", expanding=True)))
    .order_by(_INSTALLATION.metering_point_id, _INSTALLATION.from_at),
    SpanRow._make,
)

_SERIES_COLUMNS = (
    _SERIES.id,
    _SERIES.meter_id,
    _SERIES.metering_point_id,
    _SERIES.source,
    _SERIES.minutes,
    _SERIES.scale_num,
    _SERIES.scale_den,
    _SERIES.channels,
    _SERIES.ratios_applied,
    _SERIES.mark,
)
# Two statements in one: an OR over two columns keeps both databases from using either index.
_SERIES_OF = Prepared(
    select(*_SERIES_COLUMNS)
    .where(_SERIES.meter_id.in_(bindparam("meters", expanding=True)))
    .union_all(
        select(*_SERIES_COLUMNS).where(
            _SERIES.meter_id.is_(None),
            _SERIES.metering_point_id.in_(bindparam("places", expanding=True)),
        )
    ),
    SeriesRow._make,
)

_READING_COLUMNS = (
    _READING.meter_id,
    _READING.obis,
    _READING.taken_at,
    _READING.value,
    _READING.source,
    _READING.day_start,
)
_BETWEEN = (
    select(*_READING_COLUMNS)
    .where(
        _READING.meter_id.in_(bindparam("meters", expanding=True)),
        _READING.obis.in_(bindparam("registers", expanding=True)),
        _READING.taken_at >= bindparam("first"),
        _READING.taken_at <= bindparam("last"),
    )
    .order_by(_READING.taken_at)
)
_READINGS = Prepared(_BETWEEN, ReadingRow._make)
_DAY_STARTS = Prepared(_BETWEEN.where(_READING.day_start.is_(True)), ReadingRow._make)
# The newest reading of each meter by two seeks in the key; a GROUP BY would read all of them.
_LATEST_AT = (
    select(
        _METER.id,
        select(func.max(_READING.taken_at))
        .where(_READING.meter_id == _METER.id, _READING.obis == bindparam("total"))
        .correlate(_T["meter"])
        .scalar_subquery()
        .label("at"),
    )
    .where(_METER.id.in_(bindparam("meters", expanding=True)))
    .subquery()
)
_LATEST = Prepared(
    select(*_READING_COLUMNS).join_from(
        _LATEST_AT,
        _T["register_reading"],
        and_(
            _READING.meter_id == _LATEST_AT.c.id,
            _READING.taken_at == _LATEST_AT.c.at,
            _READING.obis.in_(bindparam("registers", expanding=True)),
        ),
    ),
    ReadingRow._make,
)


def of_contract(unit: Unit, user_id: int, contract_id: int) -> list[PointRow]:
    """Points of a contract of this user; empty for somebody else's."""
    return _OF_CONTRACT.all(unit, user=user_id, contract=contract_id)


def of_user(unit: Unit, user_id: int) -> list[PointRow]:
    return _OF_USER.all(unit, user=user_id)


def one(unit: Unit, user_id: int, point_id: int) -> PointRow | None:
    """Find the point, if it is on a contract of this user."""
    return _ONE.first(unit, user=user_id, point=point_id)


def installations(unit: Unit, places: Collection[int]) -> list[InstallationRow]:
    """All installations at these places, oldest first."""
    if not places:
        return []
    return _INSTALLED.all(unit, places=list(places))


def spans(unit: Unit, places: Collection[int]) -> list[SpanRow]:
    """List the same installations with no more than sums need."""
    if not places:
        return []
    return _SPANS.all(unit, places=list(places))


def series_of(unit: Unit, meters: Collection[int], places: Collection[int]) -> list[SeriesRow]:
    """Series of these meters, and those kept for these places themselves."""
    return _SERIES_OF.all(unit, meters=list(meters), places=list(places))


def blocks(
    unit: Unit, series: Sequence[int], first_day: int, last_day: int
) -> dict[int, list[bytes | None]]:
    """Blocks of each series for each UTC day, both ends included, over the DBAPI cursor.

    Series without any block are left out.
    """
    if not series:
        return {}
    marks = ",".join("?" * len(series))
    cursor = unit.cursor()
    cursor.execute(
        f"SELECT series_id, day, body FROM block"  # noqa: S608 - only question marks are put in
        f" WHERE series_id IN ({marks}) AND day >= ? AND day <= ?",
        (*series, first_day, last_day),
    )
    found: dict[int, list[bytes | None]] = {}
    days = last_day - first_day + 1
    for series_id, day, body in cursor.fetchall():
        if series_id not in found:
            found[series_id] = [None] * days
        found[series_id][day - first_day] = body
    return found


def days_held(unit: Unit, meter_id: int) -> int:
    """Count the UTC days that the meter's own series have blocks of."""
    cursor = unit.cursor()
    cursor.execute(
        "SELECT count(DISTINCT block.day) FROM block JOIN series ON series.id = block.series_id"
        " WHERE series.meter_id = ?",
        (meter_id,),
    )
    return int(cursor.fetchone()[0])


def readings(
    unit: Unit,
    meters: Collection[int],
    registers: Collection[str],
    first: datetime,
    last: datetime,
    *,
    only_day_starts: bool = False,
) -> list[ReadingRow]:
    """Register readings from ``first`` to ``last``, both included, oldest first.

    ``only_day_starts``: those at the start of days, which the meters themselves keep.
    """
    if not meters or not registers:
        return []
    wanted = _DAY_STARTS if only_day_starts else _READINGS
    return wanted.all(unit, meters=list(meters), registers=list(registers), first=first, last=last)


def latest(
    unit: Unit, meters: Collection[int], registers: Collection[str], total: str
) -> list[ReadingRow]:
    """List the registers of each meter at the newest reading of its ``total``."""
    if not meters:
        return []
    return _LATEST.all(unit, meters=list(meters), registers=list(registers), total=total)
