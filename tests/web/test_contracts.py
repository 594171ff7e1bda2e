"""Adding a contract through the house connector: found, refused, silent, twice; and the door."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from portal import PART, words

from hub.errors import (
    AnswerChanged,
    ContractBroken,
    HubError,
    StoreUnavailable,
    SupplierDown,
    TooManyRequests,
)
from hub.plugins.api import Point, SupplierCard
from hub.services import bookkeeping
from hub.services.accounts import Accounts
from hub.services.asking import Asking
from hub.services.passwords import Passwords
from hub.store.unit import Store

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
RIGHT = {"name": "Дача у озера", "login": "4001", "password": "Ozero-1"}
LOGIN_HINT = "Номер лицевого счета из квитанции."


@pytest.fixture
def supplier(store: Store) -> int:
    card = SupplierCard(name="Энергосбыт", phones=("8 800 555-01-00",))
    supplier_id = bookkeeping.open_supplier(store, title="Энергосбыт", card=card, now=NOW)
    for login in ("4001", "4002"):
        bookkeeping.Bookkeeping(store, supplier_id, Passwords()).enter(
            bookkeeping.BookedContract(
                login=login, password=f"Ozero-{login[-1]}", number=f"76-{login}",
                holder="Ким А. С.", address="ул. Озерная, 1", balance_kopecks=-128_450,
                balance_at=NOW,
                points=(Point(id="1", name="Ввод", number="ТУ-1", smart=False),),
            ),
        )  # fmt: skip
    return supplier_id


@pytest.fixture
def signed(guest, anna, supplier):
    guest.sign_in()
    return guest


def add(signed, supplier, headers=None, **typed):
    return signed.send(
        "/contracts/new", headers=headers, supplier=str(supplier), **{**RIGHT, **typed}
    )


@pytest.mark.clause("C6.invitation", "C2.account", "C3.panel", "C1.suppliers")
def test_an_empty_account_is_invited_and_gets_its_first_contract(signed, supplier):
    invitation = signed.open("/")
    assert "ДОБАВИТЬ ДОГОВОР" in words(invitation.text)
    for path in set(re.findall(r'href="(/(?!static|language)[^"]*)"', invitation.text)):
        assert signed.open(path.partition("#")[0]).status_code == 200, path
    form = signed.open("/contracts/new")
    assert LOGIN_HINT in words(form.text)
    answer = add(signed, supplier)
    assert answer.status_code == 303
    where = answer.headers["location"]
    page = signed.open(where)
    assert page.status_code == 200
    assert "Договор добавлен." in words(page.text)
    for text in ("Дача у озера", "Энергосбыт", "76-4001"):
        assert text in words(page.text)
    door = signed.open("/")
    assert (door.status_code, door.headers["location"]) == (303, where)


def test_the_dialog_is_sent_on_by_htmx(signed, supplier):
    answer = add(signed, supplier, headers=PART)
    assert answer.status_code == 200
    assert answer.headers["hx-redirect"].startswith("/contracts/")


@pytest.mark.clause("C1.form")
def test_the_dialog_and_the_page_hold_one_form(signed):
    page, part = signed.open("/contracts/new"), signed.open("/contracts/new", **PART)
    assert 'class="rail"' in page.text
    assert 'class="rail"' not in part.text
    assert 'id="dialog-title"' in part.text
    form = part.text[part.text.index("<form") : part.text.index("</form>")]
    assert " ".join(form.split()) in " ".join(page.text.split())


def test_cancel_leads_back_to_the_page_that_asked(signed):
    came = {"referer": "http://testserver.local/contracts/7/points", "host": "testserver.local"}
    assert 'href="/contracts/7/points" data-close' in signed.open("/contracts/new", **came).text
    foreign = signed.open("/contracts/new", referer="https://evil.example/contracts/7/points")
    assert "evil" not in foreign.text
    refused = signed.send("/contracts/new", supplier="x", back="//evil.example")
    assert "//evil.example" not in refused.text.replace('name="back" value="//evil.example"', "")


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.clause("C2.wrong", "C2.kept")
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("wrong", [{"password": "Ozero-9"}, {"login": "4999"}])
def test_the_suppliers_refusal_keeps_all_but_the_password(signed, supplier, wrong, whole):
    answer = add(signed, supplier, headers={} if whole else PART, **wrong)
    assert answer.status_code == 422
    assert ("<!doctype html>" in answer.text) is whole
    assert 'role="alert"' in answer.text
    assert "Поставщик не принял логин или пароль" in words(answer.text)
    typed = {**RIGHT, **wrong}
    assert f'value="{typed["login"]}"' in answer.text
    assert 'value="Дача у озера"' in answer.text
    assert typed["password"] not in answer.text
    assert ("<title>Ошибка: " in answer.text) is whole


def test_each_empty_field_has_its_own_words(signed, supplier):
    for field, sentence in {
        "name": "Дайте договору название",
        "login": "Введите логин",
        "password": "Введите пароль, который выдал поставщик",
    }.items():
        answer = add(signed, supplier, **{field: ""})
        assert answer.status_code == 422
        assert sentence in words(answer.text)
        assert answer.text.count('aria-invalid="true"') == 1


@pytest.mark.parametrize("number", ["", "abc", "999", "9" * 30, "-1", "٣"])
def test_an_unknown_supplier_is_asked_for_again(signed, number):
    answer = add(signed, number)
    assert answer.status_code == 422
    assert "Выберите поставщика из списка." in words(answer.text)


@pytest.mark.clause("C2.linked", "C2.kept")
def test_a_contract_that_is_linked_is_named_and_opened(signed, supplier):
    where = add(signed, supplier).headers["location"]
    again = add(signed, supplier, name="Второй раз")
    assert again.status_code == 422
    assert "Этот договор уже в вашем списке: «Дача у озера»" in words(again.text)
    assert f'href="{where}"' in again.text
    assert 'value="Второй раз"' in again.text


@pytest.mark.clause("C2.tries")
def test_the_sixth_try_of_a_login_waits(signed, supplier):
    for _ in range(5):
        assert add(signed, supplier, password="no").status_code == 422
    answer = add(signed, supplier)
    assert answer.status_code == 429
    assert "Слишком много попыток" in words(answer.text)
    assert 'value="4001"' in answer.text


@pytest.mark.clause("C2.down", "C2.kept")
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SupplierDown(), "Поставщик не отвечает"),
        (TooManyRequests(timedelta(seconds=9)), "Поставщик просит подождать"),
        (AnswerChanged(), "Ответ поставщика не удалось разобрать"),
        (ContractBroken(), "Ответ поставщика не удалось разобрать"),
        (StoreUnavailable(), "Ошибка у нас, вы все сделали верно"),
    ],
)  # fmt: skip
def test_every_failure_has_its_own_words(signed, supplier, monkeypatch, error: HubError, sentence):
    async def fails(*_arguments):
        raise error

    monkeypatch.setattr(Asking, "ask", fails)
    answer = add(signed, supplier)
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert 'value="Дача у озера"' in answer.text
    assert str(error) not in answer.text


def test_without_suppliers_the_form_says_who_installs_them(guest, anna):
    guest.sign_in()
    page = guest.open("/contracts/new")
    assert page.status_code == 200
    assert "Ни один поставщик не подключен" in words(page.text)


# -- whose -----------------------------------------------------------------------------------------


def test_foreign_contracts_do_not_exist(portal, signed, supplier, store):
    where = add(signed, supplier).headers["location"]
    Accounts(store).add(email="boris@example.org", full_name="Ли Борис", password="Correct horse")
    stranger = portal()
    stranger.sign_in("boris@example.org")
    missing = stranger.open("/contracts/999/appeals")
    for end in ("", "/appeals", "/notifications", "/points"):
        foreign = stranger.open(where + end)
        assert foreign.status_code == 404
        assert "Дача" not in foreign.text
        assert signed.open(where + end).status_code == 200
    assert words(stranger.open(where + "/appeals").text) == words(missing.text)
    # The same account of the supplier may be in another person's list too.
    assert add(stranger, supplier).status_code == 303


@pytest.mark.parametrize(
    ("section", "sentence"),
    [("notifications", "Уведомлений пока нет"), ("appeals", "Обращений пока нет")],
)
def test_sections_without_anything_yet_say_so(signed, supplier, section, sentence):
    where = add(signed, supplier).headers["location"]
    page = signed.open(f"{where}/{section}")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert sentence in words(page.text)
    assert f'href="{where}/{section}" aria-current="page"' in page.text


@pytest.mark.clause("C6.last", "C3.any", "C6.current")
def test_the_door_leads_to_the_contract_used_last(signed, supplier):
    first = add(signed, supplier).headers["location"]
    second = add(signed, supplier, login="4002", password="Ozero-2").headers["location"]
    assert signed.open("/").headers["location"] == second
    assert signed.open(first).status_code == 200
    assert signed.open("/").headers["location"] == first


def test_balance_of_the_books_is_kept_exactly(signed, supplier, store):
    add(signed, supplier)
    with store.read() as unit:
        (row,) = unit.session.connection().exec_driver_sql(
            "SELECT balance_kopecks, sealed_settings FROM contract"
        )
    assert Decimal(row[0]) == -128_450
    assert "Ozero" not in str(row[1])


# -- by a code, many, two windows ------------------------------------------------------------------


@pytest.fixture
def by_code(store) -> bookkeeping.Bookkeeping:
    """A utility without a log-in for consumers, and its one contract."""
    supplier = bookkeeping.open_supplier(
        store, title="ТеплоГрад", card=SupplierCard(name="ТеплоГрад"), now=NOW,
        connector=bookkeeping.HOUSE_CODE,
    )  # fmt: skip
    keeping = bookkeeping.Bookkeeping(store, supplier, Passwords())
    keeping.enter(
        bookkeeping.BookedContract(
            login="", password="", number="0041-77", holder="", address="",
            points=(Point(id="1", name="Тепло", smart=False),),
        )
    )  # fmt: skip
    return keeping


@pytest.mark.clause("C2.code", "C2.tries", "C2.wrong", "C2.kept")
def test_a_code_of_the_letter_is_checked_by_the_hub(signed, by_code):
    code = by_code.give_access("0041-77").password
    typed = {"login": "0041-77", "name": "Квартира мамы"}
    form = words(signed.open("/contracts/new").text)
    assert "ТеплоГрад" in form
    wrong = add(signed, by_code.supplier_id, **typed, password="ABCD-EFGH")
    assert wrong.status_code == 422
    assert "Номер договора и код не подходят друг к другу" in words(wrong.text)
    assert "Введите пароль еще раз." in words(wrong.text)
    assert 'value="0041-77"' in wrong.text
    assert 'value="Квартира мамы"' in wrong.text
    assert "ABCD" not in wrong.text
    linked = add(signed, by_code.supplier_id, **typed, password=code)
    assert linked.status_code == 303
    where = linked.headers["location"]
    menu = words(signed.open(where).text)
    assert "Заменить пароль поставщика" not in menu  # it has none
    assert "нет" in words(signed.open(f"{where}/password").text)
    assert "новый код" in words(signed.open(f"{where}/unlink").text)


@pytest.mark.clause("C2.tries")
def test_a_code_is_tried_five_times(signed, by_code):
    code = by_code.give_access("0041-77").password
    for _ in range(5):
        add(signed, by_code.supplier_id, login="0041-77", password="ABCD-EFGH")
    answer = add(signed, by_code.supplier_id, login="0041-77", password=code)
    assert answer.status_code == 429
    assert "Слишком много попыток" in words(answer.text)


@pytest.mark.clause("C1.form", "C1.fields", "C1.suppliers")
def test_the_form_on_the_left_has_the_fields_of_the_manual(signed, supplier, by_code):
    page = signed.open("/contracts/new")
    rail = page.text[page.text.index('class="rail"') : page.text.index("</aside>")]
    assert "Добавить договор" in words(rail)
    assert 'href="/contracts/new" data-hx-get="/contracts/new" data-hx-target="#dialog"' in rail
    form = page.text[page.text.index('id="contract-form"') :]
    assert re.findall(r"<label[^>]*>([^<]*)</label>", form) == [
        "Поставщик", "Название", "Логин", "Пароль",
    ]  # fmt: skip
    assert re.findall(r"<option[^>]*>([^<]*)</option>", form) == ["ТеплоГрад", "Энергосбыт"]
    assert re.search(
        r'<button class="btn primary" type="submit"[^>]*>.*?<span>Добавить</span>', form
    )


@pytest.mark.clause("C3.any", "C3.panel", "C6.current", "C6.address")
def test_contracts_of_several_suppliers_each_in_its_own_window(signed, supplier, by_code):
    first = add(signed, supplier).headers["location"]
    code = by_code.give_access("0041-77").password
    second = add(signed, by_code.supplier_id, name="Мама", login="0041-77", password=code)
    second = second.headers["location"]
    third = add(signed, supplier, name="Гараж", login="4002", password="Ozero-2")
    third = third.headers["location"]
    numbers = {first: "76-4001", second: "0041-77", third: "76-4002"}
    for _ in range(2):  # in turns, as two windows do
        for where, number in numbers.items():
            page = signed.open(where + "/points")
            panel = page.text[page.text.index('id="contracts"') :]
            panel = panel[: panel.index("</ul>")]
            assert panel.count('aria-current="true"') == 1
            assert f'<a href="{where}" aria-current="true">' in panel
            for each in numbers.values():
                assert each in words(panel)
            sections = page.text[page.text.index('class="sections"') :]
            sections = sections[: sections.index("</nav>")]
            assert set(re.findall(r'href="(/contracts/\d+)', sections)) == {where}
            assert number in words(panel)
