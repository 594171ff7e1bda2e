"""Words of the form for readings, of what it would cost, and of what became of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.domain.money import MILLIONTHS, Price
from hub.domain.submitting import Doubt
from hub.services.submissions import Checked, SubmissionForm, SubmissionView
from hub.web.features.submissions.views import (
    FormPart,
    Preview,
    PreviewRow,
    SentPart,
    Step,
    SubmitView,
    ZoneField,
)
from hub.web.kit.error_words import FIELD_WORDS, WORDS
from hub.web.kit.formats import day, moment, money, month, number
from hub.web.kit.forms import Form
from hub.web.kit.i18n import N_, NBSP, gettext
from hub.web.kit.point_head import unit_words, zone_label, zone_names, zone_number
from hub.web.kit.sending import (
    refusal_words,
    sending_of,
    shown,
    values_words,
    wants,
    window_words,
)

LONGEST = 20  # of a meter whose digits are not known
TITLES = {
    "waiting": N_("Readings of %(month)s are kept"),
    "sent": N_("Readings of %(month)s are sent"),
    "accepted": N_("Readings of %(month)s are accepted"),
    "refused": N_("Readings of %(month)s are not accepted"),
    "uncertain": N_("Readings of %(month)s were being sent"),
}


def field_name(form: SubmissionForm) -> Callable[[int], str]:
    """Give what names the field of the n-th zone; several forms may be open on one page."""
    return lambda at: f"reading-{form.point_id}-{at}"


def submit_view(
    form: SubmissionForm,
    prices: Mapping[str, Price],
    checked: Checked,
    typed: Form,
    *,
    proof: str,
    again: bool,
    now: datetime,
) -> SubmitView:
    """Show the form, or what became of what was sent unless the form is wanted ``again``."""
    local_now = now.astimezone(ZoneInfo(form.time_zone))
    here = f"/points/{form.point_id}"
    current = form.current
    takes = form.can_send and form.is_open
    asked = takes and (again or current is None)
    wrong = typed.failed and form.can_send  # what was typed stays, also when the window closed
    return SubmitView(
        point_id=form.point_id,
        name=form.name,
        model=form.model,
        serial=form.serial,
        list_href=f"/contracts/{form.contract_id}/points",
        point_href=here,
        state=sending_of(form, now),
        window=window_words(form) if form.can_send else "",
        days=_days(form),
        now=local_now,
        form=form_part(form, prices, checked, typed, proof) if asked or wrong else None,
        sent=None if asked or wrong or current is None else sent_part(form, current, local_now),
    )


def _days(form: SubmissionForm) -> tuple[tuple[date, str], ...]:
    if form.window is None or not form.can_send:
        return ()
    first, last = form.window
    days = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    return tuple(
        (each, "today" if each == form.today else "past" if each < form.today else "next")
        for each in days
    )


# -- the form ----------------------------------------------------------------------------------


def form_part(
    form: SubmissionForm,
    prices: Mapping[str, Price],
    checked: Checked,
    typed: Form,
    proof: str,
) -> FormPart:
    """Word the fields, with what was typed; refused readings come back to be corrected."""
    name = field_name(form)
    names = zone_names(zone_number(zone) for zone in form.zones)
    days = {each.taken_on for each in form.before.values()}
    one_day = days.pop() if len(days) == 1 else None
    whole, decimals = form.face.whole_digits, form.face.decimal_digits
    longest = LONGEST if whole is None or decimals is None else whole + decimals + bool(decimals)
    fields = []
    for at, zone in enumerate(form.zones):
        before, price = form.before.get(zone), prices.get(zone)
        fields.append(
            ZoneField(
                name=name(at),
                label=zone_label(zone, names) if zone else gettext("Reading"),
                zone=zone_number(zone),
                price=price_words(price, form.unit) if price else "",
                before=shown(before.value, form.face) if before else None,
                before_on=before.taken_on if before and one_day is None else None,
                value=typed.value(name(at)),
                longest=longest,
                whole=decimals == 0,
                error=typed.error(name(at)),
            )
        )
    return FormPart(
        title=gettext("Readings of %(month)s") % {"month": month(form.today)},
        fields=tuple(fields),
        before_on=one_day,
        unit=unit_words(form.unit),
        preview=preview_of(form, checked, typed, proof),
        form=typed,
        key=typed.value("key"),
        cost_words=_cost_words(form, prices),
        ratio=form.ratio,
    )


def price_words(price: Price, unit: str) -> str:
    """Write a price of a unit with the decimals it has, two at least."""
    value = (Decimal(price.millionths) / MILLIONTHS).normalize()
    exponent = value.as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{number(value, decimals)}{NBSP}₽/{unit_words(unit)}"


def _cost_words(form: SubmissionForm, prices: Mapping[str, Price]) -> str:
    since = max((price.valid_from for price in prices.values()), default=None)
    if since is None:
        return gettext("The supplier told no prices, so there is no cost.")
    return gettext("The cost is a preview, by the prices from %(day)s on.") % {
        "day": day(since, form.today)
    }


def preview_of(form: SubmissionForm, checked: Checked, typed: Form, proof: str) -> Preview:
    """Word what the typed readings come to; what is not typed yet is no mistake."""
    name, unit = field_name(form), unit_words(form.unit)
    rows = []
    for at, zone in enumerate(form.zones):
        said = typed.value(name(at)).strip() and not typed.error(name(at))
        wrong = checked.wrong.get(zone) if said else None
        used, cost = checked.used.get(zone), checked.costs.get(zone)
        rows.append(
            PreviewRow(
                None if used is None else f"{shown(used, form.face)}{NBSP}{unit}",
                None if cost is None else money(cost),
                gettext(FIELD_WORDS[f"reading.{wrong.value}"][0]) if wrong else "",
                odd=zone in checked.doubts,
            )
        )
    whole = len(checked.used) == len(form.zones)
    total = sum(checked.used.values(), Decimal(0))
    return Preview(
        rows=rows,
        used=f"{shown(total, form.face)}{NBSP}{unit}" if whole else None,
        cost=None if checked.kopecks is None else money(checked.kopecks),
        asks=[_ask(form, checked, zone, doubt) for zone, doubt in checked.doubts.items()],
        proof=proof,
        confirmed=typed.value("confirmed") == proof,
    )


def _ask(form: SubmissionForm, checked: Checked, zone: str, doubt: Doubt) -> tuple[str, str]:
    """Ask about a value: what is odd about it, and what to do."""
    names = zone_names(zone_number(each) for each in form.zones)
    label = zone_label(zone, names) if zone else gettext("Reading")
    before, used = form.before[zone], shown(checked.used[zone], form.face)
    words = {
        "zone": label,
        "used": used,
        "unit": unit_words(form.unit),
        "before": shown(before.value, form.face),
        "now": shown(checked.values[zone], form.face),
    }
    if doubt is Doubt.ROLLED_OVER:
        return (
            gettext("%(zone)s: %(now)s is lower than %(before)s.") % words,
            gettext(
                "Did the meter go past its last digit and begin from zero? Then %(used)s %(unit)s "
                "were used. If so, confirm it."
            )
            % words,
        )
    days = max((form.today - before.taken_on).days, 1)
    usual = (before.usual_a_day or Decimal(0)) * days
    check = gettext("Compare the digits with the meter, up to the point. If all is right, confirm.")
    if usual > 0:
        times = checked.used[zone] / usual
        words |= {"times": number(times, 0), "usual": number(usual, 0 if usual >= 10 else 2)}  # noqa: PLR2004
        return (
            gettext("%(zone)s: %(times)s times the usual, %(used)s against %(usual)s %(unit)s.")
            % words,
            check,
        )
    return gettext("%(zone)s: %(used)s %(unit)s is very much.") % words, check


# -- what was sent -----------------------------------------------------------------------------


def sent_part(form: SubmissionForm, current: SubmissionView, now: datetime) -> SentPart:
    """Show the way of what was sent last: sent, checked, accepted or not."""
    values = {zone: Decimal(value) for zone, value in current.values.items()}
    again = form.can_send and form.is_open
    refused = current.state == "refused"
    return SentPart(
        title=gettext(TITLES[current.state]) % {"month": month(current.taken_on)},
        values=values_words(values, form.face),
        steps=_steps(current, now),
        live=current.state in {"waiting", "sent", "uncertain"},
        note=_note(form, current, now),
        again_id=current.id if current.state == "uncertain" else None,
        correct_href=f"/points/{form.point_id}/submit?again=1{_typed(form, current)}"
        if again and current.state in {"sent", "accepted", "refused"}
        else None,
        correct=gettext("Correct and send") if refused else gettext("Send other readings"),
        appeal_href=f"/contracts/{form.contract_id}/appeals/new" if refused else None,
    )


def _typed(form: SubmissionForm, current: SubmissionView) -> str:
    """Give refused readings back to the form, to be corrected."""
    if current.state != "refused":
        return ""
    name = field_name(form)
    return "".join(
        f"&{name(at)}={current.values[zone]}"
        for at, zone in enumerate(form.zones)
        if zone in current.values
    )


def _steps(current: SubmissionView, now: datetime) -> tuple[Step, ...]:
    sent_at = moment(current.created_at.astimezone(now.tzinfo), now)
    done_at = moment(current.changed_at.astimezone(now.tzinfo), now)
    sent, checks, accepted = gettext("Sent"), gettext("The supplier checks"), gettext("Accepted")
    match current.state:
        case "waiting":
            ways = ("now", "todo", "todo")
            sent = gettext("Waits to be sent")
        case "accepted":
            ways = ("done", "done", "done")
        case "refused":
            ways = ("done", "done", "bad")
            accepted = gettext("Not accepted")
        case _:
            ways = ("done", "now", "todo")
    labels: Sequence[tuple[str, str]] = (
        (sent, sent_at),
        (checks, gettext("a notification will come") if ways[1] == "now" else ""),
        (accepted, done_at if ways[2] in {"done", "bad"} else ""),
    )
    return tuple(
        Step(label, about, kind) for (label, about), kind in zip(labels, ways, strict=True)
    )


def _note(
    form: SubmissionForm, current: SubmissionView, now: datetime
) -> tuple[str, str, str, str] | None:
    if current.state == "waiting":
        at = moment(current.created_at.astimezone(now.tzinfo), now)
        title = gettext("They are on their way to the supplier")
        if current.error_code:
            title = gettext(WORDS.get(current.error_code, WORDS["supplier.down"])[0])
        text = gettext(
            "The readings were kept %(moment)s, and that day counts. We send them ourselves; there "
            "is no need to repeat it."
        )
        return (
            "warn" if current.error_code else "info",
            "cloud-off" if current.error_code else ("clock"),
            title,
            text % {"moment": at},
        )
    if current.state == "uncertain":
        title, text = WORDS["supplier.submission_uncertain"]
        return "warn", "circle-alert", gettext(title), gettext(text)
    if current.state == "refused":
        reason = current.reason or refusal_words(current.error_code)
        words = gettext("Reason: «%(reason)s».") % {"reason": reason.rstrip(".")}
        if wants(form) and form.window:
            words += " " + gettext("Check the meter and send them again by %(day)s.") % {
                "day": day(form.window[1], form.today)
            }
        return "bad", "circle-x", gettext("The supplier did not accept the readings"), words
    return None
