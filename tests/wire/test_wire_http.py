"""HTTP out: hosts, networks, redirects, limits, cookies; against a server of the test."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from contextlib import asynccontextmanager

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.errors import AnswerChanged, ChannelDown, ContractBroken, SupplierDown, TooManyRequests
from hub.wire import http
from hub.wire.http import Outgoing, Web

HERE = "127.0.0.1"


class Server:
    """Answers what ``answers`` says: by path, raw bytes, or a function of the request's head."""

    def __init__(self, **answers):
        self.answers = {f"/{name}": answer for name, answer in answers.items()}
        self.heard = []

    async def serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                named = dict(line.lower().split(": ") for line in lines[1:] if line)
                size = int(named.get("content-length", 0))
                body = await reader.readexactly(size)
                self.heard.append((lines[0], lines[1:], body))
                answer = self.answers[lines[0].split()[1].partition("?")[0]]
                answer = answer(len(self.heard)) if callable(answer) else answer
                if answer is None:
                    await asyncio.sleep(60)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answer(body=b"", status="200 OK", kind="application/json", **headers):
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


@asynccontextmanager
async def at(server, tls=None):
    started = await asyncio.start_server(server.serve, HERE, 0, ssl=tls)
    async with started:
        port = started.sockets[0].getsockname()[1]
        yield f"{'https' if tls else 'http'}://{HERE}:{port}"


def with_client(server, main, may=None, tls=None):
    async def whole():
        async with at(server, tls) as url, Web({HERE}) as web:
            return await main(web.client(may or Outgoing("acme", {HERE})), url)

    return asyncio.run(whole())


def test_a_get_and_a_post_arrive_whole():
    server = Server(
        json=answer(b'{"balance": "1,5"}'),
        form=answer("да".encode(), kind="text/plain; charset=utf-8"),
    )

    async def main(client, url):
        got = await client.get(f"{url}/json", params={"who": "анна"}, headers={"x-key": "k"})
        sent = await client.send("POST", f"{url}/form", form={"reading": "12"})
        return got.status, got.json(), sent.text(), sent.headers["content-type"]

    assert with_client(server, main)[:3] == (200, {"balance": "1,5"}, "да")
    assert server.heard[0][0] == "GET /json?who=%D0%B0%D0%BD%D0%BD%D0%B0 HTTP/1.1"
    assert "x-key: k" in server.heard[0][1]
    assert server.heard[1][2] == b"reading=12"


@pytest.mark.parametrize(
    ("url", "may", "words"),
    [
        ("https://other.example/", Outgoing("acme", {HERE}), "not among the hosts"),
        ("http://supplier.example/", Outgoing("acme", {"supplier.example"}), "only https"),
        ("ftp://supplier.example/", Outgoing("acme", {"supplier.example"}), "only https"),
        (f"https://{HERE}/", Outgoing("acme", {HERE}), "private network"),
        ("https://localhost/", Outgoing("acme", {"localhost"}), "private network"),
        ("https://169.254.169.254/", Outgoing("acme", {"169.254.169.254"}), "private network"),
        ("https://[::1]/", Outgoing("acme", {"::1"}), "private network"),
        ("no address", Outgoing("acme", {HERE}), "not among the hosts"),
    ],
)
def test_what_is_not_allowed_never_leaves(url, may, words):
    async def main():
        async with Web() as web:
            await web.client(may).get(url)

    with pytest.raises(ContractBroken, match=words):
        asyncio.run(main())


def test_a_redirect_stays_on_its_host():
    server = Server(
        old=answer(status="302 Found", location="/new"),
        new=answer(b"{}"),
        away=answer(status="302 Found", location="https://evil.example/"),
        circle=answer(status="302 Found", location="/circle"),
        posted=answer(status="303 See Other", location="/new"),
    )

    async def main(client, url):
        assert (await client.get(f"{url}/old")).url == f"{url}/new"
        await client.send("POST", f"{url}/posted", json={"a": 1})
        assert server.heard[-1][0].startswith("GET /new")
        for path in ("away", "circle"):
            with pytest.raises(AnswerChanged):
                await client.get(f"{url}/{path}")

    with_client(server, main)


def test_cookies_belong_to_one_account():
    server = Server(login=answer(b"{}", set_cookie="sid=secret; Path=/"), page=answer(b"{}"))

    async def whole():
        async with at(server) as url, Web({HERE}) as web:
            may = Outgoing("acme", {HERE})
            anna, boris = web.client(may), web.client(may)
            await anna.get(f"{url}/login")
            await anna.get(f"{url}/page")
            await boris.get(f"{url}/page")
        return ["sid=secret" in str(lines) for _, lines, _ in server.heard]

    assert asyncio.run(whole()) == [False, True, False]


def test_an_answer_is_neither_too_large_nor_too_late(monkeypatch):
    monkeypatch.setattr(http, "LARGEST", 1000)
    monkeypatch.setattr(http, "WHOLE_S", 0.2)
    server = Server(large=answer(b"x" * 1001), slow=lambda _n: None)

    async def main(client, url):
        with pytest.raises(AnswerChanged, match="more than"):
            await client.get(f"{url}/large")
        with pytest.raises(SupplierDown, match="did not answer"):
            await client.send("POST", f"{url}/slow", json={}, once=True)
        return len(server.heard)

    assert with_client(server, main) == 2


def test_half_a_page_is_asked_for_again_and_then_the_supplier_is_down():
    half = answer(b'{"a": 1}')[:-4]

    # a server that says a length and closes before it
    async def breaking(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        calls.append(1)
        writer.write(half if len(calls) < 2 or always else answer(b'{"a": 1}'))
        await writer.drain()
        writer.close()

    async def main():
        async with await asyncio.start_server(breaking, HERE, 0) as started, Web({HERE}) as web:
            url = f"http://{HERE}:{started.sockets[0].getsockname()[1]}/"
            client = web.client(Outgoing("acme", {HERE}, ChannelDown))
            return (await client.get(url)).json()

    calls, always = [], False
    assert asyncio.run(main()) == {"a": 1}
    calls, always = [], True
    with pytest.raises(ChannelDown, match="broke off"):
        asyncio.run(main())
    assert len(calls) == 2


def test_a_server_that_is_not_there_is_tried_twice_and_named():
    async def main():
        async with Web({HERE}) as web:
            async with at(Server()) as url:
                pass
            await web.client(Outgoing("acme", {HERE})).send("POST", url, json={})

    with pytest.raises(SupplierDown, match=r"127\.0\.0\.1 can't be reached"):
        asyncio.run(main())


def test_what_is_no_json_and_what_is_too_often():
    server = Server(
        page=answer(b"<html>", kind="text/html"),
        damaged=answer(b'{"a": '),
        often=answer(status="429 Too Many Requests", retry_after="120"),
        broken=answer(b"oops", status="500 Internal Server Error", kind="text/plain"),
    )

    async def main(client, url):
        for path in ("page", "damaged"):
            with pytest.raises(AnswerChanged):
                (await client.get(f"{url}/{path}")).json()
        with pytest.raises(TooManyRequests) as often:
            await client.get(f"{url}/often")
        assert often.value.after == dt.timedelta(minutes=2)
        return (await client.get(f"{url}/broken")).status

    assert with_client(server, main) == 500


def test_the_log_names_the_host_alone():
    server = Server(page=answer(b"{}"))

    async def main(client, url):
        await client.get(f"{url}/page?token=s3cret", headers={"authorization": "Bearer s3cret"})

    with structlog.testing.capture_logs() as logs:
        with_client(server, main)
    assert logs[0]["host"] == HERE
    assert "s3cret" not in str(logs)


def test_a_certificate_that_nobody_signed_is_refused(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HERE)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HERE))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pem)

    async def main(client, url):
        await client.get(f"{url}/page")

    with pytest.raises(SupplierDown):
        with_client(Server(page=answer(b"{}")), main, tls=tls)
