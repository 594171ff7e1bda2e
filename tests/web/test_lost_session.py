"""A form that is sent after the session ended: its words come back to their author, nobody else."""

import pytest
from litestar.routes import HTTPRoute
from points_world import PASSWORD, make
from portal import words
from sqlmodel import select

from hub.app import create_app
from hub.services.accounts import Accounts
from hub.store import tables
from hub.web.kit.typed import MARK_COOKIE
from hub.web.kit.visitor import SESSION_COOKIE

EMAIL, OTHER = "anna@example.org", "boris@example.org"
TYPED = "Напечатано до выхода"
# Form, where it is sent, the page it comes back on, a field, and what is typed beside it.
FORMS = {
    "account": ("/account", "/account", "full_name", {}),
    "email": ("/account", "/account/email", "email", {"email_password": "Tajna-1"}),
    "contract": ("/contracts/new", "/contracts/new", "login", {"password": "Tajna-1"}),
    "rename": ("#/edit", "#/edit", "name", {}),
    "appeal": ("#/appeals/new", "#/appeals/new", "text", {"subject": "Тема"}),
    "reply": ("@", "@/reply", "text", {}),
    "readings": ("%/submit", "%/submit", "reading-", {}),
}
# Posts behind the door in which nothing is typed, or nothing that may be kept.
SILENT = {
    "/account/rules/new", "/account/rules/{rule_id:int}", "/account/rules/{rule_id:int}/remove",
    "/account/rules/{rule_id:int}/switch", "/account/tokens/{token_id:int}/revoke",
    "/account/theme", "/account/archive", "/account/delete", "/account/email/{token:str}",
    "/account/factor", "/account/factor/on", "/account/factor/codes", "/account/factor/off",
    "/account/factor/sms", "/account/factor/send", "/account/phone", "/account/phone/confirm",
    "/account/password", "/account/sessions/end", "/account/notifications",
    "/contracts/{contract_id:int}/refresh", "/contracts/{contract_id:int}/password",
    "/contracts/{contract_id:int}/unlink", "/contracts/{contract_id:int}/notifications/read",
    "/appeals/{appeal_id:int}/again", "/points/{point_id:int}/live",
    "/points/{point_id:int}/submit/again",
}  # fmt: skip
GUESTS = ("/login", "/logout", "/register", "/recover", "/api/")  # and programs


@pytest.fixture
def made(store):
    mine = make(store, EMAIL)
    Accounts(store).add(email=OTHER, full_name="Ли Борис", password=PASSWORD)
    with store.write() as unit:
        does = '["appeals", "appeal_replies", "appeal_files", "submit"]'
        unit.cursor().execute("UPDATE contract SET does = ?", (does,))
    return mine


@pytest.fixture
def own(portal, made):
    browser = portal()
    assert browser.sign_in(EMAIL, PASSWORD).status_code == 303
    return browser


def end(browser) -> None:
    """Let the session be over, as if it had run out."""
    browser.client.cookies.delete(SESSION_COOKIE)


def filled(own, made, name):
    """Open a form and fill it in; its page, address, fields and the one that was typed into."""
    page, action, field, more = FORMS[name]
    places = {"#": f"/contracts/{made.contract}", "@": f"/appeals/{made.appeal}",
              "%": f"/points/{made.point + 1}"}  # fmt: skip
    page, action = (places.get(each[0], each[0]) + each[1:] for each in (page, action))
    data = own.fill(own.open(page).text, action, more)
    data.pop("files", None)
    if field.endswith("-"):
        field = next(each for each in data if each.startswith(field))
    value = "123,4" if field.startswith("reading") else TYPED
    return page, action, {**data, field: value}, value


@pytest.mark.parametrize("name", FORMS)
def test_what_was_typed_is_back_after_the_sign_in(own, made, store, name):
    page, action, data, value = filled(own, made, name)
    end(own)
    answer = own.client.post(action, data=data, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={page}"
    back = own.send(answer.headers["location"], "/login", email=EMAIL, password=PASSWORD)
    assert back.headers["location"] == page
    shown = own.open(page)
    assert shown.status_code == 200
    assert value in shown.text
    said = words(shown.text)
    assert "вы уже вышли из кабинета" in said or "еще не отправили" in said
    with store.read() as unit:
        (row,) = unit.session.exec(select(tables.Draft)).all()
        kept = unit.secrets.open(row.sealed_fields, table="draft", row=row.id,
                                 field="sealed_fields")  # fmt: skip
    assert "Tajna" not in kept
    assert "_csrf_token" not in kept


@pytest.mark.parametrize("name", ["account", "rename", "appeal", "reply"])
def test_it_is_gone_once_it_is_sent(own, made, store, name):
    page, action, data, _ = filled(own, made, name)
    end(own)
    own.client.post(action, data=data)
    own.sign_in(EMAIL, PASSWORD)
    fresh = own.fill(own.open(page).text, action, {})["_csrf_token"]
    sent = own.client.post(action, data={**data, "_csrf_token": fresh}, follow_redirects=False)
    assert sent.status_code == 303
    with store.read() as unit:
        assert unit.session.exec(select(tables.Draft)).all() == []


def test_files_come_back_too(own, made):
    page, action, data, _ = filled(own, made, "appeal")
    end(own)
    photo = [("files", ("щит.jpg", b"\xff\xd8\xff photo"))]
    answer = own.client.post(action, data=data, files=photo, follow_redirects=False)
    assert answer.headers["location"].startswith("/login?")
    own.sign_in(EMAIL, PASSWORD)
    assert "щит.jpg" in words(own.open(page).text)


def test_another_person_in_the_same_browser_sees_nothing_of_it(own, made):
    page, action, data, _ = filled(own, made, "account")
    end(own)
    own.client.post(action, data=data)
    assert own.sign_in(OTHER, PASSWORD).status_code == 303
    assert TYPED not in own.open(page).text
    own.send("/account", "/logout")
    assert own.sign_in(EMAIL, PASSWORD).status_code == 303
    assert TYPED in own.open(page).text


def test_a_form_in_another_tab_after_signing_out_leads_to_the_door(own, made):
    page, action, data, _ = filled(own, made, "account")
    own.send("/account", "/logout")
    answer = own.client.post(action, data=data, follow_redirects=False)
    assert answer.headers["location"] == "/login?next=/account"
    own.sign_in(EMAIL, PASSWORD)
    assert TYPED in own.open(page).text


@pytest.mark.parametrize("name", FORMS)
def test_a_form_in_another_tab_is_sent_after_signing_in_again(own, made, store, name):
    _, action, data, _ = filled(own, made, name)
    own.send("/account", "/logout")
    assert own.sign_in(EMAIL, PASSWORD).status_code == 303
    answer = own.client.post(action, data=data, follow_redirects=False)
    assert answer.status_code in {303, 422}, "looked at by its handler, and not turned away"
    with store.read() as unit:
        assert unit.session.exec(select(tables.Draft)).all() == []


def test_another_person_s_form_in_an_open_tab_is_not_sent(own, made):
    page, action, data, _ = filled(own, made, "account")
    own.send("/account", "/logout")
    assert own.sign_in(OTHER, PASSWORD).status_code == 303
    assert own.client.post(action, data=data, follow_redirects=False).status_code == 403
    assert TYPED not in own.open(page).text


@pytest.mark.parametrize("cookie", [None, "W10=.0000", "WyIxIiwgIngiXQ==.abc"])
def test_without_a_mark_of_ours_nothing_is_kept(own, made, store, cookie):
    _, action, data, _ = filled(own, made, "account")
    end(own)
    own.client.cookies.delete(MARK_COOKIE)
    if cookie:
        own.client.cookies.set(MARK_COOKIE, cookie)
    assert own.client.post(action, data=data, follow_redirects=False).status_code == 303
    with store.read() as unit:
        assert unit.session.exec(select(tables.Draft)).all() == []


def test_a_mark_of_an_account_that_is_gone_is_nobodys(own, made, store):
    _, action, data, _ = filled(own, made, "account")
    mark = own.client.cookies[MARK_COOKIE]
    own.send("/account/delete", delete_password=PASSWORD, word="УДАЛИТЬ")
    Accounts(store).add(email="new@example.org", full_name="Н", password=PASSWORD)
    own.client.cookies.set(MARK_COOKIE, mark)
    page = own.open("/login").text
    token = own.fill(page, "/login", {})["_csrf_token"]
    own.client.post(action, data={**data, "_csrf_token": token})
    with store.read() as unit:
        assert unit.session.exec(select(tables.Draft)).all() == []


def test_another_site_can_not_put_words_into_a_draft(own, made, store):
    _, action, data, _ = filled(own, made, "account")
    end(own)
    own.client.post(action, data=data, headers={"sec-fetch-site": "cross-site"})
    with store.read() as unit:
        assert unit.session.exec(select(tables.Draft)).all() == []


def test_every_form_behind_the_door_keeps_its_words_or_has_none(settings, store, plugins):
    app = create_app(settings, store, plugins)
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    gets = {route.path for route in routes if "GET" in route.methods}
    posts = {
        route.path: handler.opt
        for route in routes
        for handler in route.route_handlers
        if "POST" in handler.http_methods and not route.path.startswith(GUESTS)
    }
    assert {path for path, opt in posts.items() if "keeps" not in opt} == SILENT
    lost = {path for path, opt in posts.items() if path not in gets and "page" not in opt}
    assert lost == set(), "who posts there is led to an address that is no page"
