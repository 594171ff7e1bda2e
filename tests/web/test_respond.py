"""Page or fragment, flashes, redirects, errors, headers: what holds for every answer."""

import pytest
from litestar.testing import TestClient

from hub.web.kit.edge import CSRF_COOKIE
from hub.web.kit.respond import local_path

PART = {"hx-request": "true", "hx-request-type": "partial"}


@pytest.mark.parametrize(
    ("headers", "whole"),
    [
        ({}, True),
        (PART, False),
        ({"hx-request": "true"}, False),
        ({"hx-request": "true", "hx-request-type": "full"}, True),
        ({**PART, "hx-boosted": "true"}, True),
        ({**PART, "hx-history-restore-request": "true"}, True),
    ],
)
def test_only_a_partial_request_gets_the_fragment(client, headers, whole):
    answer = client.get("/sample/home?fragment=usage", headers=headers)
    assert ("<!doctype html>" in answer.text) is whole
    assert answer.headers["cache-control"] == "no-store"
    for name in ("HX-Request", "HX-Boosted", "HX-History-Restore-Request", "HX-Request-Type"):
        assert name in answer.headers["vary"]


def test_policy_is_on_every_answer(client):
    for path in ("/sample/home", "/nothing/here", "/fails/x", "/static/icons.svg"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    assert client.get("/register/confirm/x").headers["referrer-policy"] == "no-referrer"


def test_errors_are_pages_with_a_next_step_and_say_nothing_of_the_inside(client):
    answer = client.get("/nothing/here")
    assert answer.status_code == 404
    assert "Такой страницы нет" in answer.text
    assert 'class="rail"' in answer.text
    assert client.get("/fails/missing").status_code == 404
    assert client.get("/fails/down").status_code == 503
    broken = client.get("/fails/other")
    assert broken.status_code == 500
    assert "secret detail" not in broken.text
    assert "Код для\xa0поддержки" in broken.text


def test_a_failing_fragment_is_a_fragment(client):
    answer = client.get("/fails/other", headers=PART)
    assert answer.status_code == 500
    assert "<!doctype html>" not in answer.text
    assert 'role="alert"' in answer.text
    assert "Загрузить еще раз" in answer.text


def test_a_post_needs_the_token_of_the_page(client):
    assert client.post("/sample", data={}).status_code == 403
    client.get("/sample/login")
    token = client.cookies[CSRF_COOKIE]
    form = client.post("/sample", data={"_csrf_token": token}, follow_redirects=False)
    assert (form.status_code, form.headers["location"]) == (303, "/sample/home")
    htmx = client.post("/sample", headers={"x-csrftoken": token, "hx-request": "true"})
    assert (htmx.status_code, htmx.headers["hx-redirect"]) == (200, "/sample/home")


@pytest.mark.parametrize("cookie", ["broken", "a" * 64 + "b" * 64, ""])
def test_a_cookie_of_an_old_secret_is_replaced(app, cookie):
    with TestClient(app) as client:
        answer = client.get("/sample/login", headers={"cookie": f"{CSRF_COOKIE}={cookie}; lang=en"})
        assert CSRF_COOKIE in answer.headers.get("set-cookie", "")
        assert '<html lang="en"' in answer.text


def test_language_is_the_cookies_then_the_browsers_then_russian(client):
    def seen(**headers: str) -> str:
        return client.get("/sample/login", headers=headers).text

    assert '<html lang="ru"' in seen()
    assert '<html lang="en"' in seen(**{"accept-language": "de, en-GB;q=0.8"})
    assert '<html lang="ru"' in seen(**{"accept-language": "de"})
    chosen = client.get("/language/en?next=/sample/login", follow_redirects=False)
    assert chosen.headers["location"] == "/sample/login"
    assert '<html lang="en"' in client.get("/sample/login").text
    assert client.get("/language/xx").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil",
        "/\t/evil.example",
        "/\n",
        "/ы",
        "",
        None,
    ],
)
def test_next_stays_on_this_site(path):
    assert local_path(path) == "/"


def test_static_files_are_named_by_content_and_kept_for_ever(client, app):
    url = app.state.assets.url("css/hub.css")
    answer = client.get(url)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    assert "@layer reset,tokens" in answer.text
    assert client.get("/static/css/hub.css").headers["cache-control"] == "public, max-age=86400"
    for path in ("/static/../app.py", "/static/nothing.css", "/static/css/hub.000000000000.css"):
        assert client.get(path).status_code == 404
    plain = client.get(url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == app.state.assets.by_name["css/hub.css"].body


def test_probes_tell_details_only_to_who_may_see_them(client):
    assert client.get("/health/live").text == "ok"
    assert client.get("/health/ready").json() == {"ready": True}
    assert client.get("/metrics").status_code == 404
    allowed = {"authorization": "Bearer token-of-metrics"}
    assert "python_info" in client.get("/metrics", headers=allowed).text
    assert client.get("/health/ready", headers=allowed).json() == {"ready": True, "checks": {}}


def test_schema_is_a_file_and_a_page_of_our_own(client):
    page = client.get("/schema")
    assert page.status_code == 200
    assert "openapi.json" in page.text
    assert "//" not in page.text.replace("http://www.w3.org", "").replace("<!--", "")
    assert client.get("/schema/openapi.json").json()["openapi"].startswith("3.1")
