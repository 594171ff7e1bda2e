"""A phone is confirmed by a code, takes notifications, and codes at sign-in."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from portal import PASSWORD, Browser, words
from pydantic import SecretStr
from sqlmodel import select

from hub.cli.notifiers import carriers
from hub.domain.notices import AT_FIRST, Channel, Source
from hub.services.passwords import Passwords
from hub.services.persons import Persons
from hub.services.phones import MOST_TRIES, SENT_TO_USER
from hub.services.publishing import News, publish
from hub.services.second_factor import CODE_LETTERS
from hub.store import accounts, notify, tables
from hub.web.kit.visitor import SESSION_COOKIE
from hub.wire.http import Web

PHONE = "+79000000001"
SENT = select(tables.Outbox).where(tables.Outbox.kind == "sms")


@pytest.fixture
def own(portal, store, anna):
    with store.write() as unit:
        accounts.change_user(unit, anna, phone="8 900 000-00-01")
    browser = portal()
    browser.sign_in()
    return browser


@pytest.fixture
def texts(settings, store, plugins):
    """Carry the SMS that are due over a real gateway; give what it heard, oldest first."""
    heard: list[dict[str, str]] = []

    def carry(status: int = 200) -> list[dict[str, str]]:
        async def gateway(reader, writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(re.search(r"content-length: (\d+)", head.lower())[1])
            told = json.loads(await reader.readexactly(length))
            assert "bearer k3y" in head.lower()
            if status == 200:
                heard.append(told)
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
            await writer.drain()
            writer.close()

        async def main():
            async with (
                await asyncio.start_server(gateway, "127.0.0.1", 0) as server,
                Web({"127.0.0.1"}) as web,
            ):
                port = server.sockets[0].getsockname()[1]
                here = settings.model_copy(
                    update={
                        "demo": False,
                        "sms_url": SecretStr(f"http://127.0.0.1:{port}/send"),
                        "sms_headers": SecretStr("Authorization: Bearer k3y"),
                    }
                )
                (sms,) = carriers(here, store, plugins, web)
                await sms.deliver_due()

        asyncio.run(main())
        return heard

    return carry


def code_of(texts) -> str:
    last = texts()[-1]
    assert last["phone"] == PHONE
    return re.search(r"\d{6}", last["message"])[0]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def later(store, **by) -> None:
    """Let a while pass for the codes that were sent."""
    with store.write() as unit:
        for row in unit.session.exec(select(tables.PhoneCode)):
            row.sent_at -= timedelta(**by)
            row.expires_at -= timedelta(**by)


def confirm(own, texts) -> None:
    assert own.send("/account", "/account/phone").status_code == 303
    answer = own.send("/account", "/account/phone/confirm", phone_code=code_of(texts))
    assert answer.status_code == 303


def phone_of(store, user) -> str:
    with store.read() as unit:
        return accounts.user_by_id(unit, user).confirmed_phone


def by_sms(own, texts) -> list[str]:
    """Turn codes by SMS on; give the recovery codes."""
    confirm(own, texts)
    assert own.send("/account/security", "/account/factor/sms").status_code == 303
    page = own.send("/account/security", "/account/factor/on", code=code_of(texts)).text
    return re.findall(rf"\b[{CODE_LETTERS}]{{5}}-[{CODE_LETTERS}]{{5}}\b", page)


def test_a_code_confirms_the_phone_once(own, store, anna, texts):
    confirm(own, texts)
    assert phone_of(store, anna) == PHONE
    with store.read() as unit:
        assert notify.phone_code(unit, anna, "phone") is None
        kept = unit.session.exec(SENT).one()
    assert kept.body["sealed"] == ""  # wiped once it was out
    page = own.open("/account").text
    assert "SMS приходят на +7 900 000-00-01" in words(page)


def test_the_code_is_kept_only_hashed(own, store, anna, texts):
    own.send("/account", "/account/phone")
    with store.read() as unit:
        row = notify.phone_code(unit, anna, "phone")
        sealed = unit.session.exec(SENT).one().body
    code = code_of(texts)
    assert code not in str(row.model_dump())
    assert code not in str(sealed)


def test_wrong_codes_spend_the_code(own, store, anna, texts):
    own.send("/account", "/account/phone")
    code = code_of(texts)
    for _ in range(MOST_TRIES):
        answer = own.send("/account", "/account/phone/confirm", phone_code=wrong(code))
        assert answer.status_code == 422
    assert own.send("/account", "/account/phone/confirm", phone_code=code).status_code == 422
    assert phone_of(store, anna) == ""


def test_a_code_runs_out_and_is_not_sent_late(own, store, anna, texts):
    own.send("/account", "/account/phone")
    code = code_of(texts)
    page = own.open("/account").text
    later(store, minutes=11)
    token = own.fill(page, "/account/phone", {})["_csrf_token"]
    data = {"phone_code": code, "_csrf_token": token}
    assert own.client.post("/account/phone/confirm", data=data).status_code == 422
    own.send("/account", "/account/phone")
    with store.write() as unit:
        for row in unit.session.exec(SENT.where(tables.Outbox.done_at.is_(None))):
            row.body = {**row.body, "valid_until": datetime.now(UTC).isoformat()}
    assert len(texts()) == 1


def test_only_a_few_codes_are_sent(own, store, texts):
    for _ in range(3):
        own.send("/account", "/account/phone")
    assert len(texts()) == 1  # none within a minute of the last
    for _ in range(SENT_TO_USER.most - 1):
        later(store, minutes=2)
        assert own.send("/account", "/account/phone").status_code == 303
        texts()
    later(store, minutes=2)
    assert own.send("/account", "/account/phone").status_code == 429
    assert len(texts()) == SENT_TO_USER.most


def test_a_gateway_that_is_down_is_asked_again(own, store, texts):
    own.send("/account", "/account/phone")
    assert texts(status=503) == []
    with store.write() as unit:
        row = unit.session.exec(SENT).one()
        assert (row.attempts, row.done_at) == (1, None)
        row.due_at = datetime.now(UTC)
    assert len(texts()) == 1


def test_another_phone_has_to_be_confirmed_anew(own, store, anna, texts):
    confirm(own, texts)
    own.send("/account", full_name="Ким Анна", phone="+7 900 000 00 01", language="ru")
    assert phone_of(store, anna) == PHONE
    own.send("/account", full_name="Ким Анна", phone="+7 900 000 00 02", language="ru")
    assert phone_of(store, anna) == ""


@pytest.mark.clause("P2.channels")
def test_a_notification_comes_by_sms(own, store, anna, texts):
    confirm(own, texts)
    now = datetime.now(UTC)
    with store.write() as unit:
        unit.session.add(tables.Supplier(id=1, connector="house", title="Сбыт", created_at=now))
        unit.session.flush()
        unit.session.add(tables.Contract(
            id=1, user_id=anna, supplier_id=1, name="Дом", number="1", remote_id="1",
            linked_at=now - timedelta(days=9),
        ))  # fmt: skip
    page = own.open("/account/notifications").text
    assert re.search(r'name="supplier.sms"[^>]*aria-label="[^"]*"> *', page)
    assert own.send("/account/notifications", **{"supplier.sms": "1"}).status_code == 303
    with store.write() as unit:
        assert notify.choices(unit, anna) == AT_FIRST | {(Source.SUPPLIER, Channel.SMS)}
        title = "Отключение электроэнергии на улице Садовой " * 6
        news = News(contract_id=1, source=Source.SUPPLIER, key="1", kind="outage", title=title,
                    text="", published_at=now)  # fmt: skip
        publish(unit, news, now)
        publish(unit, news, now)
    told = texts()[1:]
    assert len(told) == 1
    (message,) = [each["message"] for each in told]
    assert message.startswith("Отключение электроэнергии")
    assert message.endswith("… http://hub.test/notifications/1")
    assert len(message) <= 134


@pytest.mark.clause("A7.sms")
def test_the_second_factor_by_sms(own, portal, store, anna, texts):
    recovery = by_sms(own, texts)
    assert len(recovery) == 10
    fresh: Browser = portal()
    before = len(texts())
    answer = fresh.sign_in()
    assert answer.headers["location"].startswith("/login/code")
    assert SESSION_COOKIE not in fresh.client.cookies
    page = words(fresh.open("/login/code").text)
    assert "номер заканчивается на 01" in page
    assert PHONE not in page
    code = code_of(texts)
    assert len(texts()) == before + 1
    assert fresh.send("/login/code", code=wrong(code)).status_code == 422
    assert fresh.send("/login/code", code=code).status_code == 303
    assert fresh.open("/account").status_code == 200
    again: Browser = portal()
    again.sign_in()
    assert again.send("/login/code", code=code).status_code == 422  # each once
    assert again.send("/login/code", code=recovery[0]).status_code == 303


def test_another_code_can_be_sent_at_sign_in_but_not_for_ever(own, portal, store, texts):
    by_sms(own, texts)
    later(store, minutes=2)
    fresh: Browser = portal()
    fresh.sign_in()
    before = len(texts())
    assert fresh.send("/login/code", "/login/code/send").status_code == 303
    assert len(texts()) == before  # not within a minute
    later(store, minutes=2)
    fresh.send("/login/code", "/login/code/send")
    assert len(texts()) == before + 1
    assert fresh.send("/login/code", code=code_of(texts)).status_code == 303
    statuses = set()
    for _ in range(SENT_TO_USER.most):
        later(store, minutes=2)
        own.send("/account/security", "/account/factor/send")
        another: Browser = portal()
        another.sign_in()
        statuses.add(another.send("/login/code", "/login/code/send").status_code)
    assert 429 in statuses


def test_codes_by_sms_are_turned_off_by_one_more_code(own, portal, store, anna, texts):
    by_sms(own, texts)
    page = words(own.open("/account/security").text)
    assert "Коды приходят в SMS на +7 900 000-00-01" in page
    persons = Persons(store, Passwords())
    persons.change(anna, "Ким Анна", "+79000000002", "ru")
    assert phone_of(store, anna) == PHONE  # what guards the account stays until it is turned off
    assert own.send("/account", "/account/phone").status_code == 422
    later(store, minutes=2)
    assert own.send("/account/security", "/account/factor/send").status_code == 303
    code = code_of(texts)
    assert own.send("/account/security", "/account/factor/off", code=code).status_code == 303
    assert portal().sign_in(password=PASSWORD).headers["location"] == "/"


def test_a_token_is_made_by_a_code_that_came_by_sms(own, store, texts):
    by_sms(own, texts)
    later(store, minutes=2)
    asked = own.send("/account/tokens/new", name="Умный дом", which="chosen", act="code")
    assert asked.status_code == 200
    assert 'value="Умный дом"' in asked.text
    typed = {"name": "Умный дом", "scope_read_points": "1", "act": ""}
    code = code_of(texts)
    assert own.send("/account/tokens/new", **typed, proof=wrong(code)).status_code == 422
    made = own.send("/account/tokens/new", **typed, proof=code)
    assert re.search(r"hub_[\w-]{43}", made.text)
