"""Notifications and appeals on their pages, from a supplier's books."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hub.plugins.api import AppealState, NoticeKind, Point, SupplierCard
from hub.services.bookkeeping import (
    BookedContract,
    Bookkeeping,
    NewNotice,
    Taken,
    open_supplier,
)
from hub.services.passwords import Passwords
from hub.web.kit.i18n import LANGUAGES

HTMX = {"hx-request": "true"}


def words(html: str) -> str:
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\xa0", " ").split())


@pytest.fixture
def keeping(store):
    now = datetime.now(UTC)
    supplier = open_supplier(
        store, title="Энергосбыт", card=SupplierCard(name="Энергосбыт"), now=now
    )
    books = Bookkeeping(store, supplier, Passwords())
    books.enter(
        BookedContract(
            login="4001", password="Ozero-1", number="76-4001", holder="Ким А. С.", address="-",
            points=(Point(id="", name="Ввод", number="ТУ-1"),),
        )
    )  # fmt: skip
    return books


@pytest.fixture
def signed(guest, anna, keeping):
    guest.sign_in()
    answer = guest.send(
        "/contracts/new", supplier=str(keeping.supplier_id), name="Дача", login="4001",
        password="Ozero-1",
    )  # fmt: skip
    assert answer.status_code == 303, words(answer.text)
    guest.here = answer.headers["location"]
    return guest


def publish(keeping, title, kind=NoticeKind.PLANNED_WORK, **more):
    keeping.publish(NewNotice(kind=kind, title=title, text="Первая строка.\nВторая.", **more))


# -- notifications -----------------------------------------------------------------------------


@pytest.mark.clause("N1.list", "N1.unread", "N1.open", "N1.sign")
async def test_reading_a_notification_takes_the_signs_away(signed, keeping, carry):
    begin = datetime(2026, 12, 3, 7, tzinfo=UTC)
    publish(keeping, "Работы 3 декабря", from_at=begin, to_at=begin + timedelta(hours=4))
    publish(keeping, "Долг", NoticeKind.DEBT, number="76-4001")
    await carry()
    page = signed.open(f"{signed.here}/notifications")
    said = words(page.text)
    assert said.count("НЕ ПРОЧИТАНО") == 2
    for label in ("Дата", "Тема уведомления", "Статус", "Прочитать все", "2 непрочитанных"):
        assert label in said
    assert "есть непрочитанные уведомления" in said
    assert words(signed.open(f"{signed.here}/notifications").text).count("НЕ ПРОЧИТАНО") == 2
    href = re.search(r'href="(/notifications/\d+)">Работы', page.text)[1]
    one = words(signed.open(href).text)
    for part in ("Работы 3 декабря", "Первая строка.", "Вторая.", "03.12.2026 10:00"):
        assert part in one
    assert words(signed.open(f"{signed.here}/notifications").text).count("НЕ ПРОЧИТАНО") == 1
    answer = signed.send(f"{signed.here}/notifications", f"{signed.here}/notifications/read")
    assert answer.status_code == 303
    said = words(signed.open(answer.headers["location"]).text)
    assert "1 уведомление отмечено прочитанным." in said
    assert "НЕ ПРОЧИТАНО" not in said
    assert "есть непрочитанные уведомления" not in said
    assert "Все прочитаны" in said


async def test_the_list_is_the_block_of_its_page_and_can_be_filtered(signed, keeping, carry):
    publish(keeping, "Прочитанное")
    await carry()
    page = signed.open(f"{signed.here}/notifications").text
    signed.open(re.search(r'href="(/notifications/\d+)"', page)[1])
    publish(keeping, "Новое")
    await carry()
    unread = f"{signed.here}/notifications?show=unread"
    whole, block = signed.open(unread).text, signed.open(unread, **HTMX).text
    assert "<html" not in block
    assert block.strip() in whole
    assert "Новое" in block
    assert "Прочитанное" not in block
    for wrong in ("0", "x", "-1", "2", "99999999999999"):
        assert signed.open(f"{signed.here}/notifications?page={wrong}").status_code == 404


async def test_pages_of_notifications_lead_to_each_other(signed, keeping, carry):
    for number in range(23):
        publish(keeping, f"Новость {number:02}")
    await carry()
    first = signed.open(f"{signed.here}/notifications").text
    assert len(re.findall(r"Новость \d\d", words(first))) == 20
    assert "Новее" not in words(first)
    older = re.search(r'href="([^"]+)" rel="next"', first)[1]
    last = signed.open(older).text
    assert len(re.findall(r"Новость \d\d", words(last))) == 3
    assert "Старее" not in words(last)


def test_without_notifications_it_says_what_will_be_here(signed):
    said = words(signed.open(f"{signed.here}/notifications").text)
    assert "Уведомлений пока нет" in said
    assert "Прочитать все" not in said


async def test_what_suppliers_write_is_text(signed, keeping, carry):
    publish(keeping, "<script>alert(1)</script>")
    await carry()
    page = signed.open(f"{signed.here}/notifications").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


# -- appeals -----------------------------------------------------------------------------------


def send(signed, **typed):
    form = {"subject": "Моргает свет", "text": "По вечерам.\nУже неделю.", **typed}
    return signed.send(f"{signed.here}/appeals/new", **form)


@pytest.mark.clause(
    "S1.new", "S1.prefilled", "S1.fields", "S2.handed", "S2.number", "S2.status", "S2.answer"
)
async def test_an_appeal_is_written_delivered_answered_and_continued(signed, keeping, carry):
    form = signed.open(f"{signed.here}/appeals/new")
    assert 'value="anna@example.org"' in form.text
    for label in ("E-mail", "Контактный телефон", "Тема", "Описание"):
        assert label in words(form.text)
    answer = send(signed)
    assert answer.status_code == 303
    where = answer.headers["location"]
    page = signed.open(where)
    assert "ОЖИДАЕТ" in words(page.text)
    assert "every 5s" in page.text
    await carry()
    page = signed.open(where)
    said = words(page.text)
    assert "№1" in said
    assert "В РАБОТЕ" in said
    assert "every 5s" not in page.text
    assert "По вечерам.\nУже неделю." in page.text
    block = signed.open(where, **HTMX).text
    assert "<html" not in block
    assert block.strip() in page.text
    keeping.answer(1, "Проверили ввод.", state=AppealState.CLOSED, due=None)
    await carry()
    said = words(signed.open(where).text)
    assert "ЗАКРЫТО" in said
    assert "Проверили ввод." in said
    listed = words(signed.open(f"{signed.here}/appeals").text)
    for part in ("№1", "Моргает свет", "ЗАКРЫТО", "Создать обращение"):
        assert part in listed
    news = words(signed.open(f"{signed.here}/notifications").text)
    assert "Обращение «Моргает свет» закрыто" in news
    answer = signed.send(where, f"{where}/reply", text="Спасибо!")
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    assert "еще не передано" in words(signed.open(where).text)
    await carry()
    said = words(signed.open(where).text)
    assert "еще не передано" not in said
    assert "В РАБОТЕ" in said


async def test_until_when_the_supplier_answers(signed, keeping, carry):
    where = send(signed).headers["location"]
    await carry()
    keeping.answer(1, state=AppealState.IN_WORK, due=date(2027, 1, 15))
    await carry()
    assert "поставщик ответит до 15 января 2027" in words(signed.open(where).text)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"subject": " "}, "Напишите в нескольких словах, о чем обращение."),
        ({"text": ""}, "Опишите, что случилось и о чем вы просите."),
        ({"text": "x" * 5001}, "Сократите до 5000 знаков."),
        ({"email": "nobody"}, "Напишите его как anna@example.org"),
    ],
)
def test_what_is_wrong_in_a_form_is_said_and_the_rest_is_kept(signed, typed, sentence):
    answer = send(signed, **{"phone": "+7 900 111-22-33", **typed})
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert 'value="+7 900 111-22-33"' in answer.text
    assert "Обращений пока нет" in words(signed.open(f"{signed.here}/appeals").text)


def test_a_form_that_is_sent_twice_is_one_appeal(signed):
    page = signed.open(f"{signed.here}/appeals/new").text
    data = signed.fill(page, f"{signed.here}/appeals/new", {"subject": "а", "text": "б"})
    found = {
        signed.client.post(f"{signed.here}/appeals/new", data=data, follow_redirects=False)
        .headers["location"]
        for _ in range(2)
    }  # fmt: skip
    assert len(found) == 1


async def test_an_empty_reply_is_refused_in_its_form(signed, carry):
    where = send(signed).headers["location"]
    await carry()
    answer = signed.send(where, f"{where}/reply", headers=HTMX, text=" ")
    assert answer.status_code == 422
    assert "<html" not in answer.text
    assert 'id="reply"' in answer.text
    assert "Опишите, что случилось" in words(answer.text)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_speaks_one_language(signed, keeping, carry, language):
    publish(keeping, "title")
    where = send(signed, subject="subject", text="text").headers["location"]
    await carry()
    signed.open(where)  # takes what was said in the language before
    signed.client.cookies.set("language", language)
    for path in (f"{signed.here}/notifications", f"{signed.here}/appeals",
                 f"{signed.here}/appeals/new", where):  # fmt: skip
        page = signed.open(path, **{"accept-language": language}).text
        main = words(page[page.index("<main") :])
        main = re.sub("Дача|Ввод|JPEG|PNG|WebP|PDF|Энергосбыт|Первая строка.|Русский|English"
                      "|E-mail|title|subject|text|anna@example.org", "", main)  # fmt: skip
        wrong = "[A-Za-z]{3,}" if language == "ru" else "[А-Яа-я]{2,}"
        assert re.findall(wrong, main) == []


@pytest.mark.clause(
    "M1.notifications", "M1.appeals", "M4.notifications", "M4.appeals", "S2.history"
)
async def test_the_main_page_has_the_newest_of_both(signed, keeping, carry):
    assert "Уведомлений пока нет" in words(signed.open(signed.here).text)
    for number in range(4):
        publish(keeping, f"Новость {number}")
    send(signed)
    await carry()
    page = signed.open(signed.here).text
    said = words(page)
    assert re.findall(r"Новость \d", said) == ["Новость 3", "Новость 2", "Новость 1"]
    assert said.count("НЕ ПРОЧИТАНО") == 3
    assert "№1 Моргает свет" in said
    assert "В РАБОТЕ" in said


@pytest.mark.clause("M3.calculated")
async def test_the_main_page_says_what_is_billed_by(signed, keeping, carry):
    keeping.record("76-4001", "ТУ-1", Taken({"": Decimal("3124.027")}, date(2026, 11, 1)))
    await carry()
    page = signed.open(signed.here).text
    assert "Расчетные на 1 ноября: 3 124,027, принято" in words(page)
    point = words(signed.open(re.search(r'href="(/points/\d+)"', page)[1]).text)
    assert "Дата последних показаний 01.11.2026 Последние показания 3124,027" in point
