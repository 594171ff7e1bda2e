"""Personal tokens: with one, a program does for its owner what the token's scopes allow.

A token is ``hub_`` and 256 random bits. It is shown once; the store has its SHA-256 and its first
characters. It sees all contracts of its owner, or chosen ones, and works a year at most.
"""

import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.errors import InputRefused, Missing, TokenRefused, TokenTooNarrow, TooManyAttempts
from hub.services.accounts import Limit, hashed, one_line
from hub.services.clock import utc_now
from hub.services.mail import MailOrder, order_mail
from hub.services.persons import Persons
from hub.services.second_factor import SecondFactors
from hub.store import accounts as people
from hub.store import audit, contracts
from hub.store import tokens as stored
from hub.store.tables import ApiToken
from hub.store.unit import Store, Unit

SHAPE = re.compile(r"hub_[A-Za-z0-9_-]{43}")
SHOWN = 10  # characters of a token by which its owner knows it again
LASTS = (30, 90, 365)  # days
MOST = 20  # of a person
LONGEST_NAME = 60
PACE = Limit("token", 120, timedelta(minutes=1))
USED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token allows."""

    POINTS = "read:points"
    READINGS = "read:readings"
    PROFILE = "read:profile"
    JOURNAL = "read:journal"
    SUBMIT = "submit:readings"


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token as its owner sees it. ``contracts``: names of those it sees; None: all."""

    id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    contracts: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    expired: bool


@dataclass(frozen=True, slots=True)
class TypedToken:
    """What the form holds. ``contract_ids`` None: all; ``proof``: the password, or a code."""

    name: str
    scopes: Collection[str]
    contract_ids: Collection[int] | None
    days: str
    proof: str


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a program calls, and which contracts it may see (None: all)."""

    user_id: int
    contract_ids: frozenset[int] | None

    def check(self, contract_id: int) -> None:
        """Refuse a contract that the token is not for; Missing, as for one that is not there."""
        if self.contract_ids is not None and contract_id not in self.contract_ids:
            raise Missing


class Tokens:
    """Tokens of one person, ``Missing`` for anybody else's; and who calls with one."""

    def __init__(
        self,
        store: Store,
        persons: Persons,
        factors: SecondFactors,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.store = store
        self.persons = persons
        self.factors = factors
        self.clock = clock

    def listed(self, user_id: int) -> list[TokenView]:
        """List a person's tokens, the newest first, expired ones too."""
        with self.store.read() as unit:
            return [self._view(unit, row) for row in stored.of_user(unit, user_id)]

    def one(self, user_id: int, token_id: int) -> TokenView:
        with self.store.read() as unit:
            return self._view(unit, _own(unit, user_id, token_id))

    def make(self, user_id: int, typed: TypedToken) -> str:
        """Make a token and give it, this once; its owner is told by mail.

        The person proves to be there by a code where one is asked at sign-in, else by the
        password. InputRefused names the fields that are wrong, ``proof`` only if no other is;
        TooManyAttempts.
        """
        name = one_line(typed.name)
        with self.store.read() as unit:
            mine = {each.id for each in contracts.listed(unit, user_id)}
            count = len(stored.of_user(unit, user_id))
        wrong = {}
        if not 0 < len(name) <= LONGEST_NAME:
            wrong["name"] = "token.name_wrong"
        if count >= MOST:
            wrong["name"] = "token.too_many"
        if not typed.scopes or not set(typed.scopes) <= set(Scope):
            wrong["scopes"] = "token.allows_nothing"
        if typed.contract_ids is not None and not mine & set(typed.contract_ids):
            wrong["which"] = "token.no_contract"
        if typed.days not in map(str, LASTS):
            wrong["days"] = "account.choice_wrong"
        if wrong:
            raise InputRefused(wrong)
        self._prove(user_id, typed.proof)
        now = self.clock()
        secret = new_secret()
        row = ApiToken(
            user_id=user_id,
            name=name,
            prefix=secret[:SHOWN],
            secret_hash=hashed(secret),
            scopes=[scope.value for scope in Scope if scope in typed.scopes],
            all_contracts=typed.contract_ids is None,
            created_at=now,
            expires_at=now + timedelta(days=int(typed.days)),
        )
        with self.store.write() as unit:
            token_id = stored.add(unit, row, mine & set(typed.contract_ids or ()))
            _note(unit, user_id, "token.made", token_id)
            user = people.user_by_id(unit, user_id)
            if user is not None:
                order = MailOrder("token", f"token:{row.secret_hash}", user.email, user.language,
                                  full_name=user.full_name)  # fmt: skip
                order_mail(unit, order, now)
        return secret

    def revoke(self, user_id: int, token_id: int) -> None:
        """End a token at once."""
        with self.store.write() as unit:
            stored.remove(unit, _own(unit, user_id, token_id).id or 0)
            _note(unit, user_id, "token.revoked", token_id)

    def caller(self, secret: str, scope: Scope) -> Caller:
        """Tell who calls with a token, and count the call.

        TokenRefused for one that is unknown, revoked or expired, TooManyAttempts past 120 calls
        in a minute, TokenTooNarrow for one without ``scope``.
        """
        if not SHAPE.fullmatch(secret):
            raise TokenRefused
        now = self.clock()
        with self.store.read() as unit:
            row = stored.by_hash(unit, hashed(secret))
            if row is None or row.expires_at <= now:
                raise TokenRefused
            token_id = row.id or 0
            only = None if row.all_contracts else stored.contracts_of(unit, token_id)
        with self.store.write() as unit:
            count, _ = people.count_attempt(unit, PACE.kind, row.secret_hash, PACE.window, now)
            if row.used_at is None or now - row.used_at >= USED_EVERY:
                stored.touch(unit, token_id, now)
        if count > PACE.most:
            raise TooManyAttempts
        if scope not in row.scopes:
            raise TokenTooNarrow(scope=scope.value)
        return Caller(row.user_id, only)

    def _prove(self, user_id: int, proof: str) -> None:
        if self.factors.look(user_id).on_at is None:
            self.persons.prove(user_id, proof, "proof")
            return
        try:
            self.factors.check(user_id, proof)
        except InputRefused as refused:
            raise InputRefused({"proof": refused.fields["code"]}) from refused

    def _view(self, unit: Unit, row: ApiToken) -> TokenView:
        names = None
        if not row.all_contracts:
            only = stored.contracts_of(unit, row.id or 0)
            mine = contracts.listed(unit, row.user_id)
            names = tuple(each.name for each in mine if each.id in only)
        return TokenView(
            id=row.id or 0,
            name=row.name,
            prefix=row.prefix,
            scopes=tuple(scope for scope in Scope if scope in row.scopes),
            contracts=names,
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
            expired=row.expires_at <= self.clock(),
        )


def new_secret() -> str:
    return f"hub_{secrets.token_urlsafe(32)}"


def _own(unit: Unit, user_id: int, token_id: int) -> ApiToken:
    row = stored.one(unit, user_id, token_id)
    if row is None:
        raise Missing
    return row


def _note(unit: Unit, user_id: int, act: str, token_id: int) -> None:
    audit.record(unit, actor=f"user {user_id}", act=act, target=f"token {token_id}")
