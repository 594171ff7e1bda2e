import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.collector import holder
from hub.errors import LineBusy
from hub.store import leases, outbox
from hub.store.tables import Line, Outbox


def put(store, key="k", **more):
    with store.write() as unit:
        return outbox.put(unit, "mail", key, {"to": "a@b"}, **more)


def claim(store, **more):
    with store.write() as unit:
        return outbox.claim(unit, ["mail"], **more)


def test_a_key_is_put_once(store):
    assert put(store)
    assert not put(store)
    assert len(claim(store)) == 1


def test_work_is_claimed_by_one_and_again_only_when_the_claim_ran_out(store, clock):
    put(store)
    (first,) = claim(store)
    assert (first.key, first.body, first.attempts) == ("k", {"to": "a@b"}, 1)
    assert claim(store) == []
    clock.advance(seconds=61)
    (second,) = claim(store)
    assert second.attempts == 2
    with store.write() as unit:
        assert not outbox.done(unit, first)
        assert outbox.done(unit, second)
    clock.advance(days=1)
    assert claim(store) == []


def test_failed_work_waits_longer_each_time_and_may_be_given_up(store, clock):
    put(store)
    waits = []
    for _ in range(10):
        (work,) = claim(store)
        with store.write() as unit:
            outbox.failed(unit, work, "no server")
        with store.read() as unit:
            row = unit.session.exec(select(Outbox)).one()
        waits.append((row.due_at - clock()).total_seconds())
        clock.at = row.due_at
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    (work,) = claim(store)
    with store.write() as unit:
        outbox.failed(unit, work, "never", again=False)
    clock.advance(days=1)
    assert claim(store) == []


def test_work_is_not_due_before_its_time(store, clock):
    put(store, due_at=clock() + timedelta(minutes=5))
    assert claim(store) == []
    clock.advance(minutes=5)
    assert len(claim(store)) == 1


def test_signals_are_seen_by_id_and_never_claimed_and_ids_never_come_back(store, clock):
    with store.write() as unit:
        outbox.signal(unit, {"meter": 1})
    with store.read() as unit:
        seen = outbox.latest(unit)
        assert [item.body for item in outbox.signals(unit, 0)] == [{"meter": 1}]
        assert outbox.signals(unit, seen) == []
        assert len(outbox.signals(unit, seen, since=clock())) == 1
    with store.write() as unit:
        assert outbox.claim(unit, [outbox.CHANGED]) == []
    clock.advance(days=2)
    with store.write() as unit:
        assert outbox.prune(unit, clock()) == 1
        outbox.signal(unit, {"meter": 2})
    with store.read() as unit:
        assert [item.body for item in outbox.signals(unit, seen)] == [{"meter": 2}]


def test_each_work_goes_to_one_of_many_claimers(store):
    for n in range(40):
        put(store, key=str(n))
    got: list[str] = []

    def work() -> None:
        for _ in range(10):
            got.extend(item.key for item in claim(store, limit=3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(map(str, range(40)))


# -- leases ------------------------------------------------------------------------------------


@pytest.fixture
def line(store) -> int:
    with store.write() as unit:
        row = Line(address="tcp://a:1")
        unit.session.add(row)
        unit.session.flush()
        return row.id


def take(store, line, name="one", **more):
    with store.write() as unit:
        return leases.claim(unit, line, name, **more)


def proves(store, lease) -> bool:
    try:
        with store.write() as unit:
            leases.prove(unit, lease)
    except LineBusy:
        return False
    return True


def test_a_line_has_one_master_until_its_lease_runs_out(store, line, clock):
    first = take(store, line)
    assert proves(store, first)
    assert take(store, line, "two") is None
    clock.advance(seconds=61)
    assert proves(store, first)  # nobody took it meanwhile
    second = take(store, line, "two")
    assert proves(store, second)
    assert not proves(store, first)
    with store.write() as unit:
        assert not leases.renew(unit, first)
        leases.release(unit, first)
        assert leases.holder(unit, line).name == "two"


def test_renewal_holds_on_and_release_lets_go(store, line, clock):
    lease = take(store, line)
    for _ in range(10):
        clock.advance(seconds=45)
        with store.write() as unit:
            assert leases.renew(unit, lease)
    assert take(store, line, "two") is None
    with store.write() as unit:
        leases.release(unit, lease)
    assert take(store, line, "two") is not None


def test_the_line_of_a_dead_holder_is_free_at_once(store, line):
    take(store, line, "dead one")
    assert take(store, line, "two", dead="another") is None
    assert take(store, line, "two", dead="dead one") is not None


def test_of_many_that_want_a_line_one_gets_it(store, line):
    got = []
    threads = [
        threading.Thread(target=lambda n=n: got.append(take(store, line, str(n)))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(lease is not None for lease in got) == 1


def test_this_process_lives_and_one_that_ended_does_not():
    assert not holder.is_dead(holder.own_name())
    other = subprocess.run(
        [sys.executable, "-c", "from hub.collector.holder import own_name; print(own_name())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert holder.is_dead(other.stdout.strip())
    # Of another machine nothing is known, nor of what is no name of ours.
    for name in ("elsewhere 1 1", "", "x", f"{holder.machine()} one two"):
        assert not holder.is_dead(name)
