"""SMS through the gateway of a provider, over real HTTP."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from hub.errors import ChannelDown, RecipientRejected
from hub.plugins.api import Message, Urgency
from hub.plugins.notifiers.sms import SmsNotifier, SmsSettings, check_address, hub_notifiers
from hub.services.desk import desk_for
from hub.wire.http import Outgoing, Web

MESSAGE = Message(
    key="code:1", urgency=Urgency.NOW, line='Код 123 456 "вход"', subject="", text=""
)  # fmt: skip


def sent(answer, **settings):
    """Deliver over a gateway of the test; give its outcome and what it heard."""
    heard = []

    async def gateway(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        named = dict(line.lower().split(": ") for line in head.decode().split("\r\n")[1:-2])
        heard.append((head.decode(), await reader.readexactly(int(named.get("content-length", 0)))))
        status, text = answer
        body = text.encode()
        size = f"content-length: {len(body)}"
        writer.write(f"HTTP/1.1 {status} X\r\n{size}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async def main():
        async with (
            await asyncio.start_server(gateway, "127.0.0.1", 0) as server,
            Web({"127.0.0.1"}) as web,
        ):
            port = server.sockets[0].getsockname()[1]
            path = settings.pop("path", "/send")
            made = SmsSettings(url=f"http://127.0.0.1:{port}{path}", **settings)
            (spec,) = hub_notifiers()
            assert spec.hosts(made) == {"127.0.0.1"}
            http = web.client(Outgoing("sms", spec.hosts(made), ChannelDown))
            desk = desk_for("sms", lambda: datetime.now(UTC), http=http)
            return await SmsNotifier(made).deliver(desk, MESSAGE, "+79000000000")

    try:
        outcome = asyncio.run(main())
    except (ChannelDown, RecipientRejected) as error:
        outcome = error
    return outcome, heard


def test_a_json_body_keeps_quotation_marks_and_headers_are_secret():
    outcome, [(head, body)] = sent((200, "ok"), headers="Authorization: Bearer k3y\n")
    assert outcome.remote_id == "code:1"
    assert json.loads(body) == {
        "phone": "+79000000000",
        "message": 'Код 123 456 "вход"',
        "id": "code:1",
    }
    assert "authorization: bearer k3y" in head.lower()
    assert "k3y" not in repr(SmsSettings(url="https://sms.example/", headers="A: k3y"))


def test_a_form_and_an_address_are_encoded():
    _, [(_, body)] = sent((200, ""), format="form", body="to={to}&text={text}&from=Hub")
    assert body.startswith(b"to=%2B79000000000&text=%D0%9A%D0%BE%D0%B4")
    _, [(head, _)] = sent((200, ""), format="none", path="/?n={to}&t={text}")
    assert head.startswith("GET /?n=%2B79000000000&t=%D0%9A%D0%BE%D0%B4%20123%20456%20%22")


@pytest.mark.parametrize(
    ("answer", "settings", "kind"),
    [
        ((200, '{"status": "queued"}'), {"accepted": "queued"}, None),
        ((200, '{"status": "error"}'), {"accepted": "queued"}, ChannelDown),
        ((200, "no such number"), {"refused": "no such"}, RecipientRejected),
        ((400, "bad number"), {}, RecipientRejected),
        ((401, "who are you"), {}, ChannelDown),
        ((429, "slowly"), {}, ChannelDown),
        ((503, "later"), {}, ChannelDown),
    ],
)
def test_the_answer_says_what_became_of_it(answer, settings, kind):
    outcome, heard = sent(answer, **settings)
    assert len(heard) == 1  # an SMS costs money: never sent twice by itself
    assert (type(outcome) if kind else None) is kind


def test_numbers_have_one_form():
    assert check_address("8 (900) 000-00-00") == "+79000000000"
    assert check_address("+7 900 000 00 00") == "+79000000000"
    assert check_address("491700000000") == "+491700000000"
    for text in ("", "112", "call me", "+7 900"):
        with pytest.raises(ValueError, match="phone"):
            check_address(text)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "sms.example"},
        {"url": "https://sms.example", "body": '{"to": {to}'},
        {"url": "https://sms.example", "accepted": "("},
        {"url": "https://sms.example", "headers": "no colon"},
    ],
)
def test_settings_that_can_not_work_are_refused_at_once(settings):
    with pytest.raises(ValidationError):
        SmsSettings(**settings)
