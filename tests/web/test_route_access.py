"""Every route of the application and who may use it; a route without a line here fails."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from points_world import PASSWORD, make
from portal import Browser, deliver, links

from hub.app import create_app
from hub.domain.rules import RuleKind
from hub.services.accounts import Accounts
from hub.services.rules import Rules, TypedRule
from hub.services.tokens import Scope, TypedToken
from hub.store import tables
from hub.store import told as kept
from hub.store.unit import Store


@dataclass(frozen=True)
class May:
    """What nobody, the owner and a stranger (who is signed in) are answered.

    ``door``: nobody is led to the sign-in page. ``query``: what the address needs besides.
    """

    nobody: int
    owner: int
    stranger: int
    query: str = ""
    door: bool = False


ALL = May(200, 200, 200)
OWN = May(303, 200, 404, door=True)  # reached through its owner
MINE = May(303, 200, 200, door=True)  # of whoever is signed in, without an id
ENDLESS = May(303, 200, 200, door=True)  # a stream: only its door can be tried here
TOKEN = May(401, 401, 401)  # no session opens it, only a token
WRITES = May(403, 403, 403)  # without the token of a page, whoever asks

RULES: dict[tuple[str, str], May] = {
    ("GET", "/"): May(303, 303, 200, door=True),
    ("GET", "/account"): MINE,
    ("POST", "/account"): WRITES,
    ("POST", "/account/theme"): WRITES,
    ("POST", "/account/archive"): WRITES,
    ("GET", "/account/delete"): MINE,
    ("POST", "/account/delete"): WRITES,
    ("GET", "/account/security"): MINE,
    ("POST", "/account/phone"): WRITES,
    ("POST", "/account/phone/confirm"): WRITES,
    ("POST", "/account/factor/sms"): WRITES,
    ("POST", "/account/factor/send"): WRITES,
    ("GET", "/account/notifications"): MINE,
    ("POST", "/account/notifications"): WRITES,
    ("POST", "/account/email"): WRITES,
    ("GET", "/account/email/{token:str}"): May(303, 410, 410, door=True),
    ("POST", "/account/email/{token:str}"): WRITES,
    ("POST", "/account/factor"): WRITES,
    ("POST", "/account/factor/on"): WRITES,
    ("POST", "/account/factor/codes"): WRITES,
    ("POST", "/account/factor/off"): WRITES,
    ("POST", "/account/password"): WRITES,
    ("POST", "/account/sessions/end"): WRITES,
    ("GET", "/account/rules"): MINE,
    ("GET", "/account/rules/new"): May(303, 200, 303, door=True),  # there is nothing to choose
    ("POST", "/account/rules/new"): WRITES,
    ("GET", "/account/rules/{rule_id:int}"): OWN,
    ("POST", "/account/rules/{rule_id:int}"): WRITES,
    ("POST", "/account/rules/{rule_id:int}/switch"): WRITES,
    ("GET", "/account/rules/{rule_id:int}/remove"): OWN,
    ("POST", "/account/rules/{rule_id:int}/remove"): WRITES,
    ("GET", "/account/tokens"): MINE,
    ("GET", "/account/tokens/new"): MINE,
    ("POST", "/account/tokens/new"): WRITES,
    ("GET", "/account/tokens/{token_id:int}/revoke"): OWN,
    ("POST", "/account/tokens/{token_id:int}/revoke"): WRITES,
    ("GET", "/contracts/new"): MINE,
    ("POST", "/contracts/new"): WRITES,
    ("GET", "/contracts/{contract_id:int}"): OWN,
    ("GET", "/contracts/{contract_id:int}/edit"): OWN,
    ("POST", "/contracts/{contract_id:int}/edit"): WRITES,
    ("POST", "/contracts/{contract_id:int}/refresh"): WRITES,
    ("GET", "/contracts/{contract_id:int}/password"): OWN,
    ("POST", "/contracts/{contract_id:int}/password"): WRITES,
    ("GET", "/contracts/{contract_id:int}/unlink"): OWN,
    ("POST", "/contracts/{contract_id:int}/unlink"): WRITES,
    ("GET", "/contracts/{contract_id:int}/points"): OWN,
    ("GET", "/contracts/{contract_id:int}/notifications"): OWN,
    ("POST", "/contracts/{contract_id:int}/notifications/read"): WRITES,
    ("GET", "/notifications/{notice_id:int}"): OWN,
    ("GET", "/contracts/{contract_id:int}/appeals"): OWN,
    ("GET", "/contracts/{contract_id:int}/appeals/new"): OWN,
    ("POST", "/contracts/{contract_id:int}/appeals/new"): WRITES,
    ("GET", "/events"): ENDLESS,
    ("GET", "/signs"): MINE,
    ("GET", "/appeals/{appeal_id:int}"): OWN,
    ("POST", "/appeals/{appeal_id:int}/reply"): WRITES,
    ("POST", "/appeals/{appeal_id:int}/again"): WRITES,
    ("GET", "/appeals/files/{file_id:int}"): OWN,
    ("GET", "/points/{point_id:int}"): OWN,
    ("GET", "/points/{point_id:int}/readings"): OWN,
    ("GET", "/points/{point_id:int}/profile"): OWN,
    ("GET", "/points/{point_id:int}/journal"): OWN,
    ("GET", "/points/{point_id:int}/transformers"): OWN,
    **{
        ("GET", f"/points/{{point_id:int}}/{tab}.{form}"): OWN
        for tab in ("info", "readings", "profile", "journal", "transformers")
        for form in ("csv", "xlsx")
    },
    ("GET", "/points/{point_id:int}/live"): OWN,
    ("POST", "/points/{point_id:int}/live"): WRITES,
    ("GET", "/points/{point_id:int}/submit"): OWN,
    ("POST", "/points/{point_id:int}/submit"): WRITES,
    ("POST", "/points/{point_id:int}/submit/again"): WRITES,
    ("GET", "/points/{point_id:int}/profile.json"): May(
        303, 200, 404, "?from=2026-11-19&to=2026-11-19", door=True
    ),
    ("GET", "/login"): May(200, 303, 303),
    ("POST", "/login"): WRITES,
    ("GET", "/login/code"): May(303, 303, 303),
    ("POST", "/login/code"): WRITES,
    ("POST", "/login/code/send"): WRITES,
    ("POST", "/logout"): WRITES,
    ("GET", "/register"): ALL,
    ("POST", "/register"): WRITES,
    ("GET", "/register/sent"): May(303, 303, 303),
    ("POST", "/register/resend"): WRITES,
    ("GET", "/personal-data"): ALL,
    ("GET", "/recover"): ALL,
    ("POST", "/recover"): WRITES,
    ("GET", "/recover/sent"): May(303, 303, 303),
    ("GET", "/recover/{token:str}"): May(410, 410, 410),
    ("POST", "/recover/{token:str}"): WRITES,
    ("GET", "/register/confirm/{token:str}"): May(410, 410, 410),
    ("POST", "/register/confirm/{token:str}"): WRITES,
    ("GET", "/help"): ALL,
    ("GET", "/help/{slug:str}"): ALL,
    ("GET", "/manifest.webmanifest"): ALL,
    ("GET", "/worker.js"): ALL,
    ("GET", "/offline"): ALL,
    ("GET", "/language/{code:str}"): May(303, 303, 303),
    ("GET", "/static/{path:path}"): ALL,
    ("GET", "/health/live"): ALL,
    ("GET", "/health/ready"): ALL,
    ("GET", "/metrics"): May(404, 404, 404),  # the test's client is not this machine
    ("GET", "/schema"): ALL,
    ("GET", "/schema/openapi.json"): ALL,
    ("GET", "/schema/{path:str}"): May(404, 404, 404),  # Litestar's own pages; we have none of them
    # Programs; what a token opens is in test_api.py.
    ("GET", "/api/v1/contracts"): TOKEN,
    ("GET", "/api/v1/contracts/{contract_id:int}/points"): TOKEN,
    ("GET", "/api/v1/points/{point_id:int}"): TOKEN,
    ("GET", "/api/v1/points/{point_id:int}/readings"): TOKEN,
    ("GET", "/api/v1/points/{point_id:int}/profile"): TOKEN,
    ("GET", "/api/v1/points/{point_id:int}/journal"): TOKEN,
    ("GET", "/api/v1/points/{point_id:int}/submissions"): TOKEN,
    ("POST", "/api/v1/points/{point_id:int}/submissions"): TOKEN,
    # Letters of the demo; elsewhere there are none, which the next test sees.
    ("GET", "/demo/mail"): ALL,
    ("GET", "/demo/mail/{mail_id:int}"): ALL,
}
TYPED = re.compile(r"\{(\w+):\w+\}")
IDS = [
    path + rule.query
    for (method, path), rule in RULES.items()
    if method == "GET" and ":int}" in path and rule is not TOKEN
]


def routes(app) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS", "HEAD"}
    }


@pytest.fixture
def app(settings, store: Store, plugins):
    return create_app(settings, store, plugins)


def file_of(store: Store, appeal: int) -> int:
    """Put a file to an appeal."""
    row = tables.Attachment(
        appeal_id=appeal, name="Дом anna.pdf", media_type="application/pdf", size=9,
        content=b"%PDF-1.7\n", at=datetime(2026, 11, 24, tzinfo=UTC),
    )  # fmt: skip
    with store.write() as unit:
        return kept.add(unit, row).id or 0


def token_of(app, user: int) -> int:
    made = app.state.services.tokens
    made.make(user, TypedToken("Таблица", [Scope.POINTS], None, "90", PASSWORD))
    return made.listed(user)[0].id


@pytest.fixture
def world(app, store: Store):
    """The running portal with an owner, a stranger and a letter; values of each path's names."""
    owner = make(store, "anna@example.org")
    people = Accounts(store)
    people.add(email="boris@example.org", full_name="Ли Борис", password=PASSWORD)
    values = {
        "contract_id": str(owner.contract),
        "point_id": str(owner.point),
        "notice_id": str(owner.notice),
        "appeal_id": str(owner.appeal),
        "file_id": str(file_of(store, owner.appeal)),
        "mail_id": "1",
        "rule_id": str(
            Rules(store).add(owner.user, owner.point, RuleKind.POWER, TypedRule("5", often="day"))
        ),
        "token_id": str(token_of(app, owner.user)),
        "slug": "start",
        "token": "unknown",
        "code": "ru",
        "path": "favicon.svg",
    }
    with TestClient(app, raise_server_exceptions=False) as client:

        def someone(email: str = "") -> Browser:
            made = httpx.Client(base_url=client.base_url, transport=client._transport)
            browser = Browser(made)
            if email:
                assert browser.sign_in(email, PASSWORD).status_code == 303
            return browser

        guest = someone()
        guest.send("/register", email="new@example.org", full_name="Н", phone="+7 900 000-00-00",
                   password=PASSWORD, password_again=PASSWORD, consent="1")  # fmt: skip
        deliver(store)
        guest.client.cookies.clear()
        yield (
            {
                "nobody": guest,
                "owner": someone("anna@example.org"),
                "stranger": someone("boris@example.org"),
            },
            values,
        )


def test_every_route_has_its_rule_and_every_rule_its_route(app):
    assert routes(app) == set(RULES)


def test_every_route_answers_each_person_as_its_rule_says(world):
    people, values = world
    for (method, path), rule in RULES.items():
        address = TYPED.sub(lambda name: values[name[1]], path) + rule.query
        for who, browser in people.items():
            if rule is ENDLESS and who != "nobody":
                continue
            answer = browser.client.request(method, address, follow_redirects=False)
            expected = getattr(rule, who)
            assert answer.status_code == expected, (method, address, who, answer.text[:300])
            if rule.door and who == "nobody":
                assert answer.headers["location"].startswith("/login?next=/")
            if who != "nobody" and rule in {OWN, MINE}:
                assert answer.headers["cache-control"] == "no-store"
            if who != "owner" and rule is OWN:
                assert "Дом anna" not in answer.text


def test_a_write_without_an_owner_leads_to_the_door(world):
    """With a good token a write still is refused to nobody."""
    guest = world[0]["nobody"]
    page = guest.open("/login").text
    typed = guest.fill(page, "/login", {"supplier": "1", "name": "x", "login": "x"})
    answer = guest.client.post("/contracts/new", data=typed, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/contracts/new"


@pytest.mark.parametrize("path", IDS)
@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "9" * 40])
def test_ids_that_no_row_has_are_no_pages(world, path, number):
    people, _values = world
    answer = people["owner"].open(TYPED.sub(number, path))
    assert answer.status_code == 404, answer.text[:300]


def test_letters_exist_in_the_demo_only(settings, store, plugins, world):
    assert links(store)
    real = create_app(settings.model_copy(update={"demo": False}), store, plugins)
    with TestClient(real) as client:
        for path in ("/demo/mail", "/demo/mail/1"):
            assert client.get(path).status_code == 404


def test_no_websocket_is_opened(app):
    """There is no such route; whoever adds one adds a rule for it."""
    assert [route.path for route in app.routes if not isinstance(route, HTTPRoute)] == []
