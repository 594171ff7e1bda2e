from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metering import a_lease, a_meter, an_installation
from sqlmodel import select

from hub.domain.clock import MeterTime
from hub.domain.events import KINDS, Severity
from hub.domain.journal import JournalEntry, JournalPage
from hub.domain.pages import Cursor
from hub.domain.profile import Gap
from hub.errors import LineBusy, Missing
from hub.services import lines
from hub.services.events import EventFilter, Events, note, store_journal_page
from hub.store import meters, outbox
from hub.store.events import face_of, face_text
from hub.store.tables import MeterEvent

PORTS = count(1)
NOON = datetime(2026, 11, 10, 12, 0)  # on the meter's face


def at(minutes: float = 0, summer: bool | None = None) -> MeterTime:
    return MeterTime(NOON + timedelta(minutes=minutes), summer)


def entry(begin: float, end: float | None = None, kind="power_lost", book="01", **more):
    return JournalEntry(book, kind, at(begin), None if end is None else at(end), **more)


def page(*entries, to="1", more=False, lost=None):
    return JournalPage(entries=entries, lost=lost, next=Cursor("toy/1", to), more=more)


def put(store, meter, *entries, **more):
    of_page = {name: more.pop(name) for name in ("to", "lost") if name in more}
    return store_journal_page(
        store, meter.meter_id, "01", page(*entries, **of_page), lease=meter.lease, **more
    )


def rows(store):
    with store.read() as unit:
        return unit.session.exec(select(MeterEvent).order_by(MeterEvent.began_at)).all()


def test_a_page_is_stored_with_its_cursor_and_signal(store):
    meter = a_meter(store)
    point = an_installation(store, meter.meter_id)
    stored = put(store, meter, entry(0, 30), entry(60), to="7")
    assert (stored.new, stored.changed, stored.same, stored.moved) == (2, 0, 0, True)
    first, second = rows(store)
    assert (first.began_at, first.ended_at) == (
        datetime(2026, 11, 10, 9, tzinfo=UTC),
        datetime(2026, 11, 10, 9, 30, tzinfo=UTC),
    )
    assert (first.began_face, first.severity, first.source) == (
        "2026-11-10T12:00:00",
        "warning",
        "meter",
    )
    assert (second.ended_at, second.ended_face) == (None, "")
    with store.read() as unit:
        assert meters.cursor(unit, meter.meter_id, "journal/01").body == "7"
        (signal,) = outbox.signals(unit, 0)
        assert signal.body == {"meter": meter.meter_id, "points": [point]}


def test_a_page_that_comes_again_changes_nothing(store, clock):
    meter = a_meter(store)
    entries = [entry(0, 30, raw=b"\1"), entry(60, detail={"phase": "2"})]
    put(store, meter, *entries)
    before = [row.model_dump() for row in rows(store)]
    clock.advance(hours=1)
    stored = put(store, meter, *entries)
    assert (stored.new, stored.changed, stored.same, stored.moved) == (0, 0, 2, False)
    assert [row.model_dump() for row in rows(store)] == before
    with store.read() as unit:
        assert len(outbox.signals(unit, 0)) == 1


def test_start_and_end_read_in_different_visits_are_one_event(store):
    meter = a_meter(store)
    put(store, meter, entry(0))
    stored = put(store, meter, entry(0, 0.5, raw=b"\2"))
    assert (stored.new, stored.changed) == (0, 1)
    (row,) = rows(store)
    assert row.ended_at - row.began_at == timedelta(seconds=30)
    assert (row.severity, row.raw) == ("info", b"\2")  # an outage of less than a minute
    assert put(store, meter, entry(0)).same == 1  # an old page does not open it again
    assert rows(store)[0].ended_at is not None


def test_what_a_ring_has_overwritten_is_an_event_with_its_bounds(store):
    meter = a_meter(store)
    put(store, meter, entry(0))
    lost = Gap(at(0), at(300))
    for _ in range(2):
        put(store, meter, entry(300, 301), entry(400), lost=lost)
    opened, told, oldest, newest = rows(store)
    assert (opened.ended_at, opened.ended_face) == (None, "?")  # its end is gone for good
    assert (told.kind, told.book, told.source) == ("journal_lost", "01", "hub")
    assert told.detail == {
        "after": "2026-11-10T12:00:00",
        "before": "2026-11-10T17:00:00",
    }
    assert set(told.detail) <= set(KINDS["journal_lost"].fields)
    assert told.ended_at - told.began_at == timedelta(hours=5)
    assert [row.kind for row in (oldest, newest)] == ["power_lost"] * 2
    assert newest.ended_face == ""
    stored = put(store, meter, entry(0, 1))  # and should it come after all, it is taken
    assert stored.changed == 1
    assert rows(store)[0].ended_at is not None


def test_a_loss_without_a_beginning_names_its_end_only(store):
    meter = a_meter(store)
    put(store, meter, lost=Gap(None, at(300)))
    (told,) = rows(store)
    assert told.detail == {"before": "2026-11-10T17:00:00"}


@pytest.mark.parametrize(("oldest", "kinds"), [(0, []), (10, ["journal_lost"])])
def test_a_driver_that_lost_its_place_is_asked_what_is_missing(store, oldest, kinds):
    meter = a_meter(store)
    put(store, meter, entry(0, 1))
    put(store, meter, entry(oldest, oldest + 1), entry(20, 21), anew=True)
    assert [row.kind for row in rows(store) if row.source == "hub"] == kinds


def test_nothing_is_stored_without_the_lease(store):
    meter = a_meter(store)
    lines.release(store, meter.lease)
    with pytest.raises(LineBusy):
        put(store, meter, entry(0))
    assert rows(store) == []


def test_several_of_one_second_stay_apart(store):
    meter = a_meter(store)
    put(store, meter, entry(0, 1), entry(0, 2, nth=1), entry(0, 3, detail={"phase": "1"}))
    assert len(rows(store)) == 3


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["power_lost", "unknown"]),
                       st.none() | st.integers(6, 9)), max_size=12),
    st.lists(st.integers(1, 4), min_size=1, max_size=12),
)  # fmt: skip
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_cutting_and_replay_of_pages_ends_in_the_same_events(store, told, cuts):
    """Whatever is read twice, in whatever pieces, is stored once, with its end if it ever came."""
    meter = a_meter(store, line=f"tcp://10.0.0.1:{next(PORTS)}")
    entries = [entry(begin, end, kind) for begin, kind, end in told]
    rest = list(entries)
    for cut in cuts:
        put(store, meter, *rest[:cut])
        put(store, meter, *rest[:cut])
        rest = rest[cut:]
    put(store, meter, *rest)
    ends = {}
    for one in entries:
        if one.ended is not None or one.key not in ends:
            ends[one.key] = one.ended
    stored = [row for row in rows(store) if row.meter_id == meter.meter_id]
    assert {row.key: row.ended_face for row in stored} == {
        key: "" if end is None else face_text(end) for key, end in ends.items()
    }


@given(st.datetimes(), st.sampled_from([None, True, False]))
def test_faces_come_back_as_they_were(face, summer):
    shown = MeterTime(face.replace(microsecond=0), summer)
    assert face_of(face_text(shown)) == shown
    aware = face.replace(microsecond=0, tzinfo=UTC)
    assert face_of(face_text(aware)) == aware


# -- listing -----------------------------------------------------------------------------------


@pytest.fixture
def seen(world, store):
    """A point where one meter was replaced by another at face 14:00 of the 10th."""
    swap = datetime(2026, 11, 10, 11, tzinfo=UTC)
    user, point, place, first = world.simple(to_at=swap)
    second = world.meter(serial="777")
    world.install(place, second, swap)
    for meter_id in (first, second):
        lease = a_lease(store, meter_id)
        entries = [
            entry(0, 10),
            entry(60, 300),
            entry(110, kind="phase_voltage_lost", book="03", detail={"phase": "1"}),
            entry(200, 210, kind="magnetic_field", book="1A"),
            entry(60 * 24, kind="energy_reset", book="09"),
        ]
        store_journal_page(store, meter_id, "01", page(*entries), lease=lease)
    return Events(store), user, point, first, second


def short(found):
    return [(one.serial == "777", one.kind) for one in found.events]


def test_each_meter_tells_of_the_time_it_was_there(seen):
    events, user, point, _, _ = seen
    assert short(events.of_point(user, point)) == [
        (True, "energy_reset"),
        (True, "magnetic_field"),
        (True, "phase_voltage_lost"),  # it began before and goes on
        (False, "phase_voltage_lost"),
        (True, "power_lost"),  # it went on when the meter came
        (False, "power_lost"),
        (False, "power_lost"),
    ]


def test_filters_of_a_point(seen):
    events, user, point, _, _ = seen

    def listed(**wish):
        return short(events.of_point(user, point, EventFilter(**wish)))

    assert listed(severities=[Severity.ALARM]) == [(True, "magnetic_field")]
    assert listed(kinds=["energy_reset"]) == [(True, "energy_reset")]
    assert listed(phase=1) == [(True, "phase_voltage_lost"), (False, "phase_voltage_lost")]
    assert listed(phase=2) == []
    assert listed(only_open=True) == listed(phase=1)
    assert listed(first=date(2026, 11, 12)) == listed(only_open=True)
    assert listed(last=date(2026, 11, 9)) == []
    assert (True, "energy_reset") not in listed(last=date(2026, 11, 10))
    assert (True, "energy_reset") in listed(first=date(2026, 11, 11))
    assert events.of_point(user, point).kinds == (
        "energy_reset",
        "magnetic_field",
        "phase_voltage_lost",
        "power_lost",
    )


def test_pages_follow_each_other(seen):
    events, user, point, _, _ = seen
    whole = events.of_point(user, point).events
    found, after = [], None
    while True:
        part = events.of_point(user, point, limit=2, after=after)
        found += part.events
        after = part.next
        if after is None:
            break
    assert tuple(found) == whole


def test_times_are_of_the_points_zone_with_the_meters_clock_beside(world, store):
    user, point, _, meter = world.simple("Asia/Yekaterinburg", clock_base_minutes=180)
    lease = a_lease(store, meter)
    store_journal_page(store, meter, "01", page(entry(0, 5), entry(60)), lease=lease)
    opened, closed = Events(store).of_point(user, point).events
    assert closed.began_local.replace(tzinfo=None) == NOON + timedelta(hours=2)
    assert closed.entry.began == at(0)
    assert closed.clock_differs
    assert (closed.open, opened.open) == (False, True)
    assert closed.ended_local - closed.began_local == timedelta(minutes=5)


def test_a_meter_that_shows_the_points_time_does_not_differ(seen):
    events, user, point, _, _ = seen
    assert not any(one.clock_differs for one in events.of_point(user, point).events)


def test_one_event_of_the_owners_point(seen, world):
    events, user, point, _, _ = seen
    for one in events.of_point(user, point).events:
        assert events.one(user, point, one.id) == one
    stranger = world.user()
    listed = events.of_point(user, point).events
    for call in (
        lambda: events.of_point(stranger, point),
        lambda: events.one(stranger, point, listed[0].id),
        lambda: events.one(user, point, 10**6),
    ):
        with pytest.raises(Missing):
            call()


def test_an_event_of_the_same_meter_elsewhere_is_not_this_points(seen, store):
    events, user, point, _, second = seen
    with store.read() as unit:
        factory = unit.session.exec(
            select(MeterEvent).where(
                MeterEvent.meter_id == second,
                MeterEvent.ended_face == face_text(at(10)),
            )
        ).one()
    with pytest.raises(Missing):
        events.one(user, point, factory.id)


def test_what_the_hub_sees_is_noted_once(store):
    meter = a_meter(store)
    told = {"drift_s": "61", "threshold_s": "60"}
    for _ in range(2):
        with store.write() as unit:
            note(unit, meter.meter_id, "clock_drifted", at(0.001), told)
    (row,) = rows(store)
    assert (row.source, row.book, row.detail, row.severity) == ("hub", "", told, "warning")
