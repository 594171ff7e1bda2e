"""«Трансформаторы тока и напряжения»: parameters by phase, dated sets, coefficients."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from hub.domain.meters import PHASE_LETTERS
from hub.plugins.api import TransformerCard, TransformerFact
from hub.services.pages import TransformersPage
from hub.services.transformers import CURRENT, PHASES, VOLTAGE, TransformerSet
from hub.web.features.transformers.views import (
    Due,
    FactRow,
    KindTable,
    PhaseCell,
    SetView,
    TransformersView,
)
from hub.web.kit.downloads import Cell, Column, Sheet, download, files, head_facts
from hub.web.kit.formats import day_num
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.point_head import DUE_DAYS, head_of, known_id, told_day
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.services import services
from hub.web.kit.visitor import frame, signed_in

LABELS = {
    TransformerFact.MODEL: N_("Type and modification"),
    TransformerFact.SERIAL: N_("Serial number"),
    TransformerFact.REGISTRY_NUMBER: N_("Registration number"),
    TransformerFact.PLACE: N_("Place of installation"),
    TransformerFact.COMMISSIONED_ON: N_("Commissioning date"),
    TransformerFact.VERIFIED_ON: N_("Date of last verification"),
    TransformerFact.NEXT_VERIFICATION_ON: N_("Date of next verification"),
    TransformerFact.NOMINAL_VOLTAGE: N_("Nominal voltage"),
    TransformerFact.FREQUENCY: N_("Nominal frequency"),
    TransformerFact.PRIMARY_CURRENT: N_("Nominal primary current"),
    TransformerFact.SECONDARY_CURRENT: N_("Nominal secondary current"),
    TransformerFact.ACCURACY_CLASS: N_("Accuracy class for measurements"),
    TransformerFact.COMMENT: N_("Comment"),
}
DAYS = {
    TransformerFact.COMMISSIONED_ON,
    TransformerFact.VERIFIED_ON,
    TransformerFact.NEXT_VERIFICATION_ON,
}
TITLES = {CURRENT: N_("Current transformers"), VOLTAGE: N_("Voltage transformers")}


@get("/points/{point_id:int}/transformers", sync_to_thread=True)
def transformers(request: AnyRequest, point_id: FromPath[int]) -> Response[str]:
    """Show the set in force, its coefficients, and the earlier sets."""
    made = services(request)
    found = made.pages.transformers(signed_in(request), known_id(point_id))
    return respond(
        request,
        "transformers/sets.html",
        fragment="tab",
        context={"view": transformers_view(found, made.pages.clock())},
        shell=lambda: frame(request, found.shell, "points"),
    )


def transformers_file(request: AnyRequest, point_id: FromPath[int]) -> Response[Any]:
    """Give the same tables as a file."""
    made = services(request)
    found = made.pages.transformers(signed_in(request), known_id(point_id))
    return download(request, transformers_sheet(transformers_view(found, made.pages.clock())))


def transformers_view(found: TransformersPage, now: datetime) -> TransformersView:
    """Word the sets; verification is due only in the one that is in force."""
    head = head_of(found.card, now, "transformers")
    told = found.transformers
    current = next((each for each in told.sets if each.in_force), None)
    return TransformersView(
        head=head,
        sets=[_set(each, head.today) for each in told.sets],
        ratio=None if current is None else _ratio(current),
        current_ratio=told.current_ratio,
        voltage_ratio=told.voltage_ratio,
        since=told.since,
        due=() if current is None else _due(current, head.today),
    )


def _set(each: TransformerSet, today: date) -> SetView:
    return SetView(
        period=_period(each),
        in_force=each.in_force,
        tables=(_table(each, CURRENT, today), _table(each, VOLTAGE, today)),
    )


def _period(each: TransformerSet) -> str:
    days = {"first": day_num(each.from_on), "last": day_num(each.to_on)}
    if each.from_on is None:
        return gettext("until %(last)s") % days if each.to_on else ""
    if each.to_on is None:
        return gettext("from %(first)s") % days
    return gettext("from %(first)s to %(last)s") % days


def _table(each: TransformerSet, kind: str, today: date) -> KindTable:
    cards = each.current if kind == CURRENT else each.voltage
    rows = tuple(
        FactRow(
            fact.value,
            gettext(label),
            tuple(_cell(card, fact, today, warns=each.in_force) for card in cards),
        )
        for fact, label in LABELS.items()
        if cards
    )
    return KindTable(kind, gettext(TITLES[kind]), rows)


def _cell(
    card: TransformerCard | None, fact: TransformerFact, today: date, *, warns: bool
) -> PhaseCell:
    text = "" if card is None else card.facts.get(fact, "").strip()
    value: str | date | None = text or None
    if fact in DAYS and text:
        value = told_day(text) or text
    if not (warns and fact is TransformerFact.NEXT_VERIFICATION_ON and isinstance(value, date)):
        return PhaseCell(value)
    left = (value - today).days
    return PhaseCell(value, "bad" if left < 0 else "warn" if left <= DUE_DAYS else "")


def _due(each: TransformerSet, today: date) -> tuple[Due, ...]:
    found = []
    for cards in (each.current, each.voltage):
        for card in cards:
            text = "" if card is None else card.facts.get(TransformerFact.NEXT_VERIFICATION_ON, "")
            by = told_day(text)
            if card is not None and by is not None and (by - today).days <= DUE_DAYS:
                found.append(Due(card.kind, PHASE_LETTERS[card.phase - 1], by, (by - today).days))
    return tuple(sorted(found, key=lambda due: due.day))


def _ratio(each: TransformerSet) -> str | None:
    """Write the currents as on the plate, «200/5», if all phases have the same."""
    told = {
        (
            _amount(card.facts.get(TransformerFact.PRIMARY_CURRENT, "")),
            _amount(card.facts.get(TransformerFact.SECONDARY_CURRENT, "")),
        )
        for card in each.current
        if card is not None
    }
    if len(told) != 1:
        return None
    primary, secondary = next(iter(told))
    return f"{primary}/{secondary}" if primary and secondary else None


def _amount(text: str) -> str:
    """Take the unit off: ampere stands beside the ratio."""
    return text.strip().removesuffix("А").removesuffix("A").strip()


# -- the file ----------------------------------------------------------------------------------


def transformers_sheet(view: TransformersView) -> Sheet:
    """Give all sets as one table: the set and the kind stand in each row."""
    facts = [
        *head_facts(view.head, gettext("Current and voltage transformers")),
        (gettext("Current transformation ratio"), view.current_ratio),
        (gettext("Voltage transformation ratio"), view.voltage_ratio),
    ]
    phases = [
        Column(f"{gettext('Phase %(n)s') % {'n': phase}} ({PHASE_LETTERS[phase - 1]})")
        for phase in PHASES
    ]
    heads = [gettext("Set"), gettext("Kind"), gettext("Parameter")]
    return Sheet(
        name=f"transformers-{view.head.id}",
        facts=facts,
        columns=[*map(Column, heads), *phases],
        rows=_rows(view),
    )


def _rows(view: TransformersView) -> Iterator[list[Cell]]:
    for each in view.sets:
        for table in each.tables:
            for row in table.rows:
                values: list[Cell] = [cell.value for cell in row.cells]
                yield [each.period, table.title, row.label, *values]


router = Router(
    "/",
    route_handlers=[transformers, *files("/points/{point_id:int}/transformers", transformers_file)],
)
