"""«Общая информация»: the 25 fields in their groups, for the page and for the file."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from hub.services.pages import InfoPage
from hub.services.points import Fact, PointCard, PointInfo, Source, Stay, relay_of
from hub.web.features.points.past import past_view
from hub.web.features.points.views import InfoGroup, InfoRow, InfoView, Installed, Told
from hub.web.kit.downloads import Cell, Column, Sheet, head_facts
from hub.web.kit.formats import DASH, face, number
from hub.web.kit.i18n import N_, NBSP, gettext, typeset
from hub.web.kit.point_head import (
    DUE_DAYS,
    RESOURCES,
    head_of,
    in_reading_order,
    local,
    told_day,
    unit_words,
    zones_of,
)

LEFT = {
    N_("Metering point"): {
        "name": N_("Point name"),
        "number": N_("Point number"),
        "resource": N_("Resource type"),
        "place": N_("Place of installation"),
        "tariff": N_("Tariff set"),
    },
    N_("Last readings"): {
        "last_reading_at": N_("Date of last readings"),
        "last_readings": N_("Last readings"),
    },
    N_("Consumption norms"): {
        "norm_hour": N_("Hourly"),
        "norm_day": N_("Daily"),
        "norm_month": N_("Monthly"),
    },
    N_("Load"): {
        "power_limit": N_("Instantaneous power limit"),
        "relay_state": N_("Load control relay state"),
    },
}
RIGHT = {
    N_("Metering device"): {
        "model": N_("Meter type and modification"),
        "serial": N_("Meter serial number"),
        "registry_number": N_("Registration number"),
        "accuracy_class": N_("Accuracy class"),
        "nominal_voltage": N_("Nominal voltage"),
        "base_max_current": N_("Basic/maximum current"),
        "commissioned_on": N_("Commissioning date"),
    },
    N_("Verification"): {
        "verified_on": N_("Date of last verification"),
        "next_verification_on": N_("Date of next verification"),
        "instrument_verified_on": N_("Date of last instrumental verification"),
    },
    N_("Coefficients"): {
        "current_ratio": N_("Current transformation ratio"),
        "voltage_ratio": N_("Voltage transformation ratio"),
        "loss_factor": N_("Loss factor"),
    },
}
DAYS = {"commissioned_on", "verified_on", "next_verification_on", "instrument_verified_on"}
NORMS = {"norm_hour", "norm_day", "norm_month"}
AMOUNTS = NORMS | {"power_limit", "current_ratio", "voltage_ratio", "loss_factor"}
SOURCES = {
    Source.METER: N_("Read from the meter"),
    Source.INSTALLATION: N_("Set at the installation"),
    Source.SUPPLIER: N_("Told by the supplier"),
    Source.HUB: N_("Reckoned here"),
}
InfoValue: TypeAlias = str | Decimal | date | datetime | None
RELAY_WORDS = {True: N_("On"), False: N_("Off")}


def info_view(page: InfoPage, now: datetime) -> InfoView:
    """Word the 25 fields; what nobody knows is None, and what is told but no number stays text."""
    info = page.info
    card = info.card
    head = head_of(card, now, "info")
    verify_by = told_day(info["next_verification_on"].value)
    left, right = (_groups(names, info, head.today) for names in (LEFT, RIGHT))
    return InfoView(
        head=head,
        left=left,
        right=right,
        verify_by=verify_by,
        appeal_href=f"/contracts/{card.contract_id}/appeals/new",
        history=tuple(_installed(stay) for stay in info.history),
        readings=past_view(page.form, page.past, now) if page.form else None,
        told=_told(row for group in (*left, *right) for row in group.rows),
    )


def _groups(
    names: dict[str, dict[str, str]], info: PointInfo, today: date
) -> tuple[InfoGroup, ...]:
    return tuple(
        InfoGroup(
            gettext(title),
            tuple(_row(info, info[key], gettext(label), today) for key, label in fields.items()),
        )
        for title, fields in names.items()
    )


def _row(info: PointInfo, fact: Fact, label: str, today: date) -> InfoRow:
    value, unit = _value(info, fact)
    mood = ""
    if fact.key == "next_verification_on" and isinstance(value, date):
        left = (value - today).days
        mood = "bad" if left < 0 else "warn" if left <= DUE_DAYS else ""
    known = value is not None and fact.source is not None
    return InfoRow(
        fact.key,
        label,
        value,
        unit,
        _differs(fact),
        gettext(SOURCES[fact.source]) if known and fact.source else "",
        local(fact.at, info.card.time_zone) if known else None,
        mood,
    )


def _value(info: PointInfo, fact: Fact) -> tuple[InfoValue, str]:
    """Give a value as what it is, and its unit."""
    card = info.card
    if fact.key == "resource":
        return gettext(RESOURCES.get(card.resource, card.resource)), ""
    if fact.key == "last_reading_at":
        billed_on = max((each.taken_on for each in info.told), default=None)
        return local(card.latest.taken_at, card.time_zone) if card.latest else billed_on, ""
    if fact.key == "last_readings":
        return _last_reading(card) or _billed(info), ""
    text = (fact.value or "").strip()
    if fact.key in AMOUNTS:
        kilowatts = gettext("kW") if fact.key == "power_limit" else ""
        return _amount(text, unit_words(card.unit) if fact.key in NORMS else kilowatts)
    if fact.key == "relay_state":
        state = relay_of(text)
        return None if state is None else gettext(RELAY_WORDS[state]), ""
    return (told_day(text) if fact.key in DAYS else text or None), ""


def _amount(text: str, unit: str) -> tuple[InfoValue, str]:
    """Read a number; anything else stays as it was told."""
    try:
        return Decimal(text.replace(",", ".")), unit
    except InvalidOperation:
        return typeset(text) or None, ""


def _differs(fact: Fact) -> str:
    if not fact.differs:
        return ""
    if fact.key == "model":
        return gettext("the meter says %(value)s") % {"value": fact.differs}
    return gettext("the supplier has %(value)s") % {"value": fact.differs}


def _last_reading(card: PointCard) -> str | None:
    """Word the registers as the manual does: «T1 – 3124,027, T2 – 1527,796»."""
    if card.latest is None:
        return None
    by_zone = zones_of(card.latest)
    zones = in_reading_order(by_zone)
    if not zones:
        return ", ".join(face(value) for value in by_zone.values())
    words = (f"T{zone}{NBSP}{DASH}{NBSP}{face(by_zone[zone])}" for zone in sorted(zones))
    return ", ".join(words)


def _billed(info: PointInfo) -> str | None:
    """Word what the supplier has instead: readings that people sent, or that it took itself."""
    words = (
        f"{each.zone}{NBSP}{DASH}{NBSP}{face(each.value)}" if each.zone else face(each.value)
        for each in info.told
    )
    return ", ".join(words) or None


def _installed(stay: Stay) -> Installed:
    closing = None
    if stay.closing is not None:
        kwh = {"kwh": number(stay.closing, 1)}
        closing = gettext("Taken away at %(kwh)s kWh") % kwh
    return Installed(stay.first, stay.last, stay.model, stay.serial, closing)


def _told(rows: Iterable[InfoRow]) -> tuple[Told, ...]:
    """Gather the labels by whose their values are, and of when."""
    found: dict[tuple[str, datetime | None], list[str]] = {}
    for row in rows:
        if row.source:
            minute = None if row.at is None else row.at.replace(second=0, microsecond=0)
            found.setdefault((row.source, minute), []).append(row.label)
    return tuple(Told(source, at, tuple(labels)) for (source, at), labels in found.items())


# -- the file ----------------------------------------------------------------------------------


def info_sheet(view: InfoView) -> Sheet:
    """Give the fields as a table, in the page's order."""
    titles = (
        gettext("Group"), gettext("Field"), gettext("Value"), gettext("Unit"), gettext("Source"),
        gettext("As of"), gettext("Otherwise"),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [group.title, row.label, _plain(row.value), row.unit or None, row.source or None,
         _plain(row.at), row.differs or None]
        for group in (*view.left, *view.right)
        for row in group.rows
    ]  # fmt: skip
    return Sheet(
        f"information-{view.head.id}",
        head_facts(view.head, gettext("General information")),
        [Column(title) for title in titles],
        rows,
    )


def _plain(value: Cell) -> Cell:
    """Take the zone off: cells are local."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
