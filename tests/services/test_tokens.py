"""Personal tokens: their shape, what they are made of, and when one ends."""

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from hub.errors import InputRefused, Missing, TokenRefused, TokenTooNarrow, TooManyAttempts
from hub.services.accounts import Accounts, hashed
from hub.services.persons import Persons
from hub.services.recovery import Recovery
from hub.services.second_factor import SecondFactors
from hub.services.tokens import MOST, PACE, SHOWN, Scope, Tokens, TypedToken, new_secret
from hub.store import contracts as stored_contracts
from hub.store import owned, tables
from hub.store import tokens as stored

PASSWORD = "Correct horse"
SHAPE = re.compile(r"hub_[A-Za-z0-9_-]{43}")


def typed(scopes=tuple(Scope), contract_ids=None, days="90", name="Таблица", proof=PASSWORD):
    return TypedToken(name, scopes, contract_ids, days, proof)


@pytest.fixture
def tokens(store, passwords, clock) -> Tokens:
    return Tokens(store, Persons(store, passwords, clock), SecondFactors(store, clock), clock)


@pytest.fixture
def anna(store, passwords) -> int:
    people = Accounts(store, passwords)
    return people.add(email="anna@example.org", full_name="Ким Анна", password=PASSWORD)


@settings(max_examples=50)
@given(st.sets(st.integers(), max_size=3))
def test_each_token_is_256_bits_of_its_own(others):
    made = [new_secret() for _ in range(len(others) + 1)]
    assert all(SHAPE.fullmatch(each) for each in made)
    assert len({each[:SHOWN] for each in made}) == len(made)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.one_of(st.text(), st.from_regex(r"hub_[A-Za-z0-9_-]{42,44}", fullmatch=True)))
@example("hub_" + "a" * 43 + "\n")
def test_what_nobody_made_opens_nothing(tokens, text):
    with pytest.raises(TokenRefused):
        tokens.caller(text, Scope.POINTS)


def test_only_its_hash_and_beginning_are_kept(tokens, anna, store):
    secret = tokens.make(anna, typed())
    with store.read() as unit:
        (row,) = unit.session.exec(select(tables.ApiToken)).all()
        (order,) = unit.session.exec(select(tables.Outbox)).all()
        (archived,) = owned.rows_of(unit, anna, "api_token")
    assert (row.secret_hash, row.prefix) == (hashed(secret), secret[:SHOWN])
    for kept in (repr(row), repr(order.body), repr(archived)):
        assert secret[SHOWN:] not in kept
    assert row.secret_hash not in repr(archived)
    assert (order.body["template"], order.body["to"]) == ("token", "anna@example.org")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"scopes": ()}, "scopes"),
        ({"scopes": ("write:all",)}, "scopes"),
        ({"contract_ids": ()}, "which"),
        ({"contract_ids": {999}}, "which"),
        ({"days": "366"}, "days"),
        ({"proof": "wrong"}, "proof"),
    ],
)
def test_the_form_says_what_is_wrong(tokens, anna, more, field):
    with pytest.raises(InputRefused) as error:
        tokens.make(anna, typed(**more))
    assert list(error.value.fields) == [field]
    assert tokens.listed(anna) == []


def test_there_are_not_more_than_twenty(tokens, anna):
    for _ in range(MOST):
        tokens.make(anna, typed())
    with pytest.raises(InputRefused) as error:
        tokens.make(anna, typed())
    assert error.value.fields == {"name": "token.too_many"}


def test_it_expires_to_the_second(tokens, anna, clock):
    secret = tokens.make(anna, typed(days="30"))
    clock.advance(days=30, seconds=-1)
    assert tokens.caller(secret, Scope.POINTS).user_id == anna
    clock.advance(seconds=1)
    with pytest.raises(TokenRefused):
        tokens.caller(secret, Scope.POINTS)
    assert tokens.listed(anna)[0].expired


def test_it_does_what_its_scopes_say(tokens, anna):
    secret = tokens.make(anna, typed(scopes=(Scope.JOURNAL,)))
    assert tokens.caller(secret, Scope.JOURNAL).contract_ids is None
    for scope in set(Scope) - {Scope.JOURNAL}:
        with pytest.raises(TokenTooNarrow, match=re.escape("make one that does")) as error:
            tokens.caller(secret, scope)
        assert error.value.scope == scope


def test_a_contract_that_goes_does_not_open_others(tokens, anna, world, store):
    supplier = world.supplier()
    first, second = (world.contract(anna, supplier) for _ in range(2))
    secret = tokens.make(anna, typed(contract_ids={first}))
    tokens.caller(secret, Scope.POINTS).check(first)
    with pytest.raises(Missing):
        tokens.caller(secret, Scope.POINTS).check(second)
    with store.write() as unit:
        owned.delete_from(unit, "contract", first)
        assert [each.id for each in stored_contracts.listed(unit, anna)] == [second]
    assert tokens.caller(secret, Scope.POINTS).contract_ids == frozenset()
    assert tokens.listed(anna)[0].contracts == ()


def test_nobody_ties_a_token_to_a_foreign_contract(tokens, anna, world):
    foreign = world.contract(world.user(), world.supplier())
    with pytest.raises(InputRefused):
        tokens.make(anna, typed(contract_ids={foreign}))


def test_calls_are_counted_for_each_token_alone(tokens, anna, clock):
    busy, idle = tokens.make(anna, typed()), tokens.make(anna, typed())
    for _ in range(PACE.most):
        tokens.caller(busy, Scope.POINTS)
    with pytest.raises(TooManyAttempts):
        tokens.caller(busy, Scope.POINTS)
    tokens.caller(idle, Scope.POINTS)
    clock.at += PACE.window
    tokens.caller(busy, Scope.POINTS)


def test_last_use_moves_once_a_minute(tokens, anna, clock):
    secret = tokens.make(anna, typed())
    assert tokens.listed(anna)[0].used_at is None
    first = clock.at
    tokens.caller(secret, Scope.POINTS)
    clock.advance(seconds=59)
    tokens.caller(secret, Scope.POINTS)
    assert tokens.listed(anna)[0].used_at == first
    clock.advance(seconds=1)
    tokens.caller(secret, Scope.POINTS)
    assert tokens.listed(anna)[0].used_at == clock.at


def test_only_its_owner_sees_and_revokes_it(tokens, anna, world):
    secret = tokens.make(anna, typed())
    (mine,) = tokens.listed(anna)
    stranger = world.user()
    assert tokens.listed(stranger) == []
    for act in (tokens.one, tokens.revoke):
        with pytest.raises(Missing):
            act(stranger, mine.id)
    tokens.revoke(anna, mine.id)
    with pytest.raises(TokenRefused):
        tokens.caller(secret, Scope.POINTS)


def test_a_forgotten_password_ends_tokens_and_a_changed_one_does_not(
    tokens, anna, store, passwords, clock
):
    secret = tokens.make(anna, typed())
    with store.write() as unit:
        unit.session.add(
            tables.OneTimeToken(
                token_hash=hashed("link"), purpose="recover", user_id=anna, created_at=clock.at,
                expires_at=clock.at + timedelta(hours=1),
            )
        )  # fmt: skip
    tokens.caller(secret, Scope.POINTS)
    Recovery(store, passwords, clock).reset("link", "Another horse", "Another horse")
    with pytest.raises(TokenRefused):
        tokens.caller(secret, Scope.POINTS)
    with store.read() as unit:
        assert stored.of_user(unit, anna) == []


def test_it_ends_with_the_account(tokens, anna, world, store):
    tied = world.contract(anna, world.supplier())
    secret = tokens.make(anna, typed(contract_ids={tied}))
    with store.write() as unit:
        owned.erase_person(unit, anna, [], [])
    with store.read() as unit:
        assert unit.session.exec(select(tables.ApiTokenContract)).all() == []
    with pytest.raises(TokenRefused):
        tokens.caller(secret, Scope.POINTS)
