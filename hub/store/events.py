"""Events of meters: entries of their journals, and what the hub saw, told apart by their keys."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from sqlalchemy import ColumnElement, and_, false, or_
from sqlmodel import col, func, select

from hub.domain.clock import ClockBases, MeterTime
from hub.domain.events import KINDS, kind_of
from hub.domain.journal import JournalEntry, When
from hub.store.tables import Meter, MeterEvent
from hub.store.unit import Unit

METER, HUB = "meter", "hub"
END_UNKNOWN = "?"  # in place of the face: the ring overwrote the entry before its end was read
LASTING = tuple(sorted(kind.name for kind in KINDS.values() if kind.lasting))


class Put(Enum):
    """What an entry changed."""

    NEW = auto()
    CHANGED = auto()
    SAME = auto()


@dataclass(frozen=True, slots=True)
class EventRow:
    """A stored event. ``began_at`` and ``ended_at``: its faces by the clock base."""

    id: int
    meter_id: int
    source: str
    entry: JournalEntry
    began_at: datetime
    ended_at: datetime | None
    end_unknown: bool
    phase: int | None
    severity: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """A meter's stay at a point; ``to_at`` None: still."""

    meter_id: int
    from_at: datetime
    to_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which events; an empty collection is no restriction. ``to_at`` is not included."""

    from_at: datetime | None = None
    to_at: datetime | None = None
    kinds: Collection[str] = ()
    severities: Collection[str] = ()
    phase: int | None = None
    only_open: bool = False


def put_entries(
    unit: Unit, meter_id: int, entries: Iterable[JournalEntry], bases: ClockBases,
    source: str = METER,
) -> list[tuple[Put, MeterEvent]]:  # fmt: skip
    """Store entries; one that is there already changes nothing, or gets its end and its facts."""
    given = [(entry.key, entry) for entry in entries]
    known = {
        row.key: row
        for row in unit.session.exec(
            select(MeterEvent).where(
                MeterEvent.meter_id == meter_id, col(MeterEvent.key).in_([key for key, _ in given])
            )
        )
    }
    done = []
    for key, entry in given:
        row = known.get(key)
        if row is None:
            began = face_text(entry.began)
            row = MeterEvent(
                meter_id=meter_id, key=key, source=source, book=entry.book, kind=entry.kind,
                nth=entry.nth, began_face=began, began_at=_utc(entry.began, bases), severity="",
                first_seen_at=unit.now(), changed_at=unit.now(),
            )  # fmt: skip
            _tell(row, entry, bases)
            unit.session.add(row)
            known[key] = row
            put = Put.NEW
        elif _tell(row, entry, bases):
            row.changed_at = unit.now()
            unit.session.add(row)
            put = Put.CHANGED
        else:
            put = Put.SAME
        done.append((put, row))
    unit.session.flush()
    return done


def _tell(row: MeterEvent, entry: JournalEntry, bases: ClockBases) -> bool:
    """Take over what the entry knows; what it does not know stays. True: something is new."""
    before = (row.ended_face, dict(row.detail), row.raw)
    if entry.ended is not None:
        row.ended_face, row.ended_at = face_text(entry.ended), _utc(entry.ended, bases)
    if entry.detail:
        row.detail = dict(entry.detail)
        phase = entry.detail.get("phase", "")
        row.phase = int(phase) if phase.isdecimal() else None
    row.raw = entry.raw or row.raw
    lasted = None if row.ended_at is None else row.ended_at - row.began_at
    row.severity = kind_of(row.kind).severity_of(lasted).value
    return before != (row.ended_face, dict(row.detail), row.raw)


def give_up_ends(unit: Unit, meter_id: int, book: str, before: datetime) -> None:
    """Say of open events that their end will never be known: the book has overwritten them."""
    rows = unit.session.exec(
        select(MeterEvent).where(
            MeterEvent.meter_id == meter_id,
            MeterEvent.book == book,
            MeterEvent.began_at < before,
            _is_open(),
        )
    )
    for row in rows:
        row.ended_face, row.changed_at = END_UNKNOWN, unit.now()
        unit.session.add(row)


def newest_of_book(unit: Unit, meter_id: int, book: str) -> When | None:
    """Return when the newest entry began that was ever read from a book."""
    face: str | None = unit.session.exec(
        select(func.max(MeterEvent.began_face)).where(
            MeterEvent.meter_id == meter_id, MeterEvent.book == book, MeterEvent.source == METER
        )
    ).one()
    return None if face is None else face_of(face)


def newest_of_hub(unit: Unit, meter_id: int, kind: str) -> EventRow | None:
    """Return the newest event of a kind that the hub itself saw at a meter."""
    row = unit.session.exec(
        select(MeterEvent)
        .where(MeterEvent.meter_id == meter_id, MeterEvent.kind == kind, MeterEvent.source == HUB)
        .order_by(col(MeterEvent.began_at).desc())
        .limit(1)
    ).first()
    return None if row is None else _row(row)


def listed(
    unit: Unit,
    stays: Sequence[Stay],
    wish: Wish,
    *,
    limit: int,
    after: tuple[datetime, int] | None = None,
) -> list[EventRow]:
    """List events of meters during their stays, newest first, after one that was listed last."""
    query = select(MeterEvent).where(_during(stays), *_wished(wish))
    if after is not None:
        at, last_id = after
        query = query.where(
            or_(
                col(MeterEvent.began_at) < at,
                and_(col(MeterEvent.began_at) == at, col(MeterEvent.id) < last_id),
            )
        )
    query = query.order_by(col(MeterEvent.began_at).desc(), col(MeterEvent.id).desc()).limit(limit)
    return [_row(row) for row in unit.session.exec(query)]


def one(unit: Unit, event_id: int) -> EventRow | None:
    row = unit.session.get(MeterEvent, event_id)
    return None if row is None else _row(row)


def counts(unit: Unit, stays: Sequence[Stay], wish: Wish) -> dict[str, int]:
    """Count the events that are wished for, by kind."""
    query = (
        select(MeterEvent.kind, func.count())
        .where(_during(stays), *_wished(wish))
        .group_by(col(MeterEvent.kind))
    )
    return dict(unit.session.exec(query).all())


def drivers(unit: Unit, meters: Collection[int]) -> dict[int, str]:
    """Give the drivers of meters, whose books they number."""
    query = select(Meter.id, Meter.driver).where(col(Meter.id).in_(list(meters)))
    return {meter or 0: driver for meter, driver in unit.session.exec(query)}


def kinds(unit: Unit, stays: Sequence[Stay]) -> list[str]:
    """List the kinds that occurred during these stays."""
    found = unit.session.exec(select(MeterEvent.kind).where(_during(stays)).distinct())
    return sorted(found)


def _during(stays: Sequence[Stay]) -> ColumnElement[bool]:
    return or_(
        false(),
        *(
            and_(
                col(MeterEvent.meter_id) == stay.meter_id,
                _reaches(stay.from_at),
                *(() if stay.to_at is None else (col(MeterEvent.began_at) < stay.to_at,)),
            )
            for stay in stays
        ),
    )


def _reaches(at: datetime) -> ColumnElement[bool]:
    """Whether an event went on at an instant or began later."""
    return or_(col(MeterEvent.began_at) >= at, col(MeterEvent.ended_at) >= at, _is_open())


def _is_open() -> ColumnElement[bool]:
    return and_(col(MeterEvent.ended_face) == "", col(MeterEvent.kind).in_(LASTING))


def _wished(wish: Wish) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wish.from_at is not None:
        found.append(_reaches(wish.from_at))
    if wish.to_at is not None:
        found.append(col(MeterEvent.began_at) < wish.to_at)
    if wish.kinds:
        found.append(col(MeterEvent.kind).in_(list(wish.kinds)))
    if wish.severities:
        found.append(col(MeterEvent.severity).in_(list(wish.severities)))
    if wish.phase is not None:
        found.append(col(MeterEvent.phase) == wish.phase)
    if wish.only_open:
        found.append(_is_open())
    return found


def _row(row: MeterEvent) -> EventRow:
    ended = row.ended_face if row.ended_face != END_UNKNOWN else ""
    return EventRow(
        row.id or 0,
        row.meter_id,
        row.source,
        JournalEntry(
            row.book,
            row.kind,
            face_of(row.began_face),
            face_of(ended) if ended else None,
            dict(row.detail),
            row.raw,
            row.nth,
        ),
        row.began_at,
        row.ended_at,
        row.ended_face == END_UNKNOWN,
        row.phase,
        row.severity,
        row.first_seen_at,
    )


_SEASONS: dict[bool | None, str] = {True: "S", False: "W", None: ""}


def face_text(when: When) -> str:
    """Write when something was: '2026-11-24T10:00:03', and the season's letter, or 'Z' for UTC."""
    if isinstance(when, MeterTime):
        return when.face.isoformat(timespec="seconds") + _SEASONS[when.summer]
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def face_of(text: str) -> When:
    """Read what ``face_text`` wrote."""
    at, letter = datetime.fromisoformat(text[:19]), text[19:]
    if letter == "Z":
        return at.replace(tzinfo=UTC)
    return MeterTime(at, {"S": True, "W": False}.get(letter))


def _utc(when: When, bases: ClockBases) -> datetime:
    return bases.utc(when) if isinstance(when, MeterTime) else when.astimezone(UTC)
