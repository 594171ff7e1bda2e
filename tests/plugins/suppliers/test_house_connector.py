"""The house connector: thin over the books it is given."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hub.plugins.api import (
    Account,
    Balance,
    Challenge,
    Contract,
    ContractBroken,
    Desk,
    Does,
    HasBalance,
    HasCard,
    HasContract,
    HasPoints,
    LinkBy,
    Money,
    NotSupported,
    Point,
    SupplierCard,
)
from hub.plugins.manager import load_plugins

ACCOUNT = Account("7", "76382940-232")


class Books:
    def __init__(self):
        self.signed_in = []

    async def sign_in(self, login, password):
        self.signed_in.append((login, password))
        return ACCOUNT

    async def card(self):
        return SupplierCard(name="НЭК")

    async def contract(self, account):
        return Contract(number=account.label, holder="", address="")

    async def balance(self, account):
        return Balance(Money(Decimal("-350.50")), datetime(2026, 1, 1, tzinfo=UTC))

    async def points(self, account):
        return [Point(id=account.remote_id)]


def desk(books):
    return Desk(http=None, log=None, now=None, language="ru", books=books)


@pytest.fixture
def spec():
    return load_plugins(only=["house"], strict=True).connector("house")


@pytest.fixture
def connector(spec):
    account = spec.account(login="dom", password="secret")
    assert "secret" not in repr(account)
    return spec.build(spec.installation(), account)


async def test_it_hands_the_books_over(connector):
    books = Books()
    assert await connector.sign_in(desk(books)) == ACCOUNT
    assert (await connector.contract(desk(books))).number == "76382940-232"
    assert (await connector.balance(desk(books))).money.amount == Decimal("-350.50")
    assert (await connector.points(desk(books)))[0].id == "7"
    assert (await connector.card(desk(books))).name == "НЭК"
    assert books.signed_in == [("dom", "secret")]  # once is enough


async def test_it_signs_in_by_itself(connector):
    books = Books()
    await connector.points(desk(books))
    assert len(books.signed_in) == 1


async def test_without_books_it_says_so(connector):
    with pytest.raises(ContractBroken):
        await connector.sign_in(desk(None))


async def test_it_asks_no_questions(connector):
    with pytest.raises(NotSupported):
        await connector.answer(desk(Books()), Challenge("code", "p"), "1")


def test_what_it_declares_it_can(spec, connector):
    assert spec.link_by is LinkBy.ACCOUNT
    assert spec.wants == {"books"}
    assert spec.hosts(spec.installation()) == frozenset()
    assert connector.does(ACCOUNT) == spec.may
    assert spec.may == {Does.CARD, Does.CONTRACT, Does.BALANCE, Does.POINTS}
    for protocol in (HasCard, HasContract, HasBalance, HasPoints):
        assert isinstance(connector, protocol)
