"""Readings that a consumer sends: what is expected, what it would cost, what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.domain.money import Price, kopecks_of, price_on, steady_price
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
from hub.plugins.api import Does, PointFact
from hub.services.charging import ratio_of
from hub.services.clock import utc_now
from hub.services.costs import prices_in
from hub.services.exchange import SENDING, SUBMISSION, UNCERTAIN, WAITING
from hub.services.pieces import DEFAULT_ZONE
from hub.store import outbox, tables
from hub.store import points as stored
from hub.store import told as kept
from hub.store.points import PointRow
from hub.store.told import ReadingRow
from hub.store.unit import Store, Unit

ONLY_ZONE = "T1"  # a register without zones is priced by this one
UNDECIDED = frozenset({WAITING, "sent", UNCERTAIN})
OF_LATE = timedelta(days=31)


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
    ``sent``: the newest first. ``ratio``: of the transformers; consumption is the difference of
    two readings times it.
    """

    point_id: int
    contract_id: int
    name: str
    serial: str
    model: str
    resource: str
    unit: str
    ratio: int
    zones: tuple[str, ...]
    before: Mapping[str, Before]
    face: Face
    time_zone: str
    today: date
    window: tuple[date, date] | None
    is_open: bool
    can_send: bool
    sent: tuple[SubmissionView, ...]

    @property
    def current(self) -> SubmissionView | None:
        """What was sent last, while it waits or is of the present window, or of late."""
        newest = self.sent[0] if self.sent else None
        if newest is None or newest.state in UNDECIDED:
            return newest
        since = self.window[0] if self.window and self.is_open else self.today - OF_LATE
        return newest if newest.taken_on >= since else None


@dataclass(frozen=True, slots=True)
class Checked:
    """Typed values, judged. ``kopecks``: what they would cost; None where no price is known.

    All others are by zone. ``used`` leaves out zones without a previous reading, ``costs`` those
    without one price since then.
    """

    values: Mapping[str, Decimal]
    used: Mapping[str, Decimal]
    costs: Mapping[str, int]
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
            return self._form(unit, _own(unit, user_id, point_id))

    def prices(self, user_id: int, point_id: int) -> dict[str, Price]:
        """Give today's price of each zone of a point, where the supplier told one."""
        with self.store.read() as unit:
            row = _own(unit, user_id, point_id)
            form, known = self._form(unit, row), prices_in(unit, row)
        found = {zone: price_on(known, zone or ONLY_ZONE, form.today) for zone in form.zones}
        return {zone: price for zone, price in found.items() if price is not None}

    def check(self, user_id: int, point_id: int, typed: Mapping[str, str]) -> Checked:
        """Judge what was typed, by zone, and reckon what it would cost."""
        with self.store.read() as unit:
            row = _own(unit, user_id, point_id)
            return _check(self._form(unit, row), typed, prices_in(unit, row))

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
            row = _own(unit, user_id, point_id)
            key = f"{user_id}/{key}"
            known = kept.submission_keyed(unit, key)
            if known is not None:
                return known.id or 0
            form = self._form(unit, row)
            if not form.can_send:
                raise NotSupported("This supplier takes no readings of this point.")
            checked = _check(form, typed, prices_in(unit, row))
            wrong = {zone: f"reading.{each.value}" for zone, each in checked.wrong.items()}
            if not form.is_open:
                wrong["window"] = "reading.window_closed"
            if wrong:
                raise InputRefused(wrong)
            if checked.doubts and not confirmed:
                raise Doubtful(checked)
            sent = kept.add(
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
            outbox.put(unit, SUBMISSION, f"{SUBMISSION}/{key}", {"id": sent.id})
            outbox.signal(unit, {"contract": form.contract_id, "user": user_id})
            return sent.id or 0

    def send_again(self, user_id: int, submission_id: int, key: str) -> None:
        """Send once more what may or may not have arrived: only its owner can decide that."""
        with self.store.write() as unit:
            found = kept.submission(unit, submission_id)
            if found is None or stored.one(unit, user_id, found[1].id or 0) is None:
                raise Missing
            row = found[0]
            if row.state == UNCERTAIN:
                row.state, row.error_code, row.changed_at = WAITING, "", self.clock()
                outbox.put(unit, SUBMISSION, f"{SUBMISSION}/{row.key}/{key}", {"id": row.id})

    def _form(self, unit: Unit, row: PointRow) -> SubmissionForm:
        return forms_in(unit, [row], self.clock())[row.id]


def forms_in(unit: Unit, rows: Sequence[PointRow], now: datetime) -> dict[int, SubmissionForm]:
    """Give what the forms of these points have to know; of smart meters too, which take none."""
    ids = [row.id for row in rows]
    told = kept.readings(unit, ids) if ids else ()
    sent = kept.submissions(unit, ids) if ids else ()
    return {
        row.id: _form_of(
            row,
            [each for each in told if each.contract_point_id == row.id],
            [each for each in sent if each.contract_point_id == row.id],
            now,
            row.time_zone or _zone_of(unit, row.contract_id),
        )
        for row in rows
    }


def _zone_of(unit: Unit, contract_id: int) -> str:
    """Give the zone of a point that no place is known of: that of the contract's others."""
    return kept.zone_of_contract(unit, contract_id) or DEFAULT_ZONE


def _form_of(
    row: PointRow,
    told: Sequence[ReadingRow],
    sent: Sequence[tables.Submission],
    now: datetime,
    time_zone: str,
) -> SubmissionForm:
    today = now.astimezone(ZoneInfo(time_zone)).date()
    window = Window(row.submit_from_day, row.submit_to_day)
    zones = tuple(row.tariff_zones) or ("",)
    return SubmissionForm(
        point_id=row.id,
        contract_id=row.contract_id,
        name=row.name,
        serial=row.meter_serial,
        model=row.facts.get(PointFact.MODEL, ""),
        resource=row.resource,
        unit=row.unit,
        ratio=ratio_of(row.facts),
        zones=zones,
        before=_before(zones, told, sent, row.whole_digits),
        face=Face(row.whole_digits, row.decimal_digits),
        time_zone=time_zone,
        today=today,
        window=window.span(today),
        is_open=window.is_open(today),
        can_send=Does.SUBMIT.value in row.does and not row.smart,
        sent=tuple(submission_view(each) for each in sent),
    )


def _check(form: SubmissionForm, typed: Mapping[str, str], prices: Sequence[Price]) -> Checked:
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
    costs = _costs(form, used, prices)
    return Checked(
        values=values,
        used=used,
        costs=costs,
        wrong=wrong,
        doubts={zone: each.doubt for zone, each in judged.items() if each.doubt},
        kopecks=sum(costs.values()) if len(costs) == len(form.zones) else None,
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
    newest = {(row.contract_point_id, row.zone): row for row in kept.billed(unit, point_ids)}
    found: dict[int, list[BilledReading]] = {}
    for (point_id, zone), row in sorted(newest.items()):
        reading = BilledReading(zone, Decimal(row.value), row.taken_on, row.basis)
        found.setdefault(point_id, []).append(reading)
    return {point_id: tuple(rows) for point_id, rows in found.items()}


def _own(unit: Unit, user_id: int, point_id: int) -> PointRow:
    row = stored.one(unit, user_id, point_id)
    if row is None:
        raise Missing
    return row


def _before(
    zones: Sequence[str],
    told: Sequence[ReadingRow],
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


def _costs(
    form: SubmissionForm, used: Mapping[str, Decimal], prices: Sequence[Price]
) -> dict[str, int]:
    """Reckon the cost by the supplier's prices; only of zones that had one price throughout."""
    costs = {}
    for zone, quantity in used.items():
        price = steady_price(prices, zone or ONLY_ZONE, form.before[zone].taken_on, form.today)
        if price is not None:
            costs[zone] = kopecks_of(quantity * form.ratio, price)
    return costs
