"""Registration, confirmation, sign-in, sessions and their limits."""

import secrets
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from argon2 import extract_parameters

from hub.errors import (
    EmailTaken,
    InputRefused,
    LinkSpent,
    NotConfirmed,
    SignInRefused,
    TooManyAttempts,
)
from hub.services.accounts import Accounts, Registration, hashed, subject_of
from hub.services.mail import KeepsMails, Letterhead, Mails, kept_mails
from hub.services.passwords import DUMMY, Passwords
from hub.store import accounts as stored
from hub.store import outbox

HOME = "203.0.113.7"
FORM = Registration(
    email=" Anna@Example.ORG ",
    full_name="Анна Ким",
    phone="+7 900 000-00-00",
    password="Long enough!",
    password_again="Long enough!",
)


class CheapPasswords(Passwords):
    """Remembers what it was asked; hashing is a prefix."""

    def __init__(self):
        super().__init__()
        self.verified = []

    def hash(self, password):
        return f"hash:{password}"

    def verify(self, known, password):
        self.verified.append(known)
        return known == f"hash:{password}"

    def outdated(self, known):
        return False


@pytest.fixture
def accounts(store, clock):
    return Accounts(store, CheapPasswords(), clock)


def form(**changes):
    fields = {name: getattr(FORM, name) for name in FORM.__slots__}
    return Registration(**{**fields, **changes})


def post(store, clock):
    return Mails(store, KeepsMails(store), Letterhead(address="https://hub.example"), clock)


async def token_of(store, clock, to="anna@example.org"):
    await post(store, clock).deliver_due()
    mail = next(mail for mail in kept_mails(store) if mail.recipient == to)
    return mail.link.rpartition("/")[2]


async def registered(accounts, store, clock):
    accounts.register(FORM, HOME)
    accounts.confirm(await token_of(store, clock), HOME)


async def test_an_account_works_after_its_link(accounts, store, clock):
    sent = accounts.register(FORM, HOME)
    assert sent.email == "anna@example.org"
    assert sent.valid_until == clock() + timedelta(hours=48)
    with pytest.raises(NotConfirmed):
        accounts.sign_in("anna@example.org", "Long enough!", HOME)
    with pytest.raises(SignInRefused):
        accounts.sign_in("anna@example.org", "something else", HOME)
    token = await token_of(store, clock)
    assert accounts.awaits(token)
    assert accounts.awaits(token)  # looking spends nothing
    accounts.confirm(token, HOME)
    assert not accounts.awaits(token)
    with pytest.raises(LinkSpent):
        accounts.confirm(token, HOME)
    session = accounts.sign_in("ANNA@example.org", "Long enough!", HOME, "Firefox")
    found = accounts.current(session.session_id)
    assert found is not None
    assert (found.full_name, found.email) == ("Анна Ким", "anna@example.org")


@pytest.mark.clause("A6.expires")
async def test_a_link_dies_after_48_hours(accounts, store, clock):
    accounts.register(FORM, HOME)
    token = await token_of(store, clock)
    clock.advance(hours=48)
    assert not accounts.awaits(token)
    with pytest.raises(LinkSpent):
        accounts.confirm(token, HOME)


def test_tokens_and_session_ids_are_not_in_the_database(accounts, store, clock, monkeypatch):
    made = []
    real = secrets.token_urlsafe

    def remember(size):
        made.append(real(size))
        return made[-1]

    monkeypatch.setattr("hub.services.accounts.secrets.token_urlsafe", remember)
    accounts.register(FORM, HOME)
    accounts.confirm(made[0], HOME)
    accounts.sign_in("anna@example.org", "Long enough!", HOME)
    assert len(made) == 2
    kept = store.path.read_bytes() + store.path.with_name("hub.sqlite-wal").read_bytes()
    for token in made:
        assert len(token) >= 43
        assert token.encode() not in kept
        assert hashed(token).encode() in kept


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "anna"}, "email"),
        ({"email": "anna@host"}, "email"),
        ({"full_name": "  "}, "full_name"),
        ({"phone": "call me"}, "phone"),
        ({"password": "1234567", "password_again": "1234567"}, "password"),
        ({"password_again": "Long enough"}, "password_again"),
        ({"password": "x" * 1025, "password_again": "x" * 1025}, "password"),
    ],
)
def test_a_wrong_field_is_named(accounts, changes, field):
    with pytest.raises(InputRefused) as refused:
        accounts.register(form(**changes), HOME)
    assert list(refused.value.fields) == [field]


async def test_a_taken_email_is_said_five_times_and_then_no_more(accounts, store, clock):
    await registered(accounts, store, clock)
    for _ in range(5):
        with pytest.raises(EmailTaken):
            accounts.register(FORM, HOME)
    sent = accounts.register(FORM, HOME)
    assert sent.email == "anna@example.org"
    await post(store, clock).deliver_due()
    newest = kept_mails(store)[0]
    assert newest.recipient == "anna@example.org"
    assert newest.link == "https://hub.example/login"
    accounts.register(FORM, HOME)  # the owner is told once a day
    await post(store, clock).deliver_due()
    assert len(kept_mails(store)) == 2
    clock.advance(hours=1)
    with pytest.raises(EmailTaken):
        accounts.register(FORM, "198.51.100.1")
    accounts.sign_in("anna@example.org", "Long enough!", HOME)  # nothing has changed


@pytest.mark.clause("A5.limit")
def test_the_limit_in_all_holds_for_many_addresses(accounts):
    accounts.register(FORM, HOME)
    for number in range(100):
        with pytest.raises(EmailTaken):
            accounts.register(FORM, f"10.0.{number}.1")
    accounts.register(FORM, "10.1.0.1")


def test_an_unconfirmed_email_is_free_again_when_its_link_has_died(accounts, clock):
    accounts.register(FORM, HOME)
    with pytest.raises(EmailTaken):
        accounts.register(FORM, HOME)
    clock.advance(hours=49)
    accounts.register(form(full_name="Другая Анна"), HOME)


async def test_resending_waits_and_kills_the_older_link(accounts, store, clock):
    accounts.register(FORM, HOME)
    first = await token_of(store, clock)
    clock.advance(seconds=30)
    early = accounts.resend("anna@example.org", HOME)
    assert early.again_at == clock() + timedelta(seconds=30)
    assert accounts.awaits(first)
    clock.advance(seconds=30)
    assert accounts.resend("anna@example.org", HOME).again_at == clock() + timedelta(seconds=60)
    assert not accounts.awaits(first)
    second = await token_of(store, clock)
    accounts.confirm(second, HOME)


def test_resending_says_the_same_to_a_stranger(accounts, store, clock):
    accounts.register(FORM, HOME)
    clock.advance(minutes=2)
    known = accounts.resend("anna@example.org", HOME)
    unknown = accounts.resend("nobody@example.org", HOME)
    assert (known.valid_until, known.again_at) == (unknown.valid_until, unknown.again_at)
    with store.write() as unit:
        assert {work.body["to"] for work in outbox.claim(unit, ["mail"])} == {"anna@example.org"}


async def test_sign_in_is_limited_by_account_before_hashing(accounts, store, clock):
    await registered(accounts, store, clock)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            accounts.sign_in("anna@example.org", "wrong wrong", HOME)
    hashed_so_far = len(accounts.passwords.verified)
    with pytest.raises(TooManyAttempts):
        accounts.sign_in("anna@example.org", "Long enough!", HOME)
    assert len(accounts.passwords.verified) == hashed_so_far
    accounts.sign_in("anna@example.org", "Long enough!", "198.51.100.1")  # no lock-out elsewhere
    clock.advance(minutes=15)
    accounts.sign_in("anna@example.org", "Long enough!", HOME)


async def test_signing_in_often_is_no_offence(accounts, store, clock):
    await registered(accounts, store, clock)
    for _ in range(15):
        accounts.sign_in("anna@example.org", "Long enough!", HOME)


def test_sign_in_is_limited_by_network(accounts):
    for number in range(20):
        with pytest.raises(SignInRefused):
            accounts.sign_in(f"n{number}@example.org", "wrong wrong", f"203.0.113.{number}")
    with pytest.raises(TooManyAttempts):
        accounts.sign_in("other@example.org", "wrong wrong", HOME)


async def test_the_owner_is_told_of_many_failures_and_never_locked_out(accounts, store, clock):
    await registered(accounts, store, clock)
    for number in range(45):
        with pytest.raises(SignInRefused):
            accounts.sign_in("anna@example.org", "wrong wrong", f"10.{number}.0.1")
    await post(store, clock).deliver_due()
    assert [mail.link for mail in kept_mails(store)].count("https://hub.example/login") == 1
    accounts.sign_in("anna@example.org", "Long enough!", HOME)


def test_an_unknown_user_costs_a_hash(accounts):
    with pytest.raises(SignInRefused):
        accounts.sign_in("nobody@example.org", "whatever it is", HOME)
    assert accounts.passwords.verified == [None]


def test_the_dummy_costs_what_a_real_hash_costs():
    passwords = Passwords()
    real = passwords.hash("Long enough!")
    assert extract_parameters(DUMMY) == extract_parameters(real)
    assert not passwords.verify(None, "Long enough!")
    assert not passwords.verify(None, "nobody has this password")
    assert passwords.verify(real, "Long enough!")
    assert not passwords.verify(real, "long enough!")
    assert not passwords.verify("not a hash", "x")


def test_hashing_goes_two_at_a_time_with_a_short_queue():
    passwords = Passwords(at_once=2, queue=1)
    inside, leave = threading.Semaphore(0), threading.Event()
    deepest = []

    class Slow:
        def hash(self, password):
            inside.release()
            deepest.append(threading.get_ident())
            leave.wait(10)
            return password

    passwords.hasher = Slow()
    threads = [threading.Thread(target=passwords.hash, args=("x",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=10)
    assert inside.acquire(timeout=10)
    assert passwords.room.acquire(blocking=False)  # the third waits in the queue
    with pytest.raises(TooManyAttempts):
        passwords.hash("fourth")
    assert len(deepest) == 2
    leave.set()
    for thread in threads:
        thread.join()
    passwords.room.release()
    assert passwords.hash("fifth") == "fifth"


async def test_nothing_is_hashed_inside_a_unit(accounts, store, clock, monkeypatch):
    open_units = []
    real_write, real_read = store.write, store.read

    def watched(real):
        @contextmanager
        def unit():
            with real() as opened:
                open_units.append(1)
                try:
                    yield opened
                finally:
                    open_units.pop()

        return unit

    monkeypatch.setattr(store, "write", watched(real_write))
    monkeypatch.setattr(store, "read", watched(real_read))
    for name in ("hash", "verify"):
        real = getattr(accounts.passwords, name)

        def outside(*args, real=real):
            assert not open_units
            return real(*args)

        monkeypatch.setattr(accounts.passwords, name, outside)
    await registered(accounts, store, clock)
    accounts.sign_in("anna@example.org", "Long enough!", HOME)


async def test_seen_at_moves_once_a_minute(accounts, store, clock):
    await registered(accounts, store, clock)
    session = accounts.sign_in("anna@example.org", "Long enough!", HOME).session_id
    begin = clock()

    def seen():
        with store.read() as unit:
            return stored.signed_in(unit, hashed(session)).seen_at

    clock.advance(seconds=59)
    accounts.current(session)
    assert seen() == begin
    clock.advance(seconds=1)
    accounts.current(session)
    assert seen() == clock()


async def test_a_session_ends(accounts, store, clock):
    await registered(accounts, store, clock)
    one, two, three = (
        accounts.sign_in("anna@example.org", "Long enough!", HOME).session_id for _ in range(3)
    )
    assert len({one, two, three}) == 3
    accounts.sign_out(one)
    accounts.sign_out(one)
    assert accounts.current(one) is None
    assert accounts.current(two) is not None
    for _ in range(3):
        clock.advance(days=10)
        at_last = accounts.current(three)
    assert at_last is None
    assert accounts.current("") is None


def test_a_session_that_nobody_uses_ends_before_its_time(accounts, clock):
    accounts.add(email="anna@example.org", full_name="Анна", password="Long enough!")
    short = accounts.sign_in("anna@example.org", "Long enough!", HOME, remember=False).session_id
    long = accounts.sign_in("anna@example.org", "Long enough!", HOME).session_id
    clock.advance(hours=2)
    assert accounts.current(short) is not None
    clock.advance(hours=2, minutes=1)
    assert accounts.current(short) is None
    clock.advance(days=13)
    assert accounts.current(long) is not None
    clock.advance(days=14, minutes=1)
    assert accounts.current(long) is None


async def test_from_another_browser_the_password_of_the_registration_is_asked(
    accounts, store, clock
):
    accounts.register(FORM, HOME)  # by somebody who does not own the mailbox
    token = await token_of(store, clock)
    assert accounts.awaits(token) == "anna@example.org"
    for _ in range(5):
        with pytest.raises(SignInRefused):
            accounts.confirm(token, "198.51.100.1", "what its owner would type")
    with pytest.raises(TooManyAttempts):
        accounts.confirm(token, "198.51.100.1", "Long enough!")
    with pytest.raises(NotConfirmed):
        accounts.sign_in("anna@example.org", "Long enough!", HOME)
    accounts.confirm(token, HOME, "Long enough!")
    assert accounts.sign_in("anna@example.org", "Long enough!", HOME)
    with pytest.raises(LinkSpent):
        accounts.confirm(token, HOME, "Long enough!")


def test_networks():
    assert subject_of("203.0.113.200") == "203.0.113.0/24"
    assert subject_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert subject_of("testclient") == "testclient"


def test_an_administrator_adds_users(accounts):
    accounts.add(email="op@example.org", full_name="Он", password="operator1", role="operator")
    session = accounts.sign_in("op@example.org", "operator1", HOME)
    assert accounts.current(session.session_id).role == "operator"
    with pytest.raises(EmailTaken):
        accounts.add(email="OP@example.org", full_name="Оператор", password="operator1")
    with pytest.raises(InputRefused):
        accounts.add(email="x@example.org", full_name="X", password="operator1", role="king")


def test_a_session_that_is_not_remembered_ends_after_12_hours(accounts, clock):
    accounts.add(email="anna@example.org", full_name="Анна", password="Long enough!")
    short = accounts.sign_in("anna@example.org", "Long enough!", HOME, remember=False)
    long = accounts.sign_in("anna@example.org", "Long enough!", HOME)
    clock.advance(hours=12)
    assert accounts.current(short.session_id) is None
    assert accounts.current(long.session_id) is not None


async def test_a_name_adds_no_lines_to_a_letter(accounts, store, clock):
    accounts.register(form(full_name="Анна\r\n\r\n[[Click here]]", phone="+7 900\n000"), HOME)
    await post(store, clock).deliver_due()
    (mail,) = kept_mails(store)
    assert "\n[[" not in mail.text
    assert ">Click here<" not in mail.html  # it would be a button
