"""Where notifications come from, the ways that they take, and the hours without them."""

from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

A_DAY = 24 * 60  # minutes


class Source(StrEnum):
    """What a notification is of; people choose its channels by this."""

    SUPPLIER = "supplier"  # what the supplier writes: debts, planned works, outages
    READING = "reading"  # what became of readings that were handed in
    APPEAL = "appeal"  # an answer to an appeal, or its new state
    METER = "meter"  # what a meter recorded
    RULE = "rule"  # what the person asked to be watched


class Channel(StrEnum):
    """A way to reach a person."""

    PORTAL = "portal"
    EMAIL = "email"
    SMS = "sms"


# What is in force until a person chooses: meters record much, and an SMS costs money.
AT_FIRST = frozenset(
    {(source, Channel.PORTAL) for source in Source}
    | {(source, Channel.EMAIL) for source in Source if source is not Source.METER}
)


def after_quiet(now: datetime, quiet: tuple[int, int] | None, zone: str) -> datetime:
    """Give the first instant from ``now`` on that is outside the quiet hours.

    ``quiet``: begin and end in minutes after midnight of ``zone``, over midnight where the end is
    the smaller; None, or both the same: there are none.
    """
    if quiet is None or quiet[0] == quiet[1]:
        return now
    begin, end = quiet
    local = now.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    if (minute - begin) % A_DAY >= (end - begin) % A_DAY:
        return now
    day = local.date() + timedelta(days=minute >= end)
    return datetime.combine(day, time(*divmod(end, 60)), ZoneInfo(zone)).astimezone(now.tzinfo)
