"""What a hostile page, form or supplier may try: foreign writes, odd bodies, links, cookies."""

import pytest
from litestar._parsers import parse_url_encoded_form_data
from litestar.exceptions import ClientException
from litestar.testing import TestClient
from portal import PASSWORD, Browser

from hub.app import create_app
from hub.domain.contracts import https_link
from hub.plugins.api import SupplierCard
from hub.services.cards import card_dict, card_of
from hub.web.kit.requests import LARGEST_BODY, parse_form

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},  # a neighbour host may plant cookies
        {"origin": "https://evil.example"},
        {"origin": "https://evil.example", "cookie": 'bad"{}'},
    ],
)
def test_a_write_from_another_site_is_refused_with_a_good_token_too(guest, anna, headers):
    page = guest.open("/login").text
    typed = guest.fill(page, "/login", {"email": "anna@example.org", "password": PASSWORD})
    answer = guest.client.post("/login", data=typed, headers=headers)
    assert answer.status_code == 403
    assert guest.session is None


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": "null"},  # forms of pages without a referrer
        {"origin": "http://testserver.local"},
        {"origin": "http://hub.test"},  # its base address, behind a proxy that changes the host
    ],
)
def test_our_own_forms_are_taken(guest, anna, headers):
    guest.open("/login")
    assert guest.send("/login", headers=headers, email="anna@example.org",
                      password=PASSWORD).status_code == 303  # fmt: skip


def test_passwords_stay_in_no_cache(guest, anna):
    before = parse_url_encoded_form_data.cache_info()
    assert guest.sign_in(headers={"x-csrftoken": ""}).status_code == 303
    guest.open("/account")
    token = guest.client.cookies["csrftoken"]
    typed = {"supplier": "1", "name": "x", "login": "x", "password": "Secret-1"}
    guest.client.post("/contracts/new", data=typed, headers={"x-csrftoken": token})
    assert parse_url_encoded_form_data.cache_info() == before


def test_large_and_odd_bodies_are_refused_before_anything_is_done(guest):
    guest.open("/login")
    token = {"x-csrftoken": guest.client.cookies["csrftoken"], **FORM}
    large = b"email=a&password=" + b"x" * LARGEST_BODY
    assert guest.client.post("/login", content=large, headers=token).status_code == 413
    in_parts = guest.client.post("/login", content=iter([large]), headers=token)
    assert in_parts.status_code == 413
    for body in (b"a=&" * 51, b"email=%ff", b"\xff=1", b"email=a%00b"):
        answer = guest.client.post("/login", content=body, headers=token)
        assert answer.status_code == 400, body
        assert "content-security-policy" in answer.headers


def test_a_form_is_read_as_it_was_typed():
    body = b"name=%D0%94%D0%B0%D1%87%D0%B0+1&empty=&twice=1&twice=2&lines=a%0D%0Ab"
    assert parse_form(body) == {
        "name": "Дача 1", "empty": "", "twice": ["1", "2"], "lines": "a\r\nb",
    }  # fmt: skip
    with pytest.raises(ClientException):
        parse_form(b"a=%1b")


def test_cookies_over_https_are_this_hosts_only(settings, store, plugins, anna):
    app = create_app(settings.model_copy(update={"base_url": "https://hub.test"}), store, plugins)
    with TestClient(app, base_url="https://hub.test") as client:
        browser = Browser(client)
        answer = browser.sign_in()
        set_cookies = answer.headers.get_list("set-cookie")
        assert len(set_cookies) == 3  # session, CSRF, who signed in last
        for cookie in set_cookies:
            assert cookie.startswith("__Host-")
            assert {"Secure", "Path=/", "HttpOnly"} <= set(cookie.split("; "))
        assert browser.open("/account").status_code == 200
        out = browser.send("/account", "/logout")
        assert out.status_code == 303
        assert browser.open("/account").status_code == 303


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "http://supplier.example", "//supplier.example",
     "https://supplier.example@evil.example", 'https://x.example"><script>',
     "https://x.example/\ta b",
     "https:\\\\x.example"],
)  # fmt: skip
def test_a_suppliers_link_leads_to_an_https_site_or_nowhere(link):
    assert https_link(link) == ""
    assert card_of("S", card_dict(SupplierCard(name="S", site=link))).site == ""
    assert https_link("https://supplier.example:8443/a?b=1#c")
    long = card_of("S", card_dict(SupplierCard(name="n" * 999)))
    assert len(long.name) == 500
