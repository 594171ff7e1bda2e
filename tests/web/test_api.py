"""``/api/v1``: what a token opens and what it does not, call by call; and the page of tokens."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from points_world import HALF, PASSWORD, count_at, make, told
from portal import PART, Browser, deliver, words

from hub.app import create_app
from hub.domain.clock import MeterTime
from hub.domain.journal import JournalEntry, JournalPage
from hub.domain.pages import Cursor
from hub.services import events
from hub.services.mail import kept_mails
from hub.services.tokens import PACE, Scope, TypedToken
from hub.store import tables

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 21, tzinfo=UTC)  # in Moscow
HOLE = MIDNIGHT + 3 * HALF
JSON = "application/problem+json"
GUIDE = (Path(__file__).resolve().parents[2] / "docs/guide/api.md").read_text("utf-8")


@pytest.fixture
def app(settings, store, plugins):
    made = create_app(settings, store, plugins)
    services = made.state.services
    services.tokens.clock = services.submissions.clock = services.pages.clock = lambda: NOW
    return made


@pytest.fixture
def client(app):
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def anna(store):
    made = make(store, "anna@example.org")
    told(store, made, MIDNIGHT, MIDNIGHT + 10 * HALF, without={HOLE})
    began = MeterTime(datetime(2026, 11, 24, 2), None)
    entry = JournalEntry("01", "power_lost", began, MeterTime(datetime(2026, 11, 24, 3), None))
    page = JournalPage(entries=(entry,), next=Cursor("toy/1", "1"), more=False)
    events.store_journal_page(store, made.meter, "01", page, lease=made.lease)
    with store.write() as unit:
        unit.cursor().execute("UPDATE contract SET does = ?", ('["submit"]',))
    return made


@pytest.fixture
def boris(store):
    return make(store, "boris@example.org")


def token(app, made, scopes=tuple(Scope), contracts=None) -> dict[str, str]:
    """Headers with a new token."""
    tokens = app.state.services.tokens
    secret = tokens.make(made.user, TypedToken("Таблица", scopes, contracts, "90", PASSWORD))
    return {"authorization": f"Bearer {secret}"}


def problem(answer: httpx.Response, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    found = answer.json()
    assert (found["status"], found["code"]) == (status, code)
    assert found["title"]
    assert found["detail"]
    return found


# -- who may call --------------------------------------------------------------------------------


def calls(app, made) -> list[tuple[str, str, Scope]]:
    """Every call of the route table, about what ``made`` owns."""
    values = {"contract_id": made.contract, "point_id": made.point}
    found = []
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/"):
            path = re.sub(r"\{(\w+):int\}", lambda name: str(values[name[1]]), route.path)
            if path.endswith("submissions"):  # of what people read
                path = path.replace(f"/{made.point}/", f"/{made.point + 1}/")
            found += [
                (method, path, route.route_handler_map[method][0].opt["scope"])
                for method in route.methods - {"OPTIONS", "HEAD"}
            ]
    assert len(found) == 8
    return found


def call(client, method: str, path: str, headers=None) -> httpx.Response:
    more = {"json": {"values": {"total": "8.5"}}} if method == "POST" else {}
    keyed = {"Idempotency-Key": "november", **(headers or {})}
    return client.request(method, path, headers=keyed, **more)


def test_each_call_takes_its_scope_and_no_other(app, client, anna):
    for method, path, scope in calls(app, anna):
        answer = call(client, method, path, token(app, anna, [scope]))
        assert answer.status_code in {200, 202}, (path, answer.text)
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        narrow = call(client, method, path, token(app, anna, set(Scope) - {scope}))
        problem(narrow, 403, "token.too_narrow")
        assert f'scope="{scope.value}"' in narrow.headers["www-authenticate"]


def test_without_a_token_that_works_nothing_is_answered(app, client, anna):
    tokens = app.state.services.tokens
    revoked = token(app, anna)
    tokens.revoke(anna.user, tokens.listed(anna.user)[0].id)
    tokens.clock = lambda: NOW - timedelta(days=91)
    expired = token(app, anna)
    tokens.clock = lambda: NOW
    secret = token(app, anna)["authorization"].removeprefix("Bearer ")
    bad = [
        None, revoked, expired, {"authorization": f"Bearer {secret[:-1]}"},
        {"authorization": f"Bearer {secret}x"}, {"authorization": f"Basic {secret}"},
        {"authorization": secret}, {"authorization": "Bearer "}, {"x-token": secret},
    ]  # fmt: skip
    for method, path, _scope in calls(app, anna):
        for headers in bad:
            refused = call(client, method, path, headers)
            problem(refused, 401, "token.refused")
            assert refused.headers["www-authenticate"].startswith("Bearer")
        assert call(client, method, f"{path}?token={secret}").status_code == 401


def test_a_session_opens_nothing(app, client, anna):
    browser = Browser(client)
    assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303
    for method, path, _scope in calls(app, anna):
        problem(call(client, method, path), 401, "token.refused")


def test_what_is_not_the_tokens_is_not_there(app, client, anna, boris, store):
    mine, other = token(app, anna), token(app, boris)
    with store.write() as unit:
        second = tables.Contract(
            user_id=anna.user, supplier_id=1, remote_id="2", name="Дача", number="77", linked_at=NOW
        )
        unit.session.add(second)
        unit.session.flush()
        chosen = second.id
    tied = token(app, anna, contracts={chosen})
    for method, path, _scope in calls(app, anna):
        if path != "/api/v1/contracts":
            assert call(client, method, path, mine).status_code in {200, 202}
            problem(call(client, method, path, other), 404, "store.missing")
            problem(call(client, method, path, tied), 404, "store.missing")
            for number in ("0", str(2**63), "9" * 40):
                nobodys = re.sub(r"\d+(?=/|$)", number, path.removeprefix("/api/v1"))
                problem(call(client, method, f"/api/v1{nobodys}", mine), 404, "store.missing")
    names = {
        who: [
            each["name"]
            for each in client.get("/api/v1/contracts", headers=headers).json()["contracts"]
        ]
        for who, headers in {"mine": mine, "tied": tied, "other": other}.items()
    }
    assert names == {
        "mine": ["Дом anna@example.org", "Дача"], "tied": ["Дача"],
        "other": ["Дом boris@example.org"],
    }  # fmt: skip


def test_a_busy_program_is_told_when_to_come_again(app, client, anna):
    headers = token(app, anna)
    for _ in range(PACE.most):
        assert client.get("/api/v1/contracts", headers=headers).status_code == 200
    refused = client.get("/api/v1/contracts", headers=headers)
    problem(refused, 429, "account.too_many_attempts")
    assert refused.headers["retry-after"] == "60"


def test_addresses_and_methods_that_are_not_there_are_problems_too(app, client, anna):
    headers = token(app, anna)
    for method, path, status in (("GET", "/api/v2", 404), ("POST", "/api/v1/contracts", 405)):
        answer = client.request(method, path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, JSON)
        assert answer.json()["title"]


# -- what is answered ----------------------------------------------------------------------------


@pytest.fixture
def ask(app, client, anna):
    """Ask about anna's point."""
    headers = token(app, anna)
    return lambda what, **more: client.get(
        f"/api/v1/points/{anna.point}{what}", headers=headers, params=more
    )


def test_half_hours_are_exact_and_a_gap_is_a_gap(ask):
    found = ask("/profile", **{"from": "2026-11-24", "to": "2026-11-24"}).json()
    slots = found["slots"]
    assert len(slots) == 31  # those that have ended at 15:30
    assert slots[0]["start"] == "2026-11-24T00:00:00+03:00"
    assert slots[0]["active_import_kwh"] == f"{count_at(MIDNIGHT) / 2000:f}".rstrip("0")
    assert slots[0]["marks"] == []
    assert slots[3]["marks"] == ["missing"]
    assert {slots[3][name] for name in slots[3] if name.endswith(("kwh", "kvarh"))} == {None}
    assert [each["marks"] for each in slots[10:]] == [["missing"]] * 21
    assert {each["active_export_kwh"] for each in slots} == {None}


def test_without_days_today_is_answered(ask):
    assert ask("/profile").json() == ask("/profile", **{"from": "2026-11-24"}).json()
    (period,) = ask("/readings").json()["periods"]
    assert (period["first"], period["last"], period["running"]) == ("2026-11-24",) * 2 + (True,)
    total = period["registers"][-1]
    assert (total["register"], total["used_kwh"] is not None) == ("total", True)
    assert (period["by_half_hours"], period["half_hours"], period["half_hours_due"]) == (
        True,
        9,
        31,
    )
    months = ask("/readings", by="month", **{"from": "2026-10-01", "to": "2026-11-30"}).json()
    assert [each["first"] for each in months["periods"]] == ["2026-10-01", "2026-11-01"]


def test_events_are_named_and_worded(ask, client):
    found = ask("/journal").json()
    (event,) = found["events"]
    assert (event["kind"], event["began"], event["ended"]) == (
        "power_lost", "2026-11-24T02:00:00+03:00", "2026-11-24T03:00:00+03:00"
    )  # fmt: skip
    assert found["next"] is None
    assert re.search("[А-я]{4}", event["text"])
    client.headers["accept-language"] = "en"
    assert re.search("[a-z]{4}", ask("/journal").json()["events"][0]["text"])
    assert ask("/journal", to="2026-11-01").json()["events"] == []


REFUSED = (
    ("/profile", {"from": "yesterday"}, "from"),
    ("/profile", {"from": "2026-11-25", "to": "2026-11-24"}, "from"),
    ("/profile", {"from": "2026-08-01", "to": "2026-11-24"}, "from"),
    ("/profile", {"from": "1900-01-01", "to": "1900-01-02"}, "from"),
    ("/readings", {"from": "2025-11-01", "to": "2026-11-24"}, "from"),
    ("/readings", {"by": "year"}, "by"),
    ("/journal", {"to": "9999-12-31"}, "from"),
    ("/journal", {"after": "x"}, ""),
)


def test_what_can_not_be_asked_is_named(ask):
    for what, params, field in REFUSED:
        found = problem(ask(what, **params), 422, "account.input_refused")
        assert [each["field"] for each in found["errors"]] == [field], (what, params)
        assert found["errors"][0]["detail"]


def test_a_point_that_people_read_has_no_half_hours(app, client, anna):
    headers = token(app, anna)
    for what in ("profile", "readings", "journal"):
        answer = client.get(f"/api/v1/points/{anna.point + 1}/{what}", headers=headers)
        problem(answer, 404, "store.missing")
    found = client.get(f"/api/v1/contracts/{anna.contract}/points", headers=headers).json()
    assert [each["reports"] for each in found["points"]] == [True, False]


# -- what is sent --------------------------------------------------------------------------------


@pytest.fixture
def send(app, client, anna):
    """Submit readings of anna's water meter, or of another point."""
    headers = token(app, anna)

    def post(body, key: str | None = "november", point: int = anna.point + 1):
        keyed = {} if key is None else {"Idempotency-Key": key}
        path = f"/api/v1/points/{point}/submissions"
        return client.post(path, headers={**headers, **keyed}, **body)

    return post


def test_readings_are_taken_once(send, app, client, anna):
    first = send({"json": {"values": {"total": "8.5"}}})
    assert first.status_code == 202
    assert (first.json()["state"], first.json()["values"]) == ("waiting", {"total": "8.5"})
    assert send({"json": {"values": {"total": "9"}}}).json() == first.json()
    found = client.get(
        f"/api/v1/points/{anna.point + 1}/submissions", headers=token(app, anna)
    ).json()
    assert found["submissions"] == [first.json()]
    assert (found["registers"], found["takes"], found["open"]) == (["total"], True, True)
    lower = problem(
        send({"json": {"values": {"total": "7"}}}, "again"), 422, "account.input_refused"
    )
    assert [(each["field"], each["code"]) for each in lower["errors"]] == [
        ("values.total", "reading.lower")
    ]


NOT_SENT = (
    ({"values": {"total": "many"}}, "values.total"),
    ({"values": {}}, "values.total"),
    ({"values": {"total": "8", "T7": "1"}}, "values"),
    ({"values": {"total": 8}}, "values"),
    ({}, ""),
)


def test_what_can_not_be_sent_is_named(send):
    for body, field in NOT_SENT:
        found = problem(send({"json": body}), 422, "account.input_refused")
        assert found["errors"][0]["field"].startswith(field), body


def test_a_key_is_needed_and_json(send, anna):
    good = {"json": {"values": {"total": "8"}}}
    assert problem(send(good, None), 422, "account.input_refused")
    assert problem(send(good, "x" * 65), 422, "account.input_refused")
    for body in ({"content": b"{"}, {"data": {"values": "8"}}):
        answer = send(body)
        assert (answer.status_code, answer.headers["content-type"]) in {(400, JSON), (422, JSON)}
    smart = problem(send(good, point=anna.point), 422, "account.input_refused")
    assert smart["errors"][0]["code"] == "reading.not_taken"


# -- the schema ----------------------------------------------------------------------------------


def test_the_schema_has_every_call_and_no_page(app, client, anna):
    found = client.get("/schema/openapi.json").json()
    listed = {(method.upper(), path) for path, each in found["paths"].items() for method in each}
    table = {
        (method, re.sub(r":int\}", "}", route.path))
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/")
        for method in route.methods - {"OPTIONS", "HEAD"}
    }
    assert listed == table
    profile = found["paths"]["/api/v1/points/{point_id}/profile"]["get"]
    assert profile["security"] == [{"token": ["read:profile"]}]
    assert {"from", "to"} <= {each["name"] for each in profile["parameters"]}
    assert found["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    page = client.get("/schema").text
    assert "Точки учета договора" in words(page)
    assert "read:profile" in page


# -- the page ------------------------------------------------------------------------------------


@pytest.fixture
def own(client, anna) -> Browser:
    browser = Browser(client)
    assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303
    return browser


NEW = "/account/tokens/new"


def test_a_token_is_made_shown_once_used_and_revoked(own, client, anna, store):
    assert "Токенов пока нет" in words(own.open("/account/tokens").text)
    made = own.send(NEW, name="Умный дом", scope_read_profile="1", proof=PASSWORD)
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    (secret,) = re.findall(r"hub_[\w-]{43}", made.text)
    page = own.open("/account/tokens").text
    assert secret not in page
    assert secret[:10] in page
    said = words(page)
    for shown in ("Умный дом", "Профиль мощности", "все договоры", "еще не использован"):
        assert shown in said
    deliver(store)
    (letter,) = [each for each in kept_mails(store) if "токен" in each.subject]
    assert letter.link.endswith("/account/tokens")
    assert secret not in letter.text
    headers = {"authorization": f"Bearer {secret}"}
    path = f"/api/v1/points/{anna.point}/profile"
    assert client.get(path, headers=headers).status_code == 200
    assert "последний раз использован" in words(own.open("/account/tokens").text)
    (revoke,) = re.findall(r'href="(/account/tokens/\d+/revoke)"', page)
    done = own.send(revoke)
    assert (done.status_code, done.headers["location"]) == (303, "/account/tokens")
    assert client.get(path, headers=headers).status_code == 401


@pytest.mark.parametrize("headers", [{}, PART])
def test_a_refused_form_keeps_what_was_typed_but_the_password(own, anna, headers):
    told = own.send(
        NEW, headers=headers, name="Умный дом", scope_submit_readings="1", which="chosen",
        days="365", proof=PASSWORD,
    )  # fmt: skip
    assert told.status_code == 422
    assert "Договоры: договор не выбран" in words(told.text)
    assert 'value="Умный дом"' in told.text
    assert re.search(r'name="scope_submit_readings" value="1" checked', told.text)
    assert re.search(r'value="365" selected', told.text)
    assert PASSWORD not in told.text
    tied = own.send(
        NEW, name="Дом", which="chosen", proof=PASSWORD, **{f"contract_{anna.contract}": "1"}
    )
    assert tied.status_code == 200
    assert "Дом anna@example.org" in words(own.open("/account/tokens").text)


def test_with_a_code_at_sign_in_a_code_is_asked_for(own, app, anna):
    factors = app.state.services.second_factors
    setup = factors.begin(anna.user, "anna@example.org", "hub")
    spare, *_ = factors.turn_on(anna.user, pyotp.TOTP(setup.secret).now())
    assert "Код второго фактора" in words(own.open(NEW).text)
    assert own.send(NEW, name="Дом", proof=PASSWORD).status_code == 422
    assert own.send(NEW, name="Дом", proof=spare).status_code == 200


def test_the_guide_lists_every_call_with_its_scope(app, anna):
    listed = re.findall(r"^\| `(\w+) (/api/[^`]+)` \| `([a-z:]+)`", GUIDE, flags=re.MULTILINE)
    values = {"contract_id": anna.contract, "point_id": anna.point}
    made = {
        (method, re.sub(r"\{(\w+)\}", lambda name: str(values[name[1]]), path), scope)
        for method, path, scope in listed
    }
    table = {
        (method, path.replace(f"/{anna.point + 1}/", f"/{anna.point}/"), scope.value)
        for method, path, scope in calls(app, anna)
    }
    assert made == table
