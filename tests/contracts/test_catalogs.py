"""Every error has words for the person who meets it, in every language."""

import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest
from catalogs import read

from hub import errors
from hub.errors import HubError, InputRefused
from hub.web.kit.error_words import BY_BLAME, FIELD_WORDS, OURS, WORDS, error_words, field_words
from hub.web.kit.i18n import LANGUAGES, language

HUB = Path(errors.__file__).parent
KINDS = [
    each
    for each in vars(errors).values()
    if inspect.isclass(each) and issubclass(each, HubError) and each.code
]
# What the constructors of their own want; all others take nothing.
WANTS = {"TooManyRequests": timedelta(minutes=1), "InputRefused": {"email": "account.email_wrong"}}
# Errors of what a person does in a form: blame alone would say too little.
OF_A_PERSON = ("account.", "contract.", "supplier.")


@pytest.fixture(params=LANGUAGES)
def spoken(request):
    token = language.set(request.param)
    yield request.param
    language.reset(token)


@pytest.fixture(scope="module")
def catalogs():
    return {name: {m.id: m.string for m in read(name) if m.id} for name in LANGUAGES}


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_words_in_every_language(kind, spoken, catalogs):
    error = kind(WANTS[kind.__name__]) if kind.__name__ in WANTS else kind()
    for message in WORDS.get(kind.code) or BY_BLAME.get(kind.blame, OURS):
        assert catalogs[spoken][message]
    words = error_words(error)
    assert words.short
    assert words.text.endswith((".", "!"))
    for said in (words.short, words.text):
        assert bool(re.search("[а-я]", said)) == (spoken == "ru"), said


@pytest.mark.parametrize("kind", [each for each in KINDS if each.code.startswith(OF_A_PERSON)])
def test_errors_of_a_form_have_words_of_their_own(kind):
    assert kind.code in WORDS


def test_every_code_of_a_field_has_words(spoken, catalogs):
    text = "\n".join(path.read_text("utf-8") for path in (HUB / "services").glob("*.py"))
    used = set(re.findall(r'"((?:account|contract)\.[a-z_]+)"', text))
    assert used
    # roles are given on the command line; the others are acts of the audit
    on_no_page = {"account.role_unknown", "account.deleted", "contract.unlink"}
    assert used <= set(FIELD_WORDS) | {kind.code for kind in KINDS} | on_no_page
    for code, messages in FIELD_WORDS.items():
        assert all(catalogs[spoken][message] for message in messages)
        shown = field_words(InputRefused({"field": code}))["field"]
        assert shown.text != shown.short
