"""Which meter belongs to which point, and what a name may be."""

import pytest

from hub.domain.contracts import LONGEST_NAME, Place, clean_name, joined, same_serial

PLACES = {"P-1": Place(7, "P-1", "41882107"), "P-2": Place(8, "P-2", "")}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("41882107", "41 882 107", True),
        ("ab1", "AB1", True),
        ("00041", "41", False),  # leading zeros are printed, so they count
        ("", "", False),
        (" ", "", False),
    ],
)
def test_serials_are_compared_as_printed(one, other, same):
    assert same_serial(one, other) is same


@pytest.mark.parametrize(
    ("number", "serial", "place"),
    [
        (" P-1 ", "41 882 107", 7),
        ("P-1", "41882108", None),
        ("P-3", "41882107", None),
        ("P-2", "", None),
        ("", "41882107", None),
    ],
)
def test_a_point_is_joined_by_number_and_serial(number, serial, place):
    assert joined(number, serial, PLACES) == place


def test_names_are_one_short_line():
    assert clean_name("  Дом\n на \t Садовой ") == "Дом на Садовой"
    assert clean_name(" \n ") == ""
    assert len(clean_name("x " * 100)) <= LONGEST_NAME
