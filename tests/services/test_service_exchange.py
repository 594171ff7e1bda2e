"""What goes between consumers and suppliers: once, in order, and shown while it waits."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from hub.errors import (
    Conflict,
    CredentialsRejected,
    InputRefused,
    Missing,
    NotSupported,
    SubmissionRejected,
    SubmissionUncertain,
    SupplierDown,
)
from hub.plugins.api import (
    Account,
    Appeal,
    AppealDraft,
    AppealState,
    Cursor,
    Does,
    LinkBy,
    NoticeKind,
    Page,
    PluginSettings,
    Point,
    Receipt,
    Resource,
    Secret,
    SubmissionNews,
    SubmissionState,
    SupplierCard,
    SupplierSpec,
)
from hub.plugins.manager import load_plugins
from hub.services.appeals import Appeals, Draft
from hub.services.bookkeeping import BookedContract, Bookkeeping, NewNotice, Taken, open_supplier
from hub.services.books import HouseBooks
from hub.services.contracts import Contracts
from hub.services.exchange import Exchange
from hub.services.notices import Notices
from hub.services.submissions import Doubtful, Submissions, billed_in
from hub.store import tables
from hub.store.accounts import SignedIn

NUMBER = "76-1"
WATER = Point(
    id="", name="Вода", number="P-2", resource=Resource.WATER, unit="m3", whole_digits=5,
    decimal_digits=3, submit_from_day=15, submit_to_day=25,
)  # fmt: skip


@pytest.fixture(scope="module")
def plugins():
    return load_plugins(only=["house"], strict=True)


@pytest.fixture
def keeping(store, clock, passwords):
    supplier = open_supplier(store, title="Заречье", card=SupplierCard(name="Z"), now=clock())
    keeping = Bookkeeping(store, supplier, passwords, clock)
    keeping.enter(
        BookedContract(
            login="dom", password="letter", number=NUMBER, holder="", address="",
            balance_kopecks=-100, balance_at=clock(),
        )
    )  # fmt: skip
    keeping.set_price("Вода", "T1", Decimal("48.5"), date(2026, 1, 1))
    keeping.add_point(NUMBER, WATER, "Вода")
    keeping.record(NUMBER, "P-2", Taken({"": Decimal(100)}, date(2026, 10, 20)))
    return keeping


@pytest.fixture
async def contract(user, keeping, contracts):
    return await contracts.link(user, keeping.supplier_id, "Дом", "dom", "letter")


def who(user):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return SignedIn(*_signed(user, now))


def _signed(user, now):
    known = {
        "user_id": user, "email": "a@example.org", "full_name": "Анна Ким", "role": "consumer",
        "language": "", "theme": "", "last_contract_id": None, "id_hash": "h",
    }  # fmt: skip
    return [known.get(name, now) for name in SignedIn._fields]


def rows(store, table):
    with store.read() as unit:
        return list(unit.session.exec(select(table).order_by(table.id)))


def point_of(store):
    return rows(store, tables.ContractPoint)[0].id


def draft(key="f1", **typed):
    words = {"email": "A@example.org", "phone": "", "subject": " Тема ", "text": "Текст"}
    return Draft(**{"key": key, **words, **typed})


async def settle(exchange, store, clock):
    """Let the clock run until nothing is due."""
    while await exchange.run_due():
        clock.advance(seconds=2)


# -- news --------------------------------------------------------------------------------------


async def test_linking_brings_all_that_the_books_have(store, contract, user):
    assert [row.value for row in rows(store, tables.ToldReading)] == ["100.000"]
    assert [(r.zone, r.millionths) for r in rows(store, tables.ContractTariff)] == [
        ("T1", 48_500_000)
    ]
    with store.read() as unit:
        billed = billed_in(unit, [point_of(store)])
    assert [(b.value, b.basis) for b in billed[point_of(store)]] == [(100, "accepted")]


@pytest.mark.clause("N2.supplier")
async def test_what_the_utility_does_is_seen_at_once(
    store, keeping, contract, exchange, clock, user
):
    assert await exchange.run_due() == 0  # asked just now
    clock.advance(minutes=2)
    keeping.pay(NUMBER, 2_500)
    keeping.publish(NewNotice(kind=NoticeKind.DEBT, title="Долг", text="Оплатите", number=NUMBER))
    await settle(exchange, store, clock)
    (linked,) = rows(store, tables.Contract)
    assert linked.balance_kopecks == 2_400
    assert [row.kopecks for row in rows(store, tables.ContractPayment)] == [2_500]
    (notice,) = Notices(store, clock).page(who(user), contract).items
    assert (notice.title, notice.kind, notice.unread) == ("Долг", "debt", True)
    before = {table: len(rows(store, table)) for table in (tables.Notice, tables.ContractPayment)}
    for _ in range(3):  # asked again and again nothing is doubled
        clock.advance(hours=8)
        assert await exchange.run_due() == 1
    assert before == {table: len(rows(store, table)) for table in before}


async def test_a_password_that_ended_stops_the_asking_until_its_owner_acts(
    store, keeping, contract, exchange, clock
):
    keeping.end_access(NUMBER)
    await settle(exchange, store, clock)
    with store.read() as unit:
        state = unit.session.get(tables.ContractState, contract)
    assert state.stopped
    assert rows(store, tables.Contract)[0].refresh_error == "supplier.credentials_rejected"
    clock.advance(days=2)
    assert await exchange.run_due() == 0


async def test_asking_now_is_the_owners(world, contracts, contract, exchange, user):
    assert await exchange.run_due() == 0
    contracts.refresh_soon(user, contract)
    assert await exchange.run_due() == 1
    with pytest.raises(Missing):
        contracts.refresh_soon(world.user(), contract)


# -- notices -----------------------------------------------------------------------------------


@pytest.mark.clause("N1.not-by-list", "N1.read-all")
async def test_opening_marks_read_here_and_in_the_books(
    store, world, keeping, contract, exchange, clock, user
):
    for title in ("а", "б", "в"):
        keeping.publish(NewNotice(kind=NoticeKind.OTHER, title=title, text="x"))
        clock.advance(minutes=2)
    await settle(exchange, store, clock)
    notices = Notices(store, clock)
    listed = notices.page(who(user), contract)
    assert [item.title for item in listed.items] == ["в", "б", "а"]
    assert (listed.shell.unread, listed.shell.contracts[0].unread) == (3, 3)
    assert notices.page(who(user), contract).shell.unread == 3  # listing reads nothing
    page = notices.open(who(user), listed.items[0].id)
    opened = page.notice
    assert (opened.unread, page.shell.unread) == (False, 2)
    assert len(notices.page(who(user), contract, only_unread=True).items) == 2
    assert notices.read_all(user, contract) == 2
    assert notices.read_all(user, contract) == 0
    assert not notices.page(who(user), contract).shell.contracts[0].unread
    await settle(exchange, store, clock)
    with store.read() as unit:
        assert len(unit.session.exec(select(tables.HouseNoticeRead)).all()) == 3
    stranger = world.user()
    with pytest.raises(Missing):
        notices.open(who(stranger), opened.id)
    with pytest.raises(Missing):
        notices.page(who(stranger), contract)
    assert notices.read_all(stranger, contract) == 0


# -- submissions -------------------------------------------------------------------------------


@pytest.mark.clause("T2.supplier")
async def test_readings_go_and_come_back_accepted(
    store, keeping, contract, exchange, clock, user, world
):
    submissions, point = Submissions(store, clock), point_of(store)
    form = submissions.form(user, point)
    assert (form.zones, form.before[""].value, form.is_open) == (("",), 100, True)
    assert form.window == (date(2026, 11, 15), date(2026, 11, 25))
    checked = submissions.check(user, point, {"": "104,25"})
    assert (checked.used, checked.kopecks) == ({"": Decimal("4.25")}, 20_613)
    sent = submissions.submit(user, point, "form 1", {"": "104,25"})
    assert submissions.submit(user, point, "form 1", {"": "104,25"}) == sent
    assert submissions.form(user, point).sent[0].state == "waiting"
    await settle(exchange, store, clock)
    (view,) = submissions.form(user, point).sent
    assert (view.state, view.values) == ("sent", {"": "104.25"})
    keeping.accept(keeping.submissions()[0].id)
    await settle(exchange, store, clock)
    assert submissions.form(user, point).sent[0].state == "accepted"
    assert submissions.form(user, point).before[""].value == Decimal("104.250")
    with pytest.raises(Missing):
        submissions.form(world.user(), point)
    with pytest.raises(Missing):
        submissions.submit(world.user(), point, "x", {"": "105"})


async def test_a_refusal_is_shown_with_its_reason(store, keeping, contract, exchange, clock, user):
    submissions, point = Submissions(store, clock), point_of(store)
    submissions.submit(user, point, "1", {"": "104"})
    await settle(exchange, store, clock)
    keeping.refuse(keeping.submissions()[0].id, "Фото не читается")
    await settle(exchange, store, clock)
    (view,) = submissions.form(user, point).sent
    assert (view.state, view.reason) == ("refused", "Фото не читается")


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("", {"": "reading.not_a_number"}),
        ("99", {"": "reading.lower"}),
        ("123456", {"": "reading.too_long"}),
        ("1.2345", {"": "reading.too_fine"}),
    ],
)
async def test_what_can_not_be_sent_is_said_by_zone(store, contract, clock, user, typed, wrong):
    with pytest.raises(InputRefused) as refused:
        Submissions(store, clock).submit(user, point_of(store), "1", {"": typed})
    assert dict(refused.value.fields) == wrong
    assert rows(store, tables.Submission) == []


async def test_absurd_readings_have_to_be_confirmed(store, contract, clock, user):
    submissions, point = Submissions(store, clock), point_of(store)
    with pytest.raises(Doubtful) as doubtful:
        submissions.submit(user, point, "1", {"": "9000"})
    assert dict(doubtful.value.fields) == {"": "reading.too_high"}
    submissions.submit(user, point, "1", {"": "9000"}, confirmed=True)
    assert submissions.form(user, point).sent[0].state == "waiting"


async def test_outside_the_window_nothing_is_sent(store, contract, clock, user):
    clock.advance(days=5)
    submissions = Submissions(store, clock)
    form = submissions.form(user, point_of(store))
    assert (form.is_open, form.window[0]) == (False, date(2026, 12, 15))
    with pytest.raises(InputRefused) as refused:
        submissions.submit(user, point_of(store), "1", {"": "104"})
    assert dict(refused.value.fields) == {"window": "reading.window_closed"}


async def test_without_one_price_throughout_there_is_no_cost(
    store, keeping, contract, exchange, clock, user
):
    keeping.set_price("Вода", "T1", Decimal(50), date(2026, 11, 1))
    await settle(exchange, store, clock)
    checked = Submissions(store, clock).check(user, point_of(store), {"": "104"})
    assert (checked.used, checked.kopecks) == ({"": 4}, None)


# -- appeals -----------------------------------------------------------------------------------


@pytest.mark.clause("S2.handed", "S2.number", "S2.answer", "S3.notification")
async def test_an_appeal_goes_and_its_answer_is_a_notification(
    store, keeping, contract, exchange, clock, user, world
):
    appeals = Appeals(store, clock)
    appeal = appeals.create(user, contract, draft())
    assert appeals.create(user, contract, draft()) == appeal
    page = appeals.one(who(user), appeal)
    assert (page.appeal.state, page.appeal.number) == ("waiting", "")
    assert [(said.text, said.state) for said in page.thread] == [("Текст", "waiting")]
    await settle(exchange, store, clock)
    page = appeals.one(who(user), appeal)
    assert (page.appeal.state, page.appeal.number, page.can_reply) == ("in_work", "1", True)
    assert (page.appeal.subject, page.appeal.remote_state) == ("Тема", "В работе")
    assert [(said.text, said.state) for said in page.thread] == [("Текст", "")]
    assert Notices(store, clock).page(who(user), contract).items == ()  # that it arrived is no news
    clock.advance(minutes=5)
    keeping.answer(1, "Исправили.", state=AppealState.CLOSED, due=None)
    await settle(exchange, store, clock)
    page = appeals.one(who(user), appeal)
    assert page.appeal.state == "closed"
    assert [(said.who, said.text) for said in page.thread] == [
        ("", "Текст"), ("Заречье", "Исправили."),
    ]  # fmt: skip
    (notice,) = Notices(store, clock).page(who(user), contract).items
    assert (notice.source, notice.kind, notice.appeal_id) == ("appeal", "closed", appeal)
    assert notice.text == "Исправили."
    Notices(store, clock).open(who(user), notice.id)
    clock.advance(minutes=5)
    for _ in range(2):
        appeals.reply(user, appeal, "r1", "Спасибо")
    await settle(exchange, store, clock)
    page = appeals.one(who(user), appeal)
    assert (page.appeal.state, [said.text for said in page.thread][-1]) == ("in_work", "Спасибо")
    assert len(page.thread) == 3
    assert len(Notices(store, clock).page(who(user), contract).items) == 1  # one's own words
    stranger = world.user()
    for act in (
        lambda: appeals.one(who(stranger), appeal),
        lambda: appeals.create(stranger, contract, draft("x")),
        lambda: appeals.reply(stranger, appeal, "x", "x"),
        lambda: appeals.send_again(stranger, appeal),
    ):
        with pytest.raises(Missing):
            act()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "no"}, "email"),
        ({"phone": "7" * 99}, "phone"),
        ({"subject": " "}, "subject"),
        ({"subject": "x" * 201}, "subject"),
        ({"text": " "}, "text"),
        ({"text": "x" * 5001}, "text"),
    ],
)
async def test_a_wrong_appeal_is_not_taken(store, contract, clock, user, typed, field):
    with pytest.raises(InputRefused) as refused:
        Appeals(store, clock).create(user, contract, draft(**typed))
    assert set(refused.value.fields) == {field}


async def test_appeals_that_were_made_elsewhere_are_told(
    store, keeping, contract, exchange, clock, user
):
    keeping.enter(BookedContract(number="76-2", holder="", address=""))
    books = HouseBooks(store, keeping.supplier_id, keeping.passwords, clock)
    account = await books.by_number(NUMBER)
    clock.advance(minutes=2)
    await books.create_appeal(
        account, AppealDraft(key="phone", subject="По телефону", text="x", email="", phone="")
    )
    clock.advance(hours=8)
    await settle(exchange, store, clock)
    (told,) = Appeals(store, clock).page(who(user), contract).items
    assert (told.subject, told.number, told.state) == ("По телефону", "1", "in_work")


# -- suppliers that fail -----------------------------------------------------------------------


class Access(PluginSettings):
    login: str
    password: Secret


class Nothing(PluginSettings):
    pass


@dataclass
class Flaky:
    """A supplier that does what a test says; it remembers what arrived."""

    fails: object = None
    arrived: list = field(default_factory=list)
    knows_keys: bool = True
    refused: bool = False

    async def sign_in(self, desk):
        if self.fails == "before":
            raise SupplierDown
        if self.fails == "password":
            raise CredentialsRejected
        return Account("7", "label")

    def does(self, account):
        return frozenset(
            {Does.POINTS, Does.SUBMIT, Does.SUBMISSIONS, Does.APPEALS, Does.APPEAL_REPLIES}
        )

    async def points(self, desk):
        return [Point(id="p", name="Ввод")]

    async def submit(self, desk, submission, consent):
        if self.fails == "no":
            raise SubmissionRejected("Не сегодня")
        self.arrived.append(submission.key)
        if self.fails == "after":
            raise SubmissionUncertain
        if self.fails == "hangs":
            await asyncio.Event().wait()
        if self.fails == "breaks":
            raise ZeroDivisionError
        return Receipt(SubmissionState.QUEUED, str(len(self.arrived)))

    async def submissions(self, desk, since):
        items = tuple(
            SubmissionNews(
                remote_id=str(number), key=key if self.knows_keys else "",
                state=SubmissionState.QUEUED, changed_at=desk.now(),
            )
            for number, key in enumerate(self.arrived, 1)
        )  # fmt: skip
        return Page(items=items, next=Cursor("flaky", ""), more=False)

    async def topics(self, desk):
        return {}

    async def create_appeal(self, desk, draft, consent):
        if self.fails == "no":
            raise SubmissionRejected("Не сегодня")
        self.arrived.append(draft.key)
        if self.fails in {"after", "hangs", "breaks"}:
            raise SubmissionUncertain
        return self._told(desk, len(self.arrived))

    def _told(self, desk, number):
        return Appeal(
            remote_id=str(number), key=self.arrived[number - 1] if self.knows_keys else "",
            state=AppealState.IN_WORK, remote_state="", changed_at=desk.now(), subject="Тема",
            thread=((desk.now(), "", "Текст"),),
        )  # fmt: skip

    async def appeals(self, desk, since):
        items = tuple(self._told(desk, number + 1) for number in range(len(self.arrived)))
        return Page(items=items, next=Cursor("flaky", ""), more=False)

    async def appeal(self, desk, remote_id):
        return self._told(desk, int(remote_id))

    async def reply(self, desk, remote_id, draft, consent):
        if self.fails:
            raise SupplierDown
        self.arrived.append(draft.key)
        return self._told(desk, int(remote_id))


@dataclass
class Plugins:
    connectors: dict

    def connector(self, name):
        return self.connectors[name]


@pytest.fixture
def flaky():
    return Flaky()


@pytest.fixture
async def shaky(world, store, clock, flaky, passwords):
    """A linked contract of the flaky supplier: user, contract and exchange."""
    spec = SupplierSpec(
        id="flaky", title="Flaky", regions=(), installation=Nothing, account=Access,
        link_by=LinkBy.ACCOUNT, hosts=lambda installation: frozenset(),
        build=lambda installation, account: flaky, may=frozenset(Does),
        every=timedelta(minutes=10),
    )  # fmt: skip
    plugins = Plugins({"flaky": spec})
    user, supplier = world.user(), world.supplier(connector="flaky")
    contract = await Contracts(store, plugins, passwords, clock).link(
        user, supplier, "x", "login", "secret"
    )
    return user, contract, Exchange(store, plugins, passwords, clock, patience=0.05)


async def test_readings_wait_while_the_supplier_is_down_and_arrive_once(store, clock, flaky, shaky):
    user, _, exchange = shaky
    submissions, point = Submissions(store, clock), point_of(store)
    flaky.fails = "before"
    submissions.submit(user, point, "1", {"": "5"})
    for _ in range(4):
        await settle(exchange, store, clock)
        clock.advance(hours=1)
    (view,) = submissions.form(user, point).sent
    assert (view.state, view.error_code) == ("waiting", "supplier.down")
    flaky.fails = None
    await settle(exchange, store, clock)
    clock.advance(hours=2)
    await settle(exchange, store, clock)
    (view,) = submissions.form(user, point).sent
    assert (view.state, view.error_code, len(flaky.arrived)) == ("sent", "", 1)


@pytest.mark.parametrize("how", ["after", "hangs", "breaks"])
async def test_a_lost_answer_is_looked_for_and_nothing_is_sent_twice(
    store, clock, flaky, shaky, how
):
    user, _, exchange = shaky
    submissions, point = Submissions(store, clock), point_of(store)
    flaky.fails = how
    submissions.submit(user, point, "1", {"": "5"})
    await exchange._carry((await asyncio.to_thread(exchange._claim_works))[0])
    assert submissions.form(user, point).sent[0].state == "uncertain"
    flaky.fails = None
    await settle(exchange, store, clock)  # its news tell that it did arrive
    clock.advance(hours=2)
    await settle(exchange, store, clock)
    assert submissions.form(user, point).sent[0].state == "sent"
    assert len(flaky.arrived) == 1


async def test_where_the_supplier_can_not_tell_its_owner_decides(store, clock, flaky, shaky):
    user, _, exchange = shaky
    submissions, point = Submissions(store, clock), point_of(store)
    flaky.fails, flaky.knows_keys = "after", False
    sent = submissions.submit(user, point, "1", {"": "5"})
    flaky.fails = None
    for _ in range(3):
        flaky.fails = "after"
        await settle(exchange, store, clock)
        clock.advance(hours=2)
    assert submissions.form(user, point).sent[0].state == "uncertain"
    assert len(flaky.arrived) == 1
    flaky.fails = None
    submissions.send_again(user, sent, "again")
    submissions.send_again(user, sent, "again")
    await settle(exchange, store, clock)
    assert submissions.form(user, point).sent[0].state == "sent"
    assert len(flaky.arrived) == 2


async def test_a_process_that_died_while_it_sent_sends_nothing_again(store, clock, flaky, shaky):
    user, _, exchange = shaky
    submissions, point = Submissions(store, clock), point_of(store)
    flaky.knows_keys = False
    submissions.submit(user, point, "1", {"": "5"})
    (work,) = exchange._claim_works()
    exchange._begin("submission", int(work.body["id"]))
    clock.advance(minutes=2)  # the claim has run out
    await settle(exchange, store, clock)
    assert submissions.form(user, point).sent[0].state == "uncertain"
    assert flaky.arrived == []


async def test_a_no_is_final_and_in_the_suppliers_words(store, clock, flaky, shaky):
    user, contract, exchange = shaky
    flaky.fails = "no"
    submissions, point = Submissions(store, clock), point_of(store)
    submissions.submit(user, point, "1", {"": "5"})
    appeal = Appeals(store, clock).create(user, contract, draft())
    await settle(exchange, store, clock)
    (view,) = submissions.form(user, point).sent
    assert (view.state, view.reason) == ("refused", "Не сегодня")
    told = Appeals(store, clock).one(who(user), appeal).appeal
    assert (told.state, told.remote_state) == ("refused", "Не сегодня")


async def test_a_refused_password_holds_messages_until_it_is_set_anew(store, clock, flaky, shaky):
    user, contract, exchange = shaky
    flaky.fails = "password"
    submissions, point = Submissions(store, clock), point_of(store)
    submissions.submit(user, point, "1", {"": "5"})
    for _ in range(3):
        await settle(exchange, store, clock)
        clock.advance(hours=2)
    assert submissions.form(user, point).sent[0].state == "waiting"
    with store.read() as unit:
        assert unit.session.get(tables.ContractState, contract).stopped


@pytest.mark.clause("S2.queued")
async def test_an_appeal_and_more_words_wait_in_order(store, clock, flaky, shaky):
    user, contract, exchange = shaky
    appeals = Appeals(store, clock)
    flaky.fails = "before"
    appeal = appeals.create(user, contract, draft())
    appeals.reply(user, appeal, "r", "Еще")
    for _ in range(3):
        await settle(exchange, store, clock)
        clock.advance(hours=1)
    page = appeals.one(who(user), appeal)
    assert [said.state for said in page.thread] == ["waiting", "waiting"]
    assert page.appeal.error_code == "supplier.down"
    flaky.fails = None
    for _ in range(3):
        await settle(exchange, store, clock)
        clock.advance(hours=1)
    assert [key.rsplit("/")[-1] for key in flaky.arrived] == ["f1", "r"]


async def test_an_appeal_whose_answer_was_lost_is_found_by_its_key(store, clock, flaky, shaky):
    user, contract, exchange = shaky
    appeals = Appeals(store, clock)
    flaky.fails = "after"
    appeal = appeals.create(user, contract, draft())
    for _ in range(2):
        await settle(exchange, store, clock)
        clock.advance(hours=1)
    page = appeals.one(who(user), appeal)
    assert (page.appeal.state, len(page.thread), len(flaky.arrived)) == ("in_work", 1, 1)
    assert len(appeals.page(who(user), contract).items) == 1


async def test_what_the_supplier_does_not_do_is_said_at_once(store, world, clock):
    user = world.user()
    contract = world.contract(user, world.supplier(), does=[])
    point = world.point(contract, None, smart=False)
    with pytest.raises(NotSupported):
        Submissions(store, clock).submit(user, point, "1", {"": "1"})
    with pytest.raises(NotSupported):
        Appeals(store, clock).create(user, contract, draft())
    appeal = world.add(
        tables.Appeal(
            contract_id=contract, key="k", subject="x", state="closed",
            created_at=clock(), changed_at=clock(),
        )
    )  # fmt: skip
    with pytest.raises(NotSupported):
        Appeals(store, clock).reply(user, appeal, "k", "x")


# -- codes -------------------------------------------------------------------------------------


@pytest.fixture
def by_code(store, clock, passwords):
    supplier = open_supplier(
        store, title="По коду", card=SupplierCard(name="Z"), now=clock(), connector="house_code"
    )
    keeping = Bookkeeping(store, supplier, passwords, clock)
    keeping.enter(BookedContract(number=NUMBER, holder="", address=""))
    return keeping


@pytest.mark.clause("C2.code")
async def test_a_code_links_once(world, contracts, by_code, clock):
    access = by_code.give_access(NUMBER)
    assert access.until == clock() + timedelta(days=14)
    typed = access.password.lower().replace("-", " ")
    link = contracts.link
    contract = await link(world.user(), by_code.supplier_id, "x", NUMBER, typed)
    assert contract
    with pytest.raises(CredentialsRejected):
        await link(world.user(), by_code.supplier_id, "x", NUMBER, access.password)
    with pytest.raises(Conflict):
        by_code.give_access(NUMBER)
    again = by_code.give_access(NUMBER, another=True)
    await link(world.user(), by_code.supplier_id, "x", NUMBER, again.password)


@pytest.mark.clause("C2.tries")
async def test_a_code_is_tried_five_times_expires_and_is_revoked(world, contracts, by_code, clock):
    async def tried(code, number=NUMBER):
        clock.advance(minutes=16)  # the limit of tries by login is another one
        with pytest.raises(CredentialsRejected):
            await contracts.link(world.user(), by_code.supplier_id, "x", number, code)

    access = by_code.give_access(NUMBER)
    for _ in range(5):
        await tried("WRONG")
    await tried(access.password)
    late = by_code.give_access(NUMBER)
    clock.advance(days=14)
    await tried(late.password)
    first = by_code.give_access(NUMBER)
    second = by_code.give_access(NUMBER)
    await tried(first.password)
    by_code.end_access(NUMBER)
    await tried(second.password)
    await tried(by_code.give_access(NUMBER).password, "76-9")
