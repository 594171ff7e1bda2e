"""Files of appeals and what waits to be sent: kept, given back to their owner alone."""

import io
import json
import re
import zipfile

import pytest
from points_world import PASSWORD, make
from portal import words
from sqlmodel import select

from hub.plugins.api import AppealState, Attachment, Point, SupplierCard
from hub.services.accounts import Accounts
from hub.services.bookkeeping import BookedContract, Bookkeeping, open_supplier
from hub.services.passwords import Passwords
from hub.store import tables

PHOTO = b"\xff\xd8\xff\xe0 a photo of a meter"
PAPER = b"%PDF-1.7 a paper"
HTMX = {"hx-request": "true", "hx-request-type": "partial"}


@pytest.fixture
def keeping(store, clock):
    supplier = open_supplier(store, title="Энергосбыт", card=SupplierCard(name="Э"), now=clock())
    keeping = Bookkeeping(store, supplier, Passwords(), clock)
    keeping.enter(
        BookedContract(login="dom", password="letter-1", number="76-1", holder="", address="")
    )
    keeping.add_point("76-1", Point(id="", name="Ввод", number="P-7", meter_serial="41888"), "")
    return keeping


@pytest.fixture
def signed(guest, anna, keeping):
    guest.sign_in()
    guest.send("/contracts/new", supplier=str(keeping.supplier_id), name="Дача", login="dom",
               password="letter-1")  # fmt: skip
    guest.here = guest.open("/").headers["location"]
    guest.new = f"{guest.here}/appeals/new"
    return guest


def send(signed, path="", action="", *files, headers=None, **typed):
    """Fill the form in as its page has it and send it with files (name and content)."""
    path = path or signed.new
    data = signed.fill(signed.open(path).text, action or path, typed)
    data.pop("files", None)
    sent = [("files", (name, content, "text/plain")) for name, content in files]
    return signed.client.post(
        action or path, data=data, files=sent or [("files", ("", b""))],
        headers=dict(headers or {}), follow_redirects=False,
    )  # fmt: skip


TYPED = {"subject": "Счетчик", "text": "Моргает"}


def links(page: str) -> list[str]:
    return re.findall(r'href="(/appeals/files/\d+)"', page)


@pytest.mark.clause("S1.attachments")
async def test_files_go_to_the_supplier_and_those_of_its_answer_come(signed, keeping, carry):
    form = words(signed.open(signed.new).text)
    assert "До 5 файлов JPEG, PNG, WebP или PDF, каждый до 10 МБ" in form
    answer = send(signed, "", "", ("../Щит <1>.JPG", PHOTO), ("act", PAPER), **TYPED)
    assert answer.status_code == 303, answer.text
    where = answer.headers["location"]
    await carry()
    assert [(file.name, file.content) for file in keeping.files(1)] == [
        ("Щит 1.jpg", PHOTO),
        ("act.pdf", PAPER),
    ]
    page = signed.open(where).text
    assert len(links(page)) == 2
    got = signed.open(links(page)[0])
    assert got.content == PHOTO
    assert got.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D0%A9")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-type"] == "image/jpeg"
    assert "sandbox" in got.headers["content-security-policy"]
    keeping.answer(1, "Акт во вложении", state=AppealState.ANSWERED, due=None,
                   files=[Attachment(name="Акт.pdf", media_type="", content=PAPER)])  # fmt: skip
    await carry()
    page = signed.open(where).text
    assert "Акт.pdf" in words(page)
    assert signed.open(links(page)[-1]).content == PAPER
    answer = send(
        signed, where, f"{where}/reply", ("снимок.png", b"\x89PNG\r\n\x1a\nx"), text="Вот"
    )
    assert answer.status_code == 303
    await carry()
    await carry()
    assert [file.name for file in keeping.files(1)] == [
        "Щит 1.jpg", "act.pdf", "Акт.pdf", "снимок.png",
    ]  # fmt: skip
    assert len(links(signed.open(where).text)) == 4


async def test_a_waiting_appeal_keeps_its_files(signed, keeping, carry, store):
    where = send(signed, "", "", ("a.jpg", PHOTO), **TYPED).headers["location"]
    assert "ОЖИДАЕТ" in words(signed.open(where).text)
    (link,) = links(signed.open(where).text)
    assert signed.open(link).content == PHOTO
    await carry()
    assert links(signed.open(where).text) == [link]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("a.jpg", b"<html>")], "Принимаем только JPEG, PNG, WebP и PDF"),
        ([("a.pdf", b"%PDF-" + bytes(10 * 1024 * 1024))], "Файл может быть до 10 МБ"),
        ([(f"{n}.jpg", PHOTO + bytes([n])) for n in range(6)], "до 5 файлов"),
    ],
)
def test_what_can_not_be_taken_is_said_and_the_rest_stays(signed, keeping, files, sentence):
    answer = send(signed, "", "", ("good.jpg", PHOTO), *files, **TYPED)
    assert answer.status_code == 422
    said = words(answer.text)
    assert sentence in said
    assert "good.jpg" in said
    assert "Моргает" in answer.text
    page = signed.open(signed.new).text
    assert "good.jpg" in words(page)
    assert send(signed, **TYPED).status_code == 303


def test_a_refusal_of_the_words_keeps_the_files(signed, keeping):
    answer = send(signed, "", "", ("a.jpg", PHOTO), subject="", text="Моргает")
    assert answer.status_code == 422
    assert "a.jpg" in words(answer.text)
    assert len(links(answer.text)) == 1
    where = send(signed, **TYPED).headers["location"]
    assert len(links(signed.open(where).text)) == 1


def test_files_are_attached_and_removed_by_buttons(signed):
    for _ in range(2):  # the same twice is one
        answer = send(signed, "", "", ("a.jpg", PHOTO), headers=HTMX, act="attach", text="Моргает")
    assert answer.status_code == 200
    assert answer.text.strip().startswith('<div class="field" id="appeal-files"')
    page = signed.open(signed.new).text
    assert (
        answer.text.count("<li>") == page[page.index('id="appeal-files"') :].count("remove ") == 1
    )
    assert "Моргает" in page
    assert "еще не отправили" in words(page)
    (act,) = re.findall('value="(remove [0-9]+)"', page)
    answer = send(signed, act=act, text="Моргает")
    assert (answer.status_code, answer.headers["location"]) == (303, signed.new)
    page = signed.open(signed.new).text
    assert links(page) == []
    assert "Моргает" in page


def test_what_is_typed_is_kept_and_comes_back_until_it_is_sent(signed):
    page = signed.open(signed.new).text
    typed = signed.fill(page, signed.new, {"subject": "Полтем", "text": "Начал писать"})
    answer = signed.client.post(signed.new, data={**typed, "act": "save"})
    assert (answer.status_code, answer.text) == (204, "")
    again = signed.open(signed.new).text
    assert "Начал писать" in again
    assert 'value="Полтем"' in again
    sent = signed.client.post(signed.new, data=typed, follow_redirects=False)
    assert sent.status_code == 303
    late = signed.client.post(signed.new, data={**typed, "act": "save"})  # of a page that goes
    assert late.status_code == 204
    assert "Начал писать" not in signed.open(signed.new).text
    where = sent.headers["location"]
    assert "Полтем" in signed.open(where).text


def test_a_draft_can_be_thrown_away(signed):
    typed = signed.fill(signed.open(signed.new).text, signed.new, {"text": "Лишнее"})
    signed.client.post(signed.new, data={**typed, "act": "save"})
    answer = signed.client.post(signed.new, data={**typed, "act": "afresh"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, signed.new)
    assert "Лишнее" not in signed.open(signed.new).text


async def test_a_reply_has_a_draft_of_its_own(signed, carry):
    where = send(signed, **TYPED).headers["location"]
    await carry()
    send(signed, where, f"{where}/reply", ("b.png", b"\x89PNG\r\n\x1a\n"), act="attach", text="Еще")
    page = signed.open(where).text
    assert "Еще</textarea>" in page
    assert "b.png" in words(page)
    assert "Еще" not in signed.open(signed.new).text


async def test_the_point_is_told_to_the_supplier(signed, keeping, carry):
    await carry()
    page = signed.open(signed.new).text
    (point,) = re.findall(r'<option value="(\d+)">Ввод', page)
    assert send(signed, point=point, **TYPED).status_code == 303
    await carry()
    (asked,) = keeping.appeals()
    assert "Точка учета: Ввод, №\xa0P-7." in asked.thread[0][2]
    assert "41888" in asked.thread[0][2]
    assert send(signed, point="99", **TYPED).status_code == 404


def test_files_are_for_their_owner_alone(signed, portal, store, anna):
    Accounts(store).add(email="boris@example.org", full_name="Ли", password=PASSWORD)
    send(signed, "", "", ("a.jpg", PHOTO), act="attach", **TYPED)
    (draft,) = links(signed.open(signed.new).text)
    assert signed.open(draft).content == PHOTO
    stranger = portal()
    stranger.sign_in("boris@example.org")
    assert stranger.open(draft).status_code == 404
    nobody = portal()
    page = nobody.open("/login").text
    token = nobody.fill(page, "/login", {})["_csrf_token"]
    answer = nobody.client.post(
        signed.new, data={"_csrf_token": token}, files=[("files", ("a.jpg", PHOTO))],
        follow_redirects=False,
    )  # fmt: skip
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")


def test_they_are_in_the_archive_and_go_with_the_account(signed, store):
    send(signed, "", "", ("a.jpg", PHOTO), **TYPED)
    send(signed, "", "", ("b.pdf", PAPER), act="attach", text="Не отправлено")
    answer = signed.send("/account", "/account/archive", archive_password=PASSWORD)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    files = sorted(archive.read(each) for each in archive.namelist() if each.startswith("files/"))
    assert files == sorted([PHOTO, PAPER])
    assert json.loads(archive.read("draft_words.json"))[signed.new]["text"] == "Не отправлено"
    signed.send("/account/delete", delete_password=PASSWORD, word="УДАЛИТЬ")
    with store.read() as unit:
        for table in (tables.Draft, tables.Attachment):
            assert unit.session.exec(select(table)).all() == []


def test_a_supplier_that_takes_no_files_is_offered_none(portal, store):
    owner = make(store, "anna@example.org")
    with store.write() as unit:
        unit.cursor().execute("UPDATE contract SET does = ?", ('["appeals"]',))
    own = portal()
    own.sign_in("anna@example.org", PASSWORD)
    assert 'type="file"' not in own.open(f"/contracts/{owner.contract}/appeals/new").text


def test_unlinking_forgets_what_was_typed_there(signed, store):
    send(signed, "", "", ("b.pdf", PAPER), act="attach", text="Не отправлено")
    signed.send(f"{signed.here}/unlink")
    with store.read() as unit:
        assert unit.session.exec(select(tables.Draft)).all() == []


async def test_a_photo_leaves_without_the_place_it_was_taken_at(signed, keeping, carry):
    def block(marker: int, body: bytes) -> bytes:
        return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body

    head, picture = b"\xff\xd8", block(0xDB, bytes(65)) + block(0xDA, b"\1") + b"pixels\xff\xd9"
    place = b"54.9884 N 82.9006 E"
    photo = head + block(0xE1, b"Exif\0\0MM\0*" + place) + block(0xE1, place) + picture
    assert "Из фото мы убираем место и время съемки" in words(signed.open(signed.new).text)
    answer = send(signed, "", "", ("счетчик.jpg", photo), **TYPED)
    await carry()
    assert [file.content for file in keeping.files(1)] == [head + picture]
    page = signed.open(answer.headers["location"]).text
    (shown,) = re.findall(r'<img class="thumb" src="(/appeals/files/\d+)"', page)
    assert signed.open(shown).content == head + picture
