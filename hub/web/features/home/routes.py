"""The main page of a contract."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from hub.domain.calendar import month_end
from hub.services.home import ContractCard, HomePage
from hub.services.hours import HourUse
from hub.services.pieces import DEFAULT_ZONE
from hub.services.points import PointCard
from hub.services.submissions import BilledReading, SubmissionForm
from hub.services.usage import ContractUsage, Figure
from hub.web.features.home.attention import asks_of
from hub.web.features.home.views import (
    BalanceCard,
    HomeView,
    MeterRow,
    SupplierCard,
    Usage,
)
from hub.web.kit.exact import decimal_of
from hub.web.kit.formats import exact
from hub.web.kit.i18n import NBSP, gettext
from hub.web.kit.messages import appeal_row, notice_row
from hub.web.kit.point_head import (
    RESOURCES,
    growing_of,
    grown,
    in_reading_order,
    known_id,
    local,
    registers_of,
    state_of,
    symbol_of,
    unit_words,
    zone_names,
    zone_number,
)
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.sending import BASES, newest_of, sending_of
from hub.web.kit.services import services
from hub.web.kit.small_charts import HourBar
from hub.web.kit.visitor import frame, signed_in

BLOCKS = {"growing": "growing", "usage": "usage", "readings": "readings"}


@get("/contracts/{contract_id:int}", sync_to_thread=True)
def main_page(request: AnyRequest, contract_id: FromPath[int]) -> Response[str]:
    """Show the main page; it becomes the one that the next sign-in leads to."""
    who = signed_in(request)
    made = services(request)
    found = made.home.page(who, known_id(contract_id))
    if who.last_contract_id != contract_id:
        made.contracts.use(who.user_id, contract_id)
    view = home_view(found, made.home.clock())
    fragment = BLOCKS.get(request.query_params.get("block", ""))
    headers = None
    if fragment == "growing":
        headers = grown(request.query_params.get("days"), view.growing)
    return respond(
        request,
        "home/main.html",
        fragment=fragment,
        context={"view": view},
        shell=lambda: frame(request, found.shell, "home"),
        headers=headers,
    )


def home_view(found: HomePage, now: datetime) -> HomeView:
    """Put the page's values into words; times are those of the first point."""
    contract = found.contract
    zone = found.points[0].time_zone if found.points else DEFAULT_ZONE
    here = f"/contracts/{contract.id}"
    seen = [card.connection.seen_at for card in found.points if card.connection.seen_at]
    balance = balance_card(contract, zone)
    measured = [card for card in found.points if card.smart and card.joined]
    return HomeView(
        contract_name=contract.name,
        now=now.astimezone(ZoneInfo(zone)),
        as_of=local(max(seen, default=contract.refreshed_at), zone),
        usage=None
        if found.usage is None
        else usage_view(
            found.usage,
            read_until=local(_read_until(measured), zone),
            href=f"/points/{measured[0].id}/profile" if len(measured) == 1 else f"{here}/points",
        ),
        meters=tuple(
            meter_row(card, now, found.billed.get(card.id, ()), found.forms.get(card.id))
            for card in found.points
        ),
        points_href=f"{here}/points",
        supplier=supplier_card(contract),
        asks=asks_of(found, balance, now),
        balance=balance,
        growing=growing_of(found.points, now, here),
        notifications_href=f"{here}/notifications",
        appeals_href=f"{here}/appeals",
        notices=tuple(notice_row(item, zone) for item in found.notices),
        appeals=tuple(appeal_row(item, zone) for item in found.appeals),
    )


def _read_until(cards: Sequence[PointCard]) -> datetime | None:
    """Give the end of the newest half-hour that every meter has told."""
    ends = [card.connection.history_to for card in cards]
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


# -- usage -------------------------------------------------------------------------------------


def usage_view(usage: ContractUsage, *, read_until: datetime | None, href: str) -> Usage:
    """Give the figures, with a comparison where both sides have something to compare."""
    month = usage.month
    zones = in_reading_order(zone_number(zone) for zone in usage.zones)
    names = zone_names(zones)
    forecast = usage.forecast
    is_today = read_until is not None and read_until.date() == usage.today.last
    return Usage(
        today_kwh=decimal_of(usage.today.energy),
        today_until=read_until if is_today else None,
        today_delta=_delta(usage.today),
        hours=[_hour_bar(hour) for hour in usage.hours],
        zones=[(zone, names[zone]) for zone in zones],
        month_kwh=decimal_of(month.energy),
        month_first=month.first,
        month_last=month.last,
        month_delta=_delta(month),
        month_delta_first=month.before_first,
        month_delta_last=month.before_last,
        running=usage.running,
        whole=[*usage.whole[:-1], True],  # today lacks what is not read yet, and that is no hole
        running_before=usage.running_before,
        days_in_month=_days_in(month.first),
        forecast=decimal_of(forecast.energy) if forecast else None,
        known=month.measured,
        expected=month.expected,
        href=href,
    )


def _delta(figure: Figure) -> Decimal | None:
    if not figure.both or figure.now is None or figure.before is None:
        return None
    return decimal_of(figure.now - figure.before)


def _hour_bar(hour: HourUse) -> HourBar:
    """Draw an hour in the colour of the zone that took the most of it."""
    zones = hour.zones or {}
    most = max(zones, key=zones.__getitem__, default="")
    return HourBar(
        hour.hour,
        None if hour.zones is None else decimal_of(sum(zones.values(), Fraction(0))),
        zone_number(most),
        running=hour.partial,
        before=decimal_of(hour.yesterday),
    )


def _days_in(first: date) -> int:
    return (month_end(first) - first + timedelta(days=1)).days


# -- cards -------------------------------------------------------------------------------------


def meter_row(
    card: PointCard, now: datetime, billed: Sequence[BilledReading], form: SubmissionForm | None
) -> MeterRow:
    """Word a point for the block of readings.

    ``billed``: what its supplier bills by; ``form``: of a meter that people read.
    """
    taken_at = card.latest.taken_at if card.latest else None
    state = state_of(card, now)
    last_at = card.connection.silent_since if state == "silent" else taken_at
    registers, taken_on = newest_of(form) if form else ((), None)
    billed_at = max((each.taken_on for each in billed), default=None)
    return MeterRow(
        href=f"/points/{card.id}",
        name=card.name,
        resource=gettext(RESOURCES.get(card.resource, card.resource)),
        symbol=symbol_of(card.resource),
        serial=card.serial or None,
        state=state,
        last_at=local(last_at, card.time_zone),
        never=state == "silent" and card.connection.seen_at is None,
        registers=registers_of(card.latest, card.decimal_digits) or registers,
        unit=unit_words(card.unit),
        taken_on=None if card.latest else taken_on,
        billed=", ".join(
            f"{each.zone}{NBSP}{exact(each.value)}" if each.zone else exact(each.value)
            for each in billed
        )
        or None,
        billed_at=billed_at,
        basis=gettext(BASES[billed[0].basis]) if billed and billed[0].basis in BASES else "",
        sending=sending_of(form, now) if form else None,
    )


def supplier_card(contract: ContractCard) -> SupplierCard:
    """Word the contract and its supplier."""
    told = contract.supplier
    return SupplierCard(
        name=told.name,
        number=contract.number,
        holder=contract.holder or None,
        address=contract.address or None,
        phone=told.phones[0] if told.phones else None,
        hours=told.hours or None,
        email=told.email or None,
        site=told.site or None,
    )


def balance_card(contract: ContractCard, zone: str) -> BalanceCard | None:
    """Turn the balance to what is owed; None where the supplier has told none."""
    as_of = local(contract.balance_at, zone)
    if contract.balance_kopecks is None or as_of is None:
        return None
    return BalanceCard(-contract.balance_kopecks, as_of.date())


router = Router("/", route_handlers=[main_page])
