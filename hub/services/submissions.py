"""Readings that a consumer sends: what is expected, what it would cost, what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.domain.money import Price, kopecks_of, steady_price
from hub.domain.submitting import (
    Before,
    Doubt,
    Face,
    Judged,
    Window,
    Wrong,
    judge,
    usual_a_day,
)
from hub.errors import InputRefused, Missing, NotSupported
from hub.plugins.api import Does
from hub.services.charging import ratio_of
from hub.services.clock import utc_now
from hub.services.exchange import SENDING, SUBMISSION, UNCERTAIN, WAITING
from hub.services.pieces import DEFAULT_ZONE
from hub.store import outbox, tables
from hub.store import told as kept
from hub.store.unit import Store, Unit

ONLY_ZONE = "T1"  # a register without zones is priced by this one


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """What was sent. ``state``: waiting, sent, accepted, refused (see ``reason``), uncertain."""

    id: int
    taken_on: date
    values: Mapping[str, str]
    state: str
    reason: str
    error_code: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class BilledReading:
    """The reading a zone is billed by («Расчетные»): accepted, average, norm or other."""

    zone: str
    value: Decimal
    taken_on: date
    basis: str


@dataclass(frozen=True, slots=True)
class SubmissionForm:
    """What the form for readings has to know; zones '' is the only register.

    ``window``: the days on which the supplier takes readings, this time or next (None: always).
    """

    point_id: int
    contract_id: int
    name: str
    serial: str
    resource: str
    unit: str
    zones: tuple[str, ...]
    before: Mapping[str, Before]
    face: Face
    today: date
    window: tuple[date, date] | None
    is_open: bool
    can_send: bool
    sent: tuple[SubmissionView, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """Typed values, judged. ``kopecks``: what they would cost; None where no price is known.

    ``wrong`` and ``doubts`` are by zone. ``used`` leaves out zones without a previous reading.
    """

    values: Mapping[str, Decimal]
    used: Mapping[str, Decimal]
    wrong: Mapping[str, Wrong]
    doubts: Mapping[str, Doubt]
    kopecks: int | None


class Doubtful(InputRefused):
    """Something has to be confirmed before it is sent; ``checked`` says what."""

    def __init__(self, checked: Checked) -> None:
        super().__init__({zone: f"reading.{doubt.value}" for zone, doubt in checked.doubts.items()})
        self.checked = checked


class Submissions:
    """Readings of points that report nothing by themselves; ids are looked up by their owner."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def form(self, user_id: int, point_id: int) -> SubmissionForm:
        """Give what the form shows; Missing for anybody else's point."""
        with self.store.read() as unit:
            point, contract = _own(unit, user_id, point_id)
            return self._form(unit, point, contract)

    def check(self, user_id: int, point_id: int, typed: Mapping[str, str]) -> Checked:
        """Judge what was typed, by zone, and reckon what it would cost."""
        with self.store.read() as unit:
            point, contract = _own(unit, user_id, point_id)
            return self._check(unit, self._form(unit, point, contract), point, typed)

    def submit(
        self,
        user_id: int,
        point_id: int,
        key: str,
        typed: Mapping[str, str],
        *,
        confirmed: bool = False,
    ) -> int:
        """Take readings in to be delivered, and give the submission's id.

        ``key`` is made with the form: sent twice, it is one. Raises InputRefused by zone (and
        ``window`` outside of it), Doubtful unless ``confirmed``, NotSupported where the supplier
        takes no readings, Missing.
        """
        now = self.clock()
        with self.store.write() as unit:
            point, contract = _own(unit, user_id, point_id)
            key = f"{user_id}/{key}"
            known = kept.submission_keyed(unit, key)
            if known is not None:
                return known.id or 0
            form = self._form(unit, point, contract)
            if not form.can_send:
                raise NotSupported("This supplier takes no readings of this point.")
            checked = self._check(unit, form, point, typed)
            wrong = {zone: f"reading.{each.value}" for zone, each in checked.wrong.items()}
            if not form.is_open:
                wrong["window"] = "reading.window_closed"
            if wrong:
                raise InputRefused(wrong)
            if checked.doubts and not confirmed:
                raise Doubtful(checked)
            row = kept.add(
                unit,
                tables.Submission(
                    contract_point_id=point_id,
                    key=key,
                    taken_on=form.today,
                    values={zone: f"{value:f}" for zone, value in checked.values.items()},
                    state=WAITING,
                    created_at=now,
                    changed_at=now,
                ),
            )
            outbox.put(unit, SUBMISSION, f"{SUBMISSION}/{key}", {"id": row.id})
            outbox.signal(unit, {"contract": contract.id, "user": user_id})
            return row.id or 0

    def send_again(self, user_id: int, submission_id: int, key: str) -> None:
        """Send once more what may or may not have arrived: only its owner can decide that."""
        with self.store.write() as unit:
            found = kept.submission(unit, submission_id)
            if found is None or kept.own_point(unit, user_id, found[1].id or 0) is None:
                raise Missing
            row = found[0]
            if row.state == UNCERTAIN:
                row.state, row.error_code, row.changed_at = WAITING, "", self.clock()
                outbox.put(unit, SUBMISSION, f"{SUBMISSION}/{row.key}/{key}", {"id": row.id})

    def _form(
        self, unit: Unit, point: tables.ContractPoint, contract: tables.Contract
    ) -> SubmissionForm:
        zone = kept.time_zone(unit, point.metering_point_id) or DEFAULT_ZONE
        today = self.clock().astimezone(ZoneInfo(zone)).date()
        window = Window(point.submit_from_day, point.submit_to_day)
        zones = tuple(point.tariff_zones) or ("",)
        sent = kept.submissions(unit, [point.id or 0])
        told = kept.readings(unit, [point.id or 0])
        return SubmissionForm(
            point_id=point.id or 0,
            contract_id=contract.id or 0,
            name=point.name,
            serial=point.meter_serial,
            resource=point.resource,
            unit=point.unit,
            zones=zones,
            before=_before(zones, told, sent, point.whole_digits),
            face=Face(point.whole_digits, point.decimal_digits),
            today=today,
            window=window.span(today),
            is_open=window.is_open(today),
            can_send=Does.SUBMIT.value in contract.does and not point.smart,
            sent=tuple(submission_view(row) for row in sent),
        )

    def _check(
        self,
        unit: Unit,
        form: SubmissionForm,
        point: tables.ContractPoint,
        typed: Mapping[str, str],
    ) -> Checked:
        values: dict[str, Decimal] = {}
        wrong: dict[str, Wrong] = {}
        judged: dict[str, Judged] = {}
        for zone in form.zones:
            read = form.face.read(typed.get(zone, ""))
            if isinstance(read, Wrong):
                wrong[zone] = read
                continue
            values[zone] = read
            judged[zone] = judge(form.before.get(zone), read, form.today, form.face, form.resource)
        wrong |= {zone: each.wrong for zone, each in judged.items() if each.wrong}
        used = {zone: each.used for zone, each in judged.items() if each.used is not None}
        cost = None
        if not wrong and len(used) == len(form.zones):
            cost = _cost(unit, form, point, used)
        return Checked(
            values,
            used,
            wrong,
            {zone: each.doubt for zone, each in judged.items() if each.doubt},
            cost,
        )


def submission_view(row: tables.Submission) -> SubmissionView:
    return SubmissionView(
        id=row.id or 0,
        taken_on=row.taken_on,
        values=row.values,
        state=WAITING if row.state == SENDING else row.state,
        reason=row.reason,
        error_code=row.error_code,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def billed_in(unit: Unit, point_ids: Sequence[int]) -> dict[int, tuple[BilledReading, ...]]:
    """Give for each point the reading of each zone that its supplier bills by."""
    newest: dict[tuple[int, str], tables.ToldReading] = {}
    for row in kept.readings(unit, point_ids):
        if row.basis:
            newest[row.contract_point_id, row.zone] = row
    found: dict[int, list[BilledReading]] = {}
    for (point_id, zone), row in sorted(newest.items()):
        reading = BilledReading(zone, Decimal(row.value), row.taken_on, row.basis)
        found.setdefault(point_id, []).append(reading)
    return {point_id: tuple(rows) for point_id, rows in found.items()}


def _own(unit: Unit, user_id: int, point_id: int) -> tuple[tables.ContractPoint, tables.Contract]:
    found = kept.own_point(unit, user_id, point_id)
    if found is None:
        raise Missing
    return found


def _before(
    zones: Sequence[str],
    told: Sequence[tables.ToldReading],
    sent: Sequence[tables.Submission],
    whole_digits: int | None,
) -> dict[str, Before]:
    """Find the previous reading of each zone: the newest told, or sent and not refused."""
    found = {}
    for zone in zones:
        known = {row.taken_on: Decimal(row.value) for row in told if row.zone == zone}
        usual = usual_a_day(known, whole_digits)
        for row in reversed(sent):
            if row.state != "refused" and zone in row.values:
                known.setdefault(row.taken_on, Decimal(row.values[zone]))
        if known:
            newest = max(known)
            found[zone] = Before(known[newest], newest, usual)
    return found


def _cost(
    unit: Unit,
    form: SubmissionForm,
    point: tables.ContractPoint,
    used: Mapping[str, Decimal],
) -> int | None:
    """Reckon the cost by the supplier's prices; None unless each zone had one price throughout."""
    prices = [
        Price(row.zone, row.valid_from, row.millionths, row.valid_to)
        for row in kept.tariffs(unit, form.contract_id, point.remote_id)
    ]
    total = 0
    for zone, quantity in used.items():
        since = form.before[zone].taken_on
        price = steady_price(prices, zone or ONLY_ZONE, since, form.today)
        if price is None:
            return None
        total += kopecks_of(quantity * ratio_of(point.facts), price)
    return total
