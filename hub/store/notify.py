"""What people chose to be told of, by which way, and when not."""

from collections.abc import Collection

from sqlalchemy import delete, exists, select
from sqlmodel import SQLModel

from hub.domain.notices import AT_FIRST, Channel, Source
from hub.store.tables import NoticeChoice, PhoneCode, User
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_CHOICE = _T["notice_choice"].c

# A notice whose reader wants none of its source on the portal; for queries that join both tables.
hidden = exists(
    select(1).where(
        _CHOICE.user_id == _T["contract"].c.user_id,
        _CHOICE.source == _T["notice"].c.source,
        _CHOICE.channel == Channel.PORTAL.value,
        _CHOICE.chosen.is_(False),
    )
)


def choices(unit: Unit, user_id: int) -> frozenset[tuple[Source, Channel]]:
    """Give what a person is told of, and how."""
    rows = unit.session.execute(
        select(_CHOICE.source, _CHOICE.channel, _CHOICE.chosen).where(_CHOICE.user_id == user_id)
    )
    made = {(Source(source), Channel(channel)): chosen for source, channel, chosen in rows}
    every = ((source, channel) for source in Source for channel in Channel)
    return frozenset(each for each in every if made.get(each, each in AT_FIRST))


def channels_of(unit: Unit, user_id: int, source: Source) -> frozenset[Channel]:
    """Give the channels of one source."""
    return frozenset(channel for of, channel in choices(unit, user_id) if of is source)


def choose(unit: Unit, user_id: int, wanted: Collection[tuple[Source, Channel]]) -> None:
    """Keep what a person is told of from now on, whole."""
    unit.session.execute(delete(_T["notice_choice"]).where(_CHOICE.user_id == user_id))
    unit.session.add_all(
        NoticeChoice(
            user_id=user_id,
            source=source.value,
            channel=channel.value,
            chosen=(source, channel) in wanted,
        )
        for source in Source
        for channel in Channel
    )
    unit.session.flush()


def quiet_of(user: User) -> tuple[int, int] | None:
    """Give a person's quiet hours in minutes after midnight; None: they have none."""
    if user.quiet_from is None or user.quiet_to is None:
        return None
    return user.quiet_from, user.quiet_to


# -- codes to phones ---------------------------------------------------------------------------


def phone_code(unit: Unit, user_id: int, purpose: str) -> PhoneCode | None:
    return unit.session.get(PhoneCode, (user_id, purpose))


def phones_of(unit: Unit, user_id: int) -> list[str]:
    """List the phones that codes of a person went to."""
    code = _T["phone_code"].c
    return list(unit.session.scalars(select(code.phone).where(code.user_id == user_id)))


def put_phone_code(unit: Unit, row: PhoneCode) -> None:
    """Keep a code instead of the one of its purpose."""
    unit.session.merge(row)
    unit.session.flush()


def forget_phone_code(unit: Unit, row: PhoneCode) -> None:
    unit.session.delete(row)
    unit.session.flush()
