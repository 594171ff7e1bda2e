"""Notifications come into being once, and go to the channels that their reader chose."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from hub.domain.notices import AT_FIRST, Channel, Source, after_quiet
from hub.errors import ChannelDown
from hub.plugins.api import Delivery
from hub.services.mail import KIND, Letterhead, Mails
from hub.services.notices import Notices
from hub.services.publishing import News, publish
from hub.store import accounts, notify, tables
from hub.store import told as kept
from hub.store.accounts import SignedIn

HEAD = Letterhead(address="https://hub.example")
NIGHT = (22 * 60, 8 * 60)


@pytest.fixture
def contract(world, user):
    return world.contract(user, world.supplier(), name="Дом на Садовой")


@pytest.fixture
def news(contract, clock):
    return News(
        contract_id=contract, source=Source.SUPPLIER, key="n1", kind="planned_work",
        title="Отключение 26 ноября", text="Меняют кабель.\n[[Оплатить]]", published_at=clock(),
    )  # fmt: skip


def tell(store, clock, what):
    with store.write() as unit:
        return publish(unit, what, clock())


def choose(store, user, *without):
    with store.write() as unit:
        notify.choose(unit, user, AT_FIRST - set(without))


def quiet(store, user, hours):
    with store.write() as unit:
        accounts.change_user(unit, user, quiet_from=hours[0], quiet_to=hours[1])


def letters(store):
    with store.read() as unit:
        wanted = select(tables.Outbox).where(tables.Outbox.kind == KIND)
        return unit.session.exec(wanted.order_by(col(tables.Outbox.id))).all()


def listed(store, clock, user, contract):
    at = clock()
    who = SignedIn(user, "", "", "consumer", "ru", "", None, "", at, at, at)
    return Notices(store, clock).page(who, contract)


class Post:
    """A notifier that keeps what it was given; ``lost`` answers never come back."""

    def __init__(self, lost=0):
        self.lost, self.got = lost, []

    async def deliver(self, desk, message, to):
        self.got.append((message, to))
        if self.lost:
            self.lost -= 1
            raise ChannelDown
        return Delivery()


async def test_what_is_published_twice_is_kept_and_sent_once(store, clock, user, contract, news):
    assert tell(store, clock, news)
    assert not tell(store, clock, replace(news, title="Отключение 27 ноября"))
    page = listed(store, clock, user, contract)
    assert [(each.title, each.unread) for each in page.items] == [("Отключение 27 ноября", True)]
    post = Post()
    assert await Mails(store, post, HEAD, clock).deliver_due() == 1
    ((message, to),) = post.got
    assert message.subject == "Отключение 27 ноября"
    assert message.link == f"https://hub.example/notifications/{page.items[0].id}"
    assert "Меняют кабель." in message.text
    assert "Договор «Дом на Садовой»" in message.text
    assert "https://hub.example/account/notifications" in message.text
    assert message.text.count(message.link) == 1  # what others write is no button of ours
    with store.read() as unit:
        assert to == accounts.user_by_id(unit, user).email


async def test_a_letter_is_in_its_readers_language(store, clock, world):
    user = world.user(language="en")
    contract = world.contract(user, world.supplier())
    news = News(contract_id=contract, source=Source.APPEAL, key="1", kind="answered",
                title="Счет", text="Да.", published_at=clock())  # fmt: skip
    tell(store, clock, news)
    post = Post()
    await Mails(store, post, HEAD, clock).deliver_due()
    assert post.got[0][0].subject == "Answer to the appeal «Счет»"


@pytest.mark.parametrize("age", [timedelta(days=4), timedelta(days=400)])
def test_old_news_is_shown_but_not_sent(store, clock, user, contract, news, age):
    assert tell(store, clock, replace(news, published_at=clock() - age))
    assert len(listed(store, clock, user, contract).items) == 1
    assert letters(store) == []


def test_what_was_told_before_the_contract_was_linked_is_not_sent(store, clock, user, world, news):
    contract = world.contract(user, world.supplier("Другой"))
    with store.write() as unit:
        unit.session.get(tables.Contract, contract).linked_at = clock()
    tell(store, clock, replace(news, contract_id=contract,
                               published_at=clock() - timedelta(hours=1)))  # fmt: skip
    assert letters(store) == []


async def test_a_source_that_is_turned_off(store, clock, user, contract, news):
    tell(store, clock, news)
    meter = replace(news, source=Source.METER, key="m1", title="Магнит")
    tell(store, clock, meter)
    choose(store, user, (Source.METER, Channel.PORTAL), (Source.SUPPLIER, Channel.EMAIL))
    tell(store, clock, replace(news, key="n2"))
    tell(store, clock, replace(meter, key="m2"))
    page = listed(store, clock, user, contract)
    assert {each.source for each in page.items} == {"supplier"}
    assert (page.shell.unread, len(page.items)) == (2, 2)
    with store.read() as unit:
        assert len(kept.unread_ids(unit, user)) == 2
    post = Post()
    await Mails(store, post, HEAD, clock).deliver_due()
    assert post.got == []  # also not what was ordered before
    choose(store, user)
    assert len(listed(store, clock, user, contract).items) == 4  # nothing was lost


def test_quiet_hours_hold_letters_back(store, clock, user, contract, news):
    clock.at = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)  # 23:30 in Moscow
    quiet(store, user, NIGHT)
    tell(store, clock, replace(news, published_at=clock()))
    tell(store, clock, replace(news, published_at=clock(), key="n2", urgent=True))
    held, urgent = letters(store)
    assert held.due_at == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    assert urgent.due_at == clock()


@pytest.mark.parametrize(
    ("hours", "local", "expected"),
    [
        (NIGHT, "2026-11-24T21:59", "2026-11-24T21:59"),
        (NIGHT, "2026-11-24T22:00", "2026-11-25T08:00"),
        (NIGHT, "2026-11-25T07:59", "2026-11-25T08:00"),
        (NIGHT, "2026-11-25T08:00", "2026-11-25T08:00"),
        ((13 * 60, 15 * 60), "2026-11-24T14:00", "2026-11-24T15:00"),
        ((13 * 60, 15 * 60), "2026-11-24T12:00", "2026-11-24T12:00"),
        ((0, 6 * 60), "2026-11-24T00:00", "2026-11-24T06:00"),
        ((60, 60), "2026-11-24T01:00", "2026-11-24T01:00"),
        (None, "2026-11-24T01:00", "2026-11-24T01:00"),
    ],
)
def test_quiet_hours_end(hours, local, expected):
    at = datetime.fromisoformat(f"{local}+03:00").astimezone(UTC)
    assert after_quiet(at, hours, "Europe/Moscow") == datetime.fromisoformat(f"{expected}+03:00")


async def test_a_crash_after_sending_sends_again_with_one_key(store, clock, contract, news):
    tell(store, clock, news)
    post = Post()
    mails = Mails(store, post, HEAD, clock)
    mails._settle = lambda work, error: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        await mails.deliver_due()
    again = Mails(store, post, HEAD, clock)
    assert await again.deliver_due() == 0  # the claim still holds
    with store.write() as unit:
        unit.session.exec(select(tables.Outbox).where(tables.Outbox.kind == KIND)).one(
        ).claimed_until = unit.now() - timedelta(seconds=1)  # fmt: skip
    assert await again.deliver_due() == 1
    assert await again.deliver_due() == 0
    first, second = post.got
    assert first[0].key == second[0].key  # so the receiver tells that it is one


async def test_a_letter_goes_with_its_contract(store, clock, user, contract, news):
    tell(store, clock, news)
    with store.write() as unit:
        kept.forget_contract(unit, contract)
    assert letters(store) == []
