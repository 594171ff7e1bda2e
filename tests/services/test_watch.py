"""Streams of open pages: what is unread, now and after each change, whoever made it."""

import asyncio
from contextlib import aclosing

import pytest

from hub.services import watch as watching
from hub.services.notices import Notices
from hub.services.watch import MOST_OF_SESSION, Watch
from hub.store import outbox
from hub.store.tables import Contract, Notice, Supplier, User


@pytest.fixture
def owner(store, clock):
    with store.write() as unit:
        user = User(email="anna@example.org", full_name="Ким Анна", password_hash="",
                    created_at=clock())  # fmt: skip
        supplier = Supplier(connector="house", title="Сбыт", created_at=clock())
        unit.session.add_all([user, supplier])
        unit.session.flush()
        contract = Contract(user_id=user.id, supplier_id=supplier.id, name="Дом", number="1",
                            remote_id="1", linked_at=clock())  # fmt: skip
        unit.session.add(contract)
        unit.session.flush()
        return user.id, contract.id


def come(store, clock, owner) -> int:
    """A notification comes, as the exchange in any process keeps it."""
    user_id, contract_id = owner
    with store.write() as unit:
        row = Notice(contract_id=contract_id, remote_id=str(clock()), kind="debt", title="Долг",
                     text="", published_at=clock(), told_at=clock())  # fmt: skip
        unit.session.add(row)
        unit.session.flush()
        outbox.signal(unit, {"contract": contract_id, "user": user_id})
        return row.id


@pytest.mark.clause("N3.live", "N1.windows")
async def test_a_new_one_and_a_read_one_are_told_to_every_stream(store, clock, owner, monkeypatch):
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.01)
    user_id, contract_id = owner
    processes = [Watch(store), Watch(store)]
    streams = [each.follow("s", user_id, lambda: True) for each in processes]
    async with aclosing(streams[0]), aclosing(streams[1]):
        assert [await anext(each) for each in streams] == [{}, {}]
        notice = come(store, clock, owner)
        expected = {contract_id: [notice]}
        assert [await anext(each) for each in streams] == [expected, expected]
        Notices(store, clock).mark_read(user_id, notice)
        assert [await anext(each) for each in streams] == [{}, {}]


async def test_a_stream_ends_with_its_session(store, owner, monkeypatch):
    monkeypatch.setattr(watching, "BEAT_S", 0.01)
    alive = iter([True, False])
    told = [each async for each in Watch(store).follow("s", owner[0], lambda: next(alive))]
    assert told == [{}, None]


async def test_a_session_has_a_bounded_number_of_streams(store, owner):
    watch = Watch(store)
    streams = [watch.follow("s", owner[0], lambda: True) for _ in range(MOST_OF_SESSION)]
    for each in streams:
        await anext(each)
    assert watch.full("s")
    assert not watch.full("another")
    for each in streams:
        await each.aclose()
    assert not watch.full("s")
    await asyncio.sleep(0)
    assert not watch.streams
