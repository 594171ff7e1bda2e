"""What of a request stays out of every log, whoever sent it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corefast.crc import seal
from hub.plugins.mercury234 import secrets
from hub.wire.capture import masked


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("00", None),
        ("0801", None),
        ("0101010203040506", "25 01 01 ** ** ** ** ** ** ** **"),
        ("031F02313131313131323232323232", "25 03 **" + " **" * 15),
        ("07021700AABB", "25 07 **" + " **" * 6),
        ("030D000000", None),
    ],
)
def test_passwords_and_raw_writes_are_masked_and_nothing_else(body, shown):
    request = seal(b"\x25" + bytes.fromhex(body))
    assert masked(request, secrets(request)) == (shown or request.hex(" ").upper())


@given(st.binary(min_size=1, max_size=40))
def test_what_is_no_frame_is_all_secret(request):
    said = masked(request, secrets(request))
    if said != request.hex(" ").upper():
        assert "**" in said
    else:
        assert seal(request[:-2]) == request
