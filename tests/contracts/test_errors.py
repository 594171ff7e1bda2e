"""Every error has a code of its own and a sentence."""

import inspect
import re
from datetime import timedelta

import pytest

from hub import errors
from hub.errors import Blame, HubError, Retry

CLASSES = [
    each
    for each in vars(errors).values()
    if inspect.isclass(each) and issubclass(each, HubError) and each.__module__ == "hub.errors"
]
BASES = [each for each in CLASSES if not each.code]
KINDS = [each for each in CLASSES if each.code]
# What the constructors of their own want; all others take a sentence, or nothing.
WANTS = {"TooManyRequests": timedelta(minutes=1), "InputRefused": {"email": "form.email"}}


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
