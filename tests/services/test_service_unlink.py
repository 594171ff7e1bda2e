"""Letting go of a contract: all of it, nothing of anybody else, and back again without doubling."""

from datetime import date
from decimal import Decimal

import pytest
from sqlmodel import SQLModel, func, select

from hub.errors import Missing, StillOnTheWay
from hub.plugins.api import AppealState, NoticeKind, Point, Resource, SupplierCard
from hub.plugins.manager import load_plugins
from hub.services.appeals import Appeals, Draft
from hub.services.bookkeeping import BookedContract, Bookkeeping, NewNotice, Taken, open_supplier
from hub.services.notices import Notices
from hub.services.submissions import Submissions
from hub.store import tables, told

NUMBER = "76-1"
WATER = Point(id="", name="Вода", number="P-2", resource=Resource.WATER, unit="m3")
# What a contract brings with it, or leaves behind on purpose.
OTHERS = {"outbox", "audit", "attempts", "user", "supplier"}
DRAFT = Draft(key="k", email="anna@example.org", phone="", subject="Счет", text="Проверьте счет.")


@pytest.fixture(scope="module")
def plugins():
    return load_plugins(only=["house"], strict=True)


@pytest.fixture
def keeping(store, clock, passwords):
    supplier = open_supplier(store, title="Заречье", card=SupplierCard(name="Z"), now=clock())
    keeping = Bookkeeping(store, supplier, passwords, clock)
    for login, number in (("dom", NUMBER), ("dacha", "76-2")):
        keeping.enter(
            BookedContract(login=login, password="letter", number=number, holder="", address="")
        )
    keeping.set_price("Вода", "T1", Decimal("48.5"), date(2026, 1, 1))
    keeping.add_point(NUMBER, WATER, "Вода")
    keeping.record(NUMBER, "P-2", Taken({"": Decimal(100)}, date(2026, 10, 20)))
    return keeping


def link(contracts, keeping, user, login="dom"):
    return contracts.link(user, keeping.supplier_id, login, login, "letter")


def rows(store):
    """How many rows each table holds."""
    with store.read() as unit:
        return {
            table.name: unit.session.scalar(select(func.count()).select_from(table))
            for table in SQLModel.metadata.sorted_tables
            if table.name not in OTHERS
        }


def words_of(store):
    """What the supplier told, in its words."""
    with store.read() as unit:
        connection = unit.session.connection()
        return {
            table: sorted(tuple(row) for row in connection.exec_driver_sql(f"SELECT {what}"))
            for table, what in {
                "notice": "title, text, source FROM notice",
                "appeal": "number, subject, state FROM appeal",
                "message": "who, body FROM appeal_message",
                "reading": "zone, taken_on, value FROM told_reading",
                "point": "name, number FROM contract_point",
                "bill": "month, kopecks FROM contract_bill",
                "payment": "paid_at, kopecks FROM contract_payment",
            }.items()
        }


async def lived_in(store, contracts, exchange, keeping, user, clock):
    """Link a contract and use all of it: readings, an appeal with an answer, a notice, money."""
    contract = await link(contracts, keeping, user)
    with store.read() as unit:
        (point,) = told.point_ids(unit, contract).values()
    Submissions(store, clock).submit(user, point, "s", {"": "110"}, confirmed=True)
    Appeals(store, clock).create(user, contract, DRAFT)
    keeping.publish(NewNotice(kind=NoticeKind.DEBT, title="Долг", text="Оплатите.", number=NUMBER))
    await exchange.run_due()
    keeping.answer(1, "Проверим.", state=AppealState.ANSWERED, due=None)
    keeping.pay(NUMBER, 10_000)
    contracts.refresh_soon(user, contract)
    await exchange.run_due()
    return contract


@pytest.mark.clause("C4.unlink")
async def test_all_of_a_contract_goes_and_nothing_of_another(
    store, clock, contracts, exchange, keeping, user, world
):
    other = world.user()
    await link(contracts, keeping, other, "dacha")
    before = rows(store)
    contract = await lived_in(store, contracts, exchange, keeping, user, clock)
    grown = {name for name, count in rows(store).items() if count > before[name]}
    assert {"submission", "appeal", "appeal_message", "notice", "contract_payment"} <= grown
    with pytest.raises(Missing):
        contracts.unlink(other, contract)
    contracts.unlink(user, contract)
    after = rows(store)
    house = {name for name in after if name.startswith("house_")}  # the supplier keeps its own
    assert {n: c for n, c in after.items() if n not in house} == {
        n: c for n, c in before.items() if n not in house
    }
    with pytest.raises(Missing):
        contracts.one(user, contract)
    with store.read() as unit:
        (line,) = unit.session.connection().exec_driver_sql(
            "SELECT actor, act, target FROM audit WHERE act = 'contract.unlink'"
        )
    assert tuple(line) == (f"user {user}", "contract.unlink", f"{keeping.supplier_id}/{NUMBER}")


@pytest.mark.clause("C4.unlink")
async def test_linked_again_everything_is_back_once(
    store, clock, contracts, exchange, keeping, user
):
    contract = await lived_in(store, contracts, exchange, keeping, user, clock)
    before = words_of(store)
    contracts.unlink(user, contract)
    assert not any(words_of(store).values())
    await link(contracts, keeping, user)
    await exchange.run_due()
    after = words_of(store)
    # News of an appeal were made here, of a change that is now a part of its history.
    before["notice"] = [row for row in before["notice"] if row[2] == "supplier"]
    assert after == before


@pytest.mark.clause("C4.unlink")
async def test_while_something_is_on_its_way_the_contract_stays(
    store, clock, contracts, exchange, keeping, user
):
    contract = await link(contracts, keeping, user)
    Appeals(store, clock).create(user, contract, DRAFT)
    assert contracts.one(user, contract).on_the_way == 1
    with pytest.raises(StillOnTheWay):
        contracts.unlink(user, contract)
    await exchange.run_due()
    appeals = Appeals(store, clock)
    with store.read() as unit:
        appeal = unit.session.connection().exec_driver_sql("SELECT id FROM appeal").scalar()
    appeals.reply(user, appeal, "r", "И еще.")
    assert contracts.one(user, contract).on_the_way == 1
    await exchange.run_due()
    assert contracts.one(user, contract).on_the_way == 0
    contracts.unlink(user, contract)


async def test_a_read_mark_of_what_is_gone_stops_no_other(
    store, clock, contracts, exchange, keeping, user
):
    """Rows get the ids of those that went; what was to be said of the old is not said of them."""
    contract = await lived_in(store, contracts, exchange, keeping, user, clock)
    Notices(store, clock).read_all(user, contract)
    contracts.unlink(user, contract)
    contract = await link(contracts, keeping, user)
    assert Notices(store, clock).read_all(user, contract) == 1
    await exchange.run_due()
    with store.read() as unit:
        read = unit.session.connection().exec_driver_sql("SELECT count(*) FROM house_notice_read")
        assert read.scalar() == 1


async def test_the_next_contract_is_the_one_that_opens(store, contracts, keeping, user):
    first, second = [await link(contracts, keeping, user, login) for login in ("dom", "dacha")]

    def last():
        with store.read() as unit:
            return unit.session.get(tables.User, user).last_contract_id

    contracts.unlink(user, second)
    assert last() == first
    contracts.unlink(user, first)
    assert last() is None


@pytest.mark.clause("C4.refresh")
async def test_asking_now_ends_a_stop_and_its_waits(store, clock, contracts, keeping, user):
    contract = await link(contracts, keeping, user)
    with store.write() as unit:
        state = unit.session.get(tables.ContractState, contract)
        state.stopped, state.failures, state.due_at = True, 4, clock().replace(year=2030)
    contracts.refresh_soon(user, contract)
    with store.read() as unit:
        state = unit.session.get(tables.ContractState, contract)
        assert (state.stopped, state.failures) == (False, 0)
        assert state.due_at <= unit.now()
