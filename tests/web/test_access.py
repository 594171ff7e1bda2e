"""Registration, the letter, sign-in and sign-out, as a browser without scripts does them."""

import re
import time

import pyotp
import pytest
import time_machine
from litestar.testing import TestClient
from portal import PART, PASSWORD, Browser, deliver, links, words
from structlog.testing import capture_logs

from hub.app import create_app
from hub.services.accounts import Accounts
from hub.services.mail import kept_mails
from hub.store import accounts as stored
from hub.web.kit.edge import CSRF_COOKIE

# Tries are counted in windows of a quarter of an hour; none ends while a test counts.
EARLY_IN_ITS_WINDOW = time_machine.travel("2026-11-24T12:01:00Z")
TYPED = {
    "email": "Boris@Example.org",
    "full_name": "Ли Борис Петрович",
    "phone": "+7 900 000-00-01",
    "password": PASSWORD,
    "password_again": PASSWORD,
    "consent": "1",
}


@pytest.mark.clause("A6.mailed", "A6.button", "A6.single-use", "A3.button")
def test_from_registration_to_the_first_page(portal, store):
    guest = portal()
    sent = guest.send("/register", **TYPED)
    assert (sent.status_code, sent.headers["location"]) == (303, "/register/sent")
    page = guest.open("/register/sent").text
    assert "boris@example.org" in page
    assert "48 часов" in words(page)
    assert 'aria-disabled="true"' in page

    assert guest.sign_in(TYPED["email"]).status_code == 422
    deliver(store)
    mailbox = guest.open("/demo/mail").text
    (letter,) = set(re.findall(r"/demo/mail/\d+", mailbox))
    (link,) = set(re.findall(r'href="(/register/confirm/[^"]+)"', guest.open(letter).text))
    for _ in range(3):  # as scanners of mail do
        opened = guest.open(link)
        assert opened.status_code == 200
        assert opened.headers["referrer-policy"] == "no-referrer"
    elsewhere = portal()
    asked = elsewhere.send(link, password="not mine to know")
    assert asked.status_code == 422
    assert "Если регистрировались не вы, ничего не делайте" in words(asked.text)
    done = guest.send(link)
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert "E-mail подтвержден" in words(guest.open("/login").text)
    assert "E-mail подтвержден" not in words(guest.open("/login").text)

    token = guest.fill(guest.open("/login").text, "/login", {})["_csrf_token"]
    for again in (
        guest.open(link),
        guest.client.post(link, data={"_csrf_token": token}, follow_redirects=False),
    ):
        assert again.status_code == 410
        assert "Ссылка больше не действует" in words(again.text)

    signed = guest.sign_in(TYPED["email"])
    assert (signed.status_code, signed.headers["location"]) == (303, "/")
    first = guest.open("/")
    assert first.status_code == 200
    assert "ДОБАВИТЬ ДОГОВОР" in words(first.text)
    assert "Ли Борис Петрович" in first.text


@pytest.mark.clause("A6.log")
@pytest.mark.parametrize("start", ["/register/confirm/", "/recover/"])
def test_a_link_that_fails_is_logged_without_what_opens(settings, store, plugins, start):
    app = create_app(settings, store, plugins)
    made = app.state.services
    made.accounts.store = made.recovery.store = None  # a fault of ours
    with TestClient(app, raise_server_exceptions=False) as client, capture_logs() as logged:
        answer = client.get(f"{start}OnlyTheLetterHasThis")
    assert answer.status_code == 500
    (entry,) = [each for each in logged if each["event"] == "request failed"]
    assert entry["path"] == f"{start}…"
    assert "OnlyTheLetterHasThis" not in repr(logged)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.clause("A3.fields", "A4.length", "A4.match")
def test_registration_names_each_wrong_field_and_keeps_the_rest(guest, whole):
    headers = {} if whole else PART
    answer = guest.send("/register", headers=headers, email="anna", password="1234567")
    assert answer.status_code == 422
    assert ("<!doctype html>" in answer.text) is whole
    text = words(answer.text)
    for sentence in (
        "Это не похоже на адрес.",
        "Укажите Ф.И.О.",
        "Укажите телефон",
        "меньше 8 символов",
    ):
        assert sentence in text
    assert 'value="anna"' in answer.text
    assert 'name="consent" value="1" required aria' in answer.text
    assert "1234567" not in answer.text
    assert answer.text.count('aria-invalid="true"') == 5
    assert all(f'href="#{name}"' in answer.text for name in ("email", "full_name", "phone"))
    differ = guest.send("/register", **{**TYPED, "password_again": "Correct h0rse"})
    assert "Пароли не совпадают." in words(differ.text)
    assert differ.text.count('aria-invalid="true"') == 1


@pytest.mark.clause("A5.known", "A5.limit", "A5.owner-told")
def test_a_taken_email_is_said_until_the_limit_then_the_answer_is_neutral(guest, store, anna):
    typed = {**TYPED, "email": "ANNA@example.org"}
    for _ in range(5):
        taken = guest.send("/register", **typed)
        assert taken.status_code == 422
        assert "Пользователь с таким E-mail уже существует" in words(taken.text)
        assert "Ли Борис Петрович" in taken.text
    neutral = guest.send("/register", **typed)
    assert (neutral.status_code, neutral.headers["location"]) == (303, "/register/sent")
    deliver(store)
    (mail,) = kept_mails(store)
    assert mail.recipient == "anna@example.org"


@pytest.mark.clause("A6.again")
def test_the_letter_is_sent_again_when_it_is_time(guest, store):
    guest.send("/register", **TYPED)
    early = guest.send("/register/sent", "/register/resend")
    assert early.status_code == 200
    assert 'aria-disabled="true"' in early.text
    with store.write() as unit:
        unit.session.connection().exec_driver_sql("DELETE FROM attempts")
    page = guest.open("/register/sent").text
    data = guest.fill(page, "/register/resend", {})
    part = guest.client.post("/register/resend", data=data, headers=PART)
    assert part.status_code == 200
    assert "<!doctype html>" not in part.text
    assert 'id="resend"' in part.text
    deliver(store)
    assert len(kept_mails(store)) == 2
    new, old = links(store)
    assert guest.open(new).status_code == 200
    assert guest.open(old).status_code == 410


def test_too_many_letters_are_refused_in_words(guest, store):
    guest.send("/register", **TYPED)
    for count in range(6):
        with store.write() as unit:
            unit.session.connection().exec_driver_sql(
                "DELETE FROM attempts WHERE kind = 'resend_wait'"
            )
        answer = guest.send("/register/sent", "/register/resend")
        assert answer.status_code == (429 if count == 5 else 200)
    assert "Слишком много попыток" in words(answer.text)
    assert "boris@example.org" in answer.text


def test_the_page_of_the_letter_belongs_to_whoever_registered(guest):
    nobody = guest.open("/register/sent")
    assert nobody.headers["location"] == "/register"
    guest.client.cookies.set("pending", "WyJhQGIuY2QiLCIiXQ==.00000000")
    assert guest.open("/register/sent").headers["location"] == "/register"


# -- sign-in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("who", ["anna@example.org", "nobody@example.org"])
def test_a_wrong_password_and_an_unknown_email_read_alike(guest, anna, whole, who):
    headers = {} if whole else PART
    answer = guest.sign_in(who, "Wrong horse", headers=headers)
    assert answer.status_code == 422
    assert ("<!doctype html>" in answer.text) is whole
    assert 'role="alert"' in answer.text
    assert "Неверный E-mail или пароль" in words(answer.text)
    assert f'value="{who}"' in answer.text
    assert "Wrong horse" not in answer.text
    assert guest.session is None


def test_sixth_try_is_refused_before_the_password_is_looked_at(guest, anna):
    for _ in range(5):
        assert guest.sign_in(password="Wrong horse").status_code == 422
    answer = guest.sign_in()
    assert answer.status_code == 429
    assert "Слишком много попыток" in words(answer.text)
    assert guest.session is None


def test_unconfirmed_is_told_to_who_knows_the_password_with_a_way_on(guest):
    guest.send("/register", **TYPED)
    guest.client.cookies.delete("pending")
    stranger = guest.sign_in(TYPED["email"], "Wrong horse")
    assert "не подтвержден" not in words(stranger.text)
    owner = guest.sign_in(TYPED["email"])
    assert owner.status_code == 422
    assert "E-mail еще не подтвержден" in words(owner.text)
    assert 'href="/register/sent"' in owner.text
    assert 'action="/register/resend"' in guest.open("/register/sent").text


@pytest.mark.clause("A2.sign-in")
def test_sign_in_begins_a_new_session_with_a_new_csrf_cookie(guest, anna):
    guest.open("/login")
    before = guest.client.cookies[CSRF_COOKIE]
    answer = guest.sign_in()
    cookies = answer.headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("session="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert "Max-Age=2592000" in session
    guest.open("/")
    assert guest.client.cookies[CSRF_COOKIE] != before

    first = guest.session
    again = guest.client.post(
        "/login",
        data={
            "_csrf_token": guest.client.cookies[CSRF_COOKIE],
            "email": "anna@example.org",
            "password": PASSWORD,
        },
        follow_redirects=False,
    )
    assert again.status_code == 303
    second = guest.session
    assert first != second
    assert "Max-Age" not in next(
        cookie for cookie in again.headers.get_list("set-cookie") if cookie.startswith("session=")
    )
    guest.client.cookies.set("session", first)
    assert guest.open("/account").headers["location"] == "/login?next=/account"


def test_a_session_id_that_was_planted_is_not_taken_over(guest, anna):
    guest.client.cookies.set("session", "planted", domain="testserver.local")
    guest.sign_in()
    assert guest.session
    assert "planted" not in guest.session


def test_htmx_is_sent_on_by_its_own_header(guest, anna):
    answer = guest.sign_in(headers=PART)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/")


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/account", "/account"),
        ("/points/7/profile?from=2026-11-01", "/points/7/profile?from=2026-11-01"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
    ],
)
def test_next_leads_only_to_our_own_pages(guest, anna, asked, led):
    page = guest.client.get("/login", params={"next": asked}).text
    typed = {"email": "anna@example.org", "password": PASSWORD}
    data = guest.fill(page, "/login", typed)
    answer = guest.client.post("/login", data=data, follow_redirects=False)
    assert answer.headers["location"] == led
    forged = guest.client.post(
        "/login",
        data={**data, "next": asked, "_csrf_token": guest.client.cookies.get(CSRF_COOKIE) or ""},
        follow_redirects=False,
    )
    assert forged.status_code == 403 or forged.headers["location"] == led


def test_who_is_signed_in_is_led_past_the_sign_in_page(guest, anna):
    guest.sign_in()
    assert guest.open("/login?next=/account").headers["location"] == "/account"


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(guest, anna):
    guest.sign_in()
    page = guest.open("/contracts/new").text
    guest.client.cookies.delete("session")
    data = guest.fill(page, "/contracts/new", {"login": "76382942"})
    answer = guest.client.post("/contracts/new", data=data, follow_redirects=False)
    assert answer.headers["location"] == "/login?next=/contracts/new"


@pytest.mark.parametrize(
    "path",
    ["/", "/account", "/contracts/new", "/contracts/1/appeals", "/contracts/1/notifications"],
)
def test_nobody_is_led_to_the_sign_in_page_and_back(guest, anna, path):
    answer = guest.open(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={path}"
    part = guest.open(path, **PART)
    assert part.headers["hx-redirect"] == f"/login?next={path}"
    assert guest.send(answer.headers["location"], "/login", email="anna@example.org",
                        password=PASSWORD).headers["location"] == path  # fmt: skip


@pytest.mark.clause("A9.sign-out")
def test_signed_out_is_over_for_the_server_too(guest, anna, store):
    guest.sign_in()
    kept = guest.session
    page = guest.open("/account")
    assert "Ким Анна Сергеевна" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "HX-Request" in page.headers["vary"]
    out = guest.send("/account", "/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert guest.session is None
    guest.client.cookies.set("session", kept)
    assert guest.open("/account").status_code == 303
    with store.read() as unit:
        assert stored.sessions_of(unit, anna, unit.now()) == []


def test_writes_need_the_token_of_a_page(guest, anna):
    guest.open("/login")
    for path in ("/login", "/register", "/register/resend", "/register/confirm/x", "/logout",
                 "/contracts/new"):  # fmt: skip
        assert guest.client.post(path, data={"email": "a@b.cd"}).status_code == 403
        forged = {"_csrf_token": "0" * 128}
        assert guest.client.post(path, data=forged).status_code == 403


def test_a_field_sent_twice_is_a_plain_refusal(guest):
    page = guest.open("/login").text
    token = guest.fill(page, "/login", {})["_csrf_token"]
    body = f"_csrf_token={token}&email=a&email=b"
    answer = guest.client.post(
        "/login", content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 400
    assert "Запрос не удалось прочитать" in words(answer.text)


# -- pages and fragments -------------------------------------------------------------------------


def squeezed(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r'value="[0-9a-f]{128}"', "", html)).strip()


@pytest.mark.parametrize("path", ["/login", "/register", "/register/sent", "/demo/mail"])
def test_the_fragment_is_the_block_of_the_page(guest: Browser, path):
    guest.send("/register", **TYPED)
    page, part = guest.open(path), guest.open(path, **PART)
    assert "<!doctype html>" in page.text
    assert "<!doctype html>" not in part.text
    countdown = lambda text: re.sub(r'data-countdown="\d+"|\d:\d\d', "", text)  # noqa: E731
    assert countdown(squeezed(part.text)) in countdown(squeezed(page.text))


def test_letters_are_shown_in_the_demo_only(store, plugins, settings, guest):
    assert guest.open("/demo/mail").status_code == 200
    assert "Shown-1" in guest.open("/login").text
    assert guest.open("/demo/mail/99").status_code == 404
    real = create_app(settings.model_copy(update={"demo": False}), store, plugins)
    with TestClient(real) as client:
        assert client.get("/demo/mail").status_code == 404
        assert client.get("/demo/mail/1").status_code == 404
        assert "/demo/mail" not in client.get("/login").text
        assert "Shown-1" not in client.get("/login").text


def test_english_speaks_english(guest):
    guest.open("/language/en")
    answer = guest.send("/register", email="x")
    assert "This is not an e-mail address." in words(answer.text)
    assert "Write the phone number" in words(answer.text)


@pytest.mark.clause("A8.mailed", "A8.neutral", "A8.opening", "A8.single-use", "A8.sessions")
def test_a_forgotten_password(portal, store, anna):
    """The same answer for anybody; opening the link spends nothing; all sessions end."""
    own, other, guest = portal(), portal(), portal()
    for each in (own, other):
        each.sign_in()
    for email in ("nobody@example.org", "anna@example.org"):
        sent = guest.send("/recover", email=email)
        assert (sent.status_code, sent.headers["location"]) == (303, "/recover/sent")
        assert f"Если для адреса {email} есть учетная запись" in words(
            guest.open("/recover/sent").text
        )
    deliver(store)
    (link,) = links(store)
    for _ in range(2):
        opened = guest.open(link)
        assert (opened.status_code, opened.headers["referrer-policy"]) == (200, "no-referrer")
    short = guest.send(link, password="short", password_again="short")
    assert short.status_code == 422
    done = guest.send(link, password="a new sentence", password_again="a new sentence")
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert "Новый пароль задан" in words(guest.open("/login").text)
    assert guest.open(link).status_code == 410
    for each in (own, other):
        assert each.open("/account").status_code == 303
    assert own.sign_in().status_code == 422
    assert own.sign_in(password="a new sentence").status_code == 303
    deliver(store)
    assert kept_mails(store)[0].subject == "Пароль личного кабинета изменен"


@EARLY_IN_ITS_WINDOW
def test_recovery_says_what_is_wrong_and_has_limits(portal, store):
    guest = portal()
    assert guest.send("/recover", email="no address").status_code == 422
    answers = [guest.send("/recover", email=f"u{n}@example.org").status_code for n in range(21)]
    assert answers == [303] * 20 + [429]
    deliver(store)
    assert links(store) == []


@pytest.mark.clause("P1.name", "P1.phone")
def test_name_and_phone_change_at_once(portal, anna):
    own = portal()
    own.sign_in()
    done = own.send("/account", full_name="Ким Анна Ильинична", phone="+7 900 111-22-33")
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    page = own.open("/account").text
    assert page.count("Ким Анна Ильинична") >= 2  # in the header and in the form
    wrong = own.send("/account", full_name=" ", phone="call me")
    assert wrong.status_code == 422
    assert 'value="call me"' in wrong.text
    assert words(wrong.text).count("Исправьте 2 поля") == 1


@pytest.mark.clause("P3.password", "P3.sessions")
def test_a_new_password_ends_the_other_sessions(portal, store, anna):
    own, other = portal(), portal()
    for each in (own, other):
        each.sign_in()
    typed = {"password": "a new sentence", "password_again": "a new sentence"}
    wrong = own.send("/account/security", "/account/password", current="not it", **typed)
    assert wrong.status_code == 422
    assert "Это не ваш текущий пароль" in words(wrong.text)
    done = own.send("/account/security", "/account/password", current=PASSWORD, **typed)
    assert (done.status_code, done.headers["location"]) == (303, "/account/security")
    assert own.open("/account").status_code == 200
    assert other.open("/account").status_code == 303
    deliver(store)
    assert kept_mails(store)[0].subject == "Пароль личного кабинета изменен"


@EARLY_IN_ITS_WINDOW
def test_guesses_of_the_current_password_are_counted(portal, anna):
    own = portal()
    own.sign_in()
    typed = {"password": "a new sentence", "password_again": "a new sentence"}
    answers = [
        own.send(
            "/account/security", "/account/password", current=f"guess {n}", **typed
        ).status_code
        for n in range(6)
    ]
    assert answers == [422] * 5 + [429]


@pytest.mark.clause("A9.sessions", "P4.sessions")
def test_sessions_are_listed_and_ended(portal, anna):
    own, phone, tablet = portal(), portal(), portal()
    agent = "Mozilla/5.0 (Linux; Android 15) Chrome/142.0 Mobile Safari/537.36"
    phone.client.headers["user-agent"] = agent
    for each in (own, phone, tablet):
        each.sign_in()
    page = own.open("/account/security").text
    assert "Chrome, Android" in page
    assert words(page).count("Это устройство") == 1
    named = re.search(r'name="session" value="([0-9a-f]{64})"><[^>]*Chrome, Android', page)
    token = own.fill(page, "/logout", {})["_csrf_token"]
    ended = own.client.post(
        "/account/sessions/end",
        data={"_csrf_token": token, "session": named[1]},
        headers=PART,
    )
    assert ended.status_code == 200
    assert "Chrome, Android" not in ended.text
    assert phone.open("/account").status_code == 303
    assert tablet.open("/account").status_code == 200
    rest = own.client.post(
        "/account/sessions/end", data={"_csrf_token": token}, follow_redirects=False
    )
    assert rest.status_code == 303
    assert tablet.open("/account").status_code == 303
    assert own.open("/account").status_code == 200


def factor_on(own):
    """Set an app up; give it, the code that turned it on and the recovery codes."""
    own.send("/account/security", "/account/factor")
    page = own.open("/account/security").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")
    app = pyotp.TOTP(secret)
    assert 'src="data:image/svg+xml' in page
    first = app.now()
    done = own.send("/account/security", "/account/factor/on", code=first)
    return app, first, re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", done.text)


@pytest.mark.clause("A7.app", "A7.recovery-codes", "P4.second-factor")
def test_a_code_besides_the_password(portal, store, anna):
    own = portal()
    own.sign_in()
    wrong = own.send("/account/security", "/account/factor")
    assert wrong.status_code == 303
    wrong = own.send("/account/security", "/account/factor/on", code="000000")
    assert wrong.status_code == 422
    app, first, codes = factor_on(own)
    assert len(set(codes)) == 10
    deliver(store)
    assert kept_mails(store)[0].subject == "Вход в личный кабинет теперь с кодом"

    other = portal()
    half = other.sign_in(next="/account")
    assert (half.status_code, half.headers["location"]) == (303, "/login/code?next=/account")
    assert other.session is None
    assert other.open("/account").status_code == 303
    page = "/login/code?next=/account"
    assert other.send(page, "/login/code", code="123").status_code == 422
    # the code that turned it on was taken already
    assert other.send(page, "/login/code", code=first).status_code == 422
    done = other.send(page, "/login/code", code=codes[0].upper())
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert other.open("/account").status_code == 200
    assert other.open("/login/code").headers["location"] == "/login"

    third = portal()
    third.sign_in()
    assert third.send("/login/code", code=codes[0]).status_code == 422  # used
    assert third.send("/login/code", code=app.at(time.time() + 30)).status_code == 303


@EARLY_IN_ITS_WINDOW
def test_codes_are_not_to_be_guessed_and_the_app_can_be_taken_away(portal, anna):
    own = portal()
    own.sign_in()
    *_, codes = factor_on(own)
    page = "/account/security"
    off = "/account/factor/off"
    assert own.send(page, off, code="").status_code == 422
    fresh = own.send(page, off, code=codes[1])
    assert fresh.status_code == 303
    assert portal().sign_in().headers["location"] == "/"
    *_, codes = factor_on(own)
    filled = own.fill(own.open(page).text, off, {"code": codes[0]})
    renewed = own.client.post("/account/factor/codes", data=filled)
    assert len(set(re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", renewed.text))) == 10
    assert own.send(page, off, code=codes[1]).status_code == 422  # of the old ones
    guesser = portal()
    guesser.sign_in()
    answers = [guesser.send("/login/code", code=f"{n:06d}").status_code for n in range(6)]
    assert answers == [422] * 4 + [429] * 2  # one guess was made above


@pytest.mark.clause("P1.email", "P1.email-told")
def test_the_email_changes_by_a_link_of_its_own(portal, store, anna):
    own, stranger = portal(), portal()
    own.sign_in()
    wrong = own.send("/account", "/account/email", email="new@example.org", email_password="no")
    assert wrong.status_code == 422
    assert 'value="new@example.org"' in wrong.text
    sent = own.send("/account", "/account/email", email="New@example.org", email_password=PASSWORD)
    assert sent.status_code == 303
    deliver(store)
    assert {mail.recipient for mail in kept_mails(store)} == {"anna@example.org", "new@example.org"}
    (link,) = [each for each in links(store) if each.startswith("/account/email/")]
    assert stranger.open(link).status_code == 303  # to the sign-in page
    assert own.open(link).status_code == own.open(link).status_code == 200
    done = own.send(link)
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert "new@example.org" in own.open("/account").text
    assert own.open(link).status_code == 410
    assert stranger.sign_in("new@example.org").status_code == 303


@pytest.mark.clause("P1.email-neutral")
def test_an_email_that_somebody_has_gets_no_link(portal, store, anna):
    Accounts(store).add(email="boris@example.org", full_name="Ли Борис", password=PASSWORD)
    own = portal()
    own.sign_in()
    sent = own.send(
        "/account", "/account/email", email="boris@example.org", email_password=PASSWORD
    )
    assert sent.status_code == 303
    assert "boris@example.org" in words(own.open("/account").text)  # the same answer
    deliver(store)
    assert [mail.recipient for mail in kept_mails(store)] == ["anna@example.org"]
