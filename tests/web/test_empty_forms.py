"""Forms sent with nothing in them: refused in our words, since the browser is not asked to."""

import re

import pytest
from points_world import PASSWORD, make
from portal import words

GUESTS = ["/login", "/register", "/recover"]
OWN = [
    ("/contracts/new", "/contracts/new"),
    ("#/edit", "#/edit"),
    ("#/password", "#/password"),
    ("#/appeals/new", "#/appeals/new"),
    ("/account", "/account"),
    ("/account", "/account/email"),
    ("/account", "/account/archive"),
    ("/account/delete", "/account/delete"),
    ("/account/security", "/account/password"),
    ("/account/rules/new", "/account/rules/new"),
    ("/account/rules/new?kind=voltage", "/account/rules/new"),
    ("/account/tokens/new", "/account/tokens/new"),
]


def said(answer) -> str:
    assert answer.status_code == 422, answer.text[:300]
    alert = re.search(r'<[^>]+role="alert".*?</(?:div|section)>', answer.text, re.DOTALL)
    assert alert
    return words(alert[0])


@pytest.mark.parametrize("path", GUESTS)
def test_of_a_guest(portal, path):
    guest = portal()
    page = guest.open(path).text
    empty = dict.fromkeys(guest.fill(page, path, {}).keys() - {"_csrf_token", "next"}, "")
    assert re.search("[а-я]{4}", said(guest.send(path, **empty)))


def test_adding_a_contract_names_all_that_is_missing_at_once(portal, store):
    make(store, "anna@example.org")
    own = portal()
    assert own.sign_in("anna@example.org", PASSWORD).status_code == 303
    supplier = own.fill(own.open("/contracts/new").text, "/contracts/new", {})["supplier"]
    told = own.send("/contracts/new", supplier="", name=" ", login="", password="")
    for label in ("Поставщик", "Название", "Логин", "Пароль"):
        assert label in said(told)
    told = own.send("/contracts/new", supplier=supplier, name="Дача", login=" ", password="")
    assert "Название" not in said(told)
    assert 'value="Дача"' in told.text
    for label in ("Логин", "Пароль"):
        assert label in said(told)


@pytest.mark.parametrize(("path", "action"), OWN, ids=[action for _, action in OWN])
def test_of_somebody_signed_in(portal, store, path, action):
    owner = make(store, "anna@example.org")
    with store.write() as unit:
        unit.cursor().execute("UPDATE contract SET does = ?", ('["appeals"]',))
    own = portal()
    assert own.sign_in("anna@example.org", PASSWORD).status_code == 303
    here = f"/contracts/{owner.contract}"
    path, action = path.replace("#", here), action.replace("#", here)
    fields = own.fill(own.open(path).text, action, {})
    kept = {"_csrf_token", "key", "supplier", "language", "kind"}
    empty = dict.fromkeys(fields.keys() - kept, "")
    assert re.search("[а-я]{4}", said(own.send(path, action, **empty)))
