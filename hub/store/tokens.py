"""Personal tokens of the programming interface; their secrets arrive here hashed."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import SQLModel, col

from hub.store import owned
from hub.store.tables import ApiToken, ApiTokenContract
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_TOKEN = _T["api_token"].c
_TIE = _T["api_token_contract"].c


def of_user(unit: Unit, user_id: int) -> list[ApiToken]:
    """List a person's tokens, the newest first."""
    mine = select(ApiToken).where(_TOKEN.user_id == user_id).order_by(_TOKEN.id.desc())
    return list(unit.session.scalars(mine))


def one(unit: Unit, user_id: int, token_id: int) -> ApiToken | None:
    """Find a token, if it is this person's."""
    row = unit.session.get(ApiToken, token_id)
    return row if row is not None and row.user_id == user_id else None


def by_hash(unit: Unit, secret_hash: str) -> ApiToken | None:
    return unit.session.scalars(select(ApiToken).where(_TOKEN.secret_hash == secret_hash)).first()


def contracts_of(unit: Unit, token_id: int) -> frozenset[int]:
    """Give the contracts that a token is tied to."""
    found = unit.session.scalars(select(_TIE.contract_id).where(_TIE.api_token_id == token_id))
    return frozenset(found)


def add(unit: Unit, row: ApiToken, contract_ids: Collection[int]) -> int:
    """Add a token, tied to contracts unless it sees all; give its id."""
    unit.session.add(row)
    unit.session.flush()
    token_id = row.id or 0
    unit.session.add_all(
        ApiTokenContract(api_token_id=token_id, contract_id=each) for each in contract_ids
    )
    return token_id


def touch(unit: Unit, token_id: int, now: datetime) -> None:
    unit.session.connection().execute(
        update(ApiToken).where(col(ApiToken.id) == token_id).values(used_at=now)
    )


def remove(unit: Unit, token_id: int) -> None:
    owned.delete_from(unit, "api_token", token_id)


def remove_all(unit: Unit, user_id: int) -> None:
    for row in of_user(unit, user_id):
        remove(unit, row.id or 0)
