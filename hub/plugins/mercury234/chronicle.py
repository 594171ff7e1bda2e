"""From the records of one ring to journal entries: joined, numbered, with what was lost.

Pure: what was read before (``Told``) and what the ring shows now (``View``) go in, entries and the
next ``Told`` come out. Records are identified by their place in the ring and the part of them
that never changes; times alone can't do it, for a clock that was set back repeats them. Entries of
one second are told apart as long as the ring holds them all.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.plugins.api import UNKNOWN, Cursor, CursorLost, Gap, JournalEntry, MeterTime, When
from hub.plugins.mercury234.books import STAMP, Book, Record, Shape, is_blank, parse_record
from hub.plugins.mercury234.frames import spaced
from hub.plugins.mercury234.parameters import faults

SCHEME = "mercury234/journal/1"
DATE = 3  # bytes of a MAP record that never change


@dataclass(frozen=True, slots=True)
class Ring:
    """Places ``first`` to ``first + depth - 1`` of a book, written in turn."""

    book: Book
    kind: str
    first: int
    depth: int
    numbered: bool  # the meter can tell which place was written last

    def lasting(self, wire: bytes) -> bytes:
        """Return the part of a record that stays when the record is completed."""
        return wire[: DATE if self.book.shape is Shape.MAP else STAMP]

    def began(self, wire: bytes) -> datetime | None:
        """Return when the entry of a record began; None if it has none, or makes no sense."""
        record = parsed(self.book.shape, wire)
        if record is None:
            return None
        return record.second if self.book.shape is Shape.BREAK else record.first

    def same(self, wire: bytes, other: bytes) -> bool:
        """Tell whether these can be one record, completed meanwhile."""
        return self.lasting(wire) == self.lasting(other)

    def newest(self, wires: Sequence[bytes]) -> int | None:
        """Find the place written last, where nothing else tells; None: nothing is written.

        By the first blank, else by the one step back in time. A ring full of equal times, or of
        a clock that was set back, has no certain beginning: then the latest time is taken.
        """
        written = [not is_blank(wire) for wire in wires]
        if not all(written):
            return max((at for at, full in enumerate(written) if full), default=None)
        times = [first_time(self.book.shape, wire) for wire in wires]
        steps_back = [
            at for at in range(self.depth)
            if times[at] > times[(at + 1) % self.depth]
        ]  # fmt: skip
        return max(steps_back, key=lambda at: times[at], default=self.depth - 1)


@dataclass(frozen=True, slots=True)
class Told:
    """What was read of a ring before.

    ``entries``: place, beginning and ``nth`` of the last entry and of those still open. ``high``:
    the latest beginning ever read, which a clock that is set back comes to again.
    ``stamps``: what stays of each record, where the meter does not tell which is the newest.
    """

    at: int
    wire: bytes
    entries: tuple[tuple[int, str, int], ...] = ()
    high: str = ""
    stamps: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What one reading saw: the records from the last one told, or the oldest kept, to the newest.

    ``wires`` are oldest first and end at place ``newest``; none: the ring is blank. ``met``: the
    first of them was told before. ``older``: records before it that were still open. ``past``: all
    before it, where the clock was set back. ``stamps`` as in ``Told``.
    """

    newest: int = 0
    wires: tuple[bytes, ...] = ()
    met: bool = False
    older: Mapping[int, bytes] = field(default_factory=dict)
    past: tuple[bytes, ...] = ()
    stamps: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry without its number among its equals."""

    place: int
    kind: str
    began: datetime
    ended: datetime | None
    detail: Mapping[str, str]
    raw: bytes
    again: bool = False  # told before, and nothing new about it


# -- cursors -----------------------------------------------------------------------------------


def to_cursor(rings: Sequence[Told | None], *, summer: bool) -> Cursor:
    body = {
        "summer": summer,
        "rings": [
            told
            and {
                "at": told.at,
                "wire": told.wire.hex(),
                "told": told.entries,
                "high": told.high,
                "stamps": [stamp.hex() for stamp in told.stamps],
            }
            for told in rings
        ],
    }
    return Cursor(SCHEME, json.dumps(body, separators=(",", ":")))


Season = Callable[[datetime], bool | None]
CHANGE_MONTHS = 3, 10
NOT_OURS = "The cursor of the journal is not of this driver"


def from_cursor(
    since: Cursor | None, rings: Sequence[Ring]
) -> tuple[list[Told | None], bool | None]:
    """Return what was told of each ring, and the season then; CursorLost if it is not ours."""
    if since is None:
        return [None] * len(rings), None
    try:
        body = json.loads(since.body)
        told = [_told(ring, kept) for ring, kept in zip(rings, body["rings"], strict=True)]
        summer = {True: True, False: False}[body["summer"]]
    except (ValueError, KeyError, TypeError) as error:
        raise CursorLost(f"{NOT_OURS}; the journal is read from its oldest entry.") from error
    if since.scheme != SCHEME:
        raise CursorLost(
            f"{NOT_OURS} but of {since.scheme}; the journal is read from its oldest entry."
        )
    return told, summer


def _told(ring: Ring, kept: Mapping[str, object] | None) -> Told | None:
    if kept is None:
        return None
    at, wire, stamps = kept["at"], kept["wire"], kept["stamps"]
    entries, high = kept["told"], kept["high"]
    if not (isinstance(at, int) and isinstance(wire, str) and isinstance(stamps, list)):
        raise TypeError
    if not isinstance(high, str):
        raise TypeError
    if not isinstance(entries, list) or len(bytes.fromhex(wire)) != ring.book.size:
        raise TypeError
    if not 0 <= at < ring.depth or len(stamps) not in {0, ring.depth}:
        raise ValueError(at)
    return Told(
        at=at,
        wire=bytes.fromhex(wire),
        entries=tuple((int(p), str(began), int(nth)) for p, began, nth in entries),
        high=high,
        stamps=tuple(bytes.fromhex(stamp) for stamp in stamps),
    )


# -- seasons -----------------------------------------------------------------------------------


def season_between(now: MeterTime, *, then: bool | None, is_first: bool) -> Season:
    """Tell the season of each time that a visit at ``now`` reads; ``then``: at the one before.

    At a first reading nobody has seen the clock before: what is older than the last day on which
    clocks usually change has no known season. Between two visits with the same clock there is one
    season, else none is known.
    """
    if not is_first:
        summer = now.summer if then is now.summer else None
        return lambda _at: summer
    changed = _last_change(now.face)
    return lambda at: now.summer if at >= changed else None


def _last_change(face: datetime) -> datetime:
    """Return the last Sunday of March or October before a face, the day after as from its start."""
    days = []
    for year in (face.year - 1, face.year):
        for month in CHANGE_MONTHS:
            last = datetime(year, month, 31)  # noqa: DTZ001 - a face
            days.append(last - timedelta(days=(last.weekday() + 1) % 7 - 1))
    return max(day for day in days if day <= face)


# -- entries -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chapter:
    """What is new of one ring; ``lost`` is from the last record read to the oldest kept."""

    entries: tuple[JournalEntry, ...]
    lost: tuple[datetime | None, datetime] | None
    told: Told | None

    @property
    def empty(self) -> bool:
        return not self.entries and self.lost is None


def chapter(
    ring: Ring, view: View, before: Told | None, now: datetime, *, season: Season
) -> Chapter:
    """Make entries of what one reading saw; ``season`` tells what each is dated in."""
    if not view.wires:
        last = last_time(ring.book.shape, before.wire) if before else None
        return Chapter((), (last, now) if before else None, None)
    drafts = _drafts(ring, view, before, now)
    known = {(place, began): nth for place, began, nth in before.entries} if before else {}
    used: dict[tuple[str, str], int] = {}
    for wire in view.past:
        past = ring.began(wire)
        if past is not None:
            key = ring.kind, past.isoformat()
            used[key] = used.get(key, -1) + 1
    for (_, began), nth in known.items():
        for kind in (ring.kind, UNKNOWN):
            used[kind, began] = max(nth, used.get((kind, began), 0))
    entries: list[JournalEntry] = []
    kept: list[tuple[int, str, int]] = []
    for draft in drafts:
        began = draft.began.isoformat()
        if view.met and (draft.place, began) in known:
            nth = known[draft.place, began]
        else:
            # two rings of one book have unknown records apart by the places of the second
            start = ring.first if draft.kind == UNKNOWN else 0
            nth = used.get((draft.kind, began), start - 1) + 1
            used[draft.kind, began] = nth
        if draft.place == view.newest or (draft.ended is None and _has_end(ring.book.shape)):
            kept.append((draft.place, began, nth))
        if not draft.again:
            entries.append(_entry(ring, draft, nth, season))
    high = max([before.high if before else "", *(draft.began.isoformat() for draft in drafts)])
    told = Told(view.newest, view.wires[-1], tuple(kept), high, view.stamps)
    return Chapter(tuple(entries), _lost(ring, view, before, now), told)


def _entry(ring: Ring, draft: Draft, nth: int, season: Season) -> JournalEntry:
    return JournalEntry(
        book=ring.book.name,
        kind=draft.kind,
        began=MeterTime(draft.began, season(draft.began)),
        ended=None if draft.ended is None else MeterTime(draft.ended, season(draft.ended)),
        detail={**ring.book.detail, **draft.detail},
        raw=draft.raw,
        nth=nth,
    )


def _has_end(shape: Shape) -> bool:
    return shape in {Shape.SPAN, Shape.BREAK}


def _drafts(ring: Ring, view: View, before: Told | None, now: datetime) -> list[Draft]:
    older = [_older(ring, place, wire) for place, wire in view.older.items()]
    records = [parsed(ring.book.shape, wire) for wire in view.wires]
    drafts = [draft for draft in older if draft is not None]
    for at, (record, wire) in enumerate(zip(records, view.wires, strict=True)):
        place = (view.newest - len(records) + 1 + at) % ring.depth
        same = at == 0 and view.met and before is not None and wire == before.wire
        following = records[at + 1] if at + 1 < len(records) else None
        if record is None:
            began, detail = _guess(wire, records[:at][::-1], records[at + 1 :], now)
            drafts.append(Draft(place, UNKNOWN, began, None, detail, wire, again=same))
            continue
        if ring.book.shape is Shape.BREAK:
            if record.second is None:
                continue
            ended = following.first if following else None
            again = same and ended is None
            drafts.append(Draft(place, ring.kind, record.second, ended, {}, wire, again))
            continue
        assert record.first is not None  # noqa: S101 -- a BREAK only may be without it
        detail = dict(record.detail)
        if ring.book.shape is Shape.WORD:
            detail = _changes(wire, view.wires[at - 1] if at and records[at - 1] else None)
        drafts.append(Draft(place, ring.kind, record.first, record.second, detail, wire, same))
    return drafts


def _older(ring: Ring, place: int, wire: bytes) -> Draft | None:
    record = parsed(ring.book.shape, wire)
    if record is None or record.first is None or ring.book.shape is Shape.BREAK:
        return None
    again = record.second is None
    return Draft(place, ring.kind, record.first, record.second, record.detail, wire, again)


def parsed(shape: Shape, wire: bytes) -> Record | None:
    try:
        return parse_record(shape, wire)
    except ValueError:
        return None


def _guess(
    wire: bytes,
    before: Sequence[Record | None],
    after: Sequence[Record | None],
    now: datetime,
) -> tuple[datetime, Mapping[str, str]]:
    """Date a record that makes no sense: by a stamp of its own, else by a neighbour's."""
    for at in (0, STAMP):
        half = parsed(Shape.MOMENT, wire[at : at + STAMP])
        if half is not None and half.first is not None:
            return half.first, {}
    for record in (*before, *after):
        if record is not None and record.first is not None:
            return record.first, {"dated_by": "neighbour"}
    return now, {"dated_by": "visit"}


def _changes(wire: bytes, previous: bytes | None) -> dict[str, str]:
    word = wire[STAMP:]
    now = faults(word)
    detail = {"faults": " ".join(sorted(now)), "status_word": spaced(word)}
    if previous is not None:
        then = faults(previous[STAMP:])
        detail["appeared"] = " ".join(sorted(now - then))
        detail["gone"] = " ".join(sorted(then - now))
    return detail


# -- what was lost -----------------------------------------------------------------------------


def face_of(when: When) -> datetime:
    return when.face if isinstance(when, MeterTime) else when


def first_time(shape: Shape, wire: bytes) -> datetime:
    """Return when a record begins, for ordering; what makes no sense comes first of all."""
    record = parsed(shape, wire)
    found = None if record is None else record.first or record.second
    return found or datetime.min  # noqa: DTZ901 -- a face


def last_time(shape: Shape, wire: bytes) -> datetime | None:
    record = parsed(shape, wire)
    return None if record is None else record.second or record.first


def _lost(
    ring: Ring, view: View, before: Told | None, now: datetime
) -> tuple[datetime | None, datetime] | None:
    """Bound what was overwritten; up to now where no record that is left says when it was."""
    if view.met or (before is None and len(view.wires) < ring.depth):
        return None
    times = [first_time(ring.book.shape, wire) for wire in view.wires]
    oldest = next((time for time in times if time > datetime.min), now)  # noqa: DTZ901
    last = last_time(ring.book.shape, before.wire) if before else None
    return (last if last is not None and last <= oldest else None, oldest)


def joined(losses: Sequence[tuple[datetime | None, datetime]], *, season: Season) -> Gap | None:
    """Return one gap for what was lost of a book's rings."""
    if not losses:
        return None
    starts = [start for start, _ in losses]
    ends = max(end for _, end in losses)
    start = None if None in starts else min(start for start in starts if start is not None)
    return Gap(
        starts=None if start is None else MeterTime(start, season(start)),
        ends=MeterTime(ends, season(ends)),
    )
