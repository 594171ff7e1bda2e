"""``hub user add``."""

import subprocess
import sys

import pytest

from hub.services.accounts import Accounts
from hub.store.secrets import new_key
from hub.store.unit import Store


@pytest.fixture
def hub(tmp_path):
    key, url = new_key(), f"sqlite:///{tmp_path}/hub.sqlite"

    def run(*arguments, typed="operator-1\n"):
        return subprocess.run(
            [sys.executable, "-m", "hub", "user", "add", *arguments],
            input=typed, text=True, capture_output=True, timeout=60, check=False,
            env={"HUB_DATABASE_URL": url, "HUB_KEYS": key, "PATH": ""},
        )  # fmt: skip

    run.store = lambda: Store.open(url, keys=[key])
    return run


WHO = ("--email", "Op@example.org", "--name", "Оператор", "--role", "operator")


def test_an_added_user_signs_in(hub):
    done = hub(*WHO)
    assert (done.returncode, done.stderr) == (0, "")
    assert "operator-1" not in done.stdout
    store = hub.store()
    accounts = Accounts(store)
    session = accounts.sign_in("op@example.org", "operator-1", "127.0.0.1")
    assert accounts.current(session.session_id).role == "operator"
    store.close()
    again = hub(*WHO)
    assert again.returncode == 1
    assert "already a user" in again.stderr


@pytest.mark.parametrize(
    ("typed", "arguments", "words"),
    [
        ("short\n", WHO, "at least 8"),
        ("", WHO, "no password on stdin"),
        ("operator-1\n", ("--email", "nobody", "--name", "N"), "not an address"),
        ("operator-1\n", (*WHO[:4], "--role", "king"), "king"),
    ],
)
def test_what_is_wrong_is_one_sentence(hub, typed, arguments, words):
    done = hub(*arguments, typed=typed)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
