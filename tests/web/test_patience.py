"""A connection that does not get on with its request is let go; others are not touched."""

import asyncio

import uvicorn
from uvicorn.server import ServerState

from hub.web.kit.patience import PatientProtocol

REQUEST = b"POST / HTTP/1.1\r\nhost: hub\r\ncontent-length: 4\r\n\r\nbody"


class Hasty(PatientProtocol):
    request_s = 0.3


async def app(scope, receive, send):
    """Answer how long the body was, after a while longer than the limit for requests."""
    body = (await receive())["body"]
    await asyncio.sleep(0.5)
    headers = [(b"content-length", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": str(len(body)).encode()})


async def served(talk):
    """Run ``talk(reader, writer)`` on a connection to a server of its own."""
    config = uvicorn.Config(app, log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Hasty(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        try:
            async with asyncio.timeout(10):
                return await talk(reader, writer)
        finally:
            writer.close()


async def rest_of(reader):
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def test_one_who_says_nothing_or_half_is_let_go():
    for said in (b"", REQUEST[:20], REQUEST[:-2]):

        async def talk(reader, writer, said=said):
            writer.write(said)
            return await rest_of(reader)

        assert asyncio.run(served(talk)) == b""


def test_a_slow_answer_and_a_second_request_are_in_order():
    async def talk(reader, writer):
        answers = []
        for _ in range(2):
            writer.write(REQUEST)
            answers.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(1))
        return answers

    answers = asyncio.run(served(talk))
    assert [answer[-1:] for answer in answers] == [b"4", b"4"]


def test_a_second_request_that_breaks_off_is_let_go_too():
    async def talk(reader, writer):
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
        writer.write(REQUEST[:30])
        return await rest_of(reader)

    assert asyncio.run(served(talk)) == b""
