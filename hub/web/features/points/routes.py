"""The contract's points as a list, and a point's general information."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from hub.services.home import PointsPage
from hub.services.points import PointCard
from hub.web.features.points.information import info_sheet, info_view
from hub.web.features.points.views import PointRow, PointsView
from hub.web.kit.downloads import download, files
from hub.web.kit.exact import decimal_of
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import (
    known_id,
    local,
    registers_of,
    state_of,
    symbol_of,
    unit_words,
)
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.sending import (
    basis_of,
    newest_of,
    sending_of,
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


def info_file(request: AnyRequest, point_id: FromPath[int]) -> Response[Any]:
    """Give the same fields as a file, with the source and the date of each."""
    made = services(request)
    found = made.pages.info(signed_in(request), known_id(point_id))
    return download(request, info_sheet(info_view(found, made.pages.clock())))


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


router = Router(
    "/", route_handlers=[points, info, *files("/points/{point_id:int}/info", info_file)]
)
