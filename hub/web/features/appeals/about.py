"""The event or point that an appeal is about: its words go to the supplier with the consumer's."""

from collections.abc import Mapping, Sequence

from hub.errors import Missing
from hub.services.events import Events
from hub.services.points import Points
from hub.services.sentences import NO_TERMS, of_view, sentence, title
from hub.store.accounts import SignedIn
from hub.store.points import PointRow
from hub.web.features.appeals.views import AboutEvent
from hub.web.kit.i18n import gettext
from hub.web.kit.point_head import known_id
from hub.web.kit.requests import AnyRequest
from hub.web.kit.services import services

ABOUT = ("point", "event")  # fields that name it: ids
LONGEST_ID = 18


def attached(
    request: AnyRequest, who: SignedIn, contract_id: int, values: Mapping[str, str]
) -> AboutEvent | None:
    """Find the event that the form names; None without one, Missing for anybody else's."""
    if not values["event"]:
        return None
    point_id, event_id = (_id(values[name]) for name in ABOUT)
    made = services(request)
    card = Points(made.store).card(who.user_id, point_id)
    if card.contract_id != contract_id:
        raise Missing
    event, driver = Events(made.store).about(who.user_id, point_id, event_id)
    happening = of_view(event, made.terms.get(driver, NO_TERMS))
    said = sentence(happening)
    facts = {
        "event": said,
        "point": card.name,
        "number": card.number or "–",
        "serial": event.serial or card.serial or "–",
    }
    return AboutEvent(
        point=point_id,
        event=event_id,
        subject=f"{title(happening)}: {card.name}",
        said=said,
        where=card.name,
        text="\n".join(
            (
                gettext("Event of the meter: %(event)s.") % facts,
                gettext("Metering point: %(point)s, number %(number)s.") % facts,
                gettext("Meter No. %(serial)s.") % facts,
            )
        ),
    )


def of_point(points: Sequence[PointRow], chosen: str) -> str:
    """Say which point is chosen; '' for the contract as a whole, Missing for no point of it."""
    if not chosen:
        return ""
    for point in points:
        if str(point.id) == chosen:
            facts = {"point": point.name, "number": point.number or "–"}
            words = [gettext("Metering point: %(point)s, number %(number)s.") % facts]
            if point.meter_serial:
                words.append(gettext("Meter No. %(serial)s.") % {"serial": point.meter_serial})
            return "\n".join(words)
    raise Missing


def _id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID):
        raise Missing
    return known_id(int(text))
