"""The three dots of a contract: rename, refresh now, replace the password, unlink; and its sign."""

import re
from datetime import UTC, datetime

import pytest
from portal import PART, words

from hub.errors import SupplierDown
from hub.plugins.api import NoticeKind, Point, SupplierCard
from hub.services.accounts import Accounts
from hub.services.asking import Asking
from hub.services.bookkeeping import BookedContract, Bookkeeping, open_supplier
from hub.services.passwords import Passwords
from hub.store import tables

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
RENAME, REFRESH = "Редактировать", "Обновить сейчас"
REPLACE, UNLINK = "Заменить пароль поставщика…", "Отвязать договор…"
FORM = re.compile(r"<form class=.*?</form>", re.DOTALL)


@pytest.fixture
def keeping(store):
    supplier = open_supplier(store, title="Энергосбыт", card=SupplierCard(name="Э"), now=NOW)
    keeping = Bookkeeping(store, supplier, Passwords())
    for login in ("4001", "4002"):
        keeping.enter(
            BookedContract(
                login=login, password=f"Ozero-{login[-1]}", number=f"76-{login}", holder="",
                address="", points=(Point(id="1", name="Ввод", number=f"ТУ-{login}"),),
            )
        )  # fmt: skip
    return keeping


@pytest.fixture
def signed(guest, anna, keeping):
    guest.sign_in()
    return guest


def add(browser, keeping, login="4001", name="Дача у озера"):
    answer = browser.send(
        "/contracts/new", supplier=str(keeping.supplier_id), name=name, login=login,
        password=f"Ozero-{login[-1]}",
    )  # fmt: skip
    assert answer.status_code == 303
    return answer.headers["location"]


@pytest.fixture
def where(signed, keeping):
    return add(signed, keeping)


def panel(page, kind="rail"):
    """The list of contracts: on the left, or in the phone's sheet."""
    start = page.text.index('id="contracts"' if kind == "rail" else 'class="menu start switcher"')
    return page.text[start : page.text.index("</ul>", start)]


# -- the menu --------------------------------------------------------------------------------------


@pytest.mark.clause("C4.rename", "C4.refresh", "C4.password", "C4.unlink")
@pytest.mark.parametrize("kind", ["rail", "sheet"])
def test_each_contract_has_its_menu_without_a_script(signed, where, keeping, kind):
    second = add(signed, keeping, "4002", "Мастерская")
    page = signed.open(where)
    listed = panel(page, kind)
    assert listed.count("<details") == 2
    assert 'aria-label="Действия с договором «Мастерская»"' in listed.replace("\u00a0", " ")
    for text in (RENAME, REFRESH, REPLACE, UNLINK):
        assert words(listed).count(text) == 2
    for contract in (where, second):
        for what in ("edit", "password", "unlink"):
            assert f'href="{contract}/{what}" data-hx-get="{contract}/{what}"' in " ".join(
                re.sub(r'class="[^"]*" ', "", listed).split()
            )
            assert signed.open(f"{contract}/{what}").status_code == 200
        assert f'action="{contract}/refresh" method="post"' in listed


@pytest.mark.parametrize("what", ["edit", "password", "unlink"])
def test_dialog_and_page_hold_one_form(signed, where, what):
    page, part = signed.open(f"{where}/{what}"), signed.open(f"{where}/{what}", **PART)
    assert 'class="rail"' not in part.text
    assert 'id="dialog-title"' in part.text
    (form,) = FORM.findall(part.text)
    assert " ".join(form.split()) in " ".join(page.text.split())
    assert f'id="{what}-form"' in form


def test_cancel_and_the_end_lead_to_the_page_that_asked(signed, where):
    came = {"referer": f"http://testserver.local{where}/points", "host": "testserver.local"}
    page = signed.open(f"{where}/edit", **came).text
    assert f'href="{where}/points" data-close' in page
    data = signed.fill(page, f"{where}/edit", {"name": "Дача"})
    answer = signed.client.post(f"{where}/edit", data=data, follow_redirects=False)
    assert answer.headers["location"] == f"{where}/points"
    other_form = {**came, "referer": f"http://testserver.local{where}/unlink"}
    assert 'href="/" data-close' in signed.open(f"{where}/edit", **other_form).text


# -- rename ----------------------------------------------------------------------------------------


@pytest.mark.clause("C4.rename")
@pytest.mark.parametrize("headers", [{}, PART])
def test_a_contract_gets_a_new_name(signed, where, headers):
    form = signed.open(f"{where}/edit")
    assert 'value="Дача у озера"' in form.text
    assert "Сохранить" in words(form.text)
    answer = signed.send(f"{where}/edit", headers=headers, name="Дом  у реки")
    assert answer.status_code == (200 if headers else 303)
    page = signed.open(where)
    assert "Теперь договор называется «Дом у реки»." in words(page.text)
    assert "Дом у реки" in words(panel(page))
    assert "Дача у озера" not in words(page.text)


@pytest.mark.clause("C4.rename")
@pytest.mark.parametrize("whole", [True, False])
def test_an_empty_name_is_asked_for_again(signed, where, whole):
    answer = signed.send(f"{where}/edit", headers={} if whole else PART, name="  ")
    assert answer.status_code == 422
    assert ("<!doctype html>" in answer.text) is whole
    assert "Дайте договору название" in words(answer.text)
    assert "Дача у озера" in words(panel(signed.open(where)))


# -- refresh ---------------------------------------------------------------------------------------


@pytest.mark.clause("C4.refresh")
def test_refresh_asks_a_supplier_that_had_refused(signed, where, store):
    contract = int(where.rpartition("/")[2])
    with store.write() as unit:
        state = unit.session.get(tables.ContractState, contract)
        state.stopped, state.due_at = True, NOW.replace(year=2030)
    answer = signed.send(where, f"{where}/refresh")
    assert answer.status_code == 303
    assert "Спрашиваем поставщика" in words(signed.open(where).text)
    with store.read() as unit:
        state = unit.session.get(tables.ContractState, contract)
        assert not state.stopped
        assert state.due_at <= unit.now()


# -- the password ----------------------------------------------------------------------------------


@pytest.mark.clause("C4.password")
def test_a_new_password_is_proved_and_kept(signed, where, keeping):
    given = keeping.give_access("76-4001", "4001").password
    page = signed.open(f"{where}/password")
    assert "Новый пароль" in words(page.text)
    answer = signed.send(f"{where}/password", password=given)
    assert answer.status_code == 303
    assert "Новый пароль сохранен" in words(signed.open(where).text)


@pytest.mark.clause("C4.password")
@pytest.mark.parametrize("whole", [True, False])
def test_a_password_that_the_supplier_refuses_is_asked_for_again(signed, where, whole):
    answer = signed.send(f"{where}/password", headers={} if whole else PART, password="Wrong-77")
    assert answer.status_code == 422
    assert "Поставщик не принял логин или пароль" in words(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert "Wrong-77" not in answer.text
    empty = signed.send(f"{where}/password", password="")
    assert empty.status_code == 422
    assert "Введите пароль, который выдал поставщик" in words(empty.text)


def test_guessing_a_password_is_limited_in_words(signed, where):
    for _ in range(4):  # linking was the first try
        signed.send(f"{where}/password", password="Wrong-77")
    over = signed.send(f"{where}/password", password="Wrong-77")
    assert over.status_code == 429
    assert "Слишком много попыток" in words(over.text)


def test_a_supplier_that_is_down_leaves_the_old_password(signed, where, monkeypatch):
    async def fails(*_arguments):
        raise SupplierDown

    monkeypatch.setattr(Asking, "ask", fails)
    answer = signed.send(f"{where}/password", password="New-one-1")
    assert answer.status_code == 422
    assert "Поставщик не отвечает" in words(answer.text)


# -- unlink ----------------------------------------------------------------------------------------


@pytest.mark.clause("C4.unlink", "C6.invitation")
@pytest.mark.parametrize("headers", [{}, PART])
def test_unlinking_says_what_goes_and_leads_to_the_next_contract(signed, where, keeping, headers):
    second = add(signed, keeping, "4002", "Мастерская")
    asks = words(signed.open(f"{second}/unlink").text)
    for text in ("Отвязать договор?", "«Мастерская»", "Исчезнет здесь", "Останется", "Отмена",
                 "обращения и его ответы"):  # fmt: skip
        assert text in asks
    answer = signed.send(f"{second}/unlink", headers=headers)
    assert answer.headers["hx-redirect" if headers else "location"] == "/"
    assert signed.open("/").headers["location"] == where
    page = signed.open(where)
    assert "Договор «Мастерская» отвязан." in words(page.text)
    assert "76-4002" not in words(page.text)
    for path in ("", "/points", "/edit", "/unlink"):
        assert signed.open(second + path).status_code == 404
    signed.send(f"{where}/unlink")
    invitation = signed.open("/")
    assert invitation.status_code == 200
    assert "ДОБАВИТЬ ДОГОВОР" in words(invitation.text)
    # Linked again it is there once.
    again = add(signed, keeping)
    assert words(panel(signed.open(again))).count("76-4001") == 1


@pytest.mark.clause("C4.unlink")
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_on_its_way_keeps_the_contract(signed, where, whole):
    asks = signed.open(f"{where}/unlink").text
    sent = signed.send(
        f"{where}/appeals/new", subject="Счет", text="Проверьте счет.", email="anna@example.org"
    )
    assert sent.status_code == 303
    data = signed.fill(asks, f"{where}/unlink", {})  # the question stood open meanwhile
    answer = signed.client.post(
        f"{where}/unlink", data=data, headers={} if whole else PART, follow_redirects=False
    )
    assert answer.status_code == 422
    assert ("<!doctype html>" in answer.text) is whole
    assert "Отправленное вами еще не дошло до поставщика" in words(answer.text)
    assert "В пути 1 сообщение" in words(answer.text)
    page = signed.open(f"{where}/unlink").text
    assert "Отправленное вами еще не дошло до поставщика" in words(page)
    assert '"btn danger"' not in page
    assert signed.open(where).status_code == 200


def test_nobody_else_changes_a_contract(portal, signed, where, keeping, store):
    Accounts(store).add(email="boris@example.org", full_name="Ли Борис", password="Correct horse")
    stranger = portal()
    stranger.sign_in("boris@example.org")
    own = add(stranger, keeping, "4002", "Свой")
    for what in ("edit", "password", "unlink", "refresh"):
        page = stranger.open(f"{own}/edit").text
        data = stranger.fill(page, f"{own}/edit", {"name": "Чужой", "password": "x"})
        answer = stranger.client.post(f"{where}/{what}", data=data, follow_redirects=False)
        assert answer.status_code == 404, what
    assert "Дача у озера" in words(panel(signed.open(where)))


# -- the sign --------------------------------------------------------------------------------------


@pytest.mark.clause("C5.sign")
def test_the_sign_stands_beside_the_contract_until_the_last_is_read(signed, where, keeping, store):
    second = add(signed, keeping, "4002", "Мастерская")
    contract = int(second.rpartition("/")[2])
    with store.write() as unit:
        for number in "12":
            unit.session.add(
                tables.Notice(
                    contract_id=contract, remote_id=number, kind=NoticeKind.DEBT.value,
                    title=f"Долг {number}", text="Оплатите.", published_at=NOW, told_at=NOW,
                )
            )  # fmt: skip
    sign = "есть непрочитанные уведомления"
    page = signed.open(where)
    assert words(panel(page)).count(sign) == 1
    assert re.search(rf"Мастерская {sign}", words(panel(page)))
    assert "Мастерская 2 новых" in words(panel(page, "sheet"))
    assert page.text.count('class="sign"') == 1  # on the phone beside the switcher
    notices = re.findall(r'href="(/notifications/\d+)"', signed.open(second).text)
    signed.open(notices[0])
    assert "Мастерская 1 новое" in words(panel(signed.open(where), "sheet"))
    last = signed.open(notices[1])
    for page in (last, signed.open(where)):
        assert sign not in words(page.text)
        assert "Мастерская Энергосбыт" in words(panel(page, "sheet"))
