"""What a text must not be in a table that people open with a spreadsheet."""

from typing import Final

RUN: Final = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP, "CSV Injection"
DASH: Final = "-"  # how a value that is not known is shown; no formula


def harmless(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(RUN) and text != DASH else text
