"""A person takes their data along, and leaves without a trace."""

import csv
import io
import json
import zipfile

import pytest
from points_world import PASSWORD, make
from portal import deliver, words
from sqlmodel import SQLModel, select

from hub.services.accounts import hashed
from hub.services.mail import kept_mails
from hub.store import accounts, tables

EMAIL, PHONE = "anna@example.org", "+7 900 555-01-02"


@pytest.fixture
def made(store):
    """Anna with a contract and a phone, and a second person who has the like."""
    mine = make(store, EMAIL)
    make(store, "boris@example.org")
    with store.write() as unit:
        accounts.change_user(unit, mine.user, phone=PHONE)
        accounts.consent(unit, mine.user, "v1", unit.now())
    return mine


@pytest.fixture
def own(portal, made):
    browser = portal()
    assert browser.sign_in(EMAIL, PASSWORD).status_code == 303
    return browser


def everything(store) -> dict[str, str]:
    """All rows of all tables as text."""
    with store.read() as unit:
        return {
            table.name: repr(unit.session.connection().execute(select(table)).all())
            for table in SQLModel.metadata.sorted_tables
        }


@pytest.mark.clause("P4.export")
def test_the_archive_holds_all_that_is_kept_and_nobody_elses(own, made, store):
    answer = own.send("/account", "/account/archive", archive_password=PASSWORD)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    told = {name: archive.read(name).decode() for name in archive.namelist()}
    for name in ("user", "contract", "contract_point", "told_reading", "submission", "notice",
                 "appeal", "appeal_message", "user_session", "processing_consent",
                 f"half_hours_{made.point}", f"events_{made.point}"):  # fmt: skip
        rows = json.loads(told[f"{name}.json"])
        assert len(list(csv.DictReader(io.StringIO(told[f"{name}.csv"])))) == len(rows)
    (user,) = json.loads(told["user.json"])
    assert (user["email"], user["phone"]) == (EMAIL, PHONE)
    (row,) = csv.DictReader(io.StringIO(told["user.csv"]))
    assert row["phone"] == f"'{PHONE}"  # no program takes it for a formula
    assert [each["name"] for each in json.loads(told["contract.json"])] == [f"Дом {EMAIL}"]
    whole = "".join(told.values())
    assert "boris" not in whole
    assert "argon2" not in whole
    deliver(store)
    assert [mail.recipient for mail in kept_mails(store)] == [EMAIL]


def test_the_archive_needs_the_password(own):
    answer = own.send("/account", "/account/archive", archive_password="guess")
    assert answer.status_code == 422
    assert "archive_password-error" in answer.text


@pytest.mark.clause("P4.deletion")
def test_nothing_of_a_deleted_person_remains(own, made, portal, store):
    elsewhere = portal()
    elsewhere.sign_in(EMAIL, PASSWORD)
    wrong = own.send("/account/delete", delete_password="guess", word="удали")
    assert wrong.status_code == 422
    assert 'value="удали"' in wrong.text
    assert PHONE in everything(store)["user"]
    done = own.send("/account/delete", delete_password=PASSWORD, word="удалить")
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert elsewhere.open("/account").headers["location"].startswith("/login")

    deliver(store)
    (farewell,) = kept_mails(store)
    assert (farewell.recipient, farewell.subject) == (EMAIL, "Учетная запись удалена")
    with store.write() as unit:  # the demo's mailbox stands for the person's own
        unit.session.delete(unit.session.get(tables.Mail, farewell.id))
    after = everything(store)
    del after["supplier"]  # this world names its suppliers after their only consumer
    for name, rows in after.items():
        for trace in (EMAIL, PHONE, hashed(str(made.user))):
            assert trace not in rows, (name, trace)
    assert "boris@example.org" in after["user"]
    assert "Дом boris@example.org" in after["contract"]
    with store.read() as unit:
        log = unit.session.scalars(select(tables.Audit)).all()
        assert log[-1].act == "account.deleted"
        assert all(not row.detail for row in log if row.actor == f"user {made.user}")


def test_what_is_on_its_way_is_told_before(own, made, store):
    with store.write() as unit:
        unit.session.get(tables.Appeal, made.appeal).state = "waiting"
    page = words(own.open("/account/delete").text)
    assert "еще не дошло до поставщика" in page
    assert "Введите УДАЛИТЬ" in page
