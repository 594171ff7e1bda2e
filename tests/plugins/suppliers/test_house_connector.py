"""The house connectors: thin over the books they are given."""

import inspect
from datetime import UTC, date, datetime

import pytest

from hub.plugins import api
from hub.plugins.api import (
    Account,
    AppealDraft,
    Challenge,
    Consent,
    ContractBroken,
    Cursor,
    Desk,
    Does,
    LinkBy,
    Money,
    NotSupported,
    Submission,
)
from hub.plugins.manager import load_plugins
from hub.services.books import HouseBooks

ACCOUNT = Account("7", "76382940-232")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SINCE = Cursor("house/1", "")
DRAFT = AppealDraft(key="k", subject="s", text="t", email="", phone="")
CONSENT = Consent(act="submit", target="1", actor="a", reason="r", until=NOW)
SUBMISSION = Submission(key="k", point_id="1", taken_on=date(2026, 11, 20), values={})
PROTOCOLS = {
    Does.CARD: api.HasCard,
    Does.CONTRACT: api.HasContract,
    Does.BALANCE: api.HasBalance,
    Does.POINTS: api.HasPoints,
    Does.READINGS: api.HasReadings,
    Does.SUBMIT: api.AcceptsReadings,
    Does.SUBMISSIONS: api.TellsSubmissions,
    Does.NOTICES: api.HasNotices,
    Does.NOTICES_READ: api.TakesNoticesRead,
    Does.APPEALS: api.TakesAppeals,
    Does.APPEAL_REPLIES: api.ContinuesAppeals,
    Does.APPEAL_FILES: api.TakesAppealFiles,
    Does.TARIFFS: api.HasTariffs,
    Does.PAYMENTS: api.HasPayments,
    Does.BILLS: api.HasBills,
}


class Books:
    """Answers everything with what it was asked."""

    def __init__(self):
        self.asked = []

    def __getattr__(self, name):
        async def answer(*arguments):
            self.asked.append((name, *arguments))
            return ACCOUNT if name in {"sign_in", "by_number"} else (name, arguments)

        return answer


def desk(books):
    return Desk(http=None, log=None, now=None, language="ru", books=books)


@pytest.fixture
def plugins():
    return load_plugins(only=["house"], strict=True)


@pytest.fixture
def spec(plugins):
    return plugins.connector("house")


@pytest.fixture
def connector(spec):
    account = spec.account(login="dom", password="secret")
    assert "secret" not in repr(account)
    return spec.build(spec.installation(), account)


CALLS = {
    "card": (),
    "contract": (),
    "balance": (),
    "points": (),
    "readings": (SINCE,),
    "submissions": (SINCE,),
    "notices": (SINCE,),
    "notice_read": ("9",),
    "appeals": (SINCE,),
    "appeal": ("9",),
    "appeal_file": ("9", "3"),
    "tariffs": (date(2026, 11, 1),),
    "payments": (SINCE,),
    "bills": (SINCE,),
}


@pytest.mark.parametrize("name", CALLS)
async def test_it_hands_over_what_the_books_say(connector, name):
    books = Books()
    answer = await getattr(connector, name)(desk(books), *CALLS[name])
    expected = CALLS[name] if name == "card" else (ACCOUNT, *CALLS[name])
    assert books.asked[-1] == (name, *expected)
    if name != "notice_read":
        assert answer == (name, expected)


async def test_writes_go_to_the_books_of_the_account(connector):
    books = Books()
    await connector.submit(desk(books), SUBMISSION, CONSENT)
    await connector.create_appeal(desk(books), DRAFT, CONSENT)
    await connector.reply(desk(books), "9", DRAFT, CONSENT)
    assert books.asked == [
        ("sign_in", "dom", "secret"),  # once is enough
        ("submit", ACCOUNT, SUBMISSION),
        ("create_appeal", ACCOUNT, DRAFT),
        ("reply", ACCOUNT, "9", DRAFT),
    ]


async def test_without_books_it_says_so(connector):
    with pytest.raises(ContractBroken):
        await connector.sign_in(desk(None))


async def test_what_the_books_lack_is_refused(connector):
    with pytest.raises(NotSupported):
        await connector.answer(desk(Books()), Challenge("code", "p"), "1")
    with pytest.raises(NotSupported):
        await connector.payment_page(desk(Books()), Money(1))
    with pytest.raises(NotSupported):
        await connector.bill_file(desk(Books()), "1")
    assert await connector.topics(desk(Books())) == {}


@pytest.mark.parametrize("name", ["house", "house_code"])
def test_what_it_declares_it_can(plugins, name):
    spec = plugins.connector(name)
    assert spec.wants == {"books"}
    assert spec.hosts(spec.installation()) == frozenset()
    assert spec.may == set(PROTOCOLS)
    account = spec.account.model_construct()
    connector = spec.build(spec.installation(), account)
    assert connector.does(ACCOUNT) == spec.may
    for protocol in PROTOCOLS.values():
        assert isinstance(connector, protocol)
    for protocol in (api.HasProfile, api.HasJournal):
        assert not isinstance(connector, protocol)


def test_how_contracts_are_linked(plugins):
    assert plugins.connector("house").link_by is LinkBy.ACCOUNT
    assert plugins.connector("house_code").link_by is LinkBy.CODE


async def test_by_code_the_number_alone_is_asked_for(plugins):
    spec = plugins.connector("house_code")
    connector = spec.build(spec.installation(), spec.account(number="76-1"))
    books = Books()
    assert await connector.sign_in(desk(books)) == ACCOUNT
    assert books.asked == [("by_number", "76-1")]


def test_the_books_have_every_method_that_the_contract_names():
    """What mypy checks for callers is checked here for the class itself."""
    for name, method in inspect.getmembers(api.Books, inspect.isfunction):
        if not name.startswith("_"):
            told = inspect.signature(getattr(HouseBooks, name))
            assert list(told.parameters) == list(inspect.signature(method).parameters), name
