"""The e-mail notifier against a mail server that listens on this machine."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from hub.plugins.api import ChannelDown, Desk, Message, RecipientRejected, Urgency
from hub.plugins.manager import load_plugins

MESSAGE = Message(
    key="confirm:1", urgency=Urgency.NOW, line="Подтвердите", subject="Подтвердите\r\nBcc: x@y.z",
    text="Здравствуйте.\n", html="<p>Здравствуйте.</p>",
)  # fmt: skip
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Server:
    """Just enough SMTP: one mail a connection; ``refuse`` maps a command to an answer."""

    def __init__(self, refuse=None):
        self.refuse = refuse or {}
        self.mails = []
        self.commands = []
        self.ended = []

    async def serve(self, reader, writer):
        self.ended.append(asyncio.current_task())
        with suppress(ConnectionError):
            await self.talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def talk(self, reader, writer):
        async def say(text):
            writer.write(text.encode() + b"\r\n")
            await writer.drain()

        await say(self.refuse.get("CONNECT", "220 test ESMTP"))
        while line := await reader.readline():
            word = line.split()[0].upper().decode()
            self.commands.append(line.decode().strip())
            if word in self.refuse:
                await say(self.refuse[word])
            elif word == "EHLO":
                await say("250-test\r\n250 SMTPUTF8")
            elif word == "DATA":
                await say("354 go")
                mail = b""
                while (part := await reader.readline()) != b".\r\n":
                    mail += part
                self.mails.append(mail)
                await say("250 taken")
            elif word == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 fine")


@asynccontextmanager
async def listening(server):
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        yield f"smtp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    await asyncio.gather(*server.ended)


def spec():
    return load_plugins(only=["email"], strict=True).notifier("email")


async def deliver(url, to="anna@example.org"):
    settings = spec().settings(url=url, sender="Энергосбыт <hub@example.org>")
    desk = Desk(http=None, log=None, now=lambda: NOW, language="ru")
    return await spec().build(settings).deliver(desk, MESSAGE, to)


async def test_a_mail_is_handed_over_whole():
    server = Server()
    async with listening(server) as url:
        delivery = await deliver(url)
    mail = message_from_bytes(server.mails[0], policy=policy.default)
    assert mail["To"] == "anna@example.org"
    assert mail["From"] == "Энергосбыт <hub@example.org>"
    assert mail["Subject"] == "Подтвердите Bcc: x@y.z"  # a line break makes no header
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == delivery.remote_id
    assert mail.get_body(("plain",)).get_content() == "Здравствуйте.\n"
    assert mail.get_body(("html",)).get_content() == "<p>Здравствуйте.</p>\n"
    assert "MAIL FROM:<hub@example.org>" in server.commands[1]


async def test_the_same_key_is_the_same_message():
    async with listening(Server()) as url:
        assert (await deliver(url)).remote_id == (await deliver(url)).remote_id


@pytest.mark.parametrize(
    ("refuse", "error"),
    [
        ({"RCPT": "550 no such mailbox"}, RecipientRejected),
        ({"RCPT": "450 greylisted"}, ChannelDown),
        ({"MAIL": "451 later"}, ChannelDown),
        ({"DATA": "554 no"}, ChannelDown),
        ({"CONNECT": "421 busy"}, ChannelDown),
    ],
)
async def test_refusals_are_told_apart(refuse, error):
    async with listening(Server(refuse)) as url:
        with pytest.raises(error):
            await deliver(url)


async def test_nobody_listens():
    async with listening(Server()) as url:
        pass
    with pytest.raises(ChannelDown):
        await deliver(url)


def test_a_password_is_never_said_in_clear():
    settings = spec().settings(url="smtp://u:secret@mail.example:587", sender="h@e.org")
    assert "secret" not in repr(settings)
    assert spec().hosts(settings) == frozenset({"mail.example"})


async def test_without_starttls_no_password_leaves():
    server = Server()
    async with listening(server) as url:
        with pytest.raises(ChannelDown):
            await deliver(url.replace("smtp://", "smtp://user:secret@"))
    assert not any("AUTH" in command for command in server.commands)


def test_addresses():
    check = spec().check_address
    assert check(" Anna@Example.ORG ") == "Anna@example.org"
    for wrong in ("anna", "a b@c.d", "a@b, c@d", ""):
        with pytest.raises(ValueError, match="not an e-mail"):
            check(wrong)
