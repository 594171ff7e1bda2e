"""Contracts and their points: which meter belongs to which point, and what a name may be."""

import re
from dataclasses import dataclass

LONGEST_NAME = 80
# A host name, perhaps a port; nobody's name before it, nothing that a browser reads otherwise.
HTTPS_LINK = re.compile(
    r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?([/?#][!-~]*)?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Place:
    """A metering point as the hub knows it, with the meter that is installed there now."""

    metering_point_id: int
    number: str
    meter_serial: str


def same_serial(one: str, other: str) -> bool:
    """Compare as printed: spaces don't count, leading zeros do. Nothing equals nothing."""
    left, right = "".join(one.split()), "".join(other.split())
    return bool(left) and left.casefold() == right.casefold()


def joined(number: str, meter_serial: str, places: dict[str, Place]) -> int | None:
    """Find the metering point that a supplier's point is: same number *and* the same meter.

    Either alone proves nothing: numbers are typed by people, and serials repeat among makers.
    """
    place = places.get(number.strip())
    if place is None or not same_serial(meter_serial, place.meter_serial):
        return None
    return place.metering_point_id


def clean_name(text: str) -> str:
    """One line, single spaces, at most 80 characters; '' if nothing is left."""
    return " ".join(text.split())[:LONGEST_NAME].strip()


def https_link(text: str) -> str:
    """Give a supplier's link if it leads to a site over HTTPS; '' for ``javascript:`` and the like.

    International names have to come in their ASCII form.
    """
    text = text.strip()
    return text if HTTPS_LINK.fullmatch(text) else ""
