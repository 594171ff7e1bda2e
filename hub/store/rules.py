"""Rules by which the hub makes notices: consumers' own, and which events a utility tells of.

A rule is looked at when it is due; whoever stores data makes the rules of that place due in the
same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlmodel import SQLModel, col

from hub.store.tables import ContractPoint, EventNotice, MeterEvent, OwnRule
from hub.store.unit import Unit

_T = SQLModel.metadata.tables
_RULE = _T["own_rule"].c
_POINT = _T["contract_point"].c
_CONTRACT = _T["contract"].c
_PLACE = _T["metering_point"].c
_INSTALLATION = _T["installation"].c
_EVENT = _T["meter_event"].c


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule with its point, to read or to change."""

    rule: OwnRule
    point: ContractPoint
    user_id: int
    contract_name: str
    time_zone: str | None


# -- consumers' own ----------------------------------------------------------------------------


def _rules() -> Select[Any]:
    return (
        select(OwnRule, ContractPoint, _CONTRACT.user_id, _CONTRACT.name, _PLACE.time_zone)
        .join_from(OwnRule, ContractPoint, _POINT.id == _RULE.contract_point_id)
        .join(_T["contract"], _CONTRACT.id == _POINT.contract_id)
        .outerjoin(_T["metering_point"], _PLACE.id == _POINT.metering_point_id)
    )


def _found(unit: Unit, query: Select[Any]) -> list[RuleRow]:
    return [RuleRow(*row) for row in unit.session.execute(query)]


def of_user(unit: Unit, user_id: int) -> list[RuleRow]:
    """List a person's rules, point by point."""
    mine = _rules().where(_CONTRACT.user_id == user_id)
    return _found(unit, mine.order_by(_POINT.contract_id, _POINT.id, _RULE.id))


def one(unit: Unit, user_id: int, rule_id: int) -> RuleRow | None:
    """Find a rule, if it is this person's."""
    mine = _rules().where(_RULE.id == rule_id, _CONTRACT.user_id == user_id)
    return next(iter(_found(unit, mine)), None)


def due(unit: Unit, now: datetime, limit: int) -> list[RuleRow]:
    """Take rules that are to be looked at; nobody else gets them in this transaction."""
    waiting = (_RULE.enabled.is_(True), _RULE.due_at <= now)
    query = _rules().where(*waiting).order_by(_RULE.due_at).limit(limit)
    return _found(unit, query.with_for_update(skip_locked=True, of=OwnRule))


def is_any_due(unit: Unit, now: datetime) -> bool:
    waiting = (_RULE.enabled.is_(True), _RULE.due_at <= now)
    return unit.session.execute(select(_RULE.id).where(*waiting).limit(1)).first() is not None


def add(unit: Unit, rule: OwnRule) -> int:
    unit.session.add(rule)
    unit.session.flush()
    return rule.id or 0


def remove(unit: Unit, rule: OwnRule) -> None:
    unit.session.delete(rule)
    unit.session.flush()


def touch_meter(unit: Unit, meter_id: int, kind: str = "") -> None:
    """Have the rules of the places where a meter is or was looked at soon: it told something.

    ``kind``: only those of this kind.
    """
    places = select(_INSTALLATION.metering_point_id).where(_INSTALLATION.meter_id == meter_id)
    _touch(unit, _POINT.metering_point_id.in_(places), kind)


def touch_place(unit: Unit, place_id: int) -> None:
    """Have the rules of a place looked at soon: its supplier told something."""
    _touch(unit, _POINT.metering_point_id == place_id)


def _touch(unit: Unit, where: ColumnElement[bool], kind: str = "") -> None:
    now = unit.now()
    later = or_(_RULE.due_at.is_(None), _RULE.due_at > now)
    wanted = [
        _RULE.contract_point_id.in_(select(_POINT.id).where(where)),
        _RULE.enabled.is_(True),
        later,
    ]
    if kind:
        wanted.append(_RULE.kind == kind)
    unit.session.execute(update(_T["own_rule"]).where(*wanted).values(due_at=now))


# -- what a utility tells of -------------------------------------------------------------------


def event_choices(unit: Unit, supplier_id: int) -> dict[str, bool]:
    """Give the kinds of events that a utility turned on or off; the others are as usual."""
    rows = unit.session.scalars(
        select(EventNotice).where(col(EventNotice.supplier_id) == supplier_id)
    )
    return {row.kind: row.enabled for row in rows}


def choose_event(unit: Unit, supplier_id: int, kind: str, *, enabled: bool) -> None:
    unit.session.merge(EventNotice(supplier_id=supplier_id, kind=kind, enabled=enabled))
    unit.session.flush()


@dataclass(frozen=True, slots=True)
class Reader:
    """A point on somebody's contract at which a meter stood when something happened."""

    point_id: int
    contract_id: int
    supplier_id: int
    name: str
    time_zone: str
    from_at: datetime  # since when the meter is there


def readers(unit: Unit, meter_id: int, began_at: datetime) -> list[Reader]:
    """List who reads the journal of this meter at an instant: smart points on linked contracts."""
    rows = unit.session.execute(
        select(
            _POINT.id,
            _POINT.contract_id,
            _CONTRACT.supplier_id,
            _POINT.name,
            _PLACE.time_zone,
            _INSTALLATION.from_at,
        )
        .select_from(
            _T["contract_point"]
            .join(_T["contract"], _CONTRACT.id == _POINT.contract_id)
            .join(_T["metering_point"], _PLACE.id == _POINT.metering_point_id)
            .join(_T["installation"], _INSTALLATION.metering_point_id == _PLACE.id)
        )
        .where(
            _INSTALLATION.meter_id == meter_id,
            _INSTALLATION.from_at <= began_at,
            or_(_INSTALLATION.to_at.is_(None), _INSTALLATION.to_at > began_at),
            _POINT.smart.is_(True),
        )
        .order_by(_POINT.id)
    )
    return [Reader(*row) for row in rows]


def events_between(
    unit: Unit, meter_id: int, kind: str, first: datetime, last: datetime
) -> Sequence[MeterEvent]:
    """List a meter's events of a kind that began in a span, the last not included; oldest first."""
    return unit.session.scalars(
        select(MeterEvent)
        .where(
            _EVENT.meter_id == meter_id,
            _EVENT.kind == kind,
            _EVENT.began_at >= first,
            _EVENT.began_at < last,
        )
        .order_by(_EVENT.began_at, _EVENT.id)
    ).all()


def count(unit: Unit, user_id: int) -> int:
    """Count a person's rules."""
    asked = (
        select(func.count())
        .select_from(_T["own_rule"])
        .join(_T["contract_point"], _POINT.id == _RULE.contract_point_id)
        .join(_T["contract"], _CONTRACT.id == _POINT.contract_id)
    )
    return int(unit.session.execute(asked.where(_CONTRACT.user_id == user_id)).scalar_one())
