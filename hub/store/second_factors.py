"""What people are asked for besides the password, and their recovery codes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from hub.store.tables import RecoveryCode, SecondFactor
from hub.store.unit import Unit


def factor(unit: Unit, user_id: int) -> SecondFactor | None:
    """Read a user's factor; it is in force if it has ``on_at``."""
    return unit.session.get(SecondFactor, user_id)


def put_factor(unit: Unit, user_id: int, sealed_secret: str, way: str = "app") -> None:
    """Keep a new factor that is not in force yet."""
    unit.session.merge(SecondFactor(user_id=user_id, sealed_secret=sealed_secret, way=way))


def turn_on(unit: Unit, user_id: int, step: int, at: datetime) -> None:
    row = unit.session.get_one(SecondFactor, user_id)
    row.on_at, row.last_step = at, step


def take_step(unit: Unit, user_id: int, step: int) -> bool:
    """Note the time step of a code; False if one of it, or a later one, was taken before."""
    done = unit.session.connection().execute(
        update(SecondFactor)
        .where(col(SecondFactor.user_id) == user_id, col(SecondFactor.last_step) < step)
        .values(last_step=step)
    )
    return done.rowcount == 1


def drop_factor(unit: Unit, user_id: int) -> None:
    for table in (RecoveryCode, SecondFactor):
        unit.session.connection().execute(delete(table).where(col(table.user_id) == user_id))


def put_codes(unit: Unit, user_id: int, hashes: Sequence[str]) -> None:
    """Replace the recovery codes."""
    unit.session.connection().execute(
        delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id)
    )
    unit.session.add_all(RecoveryCode(user_id=user_id, code_hash=each) for each in hashes)


def use_code(unit: Unit, user_id: int, code_hash: str, at: datetime) -> bool:
    """Use a recovery code; False if there is none like it, or it was used."""
    done = unit.session.connection().execute(
        update(RecoveryCode)
        .where(
            col(RecoveryCode.user_id) == user_id,
            col(RecoveryCode.code_hash) == code_hash,
            col(RecoveryCode.used_at).is_(None),
        )
        .values(used_at=at)
    )
    return done.rowcount == 1


def codes_left(unit: Unit, user_id: int) -> int:
    return int(
        unit.session.scalar(
            select(func.count())
            .select_from(RecoveryCode)
            .where(col(RecoveryCode.user_id) == user_id, col(RecoveryCode.used_at).is_(None))
        )
        or 0
    )
