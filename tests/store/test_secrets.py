import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import KeysMissing, SealBroken
from hub.store.secrets import Secrets, new_key

OLD, NEW = new_key(), new_key()


@given(st.text(), st.integers(1))
def test_what_is_sealed_opens_in_its_own_place(value, row):
    secrets = Secrets([NEW])
    sealed = secrets.seal(value, table="meter", row=row, field="sealed_settings")
    assert secrets.open(sealed, table="meter", row=row, field="sealed_settings") == value


def test_sealed_text_can_not_be_moved():
    secrets = Secrets([NEW])
    sealed = secrets.seal("111111", table="meter", row=1, field="sealed_settings")
    for place in (
        {"table": "contract", "row": 1, "field": "sealed_settings"},
        {"table": "meter", "row": 2, "field": "sealed_settings"},
        {"table": "meter", "row": 1, "field": "learned"},
    ):
        with pytest.raises(SealBroken, match="moved"):
            secrets.open(sealed, **place)


def test_rotation_keeps_the_value_and_leaves_the_old_key():
    sealed = Secrets([OLD]).seal("x", table="t", row=1, field="f")
    both = Secrets([NEW, OLD])
    assert both.open(sealed, table="t", row=1, field="f") == "x"
    again = both.reseal(sealed)
    assert Secrets([NEW]).open(again, table="t", row=1, field="f") == "x"
    with pytest.raises(SealBroken):
        Secrets([NEW]).open(sealed, table="t", row=1, field="f")
    with pytest.raises(SealBroken):
        Secrets([NEW]).reseal(sealed)


def test_damaged_seal_and_bad_keys_are_told():
    secrets = Secrets([NEW])
    sealed = secrets.seal("x", table="t", row=1, field="f")
    with pytest.raises(SealBroken):
        secrets.open(sealed[:-4] + "AAA=", table="t", row=1, field="f")
    with pytest.raises(SealBroken, match="hub keys new"):
        Secrets(["nonsense"])
    with pytest.raises(KeysMissing):
        Secrets([])
