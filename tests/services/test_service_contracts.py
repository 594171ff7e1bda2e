"""Linking a contract through a connector, and what the house books tell."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hub.errors import (
    AnswerChanged,
    ContractAlreadyLinked,
    ContractBroken,
    CredentialsRejected,
    InputRefused,
    Missing,
    NotSupported,
    PluginBroken,
    SupplierDown,
    TooManyAttempts,
)
from hub.plugins.api import (
    Account,
    Balance,
    Does,
    LinkBy,
    Money,
    PluginSettings,
    Point,
    PointFact,
    Resource,
    Secret,
    SupplierCard,
    SupplierSpec,
)
from hub.plugins.manager import load_plugins
from hub.services.bookkeeping import BookedContract, Bookkeeping, open_supplier
from hub.services.contracts import Contracts
from hub.services.joining import join_points
from hub.services.passwords import Passwords
from hub.store import points as stored
from hub.store import tables
from hub.store.contracts import put_points

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CARD = SupplierCard(name="Энергосбыт Заречье", phones=("112",), email="help@z.example")
POINTS = (
    Point(
        id="", name="Ввод 1", number="P-1", meter_serial="41 882 107", smart=True,
        tariff_zones=("T1", "T2"), facts={PointFact.TARIFF: "день и ночь"},
    ),
    Point(id="", name="Вода", meter_serial="77", resource=Resource.WATER, unit="m3"),
)  # fmt: skip


@pytest.fixture(scope="module")
def plugins():
    return load_plugins(only=["house"], strict=True)


@pytest.fixture
def supplier(store, clock, passwords):
    supplier_id = open_supplier(store, title="Заречье", card=CARD, now=clock())
    Bookkeeping(store, supplier_id, passwords, clock).enter(
        BookedContract(
            login="dom", password="in the letter", number="76382940-232", holder="Орлова М. С.",
            address="ул. Садовая, 3", since=date(2020, 1, 1), balance_kopecks=-35_050,
            balance_at=clock(), points=POINTS,
        ),
    )  # fmt: skip
    return supplier_id


async def link(contracts, user, supplier, **changes):
    words = {"name": " Дом  на Садовой ", "login": "dom", "password": "in the letter", **changes}
    return await contracts.link(user, supplier, **words)


@pytest.mark.clause("C2.account")
async def test_a_contract_is_linked_with_all_that_the_books_tell(
    world, store, clock, contracts, supplier
):
    user, place, meter = world.user(), world.place(supplier, number="P-1"), world.meter("41882107")
    world.install(place, meter)
    contract_id = await link(contracts, user, supplier)
    with store.read() as unit:
        row = unit.session.get(tables.Contract, contract_id)
        points = stored.of_contract(unit, user, contract_id)
        sealed = row.sealed_settings
        opened = unit.secrets.open(sealed, table="contract", row=contract_id, field="settings")
    assert (row.name, row.number, row.holder) == ("Дом на Садовой", "76382940-232", "Орлова М. С.")
    assert (row.balance_kopecks, row.balance_at) == (-35_050, clock())
    assert {"balance", "card", "contract", "points"} <= set(row.does)
    assert "in the letter" not in sealed
    assert "in the letter" in opened
    electric, water = points
    assert (electric.metering_point_id, electric.smart) == (place, True)
    assert electric.facts == {"tariff": "день и ночь"}
    assert (water.metering_point_id, water.resource, water.unit) == (None, "water", "m3")
    assert [each.id for each in contracts.listed(user)] == [contract_id]
    with store.read() as unit:
        assert unit.session.get(tables.User, user).last_contract_id == contract_id


@pytest.mark.parametrize(
    ("number", "serial"), [("P-1", "41882108"), ("P-2", "41882107"), ("P-1", "")]
)
async def test_number_or_serial_alone_joins_nothing(world, contracts, supplier, number, serial):
    user, place = world.user(), world.place(supplier, number=number)
    meter = world.meter("x")
    with world.store.write() as unit:
        unit.session.get(tables.Meter, meter).serial = serial
    world.install(place, meter)
    contract_id = await link(contracts, user, supplier)
    with world.store.read() as unit:
        points = stored.of_contract(unit, user, contract_id)
    assert [point.metering_point_id for point in points] == [None, None]


async def test_a_meter_that_proves_itself_later_is_joined_then(world, contracts, supplier, clock):
    user, place = world.user(), world.place(supplier, number="P-1")
    meter = world.meter("unknown")
    world.install(place, meter)
    contract_id = await link(contracts, user, supplier)
    with world.store.write() as unit:
        assert join_points(unit, clock()) == 0
        unit.session.get(tables.Meter, meter).serial = "41882107"
        assert join_points(unit, clock()) == 1
    with world.store.read() as unit:
        points = stored.of_contract(unit, user, contract_id)
    assert points[0].metering_point_id == place


@pytest.mark.parametrize("wrong", [{"login": "nobody"}, {"password": "in the leter"}])
async def test_wrong_login_and_wrong_password_are_one_answer(world, contracts, supplier, wrong):
    user = world.user()
    with pytest.raises(CredentialsRejected):
        await link(contracts, user, supplier, **wrong)
    assert contracts.listed(user) == []


async def test_an_unknown_login_costs_a_hash(world, contracts, supplier, monkeypatch):
    asked = []
    monkeypatch.setattr(
        contracts.passwords, "verify", lambda known, password: asked.append(known) or False
    )
    with pytest.raises(CredentialsRejected):
        await link(contracts, world.user(), supplier, login="nobody")
    assert asked == [None]


async def test_the_same_contract_twice_names_the_first(world, contracts, supplier):
    user = world.user()
    first = await link(contracts, user, supplier)
    with pytest.raises(ContractAlreadyLinked) as known:
        await link(contracts, user, supplier, name="Еще раз")
    assert known.value.details == {"name": "Дом на Садовой", "contract_id": first}
    await link(contracts, world.user(), supplier)  # a neighbour who knows the password too


async def test_guessing_is_limited_before_the_supplier_is_asked(
    world, contracts, supplier, clock, monkeypatch
):
    user = world.user()
    for _ in range(5):
        with pytest.raises(CredentialsRejected):
            await link(contracts, user, supplier, password="guess")
    monkeypatch.setattr(contracts.passwords, "verify", None)
    with pytest.raises(TooManyAttempts):
        await link(contracts, world.user(), supplier)
    monkeypatch.undo()
    clock.advance(minutes=15)
    await link(contracts, user, supplier)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [({"name": " "}, {"name"}), ({"login": "", "password": ""}, {"login", "password"})],
)
async def test_empty_fields_are_named(world, contracts, supplier, changes, fields):
    with pytest.raises(InputRefused) as refused:
        await link(contracts, world.user(), supplier, **changes)
    assert set(refused.value.fields) == fields


async def test_an_unknown_supplier_is_missing(world, contracts):
    with pytest.raises(Missing):
        await link(contracts, world.user(), 999)


async def test_renaming_and_using_are_the_owners(world, store, contracts, supplier):
    user, stranger = world.user(), world.user()
    contract_id = await link(contracts, user, supplier)
    assert contracts.rename(user, contract_id, " Новый\nдом ") == "Новый дом"
    assert contracts.listed(user)[0].name == "Новый дом"
    with pytest.raises(Missing):
        contracts.rename(stranger, contract_id, "Мой")
    with pytest.raises(InputRefused):
        contracts.rename(user, contract_id, "  ")
    contracts.use(user, contract_id)
    with pytest.raises(Missing):
        contracts.use(stranger, contract_id)
    with store.read() as unit:
        assert unit.session.get(tables.User, stranger).last_contract_id is None


# -- connectors that misbehave -----------------------------------------------------------------


class Nothing(PluginSettings):
    pass


class Access(PluginSettings):
    login: str
    password: Secret


@dataclass
class Odd:
    """A connector that answers as a test says."""

    answers: dict = field(default_factory=dict)
    account: Account = field(default_factory=lambda: Account("7", "label"))
    store: object = None

    async def sign_in(self, desk):
        await self.told("sign_in")
        return self.account

    async def answer(self, desk, challenge, reply):
        raise NotSupported

    def does(self, account):
        return frozenset(Does(name) for name in self.answers if name in set(Does))

    async def told(self, name):
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        if answer == "for ever":
            await asyncio.Event().wait()
        return answer

    async def balance(self, desk):
        return await self.told("balance")

    async def points(self, desk):
        return await self.told("points")


@dataclass
class Plugins:
    connectors: dict

    def connector(self, name):
        if name not in self.connectors:
            raise PluginBroken
        return self.connectors[name]


def odd_contracts(store, clock, odd, **spec):
    told = {
        "id": "odd", "title": "Odd", "regions": (), "installation": Nothing, "account": Access,
        "link_by": LinkBy.ACCOUNT, "hosts": lambda installation: frozenset(),
        "build": lambda installation, account: odd, "may": frozenset(Does), **spec,
    }  # fmt: skip
    plugins = Plugins({"odd": SupplierSpec(**told)})
    return Contracts(store, plugins, Passwords(), clock, patience=0.05)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"sign_in": "for ever"}, SupplierDown),
        ({"sign_in": SupplierDown()}, SupplierDown),
        ({"points": ZeroDivisionError()}, ContractBroken),
        ({"points": [Point(id="1"), Point(id="1")]}, AnswerChanged),
        ({"balance": Balance(Money(Decimal("1.005")), LONG_AGO)}, AnswerChanged),
    ],
)  # fmt: skip
async def test_a_supplier_that_fails_leaves_nothing(world, store, clock, answers, error):
    user, supplier = world.user(), world.supplier(connector="odd")
    with pytest.raises(error):
        await link(odd_contracts(store, clock, Odd(answers)), user, supplier)
    with store.read() as unit:
        assert unit.session.get(tables.Contract, 1) is None


async def test_what_a_supplier_lacks_is_left_open(world, store, clock):
    user, supplier = world.user(), world.supplier(connector="odd")
    long = "x" * 1000
    odd = Odd({"balance": Missing(), "points": [Point(id="1", name=long)]})
    contract_id = await link(odd_contracts(store, clock, odd), user, supplier)
    with store.read() as unit:
        row = unit.session.get(tables.Contract, contract_id)
        points = stored.of_contract(unit, user, contract_id)
    assert (row.number, row.balance_kopecks) == ("label", None)
    assert len(points[0].name) == 500


async def test_no_unit_is_open_while_a_supplier_is_asked(world, store, clock):
    user, supplier = world.user(), world.supplier(connector="odd")

    class Asking(Odd):
        async def sign_in(self, desk):
            with store.write() as unit:  # would wait for ever behind another writing unit
                unit.cursor().execute("SELECT 1")
            return self.account

    await link(odd_contracts(store, clock, Asking()), user, supplier)


async def test_a_connector_by_account_that_wants_a_code_is_broken(world, store, clock):
    supplier = world.supplier(connector="odd")
    with pytest.raises(ContractBroken):
        await link(odd_contracts(store, clock, Odd(), link_by=LinkBy.CODE), world.user(), supplier)


@pytest.mark.clause("C1.suppliers")
def test_only_suppliers_that_can_be_linked_are_offered(world, store, clock, contracts, supplier):
    world.supplier("Gone", connector="not installed")
    assert [(choice.id, choice.title) for choice in contracts.suppliers()] == [
        (supplier, "Заречье")
    ]
    assert contracts.suppliers()[0].hint == "supplier.house.login_hint"


async def test_a_point_that_vanished_goes_and_the_others_keep_their_id(world, store, clock):
    user, supplier = world.user(), world.supplier(connector="odd")
    odd = Odd({"points": [Point(id="1", name="a"), Point(id="2", name="b")]})
    contract_id = await link(odd_contracts(store, clock, odd), user, supplier)
    with store.read() as unit:
        before = {p.name: p.id for p in stored.of_contract(unit, user, contract_id)}
    with store.write() as unit:
        rows = [
            tables.ContractPoint(
                contract_id=contract_id, remote_id=number, name=name,
                told_at=clock() + timedelta(hours=1),
            )
            for number, name in (("2", "b!"), ("3", "c"))
        ]  # fmt: skip
        put_points(unit, contract_id, rows)
    with store.read() as unit:
        after = {p.name: p.id for p in stored.of_contract(unit, user, contract_id)}
    assert set(after) == {"b!", "c"}
    assert after["b!"] == before["b"]


def opened(store, contract_id):
    with store.read() as unit:
        sealed = unit.session.get(tables.Contract, contract_id).sealed_settings
        return unit.secrets.open(sealed, table="contract", row=contract_id, field="settings")


@pytest.fixture
def books(store, supplier, passwords, clock):
    return Bookkeeping(store, supplier, passwords, clock)


async def test_a_new_password_is_proved_and_kept_and_asks_again(
    world, store, clock, contracts, supplier, books
):
    user = world.user()
    contract_id = await link(contracts, user, supplier)
    with store.write() as unit:
        state = unit.session.get(tables.ContractState, contract_id)
        state.stopped, state.failures, state.due_at = True, 3, clock() + timedelta(days=9)
    given = books.give_access("76382940-232", "dom").password
    await contracts.replace_password(user, contract_id, given)
    assert given in opened(store, contract_id)
    with store.read() as unit:
        state = unit.session.get(tables.ContractState, contract_id)
        assert (state.stopped, state.failures) == (False, 0)
        assert state.due_at <= unit.now()


async def test_a_password_that_is_refused_or_anothers_leaves_the_old_one(
    world, store, contracts, supplier, books
):
    user, stranger = world.user(), world.user()
    contract_id = await link(contracts, user, supplier)
    with pytest.raises(CredentialsRejected):
        await contracts.replace_password(user, contract_id, "wrong")
    with pytest.raises(InputRefused) as refused:
        await contracts.replace_password(user, contract_id, "")
    assert set(refused.value.fields) == {"password"}
    given = books.give_access("76382940-232", "dom").password
    with pytest.raises(Missing):
        await contracts.replace_password(stranger, contract_id, given)
    with store.write() as unit:  # the login now opens another account
        unit.session.get(tables.Contract, contract_id).remote_id = "another"
    with pytest.raises(CredentialsRejected):
        await contracts.replace_password(user, contract_id, given)
    assert "in the letter" in opened(store, contract_id)


async def test_guessing_a_new_password_is_limited(world, contracts, supplier):
    user = world.user()
    contract_id = await link(contracts, user, supplier)
    for _ in range(4):  # linking was the first try
        with pytest.raises(CredentialsRejected):
            await contracts.replace_password(user, contract_id, "wrong")
    with pytest.raises(TooManyAttempts):
        await contracts.replace_password(user, contract_id, "in the letter")
