"""``hub serve`` as a process: it listens, is ready, ends in order, and says what is in its way."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from portal import Browser

from hub.store.secrets import new_key

pytestmark = pytest.mark.e2e

PATIENCE_S = 30


@pytest.fixture
def serve(tmp_path: Path):
    started = []
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}

    def run(*options: str, **settings: str) -> "subprocess.Popen[str]":
        settings = {"HUB_DATA_DIR": str(tmp_path / "data"), "HUB_KEYS": new_key(), **settings}
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean | settings,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


def address(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Where it listens, and what it said until then."""
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("The portal listens on "):
            return line.split()[-1], said
    raise AssertionError(said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_the_signal_and_ends_well(serve, number):
    process = serve("--port", "0")
    url, said = address(process)
    assert "HUB_SMTP_URL is not set" in said
    with httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/health/ready").json()["ready"] is True
        assert client.get("/login").status_code == 200
        assert client.get("/demo/mail").status_code == 404
        # A connection that is kept open does not hold the end up.
        process.send_signal(number)
        assert process.wait(30) == 0
    assert "Traceback" not in process.stdout.read()


def test_a_signal_right_at_the_start_is_not_lost(serve):
    process = serve("--port", "0", "--collect")
    address(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) in (0, -signal.SIGTERM)


def test_a_busy_port_and_missing_keys_are_one_sentence(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = serve("--port", str(port))
        assert process.wait(30) == 1
        (line,) = process.stdout.read().splitlines()
        assert line.startswith(f"The portal can't listen on 127.0.0.1:{port} ")
        assert line.endswith("give another --host or --port.")
    process = serve("--port", "0", HUB_KEYS="")
    assert process.wait(30) == 1
    assert "hub keys new" in process.stdout.read()


def test_two_portals_share_a_database_and_a_session(serve):
    key = new_key()
    first, _said = address(serve("--port", "0", HUB_KEYS=key))
    second, _said = address(serve("--port", "0", HUB_KEYS=key))
    with httpx.Client(trust_env=False) as client:
        client.get(f"{first}login")
        token = client.cookies["csrftoken"]
        answer = client.post(f"{second}login", data={"_csrf_token": token, "email": "a@b.cd"})
        assert answer.status_code == 422  # and not 403: the token of one is good at the other


def letter_link(browser: Browser) -> str:
    """The link of the newest letter, once it is carried."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        letters = re.findall(r'href="(/demo/mail/\d+)"', browser.open("/demo/mail").text)
        if letters:
            found = re.search(
                r'href="[^"]*(/(?:register|recover)/[^"]+)"', browser.open(letters[0]).text
            )
            if found:
                return found[1]
        time.sleep(0.1)
    raise AssertionError("no letter came")


@pytest.mark.clause("A6.log")
def test_the_link_of_a_letter_is_in_no_log(serve):
    """Whatever is logged, also of requests that fail: who reads it can't open an account."""
    process = serve("--port", "0", HUB_DEMO="1", HUB_LOG_LEVEL="debug")
    url, said = address(process)
    with httpx.Client(base_url=url, trust_env=False) as client:
        browser = Browser(client)
        typed = {"full_name": "Ли Анна", "phone": "+7 900 000-00-00", "consent": "1"}
        twice = dict.fromkeys(("password", "password_again"), "Correct horse")
        sent = browser.send("/register", email="li@example.org", **typed, **twice)
        assert sent.status_code == 303
        link = letter_link(browser)
        wrong = f"{link}x"
        assert client.get(link).status_code == 200
        assert client.get(wrong).status_code == 410
        assert client.post(link).status_code == 403  # without the token of the page
        assert client.put(link).status_code == 405
        assert browser.send(link).status_code == 303
        assert client.get(link).status_code == 410
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    said += process.stdout.read()
    assert "listens on" in said
    secret = link.rpartition("/")[2]
    assert len(secret) > 20
    assert secret not in said
