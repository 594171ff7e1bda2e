"""What goes wrong with a meter is one plain sentence with the next step, and exit code 1."""

import pytest
from mercury_served import Served

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def quiet():
    served = Served({}, [])
    yield served
    served.stop()


def fails(done, *words):
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


def test_wrong_password_is_named(quiet):
    done = quiet.try_read("clock", password="654321")
    fails(done, "refused the password", "set it anew")
    assert "654321" not in done.stderr


def test_password_of_a_wrong_shape_is_refused_before_anything_is_sent(quiet):
    done = quiet.try_read("clock", password="12")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_unknown_address_is_silence(quiet):
    fails(quiet.try_read("clock", "--repeats=0", address=77), "No answer", "check the address")


def test_a_meter_of_another_protocol_is_named():
    served = Served({"protocol": "dlms"}, [])
    try:
        done = served.try_read("clock", "--repeats=0")
    finally:
        served.stop()
    fails(done, "protocol")


def test_dead_line_is_named(quiet):
    ended = Served({}, [])
    ended.stop()
    fails(ended.try_read("clock"), "Nothing listens at 127.0.0.1")


def test_garbled_answers_are_named():
    served = Served({}, ["damage=0.4"])
    try:
        done = served.try_read("clock", "--repeats=1")
    finally:
        served.stop()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(("No answer within", "Answers arrive damaged"))
    assert done.stderr.count("\n") == 1
