"""«Мои правила»: what a person wants to be told of their own points."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import groupby
from urllib.parse import urlencode

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Response

from hub.domain.rules import CHOOSES_OFTEN, Often, Rule, RuleKind
from hub.errors import InputRefused, Missing
from hub.services.rules import PointChoice, RuleView, TypedRule
from hub.web.features.account.page import refused, show
from hub.web.features.account.rule_views import (
    RemoveRuleView,
    RuleFormView,
    RuleGroup,
    RuleRow,
    RulesView,
)
from hub.web.kit import flash
from hub.web.kit.formats import exact, moment
from hub.web.kit.forms import Form
from hub.web.kit.i18n import N_, gettext, ngettext
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import redirect, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.visitor import signed_in

HERE = "/account/rules"
FORM_PAGE = "account/rule_form.html"
OK = 200
NAMES = {
    RuleKind.DAY_ENERGY: N_("Use in a day"),
    RuleKind.MONTH_ENERGY: N_("Use in a month"),
    RuleKind.POWER: N_("Power"),
    RuleKind.SILENCE: N_("No data"),
    RuleKind.VOLTAGE: N_("Voltage"),
}
SYMBOLS = {
    RuleKind.DAY_ENERGY: "chart-column",
    RuleKind.MONTH_ENERGY: "chart-column",
    RuleKind.POWER: "activity",
    RuleKind.SILENCE: "unplug",
    RuleKind.VOLTAGE: "zap",
}
# How often what has no choice of it is told.
ONCE = {
    RuleKind.DAY_ENERGY: N_("once a day"),
    RuleKind.MONTH_ENERGY: N_("once a month"),
    RuleKind.SILENCE: N_("once, until data come again"),
}
OFTEN = {
    Often.DAY: N_("at most once a day"),
    Often.EACH: N_("each time, once it has recovered in between"),
}
LIMITS = ("high", "low")
USUAL = {RuleKind.SILENCE: {"high": "24"}, RuleKind.VOLTAGE: {"low": "207", "high": "253"}}


@get(HERE, sync_to_thread=True)
def rules_page(request: AnyRequest) -> Response[str]:
    return show(request, "account/rules.html", "tab", _rules(request), OK)


@get(f"{HERE}/new", sync_to_thread=True)
def new_rule(request: AnyRequest) -> Response[str]:
    """Show the form of one kind; the address may name ``kind``, point and how often.

    What was typed for a kind stands there under its name, «power.high»: of the kind that is shown
    it fills the form, of the others it waits in it.
    """
    points = services(request).rules.points(signed_in(request).user_id)
    if not points:
        return redirect(request, HERE)
    asked = request.query_params
    view = _opened(points, _kind(asked.get("kind", "") or RuleKind.DAY_ENERGY.value), asked)
    return show(request, FORM_PAGE, "rule_form", view, OK)


@post(f"{HERE}/new", sync_to_thread=True, status_code=200)
def add_rule(request: AnyRequest, data: Typed) -> Response[str]:
    who, made = signed_in(request), services(request).rules
    points = made.points(who.user_id)
    kind = _kind(data.get("kind", ""))
    if data.get("to"):
        return _switched(request, points, kind, data)
    values = {name: data.get(name, "") for name in ("point", "high", "low", "often")}
    try:
        point_id = int(values["point"]) if values["point"].isdecimal() else 0
        made.add(who.user_id, point_id, kind, _typed(values))
    except InputRefused as error:
        if not points:
            raise Missing from error
        view = _new(points, kind, refused(error, values), _of_others(kind, data))
        return show(request, FORM_PAGE, "rule_form", view, view.form.status)
    return _done(request, gettext("The rule is set. It is looked at whenever data come."))


def _switched(
    request: AnyRequest, points: list[PointChoice], kind: RuleKind, data: Mapping[str, str]
) -> Response[str]:
    """Give the form of another kind; what was typed for this one comes back with it."""
    if not points:
        raise Missing
    to = _kind(data["to"])
    known = next((each for each in points if str(each.id) == data.get("point")), points[0])
    address = {"kind": to.value, "point": str(known.id), "often": data.get("often", "")}
    address |= dict(_of_others(kind, data))
    address |= {f"{kind}.{name}": data.get(name, "") for name in LIMITS}
    address = {name: text for name, text in address.items() if text}
    where = f"{HERE}/new?{urlencode(address)}"
    if not wants_fragment(request):
        return redirect(request, where)
    answer = show(request, FORM_PAGE, "rule_form", _opened(points, to, address), OK)
    answer.headers["HX-Push-Url"] = where
    return answer


def _opened(points: list[PointChoice], kind: RuleKind, asked: Mapping[str, str]) -> RuleFormView:
    point = _point(points, asked.get("point", ""))
    values = {"point": str(point.id), "often": Often.DAY.value, **USUAL.get(kind, {})}
    values |= {name: asked[f"{kind}.{name}"] for name in LIMITS if f"{kind}.{name}" in asked}
    values |= {name: asked[name] for name in ("often", *LIMITS) if asked.get(name)}
    return _new(points, kind, Form(values), _of_others(kind, asked))


def _of_others(kind: RuleKind, data: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Find what was typed for the other kinds."""
    names = [f"{each}.{name}" for each in RuleKind if each is not kind for name in LIMITS]
    return tuple((name, data[name]) for name in names if data.get(name))


@get(f"{HERE}/{{rule_id:int}}", sync_to_thread=True)
def rule_page(request: AnyRequest, rule_id: FromPath[int]) -> Response[str]:
    found = _one(request, rule_id)
    view = _edit(found, _own_form(found.rule))
    return show(request, FORM_PAGE, "rule_form", view, OK)


@post(f"{HERE}/{{rule_id:int}}", sync_to_thread=True, status_code=200)
def change_rule(request: AnyRequest, rule_id: FromPath[int], data: Typed) -> Response[str]:
    found = _one(request, rule_id)
    values = {name: data.get(name, "") for name in ("high", "low", "often")}
    try:
        services(request).rules.change(signed_in(request).user_id, found.id, _typed(values))
    except InputRefused as error:
        view = _edit(found, refused(error, values))
        return show(request, FORM_PAGE, "rule_form", view, view.form.status)
    return _done(request, gettext("The rule is changed."))


@post(f"{HERE}/{{rule_id:int}}/switch", sync_to_thread=True, status_code=200, page=HERE)
def switch_rule(request: AnyRequest, rule_id: FromPath[int], data: Typed) -> Response[str]:
    """Turn a rule on or off; without a script the list comes again."""
    found, enabled = _one(request, rule_id), data.get("enabled") == "1"
    services(request).rules.switch(signed_in(request).user_id, found.id, enabled=enabled)
    words = gettext("The rule is on again.") if enabled else gettext("The rule is off.")
    return _done(request, words)


@get(f"{HERE}/{{rule_id:int}}/remove", sync_to_thread=True)
def remove_page(request: AnyRequest, rule_id: FromPath[int]) -> Response[str]:
    """Ask before it goes."""
    found = _one(request, rule_id)
    view = RemoveRuleView(found.id, rule_words(found.rule), found.point)
    return show(request, "account/rule_remove.html", None, view, OK)


@post(f"{HERE}/{{rule_id:int}}/remove", sync_to_thread=True, status_code=200)
def remove_rule(request: AnyRequest, rule_id: FromPath[int]) -> Response[str]:
    services(request).rules.remove(signed_in(request).user_id, known_id(rule_id))
    return _done(request, gettext("The rule is removed."))


HANDLERS = (
    rules_page, new_rule, add_rule, rule_page, change_rule, switch_rule, remove_page, remove_rule
)  # fmt: skip


# -- words -------------------------------------------------------------------------------------


def rule_words(rule: Rule) -> str:
    """Say what a rule looks at: 'Power above 5 kW'."""
    high = exact(rule.high)
    if rule.kind is RuleKind.DAY_ENERGY:
        return gettext("More than %(limit)s kWh a day") % {"limit": high}
    if rule.kind is RuleKind.MONTH_ENERGY:
        return gettext("More than %(limit)s kWh a month") % {"limit": high}
    if rule.kind is RuleKind.POWER:
        return gettext("Power above %(limit)s kW") % {"limit": high}
    if rule.kind is RuleKind.SILENCE:
        hours = int(rule.high)
        words = ngettext(
            "No data for more than %(n)s hour", "No data for more than %(n)s hours", hours
        )
        return words % {"n": hours}
    low = exact(rule.low)
    return gettext("Voltage outside %(low)s–%(high)s V") % {"low": low, "high": high}


def _often_words(rule: Rule) -> str:
    return gettext(ONCE.get(rule.kind) or OFTEN[rule.often])


# -- parts -------------------------------------------------------------------------------------


def _rules(request: AnyRequest) -> RulesView:
    made = services(request).rules
    user_id = signed_in(request).user_id
    found = made.listed(user_id)
    now = datetime.now(UTC)
    groups = [
        RuleGroup(*key, tuple(_row(each, now) for each in rows))
        for key, rows in groupby(found, key=lambda each: (each.point_id, each.point, each.contract))
    ]
    return RulesView(tuple(groups), bool(groups) or bool(made.points(user_id)))


def _row(found: RuleView, now: datetime) -> RuleRow:
    fired = gettext("Has not fired yet")
    if found.fired_at is not None:
        at = moment(found.fired_at, now.astimezone(found.fired_at.tzinfo))
        fired = gettext("Fired last %(moment)s") % {"moment": at}
    return RuleRow(
        id=found.id,
        words=rule_words(found.rule),
        often=_often_words(found.rule),
        fired=fired,
        symbol=SYMBOLS[found.rule.kind],
        enabled=found.enabled,
    )


def _one(request: AnyRequest, rule_id: int) -> RuleView:
    return services(request).rules.one(signed_in(request).user_id, known_id(rule_id))


def _kind(text: str) -> RuleKind:
    if text not in set(RuleKind):
        raise Missing
    return RuleKind(text)


def _point(points: list[PointChoice], text: str) -> PointChoice:
    """Find the point that the address names; without any, the first."""
    if not text:
        return points[0]
    found = next((each for each in points if str(each.id) == text), None)
    if found is None:
        raise Missing
    return found


def _typed(values: dict[str, str]) -> TypedRule:
    return TypedRule(values["high"], values["low"], values["often"] or Often.DAY.value)


def _own_form(rule: Rule) -> Form:
    values = {"high": exact(rule.high), "often": rule.often.value}
    if rule.low is not None:
        values["low"] = exact(rule.low)
    return Form(values)


def _new(
    points: list[PointChoice],
    kind: RuleKind,
    form: Form,
    others: tuple[tuple[str, str], ...],
) -> RuleFormView:
    kinds = tuple((each.value, gettext(NAMES[each])) for each in RuleKind)
    several = len({each.contract for each in points}) > 1
    labels = tuple(
        (str(each.id), f"{each.name} ({each.contract})" if several else each.name)
        for each in points
    )
    return RuleFormView(
        f"{HERE}/new", kind.value, kinds, labels, form,
        chooses=kind in CHOOSES_OFTEN, others=others,
    )  # fmt: skip


def _edit(found: RuleView, form: Form) -> RuleFormView:
    kind = found.rule.kind
    return RuleFormView(
        f"{HERE}/{found.id}", kind.value, (), (), form, gettext(NAMES[kind]), found.point,
        chooses=kind in CHOOSES_OFTEN,
    )  # fmt: skip


def _done(request: AnyRequest, words: str) -> Response[str]:
    answer = redirect(request, HERE)
    flash.put(request, answer, Flash(words))
    return answer
