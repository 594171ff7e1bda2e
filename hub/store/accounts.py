"""Users, their sessions, one-time links and the counters that throttle.

Tokens and session ids arrive here hashed. ``signed_in`` is asked for every page, so it is one
prepared statement.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, text, update
from sqlmodel import SQLModel

from hub.store.prepared import Prepared
from hub.store.tables import Attempts, OneTimeToken, ProcessingConsent, User, UserSession
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_USER = _T["user"].c
_SESSION = _T["user_session"].c
_TOKEN = _T["one_time_token"].c
_ATTEMPT = _T["attempts"].c

KEPT = timedelta(days=1)  # longer than any window that is counted in


class SignedIn(NamedTuple):
    """The user behind a session, as every page needs it."""

    user_id: int
    email: str
    full_name: str
    role: str
    language: str
    theme: str
    last_contract_id: int | None
    id_hash: str
    seen_at: datetime
    expires_at: datetime
    created_at: datetime


_SIGNED_IN = Prepared(
    select(
        _USER.id,
        _USER.email,
        _USER.full_name,
        _USER.role,
        _USER.language,
        _USER.theme,
        _USER.last_contract_id,
        _SESSION.id_hash,
        _SESSION.seen_at,
        _SESSION.expires_at,
        _SESSION.created_at,
    )
    .join_from(_T["user_session"], _T["user"], _USER.id == _SESSION.user_id)
    .where(_SESSION.id_hash == bindparam("hash")),
    SignedIn._make,
)
_COUNT = text(
    "INSERT INTO attempts (kind, subject_hash, window_at, count) VALUES (:kind, :subject, :at, 1) "
    "ON CONFLICT (kind, subject_hash, window_at) DO UPDATE SET count = attempts.count + 1 "
    "RETURNING count"
).bindparams(bindparam("at", type_=_ATTEMPT.window_at.type))


def signed_in(unit: Unit, id_hash: str) -> SignedIn | None:
    """Find whose session it is; the caller looks at ``expires_at``."""
    return _SIGNED_IN.first(unit, hash=id_hash)


def add_session(unit: Unit, session: UserSession) -> None:
    unit.session.add(session)


def sessions_of(unit: Unit, user_id: int, now: datetime) -> list[UserSession]:
    """Sessions that have not ended, the last used first."""
    found = unit.session.scalars(
        select(UserSession)
        .where(_SESSION.user_id == user_id, _SESSION.expires_at > now)
        .order_by(_SESSION.seen_at.desc())
    )
    return list(found)


def touch_session(unit: Unit, id_hash: str, now: datetime) -> None:
    unit.session.connection().execute(
        update(_T["user_session"]).where(_SESSION.id_hash == id_hash).values(seen_at=now)
    )


def end_session(unit: Unit, user_id: int, id_hash: str) -> bool:
    """End one session of this user; False if there is none."""
    done = unit.session.connection().execute(
        delete(_T["user_session"]).where(_SESSION.id_hash == id_hash, _SESSION.user_id == user_id)
    )
    return done.rowcount == 1


def end_sessions(unit: Unit, user_id: int, *, but: str = "") -> int:
    """End all sessions of a user, ``but`` the one of this hash; give how many."""
    done = unit.session.connection().execute(
        delete(_T["user_session"]).where(_SESSION.user_id == user_id, _SESSION.id_hash != but)
    )
    return done.rowcount


def change_user(unit: Unit, user_id: int, **values: object) -> None:
    """Set fields of a user."""
    unit.session.connection().execute(
        update(_T["user"]).where(_USER.id == user_id).values(**values)
    )


def end_session_by_id(unit: Unit, id_hash: str) -> None:
    unit.session.connection().execute(delete(_T["user_session"]).where(_SESSION.id_hash == id_hash))


def end_expired(unit: Unit, now: datetime) -> None:
    unit.session.connection().execute(delete(_T["user_session"]).where(_SESSION.expires_at <= now))


def user_by_email(unit: Unit, email: str) -> User | None:
    """Find by the normal (lower-case) form."""
    return unit.session.scalars(select(User).where(_USER.email == email)).first()


def user_by_id(unit: Unit, user_id: int) -> User | None:
    return unit.session.get(User, user_id)


def add_user(unit: Unit, user: User) -> int:
    """Add and give the id; Conflict if the e-mail is taken."""
    unit.session.add(user)
    unit.session.flush()
    if user.id is None:  # the database numbers every row
        raise AssertionError
    return user.id


def set_password(unit: Unit, user_id: int, password_hash: str) -> None:
    unit.session.connection().execute(
        update(_T["user"]).where(_USER.id == user_id).values(password_hash=password_hash)
    )


def set_last_contract(unit: Unit, user_id: int, contract_id: int | None) -> None:
    unit.session.connection().execute(
        update(_T["user"]).where(_USER.id == user_id).values(last_contract_id=contract_id)
    )


def add_token(unit: Unit, token: OneTimeToken) -> None:
    unit.session.add(token)


def consent(unit: Unit, user_id: int, version: str, now: datetime) -> None:
    """Note that a person agreed to this version of the text on personal data."""
    unit.session.flush()
    unit.session.merge(ProcessingConsent(user_id=user_id, version=version, at=now))


def token(unit: Unit, token_hash: str, purpose: str) -> OneTimeToken | None:
    """Look at a link without spending it."""
    return unit.session.scalars(
        select(OneTimeToken).where(_TOKEN.token_hash == token_hash, _TOKEN.purpose == purpose)
    ).first()


def live_tokens(unit: Unit, user_id: int, purpose: str, now: datetime) -> Sequence[OneTimeToken]:
    return unit.session.scalars(
        select(OneTimeToken).where(
            _TOKEN.user_id == user_id,
            _TOKEN.purpose == purpose,
            _TOKEN.spent_at.is_(None),
            _TOKEN.expires_at > now,
        )
    ).all()


def spend_token(unit: Unit, token_hash: str, purpose: str, now: datetime) -> int | None:
    """Spend a link once and give its user; None if it is unknown, spent or expired."""
    row = (
        unit.session.connection()
        .execute(
            update(_T["one_time_token"])
            .where(
                _TOKEN.token_hash == token_hash,
                _TOKEN.purpose == purpose,
                _TOKEN.spent_at.is_(None),
                _TOKEN.expires_at > now,
            )
            .values(spent_at=now)
            .returning(_TOKEN.user_id)
        )
        .fetchone()
    )
    return None if row is None else int(row[0])


def spend_all(unit: Unit, user_id: int, purpose: str, now: datetime) -> None:
    """Make earlier links of this kind worthless."""
    unit.session.connection().execute(
        update(_T["one_time_token"])
        .where(_TOKEN.user_id == user_id, _TOKEN.purpose == purpose, _TOKEN.spent_at.is_(None))
        .values(spent_at=now)
    )


def confirm_user(unit: Unit, user_id: int, now: datetime) -> None:
    unit.session.connection().execute(
        update(_T["user"])
        .where(_USER.id == user_id, _USER.confirmed_at.is_(None))
        .values(confirmed_at=now)
    )


def count_attempt(
    unit: Unit, kind: str, subject_hash: str, window: timedelta, now: datetime
) -> tuple[int, datetime]:
    """Count one more in the present window; give the count and when the window ends."""
    seconds = int(window.total_seconds())
    start = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=now.tzinfo)
    values = {"kind": kind, "subject": subject_hash, "at": start}
    connection = unit.session.connection()
    count = int(connection.execute(_COUNT, values).scalar_one())
    if count == 1:
        connection.execute(
            delete(_T["attempts"]).where(_ATTEMPT.kind == kind, _ATTEMPT.window_at < now - KEPT)
        )
    return count, start + window


def first_within(
    unit: Unit, kind: str, subject_hash: str, window: timedelta, now: datetime
) -> datetime | None:
    """Give the earlier attempt that is less than ``window`` ago; if there is none, note this one.

    Unlike ``count_attempt`` the window begins with the attempt itself.
    """
    connection = unit.session.connection()
    earlier = connection.execute(
        select(_ATTEMPT.window_at)
        .where(
            _ATTEMPT.kind == kind,
            _ATTEMPT.subject_hash == subject_hash,
            _ATTEMPT.window_at > now - window,
        )
        .order_by(_ATTEMPT.window_at.desc())
    ).scalar()
    if earlier is not None:
        at: datetime = earlier
        return at
    forget_attempts(unit, kind, subject_hash)
    connection.execute(_COUNT, {"kind": kind, "subject": subject_hash, "at": now})
    return None


def forget_attempts(unit: Unit, kind: str, subject_hash: str) -> None:
    unit.session.connection().execute(
        delete(_T["attempts"]).where(_ATTEMPT.kind == kind, _ATTEMPT.subject_hash == subject_hash)
    )


def attempts(unit: Unit, kind: str, subject_hash: str) -> list[Attempts]:
    """List the counters of one subject."""
    return list(
        unit.session.scalars(
            select(Attempts).where(_ATTEMPT.kind == kind, _ATTEMPT.subject_hash == subject_hash)
        )
    )
