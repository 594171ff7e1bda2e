"""Half-hours that a supplier tells: exact, once, and nobody else's."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlmodel import select

from hub.errors import CursorLost, Missing
from hub.plugins.api import (
    Account,
    Channel,
    Cursor,
    Does,
    LinkBy,
    Page,
    PluginSettings,
    Point,
    Secret,
    SlotMark,
    SupplierSlot,
    SupplierSpec,
)
from hub.services.contracts import Contracts
from hub.services.passwords import Passwords
from hub.services.profile import Profiles
from hub.store import contracts as stored
from hub.store import tables

DAY = datetime(2026, 11, 20, 20, tzinfo=UTC)  # midnight of the 21st in Samara
HALF = timedelta(minutes=30)


class Nothing(PluginSettings):
    pass


class Login(PluginSettings):
    login: str
    password: Secret


class Telling:
    """A supplier of one point: ``slots`` are told two a page, from the cursor on."""

    does_too = frozenset({Does.POINTS, Does.PROFILE})

    def __init__(self) -> None:
        self.points_ = [Point(id="p", name="Mill", smart=True, time_zone="Europe/Samara")]
        self.slots: list[SupplierSlot] = []
        self.asked: list[str] = []
        self.lost = False

    async def sign_in(self, desk):
        return Account("7", "TP-7")

    async def answer(self, desk, challenge, reply):
        raise AssertionError("it gave no challenge")

    def does(self, account):
        return self.does_too

    async def points(self, desk):
        return self.points_

    async def profile(self, desk, point_id, since):
        self.asked.append(f"{point_id}/{since.body if since else ''}")
        if not self.slots:
            raise Missing
        if self.lost and since is not None:
            raise CursorLost
        at = int(since.body) if since else 0
        end = min(at + 2, len(self.slots))
        return Page(
            items=tuple(self.slots[at:end]), next=Cursor("t/1", str(end)),
            more=end < len(self.slots),
        )  # fmt: skip


class Plugins:
    def __init__(self, telling):
        self.spec = SupplierSpec(
            id="telling", title="T", regions=(), installation=Nothing, account=Login,
            link_by=LinkBy.ACCOUNT, hosts=lambda _: frozenset(), build=lambda *_: telling,
            may=Telling.does_too,
        )  # fmt: skip
        self.connectors = {"telling": self.spec}

    def connector(self, _):
        return self.spec


def slot(number, kwh, **more):
    energy = {Channel.ACTIVE_IMPORT: Decimal(kwh)}
    return SupplierSlot(
        **{"starts_at": DAY + HALF * number, "minutes": 30, "energy": energy,
           "ratios_applied": True, **more}
    )  # fmt: skip


@pytest.fixture
def telling():
    return Telling()


@pytest.fixture
def plugins(telling):
    return Plugins(telling)


@pytest.fixture
def linking(store, plugins, clock):
    """Links a user's contract with the supplier; gives contract and point."""
    with store.write() as unit:
        row = tables.Supplier(connector="telling", title="T", created_at=clock())
        supplier = stored.add_supplier(unit, row)
    contracts = Contracts(store, plugins, Passwords(), clock)

    async def link(user):
        contract = await contracts.link(user, supplier, "Mill", "login", "password")
        with store.read() as unit:
            points = unit.session.exec(
                select(tables.ContractPoint).where(tables.ContractPoint.contract_id == contract)
            ).all()
        return contract, points[0].id

    return link


async def again(exchange, clock):
    clock.advance(hours=8)
    while await exchange.run_due():
        clock.advance(seconds=2)


def read(store, user, point, day=date(2026, 11, 21)):
    return Profiles(store, lambda: DAY + timedelta(days=3)).slots(user, point, day, day)


def rows(store, table):
    with store.read() as unit:
        return list(unit.session.exec(select(table)))


async def test_they_are_exact_and_of_the_points_own_days(
    store, world, telling, exchange, linking, clock
):
    user = world.user()
    telling.slots = [slot(-1, "9"), slot(0, "0.101"), slot(1, "0"), slot(3, "0.3")]
    _, point = await linking(user)
    await again(exchange, clock)
    shown = read(store, user, point)
    assert shown[0].local_start.hour == 0
    assert [each.energy[0] for each in shown[:5]] == [
        Fraction(101, 1000), 0, None, Fraction(3, 10), None,
    ]  # fmt: skip
    assert {each.source for each in shown if not each.missing} == {"supplier"}


async def test_they_are_read_on_and_what_changed_is_revised(
    store, world, telling, exchange, linking, clock
):
    user = world.user()
    telling.slots = [slot(at, "0.5") for at in range(3)]
    _, point = await linking(user)
    await again(exchange, clock)
    assert telling.asked == ["p/", "p/2"]
    telling.slots += [slot(3, "0.25"), slot(1, "0.75", marks=SlotMark.PARTIAL), slot(2, "0.75")]
    await again(exchange, clock)
    assert telling.asked[2:] == ["p/3", "p/5"]
    shown = read(store, user, point)
    # A worse value never replaces a better one; a better one does, and what was is kept.
    assert [each.energy[0] for each in shown[:4]] == [
        Fraction(1, 2), Fraction(1, 2), Fraction(3, 4), Fraction(1, 4),
    ]  # fmt: skip
    (revised,) = rows(store, tables.Revision)
    assert (revised.old_counts, revised.why, revised.actor) == ([500], "supplier", "exchange")
    telling.lost = True
    await again(exchange, clock)
    assert len(rows(store, tables.Revision)) == 1
    assert len(rows(store, tables.Series)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts_at": DAY + timedelta(minutes=7)},
        {"starts_at": DAY.replace(tzinfo=None)},
        {"starts_at": DAY + timedelta(days=30)},
        {"minutes": 7},
        {"minutes": 0},
        {"energy": {Channel.ACTIVE_IMPORT: Decimal(-1)}},
        {"energy": {Channel.ACTIVE_IMPORT: Decimal("nan")}},
        {"energy": {Channel.ACTIVE_IMPORT: Decimal(10**9)}},
    ],
)
async def test_nonsense_is_not_kept_and_said(
    store, world, telling, exchange, linking, clock, wrong
):
    user = world.user()
    telling.slots = [slot(0, "1"), slot(1, "1"), slot(2, "1"), slot(3, "1", **wrong)]
    _, point = await linking(user)
    await again(exchange, clock)
    shown = read(store, user, point)
    assert [each.energy[0] for each in shown[:4]] == [1, 1, None, None]
    (contract,) = rows(store, tables.Contract)
    assert contract.refresh_error == "supplier.answer_changed"
    telling.slots[3] = slot(3, "1")
    await again(exchange, clock)
    assert [each.energy[0] for each in read(store, user, point)[:4]] == [1, 1, 1, 1]
    (contract,) = rows(store, tables.Contract)
    assert contract.refresh_error == ""


async def test_two_who_link_one_account_share_no_half_hour(
    store, world, telling, exchange, linking, clock
):
    telling.slots = [slot(0, "1")]
    users = [world.user(), world.user()]
    points = [(await linking(user))[1] for user in users]
    await again(exchange, clock)
    places = [row.metering_point_id for row in rows(store, tables.ContractPoint)]
    assert len(set(places)) == 2
    for user, point in zip(users, points, strict=True):
        assert read(store, user, point)[0].energy[0] == 1
    with pytest.raises(Missing):
        read(store, users[0], points[1])


async def test_a_point_that_is_gone_takes_its_half_hours_along(
    store, world, telling, exchange, linking, clock
):
    telling.slots = [slot(0, "1")]
    await linking(world.user())
    await again(exchange, clock)
    assert len(rows(store, tables.Block)) == 1
    telling.points_ = [Point(id="q", name="Other", smart=False)]
    await again(exchange, clock)
    for table in (tables.Block, tables.Series, tables.MeteringPoint):
        assert rows(store, table) == []


async def test_a_point_without_half_hours_is_no_failure(
    store, world, telling, exchange, linking, clock
):
    await linking(world.user())
    await again(exchange, clock)
    assert rows(store, tables.Contract)[0].refresh_error == ""
