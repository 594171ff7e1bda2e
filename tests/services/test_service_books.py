"""The in-house books from both sides: the utility's people write, a consumer's account reads."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from hub.errors import (
    Conflict,
    CredentialsRejected,
    CursorLost,
    InputRefused,
    Missing,
    SubmissionRejected,
)
from hub.plugins.api import (
    Account,
    AppealDraft,
    AppealState,
    Attachment,
    Basis,
    Cursor,
    NoticeKind,
    Point,
    PointFact,
    Resource,
    Submission,
    SubmissionState,
    SupplierCard,
    TransformerCard,
    TransformerFact,
)
from hub.services.bookkeeping import (
    BookedContract,
    Bookkeeping,
    Charge,
    NewNotice,
    Taken,
    houses,
    open_supplier,
    window_of,
)
from hub.services.books import HouseBooks
from hub.store import tables

NUMBER = "76-1"
OCT, NOV, DEC = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
CT = TransformerCard(
    kind="current", phase=1, facts={TransformerFact.SERIAL: "5501"}, from_on=date(2024, 2, 1)
)
HOUSE = Point(
    id="", name="Дом", number="P-1", meter_serial="41882107", tariff_zones=("T1", "T2"),
    whole_digits=5, decimal_digits=1, transformers=(CT,),
)  # fmt: skip
WATER = Point(
    id="", name="Вода", number="P-2", resource=Resource.WATER, unit="m3", whole_digits=5,
    decimal_digits=3, submit_from_day=15, submit_to_day=25, facts={PointFact.NORM_MONTH: "6"},
)  # fmt: skip


@pytest.fixture
def keeping(store, clock, passwords):
    supplier = open_supplier(
        store, title="Заречье", card=SupplierCard(name="Энергосбыт Заречье"), now=clock()
    )
    keeping = Bookkeeping(store, supplier, passwords, clock)
    keeping.enter(
        BookedContract(
            login="dom", password="letter", number=NUMBER, holder="Орлова М. С.", address="Садовая"
        )
    )
    keeping.set_price("Население", "T1", Decimal("6.43"), date(2026, 7, 1))
    keeping.set_price("Население", "T2", Decimal("3.21"), date(2026, 7, 1))
    keeping.set_price("Вода", "T1", Decimal("48.5"), date(2026, 1, 1))
    keeping.set_price("Вода", "", Decimal(30), date(2026, 1, 1))
    keeping.add_point(NUMBER, HOUSE, "Население")
    keeping.add_point(NUMBER, WATER, "Вода")
    return keeping


@pytest.fixture
def books(store, keeping, passwords, clock):
    return HouseBooks(store, keeping.supplier_id, passwords, clock)


@pytest.fixture
async def account(books):
    return await books.sign_in("dom", "letter")


def record(keeping, day, point="P-2", **values):
    values = {zone if zone != "only" else "": Decimal(value) for zone, value in values.items()}
    keeping.record(NUMBER, point, Taken(values, day))


# -- access ------------------------------------------------------------------------------------


async def test_a_password_is_proved(books, keeping):
    with pytest.raises(CredentialsRejected):
        await books.sign_in("dom", "wrong")
    with pytest.raises(CredentialsRejected):
        await books.sign_in("", "")
    told = await books.sign_in(" dom ", "letter")
    assert told.label == NUMBER
    assert await books.by_number(NUMBER) == told
    with pytest.raises(CredentialsRejected):
        await books.by_number("76-2")


async def test_a_new_password_ends_the_old_one(books, keeping):
    access = keeping.give_access(NUMBER)
    assert (access.login, access.until) == ("dom", None)
    assert len(access.password.replace("-", "")) == 26  # 128 bits
    await books.sign_in("dom", access.password)
    with pytest.raises(CredentialsRejected):
        await books.sign_in("dom", "letter")
    keeping.end_access(NUMBER)
    with pytest.raises(CredentialsRejected):
        await books.sign_in("dom", access.password)


def test_logins_and_numbers_are_nobody_elses(keeping):
    with pytest.raises(Conflict):
        keeping.enter(BookedContract(number=NUMBER, holder="", address=""))
    keeping.enter(BookedContract(number="76-2", holder="", address=""))
    with pytest.raises(Conflict):
        keeping.give_access("76-2", "dom")
    assert keeping.give_access("76-2").login == "76-2"
    with pytest.raises(Conflict):
        keeping.add_point(NUMBER, HOUSE)
    with pytest.raises(Missing):
        keeping.add_point("76-2", HOUSE, "нет такого")
    with pytest.raises(Missing):
        keeping.give_access("76-3")


async def test_another_utilitys_contract_is_missing(store, books, account, passwords, clock):
    other = open_supplier(store, title="Other", card=SupplierCard(name="Other"), now=clock())
    foreign = HouseBooks(store, other, passwords, clock)
    for asked in (foreign.contract, foreign.balance, foreign.points):
        with pytest.raises(Missing):
            await asked(account)
    with pytest.raises(Missing):
        await books.contract(Account("' or 1=1", ""))
    assert [row[1] for row in houses(store)] == ["Other", "Заречье"]


# -- points ------------------------------------------------------------------------------------


async def test_points_are_told_with_all_that_the_books_know(books, account):
    house, water = await books.points(account)
    assert house.transformers == (CT,)
    assert (house.tariff_zones, house.submit_from_day) == (("T1", "T2"), None)
    assert (water.resource, water.unit, water.smart) == (Resource.WATER, "m3", False)
    assert (water.submit_from_day, water.submit_to_day) == (15, 25)
    assert water.facts[PointFact.NORM_MONTH] == "6"


async def test_prices_are_told_by_point(books, keeping, account):
    keeping.set_price("Население", "T1", Decimal("7.01"), date(2027, 1, 1))
    told = await books.tariffs(account, date(2026, 12, 1))
    house, water = await books.points(account)
    assert {(t.point_id, t.zone, str(t.price.amount), t.valid_from, t.valid_to) for t in told} == {
        (house.id, "T1", "6.430000", date(2026, 7, 1), date(2026, 12, 31)),
        (house.id, "T1", "7.010000", date(2027, 1, 1), None),
        (house.id, "T2", "3.210000", date(2026, 7, 1), None),
        (water.id, "T1", "48.500000", date(2026, 1, 1), None),
        (water.id, "", "30.000000", date(2026, 1, 1), None),
    }
    later = await books.tariffs(account, date(2027, 1, 1))
    assert (house.id, "T1", date(2026, 7, 1)) not in {
        (t.point_id, t.zone, t.valid_from) for t in later
    }


@pytest.mark.parametrize("price", ["-1", "0.0000001"])
def test_a_wrong_price_is_refused(keeping, price):
    with pytest.raises(InputRefused):
        keeping.set_price("Вода", "T1", Decimal(price), date(2027, 1, 1))


def test_prices_go_forward(keeping):
    with pytest.raises(Conflict):
        keeping.set_price("Вода", "T1", Decimal(50), date(2026, 1, 1))


# -- readings ----------------------------------------------------------------------------------


async def send(books, account, key="k1", on=date(2026, 11, 20), point=1, **values):
    values = {zone if zone != "only" else "": Decimal(value) for zone, value in values.items()}
    points = await books.points(account)
    return await books.submit(
        account, Submission(key=key, point_id=points[point].id, taken_on=on, values=values)
    )


async def test_readings_are_sent_accepted_and_told(books, keeping, account, clock):
    record(keeping, OCT, only="100")
    receipt = await send(books, account, only="104.250")
    assert receipt.state is SubmissionState.QUEUED
    assert await send(books, account, only="104.250") == receipt  # the same key, once
    (sent,) = keeping.submissions()
    assert (sent.contract, sent.point, sent.values) == (NUMBER, "P-2", {"": "104.250"})
    assert sent.before == {"": "100.000"}
    clock.advance(minutes=5)
    keeping.accept(sent.id)
    assert keeping.submissions() == []
    assert keeping.submissions(waiting=False)[0].state == "accepted"
    (news,) = (await books.submissions(account, None)).items
    assert (news.key, news.state, news.changed_at) == ("k1", SubmissionState.ACCEPTED, clock())
    told = (await books.readings(account, None)).items
    assert [(r.taken_on, str(r.value), r.source, r.calculated) for r in told] == [
        (OCT, "100.000", "theirs", Basis.ACCEPTED),
        (date(2026, 11, 20), "104.250", "ours", Basis.ACCEPTED),
    ]
    again = await send(books, account, only="104.250")
    assert again.state is SubmissionState.ALREADY_THERE
    with pytest.raises(Conflict):
        keeping.refuse(sent.id, "late")


async def test_a_refusal_says_why(books, keeping, account):
    await send(books, account, only="104")
    keeping.refuse(keeping.submissions()[0].id, " Фото не читается. ")
    (news,) = (await books.submissions(account, None)).items
    assert (news.state, news.reason) == (SubmissionState.REFUSED, "Фото не читается.")
    with pytest.raises(SubmissionRejected, match="Фото не читается"):
        await send(books, account, only="104")
    with pytest.raises(InputRefused):
        keeping.refuse(1, " ")
    with pytest.raises(Missing):
        keeping.accept(99)
    assert (await books.readings(account, None)).items == ()


@pytest.mark.parametrize(
    ("values", "on", "reason"),
    [
        ({"only": "104"}, date(2026, 11, 10), r"с 15.11 по 25.11"),
        ({"only": "104"}, date(2026, 12, 20), "еще не наступила"),
        ({"T1": "104"}, date(2026, 11, 20), "по всем зонам"),
        ({"only": "123456"}, date(2026, 11, 20), "больше цифр"),
        ({"only": "1.2345"}, date(2026, 11, 20), "больше знаков"),
        ({"only": "99"}, date(2026, 11, 20), r"меньше предыдущего \(100.000 от 01.10.2026\)"),
    ],
)
async def test_what_nobody_has_to_look_at_is_rejected(books, keeping, account, values, on, reason):
    record(keeping, OCT, only="100")
    with pytest.raises(SubmissionRejected, match=reason):
        await send(books, account, on=on, **values)
    assert keeping.submissions(waiting=False) == []


async def test_a_point_of_somebody_else_is_missing(books, account):
    with pytest.raises(Missing):
        await books.submit(
            account, Submission(key="k", point_id="99", taken_on=OCT, values={"": Decimal(1)})
        )


@pytest.mark.parametrize("values", [{"T1": "1"}, {"T1": "1", "T2": "100000"}])
def test_a_clerk_may_not_enter_what_the_meter_can_not_show(keeping, values):
    with pytest.raises(InputRefused):
        record(keeping, OCT, "P-1", **values)


# -- money -------------------------------------------------------------------------------------


async def test_a_month_is_charged_by_what_lies_between_its_readings(books, keeping, account, clock):
    record(keeping, OCT, "P-1", T1="1000", T2="99990")
    record(keeping, NOV, "P-1", T1="1123.4", T2="10")
    record(keeping, date(2026, 9, 20), only="100")
    record(keeping, date(2026, 10, 20), only="104.25")
    charged = keeping.charge(NUMBER, date(2026, 10, 7))
    assert charged.left_out == ()
    lines = charged.bill.lines
    assert [(line.text, str(line.amount.amount)) for line in lines] == [
        ("Дом, T1", "793.46"),  # 123.4 x 6.43 = 793.462
        ("Дом, T2", "64.20"),  # the register went round: 20 x 3.21
        ("Вода", "206.13"),  # 4.25 x 48.5 = 206.125
        ("Вода", "30.00"),
    ]
    assert (lines[1].before, lines[1].after, lines[1].quantity) == (99990, 10, 20)
    assert lines[2].price.amount == Decimal("48.5")
    for line in lines:  # every line is explained by itself
        assert abs(line.quantity * line.price.amount - line.amount.amount) <= Decimal("0.005")
    assert charged.bill.amount.amount == Decimal("1093.79")
    balance = await books.balance(account)
    assert (balance.money.amount, balance.as_of) == (Decimal("-1093.79"), clock())
    with pytest.raises(Conflict):
        keeping.charge(NUMBER, OCT)
    told = (await books.bills(account, None)).items
    assert told == (charged.bill,)


async def test_without_a_reading_the_usual_is_charged_and_the_next_true_one_corrects_it(
    books, keeping, account
):
    for month in (8, 9, 10):  # 1 m3 a day
        record(keeping, date(2026, month, 1), only=str({8: 100, 9: 131, 10: 161}[month]))
    water = keeping.charge(NUMBER, OCT).bill.lines[0]
    assert (water.basis, water.quantity, water.after) == (Basis.AVERAGE, 31, 192)
    told = (await books.readings(account, None)).items
    assert (told[-1].source, told[-1].calculated, told[-1].taken_on) == (
        "estimated", Basis.AVERAGE, NOV,
    )  # fmt: skip
    record(keeping, date(2026, 11, 20), only="180")
    corrected = keeping.charge(NUMBER, NOV).bill.lines[0]
    assert (corrected.basis, corrected.quantity) == (Basis.ACCEPTED, -12)
    assert corrected.amount.amount == Decimal("-582.00")


def test_without_any_use_known_the_norm_is_charged(keeping):
    record(keeping, OCT, only="100")
    water = keeping.charge(NUMBER, OCT).bill.lines[0]
    assert (water.basis, water.quantity, str(water.amount.amount)) == (Basis.NORM, 6, "291.00")


def test_what_can_not_be_charged_is_said(keeping):
    charged = keeping.charge(NUMBER, OCT)
    assert [line.text for line in charged.bill.lines] == ["Вода"]  # the fixed part alone
    assert len(charged.left_out) == 3
    before_the_prices = keeping.charge(NUMBER, date(2025, 6, 1))
    assert before_the_prices.bill is None
    assert "no one price through 2025-06" in before_the_prices.left_out[0]


def test_a_bill_by_hand(keeping):
    first = keeping.charge(NUMBER, OCT, [Charge("Пени", 1250)])
    assert first.bill.lines[-1].amount.amount == Decimal("12.50")
    second = keeping.charge(NUMBER, OCT, [Charge("Перерасчет", -1000)])
    assert [str(line.amount.amount) for line in second.bill.lines] == ["-10.00"]
    with pytest.raises(InputRefused):
        keeping.charge(NUMBER, OCT, [Charge(" ", 1)])


def test_a_current_transformer_multiplies(keeping):
    facts = {PointFact.CURRENT_RATIO: "200/5"}
    keeping.add_point(NUMBER, Point(id="", name="Цех", number="P-3", facts=facts), "Население")
    record(keeping, OCT, "P-3", only="10")
    record(keeping, NOV, "P-3", only="11.5")
    line = next(x for x in keeping.charge(NUMBER, OCT).bill.lines if x.text == "Цех")
    assert (line.ratio, line.quantity, line.amount.amount) == (40, 60, Decimal("385.80"))


async def test_a_payment_is_booked_once(books, keeping, account, clock):
    with pytest.raises(Missing):
        await books.balance(account)
    assert keeping.pay(NUMBER, 50_000, reference="bank 7")
    assert not keeping.pay(NUMBER, 50_000, reference="bank 7")
    assert (await books.balance(account)).money.amount == 500
    (told,) = (await books.payments(account, None)).items
    assert (told.amount.amount, told.paid_at) == (500, clock())
    with pytest.raises(InputRefused):
        keeping.pay(NUMBER, 0)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-90_000, 90_000).filter(bool), max_size=8))
def test_the_balance_is_what_was_booked(keeping, clock, amounts):
    number = f"n{clock.advance(seconds=1).isoformat()}"
    keeping.enter(
        BookedContract(
            number=number, holder="", address="", balance_kopecks=777, balance_at=clock()
        )
    )
    for amount in amounts:
        clock.advance(seconds=1)
        if amount > 0:
            keeping.pay(number, amount)
        else:
            keeping.charge(number, NOV, [Charge("x", -amount)])
    found = keeping.contract(number)
    assert found.balance_kopecks == 777 + sum(amounts)
    assert found.balance_at == clock()


# -- notices and appeals -----------------------------------------------------------------------


@pytest.mark.clause("N4.whom", "N4.words")
async def test_notices_are_for_one_or_for_all(books, keeping, account, store, clock):
    keeping.enter(BookedContract(number="76-2", holder="", address=""))
    begin = datetime(2026, 12, 3, 6, tzinfo=UTC)
    for number in ("", NUMBER, "76-2"):
        keeping.publish(
            NewNotice(
                kind=NoticeKind.PLANNED_WORK, title=f"Работы {number}", text="Отключение",
                number=number, from_at=begin, to_at=begin + timedelta(hours=4),
            )
        )  # fmt: skip
    told = (await books.notices(account, None)).items
    assert [notice.title for notice in told] == ["Работы", f"Работы {NUMBER}"]
    assert (told[0].from_at, told[0].to_at) == (begin, begin + timedelta(hours=4))
    await books.notice_read(account, told[0].remote_id)
    clock.advance(hours=1)
    await books.notice_read(account, told[0].remote_id)
    with store.read() as unit:
        (row,) = unit.session.exec(select(tables.HouseNoticeRead)).all()
    assert row.read_at == clock() - timedelta(hours=1)
    with pytest.raises(Missing):
        await books.notice_read(account, "3")
    for wrong in (
        NewNotice(kind=NoticeKind.OTHER, title=" ", text="x"),
        NewNotice(kind=NoticeKind.OTHER, title="x", text="x", from_at=begin, to_at=begin),
    ):
        with pytest.raises(InputRefused):
            keeping.publish(wrong)


def draft(key="a1", text="Счетчик моргает", **more):
    return AppealDraft(
        key=key, subject="Проверьте счетчик", text=text, email="a@example.org", phone="", **more
    )


async def test_an_appeal_goes_its_way(books, keeping, account, clock):
    asked = await books.create_appeal(account, draft())
    assert await books.create_appeal(account, draft()) == asked
    assert (asked.number, asked.state, asked.remote_state) == ("1", AppealState.IN_WORK, "В работе")
    assert asked.thread == ((clock(), "", "Счетчик моргает"),)
    clock.advance(hours=2)
    keeping.answer(1, "Мастер придет завтра.", state=AppealState.ANSWERED, due=date(2026, 11, 25))
    told = await books.appeal(account, asked.remote_id)
    assert (told.state, told.due_on, told.key) == (AppealState.ANSWERED, date(2026, 11, 25), "a1")
    assert told.thread[-1] == (clock(), "Заречье", "Мастер придет завтра.")
    assert keeping.appeals() == []
    again = await books.reply(account, asked.remote_id, draft("r1", "Спасибо, жду"))
    assert await books.reply(account, asked.remote_id, draft("r1", "Спасибо, жду")) == again
    assert (again.state, len(again.thread)) == (AppealState.IN_WORK, 3)
    (asked_of,) = keeping.appeals()
    assert (asked_of.number, asked_of.contract, asked_of.email) == (1, NUMBER, "a@example.org")
    keeping.answer(1, state=AppealState.CLOSED, due=None)
    assert (await books.appeal(account, asked.remote_id)).remote_state == "Закрыто"
    assert keeping.appeals(only_open=False)[0].state == "closed"
    with pytest.raises(InputRefused):
        keeping.answer(1, state=AppealState.CLOSED, due=None)
    with pytest.raises(Missing):
        keeping.answer(2, "x", state=AppealState.CLOSED, due=None)


async def test_appeals_are_numbered_through_the_utility(books, keeping, account):
    keeping.enter(BookedContract(number="76-2", holder="", address=""))
    other = await books.by_number("76-2")
    numbers = [
        (await books.create_appeal(whose, draft(key))).number
        for whose, key in ((account, "x"), (other, "x"), (account, "y"))
    ]
    assert numbers == ["1", "2", "3"]
    with pytest.raises(Missing):
        await books.appeal(other, "1")
    with pytest.raises(Missing):
        await books.reply(other, "1", draft("z"))


PHOTO = b"\xff\xd8\xff\xe0 a photo"
PAPER = b"%PDF-1.7 a paper"


async def test_files_come_and_go_with_what_was_said(books, keeping, account):
    photo = Attachment(name="../щит.JPEG", media_type="text/html", content=PHOTO)
    asked = await books.create_appeal(account, draft(attachments=(photo,)))
    assert await books.create_appeal(account, draft(attachments=(photo,))) == asked
    assert [(file.message, file.name) for file in asked.files] == [(0, "щит.jpeg")]
    got = await books.appeal_file(account, asked.remote_id, asked.files[0].remote_id)
    assert (got.media_type, got.content) == ("image/jpeg", PHOTO)
    paper = Attachment(name="act", media_type="", content=PAPER)
    keeping.answer(1, "Акт", state=AppealState.ANSWERED, due=None, files=[paper])
    told = await books.appeal(account, asked.remote_id)
    assert [(file.message, file.name) for file in told.files] == [(0, "щит.jpeg"), (1, "act.pdf")]
    assert [file.content for file in keeping.files(1)] == [PHOTO, PAPER]
    (seen,) = keeping.appeals(only_open=False)
    assert [(place, name, size) for place, _, name, size in seen.files] == [
        (0, "щит.jpeg", len(PHOTO)),
        (1, "act.pdf", len(PAPER)),
    ]
    with pytest.raises(InputRefused):
        keeping.answer(1, state=AppealState.ANSWERED, due=None, files=[paper])


async def test_a_file_belongs_to_its_appeal_alone(books, keeping, account):
    keeping.enter(BookedContract(number="76-2", holder="", address=""))
    photo = Attachment(name="a.jpg", media_type="image/jpeg", content=PHOTO)
    asked = await books.create_appeal(account, draft(attachments=(photo,)))
    empty = await books.create_appeal(account, draft("other"))
    other = await books.by_number("76-2")
    file_id = asked.files[0].remote_id
    for who, appeal in ((other, asked), (account, empty)):
        with pytest.raises(Missing):
            await books.appeal_file(who, appeal.remote_id, file_id)
    with pytest.raises(Missing):
        keeping.files(9)


# -- pages -------------------------------------------------------------------------------------


async def test_pages_go_on_and_lose_nothing(books, keeping, account, clock, monkeypatch):
    monkeypatch.setattr("hub.services.books.A_PAGE", 2)
    ids = []
    for number in range(5):
        clock.advance(hours=number % 2)  # two bear one time
        ids.append(keeping.publish(NewNotice(kind=NoticeKind.OTHER, title=str(number), text="x")))
    told, cursor, more = [], None, True
    while more:
        page = await books.notices(account, cursor)
        told += [int(notice.remote_id) for notice in page.items]
        cursor, more = Cursor(page.next.scheme, page.next.body), page.more
    assert told == ids
    monkeypatch.undo()
    clock.advance(hours=1)
    new = keeping.publish(NewNotice(kind=NoticeKind.OTHER, title="new", text="x"))
    seen = [int(n.remote_id) for n in (await books.notices(account, cursor)).items]
    assert new in seen
    assert len(seen) <= 2 + 1  # what is told again is of the last minute


@pytest.mark.parametrize("cursor", [Cursor("other/1", ""), Cursor("house/1", "nonsense")])
async def test_a_cursor_of_somebody_else_is_lost(books, account, cursor):
    with pytest.raises(CursorLost):
        await books.notices(account, cursor)


async def test_an_empty_book_has_a_cursor_too(books, account):
    page = await books.notices(account, None)
    assert (page.items, page.more) == ((), False)
    assert (await books.notices(account, page.next)).items == ()


@pytest.mark.parametrize("text", ["15", "a-b", "0-5", "5-32", "5-6-7", ""])
def test_a_window_is_two_days_of_a_month(text):
    with pytest.raises(InputRefused):
        window_of(text)


def test_every_act_is_in_the_audit_log(store, keeping):
    keeping.pay(NUMBER, 1)
    with store.read() as unit:
        acts = [row.act for row in unit.session.exec(select(tables.Audit)).all()]
    assert acts[-1] == "house.pay"
    assert len(acts) == 8
