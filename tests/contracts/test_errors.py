"""Every error has a code of its own, a sentence, and a place in the reference."""

import inspect
import re
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest

from hub import errors
from hub.errors import Blame, HubError, Retry

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/errors.md"
CLASSES = [
    each
    for each in vars(errors).values()
    if inspect.isclass(each) and issubclass(each, HubError) and each.__module__ == "hub.errors"
]
BASES = [each for each in CLASSES if not each.code]
KINDS = [each for each in CLASSES if each.code]
# What the constructors of their own want; all others take a sentence, or nothing.
WANTS = {"TooManyRequests": timedelta(minutes=1), "InputRefused": {"email": "form.email"}}


def entry(kind):
    """What the reference says first about a class."""
    return f"### `{kind.code}`\n\n`{kind.__name__}` · blame: {kind.blame} · retry: {kind.retry}\n"


def made(kind):
    return kind(WANTS[kind.__name__]) if kind.__name__ in WANTS else kind()


@pytest.mark.parametrize("base", BASES)
def test_base_classes_cannot_be_raised(base):
    with pytest.raises(TypeError, match="base class"):
        base("no")


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_whole(kind):
    assert re.fullmatch(r"[a-z]+(\.[a-z_]+)+", kind.code)
    assert isinstance(kind.retry, Retry)
    assert isinstance(kind.blame, Blame)
    sentence = str(made(kind))
    assert sentence.endswith(".")
    assert sentence[0].isupper()


@pytest.mark.parametrize("kind", [each for each in KINDS if each.__name__ not in WANTS])
def test_detail_replaces_the_sentence(kind):
    assert str(kind("Another sentence.")) == "Another sentence."


def test_codes_are_never_shared():
    codes = [kind.code for kind in KINDS]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_heading(kind):
    wanted = entry(kind) + "\n" + textwrap.fill(str(made(kind)), 100)
    assert entry(kind) in PAGE.read_text(encoding="utf-8"), f"add to {PAGE.name}:\n\n{wanted}\n"


def test_no_heading_without_its_kind():
    headings = re.findall(r"^### `(.+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(headings) == sorted(kind.code for kind in KINDS)
