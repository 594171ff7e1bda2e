"""The clock that services go by unless they are given another."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
