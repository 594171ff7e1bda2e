"""«Уведомления» of the profile: what is sent by which way, and the quiet hours."""

from litestar import get, post
from litestar.response import Response

from hub.domain.notices import AT_FIRST, Channel, Source
from hub.errors import InputRefused
from hub.services.channels import USUAL_QUIET, Chosen
from hub.web.features.account.page import refused, show
from hub.web.features.account.views import ChannelsView, SourceGroup, SourceRow
from hub.web.kit import flash
from hub.web.kit.forms import Form
from hub.web.kit.i18n import N_, gettext
from hub.web.kit.requests import AnyRequest, Typed
from hub.web.kit.respond import redirect, wants_fragment
from hub.web.kit.services import services
from hub.web.kit.shell import Flash
from hub.web.kit.visitor import signed_in

GROUPS = {
    "supplier": (N_("From the supplier"), (Source.SUPPLIER, Source.READING, Source.APPEAL)),
    "meters": (N_("From the meters"), (Source.METER, Source.RULE)),
}
ROWS = {
    Source.SUPPLIER: (N_("Messages of the supplier"), N_("Debts, planned works, outages")),
    Source.READING: (N_("Readings"), N_("Accepted, or refused and why")),
    Source.APPEAL: (N_("Appeals"), N_("An answer or a new status")),
    Source.METER: (N_("Events of the meters"), N_("What the meter recorded by itself")),
    Source.RULE: (N_("My rules"), N_("What you asked to be watched")),
}
CHANNELS = {Channel.PORTAL: N_("Portal"), Channel.EMAIL: "E-mail", Channel.SMS: "SMS"}


@get("/account/notifications", sync_to_thread=True)
def channels_page(request: AnyRequest) -> Response[str]:
    found = services(request).channels.look(signed_in(request).user_id)
    begin, end = found.quiet or USUAL_QUIET
    values = {"quiet": "1" if found.quiet else "", "quiet_from": begin, "quiet_to": end}
    return _channels(request, found.chosen, Form(values))


@post("/account/notifications", sync_to_thread=True, status_code=200)
def choose_channels(request: AnyRequest, data: Typed) -> Response[str]:
    """Keep what is ticked; the button of a group turns all of it off, or on as at first.

    The part «matrix» comes as soon as a box is ticked: the quiet hours stay as they are kept.
    """
    channels, user_id = services(request).channels, signed_in(request).user_id
    wanted = {each for each in _every() if data.get(_name(*each))}
    group, _, turned = data.get("turn", "").partition(".")
    if group in GROUPS:
        wanted = {each for each in wanted if each[0] not in GROUPS[group][1]}
        if turned == "on":
            wanted |= {each for each in AT_FIRST if each[0] in GROUPS[group][1]}
    values = {name: data.get(name, "") for name in ("quiet", "quiet_from", "quiet_to")}
    quiet = (values["quiet_from"], values["quiet_to"]) if values["quiet"] else None
    at_once = data.get("part") == "matrix"
    before = channels.look(user_id)
    try:
        channels.choose(user_id, wanted, before.quiet if at_once else quiet)
    except InputRefused as error:
        return _channels(request, frozenset(wanted), refused(error, values))
    if at_once and wants_fragment(request):
        kept = channels.look(user_id).chosen
        return _channels(request, kept, Form(), _said(before.chosen ^ kept, kept))
    answer = redirect(request, "/account/notifications")
    flash.put(request, answer, Flash(gettext("Saved.")))
    return answer


def _every() -> list[tuple[Source, Channel]]:
    return [(source, channel) for source in Source for channel in Channel]


def _name(source: Source, channel: Channel) -> str:
    return f"{source.value}.{channel.value}"


def _said(changed: Chosen, kept: Chosen) -> str:
    """Say what has been saved: «Обращения, E-mail: включено»."""
    if len(changed) != 1:
        return gettext("Saved.")
    ((source, channel),) = changed
    facts = {"source": gettext(ROWS[source][0]), "channel": gettext(CHANNELS[channel])}
    if (source, channel) in kept:
        return gettext("Saved. %(source)s, %(channel)s: on.") % facts
    return gettext("Saved. %(source)s, %(channel)s: off.") % facts


def _channels(request: AnyRequest, chosen: Chosen, form: Form, saved: str = "") -> Response[str]:
    found = services(request).channels.look(signed_in(request).user_id)
    groups = tuple(
        SourceGroup(
            key,
            gettext(label),
            any((source, channel) in chosen for source in sources for channel in Channel),
            tuple(
                SourceRow(
                    gettext(ROWS[source][0]),
                    gettext(ROWS[source][1]),
                    tuple((_name(source, each), (source, each) in chosen) for each in Channel),
                )
                for source in sources
            ),
        )
        for key, (label, sources) in GROUPS.items()
    )
    sms = services(request).phones is not None
    view = ChannelsView(groups, found.email, found.phone, sms, form, saved)
    block = "matrix" if saved else "choices" if form.failed else "tab"
    return show(request, "account/channels.html", block, view, form.status)
