"""Series of a meter and what is stored of them: opening, presence, revisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlmodel import col, insert, select

from hub.domain.series import Shape, Span, joined
from hub.store import blocks
from hub.store.blocks import DAY_MINUTES, Days
from hub.store.tables import Revision, Series
from hub.store.unit import Unit

DRIVER = "driver"


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What makes a series one: a change of any of it opens another.

    ``scale``: milliwatt-hours a count. It belongs to a meter, or, ``meter_id`` 0, to a place.
    """

    meter_id: int
    shape: Shape
    scale: Fraction
    source: str = DRIVER
    ratios_applied: bool = False
    place_id: int = 0


@dataclass(frozen=True, slots=True)
class StoredSeries:
    id: int
    key: SeriesKey


@dataclass(frozen=True, slots=True)
class Revised:
    """What a slot held before it was changed."""

    series_id: int
    day: int
    slot: int
    counts: tuple[int, ...]
    flags: int


def of_row(row: Series) -> StoredSeries:
    return StoredSeries(
        row.id or 0,
        SeriesKey(
            row.meter_id or 0,
            Shape(row.minutes, row.channels),
            Fraction(row.scale_num, row.scale_den),
            row.source,
            row.ratios_applied,
            row.metering_point_id or 0,
        ),
    )


def one(unit: Unit, series_id: int) -> StoredSeries | None:
    """Read a series; its ``meter_id`` is 0 if it belongs to a point."""
    row = unit.session.get(Series, series_id)
    return None if row is None else of_row(row)


def every(unit: Unit) -> list[StoredSeries]:
    return [of_row(row) for row in unit.session.exec(select(Series).order_by(col(Series.id)))]


def of_meter(unit: Unit, meter_id: int, source: str = DRIVER) -> list[StoredSeries]:
    """List a meter's series of one source, oldest first."""
    found = unit.session.exec(
        select(Series)
        .where(Series.meter_id == meter_id, Series.source == source)
        .order_by(col(Series.id))
    )
    return [of_row(row) for row in found]


def of_place(unit: Unit, place_id: int, source: str) -> list[StoredSeries]:
    """List a place's own series of one source, oldest first."""
    found = unit.session.exec(
        select(Series)
        .where(Series.metering_point_id == place_id, Series.source == source)
        .order_by(col(Series.id))
    )
    return [of_row(row) for row in found]


def find_or_open(unit: Unit, key: SeriesKey) -> int:
    """Return the id of the series with exactly this key, made if there is none."""
    alike = (
        of_meter(unit, key.meter_id, key.source)
        if key.meter_id
        else of_place(unit, key.place_id, key.source)
    )
    for known in alike:
        if known.key == key:
            return known.id
    row = Series(
        meter_id=key.meter_id or None,
        metering_point_id=key.place_id or None,
        source=key.source,
        minutes=key.shape.minutes,
        scale_num=key.scale.numerator,
        scale_den=key.scale.denominator,
        channels=key.shape.channels,
        ratios_applied=key.ratios_applied,
    )
    unit.session.add(row)
    unit.session.flush()
    if row.id is None:
        raise AssertionError("the database gave no id")
    return row.id


def days_of(unit: Unit, series: StoredSeries, span: Span) -> Days:
    """Read the days that a span of minutes touches."""
    return blocks.read_days(
        unit.cursor(),
        series.id,
        series.key.shape,
        span[0] // DAY_MINUTES,
        (span[1] - 1) // DAY_MINUTES,
    )


def present(unit: Unit, meter_id: int, span: Span) -> list[Span]:
    """List where within whole days around a span the meter's own series have values."""
    found: list[Span] = []
    for series in of_meter(unit, meter_id):
        found += days_of(unit, series, span).spans()
    return joined(found)


def revise(unit: Unit, revised: Sequence[Revised], *, at: datetime, why: str, actor: str) -> None:
    """Keep what was there before a change."""
    if revised:
        unit.session.execute(
            insert(Revision),
            [
                {
                    "series_id": item.series_id,
                    "day": item.day,
                    "slot": item.slot,
                    "old_counts": list(item.counts),
                    "old_flags": item.flags,
                    "at": at,
                    "why": why,
                    "actor": actor,
                }
                for item in revised
            ],
        )


def newest_end(unit: Unit, series: StoredSeries) -> int | None:
    """Return the minute at which the newest slot with a value ends; None: there is none."""
    cursor = unit.cursor()
    cursor.execute("SELECT max(day) FROM block WHERE series_id = ?", (series.id,))
    newest = cursor.fetchone()[0]
    if newest is None:
        return None
    days = blocks.read_days(unit.cursor(), series.id, series.key.shape, newest, newest)
    return max((end for _, end in days.spans()), default=None)
