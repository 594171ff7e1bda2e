"""Metering points as pages show them: the list, the 25 facts of one, and how its meter answers.

Facts come from the meter where a driver reads them, else from the installation or the supplier;
each says from where, and what another source says differently.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from hub.domain.calendar import local_day
from hub.domain.contracts import same_serial
from hub.errors import Missing
from hub.plugins.api import PointFact
from hub.services.clock import utc_now
from hub.services.pieces import DEFAULT_ZONE, MILLION
from hub.services.registers import TOTAL, WH_IN_KWH, LatestReadings, latest_of, present_of
from hub.services.snapshots import RECENT, STATE, recent_of, state_of
from hub.services.submissions import BilledReading, billed_in
from hub.store import last_values
from hub.store import points as stored
from hub.store.last_values import LastRow
from hub.store.points import InstallationRow, PointRow
from hub.store.unit import Store, Unit

POWER_LIMIT = "power_limit"
RELAY = {
    "on": True, "1": True, "true": True, "включено": True, "включен": True,
    "off": False, "0": False, "false": False, "отключено": False, "отключен": False,
}  # fmt: skip


class Source(StrEnum):
    """Where a fact comes from."""

    METER = "meter"
    INSTALLATION = "installation"
    SUPPLIER = "supplier"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class Fact:
    """One field of «Общая информация». ``value`` None: nobody knows.

    Values are plain: text, a number as text with a point, an ISO date; ``readings`` and instants
    are in ``PointInfo``. ``differs``: what the supplier says instead, of the model the meter.
    """

    key: str
    value: str | None
    source: Source | None
    at: datetime | None = None
    differs: str | None = None


class Contact(StrEnum):
    """How the hub gets on with a point's meter."""

    NONE = "none"  # no meter is installed that the hub reads
    WAITING = "waiting"  # not yet visited
    OK = "ok"
    FAILING = "failing"  # the last visit failed; it is tried again
    LINE_DOWN = "line_down"  # nobody on the line answers
    STOPPED = "stopped"  # needs a person


@dataclass(frozen=True, slots=True)
class Connection:
    """State of the connection; ``error_code`` is a key of the catalogs.

    ``installed_at``: since when the meter is at its place.

    The history that has been read goes from ``history_from`` to ``history_to``, ``days_held`` days
    so far (None in lists and once it is done, when nobody counts them); ``history_done``: up to
    the newest record.
    """

    contact: Contact
    seen_at: datetime | None = None
    tried_at: datetime | None = None
    next_try_at: datetime | None = None
    error_code: str = ""
    failures: int = 0
    drift_s: float | None = None
    history_from: datetime | None = None
    history_to: datetime | None = None
    days_held: int | None = None
    history_done: bool = False
    installed_at: datetime | None = None

    @property
    def silent_since(self) -> datetime | None:
        """Give since when the meter says nothing, if it does: its last visit, or all its time."""
        return self.seen_at or self.installed_at


@dataclass(frozen=True, slots=True)
class PointCard:
    """A point in a list, or the head of its pages."""

    id: int
    contract_id: int
    contract_name: str
    name: str
    number: str
    serial: str
    model: str
    resource: str
    unit: str
    smart: bool
    joined: bool  # to a place that the hub knows, so that there may be a profile
    place: str
    time_zone: str
    ratio: int  # current x voltage, 1 where nothing is known
    whole_digits: int | None
    decimal_digits: int | None
    connection: Connection
    latest: LatestReadings | None
    power: "Power | None" = None  # only in the head of the point's own pages


@dataclass(frozen=True, slots=True)
class Power:
    """What a meter measured last, in primary watts."""

    watts: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """A meter at a place, by local days; ``closing``: kWh on its face when it was taken away."""

    first: date
    last: date | None
    model: str
    serial: str
    closing: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PointInfo:
    """A point with all its facts, in the order of the manual.

    ``told``: the readings its supplier bills by, where no meter tells any. ``history``: the meters
    that were here, the present one first.
    """

    card: PointCard
    facts: tuple[Fact, ...]
    told: tuple[BilledReading, ...] = ()
    history: tuple[Stay, ...] = ()

    def __getitem__(self, key: str) -> Fact:
        return next(fact for fact in self.facts if fact.key == key)


FACTS = (
    "name",
    "number",
    "resource",
    "last_reading_at",
    "last_readings",
    "place",
    "model",
    "registry_number",
    "serial",
    "commissioned_on",
    "verified_on",
    "next_verification_on",
    "tariff",
    "instrument_verified_on",
    "accuracy_class",
    "nominal_voltage",
    "base_max_current",
    "power_limit",
    "relay_state",
    "current_ratio",
    "voltage_ratio",
    "loss_factor",
    "norm_hour",
    "norm_day",
    "norm_month",
)


class Points:
    """Reads points for their owner; ``Missing`` for anybody else's."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def of_contract(self, user_id: int, contract_id: int) -> list[PointCard]:
        """List a contract's points; empty for a foreign contract, which nobody can list."""
        with self.store.read() as unit:
            return self._of_contract(unit, user_id, contract_id)

    def _of_contract(self, unit: Unit, user_id: int, contract_id: int) -> list[PointCard]:
        rows = stored.of_contract(unit, user_id, contract_id)
        return cards_of(unit, rows, installed_at(unit, rows), self.clock())

    def card(self, user_id: int, point_id: int) -> PointCard:
        """Give the head of a point's pages."""
        with self.store.read() as unit:
            return self._card(unit, user_id, point_id)[1]

    def info(self, user_id: int, point_id: int) -> PointInfo:
        """Give all 25 facts of a point."""
        with self.store.read() as unit:
            row, card, installed = self._card(unit, user_id, point_id)
            return info_in(unit, row, card, installed)

    def _card(
        self, unit: Unit, user_id: int, point_id: int
    ) -> tuple[PointRow, PointCard, InstallationRow | None]:
        row = stored.one(unit, user_id, point_id)
        if row is None:
            raise Missing
        return row, *card_in(unit, row, self.clock())


def card_in(unit: Unit, row: PointRow, now: datetime) -> tuple[PointCard, InstallationRow | None]:
    """Make the head of a point's pages, with the meter that is installed there now."""
    installed = present_of([row], installed_at(unit, [row]), now).get(row.id)
    latest = latest_of(unit, {} if installed is None else {row.id: installed})
    days = None
    if installed is not None and not installed.profile_done:  # nobody asks how far, once it is read
        days = stored.days_held(unit, installed.meter_id)
    card = _card(row, installed, latest.get(row.id), days)
    if installed is not None:
        card = replace(card, power=_power(unit, installed.meter_id, card.ratio))
    return card, installed


def _power(unit: Unit, meter_id: int, ratio: int) -> Power | None:
    recent = recent_of(last_values.of_meter(unit, meter_id, RECENT).get(RECENT))
    return Power(recent[-1][1] * ratio, recent[-1][0]) if recent else None


def installed_at(unit: Unit, rows: Sequence[PointRow]) -> list[InstallationRow]:
    """List all installations at these points' places, also those that are over."""
    places = [row.metering_point_id for row in rows if row.metering_point_id is not None]
    return stored.installations(unit, places)


def cards_of(
    unit: Unit, rows: Sequence[PointRow], installed: Sequence[InstallationRow], now: datetime
) -> list[PointCard]:
    """Make the cards of many points by one more query."""
    present = present_of(rows, installed, now)
    latest = latest_of(unit, present)
    return [_card(row, present.get(row.id), latest.get(row.id), None) for row in rows]


def _card(
    row: PointRow,
    installed: InstallationRow | None,
    latest: LatestReadings | None,
    days_held: int | None,
) -> PointCard:
    return PointCard(
        id=row.id,
        contract_id=row.contract_id,
        contract_name=row.contract_name,
        name=row.name,
        number=row.number,
        serial=(installed.serial if installed else "") or row.meter_serial,
        # A supplier's name of the model says more ('ART(M)'), the meter's proves the family.
        model=row.facts.get(PointFact.MODEL, "").strip() or (installed.model if installed else ""),
        resource=row.resource,
        unit=row.unit,
        smart=row.smart,
        joined=row.metering_point_id is not None,
        place=row.place,
        time_zone=row.time_zone or DEFAULT_ZONE,
        ratio=installed.current_ratio * installed.voltage_ratio if installed else 1,
        whole_digits=row.whole_digits,
        decimal_digits=row.decimal_digits,
        connection=connection_of(installed, days_held),
        latest=latest,
    )


def connection_of(installed: InstallationRow | None, days_held: int | None = None) -> Connection:
    """Put the meter's and its line's state into one."""
    if installed is None:
        return Connection(Contact.NONE)
    line_down = installed.line_down_since_at is not None
    error_code = (installed.line_error_code if line_down else installed.error_code) or ""
    if installed.stopped:
        contact = Contact.STOPPED
    elif line_down:
        contact = Contact.LINE_DOWN
    elif error_code:
        contact = Contact.FAILING
    elif installed.seen_at is None:
        contact = Contact.WAITING
    else:
        contact = Contact.OK
    next_try_at = installed.line_next_try_at if line_down else installed.due_at
    return Connection(
        contact,
        seen_at=installed.seen_at,
        tried_at=installed.tried_at,
        next_try_at=None if installed.stopped else next_try_at,
        error_code=(installed.error_code or "") if installed.stopped else error_code,
        failures=installed.failures or 0,
        drift_s=installed.drift_s,
        history_from=installed.profile_from_at,
        history_to=installed.profile_through_at,
        days_held=days_held,
        history_done=bool(installed.profile_done),
        installed_at=installed.from_at,
    )


# -- the 25 facts ------------------------------------------------------------------------------


def info_in(
    unit: Unit, row: PointRow, card: PointCard, installed: InstallationRow | None
) -> PointInfo:
    """Gather all that is known of a point."""
    told = () if card.latest else billed_in(unit, [row.id]).get(row.id, ())
    state = None
    if installed is not None:
        state = last_values.of_meter(unit, installed.meter_id, STATE).get(STATE)
    return PointInfo(card, facts_of(row, card, installed, state), told, _history(unit, row))


def _history(unit: Unit, row: PointRow) -> tuple[Stay, ...]:
    stays = [each for each in installed_at(unit, [row]) if each.serial]
    over = [each.meter_id for each in stays if each.to_at is not None]
    zone = row.time_zone or DEFAULT_ZONE
    newest = {each.meter_id: each for each in stored.latest(unit, over, [TOTAL], TOTAL)}
    found = []
    for each in reversed(stays):
        closing = newest.get(each.meter_id)
        if closing is not None and each.to_at is not None and closing.taken_at > each.to_at:
            closing = None  # it counts elsewhere now
        found.append(
            Stay(
                local_day(zone, each.from_at),
                None if each.to_at is None else local_day(zone, each.to_at),
                each.model,
                each.serial,
                None if closing is None else Decimal(closing.value) / WH_IN_KWH,
            )
        )
    return tuple(found)


def facts_of(
    row: PointRow,
    card: PointCard,
    installed: InstallationRow | None,
    state: LastRow | None = None,
) -> tuple[Fact, ...]:
    """Answer each field from its best source; ``state`` is what the meter said of itself last."""
    told = {key: value.strip() for key, value in row.facts.items() if value.strip()}
    found = {
        "name": _supplier(row, row.name),
        "number": _supplier(row, row.number),
        "resource": _supplier(row, row.resource),
        "place": _supplier(row, row.place),
        **_readings(card),
        **_of_meter(row, told, installed),
        **_of_installation(told, installed),
        **_of_state(told, installed, state),
    }
    return tuple(_keyed(key, found.get(key) or _supplier(row, told.get(key, ""))) for key in FACTS)


def _keyed(key: str, fact: Fact) -> Fact:
    return Fact(key, fact.value, fact.source, fact.at, fact.differs)


def _supplier(row: PointRow, value: str) -> Fact:
    if not value:
        return Fact("", None, None)
    return Fact("", value, Source.SUPPLIER, row.told_at)


def _readings(card: PointCard) -> dict[str, Fact]:
    """Word the newest readings: 'T1 3124.027, T2 1527.796'; the page words them its own way."""
    if card.latest is None:
        return {}
    latest = card.latest
    shown = [each for each in latest.readings if each.tariff.label] or list(latest.readings)
    text = ", ".join(f"{each.tariff.label} {each.value}".strip() for each in shown)
    return {
        "last_reading_at": Fact("", latest.taken_at.isoformat(), Source.METER, latest.taken_at),
        "last_readings": Fact("", text, Source.METER, latest.taken_at),
    }


def _of_meter(
    row: PointRow, told: Mapping[str, str], installed: InstallationRow | None
) -> dict[str, Fact]:
    """Say what the meter told of itself, and where the supplier says something else."""
    if installed is None or not installed.serial:
        return {"serial": _supplier(row, row.meter_serial)}
    other = row.meter_serial if not same_serial(row.meter_serial, installed.serial) else ""
    facts = {
        "serial": Fact("", installed.serial, Source.METER, installed.seen_at, other or None),
    }
    if installed.model:
        model = told.get(PointFact.MODEL, "")
        if model:
            other = "" if _same_family(model, installed.model) else installed.model
            facts["model"] = Fact("", model, Source.SUPPLIER, row.told_at, other or None)
        else:
            facts["model"] = Fact("", installed.model, Source.METER, installed.seen_at)
    return facts


def _same_family(told: str, own: str) -> bool:
    """Compare a supplier's model with the meter's own name, which may be in another alphabet."""
    numbers = set(re.findall(r"\d+", own))
    if not numbers:
        return own.casefold() in told.casefold()
    return numbers <= set(re.findall(r"\d+", told))


def _of_installation(told: Mapping[str, str], installed: InstallationRow | None) -> dict[str, Fact]:
    """Give ratios and loss that the hub calculates with; they are the truth of its sums."""
    if installed is None:
        return {}
    loss = Fraction(MILLION + installed.loss_millionths, MILLION)
    own = {
        PointFact.CURRENT_RATIO: str(installed.current_ratio),
        PointFact.VOLTAGE_RATIO: str(installed.voltage_ratio),
        PointFact.LOSS_FACTOR: str(
            (Decimal(loss.numerator) / Decimal(loss.denominator)).normalize()
        ),
    }
    facts = {}
    for fact, value in own.items():
        said = told.get(fact, "")
        facts[fact.value] = Fact(
            "",
            value,
            Source.INSTALLATION,
            installed.from_at,
            said if said and not _same_number(said, value) else None,
        )
    return facts


def _of_state(
    told: Mapping[str, str], installed: InstallationRow | None, kept: LastRow | None
) -> dict[str, Fact]:
    """Give the relay and the limit of power as the meter has them; a limit only if it is used."""
    if installed is None or kept is None:
        return {}
    state, facts = state_of(kept), {}
    if state.load_on is not None:
        said = relay_of(told.get(PointFact.RELAY_STATE, ""))
        other = told[PointFact.RELAY_STATE] if said is not None and said != state.load_on else None
        value = "on" if state.load_on else "off"
        facts["relay_state"] = Fact("", value, Source.METER, kept.at, other)
    if state.power_limit is not None and state.power_limit.value and POWER_LIMIT in state.controls:
        watts = state.power_limit.value * installed.current_ratio * installed.voltage_ratio
        other = told.get(PointFact.POWER_LIMIT) or None
        if watts_of(other or "") == watts:
            other = None
        value = str((watts / 1000).normalize())
        facts["power_limit"] = Fact("", value, Source.METER, kept.at, other)
    return facts


def relay_of(text: str) -> bool | None:
    """Read a relay's state as suppliers write it; None for anything else."""
    return RELAY.get(text.strip().casefold())


def number_of(text: str) -> Decimal | None:
    """Read the number that a text begins with."""
    found = re.match(r"\s*(\d+(?:[.,]\d+)?)", text)
    return None if found is None else Decimal(found[1].replace(",", "."))


def watts_of(text: str) -> Decimal | None:
    """Read a limit of power that a supplier wrote: kilowatts unless it says watts."""
    amount = number_of(text)
    if not amount:
        return None
    unit = re.sub(r"[\d\s.,]", "", text).casefold()
    return amount if unit in {"вт", "w"} else amount * 1000


def _same_number(one: str, other: str) -> bool:
    """Compare as numbers; a ratio may be written 100/5."""
    values = []
    for text in (one, other):
        try:
            values.append(Fraction(text.replace(",", ".").replace(" ", "")))
        except (ValueError, ZeroDivisionError):
            return one.strip() == other.strip()
    return values[0] == values[1]
