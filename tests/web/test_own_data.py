"""Consent, language and look: what a person decides about the portal."""

import re

import pytest
from portal import PART, PASSWORD, words
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from hub.services.processing import read_text
from hub.settings import Settings
from hub.store.tables import ProcessingConsent

TYPED = {
    "email": "boris@example.org",
    "full_name": "Ли Борис Петрович",
    "phone": "+7 900 000-00-01",
    "password": PASSWORD,
    "password_again": PASSWORD,
}


@pytest.mark.clause("A1.login", "A1.register", "A1.recover")
def test_the_sign_in_page_leads_to_registration_and_recovery(guest):
    page = guest.open("/login").text
    assert "<h1" in page
    assert "Вход" in words(page)
    assert re.search(r'href="/register"[^>]*>Регистрация<', page)
    assert re.search(r'href="/recover"[^>]*>Восстановить доступ<', page)


@pytest.mark.clause("A3.fields", "A3.button")
def test_registration_asks_in_the_order_of_the_manual(guest):
    page = guest.open("/register").text
    form = page[page.index('id="register-form"') :]
    names = re.findall(r'<input[^>]* name="(\w+)"', form)
    asked = ["email", "full_name", "phone", "password", "password_again", "consent"]
    assert [name for name in names if name != "_csrf_token"] == asked
    for label in ("E-mail", "Ф.И.О.", "Телефон", "Пароль", "Пароль еще раз", "Зарегистрироваться"):
        assert label in words(form)


@pytest.mark.clause("A4.kinds")
@pytest.mark.parametrize("password", ["ПАРОЛЬпароль", "12345678", "!@#$%^&*()", "aA1! бВ2?"])
def test_any_signs_make_a_password(guest, password):
    typed = {**TYPED, "password": password, "password_again": password, "consent": "1"}
    assert guest.send("/register", **typed).status_code == 303


@pytest.mark.parametrize("headers", [{}, PART])
def test_nobody_registers_without_a_consent(guest, store, headers):
    page = guest.open("/register").text
    (box,) = re.findall(r'<input type="checkbox"[^>]*>', page)
    assert "checked" not in box
    answer = guest.send("/register", headers=headers, **TYPED)
    assert answer.status_code == 422
    assert "Без согласия портал не вправе хранить ваши данные" in words(answer.text)
    assert 'value="Ли Борис Петрович"' in answer.text
    with store.read() as unit:
        assert unit.session.scalars(select(ProcessingConsent)).all() == []


def test_the_consent_is_kept_with_its_date_and_version(guest, store):
    text = guest.open("/personal-data")
    assert text.status_code == 200
    assert "Как отозвать согласие" in words(text.text)
    version = read_text().version
    assert version in text.text
    assert 'href="/personal-data"' in guest.open("/register").text
    assert guest.send("/register", consent="1", **TYPED).status_code == 303
    with store.read() as unit:
        (kept,) = unit.session.scalars(select(ProcessingConsent)).all()
        assert (kept.version, kept.at.tzinfo is not None) == (version, True)
    guest.client.cookies.set("lang", "en")
    assert "How you take your consent back" in words(guest.open("/personal-data").text)


def test_a_utility_puts_its_own_text_in_place(tmp_path):
    (tmp_path / "ru.txt").write_text("# Наш текст\nСтрока\nдругая.\n\nВторой.", encoding="utf-8")
    with pytest.raises(ValidationError, match=r"ru\.txt and en\.txt"):
        Settings(keys=(SecretStr("k" * 44),), processing_text=tmp_path)
    (tmp_path / "en.txt").write_text("Ours.", encoding="utf-8")
    assert Settings(keys=(SecretStr("k" * 44),), processing_text=tmp_path).processing_text
    mine = read_text(tmp_path)
    parts = [(part.text, part.heading) for part in mine.parts["ru"]]
    assert parts == [("Наш текст", True), ("Строка другая.", False), ("Второй.", False)]
    (tmp_path / "en.txt").write_text("Ours, changed.", encoding="utf-8")
    assert len({mine.version, read_text(tmp_path).version, read_text().version}) == 3


@pytest.mark.clause("P4.language")
def test_the_language_is_the_accounts(portal, anna):
    own = portal()
    own.sign_in()
    done = own.send("/account", language="en")
    assert done.status_code == 303
    assert "Saved." in words(own.open("/account").text)
    elsewhere = portal()
    assert "Вход" in words(elsewhere.open("/login").text)
    elsewhere.sign_in()
    assert "My data" in words(elsewhere.open("/account").text)
    assert elsewhere.send("/account", language="tlh").status_code == 422


def test_the_look_is_the_accounts_and_comes_from_the_server(portal, anna):
    own = portal()
    own.sign_in()
    assert "data-theme" not in own.open("/account").text
    for theme, mark in (("dark", 'data-theme="dark"'), ("light", 'data-theme="light"')):
        done = own.send("/account", "/account/theme", theme=theme)
        assert (done.status_code, done.headers["location"]) == (303, "/account")
        assert mark in own.open("/contracts/new").text.partition("<head>")[0]
    elsewhere = portal()
    elsewhere.sign_in()
    page = elsewhere.open("/account").text
    assert 'data-theme="light"' in page
    assert re.search(r'value="light" aria-pressed="true"', page)
    own.send("/account", "/account/theme", theme="neon")
    assert 'data-theme="light"' in own.open("/account").text
    own.send("/account", "/account/theme", theme="")
    assert "data-theme" not in own.open("/account").text


@pytest.mark.clause("A9.name", "A9.sign-out")
@pytest.mark.parametrize("path", ["/account", "/account/security", "/contracts/new", "/"])
def test_every_page_has_the_name_with_its_menu(portal, anna, path):
    own = portal()
    own.sign_in()
    page = own.client.get(path, follow_redirects=True).text
    menu = page[page.index('id="me"') : page.index("</header>", page.index('id="me"'))]
    assert "Ким Анна Сергеевна" in menu
    assert re.search(r'href="/account"[^>]*>.*?Профиль', menu, re.DOTALL)
    assert "Выйти" in words(menu)
