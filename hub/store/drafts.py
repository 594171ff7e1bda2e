"""What was typed and not sent yet, and the files of drafts and of appeals.

Files are rows: they are in every backup, and go with what they belong to. Lists leave their
content where it is.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, inspect, or_, select, update
from sqlalchemy.orm import defer
from sqlmodel import SQLModel

from hub.store.tables import Appeal, Attachment, Contract, Draft
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_DRAFT = _T["draft"].c
_FILE = _T["attachment"].c
_APPEAL = _T["appeal"].c
_CONTRACT = _T["contract"].c
_MESSAGE = _T["appeal_message"].c
_NO_CONTENT = defer(inspect(Attachment).column_attrs["content"].class_attribute)

KEPT = timedelta(days=30)
MOST = 50  # of one person


def draft(unit: Unit, user_id: int, place: str) -> Draft | None:
    return unit.session.scalars(
        select(Draft).where(_DRAFT.user_id == user_id, _DRAFT.place == place)
    ).first()


def put(unit: Unit, user_id: int, place: str, fields: str, now: datetime) -> Draft:
    """Keep what was typed; the oldest of this person's go beyond MOST, and anybody's after KEPT."""
    row = draft(unit, user_id, place)
    if row is None:
        row = Draft(user_id=user_id, place=place, changed_at=now)
        unit.session.add(row)
        unit.session.flush()
    row.sealed_fields = unit.secrets.seal(
        fields, table="draft", row=row.id or 0, field="sealed_fields"
    )
    row.changed_at = now
    unit.session.flush()
    beyond = unit.session.scalars(
        select(_DRAFT.id)
        .where(_DRAFT.user_id == user_id)
        .order_by(_DRAFT.changed_at.desc(), _DRAFT.id.desc())
        .offset(MOST)
    ).all()
    old = unit.session.scalars(select(_DRAFT.id).where(_DRAFT.changed_at < now - KEPT)).all()
    forget(unit, [*beyond, *old])
    return row


def opened(unit: Unit, row: Draft) -> str:
    """Open what was typed; SealBroken under other keys."""
    return unit.secrets.open(
        row.sealed_fields, table="draft", row=row.id or 0, field="sealed_fields"
    )


def forget(unit: Unit, ids: Sequence[int]) -> None:
    """Delete drafts with the files that were not sent."""
    if ids:
        unit.session.execute(delete(_T["attachment"]).where(_FILE.draft_id.in_(ids)))
        unit.session.execute(delete(_T["draft"]).where(_DRAFT.id.in_(ids)))
        unit.session.expire_all()


def forget_at(unit: Unit, user_id: int, places: Sequence[str]) -> None:
    """Delete a person's drafts whose places begin with one of these."""
    begins = [_DRAFT.place.startswith(place, autoescape=True) for place in places]
    found = unit.session.scalars(
        select(_DRAFT.id).where(_DRAFT.user_id == user_id, or_(*begins))
    ).all()
    forget(unit, found)


# -- files ---------------------------------------------------------------------------------------


def files_of_draft(unit: Unit, draft_id: int) -> Sequence[Attachment]:
    return unit.session.scalars(
        select(Attachment).where(_FILE.draft_id == draft_id).order_by(_FILE.id).options(_NO_CONTENT)
    ).all()


def files_of_appeal(unit: Unit, appeal_id: int) -> Sequence[Attachment]:
    return unit.session.scalars(
        select(Attachment)
        .where(_FILE.appeal_id == appeal_id)
        .order_by(_FILE.id)
        .options(_NO_CONTENT)
    ).all()


def bytes_of(unit: Unit, user_id: int) -> int:
    """Add up all that a person has put to drafts and appeals."""
    drafts = select(_DRAFT.id).where(_DRAFT.user_id == user_id)
    appeals = (
        select(_APPEAL.id)
        .join(Contract, _CONTRACT.id == _APPEAL.contract_id)
        .where(_CONTRACT.user_id == user_id)
    )
    asked = select(func.coalesce(func.sum(_FILE.size), 0)).where(
        or_(_FILE.draft_id.in_(drafts), _FILE.appeal_id.in_(appeals))
    )
    return int(unit.session.execute(asked).scalar_one())


def has_file(unit: Unit, draft_id: int, content: bytes) -> bool:
    asked = select(_FILE.id).where(
        _FILE.draft_id == draft_id, _FILE.size == len(content), _FILE.content == content
    )
    return unit.session.execute(asked).first() is not None


def remove_file(unit: Unit, draft_id: int, file_id: int) -> None:
    """Take a file out of a draft; nothing happens if it is none of its files."""
    unit.session.execute(
        delete(_T["attachment"]).where(_FILE.id == file_id, _FILE.draft_id == draft_id)
    )


def send_files(unit: Unit, draft_id: int, appeal_id: int, message_id: int) -> None:
    """Let a draft's files be those of a message."""
    unit.session.execute(
        update(_T["attachment"])
        .where(_FILE.draft_id == draft_id)
        .values(draft_id=None, appeal_id=appeal_id, message_id=message_id)
    )
    unit.session.expire_all()


def file_of_user(unit: Unit, user_id: int, file_id: int) -> Attachment | None:
    """Find a file of this person's appeals or drafts, with its content."""
    return unit.session.scalars(
        select(Attachment)
        .outerjoin(Draft, _DRAFT.id == _FILE.draft_id)
        .outerjoin(Appeal, _APPEAL.id == _FILE.appeal_id)
        .outerjoin(Contract, _CONTRACT.id == _APPEAL.contract_id)
        .where(
            _FILE.id == file_id,
            or_(_DRAFT.user_id == user_id, _CONTRACT.user_id == user_id),
        )
    ).first()


def of_user(unit: Unit, user_id: int) -> Sequence[Draft]:
    return unit.session.scalars(
        select(Draft).where(_DRAFT.user_id == user_id).order_by(_DRAFT.id)
    ).all()


def ids_of_user(unit: Unit, user_id: int) -> list[int]:
    """List the files of this person's appeals and drafts that are here."""
    return list(
        unit.session.scalars(
            select(_FILE.id)
            .join_from(_T["attachment"], _T["draft"], _DRAFT.id == _FILE.draft_id, isouter=True)
            .join(_T["appeal"], _APPEAL.id == _FILE.appeal_id, isouter=True)
            .join(_T["contract"], _CONTRACT.id == _APPEAL.contract_id, isouter=True)
            .where(
                _FILE.size > 0,
                or_(_DRAFT.user_id == user_id, _CONTRACT.user_id == user_id),
            )
            .order_by(_FILE.id)
        )
    )


def files_of_message(unit: Unit, message_id: int) -> Sequence[Attachment]:
    """Give the files of a message with their content."""
    return unit.session.scalars(
        select(Attachment).where(_FILE.message_id == message_id).order_by(_FILE.id)
    ).all()


def to_fetch(unit: Unit, contract_id: int, limit: int) -> list[tuple[str, int, str]]:
    """List files that the supplier told of and that are not here yet: appeal's, id, file's."""
    rows = unit.session.execute(
        select(_APPEAL.remote_id, _FILE.id, _FILE.remote_id)
        .join_from(_T["attachment"], _T["appeal"], _APPEAL.id == _FILE.appeal_id)
        .where(_APPEAL.contract_id == contract_id, _FILE.content.is_(None), _FILE.size == 0)
        .order_by(_FILE.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]
