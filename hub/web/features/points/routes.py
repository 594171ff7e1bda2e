"""The contract's points as a list, and a point's general information."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from hub.services.home import PointsPage
from hub.services.pages import InfoPage
from hub.services.past_readings import TOLD, PastReading
from hub.services.points import PointCard, PointInfo
from hub.services.submissions import SubmissionForm
from hub.web.features.points.views import InfoView, PastRow, PastView, PointRow, PointsView
from hub.web.kit.exact import decimal_of
from hub.web.kit.formats import DASH, exact, face, moment
from hub.web.kit.i18n import N_, NBSP, gettext, typeset
from hub.web.kit.point_head import (
    RESOURCES,
    head_of,
    in_reading_order,
    known_id,
    local,
    registers_of,
    state_of,
    symbol_of,
    unit_words,
    zone_number,
)
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.sending import (
    BASES,
    basis_of,
    newest_of,
    refusal_words,
    sending_of,
    state_tag,
    values_words,
    window_words,
)
from hub.web.kit.services import services
from hub.web.kit.spans import one_of
from hub.web.kit.views import Choice
from hub.web.kit.visitor import frame, signed_in

# state of the filter: its words with a count
FILTERS = {
    "": N_("All %(n)s"),
    "smart": N_("Smart %(n)s"),
    "manual": N_("Read by you %(n)s"),
    "wanted": N_("Readings due %(n)s"),
    "silent": N_("Not answering %(n)s"),
}
READ_BY = {
    "ours": N_("sent by you"),
    "theirs": N_("read by the supplier"),
    "estimated": N_("estimated by the supplier"),
}
RELAY = {
    "on": True, "1": True, "true": True, "включено": True, "включен": True,
    "off": False, "0": False, "false": False, "отключено": False, "отключен": False,
}  # fmt: skip


@get("/contracts/{contract_id:int}/points", sync_to_thread=True)
def points(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    """List the points of a contract, all or those in one state."""
    who = signed_in(request)
    made = services(request)
    state = one_of(request, "state", FILTERS, "")
    found = made.home.points(who, known_id(contract_id))
    return respond(
        request,
        "points/list.html",
        fragment="point_rows",
        context={"view": points_view(found, state, contract_id, made.home.clock())},
        shell=lambda: frame(request, found.shell, "points"),
    )


@get("/points/{point_id:int}", sync_to_thread=True)
def info(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Show the 25 fields of a point, and the readings of one that people read."""
    who = signed_in(request)
    made = services(request)
    found = made.pages.info(who, known_id(point_id))
    return respond(
        request,
        "points/info.html",
        fragment="tab",
        context={"view": info_view(found, made.pages.clock())},
        shell=lambda: frame(request, found.shell, "points"),
    )


# -- the list ----------------------------------------------------------------------------------


def points_view(found: PointsPage, state: str, contract_id: int, now: datetime) -> PointsView:
    """Word the list; a filter is offered for each state that some point is in."""
    rows = [_row(card, found, now) for card in found.points]
    counts = {key: sum(key in row.kinds for row in rows) for key in FILTERS if key}
    kinds = [key for key, count in counts.items() if 0 < count < len(rows) or key == state]
    offered = ["", *kinds] if kinds else []
    here = f"/contracts/{contract_id}/points"
    zone = ZoneInfo(found.points[0].time_zone) if found.points else None
    local_now = now.astimezone(zone)
    current = found.shell.current
    return PointsView(
        contract_name=current.name if current else "",
        now=local_now,
        month_first=local_now.date().replace(day=1),
        rows=tuple(row for row in rows if not state or state in row.kinds),
        filters=tuple(
            Choice(
                gettext(FILTERS[key]) % {"n": counts.get(key, len(rows))},
                f"{here}?state={key}" if key else here,
                key == state,
            )
            for key in offered
        ),
        month_kwh=decimal_of(found.usage.month.energy) if found.usage else None,
    )


def _row(card: PointCard, found: PointsPage, now: datetime) -> PointRow:
    state = state_of(card, now)
    taken_at = card.latest.taken_at if card.latest else None
    months = found.usage.points if found.usage else ()
    usage = next((each for each in months if each.point_id == card.id), None)
    form = found.forms.get(card.id)
    registers, taken_on = newest_of(form) if form else ((), None)
    sending = sending_of(form, now) if form else None
    kinds = {"smart" if card.smart else "manual"}
    kinds |= {"silent"} if state == "silent" else set()
    kinds |= {"wanted"} if sending and sending.wanted else set()
    return PointRow(
        id=card.id,
        name=card.name,
        model=card.model or None,
        serial=card.serial or None,
        symbol=symbol_of(card.resource),
        state=state,
        kinds=frozenset(kinds),
        last_at=local(
            card.connection.silent_since if state == "silent" else taken_at, card.time_zone
        ),
        registers=registers_of(card.latest, card.decimal_digits) or registers,
        taken_on=None if card.latest else taken_on,
        basis=basis_of(found.billed.get(card.id, ()), taken_on),
        unit=unit_words(card.unit),
        month_kwh=decimal_of(usage.month.energy) if usage else None,
        days=[decimal_of(day) for day in usage.days] if usage else (),
        sending=sending,
    )


# -- general information -----------------------------------------------------------------------


def info_view(page: InfoPage, now: datetime) -> InfoView:
    """Word the 25 fields; what nobody knows is None, and what is told but no number stays text."""
    info = page.info
    card = info.card

    def text(key: str) -> str | None:
        return info[key].value

    def day(key: str) -> date | None:
        return _day(info[key].value)

    return InfoView(
        head=head_of(card, now, "info"),
        name=text("name") or DASH,
        number=text("number"),
        resource=gettext(RESOURCES.get(card.resource, card.resource)),
        last_reading_at=local(card.latest.taken_at, card.time_zone) if card.latest else None,
        last_reading=_last_reading(card) or _told(info),
        last_reading_on=max((each.taken_on for each in info.told), default=None),
        place=text("place"),
        model=text("model"),
        registry_number=text("registry_number"),
        serial=text("serial"),
        commissioned_on=day("commissioned_on"),
        verified_on=day("verified_on"),
        verify_by=day("next_verification_on"),
        tariff=text("tariff"),
        instrument_verified_on=day("instrument_verified_on"),
        accuracy_class=text("accuracy_class"),
        nominal_voltage=text("nominal_voltage"),
        current_range=text("base_max_current"),
        power_limit=_amount(text("power_limit"), N_("%(kw)s kW"), "kw"),
        relay_on=RELAY.get((text("relay_state") or "").casefold()),
        current_ratio=_amount(text("current_ratio")),
        voltage_ratio=_amount(text("voltage_ratio")),
        loss_factor=_amount(text("loss_factor")),
        norm_hour=_norm(text("norm_hour"), card.unit),
        norm_day=_norm(text("norm_day"), card.unit),
        norm_month=_norm(text("norm_month"), card.unit),
        differs={fact.key: fact.differs for fact in info.facts if fact.differs},
        readings=_past(page.form, page.past, now) if page.form else None,
    )


def _past(form: SubmissionForm, past: Sequence[PastReading], now: datetime) -> PastView:
    """Word the readings that people sent or the supplier told, with what became of each."""
    zone = ZoneInfo(form.time_zone)
    rows = []
    for each in past:
        if each.state == TOLD:
            tag = gettext(BASES.get(each.basis, N_("told by the supplier"))), "", "check"
            by = gettext(READ_BY.get(each.source, READ_BY["theirs"]))
        else:
            tag = state_tag(each.state)
            by = gettext("sent by you %(moment)s") % {
                "moment": moment(each.at.astimezone(zone), now.astimezone(zone))
            }
        refused = each.state == "refused"
        rows.append(
            PastRow(
                taken_on=each.taken_on,
                values=values_words(each.values, form.face),
                tag=tag,
                by=by,
                reason=(each.reason or refusal_words(each.error_code)) if refused else "",
            )
        )
    sending = sending_of(form, now)
    return PastView(tuple(rows), unit_words(form.unit), sending, window_words(form))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:  # a supplier may tell anything; what is no day is as good as unknown
        return None


def _amount(text: str | None, unit: str = "", name: str = "") -> str | None:
    """Write a number as pages do, with its unit; anything else as it was told."""
    if text is None:
        return None
    try:
        shown = exact(Decimal(text.replace(",", ".")))
    except InvalidOperation:
        return typeset(text)
    return gettext(unit) % {name: shown} if unit else shown


def _norm(told: str | None, unit: str) -> str | None:
    """Write a norm in the unit of the point, unless what was told is no number."""
    amount = _amount(told)
    return f"{amount}{NBSP}{unit_words(unit)}" if amount and amount[0].isdigit() else amount


def _last_reading(card: PointCard) -> str | None:
    """Word the registers as the manual does: «T1 – 3124,027, T2 – 1527,796»."""
    if card.latest is None:
        return None
    by_zone = {zone_number(each.tariff.label): each.value for each in card.latest.readings}
    zones = in_reading_order(by_zone)
    if not zones:
        return ", ".join(face(value) for value in by_zone.values())
    words = (f"T{zone}{NBSP}{DASH}{NBSP}{face(by_zone[zone])}" for zone in sorted(zones))
    return ", ".join(words)


def _told(info: PointInfo) -> str | None:
    """Word what the supplier has instead: readings that people sent, or that it took itself."""
    words = (
        f"{each.zone}{NBSP}{DASH}{NBSP}{face(each.value)}" if each.zone else face(each.value)
        for each in info.told
    )
    return ", ".join(words) or None


router = Router("/", route_handlers=[points, info])
