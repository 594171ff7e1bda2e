"""``hub demo`` end to end: meters read over TCP, shown on pages, ended without a trace."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from hub.cli import demo_utility

pytestmark = pytest.mark.e2e

PATIENCE = 90


def clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder: Path, port: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "hub", "demo", "--dir", folder, "--port", str(port), "--days", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment() | {"HUB_PLUGINS": "none", "HUB_DATABASE_URL": "sqlite:///nowhere"},
    )


def until_ready(process: "subprocess.Popen[str]") -> str:
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            return said
    raise AssertionError(said)


def children_of(pid: int) -> list[int]:
    """All processes below one, as the kernel knows them."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children_of(child)]
    return found


def ended(pids: list[int]) -> bool:
    """Whether none of them runs any more; one that nobody waited for is over too."""

    def over(pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        return state == "Z"

    return all(over(pid) for pid in pids)


def wait_for(condition) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def sign_in(client: httpx.Client) -> None:
    page = client.get("/login").text
    assert demo_utility.PASSWORD in page
    token = re.search(r'name="_csrf_token" value="([^"]+)"', page)[1]
    answer = client.post(
        "/login",
        data={
            "_csrf_token": token,
            "email": demo_utility.EMAIL,
            "password": demo_utility.PASSWORD,
        },
    )
    assert answer.status_code == 303


@pytest.fixture
def demo(tmp_path):
    """Starts the demo of one folder; whatever happens, nothing is left."""
    started = []

    def run(port: int) -> "subprocess.Popen[str]":
        process = start(tmp_path / "demo", port)
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
        process.stdout.close()


def test_a_whole_utility_runs_is_read_and_ends(demo, tmp_path):
    port = free_port()
    process = demo(port)
    said = until_ready(process)
    assert f"http://127.0.0.1:{port}/" in said
    assert demo_utility.EMAIL in said
    assert demo_utility.PASSWORD in said
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        sign_in(client)
        home = client.get("/", follow_redirects=True)
        assert home.status_code == 200
        assert demo_utility.FULL_NAME in home.text
        assert "Дом на" in home.text
        points = f"{home.url.path}/points"
        assert "Дом, ввод" in client.get(points).text
        # The collector reads the meters while we look.
        wait_for(lambda: "кВт·ч, сегодня в" in client.get(points).text.replace("\xa0", " "))
    busy = start(tmp_path / "other", port)
    assert busy.wait(PATIENCE) == 1
    assert busy.stdout.read() == (
        f"Port {port} is in use; end the program that uses it, or give another --port.\n"
    )
    busy.stdout.close()
    below = children_of(process.pid)
    lines = len(demo_utility.lines(datetime.now(UTC).date()))
    assert len(below) >= lines + 2  # and the portal, and the collector
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert ended(below)

    again = demo(port)
    assert "Making the utility" not in until_ready(again)
    below = children_of(again.pid)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        sign_in(client)
    again.kill()  # not even a chance to say goodbye
    wait_for(lambda: ended(below))


def test_a_start_that_was_cut_off_is_made_anew_and_a_strange_database_is_left(tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "hub.db").write_bytes(b"somebody's")
    process = start(folder, free_port())
    assert process.wait(PATIENCE) == 1
    assert process.stdout.read() == (
        f"{folder}/hub.db is not a demo's database; give another folder with --dir.\n"
    )
    process.stdout.close()
    assert (folder / "hub.db").read_bytes() == b"somebody's"
    (folder / "demo.making").touch()
    process = start(folder, free_port())
    try:
        assert "Making the utility" in until_ready(process)
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()
