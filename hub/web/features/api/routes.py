"""The calls of ``/api/v1``: the same services as the pages, for whoever brings a token.

A call names its scope, and ``caller.with_token`` lets nobody pass without it.
"""

from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from litestar import Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from hub.domain.calendar import Level
from hub.errors import InputRefused, Missing
from hub.services.events import EventFilter, Events
from hub.services.points import PointCard
from hub.services.points import Points as PointService
from hub.services.profile import Profiles
from hub.services.registers import Registers
from hub.services.sentences import NO_TERMS
from hub.services.tokens import Scope
from hub.web.features.api.caller import caller, own_point, with_token
from hub.web.features.api.shapes import (
    TOTAL,
    Contracts,
    Journal,
    NewSubmission,
    Point,
    Points,
    Profile,
    Readings,
    Submission,
    Submissions,
    contract_of,
    event_of,
    period_of,
    point_of,
    slot_of,
    submission_of,
    submissions_of,
)
from hub.web.kit.i18n import N_
from hub.web.kit.problems import MEDIA_TYPE, Problem
from hub.web.kit.requests import AnyRequest
from hub.web.kit.services import services
from hub.web.kit.spans import EARLIEST, place_in, read_place

MOST_PERIOD_DAYS, MOST_SLOT_DAYS, MOST_EVENT_DAYS = 366, 100, 3653
EVENTS = 200  # an answer

From = Annotated[date | None, QueryParameter(name="from", description="First day; without: `to`")]
To = Annotated[date | None, QueryParameter(name="to", description="Last day; without: today")]
After = Annotated[str, QueryParameter(name="after", description="`next` of the answer before")]
By = Annotated[Level, QueryParameter(name="by", description="What a period is")]
Key = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern="^[!-~]+$",
        description="Of your choosing; with the same key again nothing is sent twice",
    ),
]


PROBLEMS = {
    400: "The body is no JSON",
    401: "No token, or one that is unknown, revoked or expired",
    403: "The token has not the scope",
    404: "There is no such thing, it is not yours, or the token is not for it",
    422: "A parameter or a field can't be taken; `errors` says which",
    429: "More than 120 calls in a minute",
}


def call(scope: Scope, summary: str) -> dict[str, Any]:
    """Describe a call: what its token has to allow, and what the schema says of it."""
    return {
        "scope": scope,
        "summary": summary,
        "security": [{"token": [scope.value]}],
        "responses": {
            status: ResponseSpec(
                Problem, generate_examples=False, description=text, media_type=MEDIA_TYPE
            )
            for status, text in PROBLEMS.items()
        },
        "sync_to_thread": True,
    }


@get("/contracts", **call(Scope.POINTS, N_("Your contracts")))
def contracts(request: AnyRequest) -> Contracts:
    who = caller(request)
    found = services(request).contracts.listed(who.user_id)
    only = who.contract_ids
    return Contracts([contract_of(each) for each in found if only is None or each.id in only])


@get(
    "/contracts/{contract_id:int}/points",
    **call(Scope.POINTS, N_("The metering points of a contract")),
)
def points(request: AnyRequest, contract_id: FromPath[int]) -> Points:
    who, made = caller(request), services(request)
    who.check(contract_id)
    if contract_id not in {each.id for each in made.contracts.listed(who.user_id)}:
        raise Missing
    found = PointService(made.store, made.pages.clock).of_contract(who.user_id, contract_id)
    return Points([point_of(each) for each in found])


@get(
    "/points/{point_id:int}",
    **call(Scope.POINTS, N_("A metering point")),
)
def point(request: AnyRequest, point_id: FromPath[int]) -> Point:
    return point_of(own_point(request, point_id))


@get(
    "/points/{point_id:int}/readings",
    **call(Scope.READINGS, N_("Registers and use, by day, week or month")),
)
def readings(
    request: AnyRequest, point_id: FromPath[int], since: From = None, to: To = None,
    by: By = Level.DAY,
) -> Readings:  # fmt: skip
    """At most 366 days; without days, today so far."""
    who, card = caller(request), _reporting(request, point_id)
    first, last = _days(request, card, since, to, MOST_PERIOD_DAYS)
    made = services(request)
    book = Registers(made.store, made.pages.clock)
    found = book.periods(who.user_id, card.id, first, last, by)
    periods = [period_of(each, found.tariffs) for each in found.periods]
    return Readings(card.id, found.time_zone, periods)


@get(
    "/points/{point_id:int}/profile",
    **call(Scope.PROFILE, N_("Half-hours with their marks of quality")),
)
def profile(
    request: AnyRequest, point_id: FromPath[int], since: From = None, to: To = None
) -> Profile:
    """At most 100 days; without days, today so far. A gap has its marks and null, never zero."""
    who, card = caller(request), _reporting(request, point_id)
    first, last = _days(request, card, since, to, MOST_SLOT_DAYS)
    made = services(request)
    found = Profiles(made.store, made.pages.clock).slots(who.user_id, card.id, first, last)
    slots = [slot_of(each) for each in found if not each.future]
    return Profile(card.id, card.time_zone, slots)


@get(
    "/points/{point_id:int}/journal",
    **call(Scope.JOURNAL, N_("Events of the meter, newest first")),
)
def journal(
    request: AnyRequest, point_id: FromPath[int], since: From = None, to: To = None,
    after: After = "",
) -> Journal:  # fmt: skip
    """At most ten years and 200 events an answer; without days, today so far."""
    who, card, made = caller(request), _reporting(request, point_id), services(request)
    first, last = _days(request, card, since, to, MOST_EVENT_DAYS)
    wish = EventFilter(first=first, last=last)
    found = Events(made.store).of_point(
        who.user_id, card.id, wish, limit=EVENTS, after=read_place(after)
    )
    terms = {meter: made.terms.get(driver, NO_TERMS) for meter, driver in found.drivers.items()}
    events = [event_of(each, terms.get(each.meter_id, NO_TERMS)) for each in found.events]
    return Journal(card.id, card.time_zone, events, place_in(*found.next) if found.next else None)


@get(
    "/points/{point_id:int}/submissions",
    **call(Scope.READINGS, N_("What you submitted, and when readings are taken")),
)
def submissions(request: AnyRequest, point_id: FromPath[int]) -> Submissions:
    card = own_point(request, point_id)
    form = services(request).submissions.form(caller(request).user_id, card.id)
    return submissions_of(form)


@post(
    "/points/{point_id:int}/submissions",
    **call(Scope.SUBMIT, N_("Submit readings")),
    status_code=202,
)
def submit(
    request: AnyRequest, point_id: FromPath[int], key: Key, data: JSONBody[NewSubmission]
) -> Submission:
    """Take readings in; they are delivered to the supplier, and its answer comes later.

    Readings far above the usual, or past the meter's last digit, are refused (422) until they
    are `confirmed`.
    """
    who, made = caller(request).user_id, services(request).submissions
    form = made.form(who, own_point(request, point_id).id)
    if not form.can_send:
        raise InputRefused({"values": "reading.not_taken"})
    names = {zone or TOTAL: zone for zone in form.zones}
    if not data.values.keys() <= names.keys():
        raise InputRefused({"values": "reading.other_register"})
    typed = {names[name]: value for name, value in data.values.items()}
    try:
        number = made.submit(
            who, form.point_id, f"api/{form.point_id}/{key}", typed, confirmed=data.confirmed
        )
    except InputRefused as error:
        raise InputRefused(
            {
                "values" if name == "window" else f"values.{name or TOTAL}": code
                for name, code in error.fields.items()
            }
        ) from error
    sent = made.form(who, form.point_id).sent
    return submission_of(next(each for each in sent if each.id == number))


# -- parts -------------------------------------------------------------------------------------


def _reporting(request: AnyRequest, point_id: int) -> PointCard:
    """Give a point whose meter the hub reads; Missing for any other."""
    card = own_point(request, point_id)
    if not card.smart:
        raise Missing
    return card


def _days(
    request: AnyRequest, card: PointCard, since: date | None, to: date | None, most: int
) -> tuple[date, date]:
    """Give the days that are asked for; InputRefused for what is no span of at most ``most``."""
    today = services(request).pages.clock().astimezone(ZoneInfo(card.time_zone)).date()
    last = to or max(today, since or today)
    first = since or last
    if not EARLIEST <= first <= last <= today + timedelta(days=most):
        raise InputRefused({"from": "span.turned"})
    if (last - first).days >= most:
        raise InputRefused({"from": "span.long"})
    return first, last


router = Router(
    "/api/v1",
    route_handlers=[
        contracts, points, point, readings, profile, journal, submissions, submit,
    ],
    guards=[with_token],
    opt={"exclude_from_csrf": True},
    response_headers={"Cache-Control": "no-store"},
    include_in_schema=True,
    tags=["v1"],
)  # fmt: skip
