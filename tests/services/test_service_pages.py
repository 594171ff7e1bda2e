"""Points, registers and the frame as pages ask for them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from hub.domain.calendar import Level, minute_of, slot_at
from hub.errors import Missing
from hub.services.home import Home
from hub.services.pages import PointPages
from hub.services.points import FACTS, Contact, Points, Source
from hub.services.profile import Profiles
from hub.services.registers import Registers
from hub.services.shell import Shell
from hub.store import tables
from hub.store.accounts import SignedIn

NOW = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 19, 21, tzinfo=UTC)  # of 20 November in Moscow


def who(user, last=None):
    return SignedIn(user, "a@b.c", "Анна Ким", "consumer", "", "", last, "hash", NOW, NOW, NOW)


def read(world, meter, taken_at, values, day_start=False):
    for obis, value in values.items():
        world.add_plain(
            tables.RegisterReading(
                meter_id=meter, obis=obis, taken_at=taken_at, value=value, day_start=day_start
            )
        )


def daily(world, meter, days, step=1000, first=MIDNIGHT):
    for number in range(days):
        at = first + timedelta(days=number)
        t1, t2 = 3_124_027 + number * step, 1_527_796 + number * step // 2
        read(world, meter, at, {"1.8.0": t1 + t2, "1.8.1": t1, "1.8.2": t2}, day_start=True)


def registers(world):
    return Registers(world.store, lambda: NOW)


def test_latest_registers_are_the_meters_face(world):
    user, point, _, meter = world.simple(register_map={"T1": "day", "T2": "night"})
    assert registers(world).latest(user, point) is None
    daily(world, meter, 3)
    read(world, meter, NOW - timedelta(hours=1), {"1.8.0": 9000, "1.8.1": 6000, "1.8.2": 3000})
    latest = registers(world).latest(user, point)
    assert latest.taken_at == NOW - timedelta(hours=1)
    assert [(r.tariff.label, r.tariff.zone, r.value) for r in latest.readings] == [
        ("T1", "day", Decimal(6)), ("T2", "night", Decimal(3)), ("", "", Decimal(9)),
    ]  # fmt: skip


def test_days_are_the_differences_as_primary(world):
    user, point, _, meter = world.simple(
        register_map={"T1": "day", "T2": "night"}, current_ratio=20, loss_millionths=10_000
    )
    daily(world, meter, 3)
    got = registers(world).periods(user, point, date(2026, 11, 20), date(2026, 11, 22), Level.DAY)
    one = got.periods[0]
    assert one.start[0].value == Decimal("3124.027")
    assert one.end[0].value == Decimal("3125.027")
    primary = 20 * Fraction(101, 100)
    assert one.used == (primary, primary / 2, primary * 3 / 2)
    assert one.exact
    assert not one.running
    assert one.expected == 48
    assert got.periods[1].used[0] == primary
    # nobody read the register at the end of the 22nd
    assert got.periods[2].end == (None, None, None)
    assert got.periods[2].used == (None, None, None)
    assert got.whole.used == (None, None, None)
    two = registers(world).periods(user, point, date(2026, 11, 20), date(2026, 11, 21), Level.DAY)
    assert two.whole.used[0] == 2 * primary
    month = registers(world).periods(
        user, point, date(2026, 11, 20), date(2026, 11, 21), Level.MONTH
    )
    assert month.periods[0].used == two.whole.used


def test_today_runs_until_the_newest_reading(world):
    user, point, _, meter = world.simple()
    daily(world, meter, 1, first=datetime(2026, 11, 23, 21, tzinfo=UTC))
    read(world, meter, NOW - timedelta(minutes=10), {"1.8.0": 4_653_000})
    got = registers(world).periods(user, point, date(2026, 11, 24), date(2026, 11, 25), Level.DAY)
    today, tomorrow = got.periods
    assert today.running
    assert today.end[-1].taken_at == NOW - timedelta(minutes=10)
    assert today.used[-1] == Fraction(4_653_000 - 4_651_823, 1000)
    assert tomorrow.used[-1] is None


def test_a_meters_own_midnight_near_by_is_shown_as_such(world):
    user, point, _, meter = world.simple("Europe/Samara")
    daily(world, meter, 2)  # midnights of Moscow, an hour late in Samara
    got = registers(world).periods(user, point, date(2026, 11, 20), date(2026, 11, 20), Level.DAY)
    assert got.periods[0].start[-1].taken_at == MIDNIGHT
    assert not got.periods[0].exact
    assert got.periods[0].used[-1] == Fraction(3, 2)


def test_a_replaced_meter_needs_its_readings_at_the_change(world):
    change = MIDNIGHT + timedelta(hours=10)
    user, point, place, old = world.simple(to_at=change)
    new = world.meter()
    world.install(place, new, change, current_ratio=2)
    read(world, old, MIDNIGHT, {"1.8.0": 1000}, day_start=True)
    read(world, new, MIDNIGHT + timedelta(days=1), {"1.8.0": 500}, day_start=True)
    day = date(2026, 11, 20)
    assert registers(world).periods(user, point, day, day, Level.DAY).whole.used == (None,)
    read(world, old, change - timedelta(minutes=5), {"1.8.0": 1400})
    read(world, new, change + timedelta(minutes=5), {"1.8.0": 100})
    got = registers(world).periods(user, point, day, day, Level.DAY)
    assert got.periods[0].replaced
    assert got.whole.used == (Fraction(400, 1000) + Fraction(400 * 2, 1000),)


def test_half_hours_say_what_was_used_where_registers_are_not_there(world):
    user, point, _, meter = world.simple(
        register_map={"T1": "T1", "T2": "T2"}, current_ratio=20, loss_millionths=10_000
    )
    first = slot_at(minute_of(MIDNIGHT), 30)
    world.slots(world.series(meter_id=meter), {first + n: ((n, 1), 0) for n in range(130)})
    days = date(2026, 11, 20), date(2026, 11, 22)
    got = registers(world).periods(user, point, *days, Level.DAY)
    profile = Profiles(world.store, lambda: NOW).days(user, point, *days)
    for period, part in zip(got.periods, profile.items, strict=True):
        assert period.from_slots
        assert (period.start, period.end) == ((None,) * 3, (None,) * 3)
        # this contract has no zones, so a zone's register has nothing to stand for
        assert period.used == (None, None, part.energy[0])
    assert [(p.measured, p.expected) for p in got.periods] == [(48, 48), (48, 48), (34, 48)]
    assert got.whole.used[-1] == profile.total.energy[0]
    assert got.whole.from_slots

    daily(world, meter, 2)  # the first day has both its registers now, the second one of them
    got = registers(world).periods(user, point, *days, Level.DAY)
    assert [p.from_slots for p in got.periods] == [False, True, True]
    assert got.periods[0].used[-1] == 20 * Fraction(101, 100) * Fraction(3, 2)
    assert got.periods[1].start[0].value == Decimal("3125.027")
    assert got.periods[1].used[-1] == profile.items[1].energy[0]


def test_a_register_that_went_back_tells_nothing(world):
    user, point, _, meter = world.simple()
    daily(world, meter, 2, step=-1000)
    day = date(2026, 11, 20)
    assert registers(world).periods(user, point, day, day, Level.DAY).whole.used[-1] is None


@pytest.mark.parametrize(
    ("told", "own", "shown", "differs"),
    [
        ("Меркурий 230 ART-01", "Mercury 234", "Меркурий 230 ART-01", "Mercury 234"),
        ("Меркурий 234 ARTM-01", "Mercury 234", "Меркурий 234 ARTM-01", None),
        (" ", "Mercury 234", "Mercury 234", None),
        ("Счетчик Toy", "toy", "Счетчик Toy", None),
        ("Счетчик", "toy", "Счетчик", "toy"),
        ("Меркурий 234", "", "Меркурий 234", None),
    ],
)
def test_the_suppliers_model_goes_before_the_meters_own(world, told, own, shown, differs):
    user, supplier = world.user(), world.supplier()
    place, contract = world.place(supplier), world.contract(user, supplier)
    point = world.point(contract, place, facts={"model": told})
    world.install(place, world.meter(model=own))
    info = Points(world.store, lambda: NOW).info(user, point)
    assert info.card.model == info["model"].value == shown
    assert info["model"].differs == differs


def test_all_25_facts_in_order_each_with_its_source(world):
    user, supplier = world.user(), world.supplier()
    place, contract = world.place(supplier), world.contract(user, supplier)
    facts = {
        "model": "Меркурий 234 ART(M)", "registry_number": "48266-11", "current_ratio": "100/5",
        "tariff": "двухтарифный", "loss_factor": "1,02", "norm_hour": "", "power_limit": "15",
    }  # fmt: skip
    point = world.point(
        contract, place, number="P-1", meter_serial="00000001", facts=facts, place="подъезд"
    )
    meter = world.meter("41882107")
    world.install(place, meter, current_ratio=20, loss_millionths=15_000, register_map={"T1": "T1"})
    daily(world, meter, 1)
    info = Points(world.store, lambda: NOW).info(user, point)
    assert tuple(fact.key for fact in info.facts) == FACTS
    assert len(FACTS) == 25
    assert (info["serial"].value, info["serial"].source) == ("41882107", Source.METER)
    assert info["serial"].differs == "00000001"
    assert info["model"].value == "Меркурий 234 ART(M)"
    assert info["model"].differs is None  # «Mercury 234» is of that family
    assert info.card.model == "Меркурий 234 ART(M)"
    assert (info["current_ratio"].value, info["current_ratio"].differs) == ("20", None)
    assert (info["loss_factor"].value, info["loss_factor"].differs) == ("1.015", "1,02")
    assert info["voltage_ratio"].source is Source.INSTALLATION
    assert info["tariff"].source is Source.SUPPLIER
    assert (info["norm_hour"].value, info["norm_hour"].source) == (None, None)
    assert info["last_readings"].value == "T1 3124.027"
    assert info["last_reading_at"].at == MIDNIGHT
    assert info.card.ratio == 20
    bare = world.point(contract, None, name="Гараж", smart=False)
    empty = Points(world.store, lambda: NOW).info(user, bare)
    assert {fact.key for fact in empty.facts if fact.value} == {"name", "resource"}


@pytest.mark.parametrize(
    ("state", "line", "contact"),
    [
        (None, {}, Contact.WAITING),
        ({"seen_at": NOW}, {}, Contact.OK),
        ({"seen_at": NOW, "error_code": "line.reply_timeout"}, {}, Contact.FAILING),
        ({"error_code": "device.access_denied", "stopped": True}, {}, Contact.STOPPED),
        ({"seen_at": NOW}, {"down_since_at": NOW, "error_code": "line.down"}, Contact.LINE_DOWN),
    ],
)
def test_the_state_of_the_connection(world, state, line, contact):
    user, point, _, meter = world.simple()
    with world.store.write() as unit:
        row = unit.session.get(tables.Meter, meter)
        for name, value in line.items():
            setattr(unit.session.get(tables.Line, row.line_id), name, value)
        if state is not None:
            unit.session.add(tables.MeterState(meter_id=meter, due_at=NOW, **state))
    world.slots(world.series(meter_id=meter), {48 * 20000 + n: ((1, 1), 0) for n in range(60)})
    connection = Points(world.store, lambda: NOW).card(user, point).connection
    assert connection.contact is contact
    assert connection.days_held == 2
    codes = {**(state or {}), **({"error_code": "line.down"} if line else {})}
    assert connection.error_code == codes.get("error_code", "")
    assert (connection.next_try_at is None) == (
        contact in {Contact.STOPPED, Contact.WAITING, Contact.LINE_DOWN}
    )


def test_a_point_that_is_not_read_says_so(world):
    user, supplier = world.user(), world.supplier()
    contract = world.contract(user, supplier)
    world.point(contract, None)
    cards = Points(world.store, lambda: NOW).of_contract(user, contract)
    assert [card.connection.contact for card in cards] == [Contact.NONE]
    assert not cards[0].joined


def test_the_frame_lists_contracts_and_knows_the_current_one(world):
    user, supplier = world.user(), world.supplier("NeKta")
    shell = Shell(world.store)
    assert shell.look(who(user)).current is None
    first = world.contract(user, supplier, name="Дом", number="76382940-232")
    second = world.contract(user, supplier, name="Дача")
    world.contract(world.user(), supplier)
    view = shell.look(who(user))
    assert view.contracts[0].supplier == "NeKta"
    assert view.contracts[0].number == "76382940-232"
    assert [c.id for c in view.contracts] == [first, second]
    assert view.current.id == first
    assert shell.look(who(user, second)).current.id == second
    assert shell.look(who(user, second), first).current.id == first


def test_the_main_page_comes_from_one_unit(world, monkeypatch):
    user, supplier = world.user(), world.supplier(card={"name": "НЭК", "phones": ["112"]})
    contract = world.contract(user, supplier, balance_kopecks=-35_000, balance_at=NOW)
    place = world.place(supplier)
    point = world.point(contract, place)
    meter = world.meter()
    world.install(place, meter)
    world.slots(world.series(meter_id=meter), {48 * 20781: ((10, 0), 0)})
    units = []
    real = world.store.read
    monkeypatch.setattr(world.store, "read", lambda: units.append(1) or real())
    page = Home(world.store, lambda: NOW).page(who(user), contract)
    assert len(units) == 1
    assert page.contract.supplier.name == "НЭК"
    assert page.contract.balance_kopecks == -35_000
    assert [card.id for card in page.points] == [point]
    assert page.usage.month.energy == Fraction(10 * 500, 1_000_000)
    listed = Home(world.store, lambda: NOW).points(who(user), contract)
    assert listed.points == page.points


def test_a_points_pages_come_from_one_unit_each(world, monkeypatch):
    user, point, _, meter = world.simple()
    world.slots(world.series(meter_id=meter), {48 * 20781 + 20: ((10, 0), 0)})
    daily(world, meter, 3)
    units = []
    real = world.store.read
    monkeypatch.setattr(world.store, "read", lambda: units.append(1) or real())
    pages = PointPages(world.store, lambda: NOW)
    span = date(2026, 11, 1), date(2026, 11, 30)
    profile = pages.profile(who(user), point, *span)
    readings = pages.readings(who(user), point, *span, Level.WEEK)
    info = pages.info(who(user), point)
    assert len(units) == 3
    assert profile.card == readings.card == info.info.card
    assert profile.shell == info.shell
    assert profile.sums == Profiles(world.store, lambda: NOW).days(user, point, *span)
    assert profile.columns == Profiles(world.store, lambda: NOW).columns(user, point, *span)
    assert pages.profile(who(user), point, *span, step=None).columns is None
    assert readings.periods == registers(world).periods(user, point, *span, Level.WEEK)
    for ask in (pages.profile, pages.readings):
        with pytest.raises(Missing):
            ask(who(world.user()), point, *span)
    with pytest.raises(Missing):
        pages.info(who(world.user()), point)


def test_the_profile_page_tells_of_the_ledgers_gaps(world):
    user, point, _, meter = world.simple()
    at = datetime(2026, 10, 31, 20, tzinfo=UTC)  # an hour before November begins in Moscow
    for state, reason, begin in (
        ("open", "not_read", at),
        ("gone", "not_written", at + timedelta(days=3)),
        ("filled", "not_read", at + timedelta(days=4)),
    ):
        world.add(
            tables.LedgerGap(
                meter_id=meter, from_at=begin, to_at=begin + timedelta(hours=2),
                state=state, reason=reason, noted_at=NOW,
            )
        )  # fmt: skip
    page = PointPages(world.store, lambda: NOW).profile(
        who(user), point, date(2026, 11, 1), date(2026, 11, 30)
    )
    assert [(hole.from_at, hole.state) for hole in page.holes] == [
        (at + timedelta(hours=1), "open"), (at + timedelta(days=3), "gone"),
    ]  # fmt: skip
    assert page.holes[0].to_at == at + timedelta(hours=2)


def test_long_spans_are_shown_by_day(world):
    user, point, _, _ = world.simple()
    span = date(2026, 1, 1), date(2026, 11, 30)
    page = PointPages(world.store, lambda: NOW).profile(who(user), point, *span)
    assert page.columns is None
    assert len(page.sums.items) == 334
    for ask in (Profiles(world.store).slots, Profiles(world.store).columns):
        with pytest.raises(Missing):
            ask(user, point, *span)


def test_nobody_sees_what_is_not_theirs(world):
    user, point, _, _ = world.simple()
    stranger = world.user()
    with world.store.read() as unit:
        contract = unit.session.get(tables.ContractPoint, point).contract_id
    day = date(2026, 11, 20)
    for ask in (
        lambda: Points(world.store).card(stranger, point),
        lambda: Points(world.store).info(stranger, point),
        lambda: registers(world).latest(stranger, point),
        lambda: registers(world).periods(stranger, point, day, day, Level.DAY),
        lambda: Home(world.store).page(who(stranger), contract),
        lambda: Home(world.store).points(who(stranger), contract),
        lambda: Shell(world.store).look(who(stranger), contract),
    ):
        with pytest.raises(Missing):
            ask()
    assert Points(world.store).of_contract(stranger, contract) == []
    assert Points(world.store).card(user, point).id == point
